import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rpmcore.controls.strategy_health import MAPPINGS, HealthInputs, band_of, mapped, strategy_health
from rpmcore.controls.strategy_settings import HealthWeights, StrategySettings

QUICK = StrategySettings(resamples=100)


def health(pnl, capital=1000.0, risk=None, settings=QUICK, **more):
    given_ = {"n_recent": len(pnl) // 3, "equity": capital, "peak": capital, **more}
    return strategy_health(HealthInputs(pnl=list(pnl), risk=risk, **given_), settings)


def test_the_defaults_are_those_of_the_specification():
    s = StrategySettings()
    assert s.weights.model_dump() == {
        "win_rate": 0.20, "expectancy": 0.25, "maximum_drawdown": 0.20, "current_drawdown": 0.15, "trend": 0.10,
        "edge_confidence": 0.10,
    }  # fmt: skip
    assert (s.lookback_days, s.minimum_trades, s.recent_days, s.disable_below) == (90, 30, 30, 0.30)
    assert (s.probation_multiplier, s.allocation.kelly_fraction) == (0.25, 0.25)
    assert set(MAPPINGS) == set(s.weights.model_dump())


def test_settings_that_contradict_each_other_are_refused():
    with pytest.raises(ValidationError, match=r"sum to 1, but sum to 1\.1"):
        HealthWeights(win_rate=0.30)
    with pytest.raises(ValidationError, match="below lookback_days"):
        StrategySettings(recent_days=90)


@pytest.mark.parametrize(
    ("score", "band"),
    [(1.0, "EXCELLENT"), (0.8, "EXCELLENT"), (0.79, "GOOD"), (0.6, "GOOD"), (0.59, "MARGINAL"), (0.45, "MARGINAL"),
     (0.44, "POOR"), (0.30, "POOR"), (0.2999, "CRITICAL"), (0.0, "CRITICAL")],
)  # fmt: skip
def test_bands(score, band):
    assert band_of(score, 0.30) == band


@given(st.sampled_from(sorted(MAPPINGS)), st.floats(-5, 5), st.floats(-5, 5))
def test_each_mapping_lies_in_the_unit_interval_and_keeps_the_order_of_its_figure(name, a, b):
    worst, best, _ = MAPPINGS[name]
    low, high = (min(a, b), max(a, b)) if worst < best else (max(a, b), min(a, b))
    assert 0.0 <= mapped(name, low) <= mapped(name, high) <= 1.0
    assert (mapped(name, worst), mapped(name, best)) == (0.0, 1.0)


def test_the_score_is_the_weighted_sum_of_its_components():
    # Wins of 20 and losses of 10 in turn: rate ½ against ⅓, mean 5 = ½ loss, drawdown 10/1010 at first.
    found = health([20.0, -10.0] * 20)
    measured = {part.name: part.measured for part in found.components}
    assert measured["win_rate"] == pytest.approx(1 / 6)
    assert measured["expectancy"] == pytest.approx(0.5)
    assert measured["maximum_drawdown"] == pytest.approx(10 / 1020)
    assert measured["current_drawdown"] == pytest.approx(10 / 1210)
    assert found.score == pytest.approx(sum(p.weight * p.score for p in found.components))
    assert found.band == "EXCELLENT"


def test_a_losing_strategy_is_critical_and_its_weakest_part_is_named():
    found = health(np.random.default_rng(1).normal(-5.0, 20.0, 60))
    assert found.band == "CRITICAL"
    assert found.multiplier == 0.0
    assert found.weakest.name == "expectancy"


@given(
    st.lists(st.integers(-50, 50), min_size=30, max_size=60),
    st.integers(-20, 20),
    st.floats(0.01, 100.0),
    st.booleans(),
)
def test_scaling_pnl_and_capital_changes_no_score(pnl, power, factor, exact):
    scale = 2.0**power if exact else factor
    before, after = health([float(x) for x in pnl]), health([x * scale for x in pnl], capital=1000.0 * scale)
    if exact:
        assert after.score == before.score
    else:
        assert after.score == pytest.approx(before.score, abs=1e-9)


TENTHS = st.lists(st.integers(-5, 5).map(lambda x: 0.1 * x), min_size=30, max_size=60)


@given(TENTHS, st.sampled_from([3.0, 0.1, 1e-200, 1e-160, 1e150, 1e300]))
def test_the_unit_of_money_moves_no_p_value(pnl, scale):
    """Many means of tenths are zero but for rounding, and many resamples tie with them."""
    before, after = health(pnl, capital=100.0), health([x * scale for x in pnl], capital=100.0 * scale)
    confidence = [{p.name: p.measured for p in found.components}["edge_confidence"] for found in (before, after)]
    assert confidence[0] == confidence[1]
    assert after.score == pytest.approx(before.score, abs=1e-9)


def test_a_figure_too_large_to_be_a_number_scores_nothing():
    lucky = [5.0] * 39 + [-1.0]
    parts = {p.name: p for p in health(lucky, risk=[1.0] * 39 + [1e-320]).components}
    assert (parts["expectancy"].measured, parts["expectancy"].score) == (None, 0.0)
    assert "too large" in parts["expectancy"].measured_reason


def test_rounding_moves_no_score_off_its_boundary():
    # Both drawdowns count, and half of the trend: 0.20 + 0.15 + 0.10, in binary digits 0.44999999999999996.
    weights = HealthWeights(win_rate=0.10, trend=0.20)
    quiet = health([0.0] * 40, settings=StrategySettings(resamples=100, weights=weights))
    assert (quiet.score, quiet.band) == (0.45, "MARGINAL")


@given(st.lists(st.floats(-50, 50), min_size=30, max_size=60))
def test_a_score_lies_in_the_unit_interval(pnl):
    assert 0.0 <= health(pnl).score <= 1.0


def test_trades_that_only_win_are_excellent_and_only_lose_critical():
    assert health([5.0] * 40).score == pytest.approx(0.95)
    assert health([-5.0] * 40).band == "CRITICAL"
    assert health([0.0] * 40).score < 0.45


def test_recent_trades_that_are_worse_lower_the_trend():
    rng = np.random.default_rng(4)
    good, bad = rng.normal(5, 10, 40), rng.normal(-5, 10, 20)
    trend = {p.name: p for p in health([*good, *bad], n_recent=20).components}["trend"]
    assert trend.measured < -2.0
    assert trend.score == 0.0
    level = {p.name: p for p in health([0.1 + 0.2, 0.3, 0.3] * 20, n_recent=20).components}["trend"]
    assert level.score == 0.5
    assert "vary" in level.measured_reason
    untold = {p.name: p for p in health([*good, *bad], n_recent=4).components}["trend"]
    assert untold.score == 0.5
    assert "4 recent trades" in untold.measured_reason


def test_risk_and_declared_odds_are_used_where_known():
    pnl = [20.0, -10.0] * 20
    parts = {p.name: p for p in health(pnl, risk=[50.0] * 40, break_even=0.45).components}
    assert parts["expectancy"].measured == pytest.approx(0.1)
    assert parts["win_rate"].measured == pytest.approx(0.05)
