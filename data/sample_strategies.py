"""Run three textbook strategies on the sample prices: their signals, their closed trades, and a book to begin with.

After the close of a row each strategy looks back and orders. An order is sent at 07:00 UTC of the next day on which its
instrument has a price, and filled at that close, half the spread and a commission being paid. Stops and exits are seen
on closes and filled in the same way, a row later. The rules are the published ones; nothing was fitted to these prices.
Rules, costs and what is poor about one of them are told in README.md beside this file.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, time
from math import floor
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa

FIRST, LAST = "2015-01-02", "2022-12-28"
CAPITAL = 10_000_000.0
STOP_DEVIATIONS, DEVIATION_ROWS = 3.0, 20
"""Where a stop stands, in standard deviations of so many daily changes: about twice their average true range."""

LARGEST_POSITION = 2_000_000.0
LOT = {True: 1_000, False: 1}
"""Smallest quantity, of a pair and of a share."""

HALF_SPREAD = {
    "EURUSD": 0.25, "GBPUSD": 0.4, "USDJPY": 0.3, "AUDUSD": 0.5, "USDCAD": 0.5, "USDCHF": 0.5, "NZDUSD": 0.9,
    "EURGBP": 0.6, "EURJPY": 0.6, "AAPL": 0.5, "BBY": 1.5, "GE": 1.0, "HD": 1.0, "JNJ": 0.75, "JPM": 0.75, "KO": 1.0,
    "MSFT": 0.5, "PG": 0.75, "UNH": 1.25, "WMT": 0.75, "XOM": 0.75,
}  # fmt: skip
"""Basis points of the value, on each side."""

SIDES = {1: "buy", -1: "sell"}
FIXING = {True: ("Europe/Berlin", time(14, 15)), False: ("America/New_York", time(16))}
"""Where and when closes are fixed, of pairs and of shares."""

SIGNAL_COLUMNS = ("strategy_id", "symbol", "side", "quantity", "entry", "stop", "target", "at", "reduce_only")
TRADE_COLUMNS = (
    "strategy_id", "symbol", "side", "opened_at", "closed_at", "pnl", "quantity", "entry", "exit", "risk", "fees",
)  # fmt: skip

PAIRS = ("EURUSD", "GBPUSD", "USDJPY", "AUDUSD", "USDCAD", "USDCHF", "NZDUSD", "EURGBP", "EURJPY")
SHARES = tuple(symbol for symbol in HALF_SPREAD if symbol not in PAIRS)

# Symbol, shares, sector, average daily volume in USD, full spread in basis points: round figures of the right order.
OPENING = [
    ("JNJ", 5_500, "Health Care", 750e6, 1.5),
    ("KO", 12_000, "Consumer Staples", 600e6, 2.0),
    ("MSFT", 10_000, "Information Technology", 1_300e6, 1.0),
    ("PG", 5_500, "Consumer Staples", 650e6, 1.5),
    ("XOM", 6_000, "Energy", 1_200e6, 1.5),
]


@dataclass(frozen=True)
class Strategy:
    """A rule, what it trades, and what that costs.

    Attributes
    ----------
    wanted
        Of closes, a row and the position held (+1, 0, −1): the position wanted; None keeps what is held.
    commission
        Basis points of the value, on each side.
    risk
        Fraction of capital that is lost at the stop.
    """

    name: str
    symbols: tuple[str, ...]
    wanted: Callable[[pd.DataFrame], Iterator[dict[str, int]]]
    commission: float
    risk: float


def breakout(closes: pd.DataFrame, entry: int = 10, leave: int = 5) -> Iterator[dict[str, int]]:
    """Yield the Turtles' first system (C. Faith, *Way of the Turtle*, 2007), long only and at half its length.

    It buys above the highest close of the last 10 rows, and leaves below the lowest of the last 5. The Turtles took 20
    and 10, which makes fewer than 30 trades in 90 days; shares are bought only, as in C. Wilcox and E. Crittenden,
    "Does trend following work on stocks?", 2005.
    """
    high, low = closes.shift(1).rolling(entry).max(), closes.shift(1).rolling(leave).min()
    held = dict.fromkeys(closes, 0)
    for close, top, bottom in zip(closes.to_numpy(), high.to_numpy(), low.to_numpy(), strict=True):
        for j, symbol in enumerate(closes):
            if close[j] > top[j]:
                held[symbol] = 1
            elif close[j] < bottom[j]:
                held[symbol] = 0
        yield dict(held)


def reversal(closes: pd.DataFrame, rows: int = 5, share: float = 0.25) -> Iterator[dict[str, int]]:
    """Yield the weekly contrarian portfolio (B. Lehmann, "Fads, martingales, and market efficiency", *QJE* 105, 1990).

    Every fifth row it buys the quarter that fell most over the last five and sells the quarter that rose most.
    """
    past, number = closes / closes.shift(rows) - 1.0, round(share * closes.shape[1])
    held = dict.fromkeys(closes, 0)
    for i, row in enumerate(closes.index):
        if i % rows == 0 and past.loc[row].notna().all():
            order = past.loc[row].sort_values(kind="stable").index
            held = dict.fromkeys(closes, 0) | dict.fromkeys(order[:number], 1) | dict.fromkeys(order[-number:], -1)
        yield dict(held)


def crossover(closes: pd.DataFrame, slow: int = 5) -> Iterator[dict[str, int]]:
    """Yield the moving-average rule of W. Brock, J. Lakonishok and B. LeBaron (*Journal of Finance* 47, 1992), hurried.

    Long while the close is above its mean, short below. They used means of 50 to 200 rows; here it is 5.
    """
    sides = np.sign(closes - closes.rolling(slow).mean()).fillna(0.0).astype(int)
    yield from sides.to_dict("records")


STRATEGIES = (
    Strategy("breakout_equity", SHARES, breakout, 0.5, 0.003),
    Strategy("reversal_equity", SHARES, reversal, 0.5, 0.003),
    Strategy("crossover_fast", PAIRS, crossover, 0.5, 0.0015),
)


class Account:
    """What one strategy does in one instrument: orders of today, fills of tomorrow.

    Attributes
    ----------
    signals, trades
        As they go into the files, without their ids.
    """

    def __init__(self, strategy: Strategy, symbol: str, rates: dict[pd.Timestamp, float]) -> None:
        self.strategy, self.symbol, self.rates = strategy, symbol, rates
        self.cost = (HALF_SPREAD[symbol] + strategy.commission) * 1e-4
        self.signals: list[dict[str, Any]] = []
        self.trades: list[dict[str, Any]] = []
        self.side = 0
        self.leaving = False
        self.opening: dict[str, Any] | None = None
        self.held: dict[str, Any] = {}
        self.stopped_at = 0

    def decide(self, wanted: int, row: pd.Timestamp, following: pd.Timestamp, close: float, deviation: float) -> None:
        """Order, after the close of `row`, what is filled at that of the `following` one."""
        stopped = self.side != 0 and self.side * (close - self.held["stop"]) <= 0.0
        if stopped:
            self.stopped_at = self.side
        elif wanted != self.stopped_at:
            self.stopped_at = 0
        at = pd.Timestamp.combine(following.date(), time(7)).tz_localize("UTC")
        common = {"strategy_id": self.strategy.name, "symbol": self.symbol, "entry": close, "target": None, "at": at}
        if self.side and (stopped or wanted != self.side):
            self.leaving = True
            self.signals.append(
                {**common, "side": SIDES[-self.side], "quantity": float(self.held["quantity"]), "stop": None,
                 "reduce_only": True}
            )  # fmt: skip
        if wanted in (0, self.side, self.stopped_at) or not deviation > 0.0:
            return
        distance, rate, lot = STOP_DEVIATIONS * deviation, self.rates[row], LOT[self.symbol in PAIRS]
        affordable = min(self.strategy.risk * CAPITAL / distance, LARGEST_POSITION / close) / rate
        quantity = lot * floor(affordable / lot)
        stop = close - wanted * distance
        self.signals.append(
            {**common, "side": SIDES[wanted], "quantity": float(quantity), "stop": stop, "reduce_only": False}
        )
        risk = quantity * distance * rate
        self.opening = {"side": wanted, "quantity": quantity, "stop": stop, "risk": risk}

    def fill(self, row: pd.Timestamp, close: float) -> None:
        """Fill what was ordered at the close of a row."""
        at, rate = instant(row, self.symbol), self.rates[row]
        if self.leaving:
            held, quantity = self.held, self.held["quantity"]
            fees = held["fees"] + self.cost * quantity * close * rate
            pnl = self.side * quantity * (close - held["entry"]) * rate - fees
            self.trades.append(
                {"strategy_id": self.strategy.name, "symbol": self.symbol, "side": SIDES[self.side],
                 "opened_at": held["at"], "closed_at": at, "pnl": pnl, "quantity": float(quantity),
                 "entry": held["entry"], "exit": close, "risk": held["risk"], "fees": fees}
            )  # fmt: skip
            self.side, self.leaving = 0, False
        if self.opening is not None:
            fees = self.cost * self.opening["quantity"] * close * rate
            self.held, self.side = {**self.opening, "at": at, "entry": close, "fees": fees}, self.opening["side"]
            self.opening = None


def instant(row: pd.Timestamp, symbol: str) -> pd.Timestamp:
    """Return when the close of a row was fixed."""
    zone, hour = FIXING[symbol in PAIRS]
    return pd.Timestamp(datetime.combine(row.date(), hour, ZoneInfo(zone))).tz_convert("UTC")


def dollars(symbol: str, closes: pd.DataFrame) -> pd.Series:
    """Return US dollars for one unit of the currency that an instrument is priced in."""
    quote = symbol[3:] if symbol in PAIRS else "USD"
    if quote == "USD":
        return pd.Series(1.0, closes.index)
    return closes[f"{quote}USD"] if f"{quote}USD" in closes else 1.0 / closes[f"USD{quote}"]


def run(strategy: Strategy, closes: pd.DataFrame) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the signals and the closed trades of a strategy; what is open at the end has no trade."""
    own = closes[list(strategy.symbols)].dropna()
    deviations = own.diff().rolling(DEVIATION_ROWS).std()
    wanted = list(strategy.wanted(own))
    signals, trades = [], []
    first, last = own.index.searchsorted(pd.Timestamp(FIRST)), own.index.searchsorted(pd.Timestamp(LAST))
    for symbol in strategy.symbols:
        account = Account(strategy, symbol, dollars(symbol, closes).to_dict())
        close, deviation = own[symbol].tolist(), deviations[symbol].tolist()
        for i in range(first - 1, last):
            account.decide(wanted[i][symbol], own.index[i], own.index[i + 1], close[i], deviation[i])
            account.fill(own.index[i + 1], close[i + 1])
        signals += account.signals
        trades += account.trades
    return signals, trades


