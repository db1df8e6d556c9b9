"""The mapping file that says what the columns of a CSV file of trades mean."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from os import PathLike
from pathlib import Path
from typing import Any

from rpmcore.adapters.server_time import ServerTime, server_time
from rpmcore.adapters.statements.csv_rows import DELIMITERS
from rpmcore.adapters.statements.lots import ContractSizes
from rpmcore.adapters.statements.numbers import DecimalMark
from rpmcore.adapters.statements.strategy_names import StrategyRules
from rpmcore.adapters.statements.symbols import SymbolRules
from rpmcore.adapters.strict_yaml import Document, parse
from rpmcore.domain.errors import ConfigurationError, InputError, nearest

LARGEST_MAPPING = 256 * 1024
"""Bytes; the example takes three thousand."""

ONE_COLUMN = ("trade_id", "symbol", "side", "opened_at", "closed_at", "strategy", "quantity", "entry", "exit", "risk")
SUMMED = ("pnl", "fees")
REQUIRED = ("symbol", "side", "opened_at", "closed_at", "pnl")

_SOME_DAY = datetime(2024, 2, 29, 13, 14, 15, tzinfo=UTC)
_KEYS: dict[str, tuple[str, ...] | None] = {
    "file": ("encoding", "delimiter", "skip_lines"),
    "numbers": ("decimal", "thousands", "costs_are"),
    "times": ("zone", "format"),
    "columns": (*ONE_COLUMN, *SUMMED),
    "sides": ("buy", "sell"),
    "strategies": ("default", "rules"),
    "symbols": ("strip_suffixes", "rename"),
    "contract_sizes": None,
    "account": ("currency", "capital"),
    "leave_out": None,
    "totals": ("pnl",),
}
"""Sections, and the keys of each; None where a user names them."""

EXAMPLE = """\
# What the columns of a CSV file of closed trades mean, for `rpm import csv FILE --mapping THIS --trades OUT.parquet`.
# Every key that is not said to be needed may be left out.

file:
  encoding: utf-8          # else the byte order mark, UTF-16 or UTF-8
  delimiter: ";"           # one of , ; | or tab; else the one that the first lines hold most
  skip_lines: 0            # lines above the headings

numbers:
  decimal: ","             # needed: what stands before the decimals
  thousands: "."           # what stands between groups of three digits, such as a dot, a comma or a blank
  costs_are: negative      # needed with `fees`: whether the file shows a cost as -7.00 (negative) or 7.00 (positive)

times:
  zone: Europe/Athens      # needed: of the clock that the times were read from; or UTC+2, or America/New_York+7
  format: "%d.%m.%Y %H:%M:%S"   # needed: as Python's strptime; with %z in it no zone is needed

columns:                   # the headings of the file
  trade_id: Ticket         # else the number of the line
  symbol: Instrument       # needed
  side: Direction          # needed: of the trade that opened the position
  opened_at: Open time     # needed
  closed_at: Close time    # needed
  pnl: [Profit, Swap, Commission]   # needed: amounts that make the result after all costs, as signed in the file
  fees: [Commission]       # those of them that are costs
  strategy: Comment        # what `strategies` names a strategy by
  quantity: Lots
  entry: Open price
  exit: Close price
  # risk: Risk             # what would have been lost at the stop

sides:                     # needed: what the file writes for each
  buy: [Buy, Long]
  sell: [Sell, Short]

strategies:
  default: manual          # of all that no rule fits; needed where there are no rules
  rules:                   # strategy by what stands in the column; * stands for anything
    "trend*": trend

symbols:
  strip_suffixes: [".m"]   # EURUSD.m is EURUSD
  rename:
    GOLD: XAUUSD

contract_sizes:            # units of a lot, by our symbol; * stands for anything. Without one a quantity is in units
  EURUSD: 100000

account:
  currency: EUR
  capital: 100000

leave_out:                 # rows that are no trades, by what stands in a column
  Direction: [Balance, Credit]

