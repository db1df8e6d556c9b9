"""What each command changes. Every handler returns the events that tell it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rpmcore.decision.account import Order
from rpmcore.domain.commands import (
    CashFlow,
    Command,
    EquityMark,
    Fill,
    IntegrityFailed,
    OperatorOrder,
    OrderClosed,
    PriceBar,
    Quotes,
    Release,
    SignalReceived,
    TradeClosed,
)
from rpmcore.domain.controls import ControlEvent, RejectionCause, Severity
from rpmcore.domain.decisions import Decision
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.orders import OrderState, OrderStep
from rpmcore.domain.plain import to_plain
from rpmcore.domain.reasons import REASONS, RejectReason
from rpmcore.risk.sizing.exact import exact, finite

if TYPE_CHECKING:
    from rpmcore.decision.engine import DecisionEngine

Events = list[dict[str, Any]]
GATE = "the gate"
"""Who trips a switch where no person does."""


def advance(engine: "DecisionEngine", at: int, command: Command) -> Events:
    """Let time pass: approvals expire, throttles end."""
    events: Events = []
    if command.at < engine.last_at:
        events.append({"type": "clock_reversed", "told": command.at, "taken": at})
    for order in [o for o in engine.account.orders.values() if o.lapses_at is not None and o.lapses_at <= at]:
        events += _end(engine, order, OrderStep.EXPIRE, at)
    return events + controls(engine, engine.kill_switches.let_pass(at=at))


def _signal(engine: "DecisionEngine", command: Command, decision: Decision | None, at: int) -> Events:
    assert isinstance(command, SignalReceived)  # noqa: S101 - the table says so
    assert decision is not None  # noqa: S101
    signal, correlation = command.signal, command.correlation_id
    known = signal.strategy_id in engine.genesis.strategies
    if known and command.conflict_with is None:
        engine.throttle.record(signal.strategy_id, at)
    events: Events = []
    if known and signal.side in ("buy", "sell") and command.conflict_with is None:
        events += controls(engine, engine.kill_switches.record_order(
            signal.strategy_id, signal.symbol, signal.side, at=at, correlation_id=correlation))  # fmt: skip
    if decision.reason is not None:
        return events + _rejected(engine, signal.strategy_id, signal.symbol, decision.reason, at, correlation)
    growth = max(decision.approved - decision.reducing, 0.0) * (engine.market.unit_value(signal.symbol) or 0.0)
    events += controls(engine, engine.kill_switches.record_approval(
        growth, strategy_id=signal.strategy_id, at=at, correlation_id=correlation))  # fmt: skip
    order = Order(
        order_id=signal.signal_id, strategy_id=signal.strategy_id, symbol=signal.symbol,
        sign=1 if signal.side == "buy" else -1, quantity=exact(decision.approved), filled=Decimal(0),
        state=OrderState.APPROVED, reducing=decision.approved <= decision.reducing, sequence=decision.sequence,
        expires_at=decision.expires_at or at, halts=engine.halts_of(signal.strategy_id),
    )  # fmt: skip
    engine.account.put(order)
    engine.changed()
    return [*events, _told(order)]


def _rejected(
    engine: "DecisionEngine", strategy_id: str, symbol: str, reason: RejectReason, at: int, correlation: str
) -> Events:
    cause = REASONS[reason].cause
    if cause is RejectionCause.KILL_SWITCH and engine.severity(strategy_id) < Severity.HALT:
        # A strategy disabled for its health, or a gate that releases nothing: what they turn down trips nothing else.
        return []
    return controls(engine, engine.kill_switches.record_rejection(
        strategy_id, symbol, reason.value, cause=cause, at=at, correlation_id=correlation))  # fmt: skip


def _bar(engine: "DecisionEngine", command: Command, _decision: Decision | None, at: int) -> Events:
    assert isinstance(command, PriceBar)  # noqa: S101
    engine.market.check(command.closes)
    engine.market.check_day(command.day)
    effect = _revalue(engine, command.closes, at)
    engine.market.add_closes(command.day, command.closes, at)
    engine.changed()
    events: Events = []
    before = engine.limits(at)
    reading = engine.adaptive.regime_reading
    if reading is None or at // _DAY > reading.at // _DAY:
        found = engine.market.readings(engine.settings.factors.market, engine.settings.adaptive)
        engine.adaptive.update_market(found, at=at)
        engine.limits_changed()
        now = engine.limits(at)
        events += controls(engine, engine.kill_switches.set_regime(
            now.regime, at=at, correlation_id=command.correlation_id))  # fmt: skip
        if (now.regime, now.volatility_class, now.multiplier) != (
            before.regime, before.volatility_class, before.multiplier,
        ):  # fmt: skip
            events.append(
                {
                    "type": "limits", "day": command.day, "regime": now.regime, "volatility": now.volatility_class,
                    "stress_score": now.stress_score, "multiplier": now.multiplier,
                    "risk_per_trade": now.risk_per_trade, "gross_exposure": now.gross_exposure,
                    "correlation_stress": now.correlation_stress,
                }
            )  # fmt: skip
    events += engine.snapshot(at, price_effect=effect, correlation=command.correlation_id)
    if engine.settings.strategies.suspension_days is not None:
        events += _reviewed(engine, at)
    return events


def _quotes(engine: "DecisionEngine", command: Command, _decision: Decision | None, at: int) -> Events:
    assert isinstance(command, Quotes)  # noqa: S101
    engine.market.check(command.prices)
    effect = _revalue(engine, command.prices, at)
    engine.market.quote(command.prices, at)
    engine.changed()
    return engine.snapshot(at, price_effect=effect, correlation=command.correlation_id)


def _revalue(engine: "DecisionEngine", prices: Mapping[str, float], at: int) -> float:
    """Take new prices into equity, and return what they make of gross exposure, in account currency.

    A pair earns (S1−S0) X1 a unit, in its quote currency at the new rate; anything else P1 X1 − P0 X0.
    """
    market, account = engine.market, engine.account
    before = {symbol: _value(engine, symbol) for symbol in account.net}
    market.quote(prices, at)
    gain = effect = 0.0
    for symbol, (price0, value0) in before.items():
        price1, value1 = _value(engine, symbol)
        quantity, instrument = float(account.net[symbol]), market.instruments[symbol]
        if instrument.base_currency is None:
            gain += quantity * (value1 - value0)
        else:
            converted = market.rate(symbol)
            gain += quantity * instrument.contract_size * (price1 - price0) * (converted[0] if converted else 0.0)
        effect += abs(quantity) * (value1 - value0)
    _earn(engine, gain)
    return effect


def _value(engine: "DecisionEngine", symbol: str) -> tuple[float, float]:
    """Return the last price and the value of a unit of what is held; zero where a rate is not known yet."""
    price = engine.market.price(symbol)
    return (0.0 if price is None else price[0]), engine.market.unit_value(symbol) or 0.0


def _earn(engine: "DecisionEngine", gain: float) -> None:
    engine.account.equity += gain
    engine.peak = max(engine.peak, engine.account.equity)


def _release(engine: "DecisionEngine", command: Command, _decision: Decision | None, at: int) -> Events:
    assert isinstance(command, Release)  # noqa: S101
    order = engine.account.orders.get(command.order_id)
    why = not_released(engine, order, command.quantity, at)
    if order is None or why:
        return [{"type": "release_refused", "order_id": command.order_id, "reason": why}]
    quantity = exact(command.quantity)
    events: Events = []
    if quantity < order.quantity and not order.reducing:
        left = float(order.quantity - quantity) * (engine.market.unit_value(order.symbol) or 0.0)
        events += controls(engine, engine.kill_switches.record_withdrawal(left, at=at))
    released = replace(order.after(OrderStep.RELEASE), quantity=quantity)
    engine.account.put(released)
    engine.changed()
    return [*events, _told(released)]


def not_released(engine: "DecisionEngine", order: Order | None, quantity: float, at: int) -> str:
    """Return why an order may not be sent; empty where it may."""
    if order is None:
        return "no approved order of this id waits: it was never approved, was released before, or has expired"
    if order.state is not OrderState.APPROVED:
        return f"the order is {order.state.value}: it is released once"
    if not order.works(at):
        return "the approval has expired"
    try:
        finite(quantity, "quantity")
    except InvalidArgument as error:
        return str(error)
    if not 0 < exact(quantity) <= order.quantity:
        return f"quantity {quantity!r} is not above 0 and within the {order.quantity:f} approved"
    if engine.integrity:
        return f"halted: {engine.integrity}"
    if order.reducing:
        return ""
    severity = engine.severity(order.strategy_id)
    if severity >= Severity.HALT:
        return f"a kill switch is at {severity.value}"
    return "" if engine.halts_of(order.strategy_id) == order.halts else "there was a halt since it was approved"


def _fill(engine: "DecisionEngine", command: Command, _decision: Decision | None, at: int) -> Events:
    assert isinstance(command, Fill)  # noqa: S101
    _check_fill(engine, command)
    quantity, sign = exact(command.quantity), 1 if command.side == "buy" else -1
    order = engine.account.orders.get(command.order_id)
    strange = _strange(order, command, quantity)
    before = engine.gross()
    engine.account.fill(command.strategy_id, command.symbol, sign * quantity)
    _earn(engine, _slippage(engine, command, sign) - command.fees)
    events: Events = []
    if order is not None and not strange:
        step = OrderStep.FILL if quantity == order.open_quantity else OrderStep.PARTIAL_FILL
        after = replace(order.after(step), filled=order.filled + quantity)
        engine.account.put(after)
        events.append(_told(after))
        # The growth was approved, however long ago: it is no growth that nobody knows of.
        missing = engine.gross() - before - engine.kill_switches.exposure_velocity.approved
        if missing > 0.0:
            events += controls(engine, engine.kill_switches.record_approval(missing, at=at))
    engine.changed()
    events += engine.snapshot(at, price_effect=0.0, correlation=command.correlation_id)
    if strange:
        events.append({"type": "unexpected_fill", "order_id": command.order_id, "reason": strange})
        events += controls(engine, engine.kill_switches.trip(
            Severity.HALT, operator=GATE, reason=f"unexpected fill of {command.order_id}: {strange}", at=at,
            correlation_id=command.correlation_id))  # fmt: skip
    return events


def _check_fill(engine: "DecisionEngine", fill: Fill) -> None:
    if fill.symbol not in engine.market.instruments:
        raise InvalidArgument(f"a fill of {fill.symbol!r}, which is not among the instruments of this gate")
    if fill.side not in ("buy", "sell"):
        raise InvalidArgument(f"side of the fill is {fill.side!r}: buy or sell is needed")
    for name, value, least in (("quantity", fill.quantity, 0.0), ("price", fill.price, 0.0)):
        finite(value, f"{name} of the fill")
        if value <= least:
            raise InvalidArgument(f"{name} of the fill is {value!r}: a number above 0 is needed")
    finite(fill.fees, "fees of the fill")


def _strange(order: Order | None, fill: Fill, quantity: Decimal) -> str:
    """Return what is not as it was released; empty where all is."""
    if order is None:
        return "no order of this id is working"
    if order.state is OrderState.APPROVED:
        return "the order was never released"
    if (fill.strategy_id, fill.symbol, 1 if fill.side == "buy" else -1) != (
        order.strategy_id, order.symbol, order.sign,
    ):  # fmt: skip
        return "strategy, symbol or side differ from the order"
    return "" if quantity <= order.open_quantity else f"{quantity:f} is more than the {order.open_quantity:f} left"


def _slippage(engine: "DecisionEngine", fill: Fill, sign: int) -> float:
    """Return what a fill gains against the last price, in account currency."""
    instrument, last = engine.market.instruments[fill.symbol], engine.market.price(fill.symbol)
    rate = engine.market.rate(fill.symbol)
    if last is None or rate is None:
        return 0.0
    return sign * fill.quantity * instrument.contract_size * (last[0] - fill.price) * rate[0]


def _order_closed(engine: "DecisionEngine", command: Command, _decision: Decision | None, at: int) -> Events:
    assert isinstance(command, OrderClosed)  # noqa: S101
    order = engine.account.orders.get(command.order_id)
    if order is None:
        return [{"type": "unknown_order", "order_id": command.order_id, "outcome": command.outcome}]
    step = {"cancelled": OrderStep.CANCEL, "rejected": OrderStep.REJECT}.get(command.outcome)
    if step is None:
        raise InvalidArgument(f"outcome is {command.outcome!r}: cancelled or rejected is needed")
    if order.state is OrderState.APPROVED:
        step = OrderStep.EXPIRE
    return _end(engine, order, step, at)


def _end(engine: "DecisionEngine", order: Order, step: OrderStep, at: int) -> Events:
    """Take an order off, with what it might still have filled."""
    ended = order.after(step)
    engine.account.put(ended)
    engine.changed()
    left = 0.0 if order.reducing else float(order.open_quantity) * (engine.market.unit_value(order.symbol) or 0.0)
    return [_told(ended), *controls(engine, engine.kill_switches.record_withdrawal(left, at=at))]


def _equity(engine: "DecisionEngine", command: Command, _decision: Decision | None, at: int) -> Events:
    assert isinstance(command, EquityMark)  # noqa: S101
    finite(command.equity, "equity")
    _earn(engine, command.equity - engine.account.equity)
    engine.account.equity = command.equity
    engine.changed()
    return engine.snapshot(at, price_effect=0.0, correlation=command.correlation_id)


def _cash_flow(engine: "DecisionEngine", command: Command, _decision: Decision | None, at: int) -> Events:
    assert isinstance(command, CashFlow)  # noqa: S101
    events = controls(engine, engine.kill_switches.record_cash_flow(command.amount, at=at))
    engine.account.equity += command.amount
    engine.peak = max(engine.peak + command.amount, engine.account.equity)
    engine.changed()
    return events + engine.snapshot(at, price_effect=0.0, correlation=command.correlation_id)


def _trade(engine: "DecisionEngine", command: Command, _decision: Decision | None, at: int) -> Events:
    assert isinstance(command, TradeClosed)  # noqa: S101
    trade = command.trade
    if trade.strategy_id not in engine.genesis.strategies:
        raise InvalidArgument(f"a closed trade of {trade.strategy_id!r}, a strategy that is not known")
    before = engine.strategies.state_of(trade.strategy_id)
    after = engine.strategies.record(trade)
    events = _status_told(before.status, after)
    return events + controls(engine, engine.kill_switches.record_strategy_trade(
        trade.strategy_id, trade.pnl, at=at, correlation_id=command.correlation_id))  # fmt: skip


def _reviewed(engine: "DecisionEngine", at: int) -> Events:
    before = {name: engine.strategies.state_of(name).status for name in engine.strategies.strategies}
    events: Events = []
    for state in engine.strategies.review(at):
        events += _status_told(before[state.strategy_id], state)
    return events


def _status_told(before: str, after: Any) -> Events:
    if after.status == before:
        return []
    return [{"type": "strategy", "strategy_id": after.strategy_id, "before": before, "after": after.status,
             "reason": after.reason}]  # fmt: skip


def _operator(engine: "DecisionEngine", command: Command, _decision: Decision | None, at: int) -> Events:
    assert isinstance(command, OperatorOrder)  # noqa: S101
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
    who, why, correlation = order.operator, order.reason, order.correlation_id
    if not who.strip() or not why.strip():
        raise InvalidArgument("a named operator and a written reason are needed")
    switches = engine.kill_switches
    if order.action == "trip":
        try:
            severity = Severity(order.value)
        except ValueError:
            known = ", ".join(s.value for s in Severity if s is not Severity.NONE)
            raise InvalidArgument(f"there is no severity {order.value!r}; known are {known}") from None
        return controls(engine, switches.trip(
            severity, operator=who, reason=why, scope=order.scope, at=at, correlation_id=correlation))  # fmt: skip
    if order.action == "reset":
        return controls(engine, switches.reset(
            operator=who, reason=why, scope=order.scope, measure_anew=order.measure_anew, at=at,
            correlation_id=correlation))  # fmt: skip
    if order.action == "enable_strategy":
        before = engine.strategies.state_of(order.scope).status
        return _status_told(before, engine.strategies.enable(order.scope, at=at, operator=who, reason=why))
    if order.action == "clear_integrity":
        engine.integrity = ""
        return []
    if order.action == "pin_regime":
        engine.adaptive.pin_regime(order.value, operator=who, reason=why, at=at)
    elif order.action == "release_pin":
        engine.adaptive.release_pin(operator=who, reason=why, at=at)
    else:
        raise InvalidArgument(f"there is no action {order.action!r}")
    engine.limits_changed()
    engine.changed()
    return controls(engine, switches.set_regime(engine.limits(at).regime, at=at, correlation_id=correlation))


def _integrity(engine: "DecisionEngine", command: Command, _decision: Decision | None, _at: int) -> Events:
    assert isinstance(command, IntegrityFailed)  # noqa: S101
    engine.integrity = command.reason or "integrity has failed"
    return [{"type": "integrity_failed", "reason": engine.integrity}]


def _tick(engine: "DecisionEngine", command: Command, _decision: Decision | None, at: int) -> Events:
    return engine.snapshot(at, price_effect=0.0, correlation=command.correlation_id)


def _told(order: Order) -> dict[str, Any]:
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


_DAY = 86_400_000_000_000

Handler = Callable[["DecisionEngine", Command, Decision | None, int], Events]

HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "signal": _signal, "bar": _bar, "quotes": _quotes, "release": _release, "fill": _fill,
        "order_closed": _order_closed, "equity": _equity, "cash_flow": _cash_flow, "trade": _trade,
        "operator": _operator, "integrity_failed": _integrity, "tick": _tick,
    }
)  # fmt: skip
