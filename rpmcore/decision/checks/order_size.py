"""How large one order may be, whatever the book."""

from decimal import Decimal
from functools import lru_cache
from math import inf

from rpmcore.decision.checks.inquiry import Inquiry, opening, skipped
from rpmcore.domain.decisions import CheckResult
from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.risk.sizing.exact import exact
from rpmcore.risk.sizing.request import SizingRequest
from rpmcore.risk.sizing.settings import SizingSettings
from rpmcore.risk.sizing.sizer import PositionSizer

ZERO = Decimal(0)


def order_quantity(asked: Inquiry) -> CheckResult:
    """An order beyond the largest quantity, or below a lot, is a slip and not cut."""
    limit, lots = asked.gate.maximum_order_quantity, asked.lots
    if asked.requested is None or lots is None:
        return skipped("order_quantity", "the quantity is not known")
    short = asked.requested < lots.minimum
    text = f"below the smallest lot of {lots.minimum:f}" if short else "largest order, in units"
    passes = not short and asked.quantity <= limit
    return opening(asked, "order_quantity", inf if passes else 0.0, text, observed=asked.quantity, limit=limit)


def order_value(asked: Inquiry) -> CheckResult:
    """An order beyond the largest value is a slip and not cut."""
    limit = asked.gate.maximum_order_value
    if asked.unit_value is None or asked.equity <= 0.0 or asked.requested is None:
        return skipped("order_value", "the value is not known")
    value = asked.size
    return opening(asked, "order_value", inf if value <= limit else 0.0, "largest order, in equity",
                   observed=value, limit=limit)  # fmt: skip


def risk_per_trade(asked: Inquiry) -> CheckResult:
    """What is lost at the stop is limited by the regime, the volatility and the stress of the market."""
    limit = asked.limits.risk_per_trade
    if asked.signal.stop is None:
        return skipped("risk_per_trade", "no stop: the sizer takes the volatility in its place")
    if asked.unit_loss is None or asked.equity <= 0.0:
        return skipped("risk_per_trade", "the value is not known")
    share = asked.unit_loss / asked.equity
    observed = share * asked.opening
    allowed = inf if observed <= limit else limit / share
    return opening(asked, "risk_per_trade", allowed, "loss at the stop, of equity", observed=observed, limit=limit)


@lru_cache(maxsize=64)
def _sizer(settings: SizingSettings, risk_per_trade: float) -> PositionSizer:
    return PositionSizer(settings, risk_per_trade=risk_per_trade)


def sizing(asked: Inquiry) -> CheckResult:
    """The smallest of what the position sizer allows: risk per trade, health, drawdown, weight, liquidity, spread."""
    instrument, lots = asked.instrument, asked.lots
    if instrument is None or lots is None or asked.rate is None or asked.equity <= 0.0 or asked.problem:
        return skipped("sizing", "the value is not known")
    volatility = None
    if asked.worst_case is not None and asked.asset is not None:
        volatility = asked.worst_case.volatility_of(asked.asset)
    request = SizingRequest(
        instrument=instrument, side=asked.signal.side, entry=asked.signal.entry, stop=asked.signal.stop,
        capital=asked.equity, account=asked.account, lots=lots, rate=asked.rate, daily_volatility=volatility,
        adv=asked.adv, spread_bps=asked.spread_bps,
        strategy_id=asked.signal.strategy_id, strategy_health=asked.strategy_multiplier, drawdown=asked.drawdown,
    )  # fmt: skip
    sizer = _sizer(asked.risk.sizing, min(asked.risk.sizing.risk_per_trade, asked.limits.risk_per_trade))
    try:
        found = sizer.largest(request)
    except (InvalidArgument, Undefined) as error:
        return opening(asked, "sizing", 0.0, str(error))
    quantity, why = found.quantity or ZERO, f"{found.name.replace('_', ' ')}: {found.why}"
    room = _room(asked)
    if room < quantity:
        quantity, why = (
            exact(room),
            f"maximum weight: with what is held or on its way, {asked.risk.sizing.maximum_weight:.0%} of equity",
        )
    if asked.rollout < 1.0:
        quantity = min(quantity, exact(asked.opening)) * exact(asked.rollout)
        why = f"{why}; rollout of capital × {asked.rollout:g}"
    allowed = float(lots.quantity(lots.lots(quantity)))
    return opening(asked, "sizing", inf if allowed >= asked.opening else allowed, why, observed=asked.opening,
                   limit=allowed or None)  # fmt: skip


def _room(asked: Inquiry) -> float:
    """Return the quantity up to which the position in the instrument stays within the sizer's largest weight."""
    if asked.exposures is None or not asked.unit_value:
        return 0.0
    low, high = asked.exposures.ends(asked.signal.symbol)
    held = max(high if asked.sign > 0 else -low, 0.0)
    return asked.quantity_of(max(asked.risk.sizing.maximum_weight - held, 0.0))


def liquidity(asked: Inquiry) -> CheckResult:
    """An order is a small share of the daily volume."""
    if asked.adv is None:
        return skipped("liquidity", "the daily volume is not known")
    if asked.unit_value is None:
        return skipped("liquidity", "the value is not known")
    limit = asked.risk.sizing.participation
    if asked.adv <= 0.0:
        return opening(asked, "liquidity", 0.0, "nothing of it is traded", limit=limit)
    share = asked.unit_value / asked.adv
    observed = share * asked.opening
    return opening(asked, "liquidity", inf if observed <= limit else limit / share, "value / average daily volume",
                   observed=observed, limit=limit)  # fmt: skip
