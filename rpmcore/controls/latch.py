"""One measure of a switch: it rises with what is observed, and comes down by rules that a table states."""

from math import isfinite
from types import MappingProxyType
from typing import Any

from rpmcore.domain.controls import ACCOUNT, REQUESTS, ControlEvent, Severity
from rpmcore.domain.errors import InvalidArgument

MINUTE = 60_000_000_000
"""Nanoseconds."""

TOLERANCE = 1e-12
"""A share this little below a level has reached it: 3 × 0.1 must not escape a limit of 0.3."""

NONE, WARNING, THROTTLE, HALT, LIQUIDATE = Severity

TRANSITIONS = MappingProxyType(
    {
        NONE: (NONE, WARNING, THROTTLE, HALT, LIQUIDATE),
        WARNING: (WARNING, WARNING, THROTTLE, HALT, LIQUIDATE),
        THROTTLE: (THROTTLE, THROTTLE, THROTTLE, HALT, LIQUIDATE),
        HALT: (HALT, HALT, HALT, HALT, LIQUIDATE),
        LIQUIDATE: (LIQUIDATE, LIQUIDATE, LIQUIDATE, LIQUIDATE, LIQUIDATE),
    }
)
"""What a severity becomes, by the severity that the observation alone would give: up, never down."""

CLEARS_BY_ITSELF = frozenset({WARNING, THROTTLE})
"""They end when the observation is below the clearing share; the others end by an operator's word alone."""


def reached(share: float, level: float) -> bool:
    """Return whether `share` is `level` or more."""
    return share >= level - TOLERANCE * level


def check_number(value: float, name: str, *, least: float | None = None) -> float:
    """Return a finite number.

    Raises
    ------
    InvalidArgument
        If it is no number, not finite, or below `least`.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise InvalidArgument(f"{name} is {value!r}, not a finite number: fix its source and record it again")
    if least is not None and value < least:
        raise InvalidArgument(f"{name} is {value!r}, below {least:g}: fix its source and record it again")
    return float(value)


def check_operator(operator: str, reason: str) -> None:
    """Refuse an operator without a name or a reason without words.

    Raises
    ------
    InvalidArgument
        If one of them is blank.
    """
    for name, text in (("operator", operator), ("reason", reason)):
        if not isinstance(text, str) or not text.strip():
            raise InvalidArgument(f"{name} is {text!r}: a named operator and a written reason are needed")


class Latch:
    """The severity of one measure in one scope.

    Parameters
    ----------
    switch, scope
        As in `ControlEvent`.
    measure
        What is observed, in words.
    levels
        Shares of the threshold with the severity that each brings, ascending.
    clear
        Share below which WARNING and THROTTLE end.
    """

    __slots__ = (
        "_quiet",
        "clear",
        "levels",
        "measure",
        "observed",
        "scope",
        "severity",
        "switch",
        "target",
        "threshold",
    )

    def __init__(
        self, switch: str, measure: str, levels: tuple[tuple[float, Severity], ...], clear: float, scope: str = ACCOUNT
    ) -> None:
        self.switch, self.measure, self.scope, self.levels, self.clear = switch, measure, scope, levels, clear
        self.severity = self.target = NONE
        self.observed, self.threshold = 0.0, 1.0
        self._quiet = levels[0][0] * (1.0 - 2.0 * TOLERANCE)

    def update(
        self, at: int, observed: float, threshold: float, correlation_id: str = "", *, least: Severity = NONE,
        note: str = "",
    ) -> tuple[ControlEvent, ...]:  # fmt: skip
        """Take an observation, and return the event if the severity changes.

        Parameters
        ----------
        at
            Nanoseconds, UTC.
        observed, threshold
            In one unit; the threshold is positive.
        correlation_id
            Of the command.
        least
            Severity that other evidence asks for, and `note` says why.
        note
            Added to the reason.
        """
        self.observed, self.threshold = observed, threshold
        share, before = observed / threshold, self.severity
        if before is NONE and least is NONE and share < self._quiet:
            self.target = NONE
            return ()
        target = NONE
        for level, severity in self.levels:
            if reached(share, level):
                target = severity
        told = ""
        if least.rank > target.rank:
            target, told = least, f"; {note}"
        self.target = target
        after = TRANSITIONS[before][target.rank]
        if target is NONE and share < self.clear and before in CLEARS_BY_ITSELF:
            after = NONE
        if after is before:
            return ()
        self.severity = after
        return (self._event(at, before, self._reading() + told, correlation_id),)

    def reset(self, at: int, operator: str, reason: str, correlation_id: str = "") -> tuple[ControlEvent, ...]:
        """Take what the last observation alone would give: what is still true stays.

        Raises
        ------
        InvalidArgument
            If operator or reason is blank.
        """
        check_operator(operator, reason)
        before, self.severity = self.severity, self.target
        if before is NONE:
            return ()
        still = f"; still true: {self._reading()}" if self.severity >= HALT else ""
        return (self._event(at, before, f"{reason}{still}", correlation_id, operator),)

    def trip(
        self, at: int, severity: Severity, operator: str, reason: str, correlation_id: str = ""
    ) -> tuple[ControlEvent, ...]:
        """Raise the severity by hand; a lower one than the present changes nothing, and the event says so.

        Raises
        ------
        InvalidArgument
            If operator or reason is blank.
        """
        check_operator(operator, reason)
        before = self.severity
        self.severity = TRANSITIONS[before][severity.rank]
        return (self._event(at, before, reason, correlation_id, operator, told=False),)

    def _reading(self) -> str:
        return f"{self.measure}: {self.observed:.6g} against {self.threshold:.6g}"

    def _event(
        self, at: int, before: Severity, reason: str, correlation_id: str, operator: str | None = None, *,
        told: bool = True,
    ) -> ControlEvent:  # fmt: skip
        return ControlEvent(
            at=at, switch=self.switch, scope=self.scope, before=before, after=self.severity,
            observed=self.observed if told else None, threshold=self.threshold if told else None,
            reason=reason, correlation_id=correlation_id, operator=operator,
            requests=REQUESTS.get(self.severity, ()) if self.severity > before else (),
        )  # fmt: skip

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs, in JSON's types."""
        return {
            "severity": self.severity.value, "target": self.target.value,
            "observed": self.observed, "threshold": self.threshold,
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        self.severity, self.target = Severity(state["severity"]), Severity(state["target"])
        self.observed, self.threshold = state["observed"], state["threshold"]
