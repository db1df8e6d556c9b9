import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skfolio.moments import EWCovariance
from sklearn.covariance import ledoit_wolf as sklearn_ledoit_wolf

from rpmcore.domain.errors import InsufficientData, InvalidArgument
from rpmcore.risk.covariance import (
    correlation_stress,
    ewma_covariance,
    ewma_weights,
    ledoit_wolf,
    sample_covariance,
    shrink,
    stressed_covariance,
)
from rpmcore.risk.products import LOOPS_WIN_TO
from tests.oracles import covariance as oracle
from tests.samples import correlated_returns, returns_matrices, weights_for

# Both sides of the crossover between loops and BLAS; more assets than rows is what shrinkage is for.
SHAPES = [(60, 1), (60, 6), (500, 14), (252, LOOPS_WIN_TO), (252, LOOPS_WIN_TO + 1), (30, 80), (700, 120)]


@pytest.fixture(params=SHAPES, ids=lambda s: f"{s[0]}x{s[1]}")
def returns(request):
    return correlated_returns(*request.param)


def test_sample_is_numpys(returns):
    for ddof in (0, 1):
        expected = oracle.sample(returns, ddof)
        # Sums of up to 700 products in another order: 1e-12 of the largest element.
        np.testing.assert_allclose(sample_covariance(returns, ddof), expected, atol=1e-12 * expected.max(), rtol=0)


@pytest.mark.parametrize("decay", [0.5, 0.94, 0.97, 0.999])
def test_ewma_is_the_recursion_renormalised(returns, decay):
    expected = oracle.ewma_by_recursion(returns, decay)
    np.testing.assert_allclose(ewma_covariance(returns, decay), expected, atol=1e-12 * expected.max(), rtol=0)


def test_ewma_is_skfolios():
    returns = correlated_returns(200, 7)
    theirs = EWCovariance(half_life=np.log(0.5) / np.log(0.94), nearest=False).fit(returns).covariance_
    np.testing.assert_allclose(ewma_covariance(returns, 0.94), theirs, atol=1e-13 * theirs.max(), rtol=0)


def test_ewma_weights_sum_to_one_and_drop_only_what_float64_cannot_see():
    weights = ewma_weights(5000, 0.94)
    assert 600 < len(weights) < 700
    assert weights.sum() == pytest.approx(1.0, abs=1e-15)
    assert weights[-2] / weights[-1] == pytest.approx(0.94, rel=1e-14)


def test_ledoit_wolf_is_the_papers_and_scikit_learns(returns):
    cov, intensity = ledoit_wolf(returns)
    paper, delta = oracle.ledoit_wolf(returns)
    theirs, shrinkage = sklearn_ledoit_wolf(returns)
    assert intensity == pytest.approx(delta, abs=1e-12)
    assert intensity == pytest.approx(shrinkage, abs=1e-12)
    np.testing.assert_allclose(cov, paper, atol=1e-12 * paper.max(), rtol=0)
    np.testing.assert_allclose(cov, theirs, atol=1e-12 * theirs.max(), rtol=0)


@given(returns_matrices(), st.sampled_from(["sample", "ewma", "ledoit_wolf", "shrunk"]))
def test_every_estimate_is_symmetric_and_positive_semidefinite(returns, method):
    cov = {
        "sample": lambda: sample_covariance(returns),
        "ewma": lambda: ewma_covariance(returns),
        "ledoit_wolf": lambda: ledoit_wolf(returns).covariance,
        "shrunk": lambda: shrink(sample_covariance(returns)),
    }[method]()
    np.testing.assert_array_equal(cov, cov.T)
    assert np.linalg.eigvalsh(cov).min() >= -1e-13 * max(np.trace(cov), 1e-300)


@given(returns_matrices(), st.floats(0.1, 10.0))
def test_covariance_scales_with_the_square_of_returns(returns, factor):
    for estimate in (sample_covariance, ewma_covariance, lambda r: ledoit_wolf(r).covariance):
        np.testing.assert_allclose(
            estimate(returns * factor), estimate(returns) * factor**2, atol=1e-12 * factor**2, rtol=1e-9
        )


@given(returns_matrices())
def test_ledoit_wolf_intensity_is_a_share_and_keeps_the_trace(returns):
    cov, intensity = ledoit_wolf(returns)
    assert 0.0 <= intensity <= 1.0
    assert np.trace(cov) == pytest.approx(np.trace(sample_covariance(returns, ddof=0)), rel=1e-12, abs=1e-15)


def test_the_order_of_assets_does_not_matter():
    returns = correlated_returns(90, 9)
    order = np.random.default_rng(1).permutation(9)
    for estimate in (sample_covariance, ewma_covariance, lambda r: ledoit_wolf(r).covariance):
        np.testing.assert_allclose(
            estimate(returns[:, order]), estimate(returns)[np.ix_(order, order)], rtol=1e-10, atol=1e-18
        )


def test_shrink_mixes_with_the_mean_variance():
    cov = np.array([[4.0, 1.0], [1.0, 2.0]])
    np.testing.assert_allclose(shrink(cov), [[3.9, 0.9], [0.9, 2.1]])
    np.testing.assert_allclose(shrink(cov, 0.0), cov)
    np.testing.assert_allclose(shrink(cov, 1.0), 3.0 * np.eye(2))


