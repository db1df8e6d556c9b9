"""Read MetaTrader 5's trade history report, as HTML or as CSV made of it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from rpmcore.adapters.server_time import YEARS
from rpmcore.adapters.statements.csv_rows import csv_rows
from rpmcore.adapters.statements.encodings import Progress, Text, open_text
from rpmcore.adapters.statements.html_rows import Page, html_rows
from rpmcore.adapters.statements.layout import SECTIONS
from rpmcore.adapters.statements.numbers import DecimalMark, decimal_mark, parse_number
from rpmcore.adapters.statements.rows import Row
from rpmcore.adapters.statements.sections import Line, Report, sorted_report
from rpmcore.adapters.statements.statement import (
    Account,
    ClosedPosition,
    Deal,
    Mode,
    OpenPosition,
    Side,
    Statement,
    WorkingOrder,
)
from rpmcore.domain.errors import InputError

_TIME = re.compile(r"(\d{4})\.(\d\d)\.(\d\d) (\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?", re.ASCII)
_SIDES: dict[str, Side] = {"buy": "buy", "sell": "sell"}
_MODES: dict[str, Mode] = {"hedge": "hedging", "hedging": "hedging", "netting": "netting", "exchange": "netting"}
_ZERO = Decimal(0)
_REMEMBERED = 100_000
"""Numbers of which equal ones are one object."""


def read_mt5(
    path: str | PathLike[str],
    *,
    encoding: str | None = None,
    decimal: DecimalMark | None = None,
    progress: Progress | None = None,
) -> Statement:
    """Return what a trade history report says.

    Parameters
    ----------
    path
        The report as HTML, in UTF-16 as terminals write it or in any other encoding; or as CSV.
    encoding
        See `open_text`.
    decimal
        What stands before the decimals; found from the amounts if None.
    progress
        Told how many bytes are read, and of how many.

    Raises
    ------
    InputError
        If it is no such report, or a cell cannot be read; names row, column, what was found and what to do.
    """
    text = open_text(Path(path), encoding=encoding, progress=progress)
    page = Page()
    layout, rows = _rows(text, page)
    report = sorted_report(_no_tester(rows, page, text.name), text.name)
    reading = _Reading(report, _decimal(report, decimal))
    deals = tuple(reading.deals())
    return Statement(
        source=text.name,
        encoding=text.encoding,
        layout=layout,
        account=_account(report),
        as_of=reading.made(),
        sections=frozenset(report.tables),
        closed=tuple(reading.closed()),
        open=tuple(reading.open()),
        working=tuple(reading.working()),
        deals=deals,
        order_comments=reading.order_comments(),
        totals=reading.totals,
        figures={name: reading.number(value, row, name) for name, (value, row) in report.figures.items()},
    )


def _rows(text: Text, page: Page) -> tuple[Literal["html", "csv"], Iterator[Row]]:
    first = next(text.pieces, "")
    whole = Text(name=text.name, encoding=text.encoding, pieces=_again(first, text.pieces))
    if first.lstrip().startswith("<"):
        return "html", html_rows(whole, page)
    return "csv", csv_rows(whole)


def _again(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _no_tester(rows: Iterable[Row], page: Page, source: str) -> Iterator[Row]:
    for row in rows:
        title = page.title.casefold()
        if "strategy tester" in title:
            raise InputError(
                "it is a report of the strategy tester, not of an account", source=source,
                remedy="export the account's history: History, then Report",
            )  # fmt: skip
        yield row


def _decimal(report: Report, given: DecimalMark | None) -> DecimalMark:
    if given is not None:
        return given
    amounts = (
        line.texts[column]
        for name in report.tables
        for line in report.tables[name]
        for column in SECTIONS[name].numbers
        if column in line.texts
    )
    figures = (value for value, _ in report.figures.values())
    mark, doubtful = decimal_mark(text for texts in (figures, amounts) for text in texts)
    if mark is None and doubtful is not None:
        raise InputError(
            "no amount tells whether a point or a comma stands before its decimals", source=report.source,
            value=doubtful, remedy="say --decimal point or --decimal comma",
        )  # fmt: skip
    return mark or "."


def _account(report: Report) -> Account:
    text = report.header.get("account", "")
    number, _, rest = text.partition("(")
    parts = [part.strip() for part in rest.rstrip(") ").split(",") if part.strip()]
    currency = next((part for part in parts if re.fullmatch("[A-Z]{3}", part)), None)
    modes = [_MODES[part.casefold()] for part in parts if part.casefold() in _MODES]
    named = report.header.get("currency", "").strip()
    kinds = ("real", "demo", "contest")
    servers = [p for p in parts if p != currency and p.casefold() not in _MODES and p.casefold() not in kinds]
    return Account(
        number=number.strip() or None,
        server=servers[0] if servers else None,
        currency=currency or (named if re.fullmatch("[A-Z]{3}", named) else None),
        mode=modes[0] if modes else None,
    )


@dataclass(slots=True)
class _Reading:
    """Reads the cells of one report."""

    report: Report
    mark: DecimalMark
    totals: dict[str, Decimal] = field(default_factory=dict)
    numbers: dict[str, Decimal] = field(default_factory=dict)

    def closed(self) -> Iterator[ClosedPosition]:
        for line in self._lines("positions"):
            if self._is_row(line, "position"):
                yield ClosedPosition(
                    row=line.number,
                    position=line.texts["position"],
                    symbol=self._filled(line, "symbol"),
                    side=self._side(line),
                    volume=self._positive(line, "volume"),
                    opened=self.time(line, "opened"),
                    entry=self._amount(line, "entry", required=True),
                    closed=self.time(line, "closed"),
                    exit=self._amount(line, "exit", required=True),
                    commission=self._amount(line, "commission"),
                    fee=self._amount(line, "fee"),
                    swap=self._amount(line, "swap"),
                    profit=self._amount(line, "profit", required=True),
                    comment=line.texts.get("comment") or line.hidden,
                )

    def open(self) -> Iterator[OpenPosition]:
        for line in self._lines("open positions"):
            if self._is_row(line, "position"):
                yield OpenPosition(
                    row=line.number,
                    position=line.texts["position"],
                    symbol=self._filled(line, "symbol"),
                    side=self._side(line),
                    volume=self._positive(line, "volume"),
                    entry=self._amount(line, "entry", required=True),
                    price=self._positive(line, "price"),
                    swap=self._amount(line, "swap"),
                    profit=self._amount(line, "profit", required=True),
                    comment=line.texts.get("comment") or line.hidden,
                )

    def working(self) -> Iterator[WorkingOrder]:
        for line in self._lines("working orders"):
            if self._is_row(line, "order"):
                side, _, kind = self._filled(line, "type").casefold().partition(" ")
                if side not in _SIDES:
                    raise self._error(line, "type", "an order is to buy or to sell", "export the report in English")
                volume, filled = self._volumes(line)
                yield WorkingOrder(
                    row=line.number,
                    order=line.texts["order"],
                    symbol=self._filled(line, "symbol"),
                    side=_SIDES[side],
                    kind=kind or "market",
                    volume=volume,
                    filled=filled,
                    price=self._amount(line, "price") or None,
                    comment=line.texts.get("comment") or line.hidden,
                )

    def deals(self) -> Iterator[Deal]:
        for line in self._lines("deals"):
            if not self._is_row(line, "deal"):
                names = ("commission", "fee", "swap", "profit", "balance")
                self.totals = {name: self._amount(line, name) for name in names if name in line.texts}
            else:
                texts = line.texts
                yield Deal(
                    row=line.number,
                    deal=texts["deal"],
                    symbol=texts.get("symbol", ""),
                    kind=texts.get("type", "").casefold(),
                    direction=texts.get("direction", "").casefold(),
                    order=texts.get("order", ""),
                    time=texts.get("time", ""),
                    commission=self._amount(line, "commission"),
                    fee=self._amount(line, "fee"),
                    swap=self._amount(line, "swap"),
                    profit=self._amount(line, "profit"),
                    balance=self._amount(line, "balance") if "balance" in texts else None,
                    comment=texts.get("comment", ""),
                )

    def order_comments(self) -> dict[str, str]:
        return {
            line.texts["order"]: line.texts["comment"]
            for line in self._lines("orders")
            if "order" in line.texts and "comment" in line.texts
        }

    def made(self) -> datetime | None:
        found = _TIME.match(self.report.header.get("date", ""))
        return None if found is None else _moment(found)

    def time(self, line: Line, column: str) -> datetime:
        found = _TIME.fullmatch(line.texts.get(column, ""))
        moment = None if found is None else _moment(found)
        if moment is None:
            raise self._error(line, column, "a time such as 2024.03.01 14:30:00 is expected", "export the report again")
        return moment

    def number(self, text: str, row: int, column: str) -> Decimal:
        known = self.numbers.get(text)
        if known is not None:
            return known
        found = parse_number(text, self.mark)
        if found is None:
            mark = "point" if self.mark == "." else "comma"
            other = "comma" if self.mark == "." else "point"
            raise InputError(
                f"it is no number with a {mark} before its decimals", source=self.report.source, column=column, row=row,
                value=text, remedy=f"correct the cell, or say --decimal {other} if that is how the report is written",
            )  # fmt: skip
        if len(self.numbers) < _REMEMBERED:
            self.numbers[text] = found
        return found

    def _is_row(self, line: Line, name: str) -> bool:
        """Tell a row from the sums below the rows, which have no symbol."""
        if name not in line.texts and "symbol" in line.texts:
            raise self._error(line, name, "there is no number of the " + name, "export the report again")
        return name in line.texts

    def _lines(self, section: str) -> Iterator[Line]:
        """Yield the rows of a table, each for the last time: of a large report one copy is enough."""
        lines = self.report.tables.get(section, [])
        lines.reverse()
        while lines:
            yield lines.pop()

    def _amount(self, line: Line, column: str, *, required: bool = False) -> Decimal:
        text = line.texts.get(column)
        if text is None:
            if required:
                raise self._error(line, column, "there is no number", "export the report again")
            return _ZERO
        return self.number(text, line.number, column)

    def _positive(self, line: Line, column: str) -> Decimal:
        found = self._amount(line, column, required=True)
        if found <= 0:
            sign = "; the type has the sign" if column == "volume" else ""
            raise self._error(line, column, f"it must be positive{sign}", "export the report again")
        return found

    def _volumes(self, line: Line) -> tuple[Decimal, Decimal]:
        """Return the two of ``1.00 / 0.25``: ordered, and filled."""
        ordered, _, filled = self._filled(line, "volume").partition("/")
        part = self.number(filled.strip(), line.number, "volume") if filled.strip() else _ZERO
        return self.number(ordered.strip(), line.number, "volume"), part

    def _side(self, line: Line) -> Side:
        side = _SIDES.get(line.texts.get("type", "").casefold())
        if side is None:
            raise self._error(line, "type", "a position is buy or sell", "export the report in English")
        return side

    def _filled(self, line: Line, column: str) -> str:
        if column not in line.texts:
            raise self._error(line, column, "there is no text", "export the report again")
        return line.texts[column]

    def _error(self, line: Line, column: str, problem: str, remedy: str) -> InputError:
        found: Any = line.texts.get(column)
        return InputError(
            problem, source=self.report.source, column=column, row=line.number, value=found, remedy=remedy
        )


def _moment(found: re.Match[str]) -> datetime | None:
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    if year not in YEARS:
        return None
    try:
        return datetime(year, month, day, hour, minute, second, int((found[7] or "0").ljust(6, "0")))
    except ValueError:
        return None
