"""What a gate has recorded as log lines: one row for each type of event."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from rpmcore.adapters.telemetry.events import EventType, Outcome
from rpmcore.adapters.telemetry.settings import LevelName
from rpmcore.domain.controls import Severity
from rpmcore.domain.decisions import Decision

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line to be written; see `rpmcore.adapters.telemetry.logger.StructuredLogger.log`."""

    level: LevelName
    type: EventType
    message: str
    outcome: Outcome | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


SWITCH_LEVELS: Mapping[Severity, LevelName] = MappingProxyType(
    {
        Severity.NONE: "INFO",
        Severity.WARNING: "WARNING",
        Severity.THROTTLE: "WARNING",
        Severity.HALT: "ERROR",
        Severity.LIQUIDATE: "CRITICAL",
    }
)
"""How loud a kill switch is that went to a severity."""


def decision_line(decision: Decision, nanoseconds: int) -> Line:
    """Return the line of a decision, with the check that turned it down or cut it."""
    signal, named = decision.signal, decision.binding if decision.reason is None else decision.reason.value
    check = next((check for check in decision.checks if check.name == named), None)
    fields = {
        "event.sequence": decision.sequence, "event.duration": nanoseconds, "event.reason": decision.text,
        "strategy_id": signal.strategy_id, "symbol": signal.symbol, "side": signal.side,
        "signal_id": signal.signal_id, "verdict": decision.verdict, "requested": decision.requested,
        "approved": decision.approved,
    }  # fmt: skip
    if named is not None:
        fields["reason" if decision.reason is not None else "binding"] = named
    if check is not None:
        fields |= {"observed": check.observed, "limit": check.limit, "utilisation": check.utilisation}
    return Line(
        level="INFO", type=EventType.TRADE_DECISION,
        message=f"{decision.verdict}: {signal.side} {signal.symbol} for {signal.strategy_id}",
        outcome=Outcome.FAILURE if decision.reason is not None else Outcome.SUCCESS, fields=fields,
    )  # fmt: skip


def event_line(event: Event) -> Line:
    """Return the line of an event; one of a type that has no row is written as it is."""
    kind = str(event.get("type"))
    row = ROWS.get(kind)
    return row(event) if row is not None else Line(level="INFO", type=EventType.SYSTEM, message=kind, fields=event)


def worse(event: Event) -> bool:
    """Return whether an event tells of a kill switch that went to a worse severity."""
    return event["type"] == "control" and Severity(event["after"]) > Severity(event["before"])


def _fields(event: Event, *without: str) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in ("type", *without)}


def _control(event: Event) -> Line:
    after, fields = Severity(event["after"]), _fields(event, "at", "after", "before", "reason", "correlation_id")
    went = f"{event['before']} to {event['after']}" if event["before"] != event["after"] else f"stays {event['after']}"
    return Line(
        level=SWITCH_LEVELS[after] if worse(event) else "INFO", type=EventType.KILL_SWITCH,
        message=f"{event['switch']} of {event['scope']}: {went}",
        fields={
            "event.reason": event["reason"], "before": event["before"], "severity": event["after"], **fields,
        },
    )  # fmt: skip


def _order(event: Event) -> Line:
    return Line(level="DEBUG", type=EventType.ORDER, message=f"order is {event['state']}", fields=_fields(event))


def _limits(event: Event) -> Line:
    return Line(
        level="INFO", type=EventType.REGIME_CHANGE, message=f"limits of regime {event['regime']}", fields=_fields(event)
    )


def _strategy(event: Event) -> Line:
    return Line(
        level="WARNING" if event["after"] == "disabled" else "INFO", type=EventType.STRATEGY_STATUS,
        message=f"strategy {event['strategy_id']}: {event['before']} to {event['after']}",
        fields={"event.reason": event["reason"], **_fields(event, "reason")},
    )  # fmt: skip


