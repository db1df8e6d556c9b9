"""The time of a command: a whole number of UTC nanoseconds that never runs backwards."""

from collections.abc import Callable
from datetime import date, timedelta

from rpmcore.domain.errors import InvalidArgument

Clock = Callable[[], int]
"""Tells the time in UTC nanoseconds since 1970."""

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
CLOSE_HOUR = 22
"""Daily closes are known from this hour UTC on: after New York, before Tokyo."""
_EPOCH = date(1970, 1, 1)


def time_of(at: int | None, clock: Clock | None) -> int:
    """Return the time of a command: `at`, or what the clock says.

    Raises
    ------
    InvalidArgument
        If there is neither, or it is no whole number of nanoseconds after 1970.
    """
    if at is None:
        if clock is None:
            raise InvalidArgument("no time is given: pass at= in UTC nanoseconds, or a clock to the constructor")
        at = clock()
    if isinstance(at, bool) or not isinstance(at, int) or not 0 <= at < 2**63:
        raise InvalidArgument(f"at must be a whole number of UTC nanoseconds since 1970, but is {at!r}")
    return at


def not_before(at: int, last: int | None, what: str) -> None:
    """Raise `InvalidArgument` if `at` lies before `last`."""
    if last is not None and at < last:
        raise InvalidArgument(f"time runs backwards: {what} at {at}, after one at {last}")


def later_day(at: int, last: int | None, what: str) -> None:
    """Raise `InvalidArgument` unless `at` lies on a later UTC day than `last`: daily windows count a day once."""
    not_before(at, last, what)
    if last is not None and at // DAY == last // DAY:
        raise InvalidArgument(f"{what} of {day_of(at)} was recorded before; there is one a day")


def day_of(at: int) -> date:
    """Return the UTC day of a time."""
    return _EPOCH + timedelta(days=at // DAY)


def days_between(earlier: int, later: int) -> int:
    """Return how many calendar days lie between the days of two times."""
    return later // DAY - earlier // DAY


def close_time(day: date) -> int:
    """Return when the closes of a day are known, UTC nanoseconds."""
    return (day - _EPOCH).days * DAY + CLOSE_HOUR * (DAY // 24)
