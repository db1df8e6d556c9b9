"""Other settings for a gate that runs: between two decisions, and without an operator only tighter ones."""

from typing import TYPE_CHECKING

from pydantic import ValidationError

from rpmcore.decision.handlers.common import Events, controls
from rpmcore.decision.settings import DecisionSettings
from rpmcore.decision.tightening import Change, changes, loosened
from rpmcore.domain.commands import Command, Reconfigured
from rpmcore.domain.decisions import Decision
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.plain import to_plain

if TYPE_CHECKING:
    from rpmcore.decision.engine import DecisionEngine

ONLY_AT_THE_START = frozenset({"data.base_currency", "gate.starting_history", "strategies.capital"})
"""What a ledger begins with: changed later, it would stand there and not be so."""


def reconfigured(engine: "DecisionEngine", command: Command, _decision: Decision | None, at: int) -> Events:
    """Decide by other settings from now on, or say why not."""
    assert isinstance(command, Reconfigured)  # noqa: S101 - the table says so
    try:
        settings = DecisionSettings.model_validate(dict(command.settings), strict=False)
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidArgument(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    found = changes(engine.settings, settings)
    told = {
        "operator": command.operator, "before": command.replaces, "after": command.config_digest,
    }  # fmt: skip
    why = _refused(engine, command, found)
    if why:
        return [{"type": "reconfigure_refused", **told, "reason": why}]
    engine.reconfigure(settings, command.config_digest)
    done = {"type": "reconfigured", **told, "reason": command.reason, "changes": [to_plain(c) for c in found]}
    regime = engine.limits(at).regime
    events = controls(engine, engine.kill_switches.set_regime(regime, at=at, correlation_id=command.correlation_id))
    # What the tighter limits of a switch forbid is forbidden now, not at the next price.
    return [done, *events, *engine.snapshot(at, price_effect=0.0, correlation=command.correlation_id)]


def _refused(engine: "DecisionEngine", command: Reconfigured, found: tuple[Change, ...]) -> str:
    """Return why the settings are not taken; empty where they are."""
    if command.replaces != engine.genesis.config_digest:
        return "they were made for other settings than those in force"
    fixed = [change.key for change in found if change.key in ONLY_AT_THE_START]
    if fixed:
        return f"{', '.join(fixed)} can only be set where a ledger begins"
    if command.operator.strip() and command.reason.strip():
        return ""
    if command.operator.strip() or command.reason.strip():
        return "a named operator and a written reason go together"
    loose = loosened(found)
    if not loose:
        return ""
    named = ", ".join(f"{change.key} ({change.before!r} to {change.after!r}, {_word(change)})" for change in loose)
    return f"without an operator and a reason settings only tighten: {named}"


def _word(change: Change) -> str:
    return "loosens" if change.effect == "loosens" else "direction not known"
