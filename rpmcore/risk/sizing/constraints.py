"""Every constraint on the size of a trade, as the largest quantity that passes it."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from math import inf, sqrt
from statistics import NormalDist

from rpmcore.risk.sizing.exact import CONTEXT, exact
from rpmcore.risk.sizing.kelly import continuous_kelly, fractional_kelly, kelly_fraction, wilson_lower_bound
from rpmcore.risk.sizing.multipliers import drawdown_multiplier, expectancy, expectancy_multiplier
from rpmcore.risk.sizing.request import MULTIPLIERS, SizingRequest, TradeRecord
from rpmcore.risk.sizing.settings import SizingSettings
from rpmcore.risk.sizing.units import unit_loss, unit_value
from rpmcore.risk.sizing.volatility_target import largest_change


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """What a quantity of one is worth, and what it loses (None where no stop and no volatility is known)."""

    value: Decimal
    loss: Decimal | None
    loss_source: str

    @classmethod
    def of(cls, request: SizingRequest, settings: SizingSettings) -> "Units":
        """Return both in account currency; raises as `rpmcore.risk.sizing.units`."""
        value = unit_value(request.instrument, request.entry, request.account, request.rate)
        if request.stop is not None:
            at_stop = request.rate if request.rate_at_stop is None else request.rate_at_stop
            loss = unit_loss(request.instrument, request.side, request.entry, request.stop, request.account, at_stop)
            return cls(value=value, loss=loss, loss_source="at the stop")
        if not request.daily_volatility:
            return cls(value=value, loss=None, loss_source="neither a stop nor the volatility is known")
        share = CONTEXT.multiply(exact(settings.volatility_stop), exact(request.daily_volatility))
        source = f"at {settings.volatility_stop:g} daily volatilities of {request.daily_volatility:.2%}"
        return cls(value=value, loss=CONTEXT.multiply(value, share), loss_source=source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A constraint before it is put into money; quantity None where it sets no limit."""

    name: str
    quantity: Decimal | None
    why: str
    multiplier: float | None = None


def all_bounds(request: SizingRequest, settings: SizingSettings, units: Units, target: float) -> list[Bound]:
    """Return every constraint: first the appetite for risk, factor by factor, then what the market and rules allow.

    Factors multiply the smallest of risk per trade, Kelly and the largest position, one after the other, or, where
    neither of the first two is known, what the volatility target has room for; the expectancy acts on the risk per
    trade alone, because Kelly knows it already.
    """
    room = _volatility_target(request, units, target)
    appetite = [_risk_per_trade(request, settings, units)]
    appetite.append(_expectancy(request, settings, appetite[0].quantity))
    appetite += [_kelly(request, settings, units), _kelly_continuous(request, settings, units)]
    size = min((b.quantity for b in appetite if b.quantity is not None), default=room.quantity)
    cap = _maximum_weight(request, settings, units)
    appetite.append(cap)
    if size is not None and cap.quantity is not None:
        # With a stop that is very near the factors would else scale a size that nobody could have taken.
        size = min(size, cap.quantity)
    for name, factor, why in _factors(request, settings):
        if factor is None:
            appetite.append(Bound(name=name, quantity=None, why=why))
            continue
        if size is not None:
            size = CONTEXT.multiply(size, exact(factor))
        # Without a size to scale, none is still none.
        shown = Decimal(0) if factor == 0.0 else size
        appetite.append(Bound(name=name, quantity=shown, why=why, multiplier=factor))
    return [
        *appetite,
        room,
        _liquidity(request, settings, units),
        _spread(request, settings, units),
        _maximum_lot(request),
    ]


def _risk_per_trade(request: SizingRequest, settings: SizingSettings, units: Units) -> Bound:
    if units.loss is None:
        return Bound(name="risk_per_trade", quantity=None, why=units.loss_source)
    money = CONTEXT.multiply(exact(request.capital), exact(settings.risk_per_trade))
    why = f"{_percent(settings.risk_per_trade)} of capital may be lost {units.loss_source}"
    return Bound(name="risk_per_trade", quantity=CONTEXT.divide(money, units.loss), why=why)


