"""What an asset answers to: its loadings on equity factors and macro themes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, get_args

from rpmcore.domain.instruments import Instrument

EQUITY_FACTORS = ("beta", "momentum", "value", "size", "volatility", "quality")
"""Slopes on the return of the market, and on the excess return of a style over it."""

MACRO_THEMES = ("risk_on", "rates", "commodities", "usd")
"""Slopes on the return of what stands for a theme: appetite for risk, bonds, commodities, the US dollar."""

FACTORS = EQUITY_FACTORS + MACRO_THEMES

LoadingSource = Literal["estimated", "definition", "decomposed", "given", "neutral"]
"""Where a loading comes from; ``neutral`` is a zero that stands for what was not measured."""
LOADING_SOURCES: tuple[LoadingSource, ...] = get_args(LoadingSource)

Origin = Literal["reference", "given", "decomposed", "estimated", "unknown"]
"""Where a profile comes from: the reference data, a desk's file, the codes of a pair, a regression, or nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """Change of the asset's return for a unit of the factor's, and where the number comes from."""

    value: float
    source: LoadingSource


NEUTRAL = Loading(value=0.0, source="neutral")
BY_DEFINITION = Loading(value=0.0, source="definition")


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetFactorProfile:
    """An instrument and what moves it.

    Attributes
    ----------
    instrument
        Sector, currencies, contract size, lot step and clock; its `beta` is that of `loadings`.
    loadings
        By factor, of `FACTORS`. Only ``beta`` may be absent: no other number stands for an unknown one. What else was
        not measured is `NEUTRAL`.
    origin
        Where the profile comes from.
    """

    instrument: Instrument
    loadings: Mapping[str, Loading]
    origin: Origin

    @property
    def neutral(self) -> tuple[str, ...]:
        """The factors on which nothing was measured."""
        return tuple(name for name, loading in self.loadings.items() if loading.source == "neutral")


def profile_of(instrument: Instrument, loadings: Mapping[str, Loading], origin: Origin) -> AssetFactorProfile:
    """Return a profile in which every factor but beta has a loading, and the instrument the beta of the loadings."""
    complete = {name: loadings.get(name, NEUTRAL) for name in FACTORS if name != "beta" or "beta" in loadings}
    beta = loadings["beta"].value if "beta" in loadings else None
    return AssetFactorProfile(
        instrument=replace(instrument, beta=beta), loadings=MappingProxyType(complete), origin=origin
    )


def decomposed(instrument: Instrument, known: Mapping[str, AssetFactorProfile]) -> AssetFactorProfile:
    """Return the profile of a currency pair from those of its two currencies against the US dollar.

    To first order the return of BASEQUOTE is that of BASEUSD less that of QUOTEUSD, and so are its loadings. Where a
    currency is not known, beta stays unknown and the themes neutral.

    Parameters
    ----------
    instrument
        A pair.
    known
        Profiles by symbol, among them pairs with the US dollar.
    """
    base, quote = str(instrument.base_currency), instrument.currency
    loadings = {name: BY_DEFINITION for name in EQUITY_FACTORS if name != "beta"}
    loadings["usd"] = Loading(value=float(base == "USD") - float(quote == "USD"), source="definition")
    for name in ("beta", "risk_on", "rates", "commodities"):
        long, short = _against_dollar(base, name, known), _against_dollar(quote, name, known)
        if long is not None and short is not None:
            loadings[name] = Loading(value=long - short, source="decomposed")
    return profile_of(instrument, loadings, "decomposed")


def _against_dollar(currency: str, factor: str, known: Mapping[str, AssetFactorProfile]) -> float | None:
    """Return the loading of one unit of a currency in US dollars, or None where it is not measured."""
    if currency == "USD":
        return 0.0
    for symbol, sign in ((f"{currency}USD", 1.0), (f"USD{currency}", -1.0)):
        found = known.get(symbol)
        loading = None if found is None else found.loadings.get(factor)
        if loading is not None and loading.source != "neutral":
            return sign * loading.value
    return None
