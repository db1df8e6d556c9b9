"""What people order, and what nobody hopes for: a gate that cannot trust its own books."""

from typing import TYPE_CHECKING

from rpmcore.decision.handlers.capital import status_told
from rpmcore.decision.handlers.common import Events, controls, integrity_failed
from rpmcore.decision.handlers.reconciling import adopt
from rpmcore.domain.commands import Command, IntegrityFailed, OperatorOrder
from rpmcore.domain.controls import Severity
from rpmcore.domain.decisions import Decision
from rpmcore.domain.errors import InvalidArgument

if TYPE_CHECKING:
    from rpmcore.decision.engine import DecisionEngine


def operator(engine: "DecisionEngine", command: Command, _decision: Decision | None, at: int) -> Events:
    """Obey a named operator with a written reason, or say why not."""
    assert isinstance(command, OperatorOrder)  # noqa: S101 - the table says so
    try:
        events = _obeyed(engine, command, at)
    except InvalidArgument as error:
        return [{"type": "operator_refused", "action": command.action, "operator": command.operator,
                 "reason": str(error)}]  # fmt: skip
    done = {
        "type": "operator", "action": command.action, "operator": command.operator, "reason": command.reason,
        "scope": command.scope, "value": command.value,
    }  # fmt: skip
    return [done, *events]


def _obeyed(engine: "DecisionEngine", order: OperatorOrder, at: int) -> Events:
    who, why, switches = order.operator, order.reason, engine.kill_switches
    if not who.strip() or not why.strip():
        raise InvalidArgument("a named operator and a written reason are needed")
    if order.action == "trip":
        return controls(engine, switches.trip(
            _severity(order.value), operator=who, reason=why, scope=order.scope, at=at,
            correlation_id=order.correlation_id))  # fmt: skip
    if order.action == "reset":
        return controls(engine, switches.reset(
            operator=who, reason=why, scope=order.scope, measure_anew=order.measure_anew, at=at,
            correlation_id=order.correlation_id))  # fmt: skip
    if order.action == "enable_strategy":
        before = engine.strategies.state_of(order.scope).status
        return status_told(before, engine.strategies.enable(order.scope, at=at, operator=who, reason=why))
    if order.action == "clear_integrity":
        if engine.reconciliation is not None:
            raise InvalidArgument(
                f"the differences of reconciliation {engine.reconciliation['sequence']} stand: adopt the broker's view "
                "or the gate's"
            )
        engine.integrity = ""
        return []
    if order.action in ("adopt_broker", "adopt_gate"):
        return adopt(engine, order, at)
    return _pinned(engine, order, at)


def _severity(text: str) -> Severity:
    try:
        return Severity(text)
    except ValueError:
        known = ", ".join(s.value for s in Severity if s is not Severity.NONE)
        raise InvalidArgument(f"there is no severity {text!r}; known are {known}") from None


def _pinned(engine: "DecisionEngine", order: OperatorOrder, at: int) -> Events:
    if order.action == "pin_regime":
        engine.adaptive.pin_regime(order.value, operator=order.operator, reason=order.reason, at=at)
    elif order.action == "release_pin":
        engine.adaptive.release_pin(operator=order.operator, reason=order.reason, at=at)
    else:
        raise InvalidArgument(f"there is no action {order.action!r}")
    engine.limits_changed()
    engine.changed()
    return controls(engine, engine.kill_switches.set_regime(
        engine.limits(at).regime, at=at, correlation_id=order.correlation_id))  # fmt: skip


def integrity(engine: "DecisionEngine", command: Command, _decision: Decision | None, _at: int) -> Events:
    """Release nothing until an operator says that the books are sound again."""
    assert isinstance(command, IntegrityFailed)  # noqa: S101
    return integrity_failed(engine, command.reason or "integrity has failed")
