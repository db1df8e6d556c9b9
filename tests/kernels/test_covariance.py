import numpy as np
import pytest

from rpmcore.kernels import covariance, volatility
from tests.oracles import covariance as oracle
from tests.samples import correlated_returns

SHAPES = [(1, 1), (7, 3), (8, 1), (60, 6), (61, 14), (40, 50)]


@pytest.fixture(params=SHAPES, ids=lambda s: f"{s[0]}x{s[1]}")
def returns(request):
    return correlated_returns(*request.param)


@pytest.fixture(params=["compiled", "plain"])
def form(request, plain):
    return plain if request.param == "plain" else (lambda kernel: kernel)


def test_gram_is_the_cross_product(returns, form):
    out = np.full((returns.shape[1], returns.shape[1]), 7.0)
    form(covariance.gram)(returns, out)
    np.testing.assert_allclose(out, returns.T @ returns, rtol=1e-12, atol=1e-18)


def test_sample_is_the_textbook_covariance(returns, form):
    found = form(covariance.sample)(returns, float(len(returns)))
    np.testing.assert_allclose(found, oracle.sample(returns, ddof=0), rtol=1e-11, atol=1e-18)


def test_weighted_is_the_weighted_sum_of_outer_products(returns, form):
    weights = np.linspace(0.1, 1.0, len(returns))
    found = form(covariance.weighted)(returns, np.sqrt(weights))
    expected = sum(w * np.outer(row, row) for w, row in zip(weights, returns, strict=True))
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-18)


def test_ledoit_wolf_follows_the_paper(returns, form):
    found = np.full((returns.shape[1], returns.shape[1]), 7.0)
    intensity = form(covariance.ledoit_wolf)(returns, found)
    expected, delta = oracle.ledoit_wolf(returns)
    np.testing.assert_allclose(intensity, delta, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-18)


def test_variance_is_the_quadratic_form(returns, form):
    cov = oracle.sample(returns, ddof=0)
    weights = np.linspace(-1.0, 2.0, cov.shape[0])
    product = np.full(len(weights), 7.0)
    variance = form(volatility.quadratic_form)(weights, cov, product)
    np.testing.assert_allclose(product, cov @ weights, rtol=1e-12, atol=1e-20)
    np.testing.assert_allclose(variance, weights @ cov @ weights, rtol=1e-11, atol=1e-20)
