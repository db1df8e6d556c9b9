"""Proof of a ledger: every command from its genesis on, run again, leads to what stands there."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from rpmcore.adapters.ledger.reader import LedgerReader
from rpmcore.adapters.ledger.records import NewRecord, Record
from rpmcore.adapters.ledger.verification import Progress
from rpmcore.adapters.platform_fingerprint import differences as platform_differences
from rpmcore.adapters.platform_fingerprint import platform_fingerprint
from rpmcore.decision.differences import ABSENT, Difference, differences
from rpmcore.decision.engine import DecisionEngine
from rpmcore.decision.genesis import Genesis
from rpmcore.domain.canonical import canonical_bytes, parse
from rpmcore.domain.commands import command_of_plain
from rpmcore.domain.decisions import Decision
from rpmcore.domain.report import Report, Shown, counted
from rpmcore.domain.signing_key import SigningKey, Subkey
from rpmcore.gate_signatures import approval_bytes
from rpmcore.gate_store import new_records

MOST_SHOWN = 20
"""Differing records whose fields are kept; all are counted."""

_TELL_EVERY = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferingRecord:
    """A record that the replay does not lead to, byte for byte.

    Attributes
    ----------
    position, sequence, kind
        Of the record; the position is None where the replay has one more than the ledger.
    fields
        In what it differs.
    near
        Whether the rounding of another processor explains all of it.
    """

    position: int | None
    sequence: int
    kind: str
    fields: tuple[Difference, ...]
    near: bool


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Proof(Report):
    """What came out.

    Attributes
    ----------
    path
        The ledger.
    records, commands, decisions, events, snapshots
        How many were looked at, of each kind.
    identical, near, different
        Decisions, events and snapshots that have the recorded bytes, that differ by rounding alone, and that differ.
    same_platform
        Whether this is the platform on which the ledger was begun: then bytes must be the same.
    platform_differences
        In what the platforms differ, in words.
    differing
        The first records that have not the recorded bytes.
    """

    path: str
    records: int
    commands: int
    decisions: int
    events: int
    snapshots: int
    identical: int
    near: int
    different: int
    same_platform: bool
    platform_differences: tuple[str, ...]
    differing: tuple[DifferingRecord, ...]

    SCHEMA = "rpm.replay/1"
    MAIN = "proof.differing"
    ROWS: ClassVar[dict[str, type]] = {"proof.differing": DifferingRecord}
    SHOWN = (
        Shown(table="proof.differing", title="Differing records", columns=("position", "sequence", "kind", "near")),
    )

    def to_plain(self) -> dict[str, Any]:
        """Return it in JSON's types, without its schema."""
        return {
            "ledger": self.path, "proof": plain_proof(self), "policy": None,
            "policy_reason": "no other settings were given",
        }  # fmt: skip

    def headline(self) -> str:
        """Return the answer in a sentence."""
        proven = "is proven" if self.ok else "is NOT proven"
        return (
            f"{self.path} {proven}: {counted(self.decisions, 'decision')}, {self.identical:,} records to the byte, "
            f"{self.near:,} to rounding, {self.different:,} different"
        )

    @property
    def ok(self) -> bool:
        """Whether it is proven: to the byte on the same platform, else to rounding."""
        return self.different == 0 and (self.near == 0 or not self.same_platform)


@dataclass(slots=True)
class _Tally:
    commands: int = 0
    decisions: int = 0
    events: int = 0
    snapshots: int = 0
    identical: int = 0
    near: int = 0
    different: int = 0


def prove(path: str | Path, key: SigningKey, *, progress: Progress | None = None) -> Proof:
    """Verify a ledger, and run every command from its genesis on again: all decisions, events and snapshots.

    Snapshots on the way are compared with the engine's state and not used, so that nothing rests on one. Signatures of
    approvals are made again with the key.

    Parameters
    ----------
    path
        Of the ledger; a gate may be writing to it.
    key
        What it was written with.
    progress
        Told how many records are done, and of how many.

    Raises
    ------
    LedgerDamaged
        Where a record does not stand as it was written.
    LedgerUnusable
        Where there is no ledger, or none that can be read.
    """
    with LedgerReader.open(path, key) as reader:
        end = reader.head.position
        plain = parse(reader.genesis().body)
        recorded_platform = dict(plain.get("platform", {}))
        engine = DecisionEngine(Genesis.of_plain(plain))
        tally = _Tally()
        differing: list[DifferingRecord] = []
        approval = key.for_("approval")
        for group in by_command(reader.records(after=1, until=end)):
            found = _again(engine, group, approval, reader.head.ledger)
            for record, expected in _paired(group, found):
                difference = _compare(record, expected, tally)
                if difference is not None and len(differing) < MOST_SHOWN:
                    differing.append(difference)
            if progress is not None and engine.sequence % _TELL_EVERY == 0:
                progress(group[-1].position, end)
        if progress is not None:
            progress(end, end)
    here = platform_fingerprint()
    return Proof(
        path=str(path), records=end, commands=tally.commands, decisions=tally.decisions, events=tally.events,
        snapshots=tally.snapshots, identical=tally.identical, near=tally.near, different=tally.different,
        same_platform=recorded_platform == here, platform_differences=platform_differences(recorded_platform, here),
        differing=tuple(differing),
    )  # fmt: skip


