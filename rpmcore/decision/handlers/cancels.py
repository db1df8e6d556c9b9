"""Orders that are to end before they are filled: asked for, followed, and told of where they do not die."""

from dataclasses import replace
from typing import TYPE_CHECKING

from rpmcore.decision.account import Order
from rpmcore.decision.handlers.common import Events
from rpmcore.domain.commands import CancelRequested, Command
from rpmcore.domain.controls import Severity
from rpmcore.domain.decisions import Decision
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.orders import OrderState

if TYPE_CHECKING:
    from rpmcore.decision.engine import DecisionEngine


def cancel_requested(engine: "DecisionEngine", command: Command, _decision: Decision | None, at: int) -> Events:
    """Note that orders are to end; those that are over already are passed over, as a cancel crosses fills."""
    assert isinstance(command, CancelRequested)  # noqa: S101 - the table says so
    if not command.order_ids or not command.reason.strip():
        raise InvalidArgument("a cancel request names its orders and its reason")
    events: Events = []
    for order_id in command.order_ids:
        order = engine.account.orders.get(order_id)
        if order is None or order.state is OrderState.APPROVED or order.cancel_at is not None:
            continue
        engine.account.put(replace(order, cancel_at=at))
        events.append({"type": "cancel_requested", "order_id": order_id, "reason": command.reason})
    return events


def overdue(engine: "DecisionEngine", at: int) -> Events:
    """Tell, once each, of orders that have outlived their cancellation by too long."""
    patience = round(engine.settings.gate.cancel_seconds * 1e9)
    events: Events = []
    for order in list(engine.account.sent):
        if order.cancel_at is None or order.undying or at - order.cancel_at < patience:
            continue
        engine.account.put(replace(order, undying=True))
        events.append(
            {
                "type": "order_will_not_die", "order_id": order.order_id, "strategy_id": order.strategy_id,
                "symbol": order.symbol, "open": float(order.open_quantity), "asked_at": order.cancel_at,
            }
        )  # fmt: skip
    return events


def to_cancel(engine: "DecisionEngine") -> tuple[tuple[str, str], ...]:
    """Return the orders that must not work on, with why, but those whose cancel was asked.

    After a halt what opens or adds is cancelled, also if it was reset before anybody asked for that, and what only
    reduces goes on: it would have to be sent again. Where the strategy itself is stopped, what it has working may not
    reduce more than it holds itself. Where trading was HALTED nobody knew what reduces: everything is cancelled.
    """
    found = []
    for order in engine.account.sent:
        why = "" if order.cancel_at is not None else _must_end(engine, order)
        if why:
            found.append((order.order_id, why))
    return tuple(found)


def to_keep(engine: "DecisionEngine") -> frozenset[str]:
    """Return the orders that may work on."""
    return frozenset(
        order.order_id for order in engine.account.sent if order.cancel_at is None and not _must_end(engine, order)
    )


def _must_end(engine: "DecisionEngine", order: Order) -> str:
    if engine.integrity:
        return f"trading is halted: {engine.integrity}"
    if engine.failures != order.failures:
        return "trading was halted since it was released"
    if not order.reducing and engine.halts_of(order.strategy_id) != order.halts:
        return "there was a halt since it was approved"
    severity, stopped = engine.severity(order.strategy_id), engine.stopped(order.strategy_id)
    if severity < Severity.HALT and not stopped:
        return ""
    why = f"kill switch at {severity.value}" if severity >= Severity.HALT else f"{order.strategy_id} is disabled"
    if not order.reducing:
        return f"{why}: it opens or adds"
    return f"{why}: it is more than the strategy holds" if stopped and not _reduces_its_own(engine, order) else ""


def _reduces_its_own(engine: "DecisionEngine", order: Order) -> bool:
    """Return whether everything that the strategy has working on this side only shrinks what it holds."""
    account = engine.account
    working = sum(
        each.open_quantity
        for each in account.sent
        if (each.strategy_id, each.symbol, each.sign) == (order.strategy_id, order.symbol, order.sign)
    )
    held = account.positions.get((order.strategy_id, order.symbol))
    return held is not None and working <= -order.sign * held
