"""A crisis day by day, and the returns of a book in it.

On day t of T the prices take the stressed shock x(t) = s(t) v(t) (√(1−θ) L z + √θ d y), with z and y independent
normals, LL' the calm covariance Σ of the prices' returns (not of the holdings', from which it differs only where
rates convert), d = sign(exposure) √diag Σ and s the square root of the
mixing variable of Student-t shocks, one per day for all prices. Its covariance is that of
`rpmcore.risk.covariance.stressed_covariance` in the adverse direction, v² ((1−θ) Σ + θ d d'), with θ from
`rpmcore.risk.covariance.correlation_stress` for the scenario's target, times the share of it in force on that day.

**The market** is no column of its own. Every price has an exposure b to it: its beta, or 1, or ±1, as the shock of a
parametric scenario is propagated. The market's return is what these prices say of it by least squares, a'r with
a = b / b'b, so that prices that all do b·m have the market return m. A shock x is thus ℓ = a'x of the market and
e = x − bℓ beside it, with a'e = 0.

**The total.** Let B = ln(1 + market shock), ℓ(t) as drawn, V(t) = Var ℓ(t) = s² v² ((1−θ) a'Σa + θ (a'd)²) and ΣV its
sum over the days. The market's return and the move of each price are

    ln(1 + m(t)) = ℓ(t) + V(t)/ΣV · (B − Σℓ),        r(t) = b m(t) + e(t).

Proof that the market totals the shock: the shares V(t)/ΣV sum to one, hence Σ ln(1 + m) = Σℓ + B − Σℓ = B, and
Π(1 + m) − 1 is the shock; and a'r = m a'b + a'e = m, so the market return that the prices show is m itself. Proof that
nothing else is imposed on the market: given the mixing, the ℓ(t) are independent normals, Cov(ℓ(t), Σℓ) = V(t), hence
ℓ(t) − V(t)/ΣV · Σℓ is uncorrelated with Σℓ and, being jointly normal, independent of it; putting B for Σℓ is therefore
the exact law of the path given its total (a Gaussian bridge). Two things are chosen and not proved: the mixing is not
reweighted for the total, and e is left as drawn, so that a price answers a market move by its exposure, as in a
parametric scenario, and not by the slope of the stressed covariance. Where no day has variance the shares are 1/T;
where b = 0 no price knows the market.

A price that would fall by more than 99 % in a day is held there (a rate of zero could not be divided by), and a gap is
a floor on the adverse move of its victims on the first day; both leave the market as it is. Holdings are then
revalued in full, each day's gain of a currency pair being converted at that day's rate and settled.

References
----------
P. Glasserman, *Monte Carlo Methods in Financial Engineering*, Springer 2003, section 3.1: the Brownian bridge.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, log1p
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rpmcore.domain.arrays import Matrix, Vector
from rpmcore.domain.crises import Crisis, Gap
from rpmcore.domain.errors import InvalidArgument
from rpmcore.kernels import stress_paths as kernels
from rpmcore.risk.covariance import correlation_stress
from rpmcore.risk.settings import SimulationSettings
from rpmcore.risk.simulation_model import whole
from rpmcore.risk.stress.stressed_book import Places, StressedBook
from rpmcore.risk.stress.synthetic import SyntheticScenario

Scenario = Crisis | SyntheticScenario

LONGEST = 2520
"""Days of a path: ten years, as in the files of the library."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Days:
    """Some scenarios as arrays, one row per path; columns beyond a path's duration mean nothing.

    Attributes
    ----------
    durations, log_shocks
        (n_paths,) days, and ln(1 + market shock).
    volatility, correlation, spread, reduction
        (n_paths, longest duration): volatility multiplier, θ, spread multiplier and volume reduction.
    gaps
        (n_paths, n_prices), see `StressedBook.gap`.
    """

    durations: Places
    log_shocks: Vector
    volatility: Matrix
    correlation: Matrix
    spread: Matrix
    reduction: Matrix
    gaps: Matrix


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Simulated:
    """What happens to prices and holdings on each day; rows, and columns that mean nothing, as in `Days`.

    Attributes
    ----------
    market
        (n_paths, days) return of the market.
    moves
        (n_paths, days, n_prices) of each price in its own currency.
    returns, growth
        (n_paths, days, n_assets) gain over old market value, and new over old market value, in account currency.
    """

    market: Matrix
    moves: NDArray[np.float64]
    returns: NDArray[np.float64]
    growth: NDArray[np.float64]


