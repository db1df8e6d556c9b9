"""The ledger of a gate: every record chained to the last, on the disk before `append` returns."""

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from rpmcore.adapters.ledger.chain import Chain
from rpmcore.adapters.ledger.connections import beside_as_sqlite, connect_writer, prove_writable
from rpmcore.adapters.ledger.creation import INSERT, create_file, moving
from rpmcore.adapters.ledger.errors import LedgerDamaged, LedgerError, LedgerFailed, LedgerUnusable
from rpmcore.adapters.ledger.file_lock import FileLock
from rpmcore.adapters.ledger.halt import halted_reason, lay_ballast, mark_halted
from rpmcore.adapters.ledger.queries import Queries
from rpmcore.adapters.ledger.records import KINDS, LARGEST_NUMBER, Head, NewRecord
from rpmcore.adapters.ledger.schema import identify
from rpmcore.adapters.ledger.verification import Progress, check
from rpmcore.adapters.ledger.witness import Witness, witness_anchor
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.signing_key import SigningKey

APPENDABLE = KINDS - {"genesis"}
LONGEST_KEY = 4096
LARGEST_BODY = 256 * 1024 * 1024

# Where the head is not the one that this object wrote, somebody else did, and not one row is changed.
_MOVE_HEAD = (
    "UPDATE head SET position = ?, sequence = ?, mac = ?, signature = ? WHERE one = 1 AND position = ? AND mac = ?"
)


