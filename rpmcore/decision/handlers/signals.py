"""A decided signal: what it counts as, and the order that an approval makes of it."""

from decimal import Decimal
from typing import TYPE_CHECKING

from rpmcore.decision.account import Order
from rpmcore.decision.handlers.common import Events, controls, told
from rpmcore.domain.commands import Command, SignalReceived
from rpmcore.domain.controls import RejectionCause, Severity
from rpmcore.domain.decisions import Decision
from rpmcore.domain.orders import OrderState, Signal
from rpmcore.domain.reasons import REASONS, RejectReason
from rpmcore.risk.sizing.exact import exact

if TYPE_CHECKING:
    from rpmcore.decision.engine import DecisionEngine


def signal(engine: "DecisionEngine", command: Command, decision: Decision | None, at: int) -> Events:
    """Count a signal, and keep the order that was approved; of one that was not, count the rejection."""
    assert isinstance(command, SignalReceived)  # noqa: S101 - the table says so
    assert decision is not None  # noqa: S101
    asked, correlation = command.signal, command.correlation_id
    counts = asked.strategy_id in engine.genesis.strategies and command.conflict_with is None
    events: Events = []
    if counts:
        engine.throttle.record(asked.strategy_id, at)
    if counts and asked.side in ("buy", "sell"):
        events += controls(engine, engine.kill_switches.record_order(
            asked.strategy_id, asked.symbol, asked.side, at=at, correlation_id=correlation))  # fmt: skip
    if decision.reason is not None:
        return events + _rejected(engine, asked, decision.reason, at, correlation)
    order = _order(engine, asked, decision, at)
    growth = float(order.opening) * (engine.market.unit_value(asked.symbol) or 0.0)
    events += controls(engine, engine.kill_switches.record_approval(
        growth, strategy_id=asked.strategy_id, at=at, correlation_id=correlation))  # fmt: skip
    engine.account.put(order)
    engine.changed()
    return [*events, told(order)]


def _order(engine: "DecisionEngine", asked: Signal, decision: Decision, at: int) -> Order:
    quantity = exact(decision.approved)
    return Order(
        order_id=asked.signal_id, strategy_id=asked.strategy_id, symbol=asked.symbol,
        sign=1 if asked.side == "buy" else -1, quantity=quantity, filled=Decimal(0), state=OrderState.APPROVED,
        opening=max(Decimal(0), quantity - exact(decision.reducing)), sequence=decision.sequence,
        expires_at=decision.expires_at or at, halts=engine.halts_of(asked.strategy_id),
    )  # fmt: skip


def _rejected(engine: "DecisionEngine", asked: Signal, reason: RejectReason, at: int, correlation: str) -> Events:
    cause, strategy_id = REASONS[reason].cause, asked.strategy_id
    if cause is RejectionCause.KILL_SWITCH and (
        engine.severity(strategy_id) < Severity.HALT or strategy_id not in engine.genesis.strategies
    ):
        # A strategy disabled for its health, a gate that releases nothing, a stranger in a halt: what they are turned
        # down for trips nothing else.
        return []
    return controls(engine, engine.kill_switches.record_rejection(
        strategy_id, asked.symbol, reason.value, cause=cause, at=at, correlation_id=correlation))  # fmt: skip
