"""Sends what is queued: one thread a channel, so that a dead one delays nobody else."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from rpmcore.adapters.alerts.alerting import AlertingSystem
from rpmcore.adapters.alerts.channel import Channel, Sent
from rpmcore.adapters.alerts.outbox import Delivery, Outbox, OutboxError, UnreadableDelivery
from rpmcore.adapters.alerts.retries import LONGEST_PAUSE, backoff
from rpmcore.adapters.exclusive_file import ExclusiveFile
from rpmcore.domain.errors import ConfigurationError

LONGEST_SLEEP = 1.0
"""Seconds between two looks: another process may have queued something."""

_GLANCE = 0.01
"""Seconds between two looks of who waits for what is due."""

_SECOND = 1_000_000_000


class AlertDelivery:
    """Delivers at least once, and again only where the endpoint's answer was lost or could not be written down.

    Parameters
    ----------
    alerting
        Whose queue is worked off.
    channels
        Where to.
    clock
        UTC nanoseconds.
    chance
        Numbers in [0, 1) that spread the attempts.
    on_failure
        Is told the name of the channel after each attempt that failed, be it to read the outbox: the metric
        ``rpm_alert_delivery_failures_total{channel}``.
    """

    def __init__(
        self,
        alerting: AlertingSystem,
        channels: Sequence[Channel],
        *,
        clock: Callable[[], int] = time.time_ns,
        chance: Callable[[], float] = random.random,
        on_failure: Callable[[str], None] | None = None,
    ) -> None:
        self._alerting, self._clock, self._chance, self._on_failure = alerting, clock, chance, on_failure
        self._lines = {channel.name: _Line(channel) for channel in channels}
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._only_one: ExclusiveFile | None = None
        self.failures = dict.fromkeys(self._lines, 0)
        self.errors = 0
        alerting.when_queued(self.wake)

    def start(self) -> None:
        """Send from now on, first what an earlier process left, and what it gave up of alerts that are still active.

        Raises
        ------
        ConfigurationError
            If another process delivers from this outbox.
        """
        outbox = self._alerting.outboxes[0]
        if outbox.path is not None:
            self._only_one = ExclusiveFile(outbox.path.with_name(f"{outbox.path.name}.delivery"))
            if not self._only_one.take():
                self._only_one.close()
                self._only_one = None
                raise ConfigurationError(
                    f"another process delivers from the outbox {outbox.path}: give each gate its own"
                )
        with suppress(OutboxError), outbox.writing():
            for name in self._lines:
                outbox.requeue(name, self._clock())
        self._threads = [threading.Thread(target=self._tick_for_ever, name="rpm-alerts", daemon=True)]
        for name, line in self._lines.items():
            thread = threading.Thread(target=self._send_for_ever, args=(line,), name=f"rpm-alerts-{name}", daemon=True)
            self._threads.append(thread)
        for thread in self._threads:
            thread.start()

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until what is due has been attempted, at most so many seconds, and return whether it has."""
        end = time.monotonic() + timeout
        self.wake()
        while self._threads and any(map(self._waits, self._lines.values())):
            if time.monotonic() >= end or self._stopping.wait(_GLANCE):
                return False
        return True

    def close(self, timeout: float = 5.0) -> None:
        """Stop sending; what is pending is sent by the next process. Waits so many seconds for attempts under way."""
        self._stopping.set()
        self.wake()
        end = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(end - time.monotonic(), 0.0))
        if not any(thread.is_alive() for thread in self._threads):
            for line in self._lines.values():
                line.channel.close()
        if self._only_one is not None:
            self._only_one.close()
            self._only_one = None

    def wake(self) -> None:
        """Look at once whether there is something to send."""
        for line in self._lines.values():
            line.wake.set()

    def deliver_due(self, channel: str) -> float:
        """Attempt everything that is due on a channel, and return the seconds until the next attempt is."""
        line, wait = self._lines[channel], LONGEST_SLEEP
        for outbox in self._alerting.outboxes:
            try:
                wait = min(wait, self._work_off(line, outbox))
            except OutboxError:
                self.errors += 1  # what stands in for it is still to be sent
                self._count(channel)  # what waits in it is not sent, and no attempt says so
        return wait

    # Within

    def _waits(self, line: "_Line") -> bool:
        now = self._clock()
        if now < line.until:
            return False
        for outbox in self._alerting.outboxes:
            with suppress(OutboxError):
                due = outbox.next_due(line.channel.name)
                if due is not None and due <= now and outbox not in line.unwritten:
                    return True
        return False

    def _work_off(self, line: "_Line", outbox: Outbox) -> float:
        while not self._stopping.is_set():
            now = self._clock()
            paused = line.until - now
            if 0 < paused <= LONGEST_PAUSE * _SECOND:
                return paused / _SECOND
            try:
                delivery = outbox.due(line.channel.name, now, tuple(line.unwritten.get(outbox, ())))
            except UnreadableDelivery as error:
                self._count(line.channel.name)
                self._end(line, outbox, error.number, str(error))
                continue
            if delivery is None:
                break
            self._attempt(line, outbox, delivery)
        due = outbox.next_due(line.channel.name)
        wait = LONGEST_SLEEP if due is None else (due - self._clock()) / _SECOND
        return wait if wait > 0.0 else LONGEST_SLEEP

    def _attempt(self, line: "_Line", outbox: Outbox, delivery: Delivery) -> None:
        try:
            sent = line.channel.send(delivery.alert, delivery.action)
        except Exception as error:  # noqa: BLE001 - a channel must not end its thread
            sent = Sent(arrived=False, again=True, error=f"the channel failed ({type(error).__name__})")
        now, number = self._clock(), delivery.number
        if sent.arrived:
            self._end(line, outbox, number)
            return
        self._count(line.channel.name)
        wait = self._wait(delivery, sent)
        if sent.pause is not None:
            line.until = now + round(sent.pause * _SECOND)
        given_up = now - delivery.queued_at >= self._alerting.settings.keep_trying_hours * 3600 * _SECOND
        if not sent.again or given_up:
            why = sent.error if not sent.again else f"given up: {sent.error}"
            self._end(line, outbox, number, why)
        else:
            due = now + round(wait * _SECOND)
            try:
                with outbox.writing():
                    outbox.postpone(number, due, sent.error)
            except OutboxError:
                line.until = due  # it cannot be written down, and must not become a loop

    def _wait(self, delivery: Delivery, sent: Sent) -> float:
        chosen = self._alerting.settings
        wait = backoff(
            delivery.attempts + 1, first=chosen.first_retry_seconds, longest=chosen.longest_retry_seconds,
            chance=self._chance(),
        )  # fmt: skip
        return max(wait, sent.pause or 0.0)

    def _end(self, line: "_Line", outbox: Outbox, number: int, failed: str = "") -> None:
        """Write what became of a delivery; what cannot be written is remembered until it is, and not sent again."""
        try:
            with outbox.writing():
                outbox.done(number, self._clock(), failed=failed)
        except OutboxError:
            line.unwritten.setdefault(outbox, {})[number] = failed

    def _count(self, channel: str) -> None:
        self.failures[channel] += 1
        if self._on_failure is not None:
            try:
                self._on_failure(channel)
            except Exception:  # noqa: BLE001 - counting must not stop sending
                self.errors += 1

    def _settle(self, line: "_Line") -> None:
        """Write down what could not be written when it arrived."""
        for outbox, numbers in list(line.unwritten.items()):
            with suppress(OutboxError), outbox.writing():
                for number, failed in sorted(numbers.items()):
                    outbox.done(number, self._clock(), failed=failed)
                del line.unwritten[outbox]

    def _send_for_ever(self, line: "_Line") -> None:
        while not self._stopping.is_set():
            line.wake.clear()
            try:
                self._settle(line)
                wait = self.deliver_due(line.channel.name)
            except Exception:  # noqa: BLE001 - whatever happened, the next alert must be sent
                self.errors += 1
                self._count(line.channel.name)
                wait = LONGEST_SLEEP
            line.wake.wait(wait)

    def _tick_for_ever(self) -> None:
        while not self._stopping.wait(LONGEST_SLEEP):
            try:
                self._alerting.tick()
            except Exception:  # noqa: BLE001 - as above
                self.errors += 1


class _Line:
    """A channel, and what its thread knows: when it may send again, and what is done but not written down."""

    __slots__ = ("channel", "until", "unwritten", "wake")

    def __init__(self, channel: Channel) -> None:
        self.channel, self.wake, self.until = channel, threading.Event(), 0
        self.unwritten: dict[Outbox, dict[int, str]] = {}