def _too_few(record: TradeRecord | None, settings: SizingSettings) -> str | None:
    if record is None:
        return "no record of trades"
    if record.trades < settings.minimum_trades:
        return f"insufficient: {record.trades} trade(s), {settings.minimum_trades} needed"
    return None


def _expectancy(request: SizingRequest, settings: SizingSettings, base: Decimal | None) -> Bound:
    record = request.record
    absent = _too_few(record, settings)
    if record is None or absent:
        return Bound(name="expectancy", quantity=None, why=str(absent))
    found = expectancy(record.win_rate, record.average_win, record.average_loss)
    factor = expectancy_multiplier(found, settings.full_expectancy)
    why = f"{found:+.3f} average losses a trade; the risk per trade is whole from {settings.full_expectancy:g}"
    if base is None:
        return Bound(name="expectancy", quantity=None if factor else Decimal(0), why=why, multiplier=factor)
    return Bound(name="expectancy", quantity=CONTEXT.multiply(base, exact(factor)), why=why, multiplier=factor)


def _of_capital(weight: float | Decimal, request: SizingRequest, units: Units) -> Decimal:
    return CONTEXT.divide(CONTEXT.multiply(exact(weight), exact(request.capital)), units.value)


def _kelly(request: SizingRequest, settings: SizingSettings, units: Units) -> Bound:
    record = request.record
    absent = _too_few(record, settings)
    if record is None or absent:
        return Bound(name="kelly", quantity=None, why=str(absent))
    z = NormalDist().inv_cdf(settings.kelly_confidence)
    rate = wilson_lower_bound(record.win_rate, record.trades, z)
    win, loss = record.average_win - z * record.win_error, record.average_loss + z * record.loss_error
    bounds = f"win rate {record.win_rate:.1%}, at least {rate:.1%}"
    if not (record.win_error and record.loss_error):
        bounds += "; averages taken as exact"
    if win <= 0.0:
        return Bound(name="kelly", quantity=Decimal(0), why=f"{bounds}; the average win may be zero")
    full = kelly_fraction(rate, win, loss)
    stake = fractional_kelly(full, settings.kelly_fraction, settings.kelly_cap)
    why = f"{_kelly_words(full, stake, settings)}: {bounds}"
    return Bound(name="kelly", quantity=_of_capital(stake, request, units), why=why)


def _kelly_continuous(request: SizingRequest, settings: SizingSettings, units: Units) -> Bound:
    name, expected = "kelly_continuous", request.expected
    if expected is None:
        return Bound(name=name, quantity=None, why="no expected return")
    sign = 1.0 if request.side == "buy" else -1.0
    low = sign * expected.excess - NormalDist().inv_cdf(settings.kelly_confidence) * expected.error
    if not request.annual_volatility:
        none = Decimal(0) if low <= 0.0 else None
        return Bound(name=name, quantity=none, why=f"the instrument does not move, and returns at least {low:+.1%}")
    full = float(continuous_kelly(low, request.annual_volatility * request.annual_volatility)[0])
    stake = fractional_kelly(full, settings.kelly_fraction, settings.kelly_cap)
    why = f"{_kelly_words(full, stake, settings)}: at least {low:+.1%} a year in excess of cash"
    held = _held(request)
    if held > 0:
        # The fraction is of the whole position: asked twice, it would else be held twice.
        why += f", {_percent(float(held))} held"
    room = max(CONTEXT.subtract(exact(stake), max(held, Decimal(0))), Decimal(0))
    return Bound(name=name, quantity=_of_capital(room, request, units), why=why)


def _held(request: SizingRequest) -> Decimal:
    """Return the weight that is held of the instrument, positive where the trade adds to it."""
    weight = Decimal(0) if request.book is None else exact(request.book.weight)
    return weight if request.side == "buy" else CONTEXT.minus(weight)