class Ledger(Queries):
    """A ledger open for writing, by one process and one thread at a time.

    `create` and `open` take the lock at once or raise `LedgerLocked`; `close`, or the end of a ``with``, gives it back.
    """

    __slots__ = ("_chain", "_failed", "_files", "_head", "_lock", "_watched", "_witness")

    @classmethod
    def create(cls, path: str | Path, key: SigningKey, genesis: bytes) -> Self:
        """Create a ledger whose first record is the genesis (sequence 0), and open it.

        Raises
        ------
        LedgerUnusable
            Where there is one already, or what is left of one, or no way to write it.
        LedgerLocked
            Where another process creates it just now.
        InvalidArgument
            For a genesis that is not UTF-8.
        """
        _check_body(genesis, "the genesis")
        path = Path(path).resolve()
        lock = FileLock(path)
        try:
            create_file(path, key, genesis)
            return cls._open(path, key, lock, None)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def open(cls, path: str | Path, key: SigningKey, *, progress: Progress | None = None) -> Self:
        """Open a ledger and verify all of it.

        A ledger that halted opens, and `halted` says so.

        Raises
        ------
        LedgerUnusable
            Where there is none, or the system does not let us write to it.
        LedgerLocked
            Names who holds it.
        LedgerDamaged
            Where it does not verify: with its position and what is wrong.
        """
        path = Path(path).resolve()
        identify(path)
        lock = FileLock(path)
        try:
            return cls._open(path, key, lock, progress)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def _open(cls, path: Path, key: SigningKey, lock: FileLock, progress: Progress | None) -> Self:
        anchors = witness_anchor(path)
        connection = connect_writer(path)
        try:
            found = check(connection, key, anchors=anchors, progress=progress)
            if found.head is None:
                raise LedgerDamaged(path, str(found.why), found.bad_position)
            prove_writable(path, connection)
            if halted_reason(path) is None:
                lay_ballast(path)
            return cls(path, lock, connection, Chain(key, found.head.ledger), found.head)
        except OSError as error:
            connection.close()
            raise LedgerUnusable(f"{path} cannot be written to: {error}") from error
        except BaseException:
            connection.close()
            raise

    def __init__(self, path: Path, lock: FileLock, connection: sqlite3.Connection, chain: Chain, head: Head) -> None:
        self.path, self._lock, self._connection, self._chain, self._head = path, lock, connection, chain, head
        self._failed: str | None = None
        self._watched = str(path), str(beside_as_sqlite(path, "wal"))
        self._files = self._identities()
        # This also waits until the disk has the names in the folder, that of a new write-ahead log among them.
        self._witness = Witness(path, head)

    @property
    def head(self) -> Head:
        """The signed end of the ledger after the last append that succeeded."""
        return self._head

    @property
    def next_sequence(self) -> int:
        """The number of the next command."""
        return self._head.sequence + 1

    @property
    def halted(self) -> str | None:
        """Why this object writes no more, or when and why the ledger halted before; None where neither is so."""
        return self._failed or halted_reason(self.path)

    def append(self, records: Sequence[NewRecord]) -> Head:
        """Append records, all or none, and return when the disk has them.

        Parameters
        ----------
        records
            At least one; of any kind but ``genesis``; their sequences must not fall, nor be below the last one.

        Raises
        ------
        InvalidArgument
            For records that no ledger could hold. Nothing was written, and more can be.
        LedgerFailed
            Whether the records were written is unknown. This object writes no more, whatever becomes of the disk; a
            mark beside the ledger says why. What was written is there when the ledger is opened again.
        """
        if self._failed is not None:
            raise LedgerFailed(f"{self.path} takes no records since an append failed: {self._failed}")
        rows, head = self._chained(records)
        try:
            self._commit(rows, head)
        except Exception as error:
            raise self._failure(error, len(rows)) from error
        except BaseException:
            # An interrupt ends the process; the next one finds what was written, and need not be told to halt.
            self._failed = "it was interrupted"
            raise
        self._head = head
        return head

    def close(self) -> None:
        """Close the file and give back the lock."""
        try:
            self._connection.close()
        finally:
            self._witness.close()
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _chained(self, records: Sequence[NewRecord]) -> tuple[list[tuple[object, ...]], Head]:
        if not records:
            raise InvalidArgument("an append needs at least one record")
        position, sequence, mac = self._head.position, self._head.sequence, self._head.mac
        rows: list[tuple[object, ...]] = []
        for record in records:
            _check(record, sequence)
            position, sequence = position + 1, record.sequence
            mac = self._chain.mac(mac, position, record.kind, sequence, record.key, record.body)
            rows.append((position, record.kind, sequence, record.key, record.body, mac))
        return rows, self._chain.signed_head(position, sequence, mac)

    def _commit(self, rows: list[tuple[object, ...]], head: Head) -> None:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        if execute(_MOVE_HEAD, (*moving(head), self._head.position, self._head.mac)).rowcount != 1:
            raise LedgerError("another process has written to it")
        self._connection.executemany(INSERT, rows)
        execute("COMMIT")
        # What was moved or removed under us took the records along: they would be missing after a restart.
        if self._identities() != self._files:
            raise LedgerError("its file was moved, replaced or removed while it was open")
        self._witness.acknowledge(head)

    def _identities(self) -> tuple[int, int, int, int]:
        """Which files stand under the names of the ledger and of its write-ahead log."""
        database, log = map(os.stat, self._watched)
        return database.st_dev, database.st_ino, log.st_dev, log.st_ino

    def _failure(self, error: Exception, count: int) -> LedgerFailed:
        self._failed = f"an append of {count} records failed: {error}"
        if self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error:
                self._failed += " (and could not be rolled back)"
        try:
            mark_halted(self.path, self._failed)
        except OSError as second:
            self._failed += f" (and no mark could be left beside the ledger: {second})"
        return LedgerFailed(
            f"{self.path} has halted: {self._failed}. Whether the records were written shows when it is opened again"
        )


def _check(record: NewRecord, last: int) -> None:
    if record.kind not in APPENDABLE:
        raise InvalidArgument(f"{record.kind!r} is no kind that can be appended; there are {sorted(APPENDABLE)}")
    if type(record.sequence) is not int or not last <= record.sequence <= LARGEST_NUMBER:
        raise InvalidArgument(f"the sequence must be a whole number of at least {last}, found {record.sequence!r}")
    if record.key is not None:
        try:
            fit = 0 < len(record.key.encode()) <= LONGEST_KEY
        except (AttributeError, UnicodeEncodeError):
            fit = False
        if not fit:
            raise InvalidArgument(f"an idempotency key must be text of 1 to {LONGEST_KEY} bytes, found {record.key!r}")
    _check_body(record.body, f"the body of a {record.kind}")


def _check_body(body: bytes, name: str) -> None:
    try:
        fit = type(body) is bytes and len(body) <= LARGEST_BODY and (body.isascii() or body.decode() is not None)
    except UnicodeDecodeError:
        fit = False
    if not fit:
        raise InvalidArgument(f"{name} must be UTF-8 of at most {LARGEST_BODY} bytes")