def tables(closes: pd.DataFrame) -> tuple[pa.Table, pa.Table]:
    """Return the signals by time, exits before entries, and the trades by closing time."""
    found = [run(strategy, closes) for strategy in STRATEGIES]
    signals = [signal for part, _ in found for signal in part]
    trades = [trade for _, part in found for trade in part]
    signals.sort(key=lambda s: (s["at"], not s["reduce_only"], s["strategy_id"], s["symbol"]))
    trades.sort(key=lambda t: (t["closed_at"], t["strategy_id"], t["symbol"]))
    texts = ("strategy_id", "symbol", "side")
    return (
        _table("signal_id", "S", signals, texts, ("at",), ("reduce_only",)),
        _table("trade_id", "T", trades, texts, ("opened_at", "closed_at"), ()),
    )


def _table(
    key: str, letter: str, rows: list[dict[str, Any]], texts: tuple[str, ...], times: tuple[str, ...],
    flags: tuple[str, ...],
) -> pa.Table:  # fmt: skip
    kinds = {**dict.fromkeys(texts, pa.string()), **dict.fromkeys(times, pa.timestamp("ns", "UTC"))}
    kinds |= dict.fromkeys(flags, pa.bool_())
    name = f"rpm.{key.removesuffix('_id')}s/1"
    columns = {key: pa.array([f"{letter}{number:05d}" for number in range(1, len(rows) + 1)])}
    for column in SIGNAL_COLUMNS if key == "signal_id" else TRADE_COLUMNS:
        columns[column] = pa.array([row[column] for row in rows], kinds.get(column, pa.float64()))
    metadata = {
        "rpm.schema": name, "rpm.base_currency": "USD", "rpm.capital": f"{CAPITAL:.0f}",
        "source": "Textbook strategies run on the prices of prices.parquet by data/build.py; nobody traded them.",
    }  # fmt: skip
    return pa.table(columns, metadata=metadata)


def opening_book(closes: pd.DataFrame) -> pa.Table:
    """Return the book on the last day before the first signal: a few shares, held by a strategy that never trades."""
    day = closes[list(SHARES)].dropna().loc[:FIRST].index[-2]
    rows = [
        {"symbol": symbol, "strategy_id": "core_equity", "quantity": float(quantity), "price": closes.at[day, symbol],
         "currency": "USD", "sector": sector, "adv": adv, "spread_bps": spread}
        for symbol, quantity, sector, adv, spread in OPENING
    ]  # fmt: skip
    texts = ("symbol", "strategy_id", "currency", "sector")
    fields = [(name, pa.string() if name in texts else pa.float64()) for name in rows[0]]
    metadata = {
        "rpm.schema": "rpm.book/1", "rpm.base_currency": "USD", "rpm.capital": f"{CAPITAL:.0f}",
        "rpm.as_of": str(day.date()), "source": "An invented book on the symbols of prices.parquet.",
    }  # fmt: skip
    return pa.Table.from_pylist(rows, schema=pa.schema(fields, metadata=metadata))
