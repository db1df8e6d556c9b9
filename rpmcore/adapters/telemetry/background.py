"""One thread that does later what nobody may wait for: behind a bounded queue, and whatever it raises."""

import atexit
import threading
from collections import deque
from collections.abc import Callable

Job = Callable[[], None]

URGENT_ROOM = 2
"""What is urgent finds room until the queue holds this many times its entries."""

LINGER = 0.02
"""Seconds that the thread lets jobs gather, unless one is urgent: each change of threads costs as much as a job."""

PATIENCE = 5.0
"""Seconds that the end of the process waits for what is still queued."""


class Background:
    """Does jobs in their order, on a thread of its own that begins with the first.

    A job that finds the queue full, or that raises, is lost; `lost` is told.

    Parameters
    ----------
    entries
        Jobs that wait at most.
    lost
        Told how many were lost, on the thread that lost them.
    name
        Of the thread.
    """

    def __init__(self, entries: int, lost: Callable[[int], None], *, name: str = "rpm-telemetry") -> None:
        self._entries, self._lost, self._name = entries, lost, name
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition()
        self._busy = self._closed = self._hurry = False
        self._thread: threading.Thread | None = None

    def do(self, job: Job, *, urgent: bool = False) -> bool:
        """Queue a job, and return whether there was room; never waits and never raises."""
        with self._changed:
            room = self._entries * (URGENT_ROOM if urgent else 1)
            if not self._closed and len(self._jobs) < room and self._running():
                self._jobs.append(job)
                if urgent or (len(self._jobs) == 1 and not self._busy):
                    self._hurry = self._hurry or urgent
                    self._changed.notify_all()
                return True
        self._lost(1)
        return False

    def flush(self, timeout: float = PATIENCE) -> bool:
        """Wait until all that was queued is done, at most so many seconds, and return whether it is."""
        if threading.current_thread() is self._thread:
            return False
        with self._changed:
            self._hurry = True
            self._changed.notify_all()
            return self._changed.wait_for(lambda: not self._jobs and not self._busy, timeout)

    def close(self, timeout: float = PATIENCE) -> bool:
        """Take nothing more, and wait as `flush` does; what is not done in time is lost."""
        atexit.unregister(self.close)
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        done = self.flush(timeout)
        with self._changed:
            left = len(self._jobs)
            self._jobs.clear()
        if left:
            self._lost(left)
        return done

    def _running(self) -> bool:
        """Return whether there is a thread, begun where there was none, or where a fork has left it behind."""
        if self._thread is not None and self._thread.is_alive():
            return True
        # A daemon: a sink that hangs must not keep the process from ending.
        thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system has no more threads; the next job tries again
            return False
        if self._thread is None:
            atexit.register(self.close)
        self._thread = thread
        return True

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            except BaseException:  # noqa: BLE001 - whatever it is, SystemExit too: the next one is done
                self._lost(1)

    def _next(self) -> Job | None:
        """Wait for a job and return it; None at the end."""
        with self._changed:
            if not self._jobs:
                self._busy = self._hurry = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._jobs or self._closed)
                self._changed.wait_for(lambda: self._hurry or self._closed, LINGER)
            if not self._jobs:
                return None
            self._busy = True
            return self._jobs.popleft()
