"""A new ledger: built under another name, so that there is a whole one or none."""

import os
import secrets
import sqlite3
from pathlib import Path

from rpmcore.adapters.durable_files import sync_folder
from rpmcore.adapters.ledger.chain import Chain
from rpmcore.adapters.ledger.connections import beside_as_sqlite, connect_writer
from rpmcore.adapters.ledger.errors import LedgerUnusable
from rpmcore.adapters.ledger.file_lock import beside
from rpmcore.adapters.ledger.records import Head
from rpmcore.adapters.ledger.schema import APPLICATION, STATEMENTS, VERSION
from rpmcore.domain.signing_key import SigningKey

INSERT = "INSERT INTO records(position, kind, sequence, key, body, mac) VALUES(?, ?, ?, ?, ?, ?)"


def create_file(path: Path, key: SigningKey, genesis: bytes) -> None:
    """Create the file of a ledger with its first record. The caller holds the lock.

    Raises
    ------
    LedgerUnusable
        Where there is a ledger, or what is left of one, or where the file cannot be written.
    """
    _refuse_remains(path)
    draft = beside(path, "new")
    try:
        _remove_draft(draft)
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        connection = connect_writer(draft)
        try:
            _fill(connection, key, genesis)
        finally:
            connection.close()
        draft.rename(path)
        sync_folder(path.parent)
    except (OSError, sqlite3.Error) as error:
        raise LedgerUnusable(f"{path} cannot be created: {error}") from error


def _refuse_remains(path: Path) -> None:
    """A ledger that was removed is not replaced by an empty one without a word: its history would be gone."""
    if path.exists():
        raise LedgerUnusable(f"{path} exists already. Open it, or name another file")
    remains = (beside_as_sqlite(path, "wal"), beside(path, "witness"), beside(path, "halted"))
    for other in remains:
        if other.exists():
            raise LedgerUnusable(
                f"{path} was here: {other.name} is left of it. Bring the ledger back, or remove that file too"
            )


def _remove_draft(draft: Path) -> None:
    for path in (draft, *(beside_as_sqlite(draft, suffix) for suffix in ("wal", "shm", "journal"))):
        path.unlink(missing_ok=True)


def _fill(connection: sqlite3.Connection, key: SigningKey, genesis: bytes) -> None:
    chain = Chain(key, secrets.token_hex(16))
    mac = chain.mac(chain.start, 1, "genesis", 0, None, genesis)
    connection.execute(f"PRAGMA application_id={APPLICATION}")
    connection.execute(f"PRAGMA user_version={VERSION}")
    connection.execute("BEGIN IMMEDIATE")
    for statement in STATEMENTS:
        connection.execute(statement)
    connection.execute(INSERT, (1, "genesis", 0, None, genesis, mac))
    head = chain.signed_head(1, 0, mac)
    connection.execute("INSERT INTO head VALUES(1, ?, ?, ?, ?, ?, ?)", (head.ledger, key.id, *moving(head)))
    connection.execute("COMMIT")


def moving(head: Head) -> tuple[int, int, bytes, bytes]:
    """Return the columns of the head's row that each append rewrites."""
    return head.position, head.sequence, head.mac, head.signature
