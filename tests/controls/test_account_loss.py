"""Loss of a day and drawdown of the account."""

import json

import hypothesis.strategies as st
import pytest
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rpmcore.controls.account_loss import DAY, AccountLossKillSwitch
from rpmcore.controls.kill_switch_settings import AccountLossSettings
from rpmcore.domain.controls import Request, Severity
from rpmcore.domain.errors import InvalidArgument
from tests.oracles.kill_switches import Account


def after(*equities, settings=None):
    """The switch after (time, equity)."""
    switch = AccountLossKillSwitch(settings)
    for at, equity in equities:
        switch.record_equity(equity, at=at)
    return switch


@pytest.mark.parametrize(
    ("equity", "severity"),
    [
        (982.01, Severity.NONE),
        (982.0, Severity.WARNING),
        (976.0, Severity.THROTTLE),
        (970.01, Severity.THROTTLE),
        (970.0, Severity.HALT),
    ],
)
def test_three_per_cent_in_a_day(equity, severity):
    assert after((0, 1000.0), (DAY - 1, equity)).daily.severity is severity


def test_what_is_lost_over_night_is_lost_on_the_new_day():
    assert after((0, 1000.0), (DAY, 970.0)).daily.severity is Severity.HALT
    spread = after((0, 1000.0), (1, 985.0), (DAY, 966.0))
    assert spread.daily.severity is Severity.WARNING


def test_fifteen_per_cent_from_the_peak_over_many_days():
    days = [(i * DAY, 1000.0 - 10.0 * i) for i in range(16)]
    assert after(*days[:15]).drawdown.severity is Severity.THROTTLE
    switch = after(*days)
    assert switch.drawdown.severity is Severity.HALT
    assert switch.daily.severity is Severity.NONE


def test_a_liquidation_asks_for_the_book_to_be_flattened():
    switch = AccountLossKillSwitch(AccountLossSettings(liquidation_drawdown=0.2))
    switch.record_equity(1000.0, at=0)
    events = switch.record_equity(800.0, at=DAY)
    assert switch.drawdown.severity is Severity.LIQUIDATE
    assert Request.FLATTEN in events[-1].requests


def test_a_payment_is_neither_gain_nor_loss():
    switch = after((0, 1000.0), (1, 990.0))
    switch.record_cash_flow(-495.0)
    switch.record_equity(495.0, at=2)
    assert switch.daily.observed == pytest.approx(0.01)
    assert switch.drawdown.observed == pytest.approx(0.01)
    with pytest.raises(InvalidArgument, match="positive"):
        switch.record_cash_flow(-495.0)


def test_nothing_left_halts_and_stays_halted_on_the_next_day():
    switch = after((0, 1000.0), (1, 0.0), (DAY, 0.0))
    assert switch.drawdown.severity is Severity.HALT
    with pytest.raises(InvalidArgument, match="positive"):
        switch.measure_anew()


def test_the_first_equity_must_be_positive():
    with pytest.raises(InvalidArgument, match="start from"):
        after((0, 0.0))


class AgainstTheModel(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.at, self.equity = 0, 1024
        self.switch, self.model = AccountLossKillSwitch(), Account()
        self.switch.record_equity(1024.0, at=0)
        self.model.record(0, 1024.0)

    @rule(step=st.sampled_from([1, DAY // 3, DAY]), change=st.integers(-40, 40))
    def mark(self, step, change):
        self.at += step
        self.equity += change
        self.switch.record_equity(float(self.equity), at=self.at)
        self.model.record(self.at, float(self.equity))

    @rule()
    def reset(self):
        for latch in self.switch.latches:
            latch.reset(self.at, "Ada", "looked into it")
        for ladder in self.model.ladders:
            ladder.reset()

    @rule()
    def save_and_restore(self):
        saved = json.loads(json.dumps(self.switch.state()))
        self.switch = AccountLossKillSwitch()
        self.switch.restore(saved)
        assert self.switch.state() == saved

    @invariant()
    def agree(self):
        assert [latch.severity.value for latch in self.switch.latches] == [x.now for x in self.model.ladders]


TestAgainstTheModel = AgainstTheModel.TestCase
