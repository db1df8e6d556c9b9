"""The rows of the tables of an HTML page."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from rpmcore.adapters.statements.encodings import LONGEST_PIECE, Text
from rpmcore.adapters.statements.rows import LONGEST_CELL, MOST_ROWS, Interned, Row, collapsed
from rpmcore.domain.errors import InputError

_WIDEST = 1_000
"""Columns that a cell may span."""


@dataclass(slots=True)
class Page:
    """What a page says beside its tables."""

    title: str = ""


@dataclass(slots=True)
class _Cell:
    column: int
    hidden: bool
    parts: list[str] = field(default_factory=list)
    length: int = 0


class _Tables(HTMLParser):
    """Collects finished rows; a row ends where the next begins, whether or not it was closed."""

    def __init__(self, page: Page) -> None:
        super().__init__(convert_charrefs=True)
        self.page = page
        self.finished: list[Row] = []
        self.count = 0
        self._in_title = False
        self._in_row = False
        self._cell: _Cell | None = None
        self._column = 0
        self._cells: dict[int, str] = {}
        self._hidden = ""
        self._interned = Interned()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self._end_row()
            self._in_row = True
        elif tag in ("td", "th") and self._in_row:
            self._end_cell()
            said = dict(attrs)
            hidden = "hidden" in (said.get("class") or "").split()
            self._cell = _Cell(self._column, hidden)
            if not hidden:
                self._column += _span(said.get("colspan"))
        elif tag == "title":
            self._in_title = True
        elif tag == "br":
            self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._end_cell()
        elif tag in ("tr", "table"):
            self._end_row()
        elif tag == "title":
            self._in_title = False

    def handle_data(self, data: str) -> None:
        cell = self._cell
        if cell is not None and cell.length <= LONGEST_CELL:
            cell.parts.append(data)
            cell.length += len(data)
        elif self._in_title and len(self.page.title) <= LONGEST_CELL:
            self.page.title += data

    def close(self) -> None:
        super().close()
        self._end_row()

    def _end_cell(self) -> None:
        cell, self._cell = self._cell, None
        if cell is None:
            return
        text = self._interned(collapsed("".join(cell.parts))[:LONGEST_CELL])
        if text and cell.hidden:
            self._hidden = self._hidden or text
        elif text:
            self._cells[cell.column] = text

    def _end_row(self) -> None:
        self._end_cell()
        if self._in_row:
            self.count += 1
            if self._cells:
                self.finished.append(Row(number=self.count, cells=self._cells, hidden=self._hidden))
        self._in_row, self._column, self._cells, self._hidden = False, 0, {}, ""


def html_rows(text: Text, page: Page) -> Iterator[Row]:
    """Yield the rows of a page that are not blank, and write its title into `page` on the way.

    Raises
    ------
    InputError
        If a tag or comment is longer than `LONGEST_PIECE`, or there are more than `MOST_ROWS` rows.
    """
    tables = _Tables(page)
    for piece in text.pieces:
        tables.feed(piece)
        if len(tables.rawdata) > LONGEST_PIECE:
            raise InputError(
                f"after row {tables.count} a tag or a comment is longer than {LONGEST_PIECE:,} characters",
                source=text.name, remedy="export it again: it is damaged, or no statement",
            )  # fmt: skip
        yield from _taken(tables, text.name)
    tables.close()
    yield from _taken(tables, text.name)


def _taken(tables: _Tables, source: str) -> list[Row]:
    rows, tables.finished = tables.finished, []
    if tables.count > MOST_ROWS:
        raise InputError(
            f"there are more than the {MOST_ROWS:,} rows that are read", source=source,
            remedy="export shorter periods, and import them one by one",
        )  # fmt: skip
    return rows


def _span(text: str | None) -> int:
    digits = (text or "").strip()
    return min(max(int(digits), 1), _WIDEST) if digits.isascii() and digits.isdigit() and len(digits) < 6 else 1
