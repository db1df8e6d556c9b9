"""The manager under any order of commands, beside a model that keeps everything and computes it anew."""

import json

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rpmcore.controls.adaptive_risk import AdaptiveRiskManager
from rpmcore.controls.adaptive_settings import AdaptiveSettings
from rpmcore.controls.command_time import DAY
from rpmcore.controls.market_readings import MarketReadings
from rpmcore.domain.errors import InvalidArgument
from tests.oracles import adaptive as oracle

SHORT = AdaptiveSettings.model_validate(
    {
        "regimes": {"minimum_history": 30, "dwell_days": 4},
        "volatility": {"window": 12, "minimum": 5, "minimum_history": 30},
        "stress": {"minimum_history": 30},
    }
)
NAMES = ("efficiency", "volatility", "correlation", "clustering", "liquidity")
level = st.one_of(st.integers(0, 20).map(lambda v: v / 20), st.none())


class Limits(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.manager = AdaptiveRiskManager(SHORT)
        self.days, self.now, self.last, self.pinned = [], 100, None, None
        for i in range(35):  # a past to be ranked among, so that every regime is within reach
            self.record((0.1, *[(i * 7 % 20) / 20] * 4))

    def record(self, day):
        self.now += 1
        self.manager.update_market(MarketReadings(**dict(zip(NAMES, day, strict=True))), at=self.now * DAY)
        self.days.append(day)
        self.last = self.now

    def market_regime(self):
        return oracle.regimes([d[:3] for d in self.days], 30, 4)[-1]

    @rule(day=st.tuples(*[level] * 5))
    def a_day(self, day):
        self.record(day)

    @rule(n=st.integers(1, 7))
    def time_passes(self, n):
        self.now += n

    @rule(regime=st.sampled_from(oracle.REGIMES), reason=st.sampled_from(["", "hedged"]))
    def pin(self, regime, reason):
        market = "stressed" if self.now - self.last > 5 else self.market_regime()
        looser = oracle.REGIMES.index(regime) < oracle.REGIMES.index(market)
        if looser and not reason:
            with pytest.raises(InvalidArgument, match="reason"):
                self.manager.pin_regime(regime, operator="ada", reason=reason, at=self.now * DAY)
        else:
            self.manager.pin_regime(regime.upper(), operator="ada", reason=reason, at=self.now * DAY)
            self.pinned = (regime, reason, market)

    @precondition(lambda self: self.pinned is not None)
    @rule()
    def release(self):
        self.manager.release_pin(operator="ada", reason="over", at=self.now * DAY)
        self.pinned = None

    @rule(bad=st.sampled_from([float("nan"), -1.0]))
    def nonsense(self, bad):
        with pytest.raises(InvalidArgument):
            self.manager.update_volatility(bad, at=(self.now + 1) * DAY)
        with pytest.raises(InvalidArgument):
            self.manager.update_market(MarketReadings(), at=(self.last - 1) * DAY)

    @rule()
    def restart(self):
        fresh = AdaptiveRiskManager(SHORT)
        fresh.restore(json.loads(json.dumps(self.manager.state(), allow_nan=False)))
        assert fresh.state() == self.manager.state()
        self.manager = fresh

    @invariant()
    def the_limits_are_those_of_the_model(self):
        found = self.manager.get_current_risk_limits(at=self.now * DAY)
        if self.now - self.last > 5:
            regime, volatility_class, score = "stressed", "crisis", 1.0
        else:
            regime = self.market_regime()
            volatility_class = oracle.volatility_classes([d[1] for d in self.days], 12, 5, 30, 5)[-1]
            score = oracle.stress_scores([(d[3], d[2], d[4]) for d in self.days], 30)[-1]
        if self.pinned is not None:
            pinned, reason, overruled = (oracle.REGIMES.index(r) if r in oracle.REGIMES else r for r in self.pinned)
            level = oracle.REGIMES.index(regime)
            if pinned > level or (reason and level <= overruled):
                regime = oracle.REGIMES[pinned]
        assert (found.regime, found.volatility_class) == (regime, volatility_class)
        expected = oracle.limits(regime, volatility_class, score)
        actual = (found.risk_per_trade, found.gross_exposure, found.leverage, found.correlation_stress)
        assert actual == pytest.approx(expected, abs=1e-12)


TestLimits = Limits.TestCase
TestLimits.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)
