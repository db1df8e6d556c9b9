"""The size of a trade: the smallest of what every constraint allows, in whole lots."""

from decimal import Decimal
from math import isfinite
from typing import Any

from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.domain.settings import changed
from rpmcore.risk.sizing.answer import Constraint, SizingAnswer
from rpmcore.risk.sizing.constraints import Bound, Units, all_bounds
from rpmcore.risk.sizing.exact import CONTEXT, exact
from rpmcore.risk.sizing.request import SizingRequest, check_request
from rpmcore.risk.sizing.settings import SizingSettings

LIMITS_NOTHING = ("maximum_weight", "liquidity", "spread", "maximum_lot")
"""Constraints on value and market: alone they say nothing of the risk that a trade takes."""


class PositionSizer:
    """Takes the smallest of risk per trade, Kelly, multipliers, volatility target, largest position, liquidity, lots.

    Parameters
    ----------
    settings
        The section ``sizing``.
    target_volatility
        Of the whole book, per year; ``limits.target_volatility`` in the settings.
    **changes
        Single settings by name, such as ``risk_per_trade=0.005``.

    Raises
    ------
    ConfigurationError
        If a change is unknown or out of its range.
    InvalidArgument
        If the target is not positive and finite.
    """

    def __init__(
        self, settings: SizingSettings | None = None, *, target_volatility: float = 0.15, **changes: Any
    ) -> None:
        self.settings = changed(settings or SizingSettings(), changes)
        if not (isfinite(target_volatility) and target_volatility > 0.0):
            raise InvalidArgument(f"target_volatility must be positive and finite, but is {target_volatility!r}")
        self.target_volatility = target_volatility

    def size(self, request: SizingRequest) -> SizingAnswer:
        """Return the size of a trade with every constraint, which one binds, and why.

        Money and quantities are decimal; sizes that Kelly and the volatility target give are as exact as the estimates
        behind them. Always rounded toward less risk, and zero where nothing passes.

        Raises
        ------
        InvalidArgument
            If a number of the request is out of its range, or a rate is missing.
        Undefined
            If nothing that is known limits the risk of the trade: it has no size then.
        """
        units, bounds, smallest = self._bounds(request)
        return _answer(request, units, bounds, smallest)

    def largest(self, request: SizingRequest) -> Bound:
        """Return the constraint that binds, before it is rounded to lots: what `size` rests on, and no more.

        Raises
        ------
        InvalidArgument, Undefined
            As `size`.
        """
        return self._bounds(request)[2]

    def _bounds(self, request: SizingRequest) -> tuple[Units, list[Bound], Bound]:
        check_request(request)
        units = Units.of(request, self.settings)
        bounds = all_bounds(request, self.settings, units, self.target_volatility)
        if all(b.quantity is None for b in bounds if b.name not in LIMITS_NOTHING):
            raise Undefined(
                f"nothing limits the risk of {request.side} {request.instrument.symbol!r}: "
                "give a stop, or prices from which its volatility can be estimated"
            )
        return units, bounds, min((b for b in bounds if b.quantity is not None), key=lambda b: b.quantity or Decimal(0))


def _answer(request: SizingRequest, units: Units, bounds: list[Bound], smallest: Bound) -> SizingAnswer:
    allowed = smallest.quantity or Decimal(0)
    rules = request.lots
    lots = rules.lots(allowed) if allowed >= rules.minimum else 0
    quantity = rules.quantity(lots)
    capital = exact(request.capital)
    money = CONTEXT.multiply(quantity, units.value)
    loss = None if units.loss is None else CONTEXT.multiply(quantity, units.loss)
    return SizingAnswer(
        symbol=request.instrument.symbol,
        side=request.side,
        strategy_id=request.strategy_id,
        account=request.account,
        capital=float(request.capital),
        entry=float(request.entry),
        stop=None if request.stop is None else float(request.stop),
        unit_value=_number(units.value),
        unit_loss=None if units.loss is None else _number(units.loss),
        unit_loss_reason=units.loss_source if units.loss is None else None,
        lot_step=rules.step,
        minimum_lot=rules.minimum,
        maximum_lot=rules.maximum,
        lots=lots,
        quantity=quantity,
        money=_number(money),
        weight=_number(CONTEXT.divide(money, capital)),
        risk_money=None if loss is None else _number(loss),
        risk=None if loss is None else _number(CONTEXT.divide(loss, capital)),
        binding=smallest.name,
        reason=_reason(smallest, lots, request),
        constraints=tuple(_constraint(b, units, capital, b is smallest) for b in bounds),
    )


def _reason(smallest: Bound, lots: int, request: SizingRequest) -> str:
    name, allowed, rules = smallest.name.replace("_", " "), smallest.quantity or Decimal(0), request.lots
    if lots:
        return f"{name} binds: {smallest.why}"
    if allowed == 0:
        return f"no size passes, {name} allows none: {smallest.why}"
    short = f"{name} allows {float(allowed):.6g}, less than the minimum lot of {rules.minimum:f}"
    return f"no size passes, {short}: {smallest.why}"


def _constraint(bound: Bound, units: Units, capital: Decimal, binding: bool) -> Constraint:
    none = bound.quantity is None
    _number(bound.quantity or Decimal(0))
    money = CONTEXT.multiply(bound.quantity or Decimal(0), units.value)
    return Constraint(
        name=bound.name,
        quantity=bound.quantity,
        why=bound.why,
        money=None if none else _number(money),
        weight=None if none else _number(CONTEXT.divide(money, capital)),
        multiplier=bound.multiplier,
        binding=binding,
        quantity_reason=bound.why if none else None,
    )


def _number(value: Decimal) -> float:
    found = float(value)
    if not isfinite(found):
        raise InvalidArgument(f"a size of {value:.6g} is beyond what a number can hold: check entry, stop and rates")
    return found
