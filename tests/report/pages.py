"""A page as elements, and books to make pages of."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from html.parser import HTMLParser

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

VOID = {"meta", "link", "br", "img", "input", "hr"}
SECTORS = ("Information Technology", "Financials", "Energy", "Health Care", "Consumer Staples", "Industrials")


@dataclass
class Element:
    tag: str
    attributes: dict
    parent: "Element | None" = None
    children: list = field(default_factory=list)
    texts: list = field(default_factory=list)

    @property
    def text(self):
        """All text within, blanks made one."""
        return " ".join(" ".join(self._pieces()).split())

    def _pieces(self):
        for piece in self.texts:
            if isinstance(piece, str):
                yield piece
            else:
                yield from piece._pieces()

    def within(self):
        for child in self.children:
            yield child
            yield from child.within()

    def all(self, tag, **attributes):
        def fits(element):
            given = element.attributes
            return all(value in (given.get(name) or "").split() for name, value in attributes.items())

        return [element for element in self.within() if element.tag == tag and fits(element)]

    def one(self, identity):
        (found,) = [e for e in self.within() if e.attributes.get("id") == identity]
        return found


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.root = self.here = Element("root", {})

    def handle_starttag(self, tag, attrs):
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.here = self.here.children[-1]

    def handle_startendtag(self, tag, attrs):
        made = Element(tag, dict(attrs), self.here)
        self.here.children.append(made)
        self.here.texts.append(made)

    def handle_endtag(self, tag):
        assert self.here.tag == tag, f"<{self.here.tag}> is closed by </{tag}>"
        self.here = self.here.parent

    def handle_data(self, data):
        self.here.texts.append(data)


def read_page(page):
    """Return the elements of a page, whose tags must be closed in their order."""
    reader = _Reader()
    reader.feed(page.decode() if isinstance(page, bytes) else page)
    assert reader.here is reader.root
    return reader.root


def rows_of(table):
    """Return the cells of the body of a table, without the lines that give a reason."""
    rows = [[cell.text for cell in row.children] for row in table.all("tbody")[0].all("tr")]
    return [row for row in rows if len(row) > 1]


def write_synthetic_book(folder, n, *, n_days=700, seed=7, names=None, capital=10_000_000):
    """Write a book of `n` shares that walk at random around a market, and its prices; return the book's path."""
    rng = np.random.default_rng(seed)
    market = 0.01 * rng.standard_t(5, size=n_days)
    sectors = 0.006 * rng.standard_normal((n_days, len(SECTORS)))
    which = [i % len(SECTORS) for i in range(n)]
    own = 0.01 * rng.standard_t(5, size=(n_days, n))
    returns = np.clip(np.outer(market, rng.uniform(0.5, 1.5, n)) + sectors[:, which] + own, -0.2, 0.2)
    closes = 100.0 * np.exp(np.cumsum(returns, axis=0))
    symbols = names or [f"STK{i:03d}" for i in range(n)]
    days, day = [], date(2022, 12, 28)
    while len(days) < n_days:
        if day.weekday() < 5:
            days.append(day)
        day -= timedelta(days=1)
    prices = {symbol: closes[:, i] for i, symbol in enumerate(symbols)}
    pq.write_table(
        pa.table({"date": days[::-1], "SP500": 100.0 * np.exp(np.cumsum(market)), **prices}), folder / "prices.parquet"
    )
    weights = rng.normal(1.0, 1.5, n)
    weights *= 1.2 / np.abs(weights).sum()
    held = "weight" if capital is None else "market_value"
    table = pa.table({
        "symbol": symbols, held: weights * (capital or 1.0), "sector": [SECTORS[i] for i in which],
        "strategy_id": [f"desk{i % 3}" for i in range(n)],
    })  # fmt: skip
    if capital is not None:
        table = table.replace_schema_metadata({"rpm.capital": str(capital), "rpm.base_currency": "USD"})
    pq.write_table(table, folder / "book.parquet")
    return folder / "book.parquet"
