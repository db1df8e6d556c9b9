"""Monte Carlo losses of a linear book, and the tail risk read from them.

Shocks are normal or Student-t around zero with the covariance given. A path's draws are a function of the seed and
its number alone, so that any number of threads gives the same bits, and a longer run begins with the shorter one.

References
----------
A. McNeil, R. Frey and P. Embrechts, *Quantitative Risk Management*, 2nd ed., 2015, sections 6.2 and 6.3: normal
variance mixtures, and why a linear book of them is one-dimensional.
R. Woodruff, "Confidence intervals for medians and other position measures", *JASA* 47 (1952).
B. Manistre and G. Hancock, "Variance of the CTE estimator", *North American Actuarial Journal* 9 (2005), equation 3.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil, inf, sqrt
from typing import Any, Literal

import numpy as np

from rpmcore.domain.arrays import Matrix, Vector, as_covariance, as_vector
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.tail_risk import TailRisk
from rpmcore.kernels import simulation as kernels
from rpmcore.risk.tail_count import tail_count
from rpmcore.risk.volatility import portfolio_volatility

Distribution = Literal["normal", "student_t"]
"""The law of the daily shocks."""

Draw = Callable[[np.uint64, float, Vector], int]
"""Simulates paths from the number given on, as many as the vector holds, writes the losses at or beyond a pivot to
its front, in the order of the paths, and returns how many."""

TASK = 262_144
"""Most paths of one call: an interrupt waits for no more. Even, as pairs of normals need."""

PILOT = 65_536
"""Paths that show where the tail begins; even."""

MOST_PATHS = 1_000_000_000
MOST_THREADS = 1024
LONGEST_HORIZON = 100_000
LARGEST_DOF = 1e6


def simulate_losses(
    weights: Any,
    cov: Any,
    n_paths: int,
    *,
    seed: int,
    distribution: Distribution = "normal",
    dof: float | None = None,
    horizon: int = 1,
    reduction: bool = False,
    threads: int = 1,
) -> Vector:
    """Return simulated losses (n_paths,) as fractions of capital over `horizon` days; a loss is positive.

    Parameters
    ----------
    weights
        (n_assets,), signed market value / capital.
    cov
        (n_assets, n_assets) of daily returns, symmetric positive semidefinite; it may be rank-deficient.
    n_paths
        From 1 to 1e9.
    seed
        In [0, 2**64).
    distribution
        ``normal``, or ``student_t`` with one mixing variable per path and day, shared by all assets, and scaled so
        that the covariance stays `cov`.
    dof
        Degrees of freedom in (2, 1e6], for ``student_t`` only.
    horizon
        Trading days: the loss is the sum of that many independent daily draws.
    reduction
        Draw the loss of the book itself in place of one shock per asset: the same law, because a linear book of
        elliptical returns is one-dimensional, but other draws.
    threads
        How many threads share the paths. The result does not depend on it.

    Returns
    -------
    ndarray
        The losses in the order of the paths. The same arguments give the same bits; only where `cov` is singular,
        and its factor comes from LAPACK, do those hold for one machine alone.

    Raises
    ------
    InvalidArgument
        If an argument is out of its range, a value is not finite, shapes do not fit, or `cov` is not positive
        semidefinite.
    """
    n_paths, threads = _whole("n_paths", n_paths, 1, MOST_PATHS), _whole("threads", threads, 1, MOST_THREADS)
    draw = _draw(weights, cov, seed, distribution, dof, horizon, reduction)
    losses = np.zeros(n_paths)
    if draw is not None:
        for _ in _map(lambda task: draw(np.uint64(task.start), -inf, losses[task]), n_paths, threads):
            pass
    return losses


def simulate_tail_risk(
    weights: Any,
    cov: Any,
    confidences: Sequence[float],
    n_paths: int,
    *,
    seed: int,
    distribution: Distribution = "normal",
    dof: float | None = None,
    horizon: int = 1,
    reduction: bool = False,
    threads: int = 1,
) -> tuple[TailRisk, ...]:
    """Return value at risk and expected shortfall of simulated losses, one per confidence, with standard errors.

    The numbers are those of the historical method on the losses of `simulate_losses`, but only the tail of the lowest
    confidence is kept: some 25 bytes × tail × `n_paths`. The standard errors are those of the simulation alone, not
    of `cov`: Woodruff's for the value at risk, Manistre and Hancock's for the expected shortfall. Both are None where
    one path or fewer is expected in the tail.

    Parameters
    ----------
    confidences
        Each in (0.5, 1); at least one.
    weights, cov, n_paths, seed, distribution, dof, horizon, reduction, threads
        As in `simulate_losses`.

    Raises
    ------
    InvalidArgument
        As `simulate_losses`; or if there is no confidence, or one out of its range.
    """
    n_paths, threads = _whole("n_paths", n_paths, 1, MOST_PATHS), _whole("threads", threads, 1, MOST_THREADS)
    if len(confidences) == 0:
        raise InvalidArgument("confidences is empty: give at least one, such as 0.99")
    ranks = [_ranks(n_paths, confidence) for confidence in confidences]
    draw = _draw(weights, cov, seed, distribution, dof, horizon, reduction)
    needed = max(r.above for r in ranks)
    losses = np.zeros(needed) if draw is None else worst_losses(draw, n_paths, needed, threads=threads)
    places = {losses.shape[0] - rank for r in ranks for rank in (r.below, r.at, r.above)}
    ordered = np.partition(losses, sorted(places))
    return tuple(_tail_risk(losses, ordered, r, horizon) for r in ranks)


def worst_losses(draw: Draw, n_paths: int, count: int, *, threads: int = 1, pilot: int = PILOT) -> Vector:
    """Return the `count` largest losses of the paths 0 … n_paths − 1, and some more, in the order of the paths.

    The first `pilot` paths show which loss is probably reached a little more than `count` times; only losses at
    or beyond it are kept. If that was too high a bar, it is lowered and the paths are drawn again, to the same
    bits. So few paths that keeping all costs less than a second look are all kept.

    Parameters
    ----------
    draw
        May be called from several threads at once.
    count
        From 1 to `n_paths`.
    pilot
        How many paths; even.
    """
    if n_paths <= 8 * pilot:
        return _kept(draw, n_paths, -inf, threads)
    trial = np.empty(pilot)
    draw(np.uint64(0), -inf, trial)
    expected = count * pilot / n_paths
    rank = ceil(expected + 5.0 * sqrt(expected)) + 5
    while True:
        pivot = float(np.partition(trial, pilot - rank)[pilot - rank]) if rank <= pilot else -inf
        kept = _kept(draw, n_paths, pivot, threads)
        if kept.shape[0] >= count:
            return kept
        rank *= 2


def _kept(draw: Draw, n_paths: int, pivot: float, threads: int) -> Vector:
    """Return the losses at or beyond `pivot`, in the order of the paths."""

    def tail_of(task: slice) -> Vector:
        losses = np.empty(task.stop - task.start)  # only the pages that hold kept losses are ever touched
        return losses[: draw(np.uint64(task.start), pivot, losses)].copy()

    return np.concatenate(list(_map(tail_of, n_paths, threads)))


def _map(work: Callable[[slice], Any], n_paths: int, threads: int) -> Iterator[Any]:
    """Yield work(paths) for slices of the paths, in their order, whichever thread does it."""
    size = min(TASK, 2 * ceil(n_paths / (8 * threads)))
    tasks = [slice(start, min(start + size, n_paths)) for start in range(0, n_paths, size)]
    if threads == 1:
        yield from map(work, tasks)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(work, tasks)


def _draw(
    weights: Any,
    cov: Any,
    seed: int,
    distribution: Distribution,
    dof: float | None,
    horizon: int,
    reduction: bool,
) -> Draw | None:
    """Validate the model and return how its losses are drawn; None for a book that cannot lose."""
    held, matrix = as_vector(weights, "weights"), as_covariance(cov)
    if held.shape[0] != matrix.shape[0]:
        raise InvalidArgument(f"weights has {held.shape[0]} element(s), but cov has {matrix.shape[0]} asset(s)")
    key = np.uint64(_whole("seed", seed, 0, 2**64 - 1))
    days = _whole("horizon", horizon, 1, LONGEST_HORIZON)
    nu = _checked_dof(distribution, dof)
    exposures = _exposures(matrix, held)
    if not reduction:
        if not exposures.any():
            return None
        padded = np.append(exposures, np.zeros(exposures.shape[0] % 2))
        return partial(kernels.asset_losses, padded, nu, days, key)
    volatility = portfolio_volatility(held, matrix)
    if volatility == 0.0:
        return None
    if nu == inf:
        return partial(kernels.normal_losses, volatility * sqrt(days), key)
    return partial(kernels.student_t_losses, volatility, nu, days, key)


def _exposures(cov: Matrix, weights: Vector) -> Vector:
    """Return Lᵀw (n_assets,) for a factor Σ = LLᵀ: Cholesky's, or the eigenvalue factor of a singular matrix."""
    exposures, positive_definite = kernels.factor_exposures(cov, weights)
    if positive_definite:
        return exposures
    eigenvalues, eigenvectors = np.linalg.eigh(cov)
    if eigenvalues[0] < -1e-10 * abs(eigenvalues[-1]):
        raise InvalidArgument(
            f"cov is not positive semidefinite: its smallest eigenvalue is {float(eigenvalues[0])!r}; "
            "repair it with the nearest correlation matrix"
        )
    from_eigenvalues: Vector = np.sqrt(np.maximum(eigenvalues, 0.0)) * (weights @ eigenvectors)
    return from_eigenvalues


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ranks:
    """Which of the worst losses, counted from 1, answer for one confidence.

    `count` is k = tail · n_paths as in the historical rule, `at` the rank ⌈k⌉ of the value at risk. `below` and
    `above` lie one standard deviation √(n · tail · c) of the number of exceedances to either side.
    """

    confidence: float
    count: float
    below: int
    at: int
    above: int


