"""Connections to the file of a ledger: one that writes, and any number that read."""

import sqlite3
from pathlib import Path

from rpmcore.adapters.ledger.errors import LedgerDamaged, LedgerUnusable

UNREADABLE = (sqlite3.Error, UnicodeDecodeError, OverflowError, MemoryError)
"""What a damaged file can make of a query; Python's own errors come where SQLite's message quotes broken text."""

_OF_THE_SYSTEM = frozenset(
    {
        sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOLFS, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PERM, sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)  # fmt: skip

_PATIENCE = 1.0
"""Seconds to wait for a foreign program that writes; a gate has no longer."""


def connect_writer(path: Path) -> sqlite3.Connection:
    """Open for writing: write-ahead log, and each commit waits for the disk.

    Raises
    ------
    LedgerUnusable
        Where the file, its folder or the file system does not let us.
    LedgerDamaged
        Where SQLite cannot read it.
    """
    connection = None
    try:
        connection = _connect(path, "mode=rw")
        mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        # On macOS only these make `fsync` reach the platter; elsewhere they change nothing.
        for pragma in ("synchronous=FULL", "fullfsync=ON", "checkpoint_fullfsync=ON"):
            connection.execute(f"PRAGMA {pragma}")
    except UNREADABLE as error:
        if connection is not None:
            connection.close()
        raise _told(path, error, "written to") from error
    if mode != "wal":
        connection.close()
        raise LedgerUnusable(f"{path} cannot be written to: its file system takes no write-ahead log")
    return connection


def prove_writable(path: Path, connection: sqlite3.Connection) -> None:
    """Refuse a ledger that SQLite opened for reading alone, which it does without a word where it may not write.

    Raises
    ------
    LedgerUnusable
        Where nothing can be written.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute("UPDATE head SET one = one")
        finally:
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise _told(path, error, "written to") from error


def connect_reader(path: Path) -> sqlite3.Connection:
    """Open for reading, also while a gate writes; where nobody does, also from a medium that cannot be written to.

    Raises
    ------
    LedgerUnusable
        Where the system does not let us.
    LedgerDamaged
        Where SQLite cannot read it.
    """
    connection = None
    try:
        try:
            connection = _connect(path, "mode=ro")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            # Without a write-ahead log all is in the one file, which is then read without any beside it.
            log = beside_as_sqlite(path, "wal")
            if log.exists() and log.stat().st_size:
                raise
            if connection is not None:
                connection.close()
            connection = _connect(path, "mode=ro&immutable=1")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except UNREADABLE as error:
        if connection is not None:
            connection.close()
        raise _told(path, error, "read") from error
    return connection


def read_application(path: Path) -> int:
    """Return the application that a database says it belongs to.

    Through SQLite, because to close a file of one's own drops the locks that the process has on it elsewhere; and with
    the write-ahead log, because a checkpoint that was cut short leaves a file that makes no sense without it.

    Raises
    ------
    LedgerUnusable
        Where the system does not let us read it.
    LedgerDamaged
        Where it is no database.
    """
    connection = connect_reader(path)
    try:
        application: int = connection.execute("PRAGMA application_id").fetchone()[0]
    except UNREADABLE as error:
        raise _told(path, error, "read") from error
    finally:
        connection.close()
    return application


def beside_as_sqlite(path: Path, suffix: str) -> Path:
    """Return the path of a file that SQLite keeps beside the ledger."""
    return path.with_name(f"{path.name}-{suffix}")


def _connect(path: Path, options: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{options}", uri=True, isolation_level=None, timeout=_PATIENCE,
        check_same_thread=False,
    )  # fmt: skip
    try:
        for pragma in ("cell_size_check=ON", "trusted_schema=OFF", "mmap_size=0"):
            connection.execute(f"PRAGMA {pragma}")
    except UNREADABLE:
        connection.close()
        raise
    return connection


def _told(path: Path, error: Exception, doing: str) -> LedgerUnusable | LedgerDamaged:
    if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF in _OF_THE_SYSTEM:
        return LedgerUnusable(f"{path} cannot be {doing}: {error}")
    return unreadable(path, error)


def unreadable(path: Path, error: Exception) -> LedgerDamaged:
    """Return the error of a ledger that SQLite cannot read on."""
    return LedgerDamaged(path, f"SQLite cannot read it ({error})")
