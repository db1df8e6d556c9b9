"""All kill switches together: what is allowed, what latches, what a reset clears, and against a model."""

import json
import os
import random

import hypothesis.strategies as st
import pytest
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rpmcore.controls.kill_switch_settings import KillSwitchesSettings, RejectionVelocitySettings
from rpmcore.controls.manager import AdvancedKillSwitchManager
from rpmcore.controls.rejection_velocity import RejectionVelocityKillSwitch
from rpmcore.domain.controls import (
    DuplicateCommand,
    RejectionCause,
    Request,
    Severity,
    TimeReversed,
    TradingState,
    UnknownStrategy,
)
from rpmcore.domain.errors import ConfigurationError, InvalidArgument
from rpmcore.domain.settings import changed
from tests.oracles.kill_switches import Manager

MINUTE = 60_000_000_000
STRATEGIES = {"a": 1024.0, "b": 1024.0}
BY_ADA = {"operator": "Ada", "reason": "looked into it"}


@pytest.fixture
def manager():
    return AdvancedKillSwitchManager(equity=1000.0, strategies=STRATEGIES)


def reject(manager, count, at=0, **extra):
    for _ in range(count):
        manager.record_rejection("a", "X", "bad price", at=at, **extra)


def test_the_specification_s_call_style():
    now = iter(range(1000))
    manager = AdvancedKillSwitchManager(clock=lambda: next(now), equity=1000.0, strategies={"trend": 100.0})
    assert manager.is_trading_allowed()
    manager.record_rejection(strategy_id="trend", symbol="EURUSD", reason="Risk limit breach")
    manager.record_snapshot(gross_exposure=500.0, net_leverage=0.2)
    for _ in range(5):
        manager.record_strategy_trade(strategy_id="trend", pnl=-1.0)
    assert manager.is_trading_allowed()
    assert not manager.is_trading_allowed("trend")
    (event,) = [e for e in manager.events if e.after is Severity.HALT]
    assert (event.scope, event.switch, event.correlation_id) == ("trend", "per_strategy", "ks-7")
    assert manager.statistics()["counts"]["per_strategy.halt"] == 1


def test_severities_rise_from_warning_to_liquidate():
    assert sorted(Severity, key=lambda s: s.rank) == [
        Severity.NONE,
        Severity.WARNING,
        Severity.THROTTLE,
        Severity.HALT,
        Severity.LIQUIDATE,
    ]


def test_what_each_severity_leaves_open(manager):
    for severity, allowed, size, state in (
        (Severity.WARNING, True, 1.0, TradingState.ACTIVE),
        (Severity.THROTTLE, True, 0.5, TradingState.ACTIVE),
        (Severity.HALT, False, 0.0, TradingState.REDUCING),
        (Severity.LIQUIDATE, False, 0.0, TradingState.REDUCING),
    ):
        (event,) = manager.trip(severity, at=0, **BY_ADA)
        assert manager.is_trading_allowed(at=0) is allowed
        assert manager.is_trading_allowed("a", at=0) is allowed
        assert manager.size_multiplier(at=0) == size
        assert manager.trading_state() is state
        assert manager.admits(reducing=True, at=0)
        assert manager.admits(reducing=False, at=0) is allowed
        assert (Request.CANCEL_WORKING_ORDERS in event.requests) is not allowed
        assert (Request.FLATTEN in event.requests) is (severity is Severity.LIQUIDATE)


def test_throttle_ends_by_itself_when_the_window_empties(manager):
    reject(manager, 6)
    assert manager.size_multiplier(at=1) == 0.5
    assert manager.size_multiplier(at=5 * MINUTE) == 1.0


def test_a_halt_is_cleared_by_a_named_operator_with_a_reason_alone(manager):
    reject(manager, 10)
    assert not manager.is_trading_allowed(at=60 * MINUTE)
    for missing in ({"operator": " ", "reason": "x"}, {"operator": "Ada", "reason": ""}):
        with pytest.raises(InvalidArgument, match="named operator"):
            manager.reset(at=60 * MINUTE, **missing)
    assert not manager.is_trading_allowed(at=60 * MINUTE)
    (event,) = manager.reset(at=60 * MINUTE, **BY_ADA)
    assert (event.operator, event.before, event.after) == ("Ada", Severity.HALT, Severity.NONE)
    assert manager.is_trading_allowed(at=60 * MINUTE)


