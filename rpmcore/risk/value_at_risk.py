"""Value at risk and expected shortfall of a book by method, and the moments that stand beside them.

`returns` are portfolio returns (n_obs,): P&L over capital per period as decimals, without NaN. Results are fractions
of capital over one period, and a loss is positive.
"""

from functools import lru_cache
from math import ceil, exp, isfinite, isnan, pi, sqrt
from statistics import NormalDist
from typing import Any, Literal

import numpy as np

from rpmcore.domain.arrays import Vector, as_vector
from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.domain.tail_risk import TailRisk
from rpmcore.kernels import tail as kernels
from rpmcore.kernels.student_t import standard_shortfall, upper_quantile
from rpmcore.risk.student_t import (
    StudentTFit,
    check_interval,
    fit_student_t,
    normal_quantile_of_interval,
)
from rpmcore.risk.tail_count import check_confidence, tail_count

__all__ = [
    "StudentTFit",
    "excess_kurtosis",
    "fit_student_t",
    "historical",
    "normal",
    "skewness",
    "student_t",
    "value_at_risk_and_shortfall",
]

Quantile = Literal["inverse_cdf", "type7"]
"""The order statistic itself, or the interpolation that NumPy, R and pandas use by default."""

FLOAT64 = np.dtype(np.float64)


def historical(returns: Any, confidence: float, interval: float = 0.90, quantile: Quantile = "inverse_cdf") -> TailRisk:
    """Return the VaR and ES of the empirical law of the losses, with their intervals.

    With k = (1 − confidence)·n_obs, VaR is the ⌈k⌉-th worst loss, and ES = (sum of the ⌊k⌋ worst + (k − ⌊k⌋) · the
    next) / k, the mean of the worst `tail` of the observations, the last counted in part. The same returns in another
    order give the same bits.

    Parameters
    ----------
    returns
        (n_obs,), see the module.
    confidence
        In (0.5, 1).
    interval
        Coverage in (0, 1) of `lower` to `upper`, at least: the number of losses beyond the true VaR is binomial, so
        two order statistics enclose it whatever the law of independent returns. A side for which the sample is too
        small is None, with its reason. The interval of the ES is the normal one about its standard error, and covers
        less than it says where the tail holds few losses (of 250 at 95 %, nominal 90 % covers 83 to 85 %). With k ≤ 1
        it is None.
    quantile
        ``inverse_cdf`` for the VaR above; ``type7`` for minus NumPy's default quantile of the returns at the tail,
        which interpolates between the worst losses number h + 1 and h + 2, h = (1 − confidence)(n_obs − 1). ES and the
        intervals stay as they are. ES ≥ VaR holds there too: the interpolated VaR can exceed the ⌈k⌉-th worst loss
        only where k − ⌊k⌋ < 1 − confidence, and then leans on the ⌊k⌋-th with a weight below ½, the ES with more.

    Raises
    ------
    InvalidArgument
        If `returns` is not a finite vector, or an argument is out of its range.

    References
    ----------
    C. Acerbi and D. Tasche, "On the coherence of expected shortfall", *Journal of Banking & Finance* 26 (2002),
    definition 2.6 and section 4; H.A. David and H.N. Nagaraja, *Order Statistics*, 3rd ed. 2003, section 7.1; R.J.
    Hyndman and Y. Fan, "Sample quantiles in statistical packages", *The American Statistician* 50 (1996), definition
    7; B. Manistre and G. Hancock, "Variance of the CTE estimator", *North American Actuarial Journal* 9 (2005),
    equation 3.
    """
    x = _vector(returns)
    n = x.shape[0]
    k, place = tail_places(n, confidence, quantile)
    milder, harsher = bounding_ranks(n, k / n, interval)
    value_at_risk, expected_shortfall, error, lower, upper = kernels.historical(x, k, place, milder, harsher)
    if isnan(value_at_risk):
        as_vector(x, "returns")  # names the value that is not finite
    width = normal_quantile_of_interval(interval) * error
    too_few = no_spread = None
    if isnan(lower) or isnan(upper):
        too_few = (
            f"{n} losses are too few for a bound on this side of their {ceil(k)}. worst at {interval:.0%} coverage"
        )
    if isnan(error):
        no_spread = f"no more than one of {n} losses lies in the tail, so its spread is not known"
    return TailRisk(
        method="historical",
        confidence=confidence,
        value_at_risk=value_at_risk,
        expected_shortfall=expected_shortfall,
        lower=None if isnan(lower) else lower,
        lower_reason=too_few if isnan(lower) else None,
        upper=None if isnan(upper) else upper,
        upper_reason=too_few if isnan(upper) else None,
        expected_shortfall_lower=None if no_spread else expected_shortfall - width,
        expected_shortfall_lower_reason=no_spread,
        expected_shortfall_upper=None if no_spread else expected_shortfall + width,
        expected_shortfall_upper_reason=no_spread,
    )


