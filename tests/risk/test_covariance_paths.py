import numpy as np
import pandas as pd
import pytest
from arch.univariate import EWMAVariance
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.domain.errors import InsufficientData, InvalidArgument
from rpmcore.kernels import covariance_paths as kernels
from rpmcore.risk.covariance import ewma_covariance
from rpmcore.risk.covariance_paths import (
    ewma_covariance_path,
    ewma_volatility_path,
    rolling_ledoit_wolf_volatility,
)
from tests.oracles import covariance as oracle
from tests.samples import correlated_returns, returns_matrices


def test_the_path_is_the_estimate_of_every_date():
    returns = correlated_returns(80, 4)
    path = ewma_covariance_path(returns, 0.9)
    for t in range(len(returns)):
        expected = oracle.ewma_by_recursion(returns[: t + 1], 0.9)
        np.testing.assert_allclose(path[t], expected, atol=1e-13 * expected.max(), rtol=0)
    np.testing.assert_allclose(path[-1], ewma_covariance(returns, 0.9), rtol=1e-10, atol=1e-18)


@given(returns_matrices(), st.floats(0.5, 0.99))
def test_the_volatility_of_a_book_is_that_of_its_returns(returns, decay):
    weights = np.linspace(-1.0, 2.0, returns.shape[1])
    path = ewma_covariance_path(returns, decay)
    expected = np.sqrt(np.maximum(np.einsum("i,tij,j->t", weights, path, weights), 0.0))
    np.testing.assert_allclose(ewma_volatility_path(returns @ weights, decay), expected, atol=1e-9)


def test_the_volatility_is_pandas_own_without_demeaning():
    pnl = correlated_returns(300, 1)[:, 0]
    theirs = np.sqrt((pd.Series(pnl) ** 2).ewm(alpha=0.06, adjust=True).mean())
    np.testing.assert_allclose(ewma_volatility_path(pnl, 0.94), theirs, rtol=1e-12)


def test_the_volatility_is_archs_but_for_its_start():
    """arch starts from a backcast b instead of renormalising: σ²_t = λᵗ b + (1−λᵗ) of ours one row before."""
    pnl = correlated_returns(600, 1)[:, 0]
    model = EWMAVariance(0.94)
    theirs, backcast = np.empty(600), 2e-4
    bounds = np.tile([0.0, np.inf], (600, 1))
    model.compute_variance(np.empty(0), pnl, theirs, backcast, bounds)
    ours = ewma_volatility_path(pnl, 0.94)[:-1] ** 2
    left = 0.94 ** np.arange(1, 600)
    np.testing.assert_allclose(theirs[1:], left * backcast + (1.0 - left) * ours, rtol=1e-12)
    # Of the backcast 0.94^300 < 1e-8 is left.
    np.testing.assert_allclose(theirs[300:], ours[299:], rtol=1e-7)


@pytest.mark.parametrize(("n_obs", "n_assets", "window"), [(90, 5, 30), (700, 3, 60), (60, 80, 20), (40, 1, 40)])
def test_rolling_ledoit_wolf_is_the_papers_in_every_window(n_obs, n_assets, window):
    returns = correlated_returns(n_obs, n_assets) + 0.01
    weights = np.linspace(-1.0, 1.5, n_assets)
    found = rolling_ledoit_wolf_volatility(returns, weights, window)
    assert found.shape == (n_obs - window + 1,)
    for first in range(0, n_obs - window + 1, 7):
        cov, _ = oracle.ledoit_wolf(returns[first : first + window])
        assert found[first] == pytest.approx(np.sqrt(weights @ cov @ weights), rel=1e-9)


def test_kernels_compiled_and_plain(plain):
    returns = correlated_returns(40, 3)
    for kernel, arguments in (
        (kernels.ewma_volatility_path, (returns[:, 0].copy(), 0.9)),
        (kernels.rolling_ledoit_wolf_variance, (np.abs(correlated_returns(40, 8)), returns[:, 0].copy(), 1.0, 3)),
    ):
        np.testing.assert_allclose(kernel(*arguments), plain(kernel)(*arguments), rtol=1e-12)
    path = np.empty((40, 3, 3))
    plain(kernels.ewma_covariance_path)(returns, 0.9, path)
    np.testing.assert_allclose(path, ewma_covariance_path(returns, 0.9), rtol=1e-12)


def test_misuse():
    for call in (
        lambda: ewma_volatility_path([0.1, 0.2], 1.0),
        lambda: rolling_ledoit_wolf_volatility(np.ones((5, 2)), [1.0], 3),
        lambda: rolling_ledoit_wolf_volatility(np.ones((5, 2)), [1.0, 1.0], 1),
    ):
        with pytest.raises(InvalidArgument):
            call()
    with pytest.raises(InsufficientData, match="needs as many rows"):
        rolling_ledoit_wolf_volatility(np.ones((5, 2)), [1.0, 1.0], 6)
