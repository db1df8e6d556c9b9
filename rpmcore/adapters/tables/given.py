"""What a caller may give for a table."""

from os import PathLike
from typing import Protocol

from rpmcore.domain.portfolio import Book
from rpmcore.domain.prices import PriceHistory
from rpmcore.domain.trades import TradeHistory


class ArrowStream(Protocol):
    """Whatever speaks Arrow: its tables, data frames of pandas and polars, relations of duckdb, results of rpm."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the Arrow stream in its capsule."""
        ...


Given = str | PathLike[str] | ArrowStream
"""A Parquet or CSV file, or a table in memory."""

GivenBook = Given | Book
"""The same, or a book that was read before."""

GivenPrices = Given | PriceHistory
"""The same, or prices that were read before."""

GivenTrades = Given | TradeHistory
"""The same, or trades that were read before."""
