"""Ten rejections in five minutes, at every edge, and against a model that keeps everything."""

import json

import hypothesis.strategies as st
import pytest
from hypothesis import given
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rpmcore.controls.kill_switch_settings import RejectionVelocitySettings
from rpmcore.controls.rejection_velocity import RejectionVelocityKillSwitch
from rpmcore.domain.controls import RejectionCause, Request, Severity, cause_of
from rpmcore.domain.errors import InvalidArgument
from tests.oracles.kill_switches import Rejections

MINUTE = 60_000_000_000


def rejected(count, regime="ranging"):
    switch = RejectionVelocityKillSwitch()
    switch.set_regime(regime, at=0)
    events = ()
    for i in range(count):
        events = switch.record("a", "X", "bad price", at=i)[1]
    return switch, events


def test_the_specification_s_numbers_are_the_defaults():
    settings = RejectionVelocitySettings()
    assert (settings.max_rejections, settings.window_minutes) == (10, 5.0)
    assert (settings.volatile_multiplier, settings.stressed_multiplier, settings.throttle_share) == (1.5, 0.5, 0.6)


@pytest.mark.parametrize(
    ("regime", "threshold"), [("trending", 10), ("ranging", 10), ("volatile", 15), ("stressed", 5), (None, 5)]
)
def test_throttle_at_six_tenths_and_halt_at_the_threshold_of_the_regime(regime, threshold):
    throttle = round(0.6 * threshold)
    for count, severity in (
        (throttle - 1, Severity.NONE),
        (throttle, Severity.THROTTLE),
        (threshold - 1, Severity.THROTTLE),
        (threshold, Severity.HALT),
    ):
        assert rejected(count, regime)[0].latch.severity is severity


def test_a_halt_asks_for_working_orders_to_be_cancelled():
    (event,) = rejected(10)[1]
    assert event.requests == (Request.CANCEL_WORKING_ORDERS,)
    assert (event.observed, event.threshold, event.before) == (10.0, 10.0, Severity.THROTTLE)


def test_a_rejection_exactly_as_old_as_the_window_has_left_it():
    for last, severity in ((5 * MINUTE - 1, Severity.HALT), (5 * MINUTE, Severity.THROTTLE)):
        switch, _ = rejected(1)
        for _i in range(9):
            switch.record("a", "X", "bad price", at=last)
        assert switch.latch.severity is severity


def test_throttle_ends_below_the_clearing_share_and_halt_does_not_end():
    switch, _ = rejected(6)
    assert switch.evaluate(5 * MINUTE) == ()  # five are left, of which four tenths would be four
    assert switch.evaluate(5 * MINUTE + 1) == ()  # four: not below
    (event,) = switch.evaluate(5 * MINUTE + 2)
    assert event.after is Severity.NONE
    halted, _ = rejected(10)
    assert halted.evaluate(60 * MINUTE) == ()
    assert halted.latch.severity is Severity.HALT


def test_a_limit_counts_once_per_strategy_symbol_and_reason_in_a_window():
    switch = RejectionVelocityKillSwitch()
    limit = RejectionCause.RISK_LIMIT
    assert switch.record("a", "X", "gross", limit, at=0)[0]
    assert not switch.record("a", "X", "gross", limit, at=5 * MINUTE - 1)[0]
    assert switch.record("b", "X", "gross", limit, at=5 * MINUTE - 1)[0]
    assert switch.record("a", "X", "gross", limit, at=5 * MINUTE)[0]


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("Risk limit breach", RejectionCause.RISK_LIMIT),
        ("GROSS_LIMIT", RejectionCause.RISK_LIMIT),
        ("limit order rejected: insufficient margin", RejectionCause.OTHER),
        ("limit price outside the collar", RejectionCause.OTHER),
        ("rate limit of the venue", RejectionCause.OTHER),
        ("strategy disabled", RejectionCause.KILL_SWITCH),
    ],
)
def test_only_a_limit_of_risk_is_told_apart_by_its_words(reason, cause):
    assert cause_of(reason) is cause


def test_an_unknown_regime_is_named_with_the_nearest():
    with pytest.raises(InvalidArgument, match="did you mean 'volatile'"):
        RejectionVelocityKillSwitch().set_regime("volatil", at=0)


@given(st.lists(st.integers(0, 10 * MINUTE), max_size=40), st.integers(0, 10 * MINUTE))
def test_one_more_rejection_never_lowers_the_severity(times, more):
    def worst(moments):
        switch = RejectionVelocityKillSwitch()
        for at in sorted(moments):
            switch.record("a", "X", "bad price", at=at)
        switch.evaluate(10 * MINUTE)
        return switch.latch.severity

    assert worst([*times, more]) >= worst(times)


class AgainstTheModel(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.at, self.switch, self.model = 0, RejectionVelocityKillSwitch(), Rejections()

    @rule(
        step=st.sampled_from([0, 1, MINUTE // 7, MINUTE, 5 * MINUTE]),
        symbol=st.sampled_from("XYZ"),
        limit=st.booleans(),
    )
    def reject(self, step, symbol, limit):
        self.at += step
        cause = RejectionCause.RISK_LIMIT if limit else RejectionCause.OTHER
        counted, _ = self.switch.record("a", symbol, "why", cause, at=self.at)
        assert counted == self.model.record(self.at, ("a", symbol, "why"), limit)

    @rule(step=st.integers(0, 3 * MINUTE))
    def wait(self, step):
        self.at += step
        self.switch.evaluate(self.at)
        self.model.see(self.at)

    @rule(regime=st.sampled_from(["trending", "ranging", "volatile", "stressed", None]))
    def regime(self, regime):
        self.switch.set_regime(regime, at=self.at)
        self.model.regime = regime
        self.model.see(self.at)

    @rule()
    def reset(self):
        self.switch.evaluate(self.at)
        self.switch.latch.reset(self.at, "Ada", "looked into it")
        self.model.see(self.at)
        self.model.ladder.reset()

    @rule()
    def save_and_restore(self):
        saved = json.loads(json.dumps(self.switch.state()))
        self.switch = RejectionVelocityKillSwitch()
        self.switch.restore(saved)
        assert self.switch.state() == saved

    @invariant()
    def agree(self):
        assert self.switch.latch.severity.value == self.model.ladder.now


TestAgainstTheModel = AgainstTheModel.TestCase


def test_a_regime_in_the_capitals_of_the_specification_is_known():
    switch = RejectionVelocityKillSwitch()
    switch.set_regime("STRESSED", at=0)
    assert switch.regime == "stressed"
