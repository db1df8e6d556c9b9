import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.controls.adaptive_risk import AdaptiveRiskManager
from rpmcore.controls.adaptive_settings import AdaptiveSettings
from rpmcore.controls.command_time import DAY
from rpmcore.controls.market_readings import MarketReadings
from rpmcore.controls.regime_limits import REGIMES, RegimeAwareRiskLimits
from rpmcore.domain.errors import InvalidArgument, RpmError
from tests.oracles import adaptive as oracle
from tests.samples import rough_days

SHORT = AdaptiveSettings.model_validate(
    {
        "regimes": {"minimum_history": 30, "dwell_days": 4},
        "volatility": {"window": 12, "minimum": 5, "minimum_history": 30},
        "stress": {"minimum_history": 30},
    }
)
NAMES = ("efficiency", "volatility", "correlation", "clustering", "liquidity")

level = st.one_of(st.integers(0, 20).map(lambda v: v / 20), st.none())
days = st.lists(st.tuples(*[level] * 5), max_size=60)


def market(day):
    efficiency = None if day[0] is None else min(day[0], 1.0)  # beyond one there is none, and the verdict is the same
    return MarketReadings(**dict(zip(NAMES, (efficiency, *day[1:]), strict=True)))


def after(history, settings=SHORT):
    found = AdaptiveRiskManager(settings)
    for i, day in enumerate(history):
        found.update_market(market(day), at=i * DAY)
    return found


def calm_manager(n=60):
    return after([(0.1, float(n - i), float(n - i), float(n - i), float(n - i)) for i in range(n)])


def test_the_calls_of_the_specification():
    limits = AdaptiveRiskManager().get_current_risk_limits()
    assert limits.regime == "stressed"
    assert limits.volatility_class == "crisis"
    assert limits.stress_score == 1.0
    assert limits.risk_per_trade == pytest.approx(0.002 * 0.2 * 0.2)
    assert limits.gross_exposure == pytest.approx(0.5 * 0.2 * 0.2)
    assert limits.leverage == pytest.approx(0.5 * 0.2 * 0.2)
    assert not limits.complete
    assert [step.source for step in limits.steps] == ["missing"] * 3
    assert limits.at is None


def test_base_then_volatility_then_stress():
    found = calm_manager()
    found.update_market(market((0.1, 61.0, 0.0, 0.0, 61.0)), at=61 * DAY)
    found.pin_regime("trending", operator="ada", reason="test", at=61 * DAY)
    limits = found.get_current_risk_limits(at=61 * DAY)
    regime, volatility, stress = limits.steps
    assert (regime.name, volatility.name, stress.name) == ("regime", "volatility", "stress")
    assert (regime.result.gross_exposure, volatility.multiplier) == (2.0, 0.2)
    assert volatility.result.gross_exposure == pytest.approx(0.4)
    assert stress.multiplier == pytest.approx(1.0 - 0.8 / 3)
    expected = oracle.limits("trending", "crisis", limits.stress_score)
    assert (limits.risk_per_trade, limits.gross_exposure, limits.leverage, limits.correlation_stress) == pytest.approx(
        expected, abs=1e-15
    )


@pytest.mark.parametrize("seed", range(8))
def test_a_long_series_is_the_slow_form(seed):
    holds_every_day(rough_days(seed, 120, 5))


@given(days)
def test_every_day_is_the_slow_form_and_never_looser_than_the_regimes_base(series):
    holds_every_day(series)


def holds_every_day(series):
    found = AdaptiveRiskManager(SHORT)
    regimes = oracle.regimes([(d[0], d[1], d[2]) for d in series], 30, 4)
    classes = oracle.volatility_classes([d[1] for d in series], 12, 5, 30, 5)
    scores = oracle.stress_scores([(d[3], d[2], d[4]) for d in series], 30)
    for i, day in enumerate(series):
        found.update_market(market(day), at=i * DAY)
        limits = found.get_current_risk_limits(at=i * DAY)
        assert (limits.regime, limits.volatility_class) == (regimes[i], classes[i])
        expected = oracle.limits(regimes[i], classes[i], scores[i])
        actual = (limits.risk_per_trade, limits.gross_exposure, limits.leverage, limits.correlation_stress)
        assert actual == pytest.approx(expected, abs=1e-12)
        base = RegimeAwareRiskLimits(SHORT.regimes).get_limits(limits.regime)
        assert limits.risk_per_trade <= base.risk_per_trade
        assert limits.gross_exposure <= base.gross_exposure
        assert limits.leverage <= base.leverage
        for before, step in zip(limits.steps, limits.steps[1:], strict=False):
            assert step.result.gross_exposure <= before.result.gross_exposure


