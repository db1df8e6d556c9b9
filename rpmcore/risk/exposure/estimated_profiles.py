"""Profiles of instruments of which nothing is known, estimated from their prices."""

from collections.abc import Mapping, Sequence

import numpy as np

from rpmcore.domain.errors import InsufficientData
from rpmcore.domain.factor_profiles import AssetFactorProfile, Loading, profile_of
from rpmcore.domain.prices import PriceHistory
from rpmcore.risk.regression import regress
from rpmcore.risk.settings import RiskSettings


def with_estimated_betas(
    profiles: Mapping[str, AssetFactorProfile],
    symbols: Sequence[str],
    history: PriceHistory,
    settings: RiskSettings,
) -> dict[str, AssetFactorProfile]:
    """Return `profiles` in which the betas of `symbols` are slopes on the return of the market, marked as estimated.

    The slope is that of the price in its own currency, as in the reference data. What else the profiles lack stays
    neutral: there is nothing to estimate it from.

    Parameters
    ----------
    profiles
        By symbol.
    symbols
        Those whose beta is not known.
    history
        Prices of `symbols` and of the market that the settings name.
    settings
        The sections ``factors`` and ``data``.

    Raises
    ------
    InsufficientData
        If an instrument has too few prices on days that the market has.
    InvalidArgument
        If the market does not move.
    """
    wanted, days = settings.factors, settings.data.return_days
    market = history.closes[:, history.symbols.index(wanted.market)]
    completed = dict(profiles)
    for symbol in symbols:
        closes = np.column_stack([history.closes[:, history.symbols.index(symbol)], market])
        common = closes[np.isfinite(closes).all(axis=1)][-(wanted.lookback + days) :]
        if len(common) - days < wanted.minimum:
            raise InsufficientData(
                f"{history.path}: {max(len(common) - days, 0)} return(s) of {symbol!r} on days that {wanted.market} "
                f"has, but at least {wanted.minimum} are needed to estimate its beta. Give more history, or a profile"
            )
        returns = common[days:] / common[:-days] - 1.0
        fit = regress(returns[:, :1], returns[:, 1:], factor_names=(wanted.market,), decay=wanted.decay)
        loadings = {**profiles[symbol].loadings, "beta": Loading(value=float(fit.betas[0, 0]), source="estimated")}
        completed[symbol] = profile_of(profiles[symbol].instrument, loadings, "estimated")
    return completed