def value_at_risk_and_shortfall(
    returns: Any, confidence: float, quantile: Quantile = "inverse_cdf"
) -> tuple[float, float]:
    """Return the VaR and ES of `historical` and nothing else, to the same bits, for loops over many books.

    Arguments and errors as in `historical`.
    """
    # The test of `_vector` stands here once more: a call costs as much as a tenth of the answer for 250 returns.
    if not (type(returns) is np.ndarray and returns.dtype is FLOAT64 and returns.ndim == 1 and returns.flags.carray):
        returns = as_vector(returns, "returns")
    k, place = tail_places(len(returns), confidence, quantile)
    found: tuple[float, float] = kernels.value_at_risk_and_shortfall(returns, k, place)
    if isnan(found[0]):
        as_vector(returns, "returns")  # names the value that is not finite
    return found


def normal(
    volatility: float,
    confidence: float,
    mean: float = 0.0,
    *,
    n_effective: float | None = None,
    interval: float = 0.90,
) -> TailRisk:
    """Return VaR = −μ + σ z and ES = −μ + σ φ(z)/(1 − confidence) of a normal law, z the quantile at `confidence`.

    Parameters
    ----------
    volatility
        σ ≥ 0 per period, as a fraction of capital.
    confidence
        In (0.5, 1).
    mean
        μ per period.
    n_effective
        Effective number of observations behind σ, at least 1: with it the interval of the VaR follows from the
        standard error σ/√(2 n_effective) of σ. The error of the mean is not counted.
    interval
        Coverage in (0, 1) of `lower` to `upper`, and of the same of the ES, which is as certain as σ.

    Raises
    ------
    InvalidArgument
        If an argument is out of its range.

    References
    ----------
    A.J. McNeil, R. Frey and P. Embrechts, *Quantitative Risk Management*, 2nd ed. 2015, examples 2.11 and 2.14.
    """
    _check_law(volatility, mean)
    z = NormalDist().inv_cdf(check_confidence(confidence))
    beyond = exp(-0.5 * z * z) / sqrt(2.0 * pi) / (1.0 - confidence)
    width = normal_quantile_of_interval(interval)
    low = high = None
    if n_effective is not None:
        if not n_effective >= 1.0:
            raise InvalidArgument(f"n_effective must be at least 1, but is {n_effective!r}")
        error = width / sqrt(2.0 * n_effective)
        low, high = volatility * max(0.0, 1.0 - error), volatility * (1.0 + error)
    reason = _UNKNOWN_SAMPLE if n_effective is None else None
    return TailRisk(
        method="normal",
        confidence=confidence,
        value_at_risk=-mean + volatility * z,
        expected_shortfall=-mean + volatility * beyond,
        lower=None if low is None else -mean + low * z,
        lower_reason=reason,
        upper=None if high is None else -mean + high * z,
        upper_reason=reason,
        expected_shortfall_lower=None if low is None else -mean + low * beyond,
        expected_shortfall_lower_reason=reason,
        expected_shortfall_upper=None if high is None else -mean + high * beyond,
        expected_shortfall_upper_reason=reason,
    )


