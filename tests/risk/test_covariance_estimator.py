import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.risk import covariance as estimators
from rpmcore.risk.covariance_estimator import (
    METHODS,
    CovarianceMatrixEstimator,
    effective_observations,
    with_correlation,
)
from rpmcore.risk.settings import CovarianceSettings
from tests.samples import correlated_returns

RETURNS = correlated_returns(200, 5)
WINDOW = RETURNS[-60:]


def test_the_table_has_every_method_of_the_setting():
    assert set(METHODS) == set(CovarianceSettings.model_fields["method"].annotation.__args__)


@pytest.mark.parametrize(
    ("changes", "matrix"),
    [
        ({"method": "ledoit_wolf"}, estimators.ledoit_wolf(WINDOW).covariance),
        (
            {"method": "ledoit_wolf", "target": "constant_correlation"},
            estimators.ledoit_wolf(WINDOW, "constant_correlation").covariance,
        ),
        ({"method": "oas"}, estimators.oas(WINDOW).covariance),
        ({"method": "nonlinear_shrinkage"}, estimators.nonlinear_shrinkage(WINDOW)),
    ],
)
def test_shrinking_methods_are_not_shrunk_twice(changes, matrix):
    np.testing.assert_array_equal(CovarianceMatrixEstimator(**changes).estimate(RETURNS).matrix, matrix)


@pytest.mark.parametrize("method", sorted(METHODS))
def test_rows_of_two_days_give_the_variance_of_one(method):
    """The sum of two independent days has twice the variance: halved, it is the one-day variance again."""
    one_day = 0.01 * np.random.default_rng(1).standard_normal((20_001, 3)) * [1.0, 2.0, 3.0]
    two_days = one_day[1:] + one_day[:-1]
    estimator = CovarianceMatrixEstimator(method=method, decay=0.9999, lookback=20_000, shrinkage=None)
    of_one = estimator.estimate(one_day[1:], np.ones(3)).matrix
    of_two = estimator.estimate(two_days, np.ones(3), return_days=2).matrix
    # Standard error of a variance from 20,000 overlapping rows: √(2 · 1.5/20,000) = 1.2 %, weighted more.
    np.testing.assert_allclose(np.diagonal(of_two), np.diagonal(of_one), rtol=0.05)


@pytest.mark.parametrize("days", [1, 2, 5])
def test_effective_observations_tell_the_variance_of_a_variance(days):
    rng = np.random.default_rng(days)
    weights = estimators.ewma_weights(120, 0.97)
    estimates = []
    for _ in range(4000):
        shocks = rng.standard_normal(120 + days - 1)
        rows = np.convolve(shocks, np.ones(days), mode="valid") / np.sqrt(days)
        estimates.append(weights @ rows**2)
    # Var(σ̂²) = 2σ⁴/n_effective; the variance of 4,000 skewed estimates is known to about 5 %.
    assert np.var(estimates) == pytest.approx(2.0 / effective_observations(weights, days), rel=0.15)


@given(st.integers(2, 300), st.integers(1, 10))
def test_overlap_only_takes_information_away(n_obs, days):
    weights = np.full(n_obs, 1.0 / n_obs)
    assert effective_observations(weights, 1) == pytest.approx(n_obs)
    assert 1.0 - 1e-12 <= effective_observations(weights, days + 1) <= effective_observations(weights, days) + 1e-9


def test_given_correlations_keep_the_volatilities():
    estimate = CovarianceMatrixEstimator().estimate(RETURNS)
    given_matrix = 0.5 * np.eye(5) + 0.5
    found = with_correlation(estimate, given_matrix)
    np.testing.assert_allclose(np.diagonal(found.matrix), np.diagonal(estimate.matrix), rtol=1e-12)
    deviations = np.sqrt(np.diagonal(estimate.matrix))
    np.testing.assert_allclose(found.matrix / np.outer(deviations, deviations), given_matrix, atol=1e-9)
    assert found.given_correlation.distance < 1e-9
    assert estimate.given_correlation is None


def test_an_impossible_correlation_is_repaired_and_told():
    estimate = CovarianceMatrixEstimator().estimate(RETURNS[:, :3])
    impossible = np.array([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]])
    found = with_correlation(estimate, impossible)
    assert found.given_correlation.smallest_eigenvalue == pytest.approx(np.linalg.eigvalsh(impossible)[0])
    assert found.given_correlation.distance > 0.1
    assert np.linalg.eigvalsh(found.matrix)[0] >= -1e-15 * found.matrix.max()
    with pytest.raises(InvalidArgument, match="correlation is"):
        with_correlation(estimate, np.eye(2))


def test_what_stood_still_is_named():
    returns = RETURNS.copy()
    returns[:, 2] = 0.0
    estimator = CovarianceMatrixEstimator(method="ledoit_wolf", target="constant_correlation")
    with pytest.raises(Undefined, match="C did not move"):
        estimator.estimate(returns, symbols="ABCDE")
