"""When to try again."""

from datetime import UTC
from email.utils import parsedate_to_datetime

LONGEST_PAUSE = 3600.0
"""Seconds: the longest pause that an endpoint can ask for."""


def backoff(attempts: int, *, first: float, longest: float, chance: float) -> float:
    """Return the seconds to wait after so many failed attempts: doubling, and between half and all of it by chance.

    Parameters
    ----------
    attempts
        At least 1.
    first, longest
        Seconds.
    chance
        In [0, 1): spreads the attempts of many senders, so that they do not all come back at once.
    """
    whole = min(longest, first * 2.0 ** min(attempts - 1, 62))
    return whole * (0.5 + 0.5 * chance)


def retry_after(header: str | None, now: float) -> float | None:
    """Return the seconds that a ``Retry-After`` asks to wait: a whole number, or a date of HTTP (RFC 9110, 10.2.3).

    Parameters
    ----------
    header
        As it came; None and what cannot be read give None.
    now
        Seconds since 1970, UTC.
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        wait = float(text[:12])
    else:
        try:
            date = parsedate_to_datetime(text)
        except (ValueError, TypeError, OverflowError):
            return None
        wait = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now
    return min(max(wait, 0.0), LONGEST_PAUSE)
