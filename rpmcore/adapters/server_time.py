"""From the clock of a server, which a statement does not name, to UTC."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, available_timezones

from rpmcore.domain.errors import InputError, nearest

_OFFSET = re.compile(r"(?P<zone>.*[^+-])(?P<hours>[+-]\d{1,2})(?::(?P<minutes>[0-5]\d))?", re.ASCII)
_FARTHEST = timedelta(hours=14)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
YEARS = range(1970, 2200)
"""In which a trade can have been made; others do not fit into nanoseconds, or are slips."""
EXAMPLES = "Europe/Athens, UTC+2, or America/New_York+7 for a day that ends at 17:00 in New York"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTime:
    """A zone, or a fixed distance from one.

    Attributes
    ----------
    name
        As it was given.
    zone
        The zone whose clock changes are followed.
    ahead
        How far the server's clock is ahead of that zone's: that of ``America/New_York+7`` by seven hours, so that the
        day ends when New York closes.
    """

    name: str
    zone: tzinfo
    ahead: timedelta = timedelta(0)

    def instants(self, local: datetime) -> tuple[datetime, ...]:
        """Return the instants at which the clock shows `local`: none in a gap, two where an hour comes twice."""
        shown = local - self.ahead
        found = []
        for fold in (0, 1):
            instant = shown.replace(tzinfo=self.zone, fold=fold).astimezone(UTC)
            if instant.astimezone(self.zone).replace(tzinfo=None) == shown and instant not in found:
                found.append(instant)
        return tuple(found)


def server_time(text: str | None, option: str = "--time-zone") -> ServerTime:
    """Return the clock that `text` names: an IANA zone, ``UTC+2``, or a zone with hours added to it.

    Raises
    ------
    InputError
        If none is given, for a statement shows times without a zone, or it is not known.
    """
    if text is None or not text.strip():
        raise InputError(
            "the times of a statement are those of the broker's server, and it does not say where that is",
            source=option, remedy=f"name its zone, such as {EXAMPLES}",
        )  # fmt: skip
    name = text.strip()
    zones = available_timezones()
    if name in zones:
        return ServerTime(name=name, zone=ZoneInfo(name))
    found = _OFFSET.fullmatch(name)
    base = name if found is None else found["zone"].strip()
    if found is not None:
        hours = int(found["hours"])
        ahead = timedelta(hours=abs(hours), minutes=int(found["minutes"] or 0)) * (
            -1 if found["hours"][0] == "-" else 1
        )
        if abs(ahead) <= _FARTHEST:
            if base.upper() in ("UTC", "GMT"):
                return ServerTime(name=name, zone=timezone(ahead))
            if base in zones and not base.startswith("Etc/"):
                return ServerTime(name=name, zone=ZoneInfo(base), ahead=ahead)
    meant = nearest(base, sorted(zones))
    hint = f"did you mean {meant}? " if meant else ""
    raise InputError(
        "there is no such time zone", source=option, value=text, remedy=f"{hint}Give one such as {EXAMPLES}".strip()
    )


def nanoseconds(instant: datetime) -> int:
    """Return an instant as UTC nanoseconds since 1970."""
    return (instant - _EPOCH) // timedelta(microseconds=1) * 1000


@dataclass(slots=True)
class Clock:
    """Turns the times of one statement into instants, and counts those that a clock showed twice.

    Attributes
    ----------
    server
        Whose times they are.
    source
        What messages call the statement.
    twice
        How many times were in an hour that came twice, and were taken for the first of the two where nothing else says.
    """

    server: ServerTime
    source: str
    twice: int = 0

    def instant(self, local: datetime, row: int, column: str, after: datetime | None = None) -> datetime:
        """Return the instant of a time, the first that is not before `after`.

        Raises
        ------
        InputError
            If no clock of the zone ever showed that time.
        """
        found = self.server.instants(local)
        if not found:
            raise InputError(
                f"the clocks of {self.server.name} never showed this time: they were put forward over it",
                source=self.source, column=column, row=row, value=f"{local:%Y.%m.%d %H:%M:%S}",
                remedy=f"name the zone that the server keeps, such as {EXAMPLES}",
            )  # fmt: skip
        if len(found) == 2:
            self.twice += 1
        if after is None or found[0] >= after:
            return found[0]
        return found[-1]

    def notes(self) -> tuple[str, ...]:
        """What a user should know of the times."""
        if not self.twice:
            return ()
        return (
            f"{self.twice} time(s) lie in an hour that the clocks of {self.server.name} showed twice; each is taken "
            "for the earlier, or for the later where the trade would close before it opens",
        )
