"""Prices of a book's instruments in the window of a crisis, with proxies for those that were not traded then."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from rpmcore.domain.arrays import Matrix, Vector
from rpmcore.domain.crises import Crisis, Window
from rpmcore.domain.errors import InputError
from rpmcore.domain.instruments import Instrument, parse_pair
from rpmcore.domain.prices import PriceHistory
from rpmcore.risk.currencies import Leg, conversion, rate
from rpmcore.risk.valuation import BookInputs, day

HISTORY = "history"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WindowPrices:
    """Prices on the days that all instruments have, up to the end of a window.

    Attributes
    ----------
    dates
        (n_rows,).
    start
        Row of the last close before the window; the rows after it are those of the window.
    prices, rates
        (n_rows, n_assets) in the currency of the price, and from it to the account's. Of a proxy only the relative
        changes mean anything.
    pair
        (n_assets,) whether the instrument is a currency pair.
    origins
        For each instrument `HISTORY`, or the proxy in words, such as ``proxy SP500 × beta 1.20``.
    dropped_rows
        Rows of the window that some price needed lacks, but not all.
    missing
        For each price that lacked one of them, how many.
    """

    dates: NDArray[np.datetime64]
    start: int
    prices: Matrix
    rates: Matrix
    pair: NDArray[np.bool_]
    origins: dict[str, str]
    dropped_rows: int
    missing: dict[str, int]


def symbols_for_replay(inputs: BookInputs, available: Iterable[str], market: str) -> tuple[str, ...]:
    """Return what to read from a price file for a replay: what is held, what converts it, and what proxies need.

    Parameters
    ----------
    inputs
        The book.
    available
        Symbols of the price file.
    market
        Symbol of the market, ``factors.market``.
    """
    held = {*inputs.instruments, *(leg.symbol for legs in inputs.ways.values() for leg in legs), market}
    return tuple(symbol for symbol in dict.fromkeys(available) if symbol in held or parse_pair(symbol))


def window_prices(
    history: PriceHistory,
    inputs: BookInputs,
    crisis: Crisis,
    *,
    market: str,
    maximum_gap: int,
    before: int,
) -> WindowPrices:
    """Return the prices of a crisis for the instruments of a book.

    An instrument has history if it has a close at most `maximum_gap` business days before the window, one in it, and
    its last one there at most as far from the last row. One without takes a proxy for all rows: a pair is the product
    of other pairs; what has a market beta moves by beta × the market's return, without risk of its own.

    Parameters
    ----------
    history
        Covers the window; see `symbols_for_replay`.
    inputs
        The book; its own history is not used.
    crisis
        Gives the window.
    market
        Symbol of the market.
    maximum_gap
        In business days.
    before
        Rows to keep before the one at `WindowPrices.start`, as far as there are any.

    Raises
    ------
    InputError
        If the prices do not cover the window, or an instrument has neither history nor proxy there.
    """
    first, end = _span(history, crisis, maximum_gap)
    cut = replace(history, dates=history.dates[:end], closes=history.closes[:end])
    source = _Source(cut, _covered(cut, first, crisis.window, maximum_gap), crisis, market)
    chosen = {symbol: source.price(instrument) for symbol, instrument in inputs.instruments.items()}
    ways = {s: source.way(i, inputs.ways[s], inputs.account) for s, i in inputs.instruments.items()}
    used = dict.fromkeys(
        [s for parts in chosen.values() for s in parts.needed] + [leg.symbol for way in ways.values() for leg in way]
    )
    needed = cut.read(used)
    complete = np.isfinite(needed.closes).all(axis=1)
    rows = np.flatnonzero(complete)
    place = int(np.searchsorted(rows, first)) - 1
    _check_common(cut, crisis, rows, place, maximum_gap)
    lacking = ~np.isfinite(needed.closes[rows[place] + 1 :])
    # On a day without any price of the book nothing of it is lost: other instruments of the file trade on it.
    lacking &= ~lacking.all(axis=1, keepdims=True)
    kept = rows[max(0, place - before) :]
    closes = {symbol: needed.closes[kept, i] for i, symbol in enumerate(needed.symbols)}
    conversions = {way: rate(way, closes, len(kept)) for way in set(ways.values())}
    return WindowPrices(
        dates=cut.dates[kept],
        start=min(place, before),
        prices=np.column_stack([parts.prices(closes, len(kept), cut.path) for parts in chosen.values()]),
        rates=np.column_stack([conversions[ways[symbol]] for symbol in chosen]),
        pair=np.array([instrument.base_currency is not None for instrument in inputs.instruments.values()]),
        origins={s: parts.origin + _other_way(ways[s], tuple(inputs.ways[s])) for s, parts in chosen.items()},
        dropped_rows=int(lacking.any(axis=1).sum()),
        missing={s: int(n) for s, n in zip(needed.symbols, lacking.sum(axis=0), strict=True) if n},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What the price of one instrument is made of: pairs multiplied or divided, or the market by a beta."""

    symbol: str
    legs: tuple[Leg, ...] = ()
    beta: float | None = None
    market: str = ""
    origin: str = HISTORY

    @property
    def needed(self) -> tuple[str, ...]:
        return (self.market,) if self.beta is not None else tuple(leg.symbol for leg in self.legs)

    def prices(self, closes: Mapping[str, Vector], n_rows: int, source: str) -> Vector:
        if self.beta is None:
            return rate(self.legs, closes, n_rows)
        market = closes[self.market]
        relatives = 1.0 + self.beta * (market[1:] / market[:-1] - 1.0)
        if n_rows > 1 and relatives.min() <= 0.0:
            raise InputError(
                f"a beta of {self.beta:g} takes the price below zero when {self.market} returns "
                f"{float((market[1:] / market[:-1] - 1.0)[relatives.argmin()]):.2%}",
                source=source, symbol=self.symbol, remedy="add prices of it, or correct its beta",
            )  # fmt: skip
        return np.concatenate(([1.0], np.cumprod(relatives)))


