"""Every reason to turn an order down, what else is recorded then, and what becomes of an order that only reduces."""

from dataclasses import dataclass, field, replace
from math import nan
from typing import Any

import pytest

from rpmcore.decision import decide
from rpmcore.decision.checks.table import CHECKS
from rpmcore.domain.factor_profiles import Loading
from rpmcore.domain.reasons import RejectReason
from tests.decision import worlds
from tests.decision.worlds import DAY, SECOND

HELD = (("trend", "XOM", "500"),)
REGIMES = ("trending", "ranging", "volatile", "stressed")


def profiles(**numbers):
    """All four regimes with the same numbers."""
    return {"adaptive": {"regimes": {"minimum_history": 60, "dwell_days": 1, **dict.fromkeys(REGIMES, numbers)}}}


def without_closes(symbol, kept=50):
    found = worlds.genesis()
    column = found.symbols.index(symbol)
    rows = [list(row) for row in found.closes]
    for row in rows[:-kept]:
        row[column] = None
    return {"closes": tuple(tuple(row) for row in rows)}


def without_last(symbol):
    return {"last": tuple(row for row in worlds.genesis().last if row[0] != symbol)}


def halt(world):
    world.handle(worlds.trip(world))


def break_integrity(world):
    world.handle(worlds.broken(world))


def spam(world, **fields):
    for n in range(2):
        world.handle(worlds.signal(world, at=world.last_at + 1, signal_id=f"spam{n}", **fields))


def lose(world):
    for _ in range(12):
        world.handle(worlds.trade(world, -20_000.0))
    assert world.strategies.state_of("trend").status == "disabled"


def take_headroom(world):
    world.handle(worlds.signal(world, "USDJPY", "sell", 200_000.0))
    world.handle(worlds.signal(world, "SP500", "buy", 9.0, strategy_id="carry"))
    left = world.headroom(world.last_at)
    decision = world.handle(worlds.signal(world, "USDJPY", "buy", float(int(left)))).decision
    assert decision.verdict == "approved"


@dataclass(frozen=True)
class Case:
    """A state of affairs, and an order that opens and is turned down in it.

    `reducing` holds what differs in an order that sells some of what is held; `stops_reducing` whether it fails too.
    """

    reason: RejectReason
    order: dict[str, Any] = field(default_factory=dict)
    sections: dict[str, Any] = field(default_factory=dict)
    changes: Any = dict
    prepare: Any = None
    held: Any = HELD
    reducing: dict[str, Any] = field(default_factory=dict)
    stops_reducing: bool = False
    name: str = ""

    def world(self):
        found = worlds.engine(positions=self.held, chosen=worlds.settings(**self.sections), **self.changes())
        if self.prepare:
            self.prepare(found)
        return found


