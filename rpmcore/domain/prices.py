"""Closing prices of several instruments on common dates."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from rpmcore.domain.arrays import Matrix, Vector
from rpmcore.domain.errors import InputError, InvalidArgument, nearest
from rpmcore.domain.plain import to_plain
from rpmcore.domain.report import Report, Shown, counted


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedSymbol:
    """What there is of one instrument: how many closes, how many dates without one, and the days of the outermost."""

    symbol: str
    n_closes: int
    missing: int
    first: date | None
    first_reason: str = "it has no close"
    last: date | None
    last_reason: str = "it has no close"
    last_close: float | None
    last_close_reason: str = "it has no close"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PriceHistory(Report):
    """Closes on strictly increasing dates.

    Attributes
    ----------
    dates
        (n_dates,) ``datetime64[D]`` for daily data, ``datetime64[us]`` in UTC where rows are nearer than a day.
    symbols
        One per column of `closes`.
    closes
        (n_dates, n_symbols) float64; NaN stands for a missing price, every other value is positive and finite.
    path
        What messages call the source.
    notes
        What the reader changed on the way in, such as a time zone that was dropped.
    """

    dates: NDArray[np.datetime64]
    symbols: tuple[str, ...]
    closes: Matrix
    path: str
    notes: tuple[str, ...] = ()

    SCHEMA = "rpm.prices/1"
    MAIN = "closes"
    ROWS: ClassVar[dict[str, type]] = {"summary": PricedSymbol}
    SHOWN = (
        Shown(
            table="summary", title="Symbols", rows=12,
            columns=("symbol", "n_closes", "missing", "first", "last", "last_close"),
        ),
    )  # fmt: skip

    def to_plain(self) -> dict[str, Any]:
        """Return it in JSON's types, without its schema: closes by column, a date each or an instant in UTC."""
        suffix = "Z" if self.intraday else ""
        columns = [[None if close != close else close for close in column] for column in self.closes.T.tolist()]
        return {
            "path": self.path, "notes": list(self.notes), "summary": to_plain(self.summary),
            "closes": {
                "date": [f"{moment}{suffix}" for moment in self.dates], **dict(zip(self.symbols, columns, strict=True)),
            },
        }  # fmt: skip

    @property
    def summary(self) -> tuple[PricedSymbol, ...]:
        """What there is of each instrument."""
        return tuple(self._summed(symbol, column) for symbol, column in zip(self.symbols, self.closes.T, strict=True))

    def _summed(self, symbol: str, column: Vector) -> PricedSymbol:
        there = np.flatnonzero(~np.isnan(column))
        days = self.dates.astype("M8[D]")[there]
        return PricedSymbol(
            symbol=symbol, n_closes=len(there), missing=len(column) - len(there),
            first=days[0].item() if len(there) else None, last=days[-1].item() if len(there) else None,
            last_close=float(column[there[-1]]) if len(there) else None,
        )  # fmt: skip

    def headline(self) -> str:
        """Return what it is in a sentence."""
        missing = int(np.isnan(self.closes).sum())
        return (
            f"{self.path}: {counted(len(self.symbols), 'symbol')} on {counted(len(self.dates), 'date')} from "
            f"{self.dates[0]} to {self.dates[-1]}, {missing:,} closes missing"
        )

    @property
    def intraday(self) -> bool:
        """Whether rows are nearer than a day apart."""
        return np.datetime_data(self.dates.dtype)[0] != "D"

    def read(self, symbols: Iterable[str], *, until: date | None = None) -> "PriceHistory":
        """Return the closes of `symbols`, one column each in the order given, on the same dates.

        Parameters
        ----------
        symbols
            Each of them once.
        until
            The last day to use, in UTC for rows nearer than a day; all if None.

        Raises
        ------
        InputError
            If a symbol is not there, or every row is later than `until`.
        InvalidArgument
            If `symbols` is empty or names one twice.
        """
        wanted = tuple(symbols)
        if not wanted or len(set(wanted)) < len(wanted):
            raise InvalidArgument(f"symbols must name at least one, and each once, but are {wanted[:8]}")
        place = {symbol: i for i, symbol in enumerate(self.symbols)}
        for symbol in wanted:
            if symbol not in place:
                meant = nearest(symbol, self.symbols)
                raise InputError(
                    "there are no prices of this symbol", source=self.path, symbol=symbol,
                    remedy=f"did you mean {meant!r}?" if meant else "add prices of it, or do not hold it",
                )  # fmt: skip
        n = len(self.dates)
        if until is not None:
            n = int(np.searchsorted(self.dates, np.datetime64(until, "D") + np.timedelta64(1, "D")))
            if n == 0:
                raise InputError(
                    f"every row is later than {until}", source=self.path, column="date",
                    value=str(self.dates[0]), remedy="give a later day, or more history",
                )  # fmt: skip
        closes = self.closes[:n, [place[symbol] for symbol in wanted]]
        return replace(self, dates=self.dates[:n], symbols=wanted, closes=np.ascontiguousarray(closes))


class PriceReader(Protocol):
    """Where prices come from: an open file, or a history that was read before."""

    @property
    def path(self) -> str:
        """What messages call it."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """Those it has."""

    def read(self, symbols: Iterable[str], *, until: date | None = None) -> PriceHistory:
        """Return the closes of `symbols` up to and with a day."""
