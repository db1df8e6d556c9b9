"""New prices: they value the book, and closes measure risk and the state of the market anew."""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from rpmcore.controls.adaptive_risk import AdaptiveLimits
from rpmcore.controls.command_time import DAY, close_time
from rpmcore.decision.handlers.capital import reviewed
from rpmcore.decision.handlers.common import GATE, Events, controls
from rpmcore.domain.commands import Command, PriceBar, Quotes
from rpmcore.domain.controls import Severity
from rpmcore.domain.decisions import Decision
from rpmcore.domain.errors import InvalidArgument

if TYPE_CHECKING:
    from rpmcore.decision.engine import DecisionEngine

FAR = 2.0
"""A price at more than this many times the last, or its inverse, opens nothing until somebody has looked at it."""


def bar(engine: "DecisionEngine", command: Command, _decision: Decision | None, at: int) -> Events:
    """Take the closes of a day."""
    assert isinstance(command, PriceBar)  # noqa: S101 - the table says so
    engine.market.check(command.closes)
    engine.market.check_day(command.day)
    known = close_time(date.fromisoformat(command.day))
    if known - DAY > at:
        raise InvalidArgument(f"closes of {command.day}, a day that is yet to come")
    far = _far(engine, command.closes)
    # Closes that come late are as old as they are, and not as young as their arrival.
    effect = _revalue(engine, command.closes, min(at, known))
    engine.market.add_closes(command.day, command.closes)
    engine.changed()
    events = _market_read(engine, command, at)
    events += engine.snapshot(at, price_effect=effect, correlation=command.correlation_id)
    events += _questioned(engine, far, at, command.correlation_id)
    if engine.settings.strategies.suspension_days is not None:
        events += reviewed(engine, at)
    return events


def quotes(engine: "DecisionEngine", command: Command, _decision: Decision | None, at: int) -> Events:
    """Take prices between two closes."""
    assert isinstance(command, Quotes)  # noqa: S101
    engine.market.check(command.prices)
    far = _far(engine, command.prices)
    effect = _revalue(engine, command.prices, at)
    engine.changed()
    events = engine.snapshot(at, price_effect=effect, correlation=command.correlation_id)
    return events + _questioned(engine, far, at, command.correlation_id)


def _far(engine: "DecisionEngine", prices: Mapping[str, float]) -> str:
    """Return in words which prices have moved so far from the last that they may be none; empty for none."""
    told = []
    for symbol, price in sorted(prices.items()):
        last = engine.market.price(symbol)
        if last is not None and not 1.0 / FAR <= price / last[0] <= FAR:
            told.append(f"price of {symbol} went from {last[0]:g} to {price:g}")
    return ", ".join(told)


def _questioned(engine: "DecisionEngine", far: str, at: int, correlation: str) -> Events:
    """Halt where a price may be none: sizes and equity hang on it. It is taken all the same, as it may be right."""
    if not far:
        return []
    return controls(engine, engine.kill_switches.trip(
        Severity.HALT, operator=GATE, reason=f"{far}: a slip, a split, or a crash", at=at,
        correlation_id=correlation))  # fmt: skip


def _market_read(engine: "DecisionEngine", command: PriceBar, at: int) -> Events:
    """Show the market after a close to the limits that adapt, once a day."""
    before, reading = engine.limits(at), engine.adaptive.regime_reading
    if reading is not None and at // DAY <= reading.at // DAY:
        return []
    found = engine.market.readings(engine.settings.factors.market, engine.settings.adaptive)
    engine.adaptive.update_market(found, at=at)
    engine.limits_changed()
    now = engine.limits(at)
    events = controls(engine, engine.kill_switches.set_regime(
        now.regime, at=at, correlation_id=command.correlation_id))  # fmt: skip
    if _levels(now) != _levels(before):
        events.append(
            {
                "type": "limits", "day": command.day, "regime": now.regime, "volatility": now.volatility_class,
                "stress_score": now.stress_score, "multiplier": now.multiplier, "risk_per_trade": now.risk_per_trade,
                "gross_exposure": now.gross_exposure, "correlation_stress": now.correlation_stress,
            }
        )  # fmt: skip
    return events


def _levels(limits: AdaptiveLimits) -> tuple[str, str, float]:
    return limits.regime, limits.volatility_class, limits.multiplier


def _revalue(engine: "DecisionEngine", prices: Mapping[str, float], made_at: int) -> float:
    """Take new prices into equity, and return what they make of gross exposure, in account currency.

    A pair earns (S1−S0) X1 a unit, in its quote currency at the new rate; anything else P1 X1 − P0 X0. What had no
    price or no rate before has earned nothing that anybody could know.
    """
    market, account = engine.market, engine.account
    # In the order of their names: a sum must not depend on what was bought first, or a restart would change its bits.
    before = {symbol: (market.price(symbol), market.unit_value(symbol)) for symbol in sorted(account.net)}
    market.quote(prices, made_at)
    gain = effect = 0.0
    for symbol, (price0, value0) in before.items():
        price1, value1, rate1 = market.price(symbol), market.unit_value(symbol), market.rate(symbol)
        quantity, instrument = float(account.net[symbol]), market.instruments[symbol]
        effect += abs(quantity) * ((value1 or 0.0) - (value0 or 0.0))
        if price0 is None or value0 is None or price1 is None or value1 is None or rate1 is None:
            continue
        if instrument.base_currency is None:
            gain += quantity * (value1 - value0)
        else:
            gain += quantity * instrument.contract_size * (price1[0] - price0[0]) * rate1[0]
    engine.earn(gain)
    return effect
