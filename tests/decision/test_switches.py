"""What stops the gate, what counts toward it, and who alone lets it go on."""

import pytest

from rpmcore.domain.controls import Severity, TradingState
from tests.decision import worlds
from tests.decision.worlds import MINUTE, SECOND

HELD = (("trend", "XOM", "500"),)


def counted(world):
    return len(world.kill_switches.state()["rejection_velocity"]["counted"])


@pytest.mark.parametrize("strategy_id", ["trend", "a stranger"])
@pytest.mark.parametrize("scope", ["account", "trend"])
def test_what_a_kill_switch_turns_down_is_not_counted(strategy_id, scope):
    if (strategy_id, scope) == ("a stranger", "trend"):
        scope = "account"
    world = worlds.engine()
    world.handle(worlds.trip(world, scope=scope))
    for _ in range(15):
        outcome = world.handle(worlds.signal(world, strategy_id=strategy_id))
        assert outcome.decision.reason.value == "kill_switch"
    assert counted(world) == 0
    assert world.kill_switches.per_strategy.figures("trend")["rejection_rate"] is None


def test_what_halted_turns_down_is_not_counted():
    world = worlds.engine()
    world.handle(worlds.broken(world))
    for _ in range(15):
        assert world.handle(worlds.signal(world)).decision.reason.value == "halted"
    assert counted(world) == 0
    assert world.severity("trend") is Severity.NONE


def test_a_limit_counts_once_for_a_strategy_symbol_and_reason():
    world = worlds.engine(chosen=worlds.settings(limits={"currency": 1e-9}))
    for _ in range(15):
        assert world.handle(worlds.signal(world, at=world.last_at + 10 * SECOND)).decision.reason.value == "currency"
    assert counted(world) == 1


def test_other_rejections_halt_all():
    world = worlds.engine(positions=HELD)
    for n in range(10):
        world.handle(worlds.signal(world, entry=9.0, strategy_id=("trend", "carry")[n % 2]))
    assert world.trading_state is TradingState.REDUCING
    assert world.decide(worlds.signal(world, "XOM", "sell", 10.0)).verdict == "approved"


@pytest.mark.parametrize("severity", ["halt", "liquidate"])
@pytest.mark.parametrize(("who", "reason"), [("", "all is well"), ("  ", "all is well"), ("Ada", ""), ("Ada", " \t")])
def test_only_a_named_operator_with_a_written_reason_clears(severity, who, reason):
    world = worlds.engine()
    world.handle(worlds.trip(world, severity))
    world.handle(worlds.tick(world, later=30 * worlds.DAY))
    world.handle(worlds.bar(world))
    (refused,) = world.handle(worlds.operator(world, "reset", who=who, reason=reason)).events
    assert refused["type"] == "operator_refused"
    assert world.severity("trend").value == severity
    world.handle(worlds.trip(world, "warning"))
    assert world.severity("trend").value == severity
    world.handle(worlds.operator(world, "reset"))
    assert world.severity("trend") is Severity.NONE


def test_integrity_is_cleared_by_an_operator_alone():
    world = worlds.engine()
    world.handle(worlds.broken(world))
    assert world.trading_state is TradingState.HALTED
    world.handle(worlds.operator(world, "clear_integrity", who=""))
    world.handle(worlds.operator(world, "reset"))
    assert world.trading_state is TradingState.HALTED
    world.handle(worlds.operator(world, "clear_integrity"))
    assert world.trading_state is TradingState.ACTIVE


def test_a_throttle_halves_what_opens_and_not_what_reduces():
    world = worlds.engine(positions=HELD)
    world.handle(worlds.trip(world, "throttle"))
    decision = world.decide(worlds.signal(world, "XOM", "buy", 100.0))
    assert (decision.verdict, decision.approved, decision.binding) == ("cut", 50.0, "kill_switch")
    assert world.decide(worlds.signal(world, "XOM", "sell", 100.0)).verdict == "approved"
    assert world.decide(worlds.signal(world, "XOM", "sell", 700.0)).approved == 600.0


