"""Horizons, rows of several days, intervals and simulations: what the table of methods does to every figure."""

import numpy as np
import pytest

from rpmcore.risk.covariance_estimator import CovarianceMatrixEstimator
from rpmcore.risk.settings import DataSettings, RiskSettings, SimulationSettings, TailMethod, TailRiskSettings
from rpmcore.risk.tail_inputs import Absent, Effort, TailInputs
from rpmcore.risk.tail_methods import METHODS, SIMULATING, block_of, measure, scaling_of
from rpmcore.risk.value_at_risk import historical
from tests.samples import correlated_returns

RETURNS = correlated_returns(500, 3, seed=6)
WEIGHTS = np.array([0.5, -0.3, 0.6])
SCALED = ("historical", "student_t", "extreme_value")


def book(returns=RETURNS, weights=WEIGHTS, **sections):
    settings = RiskSettings(**sections)
    covariance = CovarianceMatrixEstimator(settings.covariance).estimate(returns, return_days=settings.data.return_days)
    return TailInputs.of(returns, weights, covariance, settings)


def figure(method, confidence=0.95, **sections):
    return measure(method, book(**sections), [confidence])[0]


def test_the_table_has_every_method_of_the_setting():
    assert set(METHODS) == set(TailMethod.__args__)
    assert set(SIMULATING) < set(METHODS)


@pytest.mark.parametrize("method", SCALED)
@pytest.mark.parametrize(("days", "horizon"), [(1, 4), (2, 1), (2, 2), (2, 8), (5, 1)])
def test_rows_of_q_days_reach_h_days_by_the_root_of_their_ratio(method, days, horizon):
    plain = figure(method)
    found = figure(
        method, data=DataSettings(return_days=days), tail_risk=TailRiskSettings(horizon=horizon, resamples=100)
    )
    factor = np.sqrt(horizon / days)
    assert found.horizon == horizon
    assert found.value_at_risk == pytest.approx(factor * plain.value_at_risk, rel=1e-12)
    assert found.expected_shortfall == pytest.approx(factor * plain.expected_shortfall, rel=1e-12)
    settings = RiskSettings(data=DataSettings(return_days=days), tail_risk=TailRiskSettings(horizon=horizon))
    assert scaling_of(method, settings) == ("none" if days == horizon else "square root of time")


@pytest.mark.parametrize(("days", "horizon"), [(1, 1), (1, 5), (2, 1), (2, 6)])
@pytest.mark.parametrize("method", ["normal", "monte_carlo"])
def test_methods_on_a_volatility_per_day_know_only_the_horizon(method, days, horizon):
    sections = {"simulation": SimulationSettings(distribution="normal", sampling="sobol", paths=32_768)}
    one = figure(method, **sections)
    found = figure(method, data=DataSettings(return_days=days), tail_risk=TailRiskSettings(horizon=horizon), **sections)
    # The rows are the same, so the variance per day is 1/q of theirs.
    expected = one.value_at_risk * np.sqrt(horizon / days)
    assert found.value_at_risk == pytest.approx(expected, rel=2e-3)


def test_a_sample_mean_drifts_with_the_days():
    returns = RETURNS + 0.002
    settings = {"tail_risk": TailRiskSettings(mean="sample", horizon=5)}
    moving = measure("normal", book(returns, **settings), [0.95])[0]
    still = measure("normal", book(returns, tail_risk=TailRiskSettings(horizon=5)), [0.95])[0]
    drift = 5 * float((returns @ WEIGHTS).mean())
    assert moving.value_at_risk == pytest.approx(still.value_at_risk - drift, rel=1e-12)
    rows = measure("normal", book(returns, data=DataSettings(return_days=2), **settings), [0.95])[0]
    still = measure(
        "normal", book(returns, data=DataSettings(return_days=2), tail_risk=TailRiskSettings(horizon=5)), [0.95]
    )[0]
    assert rows.value_at_risk == pytest.approx(still.value_at_risk - drift / 2, rel=1e-12)


def test_days_of_cornish_fisher_wash_its_shape_out():
    skewed = -(np.abs(RETURNS) ** 1.2)
    one, ten = (
        measure("cornish_fisher", book(skewed, np.ones(3) / 3, tail_risk=TailRiskSettings(horizon=h)), [0.99])[0]
        for h in (1, 10)
    )
    assert ten.value_at_risk < one.value_at_risk * np.sqrt(10)
    assert ten.horizon == 10


@pytest.mark.parametrize("method", ["student_t", "extreme_value"])
def test_a_law_without_variance_is_not_scaled(method):
    wild = 0.001 * np.random.default_rng(1).standard_cauchy((500, 1))
    inputs = book(wild, np.ones(1), tail_risk=TailRiskSettings(horizon=5))
    found = measure(method, inputs, [0.95])[0]
    assert isinstance(found, Absent)
    assert "no variance" in found.reason
    one_day = measure(method, book(wild, np.ones(1)), [0.95])[0]
    assert one_day.value_at_risk > 0.0


