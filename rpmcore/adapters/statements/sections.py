"""From the rows of a report to its tables: which row belongs where, before any number is read."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from rpmcore.adapters.statements.layout import FIGURES, HEADER, KNOWN, SECTIONS, TITLE, Section, heading, numbered
from rpmcore.adapters.statements.rows import Row
from rpmcore.domain.errors import InputError

_MT4 = frozenset({"closed transactions", "open trades"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row of a table by field; a field without text is not there."""

    number: int
    texts: dict[str, str]
    hidden: str


@dataclass(slots=True, kw_only=True)
class Report:
    """A report, sorted but unread.

    Attributes
    ----------
    source
        What messages call the file.
    header, figures
        What stands above and below the tables, by its name.
    tables
        Rows by section; a section without rows is there too.
    """

    source: str
    header: dict[str, str] = field(default_factory=dict)
    figures: dict[str, tuple[str, int]] = field(default_factory=dict)
    tables: dict[str, list[Line]] = field(default_factory=dict)


def sorted_report(rows: Iterable[Row], source: str) -> Report:
    """Return the tables of a report.

    Raises
    ------
    InputError
        If there is no table of MetaTrader 5's report in it, or one without the columns that it must have; names the
        headings that are known, and those that are there.
    """
    report = Report(source=source)
    section: Section | None = None
    columns: dict[int, str] | None = None
    captions: list[str] = []
    titled = False
    for row in rows:
        texts = row.texts
        alone = heading(texts[0]).rstrip(":") if len(texts) == 1 else None
        if alone in SECTIONS:
            if alone in report.tables:
                raise InputError(
                    f"there are two tables {alone.title()!r}: these are several reports in one file",
                    source=source, row=row.number, remedy="import each report by itself",
                )  # fmt: skip
            section, columns = SECTIONS[alone], None
            report.tables[alone] = []
        elif alone in _MT4:
            raise InputError(
                "it is a statement of MetaTrader 4, whose layout is another", source=source, row=row.number,
                remedy="save its table as CSV, and name the columns for `rpm import csv --mapping`",
            )  # fmt: skip
        elif alone is not None and TITLE in alone:
            titled = True
        elif texts[0].endswith(":"):
            _take_pairs(texts, row.number, report)
            section = None
        elif alone is not None:
            captions.append(texts[0])
            section = None if alone == "results" else section
        elif section is not None and columns is None:
            columns = _columns(row, section, source)
        elif section is not None and columns is not None:
            report.tables[section.name].append(_line(row, columns))
    if not report.tables:
        raise _no_tables(report, captions, titled)
    return report


def _take_pairs(texts: list[str], row: int, report: Report) -> None:
    """Take the names that end in a colon, and what follows each."""
    for name, value in zip(texts, [*texts[1:], ""], strict=True):
        key = heading(name[:-1])
        if not name.endswith(":") or not value or value.endswith(":"):
            continue
        if key in HEADER and not report.tables:
            report.header.setdefault(key, value)
        elif key in FIGURES:
            report.figures.setdefault(key, (value, row))


def _columns(row: Row, section: Section, source: str) -> dict[int, str]:
    order = sorted(row.cells)
    there = numbered([row.cells[column] for column in order])
    missing = [name for name in section.required if name not in there]
    if missing:
        shown = [name.partition("#")[0] for name in missing]
        raise InputError(
            f"the table {section.name.title()!r} has no column {', '.join(map(repr, shown[:6]))}; it has "
            f"{', '.join(repr(text) for text in row.texts[:15])}",
            source=source, row=row.number,
            remedy="export the report in English, as the terminal writes it (Report, then HTML)",
        )  # fmt: skip
    return {column: section.columns[name] for column, name in zip(order, there, strict=True) if name in section.columns}


def _line(row: Row, columns: dict[int, str]) -> Line:
    texts = {columns[column]: text for column, text in row.cells.items() if column in columns}
    return Line(number=row.number, texts=texts, hidden=row.hidden)


def _no_tables(report: Report, captions: list[str], titled: bool) -> InputError:
    seen = ", ".join(repr(text[:40]) for text in captions[:6])
    if any("strategy tester" in caption.casefold() for caption in captions):
        problem = "it is a report of the strategy tester, not of an account"
    elif titled:
        problem = f"no table is in it; known are {KNOWN}"
    else:
        problem = (
            f"it is no trade history report of MetaTrader 5 in English: no table is headed {KNOWN}"
            + (f"; there are {seen}" if seen else "")
        )  # fmt: skip
    return InputError(
        problem, source=report.source,
        remedy="set the terminal to English (View, Languages) and export the report again; for any other file, name "
        "its columns for `rpm import csv --mapping`",
    )  # fmt: skip
