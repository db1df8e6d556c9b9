"""The Sharpe ratio of a series of returns."""

from math import sqrt
from typing import Any, NamedTuple

import numpy as np

from rpmcore.domain.arrays import as_vector
from rpmcore.domain.errors import InsufficientData, InvalidArgument, Undefined
from rpmcore.kernels import performance as kernels
from rpmcore.risk.performance.figure import COVERAGE, Figure
from rpmcore.risk.performance.unit import unit_of
from rpmcore.risk.student_t import normal_quantile_of_interval

PERIODS_PER_YEAR = 252.0

FLAT = 1e-12
"""Returns that vary by less, relative to their mean, are equal but for rounding."""


class Moments(NamedTuple):
    """What probabilistic Sharpe ratios ask of a series; the kurtosis is 3 for a normal law."""

    sharpe: float
    skewness: float
    raw_kurtosis: float
    n_obs: int


def moments(returns: Any) -> Moments:
    """Return mean/deviation per period (divisor n − 1), skewness and non-excess kurtosis (moments with divisor n).

    Parameters
    ----------
    returns
        (n_obs,) arithmetic returns in excess of cash per period, without NaN; at least 2.

    Raises
    ------
    InsufficientData
        If there is one.
    Undefined
        If all are equal: the deviation is zero, and the ratio not infinite but unknown.
    InvalidArgument
        If it is empty or holds a number that is not finite.
    """
    x = as_vector(returns, "returns")
    if x.shape[0] < 2:
        raise InsufficientData("a Sharpe ratio needs 2 returns, but there is 1")
    unit = unit_of(x)
    x = x / unit
    mean, deviation = kernels.mean_and_deviation(x)
    if deviation <= FLAT * abs(mean):
        raise Undefined(f"all {x.shape[0]} returns are {unit * mean:g}: their deviation is zero")
    z = (x - mean) / deviation
    second = float(np.mean(z**2))
    # Two values in equal number have a kurtosis of 1, the least there is, but for rounding.
    return Moments(
        mean / deviation, float(np.mean(z**3)) / second**1.5, max(float(np.mean(z**4)) / second**2, 1.0), x.shape[0]
    )


def sharpe_variance(sharpe: float, skewness: float, raw_kurtosis: float) -> float:
    """Return 1 − γ₃·SR + (γ₄ − 1)/4·SR²: n − 1 times the variance of an estimated per-period Sharpe ratio.

    Raises
    ------
    Undefined
        If it is not above 0, which no law has: γ₄ ≥ 1 + γ₃².

    References
    ----------
    E. Mertens, "Comments on variance of the IID estimator in Lo (2002)", 2002; D. Bailey and M. López de Prado, "The
    Sharpe ratio efficient frontier", *Journal of Risk* 15 (2012).
    """
    variance = 1.0 - skewness * sharpe + 0.25 * (raw_kurtosis - 1.0) * sharpe * sharpe
    if not variance > 0.0:
        raise Undefined(
            f"skewness {skewness:g} and raw kurtosis {raw_kurtosis:g} leave a Sharpe ratio of {sharpe:g} no variance; "
            "is the kurtosis an excess over 3?"
        )
    return variance


def sharpe_ratio(returns: Any, *, periods_per_year: float = PERIODS_PER_YEAR, coverage: float = COVERAGE) -> Figure:
    """Return mean/deviation·√periods_per_year of arithmetic returns, with its asymptotic interval.

    The scaling by the root holds for returns that do not depend on each other.

    Parameters
    ----------
    returns
        (n_obs,) in excess of cash per period, without NaN; at least 2.
    periods_per_year
        252 for daily returns; 1 leaves the ratio per period.
    coverage
        In (0, 1); the standard error is √(`sharpe_variance`/(n − 1)).

    Raises
    ------
    InsufficientData, Undefined
        As `moments` does.
    InvalidArgument
        If an argument is out of its range.
    """
    if not periods_per_year > 0.0:
        raise InvalidArgument(f"periods_per_year must be greater than 0, but is {periods_per_year!r}")
    sharpe, skewness, raw_kurtosis, n = moments(returns)
    scale, z = sqrt(periods_per_year), normal_quantile_of_interval(coverage)
    try:
        error = z * sqrt(sharpe_variance(sharpe, skewness, raw_kurtosis) / (n - 1))
    except Undefined as none:
        return Figure(value=scale * sharpe, lower_reason=str(none), upper_reason=str(none), n=n)
    return Figure(value=scale * sharpe, lower=scale * (sharpe - error), upper=scale * (sharpe + error), n=n)
