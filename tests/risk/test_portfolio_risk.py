import numpy as np
import pytest

from rpmcore import CovarianceMatrixEstimator, PortfolioRiskEngine, PortfolioVarianceCalculator, VaRCalculator
from rpmcore.domain.errors import ConfigurationError, InsufficientData, InvalidArgument
from rpmcore.risk import covariance, value_at_risk
from rpmcore.risk.settings import LimitsSettings, RiskSettings, TailRiskSettings
from rpmcore.risk.student_t import fit_student_t
from tests.samples import correlated_returns

RETURNS = correlated_returns(600, 5)
WEIGHTS = np.array([0.5, -0.3, 0.4, 0.2, 0.1])
WINDOW = RETURNS[-60:]


def test_the_methods_of_the_covariance_estimator():
    expected = {
        "sample": covariance.sample_covariance(WINDOW),
        "ewma": covariance.ewma_covariance(WINDOW, 0.94),
        "stressed": covariance.stressed_covariance(covariance.ewma_covariance(WINDOW), 2.0, 0.3, WEIGHTS),
    }
    for method, matrix in expected.items():
        found = CovarianceMatrixEstimator(method=method, shrinkage=None, volatility_multiplier=2.0)
        np.testing.assert_array_equal(found.estimate(RETURNS, WEIGHTS).matrix, matrix)


def test_lookback_and_minimum_of_the_covariance_estimator():
    assert CovarianceMatrixEstimator().estimate(RETURNS).n_obs == 60
    assert CovarianceMatrixEstimator().estimate(RETURNS[:30]).n_obs == 30
    with pytest.raises(InsufficientData, match=r"at least 30 returns of A, B, C …, but there are 29"):
        CovarianceMatrixEstimator().estimate(RETURNS[:29], symbols="ABCDE")


def test_the_fixed_shrinkage_is_a_tenth():
    found = CovarianceMatrixEstimator(method="sample").estimate(RETURNS)
    assert found.intensity == 0.10
    np.testing.assert_array_equal(found.matrix, covariance.shrink(covariance.sample_covariance(WINDOW), 0.10))


def test_the_estimated_shrinkage_by_either_name():
    by_method = CovarianceMatrixEstimator(method="ledoit_wolf").estimate(RETURNS)
    by_shrinkage = CovarianceMatrixEstimator(method="sample", shrinkage="ledoit_wolf").estimate(RETURNS)
    expected = covariance.ledoit_wolf(WINDOW)
    for found in (by_method, by_shrinkage):
        assert found.intensity == expected.intensity
        np.testing.assert_array_equal(found.matrix, expected.covariance)


def test_effective_observations_of_exponential_weights():
    # 1/Σw² tends to (1+λ)/(1-λ) = 32.3 for λ = 0.94; 60 rows hold nearly all of it.
    assert CovarianceMatrixEstimator(method="ewma").estimate(RETURNS).n_effective == pytest.approx(32.3, rel=0.06)
    assert CovarianceMatrixEstimator(method="sample").estimate(RETURNS).n_effective == pytest.approx(60, rel=1e-12)


@pytest.mark.parametrize("change", [{"method": "garch"}, {"decay": 1.0}, {"lookback": 10}, {"dekay": 0.9}])
def test_a_change_that_is_none(change):
    with pytest.raises(ConfigurationError):
        CovarianceMatrixEstimator(**change)


def test_scaling_aims_at_the_target():
    calculator = PortfolioVarianceCalculator()
    factor, reason = calculator.scaling(0.20)
    assert factor == pytest.approx(0.75)
    assert "above the target of 15.0%" in reason
    factor, reason = calculator.scaling(0.30)
    assert factor == pytest.approx(0.5)
    assert "above the maximum of 25.0%" in reason
    assert calculator.utilisation(0.30) == pytest.approx(2.0)
    cov = np.diag([0.01**2])
    assert calculator.volatility([1.0], cov) == pytest.approx(0.01 * np.sqrt(252))


def test_no_scaling_within_the_rebalance_threshold():
    calculator = PortfolioVarianceCalculator()
    for volatility in (0.136, 0.15, 0.164):
        assert calculator.scaling(volatility)[0] == 1.0
    assert calculator.scaling(0.1651)[0] < 1.0


@pytest.mark.parametrize("volatility", [0.0, 0.01, 0.13])
def test_a_quiet_book_is_never_scaled_up(volatility):
    factor, reason = PortfolioVarianceCalculator().scaling(volatility)
    assert factor == 1.0
    assert "below the target" in reason


