"""Simulated returns of every asset, for books that are not linear."""

from typing import Any

import numpy as np

from rpmcore.domain.arrays import Matrix, as_covariance
from rpmcore.risk import asset_shocks
from rpmcore.risk.asset_shocks import Shocks, even
from rpmcore.risk.simulated_tail import share
from rpmcore.risk.simulation_model import (
    MOST_THREADS,
    Distribution,
    Law,
    Sampling,
    checked_law,
    factor,
    whole,
)

PIECE = 16_384
"""Shocks that are held at a time, over all assets: 128 kilobytes stay in the second-level cache."""


def simulate_asset_returns(
    cov: Any,
    n_paths: int,
    *,
    seed: int,
    distribution: Distribution = "normal",
    dof: float | None = None,
    horizon: int = 1,
    sampling: Sampling = "pseudo",
    threads: int = 1,
) -> Matrix:
    """Return simulated returns of every asset (n_paths, n_assets) over `horizon` days, for books that are not linear.

    They are the draws behind `simulate_losses` with the same arguments and without `reduction`: its losses are
    −returns @ weights, but for rounding. With ``antithetic`` sampling the mean of anything odd in the returns is exact,
    and that of anything nearly linear, such as the P&L of a book with options, much closer than from independent
    paths; ``sobol`` helps smooth functions of a few assets most.

    Parameters
    ----------
    cov, n_paths, seed, distribution, dof, horizon, sampling, threads
        As in `simulate_losses`. The result takes 8 · n_paths · n_assets bytes, 400 MB for 1e5 paths of 500 assets,
        and little else is needed; longer runs can be made of several seeds.

    Raises
    ------
    InvalidArgument
        As `simulate_losses`.
    """
    matrix = as_covariance(cov)
    law = checked_law(seed, distribution, dof, horizon, sampling)
    n_paths, threads = law.check_paths(n_paths), whole("threads", threads, 1, MOST_THREADS)
    loadings = _padded(factor(matrix))
    sources = _sources(matrix.shape[0], law)
    returns = np.empty((n_paths, matrix.shape[0]))
    mirrored = law.sampling == "antithetic"
    drawn = returns[0::2] if mirrored else returns
    size = drawn.shape[0] // len(sources)
    piece = max(128, PIECE // loadings.shape[1])
    pieces = [(run, start) for run in range(len(sources)) for start in range(0, size, piece)]

    def worker() -> Any:
        buffer = np.empty((piece, matrix.shape[0]))

        def draw_piece(number: int) -> None:
            run, start = pieces[number]
            stop = min(start + piece, size)
            out = buffer[: stop - start]
            asset_shocks.load(sources[run], loadings, law.horizon, np.arange(start, stop, dtype=np.uint64), out)
            drawn[run * size + start : run * size + stop] = out
            if mirrored:
                np.negative(out, out=returns[2 * start + 1 : 2 * stop : 2])

        return draw_piece

    share(worker, len(pieces), threads)
    return returns


def _sources(n_assets: int, law: Law) -> tuple[Shocks, ...]:
    if law.sampling != "sobol":
        return (asset_shocks.pseudo_random(law.dof, law.seed),)
    from rpmcore.risk import sobol

    return sobol.shock_sources(n_assets, law.dof, law.horizon, law.seed)


def _padded(loadings: Matrix) -> Matrix:
    """Return the loadings with an even number of factors."""
    padded = np.zeros((loadings.shape[0], even(loadings.shape[1])))
    padded[:, : loadings.shape[1]] = loadings
    return padded
