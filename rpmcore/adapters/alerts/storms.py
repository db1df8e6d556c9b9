"""What keeps a storm of alerts from being a storm of messages."""

from enum import Enum

from rpmcore.adapters.alerts.alert import Alert, AlertSeverity

Kind = tuple[AlertSeverity, str]
"""Alerts of one severity and one entry of the runbook: a storm of one kind hides none of another."""

_MOST = 10_000
_MOST_KINDS = 200


class Admission(Enum):
    """Whether an alert is sent now, once it has stopped coming and going, or in a sum with others."""

    NOW = "now"
    LATER = "later"
    SUMMED = "summed"


class Allowance:
    """At most so many in a window of so many nanoseconds, which begins with the first; what is beyond is counted."""

    __slots__ = ("_most", "_start", "_taken", "_window", "refused")

    def __init__(self, most: int, window: int, start: int) -> None:
        self._most, self._window, self._start = most, window, start
        self._taken = self.refused = 0

    def over(self, now: int) -> bool:
        """Return whether the window has ended; a clock set back ends it."""
        return not 0 <= now - self._start < self._window

    def take(self) -> bool:
        """Take one of those left, and return whether there was one."""
        if self._taken < self._most:
            self._taken += 1
            return True
        self.refused += 1
        return False


class Storms:
    """How much has been sent of each key and of each kind in its window.

    Parameters
    ----------
    of_kind, of_key
        Most in a window.
    window
        Nanoseconds.
    """

    def __init__(self, of_kind: int, of_key: int, window: int) -> None:
        self._of_kind, self._of_key, self._window = of_kind, of_key, window
        self._kinds: dict[Kind, Allowance] = {}
        self._keys: dict[str, Allowance] = {}

    def admit(self, alert: Alert, now: int) -> Admission:
        """Count an alert, and return what becomes of it."""
        own = self._keys.get(alert.key)
        if own is None or own.over(now):
            if own is None and len(self._keys) >= _MOST:
                del self._keys[next(iter(self._keys))]
            own = self._keys[alert.key] = Allowance(self._of_key, self._window, now)
        if not own.take():
            return Admission.LATER
        return Admission.NOW if self._allowance(self.kind_of(alert), now).take() else Admission.SUMMED

    def refuse(self, kind: Kind, now: int) -> None:
        """Count what there is no more room for."""
        self._allowance(kind, now).refused += 1

    def kind_of(self, alert: Alert) -> Kind:
        """Return the kind of an alert; beyond 200 kinds the others are one."""
        kind = alert.severity, alert.runbook
        return kind if kind in self._kinds or len(self._kinds) < _MOST_KINDS else (alert.severity, "")

    def rests(self, key: str, now: int) -> bool:
        """Return whether a key may be sent again."""
        own = self._keys.get(key)
        return own is None or own.over(now)

    def ended(self, now: int) -> list[tuple[Kind, int]]:
        """Return the kinds whose window has ended, with how many were not sent; after any, a next window begins."""
        for key in [key for key, own in self._keys.items() if own.over(now)]:
            del self._keys[key]
        over = [(kind, each.refused) for kind, each in self._kinds.items() if each.over(now)]
        for kind, refused in over:
            del self._kinds[kind]
            if refused:
                self._allowance(kind, now)
        return over

    def _allowance(self, kind: Kind, now: int) -> Allowance:
        return self._kinds.setdefault(kind, Allowance(self._of_kind, self._window, now))
