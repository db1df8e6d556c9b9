"""Shocks of every asset, and the linear combinations of them that are returns and losses."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rpmcore.domain.arrays import Matrix
from rpmcore.kernels import asset_shocks as kernels

Words = NDArray[np.uint64]
"""One dimension of uint64: numbers of paths, or random bits."""

Shocks = Callable[[Words, int, Matrix], None]
"""Writes the independent shocks of some paths on one day into (factors, paths), with an even number of factors."""


def even(n: int) -> int:
    """Return n, or n + 1 where n is odd: shocks come in pairs."""
    return n + n % 2


def pseudo_random(dof: float, seed: np.uint64) -> Shocks:
    """Return the shocks behind `rpmcore.kernels.simulation.asset_losses`; `dof` is infinite for normal ones."""

    def shocks_of(paths: Words, day: int, shocks: Matrix) -> None:
        kernels.asset_shocks(paths, dof, np.uint64(day), seed, shocks)

    return shocks_of


def load(source: Shocks, loadings: Matrix, horizon: int, paths: Words, out: Matrix) -> None:
    """Write Σ over `horizon` days of the shocks times `loadings` (rows, factors) into `out` (paths, rows)."""
    shocks = np.empty((loadings.shape[1], paths.shape[0]))
    out[:] = 0.0
    for day in range(horizon):
        source(paths, day, shocks)
        kernels.add_loaded(loadings, shocks, out)