@dataclass(frozen=True, slots=True)
class _Source:
    """A history that ends with the window, and which of its symbols have prices there."""

    history: PriceHistory
    covered: frozenset[str]
    crisis: Crisis
    market: str

    @property
    def pairs(self) -> dict[str, tuple[str, str]]:
        return {s: pair for s in self.history.symbols if s in self.covered and (pair := parse_pair(s))}

    def price(self, instrument: Instrument) -> _Parts:
        symbol = instrument.symbol
        if symbol in self.covered:
            return _Parts(symbol=symbol, legs=(Leg(symbol, divide=False),))
        if instrument.base_currency is not None:
            legs = conversion(instrument.base_currency, instrument.currency, self.pairs)
            if legs is None:
                self.refuse(symbol, f"no pairs that lead from {instrument.base_currency} to {instrument.currency}")
            return _Parts(symbol=symbol, legs=legs, origin=f"proxy {_words(legs)}")
        if instrument.beta is None:
            self.refuse(symbol, "no market beta of it is known")
        if self.market not in self.covered:
            self.refuse(symbol, f"none of the market, {self.market}, either")
        origin = f"proxy {self.market} × beta {instrument.beta:.2f}"
        return _Parts(symbol=symbol, beta=instrument.beta, market=self.market, origin=origin)

    def way(self, instrument: Instrument, usual: Sequence[Leg], account: str) -> tuple[Leg, ...]:
        if all(leg.symbol in self.covered for leg in usual):
            return tuple(usual)
        legs = conversion(instrument.currency, account, self.pairs)
        if legs is None:
            self.refuse(instrument.symbol, f"no pairs that lead from {instrument.currency} to {account}")
        return legs

    def refuse(self, symbol: str, why: str) -> NoReturn:
        window, there = self.crisis.window, ""
        if symbol in self.history.symbols:
            present = self.history.dates[np.isfinite(self.history.closes[:, self.history.symbols.index(symbol)])]
            there = f" (until then they hold {len(present)} closes of it{_span_words(present)})"
        raise InputError(
            f"there are no prices to replay {self.crisis.name}, {window.start} to {window.end}, with{there}, and "
            f"nothing to stand for them: {why}",
            source=self.history.path, symbol=symbol,
            remedy="add prices of those days, or leave it out of the book",
        )  # fmt: skip


def _span(history: PriceHistory, crisis: Crisis, maximum_gap: int) -> tuple[int, int]:
    """Return the first row of the window and the one after its last."""
    window, dates = crisis.window, history.dates
    first = int(np.searchsorted(dates, np.datetime64(window.start, "D")))
    end = int(np.searchsorted(dates, np.datetime64(window.end, "D") + np.timedelta64(1, "D")))
    if 0 < first == end < len(dates):
        raise InputError(
            f"no day with prices lies in the window of {crisis.name}, {window.start} to {window.end}: the nearest are "
            f"{day(dates[first - 1])} and {day(dates[first])}",
            source=history.path,
            remedy="give a window with a trading day, or prices of its days",
        )
    if (
        first == 0
        or first == end
        or _business_days(dates[first - 1], window.start) > maximum_gap
        or _business_days(dates[end - 1], window.end) > maximum_gap
    ):
        raise InputError(
            f"the prices do not cover {crisis.name}, {window.start} to {window.end} and the close before: they run "
            f"from {day(dates[0])} to {day(dates[-1])}",
            source=history.path,
            remedy="give prices of those days, or leave the replay of this crisis out",
        )
    return first, end


def _covered(cut: PriceHistory, first: int, window: Window, maximum_gap: int) -> frozenset[str]:
    found = set()
    for i, symbol in enumerate(cut.symbols):
        rows = np.flatnonzero(np.isfinite(cut.closes[:, i]))
        earlier = int(np.searchsorted(rows, first))
        if 0 < earlier < len(rows):
            gap_before = _business_days(cut.dates[rows[earlier - 1]], window.start)
            gap_after = _business_days(cut.dates[rows[-1]], cut.dates[-1])
            if max(gap_before, gap_after) <= maximum_gap:
                found.add(symbol)
    return frozenset(found)


def _check_common(cut: PriceHistory, crisis: Crisis, rows: NDArray[np.intp], place: int, maximum_gap: int) -> None:
    window = crisis.window
    if (
        place < 0
        or place == len(rows) - 1
        or _business_days(cut.dates[rows[place]], window.start) > maximum_gap
        or _business_days(cut.dates[rows[-1]], cut.dates[-1]) > maximum_gap
    ):
        raise InputError(
            f"the instruments of the book have too few days in common to replay {crisis.name}, {window.start} to "
            f"{window.end}",
            source=cut.path,
            remedy="give prices on common dates, or leave the replay of this crisis out",
        )


def _business_days(early: object, late: object) -> int:
    begin, end = np.datetime64(early, "D"), np.datetime64(late, "D")  # type: ignore[call-overload]
    return int(np.busday_count(begin, end))


def _words(legs: Sequence[Leg]) -> str:
    text = "".join(f" {'÷' if leg.divide else '×'} {leg.symbol}" for leg in legs)
    return text.removeprefix(" × ") if text.startswith(" ×") else f"1{text}"


def _other_way(way: tuple[Leg, ...], usual: tuple[Leg, ...]) -> str:
    return "" if way == usual else f", converted by {_words(way)}"


def _span_words(dates: NDArray[np.datetime64]) -> str:
    return f", {day(dates[0])} to {day(dates[-1])}" if len(dates) else ""
