"""What each command changes: one handler a kind, and what time alone changes before any of them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from rpmcore.decision.handlers import cancels, capital, configuration, operators, orders, prices, reconciling, signals
from rpmcore.decision.handlers.common import Events, Handler, controls
from rpmcore.domain.commands import Command
from rpmcore.domain.decisions import Decision
from rpmcore.domain.orders import OrderStep

if TYPE_CHECKING:
    from rpmcore.decision.engine import DecisionEngine


def advance(engine: "DecisionEngine", at: int, command: Command) -> Events:
    """Let time pass: approvals expire, throttles end."""
    events: Events = []
    if command.at < engine.last_at:
        events.append({"type": "clock_reversed", "told": command.at, "taken": at})
    for order in [o for o in engine.account.orders.values() if o.expires_at <= at and o.lapses_at is not None]:
        events += orders.ended(engine, order, OrderStep.EXPIRE, at)
    events += cancels.overdue(engine, at)
    return events + controls(engine, engine.kill_switches.let_pass(at=at))


def _tick(engine: "DecisionEngine", command: Command, _decision: Decision | None, at: int) -> Events:
    return engine.snapshot(at, price_effect=0.0, correlation=command.correlation_id)


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "signal": signals.signal,
        "bar": prices.bar,
        "quotes": prices.quotes,
        "release": orders.release,
        "fill": orders.fill,
        "order_closed": orders.order_closed,
        "cancel_requested": cancels.cancel_requested,
        "reconciled": reconciling.reconciled,
        "equity": capital.equity,
        "cash_flow": capital.cash_flow,
        "trade": capital.trade,
        "operator": operators.operator,
        "integrity_failed": operators.integrity,
        "reconfigured": configuration.reconfigured,
        "tick": _tick,
    }
)