def _ranks(n_paths: int, confidence: float) -> _Ranks:
    count = tail_count(n_paths, confidence)
    away = sqrt(count * confidence)
    return _Ranks(
        confidence=confidence,
        count=count,
        below=max(1, ceil(count - away)),
        at=ceil(count),
        above=min(n_paths, ceil(count + away)),
    )


def _tail_risk(losses: Vector, ordered: Vector, ranks: _Ranks, horizon: int) -> TailRisk:
    """Return the tail risk of the worst losses, given in the order of the paths and with the ranks in place.

    With e = max(L − VaR, 0), the historical rule is ES = VaR + Σe/k, whatever k leaves of the loss at VaR itself.
    Sums run in the order of the paths: which other losses were kept leaves no trace in them.
    """
    value_at_risk = float(ordered[-ranks.at])
    total, squares = kernels.excess_sums(losses, value_at_risk)
    apart = total / ranks.count
    value_error = shortfall_error = None
    if ranks.count > 1.0:
        value_error = float(ordered[-ranks.below] - ordered[-ranks.above]) / 2.0
        variance = max(0.0, squares - total * total / ranks.at) / (ranks.at - 1)
        shortfall_error = sqrt((variance + ranks.confidence * apart * apart) / ranks.count)
    return TailRisk(
        method="monte_carlo",
        confidence=ranks.confidence,
        horizon=horizon,
        value_at_risk=value_at_risk,
        expected_shortfall=value_at_risk + apart,
        lower_reason=_NO_INTERVAL,
        upper_reason=_NO_INTERVAL,
        value_at_risk_error=value_error,
        expected_shortfall_error=shortfall_error,
    )


_NO_INTERVAL = "a simulation knows its own standard error, not the uncertainty of the covariance behind it"


def _whole(name: str, value: int, smallest: int, largest: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not smallest <= value <= largest:
        raise InvalidArgument(f"{name} must be a whole number from {smallest} to {largest}, but is {value!r}")
    return int(value)


def _checked_dof(distribution: Distribution, dof: float | None) -> float:
    """Return the degrees of freedom, infinite for the normal law."""
    if distribution == "normal":
        if dof is not None:
            raise InvalidArgument(f"dof belongs to distribution='student_t' alone, but is {dof!r} for 'normal'")
        return inf
    if distribution != "student_t":
        raise InvalidArgument(f"distribution must be 'normal' or 'student_t', but is {distribution!r}")
    if dof is None or not 2.0 < dof <= LARGEST_DOF:
        raise InvalidArgument(
            f"dof must lie in (2, {LARGEST_DOF:g}] for distribution='student_t', but is {dof!r}: at 2 and below "
            "there is no variance to match"
        )
    return float(dof)
