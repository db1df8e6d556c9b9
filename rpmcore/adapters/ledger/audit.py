"""The audit trail: does it stand as it was written, and what does it say?"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rpmcore.adapters.ledger.chain import Chain, head_to_json
from rpmcore.adapters.ledger.connections import connect_reader
from rpmcore.adapters.ledger.errors import LedgerDamaged
from rpmcore.adapters.ledger.queries import COLUMNS
from rpmcore.adapters.ledger.reader import LedgerReader
from rpmcore.adapters.ledger.records import KINDS, Record
from rpmcore.adapters.ledger.schema import identify
from rpmcore.adapters.ledger.verification import Progress, Verification, check
from rpmcore.adapters.ledger.witness import witness_anchor
from rpmcore.domain.canonical import canonical_bytes
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.signing_key import SigningKey


def verify(
    path: str | Path, key: SigningKey, *, anchors: Sequence[bytes] = (), progress: Progress | None = None
) -> Verification:
    """Verify a ledger, also while a gate writes to it. Damage is a value; nothing is repaired.

    Parameters
    ----------
    path
        The ledger. A witness file beside it counts as an anchor.
    key
        What it was written with.
    anchors
        Signed heads as `export_head` gave them: they must lie on this chain, so that a truncated or an older copy is
        noticed.
    progress
        Told how many records are done, of how many.

    Raises
    ------
    LedgerUnusable
        Where there is no ledger, or none that can be read.
    """
    path = Path(path).resolve()
    named = tuple((f"anchor {number}", anchor) for number, anchor in enumerate(anchors, 1))
    try:
        identify(path)
        named = (*witness_anchor(path), *named)
        connection = connect_reader(path)
    except LedgerDamaged as damage:
        return Verification(
            ok=False, records=0, by_kind=dict.fromkeys(sorted(KINDS), 0), head=None, bad_position=damage.position,
            why=damage.why, anchors=0,
        )  # fmt: skip
    try:
        return check(connection, key, anchors=named, progress=progress)
    finally:
        connection.close()


def export_head(path: str | Path, key: SigningKey) -> bytes:
    """Return the signed end of the ledger as JSON, to be kept where whoever may alter the ledger cannot.

    Only the head is checked, not what leads to it: an anchor taken daily must not take long.

    Raises
    ------
    LedgerUnusable
        Where there is no ledger, or none that can be read.
    LedgerDamaged
        Where the head's signature does not hold.
    """
    with LedgerReader.open(path) as reader:
        head = reader.head
        if not Chain(key, head.ledger).signs(head):
            raise LedgerDamaged(path, "the signature of the head does not hold under this key")
        return head_to_json(head)


def show(
    path: str | Path,
    *,
    kind: str | None = None,
    sequence: int | None = None,
    signal: str | None = None,
    correlation: str | None = None,
    since: int | None = None,
    until: int | None = None,
    last: int | None = None,
) -> Iterator[Record]:
    """Yield the records that pass every filter given, in their order. Nothing is verified.

    Parameters
    ----------
    kind
        Only these.
    sequence
        Only those of the command with this number.
    signal
        Those of the commands of this signal: of whatever has it as idempotency key or as ``signal_id``.
    correlation
        Those of the commands in whose records it stands as ``correlation_id``.
    since, until
        Those of the commands whose ``at`` is not before the one and before the other.
    last
        Only so many, from the end.

    Raises
    ------
    InvalidArgument
        For a kind that there is not, and for a `last` below 1.
    LedgerUnusable, LedgerDamaged
        With the first record, as `LedgerReader.open`.
    """
    if kind is not None and kind not in KINDS:
        raise InvalidArgument(f"{kind!r} is no kind of record; there are {', '.join(sorted(KINDS))}")
    if last is not None and last < 1:
        raise InvalidArgument(f"last must be at least 1, found {last}")
    conditions, values = _conditions(kind, sequence, signal, correlation)
    for bound, value in ((">=", since), ("<", until)):
        if value is not None:
            conditions.append(_BY_TIME.format(bound))
            values.append(value)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    query = f"SELECT {COLUMNS} FROM records{where} ORDER BY position"  # noqa: S608
    if last is not None:
        query = f"SELECT * FROM ({query} DESC LIMIT ?) ORDER BY position"  # noqa: S608
        values.append(last)
    return _rows(path, query, values)


_BY_TIME = (
    "sequence IN (SELECT sequence FROM records WHERE kind = 'command' AND "
    "CASE WHEN json_valid(CAST(body AS TEXT)) THEN json_extract(CAST(body AS TEXT), '$.at') END {} ?)"
)


def _rows(path: str | Path, query: str, values: Sequence[object]) -> Iterator[Record]:
    with LedgerReader.open(path) as reader:
        yield from reader.select(query, values)


def _conditions(
    kind: str | None, sequence: int | None, signal: str | None, correlation: str | None
) -> tuple[list[str], list[object]]:
    """Canonical JSON writes a field in one way only, so that it can be found as a run of bytes."""
    conditions: list[str] = []
    values: list[object] = []
    if kind is not None:
        conditions.append("kind = ?")
        values.append(kind)
    if sequence is not None:
        conditions.append("sequence = ?")
        values.append(sequence)
    if signal is not None:
        conditions.append("sequence IN (SELECT sequence FROM records WHERE key = ? OR instr(body, ?))")
        values += [signal, _field("signal_id", signal)]
    if correlation is not None:
        conditions.append("sequence IN (SELECT sequence FROM records WHERE instr(body, ?))")
        values.append(_field("correlation_id", correlation))
    return conditions, values


def _field(name: str, value: str) -> bytes:
    return b'"%s":%s' % (name.encode(), canonical_bytes(value))
