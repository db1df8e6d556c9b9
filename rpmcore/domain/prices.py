"""Closing prices of several instruments on common dates."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rpmcore.domain.arrays import Matrix
from rpmcore.domain.errors import InputError, InvalidArgument, nearest


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PriceHistory:
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
