"""What becomes of an order after its approval: released, filled, ended."""

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from rpmcore.decision.account import Order
from rpmcore.decision.handlers.common import GATE, Events, controls, told
from rpmcore.decision.magnitude import check_amount, check_positive
from rpmcore.domain.commands import Command, Fill, OrderClosed, Release
from rpmcore.domain.controls import Severity
from rpmcore.domain.decisions import Decision
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.orders import OrderState, OrderStep
from rpmcore.risk.sizing.exact import exact

if TYPE_CHECKING:
    from rpmcore.decision.engine import DecisionEngine

FAR = 1.5
"""A fill at more than this many times the last price, or its inverse, is a slip until somebody says otherwise."""


def release(engine: "DecisionEngine", command: Command, _decision: Decision | None, at: int) -> Events:
    """Let an approved order be sent, once; what is left of it beyond a smaller release will not come."""
    assert isinstance(command, Release)  # noqa: S101 - the table says so
    order = engine.account.orders.get(command.order_id)
    why = not_released(engine, order, command.quantity, at)
    if order is None or why:
        return [{"type": "release_refused", "order_id": command.order_id, "reason": why}]
    released = replace(order.released(exact(command.quantity)), failures=engine.failures)
    events = withdrawn(engine, order, order.opening - released.opening, at)
    engine.account.put(released)
    engine.changed()
    return [*events, told(released)]


def not_released(engine: "DecisionEngine", order: Order | None, quantity: float, at: int) -> str:
    """Return why an order may not be sent; empty where it may."""
    if order is None:
        return "no approved order of this id waits: it was never approved, was released before, or has expired"
    if order.state is not OrderState.APPROVED:
        return f"the order is {order.state.value}: it is released once"
    if not order.works(at):
        return "the approval has expired"
    try:
        check_positive(quantity, "quantity")
    except InvalidArgument as error:
        return str(error)
    if exact(quantity) > order.quantity:
        return f"quantity {quantity!r} is not above 0 and within the {order.quantity:f} approved"
    if engine.integrity:
        return f"halted: {engine.integrity}"
    if order.reducing:
        return _no_longer_reduces(engine, order, exact(quantity))
    return _may_not_open(engine, order)


def _no_longer_reduces(engine: "DecisionEngine", order: Order, quantity: Decimal) -> str:
    """Return why an order that was approved because it only reduces would open a position now.

    No limit was held against it, and no halt stops it: it must still reduce when it is sent.
    """
    left = engine.account.reducible_now(order)
    if engine.stopped(order.strategy_id):
        left = min(left, engine.account.own_reducible_now(order))
    return "" if quantity <= left else (
        f"it was approved to reduce, and {left:f} is all that is left to reduce beside the orders that were sent"
    )  # fmt: skip


def _may_not_open(engine: "DecisionEngine", order: Order) -> str:
    severity = engine.severity(order.strategy_id)
    if severity >= Severity.HALT:
        return f"a kill switch is at {severity.value}"
    if engine.halts_of(order.strategy_id) != order.halts:
        return "there was a halt since it was approved"
    if engine.strategies.state_of(order.strategy_id).status == "disabled":
        return f"strategy {order.strategy_id!r} was disabled since it was approved"
    return ""


def fill(engine: "DecisionEngine", command: Command, _decision: Decision | None, at: int) -> Events:
    """Take a fill into positions and equity; one that is not as it was released is taken all the same, and halts."""
    assert isinstance(command, Fill)  # noqa: S101
    _check_fill(engine, command)
    quantity, sign = exact(command.quantity), 1 if command.side == "buy" else -1
    order = engine.account.orders.get(command.order_id)
    strange, money = _strange(order, command, quantity), _strange_money(engine, command)
    before = engine.gross()
    engine.account.fill(command.strategy_id, command.symbol, sign * quantity)
    engine.earn(_slippage(engine, command, sign) - command.fees)
    events: Events = []
    if order is not None and not strange:
        step = OrderStep.FILL if quantity == order.open_quantity else OrderStep.PARTIAL_FILL
        after = replace(order.after(step), filled=order.filled + quantity)
        engine.account.put(after)
        events.append(told(after))
        opened = float(order.opening_left - after.opening_left) * (engine.market.unit_value(order.symbol) or 0.0)
        events += _growth_explained(engine, max(engine.gross() - before, 0.0), opened, at)
    engine.changed()
    events += engine.snapshot(at, price_effect=0.0, correlation=command.correlation_id)
    if strange or money:
        events.append({"type": "unexpected_fill", "order_id": command.order_id, "reason": strange or money})
        events += controls(engine, engine.kill_switches.trip(
            Severity.HALT, operator=GATE, reason=f"unexpected fill of {_named(command)}: {strange or money}", at=at,
            correlation_id=command.correlation_id))  # fmt: skip
    return events


