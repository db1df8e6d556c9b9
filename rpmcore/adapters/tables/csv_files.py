"""CSV files as table sources: every cell is text until a reader asks for numbers or dates."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from rpmcore.adapters.tables.source import TableSource, reading, shortened
from rpmcore.domain.errors import InputError

_BLOCK_BYTES = 8 * 2**20
"""A row must fit into one block; the largest header of a wide table does."""
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def open_csv(path: Path, name: str) -> TableSource:
    """Return the table in the CSV file at `path`; only its header is read.

    Raises
    ------
    InputError
        If the header cannot be read, or columns are not separated by commas.
    """
    header = _header(path, name)

    def fetch(names: Sequence[str]) -> Any:
        return _read(path, name, names)

    return TableSource(
        name=name,
        path=name,
        types=tuple((column, pa.large_string()) for column in header),
        metadata={},
        n_rows=None,
        untyped=True,
        fetch=fetch,
    )


def _header(path: Path, name: str) -> list[str]:
    with reading(name):
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                header = next((record for record in csv.reader(file) if record), [])
        except (UnicodeDecodeError, csv.Error) as error:
            raise InputError(
                f"its first line cannot be read as a CSV header: {error}",
                source=name,
                remedy="save it as CSV in UTF-8 with column names in the first line",
            ) from error
    if len(header) <= 1:
        found = next((word for mark, word in _OTHER_SEPARATORS.items() if mark in "".join(header)), None)
        raise InputError(
            f"columns are separated by {found}, not commas" if found else "the header names a single column",
            source=name,
            row="1 of the file",
            value=shortened("".join(header)),
            remedy="save it with commas between columns and a point in decimals",
        )
    return header


def _read(path: Path, name: str, names: Sequence[str]) -> Any:
    import pyarrow.csv

    uneven = []

    def remember(row: Any) -> str:
        uneven.append(row)
        return "error"

    try:
        return pyarrow.csv.read_csv(
            str(path),
            # One thread, or the number of a bad row would not be known.
            read_options=pyarrow.csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES),
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True, invalid_row_handler=remember),
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=list(names),
                column_types=dict.fromkeys(names, pa.large_string()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid as error:
        if uneven:
            raise InputError(
                f"{uneven[0].actual_columns} cell(s), but the header has {uneven[0].expected_columns}",
                source=name,
                row=uneven[0].number - 1,
                value=shortened(uneven[0].text),
                remedy="give every row one cell per column; quote a text that holds a comma",
            ) from error
        if "UTF8" in str(error):
            raise InputError("it is not text in UTF-8", source=name, remedy="save it in UTF-8") from error
        raise
