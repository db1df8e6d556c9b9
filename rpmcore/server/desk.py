"""The one thread that decides: it takes what waits, records it together, and only then lets the answers go."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from rpmcore.adapters.configuration.server_settings import ServerSettings
from rpmcore.domain.errors import RpmError, Unavailable
from rpmcore.gate import RiskGate

Answer = TypeVar("Answer")


class QueueFull(Unavailable):
    """More waits to be decided than the queue holds: ask again."""


class Stopping(Unavailable):
    """The service is about to end, and takes nothing on."""


class _Job:
    __slots__ = ("answer", "do", "error", "future")

    def __init__(self, do: Callable[[RiskGate], Any], future: "asyncio.Future[Any]") -> None:
        self.do, self.future = do, future
        self.answer: Any = None
        self.error: BaseException | None = None

    def run(self, gate: RiskGate) -> None:
        try:
            self.answer = self.do(gate)
        except Exception as error:  # noqa: BLE001 - whoever asked is told, and the next one is decided
            self.error = error

    def deliver(self) -> None:
        if self.future.done():  # whoever asked is gone; what was recorded stands
            return
        if self.error is None:
            self.future.set_result(self.answer)
        else:
            self.future.set_exception(self.error)


class Desk:
    """Decides for many who ask at once, in one thread.

    What operators say is looked at first, whatever waits, and finds room in a full queue. Between two requests time is
    let pass, snapshots are taken and states are published.

    Parameters
    ----------
    gate
        Used by nobody else.
    settings
        The section ``server``.
    publish
        Called on this thread after something happened, as often as the settings allow.

    Attributes
    ----------
    fault
        Why the last state could not be published; empty where it was.
    taken
        How many requests were taken on.
    """

    def __init__(self, gate: RiskGate, settings: ServerSettings, publish: Callable[[RiskGate], None]) -> None:
        self._gate, self._settings, self._publish = gate, settings, publish
        self._urgent: deque[_Job] = deque()
        self._waiting: deque[_Job] = deque()
        self._some = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="rpm-desk", daemon=True)
        self._snapshot_due = time.monotonic() + settings.snapshot_seconds
        self._publish_due = 0.0
        self._ticked = time.monotonic()
        self._published: tuple[int, str] | None = None
        self.fault = ""
        self.taken = 0

    @property
    def depth(self) -> int:
        """How many wait."""
        return len(self._waiting) + len(self._urgent)

    @property
    def alive(self) -> bool:
        """Whether it decides."""
        return self._thread.is_alive() and not self._stopping

    def show(self) -> None:
        """Publish the state soon, although nothing was recorded; on any thread."""
        with self._some:
            self._published = None
            self._some.notify()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Take nothing on any more, answer all that waits, and end."""
        with self._some:
            self._stopping = True
            self._some.notify()
        if self._thread.ident is not None:
            self._thread.join()

    async def ask(self, do: Callable[[RiskGate], Answer], *, urgent: bool = False) -> Answer:
        """Return what `do` makes of the gate, once all that it recorded is safe.

        Parameters
        ----------
        do
            Called on the thread of the desk.
        urgent
            Whether an operator speaks: then it comes before all others, and finds room in a full queue.

        Raises
        ------
        QueueFull
            If no more may wait.
        Stopping
            If the service is about to end.
        GateHalted
            If the gate has failed, or what was recorded could not be.
        """
        job = _Job(do, asyncio.get_running_loop().create_future())
        with self._some:
            if self._stopping:
                raise Stopping("the service is stopping: ask again when it runs")
            if urgent:
                self._urgent.append(job)
            elif len(self._waiting) < self._settings.queue_capacity:
                self._waiting.append(job)
            else:
                raise QueueFull(f"{len(self._waiting)} requests wait to be decided, as many as may: ask again")
            self.taken += 1
            self._some.notify()
        answer: Answer = await job.future
        return answer

    # On its thread

    def _run(self) -> None:
        why = "the service is stopping: ask again when it runs"
        try:
            while self._wait():
                if self._urgent:
                    job = self._urgent.popleft()
                    job.run(self._gate)
                    _deliver([job])
                elif self._waiting:
                    self._decide_together()
                self._keep_time()
                self._show()
        except BaseException as error:
            why = f"the thread that decides has ended: {error}"
            raise
        finally:
            with self._some:
                self._stopping = True
            self._turn_away(Stopping(why))
            self._show(last=True)

    def _turn_away(self, error: Exception) -> None:
        """Answer everybody who waits with an error: nobody waits in vain."""
        with self._some:  # whoever asks meanwhile stands in the queue after this, and not nowhere
            left = [*self._urgent, *self._waiting]
            self._urgent.clear()
            self._waiting.clear()
        for job in left:
            job.error = error
        _deliver(left)

    def _wait(self) -> bool:
        """Wait until there is something to do, and return whether there may be more later."""
        with self._some:
            while not (self._urgent or self._waiting):
                if self._stopping:
                    return False
                left = self._next_due() - time.monotonic()
                if left <= 0.0:
                    break
                self._some.wait(left)
        return True

    def _next_due(self) -> float:
        due = min(self._ticked + self._settings.tick_seconds, self._snapshot_due)
        return due if self._published == self._now_shown() else min(due, self._publish_due)

    def _decide_together(self) -> None:
        done: list[_Job] = []
        try:
            with self._gate.together():
                while self._waiting and not self._urgent and len(done) < self._settings.group_size:
                    done.append(self._waiting.popleft())
                    done[-1].run(self._gate)
        except Exception as error:  # noqa: BLE001 - whatever it was, nobody is answered as if it were recorded
            if not done:  # it had failed before
                self._turn_away(error)
            for job in done:
                job.error = error
        _deliver(done)

    def _keep_time(self) -> None:
        now, gate = time.monotonic(), self._gate
        with suppress(RpmError):  # a gate that has failed says so to whoever asks
            if now >= self._ticked + self._settings.tick_seconds:
                self._ticked = now
                gate.tick()
            if now >= self._snapshot_due:
                self._snapshot_due = now + self._settings.snapshot_seconds
                gate.snapshot()

    def _show(self, *, last: bool = False) -> None:
        now, shown = time.monotonic(), self._now_shown()
        if not last and (now < self._publish_due or shown == self._published):
            return
        self._publish_due, self._published = now + self._settings.publish_seconds, shown
        try:
            self._publish(self._gate)
            self.fault = ""
        except Exception as error:  # noqa: BLE001 - what is shown may be old, a decision may not wait for why
            self.fault = str(error) or type(error).__name__

    def _now_shown(self) -> tuple[int, str]:
        return self._gate.engine.sequence, self._gate.failed


def _deliver(jobs: Sequence[_Job]) -> None:
    """Hand the answers over to the loops that wait for them, each in one step."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
    for job in jobs:
        by_loop.setdefault(job.future.get_loop(), []).append(job)
    for loop, those in by_loop.items():
        with suppress(RuntimeError):  # the loop has ended: whoever asked is gone
            loop.call_soon_threadsafe(_resolve, those)


def _resolve(jobs: Sequence[_Job]) -> None:
    for job in jobs:
        job.deliver()
