"""What handlers share: the shape of their events, and the halts that they count."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rpmcore.decision.account import Order
from rpmcore.domain.commands import Command
from rpmcore.domain.controls import ControlEvent, Severity
from rpmcore.domain.decisions import Decision
from rpmcore.domain.plain import to_plain

if TYPE_CHECKING:
    from rpmcore.decision.engine import DecisionEngine

Events = list[dict[str, Any]]

Handler = Callable[["DecisionEngine", Command, Decision | None, int], Events]
"""Takes the engine, a command, the decision about it if it is a signal, and the time that counts; returns what changed.

It raises `InvalidArgument` before it changes anything, or not at all.
"""

GATE = "the gate"
"""Who trips a switch where no person does."""


def told(order: Order) -> dict[str, Any]:
    """Return the event of an order that has moved on."""
    return {
        "type": "order", "order_id": order.order_id, "state": order.state.value, "quantity": float(order.quantity),
        "filled": float(order.filled),
    }  # fmt: skip


def controls(engine: "DecisionEngine", events: tuple[ControlEvent, ...]) -> Events:
    """Return the events of kill switches in JSON's types, and count the halts: approvals before one are void."""
    for event in events:
        if event.before < Severity.HALT <= event.after:
            engine.halts[event.scope] = engine.halts.get(event.scope, 0) + 1
    return [{"type": "control", **to_plain(event)} for event in events]


def integrity_failed(engine: "DecisionEngine", reason: str) -> Events:
    """Go to HALTED: nothing is released until an operator says so, and nothing passes that was released before."""
    engine.integrity = reason
    engine.failures += 1
    return [{"type": "integrity_failed", "reason": reason}]
