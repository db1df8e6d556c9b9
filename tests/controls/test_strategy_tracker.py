import json
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.controls.strategy_record import weekday
from rpmcore.controls.strategy_settings import StrategySettings
from rpmcore.controls.strategy_tracker import StrategyPerformanceTracker, Trials
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.plain import to_plain
from rpmcore.domain.trades import ClosedTrade
from tests.oracles import performance as oracle

DAY = 86_400 * 10**9
MONDAY = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()) * 10**9
QUICK = StrategySettings(resamples=100)


def trade(i, pnl, *, at=None, strategy="a", **more):
    at = MONDAY + i * DAY if at is None else at
    return ClosedTrade(trade_id=f"{strategy}{i}", strategy_id=strategy, symbol="EURUSD", side="buy",
                       opened_at=at, closed_at=at, pnl=pnl, **more)  # fmt: skip


def tracked(pnl, capital=1000.0, settings=QUICK, **more):
    tracker = StrategyPerformanceTracker("a", capital, settings, **more)
    for i, x in enumerate(pnl):
        tracker.record(trade(i, float(x)))
    return tracker


def ends(tracker):
    return tracker._trades.last


def test_the_figures_are_those_of_the_trades_within_the_lookback():
    pnl = np.random.default_rng(1).normal(1.0, 10.0, 200)
    found = tracked(pnl).performance(MONDAY + 199 * DAY).lookback
    kept = pnl[-90:]
    assert found.n_trades == 90
    assert found.win_rate.value == pytest.approx((kept > 0).mean())
    assert found.expectancy.value == pytest.approx(kept.mean())
    assert found.profit_factor.value == pytest.approx(oracle.profit_factor(kept))
    assert found.longest_losing_run.value == oracle.longest_losing_run(kept.tolist())
    assert found.win_rate.lower < found.win_rate.value < found.win_rate.upper


def test_a_drawdown_remembers_a_peak_from_before_the_lookback():
    # Up to 2,000 in the first days, down to 1,500 long ago, and little since.
    pnl = [1000.0, -500.0, *[1.0, -1.0] * 60]
    found = tracked(pnl).performance(MONDAY + 121 * DAY)
    assert found.lookback.current_drawdown.value == pytest.approx(0.25, abs=1e-3)
    assert found.recent.current_drawdown.value == pytest.approx(0.25, abs=1e-3)
    assert found.equity == 1500.0


def test_the_ratios_are_those_of_daily_returns_on_equity_weekends_counting_on_monday():
    # Monday to Friday, Saturday, and the Monday after: six weekdays.
    pnl = {0: 10.0, 1: -5.0, 2: 0.0, 4: 20.0, 5: -3.0, 7: 1.0}
    tracker = StrategyPerformanceTracker("a", 1000.0, QUICK)
    for i, x in pnl.items():
        tracker.record(trade(i, x))
    daily = [10.0, -5.0, 0.0, 0.0, 20.0, -2.0]
    equity = np.cumsum([1000.0, *daily])
    found = tracker.performance(MONDAY + 7 * DAY).lookback
    assert found.sharpe.n == 6
    assert found.sharpe.value == pytest.approx(oracle.sharpe((daily / equity[:-1]).tolist()))
    assert found.calmar.value == pytest.approx(oracle.calmar((daily / equity[:-1]).tolist()))


def test_a_lookback_that_begins_on_a_weekend_begins_with_monday():
    settings = StrategySettings(lookback_days=12, recent_days=6, resamples=100)
    # A trade a day earns 1, 2, 3 …; from Friday the 26th twelve days back is Sunday the 14th.
    first, daily = tracked(range(1, 27), settings=settings).daily(MONDAY + 25 * DAY)
    assert first == weekday(MONDAY + 14 * DAY)
    assert daily.tolist() == [15, 16, 17, 18, 19, 20 + 21 + 22, 23, 24, 25, 26]


@given(st.integers(0, 20_000))
def test_weekdays_count_like_numpy(days):
    expected = np.busday_count("1970-01-01", np.datetime64("1970-01-01") + days) + 3
    assert weekday(days * DAY) == expected