R = RejectReason
NEXT_WEEK = {"later": 6 * DAY}
CASES = (
    Case(R.INVALID_SIGNAL, {"entry": nan}, reducing={"entry": nan}, stops_reducing=True, name="entry"),
    Case(R.INVALID_SIGNAL, {"quantity": nan}, reducing={"quantity": nan}, stops_reducing=True, name="quantity"),
    Case(R.INVALID_SIGNAL, {"quantity": 10**400}, reducing={"quantity": 10**400}, stops_reducing=True, name="huge"),
    Case(R.INVALID_SIGNAL, {"side": "hold"}, reducing={"side": "hold"}, stops_reducing=True, name="side"),
    Case(R.INVALID_SIGNAL, {"stop": 500.0}, reducing={"stop": 1.0}, stops_reducing=True, name="stop"),
    Case(R.INVALID_SIGNAL, {"risk": 0.01}, reducing={"risk": 0.01}, stops_reducing=True, name="both sizes"),
    Case(R.DUPLICATE_CONFLICT, {"conflict_with": 3}, reducing={"conflict_with": 3}, stops_reducing=True),
    Case(R.CLOCK_REVERSED, {"later": -1}, reducing={"later": -1}, stops_reducing=True),
    Case(R.STALE_SIGNAL, {"age": 61 * SECOND}, reducing={"age": 61 * SECOND}),
    Case(R.STALE_SIGNAL, {"age": -61 * SECOND}, reducing={"age": -61 * SECOND}, name="future"),
    Case(R.KILL_SWITCH, prepare=halt),
    Case(R.HALTED, prepare=break_integrity, stops_reducing=True),
    Case(R.UNKNOWN_STRATEGY, {"strategy_id": "x"}, reducing={"strategy_id": "x"}, stops_reducing=True),
    Case(R.UNKNOWN_SYMBOL, {"symbol": "TSLA"}, reducing={"symbol": "TSLA"}, stops_reducing=True),
    Case(R.NO_PRICE, {"symbol": "XOM"}, changes=lambda: without_last("XOM"), reducing={"entry": 1.0}),
    Case(
        R.NO_PRICE, {"symbol": "SAP"}, changes=lambda: without_last("EURUSD"), name="rate",
        held=(("trend", "SAP", "500"),), reducing={"symbol": "SAP"},
    ),
    Case(R.STALE_PRICE, NEXT_WEEK, reducing=NEXT_WEEK),
    Case(R.STALE_PRICE, NEXT_WEEK, reducing={"entry": 1.0, **NEXT_WEEK}, name="stale prices make no collar"),
    Case(R.INSUFFICIENT_HISTORY, {"symbol": "CVX"}, changes=lambda: without_closes("CVX")),
    Case(R.NO_RISK_MODEL, changes=lambda: without_closes("XOM"), name="what is held has no history"),
    Case(R.NO_RISK_MODEL, changes=lambda: without_last("XOM"), name="what is held has no price"),
    Case(R.NO_RISK_MODEL, {"symbol": "XOM"}, sections={"covariance": {"minimum": 60, "lookback": 60}},
         changes=lambda: {"days": worlds.genesis().days[-50:], "closes": worlds.genesis().closes[-50:]}, name="none"),
    Case(R.PRICE_COLLAR, {"entry": 1.3}, reducing={"entry": 1.0}, stops_reducing=True),
    Case(R.NOT_REDUCING, {"reduce_only": True}, reducing={"reduce_only": True}),
    Case(R.ORDER_QUANTITY, {"quantity": 2e7}, name="largest"),
    Case(R.ORDER_QUANTITY, {"quantity": 0.5}, reducing={"quantity": 0.5}, name="less than a lot"),
    Case(R.ORDER_VALUE, {"symbol": "USDJPY", "quantity": 6e5}),
    Case(R.MESSAGE_THROTTLE, sections={"gate": {"max_messages": 2}}, prepare=spam),
    Case(
        R.REPEATED_EXECUTION, prepare=spam,
        sections={"kill_switches": {"repeated_execution": {"max_executions": 2}}},
    ),
    Case(
        R.STRATEGY_DISABLED, prepare=lose,
        sections={"kill_switches": {"per_strategy": {"max_consecutive_losses": 100, "max_drawdown": 1.0}}},
    ),
    Case(R.EXPOSURE_GROWTH, {"quantity": 5.0}, prepare=take_headroom),
    Case(R.GROSS_EXPOSURE, sections=profiles(gross_exposure=0.01)),
    Case(R.NET_EXPOSURE, sections={"gate": {"net_exposure": 0.01}}),
    Case(R.LEVERAGE, sections=profiles(leverage=0.01)),
    Case(R.RISK_PER_TRADE, {"stop": 1.0}, sections=profiles(risk_per_trade=1e-9)),
    Case(R.VOLATILITY, sections={"limits": {"maximum_volatility": 1e-6, "target_volatility": 1e-6}}),
    Case(R.VALUE_AT_RISK, {"symbol": "SP500", "quantity": 1.0}, sections={"limits": {"value_at_risk": 1e-9}}),
    Case(R.EXPECTED_SHORTFALL, {"symbol": "SP500", "quantity": 1.0}, sections={"limits": {"expected_shortfall": 1e-9}}),
    Case(R.SINGLE_NAME, {"symbol": "XOM"}, sections={"limits": {"single_name": 0.01}}),
    Case(R.SECTOR, {"symbol": "CVX"}, sections={"limits": {"sector": 0.01}}),
    Case(R.BETA, sections={"limits": {"beta": 0.01}}),
    Case(R.FACTOR_EXPOSURE, sections={"limits": {"factor_exposure": 0.01}}),
    Case(R.CURRENCY, sections={"limits": {"currency": 1e-9}}),
    Case(R.LIQUIDITY, {"symbol": "XOM"}, changes=lambda: {"adv": {"XOM": 10.0}}),
    Case(R.LIQUIDITY, {"symbol": "XOM"}, changes=lambda: {"adv": {"XOM": 0.0}}, name="none"),
    Case(R.SIZING, sections={"strategies": {"probation_multiplier": 1e-9}}),
    Case(R.VOLATILITY_TARGET, sections={"limits": {"target_volatility": 1e-6}}),
    Case(R.DEADLINE, {"late_by": 5_000_000}, reducing={"late_by": 5_000_000}),
)  # fmt: skip

