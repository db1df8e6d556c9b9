"""The last signed head that was acknowledged here, in a file of its own: it notices a ledger that went back in time.

A `-wal` file that is deleted after a crash, or an older copy put in place, leaves a chain that verifies. The witness is
written after each commit, in place and without waiting for the disk: a killed process cannot lose it, and after a power
cut it is at worst older than the ledger, which says nothing against it.
"""

import os
from pathlib import Path

from rpmcore.adapters.durable_files import write_durably
from rpmcore.adapters.ledger.chain import head_to_json
from rpmcore.adapters.ledger.errors import LedgerUnusable
from rpmcore.adapters.ledger.file_lock import beside
from rpmcore.adapters.ledger.records import Head

WITNESS_BYTES = 512
"""One sector, which a disk writes whole or not at all."""


_ATTEMPTS = 16


class Witness:
    """The witness file of a ledger that is open for writing."""

    __slots__ = ("_descriptor",)

    def __init__(self, ledger: Path, head: Head) -> None:
        path = beside(ledger, "witness")
        write_durably(path, _padded(head), by_way_of=beside(ledger, "witness.new"), like=ledger)
        self._descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))

    def acknowledge(self, head: Head) -> None:
        """Remember the head that is about to be acknowledged."""
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        if os.write(self._descriptor, _padded(head)) != WITNESS_BYTES:
            raise OSError("the witness file was not written in full")

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def witness_anchor(ledger: Path) -> tuple[tuple[str, bytes], ...]:
    """Return what to call the witness and its signed head as JSON, or nothing where there is no such file.

    It must be read before the ledger is: a gate that runs may move both on, the ledger first.

    Raises
    ------
    LedgerUnusable
        Where it is there and cannot be read.
    """
    path = beside(ledger, "witness")
    try:
        raw = path.read_bytes()
        # A gate may be writing just now, and a reader meet the half of it; two equal readings are a whole one.
        for _ in range(_ATTEMPTS):
            before, raw = raw, path.read_bytes()
            if before == raw:
                break
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise LedgerUnusable(f"{path} cannot be read: {error.strerror}") from error
    return ((f"the witness {path.name}", raw),)


def _padded(head: Head) -> bytes:
    return head_to_json(head).ljust(WITNESS_BYTES - 1) + b"\n"
