"""Covariance of a few assets, where loops beat the fixed costs of BLAS, and what surrounds BLAS for many."""

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
def centre(x: Matrix, out: Matrix) -> float:
    """Write x less the mean of each column into `out` (t, n), and return Σ_t ‖out_t‖⁴."""
    n_rows, n = x.shape
    mean = np.zeros(n)
    for t in range(n_rows):
        for i in range(n):
            mean[i] += x[t, i]
    for i in range(n):
        mean[i] /= n_rows
    whole = n - n % 4
    fourth = 0.0
    for t in range(n_rows):
        for i in range(n):
            out[t, i] = x[t, i] - mean[i]
        # Four sums side by side: a single one would wait for its own last addition at every step.
        q0, q1, q2, q3 = 0.0, 0.0, 0.0, 0.0
        for i in range(0, whole, 4):
            q0 += out[t, i] * out[t, i]
            q1 += out[t, i + 1] * out[t, i + 1]
            q2 += out[t, i + 2] * out[t, i + 2]
            q3 += out[t, i + 3] * out[t, i + 3]
        for i in range(whole, n):
            q0 += out[t, i] * out[t, i]
        square = (q0 + q1) + (q2 + q3)
        fourth += square * square
    return fourth


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


@kernel("(f8[:, ::1], f8[:, ::1])")
def ledoit_wolf(x: Matrix, out: Matrix) -> float:
    """Write the shrunk covariance of x (t, n) into `out` (n, n); return its intensity, NaN if x is not finite."""
    centred = np.empty_like(x)
    fourth = centre(x, centred)
    gram(centred, out)
    return shrink_gram(out, fourth, x.shape[0])


@kernel("(f8[:, ::1], f8, i8)")
def shrink_gram(g: Matrix, fourth: float, n_rows: int) -> float:
    """Turn g = xᵀx of `n_rows` centred rows, in place, into δ m I + (1−δ) g/T, and return δ.

    m = tr S / n with S = g/T, d² = ‖S − mI‖²/n and b² = Σ_t ‖x_t x_tᵀ − S‖²/(n T²). The sum over t is
    Σ_t ‖x_t‖⁴ − T ‖S‖² because Σ_t x_t x_tᵀ = T S: no second product of size n²T. `fourth` is Σ_t ‖x_t‖⁴.
    δ is NaN where a number among x was not finite.
    """
    n = g.shape[0]
    trace = 0.0
    for i in range(n):
        trace += g[i, i]
    m = trace / n_rows / n
    columns = np.zeros(n)  # Σ_i g_ij² above the diagonal: one sum a column, so that the loop vectorises in order
    for i in range(n):
        for j in range(i + 1, n):
            columns[j] += g[i, j] * g[i, j]
    beside = 0.0
    for j in range(n):
        beside += columns[j]
    beside *= 2.0 / n_rows / n_rows
    norm2, d2 = beside, beside
    for i in range(n):
        variance = g[i, i] / n_rows
        norm2 += variance * variance
        d2 += (variance - m) * (variance - m)
    b2 = (fourth / n_rows - norm2) / n_rows
    if not np.isfinite(d2 + b2):
        return np.nan
    intensity = min(d2, max(0.0, b2)) / d2 if d2 > 0.0 else 0.0
    keep = (1.0 - intensity) / n_rows
    for i in range(n):
        for j in range(n):
            g[i, j] *= keep
        g[i, i] += intensity * m
    return intensity
