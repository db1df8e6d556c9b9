"""Trades that are over: what a strategy is judged by."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.report import Report, Shown, counted

Side = Literal["buy", "sell"]
"""The side of the trade that opened the position."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedTrade:
    """A position that was opened and closed.

    Attributes
    ----------
    trade_id
        Unique among the trades of an account.
    strategy_id, symbol
        Any non-empty text.
    side
        ``"buy"`` for a position that was long, ``"sell"`` for one that was short.
    opened_at, closed_at
        UTC nanoseconds since 1970; a trade may close in the instant in which it opens, never before.
    pnl
        Profit (positive) or loss (negative) in account currency, after all costs.
    quantity
        Unsigned size, greater than 0.
    entry, exit
        Prices per unit.
    risk
        What the trade would have lost at its stop, in account currency, greater than 0: one R.
    fees
        The costs that `pnl` is already after, in account currency; negative for a rebate.

    Raises
    ------
    InvalidArgument
        For an empty text, an unknown side, a time that is not a whole number, a closing before the opening, or a
        number that is not finite or out of its range.
    """

    trade_id: str
    strategy_id: str
    symbol: str
    side: Side
    opened_at: int
    closed_at: int
    pnl: float
    quantity: float | None = None
    entry: float | None = None
    exit: float | None = None
    risk: float | None = None
    fees: float | None = None

    def __post_init__(self) -> None:
        name = f"trade {self.trade_id!r}"
        for field in ("trade_id", "strategy_id", "symbol"):
            text = getattr(self, field)
            if not isinstance(text, str) or not text.strip():
                raise InvalidArgument(f"{name}: {field} must be a text that is not empty, but is {text!r}")
        if self.side not in ("buy", "sell"):
            raise InvalidArgument(f"{name}: side must be 'buy' or 'sell', but is {self.side!r}")
        for field in ("opened_at", "closed_at"):
            time = getattr(self, field)
            if isinstance(time, bool) or not isinstance(time, int):
                raise InvalidArgument(f"{name}: {field} must be whole UTC nanoseconds, but is {time!r}")
        if self.closed_at < self.opened_at:
            raise InvalidArgument(
                f"{name} closes at {self.closed_at}, before it opens at {self.opened_at}; were the columns exchanged?"
            )
        for field in ("pnl", "quantity", "entry", "exit", "risk", "fees"):
            _check_number(name, field, getattr(self, field))


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TradeHistory(Report):
    """The closed trades of an account.

    Attributes
    ----------
    trades
        By closing time.
    source, path
        Where they come from; no path for a table in memory.
    capital
        Of the account, in its currency; None if nobody says.
    base_currency
        That of every amount; None if nobody says.
    notes
        What was changed on the way in.
    """

    trades: tuple[ClosedTrade, ...]
    source: Literal["file", "memory", "sample"]
    path: str | None
    capital: float | None
    base_currency: str | None
    notes: tuple[str, ...] = ()

    SCHEMA = "rpm.trades/1"
    MAIN = "trades"
    SHOWN = (
        Shown(
            table="trades", title="First trades",
            columns=("trade_id", "strategy_id", "symbol", "side", "opened_at", "closed_at", "pnl", "quantity"),
        ),
    )  # fmt: skip

    def headline(self) -> str:
        """Return what it is in a sentence."""
        return f"{self.name}: {counted(len(self.trades), 'closed trade')} of {', '.join(self.strategies) or 'nobody'}"

    @property
    def name(self) -> str:
        """How messages call it."""
        return self.path or "the table given"

    @property
    def strategies(self) -> tuple[str, ...]:
        """The strategies that traded, by name."""
        return tuple(sorted({trade.strategy_id for trade in self.trades}))


def _check_number(name: str, field: str, number: object) -> None:
    if number is None and field != "pnl":
        return
    if isinstance(number, bool) or not isinstance(number, int | float) or not isfinite(number):
        raise InvalidArgument(f"{name}: {field} must be a finite number, but is {number!r}")
    if field in ("quantity", "risk") and number <= 0.0:
        raise InvalidArgument(f"{name}: {field} must be greater than 0, but is {number!r}; leave it out if unknown")


def in_time_order(trades: Iterable[ClosedTrade]) -> tuple[ClosedTrade, ...]:
    """Return the trades by closing time; those that close together by `trade_id`, so that no input order matters.

    Raises
    ------
    InvalidArgument
        If two trades have the same `trade_id`.
    """
    ordered = sorted(trades, key=lambda trade: (trade.closed_at, trade.trade_id))
    seen: set[str] = set()
    for trade in ordered:
        if trade.trade_id in seen:
            raise InvalidArgument(f"trade_id {trade.trade_id!r} stands twice; each trade needs an id of its own")
        seen.add(trade.trade_id)
    return tuple(ordered)
