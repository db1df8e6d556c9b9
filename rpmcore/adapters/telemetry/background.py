"""One thread that does later what nobody may wait for: behind a bounded queue, and whatever it raises."""

import threading
from collections import deque
from collections.abc import Callable

Job = Callable[[], None]

URGENT_ROOM = 2
"""What is urgent finds room until the queue holds this many times its entries."""

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
        self._busy = self._closed = False
        self._thread: threading.Thread | None = None

    def do(self, job: Job, *, urgent: bool = False) -> bool:
        """Queue a job, and return whether there was room; never waits and never raises."""
        with self._changed:
            room = self._entries * (URGENT_ROOM if urgent else 1)
            if not self._closed and len(self._jobs) < room:
                self._jobs.append(job)
                if self._thread is None:
                    self._begin()
                elif len(self._jobs) == 1 and not self._busy:
                    self._changed.notify()
                return True
        self._lost(1)
        return False

    def flush(self, timeout: float = PATIENCE) -> bool:
        """Wait until all that was queued is done, at most so many seconds, and return whether it is."""
        if threading.current_thread() is self._thread:
            return False
        with self._changed:
            return self._changed.wait_for(lambda: not self._jobs and not self._busy, timeout)

    def close(self, timeout: float = PATIENCE) -> bool:
        """Take nothing more, and wait as `flush` does; what is not done in time is lost."""
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

    def _begin(self) -> None:
        # A daemon: a sink that hangs must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                if not self._jobs:
                    self._changed.notify_all()
                while not self._jobs:
                    if self._closed:
                        return
                    self._changed.wait()
                job = self._jobs.popleft()
                self._busy = True
            try:
                job()
            except Exception:  # noqa: BLE001 - whatever it is, the next one is done
                self._lost(1)
