"""Read signals: what strategies ask for, in the order in which they ask."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from rpmcore.adapters.tables.columns import (
    decoded,
    fixed_width,
    read_numbers,
    read_texts,
    refuse_blanks,
    require_filled,
    validity,
)
from rpmcore.adapters.tables.dates import read_dates
from rpmcore.adapters.tables.given import Given
from rpmcore.adapters.tables.metadata import check_schema
from rpmcore.adapters.tables.opening import open_table
from rpmcore.adapters.tables.parquet_files import is_text
from rpmcore.adapters.tables.source import Column, refuse_misspelt
from rpmcore.domain.orders import Signal
from rpmcore.domain.report import Report, Shown, counted

SCHEMA = "rpm.signals/1"
MAX_ROWS = 5_000_000
_TEXTS = ("signal_id", "strategy_id", "symbol", "side")
_NUMBERS = ("quantity", "risk", "stop", "target")
_WORDS = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SignalStream(Report):
    """Signals by time; those of one time in the order of the file.

    Attributes
    ----------
    path
        The file; None for a table in memory.
    notes
        What the reader changed on the way in.
    """

    signals: tuple[Signal, ...]
    path: str | None
    notes: tuple[str, ...] = ()

    SCHEMA = "rpm.signals/1"
    MAIN = "signals"
    ROWS: ClassVar[dict[str, type]] = {"signals": Signal}
    SHOWN = (
        Shown(
            table="signals", title="First signals",
            columns=("signal_id", "strategy_id", "symbol", "side", "at", "entry", "quantity", "risk", "stop"),
        ),
    )  # fmt: skip

    def to_plain(self) -> dict[str, Any]:
        """Return it in JSON's types, without its schema; a number that is none is its name."""
        return {
            "path": self.path, "signals": [signal.to_plain() for signal in self.signals], "notes": list(self.notes)
        }  # fmt: skip

    def headline(self) -> str:
        """Return what it is in a sentence."""
        names = ", ".join(sorted({signal.strategy_id for signal in self.signals}))
        return f"{self.path or 'the table given'}: {counted(len(self.signals), 'signal')} of {names or 'nobody'}"


def read_signals(source: Given) -> SignalStream:
    """Return the signals in a file or a table.

    Columns are ``signal_id``, ``strategy_id``, ``symbol``, ``side``, ``entry``, ``at``, and ``quantity`` or ``risk``;
    optional are ``stop``, ``target`` and ``reduce_only``. Numbers are not judged here: whatever a strategy asks, the
    gate answers, and records it.

    Parameters
    ----------
    source
        A path to a Parquet or CSV file, an Arrow table, or any object with ``__arrow_c_stream__``. ``at`` is a
        timestamp with a zone; a day counts from its midnight in UTC.

    Raises
    ------
    InputError
        If the file cannot be used, or a cell is missing or no text, time or number at all.
    """
    table = open_table(source)
    check_schema(table, SCHEMA, "these are not signals")
    table.require(*_TEXTS, "entry", "at")
    refuse_misspelt(table, (*_NUMBERS, "reduce_only"))
    optional = [name for name in (*_NUMBERS, "reduce_only") if name in table.columns]
    columns = table.read([*_TEXTS, "entry", "at", *optional], max_rows=MAX_ROWS)
    cells: dict[str, list[Any]] = {}
    for name in _TEXTS:
        texts = read_texts(columns[name])
        require_filled(columns[name], texts)
        cells[name] = [texts.values[code] for code in texts.codes.tolist()]
    dates = read_dates(columns["at"])
    cells["at"] = (dates.values.astype("M8[us]").astype(np.int64) * 1000).tolist()
    for name in ("entry", *(n for n in optional if n != "reduce_only")):
        cells[name] = _numbers(columns[name], needed=name == "entry")
    if "reduce_only" in columns:
        cells["reduce_only"] = _flags(columns["reduce_only"])
    rows = (Signal(**dict(zip(cells, row, strict=True))) for row in zip(*cells.values(), strict=True))
    return SignalStream(signals=tuple(sorted(rows, key=lambda signal: signal.at)), path=table.path, notes=dates.notes)


def _numbers(column: Column, *, needed: bool) -> list[float | None]:
    numbers = read_numbers(column)
    if needed and not numbers.present.all():
        raise column.error(
            int(numbers.present.argmin()), "there is no number", value="null", remedy="give the expected price"
        )
    pairs = zip(numbers.values.tolist(), numbers.present.tolist(), strict=True)
    return [value if there else None for value, there in pairs]


def _flags(column: Column) -> list[bool]:
    """Return yes and no; what is left empty is no."""
    data = decoded(column)
    if pa.types.is_boolean(data.type):
        array = data.combine_chunks()
        values = fixed_width(array.cast(pa.uint8()), "uint8")
        return [bool(v) and there for v, there in zip(values.tolist(), validity(array).tolist(), strict=True)]
    if pa.types.is_null(data.type):
        return [False] * len(data)
    if not is_text(data.type):
        raise column.error(None, f"it holds {data.type}, not yes or no", remedy="store it as true or false")
    texts = read_texts(column)
    refuse_blanks(column, texts)
    for code, word in enumerate(texts.values):
        if word.casefold() not in _WORDS:
            raise column.error(
                texts.position(code), "it is neither true nor false", value=word, remedy="write true or false"
            )
    meant = [_WORDS[word.casefold()] for word in texts.values]
    return [code >= 0 and meant[code] for code in texts.codes.tolist()]
