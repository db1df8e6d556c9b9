"""Read closing prices, long or wide."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from rpmcore.adapters.tables.columns import Texts, read_numbers, read_texts, require_filled
from rpmcore.adapters.tables.dates import read_dates
from rpmcore.adapters.tables.given import Given
from rpmcore.adapters.tables.opening import open_table
from rpmcore.adapters.tables.source import Column, TableSource, listed, shortened
from rpmcore.domain.arrays import Matrix
from rpmcore.domain.errors import InputError, InvalidArgument, nearest
from rpmcore.domain.prices import PriceHistory

SCHEMA = "rpm.prices/1"
MAX_ROWS = 100_000_000
MAX_CLOSES = 250_000_000
"""Dates times symbols: 2 GB of float64."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _LongTable:
    """The columns of a long table; `symbols` has been read, the others have not."""

    date: Column
    close: Column
    symbols: Texts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PriceSource:
    """A file or table of prices, before the ones needed are read.

    Attributes
    ----------
    path
        What messages call it.
    symbols
        Those it has, in the order of the file.
    """

    path: str
    symbols: tuple[str, ...]
    _table: TableSource
    _long: _LongTable | None

    def read(self, symbols: Iterable[str], *, until: date | None = None) -> PriceHistory:
        """Return the closes of `symbols`, one column each in the order given.

        The dates are those of the whole source, so that a symbol without a price on one is seen to lack it.

        Parameters
        ----------
        symbols
            Each of them once.
        until
            The last day to use, in UTC for rows nearer than a day; all if None. Later rows are not checked.

        Raises
        ------
        InputError
            If a symbol is not there, a date cannot be read, a close is not a positive finite number, or two
            closes of one symbol and date differ; names file, column, symbol, date, value and remedy.
        InvalidArgument
            If `symbols` is empty or names one twice.
        """
        wanted = self._known(tuple(symbols))
        if self._long is None:
            columns = self._table.read(["date", *wanted], max_rows=MAX_ROWS)
            date_column = columns["date"]
        else:
            date_column = self._long.date
        dates = read_dates(date_column)
        used = _until(date_column, dates.values, until)
        grid = _grid(dates.values[used])
        self._check_size(len(grid), len(wanted))
        if self._long is None:
            batches = _wide_batches(columns, wanted, dates.values, used)
        else:
            batches = _long_batches(self._long, wanted, dates.values, used)
        closes = np.full((len(grid), len(wanted)), np.nan)
        row_of = np.searchsorted(grid, dates.values)
        n_placed = sum(_place(closes, batch, row_of[batch.positions]) for batch in batches)
        repeated = n_placed - int(np.count_nonzero(~np.isnan(closes)))
        notes = dates.notes
        if repeated:
            notes += (f"{self.path}: {repeated:,} close(s) repeat an equal close of the same symbol and date",)
        return PriceHistory(dates=grid, symbols=wanted, closes=closes, path=self.path, notes=notes)

    def _check_size(self, n_dates: int, n_symbols: int) -> None:
        if n_dates * n_symbols > MAX_CLOSES:
            raise InputError(
                f"{n_dates:,} dates of {n_symbols:,} symbols are more than {MAX_CLOSES:,} closes",
                source=self.path,
                remedy="give fewer symbols or less history",
            )

    def _known(self, symbols: tuple[str, ...]) -> tuple[str, ...]:
        if not symbols or len(set(symbols)) < len(symbols):
            raise InvalidArgument(f"symbols must name at least one, and each once, but are {listed(symbols)}")
        available = set(self.symbols)
        for symbol in symbols:
            if symbol not in available:
                meant = nearest(symbol, self.symbols)
                raise InputError(
                    f"there are no prices of this symbol; there are {listed(self.symbols)}",
                    source=self.path,
                    symbol=shortened(symbol),
                    remedy=f"did you mean {meant!r}?" if meant else "add prices of it, or do not hold it",
                )
        if self._long is None:
            self._table.require(*symbols)
        return symbols