def test_what_stands_says_how_severe_and_why(manager):
    assert manager.standing() == ()
    reject(manager, 10)
    ((severity, why),) = manager.standing()
    assert severity is Severity.HALT
    assert why.startswith("rejection_velocity: rejections in the window: 10 against 10")
    manager.trip(Severity.HALT, operator="Ada", reason="drill", scope="b", at=60 * MINUTE)
    assert manager.standing("b") == ((Severity.HALT, "operator: drill (Ada)"),)
    restored = AdvancedKillSwitchManager()
    restored.restore(manager.state())
    assert restored.standing("b") == manager.standing("b")
    with pytest.raises(InvalidArgument, match="'nobody' is neither"):
        manager.standing("nobody")


def test_a_reset_does_not_clear_what_is_still_true(manager):
    reject(manager, 10)
    (event,) = manager.reset(at=5 * MINUTE - 1, **BY_ADA)
    assert event.after is Severity.HALT
    assert "still true" in event.reason
    assert not manager.is_trading_allowed(at=5 * MINUTE)


def test_a_reset_of_one_scope_leaves_the_others(manager):
    for name in "ab":
        for _ in range(5):
            manager.record_strategy_trade(name, -1.0, at=0)
    manager.reset(at=1, scope="a", **BY_ADA)
    assert not manager.is_trading_allowed("a", at=1)  # five losses in a row are still five
    manager.reset(at=1, scope="a", measure_anew=True, **BY_ADA)
    manager.reset(at=1, **BY_ADA)
    assert manager.is_trading_allowed("a", at=1)
    assert not manager.is_trading_allowed("b", at=1)


def test_rejections_by_an_active_switch_never_count_and_by_an_idle_one_do(manager):
    reject(manager, 10)
    for _ in range(50):
        manager.record_rejection("a", "X", "Kill switch active", at=4 * MINUTE)
    assert manager.statistics()["counts"]["rejections_by_switch"] == 50
    manager.reset(at=5 * MINUTE, **BY_ADA)
    assert manager.is_trading_allowed(at=5 * MINUTE)
    for _ in range(10):
        manager.record_rejection("a", "X", "whatever", cause=RejectionCause.KILL_SWITCH, at=6 * MINUTE)
    assert not manager.is_trading_allowed(at=6 * MINUTE)


def test_shrunken_limits_do_not_trip_the_switch_by_themselves(manager):
    for i in range(1000):
        manager.record_rejection("a", "X", "Risk limit breach", at=i)
    assert manager.severity("a") is Severity.NONE
    assert manager.statistics()["counts"]["rejections_repeated"] == 999


def test_rejections_of_a_strategy_that_nobody_knows_count_for_the_account(manager):
    events = ()
    for i in range(10):
        events = manager.record_rejection("ghost", "X", "bad price", at=i)
    assert any("not known" in event.reason for event in events)
    assert not manager.is_trading_allowed(at=10)


def test_a_snapshot_with_equity_watches_losses_too(manager):
    manager.record_snapshot(100.0, 0.1, at=0)
    manager.record_snapshot(100.0, 0.1, equity=970.0, at=1)
    assert not manager.is_trading_allowed(at=1)


def test_exposure_that_was_approved_does_not_halt(manager):
    manager.record_snapshot(0.0, 0.0, at=0)
    manager.record_approval(900.0, strategy_id="a", at=0)
    manager.record_snapshot(900.0, 0.9, at=5 * MINUTE)
    assert manager.severity() is Severity.THROTTLE
    manager.record_snapshot(1300.0, 0.9, at=10 * MINUTE)
    assert manager.severity() is Severity.HALT


def test_repeated_orders_disable_their_strategy(manager):
    for i in range(21):
        manager.record_order("a", "X", "buy", at=i)
    assert not manager.is_trading_allowed("a", at=30)
    assert manager.is_trading_allowed("b", at=30)


