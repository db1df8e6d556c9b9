"""Where the risk of a portfolio sits.

Volatility and normal value at risk are homogeneous of degree one in the weights, so that by Euler's theorem the
components below sum to the total exactly.

References
----------
D. Tasche, "Capital allocation to business units and sub-portfolios: the Euler principle", 2007, section 2.
"""

from math import sqrt
from statistics import NormalDist
from typing import Any

from rpmcore.domain.arrays import Vector, as_vector, shaped
from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.risk.tail_count import check_confidence
from rpmcore.risk.volatility import variance_and_product

STANDARD_NORMAL = NormalDist()


def marginal_volatility(weights: Any, cov: Any) -> Vector:
    """Return ∂σ_p/∂w_i = (Σw)_i/σ_p, (n_assets,), per period of `cov`.

    Parameters
    ----------
    weights
        (n_assets,), signed market value / capital.
    cov
        (n_assets, n_assets), symmetric positive semidefinite.

    Raises
    ------
    Undefined
        If the book has no volatility: the derivative does not exist there.
    InvalidArgument
        If shapes do not fit, a value is not finite, or `cov` gives a negative variance.
    """
    return _marginal(shaped(weights, "weights", 1), cov, 1.0)


def component_volatility(weights: Any, cov: Any) -> Vector:
    """Return w_i (Σw)_i/σ_p, (n_assets,); they sum to σ_p. Negative where a position hedges.

    Arguments and errors as in `marginal_volatility`.
    """
    held = shaped(weights, "weights", 1)
    return held * _marginal(held, cov, 1.0)


def marginal_value_at_risk(weights: Any, cov: Any, confidence: float, mean: Any = None) -> Vector:
    """Return ∂VaR/∂w_i = −μ_i + z (Σw)_i/σ_p of the normal value at risk, (n_assets,).

    Parameters
    ----------
    weights, cov
        As in `marginal_volatility`.
    confidence
        In (0.5, 1).
    mean
        (n_assets,) expected returns per period; zero if not given.

    Raises
    ------
    Undefined
        If the book has no volatility.
    InvalidArgument
        If an argument is out of its range.
    """
    return _marginal_value_at_risk(shaped(weights, "weights", 1), cov, confidence, mean)


def component_value_at_risk(weights: Any, cov: Any, confidence: float, mean: Any = None) -> Vector:
    """Return −w_i μ_i + z w_i (Σw)_i/σ_p, (n_assets,); they sum to the normal value at risk.

    Arguments and errors as in `marginal_value_at_risk`.
    """
    held = shaped(weights, "weights", 1)
    return held * _marginal_value_at_risk(held, cov, confidence, mean)


def _marginal_value_at_risk(held: Vector, cov: Any, confidence: float, mean: Any) -> Vector:
    marginal = _marginal(held, cov, STANDARD_NORMAL.inv_cdf(check_confidence(confidence)))
    if mean is None:
        return marginal
    mu = as_vector(mean, "mean")
    if mu.shape != marginal.shape:
        raise InvalidArgument(f"mean has {mu.shape[0]} element(s), but there are {marginal.shape[0]} asset(s)")
    return marginal - mu


def _marginal(held: Vector, cov: Any, multiple: float) -> Vector:
    """Return the gradient of so many standard deviations."""
    variance, product = variance_and_product(held, cov)
    if variance == 0.0:
        raise Undefined("the book has no volatility, so no position has a share of it")
    product *= multiple / sqrt(variance)
    return product
