"""Cornish–Fisher: the tail of a law of which only mean, volatility, skewness and kurtosis are used.

References
----------
E.A. Cornish and R.A. Fisher, "Moments and cumulants in the specification of distributions", *Revue de l'Institut
International de Statistique* 5 (1938). P. Zangari, "A VaR methodology for portfolios that include options",
*RiskMetrics Monitor* Q1 1996. K. Boudt, B. Peterson and C. Croux, "Estimation and decomposition of downside risk for
portfolios with non-normal returns", *Journal of Risk* 11 (2008), section 3: the components. Their "modified" expected
shortfall integrates an Edgeworth density; here it is the mean of the quantiles beyond the value at risk, which is
what expected shortfall means. D. Maillard, "A user's guide to the Cornish Fisher expansion", 2012: where it is
monotone.
"""

from math import exp, isfinite, pi, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np

from rpmcore.domain.arrays import Vector, as_matrix, as_vector
from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.domain.tail_risk import TailRisk
from rpmcore.risk.tail_count import check_confidence

THINNEST_TAIL = 1e-5
"""Beyond z = 4.26 the mean of the quantiles would rest on where the expansion is not known to rise."""

REACH = 5.0
"""The expansion must rise on |z| ≤ 5, beyond which lie 6e-7 of a normal law."""


def cornish_fisher(
    volatility: float, skewness: float, excess_kurtosis: float, confidence: float, mean: float = 0.0
) -> TailRisk:
    """Return VaR = −μ − σ q(z) and ES = −μ − (σ/tail) ∫ q φ up to z, with z the normal quantile of the tail.

    q(z) = z + (z²−1) s/6 + (z³−3z) k/24 − (2z³−5z) s²/36 is the quantile of the standardised returns. Integrated
    against φ it gives ES = −μ + σ φ(z)/tail · [1 + z s/6 + (z²−1) k/24 − (2z²−1) s²/36].

    Parameters
    ----------
    volatility
        σ ≥ 0 per period, as a fraction of capital.
    skewness, excess_kurtosis
        s and k of the returns, not of the losses; k ≥ s² − 2, as for every law.
    confidence
        In (0.5, 1).
    mean
        μ per period.

    Raises
    ------
    Undefined
        If the confidence is above 0.99999, or q falls anywhere on |z| ≤ 5: then it is no quantile, and more confidence
        could mean less risk. It is not clipped.
    InvalidArgument
        If an argument is out of its range.
    """
    if not (isfinite(volatility) and volatility >= 0.0):
        raise InvalidArgument(f"volatility must be finite and not negative, but is {volatility!r}")
    if not isfinite(mean):
        raise InvalidArgument(f"mean must be finite, but is {mean!r}")
    _check_shape(skewness, excess_kurtosis)
    tail = _tail(confidence)
    z = NormalDist().inv_cdf(tail)
    beyond = _density(z) / tail
    return TailRisk(
        method="cornish_fisher",
        confidence=confidence,
        value_at_risk=-mean - volatility * _quantile(z, skewness, excess_kurtosis),
        expected_shortfall=-mean + volatility * beyond * _mean_beyond(z, skewness, excess_kurtosis),
        lower_reason=_MOMENTS,
        upper_reason=_MOMENTS,
        expected_shortfall_lower_reason=_MOMENTS,
        expected_shortfall_upper_reason=_MOMENTS,
    )


