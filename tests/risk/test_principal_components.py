import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rpmcore.domain.errors import InsufficientData, InvalidArgument, RpmError, Undefined
from rpmcore.risk.principal_components import _signed, market_and_components, noise_edge
from rpmcore.risk.regression import observation_weights, regress
from tests.samples import returns_matrices


def world(n_obs=500, n_assets=20, seed=0):
    """A market and two groups that move together besides; the rest is noise."""
    rng = np.random.default_rng(seed)
    market = 0.01 * rng.standard_normal(n_obs) + 0.0004
    groups = 0.01 * rng.standard_normal((n_obs, 2))
    loadings = np.zeros((2, n_assets))
    loadings[0, :8], loadings[1, 8:12] = 1.0, -1.0
    noise = 0.006 * rng.standard_normal((n_obs, n_assets))
    return market, groups, market[:, None] * np.linspace(0.5, 1.5, n_assets) + groups @ loadings + noise


MARKET, GROUPS, RETURNS = world()


def test_the_groups_are_found_and_no_more():
    found = market_and_components(RETURNS, MARKET)
    assert found.names == ("market", "PC1", "PC2")
    assert found.edge == pytest.approx((1.0 + np.sqrt(20 / 500)) ** 2)
    assert (found.eigenvalues > found.edge).all()
    np.testing.assert_array_equal(found.returns[:, 0], MARKET)
    assert np.corrcoef(found.returns[:, 1], GROUPS[:, 0])[0, 1] > 0.95
    assert abs(np.corrcoef(found.returns[:, 2], GROUPS[:, 1])[0, 1]) > 0.9
    assert found.rule == "2 eigenvalue(s) beyond the Marchenko–Pastur edge of 1.44 for 20 asset(s) on 500 observations"


@pytest.mark.parametrize(("n_assets", "decay"), [(30, None), (200, None), (150, 0.98)])
def test_noise_seldom_has_a_component(n_assets, decay):
    """The largest eigenvalue of noise passes the edge by chance in about one sample of ten, and then alone."""
    rng = np.random.default_rng(2)
    found = [
        len(market_and_components(rng.standard_normal((300, n_assets)), rng.standard_normal(300), decay=decay).names)
        for _ in range(20)
    ]
    assert max(found) <= 2
    assert found.count(1) >= 14


@given(returns_matrices(min_rows=8, max_assets=10), st.booleans(), st.sampled_from([None, 0.97]), st.integers(0, 3))
def test_factors_are_uncorrelated_and_of_one_size(returns, with_market, decay, n_components):
    weights = observation_weights(len(returns), decay)
    market = returns[:, 0] if with_market else None
    try:
        found = market_and_components(returns, market, n_components=n_components, decay=decay)
    except RpmError:
        assume(False)
    centred = found.returns - weights @ found.returns
    cov = centred.T @ (weights[:, None] * centred)
    np.testing.assert_allclose(cov, np.eye(len(cov)) * cov[0, 0], atol=1e-7 * cov[0, 0])
    assert len(found.names) == n_components + with_market == found.returns.shape[1]
    assert (np.diff(found.eigenvalues) <= 1e-12).all()
    if n_components:
        np.testing.assert_allclose(weights @ found.returns[:, with_market:], 0.0, atol=1e-12)


@pytest.mark.parametrize("shape", [(500, 20), (25, 60)])
def test_components_are_those_of_the_residual_correlation(shape):
    market, _, returns = world(*shape)
    found = market_and_components(returns, market, n_components=2)
    design = np.column_stack((np.ones(len(market)), market))
    residuals = returns - design @ np.linalg.lstsq(design, returns, rcond=None)[0]
    standardised = residuals / residuals.std(axis=0)
    values, vectors = np.linalg.eigh(np.corrcoef(residuals, rowvar=False))
    np.testing.assert_allclose(found.eigenvalues, values[:-3:-1], rtol=1e-10)
    for component, vector in zip(found.returns[:, 1:].T, vectors[:, :-3:-1].T, strict=True):
        vector = vector * np.sign(vector[np.argmax(np.abs(vector))])
        series = standardised @ vector
        np.testing.assert_allclose(component, series / series.std() * market.std(), atol=1e-12)


