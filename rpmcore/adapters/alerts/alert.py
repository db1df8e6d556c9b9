"""An alert: what happened, to which scope, how bad it is, and who has taken it."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from rpmcore.domain.controls import ACCOUNT
from rpmcore.domain.errors import InvalidArgument, nearest

LONGEST_TITLE, LONGEST_TEXT, LONGEST_NAME = 200, 4000, 200
"""Characters; longer ones are cut, and end in an ellipsis."""


class AlertSeverity(IntEnum):
    """How urgent; each is worse than the one before it."""

    INFO = 1
    WARNING = 2
    CRITICAL = 3
    EMERGENCY = 4

    @property
    def word(self) -> str:
        """In lower case, as settings and files have it."""
        return self.name.lower()


class AlertAction(StrEnum):
    """What a channel is to tell. A note is told once and needs nobody's answer."""

    TRIGGER = "trigger"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One thing that somebody should know, however often it was reported.

    Attributes
    ----------
    id
        Unique.
    key
        What it is about: while one alert of a key is active there is no second one.
    severity, title, text
        The text says what happened, what was done and what to do.
    scope
        ``account``, or the id of a strategy.
    runbook
        The entry of the runbook: a name within its page.
    raised_at, last_at
        When it was first and last reported, UTC nanoseconds.
    count
        How often it was reported.
    acknowledged_by, acknowledged_at, resolved_by, resolved_at
        None where nobody has.
    """

    id: str
    key: str
    severity: AlertSeverity
    title: str
    text: str
    scope: str = ACCOUNT
    runbook: str = ""
    raised_at: int = 0
    last_at: int = 0
    count: int = 1
    acknowledged_by: str | None = None
    acknowledged_at: int | None = None
    resolved_by: str | None = None
    resolved_at: int | None = None

    @property
    def active(self) -> bool:
        """Whether nobody has resolved it."""
        return self.resolved_at is None


def severity_named(name: "AlertSeverity | str") -> AlertSeverity:
    """Return the severity of that name, in lower or upper case.

    Raises
    ------
    InvalidArgument
        If there is none; it names the nearest.
    """
    if isinstance(name, AlertSeverity):
        return name
    if isinstance(name, str) and name.upper() in AlertSeverity.__members__:
        return AlertSeverity[name.upper()]
    known = [each.word for each in AlertSeverity]
    meant = nearest(name, known) if isinstance(name, str) else None
    hint = f"did you mean {meant!r}?" if meant else f"known are {', '.join(known)}"
    raise InvalidArgument(f"there is no severity {name!r}; {hint}")


def one_line(text: str, longest: int = LONGEST_NAME) -> str:
    """Return the text without line breaks, control characters and what no screen shows, cut to so many characters."""
    return _cut("".join(c if c.isprintable() else " " for c in str(text)).strip(), longest)


def lines(text: str, longest: int = LONGEST_TEXT) -> str:
    """Return the text as `one_line` does, but with its line breaks."""
    return _cut("\n".join(one_line(line, longest) for line in str(text).splitlines()), longest)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
