"""Value at risk and expected shortfall of a book by method, and the moments that stand beside them.

`returns` are portfolio returns (n_obs,): P&L over capital per period as decimals, without NaN. Results are fractions
of capital over one period, and a loss is positive.
"""

from math import ceil, exp, isfinite, isnan, pi, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np

from rpmcore.domain.arrays import Vector, as_vector
from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.domain.tail_risk import TailRisk
from rpmcore.kernels import tail as kernels
from rpmcore.kernels.student_t import upper_quantile
from rpmcore.risk.student_t import (
    StudentTFit,
    check_interval,
    fit_student_t,
    normal_quantile_of_interval,
    standard_shortfall,
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
]


def historical(returns: Any, confidence: float, interval: float = 0.90) -> TailRisk:
    """Return the VaR and ES of the empirical law of the losses, with an interval from order statistics.

    With k = (1 − confidence)·n_obs, VaR is the ⌈k⌉-th worst loss, and ES = (sum of the ⌊k⌋ worst + (k − ⌊k⌋) · the
    next) / k, the mean of the worst `tail` of the observations, the last counted in part. NumPy's default quantile
    interpolates instead. The same returns in another order give the same bits.

    Parameters
    ----------
    returns
        (n_obs,), see the module.
    confidence
        In (0.5, 1).
    interval
        Coverage in (0, 1) of `lower` to `upper`, at least: the number of losses beyond the true VaR is binomial, so
        two order statistics enclose it whatever the law of independent returns. A side for which the sample is too
        small is None, with its reason.

    Raises
    ------
    InvalidArgument
        If `returns` is not a finite vector, or an argument is out of its range.

    References
    ----------
    C. Acerbi and D. Tasche, "On the coherence of expected shortfall", *Journal of Banking & Finance* 26 (2002),
    definition 2.6 and section 4; H.A. David and H.N. Nagaraja, *Order Statistics*, 3rd ed. 2003, section 7.1.
    """
    x = as_vector(returns, "returns")
    n = x.shape[0]
    k = tail_count(n, confidence)
    milder, harsher = kernels.interval_ranks(n, k / n, 0.5 * (1.0 - check_interval(interval)))
    value_at_risk, expected_shortfall, lower, upper = kernels.historical(x, k, milder, harsher)
    too_few = f"{n} losses are too few for a bound on this side of their {ceil(k)}. worst at {interval:.0%} coverage"
    return TailRisk(
        method="historical",
        confidence=confidence,
        value_at_risk=value_at_risk,
        expected_shortfall=expected_shortfall,
        lower=None if isnan(lower) else lower,
        lower_reason=too_few if isnan(lower) else None,
        upper=None if isnan(upper) else upper,
        upper_reason=too_few if isnan(upper) else None,
    )


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
        Coverage in (0, 1) of `lower` to `upper`.

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
    width = normal_quantile_of_interval(interval)
    lower = upper = None
    if n_effective is not None:
        if not n_effective >= 1.0:
            raise InvalidArgument(f"n_effective must be at least 1, but is {n_effective!r}")
        error = width / sqrt(2.0 * n_effective)
        lower = -mean + volatility * max(0.0, 1.0 - error) * z
        upper = -mean + volatility * (1.0 + error) * z
    reason = _UNKNOWN_SAMPLE if n_effective is None else None
    return TailRisk(
        method="normal",
        confidence=confidence,
        value_at_risk=-mean + volatility * z,
        expected_shortfall=-mean + volatility * exp(-0.5 * z * z) / sqrt(2.0 * pi) / (1.0 - confidence),
        lower=lower,
        lower_reason=reason,
        upper=upper,
        upper_reason=reason,
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
