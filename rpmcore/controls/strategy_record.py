"""What is kept of a strategy: its trades within the lookback, and the sum of those before them."""

from collections import deque
from collections.abc import Iterable
from dataclasses import asdict
from itertools import accumulate
from typing import Any

import numpy as np

from rpmcore.domain.arrays import Vector
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.trades import ClosedTrade
from rpmcore.risk.performance.figure import check_capital

DAY = 86_400 * 10**9
"""Nanoseconds."""


class TradeRecord:
    """The trades of one strategy in time order, and its equity before the first of them.

    Attributes
    ----------
    trades
        Those that closed within `keep_days` before the last one.
    equity, peak
        Allocated capital plus the P&L of the trades that are no longer kept, and the highest that it ever was.
    since
        The time at which the record began: the first trade, or a new beginning.
    """

    def __init__(self, strategy_id: str, capital: float, keep_days: int) -> None:
        self.strategy_id, self.capital, self.keep_days = strategy_id, check_capital(capital), keep_days
        self.trades: deque[ClosedTrade] = deque()
        self.equity = self.peak = self.capital
        self.since: int | None = None
        self.last: int | None = None
        self._ids: set[str] = set()

    def add(self, trade: ClosedTrade) -> None:
        """Append a trade, and fold those that have left the lookback into the equity.

        Raises
        ------
        InvalidArgument
            If it is another strategy's, closes before the last one, or has the id of one that is kept.
        """
        name = f"trade {trade.trade_id!r}"
        if trade.strategy_id != self.strategy_id:
            raise InvalidArgument(f"{name} is of strategy {trade.strategy_id!r}, not of {self.strategy_id!r}")
        if self.last is not None and trade.closed_at < self.last:
            raise InvalidArgument(
                f"{name} closes at {trade.closed_at}, before the one recorded last at {self.last}; sort by closed_at"
            )
        if trade.trade_id in self._ids:
            raise InvalidArgument(f"trade_id {trade.trade_id!r} is recorded already; each trade needs an id of its own")
        self.trades.append(trade)
        self._ids.add(trade.trade_id)
        self.last = trade.closed_at
        self.since = trade.closed_at if self.since is None else self.since
        while self.trades[0].closed_at <= self.last - self.keep_days * DAY:
            self._fold()

    def begin_again(self, at: int, capital: float | None = None) -> None:
        """Forget the trades before `at` but for what they made of the capital, where the new peak stands.

        Raises
        ------
        InvalidArgument
            If nothing is left of the capital, and none is given, or it is no capital; nothing is forgotten then.
        """
        if capital is not None:
            check_capital(capital)
        left = self.equity + sum(trade.pnl for trade in self.trades)
        if capital is None and left <= 0.0:
            raise InvalidArgument(
                f"strategy {self.strategy_id!r} has lost its capital: {left:g} is left; give it new capital"
            )
        while self.trades:
            self._fold()
        if capital is not None:
            self.capital = self.equity = check_capital(capital)
        self.peak = self.equity
        self.since = self.last = at

    def within(self, start: int, end: int) -> tuple[ClosedTrade, ...]:
        """Return the kept trades with start < closed_at ≤ end."""
        return tuple(trade for trade in self.trades if start < trade.closed_at <= end)

    def before(self, start: int) -> tuple[float, float]:
        """Return equity and peak at `start`, after the trades closed until then."""
        equity, peak = self.equity, self.peak
        for trade in self.trades:
            if trade.closed_at > start:
                break
            equity += trade.pnl
            peak = max(peak, equity)
        return equity, peak

    def state(self) -> dict[str, Any]:
        """Return everything as plain JSON."""
        return {
            "strategy_id": self.strategy_id,
            "capital": self.capital,
            "equity": self.equity,
            "peak": self.peak,
            "since": self.since,
            "last": self.last,
            "trades": [asdict(trade) for trade in self.trades],
        }

    @classmethod
    def from_state(cls, state: dict[str, Any], keep_days: int) -> "TradeRecord":
        """Return the record that gave this `state`."""
        record = cls(state["strategy_id"], state["capital"], keep_days)
        record.trades = deque(ClosedTrade(**trade) for trade in state["trades"])
        record._ids = {trade.trade_id for trade in record.trades}
        record.equity, record.peak = state["equity"], state["peak"]
        record.since, record.last = state["since"], state["last"]
        return record

    def _fold(self) -> None:
        trade = self.trades.popleft()
        self._ids.remove(trade.trade_id)
        self.equity += trade.pnl
        self.peak = max(self.peak, self.equity)


def weekday(time: int) -> int:
    """Return a count of weekdays that grows by one from each to the next; Saturday and Sunday count as Monday."""
    days = time // DAY + 3  # 1970 began on a Thursday
    week, day = divmod(days, 7)
    return int(5 * week + day) if day < 5 else int(5 * (week + 1))


def daily_pnl(trades: Iterable[ClosedTrade], first: int, last: int) -> Vector:
    """Return the P&L closed on each weekday, in UTC days, from `first` to `last` as `weekday` counts them.

    What closed on the day before `first`, after the lookback began within it, belongs to the first element.
    """
    daily = np.zeros(last - first + 1)
    for trade in trades:
        daily[max(weekday(trade.closed_at) - first, 0)] += trade.pnl
    return daily


def daily_returns(daily: Vector, equity: float) -> Vector | None:
    """Return each day's P&L over the equity before it, or None where that is not above 0."""
    before: Vector = np.array(list(accumulate(daily.tolist(), initial=equity)))[:-1]
    if before.size == 0 or before.min() <= 0.0:
        return None
    return np.divide(daily, before)
