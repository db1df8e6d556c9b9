"""A venue that lives in memory: orders by client id, fills, events in their order, positions and cash."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from rpmcore.domain.broker import BrokerEvent, BrokerOrder, EventKind
from rpmcore.domain.orders import OrderState
from rpmcore.domain.releases import ReleasedTrade
from rpmcore.risk.sizing.exact import exact

ZERO = Decimal(0)

Worth = Callable[[str], float]
"""What one unit of price of one unit of a symbol is in account currency: contract size times the rate."""

_STATES = {
    EventKind.CANCELLED: OrderState.CANCELLED,
    EventKind.REJECTED: OrderState.REJECTED,
}


@dataclass(slots=True, kw_only=True)
class VenueOrder:
    """An order at the venue, and how far it has come."""

    release: ReleasedTrade
    venue_order_id: str
    quantity: Decimal
    filled: Decimal = ZERO
    fills: int = 0
    state: OrderState = OrderState.RELEASED
    reason: str = ""

    @property
    def open_quantity(self) -> Decimal:
        """What may still be filled."""
        return self.quantity - self.filled

    @property
    def works(self) -> bool:
        """Whether more can become of it."""
        return self.state in (OrderState.RELEASED, OrderState.PARTIAL)

    def told(self) -> BrokerOrder:
        """Return it as the port shows it."""
        release = self.release
        return BrokerOrder(
            order_id=release.order_id, venue_order_id=self.venue_order_id, symbol=release.symbol, side=release.side,
            quantity=self.quantity, filled=self.filled, state=self.state, strategy_id=release.strategy_id,
            reason=self.reason,
        )  # fmt: skip


@dataclass(slots=True)
class Venue:
    """The far side of an in-memory broker: what it says is so, whatever the line to it makes of it.

    Attributes
    ----------
    cash
        In account currency.
    positions
        Signed quantities by (strategy, symbol): this venue keeps tags.
    worth
        See `Worth`.
    clock_ahead
        Nanoseconds by which the venue's clock is ahead of the gate's; negative if it is behind.
    orders
        By client order id, in the order in which they came: an id is taken once.
    events
        Everything that happened.
    under_way, slow_cancels
        What has left the gate's machine and not arrived, and what has arrived and not been looked at.
    """

    cash: float = 0.0
    positions: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    worth: Worth = lambda _symbol: 1.0
    clock_ahead: int = 0
    orders: dict[str, VenueOrder] = field(default_factory=dict)
    events: list[BrokerEvent] = field(default_factory=list)
    under_way: list[ReleasedTrade] = field(default_factory=list)
    slow_cancels: list[str] = field(default_factory=list)
    _open: dict[str, VenueOrder] = field(default_factory=dict)

    @property
    def working(self) -> Iterator[VenueOrder]:
        """The orders of which more can become, in the order in which they came."""
        return iter(tuple(self._open.values()))

    def take(self, release: ReleasedTrade, *, at: int) -> VenueOrder:
        """Take an order; one of an id that is known is that order, and one that comes too late is none."""
        known = self.orders.get(release.order_id)
        if known is not None:
            return known
        order = VenueOrder(release=release, venue_order_id=f"V{len(self.orders) + 1}", quantity=exact(release.quantity))
        self.orders[release.order_id] = self._open[release.order_id] = order
        self._tell(order, EventKind.ACCEPTED, at)
        return order

    def fill(self, order: VenueOrder, quantity: Decimal, price: float, *, fees: float = 0.0, at: int) -> None:
        """Fill an order, in whole or in part."""
        release, sign = order.release, 1 if order.release.side == "buy" else -1
        order.filled += quantity
        order.fills += 1
        key = release.strategy_id, release.symbol
        held = self.positions.get(key, ZERO) + sign * quantity
        if held:
            self.positions[key] = held
        else:
            self.positions.pop(key, None)
        self.cash -= sign * float(quantity) * price * self.worth(release.symbol) + fees
        whole = not order.open_quantity
        order.state = OrderState.FILLED if whole else OrderState.PARTIAL
        if whole:
            self._open.pop(release.order_id, None)
        self._tell(
            order, EventKind.FILLED if whole else EventKind.PARTIAL, at, quantity=quantity, price=price, fees=fees,
            execution_id=f"{order.venue_order_id}/{order.fills}",
        )  # fmt: skip

    def end(self, order: VenueOrder, kind: EventKind, reason: str, *, at: int) -> None:
        """Cancel or reject what is left of an order that works."""
        if order.works:
            order.state, order.reason = _STATES[kind], reason
            self._open.pop(order.release.order_id, None)
            self._tell(order, kind, at, reason=reason)

    def net(self) -> Mapping[str, Decimal]:
        """Return positions by symbol."""
        found: dict[str, Decimal] = {}
        for (_, symbol), held in self.positions.items():
            found[symbol] = found.get(symbol, ZERO) + held
        return found

    def _tell(
        self, order: VenueOrder, kind: EventKind, at: int, *, quantity: Decimal = ZERO, price: float = 0.0,
        fees: float = 0.0, execution_id: str = "", reason: str = "",
    ) -> None:  # fmt: skip
        release = order.release
        self.events.append(
            BrokerEvent(
                cursor=len(self.events) + 1, kind=kind, order_id=release.order_id,
                venue_order_id=order.venue_order_id, symbol=release.symbol, side=release.side,
                strategy_id=release.strategy_id, execution_id=execution_id, quantity=quantity, price=price, fees=fees,
                cumulative=order.filled, venue_at=at + self.clock_ahead, reason=reason,
            )
        )  # fmt: skip
