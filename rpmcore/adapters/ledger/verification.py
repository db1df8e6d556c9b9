"""Whether a ledger stands as it was written: the file, the chain, the head, and heads that were kept elsewhere."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rpmcore.adapters.ledger.chain import Chain, head_from_json
from rpmcore.adapters.ledger.connections import UNREADABLE
from rpmcore.adapters.ledger.queries import well_typed
from rpmcore.adapters.ledger.records import KINDS, Head
from rpmcore.adapters.ledger.schema import foreign_schema
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.signing_key import SigningKey

Progress = Callable[[int, int], None]
"""Called with the records that are done, and all there are, now and then."""

_PROGRESS_EVERY = 1 << 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What came out.

    Attributes
    ----------
    ok
        Whether every byte of every record, the head and the anchors are as they were written.
    records, by_kind
        How many verify, from the first on, all and of each kind.
    head
        The signed head, where it verifies.
    bad_position
        The first record that does not stand as it was written, or is missing; None where the damage is in none.
    why
        What is wrong, as one sentence without a full stop; None where nothing is.
    anchors
        How many heads kept elsewhere lie on the chain.
    """

    ok: bool
    records: int
    by_kind: Mapping[str, int]
    head: Head | None
    bad_position: int | None
    why: str | None
    anchors: int


class _Bad(Exception):
    """An outcome of the search, which nobody outside sees."""

    def __init__(self, why: str, position: int | None = None) -> None:
        super().__init__(why)
        self.why, self.position = why, position


class _Walk:
    """How far a verification has come."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.position = 0
        self.sequence = 0
        self.head: Head | None = None
        self.anchors = 0


def check(
    connection: sqlite3.Connection,
    key: SigningKey,
    *,
    anchors: Sequence[tuple[str, bytes]] = (),
    progress: Progress | None = None,
) -> Verification:
    """Verify a ledger in one read transaction, in one pass, in memory that does not grow with it.

    Parameters
    ----------
    connection
        To the ledger, outside of any transaction.
    key
        What it was written with.
    anchors
        Signed heads as JSON, each with what to call it.
    progress
        Told how far it has come.
    """
    walk = _Walk()
    bad = None
    try:
        connection.execute("BEGIN")
        try:
            _check_all(connection, key, anchors, progress, walk)
        finally:
            connection.execute("ROLLBACK")
    except _Bad as found:
        bad = found
    except UNREADABLE as error:
        bad = _Bad(f"SQLite cannot read on ({error})", walk.position + 1 if walk.position else None)
    return Verification(
        ok=bad is None,
        records=walk.position,
        by_kind={kind: walk.counts[kind] for kind in sorted(KINDS)},
        head=walk.head if bad is None else None,
        bad_position=bad.position if bad else None,
        why=bad.why if bad else None,
        anchors=walk.anchors,
    )


def _check_all(
    connection: sqlite3.Connection,
    key: SigningKey,
    anchors: Sequence[tuple[str, bytes]],
    progress: Progress | None,
    walk: _Walk,
) -> None:
    foreign = foreign_schema(connection)
    if foreign:
        raise _Bad(foreign)
    head = _stored_head(connection, key)
    chain = Chain(key, head.ledger)
    if not chain.signs(head):
        raise _Bad("the row of the head was altered: its signature does not hold")
    kept = [(name, _anchor(name, raw, chain)) for name, raw in anchors]
    wanted = {anchor.position for _, anchor in kept}
    macs = _walk_records(connection, chain, head, wanted, progress, walk)
    for name, anchor in kept:
        if anchor.position > head.position:
            raise _Bad(
                f"{name} was signed at record {anchor.position}, and the ledger ends at {head.position}: "
                "what followed is missing, or this is an older copy",
                head.position + 1,
            )
        if macs.get(anchor.position) != anchor.mac:
            raise _Bad(f"{name} was signed on another chain: record {anchor.position} is not the one it names")
        walk.anchors += 1
    # Last, because the chain names the record: this finds what only a search by key or by position would meet.
    for (line,) in connection.execute("PRAGMA integrity_check(1)"):
        if line != "ok":
            raise _Bad(f"the database file is damaged: {' '.join(str(line).split())}")
    walk.head = head


def _stored_head(connection: sqlite3.Connection, key: SigningKey) -> Head:
    rows = connection.execute("SELECT one, ledger, key_id, position, sequence, mac, signature FROM head").fetchall()
    if len(rows) != 1:
        raise _Bad(f"the table of the head has {len(rows)} rows instead of one")
    one, ledger, key_id, position, sequence, mac, signature = rows[0]
    types = (int, str, str, int, int, bytes, bytes)
    if tuple(map(type, rows[0])) != types or one != 1:
        raise _Bad("the row of the head was altered")
    if key_id != key.id:
        raise _Bad(f"it was written with the key {key_id!r}, and the key given is {key.id!r}")
    return Head(ledger=ledger, position=position, sequence=sequence, mac=mac, signature=signature)


def _anchor(name: str, raw: bytes, chain: Chain) -> Head:
    try:
        head = head_from_json(raw)
    except InvalidArgument as error:
        raise _Bad(f"{name} {error}") from error
    if head.ledger != chain.ledger:
        raise _Bad(f"{name} was signed for the ledger {head.ledger}, and this is {chain.ledger}")
    if not chain.signs(head):
        raise _Bad(f"{name} was altered: its signature does not hold")
    return head


def _walk_records(
    connection: sqlite3.Connection,
    chain: Chain,
    head: Head,
    wanted: set[int],
    progress: Progress | None,
    walk: _Walk,
) -> dict[int, bytes]:
    """Follow the chain to its end and return the codes at the wanted positions."""
    found: dict[int, bytes] = {}
    previous, mac_of, counts = chain.start, chain.mac, walk.counts
    position, last = 0, head.position
    for row in connection.execute("SELECT position, kind, sequence, key, body, mac FROM records ORDER BY position"):
        position += 1
        mac = row[5]
        if position > last or row[0] != position or not well_typed(row) or mac_of(previous, *row[:5]) != mac:
            raise _bad_record(position, row, head)
        previous = mac
        counts[row[1]] += 1
        walk.position, walk.sequence = position, row[2]
        if position in wanted:
            found[position] = mac
        if progress is not None and position % _PROGRESS_EVERY == 0:
            progress(position, last)
    if position < head.position:
        raise _Bad(f"record {position + 1} is missing: the head was signed at {head.position}", position + 1)
    if (head.mac, head.sequence) != (previous, walk.sequence):
        raise _Bad("the head was signed on another chain: an older head, or another ledger's records", position)
    if progress is not None:
        progress(position, position)
    return found


def _bad_record(position: int, row: tuple[object, ...], head: Head) -> _Bad:
    at = row[0]
    if at != position:
        if isinstance(at, int) and at > position:
            return _Bad(f"record {position} is missing: the next one is {at}", position)
        return _Bad(f"a record stands at position {at!r}, where none can be", position)
    if position > head.position:
        return _Bad(
            f"record {position} stands behind the end that the head was signed at, {head.position}: the head is an "
            "older one, or the record was not written by rpm",
            position,
        )
    return _Bad(f"record {position} is not the one that was written there", position)
