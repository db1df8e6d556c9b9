"""What an import of a statement has done."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from rpmcore.adapters.statements.results import ImportedHolding
from rpmcore.risk.notices import Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class TradesMade:
    """What became of the closed positions; amounts in account currency."""

    path: str | None
    path_reason: str | None = "the trades were not asked for"
    n_trades: int
    pnl: Decimal
    fees: Decimal
    first: str | None
    last: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookMade:
    """What became of the open positions; `flat` are the symbols whose positions cancel out."""

    path: str | None
    n_positions: int
    holdings: tuple[ImportedHolding, ...]
    flat: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """One sum by the statement and by its rows, in account currency."""

    name: str
    statement: Decimal
    computed: Decimal
    difference: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What was imported.

    Attributes
    ----------
    kind
        ``mt5`` or ``csv``.
    source, encoding, time_zone
        The file, how it is encoded, and whose clock its times are read by.
    account
        Number, server, currency and mode, as far as the statement says.
    as_of
        When the statement was made, by the server's clock.
    symbols
        Our symbol by the broker's.
    reconciliation
        Every sum that was checked; all of them foot.
    money
        What moved the balance and was no trade, by kind.
    warnings
        What a user should know.
    """

    kind: Literal["mt5", "csv"]
    source: str
    encoding: str
    time_zone: str
    account: Mapping[str, str | None]
    as_of: str | None
    as_of_reason: str | None = "the file does not say"
    capital: Decimal | None
    capital_reason: str | None = "the file does not say"
    trades: TradesMade | None
    trades_reason: str | None = "there is no closed position"
    book: BookMade | None
    book_reason: str | None = "the book was not asked for"
    symbols: Mapping[str, str]
    reconciliation: tuple[Reconciled, ...]
    money: Mapping[str, Decimal]
    warnings: tuple[Notice, ...]
