"""Raises alerts, knows which are active and who has taken them, and queues what is to be sent."""

import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from rpmcore.adapters.alerts.alert import (
    LONGEST_TITLE,
    Alert,
    AlertAction,
    AlertSeverity,
    lines,
    one_line,
    severity_named,
)
from rpmcore.adapters.alerts.catalogue import entry_of
from rpmcore.adapters.alerts.outbox import Outbox, OutboxError
from rpmcore.adapters.alerts.settings import AlertSettings
from rpmcore.adapters.alerts.storms import Admission, Allowance, Kind, Storms
from rpmcore.domain.controls import ACCOUNT
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.redaction import redacted

Callback = Callable[[Alert, AlertAction], None]
"""Is told of every alert that is raised, acknowledged or resolved; it must return at once."""

STORM = "alert-storm"
"""Entry of the runbook about the alert that sums up what was too much to send."""

OURSELVES = "rpm"
"""Who resolves what has ended by itself."""

Queue = tuple[tuple[str, AlertAction], ...]
"""What to tell which channel."""

Found = TypeVar("Found")

_NO_ALERTS: tuple[Alert, ...] = ()
_NOBODY: tuple[str, ...] = ()

_SECOND = 1_000_000_000

_PRUNE_EVERY = 3600 * _SECOND

_REST = 5 * _SECOND
"""A storm must not wait for a failing outbox each time."""


