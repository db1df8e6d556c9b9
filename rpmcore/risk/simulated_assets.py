"""Simulated returns of every asset, and which assets the simulated tail comes from.

References
----------
D. Tasche, "Capital allocation to business units and sub-portfolios: the Euler principle", 2007, sections 2 and 4.
E. Epperlein and A. Smillie, "Cracking VaR with kernels", *Risk* 19 (2006): value at risk contributions as a kernel
average around the value at risk.
B. Manistre and G. Hancock, "Variance of the CTE estimator", *North American Actuarial Journal* 9 (2005).
"""

from dataclasses import dataclass
from math import inf, sqrt
from typing import Any

import numpy as np

from rpmcore.domain.arrays import Matrix, Vector, as_covariance, as_vector
from rpmcore.domain.errors import Undefined
from rpmcore.domain.tail_risk import TailRisk
from rpmcore.risk import asset_shocks
from rpmcore.risk.asset_shocks import Shocks, even
from rpmcore.risk.simulated_tail import Draw, block_size, share
from rpmcore.risk.simulation import measure
from rpmcore.risk.simulation_model import (
    MOST_THREADS,
    Distribution,
    Law,
    Sampling,
    checked_law,
    factor,
    loss_draws,
    whole,
)
from rpmcore.risk.tail_count import tail_count
from rpmcore.risk.volatility import portfolio_volatility

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


@dataclass(frozen=True, slots=True, kw_only=True)
class TailComponents:
    """Which assets the simulated tail comes from; a loss is positive, a hedge negative.

    Attributes
    ----------
    tail_risk
        Value at risk and expected shortfall of the same paths.
    expected_shortfall
        (n_assets,): the mean loss of each position over the tail; they sum to the expected shortfall.
    value_at_risk
        (n_assets,): the mean loss of each position where the book loses its value at risk; they sum to it.
    expected_shortfall_errors, value_at_risk_errors
        (n_assets,): their standard errors; None where there is none of the total.
    """

    tail_risk: TailRisk
    expected_shortfall: Vector
    value_at_risk: Vector
    expected_shortfall_errors: Vector | None
    value_at_risk_errors: Vector | None


def simulated_components(
    weights: Any,
    cov: Any,
    confidence: float,
    n_paths: int,
    *,
    seed: int,
    distribution: Distribution = "normal",
    dof: float | None = None,
    horizon: int = 1,
    threads: int = 1,
) -> TailComponents:
    """Return the Euler contributions of every asset to value at risk and expected shortfall of simulated losses.

    The paths are those of `simulate_tail_risk` with the same arguments. Expected shortfall contributions average the
    losses −w_i r_i over the same (fractionally weighted) tail paths as the expected shortfall itself, and sum to it.
    Value at risk contributions, the mean of −w_i r_i given that the book loses its value at risk, average over all
    paths that lose about as much: with Epanechnikov's weights on losses within h = 2.34 σ n^(−1/5) of it (Silverman's
    rule; at most the value at risk itself), then rescaled to sum to it, which leaves no bias where that mean is
    proportional to the loss, as it is for elliptical returns. The paths are drawn twice, and never kept.

    Standard errors are to first order: of a tail mean whose threshold is estimated too (with the value at risk
    contribution in the place of Manistre and Hancock's value at risk), and of a ratio of kernel sums together with
    that of the value at risk.

    Parameters
    ----------
    confidence
        In (0.5, 1).
    weights, cov, n_paths, seed, distribution, dof, horizon, threads
        As in `simulate_losses`.

    Raises
    ------
    Undefined
        If the book has no volatility: no position has a share of nothing.
    InvalidArgument
        As `simulate_tail_risk`.
    """
    law = checked_law(seed, distribution, dof, horizon, "pseudo")
    n_paths, threads = law.check_paths(n_paths), whole("threads", threads, 1, MOST_THREADS)
    draws = loss_draws(weights, cov, law, reduction=False)
    if not draws:
        raise Undefined("the book has no volatility, so no position has a share of its tail")
    held, matrix = as_vector(weights, "weights"), as_covariance(cov)
    (total,) = measure(draws, law, [confidence], n_paths, threads)
    value_at_risk = total.value_at_risk
    bandwidth = 2.34 * portfolio_volatility(held, matrix) * sqrt(law.horizon) * n_paths**-0.2
    if value_at_risk <= 0.0:
        raise Undefined(f"the value at risk of {n_paths} path(s) is not a loss, and has no shares: take more paths")
    bandwidth = min(bandwidth, value_at_risk)
    sums, of_book = _sums(draws[0], held, _padded(factor(matrix)), law, n_paths, value_at_risk, bandwidth, threads)
    return _components(sums, of_book, total, tail_count(n_paths, confidence))


