"""Ratios of gain to what hurt: Sortino to the deviation of losses, Calmar to the deepest drawdown."""

from math import isfinite, sqrt
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
    check_resampling,
    percentile_bounds,
    ratios,
    undefined,
)
from rpmcore.risk.performance.sharpe import PERIODS_PER_YEAR

LARGEST_GROWTH = 700.0
"""e to its power is still a number; a series of few days can compound to more in a year."""


class DownsideRatios(NamedTuple):
    """Both ratios of one series."""

    sortino: Figure
    calmar: Figure


def downside_ratios(
    returns: Any,
    *,
    periods_per_year: float = PERIODS_PER_YEAR,
    coverage: float = COVERAGE,
    resamples: int = RESAMPLES,
    seed: int,
) -> DownsideRatios:
    """Return the ratios of Sortino and Calmar with their percentile intervals.

    Sortino: mean/√(mean of min(r, 0)²)·√periods_per_year, the target 0, all rows counted (F. Sortino and R. van der
    Meer, "Downside risk", *Journal of Portfolio Management* 17, 1991). Calmar: ((Π(1 + r))^(periods_per_year/n) − 1) /
    the maximum drawdown of the compounded wealth, over the whole series rather than three years (T. Young, "Calmar
    ratio: a smoother tool", *Futures*, 1991).

    Parameters
    ----------
    returns
        (n_obs,) arithmetic returns per period, in time order, without NaN.
    periods_per_year
        252 for daily returns.
    coverage, resamples, seed
        Of the intervals; resamples without a loss count as infinite.

    Raises
    ------
    InvalidArgument
        If an argument is out of its range.
    """
    x = as_vector(returns, "returns")
    check_resampling(coverage, resamples, seed)
    if not periods_per_year > 0.0:
        raise InvalidArgument(f"periods_per_year must be greater than 0, but is {periods_per_year!r}")
    n = x.shape[0]
    growth, deepest, downside = kernels.compounded(x)
    mean, _ = kernels.mean_and_deviation(x)
    root, years = sqrt(periods_per_year), n / periods_per_year
    drawn = np.empty((resamples, 4))
    kernels.resampled_returns(x, np.uint64(seed), drawn)
    sortino = _figure(np.array([root * mean]), np.array([downside]), root * drawn[:, 0], drawn[:, 3], coverage, n)
    if not isfinite(growth):
        return DownsideRatios(sortino, undefined("the wealth is lost: a return of −1 or less ends it", n))
    gain, gains = (np.expm1(np.minimum(g / years, LARGEST_GROWTH)) for g in (np.array([growth]), drawn[:, 1]))
    return DownsideRatios(sortino, _figure(gain, np.array([deepest]), gains, drawn[:, 2], coverage, n))


def _figure(gain: Vector, pain: Vector, gains: Vector, pains: Vector, coverage: float, n: int) -> Figure:
    value = float(ratios(gain, pain)[0])
    if not isfinite(value):
        return undefined("there is no losing period to divide by", n)
    return between(value, *percentile_bounds(ratios(gains, pains), coverage), n)
