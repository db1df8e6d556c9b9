"""From a path, or an object in memory, to a table source."""

from os import PathLike
from pathlib import Path
from typing import Any

import pyarrow as pa

from rpmcore.adapters.tables.csv_files import open_csv
from rpmcore.adapters.tables.parquet_files import open_parquet, pandas_index, text_metadata
from rpmcore.adapters.tables.source import ARROW_FAILURES, TableSource, reading, shortened
from rpmcore.domain.errors import InputError, InvalidArgument, nearest
from rpmcore.domain.report import Report

IN_MEMORY = "the table given"
_STREAM = "__arrow_c_stream__"
_PARQUET_MARK = b"PAR1"
_PARQUET_SUFFIXES = (".parquet", ".pq")
_OTHER_FORMATS = (
    (b"PARE", "an encrypted Parquet file"),
    (b"PK\x03\x04", "a zip archive or an Excel workbook"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"ARROW1", "an Arrow (Feather) file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"%PDF", "a PDF document"),
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself"),
    (b"\xff\xfe", "text in UTF-16"),
    (b"\xfe\xff", "text in UTF-16"),
)


def open_table(source: Any) -> TableSource:
    """Return the table behind `source`; no column is read yet.

    Parameters
    ----------
    source
        A path to a Parquet or CSV file, an Arrow table, or any object with ``__arrow_c_stream__``.

    Raises
    ------
    InputError
        If there is no such file, or it is neither Parquet nor CSV.
    InvalidArgument
        If `source` is neither a path nor a table.
    """
    if isinstance(source, str | PathLike):
        name = str(source)
        with reading(name):
            return _open_file(Path(name), name)
    if not _is_stream(source):
        kind = type(source).__name__
        remedy = f": {_NEARLY[kind]}" if kind in _NEARLY else ""
        raise InvalidArgument(
            f"a table must be a path, or have __arrow_c_stream__ (Arrow, pandas, polars, duckdb), but is {kind}{remedy}"
        )
    return _in_memory(source)


_NEARLY = {
    "LazyFrame": "collect() it",
    "Series": "a frame with one column more is needed; in pandas, series.rename('weight').reset_index()",
    "dict": "pyarrow.table(…) makes a table of a mapping of columns",
    "list": "pyarrow.Table.from_pylist(…) makes a table of a list of rows",
}
"""What a person may hold in place of a table, by the name of its type, and what makes one of it."""


def rereadable(source: Any) -> Any:
    """Return a table in place of a stream in memory, which may be gone once it is read; anything else as it is.

    Raises
    ------
    InputError
        If the stream cannot be read.
    """
    return _taken(source) if _is_stream(source) and not isinstance(source, Report) else source


def _is_stream(source: Any) -> bool:
    return type(source).__name__ not in _NEARLY and not isinstance(source, type) and hasattr(source, _STREAM)


def _taken(source: Any) -> pa.Table:
    """Return a stream as a table; what Arrow says of one that it cannot take is told."""
    try:
        return pa.table(source)
    except ARROW_FAILURES as error:
        told = "; ".join(str(part).strip() for part in error.args) or type(error).__name__
        raise InputError(
            f"Arrow cannot take it: {shortened(told.splitlines()[0], 200)}",
            source=IN_MEMORY,
            remedy="give a frame whose columns have a name each, and cells of one type",
        ) from error


def _in_memory(source: Any) -> TableSource:
    table = _taken(source)
    with reading(IN_MEMORY):
        types = tuple((field.name, field.type) for field in table.schema)
        metadata = text_metadata(table.schema)
        index = pandas_index(table.schema, IN_MEMORY)
    return TableSource(
        name=IN_MEMORY,
        path=None,
        types=types,
        metadata=metadata,
        n_rows=table.num_rows,
        untyped=False,
        fetch=lambda names: table.select(list(names)),
        index=index,
    )


def _open_file(path: Path, name: str) -> TableSource:
    check_path(path, name)
    with path.open("rb") as file:
        head = file.read(4096)
        file.seek(-min(4, path.stat().st_size), 2)
        tail = file.read()
    if not head:
        raise InputError("it is empty (0 bytes)", source=name, remedy="write or fetch it again")
    if head.startswith(_PARQUET_MARK):
        if tail != _PARQUET_MARK:
            raise InputError(
                "it begins as Parquet but ends without a footer: it is truncated",
                source=name,
                remedy="write or fetch it again",
            )
        return open_parquet(path, name)
    found = _other_format(head)
    if found is not None or path.suffix.lower() in _PARQUET_SUFFIXES:
        expected = "Parquet" if path.suffix.lower() in _PARQUET_SUFFIXES else "Parquet or CSV"
        raise InputError(
            f"it is not {expected}; it looks like {found or 'CSV or other text'}",
            source=name,
            remedy="convert it to Parquet or CSV" if found else "name it .csv if it is CSV",
        )
    return open_csv(path, name)


def check_path(path: Path, name: str) -> None:
    """Raise `InputError` unless there is a regular file at `path`, with the nearest name there is."""
    if path.is_dir():
        raise InputError("it is a folder, not a file", source=name, remedy="name a Parquet or CSV file in it")
    if path.is_file():
        return
    if path.exists():
        raise InputError("it is not a regular file", source=name, remedy="name a Parquet or CSV file")
    if not path.parent.is_dir():
        raise InputError(
            f"there is no such file: the folder {str(path.parent)!r} does not exist",
            source=name,
            remedy="check the path",
        )
    meant = nearest(path.name, sorted(item.name for item in path.parent.iterdir()))
    raise InputError(
        "there is no such file",
        source=name,
        remedy=f"did you mean {str(path.parent / meant)!r}?" if meant else "check the path",
    )


def _other_format(head: bytes) -> str | None:
    """Return what a file that is not Parquet looks like, or None for text that may be CSV."""
    for mark, meaning in _OTHER_FORMATS:
        if head.startswith(mark):
            return meaning
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<")):
        return "an HTML or XML page"
    if start.startswith((b"{", b"[{", b"[[")):
        return "JSON"
    if b"\0" in head:
        return "binary data"
    return None
