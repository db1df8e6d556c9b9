"""Positions that would neutralise a factor or a currency, and the variance that they leave."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from rpmcore.domain.arrays import Matrix
from rpmcore.domain.factor_profiles import AssetFactorProfile
from rpmcore.risk.exposure.positions import CurrencyExposure, currency_legs
from rpmcore.risk.factor_model import FactorContributions, FactorModel, model_variances

NOTHING = 1e-12
"""An exposure or a loading of less is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hedge:
    """One position that brings one exposure to zero.

    Attributes
    ----------
    against, kind
        The factor or currency, and which of the two.
    exposure
        What is to be neutralised, as a fraction of capital.
    instrument
        What to trade; None, with a reason, where no candidate answers to it.
    change
        Signed change of its weight.
    variance_left
        Variance of the book with the hedge over that without, under the factor model: above one the hedge adds risk.
    volatility
        Of the book with the hedge, per period of the model; per day in a report.
    opens
        The currency that a pair without the account's trades against, and so moves by as much the other way.
    """

    against: str
    kind: str
    exposure: float
    instrument: str | None
    instrument_reason: str | None = None
    change: float | None
    change_reason: str | None = None
    variance_left: float | None
    variance_left_reason: str | None = None
    volatility: float | None
    volatility_reason: str | None = None
    opens: str | None = None
    opens_reason: str | None = "no currency but the account's is traded against"


def factor_hedges(
    model: FactorModel, contributions: FactorContributions, candidates: Sequence[str]
) -> tuple[Hedge, ...]:
    """Return, for each factor, the hedge with the candidate whose own variance comes from that factor most.

    A position h in instrument j neutralises factor k if h = −b_k/B_jk. The share B_jk² F_kk / Σ_jj of the factor in the
    instrument's variance tells how little else the hedge brings into the book.

    Parameters
    ----------
    model, contributions
        Of the book.
    candidates
        Symbols of the model.
    """
    place = {symbol: i for i, symbol in enumerate(model.symbols)}
    variances, shares = model_variances(model).tolist(), variance_shares(model)
    found = []
    for k, factor in enumerate(model.factor_names):
        exposure = float(contributions.exposures[k])
        slopes = {symbol: float(model.exposures[place[symbol], k]) for symbol in candidates}
        answering = [symbol for symbol, slope in slopes.items() if abs(slope) > NOTHING]
        best = max(answering, key=lambda symbol: shares[place[symbol], k], default=None)
        found.append(_hedge(factor, "factor", exposure, best, slopes, model, contributions, variances))
    return tuple(found)


def currency_hedges(
    currencies: Iterable[CurrencyExposure],
    account: str,
    profiles: Mapping[str, AssetFactorProfile],
    model: FactorModel,
    contributions: FactorContributions,
    candidates: Sequence[str],
) -> tuple[Hedge, ...]:
    """Return, for each currency but the account's, the hedge with a pair: one with the account's, else any.

    Only a pair with the account currency neutralises without opening another. Of several the quietest is taken.
    """
    variances = model_variances(model).tolist()
    place = {symbol: i for i, symbol in enumerate(model.symbols)}
    found = []
    for currency in currencies:
        if currency.currency == account:
            continue
        legs = {s: currency_legs(profiles[s]) for s in candidates if profiles[s].instrument.base_currency is not None}
        slopes = {s: leg[currency.currency] for s, leg in legs.items() if currency.currency in leg}
        direct = [s for s in slopes if account in legs[s]]
        best = min(direct or slopes, key=lambda symbol: variances[place[symbol]], default=None)
        hedge = _hedge(currency.currency, "currency", currency.net, best, slopes, model, contributions, variances)
        if hedge.instrument is not None and hedge.instrument not in direct:
            (other,) = set(legs[hedge.instrument]) - {currency.currency}
            hedge = replace(hedge, opens=other, opens_reason=None)
        found.append(hedge)
    return tuple(found)


def variance_shares(model: FactorModel) -> Matrix:
    """Return B_ik² F_kk / Σ_ii (n_assets, n_factors): how much of an instrument's variance one factor makes alone."""
    alone: Matrix = model.exposures**2 * np.diagonal(model.factor_covariance)
    total = model_variances(model)[:, None]
    shares: Matrix = np.divide(alone, total, out=np.zeros_like(alone), where=total > 0.0)
    return shares


def _hedge(
    against: str,
    kind: str,
    exposure: float,
    symbol: str | None,
    slopes: Mapping[str, float],
    model: FactorModel,
    contributions: FactorContributions,
    variances: Sequence[float],
) -> Hedge:
    """Return the hedge with one candidate: σ² + 2h(Σw)_j + h²Σ_jj is the variance that it leaves."""
    if abs(exposure) <= NOTHING:
        return _without(against, kind, exposure, "the exposure is nil")
    if symbol is None:
        return _without(against, kind, exposure, f"no candidate answers to {against}; name one with --hedge-with")
    j, change = model.symbols.index(symbol), -exposure / slopes[symbol]
    product = float(contributions.marginals[j]) * contributions.volatility
    variance = max(contributions.variance + 2.0 * change * product + change * change * variances[j], 0.0)
    return Hedge(
        against=against, kind=kind, exposure=exposure, instrument=symbol, change=change,
        variance_left=variance / contributions.variance, volatility=sqrt(variance),
    )  # fmt: skip


def _without(against: str, kind: str, exposure: float, reason: str) -> Hedge:
    return Hedge(
        against=against, kind=kind, exposure=exposure, instrument=None, instrument_reason=reason, change=None,
        change_reason=reason, variance_left=None, variance_left_reason=reason, volatility=None,
        volatility_reason=reason,
    )  # fmt: skip