SHADOWED = {R.NO_EQUITY}
"""An account without equity is halted, so that the kill switch is the first to say no; see the test below."""

FROM_ELSEWHERE = {R.CHECK_FAILED}
"""Any check that raises; see the tests below."""


def ask(world, order):
    fields = {"quantity": 50.0, **order}
    at = world.last_at + fields.pop("later", SECOND)
    return worlds.signal(world, at=at, made_at=at - fields.pop("age", 0), **fields)


def test_every_reason_is_produced():
    assert {case.reason for case in CASES} | SHADOWED | FROM_ELSEWHERE == set(RejectReason)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.reason.value} {case.name}".strip())
class TestEveryReason:
    def test_it_is_the_reason_and_all_checks_are_recorded(self, case):
        world = case.world()
        decision = world.decide(ask(world, case.order))
        assert (decision.verdict, decision.reason) == ("rejected", case.reason)
        assert decision.approved == 0.0
        assert decision.expires_at is None
        assert [check.name for check in decision.checks] == [check.reason.value for check in CHECKS]
        refused = next(check for check in decision.checks if check.status == "reject")
        assert refused.name == case.reason.value
        assert decision.text
        assert decision.incremental is None
        assert decision.incremental_reason

    def test_an_order_that_only_reduces(self, case):
        world = case.world()
        order = {"symbol": "XOM", "side": "sell", "quantity": 200.0, "signal_id": "reduces", **case.reducing}
        decision = world.handle(ask(world, order)).decision
        if case.stops_reducing:
            assert (decision.verdict, decision.reason) == ("rejected", case.reason)
            return
        assert (decision.verdict, decision.reason) == ("approved", None), decision.text
        assert decision.approved == decision.requested == decision.reducing
        assert {check.status for check in decision.checks} <= {"pass", "exempt", "skipped"}
        (event,) = [e for e in world.handle(worlds.release(world, "reduces")).events if e["type"] == "order"]
        assert event["state"] == "released"

    def test_the_reducing_part_passes_where_the_opening_part_does_not(self, case):
        world = case.world()
        held = case.held[0][1]
        order = {**case.order, **case.reducing, "symbol": case.reducing.get("symbol", held), "side": "sell"}
        if case.stops_reducing or "stop" in order or case.reason in (R.ORDER_QUANTITY, R.ORDER_VALUE, R.NOT_REDUCING):
            return  # what stops reductions stops this too; what is too large is asked for below
        known = world.market.price(order["symbol"])
        order.setdefault("entry", known[0] if known else 1.0)
        decision = world.decide(ask(world, {**order, "quantity": 1200.0}))
        assert decision.reducing == 500.0
        assert decision.approved >= 500.0
        refused = {check.name: check for check in decision.checks if check.status in ("cut", "reject")}
        if case.reason.value in refused:
            assert refused[case.reason.value].largest_passing >= 500.0
            assert decision.verdict == "cut"


