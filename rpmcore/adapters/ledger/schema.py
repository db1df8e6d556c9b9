"""What the file of a ledger looks like to SQLite."""

import sqlite3
from functools import cache
from pathlib import Path

from rpmcore.adapters.ledger.connections import read_application
from rpmcore.adapters.ledger.errors import LedgerDamaged, LedgerUnusable
from rpmcore.adapters.ledger.records import KINDS

APPLICATION = int.from_bytes(b"rpmL", "big")
VERSION = 1

STATEMENTS = (
    """CREATE TABLE records(
  position INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  key TEXT,
  body BLOB NOT NULL,
  mac BLOB NOT NULL
)""",
    "CREATE UNIQUE INDEX records_by_key ON records(key) WHERE key IS NOT NULL",
    "CREATE INDEX snapshots_by_position ON records(position) WHERE kind = 'snapshot'",
    """CREATE TABLE head(
  one INTEGER PRIMARY KEY,
  ledger TEXT NOT NULL,
  key_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  mac BLOB NOT NULL,
  signature BLOB NOT NULL
)""",
    *(
        f"CREATE VIEW {kind if kind == 'genesis' else kind + 's'} AS SELECT position, sequence, key, "  # noqa: S608
        f"CAST(body AS TEXT) AS body, lower(hex(mac)) AS mac FROM records WHERE kind = '{kind}'"
        for kind in sorted(KINDS)
    ),
)


def identify(path: Path) -> None:
    """Refuse what is no ledger before anything is done with it.

    Raises
    ------
    LedgerUnusable
        Where there is no file, or none that can be read.
    LedgerDamaged
        Where the file is empty, no database, or that of another application.
    """
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise LedgerUnusable(f"there is no ledger at {path}") from None
    except OSError as error:
        raise LedgerUnusable(f"{path} cannot be read: {error.strerror}") from error
    if not size:
        raise LedgerDamaged(path, "the file is empty")
    if read_application(path) != APPLICATION:
        raise LedgerDamaged(path, "it is the database of another application")


def foreign_schema(connection: sqlite3.Connection) -> str | None:
    """Return what is not as this version of rpm created it, or None: a replaced view would show other records."""
    if connection.execute("PRAGMA application_id").fetchone() != (APPLICATION,):
        return "it is the database of another application"
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != VERSION:
        return f"it has version {version} of the ledger's format, and this rpm reads version {VERSION}"
    if connection.execute("PRAGMA encoding").fetchone() != ("UTF-8",):
        return "its text is not in UTF-8"
    found, expected = _schema_of(connection), _expected()
    if found != expected:
        odd = sorted(set(found).symmetric_difference(expected), key=repr)
        return f"the table, index or view {odd[0][1]!r} is not the one that rpm created"
    return None


def _schema_of(connection: sqlite3.Connection) -> tuple[tuple[str, ...], ...]:
    return tuple(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY rowid"))


@cache
def _expected() -> tuple[tuple[str, ...], ...]:
    connection = sqlite3.connect(":memory:")
    try:
        for statement in STATEMENTS:
            connection.execute(statement)
        return _schema_of(connection)
    finally:
        connection.close()
