"""What is held against what it cost: average cost, in account currency."""

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from rpmcore.decision.market import Market
from rpmcore.risk.sizing.exact import exact

if TYPE_CHECKING:
    from rpmcore.decision.engine import DecisionEngine

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cost:
    """Average price of what is held, and average value of a unit in account currency when it was bought or sold."""

    quantity: Decimal
    price: float
    value: float


class Unrealised:
    """The gain or loss of the account's net positions that no opposite fill has realised.

    What is held at the beginning cost the prices of that time. A fill that adds moves the average, one that reduces
    leaves it, one that crosses zero begins anew.

    Parameters
    ----------
    engine
        At the beginning.
    """

    def __init__(self, engine: "DecisionEngine") -> None:
        self._market: Market = engine.market
        self._costs: dict[str, _Cost] = {}
        for symbol, held in engine.account.net.items():
            last = self._market.price(symbol)
            if last is not None:
                self.fill(symbol, held, last[0])

    def fill(self, symbol: str, change: Decimal | float, price: float) -> None:
        """Take a fill: a signed quantity, at a price in the currency of the instrument."""
        change = exact(change) if isinstance(change, float) else change
        last, unit = self._market.price(symbol), self._market.unit_value(symbol)
        value = 0.0 if last is None or unit is None else unit * price / last[0]
        before = self._costs.get(symbol)
        after = change if before is None else before.quantity + change
        if not after:
            self._costs.pop(symbol, None)
        elif before is None or (after > ZERO) != (before.quantity > ZERO):
            self._costs[symbol] = _Cost(quantity=after, price=price, value=value)
        elif abs(after) < abs(before.quantity):
            self._costs[symbol] = _Cost(quantity=after, price=before.price, value=before.value)
        else:
            old = float(before.quantity / after)
            self._costs[symbol] = _Cost(
                quantity=after, price=old * before.price + (1.0 - old) * price,
                value=old * before.value + (1.0 - old) * value,
            )  # fmt: skip

    def total(self) -> float | None:
        """Return Σ q (S1 − S0) X1 of pairs and Σ q (P1 X1 − P0 X0) of anything else; None where a price is missing."""
        total = 0.0
        for symbol, cost in self._costs.items():
            instrument, last = self._market.instruments[symbol], self._market.price(symbol)
            rate, unit = self._market.rate(symbol), self._market.unit_value(symbol)
            if last is None or rate is None or unit is None:
                return None
            if instrument.base_currency is None:
                total += float(cost.quantity) * (unit - cost.value)
            else:
                total += float(cost.quantity) * instrument.contract_size * (last[0] - cost.price) * rate[0]
        return total
