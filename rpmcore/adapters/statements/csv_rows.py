"""The rows of a CSV file, with whatever stands between its cells."""

import csv
from collections.abc import Iterable, Iterator
from io import StringIO

from rpmcore.adapters.statements.encodings import LONGEST_PIECE, Text
from rpmcore.adapters.statements.rows import LONGEST_CELL, MOST_ROWS, Interned, Row, collapsed
from rpmcore.domain.errors import InputError

DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}


def csv_rows(text: Text, delimiter: str | None = None) -> Iterator[Row]:
    """Yield the rows of a CSV file that are not blank.

    Parameters
    ----------
    text
        The file.
    delimiter
        What stands between cells; if None, that of `DELIMITERS` of which the first lines hold most.

    Raises
    ------
    InputError
        If a line is longer than `LONGEST_PIECE`, a quotation mark is never closed, or there are more than `MOST_ROWS`.
    """
    lines = _lines(text)
    first: list[str] = []
    if delimiter is None:
        for line in lines:
            first.append(line)
            if len(first) == 50:
                break
        delimiter = max(DELIMITERS, key=lambda mark: sum(line.count(mark) for line in first))
    reader = csv.reader(_chained(first, lines), delimiter=delimiter, strict=True)
    interned = Interned()
    try:
        for cells in reader:
            number = reader.line_num
            if number > MOST_ROWS:
                raise InputError(
                    f"there are more than the {MOST_ROWS:,} lines that are read", source=text.name,
                    remedy="export shorter periods, and import them one by one",
                )  # fmt: skip
            texts = {column: collapsed(cell)[:LONGEST_CELL] for column, cell in enumerate(cells)}
            filled = {column: interned(cell) for column, cell in texts.items() if cell}
            if filled:
                yield Row(number=number, cells=filled)
    except csv.Error as error:
        raise InputError(
            f"line {reader.line_num} is not CSV: {error}", source=text.name,
            remedy="close the quotation mark there, or export it again",
        ) from None  # fmt: skip


def _chained(first: Iterable[str], rest: Iterator[str]) -> Iterator[str]:
    yield from first
    yield from rest


def _lines(text: Text) -> Iterator[str]:
    """Yield lines with their ends, so that one within quotation marks stays."""
    pending = ""
    for piece in text.pieces:
        pending += piece
        lines = list(StringIO(pending, newline="")) if "\n" in piece or "\r" in piece else []
        # The last one may go on in the next piece, or its end may be half of a \r\n.
        pending = lines.pop() if lines else pending
        if len(pending) > LONGEST_PIECE:
            raise InputError(
                f"a line is longer than {LONGEST_PIECE:,} characters", source=text.name,
                remedy="export it again: it is damaged, or no CSV",
            )  # fmt: skip
        yield from lines
    if pending:
        yield pending
