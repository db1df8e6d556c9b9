import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.domain.errors import InsufficientData, InvalidArgument
from rpmcore.risk.covariance import sample_covariance
from rpmcore.risk.regression import newey_west_lags, observation_weights, regress
from tests.oracles import regression as oracle
from tests.samples import correlated_returns, returns_matrices

FACTORS = correlated_returns(260, 3, seed=1) + 0.001
RETURNS = FACTORS @ np.random.default_rng(2).normal(size=(3, 5)) + correlated_returns(260, 5, seed=3)


@pytest.mark.parametrize("decay", [None, 0.99, 0.94])
@pytest.mark.parametrize("lags", [0, 4, 40, 259])
def test_coefficients_errors_and_r_squared_are_statsmodels(decay, lags):
    found = regress(RETURNS, FACTORS, lags=lags, decay=decay)
    x = sm.add_constant(FACTORS)
    weights = np.ones(260) if decay is None else decay ** np.arange(259, -1, -1.0)
    for i, y in enumerate(RETURNS.T):
        model = sm.OLS(y, x) if decay is None else sm.WLS(y, x, weights=weights)
        peer = model.fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": False})
        np.testing.assert_allclose([found.alphas[i], *found.betas[i]], peer.params, rtol=1e-10)
        np.testing.assert_allclose(found.errors[i], peer.bse, rtol=1e-10)
        np.testing.assert_allclose(found.t_statistics[i], peer.tvalues, rtol=1e-10)
        assert found.r_squared[i] == pytest.approx(peer.rsquared, rel=1e-10)


@given(returns_matrices(min_rows=12, max_rows=40, max_assets=4), st.integers(0, 5), st.sampled_from([None, 0.97]))
def test_every_fit_is_the_textbooks(returns, lags, decay):
    factors = correlated_returns(len(returns), 2, seed=len(returns))
    found = regress(returns, factors, lags=lags, decay=decay)
    weights = observation_weights(len(returns), decay)
    for i, y in enumerate(returns.T):
        coefficients, errors = oracle.regression(y, factors, lags, weights)
        np.testing.assert_allclose([found.alphas[i], *found.betas[i]], coefficients, rtol=1e-7, atol=1e-10)
        np.testing.assert_allclose(found.errors[i], errors, rtol=1e-7, atol=1e-10)


def test_the_lags_of_newey_and_west():
    # 4 (n/100)^(2/9), at 51,200 exactly 16.
    assert [newey_west_lags(n) for n in (1, 2, 60, 100, 252, 1000, 51_199, 51_200)] == [0, 1, 3, 4, 4, 6, 15, 16]
    assert regress(RETURNS, FACTORS).lags == 4
    with pytest.raises(InvalidArgument, match="must be positive"):
        newey_west_lags(0)


@pytest.mark.parametrize("decay", [None, 0.95])
def test_what_is_explained_and_what_is_left_add_up_to_each_variance(decay):
    found = regress(RETURNS, FACTORS, decay=decay)
    if decay is None:
        f, total = sample_covariance(FACTORS), RETURNS.var(axis=0, ddof=1)
    else:
        w = observation_weights(260, decay)
        f = np.cov(FACTORS, rowvar=False, aweights=w, ddof=0)
        total = w @ (RETURNS - w @ RETURNS) ** 2
    explained = np.einsum("ik,kl,il->i", found.betas, f, found.betas)
    np.testing.assert_allclose(explained + found.residual_variances, total, rtol=1e-12)
    np.testing.assert_allclose(explained / total, found.r_squared, rtol=1e-11)


def test_an_asset_that_is_a_combination_of_factors_has_no_error():
    weights = np.array([2.0, 0.0, -1.0])
    found = regress(np.column_stack((FACTORS @ weights + 0.01, FACTORS[:, 1])), FACTORS)
    np.testing.assert_allclose(found.betas, [weights, [0.0, 1.0, 0.0]], atol=1e-12)
    np.testing.assert_allclose(found.alphas, [0.01, 0.0], atol=1e-14)
    np.testing.assert_array_equal(found.errors, np.zeros((2, 4)))
    np.testing.assert_array_equal(found.residual_variances, [0.0, 0.0])
    np.testing.assert_array_equal(found.r_squared, [1.0, 1.0])
    assert np.isnan(found.t_statistics).all()


