"""Trades and holdings as they come out of a statement, and the columns that they are written as."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rpmcore.adapters.statements.output import BOOK_SCHEMA, TRADES_SCHEMA
from rpmcore.adapters.statements.statement import Side

Columns = tuple[Sequence[tuple[str, Any]], Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedTrade:
    """A closed trade; times in UTC nanoseconds, amounts in account currency, `quantity` in units or None."""

    trade_id: str
    strategy_id: str
    symbol: str
    side: Side
    opened_at: int
    closed_at: int
    pnl: Decimal
    fees: Decimal | None
    quantity: Decimal | None
    entry: Decimal | None
    exit: Decimal | None
    risk: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedHolding:
    """What is held of a symbol by a strategy, in units; positions against each other are netted."""

    symbol: str
    strategy_id: str | None
    quantity: Decimal
    price: Decimal
    currency: str | None
    n_positions: int


def trade_columns(trades: Sequence[ImportedTrade], account: Mapping[str, str]) -> Columns:
    """Return trades as the columns that `read_trades` reads; columns that nothing fills are left out."""
    import pyarrow as pa

    instants = pa.timestamp("ns", tz="UTC")
    columns = [
        (name, pa.array([getattr(trade, name) for trade in trades], kind))
        for name, kind in (
            ("trade_id", pa.string()), ("strategy_id", pa.string()), ("symbol", pa.string()), ("side", pa.string()),
            ("opened_at", instants), ("closed_at", instants),
        )
    ]  # fmt: skip
    for name in ("pnl", "fees", "quantity", "entry", "exit", "risk"):
        values = [getattr(trade, name) for trade in trades]
        if any(value is not None for value in values):
            columns.append((name, pa.array([None if v is None else float(v) for v in values], pa.float64())))
    return columns, {"rpm.schema": TRADES_SCHEMA, **account}


def book_columns(holdings: Sequence[ImportedHolding], account: Mapping[str, str]) -> Columns:
    """Return holdings as the columns that `read_book` reads; columns that nothing fills are left out."""
    import pyarrow as pa

    columns: list[tuple[str, Any]] = [("symbol", pa.array([row.symbol for row in holdings], pa.string()))]
    columns += [
        (name, pa.array([float(getattr(row, name)) for row in holdings], pa.float64()))
        for name in ("quantity", "price")
    ]
    for name in ("currency", "strategy_id"):
        values = [getattr(row, name) for row in holdings]
        if any(values):
            columns.append((name, pa.array(values, pa.string())))
    return columns, {"rpm.schema": BOOK_SCHEMA, **account}
