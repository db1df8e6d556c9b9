"""How large a trade may be, and every reason for it."""

from dataclasses import dataclass
from decimal import Decimal

from rpmcore.risk.sizing.units import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """One thing that limits the size.

    Attributes
    ----------
    name
        Such as ``risk_per_trade``.
    quantity
        The largest size that passes, before it is rounded to lots; None, with the reason, where it sets no limit.
    money, weight
        Its market value at the entry, in account currency and as a fraction of capital.
    multiplier
        Of a factor on the appetite for risk: what it multiplies the size above it by. None for the others.
    why
        In words.
    binding
        Whether this one decides.
    """

    name: str
    quantity: Decimal | None
    why: str
    money: float | None = None
    weight: float | None = None
    multiplier: float | None = None
    binding: bool = False
    quantity_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SizingAnswer:
    """How large a trade may be.

    Attributes
    ----------
    symbol, side, strategy_id, account, capital, entry, stop
        As they were asked.
    unit_value, unit_loss
        What a quantity of one is worth at the entry, and loses at the stop, or where there is none at the stated
        number of daily volatilities; in account currency. The loss is None, with the reason, where neither is known.
    lots
        How many lots of `lot_step`; 0 where nothing passes.
    quantity
        lots × lot_step, exactly; not signed.
    money, weight
        Its market value at the entry, in account currency and as a fraction of capital; not signed.
    risk_money, risk
        What it loses at the stop, in account currency and as a fraction of capital.
    binding
        Name of the constraint that decides.
    reason
        Why the size is what it is, in a sentence.
    constraints
        All of them, in the order in which they are looked at.
    """

    symbol: str
    side: Side
    strategy_id: str | None
    account: str
    capital: float
    entry: float
    stop: float | None
    unit_value: float
    unit_loss: float | None
    lot_step: Decimal
    minimum_lot: Decimal
    maximum_lot: Decimal | None
    lots: int
    quantity: Decimal
    money: float
    weight: float
    risk_money: float | None
    risk: float | None
    binding: str
    reason: str
    constraints: tuple[Constraint, ...]
    unit_loss_reason: str | None = None
    stop_reason: str = "no stop given"
    maximum_lot_reason: str = "there is none"
    risk_money_reason: str = "the loss of a unit is not known"
    risk_reason: str = "the loss of a unit is not known"