def test_a_loss_of_the_day_halts():
    world = worlds.engine(positions=(("trend", "SP500", "90"),))
    world.handle(worlds.bar(world, {"SP500": -0.20}))
    assert world.trading_state is TradingState.REDUCING


def test_a_loop_is_stopped():
    world = worlds.engine()
    for _ in range(21):
        decision = world.handle(worlds.signal(world, "XOM", quantity=1.0, at=world.last_at + 1)).decision
    assert decision.reason.value == "repeated_execution"
    assert world.severity("trend") is Severity.HALT
    assert world.severity("carry") is Severity.NONE


def test_messages_are_counted_within_their_window():
    chosen = worlds.settings(gate={"max_messages": 3, "message_window_seconds": 60.0})
    world = worlds.engine(chosen=chosen)
    for n in range(3):
        assert world.handle(worlds.signal(world, quantity=10.0 + n)).decision.verdict == "approved"
    assert world.handle(worlds.signal(world)).decision.reason.value == "message_throttle"
    assert world.decide(worlds.signal(world, strategy_id="carry")).verdict == "approved"
    assert world.decide(worlds.signal(world, at=world.last_at + MINUTE)).verdict == "approved"


@pytest.mark.parametrize("price", [float("nan"), 0.0, -1.0, 1e300, float("inf"), True, "1.1"])
def test_prices_that_are_none_are_refused_whole(price):
    world = worlds.engine(positions=HELD)
    before = world.market.state(), world.account.state()
    outcome = world.handle(worlds.quotes(world, EURUSD=1.2, XOM=price))
    assert [e["type"] for e in outcome.events] == ["refused"]
    outcome = world.handle(worlds.quotes(world, TSLA=1.0))
    assert [e["type"] for e in outcome.events] == ["refused"]
    assert (world.market.state(), world.account.state()) == before


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), 1e16, -2e6])
def test_money_that_makes_no_sense_is_refused(amount):
    world = worlds.engine()
    before = world.account.state()
    assert world.handle(worlds.cash_flow(world, amount)).events[-1]["type"] == "refused"
    if amount != -2e6:
        assert world.handle(worlds.equity_mark(world, amount)).events[-1]["type"] == "refused"
    assert world.account.state() == before


def test_a_trade_from_the_future_is_refused():
    world = worlds.engine()
    later = world.last_at + worlds.DAY
    assert world.handle(worlds.trade(world, 5.0, closed_at=later)).events[-1]["type"] == "refused"
    assert world.handle(worlds.trade(world, 5.0, strategy_id="stranger")).events[-1]["type"] == "refused"


def test_a_clock_set_back_is_told_and_time_goes_on():
    world = worlds.engine()
    world.handle(worlds.tick(world, later=MINUTE))
    before = world.last_at
    (event, *_) = world.handle(worlds.equity_mark(world, 999_000.0)).events or ({},)
    back = worlds.release(world, "none", 1.0, at=before - MINUTE)
    (event, *_) = world.handle(back).events
    assert (event["type"], event["told"]) == ("clock_reversed", before - MINUTE)
    assert world.last_at > before


def test_pins_tighten_at_once():
    world = worlds.engine()
    loose = world.limits(world.last_at).gross_exposure
    world.handle(worlds.operator(world, "pin_regime", value="stressed"))
    assert world.limits(world.last_at).gross_exposure < loose / 2
    world.handle(worlds.operator(world, "release_pin"))
    assert world.limits(world.last_at).gross_exposure == loose


def test_old_readings_of_the_market_are_taken_at_their_worst():
    world = worlds.engine()
    assert world.limits(world.last_at).complete is not False
    late = world.decide(worlds.signal(world, quantity=10_000.0, at=world.last_at + 6 * worlds.DAY))
    assert late.check("gross_exposure").limit < world.limits(world.last_at).gross_exposure / 4
