"""Closing prices of several instruments on common dates."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rpmcore.domain.arrays import Matrix


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
