"""Events out of a terminal that keeps none: orders and deals, in the order in which they were seen."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from rpmcore.adapters.mt5_broker.terminal import Terminal, exact
from rpmcore.adapters.server_time import ServerTime, nanoseconds
from rpmcore.domain.broker import BrokerEvent, EventKind
from rpmcore.domain.orders import OrderState

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """Whose an order is: `ours` where a gate sent it, the id empty where the journal does not know it any more."""

    ours: bool
    order_id: str
    strategy_id: str
    symbol: str
    size: Decimal


@dataclass(frozen=True, slots=True)
class _Found:
    """An event without its cursor, and when it was by the server's clock, in milliseconds."""

    key: str
    moment: tuple[int, int, int]
    event: BrokerEvent


def state_of(module: Any, order: Any) -> OrderState:
    """Return the state of an order in the gate's terms."""
    if order.state == module.ORDER_STATE_FILLED:
        return OrderState.FILLED
    if order.state == module.ORDER_STATE_REJECTED:
        return OrderState.REJECTED
    over = order.state in (module.ORDER_STATE_CANCELED, module.ORDER_STATE_EXPIRED)
    # What was dealt at once, and not whole, is over without being cancelled.
    if over or (order.time_done_msc and order.state == module.ORDER_STATE_PARTIAL):
        return OrderState.CANCELLED
    return OrderState.RELEASED if order.volume_current == order.volume_initial else OrderState.PARTIAL


def new_events(
    terminal: Terminal, server: ServerTime, *, known: Collection[str], view: Callable[[Any], OrderView], first: int
) -> list[tuple[str, BrokerEvent]]:
    """Return what has happened and is not `known`, with cursors from `first` on.

    Of orders that no gate has sent only the fills are told: they change what is held.
    """
    orders = {order.ticket: order for order in (*terminal.open_orders(), *terminal.past_orders())}
    fills: dict[int, list[Any]] = {}
    for deal in sorted(terminal.deals(), key=lambda deal: deal.ticket):
        fills.setdefault(deal.order, []).append(deal)
    found = [
        event
        for ticket in sorted({*orders, *fills})
        for event in _of_order(terminal.module, server, orders.get(ticket), fills.get(ticket, []), view)
        if event.key not in known
    ]
    found.sort(key=lambda each: each.moment)
    return [(each.key, replace(each.event, cursor=first + number)) for number, each in enumerate(found)]


def _of_order(
    module: Any, server: ServerTime, order: Any, fills: list[Any], view: Callable[[Any], OrderView]
) -> Iterator[_Found]:
    whose = view(order if order is not None else _Bare(fills[0]))
    side = _side(module, order, fills)
    named = {
        "order_id": whose.order_id, "symbol": whose.symbol, "side": side, "strategy_id": whose.strategy_id,
        "venue_order_id": str(order.ticket if order is not None else fills[0].order),
    }  # fmt: skip
    whole = None if order is None else exact(order.volume_initial) * whose.size
    if order is not None and whose.ours:
        yield _found(server, "accepted", 0, order.ticket, order.time_setup_msc, EventKind.ACCEPTED, named)
    cumulative = ZERO
    for deal in fills:
        quantity = exact(deal.volume) * whose.size
        cumulative += quantity
        yield _found(
            server, "deal", 1, deal.ticket, deal.time_msc,
            EventKind.FILLED if cumulative == whole else EventKind.PARTIAL,
            {
                **named, "execution_id": str(deal.ticket), "quantity": quantity, "price": float(deal.price),
                "fees": 0.0 - float(exact(deal.commission) + exact(deal.fee)), "cumulative": cumulative,
            },
        )  # fmt: skip
    ends = {OrderState.CANCELLED: EventKind.CANCELLED, OrderState.REJECTED: EventKind.REJECTED}
    if order is not None and whose.ours and (kind := ends.get(state_of(module, order))) is not None:
        # As the order counts it, also where a deal of it is not shown yet.
        filled = (exact(order.volume_initial) - exact(order.volume_current)) * whose.size
        yield _found(
            server, "end", 2, order.ticket, order.time_done_msc, kind, {**named, "cumulative": filled}
        )  # fmt: skip


@dataclass(slots=True)
class _Bare:
    """An order of which only a deal is left in the window of history."""

    deal: Any

    @property
    def ticket(self) -> int:
        return int(self.deal.order)

    @property
    def comment(self) -> str:
        return str(self.deal.comment)

    @property
    def magic(self) -> int:
        return int(self.deal.magic)

    @property
    def symbol(self) -> str:
        return str(self.deal.symbol)


def _side(module: Any, order: Any, fills: list[Any]) -> str:
    if fills:
        return "buy" if fills[0].type == module.DEAL_TYPE_BUY else "sell"
    buying = (
        module.ORDER_TYPE_BUY, module.ORDER_TYPE_BUY_LIMIT, module.ORDER_TYPE_BUY_STOP, module.ORDER_TYPE_BUY_STOP_LIMIT
    )  # fmt: skip
    return "buy" if order.type in buying else "sell"


def _found(
    server: ServerTime, what: str, rank: int, ticket: int, milliseconds: int, kind: EventKind, said: dict[str, Any]
) -> _Found:
    """Return an event; its time is the server's clock, which the terminal counts as if it were UTC."""
    shown = datetime.fromtimestamp(milliseconds // 1000, UTC).replace(tzinfo=None)
    instants = server.instants(shown)
    at = nanoseconds(instants[0]) + milliseconds % 1000 * 1_000_000 if instants else None
    event = BrokerEvent(cursor=0, kind=kind, venue_at=at, **said)
    return _Found(f"{what}:{ticket}", (milliseconds, rank, ticket), event)
