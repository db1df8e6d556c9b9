"""What the account holds, what is on its way, and what it is worth."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Self, TypeVar

from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.orders import ORDER_STATES, WORKING, OrderState, OrderStep

ZERO = Decimal(0)

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An approved order, from approval to its end.

    Attributes
    ----------
    quantity, filled
        Unsigned; of a release in part, what was released.
    opening
        How much of the quantity opens or adds, beyond what only reduces; filled last.
    sign
        1 to buy, −1 to sell.
    halts
        How many halts there had been when it was approved: a later one voids the approval of what is not reducing.
    failures
        How often trading had been HALTED when it was released; whatever was released before the last time must end.
    cancel_at
        When the broker was first asked to cancel it, UTC nanoseconds; None where it was not.
    undying
        Whether it has been told that it outlived its cancellation.
    """

    order_id: str
    strategy_id: str
    symbol: str
    sign: int
    quantity: Decimal
    filled: Decimal
    state: OrderState
    opening: Decimal
    sequence: int
    expires_at: int
    halts: int
    failures: int = 0
    cancel_at: int | None = None
    undying: bool = False

    @property
    def open_quantity(self) -> Decimal:
        """What may still be filled, unsigned."""
        return self.quantity - self.filled

    @property
    def reducing(self) -> bool:
        """Whether all of it only shrinks the account's position."""
        return not self.opening

    @property
    def opening_left(self) -> Decimal:
        """What may still be filled of what opens or adds."""
        return min(self.opening, self.open_quantity)

    @property
    def lapses_at(self) -> int | None:
        """When it expires by itself; None once it was released: then the broker has the word."""
        return self.expires_at if self.state is OrderState.APPROVED else None

    def works(self, at: int) -> bool:
        """Return whether it may still be filled."""
        return self.state in WORKING and (self.lapses_at is None or at < self.lapses_at)

    def after(self, step: OrderStep) -> "Order":
        """Return the order one step on.

        Raises
        ------
        InvalidArgument
            If the step does not follow from where it is.
        """
        state = ORDER_STATES.get((self.state, step))
        if state is None:
            raise InvalidArgument(f"order {self.order_id!r} is {self.state.value}: {step.value} does not follow")
        return replace(self, state=state)

    def released(self, quantity: Decimal) -> "Order":
        """Return the order as it was sent, of a quantity up to what was approved: what reduces goes first.

        Raises
        ------
        InvalidArgument
            As `after`.
        """
        opening = max(ZERO, quantity - (self.quantity - self.opening))
        return replace(self.after(OrderStep.RELEASE), quantity=quantity, opening=opening)


class Account:
    """Positions by strategy and symbol in exact decimals, working orders, and equity in account currency.

    Parameters
    ----------
    equity
        At the start.
    positions
        Signed quantities by (strategy, symbol).
    """

    def __init__(self, equity: float, positions: Mapping[tuple[str, str], Decimal]) -> None:
        self.equity = equity
        self.positions = {key: held for key, held in positions.items() if held}
        self.orders: dict[str, Order] = {}
        self.net: dict[str, Decimal] = {}
        for (_, symbol), held in self.positions.items():
            self.net[symbol] = self.net.get(symbol, ZERO) + held

    def held(self, symbol: str) -> Decimal:
        """Return the account's net position in an instrument, signed."""
        return self.net.get(symbol, ZERO)

    @property
    def sent(self) -> Iterator[Order]:
        """The orders that were released and are not over, in the order of their approval."""
        return (order for order in self.orders.values() if order.state is not OrderState.APPROVED)

    def working(self, at: int) -> Iterator[Order]:
        """Yield the orders that may still be filled, in the order of their approval."""
        return (order for order in self.orders.values() if order.works(at))

    def reducible(self, symbol: str, sign: int, at: int) -> Decimal:
        """Return how much an order of this sign may shrink the net position, whatever becomes of the working orders.

        For a sell: what is held, less all working sells, as if no working buy were filled; never below zero, and the
        same for a buy against a short.
        """
        held, orders = -sign * self.held(symbol), self.orders.values()
        if held <= ZERO:
            return ZERO
        ahead = sum((o.open_quantity for o in orders if o.symbol == symbol and o.sign == sign and o.works(at)), ZERO)
        return max(ZERO, held - ahead)

    def own_reducible(self, strategy_id: str, symbol: str, sign: int, at: int) -> Decimal:
        """Return how much an order of this sign may shrink what one strategy holds, less its own working orders."""
        ahead = sum(
            (
                o.open_quantity
                for o in self.orders.values()
                if o.symbol == symbol and o.sign == sign and o.strategy_id == strategy_id and o.works(at)
            ),
            ZERO,
        )
        return max(ZERO, -sign * self.positions.get((strategy_id, symbol), ZERO) - ahead)

    def reducible_now(self, order: Order) -> Decimal:
        """Return how much an approved order would shrink the net position beside the orders that were sent."""
        ahead = sum(
            (
                o.open_quantity
                for o in self.orders.values()
                if o.symbol == order.symbol and o.sign == order.sign and o.state is not OrderState.APPROVED
            ),
            ZERO,
        )
        return max(ZERO, -order.sign * self.held(order.symbol) - ahead)

    def own_reducible_now(self, order: Order) -> Decimal:
        """Return how much an approved order would shrink what its strategy holds, beside its orders that were sent."""
        ahead = sum(
            (
                o.open_quantity
                for o in self.orders.values()
                if (o.strategy_id, o.symbol, o.sign) == (order.strategy_id, order.symbol, order.sign)
                and o.state is not OrderState.APPROVED
            ),
            ZERO,
        )
        return max(ZERO, -order.sign * self.positions.get((order.strategy_id, order.symbol), ZERO) - ahead)

    def fill(self, strategy_id: str, symbol: str, change: Decimal) -> None:
        """Change a position by a signed quantity."""
        _add(self.positions, (strategy_id, symbol), change)
        _add(self.net, symbol, change)

    def put(self, order: Order) -> None:
        """Keep an order; one that is over is forgotten, the ledger knows it."""
        if order.state in WORKING:
            self.orders[order.order_id] = order
        else:
            self.orders.pop(order.order_id, None)

    def state(self) -> dict[str, Any]:
        """Return everything in JSON's types, exactly."""
        return {
            "equity": self.equity,
            "positions": [[s, symbol, str(held)] for (s, symbol), held in sorted(self.positions.items())],
            "orders": [
                {
                    "order_id": o.order_id, "strategy_id": o.strategy_id, "symbol": o.symbol, "sign": o.sign,
                    "quantity": str(o.quantity), "filled": str(o.filled), "state": o.state.value,
                    "opening": str(o.opening), "sequence": o.sequence, "expires_at": o.expires_at, "halts": o.halts,
                    "failures": o.failures, "cancel_at": o.cancel_at, "undying": o.undying,
                }
                for o in self.orders.values()
            ],
        }  # fmt: skip

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Return the account that gave this state."""
        account = cls(state["equity"], {(s, symbol): Decimal(held) for s, symbol, held in state["positions"]})
        for kept in state["orders"]:
            account.orders[kept["order_id"]] = Order(
                **{
                    **kept, "quantity": Decimal(kept["quantity"]), "filled": Decimal(kept["filled"]),
                    "opening": Decimal(kept["opening"]),
                    "state": OrderState(kept["state"]),
                }
            )  # fmt: skip
        return account


def _add(book: dict[Key, Decimal], key: Key, change: Decimal) -> None:
    after = book.get(key, ZERO) + change
    if after:
        book[key] = after
    else:
        book.pop(key, None)