def _sums(
    draw: Draw,
    weights: Vector,
    loadings: Matrix,
    law: Law,
    n_paths: int,
    value_at_risk: float,
    bandwidth: float,
    threads: int,
) -> tuple[Matrix, Vector]:
    """Return sums over the paths of the losses A (n_assets,) of the positions and L of the book.

    The matrix holds ΣA and ΣA² over L > VaR, ΣA over L = VaR, and with kernel weights K: ΣKA, ΣK²A², ΣK²AL; the vector
    how many paths have L > VaR and L = VaR, ΣKL and ΣK²L². Sums run in a fixed order, block by block.
    """
    size = block_size(n_paths)
    n_blocks, n_assets = -(-n_paths // size), weights.shape[0]
    by_asset, by_book = np.empty((n_blocks, 6, n_assets)), np.empty((n_blocks, 4))
    source = asset_shocks.pseudo_random(law.dof, law.seed)
    piece = max(128, PIECE // loadings.shape[1])

    def worker() -> Any:
        buffer = np.empty(size)

        def sum_block(number: int) -> None:
            start = number * size
            losses = buffer[: n_paths - start]
            draw(np.uint64(start), -inf, losses)
            near = np.flatnonzero(losses >= value_at_risk - bandwidth)
            losses, paths = losses[near], (near + start).astype(np.uint64)
            positions = np.empty((paths.shape[0], n_assets))
            for first in range(0, paths.shape[0], piece):
                some = slice(first, first + piece)
                asset_shocks.load(source, loadings, law.horizon, paths[some], positions[some])
            positions *= -weights
            beyond, at = losses > value_at_risk, losses == value_at_risk
            kernel = np.maximum(1.0 - ((losses - value_at_risk) / bandwidth) ** 2, 0.0)
            over = (
                (beyond, positions),
                (beyond, positions * positions),
                (at, positions),
                (kernel, positions),
                (kernel * kernel, positions * positions),
                (kernel * kernel * losses, positions),
            )
            for row, (weight, of) in enumerate(over):
                np.einsum("p,pi->i", weight.astype(np.float64), of, out=by_asset[number, row])
            by_book[number] = beyond.sum(), at.sum(), (kernel * losses).sum(), ((kernel * losses) ** 2).sum()

        return sum_block

    share(worker, n_blocks, threads)
    return by_asset.sum(axis=0), by_book.sum(axis=0)


def _components(sums: Matrix, of_book: Vector, total: TailRisk, count: float) -> TailComponents:
    """Return the contributions; `count` is k = tail · n_paths."""
    beyond, squares, at, kernel, kernel_squares, kernel_products = sums
    n_beyond, n_at, kernel_loss, kernel_loss_squares = (float(value) for value in of_book)
    value_at_risk, rest = total.value_at_risk, count - n_beyond
    shortfalls = (beyond + rest * at / n_at) / count
    shares = kernel / kernel_loss
    values = value_at_risk * shares
    shortfall_errors = value_errors = None
    if total.value_at_risk_error is not None:
        variances = np.maximum((squares + rest * (at / n_at) ** 2) / count - shortfalls**2, 0.0)
        shortfall_errors = np.sqrt((variances + total.confidence * (shortfalls - values) ** 2) / count)
        residuals = kernel_squares - 2.0 * shares * kernel_products + shares**2 * kernel_loss_squares
        of_shares = value_at_risk * np.sqrt(np.maximum(residuals, 0.0)) / kernel_loss
        value_errors = np.hypot(of_shares, shares * total.value_at_risk_error)
    return TailComponents(
        tail_risk=total,
        expected_shortfall=shortfalls,
        value_at_risk=values,
        expected_shortfall_errors=shortfall_errors,
        value_at_risk_errors=value_errors,
    )
