"""How often thresholds halt for nothing: exact where it can be, and against simulation by another hand."""

import itertools
import math

import numpy as np
import pytest

from rpmcore.controls.exposure_velocity import ExposureVelocityKillSwitch
from rpmcore.controls.kill_switch_settings import KillSwitchesSettings, PerStrategySettings
from rpmcore.controls.operating_characteristics import Behaviour, operating_characteristics
from rpmcore.controls.replayed_history import HistoryEvent, replay_history
from rpmcore.controls.scan_statistics import mean_trials_to_run, probability_of_cluster, probability_of_run
from rpmcore.domain.controls import Severity
from rpmcore.domain.errors import InvalidArgument

MINUTE = 60_000_000_000
DAY = 1440 * MINUTE


def by_measure(**behaviour):
    found = operating_characteristics(Behaviour(**behaviour), days=4000)
    return {row.measure: row for row in found.characteristics}


def test_five_straight_losses_within_a_hundred_trades_at_even_odds():
    assert probability_of_run(100, 0.5, 5) == pytest.approx(0.8101, abs=5e-5)


@pytest.mark.parametrize(("n", "length", "p"), [(12, 3, 0.5), (9, 1, 0.3), (11, 4, 0.7), (2, 3, 0.9)])
def test_the_recursion_is_the_sum_over_all_sequences(n, length, p):
    total = 0.0
    for outcome in itertools.product((0, 1), repeat=n):
        if "1" * length in "".join(map(str, outcome)):
            total += p ** sum(outcome) * (1 - p) ** (n - sum(outcome))
    assert probability_of_run(n, p, length) == pytest.approx(total, rel=1e-12)


def test_the_mean_wait_for_a_row_sums_the_recursion():
    waits = sum(1.0 - probability_of_run(n, 0.6, 4) for n in range(2000))
    assert mean_trials_to_run(0.6, 4) == pytest.approx(waits, rel=1e-9)
    assert mean_trials_to_run(1.0, 5) == 5.0


@pytest.mark.parametrize(("count", "mean", "windows"), [(5, 0.5, 20), (10, 4.27, 78), (3, 1.0, 10), (2, 0.1, 50)])
def test_clusters_against_simulated_ones(count, mean, windows):
    rng, hits, days = np.random.default_rng(3), 0, 6000
    for _ in range(days):
        times = np.sort(rng.random(rng.poisson(mean * windows)) * windows)
        hits += times.size >= count and (times[count - 1 :] - times[: times.size - count + 1]).min() < 1.0
    error = math.sqrt(max(hits, 1) * (1 - hits / days)) / days
    assert probability_of_cluster(count, mean, windows) == pytest.approx(hits / days, abs=4 * error + 0.002)


def test_rare_clusters_keep_their_digits():
    rare = probability_of_cluster(30, 0.2, 78.0)
    assert 0.0 < rare < 1e-30
    assert probability_of_cluster(29, 0.2, 78.0) > rare


def test_more_trades_and_more_rejections_halt_more_often():
    calm, busy = by_measure(trades_a_day=100, rejection_rate=0.15), by_measure(trades_a_day=1000, rejection_rate=0.25)
    for measure in ("rejections in 5 minutes", "losses in a row", "rejection rate", "drawdown"):
        assert calm[measure].false_halt < busy[measure].false_halt
    assert calm["losses in a row"].false_halt == pytest.approx(0.8101, abs=5e-5)
    assert busy["rejections in 5 minutes"].false_halt == pytest.approx(0.975, abs=0.005)


def test_the_figures_of_the_manual():
    figures = {
        (trades, rate): by_measure(trades_a_day=trades, rejection_rate=rate)
        for trades in (100, 1000)
        for rate in (0.15, 0.25)
    }
    manual = {
        "rejections in 5 minutes": (6e-11, 3e-8, 0.058, 0.975),
        "losses in a row": (0.810, 0.810, 1.0, 1.0),
        "rejection rate": (0.0004, 0.018, 0.0004, 0.018),
        "drawdown": (0.068, 0.068, 0.872, 0.872),
    }
    for measure, row in manual.items():
        for told, found in zip(row, figures.values(), strict=True):
            error = 4.0 * (found[measure].standard_error or 0.0)
            assert found[measure].false_halt == pytest.approx(told, rel=0.12, abs=max(error, 1e-3 * told))


