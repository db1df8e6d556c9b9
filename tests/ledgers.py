"""Small ledgers to read, to damage and to kill."""

import json
import sqlite3
from contextlib import closing

from rpmcore.adapters.ledger.ledger import Ledger
from rpmcore.adapters.ledger.records import NewRecord
from rpmcore.domain.signing_key import SigningKey

KEY = SigningKey(bytes(range(32)))
OTHER_KEY = SigningKey(bytes(range(1, 33)))
GENESIS = b'{"book":[],"schema":"test"}'


def body(**values):
    return json.dumps(values, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()


def decided(sequence, *, key=None):
    """Return the records of one signal: the command, its decision and an event."""
    correlation = f"c{sequence % 2}"
    return [
        NewRecord(kind="command", sequence=sequence, body=body(correlation_id=correlation, n=sequence)),
        NewRecord(
            kind="decision",
            sequence=sequence,
            key=key or f"signal-{sequence}",
            body=body(signal_id=key or f"signal-{sequence}", size=sequence / 7),
        ),
        NewRecord(kind="event", sequence=sequence, body=body(what="größer", n=sequence)),
    ]


def snapshot(sequence):
    return NewRecord(kind="snapshot", sequence=sequence, body=body(state=sequence))


def write_ledger(path, signals=3):
    """Write a ledger of a genesis, so many signals, and a snapshot after the second; return its path."""
    with Ledger.create(path, KEY, GENESIS) as ledger:
        for sequence in range(1, signals + 1):
            ledger.append(decided(sequence))
            if sequence == 2:
                ledger.append([snapshot(sequence)])
    return path


def raw(path):
    """Open the file as any program could that knows nothing of rpm."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    return closing(connection)
