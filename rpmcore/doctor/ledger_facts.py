"""Read what there is to know of a ledger without taking or verifying it."""

import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rpmcore.adapters.ledger.connections import beside_as_sqlite
from rpmcore.adapters.ledger.errors import Holder, LedgerError
from rpmcore.adapters.ledger.file_lock import beside, holder_of
from rpmcore.adapters.ledger.halt import BALLAST_BYTES, halted_reason
from rpmcore.adapters.ledger.reader import LedgerReader
from rpmcore.domain.canonical import parse


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFacts:
    """A ledger at one moment.

    Attributes
    ----------
    path
        As it was named.
    error
        Why it cannot be read; None where it can.
    commands, newest
        Number of the last command and its time, UTC nanoseconds; None where there is none.
    file_system
        Its type; None where the system does not tell.
    unsynced
        Why a file beside the ledger cannot be written and brought to the disk; None where it can.
    free
        Bytes left on its disk; None where unknown.
    log_bytes
        Of the write-ahead log.
    ballast, witness
        Whether these files are there, whole.
    halted
        When and why the ledger halted; None where it has not.
    holder
        The process that writes to it; None for nobody.
    key_id
        Of the key that signs it; None where unknown.
    """

    path: Path
    error: str | None
    commands: int | None
    newest: int | None
    file_system: str | None
    unsynced: str | None
    free: int | None
    log_bytes: int
    ballast: bool
    witness: bool
    halted: str | None
    holder: Holder | None
    key_id: str | None


def read_ledger(path: Path, file_system: str | None) -> LedgerFacts:
    """Return the facts of a ledger; a file of a few bytes is written beside it, and removed.

    Parameters
    ----------
    path
        Of the ledger.
    file_system
        The type of the file system that it lies on.
    """
    error, commands, newest, key_id = _content(path)
    place = path.resolve()
    there = place.exists()
    return LedgerFacts(
        path=path, error=error, commands=commands, newest=newest, file_system=file_system,
        unsynced=_unsynced(place.parent), free=_free(place.parent), log_bytes=_size(beside_as_sqlite(place, "wal")),
        ballast=_size(beside(place, "ballast")) == BALLAST_BYTES, witness=bool(_size(beside(place, "witness"))),
        halted=halted_reason(place) if there else None, holder=holder_of(place) if there else None, key_id=key_id,
    )  # fmt: skip


def _content(path: Path) -> tuple[str | None, int | None, int | None, str | None]:
    try:
        with LedgerReader.open(path) as reader:
            head, last, key_id = reader.head, reader.last_of("command", 1), reader.key_id
        return None, head.sequence, _time_of(last[0].body) if last else None, key_id
    except LedgerError as error:
        return str(error), None, None, None


def _time_of(body: bytes) -> int | None:
    with suppress(ValueError):
        plain = parse(body)
        at = plain.get("at") if isinstance(plain, dict) else None
        return at if isinstance(at, int) else None
    return None


def _unsynced(folder: Path) -> str | None:
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".rpm-doctor-") as file:
            file.write(b"rpm")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.strerror or str(error)
    return None


def _free(folder: Path) -> int | None:
    with suppress(OSError):
        return shutil.disk_usage(folder).free
    return None


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0
