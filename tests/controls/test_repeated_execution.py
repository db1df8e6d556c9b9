"""The same order over and over."""

import json

import hypothesis.strategies as st
import pytest
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rpmcore.controls.kill_switch_settings import RepeatedExecutionSettings
from rpmcore.controls.repeated_execution import RepeatedExecutionKillSwitch
from rpmcore.domain.controls import Severity
from rpmcore.domain.errors import InvalidArgument
from tests.oracles.kill_switches import Repeats

MINUTE = 60_000_000_000
FEW = RepeatedExecutionSettings(max_executions=3)


def test_more_than_so_many_in_a_window_disable_the_strategy_alone():
    switch = RepeatedExecutionKillSwitch(FEW)
    for at, severity in ((0, Severity.NONE), (1, Severity.NONE), (2, Severity.NONE), (MINUTE - 1, Severity.HALT)):
        switch.record("a", "X", "buy", at=at)
        switch.record("b", "Y", "sell" if at % 2 else "buy", at=at)
        assert switch.latch("a").severity is severity
        assert switch.latch("b").severity is Severity.NONE


def test_an_order_exactly_as_old_as_the_window_has_left_it():
    switch = RepeatedExecutionKillSwitch(FEW)
    for at in (0, 1, 2, MINUTE):
        switch.record("a", "X", "buy", at=at)
    assert switch.latch("a").severity is Severity.NONE


def test_a_side_is_buy_or_sell():
    with pytest.raises(InvalidArgument, match="buy or sell"):
        RepeatedExecutionKillSwitch().record("a", "X", "long", at=0)


def test_kinds_of_order_that_are_no_longer_sent_are_forgotten():
    switch = RepeatedExecutionKillSwitch(FEW)
    for i in range(5000):
        switch.record("a", f"X{i}", "buy", at=i * MINUTE // 10)
    assert len(switch.state()["orders"]) <= 11


class AgainstTheModel(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.at, self.switch, self.model = 0, RepeatedExecutionKillSwitch(FEW), Repeats(3)

    @rule(
        step=st.sampled_from([0, 1, MINUTE // 3, MINUTE]),
        strategy=st.sampled_from("ab"),
        symbol=st.sampled_from("XY"),
        side=st.sampled_from(["buy", "sell"]),
    )
    def order(self, step, strategy, symbol, side):
        self.at += step
        self.switch.record(strategy, symbol, side, at=self.at)
        self.model.record(self.at, strategy, symbol, side)

    @rule()
    def save_and_restore(self):
        saved = json.loads(json.dumps(self.switch.state()))
        self.switch = RepeatedExecutionKillSwitch(FEW)
        self.switch.restore(saved)
        assert self.switch.state() == saved

    @invariant()
    def agree(self):
        for name, ladder in self.model.ladders.items():
            assert self.switch.latch(name).severity.value == ladder.now


TestAgainstTheModel = AgainstTheModel.TestCase
