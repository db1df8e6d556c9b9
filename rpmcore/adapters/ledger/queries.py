"""What writer and readers ask of the table."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rpmcore.adapters.ledger.connections import UNREADABLE, unreadable
from rpmcore.adapters.ledger.errors import LedgerDamaged
from rpmcore.adapters.ledger.records import KINDS, LARGEST_NUMBER, Record
from rpmcore.domain.errors import InvalidArgument

COLUMNS = "position, kind, sequence, key, body, mac"

_BATCH = 256
_BY_KEY = f"SELECT {COLUMNS} FROM records WHERE key = ?"  # noqa: S608
_FIRST = f"SELECT {COLUMNS} FROM records WHERE position = 1"  # noqa: S608
_SNAPSHOT = f"SELECT {COLUMNS} FROM records WHERE kind = 'snapshot' ORDER BY position DESC LIMIT 1"  # noqa: S608
_RANGE = f"SELECT {COLUMNS} FROM records WHERE position > ? AND position <= ? ORDER BY position LIMIT {_BATCH}"  # noqa: S608
EVERYTHING = f"SELECT {COLUMNS} FROM records ORDER BY position"  # noqa: S608
_KIND = _RANGE.replace(" ORDER", " AND kind = ? ORDER")


class Queries:
    """Records by key, by position and by kind."""

    __slots__ = ("_connection", "path")

    path: Path
    _connection: sqlite3.Connection

    def find(self, key: str) -> Record | None:
        """Return the record with this idempotency key, or None.

        Raises
        ------
        InvalidArgument
            For a text that is no Unicode, such as half of a surrogate pair.
        """
        return self._one(_BY_KEY, (key,))

    def genesis(self) -> Record:
        """Return the first record."""
        record = self._one(_FIRST, ())
        if record is None:
            raise LedgerDamaged(self.path, "record 1 is missing", 1)
        return record

    def latest_snapshot(self) -> Record | None:
        """Return the last record of the kind ``snapshot``, or None."""
        return self._one(_SNAPSHOT, ())

    def records(self, kind: str | None = None, after: int = 0, until: int | None = None) -> Iterator[Record]:
        """Yield the records in their order, a few at a time.

        Parameters
        ----------
        kind
            Only these; all where None.
        after, until
            Positions: the first to come is the one after `after`, the last one is `until`. Without `until` also what is
            appended meanwhile comes.

        Raises
        ------
        InvalidArgument
            For a kind that there is not.
        """
        if kind is not None and kind not in KINDS:
            raise InvalidArgument(f"{kind!r} is no kind of record; there are {', '.join(sorted(KINDS))}")
        return self._stream(kind, after, LARGEST_NUMBER if until is None else until)

    def _stream(self, kind: str | None, after: int, until: int) -> Iterator[Record]:
        while True:
            bounds = (after, until) if kind is None else (after, until, kind)
            # No statement stays open between two batches: one would keep the write-ahead log from being emptied.
            rows = self._rows(_RANGE if kind is None else _KIND, bounds)
            if not rows:
                return
            for row in rows:
                yield self._record(row)
            after = rows[-1][0]

    def _one(self, statement: str, values: tuple[object, ...]) -> Record | None:
        rows = self._rows(statement, values)
        return self._record(rows[0]) if rows else None

    def _record(self, row: tuple[Any, ...]) -> Record:
        position, kind, sequence, key, body, mac = row
        if not well_typed(row):
            raise LedgerDamaged(self.path, f"record {position} holds what rpm never writes", position)
        return Record(position=position, kind=kind, sequence=sequence, key=key, body=body, mac=mac)

    def _rows(self, statement: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(statement, values).fetchall()
        except UnicodeEncodeError as error:
            raise InvalidArgument(f"{values!r} is no Unicode") from error
        except UNREADABLE as error:
            raise unreadable(self.path, error) from error


def well_typed(row: tuple[object, ...]) -> bool:
    """SQLite keeps a value of any type in any column, and some differ from what was written by one bit of a header."""
    position, kind, sequence, key, body, mac = row
    return (
        type(position) is int
        and type(kind) is str
        and type(sequence) is int
        and (key is None or type(key) is str)
        and type(body) is bytes
        and type(mac) is bytes
    )
