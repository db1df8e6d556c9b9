"""The Kelly fraction: the stake that makes capital grow fastest in the long run."""

from math import isfinite, sqrt
from typing import Any

import numpy as np

from rpmcore.domain.arrays import Vector, as_covariance, as_vector
from rpmcore.domain.errors import InvalidArgument, Undefined


def kelly_fraction(win_rate: float, average_win: float, average_loss: float) -> float:
    """Return f* = p/a − q/b, the fraction of capital to stake on a bet that wins b or loses a of its stake.

    It maximises the growth rate G(f) = p ln(1 + b f) + q ln(1 − a f).

    Parameters
    ----------
    win_rate
        p in [0, 1]; q = 1 − p.
    average_win, average_loss
        b and a, positive fractions of the stake: an even bet has both at 1. What a position of a security stakes is
        its market value, so that a trade which wins 3 % of it or loses 2 % has b = 0.03 and a = 0.02.

    Returns
    -------
    float
        Of capital; negative where the expectation is: the bet is then worth taking from the other side only.

    Raises
    ------
    InvalidArgument
        If the win rate lies outside [0, 1], or an average is not positive and finite.

    References
    ----------
    Kelly (1956), "A new interpretation of information rate", Bell System Technical Journal 35. Thorp (2006), "The Kelly
    criterion in blackjack, sports betting, and the stock market", Handbook of Asset and Liability Management 1, ch. 9,
    doi 10.1016/S1872-0978(06)01009-X, section 2: there for even money, a = b = 1.
    """
    check_win_rate(win_rate)
    for name, average in (("average win", average_win), ("average loss", average_loss)):
        check_average(name, average)
    stake = win_rate / average_loss - (1.0 - win_rate) / average_win
    if not isfinite(stake):
        raise InvalidArgument(f"the averages {average_win!r} and {average_loss!r} are too small to be divided by")
    return stake


def continuous_kelly(excess_returns: Any, cov: Any) -> Vector:
    """Return Σ⁻¹μ (n_assets,), the weights that make capital grow fastest under small continuous moves.

    Parameters
    ----------
    excess_returns
        μ (n_assets,) or one number: expected returns *in excess of cash*, per any period.
    cov
        Σ (n_assets, n_assets) or one number, the variance: per the same period.

    Returns
    -------
    ndarray
        Weights, signed, of capital; they need not sum to one, and what is missing is cash or borrowed.

    Raises
    ------
    InvalidArgument
        If shapes do not fit, a value or the result is not finite, or `cov` is no covariance.
    Undefined
        If `cov` is singular: some direction would be riskless, and the best stake in it without bound.

    References
    ----------
    Thorp (2006), as in `kelly_fraction`, section 7.1 for one asset and 8.4 for several.
    """
    means = as_vector(np.atleast_1d(excess_returns), "excess_returns")
    matrix = as_covariance(np.atleast_2d(cov))
    if matrix.shape[0] != means.shape[0]:
        raise InvalidArgument(f"excess_returns has {means.shape[0]} element(s), but cov has {matrix.shape[0]} asset(s)")
    # Correlations, because a matrix of small variances has a small determinant without being singular.
    scales = np.sqrt(np.diagonal(matrix))
    if not scales.all() or np.linalg.matrix_rank(matrix / np.outer(scales, scales), hermitian=True) < len(means):
        raise Undefined("cov is singular: a riskless position would have no best size")
    with np.errstate(over="ignore"):
        weights: Vector = np.linalg.solve(matrix / np.outer(scales, scales), means / scales) / scales
    if not np.isfinite(weights).all():
        raise InvalidArgument(f"excess_returns up to {np.abs(means).max():g} are too large for this cov")
    return weights


def fractional_kelly(full: float, fraction: float, cap: float) -> float:
    """Return the stake min(fraction × full, cap), and none where the full Kelly fraction is negative.

    Half the full stake keeps three quarters of the growth at half the volatility; a stake above twice the full one
    shrinks the capital in the long run (Thorp 2006, section 7.3).
    """
    return min(max(full, 0.0) * fraction, cap)


def wilson_lower_bound(win_rate: float, trades: int, z: float) -> float:
    """Return the lower end of Wilson's score interval for a win rate.

    Parameters
    ----------
    win_rate
        Observed, in [0, 1].
    trades
        Behind it, at least 1.
    z
        Normal quantile of the one-sided confidence, not negative: 0 gives the win rate itself.

    Raises
    ------
    InvalidArgument
        If an argument is out of its range.

    References
    ----------
    Wilson (1927), JASA 22; recommended by Brown, Cai and DasGupta (2001), Statistical Science 16, eq. (4).
    """
    check_win_rate(win_rate)
    if trades < 1:
        raise InvalidArgument(f"a win rate needs at least one trade, but there are {trades}")
    if not (isfinite(z) and z >= 0.0):
        raise InvalidArgument(f"z must be finite and not negative, but is {z!r}")
    spread = z * sqrt(win_rate * (1.0 - win_rate) / trades + z * z / (4.0 * trades * trades))
    return max((win_rate + z * z / (2.0 * trades) - spread) / (1.0 + z * z / trades), 0.0)


def check_win_rate(win_rate: float) -> None:
    """Check that a win rate is one.

    Raises
    ------
    InvalidArgument
        If it lies outside [0, 1] or is not finite.
    """
    if not 0.0 <= win_rate <= 1.0:
        hint = f"; did you mean {win_rate / 100:g}?" if 2.0 <= win_rate <= 100.0 else ""
        raise InvalidArgument(f"the win rate must lie in [0, 1], but is {win_rate!r}{hint}")


def check_average(name: str, average: float) -> None:
    """Check an average win or loss.

    Raises
    ------
    InvalidArgument
        If it is not positive and finite.
    """
    if not (isfinite(average) and average > 0.0):
        raise InvalidArgument(
            f"the {name} must be a positive fraction of the position's value, such as 0.02, but is {average!r}"
        )
