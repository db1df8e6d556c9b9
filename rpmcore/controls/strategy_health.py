"""The health of a strategy: six figures, each mapped to [0, 1], and their weighted sum.

Every mapping is a straight line between two figures, flat beyond them (`MAPPINGS`). None depends on the unit of money:
P&L and capital in another currency, or both ten times as large, give the same score.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Literal

import numpy as np

from rpmcore.controls.strategy_settings import StrategySettings
from rpmcore.domain.arrays import Vector
from rpmcore.domain.errors import Undefined
from rpmcore.kernels import performance as kernels
from rpmcore.risk.performance.edge import break_even_rate, edge_test
from rpmcore.risk.performance.unit import unit_of

Band = Literal["EXCELLENT", "GOOD", "MARGINAL", "POOR", "CRITICAL"]

BANDS: tuple[tuple[float, Band], ...] = ((0.80, "EXCELLENT"), (0.60, "GOOD"), (0.45, "MARGINAL"))
"""Lowest score of each band; below them it is POOR down to `disable_below`, and CRITICAL under that."""

MAPPINGS: dict[str, tuple[float, float, str]] = {
    "win_rate": (-0.05, 0.10, "win rate less the break-even rate a/(a + b) of its average loss a and win b"),
    "expectancy": (-0.10, 0.30, "mean P&L in R, or in average losses where a trade has no risk"),
    "maximum_drawdown": (0.25, 0.05, "deepest drawdown within the lookback, from the highest equity ever"),
    "current_drawdown": (0.15, 0.00, "drawdown now, from the highest equity ever"),
    "trend": (-2.0, 2.0, "recent mean less the mean before, in standard errors of the difference"),
    "edge_confidence": (0.50, 0.95, "1 − p of the test that there is no edge"),
}
"""The figure that scores 0, the one that scores 1, and what is measured."""

SHARES = ("win_rate", "maximum_drawdown", "current_drawdown", "edge_confidence")
"""Components whose figure is a fraction, told in per cent."""

FLAT = 1e-12
"""Trades that vary by less, relative to the largest, are equal but for rounding."""

NO_TREND = 0.5
"""The score of a trend that cannot be told: neither better nor worse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthComponent:
    """One part of the score: what was measured, and what it is worth in [0, 1]."""

    name: str
    measured: float | None
    measured_reason: str | None = None
    score: float
    weight: float

    @property
    def told(self) -> str:
        """What was measured, in words."""
        if self.measured is None:
            return str(self.measured_reason)
        return f"{100.0 * self.measured:.3g} %" if self.name in SHARES else f"{self.measured:.3g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyHealth:
    """The verdict on a strategy.

    Attributes
    ----------
    score
        In [0, 1], Σ weight·score of the components; None with a reason below the minimum number of trades.
    band
        None where the score is.
    multiplier
        Factor on the size of its trades: the probation multiplier where there is no score, 0 where CRITICAL, else 1.
    """

    score: float | None
    score_reason: str | None = None
    band: Band | None
    band_reason: str | None = None
    multiplier: float
    n_trades: int
    components: tuple[HealthComponent, ...]

    @property
    def weakest(self) -> HealthComponent:
        """The component that takes most from the score."""
        return max(self.components, key=lambda part: part.weight * (1.0 - part.score))


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthInputs:
    """What a score is computed from, trades in time order.

    Attributes
    ----------
    pnl
        Of the trades within the lookback, after costs.
    risk
        What each would have lost at its stop; None if one of them does not say.
    n_recent
        How many of the last trades are recent.
    equity, peak
        Before the first of them.
    break_even
        The rate of wins declared beforehand, or None.
    """

    pnl: Sequence[float]
    risk: Sequence[float] | None
    n_recent: int
    equity: float
    peak: float
    break_even: float | None = None