def student_t(volatility: float, dof: float, confidence: float, mean: float = 0.0) -> TailRisk:
    """Return the VaR and ES of the Student-t law with a *given* volatility and degrees of freedom.

    The scale is σ √((ν−2)/ν), so that the law has the volatility asked for. At 95 % its VaR is therefore below the
    normal one (ν = 4: 1.507σ against 1.645σ), and above it only further out. For a law fitted to returns, with its own
    scale and any ν, see `fit_student_t`.

    Parameters
    ----------
    volatility
        σ ≥ 0 per period, as a fraction of capital.
    dof
        ν > 2; ``inf`` is the normal law.
    confidence
        In (0.5, 1).
    mean
        μ per period.

    Raises
    ------
    InvalidArgument
        If an argument is out of its range.

    References
    ----------
    A.J. McNeil, R. Frey and P. Embrechts, *Quantitative Risk Management*, 2nd ed. 2015, examples 2.12 and 2.15.
    """
    _check_law(volatility, mean)
    check_confidence(confidence)
    if not dof > 2.0:
        raise InvalidArgument(f"dof must be above 2 for a finite volatility, but is {dof!r}")
    scale = volatility * sqrt(1.0 - 2.0 / dof)
    tail = 1.0 - confidence
    return TailRisk(
        method="student_t",
        confidence=confidence,
        value_at_risk=-mean + scale * upper_quantile(tail, dof),
        expected_shortfall=-mean + scale * standard_shortfall(tail, dof),
        lower_reason=_GIVEN_LAW,
        upper_reason=_GIVEN_LAW,
        expected_shortfall_lower_reason=_GIVEN_LAW,
        expected_shortfall_upper_reason=_GIVEN_LAW,
    )


def skewness(returns: Any) -> float:
    """Return the third standardised moment g₁ of returns (n_obs,), with divisor n throughout; 0 for a symmetric law.

    Raises
    ------
    Undefined
        If the returns do not vary.
    InvalidArgument
        If `returns` is not a finite vector.
    """
    return float(np.mean(_standardised(returns) ** 3))


def excess_kurtosis(returns: Any) -> float:
    """Return the fourth standardised moment less three, g₂, with divisor n throughout; 0 for the normal law.

    Arguments and errors as in `skewness`.
    """
    return float(np.mean(_standardised(returns) ** 4)) - 3.0


def _vector(returns: Any) -> Vector:
    """Return what `as_vector` does, but leave the look for NaN and infinities to the kernel, which tells of them."""
    if (
        type(returns) is np.ndarray
        and returns.dtype is FLOAT64
        and returns.ndim == 1
        and returns.shape[0] > 0
        and returns.flags.carray
    ):
        return returns
    return as_vector(returns, "returns")


@lru_cache(maxsize=1024)
def tail_places(n: int, confidence: float, quantile: Quantile) -> tuple[float, float]:
    """Return k and the place of the interpolated quantile among the worst losses counted from 0, −1 for none."""
    k = float(tail_count(n, confidence))
    if quantile == "inverse_cdf":
        return k, -1.0
    if quantile == "type7":
        return k, float((n - 1) * (1.0 - confidence))
    raise InvalidArgument(f"quantile must be 'inverse_cdf' or 'type7', but is {quantile!r}")


@lru_cache(maxsize=1024)
def bounding_ranks(n: int, tail: float, interval: float) -> tuple[int, int]:
    """Return the order statistics that bound the VaR; they depend on no return, and books share them."""
    ranks: tuple[int, int] = kernels.interval_ranks(n, tail, 0.5 * (1.0 - check_interval(interval)))
    return ranks


def _standardised(returns: Any) -> Vector:
    x = as_vector(returns, "returns")
    if float(x.min()) == float(x.max()):
        raise Undefined("the returns are all equal, so their law has no shape")
    # In units of the range first: the squares of tiny returns would underflow.
    centred = (x - x.mean()) / (x.max() - x.min())
    standardised: Vector = centred / np.sqrt(np.mean(centred**2))
    return standardised


def _check_law(volatility: float, mean: float) -> None:
    if not (isfinite(volatility) and volatility >= 0.0):
        raise InvalidArgument(f"volatility must be finite and not negative, but is {volatility!r}")
    if not isfinite(mean):
        raise InvalidArgument(f"mean must be finite, but is {mean!r}")


_UNKNOWN_SAMPLE = "the number of observations behind the volatility is not given"
_GIVEN_LAW = "volatility and degrees of freedom are given, not estimated"
