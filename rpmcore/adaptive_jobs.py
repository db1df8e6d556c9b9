"""The jobs on limits that adapt: today's limits, and the regime of the market."""

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from rpmcore.adapters.configuration.loading import Settings, settings_or_defaults
from rpmcore.adapters.tables.given import Given, GivenBook, GivenPrices
from rpmcore.inputs import book_inputs

if TYPE_CHECKING:
    from rpmcore.controls.limits_report import LimitsReport, RegimeReport
    from rpmcore.risk.valuation import BookInputs


def limits(
    book: GivenBook | None = None,
    prices: GivenPrices | None = None,
    *,
    settings: Settings | None = None,
    capital: float | None = None,
    base_currency: str | None = None,
    as_of: date | None = None,
    assets: Given | None = None,
) -> "LimitsReport":
    """Return the limits for the day after the last close with their derivation, and the book held against them.

    Parameters
    ----------
    book, prices, settings, capital, base_currency, as_of, assets
        As in `rpmcore.api.evaluate`; the section ``adaptive`` says what adapts and how.

    Raises
    ------
    InputError
        As in `rpmcore.api.evaluate`; and if rows are nearer than a day apart, or a market that the settings name has
        no prices.
    InsufficientData
        If there are fewer than 30 returns.
    """
    chosen = settings_or_defaults(settings, Settings)
    inputs = _inputs(book, prices, chosen, capital, base_currency, as_of, assets)
    from rpmcore.controls.limits_study import measure_limits

    return replace(measure_limits(inputs, chosen, chosen.adaptive), config_digest=chosen.digest)


def regime(
    book: GivenBook | None = None,
    prices: GivenPrices | None = None,
    *,
    history: bool = False,
    settings: Settings | None = None,
    capital: float | None = None,
    base_currency: str | None = None,
    as_of: date | None = None,
    assets: Given | None = None,
) -> "RegimeReport":
    """Return the regime of the market behind a book after the last close, with its evidence.

    Parameters
    ----------
    book, prices, settings, capital, base_currency, as_of, assets
        As in `limits`.
    history
        Whether the regimes of all days before are wanted too.

    Raises
    ------
    InputError, InsufficientData
        As in `limits`.
    """
    chosen = settings_or_defaults(settings, Settings)
    inputs = _inputs(book, prices, chosen, capital, base_currency, as_of, assets)
    from rpmcore.controls.limits_study import measure_regime

    found = measure_regime(inputs, chosen, chosen.adaptive, history=history)
    return replace(found, config_digest=chosen.digest)


def _inputs(
    book: GivenBook | None,
    prices: GivenPrices | None,
    settings: Settings,
    capital: float | None,
    base_currency: str | None,
    as_of: date | None,
    assets: Given | None,
) -> "BookInputs":
    market = settings.factors.market
    named = "market" in settings.factors.model_fields_set  # who names a market does not mean another
    return book_inputs(
        book,
        prices,
        settings,
        capital=capital,
        base_currency=base_currency,
        as_of=as_of,
        assets=assets,
        beside=(market,) if named else (),
        if_there=() if named else (market,),
    )
