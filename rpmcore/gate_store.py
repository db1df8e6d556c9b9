"""What a gate writes and reads back: commands, decisions, events and snapshots as records of a ledger."""

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Any, Protocol

from rpmcore.adapters.ledger.errors import LedgerDamaged
from rpmcore.adapters.ledger.queries import Queries
from rpmcore.adapters.ledger.reader import LedgerReader
from rpmcore.adapters.ledger.records import Head, NewRecord, Record
from rpmcore.decision.engine import DecisionEngine
from rpmcore.decision.genesis import Genesis
from rpmcore.decision.replay import Recorded, replay
from rpmcore.domain.canonical import canonical_bytes, parse
from rpmcore.domain.commands import Command, SignalReceived
from rpmcore.domain.decisions import Decision


class Store(Protocol):
    """Where a gate appends: a `rpmcore.adapters.ledger.ledger.Ledger`, or memory."""

    @property
    def halted(self) -> str | None:
        """Why nothing is written any more; None where all is well."""

    def append(self, records: Sequence[NewRecord]) -> Any:
        """Append records, all or none, and return when they are safe."""

    def find(self, key: str) -> Record | None:
        """Return the record with this idempotency key, or None."""

    def records(self) -> Iterator[Record]:
        """Yield all of them, in their order."""

    def close(self) -> None:
        """Let go of it."""


class MemoryStore:
    """Keeps records for as long as the process lives: for simulations, and for what nobody has to prove."""

    halted: str | None = None

    def __init__(self, genesis: bytes) -> None:
        self.genesis = genesis
        self._records: list[Record] = []
        self._by_key: dict[str, Record] = {}
        self.append([NewRecord(kind="genesis", sequence=0, body=genesis)])

    def append(self, records: Sequence[NewRecord]) -> None:
        """Keep records."""
        for new in records:
            record = Record(
                position=len(self._records) + 1, kind=new.kind, sequence=new.sequence, key=new.key, body=new.body,
                mac=b"",
            )  # fmt: skip
            self._records.append(record)
            if record.key is not None:
                self._by_key[record.key] = record

    def find(self, key: str) -> Record | None:
        """Return the record with this idempotency key, or None."""
        return self._by_key.get(key)

    def records(self) -> Iterator[Record]:
        """Yield all of them, in their order."""
        return iter(tuple(self._records))

    def close(self) -> None:
        """Do nothing: there is nothing to let go of."""


def key_of(command: Command) -> str | None:
    """Return under which idempotency key a command is taken once; None where it carries no id.

    A signal's key stands at its decision. A signal in conflict with another of its id has none.
    """
    if isinstance(command, SignalReceived):
        return f"signal:{command.signal.signal_id}" if command.conflict_with is None else None
    return f"{command.kind}:{command.command_id}" if command.command_id else None


def same_command(body: bytes, command: Command) -> bool:
    """Return whether a command says what the recorded `body` says, whenever either came."""
    stored, found = parse(body), parse(canonical_bytes(command.to_plain()))
    return {**stored, "at": 0, "correlation_id": ""} == {**found, "at": 0, "correlation_id": ""}


def new_records(
    sequence: int, command: Command, body: bytes, decision: Decision | None, events: Sequence[Any]
) -> list[NewRecord]:
    """Return what is appended for a command, whose canonical JSON is `body`, in one transaction."""
    refused = decision is None and any(event["type"] == "refused" for event in events)
    key = None if refused else key_of(command)  # what was refused was not taken: put right, it may come again
    found = [NewRecord(kind="command", sequence=sequence, key=None if decision is not None else key, body=body)]
    if decision is not None:
        found.append(NewRecord(kind="decision", sequence=sequence, key=key, body=canonical_bytes(decision.to_plain())))
    found += [NewRecord(kind="event", sequence=sequence, body=canonical_bytes(event)) for event in events]
    return found


def events_of(store: Store, command: Record) -> Iterator[Any]:
    """Yield what a recorded command led to."""
    after = command.position
    later = store.records(after=after) if isinstance(store, Queries) else _later(store, after)
    for record in takewhile(lambda each: each.sequence == command.sequence, later):
        if record.kind == "event":
            yield parse(record.body)


def _later(store: Store, after: int) -> Iterator[Record]:
    return (record for record in store.records() if record.position > after)


def recorded(records: Iterator[Record]) -> Iterator[Recorded]:
    """Yield each command with what it led to; genesis and snapshots are passed over."""
    sequence, command, decision = 0, None, None
    events: list[Any] = []
    for record in records:
        if record.kind == "command":
            if command is not None:
                yield Recorded(sequence=sequence, command=command, decision=decision, events=tuple(events))
            sequence, command, decision, events = record.sequence, parse(record.body), None, []
        elif record.kind == "decision":
            decision = parse(record.body)
        elif record.kind == "event":
            events.append(parse(record.body))
    if command is not None:
        yield Recorded(sequence=sequence, command=command, decision=decision, events=tuple(events))


def restored_to(reader: LedgerReader, head: Head) -> DecisionEngine:
    """Return the engine that a ledger left with a head, read without its key.

    Raises
    ------
    LedgerDamaged
        As `restored`, and where the records end before the head does.
    """
    engine = restored(reader, head.position)
    if engine.sequence != head.sequence:
        raise LedgerDamaged(
            reader.path, f"its records end with command {engine.sequence}, and its head was signed at command "
            f"{head.sequence}",
        )  # fmt: skip
    return engine


def restored(ledger: Queries, until: int | None = None) -> DecisionEngine:
    """Return the engine that a ledger left, and prove on the way that its last commands lead to what stands there.

    The latest snapshot, and every command since, run again; also of a ledger that a gate writes to.

    Parameters
    ----------
    ledger
        To be read.
    until
        Position of the last record to look at; all if None.

    Raises
    ------
    LedgerDamaged
        Where a command since the snapshot no longer leads to what is recorded.
    """
    genesis = Genesis.of_plain(parse(ledger.genesis().body))
    snapshot = ledger.latest_snapshot()
    engine, after = DecisionEngine(genesis), 1
    if snapshot is not None:
        engine, after = DecisionEngine.from_state(genesis, parse(snapshot.body)), snapshot.position
    for done in replay(engine, recorded(ledger.records(after=after, until=until))):
        if not done.near:
            raise LedgerDamaged(
                ledger.path, f"command {done.recorded.sequence} no longer leads to what is recorded: was it written by "
                "another version? Replay it with that one",
            )  # fmt: skip
    return engine