def strategy_health(inputs: HealthInputs, settings: StrategySettings) -> StrategyHealth:
    """Return the health of a strategy; below the minimum number of trades it has none, and is on probation."""
    n = len(inputs.pnl)
    if n < settings.minimum_trades:
        reason = f"insufficient: {n} of the {settings.minimum_trades} trades that a judgement needs"
        return StrategyHealth(
            score=None,
            score_reason=reason,
            band=None,
            band_reason=reason,
            multiplier=settings.probation_multiplier,
            n_trades=n,
            components=(),
        )
    components = _components(inputs, settings)
    # Rounding must not move a score off the boundary of its band.
    score = round(sum(part.weight * part.score for part in components), 12)
    band = band_of(score, settings.disable_below)
    return StrategyHealth(
        score=score,
        band=band,
        multiplier=0.0 if band == "CRITICAL" else 1.0,
        n_trades=n,
        components=components,
    )


def band_of(score: float, disable_below: float) -> Band:
    """Return the band of a score; one that lies on a boundary belongs to the better band."""
    for lowest, band in BANDS:
        if score >= lowest:
            return band
    return "POOR" if score >= disable_below else "CRITICAL"


def mapped(name: str, measured: float) -> float:
    """Return the score in [0, 1] of a component's figure."""
    worst, best, _ = MAPPINGS[name]
    return min(max((measured - worst) / (best - worst), 0.0), 1.0)


def _components(inputs: HealthInputs, settings: StrategySettings) -> tuple[HealthComponent, ...]:
    pnl = np.array(inputs.pnl, dtype=np.float64)
    unit = unit_of(pnl, inputs.equity, inputs.peak)
    deepest, current = kernels.drawdowns(pnl / unit, inputs.equity / unit, inputs.peak / unit)
    test = edge_test(pnl, break_even=inputs.break_even, resamples=settings.resamples, seed=settings.seed)
    pnl /= unit_of(pnl)
    won = float(pnl.sum() > 0.0)
    trend, no_trend = _trend(pnl, inputs.n_recent, settings.minimum_recent_trades)
    # What does not exist takes the score of what is known: without a loss, or without a win, all is said.
    return (
        _component("win_rate", *_margin(inputs), won, settings),
        _component("expectancy", *_expectancy(inputs), won, settings),
        _component("maximum_drawdown", deepest, None, 0.0, settings),
        _component("current_drawdown", current, None, 0.0, settings),
        _component("trend", trend, no_trend, NO_TREND, settings),
        _component("edge_confidence", test.confidence, test.confidence_reason, won, settings),
    )


def _component(
    name: str, measured: float | None, reason: str | None, otherwise: float, settings: StrategySettings
) -> HealthComponent:
    if measured is not None and not isfinite(measured):
        measured, reason, otherwise = None, "it is too large to be a number", 0.0
    return HealthComponent(
        name=name,
        measured=measured,
        measured_reason=reason,
        score=otherwise if measured is None else mapped(name, measured),
        weight=getattr(settings.weights, name),
    )


def _margin(inputs: HealthInputs) -> tuple[float | None, str | None]:
    rate = sum(x > 0.0 for x in inputs.pnl) / len(inputs.pnl)
    if inputs.break_even is not None:
        return rate - inputs.break_even, None
    try:
        return rate - break_even_rate(inputs.pnl), None
    except Undefined as error:
        return None, str(error)


def _expectancy(inputs: HealthInputs) -> tuple[float | None, str | None]:
    pnl = np.array(inputs.pnl, dtype=np.float64)
    if inputs.risk is not None:
        with np.errstate(over="ignore", invalid="ignore"):
            return float(np.mean(pnl / np.array(inputs.risk))), None
    pnl /= unit_of(pnl)
    losses = pnl[pnl < 0.0]
    if not losses.size:
        return None, "there is no loss to measure the mean by"
    return float(np.mean(pnl)) / -float(np.mean(losses)), None


def _trend(pnl: Vector, n_recent: int, fewest: int) -> tuple[float | None, str | None]:
    recent, before = pnl[pnl.shape[0] - n_recent :], pnl[: pnl.shape[0] - n_recent]
    if min(recent.shape[0], before.shape[0]) < fewest:
        return None, f"{recent.shape[0]} recent trades and {before.shape[0]} before, {fewest} of each are needed"
    (now, spread), (then, earlier) = kernels.mean_and_deviation(recent), kernels.mean_and_deviation(before)
    error = sqrt(spread**2 / recent.shape[0] + earlier**2 / before.shape[0])
    if error <= FLAT:
        return None, "neither the recent trades nor those before vary"
    return (now - then) / error, None
