"""The ledger beside bare SQLite and bare hashing: what chain, head, witness and verification cost."""

import sqlite3
import tempfile
from collections.abc import Callable
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

from rpmcore.adapters.ledger.audit import verify
from rpmcore.adapters.ledger.ledger import Ledger
from rpmcore.adapters.ledger.records import NewRecord
from rpmcore.domain.signing_key import SigningKey

KEY = SigningKey(bytes(range(32)))

# Where the folder of a pair goes with the process: a pair has no end of its own.
_FOLDERS: list[tempfile.TemporaryDirectory[str]] = []


def folder() -> Path:
    _FOLDERS.append(tempfile.TemporaryDirectory(prefix="rpm-ledger-"))
    return Path(_FOLDERS[-1].name)


def rows(sequence: int) -> list[tuple[str, int, str | None, bytes]]:
    """Return the sizes of a real decision: a signal, its decision with every check, two events."""
    return [
        ("command", sequence, None, b'{"x":"%s"}' % (b"c" * 400)),
        ("decision", sequence, f"signal-{sequence}", b'{"x":"%s"}' % (b"d" * 3000)),
        ("event", sequence, None, b'{"x":"%s"}' % (b"e" * 200)),
        ("event", sequence, None, b'{"x":"%s"}' % (b"e" * 200)),
    ]


def appends() -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return the append of a decision, and the insert of the same rows by SQLite, both waiting for the same disk."""
    where, numbers = folder(), count(1)
    ledger = Ledger.create(where / "gate.ledger", KEY, b"{}")
    bare = sqlite3.connect(where / "bare", isolation_level=None)
    for statement in (
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=FULL",
        "CREATE TABLE records(position INTEGER PRIMARY KEY, kind TEXT, sequence INTEGER, key TEXT UNIQUE, body BLOB)",
    ):
        bare.execute(statement)

    def ours() -> None:
        ledger.append([NewRecord(kind=k, sequence=s, key=y, body=b) for k, s, y, b in rows(ledger.next_sequence)])  # type: ignore[arg-type]

    def theirs() -> None:
        bare.execute("BEGIN IMMEDIATE")
        bare.executemany("INSERT INTO records(kind, sequence, key, body) VALUES(?, ?, ?, ?)", rows(next(numbers)))
        bare.execute("COMMIT")

    return ours, theirs


def verification(decisions: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return the whole verification, and a reading of the same rows that hashes each body once."""
    path = folder() / "gate.ledger"
    with Ledger.create(path, KEY, b"{}") as ledger:
        for sequence in range(1, decisions + 1):
            ledger.append([NewRecord(kind=k, sequence=s, key=y, body=b) for k, s, y, b in rows(sequence)])  # type: ignore[arg-type]

    def ours() -> None:
        assert verify(path, KEY).records == 1 + 4 * decisions

    def theirs() -> None:
        connection = sqlite3.connect(path)
        for row in connection.execute("SELECT position, kind, sequence, key, body, mac FROM records ORDER BY position"):
            sha256(row[4]).digest()
        connection.close()

    return ours, theirs
