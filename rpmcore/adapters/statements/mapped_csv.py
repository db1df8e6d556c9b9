"""Read a CSV file of closed trades by a mapping of its columns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from os import PathLike
from pathlib import Path

from rpmcore.adapters.server_time import YEARS, Clock, nanoseconds
from rpmcore.adapters.statements.csv_rows import csv_rows
from rpmcore.adapters.statements.encodings import Progress, open_text
from rpmcore.adapters.statements.mapping import TradeMapping
from rpmcore.adapters.statements.numbers import parse_number
from rpmcore.adapters.statements.results import ImportedTrade
from rpmcore.adapters.statements.rows import Row
from rpmcore.domain.errors import InputError, nearest

_SEPARATORS = frozenset(".,'’ ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """What a CSV file holds.

    Attributes
    ----------
    symbols
        Our symbol by the file's.
    sums
        Name, what the mapping says, and what the rows make.
    notes
        What a user should know, each with a code.
    """

    encoding: str
    trades: tuple[ImportedTrade, ...]
    symbols: Mapping[str, str]
    sums: tuple[tuple[str, Decimal, Decimal], ...]
    notes: tuple[tuple[str, str], ...]


def read_mapped(path: str | PathLike[str], mapping: TradeMapping, *, progress: Progress | None = None) -> Mapped:
    """Return the trades of a CSV file.

    Raises
    ------
    InputError
        If a column that the mapping names is not there, or a cell cannot be read; names line, column and remedy.
    """
    text = open_text(Path(path), encoding=mapping.encoding, progress=progress)
    rows = (row for row in csv_rows(text, mapping.delimiter) if row.number > mapping.skip_lines)
    header = next(rows, None)
    if header is None:
        raise InputError("there are no lines", source=text.name, remedy="check `file.skip_lines` of the mapping")
    reading = _Reading(text.name, mapping, _places(header, mapping, text.name), max(header.cells))
    trades = tuple(reading.trades(rows))
    if not trades:
        raise InputError("there is no trade in it", source=text.name, remedy="check `leave_out` of the mapping")
    ours = mapping.symbols.check(reading.symbols, text.name)
    total = sum((trade.pnl for trade in trades), Decimal(0))
    return Mapped(
        encoding=text.encoding,
        trades=trades,
        symbols=ours,
        sums=() if mapping.total is None else (("pnl", mapping.total, total),),
        notes=reading.notes(),
    )


def _places(header: Row, mapping: TradeMapping, source: str) -> dict[str, int]:
    """Return the column of each heading that the mapping names."""
    wanted = {heading for headings in mapping.columns.values() for heading in headings} | set(mapping.left_out)
    found: dict[str, int] = {}
    for column, heading in header.cells.items():
        if heading in wanted and heading in found:
            raise InputError(
                "two columns have this heading", source=source, column=heading, row=f"line {header.number}",
                remedy="rename one of them in the file",
            )  # fmt: skip
        found.setdefault(heading, column)
    for heading in sorted(wanted - set(found)):
        meant = nearest(heading, tuple(found))
        raise InputError(
            f"line {header.number} has no such heading; it has {', '.join(map(repr, header.texts[:12]))}",
            source=source, column=heading,
            remedy=f"write {meant!r} in the mapping if that is meant" if meant
            else "correct the mapping, its `file.delimiter` or its `file.skip_lines`",
        )  # fmt: skip
    return {heading: found[heading] for heading in wanted}


@dataclass(slots=True)
class _Reading:
    source: str
    mapping: TradeMapping
    places: dict[str, int]
    last: int
    symbols: set[str] = field(default_factory=set)
    left_out: int = 0
    clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = Clock(server=self.mapping.clock, source=self.source)

    def trades(self, rows: Iterator[Row]) -> Iterator[ImportedTrade]:
        seen: dict[str, int] = {}
        for row in rows:
            if self._is_left_out(row):
                self.left_out += 1
                continue
            trade = self._trade(row)
            first = seen.setdefault(trade.trade_id, row.number)
            if first != row.number:
                raise self._error(
                    row, "trade_id", f"line {first} already has this id", "map a column that tells them apart"
                )
            yield trade

    def notes(self) -> tuple[tuple[str, str], ...]:
        found = [("clock_set_back", note) for note in self.clock.notes()]
        if self.left_out:
            found.append(("left_out", f"{self.left_out} row(s) were left out, as the mapping says"))
        if self.mapping.total is None:
            found.append(("no_totals", "the mapping names no totals: that no row is missing was not checked"))
        return tuple(found)

    def _trade(self, row: Row) -> ImportedTrade:
        if max(row.cells) > self.last:
            raise InputError(
                f"it has {max(row.cells) + 1} cells, and the headings are {self.last + 1}: something in it was taken "
                "for the end of a cell", source=self.source, row=f"line {row.number}", value=row.cells[max(row.cells)],
                remedy="quote cells that hold the delimiter, such as a decimal comma; or give the column a heading",
            )  # fmt: skip
        raw = self._filled(row, "symbol")
        self.symbols.add(raw)
        symbol = self.mapping.symbols(raw)
        opened = self._time(row, "opened_at", None)
        closed = self._time(row, "closed_at", opened)
        if closed < opened:
            raise self._error(row, "closed_at", "it closes before it opens", "were the columns exchanged?")
        side = self.mapping.sides.get(self._filled(row, "side").casefold())
        if side is None:
            raise self._error(
                row, "side", "the mapping does not say which side it is", "add it to `sides` or `leave_out`"
            )
        quantity, size = self._number(row, "quantity"), self.mapping.sizes.of(symbol)
        comment = self._cell(row, "strategy") or ""
        return ImportedTrade(
            trade_id=self._filled(row, "trade_id") if "trade_id" in self.mapping.columns else str(row.number),
            strategy_id=self.mapping.strategies(comment, row.number, self.source),
            symbol=symbol,
            side="buy" if side == "buy" else "sell",
            opened_at=nanoseconds(opened),
            closed_at=nanoseconds(closed),
            pnl=self._sum(row, "pnl"),
            fees=self.mapping.fee_sign * self._sum(row, "fees") if "fees" in self.mapping.columns else None,
            quantity=None if quantity is None else quantity * (size or 1),
            entry=self._number(row, "entry"),
            exit=self._number(row, "exit"),
            risk=self._number(row, "risk"),
        )

    def _is_left_out(self, row: Row) -> bool:
        return any(
            row.cells.get(self.places[heading], "").casefold() in texts
            for heading, texts in self.mapping.left_out.items()
        )

    def _cell(self, row: Row, name: str) -> str | None:
        headings = self.mapping.columns.get(name)
        return None if headings is None else row.cells.get(self.places[headings[0]])

    def _filled(self, row: Row, name: str) -> str:
        found = self._cell(row, name)
        if found is None:
            raise self._error(row, name, "the cell is empty", "fill it, or leave such rows out by `leave_out`")
        return found

    def _time(self, row: Row, name: str, after: datetime | None) -> datetime:
        text = self._filled(row, name)
        try:
            found = datetime.strptime(text, self.mapping.time_format)
        except ValueError:
            found = None
        if found is None or found.year not in YEARS:
            raise self._error(
                row,
                name,
                f"it is no time in the form {self.mapping.time_format}",
                "correct `times.format` of the mapping",
            )
        if found.tzinfo is not None:
            return found.astimezone(UTC)
        return self.clock.instant(found, row.number, self.mapping.columns[name][0], after)

    def _sum(self, row: Row, name: str) -> Decimal:
        amounts = [self._amount(row, heading) for heading in self.mapping.columns[name]]
        if all(amount is None for amount in amounts):
            raise self._error(row, name, "there is no number", "fill the cell, or leave such rows out by `leave_out`")
        return sum((amount for amount in amounts if amount is not None), Decimal(0))

    def _number(self, row: Row, name: str) -> Decimal | None:
        found = self._amount(row, self.mapping.columns[name][0]) if name in self.mapping.columns else None
        if found is not None and found <= 0 and name in ("quantity", "risk"):
            raise self._error(row, name, "it must be positive; the side has the sign", "correct it, or leave it empty")
        return found

    def _amount(self, row: Row, heading: str) -> Decimal | None:
        text = row.cells.get(self.places[heading])
        if text is None:
            return None
        found = parse_number(text, self.mapping.decimal)
        foreign = (set(text.strip(" ()+-−–")) & _SEPARATORS) - {self.mapping.decimal, self.mapping.thousands}
        if found is None or foreign:
            raise InputError(
                f"it is no number with {self.mapping.decimal!r} before its decimals"
                + (f" and {self.mapping.thousands!r} between thousands" if self.mapping.thousands else ""),
                source=self.source, column=heading, row=f"line {row.number}", value=text,
                remedy="correct the cell, or `numbers` of the mapping",
            )  # fmt: skip
        return found

    def _error(self, row: Row, name: str, problem: str, remedy: str) -> InputError:
        column = self.mapping.columns.get(name, (name,))[0]
        return InputError(
            problem, source=self.source, column=column, row=f"line {row.number}", value=self._cell(row, name),
            remedy=remedy,
        )  # fmt: skip