def _growth_explained(engine: "DecisionEngine", growth: float, approved: float, at: int) -> Events:
    """Let the approval of an order explain the growth of its fill, no less and no more.

    It was approved, however long ago, so that it is no growth that nobody knows of. Where a fill first closes a
    position, gross exposure grows by less than what it opens: the rest must not explain the growth of something else.
    """
    switches = engine.kill_switches
    missing = growth - switches.exposure_velocity.approved
    if missing > 0.0:
        return controls(engine, switches.record_approval(missing, at=at))
    unused = approved - growth
    return controls(engine, switches.record_withdrawal(unused, at=at)) if unused > 0.0 else []


def _check_fill(engine: "DecisionEngine", found: Fill) -> None:
    if found.symbol not in engine.market.instruments:
        raise InvalidArgument(f"a fill of {found.symbol!r}, which is not among the instruments of this gate")
    if found.side not in ("buy", "sell"):
        raise InvalidArgument(f"side of the fill is {found.side!r}: buy or sell is needed")
    check_positive(found.quantity, "quantity of the fill")
    check_positive(found.price, "price of the fill")
    check_amount(found.fees, "fees of the fill")


def _named(found: Fill) -> str:
    """Return what was filled, for people: its order, or the trade itself where it was made by hand and has none."""
    return found.order_id or f"{found.side} {found.quantity:g} {found.symbol} without an order id"


def _strange(order: Order | None, found: Fill, quantity: Decimal) -> str:
    """Return what is not as it was released; empty where all is."""
    if order is None:
        return "no order of this id is working" if found.order_id else "it belongs to no order of this gate"
    if order.state is OrderState.APPROVED:
        return "the order was never released"
    if (found.strategy_id, found.symbol, 1 if found.side == "buy" else -1) != (
        order.strategy_id, order.symbol, order.sign,
    ):  # fmt: skip
        return "strategy, symbol or side differ from the order"
    return "" if quantity <= order.open_quantity else f"{quantity:f} is more than the {order.open_quantity:f} left"


def _strange_money(engine: "DecisionEngine", found: Fill) -> str:
    """Return what of its money cannot be right: it would make equity, of which every limit is a part."""
    last, value = engine.market.price(found.symbol), engine.market.unit_value(found.symbol)
    if last is None or value is None:
        return ""
    if not 1.0 / FAR <= found.price / last[0] <= FAR:
        return f"its price of {found.price:g} is far from the last, {last[0]:g}"
    traded = found.quantity * value
    return "" if -found.fees <= traded else f"fees of {found.fees:g} on a value of {traded:g}"


def _slippage(engine: "DecisionEngine", found: Fill, sign: int) -> float:
    """Return what a fill gains against the last price, in account currency; nothing where there is none."""
    instrument, last = engine.market.instruments[found.symbol], engine.market.price(found.symbol)
    rate = engine.market.rate(found.symbol)
    if last is None or rate is None:
        return 0.0
    return sign * found.quantity * instrument.contract_size * (last[0] - found.price) * rate[0]


def order_closed(engine: "DecisionEngine", command: Command, _decision: Decision | None, at: int) -> Events:
    """Take an order off that the broker, or whoever holds its approval, says is over."""
    assert isinstance(command, OrderClosed)  # noqa: S101
    order = engine.account.orders.get(command.order_id)
    if order is None:
        return [{"type": "unknown_order", "order_id": command.order_id, "outcome": command.outcome}]
    step = {"cancelled": OrderStep.CANCEL, "rejected": OrderStep.REJECT}.get(command.outcome)
    if step is None:
        raise InvalidArgument(f"outcome is {command.outcome!r}: cancelled or rejected is needed")
    return ended(engine, order, OrderStep.EXPIRE if order.state is OrderState.APPROVED else step, at)


def ended(engine: "DecisionEngine", order: Order, step: OrderStep, at: int) -> Events:
    """Take an order off, with what it might still have filled."""
    over = order.after(step)
    engine.account.put(over)
    engine.changed()
    return [told(over), *withdrawn(engine, order, order.opening_left, at)]


def withdrawn(engine: "DecisionEngine", order: Order, quantity: Decimal, at: int) -> Events:
    """Give back the growth that was approved for a quantity that will not come."""
    if not quantity:
        return []
    value = float(quantity) * (engine.market.unit_value(order.symbol) or 0.0)
    return controls(engine, engine.kill_switches.record_withdrawal(value, at=at))