def test_below_significance_it_says_insufficient_and_health_is_null_on_probation():
    found = tracked([10.0, -5.0] * 14 + [1.0]).performance(MONDAY + 28 * DAY)
    assert found.evidence == found.lookback.evidence == "insufficient"
    assert found.lookback.expectancy.n == 29
    assert found.health.score is None
    assert "29 of the 30 trades" in found.health.score_reason
    assert found.health.multiplier == 0.25
    enough = tracked([10.0, -5.0] * 15).performance(MONDAY + 29 * DAY)
    assert enough.evidence == "sufficient"
    assert enough.health.score is not None


def test_r_is_known_where_every_risk_is():
    tracker = StrategyPerformanceTracker("a", 1000.0, QUICK)
    tracker.record(trade(0, 10.0, risk=5.0))
    tracker.record(trade(1, -5.0, risk=5.0))
    assert tracker.performance(MONDAY + DAY).lookback.expectancy_r.value == 0.5
    tracker.record(trade(2, -5.0))
    assert "1 of 3 trades say no risk" in tracker.performance(MONDAY + 2 * DAY).lookback.expectancy_r.value_reason


def test_no_trade_and_no_sharpe_are_said_and_everything_is_plain():
    empty = StrategyPerformanceTracker("a", 1000.0, QUICK).performance(MONDAY)
    assert "no trade" in empty.lookback.win_rate.value_reason
    assert "no trade" in empty.lookback.edge_reason
    lost = tracked([-400.0, -700.0, 5.0]).performance(MONDAY + 2 * DAY)
    assert "equity was lost" in lost.lookback.sharpe.value_reason
    assert lost.lookback.maximum_drawdown.value > 1.0
    for found in (empty, lost, tracked([1.0] * 40).performance(MONDAY + 39 * DAY)):
        json.dumps(to_plain(found), allow_nan=False)


def test_a_ratio_chosen_from_many_is_less_probable():
    tracker = tracked(np.random.default_rng(2).normal(3.0, 10.0, 80))
    found = tracker.performance(MONDAY + 79 * DAY, Trials(n=50, variance=0.01)).lookback
    assert found.deflated_sharpe.value < found.probabilistic_sharpe.value
    assert tracker.performance(MONDAY + 79 * DAY).lookback.deflated_sharpe.value is None


def test_misuse():
    tracker = tracked([1.0, 2.0])
    for bad, message in (
        (trade(1, 1.0, at=MONDAY + 2 * DAY), "recorded already"),
        (trade(5, 1.0, at=MONDAY), "before the one recorded last"),
        (trade(5, 1.0, strategy="b"), "of strategy 'b', not of 'a'"),
    ):
        with pytest.raises(InvalidArgument, match=message):
            tracker.record(bad)
    with pytest.raises(InvalidArgument, match="lies before"):
        tracker.performance(MONDAY)
    with pytest.raises(InvalidArgument, match="capital"):
        StrategyPerformanceTracker("a", 0.0)
    with pytest.raises(InvalidArgument, match="break_even"):
        StrategyPerformanceTracker("a", 1.0, break_even=1.0)


def test_a_new_beginning_keeps_the_equity_that_is_left():
    tracker = tracked([-200.0] * 3)
    tracker.begin_again(MONDAY + 5 * DAY)
    tracker.record(trade(9, -40.0))
    found = tracker.performance(MONDAY + 9 * DAY)
    assert found.lookback.n_trades == 1
    assert found.lookback.maximum_drawdown.value == pytest.approx(0.1)
    broke = tracked([-1200.0])
    with pytest.raises(InvalidArgument, match="give it new capital"):
        broke.begin_again(MONDAY)
    broke.begin_again(MONDAY, 500.0)
    assert broke.performance(MONDAY).equity == 500.0


@given(st.lists(st.floats(-30, 30), max_size=40), st.integers(0, 40))
def test_state_saves_and_restores_exactly_as_json(pnl, cut):
    settings = StrategySettings(lookback_days=20, recent_days=10, resamples=100)
    whole = tracked(pnl, settings=settings)
    part = tracked(pnl[:cut], settings=settings)
    part = StrategyPerformanceTracker.from_state(json.loads(json.dumps(part.state(), allow_nan=False)), settings)
    for i, x in list(enumerate(pnl))[cut:]:
        part.record(trade(i, x))
    assert part.state() == whole.state()
    if pnl:
        assert part.performance(ends(part)) == whole.performance(ends(whole))