def by_command(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Yield each command's record with those that follow it, up to the next command; a snapshot stands alone."""
    group: list[Record] = []
    for record in records:
        if record.kind in ("command", "snapshot") and group:
            yield group
            group = []
        group.append(record)
    if group:
        yield group


def _again(engine: DecisionEngine, group: list[Record], key: Subkey, ledger: str) -> list[NewRecord]:
    """Return what the engine leads to, in place of a group of records."""
    first = group[0]
    if first.kind != "command":
        return [NewRecord(kind="snapshot", sequence=engine.sequence, body=canonical_bytes(engine.state()))]
    command = command_of_plain(parse(first.body))
    outcome = engine.handle(command)
    decision = None if outcome.decision is None else _signed(outcome.decision, key, ledger)
    return new_records(engine.sequence, command, first.body, decision, outcome.events)


def _signed(decision: Decision, key: Subkey, ledger: str) -> Decision:
    if not decision.approved:
        return decision
    return replace(decision, signature=key.mac(approval_bytes(decision, ledger)).hex())


def _paired(group: list[Record], found: list[NewRecord]) -> Iterator[tuple[Record | None, NewRecord | None]]:
    for place in range(max(len(group), len(found))):
        yield (group[place] if place < len(group) else None), (found[place] if place < len(found) else None)


def _compare(record: Record | None, expected: NewRecord | None, tally: _Tally) -> DifferingRecord | None:
    kind = record.kind if record is not None else expected.kind if expected is not None else ""
    setattr(tally, f"{kind}s", getattr(tally, f"{kind}s") + 1)
    if record is not None and expected is not None:
        identity = (record.kind, record.sequence, record.key)
        same_record = identity == (expected.kind, expected.sequence, expected.key)
        if same_record and record.body == expected.body:
            tally.identical += kind != "command"
            return None
        stands = {"kind": record.kind, "sequence": record.sequence, "key": record.key}
        came = {"kind": expected.kind, "sequence": expected.sequence, "key": expected.key}
        fields = [*differences(stands, came), *differences(parse(record.body), parse(expected.body))]
    else:
        fields = [_whole(record, expected)]
    near = bool(fields) and all(field.near for field in fields)
    if near:
        tally.near += 1
    else:
        tally.different += 1
    sequence = record.sequence if record is not None else expected.sequence if expected is not None else 0
    return DifferingRecord(
        position=None if record is None else record.position, sequence=sequence, kind=kind,
        fields=tuple(fields), near=near,
    )  # fmt: skip


def _whole(record: Record | None, expected: NewRecord | None) -> Difference:
    def told(one: Record | NewRecord | None) -> Any:
        return ABSENT if one is None else parse(one.body)

    return Difference(field="the record", recorded=told(record), replayed=told(expected), near=False)


def plain_proof(proof: Proof) -> Mapping[str, Any]:
    """Return a proof in JSON's types."""
    return {
        "ok": proof.ok, "records": proof.records, "commands": proof.commands, "decisions": proof.decisions,
        "events": proof.events, "snapshots": proof.snapshots, "identical": proof.identical, "near": proof.near,
        "different": proof.different, "same_platform": proof.same_platform,
        "platform_differences": list(proof.platform_differences),
        "differing": [
            {
                "position": one.position, "sequence": one.sequence, "kind": one.kind, "near": one.near,
                "fields": [
                    {"field": f.field, "recorded": f.recorded, "replayed": f.replayed, "near": f.near}
                    for f in one.fields
                ],
            }
            for one in proof.differing
        ],
    }  # fmt: skip
