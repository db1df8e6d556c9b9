"""What a statement of MetaTrader 5 says, before anything is made of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

Side = Literal["buy", "sell"]
Mode = Literal["hedging", "netting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whose statement it is.

    Attributes
    ----------
    number, server
        As the header has them; None where it does not.
    currency
        ISO code of every amount.
    mode
        Whether a symbol may have several positions; None where the header does not say.
    """

    number: str | None
    server: str | None
    currency: str | None
    mode: Mode | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedPosition:
    """A row of *Positions*. Volume in lots, amounts in account currency as the statement signs them."""

    row: int
    position: str
    symbol: str
    side: Side
    volume: Decimal
    opened: datetime
    entry: Decimal
    closed: datetime
    exit: Decimal
    commission: Decimal
    fee: Decimal
    swap: Decimal
    profit: Decimal
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPosition:
    """A row of *Open Positions*; `price` is that of the market now."""

    row: int
    position: str
    symbol: str
    side: Side
    volume: Decimal
    entry: Decimal
    price: Decimal
    swap: Decimal
    profit: Decimal
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingOrder:
    """A row of *Working Orders*; volume and what is filled of it in lots, and `kind` such as ``limit``."""

    row: int
    order: str
    symbol: str
    side: Side
    kind: str
    volume: Decimal
    filled: Decimal
    price: Decimal | None
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """A row of *Deals*: an execution, or money that came, went or was charged."""

    row: int
    deal: str
    symbol: str
    kind: str
    direction: str
    order: str
    time: str
    commission: Decimal
    fee: Decimal
    swap: Decimal
    profit: Decimal
    balance: Decimal | None
    comment: str

    @property
    def trades(self) -> bool:
        """Whether it is an execution, and not money."""
        return self.kind in ("buy", "sell")

    @property
    def flow(self) -> Decimal:
        """What it does to the balance."""
        return self.commission + self.fee + self.swap + self.profit


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A whole statement.

    Attributes
    ----------
    source, encoding, layout
        The file, how it is encoded, and ``html`` or ``csv``.
    as_of
        When it was made, by the server's clock; None where it does not say.
    sections
        Names of the tables found.
    closed, open, working, deals
        Their rows.
    order_comments
        Comment of each order that has one.
    totals
        The last row of *Deals*, by column; empty where there is none.
    figures
        What stands below the tables, such as ``balance``.
    """

    source: str
    encoding: str
    layout: Literal["html", "csv"]
    account: Account
    as_of: datetime | None
    sections: frozenset[str]
    closed: tuple[ClosedPosition, ...]
    open: tuple[OpenPosition, ...]
    working: tuple[WorkingOrder, ...]
    deals: tuple[Deal, ...]
    order_comments: Mapping[str, str]
    totals: Mapping[str, Decimal]
    figures: Mapping[str, Decimal]