def test_beyond_ten_days_only_what_simulates_answers():
    for method in METHODS:
        found = figure(method, tail_risk=TailRiskSettings(horizon=11), simulation=SimulationSettings(paths=2000))
        assert isinstance(found, Absent) is (method not in SIMULATING)


def test_overlapping_rows_are_not_filtered():
    found = figure("filtered_historical", data=DataSettings(return_days=2))
    assert isinstance(found, Absent)
    assert "cannot be filtered" in found.reason


@pytest.mark.parametrize("method", [*SCALED, "cornish_fisher", "filtered_historical"])
def test_bootstrap_intervals_enclose_the_figure_and_replace_errors(method):
    found = figure(method, tail_risk=TailRiskSettings(intervals="bootstrap", resamples=400))
    assert found.lower < found.value_at_risk < found.upper
    assert found.expected_shortfall_lower < found.expected_shortfall < found.expected_shortfall_upper
    assert found.value_at_risk_error is None
    plain = figure(method)
    assert found.value_at_risk == plain.value_at_risk


def test_blocks_of_overlapping_rows_reach_over_the_overlap():
    assert block_of(RiskSettings(), 500) == 1
    assert block_of(RiskSettings(data=DataSettings(return_days=2)), 500) == 8
    assert block_of(RiskSettings(data=DataSettings(return_days=10)), 500) == 10
    assert block_of(RiskSettings(tail_risk=TailRiskSettings(block=3)), 500) == 3
    assert block_of(RiskSettings(data=DataSettings(return_days=5), tail_risk=TailRiskSettings(block=1)), 500) == 5


def test_one_simulation_serves_every_book():
    one = figure("monte_carlo")
    double = measure("monte_carlo", book(weights=2.0 * WEIGHTS), [0.95])[0]
    assert double.value_at_risk == pytest.approx(2.0 * one.value_at_risk, rel=1e-12)
    other = figure("monte_carlo", simulation=SimulationSettings(seed=1))
    assert other.value_at_risk != one.value_at_risk
    assert measure("monte_carlo", book(weights=0.0 * WEIGHTS), [0.95])[0].value_at_risk == 0.0


@pytest.mark.parametrize("days", [1, 2])
def test_a_bootstrap_does_not_take_the_worst_loss_for_an_upper_bound(days):
    short = {
        "data": DataSettings(return_days=days),
        "tail_risk": TailRiskSettings(intervals="bootstrap", resamples=100),
    }
    found = measure("historical", book(RETURNS[:80], **short), [0.99])[0]
    assert found.upper is None
    assert found.expected_shortfall_upper is None
    assert "too few" in found.upper_reason
    assert found.lower is not None


def test_a_filter_that_leaves_a_handful_of_rows_has_no_answer():
    for horizon in (1, 5):
        found = measure("filtered_historical", book(RETURNS[:40], tail_risk=TailRiskSettings(horizon=horizon)), [0.95])[
            0
        ]
        assert isinstance(found, Absent)
        assert "10 returns are left" in found.reason


def test_the_mean_of_cornish_fisher_is_that_of_the_days_it_is_over():
    """Half of a two-day mean, not its root, when two-day rows answer for one day."""
    returns = RETURNS + 0.002
    days = DataSettings(return_days=2)
    moving, still = (
        measure("cornish_fisher", book(returns, data=days, tail_risk=TailRiskSettings(mean=m, resamples=100)), [0.95])[
            0
        ]
        for m in ("sample", "zero")
    )
    drift = float((returns @ WEIGHTS).mean()) / 2
    assert still.value_at_risk - moving.value_at_risk == pytest.approx(drift, rel=1e-9)


def test_effort_is_no_part_of_a_result():
    class Unhashable:
        __hash__ = None

        def __call__(self, done, total):
            pass

    settings = RiskSettings(simulation=SimulationSettings(seed=99))
    covariance = CovarianceMatrixEstimator().estimate(RETURNS)
    one, other = (
        measure("monte_carlo", TailInputs.of(RETURNS, WEIGHTS, covariance, settings, effort), [0.95])[0]
        for effort in (None, Effort(threads=2, progress=Unhashable()))
    )
    assert one == other


def test_the_historical_method_reads_the_quantile_of_the_settings():
    found = figure("historical", tail_risk=TailRiskSettings(quantile="type7"))
    assert found.value_at_risk == historical(RETURNS @ WEIGHTS, 0.95, quantile="type7").value_at_risk
