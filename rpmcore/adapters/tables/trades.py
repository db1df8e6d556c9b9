"""Read closed trades."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rpmcore.adapters.tables.columns import Texts, read_numbers, read_texts, refuse_blanks, require_filled
from rpmcore.adapters.tables.dates import read_dates
from rpmcore.adapters.tables.given import Given
from rpmcore.adapters.tables.metadata import account_capital, account_currency, check_schema
from rpmcore.adapters.tables.opening import open_table
from rpmcore.adapters.tables.source import Column, refuse_misspelt
from rpmcore.domain.trades import ClosedTrade, TradeHistory, in_time_order

SCHEMA = "rpm.trades/1"
MAX_ROWS = 2_000_000
LARGEST = 1e30
"""A larger amount, price or quantity is a slip, and its square may be no number."""

_TEXTS = ("trade_id", "strategy_id", "symbol", "side")
_TIMES = ("opened_at", "closed_at")
_OPTIONAL = ("quantity", "entry", "exit", "risk", "fees")
_LONG_AND_SHORT = {"long": "buy", "b": "buy", "short": "sell", "s": "sell"}


def read_trades(source: Given, *, capital: float | None = None, base_currency: str | None = None) -> TradeHistory:
    """Return the closed trades in a file or a table, by closing time.

    Columns are ``trade_id``, ``strategy_id``, ``symbol``, ``side`` (of the opening trade), ``opened_at``, ``closed_at``
    and ``pnl`` (after costs, in account currency); optional are ``quantity``, ``entry``, ``exit``, ``risk``, ``fees``
    and ``currency`` (of the P&L). Others are not read. A null in an optional column is None. Rows stand in any order.

    Parameters
    ----------
    source
        A path to a Parquet or CSV file, an Arrow table, or any object with ``__arrow_c_stream__``. Times are timestamps
        with a zone; days, if the time is not known, which then count from their midnight in UTC.
    capital
        Equity in account currency, positive; overrides the file's ``rpm.capital``.
    base_currency
        Three-letter code of the account currency; overrides the file's ``rpm.base_currency``.

    Raises
    ------
    InputError
        If the file or a cell of it cannot be used: a trade that closes before it opens, an id that stands twice, a P&L
        that is not finite, a time without a zone, a currency that is not the account's; names file, column, row, value
        and remedy.
    """
    table = open_table(source)
    check_schema(table, SCHEMA, "these are not trades")
    required = (*_TEXTS, *_TIMES, "pnl")
    table.require(*required)
    refuse_misspelt(table, (*_OPTIONAL, "currency"))
    optional = [name for name in (*_OPTIONAL, "currency") if name in table.columns]
    table.require(*optional)
    columns = table.read([*required, *optional], max_rows=MAX_ROWS)
    texts = {name: _filled(columns[name]) for name in _TEXTS}
    _check_ids(columns["trade_id"], texts["trade_id"])
    ids = texts["trade_id"]
    located = {
        name: replace(column, locate=lambda position: (None, f"{position + 1} (trade {ids[position]!r})"))
        for name, column in columns.items()
    }
    _check_sides(located["side"], texts["side"])
    times, notes = _times(located)
    cells: dict[str, list[Any]] = {
        name: [text.values[code] for code in text.codes.tolist()] for name, text in texts.items()
    }
    cells |= times
    for name in ("pnl", *(name for name in optional if name != "currency")):
        cells[name] = _numbers(located[name])
    account = account_currency(table, base_currency)
    if "currency" in columns:
        account = _one_currency(located["currency"], account)
    trades = [ClosedTrade(**dict(zip(cells, row, strict=True))) for row in zip(*cells.values(), strict=True)]
    return TradeHistory(
        trades=in_time_order(trades),
        source="memory" if table.path is None else "file",
        path=table.path,
        capital=account_capital(table, capital),
        base_currency=account,
        notes=notes,
    )


def _filled(column: Column) -> Texts:
    texts = read_texts(column)
    require_filled(column, texts)
    return texts


def _check_ids(column: Column, ids: Texts) -> None:
    if len(ids.values) == len(ids.codes):
        return
    rows: dict[int, int] = {}
    for position, code in enumerate(ids.codes.tolist()):
        first = rows.setdefault(code, position)
        if first != position:
            raise column.error(
                position, f"row {first + 1} already has this id", value=ids[position],
                remedy="give each trade an id of its own, or remove what stands twice",
            )  # fmt: skip


def _check_sides(column: Column, sides: Texts) -> None:
    for code, side in enumerate(sides.values):
        if side not in ("buy", "sell"):
            meant = side.strip().casefold()
            meant = _LONG_AND_SHORT.get(meant, meant)
            hint = (
                f"write {meant!r}" if meant in ("buy", "sell") else "write the side of the opening trade, buy or sell"
            )
            raise column.error(sides.position(code), "a side is buy or sell", value=side, remedy=hint)


def _times(columns: dict[str, Column]) -> tuple[dict[str, list[int]], tuple[str, ...]]:
    """Return both times in UTC nanoseconds."""
    found: dict[str, NDArray[np.int64]] = {}
    notes: tuple[str, ...] = ()
    for name in _TIMES:
        dates = read_dates(columns[name])
        found[name] = dates.values.astype("M8[us]").astype(np.int64) * 1000
        notes += dates.notes
    early = found["closed_at"] < found["opened_at"]
    if early.any():
        position = int(early.argmax())
        opened, closed = (str(found[name][position].astype("M8[ns]").astype("M8[s]")) for name in _TIMES)
        raise columns["closed_at"].error(
            position, f"it closes before it opens, at {opened} UTC", value=f"{closed} UTC",
            remedy="were the columns exchanged? Correct the time, or give both as days",
        )  # fmt: skip
    return {name: times.tolist() for name, times in found.items()}, notes


def _numbers(column: Column) -> list[float | None]:
    numbers = read_numbers(column)
    values, present = numbers.values, numbers.present
    if column.name == "pnl" and not present.all():
        raise column.error(
            int(present.argmin()), "there is no number", value="null", remedy="give the P&L, or remove the row"
        )
    wrong = present & ~np.isfinite(values)
    if wrong.any():
        position = int(wrong.argmax())
        remedy = "give the P&L" if column.name == "pnl" else "give a number, or leave the cell empty if it is not known"
        raise column.error(position, "it is not a finite number", value=float(values[position]), remedy=remedy)
    wrong = present & (np.abs(values) > LARGEST)
    if wrong.any():
        position = int(wrong.argmax())
        raise column.error(
            position, f"it is larger than {LARGEST:g}", value=float(values[position]),
            remedy="correct it: no account holds as much",
        )  # fmt: skip
    wrong = present & (values <= 0.0)
    if column.name in ("quantity", "risk") and wrong.any():
        position = int(wrong.argmax())
        sign = "; the side has the sign" if column.name == "quantity" else ""
        raise column.error(
            position, f"it must be positive{sign}", value=float(values[position]),
            remedy="correct it, or leave the cell empty if it is not known",
        )  # fmt: skip
    return [value if there else None for value, there in zip(values.tolist(), present.tolist(), strict=True)]


def _one_currency(column: Column, account: str | None) -> str | None:
    """Return the account currency, which a column names if nothing else does; P&L in any other cannot be added."""
    texts = read_texts(column)
    refuse_blanks(column, texts)
    expected = account or next(iter(texts.values), None)
    for code, currency in enumerate(texts.values):
        if currency != expected:
            raise column.error(
                texts.position(code), f"the account is in {expected}, and there are no rates to convert with",
                value=currency, remedy=f"give every P&L in {expected}, or name the account's with --base-currency",
            )  # fmt: skip
    return expected
