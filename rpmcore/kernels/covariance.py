"""Covariance of a few dozen assets, where loops beat the fixed costs of BLAS."""

import numpy as np
from numpy.typing import NDArray

from rpmcore.kernels._jit import kernel

Matrix = NDArray[np.float64]


@kernel("(f8[:, ::1], f8[:, ::1])")
def gram(x: Matrix, out: Matrix) -> None:
    """Write xᵀx into `out` (n, n) for x (t, n).

    Eight rows are added per pass, so that each element of `out` is loaded and stored once for eight products;
    the inner loop runs along a row and vectorises without reordering any sum.
    """
    n_rows, n = x.shape
    out[:, :] = 0.0
    whole = n_rows - n_rows % 8
    for t in range(0, whole, 8):
        for i in range(n):
            a0, a1, a2, a3 = x[t, i], x[t + 1, i], x[t + 2, i], x[t + 3, i]
            a4, a5, a6, a7 = x[t + 4, i], x[t + 5, i], x[t + 6, i], x[t + 7, i]
            for j in range(i, n):
                out[i, j] += ((a0 * x[t, j] + a1 * x[t + 1, j]) + (a2 * x[t + 2, j] + a3 * x[t + 3, j])) + (
                    (a4 * x[t + 4, j] + a5 * x[t + 5, j]) + (a6 * x[t + 6, j] + a7 * x[t + 7, j])
                )
    for t in range(whole, n_rows):
        for i in range(n):
            for j in range(i, n):
                out[i, j] += x[t, i] * x[t, j]
    for i in range(n):
        for j in range(i):
            out[i, j] = out[j, i]


@kernel("(f8[:, ::1], f8[:, ::1])")
def centre(x: Matrix, out: Matrix) -> None:
    """Write x less the mean of each column into `out` (t, n)."""
    n_rows, n = x.shape
    mean = np.zeros(n)
    for t in range(n_rows):
        for i in range(n):
            mean[i] += x[t, i]
    for i in range(n):
        mean[i] /= n_rows
    for t in range(n_rows):
        for i in range(n):
            out[t, i] = x[t, i] - mean[i]


@kernel("(f8[:, ::1], f8)")
def sample(x: Matrix, divisor: float) -> Matrix:
    """Return the demeaned cross product of x (t, n) over `divisor`."""
    centred = np.empty_like(x)
    centre(x, centred)
    out = np.empty((x.shape[1], x.shape[1]))
    gram(centred, out)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] /= divisor
    return out


@kernel("(f8[:, ::1], f8[::1])")
def weighted(x: Matrix, root_weights: NDArray[np.float64]) -> Matrix:
    """Return Σ_t w_t x_t x_tᵀ for x (t, n) and √w (t,)."""
    n_rows, n = x.shape
    scaled = np.empty_like(x)
    for t in range(n_rows):
        for i in range(n):
            scaled[t, i] = root_weights[t] * x[t, i]
    out = np.empty((n, n))
    gram(scaled, out)
    return out


@kernel("(f8[:, ::1],)")
def ledoit_wolf(x: Matrix) -> tuple[Matrix, float]:
    """Return the shrunk covariance of x (t, n) and its intensity, in one call: at 60 × 6 the call is the cost."""
    n_rows, n = x.shape
    centred = np.empty_like(x)
    centre(x, centred)
    s = np.empty((n, n))
    gram(centred, s)
    for i in range(n):
        for j in range(n):
            s[i, j] /= n_rows
    fourth = 0.0
    for t in range(n_rows):
        square = 0.0
        for i in range(n):
            square += centred[t, i] * centred[t, i]
        fourth += square * square
    intensity, mean_variance = shrinkage_intensity(s, fourth, n_rows)
    for i in range(n):
        for j in range(n):
            s[i, j] *= 1.0 - intensity
        s[i, i] += intensity * mean_variance
    return s, intensity


@kernel("(f8[:, ::1], f8, i8)")
def shrinkage_intensity(s: Matrix, fourth: float, n_rows: int) -> tuple[float, float]:
    """Return Ledoit and Wolf's δ and m = tr S / n from S and Σ_t ‖x_t‖⁴.

    Σ_t ‖x_t x_tᵀ − S‖² = Σ_t ‖x_t‖⁴ − T ‖S‖² because Σ_t x_t x_tᵀ = T S: no second product of size n²T.
    """
    n = s.shape[0]
    m = 0.0
    for i in range(n):
        m += s[i, i]
    m /= n
    d2 = 0.0
    norm2 = 0.0
    for i in range(n):
        for j in range(n):
            norm2 += s[i, j] * s[i, j]
            apart = s[i, j] - m if i == j else s[i, j]
            d2 += apart * apart
    d2 /= n
    b2 = min(d2, max(0.0, (fourth / n_rows - norm2) / (n * n_rows)))
    return (b2 / d2 if d2 > 0.0 else 0.0), m
