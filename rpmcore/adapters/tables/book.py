"""Read a book."""

from dataclasses import replace
from datetime import date
from typing import Any, get_args

import numpy as np

from rpmcore.adapters.tables.columns import (
    Texts,
    read_numbers,
    read_texts,
    refuse_blanks,
    require_filled,
)
from rpmcore.adapters.tables.given import Given
from rpmcore.adapters.tables.metadata import account_capital, account_currency, bad_metadata, check_schema
from rpmcore.adapters.tables.opening import open_table
from rpmcore.adapters.tables.source import Column, TableSource, listed, refuse_misspelt, shortened
from rpmcore.domain.errors import InputError, nearest
from rpmcore.domain.portfolio import Book, Holding, Sizing

SCHEMA = "rpm.book/1"
MAX_HOLDINGS = 1_000_000
_SIZINGS: tuple[Sizing, ...] = get_args(Sizing)
_TEXTS = ("strategy_id", "currency", "sector")
_NUMBERS = ("contract_size", "adv", "spread_bps")


def read_book(source: Given, *, capital: float | None = None, base_currency: str | None = None) -> Book:
    """Return the book in a file or a table.

    Columns are ``symbol`` and one of ``weight``, ``market_value``, or ``quantity`` with ``price``; optional
    are ``strategy_id``, ``currency``, ``sector``, ``contract_size``, ``adv`` and ``spread_bps``. Others are
    not read. A null in an optional column is None.

    Parameters
    ----------
    source
        A path to a Parquet or CSV file, an Arrow table, or any object with ``__arrow_c_stream__``.
    capital
        Equity in account currency, positive; overrides the file's ``rpm.capital``.
    base_currency
        Three-letter code of the account currency; overrides the file's ``rpm.base_currency``.

    Raises
    ------
    InputError
        If the file or a cell of it cannot be used; names file, column, symbol, row, value and remedy.
    """
    table = open_table(source).indexed_by("symbol")
    check_schema(table, SCHEMA, "it is not a book")
    table.require("symbol")
    sizing = _sizing(table)
    required = ["symbol", sizing, "price"] if sizing == "quantity" else ["symbol", sizing]
    table.require(*required)
    refuse_misspelt(table, (*_TEXTS, *_NUMBERS))
    optional = [name for name in (*_TEXTS, *_NUMBERS) if name in table.columns]
    table.require(*optional)
    holdings = _holdings(table.read([*required, *optional], max_rows=MAX_HOLDINGS), sizing)
    return Book(
        holdings=holdings,
        sizing=sizing,
        source="memory" if table.path is None else "file",
        path=table.path,
        capital=_capital(table, capital, sizing),
        base_currency=account_currency(table, base_currency),
        as_of=_as_of(table),
    )


def _sizing(table: TableSource) -> Sizing:
    found = [sizing for sizing in _SIZINGS if sizing in table.columns]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(
            f"{' and '.join(found)} each give the size of a holding, and may contradict each other",
            source=table.name,
            column=found[1],
            remedy="keep the one that is meant, and leave the others out",
        )
    others = [column for column in table.columns if column not in ("symbol", "price", *_TEXTS, *_NUMBERS)]
    misspelt = [(meant, sizing) for sizing in _SIZINGS if (meant := nearest(sizing, others))]
    if misspelt:
        remedy = f"rename {shortened(misspelt[0][0])!r} to {misspelt[0][1]!r} if that is meant"
    else:
        remedy = "add weight, market_value, or quantity with price"
    raise InputError(
        f"no column gives the size of a holding; there are {listed(table.columns)}",
        source=table.name,
        remedy=remedy,
    )


def _holdings(columns: dict[str, Column], sizing: Sizing) -> tuple[Holding, ...]:
    texts = {"symbol": read_texts(columns["symbol"])}
    symbols = texts["symbol"]
    require_filled(columns["symbol"], symbols)
    located = {
        name: replace(column, locate=lambda position: (symbols[position], position + 1))
        for name, column in columns.items()
    }
    for name in _TEXTS:
        if name in located:
            texts[name] = read_texts(located[name])
            refuse_blanks(located[name], texts[name])
    _check_no_repeats(located["symbol"], symbols, texts.get("strategy_id"))
    cells: dict[str, list[Any]] = {
        name: [None if code < 0 else text.values[code] for code in text.codes] for name, text in texts.items()
    }
    for name in (sizing, "price", *_NUMBERS):
        if name in located:
            cells[name] = _numbers(located[name], required=name not in _NUMBERS)
    cells["size"] = cells.pop(sizing)
    return tuple(Holding(**dict(zip(cells, row, strict=True))) for row in zip(*cells.values(), strict=True))


def _numbers(column: Column, *, required: bool) -> list[float | None]:
    numbers = read_numbers(column)
    values, present = numbers.values, numbers.present
    if required and not present.all():
        raise column.error(
            int(present.argmin()), "there is no number", value="null", remedy="give one, or remove the row"
        )
    finite = np.isfinite(values)
    if not finite[present].all():
        position = int((present & ~finite).argmax())
        remedy = "give a number" if required else "give a number, or leave the cell empty"
        raise column.error(position, "it is not a finite number", value=float(values[position]), remedy=remedy)
    if column.name not in _SIZINGS:
        free = column.name == "spread_bps"
        wrong = present & ((values < 0.0) if free else (values <= 0.0))
        if wrong.any():
            position = int(wrong.argmax())
            expected = "zero or positive" if free else "positive"
            remedy = "correct it" if required else "correct it, or leave the cell empty if it is not known"
            raise column.error(position, f"it must be {expected}", value=float(values[position]), remedy=remedy)
    return [value if there else None for value, there in zip(values.tolist(), present.tolist(), strict=True)]


def _check_no_repeats(column: Column, symbols: Texts, strategies: Texts | None) -> None:
    strategy_codes = np.full(len(symbols.codes), -1) if strategies is None else strategies.codes
    rows: dict[tuple[int, int], int] = {}
    for position, key in enumerate(zip(symbols.codes.tolist(), strategy_codes.tolist(), strict=True)):
        first = rows.setdefault(key, position)
        if first != position:
            strategy = None if strategies is None else strategies[position]
            under = "" if strategy is None else f" under strategy {shortened(strategy)!r}"
            raise column.error(
                position,
                f"row {first + 1} already holds this symbol{under}",
                value=symbols[position],
                remedy="add the two up, or give them different strategy_id",
            )


def _capital(table: TableSource, given: float | None, sizing: Sizing) -> float | None:
    capital = account_capital(table, given)
    if capital is None and sizing != "weight":
        raise InputError(
            f"a book that gives {sizing} needs capital, and the file does not name it",
            source=table.name,
            remedy="give --capital, or the file metadata rpm.capital",
        )
    return capital


def _as_of(table: TableSource) -> date | None:
    text = table.metadata.get("rpm.as_of")
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise bad_metadata(table, "rpm.as_of", "it must be a date, YYYY-MM-DD", text) from None