def days_of(book: StressedBook, scenarios: Sequence[Scenario]) -> Days:
    """Return scenarios as arrays for a book.

    Raises
    ------
    InvalidArgument
        If there is none, or a number of one is impossible.
    """
    if not scenarios:
        raise InvalidArgument("there is no scenario to run")
    for scenario in {id(one): one for one in scenarios}.values():
        _check(scenario)
    longest = max(scenario.duration_days for scenario in scenarios)
    n = len(scenarios)
    volatility, correlation = np.ones((n, longest)), np.zeros((n, longest))
    spread, reduction = np.ones((n, longest)), np.zeros((n, longest))
    gaps = np.zeros((n, len(book.prices)))
    thetas, victims = dict[float | None, float](), dict[Gap | None, Vector]()
    for row, scenario in enumerate(scenarios):
        days = slice(0, scenario.duration_days)
        volatility[row, days] = scenario.volatility_multiplier
        spread[row, days] = scenario.spread_multiplier
        reduction[row, days] = scenario.volume_reduction
        if scenario.correlation not in thetas:
            thetas[scenario.correlation] = theta_of(book, scenario)
        correlation[row, days] = thetas[scenario.correlation]
        if isinstance(scenario, Crisis):
            if scenario.gap not in victims:
                victims[scenario.gap] = book.gap(scenario.gap)
            gaps[row] = victims[scenario.gap]
        else:
            correlation[row, days] *= scenario.transition
    return Days(
        durations=np.array([scenario.duration_days for scenario in scenarios], dtype=np.int64),
        log_shocks=np.array([log1p(scenario.market_shock) for scenario in scenarios]),
        volatility=volatility,
        correlation=correlation,
        spread=spread,
        reduction=reduction,
        gaps=gaps,
    )


def theta_of(book: StressedBook, scenario: Scenario) -> float:
    """Return θ at which the mean adverse correlation of the book's prices reaches the scenario's target."""
    if scenario.correlation is None:
        return 0.0
    return correlation_stress(book.price_covariance, scenario.correlation, book.sides)


def _check(scenario: Scenario) -> None:
    """Raise InvalidArgument for numbers that no file and no generator gives, but a caller's own object might."""
    name, days = scenario.name, whole(f"{scenario.name}: duration_days", scenario.duration_days, 1, LONGEST)
    bounds: tuple[tuple[str, Any, bool, str], ...] = (
        ("market_shock", scenario.market_shock, False, "in (-1, 0)"),
        ("volatility_multiplier", scenario.volatility_multiplier, True, "at least 1 and at most 1000"),
        ("spread_multiplier", scenario.spread_multiplier, True, "at least 1 and at most 1000"),
        ("volume_reduction", scenario.volume_reduction, False, "in [0, 1)"),
        ("correlation", 0.0 if scenario.correlation is None else scenario.correlation, False, "in [0, 1] or None"),
    )
    for key, given, multiplier, expected in bounds:
        values = np.asarray(given, dtype=np.float64)
        if values.shape not in ((), (days,)):
            raise InvalidArgument(f"{name}: {key} must hold one number for each of {days} day(s), not {values.shape}")
        low, high = float(values.min()), float(values.max())
        good = {
            "market_shock": low > -1.0 and high < 0.0,
            "volume_reduction": low >= 0.0 and high < 1.0,
            "correlation": low >= 0.0 and high <= 1.0,
        }.get(key, low >= 1.0 and high <= 1000.0)
        if not good:
            raise InvalidArgument(
                f"{name}: {key} must be {expected}, but is {low if multiplier or low < 0 else high!r}"
            )


def dof_of(settings: SimulationSettings) -> float:
    """Return the degrees of freedom of the shocks, infinite for normal ones."""
    return inf if settings.distribution == "normal" else settings.dof


def simulate(book: StressedBook, days: Days, paths: NDArray[np.uint64], *, seed: int, dof: float) -> Simulated:
    """Return the returns of prices and holdings on each day.

    Parameters
    ----------
    paths
        (n_paths,) number of each row in the generator: a path is a function of the seed and of its number.
    seed, dof
        Key of the generator; infinite degrees of freedom for normal shocks.
    """
    n, longest = days.volatility.shape
    shape = (n, longest, len(book.prices))
    moves, scales, market = np.empty(shape), np.empty((n, longest)), np.empty((n, longest))
    key = np.uint64(seed)
    kernels.shocked_days(
        paths, dof, key, book.loadings, book.adverse, days.volatility, days.correlation, days.durations, scales, moves
    )
    direction, adverse = book.direction, book.adverse
    along = np.einsum("f,fk->k", direction, book.loadings)  # no BLAS, whose last bits depend on its threads
    kernels.tie_market(
        scales,
        days.volatility,
        days.correlation,
        days.durations,
        book.exposures,
        direction,
        days.gaps,
        float(np.sum(along * along)),
        float(np.sum(direction * adverse)) ** 2,
        days.log_shocks,
        market,
        moves,
    )
    returns, growth = np.empty((2, n, longest, len(book.symbols)))
    kernels.revalue(moves, days.durations, book.legs, book.divide, book.own, book.pair, returns, growth)
    return Simulated(market=market, moves=moves, returns=returns, growth=growth)
