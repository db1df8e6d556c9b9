"""What the gate knows of the account, held against what a broker or a statement says, line by line.

How to reconcile a gate, before trading starts and on request: read a `rpmcore.domain.broker.BrokerBook`, of an adapter
with ``book_of(broker)`` or from a statement, and hand it to ``RiskGate.reconcile(book)``. It records what the broker
says, returns the differences, and halts the gate where there are any. ``gate.operate("adopt_broker", operator=…,
reason=…, value=str(sequence))`` or ``"adopt_gate"`` ends the halt, where ``sequence`` is that of the reconciliation
(``gate.engine.reconciliation["sequence"]``). Without a gate, `compare` alone tells the differences.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rpmcore.decision.account import ZERO, Order
from rpmcore.domain.broker import BrokerBook, BrokerOrder
from rpmcore.domain.orders import WORKING

if TYPE_CHECKING:
    from rpmcore.decision.engine import DecisionEngine


@dataclass(frozen=True, slots=True, kw_only=True)
class GateBook:
    """What a gate knows of the account.

    Attributes
    ----------
    positions
        Signed units by (strategy, symbol).
    orders
        That were released and are not over.
    cash
        Equity less the market value of the positions, in account currency; None where something has no price.
    equity
        In account currency.
    """

    currency: str
    positions: Mapping[tuple[str, str], Decimal]
    orders: tuple[Order, ...]
    cash: float | None
    equity: float

    @classmethod
    def of(cls, engine: "DecisionEngine") -> "GateBook":
        """Return the book of an engine."""
        account, market = engine.account, engine.market
        values = [
            None if (unit := market.unit_value(symbol)) is None else float(held) * unit
            for symbol, held in sorted(account.net.items())
        ]
        known = [value for value in values if value is not None]
        return cls(
            currency=engine.genesis.account, positions=dict(account.positions), orders=tuple(account.sent),
            cash=account.equity - sum(known) if len(known) == len(values) else None, equity=account.equity,
        )  # fmt: skip

    def to_plain(self) -> dict[str, Any]:
        """Return it in JSON's types."""
        return {
            "currency": self.currency, "cash": self.cash, "equity": self.equity,
            "positions": [[symbol, str(held), s] for (s, symbol), held in sorted(self.positions.items())],
            "orders": [
                [o.order_id, o.symbol, _side(o), str(o.quantity), str(o.filled), o.strategy_id] for o in self.orders
            ],
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class BookDifference:
    """A line in which the two do not say the same.

    Attributes
    ----------
    kind
        ``position``, ``order_not_at_broker``, ``order_not_at_gate``, ``order``, ``cash``, ``equity`` or ``currency``.
    symbol, strategy_id, order_id
        Of what; empty where it does not apply, the strategy also where the broker keeps no tags.
    gate, broker
        What each says, as text; numbers exactly.
    """

    kind: str
    gate: str
    broker: str
    symbol: str = ""
    strategy_id: str = ""
    order_id: str = ""

    @property
    def text(self) -> str:
        """The line in words."""
        of = " ".join(part for part in (self.symbol, self.strategy_id, self.order_id) if part)
        return f"{self.kind.replace('_', ' ')}{f' of {of}' if of else ''}: gate {self.gate}, broker {self.broker}"

    def to_plain(self) -> dict[str, str]:
        """Return it in JSON's types."""
        return asdict(self)


def compare(
    gate: GateBook, broker: BrokerBook, *, cash_tolerance: float, equity_tolerance: float
) -> tuple[BookDifference, ...]:
    """Return every difference; none where the two agree.

    Positions are held together by strategy and symbol where every position of the broker carries a strategy, else by
    symbol alone: then one strategy's surplus hides another's lack, which no broker without tags can see. Quantities
    must be equal; money may differ by a tolerance.

    Parameters
    ----------
    gate, broker
        What each says.
    cash_tolerance, equity_tolerance
        Fractions of the gate's equity. Cash is compared where the broker states it, and equity where it states that
        alone: it values with other prices.
    """
    if gate.currency != broker.account.currency:
        return (BookDifference(kind="currency", gate=gate.currency, broker=broker.account.currency),)
    money = list(_money(gate, broker, cash_tolerance, equity_tolerance))
    orders = [] if broker.orders is None else list(_orders(gate.orders, broker.orders))
    return (*_positions(gate, broker), *orders, *money)


def tagged(broker: BrokerBook) -> bool:
    """Return whether a broker tells whose each position is."""
    return bool(broker.positions) and all(position.strategy_id for position in broker.positions)


def held_by(broker: BrokerBook, *, by_strategy: bool) -> dict[tuple[str, str], Decimal]:
    """Return what a broker holds by (strategy, symbol); the strategy is empty where it is not told apart."""
    return _summed(
        ((p.strategy_id if by_strategy else "", p.symbol), p.quantity) for p in broker.positions
    )  # fmt: skip


def _positions(gate: GateBook, broker: BrokerBook) -> Iterable[BookDifference]:
    by_strategy = tagged(broker)
    theirs = held_by(broker, by_strategy=by_strategy)
    ours = _summed(((s if by_strategy else "", symbol), held) for (s, symbol), held in gate.positions.items())
    for strategy, symbol in sorted({*ours, *theirs}, key=lambda key: (key[1], key[0])):
        mine, other = ours.get((strategy, symbol), ZERO), theirs.get((strategy, symbol), ZERO)
        if mine != other:
            yield BookDifference(
                kind="position", symbol=symbol, strategy_id=strategy, gate=_written(mine), broker=_written(other)
            )


def _summed(rows: Iterable[tuple[tuple[str, str], Decimal]]) -> dict[tuple[str, str], Decimal]:
    found: dict[tuple[str, str], Decimal] = {}
    for key, quantity in rows:
        found[key] = found.get(key, ZERO) + quantity
    return {key: quantity for key, quantity in found.items() if quantity}


def _orders(ours: tuple[Order, ...], theirs: tuple[BrokerOrder, ...]) -> Iterable[BookDifference]:
    waiting = {order.order_id: order for order in ours}
    for other in sorted((o for o in theirs if o.state in WORKING), key=lambda o: (o.order_id, o.venue_order_id)):
        mine = waiting.pop(other.order_id, None) if other.order_id else None
        told = _told(other.side, other.quantity, other.filled)
        named = {"symbol": other.symbol, "strategy_id": other.strategy_id}
        if mine is None:
            yield BookDifference(
                kind="order_not_at_gate", order_id=other.order_id or other.venue_order_id, gate="none", broker=told,
                **named,
            )  # fmt: skip
            continue
        said = _told(_side(mine), mine.quantity, mine.filled)
        if said != told or mine.symbol != other.symbol:
            mine_says = said if mine.symbol == other.symbol else f"{mine.symbol} {said}"
            yield BookDifference(kind="order", order_id=other.order_id, gate=mine_says, broker=told, **named)
    for left in waiting.values():
        yield BookDifference(
            kind="order_not_at_broker", symbol=left.symbol, strategy_id=left.strategy_id, order_id=left.order_id,
            gate=_told(_side(left), left.quantity, left.filled), broker="none",
        )  # fmt: skip


def _money(gate: GateBook, broker: BrokerBook, cash: float, equity: float) -> Iterable[BookDifference]:
    stated = broker.account
    if stated.cash is not None:
        if gate.cash is None:
            yield BookDifference(kind="cash", gate="not known: a position has no price", broker=repr(stated.cash))
        elif not abs(gate.cash - stated.cash) <= cash * abs(gate.equity):
            yield BookDifference(kind="cash", gate=repr(gate.cash), broker=repr(stated.cash))
    elif stated.equity is not None and not abs(gate.equity - stated.equity) <= equity * abs(gate.equity):
        yield BookDifference(kind="equity", gate=repr(gate.equity), broker=repr(stated.equity))


def _told(side: str, quantity: Decimal, filled: Decimal) -> str:
    return f"{side} {_written(quantity)}, {_written(filled)} filled"


def _written(quantity: Decimal) -> str:
    """Return a quantity as text that equal quantities share, however many noughts they end in."""
    return f"{quantity.normalize():f}"


def _side(order: Order) -> str:
    return "buy" if order.sign > 0 else "sell"
