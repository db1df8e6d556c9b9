"""Proof that a record of commands leads to its decisions: run them again, and compare what comes out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rpmcore.decision.differences import agree
from rpmcore.decision.engine import DecisionEngine
from rpmcore.domain.canonical import canonical_bytes
from rpmcore.domain.commands import Command, command_of_plain
from rpmcore.domain.decisions import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A command as it stands in a ledger, with what it led to, all in JSON's types."""

    sequence: int
    command: Mapping[str, Any]
    decision: Mapping[str, Any] | None
    events: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A command run again.

    Attributes
    ----------
    recorded, command, decision, events
        As it stands, and what came out: the decision without the recorded one's signature, which only the key makes.
    same
        Whether decision and events have the recorded bytes.
    near
        Whether they differ by no more than the rounding of another processor.
    """

    recorded: Recorded
    command: Command
    decision: Decision | None
    events: tuple[Mapping[str, Any], ...]
    same: bool
    near: bool


def replay(engine: DecisionEngine, records: Iterable[Recorded]) -> Iterator[Replayed]:
    """Run commands through an engine and yield what each led to; the engine is then where they left it.

    Parameters
    ----------
    engine
        As it was before the first of them.
    records
        In their order.

    Raises
    ------
    InvalidArgument
        If a command is none.
    """
    for recorded in records:
        command = command_of_plain(recorded.command)
        outcome = engine.handle(command)
        decision = outcome.decision
        if decision is not None and recorded.decision is not None:
            decision = replace(decision, signature=recorded.decision.get("signature"))
        found = _plain(decision, outcome.events)
        stands = (recorded.decision, list(recorded.events))
        same = canonical_bytes(list(found)) == canonical_bytes(list(stands))
        yield Replayed(
            recorded=recorded, command=command, decision=decision, events=outcome.events, same=same,
            near=same or agree(list(stands), list(found)),
        )  # fmt: skip


def _plain(decision: Decision | None, events: tuple[Mapping[str, Any], ...]) -> tuple[Any, Any]:
    return None if decision is None else decision.to_plain(), list(events)
