"""Reconciliation: a difference halts, and a named operator ends that by adopting one of the two views."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rpmcore.decision.account import ZERO, Order
from rpmcore.decision.handlers.common import Events, controls, integrity_failed, told
from rpmcore.decision.handlers.orders import ended, withdrawn
from rpmcore.decision.magnitude import check_amount
from rpmcore.decision.reconciliation import BookDifference, GateBook, compare, held_by, tagged
from rpmcore.domain.broker import BrokerBook, BrokerOrder
from rpmcore.domain.commands import Command, OperatorOrder, Reconciled
from rpmcore.domain.controls import ACCOUNT
from rpmcore.domain.decisions import Decision
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.orders import WORKING, OrderState, OrderStep

if TYPE_CHECKING:
    from rpmcore.decision.engine import DecisionEngine

Changes = dict[tuple[str, str], Decimal]
"""By how much positions change, by (strategy, symbol)."""


def reconciled(engine: "DecisionEngine", command: Command, _decision: Decision | None, _at: int) -> Events:
    """Hold a broker's book against the gate's, and halt where they differ."""
    assert isinstance(command, Reconciled)  # noqa: S101 - the table says so
    book, ours, gate = command.book, GateBook.of(engine), engine.settings.gate
    _check(book)
    found = compare(ours, book, cash_tolerance=gate.cash_tolerance, equity_tolerance=gate.equity_tolerance)
    lines = [difference.to_plain() for difference in found]
    event = {
        "type": "reconciled", "source": book.source, "differences": lines, "gate": ours.to_plain(),
    }  # fmt: skip
    # What halted trading before stands again once this is settled: no other failure is cleared by the way.
    failed_before = _without(engine)
    if not found:
        engine.integrity, engine.reconciliation = failed_before or engine.integrity, None
        _settled(engine, book)
        return [event]
    events = [event, *integrity_failed(engine, _summary(book, found))]
    engine.reconciliation = {
        "sequence": engine.sequence, "source": book.source, "differences": lines, "gate": ours.to_plain(),
        "broker": book.to_plain(), "integrity": engine.integrity, "before": failed_before,
    }  # fmt: skip
    return events


def _settled(engine: "DecisionEngine", book: BrokerBook) -> None:
    """Note up to where the events of a broker are in the gate's books, whichever way they came there.

    A broker that counts anew every day may come to a lower cursor: what it says now is what the books agree with.
    """
    if book.cursor is not None:
        engine.settled[book.source] = book.cursor


def _without(engine: "DecisionEngine") -> str:
    """Return why trading would be halted were it not for the reconciliation that waits; empty for no reason."""
    waiting = engine.reconciliation
    ours = waiting is not None and engine.integrity == waiting["integrity"]
    return str(waiting["before"]) if waiting is not None and ours else engine.integrity


def _check(book: BrokerBook) -> None:
    for name, amount in (("cash", book.account.cash), ("equity", book.account.equity)):
        if amount is not None:
            check_amount(amount, f"{name} of {book.source}")
    for position in book.positions:
        if not position.quantity.is_finite():
            raise InvalidArgument(f"{book.source} holds {position.quantity} of {position.symbol!r}: that is no number")
    for order in book.orders or ():
        if not (order.quantity.is_finite() and order.filled.is_finite()):
            raise InvalidArgument(f"order {order.order_id!r} of {book.source} has a quantity that is no number")


def _summary(book: BrokerBook, found: tuple[BookDifference, ...]) -> str:
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return f"the books differ from those of {book.source}: {found[0].text}{more}"


def adopt(engine: "DecisionEngine", order: OperatorOrder, at: int) -> Events:
    """End the halt of a reconciliation: make the broker's view the gate's, or let the gate's stand.

    Raises
    ------
    InvalidArgument
        If that is not the reconciliation that waits, the book has changed since, or the view cannot be the gate's.
    """
    waiting = engine.reconciliation
    if waiting is None:
        raise InvalidArgument("no reconciliation waits: reconcile first")
    if order.value != str(waiting["sequence"]):
        raise InvalidArgument(
            f"the reconciliation that waits is {waiting['sequence']}, and what is adopted is {order.value!r}: look at "
            "its differences first"
        )
    events: Events = [{
        "type": "adopted", "view": order.action.removeprefix("adopt_"), "operator": order.operator,
        "reason": order.reason, "reconciliation": waiting["sequence"], "source": waiting["source"],
        "differences": waiting["differences"],
    }]  # fmt: skip
    book = BrokerBook.of_plain(waiting["broker"])
    if order.action == "adopt_broker":
        events += _take_over(engine, book, waiting, order.scope, at)
    elif book.source not in engine.settled:
        _settled(engine, book)  # what happened there before this ledger met it is not this ledger's
    engine.integrity, engine.reconciliation = _without(engine), None
    events[0]["integrity"] = engine.integrity  # what else keeps trading halted
    return events


def _take_over(engine: "DecisionEngine", book: BrokerBook, waiting: Mapping[str, Any], scope: str, at: int) -> Events:
    if GateBook.of(engine).to_plain() != waiting["gate"]:
        raise InvalidArgument("the gate's book has changed since it was reconciled: reconcile again")
    changes, orders = _changes(engine, book, scope), _changed_orders(engine, book)
    equity = _equity_after(engine, book, changes)
    # From here on nothing raises: what is adopted is adopted whole.
    before, events = engine.gross(), list[dict[str, Any]]()
    for order, theirs in orders:
        events += _as_theirs(engine, order, theirs, at)
    for (strategy, symbol), change in sorted(changes.items()):
        engine.account.fill(strategy, symbol, change)
        events.append({"type": "position_adopted", "strategy_id": strategy, "symbol": symbol, "change": str(change)})
    if equity is not None:
        engine.account.equity = equity
        engine.earn(0.0)
    _settled(engine, book)
    engine.changed()
    growth = engine.gross() - before
    if growth > 0.0:  # an operator has answered for it: it is no growth that nobody knows of
        events += controls(engine, engine.kill_switches.record_approval(growth, at=at))
    return events + engine.snapshot(at, price_effect=0.0, correlation="")


def _changes(engine: "DecisionEngine", book: BrokerBook, scope: str) -> Changes:
    """Return by how much positions change, each booked to a strategy."""
    account, by_strategy = engine.account, tagged(book)
    theirs = held_by(book, by_strategy=by_strategy)
    ours = dict(account.positions) if by_strategy else {("", symbol): held for symbol, held in account.net.items()}
    changes: Changes = {}
    for key in sorted({*ours, *theirs}):
        change = theirs.get(key, ZERO) - ours.get(key, ZERO)
        if not change:
            continue
        strategy, symbol = key
        if symbol not in engine.market.instruments:
            raise InvalidArgument(
                f"the broker holds {symbol!r}, which is not among the instruments of this gate: close it there"
            )
        strategy = strategy or _owner(engine, symbol, scope)
        if strategy not in engine.genesis.strategies and (strategy, symbol) not in account.positions:
            raise InvalidArgument(f"the difference in {symbol} would belong to {strategy!r}, a strategy not known")
        changes[strategy, symbol] = change
    return changes


def _owner(engine: "DecisionEngine", symbol: str, scope: str) -> str:
    if scope != ACCOUNT:
        return scope
    holders = sorted({s for s, held in engine.account.positions if held == symbol}
                     | {order.strategy_id for order in engine.account.sent if order.symbol == symbol})  # fmt: skip
    if len(holders) == 1:
        return holders[0]
    held = f"held by {', '.join(holders)}" if holders else "held by no strategy"
    raise InvalidArgument(f"{symbol} is {held}: name the strategy that its difference is booked to as the scope")


def _changed_orders(engine: "DecisionEngine", book: BrokerBook) -> list[tuple[Order, BrokerOrder | None]]:
    """Return the gate's orders that the broker sees otherwise, or not at all."""
    if book.orders is None:
        return []
    theirs: dict[str, BrokerOrder] = {}
    for other in book.orders:
        if other.state in WORKING and theirs.setdefault(other.order_id, other) is not other and other.order_id:
            raise InvalidArgument(
                f"order {other.order_id!r} works at the broker more than once, and was released once: cancel what is "
                "too much there, and reconcile again"
            )
    ours = {order.order_id: order for order in engine.account.sent}
    for name, other in theirs.items():
        mine = ours.get(name)
        same = mine is not None and (mine.symbol, mine.sign, mine.quantity) == (
            other.symbol, 1 if other.side == "buy" else -1, other.quantity,
        )  # fmt: skip
        if not same or other.filled > other.quantity or other.filled < ZERO:
            raise InvalidArgument(
                f"order {name or other.venue_order_id!r} works at the broker and was not released so here: an order "
                "that was not decided is not adopted; cancel it there, and reconcile again"
            )
    return [
        (mine, theirs.get(name))
        for name, mine in ours.items()
        if name not in theirs or theirs[name].filled != mine.filled
    ]


