"""One strategy that fails is disabled, and no other."""

import json

import hypothesis.strategies as st
import pytest
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rpmcore.controls.kill_switch_settings import PerStrategySettings
from rpmcore.controls.per_strategy import PerStrategyKillSwitch
from rpmcore.domain.controls import Severity, UnknownStrategy
from rpmcore.domain.errors import InvalidArgument
from tests.oracles.kill_switches import Strategy


@pytest.fixture
def switch():
    both = PerStrategyKillSwitch()
    both.register("a", 1000.0)
    both.register("b", 1000.0)
    return both


def test_the_specification_s_numbers_are_the_defaults():
    settings = PerStrategySettings()
    assert (settings.max_drawdown, settings.max_consecutive_losses, settings.max_rejection_rate) == (0.10, 5, 0.50)


@pytest.mark.parametrize(
    ("loss", "severity"),
    [(59.0, Severity.NONE), (60.0, Severity.WARNING), (99.0, Severity.WARNING), (100.0, Severity.HALT)],
)
def test_a_tenth_of_capital_and_pnl(switch, loss, severity):
    switch.record_trade("a", -loss, at=0)
    assert switch.severity("a") is severity
    assert switch.severity("b") is Severity.NONE


def test_a_pnl_beyond_all_numbers_is_refused_because_no_drawdown_could_be_told_after_it(switch):
    switch.record_trade("a", 1e308, at=0)
    with pytest.raises(InvalidArgument, match="not a finite number"):
        switch.record_trade("a", 1e308, at=1)
    switch.record_trade("a", -0.2e308, at=2)
    assert switch.severity("a") is Severity.HALT


def test_drawdown_is_from_the_peak_of_capital_and_pnl(switch):
    switch.record_trade("a", 1000.0, at=0)
    switch.record_trade("a", -199.0, at=1)
    assert switch.severity("a") is Severity.WARNING
    switch.record_trade("a", -1.0, at=2)
    assert switch.severity("a") is Severity.HALT


def test_five_losses_in_a_row(switch):
    for i in range(4):
        switch.record_trade("a", -1.0, at=i)
    assert switch.severity("a") is Severity.WARNING
    switch.record_trade("a", 0.0, at=5)  # neither a loss nor a gain
    switch.record_trade("a", -1.0, at=6)
    assert switch.severity("a") is Severity.HALT


def test_a_gain_breaks_the_row(switch):
    for pnl in (-1.0, -1.0, -1.0, -1.0, 1.0, -1.0):
        switch.record_trade("a", pnl, at=0)
    assert switch.severity("a") is Severity.NONE


def test_half_of_the_decisions_rejected_from_twenty_on(switch):
    for i in range(19):
        switch.record_decision("a", rejected=True, at=i)
    assert switch.severity("a") is Severity.NONE
    switch.record_decision("a", rejected=True, at=20)
    assert switch.severity("a") is Severity.HALT
    for i in range(40):
        switch.record_decision("b", rejected=i % 2 == 1, at=i)
        assert switch.severity("b") is (Severity.NONE if i < 19 else Severity.HALT)


def test_closed_trades_stand_for_approvals_until_one_is_told(switch):
    for i in range(30):
        switch.record_trade("a", 1.0, at=i)
    assert switch.figures("a")["rejection_rate"] == 0.0
    switch.record_decision("b", rejected=False, at=30)
    for i in range(30):
        switch.record_trade("b", 1.0, at=30 + i)
    assert switch.figures("b")["rejection_rate"] is None


def test_measuring_anew_forgets_what_was_lost(switch):
    for i in range(6):
        switch.record_trade("a", -50.0, at=i)
    switch.measure_anew("a")
    assert switch.figures("a")["drawdown"] == 0.0
    switch.record_trade("b", -1000.0, at=7)
    with pytest.raises(InvalidArgument, match="lost its capital"):
        switch.measure_anew("b")


def test_an_unknown_strategy_is_disabled_and_named(switch):
    assert switch.severity("c") is Severity.HALT
    with pytest.raises(UnknownStrategy, match="'momentun'"):
        switch.record_trade("momentun", 1.0, at=0)


@pytest.mark.parametrize("capital", [0.0, -1.0, float("nan"), True])
def test_a_strategy_needs_capital(capital):
    with pytest.raises(InvalidArgument, match="capital"):
        PerStrategyKillSwitch().register("a", capital)


class AgainstTheModel(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.switch, self.models, self.told = PerStrategyKillSwitch(), {}, set()
        for name in "ab":
            self.switch.register(name, 1024.0)
            self.models[name] = Strategy(1024.0)

    @rule(name=st.sampled_from("ab"), pnl=st.integers(-40, 40))
    def trade(self, name, pnl):
        self.switch.record_trade(name, float(pnl), at=0)
        self.models[name].pnl.append(float(pnl))
        if name not in self.told:
            self.models[name].decisions.append(0)
        self.models[name].see()

    @rule(name=st.sampled_from("ab"), rejections=st.lists(st.booleans(), min_size=1, max_size=30))
    def decide(self, name, rejections):
        for rejected in rejections:
            self.switch.record_decision(name, rejected=rejected, at=0)
            self.models[name].decisions.append(int(rejected))
            self.models[name].see()
            if not rejected:
                self.told.add(name)

    @rule(name=st.sampled_from("ab"))
    def reset(self, name):
        for latch in self.switch.latches(name):
            latch.reset(0, "Ada", "looked into it")
        for ladder in self.models[name].ladders:
            ladder.reset()

    @rule()
    def save_and_restore(self):
        saved = json.loads(json.dumps(self.switch.state()))
        self.switch = PerStrategyKillSwitch()
        self.switch.restore(saved)
        assert self.switch.state() == saved

    @invariant()
    def agree(self):
        for name, model in self.models.items():
            assert self.switch.severity(name).value == model.severity


TestAgainstTheModel = AgainstTheModel.TestCase