def test_stressed_follows_the_formula_in_both_directions():
    cov = oracle.sample(correlated_returns(100, 5))
    weights = np.array([1.0, -0.5, 0.0, 2.0, -1.0])
    signs = np.array([1.0, -1.0, 1.0, 1.0, -1.0])
    np.testing.assert_allclose(
        stressed_covariance(cov, 3.0, 0.4), oracle.stressed(cov, 3.0, 0.4, np.ones(5)), rtol=1e-12
    )
    np.testing.assert_allclose(
        stressed_covariance(cov, 3.0, 0.4, weights), oracle.stressed(cov, 3.0, 0.4, signs), rtol=1e-12
    )


@given(returns_matrices(min_rows=8), st.floats(0.0, 1.0), st.data())
def test_adverse_stress_never_lowers_the_risk_of_the_book(returns, theta, data):
    cov = sample_covariance(returns)
    weights = data.draw(weights_for(cov.shape[0]))
    stressed = stressed_covariance(cov, 1.0, theta, weights)
    calm = weights @ cov @ weights
    assert weights @ stressed @ weights >= calm - 1e-12 * (1.0 + calm)
    assert np.linalg.eigvalsh(stressed).min() >= -1e-12 * max(np.trace(cov), 1e-300)


def test_raising_all_correlations_lowers_the_risk_of_a_hedged_book():
    cov = np.array([[1.0, 0.3], [0.3, 1.0]]) * 1e-4
    hedged = np.array([1.0, -1.0])
    assert hedged @ stressed_covariance(cov, 1.0, 0.5) @ hedged < hedged @ cov @ hedged


@pytest.mark.parametrize("weights", [None, np.array([1.0, -0.5, 0.2, 2.0, -1.0])])
def test_correlation_stress_reaches_its_target_and_no_more(weights):
    cov = oracle.sample(correlated_returns(100, 5))
    theta = correlation_stress(cov, 0.95, weights)
    assert 0.0 < theta < 1.0
    stressed = stressed_covariance(cov, 1.0, theta, weights)
    vol = np.sqrt(np.diag(stressed))
    signs = np.ones(5) if weights is None else np.sign(weights)
    pairs = (stressed / np.outer(vol, vol) * np.outer(signs, signs))[~np.eye(5, dtype=bool)]
    assert pairs.mean() == pytest.approx(0.95, abs=1e-12)


def test_correlation_stress_is_nil_where_the_target_is_passed_already():
    assert correlation_stress(np.array([[1.0, 0.99], [0.99, 1.0]]), 0.95) == 0.0
    assert correlation_stress(np.array([[4.0]]), 0.95) == 0.0


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: ewma_covariance(np.ones((3, 2)), 1.0), "decay must lie in (0, 1), but is 1.0"),
        (lambda: ewma_covariance(np.ones((3, 2)), float("nan")), "decay must lie in (0, 1)"),
        (lambda: sample_covariance(np.array([[1.0, np.nan], [0.0, 1.0]])), "at index (0, 1)"),
        (lambda: sample_covariance(np.ones(5)), "2 dimension"),
        (lambda: sample_covariance(np.empty((0, 3))), "empty"),
        (lambda: sample_covariance([["a"]]), "must hold numbers"),
        (lambda: shrink(np.eye(2), 1.5), "intensity must lie in [0, 1]"),
        (lambda: shrink(np.array([[1.0, 0.5], [0.1, 1.0]])), "symmetric"),
        (lambda: shrink(np.array([[-1.0, 0.0], [0.0, 1.0]])), "negative variance at index 0"),
        (lambda: stressed_covariance(np.eye(2), 0.0, 0.5), "volatility_multiplier must be positive"),
        (lambda: stressed_covariance(np.eye(2), 1.0, 1.5), "correlation must lie in [0, 1]"),
        (lambda: stressed_covariance(np.eye(2), 1.0, 0.5, [1.0]), "1 element(s), but cov has 2"),
    ],
)
def test_misuse_names_the_argument_and_the_value(call, told):
    with pytest.raises(InvalidArgument) as raised:
        call()
    assert told in str(raised.value)


@pytest.mark.parametrize("n_assets", [3, LOOPS_WIN_TO + 1])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("row", [0, 17, 39])
def test_ledoit_wolf_names_the_number_that_is_not_finite(n_assets, bad, row):
    """The kernels have no check of their own at the door: a bad number must show in the intensity."""
    returns = correlated_returns(40, n_assets)
    returns[row, 2] = bad
    with pytest.raises(InvalidArgument, match=rf"returns must be finite, but holds .*{bad}.* at index \({row}, 2\)"):
        ledoit_wolf(returns)


@pytest.mark.parametrize("n_assets", [3, LOOPS_WIN_TO + 1])
@pytest.mark.parametrize("factor", [1e80, 1e160])
def test_ledoit_wolf_of_numbers_too_large_to_square_is_refused(n_assets, factor):
    with pytest.raises(InvalidArgument, match="returns overflow when multiplied"):
        ledoit_wolf(correlated_returns(40, n_assets) * factor)


def test_too_few_rows_for_the_divisor():
    with pytest.raises(InsufficientData, match="needs more than 1 row"):
        sample_covariance(np.ones((1, 2)))


def test_read_only_and_transposed_arrays_are_taken_as_they_are():
    returns = correlated_returns(40, 4)
    frozen = returns.copy()
    frozen.setflags(write=False)
    np.testing.assert_array_equal(sample_covariance(frozen), sample_covariance(returns))
    np.testing.assert_array_equal(sample_covariance(np.asfortranarray(returns)), sample_covariance(returns))