def open_prices(source: Given) -> PriceSource:
    """Return the prices in a file or a table; the closes are read later, and only those needed.

    A long table has the columns ``date``, ``symbol`` and ``close``; a wide one has ``date`` and one column
    per symbol. A table with a column ``symbol`` or ``close``, in any case, is taken for a long one. Rows
    stand in any order. The index of a pandas frame is the date where no column is called so.

    Parameters
    ----------
    source
        A path to a Parquet or CSV file, an Arrow table, or any object with ``__arrow_c_stream__``.

    Raises
    ------
    InputError
        If it cannot be read, lacks a column, or holds an empty symbol.
    """
    table = open_table(source).indexed_by("date", dated=True)
    found = table.metadata.get("rpm.schema")
    if found is not None and found != SCHEMA:
        raise InputError(
            f"metadata rpm.schema: these are not prices that this version reads ({SCHEMA})",
            source=table.name,
            value=shortened(found),
            remedy="check that it is the file that was meant",
        )
    if {"symbol", "close"} & {name.strip().casefold() for name in table.columns}:
        table.require("date", "symbol", "close")
        return _open_long(table)
    table.require("date")
    symbols = tuple(dict.fromkeys(name for name in table.columns if name != "date" and name.strip()))
    if not symbols:
        raise InputError(
            "there is no column of prices",
            source=table.name,
            remedy="add one column per symbol, or symbol and close",
        )
    return PriceSource(path=table.name, symbols=symbols, _table=table, _long=None)


def _open_long(table: TableSource) -> PriceSource:
    columns = table.read(["date", "symbol", "close"], max_rows=MAX_ROWS)
    texts = read_texts(columns["symbol"])
    require_filled(columns["symbol"], texts)
    long = _LongTable(date=columns["date"], close=columns["close"], symbols=texts)
    return PriceSource(path=table.name, symbols=tuple(texts.values), _table=table, _long=long)


def _grid(dates: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """Return the different dates in order, as `np.unique` does in ten times the time."""
    ordered = np.sort(dates)
    return ordered[np.concatenate(([True], ordered[1:] != ordered[:-1]))]


def _until(column: Column, dates: NDArray[np.datetime64], until: date | None) -> NDArray[np.intp]:
    """Return the positions of the rows to use."""
    if until is None:
        return np.arange(len(dates))
    used = np.flatnonzero(dates < np.datetime64(until, "D") + np.timedelta64(1, "D"))
    if len(used) == 0:
        raise column.error(
            None,
            f"every row is later than {until}",
            value=str(dates.min()),
            remedy="give a later day, or more history",
        )
    return used


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Batch:
    """Cells of one column of the source on their way into the matrix of closes.

    Attributes
    ----------
    column
        Holds them.
    positions
        (n,) theirs in the source.
    targets
        (n,) the matrix column of each; a single number where all have the same.
    """

    column: Column
    positions: NDArray[np.intp]
    targets: NDArray[np.int64] | int


def _wide_batches(
    columns: dict[str, Column],
    symbols: Sequence[str],
    dates: NDArray[np.datetime64],
    used: NDArray[np.intp],
) -> Iterator[_Batch]:
    def located(symbol: str) -> Column:
        return replace(columns[symbol], locate=lambda position: (symbol, str(dates[position])))

    for target, symbol in enumerate(symbols):
        yield _Batch(column=located(symbol), positions=used, targets=target)


def _long_batches(
    table: _LongTable, symbols: Sequence[str], dates: NDArray[np.datetime64], used: NDArray[np.intp]
) -> Iterator[_Batch]:
    target_of = {symbol: target for target, symbol in enumerate(symbols)}
    target_of_code = np.array([target_of.get(symbol, -1) for symbol in table.symbols.values])
    targets = target_of_code[table.symbols.codes[used]]
    held = targets >= 0
    column = replace(table.close, locate=lambda position: (table.symbols[position], str(dates[position])))
    yield _Batch(column=column, positions=used[held], targets=targets[held])


def _place(closes: Matrix, batch: _Batch, rows: NDArray[np.intp]) -> int:
    """Check the cells of a batch, write them into `closes` at `rows`, and return how many were not null."""
    numbers = read_numbers(batch.column, batch.positions)
    wrong = numbers.present & ~((numbers.values > 0.0) & (numbers.values < np.inf))
    if wrong.any():
        first = int(wrong.argmax())
        raise batch.column.error(
            int(batch.positions[first]),
            "a close must be positive and finite",
            value=float(numbers.values[first]),
            remedy="correct it, or leave the cell empty (null) if there was no price",
        )
    there = np.flatnonzero(numbers.present)
    targets = batch.targets if isinstance(batch.targets, int) else batch.targets[there]
    rows, values = rows[there], numbers.values[there]
    # Of two cells for one place the later stays, so that a price which is not found again had a rival.
    closes[rows, targets] = values
    lost = np.flatnonzero(closes[rows, targets] != values)
    if len(lost):
        first = int(lost[0])
        rival = float(closes[rows, targets][first])
        raise batch.column.error(
            int(batch.positions[there[first]]),
            f"two rows give different closes, {float(values[first])!r} and {rival!r}",
            remedy="keep the one that is right",
        )
    return len(values)
