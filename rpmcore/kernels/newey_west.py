"""Standard errors of many regressions on the same factors, robust to autocorrelation and heteroskedasticity."""

import numpy as np
from numpy.typing import NDArray

from rpmcore.kernels._jit import kernel

Matrix = NDArray[np.float64]


@kernel("(f8[:, ::1], f8[:, ::1], i8, f8[:, ::1])")
def newey_west(residuals: Matrix, influence: Matrix, lags: int, errors: Matrix) -> None:
    """Write the Newey–West error of each coefficient of each asset into `errors` (n, k).

    `residuals` (t, n) are those of each asset; `influence` (t, k) is what a unit of residual in row t adds to each
    coefficient, so that z_t = influence_t · residual_t are the scores behind one error. With v_s the sum of z over a
    window of L+1 rows that ends at s, zeros beyond both ends, a pair of rows l apart stands together in L+1−l windows:
    Σ_s v_s² / (L+1) is the sum of squares and products under Bartlett's weights 1 − l/(L+1), and never negative.

    Running sums that subtract what leaves a window would drift. Here rows are cut into blocks of L+1, and a window is
    the end of one block and the beginning of the next: additions only, three a row whatever L.
    """
    n_rows, n = residuals.shape
    width = lags + 1
    ends = np.zeros((width + 1, n))  # sums from each row of the last block to its end; none are left past the last row
    begun, total = np.empty(n), np.empty(n)
    for j in range(influence.shape[1]):
        ends[:] = 0.0
        total[:] = 0.0
        for start in range(0, n_rows + lags, width):
            begun[:] = 0.0
            for step in range(min(width, n_rows + lags - start)):
                t = start + step
                if t < n_rows:
                    h = influence[t, j]
                    for i in range(n):
                        begun[i] += h * residuals[t, i]
                for i in range(n):
                    v = begun[i] + ends[step + 1, i]
                    total[i] += v * v
            for step in range(width - 1, -1, -1):
                t = start + step
                h = influence[t, j] if t < n_rows else 0.0
                row = min(t, n_rows - 1)
                for i in range(n):
                    ends[step, i] = ends[step + 1, i] + h * residuals[row, i]
        for i in range(n):
            errors[i, j] = np.sqrt(total[i] / width)
