"""Exposure of a book to factors, sectors and currencies, held against limits."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from rpmcore.domain.asset_factor_database import AssetFactorDatabase
from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.domain.factor_profiles import AssetFactorProfile
from rpmcore.domain.settings import changed
from rpmcore.risk.exposure import limits as exposure_limits
from rpmcore.risk.exposure.cures import Breach, breaches, told
from rpmcore.risk.exposure.diversity import Diversification, diversification
from rpmcore.risk.exposure.positions import (
    CurrencyExposure,
    ProfileExposure,
    SectorExposure,
    currency_exposures,
    profile_exposures,
    sector_exposures,
)
from rpmcore.risk.factor_model import FactorContributions, FactorModel, factor_contributions
from rpmcore.risk.limits import LimitCheck
from rpmcore.risk.settings import LimitsSettings


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExposureMetrics:
    """Where a book stands; every exposure is a fraction of capital.

    Attributes
    ----------
    weights
        Signed market value / capital of every instrument that is held.
    factors
        Exposure to each factor of the profiles.
    sectors, currencies
        Positions by sector, and legs by currency.
    contributions
        Exposure to the factors of a risk model and their shares of the variance; None without a model.
    diversification
        How many bets the book holds.
    limits
        One verdict a limit, on its worst measure.
    breaches
        Every measure above its limit, with the smallest trade that cures it.
    """

    weights: Mapping[str, float]
    factors: tuple[ProfileExposure, ...]
    sectors: tuple[SectorExposure, ...]
    currencies: tuple[CurrencyExposure, ...]
    contributions: FactorContributions | None
    diversification: Diversification
    limits: tuple[LimitCheck, ...]
    breaches: tuple[Breach, ...]


class FactorExposureCalculator:
    """Exposures of a book and the verdicts on them: sector 40 %, beta 2.0, total factor exposure 3.0.

    Parameters
    ----------
    database
        Profiles; the reference data if None.
    settings
        The section ``limits``.
    account_currency
        ISO code; this currency has no limit.
    **changes
        Single limits by name, such as ``sector=0.30``.

    Raises
    ------
    ConfigurationError
        If a change is unknown or out of its range.
    """

    def __init__(
        self,
        database: AssetFactorDatabase | None = None,
        settings: LimitsSettings | None = None,
        *,
        account_currency: str = "USD",
        **changes: Any,
    ) -> None:
        self.database = AssetFactorDatabase() if database is None else database
        self.settings = changed(settings or LimitsSettings(), changes)
        self.account_currency = account_currency

    def calculate_portfolio_exposure(
        self,
        positions: Mapping[str, float],
        *,
        capital: float | None = None,
        model: FactorModel | None = None,
        profiles: Mapping[str, AssetFactorProfile] | None = None,
    ) -> ExposureMetrics:
        """Return exposures, diversification, limits and the cures of breaches.

        Parameters
        ----------
        positions
            Signed market value in account currency by symbol; weights, if `capital` is None. Of a currency pair it is
            the value of the base currency.
        capital
            In account currency, > 0.
        model
            Gives the shares of factors in the variance; its symbols must hold every position.
        profiles
            In place of the database, for a book that says more of its instruments than the database does.

        Raises
        ------
        InvalidArgument
            If nothing is known of a symbol, the model lacks one, or a number is not finite.
        """
        weights = _weights(positions, capital)
        known = {s: self.database.profile(s) for s in weights} if profiles is None else profiles
        factors = profile_exposures(weights, known)
        sectors = sector_exposures(weights, known)
        currencies = currency_exposures(weights, known)
        found = exposure_limits.measures(
            weights, known, self.account_currency, self.settings, factors, sectors, currencies
        )
        contributions = None if model is None else _contributions(weights, model)
        return ExposureMetrics(
            weights=weights,
            factors=factors,
            sectors=sectors,
            currencies=currencies,
            contributions=contributions,
            diversification=diversification(weights, model, contributions),
            limits=exposure_limits.checks(found, self.settings),
            breaches=breaches(found, weights),
        )

    def check_exposure_limits(self, metrics: ExposureMetrics) -> tuple[bool, str]:
        """Return whether every limit holds, and the reason in words: each breach and its cure, or what is closest."""
        if metrics.breaches:
            return False, "; ".join(told(breach) for breach in metrics.breaches)
        used = [check for check in metrics.limits if check.utilisation is not None]
        if not used:
            return True, "no exposure has a limit"
        closest = max(used, key=lambda check: check.utilisation or 0.0)
        return True, f"all limits hold; {closest.name} uses {closest.utilisation:.0%} of its limit"


def _weights(positions: Mapping[str, float], capital: float | None) -> dict[str, float]:
    if capital is not None and not (isfinite(capital) and capital > 0.0):
        raise InvalidArgument(f"capital must be a positive number, but is {capital!r}")
    for symbol, value in positions.items():
        if not isfinite(value):
            raise InvalidArgument(f"the position in {symbol!r} must be finite, but is {value!r}")
    return {s: float(v) / (1.0 if capital is None else capital) for s, v in positions.items() if v != 0.0}


def _contributions(weights: Mapping[str, float], model: FactorModel) -> FactorContributions | None:
    place = {symbol: i for i, symbol in enumerate(model.symbols)}
    absent = [symbol for symbol in weights if symbol not in place]
    if absent:
        raise InvalidArgument(f"the factor model has no exposures of {absent[0]!r}")
    held = np.zeros(len(model.symbols))
    for symbol, weight in weights.items():
        held[place[symbol]] = weight
    try:
        return factor_contributions(held, model)
    except Undefined:
        return None  # a book without variance has no shares of it
