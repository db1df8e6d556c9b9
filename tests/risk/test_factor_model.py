import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.risk.factor_model import (
    FactorModel,
    estimate_factor_model,
    factor_contributions,
    model_covariance,
    model_variances,
)
from tests.samples import correlated_returns, weights_for

FACTORS = correlated_returns(260, 3, seed=1)
RETURNS = FACTORS @ np.random.default_rng(2).normal(size=(3, 8)) + correlated_returns(260, 8, seed=3)
NAMES = {"symbols": tuple("ABCDEFGH"), "factor_names": ("market", "value", "rates")}
MODEL = estimate_factor_model(RETURNS, FACTORS, **NAMES)
WEIGHTS = np.array([0.5, -0.3, 0.2, 0.1, -0.6, 0.4, 0.0, 0.7])


def model(exposures, factor_covariance, specific_variances):
    n, k = np.shape(exposures)
    return FactorModel(
        symbols=tuple(map(str, range(n))),
        factor_names=tuple(map(str, range(k))),
        exposures=np.array(exposures, float),
        factor_covariance=np.array(factor_covariance, float),
        specific_variances=np.array(specific_variances, float),
    )


@pytest.mark.parametrize("decay", [None, 0.97])
def test_the_model_gives_each_asset_its_sample_variance(decay):
    found = estimate_factor_model(RETURNS, FACTORS, decay=decay, **NAMES)
    weights = None if decay is None else decay ** np.arange(259, -1, -1.0)
    sample = np.cov(RETURNS, rowvar=False, aweights=weights, ddof=1 if decay is None else 0)
    np.testing.assert_allclose(np.diagonal(model_covariance(found)), np.diagonal(sample), rtol=1e-12)
    np.testing.assert_allclose(
        found.factor_covariance,
        np.cov(FACTORS, rowvar=False, aweights=weights, ddof=1 if decay is None else 0),
        rtol=1e-10,
    )


def test_figures_are_those_of_the_full_covariance():
    found = factor_contributions(WEIGHTS, MODEL)
    cov = MODEL.exposures @ np.cov(FACTORS, rowvar=False) @ MODEL.exposures.T + np.diag(MODEL.specific_variances)
    np.testing.assert_allclose(model_covariance(MODEL), cov, rtol=1e-10, atol=1e-16)
    np.testing.assert_array_equal(model_covariance(MODEL), model_covariance(MODEL).T)
    np.testing.assert_allclose(model_variances(MODEL), np.diagonal(cov), rtol=1e-10)
    variance = WEIGHTS @ cov @ WEIGHTS
    assert found.variance == pytest.approx(variance, rel=1e-11)
    assert found.volatility == pytest.approx(np.sqrt(variance), rel=1e-11)
    np.testing.assert_allclose(found.exposures, MODEL.exposures.T @ WEIGHTS, rtol=1e-12)
    np.testing.assert_allclose(found.marginals, cov @ WEIGHTS / np.sqrt(variance), rtol=1e-10)
    b, f = found.exposures, MODEL.factor_covariance
    np.testing.assert_allclose(found.factor_shares, b * (f @ b) / variance, rtol=1e-12)
    assert found.specific_share == pytest.approx(WEIGHTS**2 @ MODEL.specific_variances / variance, rel=1e-12)


def test_two_factors_by_hand():
    # b = (2, −1); Fb = (4·2 − 1, 1·2 − 1) = (7, 1); bᵀFb = 14 − 1 = 13; specific 1·3 + 1·4 = 7.
    found = factor_contributions([1.0, 1.0], model([[1, 0], [1, -1]], [[4, 1], [1, 1]], [3, 4]))
    np.testing.assert_allclose(found.factor_shares, [14 / 20, -1 / 20], rtol=1e-15)
    assert found.specific_share == pytest.approx(7 / 20, rel=1e-15)
    # B Fb + D w = (7 + 3, 7 − 1 + 4).
    np.testing.assert_allclose(found.marginals, np.array([10.0, 10.0]) / np.sqrt(20.0), rtol=1e-15)