totals:                    # what the file itself says that the trades add up to; checked to the cent
  pnl: 1234.56
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeMapping:
    """A mapping, checked.

    Attributes
    ----------
    columns
        Headings by field; several for those of `SUMMED`.
    sides
        ``buy`` or ``sell`` by what the file writes, in lower case.
    fee_sign
        -1 where the file shows a cost as a negative amount, else 1.
    left_out
        Texts, in lower case, by the heading of a column.
    total
        Of the P&L, or None.
    """

    source: str
    columns: Mapping[str, tuple[str, ...]]
    sides: Mapping[str, str]
    strategies: StrategyRules
    symbols: SymbolRules
    sizes: ContractSizes
    clock: ServerTime
    time_format: str
    decimal: DecimalMark
    thousands: str | None
    fee_sign: int
    encoding: str | None
    delimiter: str | None
    skip_lines: int
    base_currency: str | None
    capital: Decimal | None
    left_out: Mapping[str, frozenset[str]]
    total: Decimal | None


def read_mapping(path: str | PathLike[str]) -> TradeMapping:
    """Return the mapping in a YAML file; `EXAMPLE` is one.

    Raises
    ------
    InputError
        If the file cannot be read.
    ConfigurationError
        If it is no YAML, or a key is unknown, missing, or of a wrong kind; names line and key.
    """
    name = str(path)
    try:
        with Path(path).open("rb") as file:
            content = file.read(LARGEST_MAPPING + 1)
        text = content.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(
            "there is no such mapping", source=name, remedy="`rpm import csv --example` prints one"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"it cannot be read as a mapping: {error}", source=name, remedy="save it as UTF-8") from error
    if len(content) > LARGEST_MAPPING:
        raise InputError(
            f"it is larger than {LARGEST_MAPPING // 1024} kB, the most that a mapping may take", source=name,
            remedy="give a mapping",
        )  # fmt: skip
    return _Checked(parse(text, name), name).mapping()


