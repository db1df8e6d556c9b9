"""How far the equity of a strategy lies, or lay, below its peak."""

from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from rpmcore.domain.arrays import Vector, as_vector
from rpmcore.domain.errors import InvalidArgument
from rpmcore.kernels import performance as kernels
from rpmcore.risk.performance.figure import (
    COVERAGE,
    RESAMPLES,
    Figure,
    between,
    check_capital,
    check_resampling,
    fact,
    percentile_bounds,
)
from rpmcore.risk.performance.unit import unit_of


class Drawdowns(NamedTuple):
    """The deepest fall below a peak, and the one that is not yet recovered."""

    maximum: Figure
    current: Figure


def equity_curve(pnl: Any, capital: float) -> Vector:
    """Return E = capital + cumulated P&L, (n_trades + 1,), from starting wealth on.

    Parameters
    ----------
    pnl
        (n_trades,) P&L after costs in account currency, in time order, without NaN.
    capital
        Starting wealth, above 0, in the same unit.

    Raises
    ------
    InvalidArgument
        If an argument is out of its range.
    """
    x = as_vector(pnl, "pnl")
    return np.cumsum(np.concatenate(([check_capital(capital)], x)))


def drawdowns(
    pnl: Any,
    capital: float,
    *,
    peak: float | None = None,
    coverage: float = COVERAGE,
    resamples: int = RESAMPLES,
    seed: int,
) -> Drawdowns:
    """Return the maximum and the current (peak − E)/peak of the equity curve E.

    The first peak is starting wealth, so that a strategy which only loses has a drawdown. Percentages of trades are
    never summed. Above 1 the strategy has lost more than it was given.

    Parameters
    ----------
    pnl
        (n_trades,) P&L after costs in account currency, in time order, without NaN.
    capital
        Starting wealth, above 0.
    peak
        The highest wealth before the first of these trades, where it was above `capital`.
    coverage, resamples, seed
        The interval of the maximum holds that share of the histories that the same trades make in another order and
        number, from `capital` at its peak: it says what was luck of the order, and assumes that trades do not depend
        on each other.

    Raises
    ------
    InvalidArgument
        If an argument is out of its range.
    """
    x, capital = as_vector(pnl, "pnl"), check_capital(capital)
    check_resampling(coverage, resamples, seed)
    top = capital if peak is None else peak
    if not isfinite(top) or top < capital:
        raise InvalidArgument(f"peak must be finite and at least the capital {capital!r}, but is {peak!r}")
    unit = unit_of(x, top)
    x, capital, top = x / unit, capital / unit, top / unit
    deepest, current = kernels.drawdowns(x, capital, top)
    drawn = np.empty((resamples, 3))
    kernels.resampled_trades(x, np.uint64(seed), capital, drawn)
    bounds = percentile_bounds(np.ascontiguousarray(drawn[:, 2]), coverage)
    n = x.shape[0]
    return Drawdowns(between(deepest, *bounds, n), fact(current, n))