def _kelly_words(full: float, stake: float, settings: SizingSettings) -> str:
    if full <= 0.0:
        return f"no edge, full Kelly {full:.3g}"
    capped = " (cap)" if stake == settings.kelly_cap else ""
    return f"{settings.kelly_fraction:g} × full Kelly {full:.3g}{capped}"


def _factors(request: SizingRequest, settings: SizingSettings) -> Iterator[tuple[str, float | None, str]]:
    for name in MULTIPLIERS:
        factor = getattr(request, name)
        # A strategy without a record has fewer trades than one with a short record.
        judged = request.record is not None or request.strategy_id is not None
        if factor is None and name == "strategy_health" and judged:
            absent = _too_few(request.record, settings)
            if absent:
                yield name, settings.probation, f"× {settings.probation:g}: probation, {absent}"
                continue
        yield name, factor, "not given" if factor is None else f"× {factor:g}"
    if request.drawdown is None:
        yield "drawdown", None, "not given"
        return
    factor = drawdown_multiplier(request.drawdown, settings.drawdown_start, settings.drawdown_end)
    span = f"{settings.drawdown_start:.0%} to {settings.drawdown_end:.0%}"
    yield "drawdown", factor, f"× {factor:.4g} in a drawdown of {request.drawdown:.1%}; sizes shrink from {span}"


def _volatility_target(request: SizingRequest, units: Units, target: float) -> Bound:
    name, book = "volatility_target", request.book
    if book is None or request.annual_volatility is None:
        return Bound(name=name, quantity=None, why="neither a book nor prices are given")
    sign = 1 if request.side == "buy" else -1
    own = request.annual_volatility * request.annual_volatility
    weight = largest_change(book.variance, book.product, own, target, sign)
    now = sqrt(book.variance)
    why = f"book at {now:.1%} a year, target {target:.1%}"
    if now > target:
        why += ": only a trade that reduces it passes" if weight else ": this trade does not reduce it"
    if weight == inf:
        return Bound(name=name, quantity=None, why=f"{why}; the instrument does not move")
    return Bound(name=name, quantity=_of_capital(weight, request, units), why=why)


def _maximum_weight(request: SizingRequest, settings: SizingSettings, units: Units) -> Bound:
    why = f"{_percent(settings.maximum_weight)} of capital in one instrument"
    held = _held(request)
    if held:
        why += f", {_percent(abs(float(held)))} held {'on the same side' if held > 0 else 'the other way'}"
    room = max(CONTEXT.subtract(exact(settings.maximum_weight), held), Decimal(0))
    return Bound(name="maximum_weight", quantity=_of_capital(room, request, units), why=why)


def _liquidity(request: SizingRequest, settings: SizingSettings, units: Units) -> Bound:
    if request.adv is None:
        return Bound(name="liquidity", quantity=None, why="the daily volume is not known")
    money = CONTEXT.multiply(exact(request.adv), exact(settings.participation))
    why = f"{_percent(settings.participation)} of a daily volume of {request.adv:,.0f}"
    return Bound(name="liquidity", quantity=CONTEXT.divide(money, units.value), why=why)


def _spread(request: SizingRequest, settings: SizingSettings, units: Units) -> Bound:
    if request.spread_bps is None:
        return Bound(name="spread", quantity=None, why="the spread is not known")
    if request.spread_bps == 0.0:
        return Bound(name="spread", quantity=None, why="crossing it costs nothing")
    money = CONTEXT.multiply(exact(request.capital), exact(settings.spread_cost))
    cost = CONTEXT.multiply(units.value, CONTEXT.divide(exact(request.spread_bps), Decimal(10_000)))
    why = f"{_percent(settings.spread_cost)} of capital may go for a spread of {request.spread_bps:g} bp"
    return Bound(name="spread", quantity=CONTEXT.divide(money, cost), why=why)


def _maximum_lot(request: SizingRequest) -> Bound:
    maximum = request.lots.maximum
    if maximum is None:
        return Bound(name="maximum_lot", quantity=None, why="none")
    return Bound(name="maximum_lot", quantity=maximum, why="the largest order")


def _percent(fraction: float) -> str:
    return f"{100.0 * fraction:.4g} %"
