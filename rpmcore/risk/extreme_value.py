"""Value at risk and expected shortfall far out in the tail: peaks over threshold with a generalised Pareto law.

Losses beyond a high threshold follow, nearly, one law whatever the law of the returns (Pickands 1975; Balkema and de
Haan 1974). It is fitted to the excesses alone and reads quantiles beyond the worst loss seen.

References
----------
A.J. McNeil, R. Frey and P. Embrechts, *Quantitative Risk Management*, 2nd ed. 2015, section 5.2; A.C. Davison and R.L.
Smith, "Models for exceedances over high thresholds", *Journal of the Royal Statistical Society B* 52 (1990); S. Coles,
*An Introduction to Statistical Modeling of Extreme Values*, 2001, section 4.3.
"""

from dataclasses import dataclass
from math import exp, expm1, floor, log, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rpmcore.domain.arrays import Vector, as_matrix, as_vector
from rpmcore.domain.errors import InsufficientData, InvalidArgument, Undefined
from rpmcore.domain.tail_risk import TailRisk
from rpmcore.kernels import generalised_pareto as kernels
from rpmcore.risk.student_t import normal_quantile_of_interval
from rpmcore.risk.tail_count import tail_count

FEWEST_EXCEEDANCES = 20
"""The standard error of the shape is about (1 + ξ)/√N: with 20 and ξ = 0.2 it is 0.27 already, as wide as all that
lies between a normal tail and one without a third moment."""

ROUNDING = 1e-12
"""Losses, or excesses, that differ by less than this share of the largest are ties: book P&L is a sum of products, so
equal days can differ in the last digits, and the likelihood has no bound as an excess goes to zero."""

