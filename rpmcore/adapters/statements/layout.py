"""The headings of MetaTrader 5's trade history report: which tables there are, and which columns each has."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

TITLE = "trade history report"

HEADER = ("name", "account", "currency", "company", "date")
"""What stands above the tables, each with a colon."""

FIGURES = (
    "balance", "credit facility", "floating p/l", "equity", "total net profit", "gross profit", "gross loss",
)  # fmt: skip
"""What is read of that which stands below them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A table of the report.

    Attributes
    ----------
    name
        Its heading, in lower case.
    columns
        Field by the heading of its column, in lower case; a heading that comes a second time ends in ``#2``.
    optional
        Headings that older or newer terminals leave out.
    numbers
        Fields that hold numbers.
    """

    name: str
    columns: Mapping[str, str]
    optional: frozenset[str]
    numbers: frozenset[str]

    @property
    def required(self) -> tuple[str, ...]:
        """Headings that must be there."""
        return tuple(heading for heading in self.columns if heading not in self.optional)


SECTIONS = {
    section.name: section
    for section in (
        Section(
            name="positions",
            columns={
                "time": "opened", "position": "position", "symbol": "symbol", "type": "type", "volume": "volume",
                "price": "entry", "time#2": "closed", "price#2": "exit", "commission": "commission", "fee": "fee",
                "swap": "swap", "profit": "profit", "comment": "comment",
            },
            optional=frozenset({"fee", "comment"}),
            numbers=frozenset({"volume", "entry", "exit", "commission", "fee", "swap", "profit"}),
        ),
        Section(
            name="orders",
            columns={"open time": "time", "order": "order", "comment": "comment"},
            optional=frozenset({"comment"}),
            numbers=frozenset(),
        ),
        Section(
            name="deals",
            columns={
                "time": "time", "deal": "deal", "symbol": "symbol", "type": "type", "direction": "direction",
                "order": "order", "commission": "commission", "fee": "fee", "swap": "swap", "profit": "profit",
                "balance": "balance", "comment": "comment",
            },
            optional=frozenset({"fee", "comment"}),
            numbers=frozenset({"commission", "fee", "swap", "profit", "balance"}),
        ),
        Section(
            name="open positions",
            columns={
                "time": "opened", "position": "position", "symbol": "symbol", "type": "type", "volume": "volume",
                "price": "entry", "market price": "price", "swap": "swap", "profit": "profit", "comment": "comment",
            },
            optional=frozenset({"comment"}),
            numbers=frozenset({"volume", "entry", "price", "swap", "profit"}),
        ),
        Section(
            name="working orders",
            columns={
                "open time": "time", "order": "order", "symbol": "symbol", "type": "type", "volume": "volume",
                "price": "price", "comment": "comment",
            },
            optional=frozenset({"comment"}),
            numbers=frozenset({"price"}),
        ),
    )
}  # fmt: skip

KNOWN = ", ".join(name.title() for name in SECTIONS)
"""The tables, as a message lists them."""


def heading(text: str) -> str:
    """Return a heading as the tables above write it: lower case, and nothing around a slash."""
    return re.sub(r"\s*/\s*", "/", text.strip().casefold())


def numbered(texts: list[str]) -> list[str]:
    """Return headings in order, each told apart from its earlier equals."""
    seen: dict[str, int] = {}
    found = []
    for text in map(heading, texts):
        seen[text] = seen.get(text, 0) + 1
        found.append(text if seen[text] == 1 else f"{text}#{seen[text]}")
    return found
