"""Returns of factors on the dates of their source."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rpmcore.domain.arrays import Matrix


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FactorReturns:
    """Simple returns per date, as decimals.

    Attributes
    ----------
    dates
        (n_dates,) ``datetime64[D]``, strictly increasing; each return ends on its date.
    names
        One per column of `returns`.
    returns
        (n_dates, n_factors) float64; NaN stands for a missing return, every other value is finite and above −1.
    path
        What messages call the source.
    """

    dates: NDArray[np.datetime64]
    names: tuple[str, ...]
    returns: Matrix
    path: str
