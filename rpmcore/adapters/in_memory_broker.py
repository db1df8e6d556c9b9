"""A broker that lives in memory: it fills what was released at the next close, half the spread away."""

from collections.abc import Mapping
from dataclasses import dataclass

from rpmcore.domain.orders import ApprovedTrade

BASIS_POINT = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerFill:
    """An order that was filled whole, at a price in the currency of the instrument."""

    fill_id: str
    order: ApprovedTrade
    quantity: float
    price: float


class InMemoryBroker:
    """Takes released orders and fills each at the next close of its symbol; it forgets nothing and invents nothing.

    Parameters
    ----------
    spread_bps
        Full bid-ask spread by symbol, in basis points of the price.
    default_spread_bps
        Of all others.
    """

    def __init__(self, spread_bps: Mapping[str, float] | None = None, *, default_spread_bps: float = 2.0) -> None:
        self._spreads, self._default = dict(spread_bps or {}), default_spread_bps
        self._working: list[ApprovedTrade] = []

    @property
    def working(self) -> tuple[ApprovedTrade, ...]:
        """The orders that wait for a close, in the order in which they came."""
        return tuple(self._working)

    def submit(self, order: ApprovedTrade) -> None:
        """Take an order that the gate has released."""
        self._working.append(order)

    def close(self, closes: Mapping[str, float]) -> list[BrokerFill]:
        """Fill every order whose symbol has a close, in the order in which they came."""
        fills, waiting = [], []
        for order in self._working:
            close = closes.get(order.symbol)
            if close is None:
                waiting.append(order)
                continue
            half = 0.5 * self._spreads.get(order.symbol, self._default) * BASIS_POINT
            price = close * (1.0 + half if order.side == "buy" else 1.0 - half)
            fills.append(
                BrokerFill(fill_id=f"{order.order_id}/fill", order=order, quantity=order.quantity, price=price)
            )
        self._working = waiting
        return fills
