"""The time of a sample, which is over: it goes on from its last close as fast as ours does."""

import time


class SampleClock:
    """UTC nanoseconds that begin where `begin` says, and pass as they do here."""

    __slots__ = ("_offset",)

    def __init__(self) -> None:
        self._offset: int | None = None

    def begin(self, at: int) -> None:
        """Let it be this time now, UTC nanoseconds."""
        self._offset = at - time.monotonic_ns()

    def __call__(self) -> int:
        """Return the time; 0 before it begins."""
        return 0 if self._offset is None else self._offset + time.monotonic_ns()