@dataclass(frozen=True, slots=True)
class _Checked:
    document: Document
    name: str

    def mapping(self) -> TradeMapping:
        self._check_keys()
        columns = self._columns()
        form = self._format()
        sign = self._text("numbers", "costs_are", needed="fees" in columns)
        if sign not in (None, "negative", "positive"):
            raise self._error(("numbers", "costs_are"), "it is negative or positive", sign)
        strategies = StrategyRules(
            default=self._text("strategies", "default"), by_comment=self._texts("strategies", "rules")
        )
        if strategies.default is None and not (strategies.by_comment and "strategy" in columns):
            raise self._error(
                ("strategies",), "it needs a default, or rules and the column 'strategy' that they are about", None
            )
        decimal = self._text("numbers", "decimal", needed=True)
        if decimal not in (".", ","):
            raise self._error(("numbers", "decimal"), 'it is "." or ","', decimal)
        thousands = self._text("numbers", "thousands")
        if thousands is not None and (thousands == decimal or thousands not in (".", ",", " ", "'", "’")):
            raise self._error(
                ("numbers", "thousands"), 'it is ".", ",", "\'" or a blank, and not the decimal', thousands
            )
        delimiter = self._text("file", "delimiter")
        delimiter = {"tab": "\t"}.get(delimiter or "", delimiter)
        if delimiter is not None and delimiter not in DELIMITERS:
            raise self._error(("file", "delimiter"), "it is one of , ; | or tab", delimiter)
        return TradeMapping(
            source=self.name,
            columns=columns,
            sides=self._sides(),
            strategies=strategies,
            symbols=SymbolRules(
                suffixes=self._list("symbols", "strip_suffixes"), renamed=self._texts("symbols", "rename")
            ),
            sizes=ContractSizes(sizes=self._sizes(), currencies={}),
            clock=self._clock(form),
            time_format=form,
            decimal="." if decimal == "." else ",",
            thousands=thousands,
            fee_sign=-1 if sign == "negative" else 1,
            encoding=self._text("file", "encoding"),
            delimiter=delimiter,
            skip_lines=self._whole("file", "skip_lines"),
            base_currency=self._currency(),
            capital=self._number("account", "capital", positive=True),
            left_out={
                heading: frozenset(text.casefold() for text in self._list("leave_out", heading))
                for heading in self._section("leave_out")
            },
            total=self._number("totals", "pnl"),
        )

    def _check_keys(self) -> None:
        for section, content in self.document.values.items():
            if section not in _KEYS:
                raise self._unknown((section,), tuple(_KEYS))
            if content is not None and not isinstance(content, dict):
                raise self._error((section,), "it holds keys with values", content)
            keys = _KEYS[section]
            for key in content or {}:
                if keys is not None and key not in keys:
                    raise self._unknown((section, key), keys)

    def _columns(self) -> dict[str, tuple[str, ...]]:
        given = self._section("columns")
        for name in REQUIRED:
            if given.get(name) is None:
                raise self._error(("columns",), f"the key {name!r} is needed: which column of the file is it?", None)
        return {
            name: self._list("columns", name) if name in SUMMED else (str(self._text("columns", name)),)
            for name in given
            if given[name] is not None
        }

    def _sides(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for side in ("buy", "sell"):
            texts = self._list("sides", side)
            if not texts:
                raise self._error(("sides",), f"the key {side!r} is needed: what does the file write for it?", None)
            for text in texts:
                if found.setdefault(text.casefold(), side) != side:
                    raise self._error(("sides", side), "it stands for both sides", text)
        return found

    def _format(self) -> str:
        found = str(self._text("times", "format", needed=True))
        try:
            datetime.strptime(_SOME_DAY.strftime(found), found)
        except (ValueError, re.error) as error:
            raise self._error(("times", "format"), f"it is no form of a time ({error})", found) from None
        return found

    def _clock(self, form: str) -> ServerTime:
        zone = self._text("times", "zone")
        if zone is None and "%z" in form:
            return server_time("UTC")
        try:
            return server_time(zone, f"{self._where(('times', 'zone'))}, times.zone")
        except InputError as error:
            raise ConfigurationError(str(error)) from None

    def _currency(self) -> str | None:
        found = self._text("account", "currency")
        if found is not None and not (len(found) == 3 and found.isascii() and found.isupper()):
            raise self._error(("account", "currency"), "a currency is a code of three capital letters", found)
        return found

    def _sizes(self) -> dict[str, Decimal]:
        return {
            key: self._number("contract_sizes", key, positive=True) or Decimal(1)
            for key in self._section("contract_sizes")
        }

    def _section(self, section: str) -> dict[str, Any]:
        return self.document.values.get(section) or {}

    def _text(self, section: str, key: str, *, needed: bool = False) -> str | None:
        found = self._section(section).get(key)
        if found is None:
            if needed:
                raise self._error((section,), f"the key {key!r} is needed", None)
            return None
        if not isinstance(found, str) or not found:
            raise self._error((section, key), "it is a text", found)
        return found

    def _texts(self, section: str, key: str) -> dict[str, str]:
        found = self._section(section).get(key) or {}
        if not isinstance(found, dict) or not all(isinstance(text, str) and text for text in found.values()):
            raise self._error((section, key), "it holds texts by texts", found)
        return found

    def _list(self, section: str, key: str) -> tuple[str, ...]:
        found = self._section(section).get(key)
        items = [] if found is None else found if isinstance(found, list) else [found]
        if not all(isinstance(item, str) and item for item in items):
            raise self._error((section, key), "it is a text, or a list of texts", found)
        return tuple(items)

    def _whole(self, section: str, key: str) -> int:
        found = self._section(section).get(key, 0)
        if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= 1000:
            raise self._error((section, key), "it is a whole number from 0 to 1000", found)
        return found

    def _number(self, section: str, key: str, *, positive: bool = False) -> Decimal | None:
        found = self._section(section).get(key)
        if found is None:
            return None
        try:
            number = Decimal(str(found))
        except InvalidOperation:
            number = Decimal("nan")
        if isinstance(found, bool) or not number.is_finite() or (positive and number <= 0):
            raise self._error((section, key), "it is a positive number" if positive else "it is a number", found)
        return number

    def _unknown(self, path: tuple[str, ...], keys: tuple[str, ...]) -> ConfigurationError:
        meant = nearest(path[-1], keys)
        hint = f"did you mean {meant!r}?" if meant else f"known are {', '.join(keys)}"
        return ConfigurationError(f"{self._where(path)}: there is no key {'.'.join(path)!r}; {hint}")

    def _error(self, path: tuple[str, ...], problem: str, value: object) -> ConfigurationError:
        found = "" if value is None else f" (found {value!r})"
        return ConfigurationError(f"{self._where(path)}: {'.'.join(path)}: {problem}{found}")

    def _where(self, path: tuple[str, ...]) -> str:
        line = next(
            (self.document.lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.document.lines), None
        )
        return self.name if line is None else f"{self.name}, line {line}"
