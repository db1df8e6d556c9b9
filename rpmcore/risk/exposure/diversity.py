"""How many bets a book holds."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rpmcore.domain.arrays import Vector
from rpmcore.domain.errors import Undefined
from rpmcore.risk.diversification import diversification_score, effective_number_of_bets, herfindahl_index
from rpmcore.risk.factor_model import FactorContributions, FactorModel, model_variances
from rpmcore.risk.minimum_torsion import torsion_shares

NO_MODEL = "without a model of factors there are no shares of the variance"
NO_VARIANCE = "the book has no variance under the factor model"
NO_POSITION = "every weight is zero"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diversification:
    """Diversification of a book, by its bets and by its positions.

    Attributes
    ----------
    score
        Entropy of the shares of uncorrelated bets over its maximum: 0 is one bet, 1 is all of one size. The bets are
        the minimum-torsion form of the factors, and all that is specific taken together as one more.
    effective_bets
        Exponential of that entropy: between 1 and the number of factors plus one.
    bets
        The shares, in the order of the model's factors, then the specific one; they sum to one.
    ratio
        Σ|w|σ over the volatility of the book, under the model.
    hhi, effective_names
        Herfindahl–Hirschman index of the absolute weights, and its inverse.
    """

    score: float | None
    score_reason: str | None = None
    effective_bets: float | None
    effective_bets_reason: str | None = None
    bets: tuple[float, ...]
    ratio: float | None
    ratio_reason: str | None = None
    hhi: float | None
    hhi_reason: str | None = NO_POSITION
    effective_names: float | None
    effective_names_reason: str | None = NO_POSITION


def diversification(
    weights: Mapping[str, float], model: FactorModel | None, contributions: FactorContributions | None
) -> Diversification:
    """Return the diversification of a book.

    Parameters
    ----------
    weights
        Signed market value / capital by symbol.
    model, contributions
        Of the same book; None leaves the figures out that rest on a variance.

    References
    ----------
    A. Meucci, A. Santangelo and R. Deguest, "Risk budgeting and diversification based on optimized uncorrelated
    factors", 2015.
    """
    hhi = herfindahl_index(np.array(list(weights.values()))) if weights else None
    effective = None if hhi is None else 1.0 / hhi
    if model is None or contributions is None:
        why = NO_MODEL if model is None else NO_VARIANCE
        return Diversification(
            score=None, score_reason=why, effective_bets=None, effective_bets_reason=why, bets=(),
            ratio=None, ratio_reason=why, hhi=hhi, effective_names=effective,
        )  # fmt: skip
    alone = dict(zip(model.symbols, np.sqrt(model_variances(model)).tolist(), strict=True))
    ratio = sum(abs(w) * alone[s] for s, w in weights.items()) / contributions.volatility
    bets, reason = _bets(model, contributions)
    return Diversification(
        score=None if bets is None else diversification_score(bets),
        score_reason=reason,
        effective_bets=None if bets is None else effective_number_of_bets(bets),
        effective_bets_reason=reason,
        bets=() if bets is None else tuple(bets.tolist()),
        ratio=ratio,
        hhi=hhi,
        effective_names=effective,
    )


def _bets(model: FactorModel, contributions: FactorContributions) -> tuple[Vector | None, str | None]:
    common = float(contributions.factor_shares.sum())
    specific = contributions.specific_share
    if common <= 0.0:
        return np.append(np.zeros(len(model.factor_names)), 1.0), None
    try:
        shares = torsion_shares(contributions.exposures, model.factor_covariance)
    except Undefined as error:
        return None, str(error)
    bets = np.append(shares * common, specific)
    return bets / bets.sum(), None