def _operator(event: Event) -> Line:
    return Line(
        level="WARNING", type=EventType.OPERATOR_ACTION, message=f"{event['operator']}: {event['action']}",
        outcome=Outcome.SUCCESS, fields={"event.reason": event["reason"], **_fields(event, "reason")},
    )  # fmt: skip


def _operator_refused(event: Event) -> Line:
    return Line(
        level="WARNING", type=EventType.OPERATOR_ACTION, message=f"refused: {event['operator']}: {event['action']}",
        outcome=Outcome.FAILURE, fields={"event.reason": event["reason"], **_fields(event, "reason")},
    )  # fmt: skip


def _reconfigured(event: Event) -> Line:
    return Line(
        level="WARNING", type=EventType.OPERATOR_ACTION, message=f"settings {event['after'][:12]} are in force",
        outcome=Outcome.SUCCESS,
        fields={
            "event.reason": event["reason"], "operator": event["operator"], "before": event["before"],
            "after": event["after"], "changes": ", ".join(change["key"] for change in event["changes"]),
        },
    )  # fmt: skip


def _integrity(event: Event) -> Line:
    return Line(
        level="CRITICAL", type=EventType.INTEGRITY_FAILURE, message="integrity has failed: nothing is released",
        outcome=Outcome.FAILURE, fields={"event.reason": event["reason"]},
    )  # fmt: skip


def _cancel_requested(event: Event) -> Line:
    return Line(
        level="WARNING", type=EventType.ORDER, message="an order is to be cancelled",
        fields={"event.reason": event["reason"], **_fields(event, "reason")},
    )  # fmt: skip


def _reconciled(event: Event) -> Line:
    lines = [" ".join(f"{name}={value}" for name, value in one.items() if value) for one in event["differences"]]
    return Line(
        level="ERROR" if lines else "INFO", type=EventType.RECONCILIATION,
        message=f"{len(lines)} differences to the books of {event['source']}" if lines else "the books agree",
        outcome=Outcome.FAILURE if lines else Outcome.SUCCESS,
        fields={"source": event["source"], "differences": "; ".join(lines)},
    )  # fmt: skip


def _adopted(event: Event) -> Line:
    fields = _fields(event, "reason", "differences")
    message = "a difference was settled" if event["type"] == "adopted" else "a position was taken from the broker"
    return Line(
        level="WARNING", type=EventType.RECONCILIATION, message=message, outcome=Outcome.SUCCESS,
        fields={"event.reason": event.get("reason", ""), **fields},
    )  # fmt: skip


def _refused(level: LevelName, kind: EventType, message: str) -> Callable[[Event], Line]:
    def line(event: Event) -> Line:
        fields = {"event.reason": event["reason"], **_fields(event, "reason")} if "reason" in event else _fields(event)
        return Line(level=level, type=kind, message=message, outcome=Outcome.FAILURE, fields=fields)

    return line


ROWS: Mapping[str, Callable[[Event], Line]] = MappingProxyType(
    {
        "control": _control,
        "order": _order,
        "limits": _limits,
        "strategy": _strategy,
        "operator": _operator,
        "operator_refused": _operator_refused,
        "integrity_failed": _integrity,
        "reconfigured": _reconfigured,
        "reconfigure_refused": _refused("WARNING", EventType.OPERATOR_ACTION, "other settings were refused"),
        "refused": _refused("WARNING", EventType.COMMAND_REFUSED, "a command makes no sense"),
        "release_refused": _refused("WARNING", EventType.COMMAND_REFUSED, "an order may not be sent"),
        "unexpected_fill": _refused("ERROR", EventType.ORDER, "a fill that no released order explains"),
        "cancel_requested": _cancel_requested,
        "order_will_not_die": _refused("ERROR", EventType.ORDER, "an order outlives its cancellation"),
        "reconciled": _reconciled,
        "adopted": _adopted,
        "position_adopted": _adopted,
        "unknown_order": _refused("WARNING", EventType.ORDER, "word of an order that is not known"),
        "clock_reversed": _refused("WARNING", EventType.SYSTEM, "a command is older than the one before it"),
    }
)
