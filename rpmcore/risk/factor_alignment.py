"""Factor returns over the very days that a book's returns span."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from rpmcore.domain.arrays import Matrix
from rpmcore.domain.errors import InputError, InvalidArgument
from rpmcore.domain.factor_returns import FactorReturns

LISTED = 5
"""How many missing dates an error names."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AlignedFactors:
    """Factor returns beside the returns of a panel.

    Attributes
    ----------
    rows
        (n_rows,) which returns of the panel have factors, increasing.
    returns
        (n_rows, n_factors) simple returns over the same days, without NaN.
    missing_dates
        Dates without a return of every factor that cost the panel a return, increasing.
    """

    rows: NDArray[np.intp]
    returns: Matrix
    missing_dates: tuple[date, ...]


def align(
    factors: FactorReturns,
    dates: NDArray[np.datetime64],
    return_days: int,
    *,
    dropped_error: float,
    at_least: int = 1,
) -> AlignedFactors:
    """Return factor returns compounded over the days of each return of a panel.

    Return i of the panel runs from ``dates[i]`` to ``dates[i + return_days]``. The factors' returns of every date after
    the first and up to the last are compounded. The panel's return is left out where a factor lacks on one of these
    dates, or where the file has no row on one of the panel's dates, the first included: the file's next return would
    then begin before the panel's does. Only a file that begins later is excused from the first: what its own first
    return spans is not known, and taken to be the same. A row of the file without any factor counts as none.

    Parameters
    ----------
    factors
        Daily; NaN stands for a missing return, and each return spans from the row before.
    dates
        (n_obs + return_days,) ``datetime64[D]``, strictly increasing.
    return_days
        Rows that each return of the panel spans.
    dropped_error
        Largest share of the panel's returns that may be left out, in [0, 1].
    at_least
        Fewest returns that must remain.

    Raises
    ------
    InputError
        If the panel's rows are nearer than a day, fewer returns than `at_least` remain, or more than `dropped_error`
        of them are left out; names the file, the first and last dates of both, the dates to blame and the remedy.
    InvalidArgument
        If `return_days` is not positive, or there are no more dates than that.
    """
    if not 1 <= return_days < len(dates):
        raise InvalidArgument(f"{len(dates)} dates make no returns over {return_days} rows")
    if np.datetime_data(dates.dtype)[0] != "D":
        raise InputError(
            "factor returns are daily, but rows of prices are nearer than a day apart",
            source=factors.path, remedy="give daily prices, or leave the factors out",
        )  # fmt: skip
    known = np.isfinite(factors.returns)
    held = known.any(axis=1)
    days, returns, full = factors.dates[held], factors.returns[held], known[held].all(axis=1)
    # How many of the file's days are not later than each of the panel's: those between two dates are a slice.
    upto = np.searchsorted(days, dates, side="right")
    listed = (upto > 0) & np.isin(dates, days)
    begins = listed | (upto == 0)
    begin, end = upto[:-return_days], upto[return_days:]
    n_partial = np.concatenate(([0], np.cumsum(~full)))
    n_listed = np.concatenate(([0], np.cumsum(listed)))
    whole = n_listed[return_days + 1 :] - n_listed[1:-return_days] == return_days
    rows = np.flatnonzero(begins[:-return_days] & whole & (n_partial[end] == n_partial[begin]))

    absent = dates[~np.concatenate((begins[:1], listed[1:]))]
    partial = days[~full & (days > dates[0]) & (days <= dates[-1])]
    missing = np.union1d(absent, partial)
    _check(factors, dates, len(rows), len(begin), missing, at_least, dropped_error)
    return AlignedFactors(
        rows=rows, returns=_compounded(returns, begin[rows], end[rows]), missing_dates=tuple(missing.tolist())
    )


def _compounded(returns: Matrix, begin: NDArray[np.intp], end: NDArray[np.intp]) -> Matrix:
    """Return the compounded returns of the slices [begin, end), none of them empty."""
    compounded = returns[begin]
    for step in range(1, int((end - begin).max())):
        longer = np.flatnonzero(begin + step < end)
        compounded[longer] += (1.0 + compounded[longer]) * returns[begin[longer] + step]
    return compounded


def _check(
    factors: FactorReturns,
    dates: NDArray[np.datetime64],
    n_rows: int,
    n_obs: int,
    missing: NDArray[np.datetime64],
    at_least: int,
    dropped_error: float,
) -> None:
    spans = f"factors run from {_span(factors.dates)}, the prices used from {_span(dates)}"
    needed = max(at_least, 1)
    if n_rows < needed:
        raise InputError(
            f"{n_rows} of {n_obs} returns of the prices have factors, but {needed} are needed: {spans}",
            source=factors.path, column="date", remedy="give factors on the days of the prices, or a longer lookback",
        )  # fmt: skip
    if n_obs - n_rows > dropped_error * n_obs:
        first = ", ".join(str(day) for day in missing[:LISTED])
        more = f" and {len(missing) - LISTED} more" if len(missing) > LISTED else ""
        raise InputError(
            f"{n_obs - n_rows} of {n_obs} returns of the prices lack a factor, more than {dropped_error:.0%}, "
            f"for want of {first}{more}: {spans}",
            source=factors.path, column="date", remedy="give factors on these days, or a shorter lookback",
        )  # fmt: skip


def _span(dates: NDArray[np.datetime64]) -> str:
    return f"{dates[0]} to {dates[-1]}" if len(dates) else "no date"
