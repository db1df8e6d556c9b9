"""Resampled rows of a series, as a function of seed and replicate alone."""

import numpy as np
from numpy.typing import NDArray

from rpmcore.kernels._jit import kernel
from rpmcore.kernels.random_numbers import random_words

Vector = NDArray[np.float64]

STREAM = np.uint64(0xB0075742)
"""The stream of the bootstrap, far beyond those that simulations number by their days."""

HALF = np.uint64(32)


@kernel("(f8[::1], u8, u8, i8, f8[::1])")
def resample(rows: Vector, seed: np.uint64, replicate: np.uint64, block: int, out: Vector) -> None:
    """Fill `out` with runs of `block` rows that begin anywhere and go on past the end at the beginning.

    The start of run j is the j-th random word of the replicate, its upper half times n over 2³²: uniform but for 2⁻³².
    """
    n = rows.shape[0]
    n_runs = (out.shape[0] + block - 1) // block
    runs, low, high = np.arange(n_runs).astype(np.uint64), np.empty(n_runs, np.uint64), np.empty(n_runs, np.uint64)
    random_words(runs, replicate, STREAM, seed, low, high)
    place = 0
    for j in range(n_runs):
        row = np.int64(((low[j] >> HALF) * np.uint64(n)) >> HALF)
        for _ in range(min(block, out.shape[0] - place)):
            out[place] = rows[row]
            place += 1
            row = np.int64(row + 1) if row + 1 < n else np.int64(0)
