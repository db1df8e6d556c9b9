"""Arguments of a job that look right and are not: a text where a list is meant, a text or a number where a day is."""

from collections.abc import Sequence
from datetime import date, datetime

from rpmcore.domain.errors import InvalidArgument


def given_texts(given: Sequence[str], name: str) -> tuple[str, ...]:
    """Return the texts that a caller gives for the argument called `name`.

    Raises
    ------
    InvalidArgument
        If they are one text, which would count as a list of its letters, or hold anything but texts.
    """
    if isinstance(given, str) or not all(isinstance(text, str) for text in given):
        example = repr([given]) if isinstance(given, str) else "['…']"
        raise InvalidArgument(f"{name} must be a list of texts such as {example}, but is {given!r}")
    return tuple(given)


def given_day(given: date | None, name: str) -> date | None:
    """Return the day that a caller gives for the argument called `name`; that of a moment if it is one.

    Raises
    ------
    InvalidArgument
        If it is no day: a number, for one, would count as days from 1970.
    """
    if given is None or (isinstance(given, date) and not isinstance(given, datetime)):
        return given
    if isinstance(given, datetime):
        return given.date()
    raise InvalidArgument(f"{name} must be a day such as datetime.date(2022, 12, 28), but is {given!r}")
