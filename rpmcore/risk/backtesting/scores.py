"""Which of two forecasts was better: scores that a right forecast minimises, and whether their difference is chance."""

from dataclasses import dataclass
from math import erfc, sqrt
from typing import Any

import numpy as np

from rpmcore.domain.arrays import Vector, as_vector
from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.risk.backtesting.violations import paired, tail_of
from rpmcore.risk.covariance_comparison import mean_error


def quantile_score(losses: Any, value_at_risk: Any, *, confidence: float) -> Vector:
    """Return the score (1[L > VaR] − p)(L − VaR) of each day, p = 1 − confidence; less is better.

    Its mean is least at the true quantile. It is never negative, and in the unit of `losses`.

    Parameters
    ----------
    losses, value_at_risk
        (n_obs,), see `violations`.
    confidence
        In (0.5, 1).

    Returns
    -------
    Vector
        (n_obs,).

    Raises
    ------
    InvalidArgument
        If an argument is out of its range, or shapes differ.

    References
    ----------
    R. Koenker and G. Bassett, "Regression quantiles", *Econometrica* 46 (1978). T. Gneiting, "Making and evaluating
    point forecasts", *JASA* 106 (2011), section 3.3.
    """
    lost, forecast = paired(losses, value_at_risk, "value_at_risk")
    score: Vector = ((lost > forecast) - tail_of(confidence)) * (lost - forecast)
    return score


def fissler_ziegel_score(losses: Any, value_at_risk: Any, expected_shortfall: Any, *, confidence: float) -> Vector:
    """Return the joint score of both forecasts, 1[L > VaR](L − VaR)/(p ES) + VaR/ES + ln ES − 1; less is better.

    This is FZ0 with the signs of losses. Expected shortfall alone has no such score. Multiplying losses and forecasts
    by a number adds its logarithm to every score, so that differences have no unit.

    Parameters
    ----------
    losses, value_at_risk, expected_shortfall
        (n_obs,), see `violations`.
    confidence
        Of both forecasts, in (0.5, 1).

    Returns
    -------
    Vector
        (n_obs,).

    Raises
    ------
    Undefined
        If expected shortfall is not positive on a day.
    InvalidArgument
        If an argument is out of its range, or shapes differ.

    References
    ----------
    A. Patton, J. Ziegel and R. Chen, "Dynamic semiparametric models for expected shortfall (and value-at-risk)",
    *Journal of Econometrics* 211 (2019), equation 6. T. Fissler and J. Ziegel, "Higher order elicitability and Osband's
    principle", *Annals of Statistics* 44 (2016).
    """
    lost, forecast = paired(losses, value_at_risk, "value_at_risk")
    shortfall = paired(losses, expected_shortfall, "expected_shortfall")[1]
    tail = tail_of(confidence)
    if not (shortfall > 0.0).all():
        row = int(np.argmin(shortfall > 0.0))
        raise Undefined(
            f"the score needs a positive expected shortfall, but it is {float(shortfall[row])!r} on row {row}"
        )
    beyond = np.maximum(lost - forecast, 0.0)
    score: Vector = beyond / (tail * shortfall) + forecast / shortfall + np.log(shortfall) - 1.0
    return score


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreComparison:
    """Mean score of a first forecast less that of a second.

    Attributes
    ----------
    difference
        Negative where the first was better.
    error
        Newey–West standard error of `difference`.
    statistic
        `difference`/`error`, asymptotically standard normal if both are equally good.
    p_value
        Two-sided.
    """

    difference: float
    error: float
    statistic: float | None
    statistic_reason: str | None = None
    p_value: float | None
    p_value_reason: str | None = None


def diebold_mariano(first: Any, second: Any, *, at_least: int = 0) -> ScoreComparison:
    """Compare two forecasts by their scores on the same days.

    Parameters
    ----------
    first, second
        (n_obs,) scores, oldest first.
    at_least
        Lags that the difference is known to need, such as the overlap of returns; see `mean_error`.

    Raises
    ------
    InvalidArgument
        If the shapes differ, or a value is not finite.

    References
    ----------
    F.X. Diebold and R.S. Mariano, "Comparing predictive accuracy", *Journal of Business & Economic Statistics* 13
    (1995). W.K. Newey and K.D. West, *Econometrica* 55 (1987): Bartlett kernel.
    """
    one, other = as_vector(first, "first"), as_vector(second, "second")
    if one.shape != other.shape:
        raise InvalidArgument(f"second has {other.shape[0]} score(s), but first has {one.shape[0]}")
    apart = one - other
    difference, error = float(apart.mean()), mean_error(apart, at_least=at_least)
    reason = "the scores differ by the same amount on every day, so that there is no error to compare with"
    constant = float(np.ptp(apart)) <= 1e-12 * float(max(np.abs(one).max(), np.abs(other).max()))
    statistic = None if constant or error == 0.0 else difference / error
    return ScoreComparison(
        difference=difference,
        error=error,
        statistic=statistic,
        statistic_reason=reason,
        p_value=None if statistic is None else erfc(abs(statistic) / sqrt(2.0)),
        p_value_reason=reason,
    )
