"""Ratios of gain to what hurt: Sortino to the deviation of losses, Calmar to the deepest drawdown."""

from math import expm1, isfinite, sqrt
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
    undefined,
)
from rpmcore.risk.performance.sharpe import PERIODS_PER_YEAR


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
    if downside == 0.0:
        none = undefined("there is no losing period to divide by", n)
        return DownsideRatios(none, none)
    drawn = np.empty((resamples, 4))
    kernels.resampled_returns(x, np.uint64(seed), drawn)
    # The mean of all rows, once for the figure and once per resample, by the same kernel.
    mean, _ = kernels.mean_and_deviation(x)
    root, years = sqrt(periods_per_year), n / periods_per_year
    sortino = between(root * mean / downside, *percentile_bounds(root * _ratio(drawn[:, 0], drawn[:, 3]), coverage), n)
    if not isfinite(growth):
        return DownsideRatios(sortino, undefined("the wealth is lost: a return of −1 or less ends it", n))
    gains = np.expm1(np.minimum(drawn[:, 1] / years, 700.0))
    calmar = expm1(min(growth / years, 700.0)) / deepest
    return DownsideRatios(sortino, between(calmar, *percentile_bounds(_ratio(gains, drawn[:, 2]), coverage), n))


def _ratio(gain: Vector, pain: Vector) -> Vector:
    return np.where(pain > 0.0, gain / np.where(pain > 0.0, pain, 1.0), np.inf)