def test_a_constant_asset_has_no_slope_and_no_r_squared():
    found = regress(np.full((260, 1), 0.1), FACTORS)
    np.testing.assert_array_equal(found.betas, np.zeros((1, 3)))
    assert found.alphas[0] == pytest.approx(0.1)
    assert found.residual_variances[0] == 0.0
    assert np.isnan(found.r_squared[0])


def test_units_do_not_matter():
    plain, scaled = regress(RETURNS, FACTORS), regress(100.0 * RETURNS, FACTORS * [1e-6, 1.0, 1e6])
    np.testing.assert_allclose(scaled.betas, 100.0 * plain.betas / [1e-6, 1.0, 1e6], rtol=1e-11)
    np.testing.assert_allclose(scaled.t_statistics, plain.t_statistics, rtol=1e-10)
    assert scaled.condition_number == pytest.approx(plain.condition_number, rel=1e-12)


def test_the_condition_number_is_that_of_scaled_factors():
    angle = 0.01
    rng = np.random.default_rng(5)
    axes, _ = np.linalg.qr(rng.standard_normal((50, 2)) - rng.standard_normal((50, 2)).mean(axis=0))
    axes, _ = np.linalg.qr(axes - axes.mean(axis=0))
    near = np.column_stack((axes[:, 0], np.cos(angle) * axes[:, 0] + np.sin(angle) * axes[:, 1]))
    # Two unit vectors at an angle θ have the singular values √(1 ± cos θ).
    expected = np.sqrt((1.0 + np.cos(angle)) / (1.0 - np.cos(angle)))
    assert regress(near, near + 3.0).condition_number == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize(
    ("column", "told"),
    [
        (FACTORS[:, 0], "factors 'market', 'copy' are collinear"),
        (3.0 * FACTORS[:, 0] - 0.02, "factors 'market', 'copy' are collinear"),
        (FACTORS[:, 0] - FACTORS[:, 2], "factors 'market', 'rates', 'copy' are collinear"),
        (FACTORS[:, 0] + 1e-9 * FACTORS[:, 2] ** 2, "factors 'market', 'copy' are collinear"),
        (np.full(260, 0.1), "factor 'copy' is constant"),
        (np.zeros(260), "factor 'copy' is constant"),
    ],
)
def test_factors_that_cannot_be_told_apart_are_named(column, told):
    with pytest.raises(InvalidArgument, match=told):
        regress(RETURNS, np.column_stack((FACTORS, column)), factor_names=("market", "value", "rates", "copy"))


def test_two_pairs_of_copies_are_both_named():
    doubled = np.hstack((FACTORS[:, :2], correlated_returns(260, 1, seed=9), FACTORS[:, :2]))
    with pytest.raises(InvalidArgument, match=r"factors 'a', 'b', 'd', 'e' are collinear.*condition number"):
        regress(RETURNS, doubled, factor_names=tuple("abcde"))


def test_nearly_collinear_factors_are_reported_but_taken():
    near = np.column_stack((FACTORS, FACTORS[:, 0] + 1e-5 * FACTORS[:, 1] ** 2 / FACTORS[:, 1].std()))
    assert 1e4 < regress(RETURNS, near).condition_number < 1e7


def test_misuse():
    with pytest.raises(InsufficientData, match=r"3 factor\(s\) and an intercept needs at least 5 .* there are 4"):
        regress(RETURNS[:4], FACTORS[:4])
    with pytest.raises(InsufficientData, match=r"decay leaves 3\.0 effective ones of 260"):
        regress(RETURNS, FACTORS, decay=0.5)
    with pytest.raises(InvalidArgument, match=r"returns has 259 row\(s\), but factors has 260"):
        regress(RETURNS[1:], FACTORS)
    with pytest.raises(InvalidArgument, match="lags must lie between"):
        regress(RETURNS, FACTORS, lags=260)
    with pytest.raises(InvalidArgument, match="lags must lie between"):
        regress(RETURNS, FACTORS, lags=-1)
    with pytest.raises(InvalidArgument, match=r"factor_names has 1 name\(s\)"):
        regress(RETURNS, FACTORS, factor_names=("market",))
    with pytest.raises(InvalidArgument, match="decay must lie"):
        regress(RETURNS, FACTORS, decay=1.0)
    with pytest.raises(InvalidArgument, match="overflow"):
        regress(1e200 * RETURNS, FACTORS)
    with pytest.raises(InvalidArgument, match="factors must be finite"):
        regress(RETURNS, np.where(FACTORS > 0.02, np.nan, FACTORS))
