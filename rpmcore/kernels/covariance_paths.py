"""Covariance and volatility for every date of a history, each from what was known on it."""

import numpy as np
from numpy.typing import NDArray

from rpmcore.kernels._jit import kernel

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

REFRESH = 256
"""After so many dates running sums are taken anew, before the rounding of adding and removing rows can show."""


@kernel("(f8[::1], f8)")
def ewma_volatility_path(x: Vector, decay: float) -> Vector:
    """Return for each t the root of Σ_{s≤t} (1−λ)λ^{t−s} x_s² / (1−λ^{t+1})."""
    out = np.empty(x.shape[0])
    total, left = 0.0, 1.0
    for t in range(x.shape[0]):
        total = decay * total + (1.0 - decay) * x[t] * x[t]
        left *= decay
        out[t] = total / (1.0 - left)
    for t in range(x.shape[0]):  # apart from the recursion, the roots are taken several at a time
        out[t] = np.sqrt(out[t])
    return out


@kernel("(f8[:, ::1], f8, f8[:, :, ::1])")
def ewma_covariance_path(x: Matrix, decay: float, out: NDArray[np.float64]) -> None:
    """Write for each t the matrix of Σ_{s≤t} (1−λ)λ^{t−s} x_s x_sᵀ / (1−λ^{t+1}) into `out` (t, n, n).

    Each date reads its predecessor and writes itself: the path is bound by memory, not by arithmetic.
    """
    n_rows, n = x.shape
    left = 1.0
    for t in range(n_rows):
        # With a_t = 1−λ^t: Σ_t = (λ a_{t−1}/a_t) Σ_{t−1} + ((1−λ)/a_t) x xᵀ, which keeps every Σ_t normalised.
        before = 1.0 - left
        left *= decay
        keep = decay * before / (1.0 - left)
        add = (1.0 - decay) / (1.0 - left)
        for i in range(n):
            scaled = add * x[t, i]
            if t == 0:
                for j in range(n):
                    out[t, i, j] = scaled * x[t, j]
            else:
                for j in range(n):
                    out[t, i, j] = keep * out[t - 1, i, j] + scaled * x[t, j]


@kernel("(f8[:, ::1], f8[::1], f8, i8)")
def rolling_ledoit_wolf_variance(band: Matrix, pnl: Vector, exposure: float, n_assets: int) -> Vector:
    """Return wᵀΣw with Σ the Ledoit–Wolf estimate of each window, without forming Σ.

    `band` (t, W) holds the inner products of row t with the rows t, t−1 … t−W+1; `pnl` is Xw and `exposure` ‖w‖².
    wᵀΣw = (1−δ) var(Xw) + δ m ‖w‖², and δ needs of each window only tr S, ‖S‖² and Σ‖x_t‖⁴. With G the Gram matrix of
    the window, r its row means and g their mean, the centred one has the elements G − r_s − r_t + g, hence
    ‖S‖²n² = ‖G‖² − 2n Σr² + n²g². Moving the window by a row changes O(W) of these.
    """
    n_rows, window = band.shape
    out = np.empty(n_rows - window + 1)
    sums = np.zeros(n_rows)  # Σ_s G_st over the window, for each t in it
    squares = 0.0
    for last in range(window - 1, n_rows):
        first = last - window + 1
        if (first % REFRESH) == 0:
            squares = 0.0
            for t in range(first, last + 1):
                sums[t] = 0.0
            for t in range(first, last + 1):
                for s in range(first, t):
                    g = band[t, t - s]
                    sums[t] += g
                    sums[s] += g
                    squares += 2.0 * g * g
                g = band[t, 0]
                sums[t] += g
                squares += g * g
        else:
            gone = first - 1
            squares -= band[gone, 0] * band[gone, 0]
            for t in range(first, last):
                g = band[t, t - gone]
                sums[t] -= g
                squares -= 2.0 * g * g
            sums[last] = band[last, 0]
            squares += band[last, 0] * band[last, 0]
            for s in range(first, last):
                g = band[last, last - s]
                sums[s] += g
                sums[last] += g
                squares += 2.0 * g * g
        out[first] = window_variance(band, pnl, sums, squares, first, last, exposure, n_assets)
    return out


@kernel("(f8[:, ::1], f8[::1], f8[::1], f8, i8, i8, f8, i8)")
def window_variance(
    band: Matrix, pnl: Vector, sums: Vector, squares: float, first: int, last: int, exposure: float, n_assets: int
) -> float:
    """Return wᵀΣw of one window from its running sums."""
    n = last - first + 1
    grand, means_squared, mean_pnl = 0.0, 0.0, 0.0
    for t in range(first, last + 1):
        r = sums[t] / n
        grand += r
        means_squared += r * r
        mean_pnl += pnl[t]
    grand /= n
    mean_pnl /= n
    trace, fourth, variance = 0.0, 0.0, 0.0
    for t in range(first, last + 1):
        square = band[t, 0] - 2.0 * sums[t] / n + grand
        trace += square
        fourth += square * square
        variance += (pnl[t] - mean_pnl) * (pnl[t] - mean_pnl)
    norm2 = (squares - 2.0 * n * means_squared + n * n * grand * grand) / (n * n)
    m = trace / n / n_assets
    d2 = norm2 / n_assets - m * m
    b2 = min(d2, max(0.0, (fourth / n - norm2) / (n_assets * n)))
    delta = b2 / d2 if d2 > 0.0 else 0.0
    return (1.0 - delta) * variance / n + delta * m * exposure