def test_a_regression_on_all_factors_stays_possible():
    rng = np.random.default_rng(3)
    few = rng.standard_normal((8, 3)) @ rng.standard_normal((3, 40)) + 0.01 * rng.standard_normal((8, 40))
    market = rng.standard_normal(8)
    most = market_and_components(few, market, n_components=5)
    assert regress(few, most.returns).betas.shape == (40, 6)
    with pytest.raises(InvalidArgument, match="between 0 and 5, the most that 40"):
        market_and_components(few, market, n_components=6)


@pytest.mark.parametrize("n_assets", [1, 20, 700])
def test_the_edge_of_equal_weights_is_marchenko_and_pasturs(n_assets):
    assert noise_edge(n_assets, np.full(500, 0.002)) == pytest.approx((1.0 + np.sqrt(n_assets / 500)) ** 2, rel=1e-12)


def test_the_edge_of_exponential_weights_is_where_noise_ends():
    """Of many assets the largest eigenvalue hardly fluctuates: the edge less a term of the order of N^(−2/3)."""
    rng = np.random.default_rng(4)
    weights = observation_weights(4000, 0.998)
    x = np.sqrt(weights)[:, None] * rng.standard_normal((4000, 800))
    largest = np.linalg.eigvalsh(x.T @ x)[-1]
    assert noise_edge(800, weights) == pytest.approx(largest, rel=0.02)
    assert (1.0 + np.sqrt(800 * weights @ weights)) ** 2 < 0.93 * largest


def test_what_cannot_vary_is_left_out():
    """The market among the assets, a double of it and a constant have no residual to standardise."""
    wider = np.column_stack((MARKET, 2.0 * MARKET + 0.001, np.full(500, 0.1), RETURNS))
    found, plain = market_and_components(wider, MARKET), market_and_components(RETURNS, MARKET)
    assert found.n_assets == 20
    np.testing.assert_allclose(found.returns, plain.returns, atol=1e-15)
    assert market_and_components(MARKET[:, None], MARKET).names == ("market",)


def test_without_a_market_components_have_the_mean_deviation_of_the_assets():
    found = market_and_components(RETURNS)
    assert found.names[0] == "PC1"
    np.testing.assert_allclose(found.returns.std(axis=0), RETURNS.std(axis=0).mean(), rtol=1e-12)
    assert np.corrcoef(found.returns[:, 0], MARKET)[0, 1] > 0.7


def test_signs_follow_the_largest_loading_and_of_ties_the_first():
    vectors = np.array([[0.6, -0.5, -0.5], [-0.8, 0.5 * (1 + 1e-12), 0.7]])
    np.testing.assert_array_equal(np.sign(_signed(vectors)), [[-1, 1, -1], [1, -1, 1]])
    flipped = market_and_components(-RETURNS, -MARKET)
    np.testing.assert_allclose(flipped.returns, -market_and_components(RETURNS, MARKET).returns, atol=1e-15)


def test_misuse():
    with pytest.raises(InvalidArgument, match="'market' is constant"):
        market_and_components(RETURNS, np.full(500, 0.01))
    with pytest.raises(InvalidArgument, match="between 0 and 19"):
        market_and_components(RETURNS, MARKET, n_components=20)
    with pytest.raises(InvalidArgument, match="between 0 and 19"):
        market_and_components(RETURNS, MARKET, n_components=-1)
    with pytest.raises(InvalidArgument, match=r"returns has 500 row\(s\)"):
        market_and_components(RETURNS, MARKET[1:])
    with pytest.raises(InsufficientData, match="needs at least 3"):
        market_and_components(RETURNS[:2], MARKET[:2])
    with pytest.raises(Undefined, match="no factor in common"):
        market_and_components(RETURNS, n_components=0)
