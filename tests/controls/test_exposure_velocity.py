"""Growth a minute: limits, late snapshots, first positions, approvals, and against a model that keeps everything."""

import json

import hypothesis.strategies as st
import pytest
from hypothesis import given
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rpmcore.controls.exposure_velocity import ExposureVelocityKillSwitch
from rpmcore.controls.kill_switch_settings import ExposureVelocitySettings
from rpmcore.controls.low_water import LowWater
from rpmcore.domain.controls import Severity
from rpmcore.domain.errors import InvalidArgument
from tests.oracles.kill_switches import Exposure

MINUTE = 60_000_000_000


def after(*snapshots, equity=100.0, approved=0.0, switch=None):
    """The switch after snapshots of (minute, gross exposure)."""
    switch = switch or ExposureVelocityKillSwitch()
    for minute, gross in snapshots:
        switch.record(gross, 0.0, equity, at=round(minute * MINUTE))
        if approved:
            switch.record_approval(approved, at=round(minute * MINUTE))
            approved = 0.0
    return switch


def severity(switch):
    return max(latch.severity for latch in switch.latches)


def test_the_specification_s_numbers_are_the_defaults():
    settings = ExposureVelocitySettings()
    assert (settings.max_growth, settings.max_leverage_growth, settings.snapshot_minutes) == (0.05, 0.1, 5.0)


@pytest.mark.parametrize(
    ("gross", "expected"),
    [(114.99, Severity.NONE), (115.0, Severity.THROTTLE), (124.99, Severity.THROTTLE), (125.0, Severity.HALT)],
)
def test_five_per_cent_a_minute_between_snapshots_five_minutes_apart(gross, expected):
    switch = after((0, 100.0), (5, gross))
    assert switch.growth.severity is expected


@pytest.mark.parametrize(
    ("gross", "expected"), [(449.99, Severity.THROTTLE), (450.0, Severity.HALT)]
)  # four times levered, 5 % of exposure would be a leverage of 0.2 a minute
def test_a_tenth_of_leverage_a_minute(gross, expected):
    switch = after((0, 400.0), (5, gross))
    assert switch.leverage.severity is expected
    assert switch.growth.severity < Severity.HALT


@pytest.mark.parametrize("effect", [1e30, -1e30, 1.7e308])
def test_a_price_effect_that_would_blind_the_switch_is_refused_and_changes_nothing(effect):
    switch = after((0, 100.0))
    before = switch.state()
    with pytest.raises(InvalidArgument, match="price effect is wrong"):
        switch.record(100.0, 0.0, 100.0, price_effect=effect, at=5 * MINUTE)
    assert switch.state() == before
    assert severity(after((5, 125.0), switch=switch)) is Severity.HALT


def test_of_equally_low_snapshots_the_one_with_less_exposure_counts():
    switch = after((0, 100.0), approved=1.0)
    after((2, 101.0), (3, 126.0), switch=switch)
    assert switch.growth.severity is Severity.HALT  # 25 of 100 in five minutes, though it is less of 101


def test_a_first_position_is_measured_against_equity():
    assert severity(after((0, 0.0), (5, 14.0))) is Severity.NONE
    assert severity(after((0, 0.0), (5, 25.0))) is Severity.HALT


def test_the_first_snapshot_is_the_baseline():
    assert severity(after((0, 300.0))) is Severity.NONE


def test_snapshots_near_each_other_invent_nothing_and_hide_nothing():
    assert severity(after((0, 100.0), (0.001, 114.0))) is Severity.NONE
    assert severity(after((0, 100.0), *((i / 10, 100.0 + i) for i in range(1, 26)))) is Severity.HALT


def test_a_dip_does_not_hide_what_grew_back():
    assert severity(after((0, 100.0), (1, 70.0), (5, 100.0))) is Severity.HALT


def test_a_little_more_or_less_than_an_interval_changes_little():
    assert severity(after((0, 100.0), (3, 110.0), (4.99, 125.0))) is Severity.HALT
    assert severity(after((0, 100.0), (3, 110.0), (5, 125.0))) is Severity.HALT
    assert severity(after((0, 100.0), (3, 110.0), (5.01, 125.0))) is Severity.THROTTLE


@pytest.mark.parametrize("every", [0.5, 1.0, 2.6, 3.0, 4.9, 5.0, 5.1, 7.0])
def test_a_steady_runaway_is_seen_at_any_rhythm_of_snapshots(every):
    """Exposure grows by 5.1 % of equity a minute for a quarter of an hour."""
    steps = [(i * every, 51.0 * i * every) for i in range(int(15 / every) + 1)]
    assert severity(after(*steps, equity=1000.0)) is Severity.HALT
    slower = [(minute, 0.9 * gross) for minute, gross in steps]
    assert severity(after(*slower, equity=1000.0)) is Severity.THROTTLE


def test_a_late_snapshot_neither_hides_nor_invents():
    assert severity(after((0, 100.0), (60, 100.0 + 24.0))) is Severity.NONE  # not even at once would it be a runaway
    assert severity(after((0, 100.0), (60, 130.0))) is Severity.THROTTLE  # it may have been
    assert severity(after((0, 100.0), (10, 150.0))) is Severity.HALT  # on average it was
    cleared = after((0, 100.0), (60, 130.0), (65, 130.0))
    assert severity(cleared) is Severity.NONE