@given(st.lists(st.tuples(*[st.integers(0, 20).map(float)] * 5), min_size=31, max_size=45),
       st.tuples(*[st.integers(0, 20).map(float)] * 5), st.tuples(*[st.integers(0, 9).map(float)] * 4))  # fmt: skip
def test_a_worse_day_never_raises_a_limit(history, day, more):
    worse = (day[0], *(a + b for a, b in zip(day[1:], more, strict=True)))
    at = len(history) * DAY
    found = []
    for today in (day, worse):
        manager = after(history)
        manager.update_market(market(today), at=at)
        found.append(manager.get_current_risk_limits(at=at))
    for name in ("risk_per_trade", "gross_exposure", "leverage"):
        assert getattr(found[1], name) <= getattr(found[0], name)
    assert found[1].correlation_stress >= found[0].correlation_stress


@given(st.tuples(*[st.integers(0, 20).map(float)] * 5), st.sampled_from(NAMES))
def test_a_missing_reading_never_loosens(day, name):
    whole, without = calm_manager(), calm_manager()
    whole.update_market(market(day), at=60 * DAY)
    without.update_market(market(tuple(None if n == name else v for n, v in zip(NAMES, day, strict=True))), at=60 * DAY)
    one, other = (m.get_current_risk_limits(at=60 * DAY) for m in (whole, without))
    assert other.gross_exposure <= one.gross_exposure
    assert other.risk_per_trade <= one.risk_per_trade


@pytest.mark.parametrize(("age", "complete"), [(0, True), (5, True), (6, False), (400, False)])
def test_readings_older_than_five_days_are_missing(age, complete):
    found = calm_manager()
    limits = found.get_current_risk_limits(at=(59 + age) * DAY + 5)
    assert limits.complete is complete
    if not complete:
        assert limits.gross_exposure == pytest.approx(0.5 * 0.2 * 0.2)
        assert all(f"{age} days old" in step.note for step in limits.steps)


def test_each_part_can_be_told_alone():
    found = AdaptiveRiskManager()
    found.update_regime("TRENDING", at=DAY)
    limits = found.get_current_risk_limits(at=DAY)
    assert limits.gross_exposure == pytest.approx(2.0 * 0.2 * 0.2)
    found.update_volatility(0.01, at=DAY)
    found.update_stress(clustering=1.0, correlation=0.3, liquidity=0.002, at=DAY)
    assert [s.source for s in found.get_current_risk_limits().steps] == ["given", "missing", "missing"]


def test_a_pin_is_part_of_the_derivation():
    found = calm_manager()
    assert found.get_current_risk_limits(at=59 * DAY).regime == "ranging"
    found.pin_regime("STRESSED", operator="ada", at=60 * DAY)
    limits = found.get_current_risk_limits(at=60 * DAY)
    assert (limits.regime, limits.steps[0].source, limits.pin.operator) == ("stressed", "pinned", "ada")
    assert "pinned by ada" in limits.steps[0].note
    found.release_pin(operator="ada", reason="over", at=60 * DAY)
    assert found.get_current_risk_limits(at=60 * DAY).regime == "ranging"
    assert len(found.pins) == 2


def test_a_pin_without_a_reason_only_tightens_and_one_with_it_loosens():
    found = calm_manager()
    found.pin_regime("volatile", operator="ada", at=60 * DAY)
    storm = MarketReadings(efficiency=0.1, volatility=99.0, correlation=99.0, clustering=1.0, liquidity=1.0)
    found.update_market(storm, at=61 * DAY)
    assert found.get_current_risk_limits(at=61 * DAY).regime == "stressed"
    found.pin_regime("volatile", operator="ada", reason="hedged", at=61 * DAY)
    limits = found.get_current_risk_limits(at=61 * DAY)
    assert limits.regime == "volatile"
    assert "without it stressed" in limits.steps[0].note


@pytest.mark.parametrize("regime", ["volatile", "trending"])
def test_the_reason_of_a_pin_says_nothing_of_a_worse_market_that_comes_later(regime):
    found = calm_manager()
    found.pin_regime(regime, operator="ada", reason="ahead of the vote", at=60 * DAY)
    assert found.get_current_risk_limits(at=60 * DAY).regime == regime
    storm = MarketReadings(efficiency=0.1, volatility=99.0, correlation=99.0, clustering=1.0, liquidity=1.0)
    found.update_market(storm, at=61 * DAY)
    assert found.get_current_risk_limits(at=61 * DAY).regime == "stressed"


def test_an_older_state_does_not_release_a_pin():
    found = calm_manager()
    older = found.state()
    found.pin_regime("stressed", operator="ada", at=60 * DAY)
    with pytest.raises(InvalidArgument, match="lacks an operator's order"):
        found.restore(older)
    assert found.get_current_risk_limits(at=60 * DAY).regime == "stressed"