LARGEST_EXPONENT = 50.0
"""ξ·ln(share/tail) up to which a quantile is a number that could be meant; e⁵⁰ scales are not a loss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralisedParetoFit:
    """A generalised Pareto law of excesses y > 0: P(Y > y) = (1 + ξy/β)^(−1/ξ), e^(−y/β) at ξ = 0.

    Attributes
    ----------
    shape
        ξ ≥ −0.5, of no unit; there is no variance from ½ on and no mean from 1 on, and a largest excess β/|ξ| where it
        is negative.
    scale
        β > 0, in the unit of the excesses.
    n_obs
        Number of excesses.
    log_likelihood
        At the maximum, summed over the excesses.
    covariance
        Asymptotic covariance of the estimates of (shape, ln scale), from the observed information; None where it
        does not hold, with `covariance_reason`.
    """

    shape: float
    scale: float
    n_obs: int
    log_likelihood: float
    covariance: tuple[tuple[float, float], tuple[float, float]] | None = None
    covariance_reason: str | None = None


def fit_generalised_pareto(excesses: Any) -> GeneralisedParetoFit:
    """Fit shape and scale to excesses over a threshold by maximum likelihood, the highest of the maxima.

    The search covers ξ ≥ −0.5. Below −1 the likelihood has no bound (it grows as the end point of the law closes in on
    the largest excess), and from −0.5 down a maximum is not asymptotically normal, so no error could be given. Where
    the likelihood still rises toward that border the fit lies on it, with the likeliest scale there and no covariance:
    a longer tail than these excesses ask for, never a shorter one. Losses hardly have so short a tail, but few
    excesses, or those of a book with a floor, may look like it.

    Parameters
    ----------
    excesses
        (n_obs,) losses less the threshold, each above 0, in any unit, without NaN; at least 20.

    Raises
    ------
    InvalidArgument
        If `excesses` is not a finite vector or an element is not above 0.
    InsufficientData
        If there are fewer than 20.
    Undefined
        If more than half of them are one value, which no continuous law has; or if one is below 1e-12 of the largest.

    References
    ----------
    S.D. Grimshaw, "Computing maximum likelihood estimates for the generalized Pareto distribution", *Technometrics* 35
    (1993); R.L. Smith, "Maximum likelihood estimation in a class of nonregular cases", *Biometrika* 72 (1985), on −0.5.
    """
    x = as_vector(excesses, "excesses")
    least, largest = float(x.min()), float(x.max())
    if least <= 0.0:
        raise InvalidArgument(f"excesses must be above 0, but one is {least!r}: leave out what does not exceed")
    if x.shape[0] < FEWEST_EXCEEDANCES:
        raise InsufficientData(
            f"a generalised Pareto fit needs at least {FEWEST_EXCEEDANCES} excesses, but there are {x.shape[0]}"
        )
    if least < ROUNDING * largest:
        raise Undefined(
            f"an excess of {least:g} beside {largest:g} is a tie with the threshold: leave out what does not exceed"
        )
    ties = _commonest(x, ROUNDING * largest)
    if 2 * ties > x.shape[0]:
        raise Undefined(f"one value makes up {ties} of the {x.shape[0]} excesses: they have no continuous law")
    shape, scale, log_likelihood = kernels.fit(x)
    covariance, reason = _covariance(x, shape, scale)
    return GeneralisedParetoFit(
        shape=shape,
        scale=scale,
        n_obs=x.shape[0],
        log_likelihood=log_likelihood,
        covariance=covariance,
        covariance_reason=reason,
    )


def threshold_excesses(losses: Any, tail_share: float = 0.10) -> tuple[float, Vector]:
    """Return the threshold u that `extreme_value` takes, and the excesses over it.

    Parameters
    ----------
    losses
        (n_obs,), without NaN.
    tail_share
        In (0, 0.5].

    Returns
    -------
    tuple
        u, the (⌊tail_share·n_obs⌋ + 1)-th largest loss, and (N,) losses less u in ascending order, so that the order of
        the losses changes no bit. N is ⌊tail_share·n_obs⌋, less the losses that exceed u by no more than rounding.

    Raises
    ------
    InvalidArgument
        If `losses` is not a finite vector or `tail_share` out of its range.
    """
    x = as_vector(losses, "losses")
    threshold, exceeds = _beyond(x, tail_share)
    excesses: Vector = np.sort(x[exceeds]) - threshold
    return threshold, excesses


def extreme_value(returns: Any, confidence: float, tail_share: float = 0.10, interval: float = 0.90) -> TailRisk:
    """Return the VaR and ES of a generalised Pareto law fitted to the worst losses, with their errors.

    The threshold u is the (⌊tail_share·n⌋ + 1)-th largest loss; N losses exceed it, fewer where some tie with it. With
    g = ((n·tail/N)^(−ξ) − 1)/ξ,

        VaR = u + β g,    ES = (VaR + β − ξu)/(1 − ξ) = VaR + β (1 + ξg)/(1 − ξ)  for ξ < 1.

    Parameters
    ----------
    returns
        (n_obs,) portfolio returns, P&L over capital, without NaN; a loss is their negative.
    confidence
        In (0.5, 1), and beyond the threshold: 1 − confidence < N/n.
    tail_share
        In (0, 0.5], the share of the losses that is taken for the tail. A larger one lowers the errors and raises the
        bias, since the law holds in the limit only.
    interval
        Coverage in (0, 1) of the intervals of VaR and ES. The standard errors follow by the delta method from the
        covariance of (ξ, ln β) and the binomial variance of N/n; the intervals are the normal ones of
        ln(figure − u + β), because the estimates are skewed. They take losses for independent and do not know the bias
        of the threshold, so they cover less than they say, and the truth they miss lies mostly above. Of 1,000
        Student-t returns with ν = 4, a nominal 90 % covers the VaR at 99, 99.5 and 99.9 % in 88, 85 and 82 % of
        samples, the ES in 82, 81 and 78 %; of 250 with ν = 3 in 83, 78 and 74, and 70, 68 and 67 %. Error and interval
        of the ES are None where the interval of ξ reaches 1, beyond which there is no mean.

    Returns
    -------
    TailRisk
        Over one period, of method ``extreme_value``.

    Raises
    ------
    InvalidArgument
        If `returns` is not a finite vector, or an argument is out of its range.
    InsufficientData
        If fewer than 20 losses exceed the threshold.
    Undefined
        If the quantile does not lie beyond the threshold, more than half of the excesses are one value, or the shape is
        so large that the quantile is beyond e⁵⁰ scales.

    References
    ----------
    McNeil, Frey and Embrechts 2015, section 5.2.3; Coles 2001, section 4.3.3, for the errors.
    """
    x = as_vector(returns, "returns")
    n = x.shape[0]
    k = tail_count(n, confidence)
    width = normal_quantile_of_interval(interval)
    threshold, excesses = threshold_excesses(-x, tail_share)
    n_excesses = excesses.shape[0]
    if float(x.max() - x.min()) <= ROUNDING * float(np.abs(x).max()):
        raise Undefined(f"the {n} returns are all {x[0]:g}: a constant series has no tail")
    if n_excesses < FEWEST_EXCEEDANCES:
        raise InsufficientData(
            f"{n_excesses} of {n} losses exceed the threshold at tail_share {tail_share:g}, but an extreme-value fit "
            f"needs at least {FEWEST_EXCEEDANCES}: take more returns, or a larger tail_share"
        )
    if k >= n_excesses:
        raise Undefined(
            f"the {confidence:g} quantile of {n} losses lies inside the sample, not beyond the threshold that "
            f"{n_excesses} exceed: use the historical method, or a larger tail_share"
        )
    fit, depth = fit_generalised_pareto(excesses), log(n_excesses / k)
    if fit.shape * depth > LARGEST_EXPONENT:
        raise Undefined(
            f"a tail of shape {fit.shape:.3g} has no {confidence:g} quantile that could be meant: do the returns hold "
            "errors?"
        )
    return _tail_risk(fit, threshold, depth, n_excesses / n, confidence, width)


def extreme_value_marginals(
    returns: Any, weights: Any, confidence: float, tail_share: float = 0.10
) -> tuple[Vector, Vector | None]:
    """Return ∂VaR/∂w and ∂ES/∂w, (n_assets,) each, to an approximation; the latter None where there is no ES.

    Euler's theorem gives them as E[−r | L = VaR] and E[−r | L ≥ VaR]. Out there the sample has hardly a row, which is
    why the tail was fitted. The asset losses are instead averaged over all rows beyond the threshold, and scaled so
    that the parts sum to the figure. This is exact where the mean loss of an asset grows in proportion to the loss of
    the book, as under elliptical returns without a mean; where the mix of the culprits changes further out, it shows
    the mix at the threshold.

    Parameters
    ----------
    returns
        (n_obs, n_assets) simple returns, without NaN.
    weights
        (n_assets,) signed market value / capital.
    confidence, tail_share
        As in `extreme_value`, of the P&L ``returns @ weights``.

    Raises
    ------
    InvalidArgument
        If shapes do not fit, a value is not finite or an argument is out of its range.
    InsufficientData
        As in `extreme_value`.
    Undefined
        As in `extreme_value`, or if the losses beyond the threshold are not positive on average, so that no scaling
        makes them a loss.

    References
    ----------
    D. Tasche, "Capital allocation to business units and sub-portfolios: the Euler principle", 2007, section 4.
    """
    x, held = as_matrix(returns, "returns"), as_vector(weights, "weights")
    if held.shape[0] != x.shape[1]:
        raise InvalidArgument(f"weights has {held.shape[0]} element(s), but returns has {x.shape[1]} column(s)")
    pnl = x @ held
    figure = extreme_value(pnl, confidence, tail_share)
    direction: Vector = -x[_beyond(-pnl, tail_share)[1]].mean(axis=0)
    loss = float(held @ direction)
    if not loss > 0.0:
        raise Undefined(f"the mean loss beyond the threshold is {loss:g}, not positive: no position has a share of it")
    shortfall = figure.expected_shortfall
    return direction * (figure.value_at_risk / loss), None if shortfall is None else direction * (shortfall / loss)


def _beyond(losses: Vector, tail_share: float) -> tuple[float, NDArray[np.bool_]]:
    """Return the threshold, and for each loss whether it exceeds it by more than rounding."""
    if not 0.0 < tail_share <= 0.5:
        raise InvalidArgument(f"tail_share must lie in (0, 0.5], but is {tail_share!r}")
    n = losses.shape[0]
    place = n - 1 - floor(round(tail_share * n, 9))
    threshold = float(np.partition(losses, place)[place])
    return threshold, losses > threshold + ROUNDING * max(abs(threshold), float(losses.max()))


def _commonest(x: Vector, apart: float) -> int:
    """Return how often the commonest value occurs, those within `apart` of the next smaller one taken for it."""
    starts = np.flatnonzero(np.diff(np.sort(x), prepend=-np.inf) > apart)
    return int(np.diff(starts, append=x.shape[0]).max())


def _covariance(
    x: Vector, shape: float, scale: float
) -> tuple[tuple[tuple[float, float], tuple[float, float]] | None, str | None]:
    if shape <= kernels.LEAST_SHAPE:
        return None, "the fit lies at a shape of −0.5, the smallest searched: no interval holds there"
    of_shape, mixed, of_scale = kernels.information(x, shape, scale)
    determinant = of_shape * of_scale - mixed * mixed
    # The variance of the shape is (1 + ξ)²/N in expectation.
    if not (determinant > 0.0 and of_scale / determinant < (1.0 + shape) ** 2):
        return None, "the likelihood is so flat at its maximum that it tells no more of the shape than one excess would"
    return (
        (of_scale / determinant, -mixed / determinant),
        (-mixed / determinant, of_shape / determinant),
    ), None


def _tail_risk(
    fit: GeneralisedParetoFit, threshold: float, depth: float, share: float, confidence: float, width: float
) -> TailRisk:
    """Return the figures at depth = ln(share/tail) > 0, with intervals of `width` standard errors to either side.

    The gradients are by (ξ, ln β, depth); the variance of the depth is (1 − share)/N, since d depth = d share/share.
    """
    shape, scale = fit.shape, fit.scale
    g, g_slope = _stretch(shape, depth)
    grown = exp(shape * depth)
    value_at_risk = threshold + scale * g
    var_gradient = (scale * g_slope, scale * g, scale * grown)
    var_error = _error(fit, share, var_gradient)

    beyond = no_mean = es_error = unsure = None
    if shape < 1.0:
        more = scale * grown / (1.0 - shape)
        beyond = value_at_risk + more
        if fit.covariance is None:
            unsure = fit.covariance_reason
        elif shape + width * sqrt(fit.covariance[0][0]) >= 1.0:
            unsure = f"the interval of the shape about {shape:.3g} reaches 1, beyond which there is no mean"
        else:
            by_shape = var_gradient[0] + more * (depth + 1.0 / (1.0 - shape))
            es_error = _error(fit, share, (by_shape, var_gradient[1] + more, more))
    else:
        unsure = no_mean = f"a tail with shape {shape:.3g} ≥ 1 has no mean, so there is none here"
    lower, upper = _around(value_at_risk, threshold - scale, width, var_error)
    es_lower, es_upper = _around(beyond, threshold - scale, width, es_error)
    return TailRisk(
        method="extreme_value",
        confidence=confidence,
        value_at_risk=value_at_risk,
        expected_shortfall=beyond,
        expected_shortfall_reason=no_mean,
        lower=lower,
        lower_reason=fit.covariance_reason,
        upper=upper,
        upper_reason=fit.covariance_reason,
        expected_shortfall_lower=es_lower,
        expected_shortfall_lower_reason=unsure,
        expected_shortfall_upper=es_upper,
        expected_shortfall_upper_reason=unsure,
        value_at_risk_error=var_error,
        expected_shortfall_error=es_error,
    )


def _stretch(shape: float, depth: float) -> tuple[float, float]:
    """Return g = (e^y − 1)/ξ with y = ξ·depth, and ∂g/∂ξ = depth² (e^y (y − 1) + 1)/y², both through ξ = 0."""
    y = shape * depth
    if abs(y) < 1e-3:
        # Terms to y⁴ leave 1e-15; the slope loses digits to cancellation below.
        ratio = 1.0 + y / 2.0 * (1.0 + y / 3.0 * (1.0 + y / 4.0 * (1.0 + y / 5.0)))
        return depth * ratio, depth * depth * (1 / 2 + y * (1 / 3 + y * (1 / 8 + y * (1 / 30 + y / 144))))
    return expm1(y) / shape, depth * depth * (y * exp(y) - expm1(y)) / (y * y)


def _error(fit: GeneralisedParetoFit, share: float, gradient: tuple[float, float, float]) -> float | None:
    """Return the standard error by the delta method; the excesses and their number are uncorrelated."""
    if fit.covariance is None:
        return None
    (of_shape, mixed), (_, of_scale) = fit.covariance
    a, b, c = gradient
    return sqrt(a * a * of_shape + 2.0 * a * b * mixed + b * b * of_scale + c * c * (1.0 - share) / fit.n_obs)


def _around(value: float | None, origin: float, width: float, error: float | None) -> tuple[float | None, float | None]:
    """Return the interval that is symmetric in ln(value − origin), whose error is error/(value − origin)."""
    if value is None or error is None:
        return None, None
    apart = value - origin
    factor = exp(width * error / apart)
    return origin + apart / factor, origin + apart * factor
