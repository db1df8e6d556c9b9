"""Alerts and what is still to be told about them, in an SQLite file of their own: never the ledger.

Several processes may write: each takes its turn by a lock on a file beside the outbox, since SQLite before 3.51.3 can
damage a write-ahead log that two connections write at once.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

from rpmcore.adapters.alerts.alert import Alert, AlertAction, AlertSeverity
from rpmcore.adapters.exclusive_file import ExclusiveFile
from rpmcore.domain.errors import RpmError

APPLICATION, VERSION = int.from_bytes(b"rpmA", "big"), 1

MOST_KEPT = 10_000
"""Alerts that are over; older ones go."""

LONGEST_WAIT = 2 * 3600 * 1_000_000_000
"""Nanoseconds: an attempt due later than this was planned by a clock that has been set back since."""

_PATIENCE = 0.25
"""Seconds to wait for one's turn: a gate has no longer."""

_STATEMENTS = (
    """CREATE TABLE alerts(
  id TEXT PRIMARY KEY, key TEXT NOT NULL, severity INTEGER NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL,
  scope TEXT NOT NULL, runbook TEXT NOT NULL, raised_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
  count INTEGER NOT NULL, acknowledged_by TEXT, acknowledged_at INTEGER, resolved_by TEXT, resolved_at INTEGER
)""",
    "CREATE UNIQUE INDEX active_by_key ON alerts(key) WHERE resolved_at IS NULL",
    """CREATE TABLE deliveries(
  number INTEGER PRIMARY KEY AUTOINCREMENT, alert TEXT NOT NULL, channel TEXT NOT NULL, action TEXT NOT NULL,
  severity INTEGER NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL, queued_at INTEGER NOT NULL,
  next_at INTEGER NOT NULL, done_at INTEGER, error TEXT NOT NULL
)""",
    "CREATE INDEX deliveries_by_channel ON deliveries(channel) WHERE state = 'pending'",
    "CREATE INDEX deliveries_by_alert ON deliveries(alert)",
)

_COLUMNS = tuple(field.name for field in fields(Alert))

_MERGED = ", ".join(
    (
        "title = excluded.title", "text = excluded.text",
        *(f"{name} = max({name}, excluded.{name})" for name in ("severity", "last_at", "count")),
        *(f"{name} = coalesce({name}, excluded.{name})"
          for name in ("acknowledged_by", "acknowledged_at", "resolved_by", "resolved_at")),
    )
)  # fmt: skip


class OutboxError(RpmError):
    """The outbox cannot be used."""