def cornish_fisher_marginals(
    returns: Any, weights: Any, confidence: float, *, days: float = 1.0
) -> tuple[Vector, Vector]:
    """Return ∂VaR/∂w and ∂ES/∂w (n_assets,), which times the weights sum to the figures of the P&L's own moments.

    They are those of a law without a mean; a mean μ_i of an asset lowers both by μ_i.

    With P the P&L and m₂, m₃, m₄ its central moments (divisor n), σ = √m₂, s = m₃/σ³ and k = m₄/m₂² − 3 move with
    w_i by ∂m_j/∂w_i = j · mean(x_i P^{j−1}), x_i and P centred: no tensor of co-moments is formed.

    Parameters
    ----------
    returns
        (n_obs, n_assets) simple returns, without NaN.
    weights
        (n_assets,) signed market value / capital.
    confidence
        In (0.5, 1).
    days
        How many independent periods the figures are over: σ grows with their root, s falls with it, k with themselves.

    Raises
    ------
    Undefined
        As `cornish_fisher`; or if the P&L does not vary.
    InvalidArgument
        If shapes do not fit, a value is not finite or an argument is out of its range.
    """
    x, held = as_matrix(returns, "returns"), as_vector(weights, "weights")
    if held.shape[0] != x.shape[1]:
        raise InvalidArgument(f"weights has {held.shape[0]} element(s), but returns has {x.shape[1]} column(s)")
    if not days > 0.0:
        raise InvalidArgument(f"days must be positive, but is {days!r}")
    tail = _tail(confidence)
    moved = x - x.mean(axis=0)
    pnl = moved @ held
    sigma = float(np.sqrt(np.mean(pnl**2)))
    if sigma <= 1e-12 * float(np.abs(moved).max() * np.abs(held).sum()):
        raise Undefined("the P&L does not vary, so no position has a share of its tail")
    unit = pnl / sigma
    slopes = [
        moved.T @ unit**power / (sigma * x.shape[0]) for power in (1, 2, 3)
    ]  # of ln σ, and of m₃/3, m₄/4 at σ = 1
    s, k = float(np.mean(unit**3)), float(np.mean(unit**4)) - 3.0
    root = sqrt(days)
    _check_shape(s / root, k / days)
    of_sigma = sigma * root * slopes[0]
    of_s = (3.0 * slopes[1] - 3.0 * s * slopes[0]) / root
    of_k = (4.0 * slopes[2] - 4.0 * (k + 3.0) * slopes[0]) / days
    z, shape = NormalDist().inv_cdf(tail), (s / root, k / days)
    value_at_risk = -(
        of_sigma * _quantile(z, *shape)
        + sigma * root * (of_s * ((z * z - 1.0) / 6.0 - (2.0 * z**3 - 5.0 * z) * shape[0] / 18.0)
                          + of_k * (z**3 - 3.0 * z) / 24.0)
    )  # fmt: skip
    beyond = _density(z) / tail
    shortfall = beyond * (
        of_sigma * _mean_beyond(z, *shape)
        + sigma * root * (of_s * (z / 6.0 - (2.0 * z * z - 1.0) * shape[0] / 18.0) + of_k * (z * z - 1.0) / 24.0)
    )
    return value_at_risk, shortfall


def _tail(confidence: float) -> float:
    tail = 1.0 - check_confidence(confidence)
    if tail < THINNEST_TAIL:
        raise Undefined(f"Cornish and Fisher's expansion is not used beyond {1.0 - THINNEST_TAIL:g}; see extreme_value")
    return tail


def _quantile(z: float, s: float, k: float) -> float:
    return z + (z * z - 1.0) * s / 6.0 + (z**3 - 3.0 * z) * k / 24.0 - (2.0 * z**3 - 5.0 * z) * s * s / 36.0


def _mean_beyond(z: float, s: float, k: float) -> float:
    """Return −∫ q φ up to z over φ(z): every Hermite polynomial integrates to the one before it."""
    return 1.0 + z * s / 6.0 + (z * z - 1.0) * k / 24.0 - (2.0 * z * z - 1.0) * s * s / 36.0


def _density(z: float) -> float:
    return exp(-0.5 * z * z) / sqrt(2.0 * pi)


def _check_shape(s: float, k: float) -> None:
    """Check that s and k are those of a law, and that q rises: q′(z) = a z² + b z + c > 0 on |z| ≤ 5."""
    if not (isfinite(s) and isfinite(k) and k >= s * s - 2.0 - 1e-9):
        raise InvalidArgument(
            f"no law has skewness {s!r} and excess kurtosis {k!r}: that must be at least skewness² − 2"
        )
    a, b = k / 8.0 - s * s / 6.0, s / 3.0
    c = 1.0 - k / 8.0 + 5.0 * s * s / 36.0
    places = [-REACH, REACH]
    if a != 0.0 and abs(b) < 2.0 * REACH * abs(a):
        places.append(-b / (2.0 * a))
    lowest = min(places, key=lambda z: a * z * z + b * z + c)
    if a * lowest * lowest + b * lowest + c <= 0.0:
        raise Undefined(
            f"skewness {s:.3g} with excess kurtosis {k:.3g} is beyond Cornish and Fisher's expansion: it falls around "
            f"z = {lowest:.2g}, where a quantile must rise"
        )


_MOMENTS = "the moments are given, not the sample they come from"
