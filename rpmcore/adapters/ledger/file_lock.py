"""One writer: a lock that the system drops with its process, and a file that says who has it."""

import json
import os
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path

from rpmcore.adapters.durable_files import give_to_owner_of
from rpmcore.adapters.ledger.errors import Holder, LedgerLocked, LedgerUnusable

_LOCKED_BYTE = 1 << 20
"""Windows lets nobody read what is locked, so that a byte far behind the text stands for the file."""

_LONGEST = 4096


class FileLock:
    """The lock on a ledger, taken at once or not at all.

    Raises
    ------
    LedgerLocked
        Names the process that has it.
    LedgerUnusable
        Where the file cannot be written.
    """

    __slots__ = ("_descriptor",)

    def __init__(self, ledger: Path) -> None:
        path = beside(ledger, "lock")
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        except OSError as error:
            raise LedgerUnusable(f"{ledger} cannot be written to: {path.name}: {error.strerror}") from error
        give_to_owner_of(ledger, path)
        try:
            _lock(self._descriptor)
        except OSError:
            holder = _holder(self._descriptor)
            os.close(self._descriptor)
            raise LedgerLocked(ledger, holder) from None
        since = datetime.now(UTC).isoformat(timespec="seconds")
        text = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since})
        try:
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, text.encode())
        except OSError as error:
            os.close(self._descriptor)
            raise LedgerUnusable(f"{ledger} cannot be written to: {path.name}: {error.strerror}") from error

    def release(self) -> None:
        """Let the next one in. The file stays: to remove it would let two processes lock two files of one name."""
        os.ftruncate(self._descriptor, 0)
        _unlock(self._descriptor)
        os.close(self._descriptor)


def beside(ledger: Path, suffix: str) -> Path:
    """Return the path of a file that stands beside the ledger."""
    return ledger.with_name(f"{ledger.name}.{suffix}")


def holder_of(ledger: Path) -> Holder | None:
    """Return who says to have a ledger, without touching its lock; None where nobody does, or that process is no more.

    A process that was killed leaves its name behind. On this host it is asked for by its number, which another
    process may have got meanwhile; of another host its word is taken.
    """
    try:
        with beside(ledger, "lock").open("rb") as file:
            holder = _holder(file.fileno())
    except OSError:
        return None
    if holder is None or holder.host != socket.gethostname() or sys.platform == "win32":
        return holder
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        pass  # it is there, and another user's
    return holder


def _holder(descriptor: int) -> Holder | None:
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        plain = json.loads(os.read(descriptor, _LONGEST))
        return Holder(pid=int(plain["pid"]), host=str(plain["host"]), since=str(plain["since"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        # Not `lockf`: its locks are the process's, who would not be refused by himself.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