class UnreadableDelivery(OutboxError):
    """What is due cannot be read, because somebody has changed the file; the others can."""

    def __init__(self, number: int, why: Exception) -> None:
        super().__init__(f"delivery {number} cannot be read: {why}")
        self.number = number


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One thing to tell one channel. `queued_at` and `next_at` are UTC nanoseconds; `attempts` have failed so far."""

    number: int
    alert: Alert
    channel: str
    action: AlertAction
    attempts: int
    queued_at: int
    next_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelState:
    """How a channel stands: deliveries by state, and the last error of what has not been delivered."""

    channel: str
    pending: int
    delivered: int
    failed: int
    error: str


class Outbox:
    """One file of alerts and deliveries. Made by `open` or `in_memory`; safe to share between threads."""

    def __init__(self, connection: sqlite3.Connection, path: Path | None, turn: ExclusiveFile | None) -> None:
        self._connection, self.path, self._turn = connection, path, turn
        # Whoever waits for a turn must not hold up who only reads.
        self._writers, self._lock = threading.Lock(), threading.RLock()

    @classmethod
    def in_memory(cls) -> Self:
        """Return an outbox that lives as long as the process."""
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        _create(connection)
        return cls(connection, None, None)

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Return the outbox in a file, created where it is missing, for its owner alone.

        Raises
        ------
        OutboxError
            Where it cannot be written, or is no outbox of this version.
        """
        path = Path(path)
        connection, turn = None, None
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            turn = ExclusiveFile(path.with_name(f"{path.name}.turn"))
            connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
            outbox = cls(connection, path, turn)
            with outbox._in_turn():
                new = not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
                if not new:
                    _check(connection, path)
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=FULL")
                if new:
                    connection.execute("BEGIN IMMEDIATE")
                    _create(connection)
                    connection.execute("COMMIT")
            with outbox.writing():
                outbox.prune()
        except (OSError, sqlite3.Error, OutboxError) as error:
            if connection is not None:
                connection.close()
            if turn is not None:
                turn.close()
            if isinstance(error, OutboxError):
                raise
            raise OutboxError(f"the outbox {path} cannot be used: {error}. Move it away, or name another") from error
        return outbox

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Return the outbox in a file for reading alone, also while another process writes to it.

        Raises
        ------
        OutboxError
            Where there is none, or it cannot be read.
        """
        path = Path(path)
        if not path.is_file():
            raise OutboxError(f"there is no outbox at {path}")
        connection = None
        try:
            connection = sqlite3.connect(
                f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE, isolation_level=None,
                check_same_thread=False,
            )  # fmt: skip
            _check(connection, path)
        except (OSError, sqlite3.Error) as error:
            if connection is not None:
                connection.close()
            raise OutboxError(f"the outbox {path} cannot be read: {error}") from error
        except OutboxError:
            if connection is not None:
                connection.close()
            raise
        return cls(connection, path, None)

    def close(self) -> None:
        """Close the file; what is pending stays in it."""
        nobody_writes = self._writers.acquire(timeout=_PATIENCE)
        try:
            with self._lock:
                if self._turn is not None:
                    self._turn.take(_PATIENCE)  # the last one who closes writes the log back into the file
                self._connection.close()
                if self._turn is not None:
                    self._turn.close()
        finally:
            if nobody_writes:
                self._writers.release()

    # What is in it

    def active(self) -> tuple[Alert, ...]:
        """Return the alerts that nobody has resolved, the worst and then the oldest first."""
        order = "resolved_at IS NULL ORDER BY severity DESC, raised_at, id"
        return tuple(_alert(row) for row in self._rows(f"SELECT {', '.join(_COLUMNS)} FROM alerts WHERE {order}"))  # noqa: S608

    def recent(self, most: int) -> tuple[Alert, ...]:
        """Return alerts that are over, the latest first."""
        order = "resolved_at IS NOT NULL ORDER BY resolved_at DESC, id LIMIT ?"
        rows = self._rows(f"SELECT {', '.join(_COLUMNS)} FROM alerts WHERE {order}", (most,))  # noqa: S608
        return tuple(map(_alert, rows))

    def by_key(self, key: str) -> Alert | None:
        """Return the active alert of a key."""
        return self._one("key = ? AND resolved_at IS NULL", key)

    def by_id(self, alert_id: str) -> Alert | None:
        """Return the alert of an id, active or not."""
        return self._one("id = ?", alert_id)

    def count_active(self) -> int:
        """Return how many alerts nobody has resolved."""
        return int(self._rows("SELECT count(*) FROM alerts WHERE resolved_at IS NULL")[0][0])

    def told(self, alert_id: str) -> tuple[str, ...]:
        """Return the channels that an alert was, or is to be, sent to."""
        rows = self._rows("SELECT DISTINCT channel FROM deliveries WHERE alert = ? AND action = 'trigger'", (alert_id,))
        return tuple(row[0] for row in rows)

    def channels(self) -> tuple[ChannelState, ...]:
        """Return how each channel stands."""
        count = "count(*) FILTER (WHERE state = '{}')"
        rows = self._rows(
            f"SELECT channel, {count.format('pending')}, {count.format('delivered')}, {count.format('failed')}, "  # noqa: S608
            "coalesce((SELECT error FROM deliveries AS d WHERE d.channel = deliveries.channel AND d.error <> '' "
            "AND d.state <> 'delivered' ORDER BY number DESC LIMIT 1), '') FROM deliveries GROUP BY channel"
        )
        return tuple(
            ChannelState(channel=name, pending=pending, delivered=delivered, failed=failed, error=error)
            for name, pending, delivered, failed, error in rows
        )

    def due(self, channel: str, now: int, without: Sequence[int] = ()) -> Delivery | None:
        """Return what is to be sent now: the worst first, and of one alert what was queued first.

        Parameters
        ----------
        channel
            Its name.
        now
            UTC nanoseconds.
        without
            Numbers that are done, although it could not be written down.

        Raises
        ------
        UnreadableDelivery
            If that holds what no alert does.
        """
        done = ", ".join(str(int(number)) for number in without)
        rows = self._rows(
            f"SELECT {', '.join(f'a.{name}' for name in _COLUMNS)}, d.number, d.action, d.attempts, d.queued_at, "  # noqa: S608
            "d.next_at FROM deliveries AS d JOIN alerts AS a ON a.id = d.alert WHERE d.channel = ?1 AND "
            f"d.state = 'pending' AND d.number NOT IN ({done}) AND (d.next_at <= ?2 OR d.next_at > ?3) AND NOT EXISTS "
            "(SELECT 1 FROM deliveries AS e WHERE e.alert = d.alert AND e.channel = d.channel AND e.state = 'pending' "
            f"AND e.number < d.number AND e.number NOT IN ({done})) ORDER BY d.severity DESC, d.number LIMIT 1",
            (channel, now, now + LONGEST_WAIT),
        )
        if not rows:
            return None
        *alert, number, action, attempts, queued_at, next_at = rows[0]
        try:
            return Delivery(
                number=number, alert=_alert(alert), channel=channel, action=AlertAction(action), attempts=attempts,
                queued_at=queued_at, next_at=next_at,
            )  # fmt: skip
        except (ValueError, OutboxError) as error:
            raise UnreadableDelivery(number, error) from error

    def next_due(self, channel: str) -> int | None:
        """Return when the next attempt on a channel is due, UTC nanoseconds; None where nothing waits."""
        first = "SELECT next_at, min(number) FROM deliveries WHERE channel = ? AND state = 'pending' GROUP BY alert"
        rows = self._rows(f"SELECT min(next_at) FROM ({first})", (channel,))  # noqa: S608
        return None if rows[0][0] is None else int(rows[0][0])

    # What changes

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Make one transaction of what is done within: on the disk when it ends, or not done at all.

        Raises
        ------
        OutboxError
            Where it cannot be written.
        """
        with self._in_turn(), self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield
                    self._connection.execute("COMMIT")
                except BaseException:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise self._failed(error) from error

    def save(self, alert: Alert, queue: Sequence[tuple[str, AlertAction]], now: int) -> None:
        """Store an alert as it is now, and what is to be told about it; within `writing`.

        What another process has stored meanwhile stays: who acknowledged or resolved it first, and that it is over.
        What has not been sent of an alert that is triggered again is left out: the new text says all.
        """
        values = [getattr(alert, name) for name in _COLUMNS]
        marks = ", ".join("?" for _ in _COLUMNS)
        self._connection.execute(
            f"INSERT INTO alerts({', '.join(_COLUMNS)}) VALUES ({marks}) ON CONFLICT(id) DO UPDATE SET {_MERGED}",  # noqa: S608
            values,
        )
        for channel, action in queue:
            if action is AlertAction.TRIGGER:
                self._connection.execute(
                    "UPDATE deliveries SET state = 'superseded', done_at = ? WHERE alert = ? AND channel = ? AND "
                    "action = 'trigger' AND state = 'pending'", (now, alert.id, channel),
                )  # fmt: skip
            self._connection.execute(
                "INSERT INTO deliveries(alert, channel, action, severity, state, attempts, queued_at, next_at, error) "
                "VALUES (?, ?, ?, ?, 'pending', 0, ?, ?, '')",
                (alert.id, channel, action.value, int(alert.severity), now, now),
            )

    def count_on(self, alert_id: str, times: int, last_at: int) -> None:
        """Store that an alert was reported so many times more; within `writing`."""
        self._connection.execute(
            "UPDATE alerts SET count = count + ?, last_at = max(last_at, ?) WHERE id = ?", (times, last_at, alert_id)
        )

    def prune(self) -> None:
        """Remove all but the latest `MOST_KEPT` alerts that are over; within `writing`."""
        old = "SELECT id FROM alerts WHERE resolved_at IS NOT NULL ORDER BY resolved_at DESC LIMIT -1 OFFSET ?"
        self._connection.execute(f"DELETE FROM deliveries WHERE alert IN ({old})", (MOST_KEPT,))  # noqa: S608
        self._connection.execute(f"DELETE FROM alerts WHERE id IN ({old})", (MOST_KEPT,))  # noqa: S608

    def done(self, number: int, now: int, *, failed: str = "") -> None:
        """Store that a delivery has arrived, or that it never will and why; within `writing`."""
        self._connection.execute(
            "UPDATE deliveries SET state = ?, done_at = ?, attempts = attempts + 1, error = ? WHERE number = ?",
            ("failed" if failed else "delivered", now, failed, number),
        )

    def postpone(self, number: int, next_at: int, error: str) -> None:
        """Store that an attempt failed, and when the next one is due; within `writing`."""
        self._connection.execute(
            "UPDATE deliveries SET attempts = attempts + 1, next_at = ?, error = ? WHERE number = ?",
            (next_at, error, number),
        )

    def requeue(self, channel: str, now: int) -> None:
        """Try again what had been given up of alerts that are still active; within `writing`."""
        self._connection.execute(
            "UPDATE deliveries SET state = 'pending', done_at = NULL, queued_at = ?1, next_at = ?1 WHERE channel = ?2 "
            "AND state = 'failed' AND alert IN (SELECT id FROM alerts WHERE resolved_at IS NULL)", (now, channel),
        )  # fmt: skip

    # Within

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        held = OutboxError(f"the outbox {self.path or 'in memory'} is held by another process or thread")
        if not self._writers.acquire(timeout=_PATIENCE):
            raise held
        try:
            if self._turn is not None and not self._turn.take(_PATIENCE):
                raise held
            try:
                yield
            finally:
                if self._turn is not None:
                    self._turn.give()
        finally:
            self._writers.release()

    def _one(self, condition: str, value: str) -> Alert | None:
        rows = self._rows(f"SELECT {', '.join(_COLUMNS)} FROM alerts WHERE {condition}", (value,))  # noqa: S608
        return _alert(rows[0]) if rows else None

    def _rows(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        try:
            with self._lock:
                return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def _failed(self, error: sqlite3.Error) -> OutboxError:
        return OutboxError(f"the outbox {self.path or 'in memory'} has failed: {error}")


def _alert(row: Sequence[Any]) -> Alert:
    values = dict(zip(_COLUMNS, row, strict=True))
    try:
        return Alert(**{**values, "severity": AlertSeverity(values["severity"])})
    except ValueError:
        raise OutboxError(f"the outbox holds an alert of severity {values['severity']!r}, which is none") from None


def _create(connection: sqlite3.Connection) -> None:
    for statement in _STATEMENTS:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def _check(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute("PRAGMA application_id").fetchone() != (APPLICATION,):
        raise OutboxError(f"{path} is no outbox of rpm")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != VERSION:
        raise OutboxError(f"the outbox {path} has version {version}, and this rpm reads version {VERSION}")