@pytest.mark.parametrize("order", [{"quantity": 2e7}, {"quantity": 20_000.0}])
def test_an_order_across_zero_that_is_too_large_keeps_its_reducing_part(order):
    world = worlds.engine(positions=HELD)
    decision = world.decide(worlds.signal(world, "XOM", "sell", **order))
    assert (decision.verdict, decision.approved, decision.reducing) == ("cut", 500.0, 500.0)


@pytest.mark.parametrize("equity", [0.0, -5.0])
def test_an_account_without_equity_opens_nothing(equity):
    world = worlds.engine(positions=HELD)
    world.handle(worlds.equity_mark(world, equity))
    decision = world.decide(worlds.signal(world))
    assert decision.reason is R.KILL_SWITCH
    assert decision.check("no_equity").status == "reject"
    world.handle(worlds.operator(world, "reset"))
    assert world.decide(worlds.signal(world)).reason is R.KILL_SWITCH
    assert world.decide(worlds.signal(world, "XOM", "sell", 500.0)).verdict == "approved"


@pytest.mark.parametrize("place", range(len(CHECKS)), ids=[check.reason.value for check in CHECKS])
def test_a_check_that_raises_refuses(place, monkeypatch):
    def raises(_asked):
        raise ZeroDivisionError("of all things")

    changed = [*CHECKS]
    changed[place] = changed[place]._replace(ask=raises)
    monkeypatch.setattr(decide, "CHECKS", tuple(changed))
    world = worlds.engine(positions=HELD)
    decision = world.decide(worlds.signal(world))
    assert (decision.verdict, decision.reason) == ("rejected", R.CHECK_FAILED)
    assert "of all things" in decision.text
    assert len(decision.checks) == len(CHECKS)
    reducing = world.decide(worlds.signal(world, "XOM", "sell", 100.0))
    assert (reducing.verdict == "rejected") == CHECKS[place].binds_reducing


def test_a_book_that_cannot_be_measured_lets_only_what_reduces_pass(monkeypatch):
    world = worlds.engine(positions=HELD)
    monkeypatch.setattr(type(world), "view", lambda _self, _at: 1 / 0)
    decision = world.decide(worlds.signal(world))
    assert decision.reason is R.NO_RISK_MODEL
    assert "ZeroDivisionError" in decision.text
    assert world.decide(worlds.signal(world, "XOM", "sell", 100.0)).verdict == "approved"


def test_where_no_check_can_be_asked_the_answer_is_no(monkeypatch):
    world = worlds.engine(positions=HELD)
    monkeypatch.setattr(type(world), "limits", lambda _self, _at: 1 / 0)
    decision = world.handle(worlds.signal(world)).decision
    assert (decision.verdict, decision.reason, decision.checks) == ("rejected", R.CHECK_FAILED, ())
    assert not world.account.orders


def test_the_first_refusal_is_the_reason_and_later_ones_are_recorded():
    world = worlds.engine(positions=HELD, chosen=worlds.settings(limits={"currency": 1e-9}))
    halt(world)
    decision = world.decide(worlds.signal(world, entry=9.0, late_by=7))
    refused = [check.name for check in decision.checks if check.status == "reject"]
    assert refused == ["kill_switch", "price_collar", "currency", "deadline"]
    assert decision.reason is R.KILL_SWITCH


def test_a_market_that_stands_still_measures_no_risk():
    found = worlds.genesis()
    column = found.symbols.index("CVX")
    still = tuple((*row[:column], 155.0, *row[column + 1 :]) for row in found.closes)
    world = worlds.DecisionEngine(replace(found, closes=still, last=tuple(
        (s, 155.0 if s == "CVX" else p, at) for s, p, at in found.last)))  # fmt: skip
    decision = world.decide(worlds.signal(world, "CVX", quantity=10.0))
    assert decision.reason is R.INSUFFICIENT_HISTORY
    assert "not moved" in decision.text


def test_an_id_that_still_works_is_not_decided_anew():
    world = worlds.engine()
    first = worlds.signal(world, quantity=1000.0, signal_id="once")
    world.handle(first)
    again = world.handle(worlds.signal(world, quantity=5.0, signal_id="once")).decision
    assert again.reason is R.DUPLICATE_CONFLICT
    assert float(world.account.orders["once"].quantity) == 1000.0


