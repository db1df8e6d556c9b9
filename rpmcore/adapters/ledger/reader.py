"""A ledger for reading, also while a gate holds it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from rpmcore.adapters.ledger.connections import UNREADABLE, connect_reader, unreadable
from rpmcore.adapters.ledger.errors import LedgerDamaged
from rpmcore.adapters.ledger.halt import halted_reason
from rpmcore.adapters.ledger.queries import COLUMNS, Queries
from rpmcore.adapters.ledger.records import Head, Record
from rpmcore.adapters.ledger.schema import foreign_schema, identify
from rpmcore.adapters.ledger.verification import Progress, check
from rpmcore.adapters.ledger.witness import witness_anchor
from rpmcore.domain.signing_key import SigningKey


class LedgerReader(Queries):
    """Reads and never writes; takes no lock. One thread at a time."""

    __slots__ = ()

    @classmethod
    def open(cls, path: str | Path, key: SigningKey | None = None, *, progress: Progress | None = None) -> Self:
        """Open a ledger; with its key everything is verified first, without it nothing is proven.

        Raises
        ------
        LedgerUnusable
            Where there is none, or none that can be read.
        LedgerDamaged
            Where it does not verify, or is another application's.
        """
        self = cls.__new__(cls)
        self.path = Path(path).resolve()
        identify(self.path)
        anchors = () if key is None else witness_anchor(self.path)
        self._connection = connect_reader(self.path)
        try:
            if key is not None:
                found = check(self._connection, key, anchors=anchors, progress=progress)
                if not found.ok:
                    raise LedgerDamaged(self.path, str(found.why), found.bad_position)
            else:
                foreign = foreign_schema(self._connection)
                if foreign:
                    raise LedgerDamaged(self.path, foreign)
        except UNREADABLE as error:
            self.close()
            raise unreadable(self.path, error) from error
        except BaseException:
            self.close()
            raise
        return self

    @property
    def head(self) -> Head:
        """The end of the ledger as it stands now."""
        rows = self._rows("SELECT ledger, position, sequence, mac, signature FROM head")
        if len(rows) != 1 or tuple(map(type, rows[0])) != (str, int, int, bytes, bytes):
            raise LedgerDamaged(self.path, "the row of the head was altered")
        ledger, position, sequence, mac, signature = rows[0]
        return Head(ledger=ledger, position=position, sequence=sequence, mac=mac, signature=signature)

    @property
    def key_id(self) -> str:
        """The id of the key that the ledger says it is signed with; only a verification proves it."""
        rows = self._rows("SELECT key_id FROM head")
        if len(rows) != 1 or type(rows[0][0]) is not str:
            raise LedgerDamaged(self.path, "the row of the head was altered")
        return str(rows[0][0])

    def last_of(self, kind: str, count: int) -> list[Record]:
        """Return the last records of a kind, at most `count`, in their order."""
        query = f"SELECT {COLUMNS} FROM records WHERE kind = ? ORDER BY position DESC LIMIT ?"  # noqa: S608
        return list(self.select(query, (kind, count)))[::-1]

    def select(self, query: str, values: Sequence[object] = ()) -> Iterator[Record]:
        """Yield what a query of `COLUMNS` finds, as it stood at one moment."""
        try:
            yield from map(self._record, self._connection.execute(query, values))
        except UNREADABLE as error:
            raise unreadable(self.path, error) from error

    @property
    def halted(self) -> str | None:
        """When and why the ledger halted, or None."""
        return halted_reason(self.path)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
