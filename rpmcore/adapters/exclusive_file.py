"""A file that one process at a time has, and that the system gives back when the process ends."""

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

_EVERY = 0.005


class ExclusiveFile:
    """A lock in a file of its own, created where it is missing, for its owner alone.

    Raises
    ------
    OSError
        Where the file cannot be opened.
    """

    __slots__ = ("_descriptor",)

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)

    def take(self, patience: float = 0.0) -> bool:
        """Take it, and return whether it could be had within so many seconds."""
        end = time.monotonic() + patience
        while self._descriptor >= 0:
            try:
                _lock(self._descriptor)
            except OSError:
                if time.monotonic() >= end:
                    return False
                time.sleep(_EVERY)
            else:
                return True
        return False

    def give(self) -> None:
        """Give it to the next one; nothing happens where the file was closed meanwhile."""
        if self._descriptor >= 0:
            with suppress(OSError):
                _unlock(self._descriptor)

    def close(self) -> None:
        """Close the file, which also gives it. It stays: two processes could else lock two files of one name."""
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        # Not `lockf`: its locks are the process's, which would let two outboxes of one process write at once.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