def test_the_wanted_threshold_holds_what_it_promises():
    rows = by_measure(trades_a_day=1000, rejection_rate=0.25)
    losses = int(rows["losses in a row"].wanted_threshold)
    assert probability_of_run(1000, 0.5, losses) <= 0.01 < probability_of_run(1000, 0.5, losses - 1)
    fall = rows["drawdown"].wanted_threshold
    settings = KillSwitchesSettings(per_strategy=PerStrategySettings(max_drawdown=fall))
    again = operating_characteristics(Behaviour(trades_a_day=1000, rejection_rate=0.25), settings, days=4000)
    assert {row.measure: row for row in again.characteristics}["drawdown"].false_halt <= 0.01


def test_a_simulated_drawdown_is_that_of_a_random_walk():
    row = by_measure(trades_a_day=20, trade_size=0.05)["drawdown"]
    # Two losses more than gains from the peak, within 20 fair steps: all sequences, counted.
    reached = 0
    for outcome in itertools.product((1, -1), repeat=20):
        equity = peak = 20
        for step in outcome:
            equity += step
            peak = max(peak, equity)
            if 10 * (peak - equity) >= peak:
                reached += 1
                break
    assert row.false_halt == pytest.approx(reached / 2**20, abs=4 * row.standard_error + 1e-9)


def test_the_same_seed_gives_the_same_figures():
    assert by_measure(trades_a_day=200) == by_measure(trades_a_day=200)


@pytest.mark.parametrize("growth", [0.05, 0.07, 0.2, 1.0])
def test_the_time_to_see_a_runaway_is_that_of_the_switch_itself(growth):
    promised = by_measure(runaway_growth=growth)["exposure growth/minute"].detection
    waits = []
    for start in np.arange(0.005, 5.0, 0.01):  # minutes from the beginning of the runaway to the next snapshot
        switch = ExposureVelocityKillSwitch()
        switch.record(0.0, 0.0, 1e4, at=0)
        for snapshot in range(1, 9):
            minutes = start + 5.0 * (snapshot - 1)
            switch.record(min(1e4 * growth * minutes, 1e4), 0.0, 1e4, at=snapshot * 5 * MINUTE)
            if switch.growth.severity is Severity.HALT:
                waits.append(minutes)
                break
    assert len(waits) == 500
    assert promised == pytest.approx(np.mean(waits), rel=0.01)


def test_a_runaway_below_the_limit_is_not_seen_and_says_so():
    row = by_measure(runaway_growth=0.04)["exposure growth/minute"]
    assert row.detection is None
    assert "slower" in row.detection_reason


@pytest.mark.parametrize("wrong", [{"trades_a_day": 0}, {"rejection_rate": 1.0}, {"storm": 0.0}, {"win_rate": -0.1}])
def test_behaviour_out_of_range_is_refused(wrong):
    with pytest.raises(InvalidArgument):
        Behaviour(**wrong)


def test_a_history_tells_on_how_many_days_it_would_have_halted():
    losing = [HistoryEvent(at=i, kind="trade", strategy_id="a", pnl=-1.0) for i in range(5)]
    fine = [HistoryEvent(at=DAY + i, kind="trade", strategy_id="a", pnl=1.0) for i in range(5)]
    refused = [HistoryEvent(at=2 * DAY + i, kind="rejection", strategy_id="b", reason="bad price") for i in range(10)]
    found = replay_history([*losing, *fine, *refused], 1000.0)
    assert (found.days, found.trades, found.rejections, found.halted_days) == (3, 10, 10, 2)
    assert [(row.switch, row.scope, row.days) for row in found.switches] == [
        ("per_strategy", "a", 1),
        ("rejection_velocity", "account", 1),
    ]
    assert (found.win_rate, found.rejection_rate) == (0.5, 0.5)
