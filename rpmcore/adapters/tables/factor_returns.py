"""Read returns of factors that a desk gives."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rpmcore.adapters.tables.columns import read_numbers
from rpmcore.adapters.tables.dates import read_dates
from rpmcore.adapters.tables.given import Given
from rpmcore.adapters.tables.opening import open_table
from rpmcore.adapters.tables.source import Column, TableSource, shortened
from rpmcore.domain.arrays import Vector
from rpmcore.domain.errors import InputError
from rpmcore.domain.factor_returns import FactorReturns

SCHEMA = "rpm.factors/1"
MAX_ROWS = 1_000_000
MAX_RETURNS = 25_000_000
"""Dates times factors: 200 MB of float64."""

LARGEST_DEVIATION = 0.2
"""Standard deviation from which a column of daily returns is taken for per cent, or for prices."""

RESERVED = ("specific",)
"""What the risk model calls a part of its own."""

_UNITS = "divide by 100 if it is in per cent; give returns, not prices"


def read_factor_returns(source: Given) -> FactorReturns:
    """Return the factor returns in a file or a table: a column ``date``, and one column per factor.

    Rows stand in any order. A null is a missing return. A date that stands twice is read once where both rows agree.

    Parameters
    ----------
    source
        A path to a Parquet or CSV file, an Arrow table, or any object with ``__arrow_c_stream__``. Simple returns as
        decimals, each from the row before.

    Raises
    ------
    InputError
        If it cannot be read, has no factor, a date that is no day, a return that is no number above −1, two
        different returns of one date, or a column that looks like per cent; names file, column, date, value and
        remedy.
    """
    table = open_table(source).indexed_by("date", dated=True)
    names = _factors(table)
    columns = table.read(["date", *names], max_rows=MAX_ROWS)
    date_column = columns["date"]
    dates = read_dates(date_column).values
    if np.datetime_data(dates.dtype)[0] != "D":
        position = int((dates != dates.astype("M8[D]")).argmax())
        raise date_column.error(
            position, "factor returns are daily, but this is a time of day", value=str(dates[position]),
            remedy="give one row per day, with its date alone",
        )  # fmt: skip
    if len(dates) * len(names) > MAX_RETURNS:
        raise InputError(
            f"{len(dates):,} dates of {len(names):,} factors are more than {MAX_RETURNS:,} returns",
            source=table.name, remedy="give fewer factors or less history",
        )  # fmt: skip
    grid, row_of = np.unique(dates, return_inverse=True)
    returns = np.full((len(grid), len(names)), np.nan)
    for j, name in enumerate(names):
        column = replace(columns[name], locate=lambda position: (None, str(dates[position])))
        values = _returns(column)
        present = np.flatnonzero(~np.isnan(values))
        # Of two rows of one date the later stays, so that a return which is not found again had a rival.
        returns[row_of[present], j] = values[present]
        _refuse_rivals(column, values, returns[row_of, j])
    return FactorReturns(dates=grid, names=names, returns=returns, path=table.name)


def _factors(table: TableSource) -> tuple[str, ...]:
    found = table.metadata.get("rpm.schema")
    if found is not None and found != SCHEMA:
        raise InputError(
            f"metadata rpm.schema: these are not factor returns that this version reads ({SCHEMA})",
            source=table.name, value=shortened(found), remedy="check that it is the file that was meant",
        )  # fmt: skip
    table.require("date")
    names = tuple(name for name in table.columns if name != "date")
    if not names:
        raise InputError(
            "there is no column of factor returns", source=table.name, remedy="add one column per factor beside date"
        )
    _check_names(table, names)
    return names


def _check_names(table: TableSource, names: Sequence[str]) -> None:
    for name in names:
        if not name.strip():
            raise InputError(
                f"column {table.columns.index(name) + 1} has no name",
                source=table.name, column=name, remedy="name the factor, or leave the column out",
            )  # fmt: skip
        if name.strip().casefold() in RESERVED:
            raise InputError(
                "the risk model calls a part of its own by this name",
                source=table.name, column=name, remedy="give the factor another name",
            )  # fmt: skip
    table.require(*names)


def _returns(column: Column) -> Vector:
    """Return the cells of one factor, NaN for null."""
    numbers = read_numbers(column)
    values, present = numbers.values, numbers.present
    if not present.any():
        raise column.error(None, "it holds no return at all", remedy="fill it, or leave the factor out")
    wrong = present & ~np.isfinite(values)
    if wrong.any():
        first = int(wrong.argmax())
        raise column.error(
            first, "it is not a finite number", value=float(values[first]),
            remedy="correct it, or leave the cell empty (null) if there is no return",
        )  # fmt: skip
    with np.errstate(over="ignore"):
        deviation = float(np.std(values[present]))
    if deviation > LARGEST_DEVIATION:
        largest = int(np.nanargmax(np.abs(values)))
        raise column.error(
            largest,
            f"the standard deviation of the column is {deviation:.3g}, which is no daily return's; this is its largest",
            value=float(values[largest]), remedy=_UNITS,
        )  # fmt: skip
    lost = present & (values <= -1.0)
    if lost.any():
        first = int(lost.argmax())
        raise column.error(
            first, "a simple return is above -1, the loss of everything", value=float(values[first]), remedy=_UNITS
        )
    return values


def _refuse_rivals(column: Column, values: Vector, kept: Vector) -> None:
    lost = ~np.isnan(values) & (values != kept)
    if lost.any():
        first = int(lost.argmax())
        raise column.error(
            first, f"two rows give different returns, {float(values[first])!r} and {float(kept[first])!r}",
            remedy="keep the one that is right",
        )  # fmt: skip
