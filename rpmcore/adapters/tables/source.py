"""A table that is read column by column, and the columns that come out of it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any

import pyarrow as pa

from rpmcore.domain.errors import InputError, nearest

ARROW_FAILURES = (
    pa.ArrowException,
    OSError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    MemoryError,
    RuntimeError,
)
MISSPELT = 0.85
"""Likeness from which an unknown column is taken for a slip of a known one: one letter in seven or more."""

_UNNAMED = ("", "__index_level_0__", "Unnamed: 0")
"""What pandas calls an index that has no name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column, and how messages name its cells.

    Attributes
    ----------
    source
        What messages call the table.
    name
        Of the column.
    data
        The cells, as an Arrow chunked array.
    untyped
        Whether every cell is text that still has to be read, as in CSV.
    locate
        Symbol (or None) and row of the cell at a position counted from 0; the row is a data row counted from
        1, or a date.
    """

    source: str
    name: str
    data: Any
    untyped: bool
    locate: Callable[[int], tuple[str | None, int | str]] = lambda position: (None, position + 1)

    def error(self, position: int | None, problem: str, *, remedy: str, value: object = None) -> InputError:
        """Return the error for the cell at `position`, or for the whole column."""
        symbol, row = (None, None) if position is None else self.locate(position)
        return InputError(
            problem,
            source=self.source,
            column=shortened(self.name),
            symbol=None if symbol is None else shortened(symbol),
            row=row,
            value=shortened(value) if isinstance(value, str) else value,
            remedy=remedy,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSource:
    """A file or a table in memory, before its columns are read.

    Attributes
    ----------
    name
        What messages call it.
    path
        As it was given; None in memory.
    types
        Column names in order, each with its Arrow type. A name that stands twice is held twice.
    metadata
        Texts that the file carries about itself.
    n_rows
        None where only reading will tell.
    untyped
        Whether every column is text, as in CSV.
    fetch
        Reads the columns named, and perhaps more, as an Arrow table.
    index
        The column that was the index of a pandas frame, if there is one.
    """

    name: str
    path: str | None
    types: tuple[tuple[str, Any], ...]
    metadata: Mapping[str, str]
    n_rows: int | None
    untyped: bool
    fetch: Callable[[Sequence[str]], Any]
    index: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The column names, in order."""
        return tuple(name for name, _ in self.types)

    def indexed_by(self, name: str, *, dated: bool = False) -> "TableSource":
        """Return the table with the index of its pandas frame called `name`, where no column is called so.

        Where one is, an index without a name is none of the columns: it only counts rows.

        Parameters
        ----------
        name
            What a reader needs.
        dated
            Whether an index of dates is meant whatever its name is. Otherwise only one without a name is, or one that
            differs from `name` in its letters' case.
        """
        held = self.index
        if held is None:
            return self
        if name in self.columns:
            kept = tuple((column, kind) for column, kind in self.types if column != held)
            return replace(self, types=kept, index=None) if held in _UNNAMED else self
        meant = held in _UNNAMED or held.strip().casefold() == name
        if not meant and not (dated and pa.types.is_temporal(dict(self.types)[held])):
            return self
        new = {held: name}
        old = {name: held}

        def fetch(names: Sequence[str]) -> Any:
            table = self.fetch([old.get(column, column) for column in names])
            return table.rename_columns([new.get(column, column) for column in table.column_names])

        types = tuple((new.get(column, column), kind) for column, kind in self.types)
        return replace(self, types=types, fetch=fetch, index=name)

    def require(self, *names: str) -> None:
        """Check that each column named is there, once.

        Raises
        ------
        InputError
            If one is absent, with the nearest name there is, or if it stands twice.
        """
        counts = Counter(self.columns)
        for name in names:
            if counts[name] == 0:
                raise InputError(
                    f"there is no such column; there are {listed(self.columns)}",
                    source=self.name,
                    column=shortened(name),
                    remedy=self._how_to_name(name),
                )
            if counts[name] > 1:
                raise InputError(
                    f"{counts[name]} columns have this name",
                    source=self.name,
                    column=shortened(name),
                    remedy="keep one of them",
                )

    def read(self, names: Sequence[str], *, max_rows: int) -> dict[str, Column]:
        """Return the columns named.

        Raises
        ------
        InputError
            If the source cannot be read, is damaged, has no rows, or has more than `max_rows`.
        """
        self._check_rows(self.n_rows, max_rows)
        with reading(self.name):
            table = self.fetch(names).select(list(names))
            table.validate(full=True)
        self._check_rows(table.num_rows, max_rows)
        return {
            name: Column(source=self.name, name=name, data=table.column(name), untyped=self.untyped) for name in names
        }

    def _check_rows(self, n_rows: int | None, max_rows: int) -> None:
        if n_rows == 0:
            raise InputError("there are no rows", source=self.name, remedy="give a table with at least one row")
        if n_rows is not None and n_rows > max_rows:
            raise InputError(
                f"{n_rows:,} rows are more than the {max_rows:,} that are read",
                source=self.name,
                remedy="split it, or check that it is the file that was meant",
            )

    def _how_to_name(self, name: str) -> str:
        meant = nearest(name, list(self.columns))
        if meant is not None:
            return f"rename {shortened(meant)!r} to {name!r}"
        unnamed = [column for column in self.columns if column in _UNNAMED]
        if unnamed:
            return f"one column has no name of its own ({unnamed[0]!r}): is it {name!r}?"
        return f"add the column {name!r}"


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn whatever Arrow raises while it reads the table called `name` into an `InputError`."""
    try:
        yield
    except PermissionError as error:
        raise InputError("access is denied", source=name, remedy="check who may read it") from error
    except ARROW_FAILURES as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise InputError(
            f"it cannot be read, and may be damaged: {shortened(lines[0], 200)}",
            source=name,
            remedy="write or fetch it again",
        ) from error


def shortened(text: str, length: int = 80) -> str:
    """Return `text`, cut where it would fill a screen."""
    return text if len(text) <= length else f"{text[:length]}…"


def listed(names: Sequence[str], most: int = 8) -> str:
    """Return the first names, quoted, and how many more there are; ``none`` of none."""
    if not names:
        return "none"
    shown = ", ".join(repr(shortened(name)) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def refuse_misspelt(table: TableSource, names: Iterable[str]) -> None:
    """Raise `InputError` for a column that is an absent optional one misspelt: unread, what it says would be missed."""
    folded = {column.strip().casefold(): column for column in table.columns}
    for name in names:
        if name in table.columns:
            continue
        for written, column in folded.items():
            if written == name or SequenceMatcher(None, written, name).ratio() >= MISSPELT:
                raise InputError(
                    f"it would not be read; the name is {name!r}",
                    source=table.name,
                    column=column,
                    remedy=f"rename {column!r} to {name!r}, or to something that is not nearly the same",
                )
