from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.risk.covariance import sample_covariance
from rpmcore.risk.decomposition import (
    component_value_at_risk,
    component_volatility,
    marginal_value_at_risk,
    marginal_volatility,
)
from rpmcore.risk.diversification import diversification_ratio
from rpmcore.risk.incremental import BookVariance
from rpmcore.risk.volatility import covariance_times, portfolio_variance, portfolio_volatility
from tests.samples import correlated_returns, returns_matrices, weights_for

COV = sample_covariance(correlated_returns(200, 6))
WEIGHTS = np.array([1.0, -0.5, 0.3, 2.0, -1.5, 0.0])


@given(returns_matrices(min_rows=5), st.data())
def test_components_sum_to_the_total(returns, data):
    cov = sample_covariance(returns)
    weights = data.draw(weights_for(cov.shape[0]))
    sigma = np.sqrt(max(weights @ cov @ weights, 0.0))
    # Euler's theorem needs a book whose volatility is not itself rounding.
    assume(sigma > 1e-6 * (1e-12 + np.abs(weights) @ np.sqrt(np.diag(cov))) and sigma > 0)
    assert component_volatility(weights, cov).sum() == pytest.approx(sigma, rel=1e-9)
    mean = returns.mean(axis=0)
    expected = -weights @ mean + NormalDist().inv_cdf(0.99) * sigma
    assert component_value_at_risk(weights, cov, 0.99, mean).sum() == pytest.approx(expected, rel=1e-8, abs=1e-12)


def test_marginals_are_derivatives():
    step = 1e-6
    for i in range(6):
        up, down = WEIGHTS.copy(), WEIGHTS.copy()
        up[i] += step
        down[i] -= step
        slope = (np.sqrt(up @ COV @ up) - np.sqrt(down @ COV @ down)) / (2 * step)
        # Central differences: step² truncation and 1e-16/step rounding.
        assert marginal_volatility(WEIGHTS, COV)[i] == pytest.approx(slope, rel=1e-6, abs=1e-9)
        assert marginal_value_at_risk(WEIGHTS, COV, 0.95)[i] == pytest.approx(1.6448536 * slope, rel=1e-6, abs=1e-9)


def test_a_book_without_risk_has_no_shares():
    for call in (
        lambda: marginal_volatility([0.0, 0.0], np.eye(2)),
        lambda: component_value_at_risk([0.0, 0.0], np.eye(2), 0.95),
    ):
        with pytest.raises(Undefined):
            call()


def test_many_books_at_once_give_the_variance_of_each():
    books = np.random.default_rng(0).normal(size=(50, 6))
    expected = [book @ COV @ book for book in books]
    np.testing.assert_allclose(portfolio_variance(books, COV), expected, rtol=1e-12)
    np.testing.assert_allclose(portfolio_volatility(books, COV), np.sqrt(expected), rtol=1e-12)
    assert portfolio_variance(books[0], COV) == pytest.approx(expected[0], rel=1e-13)


def test_rounding_of_a_perfect_hedge_is_not_a_negative_variance():
    cov = np.full((3, 3), 0.04)
    assert portfolio_variance([0.1, 0.2, -0.3], cov) == pytest.approx(0.0, abs=1e-17)
    assert portfolio_volatility([0.1, 0.2, -0.3], cov) >= 0.0


def test_a_matrix_that_is_no_covariance_is_refused():
    with pytest.raises(InvalidArgument, match="not positive semidefinite"):
        portfolio_variance([1.0, -1.0], np.array([[1.0, 2.0], [2.0, 1.0]]))
    with pytest.raises(InvalidArgument, match=r"3 element\(s\), but cov has 2"):
        portfolio_variance([1.0, 1.0, 1.0], np.eye(2))
    with pytest.raises(InvalidArgument, match="square"):
        portfolio_variance([1.0], np.ones((1, 2)))


@pytest.mark.parametrize(
    ("weights", "cov", "told"),
    [
        ([1.0, np.nan], np.eye(2), r"weights must be finite, but holds .*nan.* at index \(1,\)"),
        ([1.0, 1.0], np.diag([1.0, np.inf]), r"cov must be finite, but holds .*inf.* at index \(1, 1\)"),
        ([np.inf, 1.0], np.diag([0.0, 1.0]), "weights must be finite"),
        ([1.0, 1.0], np.diag([1.0, -1.0]), "cov has a negative variance at index 1"),
        ([1.0, 1.0], np.array([[1.0, 0.5], [0.4, 1.0]]), "cov must be symmetric"),
        ([1.0, 1.0], np.ones((2, 3)), r"cov must be square, but its shape is \(2, 3\)"),
        ([1.0, 1.0], np.ones(2), r"cov must have 2 dimension"),
        ([[1.0]], np.eye(1), r"weights must have 1 dimension"),
        ([1e200, 1.0], np.eye(2), "weights and cov overflow when multiplied"),
        ([1.0, -1.0], np.array([[1.0, 2.0], [2.0, 1.0]]), "cov is not positive semidefinite"),
    ],
)
@pytest.mark.parametrize(
    "measure",
    [
        marginal_volatility,
        component_volatility,
        diversification_ratio,
        covariance_times,
        lambda weights, cov: component_value_at_risk(weights, cov, 0.95),
        lambda weights, cov: BookVariance.of(weights, cov),
    ],
)
def test_every_measure_names_what_is_wrong_with_weights_or_covariance(measure, weights, cov, told):
    with pytest.raises(InvalidArgument, match=told):
        measure(weights, cov)


def test_a_covariance_that_is_symmetric_to_rounding_is_taken():
    cov = COV.copy()
    cov[0, 1] *= 1.0 + 1e-13
    np.testing.assert_allclose(component_volatility(WEIGHTS, cov), component_volatility(WEIGHTS, COV), rtol=1e-10)


def test_arguments_stay_as_they_were():
    weights, cov = WEIGHTS.copy(), COV.copy()
    component_value_at_risk(weights, cov, 0.95)
    np.testing.assert_array_equal(weights, WEIGHTS)
    np.testing.assert_array_equal(cov, COV)


def test_a_confidence_in_per_cent_is_answered_with_what_was_meant():
    with pytest.raises(InvalidArgument, match=r"did you mean 0\.95"):
        marginal_value_at_risk(WEIGHTS, COV, 95)
