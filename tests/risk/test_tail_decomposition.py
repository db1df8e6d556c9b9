"""The parts of value at risk and expected shortfall: their sums, their slopes, and books without a position."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.domain.portfolio import Holding
from rpmcore.risk import bootstrap
from rpmcore.risk.covariance_estimator import CovarianceMatrixEstimator
from rpmcore.risk.settings import DataSettings, RiskSettings, SimulationSettings, TailMethod, TailRiskSettings
from rpmcore.risk.simulated_assets import simulate_asset_returns
from rpmcore.risk.tail_decomposition import RULES, decompose, historical_marginals
from rpmcore.risk.tail_inputs import Absent, TailInputs
from rpmcore.risk.tail_methods import measure
from rpmcore.risk.valuation import Valuation
from rpmcore.risk.value_at_risk import historical
from tests.samples import correlated_returns, returns_matrices, weights_for

RETURNS = correlated_returns(500, 4, seed=3)
ROWS = np.array([0.5, -0.3, 0.4, 0.2, 0.1])
ASSETS = np.array([0, 1, 2, 3, 0])
WEIGHTS = np.array([0.6, -0.3, 0.4, 0.2])
HOLDINGS = tuple(Holding(symbol=s, size=w) for s, w in zip("ABCDA", ROWS, strict=True))
VALUATION = Valuation(row_weights=ROWS, row_assets=ASSETS, weights=WEIGHTS)
METHODS = sorted(RULES)


def book(weights=WEIGHTS, returns=RETURNS, **sections):
    settings = RiskSettings(**sections)
    covariance = CovarianceMatrixEstimator(settings.covariance).estimate(returns)
    return TailInputs.of(returns, weights, covariance, settings)


def figures(inputs, method, confidence):
    found = measure(method, inputs, [confidence])[0]
    assert not isinstance(found, Absent), found
    return found


def test_every_method_can_be_taken_apart():
    assert set(METHODS) == set(TailMethod.__args__)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"tail_risk": TailRiskSettings(mean="sample", quantile="type7", confidences=(0.975,))},
        {"tail_risk": TailRiskSettings(horizon=5), "simulation": SimulationSettings(distribution="normal")},
        {"data": DataSettings(return_days=2), "tail_risk": TailRiskSettings(resamples=100)},
    ],
    ids=["plain", "sample mean, type 7", "five days", "two-day returns"],
)
def test_the_parts_sum_to_the_figures(method, sections):
    inputs = book(**sections)
    for one in decompose(method, inputs, HOLDINGS, VALUATION, inputs.settings.tail_risk.confidences):
        if one.components[0].component.value_at_risk is None:
            # Only where the method says that it has no answer, and then it says why for every row.
            assert method == "filtered_historical"
            assert all(c.component.value_at_risk_reason for c in one.components)
            continue
        var = sum(c.component.value_at_risk for c in one.components)
        shortfall = sum(c.component.expected_shortfall for c in one.components)
        # Sums of at most a few hundred terms of the size of the figures: 1e-10 leaves room for their rounding.
        assert var == pytest.approx(one.total.value_at_risk, rel=1e-10)
        assert shortfall == pytest.approx(one.total.expected_shortfall, rel=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_without_a_row_the_figures_are_those_of_the_smaller_book(method):
    inputs = book()
    one = decompose(method, inputs, HOLDINGS, VALUATION, [0.99])[0]
    for row, (component, asset) in enumerate(zip(one.components, ASSETS, strict=True)):
        for part, found in ((0.5, component.if_halved), (1.0, component.if_dropped)):
            smaller = WEIGHTS.copy()
            smaller[asset] -= part * ROWS[row]
            expected = figures(book(smaller), method, 0.99)
            assert found.value_at_risk == pytest.approx(expected.value_at_risk, rel=1e-9)
            assert found.expected_shortfall == pytest.approx(expected.expected_shortfall, rel=1e-9)
        assert component.incremental.value_at_risk == one.total.value_at_risk - component.if_dropped.value_at_risk


@pytest.mark.parametrize("method", ["normal", "monte_carlo", "cornish_fisher"])
@pytest.mark.parametrize("horizon", [1, 5])
def test_exact_parts_are_slopes(method, horizon):
    sections = {"tail_risk": TailRiskSettings(horizon=horizon, mean="sample")}
    inputs = book(**sections)
    marginals = RULES[method][0](inputs, figures(inputs, method, 0.99))
    for asset in range(4):
        step = np.zeros(4)
        step[asset] = 1e-5
        up, down = (figures(book(WEIGHTS + s, **sections), method, 0.99) for s in (step, -step))
        for name in ("value_at_risk", "expected_shortfall"):
            slope = (getattr(up, name) - getattr(down, name)) / 2e-5
            # Central differences of step 1e-5 are good to about 1e-8 of a figure near 0.02.
            assert getattr(marginals, name)[asset] == pytest.approx(slope, abs=1e-7)


@given(returns_matrices(min_rows=30, max_rows=90, max_assets=5), st.data(), st.sampled_from([0.9, 0.95, 0.99]))
def test_historical_parts_sum_for_any_book(returns, data, confidence):
    weights = data.draw(weights_for(returns.shape[1]))
    try:
        parts = historical_marginals(returns, weights, confidence)
    except Undefined:
        assert np.ptp(returns @ weights) <= 1e-9
        return
    total = historical(returns @ weights, confidence)
    scale = np.abs(returns).max() * np.abs(weights).sum()
    assert weights @ parts.value_at_risk == pytest.approx(total.value_at_risk, abs=1e-8 * scale)
    assert weights @ parts.expected_shortfall == pytest.approx(total.expected_shortfall, abs=1e-12 * scale)


@pytest.mark.parametrize("jump", [-0.01, -0.05, -0.17, -0.9])
@pytest.mark.parametrize("quantile", ["inverse_cdf", "type7"])
def test_a_lone_loss_far_from_all_others_still_has_parts(jump, quantile):
    """One asset crashed once: the value at risk at 99 % of ninety rows is that day."""
    returns = 0.003 * np.random.default_rng(7).standard_normal((90, 3))
    returns[40, 1] = jump
    weights = np.array([0.5, 0.8, -0.3])
    parts = historical_marginals(returns, weights, 0.99, quantile)
    total = historical(returns @ weights, 0.99, quantile=quantile).value_at_risk
    assert weights @ parts.value_at_risk == pytest.approx(total, rel=1e-9)
    if jump <= -0.05:
        assert weights[1] * parts.value_at_risk[1] > 0.5 * total


def test_historical_shortfall_parts_are_means_over_the_tail():
    losses = -(RETURNS @ WEIGHTS)
    worst = RETURNS[np.argsort(-losses)]
    found = historical_marginals(RETURNS, WEIGHTS, 0.975).expected_shortfall
    # 500 × 2.5 % = 12.5 rows: twelve whole ones, and half of the thirteenth.
    expected = -(worst[:12].sum(axis=0) + 0.5 * worst[12]) / 12.5
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_historical_var_parts_find_the_truth_of_an_elliptical_law():
    rng = np.random.default_rng(5)
    cov = np.array([[4.0, 1.0, 0.5], [1.0, 2.0, -0.3], [0.5, -0.3, 1.0]]) * 1e-4
    weights = np.array([0.5, 0.8, -0.4])
    returns = rng.standard_normal((1_000_000, 3)) @ np.linalg.cholesky(cov).T
    found = historical_marginals(returns, weights, 0.99).value_at_risk
    var = historical(returns @ weights, 0.99).value_at_risk
    expected = cov @ weights / (weights @ cov @ weights) * var
    # The window holds some 3,000 rows; their scatter about the line, below 0.02 each, leaves 1e-3 at three errors.
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("horizon", [1, 4])
def test_shares_of_a_simulated_tail_are_the_mean_losses_of_its_paths(horizon):
    inputs = book(tail_risk=TailRiskSettings(horizon=horizon))
    parts = RULES["monte_carlo"][0](inputs, figures(inputs, "monte_carlo", 0.95))
    paths = simulate_asset_returns(
        inputs.covariance.matrix, 400_000, seed=3, distribution="student_t", dof=5.0, horizon=horizon
    )
    tail = paths[-(paths @ WEIGHTS) >= np.quantile(-(paths @ WEIGHTS), 0.95)]
    # 20,000 tail paths scatter by some 2 % of an asset's volatility, divided by 141.
    np.testing.assert_allclose(WEIGHTS * parts.expected_shortfall, -WEIGHTS * tail.mean(axis=0), atol=5e-4)


def test_one_scenario_would_be_noise():
    """From history to history of one law the smoothed parts scatter far less than those of the single VaR row."""
    rng = np.random.default_rng(8)
    smooth, single = [], []
    for _ in range(40):
        returns = 0.01 * rng.standard_normal((500, 4))
        weights = np.full(4, 0.25)
        smooth.append(historical_marginals(returns, weights, 0.95).value_at_risk)
        losses = -(returns @ weights)
        single.append(-returns[np.argsort(-losses)[24]])
    assert np.std(smooth, axis=0).mean() < 0.5 * np.std(single, axis=0).mean()


def test_a_book_that_cannot_lose_has_no_parts_and_says_why():
    inputs = book(weights=np.zeros(4))
    still = Valuation(row_weights=np.zeros(5), row_assets=ASSETS, weights=np.zeros(4))
    for method in METHODS:
        one = decompose(method, inputs, HOLDINGS, still, [0.95])[0]
        for component in one.components:
            assert component.component.value_at_risk is None
            assert component.component.value_at_risk_reason


def test_misuse():
    with pytest.raises(InvalidArgument, match="method must be one of"):
        decompose("garch", book(), HOLDINGS, VALUATION, [0.95])
    with pytest.raises(InvalidArgument, match="3 element"):
        historical_marginals(RETURNS, np.ones(3), 0.95)


def test_books_without_a_position_are_asked_for_their_figures_and_not_resampled(monkeypatch):
    asked = []
    intervals = bootstrap.bootstrap_intervals
    monkeypatch.setattr(bootstrap, "bootstrap_intervals", lambda *a, **k: asked.append(1) or intervals(*a, **k))
    inputs = book(tail_risk=TailRiskSettings(intervals="bootstrap", resamples=100))
    for method in ("historical", "cornish_fisher", "extreme_value"):
        decompose(method, inputs, HOLDINGS, VALUATION, [0.95])
    assert len(asked) == 3
