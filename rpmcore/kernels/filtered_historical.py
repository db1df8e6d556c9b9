"""Past returns rescaled to today's volatility, and paths drawn from them."""

import numpy as np
from numpy.typing import NDArray

from rpmcore.kernels._jit import kernel
from rpmcore.kernels.random_numbers import random_words

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

STREAM = np.uint64(0xF1172100)
"""The stream of the drawn rows, far beyond those that simulations number by their days."""

HALF = np.uint64(32)


@kernel("(f8[:, ::1], f8, i8, f8[:, ::1], f8[::1])")
def standardise(x: Matrix, decay: float, burn_in: int, z: Matrix, variances: Vector) -> int:
    """Write z_t = x_t/σ_{t|t−1} of the rows from `burn_in` on (t − burn_in, n), and σ² for the day after the last.

    σ² is the exponentially weighted mean square of the rows before, its weights summing to one. Where it is zero a
    zero stays zero; returns the first column with another return there, else −1.
    """
    n_rows, n = x.shape
    total, left, wrong = np.zeros(n), 1.0, -1
    for t in range(n_rows):
        if t >= burn_in:
            for i in range(n):
                variance = total[i] / (1.0 - left)
                if variance > 0.0:
                    z[t - burn_in, i] = x[t, i] / np.sqrt(variance)
                else:
                    z[t - burn_in, i] = 0.0
                    if x[t, i] != 0.0 and wrong < 0:
                        wrong = i
        left *= decay
        for i in range(n):
            total[i] = decay * total[i] + (1.0 - decay) * x[t, i] * x[t, i]
    for i in range(n):
        variances[i] = total[i] / (1.0 - left)
    return wrong


@kernel("(f8[:, ::1], f8[:, ::1], f8[::1], f8[::1], i8, u8, u8, f8, f8[::1])")
def path_losses(
    z: Matrix,
    growth: Matrix,
    deviations: Vector,
    weights: Vector,
    horizon: int,
    seed: np.uint64,
    first: np.uint64,
    pivot: float,
    losses: Vector,
) -> int:
    """Simulate as many paths as `losses` is long, from number `first` on; keep the losses at or beyond `pivot`.

    Each day one whole row of z is drawn, scaled by the volatilities of the path, which then follow the returns drawn:
    σ² ← λσ² + (1−λ)σ²z², so that a row multiplies σ by its own √(λ + (1−λ)z²), the `growth` of the same row. The losses
    −Σ w'r kept are written to the front of `losses`, in the order of the paths.

    Parameters
    ----------
    z, growth
        (n_rows, n), standardised rows and what each makes of the volatility.
    deviations
        (n,) volatilities of the first day.
    weights
        (n,).
    horizon
        Days of a path.
    seed, first
        Key of the draws, and the number of the first path.
    pivot
        Smallest loss to keep.

    Returns
    -------
    int
        How many losses were kept.
    """
    n_rows, n = z.shape
    days = np.arange(horizon).astype(np.uint64)
    low, high = np.empty(horizon, np.uint64), np.empty(horizon, np.uint64)
    sigma = np.empty(n)
    count = 0
    for path in range(losses.shape[0]):
        random_words(days, first + np.uint64(path), STREAM, seed, low, high)
        for i in range(n):
            sigma[i] = weights[i] * deviations[i]
        loss = 0.0
        for day in range(horizon):
            row = np.int64(((low[day] >> HALF) * np.uint64(n_rows)) >> HALF)
            for i in range(n):
                loss -= sigma[i] * z[row, i]
                sigma[i] *= growth[row, i]
        losses[count] = loss
        count += loss >= pivot
    return count
