"""What a desk may say of an asset, value by value."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import time
from math import inf, isfinite
from typing import Any, Protocol, get_args
from zoneinfo import ZoneInfo, available_timezones

from rpmcore.domain.errors import InputError, nearest
from rpmcore.domain.factor_profiles import FACTORS, LOADING_SOURCES, Loading
from rpmcore.domain.instruments import CURRENCIES, SECTORS, Clock, Kind, sector_named
from rpmcore.domain.reference import profiles

TEXT_KEYS = ("name", "kind", "currency", "base_currency", "sector", "clock")
NUMBER_KEYS = ("contract_size", "lot_step")
FACTOR_KEYS = FACTORS

LARGEST_LOADING = 1000.0
"""A return that moves a thousand times as far as its factor is a slip, and sums of such overflow."""

_HOUR = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)


class Refuse(Protocol):
    """Makes the error for a key of an entry."""

    def __call__(self, key: str, problem: str, *, remedy: str, value: object = None) -> InputError:
        """Return it."""


def checked(cells: Mapping[str, Any], refuse: Refuse) -> dict[str, Any]:
    """Return the values of known keys as an `Instrument` and its loadings hold them.

    Parameters
    ----------
    cells
        Texts, numbers and mappings as a file holds them, none of them None.
    refuse
        Makes the error that is raised where one cannot be used.
    """
    return {key: _CHECKS[key](key, value, refuse) for key, value in cells.items()}


def _text(key: str, value: Any, refuse: Refuse) -> str:
    if not isinstance(value, str) or not value.strip():
        raise refuse(key, "it must be a text", value=_told(value), remedy="put it in quotation marks if it is one")
    return value


def _number(key: str, value: Any, refuse: Refuse) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refuse(key, "it must be a number", value=_told(value), remedy="write a plain number such as 1.2")
    try:
        number = float(value)
    except OverflowError:
        number = inf
    if not isfinite(number):
        raise refuse(key, "it is not a finite number", value=_told(value), remedy="correct it, or leave it out")
    return number


def _positive(key: str, value: Any, refuse: Refuse) -> float:
    number = _number(key, value, refuse)
    if number <= 0.0:
        raise refuse(key, "it must be positive", value=value, remedy="correct it, or leave it out if it is not known")
    return number


def _one_of(known: Iterable[str], what: str) -> Callable[[str, Any, Refuse], str]:
    names = tuple(sorted(known))

    def check(key: str, value: Any, refuse: Refuse) -> str:
        text = _text(key, value, refuse)
        if text not in names:
            raise refuse(key, f"not {what}", value=text, remedy=_meant(text, names))
        return text

    return check


def _sector(key: str, value: Any, refuse: Refuse) -> str:
    text = _text(key, value, refuse)
    found = sector_named(text)
    if found is None:
        raise refuse(key, "not a sector that is known", value=text, remedy=_meant(text, SECTORS))
    return found


def _clock(key: str, value: Any, refuse: Refuse) -> Clock:
    known = {clock.name: clock for profile in profiles().values() if (clock := profile.instrument.clock) is not None}
    if not isinstance(value, dict):
        return known[_one_of(known, "a clock that is known")(key, value, refuse)]
    if set(value) != {"zone", "time"}:
        raise refuse(
            key, f"it holds the keys {', '.join(value) or 'none'}",
            remedy='give zone and time, such as {zone: Europe/London, time: "16:30"}, or the name of a known clock',
        )  # fmt: skip
    zone, hour = value["zone"], value["time"]
    if not _is_zone(zone):
        text = str(zone)
        meant = nearest(text, sorted(available_timezones()))
        raise refuse(
            key, "not the name of a time zone", value=text,
            remedy=f"did you mean {meant!r}?" if meant else "write one such as Europe/London",
        )  # fmt: skip
    if not isinstance(hour, str) or not _HOUR.fullmatch(hour):
        raise refuse(key, "not a time of day", value=_told(hour), remedy="write hours and minutes, such as 16:30")
    at = time.fromisoformat(hour)
    # One hour under two names would be taken for two clocks.
    same = (clock for clock in known.values() if (clock.zone, clock.time) == (zone, at))
    return next(same, Clock(name=zone.rpartition("/")[2].replace("_", " "), zone=zone, time=at))


def _is_zone(name: Any) -> bool:
    if not isinstance(name, str) or not name:
        return False
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _slope(key: str, value: Any, refuse: Refuse) -> float:
    number = _number(key, value, refuse)
    if abs(number) > LARGEST_LOADING:
        raise refuse(
            key, f"a loading of more than {LARGEST_LOADING:.0f} is no slope of returns", value=number,
            remedy="give the change of the asset's return for a unit of the factor's, such as 1.2",
        )  # fmt: skip
    return number


def _loading(key: str, value: Any, refuse: Refuse) -> Loading:
    """Return a plain number, or one with its source; what a desk says is given, unless it says that it is not known."""
    if not isinstance(value, dict):
        return Loading(value=_slope(key, value, refuse), source="given")
    if "value" not in value or not set(value) <= {"value", "source"}:
        raise refuse(
            key, f"it holds the keys {', '.join(value) or 'none'}", remedy="give a number, or value and source"
        )
    number = _slope(key, value["value"], refuse)
    source = _one_of(LOADING_SOURCES, "a source of loadings")(key, value.get("source", "given"), refuse)
    if source != "neutral":
        return Loading(value=number, source="given")
    if number != 0.0 or key == "beta":
        raise refuse(
            key, "neutral is the zero of a style or theme that was not measured", value=number, remedy="leave it out"
        )
    return Loading(value=0.0, source="neutral")


def _meant(text: str, known: tuple[str, ...]) -> str:
    meant = nearest(text, known)
    if meant:
        return f"did you mean {meant!r}?"
    return f"write one of {', '.join(known)}" if len(known) < 20 else "write a code such as USD"


def _told(value: Any) -> Any:
    return value if isinstance(value, str | int | float) else str(value)


_currency = _one_of(CURRENCIES, "an ISO 4217 currency code")
_CHECKS: Mapping[str, Callable[[str, Any, Refuse], Any]] = {
    "name": _text,
    "kind": _one_of(get_args(Kind), "a kind that is known"),
    "currency": _currency,
    "base_currency": _currency,
    "sector": _sector,
    "clock": _clock,
    **dict.fromkeys(NUMBER_KEYS, _positive),
    **dict.fromkeys(FACTOR_KEYS, _loading),
}
