"""Value at risk and expected shortfall through time, a forecast a day.

Element t rests on the window of rows t … t + window − 1 and is the forecast for the row after it: for a window that
ends with row s, the forecast for row s + 1. Compare element t with the return of row t + window, never of an earlier
one. `returns` are portfolio returns (n_obs,), P&L over capital per period as decimals, oldest first, without NaN. A
loss is positive; results are fractions of capital over one period.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import exp, pi, sqrt
from statistics import NormalDist
from typing import Any, Literal

import numpy as np

from rpmcore.domain.arrays import Vector, as_vector
from rpmcore.domain.errors import InsufficientData, InvalidArgument
from rpmcore.kernels import rolling_tail as kernels
from rpmcore.risk.covariance_paths import ewma_volatility_path
from rpmcore.risk.student_t import FEWEST_OBSERVATIONS, NOT_RESOLVED
from rpmcore.risk.tail_count import check_confidence
from rpmcore.risk.value_at_risk import Quantile, tail_places


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RollingTail:
    """Value at risk and expected shortfall of one method through time.

    Attributes
    ----------
    method
        ``historical``, ``normal``, ``student_t`` or ``ewma``.
    confidence
        In (0.5, 1).
    window
        Rows behind each element; None where all rows so far are.
    value_at_risk, expected_shortfall
        (n_obs − window + 1,), or (n_obs,) without a window. NaN stands where a number is undefined, and nowhere else.
    undefined
        The elements with a NaN, in order, and why.
    """

    method: str
    confidence: float
    window: int | None
    value_at_risk: Vector
    expected_shortfall: Vector
    undefined: Mapping[int, str] = field(default_factory=dict)


def rolling_historical(returns: Any, confidence: float, window: int, quantile: Quantile = "inverse_cdf") -> RollingTail:
    """Return historical VaR and ES of every window.

    Each element is that of `value_at_risk.historical` of the window: the VaR to the same bits, the ES too with up to 64
    losses in the tail, and to the rounding of a sum with more. No running sum drifts: there is none.

    Parameters
    ----------
    returns
        (n_obs,), see the module.
    confidence, quantile
        As in `value_at_risk.historical`.
    window
        Rows of a window, from 1 to n_obs.

    Raises
    ------
    InvalidArgument
        If `returns` is not a finite vector, or an argument is out of its range.
    InsufficientData
        If there are fewer rows than `window`.

    References
    ----------
    C. Acerbi and D. Tasche, "On the coherence of expected shortfall", *Journal of Banking & Finance* 26 (2002),
    definition 2.6 and section 4.
    """
    x = as_vector(returns, "returns")
    window = _checked_window(window, 1, x.shape[0])
    k, place = tail_places(window, confidence, quantile)
    value_at_risk, expected_shortfall = _for_every_window(x, window)
    kernels.historical(x, window, k, place, value_at_risk, expected_shortfall)
    return RollingTail(
        method="historical",
        confidence=confidence,
        window=window,
        value_at_risk=value_at_risk,
        expected_shortfall=expected_shortfall,
    )


def rolling_normal(
    returns: Any, confidence: float, window: int, mean: Literal["zero", "sample"] = "zero"
) -> RollingTail:
    """Return the VaR −μ + σ z and ES −μ + σ φ(z)/(1 − confidence) of every window.

    Parameters
    ----------
    returns
        (n_obs,), see the module.
    confidence
        In (0.5, 1); z is the normal quantile there.
    window
        Rows of a window, from 2 to n_obs. σ is their sample volatility: demeaned, divisor window − 1.
    mean
        ``zero`` sets μ = 0, ``sample`` to the mean of the window. σ is the same for both.

    Raises
    ------
    InvalidArgument
        If `returns` is not a finite vector, or an argument is out of its range.
    InsufficientData
        If there are fewer rows than `window`.

    References
    ----------
    A.J. McNeil, R. Frey and P. Embrechts, *Quantitative Risk Management*, 2nd ed. 2015, examples 2.11 and 2.14.
    """
    x = as_vector(returns, "returns")
    window = _checked_window(window, 2, x.shape[0])
    check_confidence(confidence)
    if mean not in {"zero", "sample"}:
        raise InvalidArgument(f"mean must be 'zero' or 'sample', but is {mean!r}")
    means, variances = _for_every_window(x, window)
    kernels.moments(x, window, means, variances)
    return _normal("normal", confidence, window, np.sqrt(variances), means if mean == "sample" else 0.0)


def rolling_student_t(returns: Any, confidence: float, window: int) -> RollingTail:
    """Return the VaR and ES of the Student-t law fitted to every window by maximum likelihood.

    Each element is that of `fit_student_t` of the window: every fit starts afresh, because a start from the window
    before can end on another maximum of the likelihood. Where that raises `Undefined`, or the fit has ν ≤ 1 and so no
    expected shortfall, the element is NaN and `undefined` says why.

    Parameters
    ----------
    returns
        (n_obs,), see the module.
    confidence
        In (0.5, 1).
    window
        Rows of a window, from 4 to n_obs.

    Raises
    ------
    InvalidArgument
        If `returns` is not a finite vector, or an argument is out of its range.
    InsufficientData
        If there are fewer rows than `window`.

    References
    ----------
    See `rpmcore.risk.student_t.fit_student_t`.
    """
    x = as_vector(returns, "returns")
    window = _checked_window(window, FEWEST_OBSERVATIONS, x.shape[0])
    tail = 1.0 - check_confidence(confidence)
    value_at_risk, expected_shortfall = _for_every_window(x, window)
    codes = np.empty(value_at_risk.shape[0], dtype=np.int64)
    kernels.student_t(x, window, tail, value_at_risk, expected_shortfall, codes)
    return RollingTail(
        method="student_t",
        confidence=confidence,
        window=window,
        value_at_risk=value_at_risk,
        expected_shortfall=expected_shortfall,
        undefined={int(t): _WHY[int(codes[t])] for t in np.flatnonzero(codes)},
    )


def rolling_ewma(returns: Any, confidence: float, decay: float = 0.94) -> RollingTail:
    """Return the VaR σ z and ES σ φ(z)/(1 − confidence) after each row, σ exponentially weighted around zero.

    Parameters
    ----------
    returns
        (n_obs,), see the module.
    confidence
        In (0.5, 1); z is the normal quantile there.
    decay
        λ in (0, 1). σ is that of `ewma_volatility_path`: element t, out of n_obs, rests on the rows 0 … t and is the
        forecast for row t + 1; the first ones rest on few rows.

    Raises
    ------
    InvalidArgument
        If `returns` is not a finite vector, or an argument is out of its range.

    References
    ----------
    J.P. Morgan/Reuters, *RiskMetrics Technical Document*, 4th ed., 1996, section 5.2.
    """
    check_confidence(confidence)
    return _normal("ewma", confidence, None, ewma_volatility_path(returns, decay), 0.0)


def _normal(
    method: str, confidence: float, window: int | None, volatility: Vector, mean: Vector | float
) -> RollingTail:
    z = NormalDist().inv_cdf(confidence)
    return RollingTail(
        method=method,
        confidence=confidence,
        window=window,
        value_at_risk=volatility * z - mean,
        expected_shortfall=volatility * (exp(-0.5 * z * z) / sqrt(2.0 * pi) / (1.0 - confidence)) - mean,
    )


def _for_every_window(x: Vector, window: int) -> tuple[Vector, Vector]:
    shape = x.shape[0] - window + 1
    return np.empty(shape), np.empty(shape)


def _checked_window(window: int, smallest: int, n_obs: int) -> int:
    if isinstance(window, bool) or not isinstance(window, int | np.integer) or window < smallest:
        raise InvalidArgument(f"window must be a whole number, at least {smallest}, but is {window!r}")
    if n_obs < window:
        raise InsufficientData(f"a window of {window} needs as many returns, but there are {n_obs}")
    return int(window)


_WHY = {
    kernels.CONSTANT: "the returns of the window are all equal: a constant series has no Student-t fit",
    kernels.TIES: "one value makes up more than a third of the window: a Student-t likelihood has no maximum",
    kernels.NOT_RESOLVED: NOT_RESOLVED,
    kernels.NO_MEAN: "the fitted law has ν ≤ 1 and no mean, so no expected shortfall",
}