def test_without_a_fresh_reading_only_a_reason_pins_less_than_stressed():
    found = calm_manager()
    with pytest.raises(InvalidArgument, match="looser than stressed"):
        found.pin_regime("ranging", operator="ada", at=99 * DAY)
    found.pin_regime("ranging", operator="ada", reason="the feed is down, the market is open", at=99 * DAY)
    assert found.get_current_risk_limits(at=99 * DAY).regime == "ranging"


def test_the_metadata_is_the_whole_derivation_as_json():
    found = calm_manager()
    plain = json.loads(json.dumps(found.get_current_risk_limits(at=59 * DAY).metadata, allow_nan=False))
    assert [step["name"] for step in plain["steps"]] == ["regime", "volatility", "stress"]
    for step in plain["steps"]:
        assert {"verdict", "observed", "threshold", "multiplier", "result", "source", "day", "note"} <= set(step)
        assert step["day"] == "1970-03-01"


def test_asking_changes_nothing():
    found = calm_manager()
    before = found.state()
    found.get_current_risk_limits(at=90 * DAY)
    assert found.state() == before


def test_a_clock_serves_every_method():
    now = [0]
    found = AdaptiveRiskManager(SHORT, clock=lambda: now[0])
    found.update_regime("ranging")
    now[0] = 6 * DAY
    assert found.get_current_risk_limits().regime == "stressed"
    found.update_market(MarketReadings())
    assert found.get_current_risk_limits().at == 6 * DAY


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda m: m.update_regime("calm", at=60 * DAY), "no regime"),
        (lambda m: m.update_regime("ranging", at=3 * DAY), "backwards"),
        (lambda m: m.update_volatility(float("nan"), at=60 * DAY), "volatility"),
        (lambda m: m.update_volatility(0.01), "no time is given"),
        (lambda m: m.update_volatility(0.01, at=59 * DAY), "recorded before"),
        (lambda m: m.update_stress(liquidity=-1.0, at=60 * DAY), "liquidity"),
        (lambda m: m.update_market(MarketReadings(), at=58 * DAY), "backwards"),
        (lambda m: m.get_current_risk_limits(at=58 * DAY), "backwards"),
        (lambda m: m.get_current_risk_limits(at=float("nan")), "nanoseconds"),
        (lambda m: m.pin_regime("calm", operator="ada", at=60 * DAY), "no regime"),
        (lambda m: m.restore({}), "saved state"),
        (lambda m: m.restore({**m.state(), "stress": None}), "stress"),
    ],
)
def test_bad_input_is_a_typed_error_and_changes_nothing(call, words):
    found = calm_manager()
    before = found.state()
    with pytest.raises(RpmError, match=words):
        call(found)
    assert found.state() == before


def test_a_market_day_is_recorded_whole_or_not_at_all():
    found = calm_manager()
    found.update_volatility(0.01, at=60 * DAY)
    before = found.state()
    with pytest.raises(InvalidArgument, match="recorded before"):
        found.update_market(MarketReadings(), at=60 * DAY)
    assert found.state() == before


def test_the_state_saved_at_any_point_of_a_random_run_continues_identically():
    rng = np.random.default_rng(6)
    moves = []
    for i in range(10_000):
        day = tuple(None if rng.random() < 0.05 else float(v) for v in rng.gamma(2.0, 0.2, size=5))
        moves.append((i, day, rng.random(), REGIMES[rng.integers(4)]))
    cuts = set(rng.integers(0, 10_000, size=12).tolist())
    one = AdaptiveRiskManager(SHORT)
    for i, day, chance, regime in moves:
        others = [one]
        if i in cuts:
            other = AdaptiveRiskManager(SHORT)
            other.restore(json.loads(json.dumps(one.state(), allow_nan=False)))
            assert other.state() == one.state()
            one, others = other, [one, other]  # the restored one goes on, and the other follows for this day
        for manager in others:
            step(manager, i * DAY, day, chance, regime)
        assert len({repr(m.get_current_risk_limits(at=i * DAY)) for m in others}) == 1
    straight = AdaptiveRiskManager(SHORT)
    for i, day, chance, regime in moves:
        step(straight, i * DAY, day, chance, regime)
    assert straight.state() == one.state()


def step(manager, at, day, chance, regime):
    if chance < 0.01:
        manager.pin_regime(regime, operator="ada", reason="drill", at=at)
    elif chance < 0.02 and manager.get_current_risk_limits().pin is not None:
        manager.release_pin(operator="ada", reason="over", at=at)
    if chance < 0.9:
        manager.update_market(market(day), at=at)
    elif chance < 0.95:
        manager.update_regime(regime, at=at)
    else:
        manager.update_volatility(day[1], at=at)
