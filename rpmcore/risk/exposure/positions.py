"""What a book holds, summed by instrument, by sector, by currency and by the factors of the profiles.

Every figure is a fraction of capital at today's prices: a weight, or a weight times a loading.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from rpmcore.domain.factor_profiles import EQUITY_FACTORS, FACTORS, AssetFactorProfile

UNCLASSIFIED = "Unclassified"
"""The sector of instruments whose sector nobody named."""

NO_BETA_REMEDY = "give profiles with --assets, or have them estimated with --estimate"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileExposure:
    """What the loadings of the profiles add up to on one factor.

    Attributes
    ----------
    name, group
        Of `rpmcore.domain.factor_profiles.FACTORS`, and ``equity factor`` or ``macro theme``.
    exposure
        Σ w_i × loading_i; None, with the reason, where a loading is not known.
    neutral
        Held instruments whose loading was never measured and counts as zero.
    """

    name: str
    group: str
    exposure: float | None
    exposure_reason: str | None = None
    neutral: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SectorExposure:
    """The positions in one sector: `net` = `long` − `short`, `gross` = `long` + `short`."""

    sector: str
    net: float
    gross: float
    long: float
    short: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyExposure:
    """What one currency is worth to the book.

    Attributes
    ----------
    currency
        ISO code.
    assets
        Signed value of the holdings that are priced in it, pairs apart.
    base_legs, quote_legs
        Signed value of the currency bought and sold by pairs: long EURUSD is long EUR and short as much USD.
    net, gross
        The sum of the three, and the sum of the absolute legs of every instrument. Cash is not in a book, so the
        account currency's own line is what trades in it, not its balance.
    """

    currency: str
    assets: float
    base_legs: float
    quote_legs: float
    net: float
    gross: float


def profile_exposures(
    weights: Mapping[str, float], profiles: Mapping[str, AssetFactorProfile]
) -> tuple[ProfileExposure, ...]:
    """Return the exposure to every factor of the profiles, in the order of `FACTORS`.

    Parameters
    ----------
    weights
        Signed market value / capital by symbol.
    profiles
        By symbol, for at least these symbols.
    """
    held = {symbol: weight for symbol, weight in weights.items() if weight != 0.0}
    found = []
    for name in FACTORS:
        loadings = {symbol: profiles[symbol].loadings.get(name) for symbol in held}
        unknown = [symbol for symbol, loading in loadings.items() if loading is None]
        group = "equity factor" if name in EQUITY_FACTORS else "macro theme"
        if unknown:
            found.append(ProfileExposure(name=name, group=group, exposure=None, exposure_reason=unknown_beta(unknown)))
            continue
        found.append(
            ProfileExposure(
                name=name,
                group=group,
                exposure=sum(held[symbol] * loading.value for symbol, loading in loadings.items() if loading),
                neutral=tuple(
                    symbol for symbol, loading in loadings.items() if loading and loading.source == "neutral"
                ),
            )
        )
    return tuple(found)


def unknown_beta(symbols: list[str], most: int = 8) -> str:
    """Say whose beta is missing, and what to do about it."""
    more = f" and {len(symbols) - most} more" if len(symbols) > most else ""
    return f"no market beta is known for {', '.join(symbols[:most])}{more}; {NO_BETA_REMEDY}"


def sector_exposures(
    weights: Mapping[str, float], profiles: Mapping[str, AssetFactorProfile]
) -> tuple[SectorExposure, ...]:
    """Return the positions by sector, the largest gross exposure first; arguments as in `profile_exposures`."""
    long: dict[str, float] = {}
    short: dict[str, float] = {}
    for symbol, weight in weights.items():
        sector = profiles[symbol].instrument.sector or UNCLASSIFIED
        long[sector] = long.get(sector, 0.0) + max(weight, 0.0)
        short[sector] = short.get(sector, 0.0) + max(-weight, 0.0)
    found = [
        SectorExposure(
            sector=sector,
            net=long[sector] - short[sector],
            gross=long[sector] + short[sector],
            long=long[sector],
            short=short[sector],
        )
        for sector in long
    ]
    return tuple(sorted(found, key=lambda s: (-s.gross, s.sector)))


def currency_legs(profile: AssetFactorProfile) -> dict[str, float]:
    """Return what a position of one in an instrument is worth in each currency: 1 in its own; of a pair, 1 and −1."""
    instrument = profile.instrument
    if instrument.base_currency is None:
        return {instrument.currency: 1.0}
    return {instrument.base_currency: 1.0, instrument.currency: -1.0}


def currency_exposures(
    weights: Mapping[str, float], profiles: Mapping[str, AssetFactorProfile]
) -> tuple[CurrencyExposure, ...]:
    """Return the legs by currency, the largest absolute net first; arguments as in `profile_exposures`.

    To first order: the profit of a pair is made in its quote currency and stays a part of that leg.
    """
    assets: dict[str, float] = {}
    base: dict[str, float] = {}
    quote: dict[str, float] = {}
    gross: dict[str, float] = {}
    for symbol, weight in weights.items():
        profile = profiles[symbol]
        pair = profile.instrument.base_currency is not None
        for currency, leg in currency_legs(profile).items():
            part = assets if not pair else base if leg > 0.0 else quote
            part[currency] = part.get(currency, 0.0) + leg * weight
            gross[currency] = gross.get(currency, 0.0) + abs(weight)
    found = [
        CurrencyExposure(
            currency=currency,
            assets=assets.get(currency, 0.0),
            base_legs=base.get(currency, 0.0),
            quote_legs=quote.get(currency, 0.0),
            net=assets.get(currency, 0.0) + base.get(currency, 0.0) + quote.get(currency, 0.0),
            gross=gross[currency],
        )
        for currency in gross
    ]
    return tuple(sorted(found, key=lambda c: (-abs(c.net), c.currency)))