def _as_theirs(engine: "DecisionEngine", order: Order, theirs: BrokerOrder | None, at: int) -> Events:
    if theirs is None or theirs.filled == order.quantity:
        return ended(engine, order, OrderStep.CANCEL, at)
    state = OrderState.PARTIAL if theirs.filled else OrderState.RELEASED
    after = replace(order, filled=theirs.filled, state=state)
    engine.account.put(after)
    gone = max(order.opening_left - after.opening_left, ZERO)
    return [told(after), *withdrawn(engine, order, gone, at)]


def _equity_after(engine: "DecisionEngine", book: BrokerBook, changes: Changes) -> float | None:
    """Return the equity with the broker's money, and None where it states none."""
    if book.account.currency != engine.genesis.account:
        raise InvalidArgument(f"the broker's account is in {book.account.currency}, and this gate's is not")
    if book.account.cash is None:
        return book.account.equity
    net = dict(engine.account.net)
    for (_, symbol), change in changes.items():
        net[symbol] = net.get(symbol, ZERO) + change
    total = book.account.cash
    for symbol, held in sorted(net.items()):
        unit = engine.market.unit_value(symbol)
        if held and unit is None:
            raise InvalidArgument(f"{symbol} has no price here, so that nobody knows the equity with it: send one")
        total += float(held) * (unit or 0.0)
    return total
