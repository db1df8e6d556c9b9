"""A file of lines that never grows beyond a size, and never stops whoever writes to it."""

import os
import stat
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from rpmcore.domain.errors import ConfigurationError

AGAIN_AFTER = 1.0
"""Seconds after which a file that failed is tried again, and a file that works is looked for under its name."""


class RotatingFile:
    """Appends lines to a file that only its owner may read; a full one becomes ``name.1``, the oldest is removed.

    One process writes to it. A file that somebody moves or removes is begun anew within a second. What cannot be
    written is lost: `write` says so and raises nothing.

    Parameters
    ----------
    path
        In a folder that exists.
    largest
        Bytes.
    kept
        Files beside the current one.
    clock
        Seconds that never run backwards.

    Raises
    ------
    ConfigurationError
        If it cannot be written to at the start; names it and what is wrong.
    """

    def __init__(
        self, path: str | Path, *, largest: int, kept: int, clock: Callable[[], float] = time.monotonic
    ) -> None:  # fmt: skip
        self.path, self._largest, self._kept, self._clock = Path(path).absolute(), largest, kept, clock
        self._lock = threading.Lock()
        self._file, self._size, self._identity, self._torn = -1, 0, (0, 0), False
        self._look_at = 0.0
        try:
            self._open()
        except OSError as error:
            raise ConfigurationError(
                f"the log file {self.path} cannot be written to: {error.strerror or error}. Name another, in a folder "
                "that exists"
            ) from error

    def write(self, line: bytes) -> bool:
        """Append a line, which ends in a line feed, and return whether it is written."""
        with self._lock:
            try:
                return self._ready(len(line)) and self._append(line)
            except OSError:
                self._close()
                self._look_at = self._clock() + AGAIN_AFTER
                return False

    def close(self) -> None:
        """Close it; what is written afterwards is lost."""
        with self._lock:
            self._close()
            self._look_at = float("inf")

    def _ready(self, more: int) -> bool:
        """Return whether there is an open file with room for so many bytes."""
        now = self._clock()
        if now >= self._look_at:
            self._look_at = now + AGAIN_AFTER
            if self._file >= 0 and self._moved():
                self._close()
            if self._file < 0:
                self._open()
        if self._file < 0:
            return False
        if self._size and self._size + more > self._largest:
            self._close()
            self._rotate()
            self._open()
        return True

    def _append(self, line: bytes) -> bool:
        # What a full disk has cut off must not be the beginning of the next line.
        data = b"\n" + line if self._torn else line
        written = os.write(self._file, data)
        self._size += written
        self._torn = written < len(data) and (written > 0 or self._torn)
        return written == len(data)

    def _moved(self) -> bool:
        try:
            found = self.path.lstat()
        except OSError:
            return True
        return (found.st_dev, found.st_ino) != self._identity

    def _rotate(self) -> None:
        for number in range(self._kept, 0, -1):
            older = self._named(number)
            newer = self._named(number - 1)
            if newer.exists():
                newer.replace(older)
        if not self._kept:
            self.path.unlink(missing_ok=True)

    def _named(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}") if number else self.path

    def _open(self) -> None:
        options = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
            options |= getattr(os, name, 0)
        descriptor = os.open(self.path, options, 0o600)
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            os.close(descriptor)
            raise OSError(0, "it is no file")
        self._file, self._size, self._identity = descriptor, found.st_size, (found.st_dev, found.st_ino)
        self._torn = self._size > 0 and self._last_byte() != b"\n"

    def _last_byte(self) -> bytes:
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1)

    def _close(self) -> None:
        if self._file >= 0:
            with suppress(OSError):
                os.close(self._file)
        self._file = -1
