"""How much of the capital each strategy is given.

Strategies whose daily P&L moves together are copies, and count as one (`clusters`): its returns are the mean of theirs,
and what it is given is divided equally. Each then has the Kelly fraction of a continuous bet, μ/σ² of daily returns on
allocated capital, times the share of Kelly that is used (E. Thorp, "The Kelly criterion in blackjack, sports betting,
and the stock market", 2006, section 7). Cash is taken to earn nothing.

As μ is estimated with the variance σ²/n, the estimate has the variance 1/(σ²n). The fractions are shrunk toward their
mean, which is equal weight, by the mean of these variances over the variance of the estimates among strategies, at
most 1 (B. Efron and C. Morris, "Stein's estimation rule and its competitors", *JASA* 68, 1973: the positive-part rule).
A strategy without enough trades takes the mean times the probation multiplier.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rpmcore.controls.strategy_settings import StrategySettings
from rpmcore.domain.arrays import Vector
from rpmcore.kernels import performance as kernels

FLAT = 1e-12
"""Days that deviate by less, relative to the largest of them, are equal but for rounding."""

LEAST_DAY = 1e-3
"""Of the capital: of smaller days the deviation is measured by this, so that no Kelly fraction overflows."""

NO_ESTIMATE_TOTAL = 1.0
"""What is divided equally where no strategy has an estimate, before the probation multiplier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyReturns:
    """What is known of a strategy that is enabled.

    Attributes
    ----------
    first
        The weekday of the first element, as `weekday` counts them.
    returns
        Daily P&L over allocated capital.
    judged
        Whether it has enough trades.
    """

    strategy_id: str
    first: int
    returns: Vector
    judged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyAllocation:
    """One strategy's share of the capital.

    Attributes
    ----------
    fraction
        Of the capital, in [0, 1]; all of them sum to at most 1.
    kelly
        Full Kelly of it and its copies; None with a reason where it cannot be estimated.
    copies
        The others that count as one with it.
    """

    strategy_id: str
    fraction: float
    kelly: float | None
    kelly_reason: str | None = None
    copies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """The shares of all strategies.

    Attributes
    ----------
    shrinkage
        How far the estimates were moved toward equal weight: 0 not at all, 1 entirely.
    unallocated
        What is left of 1.
    """

    strategies: tuple[StrategyAllocation, ...]
    shrinkage: float
    unallocated: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Estimate:
    kelly: float | None
    reason: str | None
    variance: float


def allocate(strategies: Sequence[StrategyReturns], settings: StrategySettings) -> Allocation:
    """Divide the capital among strategies that are enabled; one that loses money is given only what shrinkage says.

    Where the fractions exceed 1 together they are scaled to 1; then each is cut at the maximum, and what is cut stays
    unallocated.
    """
    groups = clusters(strategies, settings)
    estimates = [_estimate(group, settings) for group in groups]
    fractions, shrinkage = _fractions(estimates, settings)
    found: dict[str, StrategyAllocation] = {}
    for group, estimate, fraction in zip(groups, estimates, fractions, strict=True):
        names = tuple(member.strategy_id for member in group)
        for name in names:
            found[name] = StrategyAllocation(
                strategy_id=name,
                fraction=fraction / len(names),
                kelly=estimate.kelly,
                kelly_reason=estimate.reason,
                copies=tuple(other for other in names if other != name),
            )
    return Allocation(
        strategies=tuple(found[item.strategy_id] for item in strategies),
        shrinkage=shrinkage,
        unallocated=max(0.0, 1.0 - sum(fractions)),
    )


def clusters(strategies: Sequence[StrategyReturns], settings: StrategySettings) -> list[list[StrategyReturns]]:
    """Return the strategies in groups of copies: each correlates with another of its group as the settings say."""
    groups: list[list[StrategyReturns]] = []
    for item in strategies:
        near = [group for group in groups if any(_copies(item, other, settings) for other in group)]
        groups = [group for group in groups if not any(group is other for other in near)]
        groups.append([*(member for group in near for member in group), item])
    return groups


def _copies(a: StrategyReturns, b: StrategyReturns, settings: StrategySettings) -> bool:
    first = max(a.first, b.first)
    x, y = a.returns[first - a.first :], b.returns[first - b.first :]
    if x.shape[0] < settings.allocation.minimum_days or x.shape != y.shape:
        return False
    if _flat(x) or _flat(y):
        return False
    x, y = x - x.mean(), y - y.mean()
    scale = float(np.sqrt((x @ x) * (y @ y)))
    # Equal series may fall short of 1 by rounding.
    return float(x @ y) >= (settings.allocation.copy_correlation - 1e-12) * scale


def _flat(returns: Vector) -> bool:
    _, deviation = kernels.mean_and_deviation(np.ascontiguousarray(returns))
    return bool(deviation <= FLAT * max(float(np.abs(returns).max()), LEAST_DAY))


def _estimate(group: Sequence[StrategyReturns], settings: StrategySettings) -> _Estimate:
    judged = [member for member in group if member.judged]
    if not judged:
        return _Estimate(kelly=None, reason="insufficient: too few trades to judge by", variance=0.0)
    first = max(member.first for member in judged)
    together = np.ascontiguousarray(np.mean([member.returns[first - member.first :] for member in judged], axis=0))
    n = together.shape[0]
    if n < settings.allocation.minimum_days:
        reason = f"insufficient: {n} of {settings.allocation.minimum_days} days"
        return _Estimate(kelly=None, reason=reason, variance=0.0)
    mean, deviation = kernels.mean_and_deviation(together)
    if _flat(together):
        return _Estimate(kelly=None, reason=f"each of its {n} days earned the same", variance=0.0)
    return _Estimate(kelly=mean / deviation**2, reason=None, variance=1.0 / (deviation**2 * n))


def _fractions(estimates: Sequence[_Estimate], settings: StrategySettings) -> tuple[list[float], float]:
    known = [estimate for estimate in estimates if estimate.kelly is not None]
    share = settings.allocation.kelly_fraction
    if not known:
        equal = NO_ESTIMATE_TOTAL / len(estimates) if estimates else 0.0
        raw, shrinkage = [settings.probation_multiplier * equal] * len(estimates), 1.0
    else:
        kelly = np.array([estimate.kelly for estimate in known], dtype=np.float64)
        spread = float(kelly.var(ddof=1)) if len(known) > 1 else 0.0
        error = float(np.mean([estimate.variance for estimate in known]))
        shrinkage = min(1.0, error / spread) if spread > 0.0 else 1.0
        mean = float(np.maximum(kelly, 0.0).mean())
        raw = [
            share * ((1.0 - shrinkage) * max(estimate.kelly, 0.0) + shrinkage * mean)
            if estimate.kelly is not None
            else settings.probation_multiplier * share * mean
            for estimate in estimates
        ]
    # One part in 10¹² is kept back, so that no rounding of a sum exceeds 1.
    scale = min(1.0, (1.0 - 1e-12) / sum(raw)) if sum(raw) > 0.0 else 1.0
    return [min(scale * fraction, settings.allocation.maximum) for fraction in raw], shrinkage
