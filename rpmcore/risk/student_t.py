"""The Student-t law fitted to portfolio returns, and its tail."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import inf, isfinite, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np

from rpmcore.domain.arrays import Matrix, as_vector
from rpmcore.domain.errors import InsufficientData, InvalidArgument, Undefined
from rpmcore.domain.tail_risk import TailRisk
from rpmcore.kernels import student_t as law
from rpmcore.kernels import student_t_fit as kernels
from rpmcore.risk.tail_count import check_confidence

PRACTICALLY_NORMAL = 200.0
"""From this many degrees of freedom the 99 % quantile is within half a percent of the normal one."""

FEWEST_OBSERVATIONS = 4
"""With fewer, the likelihood is unbounded around any single observation at ν = 0.5."""

NOT_RESOLVED = "the returns lie so close to a few values that the scale of a Student-t law cannot be resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentTFit:
    """A Student-t law with its own location and scale.

    Attributes
    ----------
    dof
        ν ≥ 0.5; ``inf`` where the normal law is the most likely. The variance is infinite for ν ≤ 2, the mean does
        not exist for ν ≤ 1.
    location, scale
        In return units. The scale is not the standard deviation, which is scale·√(ν/(ν−2)) for ν > 2.
    log_likelihood
        At the maximum, summed over the observations.
    n_obs
        Number of observations.
    covariance
        Asymptotic covariance of the estimates of (location, ln scale, 1/ν), from the observed information; None
        where it does not hold, with `covariance_reason`.
    """

    dof: float
    location: float
    scale: float
    log_likelihood: float
    n_obs: int
    covariance: tuple[tuple[float, float, float], ...] | None = None
    covariance_reason: str | None = None

    @property
    def practically_normal(self) -> bool:
        """Whether ν is so large that the law is to be reported as normal."""
        return self.dof >= PRACTICALLY_NORMAL

    def tail_risk(self, confidence: float, interval: float = 0.90) -> TailRisk:
        """Return VaR = −(location + scale·q) with q = t_ν⁻¹(1 − confidence), and the expected shortfall.

        ES = −location + scale · f_ν(q)/(1 − confidence) · (ν + q²)/(ν − 1) (McNeil, Frey and Embrechts, *Quantitative
        Risk Management*, 2nd ed. 2015, example 2.15); it does not exist for ν ≤ 1.

        Parameters
        ----------
        confidence
            In (0.5, 1).
        interval
            Coverage in (0, 1) of the intervals of VaR and ES, by the delta method from `covariance`.

        Raises
        ------
        InvalidArgument
            If an argument is out of its range.
        """
        tail = 1.0 - check_confidence(confidence)
        width = normal_quantile_of_interval(interval)
        value_at_risk, error = self._estimate(law.upper_quantile, tail)
        shortfall = shortfall_error = no_mean = None
        if self.dof > 1.0:
            shortfall, shortfall_error = self._estimate(law.standard_shortfall, tail)
        else:
            no_mean = f"a Student-t law with {self.dof:.3g} ≤ 1 degrees of freedom has no mean, so there is none here"
        lower, upper = _around(value_at_risk, width, error)
        shortfall_lower, shortfall_upper = _around(shortfall, width, shortfall_error)
        reason = None
        if shortfall_error is None:
            reason = no_mean or self.covariance_reason or "ν is too near to 1, below which there is no mean"
        return TailRisk(
            method="student_t",
            confidence=confidence,
            value_at_risk=value_at_risk,
            expected_shortfall=shortfall,
            expected_shortfall_reason=no_mean,
            lower=lower,
            lower_reason=self.covariance_reason,
            upper=upper,
            upper_reason=self.covariance_reason,
            expected_shortfall_lower=shortfall_lower,
            expected_shortfall_lower_reason=reason,
            expected_shortfall_upper=shortfall_upper,
            expected_shortfall_upper_reason=reason,
        )

    def _estimate(self, standard: Callable[[float, float], float], tail: float) -> tuple[float, float | None]:
        """Return −location + scale·c(ν) for c = standard(tail, ν), and its standard error by the delta method.

        The error is None without a covariance, or where c does not exist on either side of κ = 1/ν.
        """
        c = standard(tail, self.dof)
        value = -self.location + self.scale * c
        if self.covariance is None:
            return value, None
        kappa = 1.0 / self.dof
        apart = 1e-4 * kappa
        if standard is law.standard_shortfall and kappa + apart >= 1.0:
            return value, None
        slope = (standard(tail, 1.0 / (kappa + apart)) - standard(tail, 1.0 / (kappa - apart))) / (2.0 * apart)
        gradient = (-1.0, self.scale * c, self.scale * slope)
        variance = sum(gradient[i] * gradient[j] * self.covariance[i][j] for i in range(3) for j in range(3))
        return value, sqrt(variance)


def fit_student_t(returns: Any) -> StudentTFit:
    """Fit location, scale and degrees of freedom by maximum likelihood, ν from 0.5 to infinity.

    The search is for the highest of the maxima, and its likelihood is not below that of ``scipy.stats.t.fit`` with ν
    in the same range; it does not depend on the unit of the returns.

    Parameters
    ----------
    returns
        (n_obs,) portfolio returns, P&L over capital, without NaN; at least 4.

    Raises
    ------
    InvalidArgument
        If `returns` is not a finite vector.
    InsufficientData
        If there are fewer than 4 returns.
    Undefined
        If the returns are constant, or more than a third of them are one value: then the likelihood grows without
        bound as the scale shrinks onto it.

    References
    ----------
    K.L. Lange, R.J.A. Little and J.M.G. Taylor, "Robust statistical modeling using the t distribution", *JASA* 84
    (1989), section 3 and appendix B; C. Fernandez and M.F.J. Steel, "Multivariate Student-t regression models:
    pitfalls and inference", *Biometrika* 86 (1999), theorem 5, on ties.
    """
    x = as_vector(returns, "returns")
    n = x.shape[0]
    if n < FEWEST_OBSERVATIONS:
        raise InsufficientData(f"a Student-t fit needs at least {FEWEST_OBSERVATIONS} returns, but there are {n}")
    ties = kernels.commonest_above_a_third(x)
    if ties == n:
        raise Undefined(f"the {n} returns are all {x[0]:g}: a constant series has no Student-t fit")
    if ties:
        raise Undefined(
            f"one value makes up {ties} of the {n} returns, more than a third: the likelihood of a Student-t law has "
            "no maximum"
        )
    location, scale, kappa, log_likelihood, information = kernels.fit(x)
    if not (isfinite(log_likelihood) and kernels.resolved(x, scale)):
        raise Undefined(NOT_RESOLVED)
    covariance, reason = _covariance(kappa, information)
    return StudentTFit(
        dof=1.0 / kappa if kappa > 0.0 else inf,
        location=location,
        scale=scale,
        log_likelihood=log_likelihood,
        n_obs=n,
        covariance=covariance,
        covariance_reason=reason,
    )


def check_interval(interval: float) -> float:
    """Return the coverage `interval` if it lies in (0, 1).

    Raises
    ------
    InvalidArgument
        Otherwise.
    """
    if 0.0 < interval < 1.0:
        return interval
    raise InvalidArgument(f"interval must lie in (0, 1), but is {interval!r}")


@lru_cache(maxsize=64)
def normal_quantile_of_interval(interval: float) -> float:
    """Return the number of standard errors on either side of an estimate that cover `interval`."""
    return NormalDist().inv_cdf(0.5 + 0.5 * check_interval(interval))


def _around(value: float | None, width: float, error: float | None) -> tuple[float | None, float | None]:
    if value is None or error is None:
        return None, None
    return value - width * error, value + width * error


def _covariance(kappa: float, information: Matrix) -> tuple[tuple[tuple[float, float, float], ...] | None, str | None]:
    if kappa <= 0.0:
        return None, "the normal law is the most likely: no interval holds at that end of the degrees of freedom"
    if kappa >= kernels.LARGEST_KAPPA:
        return None, "the fit lies at ν = 0.5, the smallest searched: no interval holds there"
    covariance = np.empty((3, 3))
    if not kernels.covariance(information, covariance):
        return None, "the likelihood is too flat at its maximum for an interval"
    return tuple((a, b, c) for a, b, c in covariance.tolist()), None