def test_what_is_not_whole_lots_is_rounded_down_and_says_so():
    world = worlds.engine()
    decision = world.decide(worlds.signal(world, quantity=1000.75))
    assert (decision.verdict, decision.approved, decision.binding) == ("cut", 1000.0, "order_quantity")
    assert decision.text == "cut to whole lots"


def test_odd_lots_can_be_closed_to_the_last_digit():
    world = worlds.engine(positions=(("trend", "XOM", "0.30000000000000004"), ("trend", "XOM", "1000000")))
    decision = world.decide(worlds.signal(world, "XOM", "sell", 5_000_000.0))
    assert decision.verdict == "cut"
    assert decision.approved <= 1000000.30000000000000004
    assert decision.approved == decision.reducing


def test_closes_that_come_late_are_as_old_as_they_are():
    world = worlds.engine()
    world.handle(worlds.bar(world, later=30 * DAY, day="2024-07-01"))
    decision = world.handle(worlds.signal(world)).decision
    assert (decision.verdict, decision.reason) == ("rejected", R.STALE_PRICE)


def test_closes_of_a_day_that_is_yet_to_come_are_refused_and_do_not_shut_out_those_that_come():
    world = worlds.engine()
    (event,) = world.handle(worlds.bar(world, later=3 * DAY, day="2204-07-01")).events
    assert event["type"] == "refused"
    assert not any(e["type"] == "refused" for e in world.handle(worlds.bar(world, day="2024-07-02")).events)


def test_factor_exposure_that_falls_only_by_its_bound_lets_nothing_pass():
    """Σ of worse ends is 0.32, of no outcome above 0.24: the order lowers the bound, and takes one outcome to 0.26."""
    loadings = {"XOM": (1.0, 1.0), "CVX": (1.0, -1.0), "SP500": (0.1, -0.3)}
    found = worlds.genesis(chosen=worlds.settings(limits={"factor_exposure": 0.25, "sector": 1.0, "single_name": 1.0}))
    profiles = dict(found.profiles)
    for symbol, (beta, rates) in loadings.items():
        given = {**profiles[symbol].loadings, "beta": Loading(value=beta, source="given")}
        given["rates"] = Loading(value=rates, source="given")
        profiles[symbol] = replace(profiles[symbol], loadings=given)
    price = {symbol: price for symbol, price, _ in found.last}
    held = (("trend", "XOM", str(int(0.1 * worlds.EQUITY / price["XOM"]))),)
    world = worlds.engine(positions=held, chosen=found.settings, profiles=profiles)
    first = world.handle(worlds.signal(world, "CVX", "buy", float(int(0.12 * worlds.EQUITY / price["CVX"])))).decision
    assert first.verdict == "approved", first.text
    asked = worlds.signal(world, "SP500", "buy", float(int(0.05 * worlds.EQUITY / price["SP500"])))
    assert world.decide(asked).reason == R.FACTOR_EXPOSURE


@pytest.mark.parametrize("factor", [1e-8, 0.4, 2.1, 1e6])
@pytest.mark.parametrize("by", ["bar", "quotes"])
def test_a_price_that_may_be_none_opens_nothing_until_somebody_has_looked(factor, by):
    world = worlds.engine(positions=HELD)
    price = worlds.last(world, "CVX") * factor
    if by == "bar":
        world.handle(worlds.bar(world, {"CVX": factor - 1.0}, later=3 * DAY))
    else:
        world.handle(worlds.quotes(world, CVX=price))
    assert world.handle(worlds.signal(world, "CVX", "buy", 5.0, entry=price)).decision.reason == R.KILL_SWITCH
    assert world.handle(worlds.signal(world, "XOM", "sell", 500.0)).decision.verdict == "approved"
    world.handle(worlds.operator(world, "reset", reason="it was a split"))
    assert world.handle(worlds.signal(world, "CVX", "buy", 5.0, entry=price)).decision.reason != R.KILL_SWITCH