@pytest.mark.parametrize("volatility", [float("nan"), float("inf"), -0.1])
def test_a_volatility_that_is_none_is_refused(volatility):
    with pytest.raises(InvalidArgument):
        PortfolioVarianceCalculator().scaling(volatility)


def test_the_calculator_gives_what_the_functions_give():
    pnl = RETURNS @ WEIGHTS
    calculator, window = VaRCalculator(lookback=250), (RETURNS @ WEIGHTS)[-250:]
    assert calculator.historical(pnl, 0.95) == value_at_risk.historical(window, 0.95)
    assert calculator.normal(0.01, 0.99) == value_at_risk.normal(0.01, 0.99)
    assert calculator.student_t(pnl, 0.99) == fit_student_t(window).tail_risk(0.99)
    assert calculator.skewness(pnl) == value_at_risk.skewness(window)
    assert calculator.excess_kurtosis(pnl) == value_at_risk.excess_kurtosis(window)
    with pytest.raises(InsufficientData, match="at least 30"):
        calculator.historical(pnl[:29], 0.95)


def test_expected_shortfall_is_the_mean_loss_beyond_value_at_risk():
    losses = -(RETURNS @ WEIGHTS)
    found = VaRCalculator(lookback=600).historical(-losses, 0.95)
    # 600 × 5 % = 30 losses in the tail, the 30th of them the VaR itself.
    assert found.expected_shortfall == pytest.approx(losses[losses >= found.value_at_risk].mean(), rel=1e-12)


def metrics(scale=1.0, **sections):
    engine = PortfolioRiskEngine(RiskSettings(**sections))
    return engine, engine.calculate_comprehensive_risk(RETURNS, WEIGHTS * scale, capital=1_000_000.0)


def test_limits_of_two_and_three_per_cent():
    engine, calm = metrics()
    found = {check.name: check for check in calm.limits}
    assert found["value_at_risk"].limit == 0.02
    assert found["expected_shortfall"].limit == 0.03
    assert found["volatility"].limit == 0.25
    var = found["value_at_risk"].observed
    for scale, holds in ((0.019 / var, True), (0.021 / var, False)):
        _, scaled = metrics(scale, limits=LimitsSettings(expected_shortfall=1.0, maximum_volatility=9.0))
        acceptable, reason = engine.check_risk_limits(scaled, 1_000_000.0)
        assert acceptable is holds
        assert "value_at_risk" in reason


def test_limits_are_fractions_of_the_capital_they_are_checked_against():
    engine, calm = metrics(0.5)
    assert engine.check_risk_limits(calm, 1_000_000.0)[0]
    assert not engine.check_risk_limits(calm, 100_000.0)[0]


@pytest.mark.parametrize("capital", [0.0, -1.0, float("nan"), float("inf")])
def test_limits_without_capital_are_refused(capital):
    engine, calm = metrics()
    with pytest.raises(InvalidArgument, match="capital must be a positive number"):
        engine.check_risk_limits(calm, capital)


def test_the_binding_measure_is_configurable():
    _, larger = metrics()
    _, historical = metrics(limits=LimitsSettings(method="historical"))
    _, normal = metrics(limits=LimitsSettings(method="ewma_normal"))
    observed = [m.limits[0].observed for m in (historical, normal)]
    assert larger.limits[0].observed == max(observed)
    assert min(observed) < max(observed)


def test_the_engine_advises_what_the_calculator_advises():
    engine, loud = metrics(5.0)
    assert engine.get_position_scaling_recommendation(loud) == PortfolioVarianceCalculator().scaling(
        loud.annual_volatility
    )
    assert loud.utilisation == pytest.approx(loud.annual_volatility / 0.15)


def test_twice_the_book_is_twice_the_risk():
    _, once = metrics(1.0)
    _, twice = metrics(2.0)
    assert twice.daily_volatility == pytest.approx(2 * once.daily_volatility, rel=1e-12)
    for one, two in zip(once.tail_risk, twice.tail_risk, strict=True):
        assert two.value_at_risk == pytest.approx(2 * one.value_at_risk, rel=1e-7), one.method


def test_a_book_without_risk_still_has_an_answer():
    engine, still = metrics(0.0, tail_risk=TailRiskSettings(confidences=(0.95,)))
    assert still.daily_volatility == 0.0
    assert still.fit is None
    assert [absent.method for absent in still.absent] == ["student_t"]
    assert "constant" in still.absent[0].reason
    assert {row.value_at_risk for row in still.tail_risk} == {0.0}
    assert engine.check_risk_limits(still, 1.0)[0]
