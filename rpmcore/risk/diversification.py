"""How evenly risk or positions are spread, as one number."""

from math import exp, log
from typing import Any

import numpy as np

from rpmcore.domain.arrays import Vector, as_vector, shaped
from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.risk.volatility import variance_and_product

SUM = 1e-9
"""Shares may miss a sum of one by this, which rounding does not reach."""


def entropy(shares: Any) -> float:
    """Return H = −Σ p ln p with 0 ln 0 = 0: 0 where one share is all, ln N where all N are equal.

    Parameters
    ----------
    shares
        (N,), none negative, summing to one. Shares of variance by factor can be negative: those of uncorrelated bets
        cannot, see `rpmcore.risk.minimum_torsion.torsion_shares`.

    Raises
    ------
    InvalidArgument
        If a share is negative or not finite, or they do not sum to one.

    References
    ----------
    A. Meucci, "Managing diversification", *Risk* (May 2009).
    """
    held = as_vector(shares, "shares")
    worst, total = int(held.argmin()), float(held.sum())
    if held[worst] < 0.0:
        raise InvalidArgument(f"shares must not be negative, but index {worst} holds {float(held[worst])!r}")
    if abs(total - 1.0) > SUM:
        raise InvalidArgument(f"shares must sum to one, but sum to {total!r}")
    positive = held[held > 0.0]
    return max(0.0, -float(positive @ np.log(positive)))


def diversification_score(shares: Any) -> float:
    """Return H/ln N in [0, 1]: 0 concentrated, 1 fully diversified; 0 where there is one share only.

    Arguments and errors as in `entropy`.
    """
    spread, n = entropy(shares), np.size(shares)
    return min(spread / log(n), 1.0) if n > 1 else 0.0


def effective_number_of_bets(shares: Any) -> float:
    """Return exp(H), between 1 (one bet) and N (equal bets).

    Arguments and errors as in `entropy`.

    References
    ----------
    A. Meucci, A. Santangelo and R. Deguest, "Risk budgeting and diversification based on optimized uncorrelated
    factors", 2015.
    """
    return exp(entropy(shares))


def herfindahl_index(weights: Any) -> float:
    """Return Σp_i² with p_i = |w_i|/Σ|w|: the Herfindahl–Hirschman index of gross exposure.

    Between 1/N (N positions of one size) and 1 (one position).

    Raises
    ------
    Undefined
        If every weight is zero.
    InvalidArgument
        If `weights` is not a finite vector.
    """
    shares = _gross_shares(weights)
    return float(shares @ shares)


def effective_number_of_positions(weights: Any) -> float:
    """Return 1/Σp_i² with p_i = |w_i|/Σ|w|: the inverse of `herfindahl_index`.

    Between 1 (one position) and the number of positions (all of one size).

    Raises
    ------
    Undefined
        If every weight is zero.
    InvalidArgument
        If `weights` is not a finite vector.
    """
    return 1.0 / herfindahl_index(weights)


def diversification_ratio(weights: Any, cov: Any) -> float:
    """Return Σ|w_i|σ_i / σ_p ≥ 1: how much volatility the book would have without diversification or hedging.

    Raises
    ------
    Undefined
        If the book has no volatility.
    InvalidArgument
        If shapes do not fit, a value is not finite, or `cov` gives a negative variance.

    References
    ----------
    Y. Choueifaty and Y. Coignard, "Toward maximum diversification", *Journal of Portfolio Management* 35 (2008), with
    absolute weights so that shorts count as positions.
    """
    held, matrix = shaped(weights, "weights", 1), shaped(cov, "cov", 2)
    variance, _ = variance_and_product(held, matrix)
    if variance == 0.0:
        raise Undefined("the book has no volatility, so its diversification ratio does not exist")
    return float(np.abs(held) @ np.sqrt(np.diagonal(matrix)) / np.sqrt(variance))


def _gross_shares(weights: Any) -> Vector:
    held = np.abs(as_vector(weights, "weights"))
    largest = float(held.max())
    if largest == 0.0:
        raise Undefined("every weight is zero, so there is no position to count")
    held = held / largest
    shares: Vector = held / held.sum()
    return shares
