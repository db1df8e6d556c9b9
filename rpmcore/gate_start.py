"""From a book, prices and settings to what a gate starts from."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np

from rpmcore.adapters.configuration.loading import Settings
from rpmcore.adapters.platform_fingerprint import platform_fingerprint
from rpmcore.adapters.tables.prices import open_prices
from rpmcore.controls.command_time import close_time
from rpmcore.decision.genesis import Genesis
from rpmcore.domain import reference
from rpmcore.domain.errors import InputError
from rpmcore.domain.portfolio import Book
from rpmcore.domain.prices import PriceHistory
from rpmcore.inputs import SAMPLE_PRICES, asset_database, book_inputs
from rpmcore.risk.currencies import Leg
from rpmcore.risk.sizing.exact import exact
from rpmcore.risk.valuation import BookInputs


def gate_prices(prices: Any) -> PriceHistory:
    """Return every price of a file or table, the sample's if None.

    Raises
    ------
    InputError
        If it cannot be read, or its rows are nearer than a day apart.
    """
    if isinstance(prices, PriceHistory):
        return prices
    source = open_prices(reference.sample_path(SAMPLE_PRICES) if prices is None else prices)
    found = source.read(source.symbols)
    if found.intraday:
        raise InputError(
            "a gate measures risk by the day, but rows are nearer than a day apart", source=found.path,
            remedy="give daily closes; quotes within the day reach it as they come",
        )  # fmt: skip
    return found


def genesis_of(
    book: Any,
    prices: PriceHistory,
    settings: Settings,
    *,
    as_of: date | None = None,
    capital: float | None = None,
    base_currency: str | None = None,
    assets: Any = None,
    strategies: Mapping[str, float] | None = None,
    before: date | None = None,
) -> Genesis:
    """Return what a gate starts from: everything with prices and a known profile may be traded.

    Parameters
    ----------
    book
        What is held, with the strategies that hold it; see `rpmcore.api.evaluate`.
    prices
        Of `gate_prices`; those after `as_of` are not looked at.
    as_of, before
        The day whose closes are the last that are known; the book's own, else the last one before `before`, else that
        of the last price.
    capital, base_currency, assets, settings
        As in `rpmcore.api.evaluate`.
    strategies
        Capital by strategy, in account currency, of strategies that hold nothing yet or whose capital is known; the
        others of the book share what is left alike.

    Raises
    ------
    InputError
        If the book cannot be used, it names no capital or no strategy, or a strategy is left without capital.
    """
    beside = _tradable(prices, assets)
    inputs = book_inputs(
        book, prices, settings, capital=capital, base_currency=base_currency, as_of=as_of, assets=assets,
        if_there=beside,
    )  # fmt: skip
    if inputs.book.capital is None:
        raise InputError(
            "the capital is not known, and every limit is a part of it", source=inputs.book.name,
            remedy="give --capital, or rpm.capital in the book's metadata",
        )  # fmt: skip
    day = inputs.as_of
    if day is None and before is not None:
        day = before - timedelta(days=1)
    known = prices.dates if day is None else prices.dates[prices.dates <= np.datetime64(day, "D")]
    if not len(known):
        raise InputError(f"there is no price up to {day}", source=prices.path, remedy="give more history")
    rows = len(known)
    last_day: date = known[-1].item()
    legs = {leg.symbol for way in inputs.ways.values() for leg in way}
    symbols = tuple(s for s in prices.symbols if s in inputs.known or s in legs)
    columns = [prices.symbols.index(s) for s in symbols]
    closes = prices.closes[:rows, columns]
    last = _last(symbols, known, closes)
    first = max(rows - settings.gate.starting_history, 0)
    return Genesis(
        at=close_time(last_day),
        settings=settings.of_decisions,
        config_digest=settings.digest,
        account=inputs.account,
        equity=float(inputs.book.capital),
        strategies=_capital(inputs.book, float(inputs.book.capital), dict(strategies or {})),
        positions=_positions(inputs, {symbol: price for symbol, price, _ in last}),
        profiles=inputs.known,
        ways=inputs.ways,
        adv={h.symbol: h.adv for h in inputs.book.holdings if h.adv is not None},
        spread_bps={h.symbol: h.spread_bps for h in inputs.book.holdings if h.spread_bps is not None},
        days=tuple(str(d) for d in known[first:]),
        symbols=symbols,
        closes=tuple(tuple(None if price != price else price for price in row) for row in closes[first:].tolist()),
        last=last,
        platform=platform_fingerprint(),
    )


def _tradable(prices: PriceHistory, assets: Any) -> list[str]:
    database = asset_database(assets)
    return [s for s in prices.symbols if database.resolve(s).origin != "unknown"]


def _last(symbols: tuple[str, ...], days: Any, closes: Any) -> tuple[tuple[str, float, int], ...]:
    """Return the last close of each symbol and when it was known."""
    found = []
    for column, symbol in enumerate(symbols):
        there = np.flatnonzero(np.isfinite(closes[:, column]))
        if len(there):
            row = int(there[-1])
            found.append((symbol, float(closes[row, column]), close_time(days[row].item())))
    return tuple(found)


def _capital(book: Book, capital: float, given: dict[str, float]) -> dict[str, float]:
    names = [*dict.fromkeys(h.strategy_id for h in book.holdings if h.strategy_id is not None)]
    without = [name for name in names if name not in given]
    left = capital - sum(given.values())
    if without and left <= 0.0:
        raise InputError(
            f"no capital is left for {', '.join(without)}", source=book.name, column="strategy_id",
            remedy="give less to the others, or name the capital of each",
        )  # fmt: skip
    if not names and not given:
        raise InputError(
            "no strategy is named, and only those who are may trade", source=book.name, column="strategy_id",
            remedy="add a column strategy_id, or name the capital of each strategy",
        )  # fmt: skip
    return {**given, **{name: left / len(without) for name in without}}


UNNAMED = "unassigned"
"""The holder of what no strategy holds; nobody trades in its name."""


def _positions(inputs: BookInputs, last: Mapping[str, float]) -> tuple[tuple[str, str, str], ...]:
    """Return signed quantities; what is given as a value or weight becomes one at the last close."""
    found = []
    for holding in inputs.book.holdings:
        quantity = holding.size
        if inputs.book.sizing != "quantity":
            value = holding.size * (inputs.book.capital or 0.0) if inputs.book.sizing == "weight" else holding.size
            quantity = value / _unit_value(inputs, holding.symbol, last)
        if quantity:
            found.append((holding.strategy_id or UNNAMED, holding.symbol, format(exact(float(quantity)), "f")))
    return tuple(found)


def _unit_value(inputs: BookInputs, symbol: str, last: Mapping[str, float]) -> float:
    instrument = inputs.known[symbol].instrument
    if instrument.base_currency == inputs.account:
        return instrument.contract_size
    total = instrument.contract_size * last[symbol]
    for leg in inputs.ways[symbol]:
        total = _step(total, leg, last[leg.symbol])
    return total


def _step(total: float, leg: Leg, price: float) -> float:
    return total / price if leg.divide else total * price
