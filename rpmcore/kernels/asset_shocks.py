"""Shocks of every asset by itself, where the loss of a book is not enough."""

import numpy as np
from numpy.typing import NDArray

from rpmcore.kernels._jit import kernel
from rpmcore.kernels.random_numbers import mixing_scales, normal_pairs, random_words
from rpmcore.kernels.simulation import ASSETS, MIXING, PURPOSES

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Words = NDArray[np.uint64]


@kernel("(u8[::1], f8, u8, u8, f8[:, ::1])")
def asset_shocks(paths: Words, dof: float, day: np.uint64, seed: np.uint64, shocks: Matrix) -> None:
    """Write the independent shocks of one day into `shocks` (an even number of factors, paths).

    They are the draws behind `simulation.asset_losses`, of any paths in any order.
    """
    n, m = shocks.shape
    low, high, scales = np.empty(m, np.uint64), np.empty(m, np.uint64), np.empty(m)
    stream = PURPOSES * day
    for pair in range(n // 2):
        random_words(paths, np.uint64(pair), stream + ASSETS, seed, low, high)
        normal_pairs(low, high, shocks[2 * pair], shocks[2 * pair + 1])
    if dof < np.inf:
        mixing_scales(paths, stream + MIXING, seed, dof, scales)
        for k in range(n):
            z = shocks[k]
            for i in range(m):
                z[i] *= scales[i]


@kernel("(f8[:, ::1], f8[:, ::1], f8[:, ::1])")
def add_loaded(loadings: Matrix, shocks: Matrix, totals: Matrix) -> None:
    """Add to `totals` (paths, assets) the shocks (factors, paths) times the loadings (assets, factors).

    Without BLAS, whose last bits depend on its number of threads. Four factors at a time; what a row has no loading on
    at its end, such as the upper half of a triangle, is left out. Factors come in pairs.
    """
    m = shocks.shape[1]
    total = np.empty(m)
    for asset in range(loadings.shape[0]):
        row = loadings[asset]
        end = row.shape[0]
        while end >= 2 and row[end - 1] == 0.0 and row[end - 2] == 0.0:
            end -= 2
        total[:] = 0.0
        for k in range(0, end - 2, 4):
            a0, a1, a2, a3 = row[k], row[k + 1], row[k + 2], row[k + 3]
            z0, z1, z2, z3 = shocks[k], shocks[k + 1], shocks[k + 2], shocks[k + 3]
            for i in range(m):
                total[i] += (a0 * z0[i] + a1 * z1[i]) + (a2 * z2[i] + a3 * z3[i])
        if end % 4 == 2:
            a0, a1 = row[end - 2], row[end - 1]
            z0, z1 = shocks[end - 2], shocks[end - 1]
            for i in range(m):
                total[i] += a0 * z0[i] + a1 * z1[i]
        for i in range(m):
            totals[i, asset] += total[i]