def test_what_was_approved_is_no_runaway_and_what_exceeds_it_is():
    assert severity(after((0, 100.0), (5, 160.0), approved=60.0)) is Severity.THROTTLE
    assert severity(after((0, 100.0), (5, 115.0), approved=15.0)) is Severity.WARNING
    assert severity(after((0, 100.0), (5, 185.0), approved=60.0)) is Severity.HALT


def test_a_withdrawn_or_old_approval_explains_nothing():
    withdrawn = ExposureVelocityKillSwitch()
    withdrawn.record(100.0, 0.0, 100.0, at=0)
    withdrawn.record_approval(50.0, at=0)
    withdrawn.record_withdrawal(50.0, at=1)
    assert severity(after((5, 125.0), switch=withdrawn)) is Severity.HALT
    old = after((0, 100.0), (1438, 100.0), approved=50.0)
    assert severity(after((1440, 125.0), switch=old)) is Severity.HALT


def test_filling_the_headroom_keeps_within_the_limits():
    switch = after((0, 100.0))
    room = switch.headroom(at=0)
    assert room == pytest.approx(25.0)
    switch.record_approval(room, at=0)
    assert switch.headroom(at=0) == 0.0
    assert severity(after((5, 125.0), switch=switch)) is Severity.WARNING


def test_a_move_of_prices_that_is_told_is_no_growth():
    switch = after((0, 100.0))
    switch.record(130.0, 0.0, 100.0, price_effect=30.0, at=5 * MINUTE)
    assert severity(switch) is Severity.NONE


@pytest.mark.parametrize("equity", [0.0, -5.0])
def test_without_equity_it_halts(equity):
    switch = after((0, 100.0), (5, 100.0), equity=equity)
    assert severity(switch) is Severity.HALT
    assert switch.headroom(at=5 * MINUTE) == 0.0


@pytest.mark.parametrize(
    "numbers", [(float("nan"), 0.0, 1.0), (-1.0, 0.0, 1.0), (1.0, float("inf"), 1.0), (1.0, 0.0, float("nan"))]
)
def test_a_number_that_is_none_is_refused_and_changes_nothing(numbers):
    switch = after((0, 100.0))
    before = switch.state()
    with pytest.raises(InvalidArgument):
        switch.record(*numbers, at=MINUTE)
    assert switch.state() == before


@given(st.lists(st.tuples(st.integers(0, 300), st.floats(0, 1e6)), min_size=1, max_size=60))
def test_the_points_that_growth_is_measured_from(points):
    low, at, seen = LowWater(1000), 0, {}
    for step, value in points:
        at += step
        low.push(at, value, value)
        seen[at] = min(value, seen.get(at, value))
        assert low.within(at)[1] == min(v for t, v in seen.items() if t >= at - 1000)
        old = [(t, v) for t, v in seen.items() if t <= at - 1000]
        assert (low.before(at) or ())[:2] == (old[-1] if old else ())


def test_memory_does_not_grow_with_rising_snapshots():
    low = LowWater(1_000_000)
    for at in range(20_000):
        low.push(at * 40, float(at), 0.0)
        low.before(at * 40)
        low.within(at * 40)
    assert max(map(len, low.state())) <= 1002


@given(st.lists(st.tuples(st.integers(1, 900), st.integers(0, 300)), min_size=1, max_size=12), st.integers(0, 200))
def test_a_larger_last_exposure_never_lowers_the_severity(steps, more):
    def worst(extra):
        switch, at = ExposureVelocityKillSwitch(), 0
        for i, (seconds, gross) in enumerate(steps):
            at += seconds * MINUTE // 60
            switch.record(gross + extra * (i == len(steps) - 1), 0.0, 100.0, at=at)
        return severity(switch)

    assert worst(more) >= worst(0)


class AgainstTheModel(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.at, self.gross, self.equity = 0, 100, 100
        self.switch, self.model = ExposureVelocityKillSwitch(), Exposure()

    @rule(
        seconds=st.sampled_from([1, 20, 60, 299, 300, 301, 1200]),
        change=st.integers(-64, 64),
        equity=st.sampled_from([100, 100, 100, 64, 0]),
    )
    def snapshot(self, seconds, change, equity):
        self.at += seconds * MINUTE // 60
        self.gross = max(self.gross + change, 0)
        self.switch.record(self.gross, 0.0, equity, at=self.at)
        self.model.snapshot(self.at, float(self.gross), float(equity))

    @rule(minutes=st.sampled_from([2, 700, 1439]), amount=st.integers(0, 64))
    def approve(self, minutes, amount):
        self.at += minutes * MINUTE
        self.switch.record_approval(amount, at=self.at)
        self.model.approve(self.at, float(amount))

    @rule()
    def save_and_restore(self):
        saved = json.loads(json.dumps(self.switch.state()))
        self.switch = ExposureVelocityKillSwitch()
        self.switch.restore(saved)
        assert self.switch.state() == saved

    @invariant()
    def agree(self):
        assert [latch.severity.value for latch in self.switch.latches] == [x.now for x in self.model.ladders]


TestAgainstTheModel = AgainstTheModel.TestCase