@given(
    weights_for(6),
    st.integers(0, 2**32 - 1),
    st.integers(-290, 290),
    st.integers(-14, 3),
    st.sampled_from([0.0, 1e-12, 1e-4, 1.0]),
)
def test_shares_sum_to_one_for_any_book(weights, seed, size, apart, specific):
    """Factors nearly copies, exposures that offset each other, books of any size, assets with or without own risk."""
    rng = np.random.default_rng(seed)
    common, own = rng.standard_normal((3, 4)), 10.0**apart * rng.standard_normal((4, 4))
    root = np.vstack((common, own))
    exposures = rng.standard_normal((6, 4))
    exposures[:, 1] = -exposures[:, 0] * (1.0 + 10.0**apart)
    held = weights * 10.0 ** (size / 2)
    given_model = model(exposures, root.T @ root, specific * rng.random(6))
    try:
        found = factor_contributions(held, given_model)
    except Undefined:
        assert not held.any() or specific == 0.0
        return
    shares = np.append(found.factor_shares, found.specific_share)
    for ordered in (shares, shares[::-1], np.sort(shares)):
        assert abs(ordered.sum() - 1.0) <= 1e-12
        assert abs(sum(ordered.tolist()) - 1.0) <= 1e-12
    assert found.specific_share >= 0.0
    assert found.volatility > 0.0
    assert np.sum(found.marginals * held) == pytest.approx(found.volatility, rel=1e-6)


@given(weights_for(8), st.sampled_from([2.0**-40, 3.0, 1e9]))
def test_shares_do_not_depend_on_the_size_of_the_book(weights, size):
    assume(weights.any())
    one, many = factor_contributions(weights, MODEL), factor_contributions(size * weights, MODEL)
    np.testing.assert_allclose(many.factor_shares, one.factor_shares, rtol=1e-12, atol=1e-13)
    assert many.volatility == pytest.approx(size * one.volatility, rel=1e-12)


def test_shares_of_millions_sum_to_one():
    """A spread of two factors that are nearly one: the variance is 1e-12 of what either would give alone."""
    near = 1.0 - 1e-12
    found = factor_contributions([1.0, -1.0], model([[1, 0], [2e-6, 1]], [[1, near], [near, 1]], [0, 0]))
    assert np.abs(found.factor_shares).max() > 1e5
    assert found.factor_shares.sum() + found.specific_share == 1.0


def test_a_hedge_that_leaves_only_rounding_has_no_variance():
    pair = model([[0.1], [0.3]], [[1e-4]], [0.0, 0.0])
    with pytest.raises(Undefined, match="no variance under the factor model"):
        factor_contributions([0.3, -0.1], pair)
    found = factor_contributions([0.3, -0.1], model([[0.1], [0.3]], [[1e-4]], [1e-6, 0.0]))
    np.testing.assert_array_equal(found.factor_shares, [0.0])
    assert found.specific_share == 1.0


def test_marginals_are_derivatives():
    step = 1e-6
    for i in range(8):
        up, down = WEIGHTS.copy(), WEIGHTS.copy()
        up[i] += step
        down[i] -= step
        slope = (factor_contributions(up, MODEL).volatility - factor_contributions(down, MODEL).volatility) / (2 * step)
        assert factor_contributions(WEIGHTS, MODEL).marginals[i] == pytest.approx(slope, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    ("weights", "given_model", "told"),
    [
        ([1.0], MODEL, r"weights has 1 element\(s\), but the model has 8"),
        ([1.0, np.inf], model(np.eye(2), np.eye(2), [1, 1]), "weights must be finite"),
        ([1.0, 1.0], model(np.eye(2), np.eye(2), [1, -1]), "specific_variances has a negative value at index 1"),
        ([1.0, 1.0], model(np.eye(2), np.eye(3), [1, 1]), r"exposures has the shape \(2, 2\), but there are 2"),
        ([1.0, -1.0], model(np.eye(2), [[1, 2], [2, 1]], [0, 0]), "not positive semidefinite"),
        ([1.0, 1.0], model(np.eye(2), [[1, 0.5], [0, 1]], [0, 0]), "factor_covariance must be symmetric"),
        ([1e200, 1.0], model(np.eye(2), np.eye(2), [0, 0]), "weights .* overflow"),
        ([1.0, 1.0], model(1e200 * np.eye(2), np.eye(2), [0, 0]), "overflow"),
    ],
)
def test_misuse(weights, given_model, told):
    with pytest.raises(InvalidArgument, match=told):
        factor_contributions(weights, given_model)


def test_one_name_for_each_asset_and_factor():
    with pytest.raises(InvalidArgument, match=r"7 symbol\(s\)"):
        estimate_factor_model(RETURNS, FACTORS, symbols=tuple("ABCDEFG"), factor_names=NAMES["factor_names"])
    with pytest.raises(InvalidArgument, match=r"factor name"):
        estimate_factor_model(RETURNS, FACTORS, symbols=NAMES["symbols"], factor_names=())