class AlertingSystem:
    """What a desk is told. Safe to share between threads.

    An alert is in the outbox before `raise_alert` returns. Where the outbox cannot be written, say on a full disk, it
    is kept in memory and sent from there: `outbox_failures` counts that.

    Parameters
    ----------
    outbox
        Where alerts are kept and queued; in memory without it.
    settings
        See `AlertSettings`.
    channels
        Names of those that alerts are sent to.
    clock
        UTC nanoseconds.
    new_id
        Makes the id of an alert.
    """

    def __init__(
        self,
        outbox: Outbox | None = None,
        *,
        settings: AlertSettings | None = None,
        channels: tuple[str, ...] = (),
        clock: Callable[[], int] = time.time_ns,
        new_id: Callable[[], str] = lambda: secrets.token_hex(6),
    ) -> None:
        self.settings, self.channels = settings or AlertSettings(), channels
        self._outbox, self._spare = outbox or Outbox.in_memory(), Outbox.in_memory()
        self._clock, self._new_id = clock, new_id
        self._least = severity_named(self.settings.least_severity)
        chosen = self.settings
        self._window = round(chosen.storm_seconds * _SECOND)
        self._storms = Storms(chosen.storm_alerts, chosen.repeats, self._window)
        self._notes: dict[str, tuple[Allowance, Alert]] = {}
        self._all_notes = Allowance(0, 0, 0)
        self._pruned_at = 0
        self._begun = False
        self._outbox_rests_until = 0
        self._deferred: set[str] = set()
        self._repeats: dict[str, tuple[int, int]] = {}
        self._callbacks: list[Callback] = []
        self._queued: list[Callable[[], None]] = []
        self._lock = threading.RLock()
        self.callback_failures = self.outbox_failures = 0

    # What is asked

    @property
    def outboxes(self) -> tuple[Outbox, ...]:
        """Where deliveries wait: the outbox, and what stands in for it while it fails."""
        return self._outbox, self._spare

    def active_alerts(self) -> tuple[Alert, ...]:
        """Return the alerts that nobody has resolved, the worst and then the oldest first."""
        with self._lock:
            self._write_repeats()
            named = {alert.id for outbox in self.outboxes for alert in _tried(outbox.active, otherwise=_NO_ALERTS)}
            found = [self._find(name) for name in named]
        active = [alert for alert in found if alert is not None and alert.active]
        return tuple(sorted(active, key=lambda alert: (-alert.severity, alert.raised_at, alert.id)))

    def subscribe(self, callback: Callback) -> None:
        """Call this from now on; `callback_failures` counts what it raised."""
        self._callbacks.append(callback)

    def when_queued(self, wake: Callable[[], None]) -> None:
        """Call this whenever there is something to send."""
        self._queued.append(wake)

    # What happens

    def raise_alert(
        self,
        severity: AlertSeverity | str,
        title: str,
        text: str,
        *,
        scope: str = ACCOUNT,
        key: str | None = None,
        runbook: str = "",
        lasting: bool = True,
    ) -> Alert:
        """Report something, and return the alert that stands for it.

        The same key again while it is active is counted, and sent again only if it has become worse.

        Parameters
        ----------
        severity
            Or its name.
        title
            One line.
        text
            What happened, what was done, what to do. Secrets that give themselves away, in either, are redacted.
        scope
            ``account``, or the id of a strategy.
        key
            What it is about; title and scope without it.
        runbook
            The entry of the runbook; without it the one that the key tells, if any.
        lasting
            False for what is over when it is told: it is sent, and is not among the active ones.

        Raises
        ------
        InvalidArgument
            For an unknown severity or a blank title.
        """
        level, title = severity_named(severity), redacted(one_line(title, LONGEST_TITLE))
        if not title:
            raise InvalidArgument("an alert needs a title")
        scope, text = one_line(scope) or ACCOUNT, redacted(lines(text))
        with self._lock:
            self._begin()
            now = self._clock()
            named = one_line(key, 400) if key else f"{title}@{scope}"
            present = self._by_key_of(named) if lasting else None
            if present is not None and level <= present.severity:
                count, _ = self._repeats.get(present.id, (0, now))
                self._repeats[present.id] = (count + 1, now)
                return replace(present, count=present.count + count + 1, last_at=now)
            alert = Alert(
                id=self._new_id(), key=named, severity=level, title=title, text=text, scope=scope,
                runbook=one_line(runbook) or entry_of(named), raised_at=now, last_at=now,
            )  # fmt: skip
            if present is None and lasting and self._count() >= self.settings.most_active:
                return self._refused(alert, now)
            if not lasting:
                again = self._noted(alert, now)
                if again is not None:
                    return again
            if present is not None:
                count, _ = self._repeats.pop(present.id, (0, now))
                alert = replace(alert, id=present.id, raised_at=present.raised_at, count=present.count + count + 1)
            if not lasting:
                alert = replace(alert, resolved_by=OURSELVES, resolved_at=now)
            action = AlertAction.TRIGGER if lasting else AlertAction.NOTE
            self._save(alert, self._admitted(alert, action, now), now)
        self._tell(alert, action)
        return alert

    def acknowledge(self, alert_id: str, by: str) -> Alert:
        """Say that somebody is at work on it; the first one who says so is kept.

        Raises
        ------
        InvalidArgument
            If no such alert is active, or nobody is named.
        """
        return self._answered(alert_id, by, AlertAction.ACKNOWLEDGE)

    def resolve(self, alert_id: str, by: str) -> Alert:
        """Say that it is over.

        Raises
        ------
        InvalidArgument
            As `acknowledge`.
        """
        return self._answered(alert_id, by, AlertAction.RESOLVE)

    def resolve_key(self, key: str, by: str = OURSELVES) -> Alert | None:
        """Resolve the active alert of a key, and return it; None where there is none."""
        with self._lock:
            present = self._by_key_of(one_line(key, 400))
            return None if present is None else self.resolve(present.id, by)

    def tick(self) -> None:
        """Let time pass: repeats are written down, storms summed up, and what came too often is sent after all."""
        with self._lock:
            now = self._clock()
            self._write_repeats()
            self._begin()
            if not 0 <= now - self._pruned_at < _PRUNE_EVERY:
                self._pruned_at = now
                with suppress(OutboxError), self._outbox.writing():
                    self._outbox.prune()
            for kind, refused in self._storms.ended(now):
                present = self._by_key_of(_storm_key(kind))
                if refused:
                    self._say_storm(kind, f"And {refused} more", now, present)
                elif present is not None:
                    self.resolve(present.id, OURSELVES)
            for alert_id in list(self._deferred):
                deferred = self._find(alert_id)
                if deferred is None or not deferred.active:
                    self._deferred.discard(alert_id)
                elif self._storms.rests(deferred.key, now):
                    self._deferred.discard(alert_id)
                    self._save(deferred, self._admitted(deferred, AlertAction.TRIGGER, now), now)

    # Within

    def _begin(self) -> None:
        """End the storms of a process that has ended."""
        if not self._begun:
            self._begun = True
            for alert in self.active_alerts():
                if alert.runbook == STORM:
                    self.resolve(alert.id, OURSELVES)

    def _answered(self, alert_id: str, by: str, action: AlertAction) -> Alert:
        who = one_line(by)
        if not who:
            raise InvalidArgument("a named person is needed")
        with self._lock:
            self._write_repeats()
            now, alert = self._clock(), self._find(alert_id)
            if alert is None or not alert.active:
                raise InvalidArgument(f"no active alert has the id {one_line(alert_id)!r}")
            if action is AlertAction.ACKNOWLEDGE:
                if alert.acknowledged_by is not None:
                    return alert
                alert = replace(alert, acknowledged_by=who, acknowledged_at=now)
            else:
                alert = replace(alert, resolved_by=who, resolved_at=now)
                self._deferred.discard(alert_id)
            told = dict.fromkeys(
                name for outbox in self.outboxes for name in _tried(outbox.told, alert_id, otherwise=_NOBODY)
            )
            self._save(alert, tuple((channel, action) for channel in told), now)
        self._tell(alert, action)
        return alert

    def _noted(self, alert: Alert, now: int) -> Alert | None:
        """Return what stands for a note that is repeated too often, or for one too many; None for one to be kept."""
        if self._all_notes.over(now):
            self._all_notes = Allowance(self.settings.most_active, self._window, now)
            self._notes.clear()
        allowance, last = self._notes.get(alert.key) or (Allowance(self.settings.repeats, self._window, now), alert)
        if not allowance.take():
            count, _ = self._repeats.get(last.id, (0, now))
            self._repeats[last.id] = (count + 1, now)
            return replace(last, count=last.count + count + 1, last_at=now)
        if not self._all_notes.take():
            return self._refused(alert, now)
        self._notes[alert.key] = (allowance, alert)
        return None

    def _admitted(self, alert: Alert, action: AlertAction, now: int) -> Queue:
        """Return what is sent of an alert now: nothing, if there is too much."""
        if not self.channels or alert.severity < self._least:
            return ()
        admission = self._storms.admit(alert, now)
        if admission is Admission.NOW:
            return tuple((channel, action) for channel in self.channels)
        if admission is Admission.SUMMED:
            self._note_storm(self._storms.kind_of(alert), now)
        elif alert.active:
            self._deferred.add(alert.id)
        return ()

    def _note_storm(self, kind: Kind, now: int) -> None:
        """Say once that not everything is sent any more; how much that was comes with the end of the window."""
        if self._by_key_of(_storm_key(kind)) is None:
            self._say_storm(kind, f"More than {self.settings.storm_alerts}", now, None)

    def _say_storm(self, kind: Kind, many: str, now: int, present: Alert | None) -> None:
        severity, what = kind
        title = (
            f"{many} alerts at {severity.word} about {what or 'various things'} in {self.settings.storm_seconds:g} s"
        )
        text = (
            "What happened: more alerts than are sent one by one.\nWhat was done: the first were sent; the others are "
            "counted here.\nWhat to do: read them by rpm alerts status; look for one cause behind them."
        )
        alert = present or Alert(
            id=self._new_id(), key=_storm_key(kind), severity=severity, title=title, text=text, runbook=STORM,
            raised_at=now,
        )  # fmt: skip
        alert = replace(alert, title=title, last_at=now)
        queue = self.channels if severity >= self._least else ()
        self._save(alert, tuple((channel, AlertAction.TRIGGER) for channel in queue), now)
        self._tell(alert, AlertAction.TRIGGER)

    def _refused(self, alert: Alert, now: int) -> Alert:
        """Count what there is no more room for, and return the alert that stands for it."""
        kind = self._storms.kind_of(alert)
        self._storms.refuse(kind, now)
        self._note_storm(kind, now)
        return self._by_key_of(_storm_key(kind)) or alert

    def _write_repeats(self) -> None:
        repeats, self._repeats = self._repeats, {}
        if not repeats:
            return
        for outbox in self.outboxes:
            with suppress(OutboxError), outbox.writing():
                for alert_id, (count, at) in repeats.items():
                    outbox.count_on(alert_id, count, at)

    def _count(self) -> int:
        return sum(_tried(outbox.count_active, otherwise=0) for outbox in self.outboxes)

    def _by_key_of(self, key: str) -> Alert | None:
        for outbox in reversed(self.outboxes):
            alert = _tried(outbox.by_key, key, otherwise=None)
            if alert is not None:
                found = self._find(alert.id)
                return found if found is not None and found.active else None
        return None

    def _find(self, alert_id: str) -> Alert | None:
        """Return an alert; what stands in for a failed outbox knows better."""
        for outbox in reversed(self.outboxes):
            alert = _tried(outbox.by_id, alert_id, otherwise=None)
            if alert is not None:
                return alert
        return None

    def _save(self, alert: Alert, queue: Queue, now: int) -> None:
        written = self._written(alert, queue, now)
        if not written or self._spare.by_id(alert.id) is not None:
            with self._spare.writing():
                self._spare.save(alert, () if written else queue, now)
        if queue:
            for wake in self._queued:
                wake()

    def _written(self, alert: Alert, queue: Queue, now: int) -> bool:
        """Write to the outbox, and return whether it could be; after a failure it is left alone for a while."""
        if 0 < self._outbox_rests_until - now <= _REST:
            return False
        try:
            with self._outbox.writing():
                self._outbox.save(alert, queue, now)
        except OutboxError:
            self.outbox_failures += 1
            self._outbox_rests_until = now + _REST
            return False
        return True

    def _tell(self, alert: Alert, action: AlertAction) -> None:
        for callback in self._callbacks:
            try:
                callback(alert, action)
            except Exception:  # noqa: BLE001 - whoever only listens must not stop an alert
                self.callback_failures += 1


def _storm_key(kind: Kind) -> str:
    severity, what = kind
    return f"storm:{severity.word}:{what or 'various'}"


def _tried(call: Callable[..., Found], *arguments: str, otherwise: Found) -> Found:
    try:
        return call(*arguments)
    except OutboxError:
        return otherwise
