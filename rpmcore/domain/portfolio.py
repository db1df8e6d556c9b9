"""A book as it was read: holdings in the unit they were given, not yet valued."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from rpmcore.domain.report import Report, Shown, amount, counted

Sizing = Literal["weight", "market_value", "quantity"]
"""The unit in which a book gives its holdings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One row of a book.

    Attributes
    ----------
    symbol
        Any non-empty text.
    size
        Signed, in the unit of the book's `Sizing`: a fraction of capital, a market value in account currency, or
        a quantity of shares, contracts or (for a currency pair) base currency. Negative is short.
    price
        Price of one unit in the currency of the instrument; only where the book gives quantities.
    strategy_id
        The strategy that holds it, or None.
    currency, sector, contract_size
        What the book says of the instrument; None leaves it to the reference data.
    adv
        Average daily volume in account currency.
    spread_bps
        Full bid-ask spread in basis points of the price.
    """

    symbol: str
    size: float
    price: float | None = None
    strategy_id: str | None = None
    currency: str | None = None
    sector: str | None = None
    contract_size: float | None = None
    adv: float | None = None
    spread_bps: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Book(Report):
    """The holdings of an account, in the order of the file.

    Attributes
    ----------
    source
        ``"file"``, ``"memory"`` or ``"sample"``.
    path
        The file's path as it was given; None for a table in memory.
    sizing
        The unit of every holding's size.
    capital
        Equity in account currency; None where the book gives weights and nothing else names it.
    base_currency
        ISO code of the account currency; None where the file does not say.
    as_of
        The day the book is from; None where the file does not say.
    """

    holdings: tuple[Holding, ...]
    sizing: Sizing
    source: str
    path: str | None
    capital: float | None = None
    base_currency: str | None = None
    as_of: date | None = None

    SCHEMA = "rpm.book/1"
    MAIN = "holdings"
    SHOWN = (
        Shown(
            table="holdings", title="Holdings", rows=20,
            columns=("symbol", "strategy_id", "weight", "market_value", "quantity", "price", "currency", "sector"),
        ),
    )  # fmt: skip

    def lists(self) -> dict[str, Any]:
        """Return where `to_arrow` looks for lists: a size has the name that it has in a file of books."""
        plain = self.to_plain()
        rows = [{self.sizing if name == "size" else name: v for name, v in row.items()} for row in plain["holdings"]]
        return {**plain, "holdings": rows}

    def headline(self) -> str:
        """Return what it is in a sentence."""
        capital = "no capital named" if self.capital is None else f"capital {amount(self.capital)}"
        held = counted(len(self.holdings), "holding")
        return f"{self.name}: {held} by {self.sizing.replace('_', ' ')}, {capital} {self.base_currency or ''}".rstrip()

    @property
    def name(self) -> str:
        """What messages call this book."""
        return self.path or f"the {self.source} book"