# The table "Bad input" of docs/controls.md, row by row.
REFUSED = {
    "time runs backwards": (lambda m: m.record_rejection("a", "X", "r", at=9), TimeReversed),
    "a question of the past": (lambda m: m.is_trading_allowed(at=9), TimeReversed),
    "no time": (lambda m: m.is_trading_allowed(), InvalidArgument),
    "time that is no integer": (lambda m: m.record_rejection("a", "X", "r", at=11.0), InvalidArgument),
    "a duplicate": (lambda m: m.record_rejection("a", "X", "r", at=11, command_id="one"), DuplicateCommand),
    "exposure NaN": (lambda m: m.record_snapshot(float("nan"), 0.0, at=11), InvalidArgument),
    "exposure negative": (lambda m: m.record_snapshot(-1.0, 0.0, at=11), InvalidArgument),
    "leverage NaN": (lambda m: m.record_snapshot(1.0, float("nan"), at=11), InvalidArgument),
    "equity NaN": (lambda m: m.record_snapshot(1.0, 0.0, equity=float("nan"), at=11), InvalidArgument),
    "equity infinite": (lambda m: m.record_equity(float("inf"), at=11), InvalidArgument),
    "P&L NaN": (lambda m: m.record_strategy_trade("a", float("nan"), at=11), InvalidArgument),
    "P&L of nobody": (lambda m: m.record_strategy_trade("ghost", 1.0, at=11), UnknownStrategy),
    "order of nobody": (lambda m: m.record_order("ghost", "X", "buy", at=11), UnknownStrategy),
    "approval of nobody": (lambda m: m.record_approval(1.0, strategy_id="ghost", at=11), UnknownStrategy),
    "approval negative": (lambda m: m.record_approval(-1.0, at=11), InvalidArgument),
    "a side": (lambda m: m.record_order("a", "X", "long", at=11), InvalidArgument),
    "a regime": (lambda m: m.set_regime("calm", at=11), InvalidArgument),
    "a scope": (lambda m: m.trip(Severity.HALT, scope="ghost", at=11, **BY_ADA), UnknownStrategy),
    "a trip to nothing": (lambda m: m.trip(Severity.NONE, at=11, **BY_ADA), InvalidArgument),
    "a strategy twice": (lambda m: m.register_strategy("a", 1.0), InvalidArgument),
    "a strategy called account": (lambda m: m.register_strategy("account", 1.0), InvalidArgument),
    "a payment of all": (lambda m: m.record_cash_flow(-1000.0, at=11), InvalidArgument),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_and_changes_nothing(manager, case):
    manager.record_snapshot(100.0, 0.1, equity=1000.0, at=10, command_id="one")
    before = manager.state()
    command, error = REFUSED[case]
    with pytest.raises(error):
        command(manager)
    assert manager.state() == before


def test_what_cannot_be_judged_is_closed(manager):
    assert not manager.is_trading_allowed("ghost", at=0)
    manager.record_equity(0.0, at=0)
    assert not manager.is_trading_allowed(at=0)
    assert AdvancedKillSwitchManager(equity=1.0).set_regime(None, at=0) == ()


def test_without_equity_a_snapshot_is_refused_with_the_remedy():
    with pytest.raises(InvalidArgument, match="record_equity"):
        AdvancedKillSwitchManager().record_snapshot(1.0, 0.0, at=0)


@pytest.mark.parametrize(
    "damage",
    [
        {"schema": "rpm.kill_switches/9"},
        {"account": {}},
        {"journal": None},
        {"opening": float("nan")},
        {"exposure_velocity": {"numbers": [float("inf")]}},
        {"rejection_velocity": {**RejectionVelocityKillSwitch().state(), "regime": "calm"}},
    ],
)
def test_a_state_that_is_damaged_is_refused_and_changes_nothing(manager, damage):
    reject(manager, 10)
    before = manager.state()
    with pytest.raises(InvalidArgument, match=r"state|finite"):
        manager.restore({**before, **damage})
    assert manager.state() == before
    assert not manager.is_trading_allowed(at=1)


@pytest.mark.parametrize("scope", ["account", "a"])
def test_an_older_state_does_not_clear_a_halt(manager, scope):
    older = manager.state()
    manager.trip(Severity.HALT, scope=scope, at=0, **BY_ADA)
    halted = manager.state()
    with pytest.raises(InvalidArgument, match="named operator"):
        manager.restore(older)
    assert manager.state() == halted
    manager.trip(Severity.LIQUIDATE, scope=scope, at=1, **BY_ADA)
    with pytest.raises(InvalidArgument, match="named operator"):
        manager.restore(halted)
    assert not manager.is_trading_allowed("a", at=1)


def test_a_trip_to_no_severity_is_refused(manager):
    for wrong in ("halt", None, 3):
        with pytest.raises(InvalidArgument, match=r"Severity\.HALT"):
            manager.trip(wrong, at=0, **BY_ADA)


def test_a_snapshot_that_is_refused_opens_no_day():
    manager = AdvancedKillSwitchManager(equity=1000.0)
    before = manager.state()
    with pytest.raises(InvalidArgument, match="equity is nan"):
        manager.record_snapshot(1.0, 0.0, equity=float("nan"), at=0)
    assert manager.state() == before


def test_a_state_is_restored_under_other_settings(manager):
    reject(manager, 10)
    manager.reset(at=5 * MINUTE, **BY_ADA)
    fewer = KillSwitchesSettings(rejection_velocity=RejectionVelocitySettings(max_rejections=2))
    other = AdvancedKillSwitchManager(fewer)
    other.restore(manager.state())
    assert other.is_trading_allowed("a", at=5 * MINUTE) is manager.is_trading_allowed("a", at=5 * MINUTE)
    reject(other, 2, at=5 * MINUTE)
    assert not other.is_trading_allowed(at=5 * MINUTE)


def test_thresholds_that_cannot_work_together_are_refused():
    for name, value in (("clear_share", 0.7), ("throttle_multiplier", 1.0)):
        with pytest.raises(ConfigurationError):
            changed(KillSwitchesSettings(), {name: value})


def act(manager, rng, at):
    """One random command; what it answers."""
    name, roll = rng.choice("ab"), rng.randrange(9)
    if roll == 0:
        return manager.record_snapshot(rng.uniform(0, 900), rng.uniform(-1, 1), at=at)
    if roll == 1:
        return manager.record_strategy_trade(name, rng.gauss(0.1, 5.0), at=at)
    if roll == 2:
        return manager.record_approval(rng.uniform(0, 100), strategy_id=name, at=at)
    if roll == 3:
        return manager.record_equity(rng.uniform(985, 1010), at=at)
    if roll == 4:
        return manager.record_order(name, rng.choice("XYZ"), rng.choice(["buy", "sell"]), at=at)
    if roll == 5:
        return manager.set_regime(rng.choice(["trending", "ranging", "volatile", "stressed", None]), at=at)
    if roll == 6 and rng.random() < 0.2:
        scope = rng.choice(["account", "a", "b"])
        return manager.reset(scope=scope, measure_anew=rng.random() < 0.5, at=at, **BY_ADA)
    if roll == 7:
        return manager.size_multiplier(name, at=at), manager.is_trading_allowed(at=at)
    reason = rng.choice(["bad price", "Risk limit breach", "kill switch", "gross limit"])
    return manager.record_rejection(name, rng.choice("XYZ"), reason, at=at, command_id=str(at))


def test_a_state_saved_at_any_point_continues_identically():
    at, rng = 0, random.Random(7)  # noqa: S311 - the same run each time
    going = AdvancedKillSwitchManager(equity=1000.0, strategies=STRATEGIES)
    for i in range(10_000):
        if i % 500 == 250:
            saved = json.loads(json.dumps(going.state(), allow_nan=False))
            restored = AdvancedKillSwitchManager(equity=1.0)
            restored.restore(saved)
            assert restored.state() == saved
            times, twin = at, random.Random()  # noqa: S311
            twin.setstate(rng.getstate())
            ahead = [act(restored, twin, times := times + 1 + twin.randrange(MINUTE)) for _ in range(500)]
            assert [act(going, rng, at := at + 1 + rng.randrange(MINUTE)) for _ in range(500)] == ahead  # noqa: RUF018
            assert going.state() == restored.state()
        else:
            act(going, rng, at := at + 1 + rng.randrange(MINUTE))
    assert going.statistics()["counts"]["events"] > 100


def test_memory_is_bounded():
    events = 10_000_000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 20_000
    settings = KillSwitchesSettings(event_log=100, remembered_ids=100)
    manager = AdvancedKillSwitchManager(settings, equity=1000.0, strategies=STRATEGIES)
    largest, rng = 0, random.Random(1)  # noqa: S311 - the same run each time
    for i in range(events):
        act(manager, rng, i * 1000)
        if i % (events // 10) == events // 10 - 1:
            largest = max(largest, len(json.dumps(manager.state())))
    assert largest < 200_000


class AgainstTheModel(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.at, self.manager = 0, AdvancedKillSwitchManager(equity=1024.0, strategies=STRATEGIES)
        self.model = Manager(1024.0, STRATEGIES)

    steps = st.sampled_from([0, 1, MINUTE // 2, 5 * MINUTE])
    names = st.sampled_from("ab")

    @rule(
        step=steps,
        name=names,
        symbol=st.sampled_from("XY"),
        cause=st.sampled_from(list(RejectionCause)),
        times=st.integers(1, 6),
    )
    def reject(self, step, name, symbol, cause, times):
        self.at += step
        for _ in range(times):
            self.manager.record_rejection(name, symbol, "why", cause=cause, at=self.at)
            self.model.rejection(self.at, name, symbol, "why", cause.value)

    @rule(step=steps, name=names, pnl=st.integers(-30, 30))
    def trade(self, step, name, pnl):
        self.at += step
        self.manager.record_strategy_trade(name, float(pnl), at=self.at)
        self.model.trade(name, float(pnl))

    @rule(step=steps, name=names, amount=st.integers(0, 200))
    def approve(self, step, name, amount):
        self.at += step
        self.manager.record_approval(float(amount), strategy_id=name, at=self.at)
        self.model.approval(self.at, float(amount), name)

    # Snapshots nearer than a thousandth of the interval are held as one; the model does not.
    @rule(
        step=st.sampled_from([MINUTE // 60, 2 * MINUTE, 5 * MINUTE, 6 * MINUTE]),
        gross=st.integers(0, 512),
        equity=st.integers(1000, 1030),
    )
    def snapshot(self, step, gross, equity):
        self.at += step
        self.manager.record_snapshot(float(gross), 0.0, equity=float(equity), at=self.at)
        self.model.snapshot(self.at, float(gross), float(equity))

    @rule(step=steps, name=names, times=st.integers(1, 12))
    def order(self, step, name, times):
        self.at += step
        for _ in range(times):
            self.manager.record_order(name, "X", "buy", at=self.at)
            self.model.repeats.record(self.at, name, "X", "buy")

    @rule(scope=st.sampled_from(["account", "a", "b"]), severity=st.sampled_from(list(Severity)[1:]))
    def trip(self, scope, severity):
        self.manager.trip(severity, scope=scope, at=self.at, **BY_ADA)
        self.model.by_hand[scope] = max(self.model.by_hand[scope], severity.value, key=lambda s: Severity(s).rank)

    @rule()
    def save_and_restore(self):
        saved = json.loads(json.dumps(self.manager.state()))
        self.manager = AdvancedKillSwitchManager()
        self.manager.restore(saved)
        assert self.manager.state() == saved

    @invariant()
    def agree(self):
        for name in (None, "a", "b", "ghost"):
            expected = self.model.severity(name)
            assert self.manager.severity(name).value == expected
            assert self.manager.is_trading_allowed(name, at=self.at) is (expected not in ("halt", "liquidate"))


TestAgainstTheModel = AgainstTheModel.TestCase


def test_a_desk_s_own_thresholds():
    settings = KillSwitchesSettings(rejection_velocity=RejectionVelocitySettings(max_rejections=2, window_minutes=1))
    manager = AdvancedKillSwitchManager(settings, equity=1000.0, strategies=STRATEGIES)
    reject(manager, 2)
    assert not manager.is_trading_allowed(at=0)


def test_a_snapshot_that_cannot_be_judged_moves_no_other_switch():
    manager = AdvancedKillSwitchManager(equity=1_000_000.0)
    manager.record_snapshot(100_000.0, 0.1, equity=1_000_000.0, at=0)
    before = manager.state()
    with pytest.raises(InvalidArgument, match="price effect"):
        manager.record_snapshot(100_000.0, 0.1, equity=500_000.0, price_effect=-1e30, at=MINUTE)
    assert manager.state() == before
