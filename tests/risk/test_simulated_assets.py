"""Returns of every asset against the losses of books."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.domain.errors import InvalidArgument
from rpmcore.kernels import simulation as kernels
from rpmcore.risk.simulated_assets import simulate_asset_returns
from rpmcore.risk.simulation import simulate_losses

COMPILED = hasattr(kernels.asset_losses, "py_func")
WEIGHTS = np.array([0.5, -0.3, 0.4])
COV = np.array([[4.0, 1.0, 0.5], [1.0, 2.0, -0.3], [0.5, -0.3, 1.0]]) * 1e-4
SINGULAR = np.outer([1.0, 2.0, 0.0], [1.0, 2.0, 0.0]) * 1e-4
VOLATILITY = float(np.sqrt(WEIGHTS @ COV @ WEIGHTS))
LAWS = [("normal", None), ("student_t", 4.5)]

every_law = pytest.mark.parametrize(("distribution", "dof"), LAWS)
every_sampling = pytest.mark.parametrize("sampling", ["pseudo", "antithetic", "sobol"])


@every_law
@every_sampling
@pytest.mark.parametrize("horizon", [1, 3])
@pytest.mark.parametrize("cov", [COV, SINGULAR], ids=["regular", "singular"])
def test_losses_of_a_book_are_those_of_its_assets(distribution, dof, sampling, horizon, cov):
    model = {"seed": 8, "distribution": distribution, "dof": dof, "horizon": horizon, "sampling": sampling}
    n_paths = 1_040 if COMPILED else 64
    returns = simulate_asset_returns(cov, n_paths, **model)
    assert returns.shape == (n_paths, 3)
    np.testing.assert_allclose(-returns @ WEIGHTS, simulate_losses(WEIGHTS, cov, n_paths, **model), atol=1e-15)
    for threads in (2, 3):
        np.testing.assert_array_equal(returns, simulate_asset_returns(cov, n_paths, **model, threads=threads))


@given(st.integers(1, 7), st.integers(0, 2**32 - 1), st.sampled_from(LAWS))
def test_any_book_of_any_assets_agrees(n_assets, seed, distribution_and_dof):
    generator = np.random.default_rng(seed)
    history = generator.normal(size=(2 * n_assets, n_assets)) * 0.01
    cov, weights = history.T @ history, generator.normal(size=n_assets)
    model = {"seed": seed, "distribution": distribution_and_dof[0], "dof": distribution_and_dof[1]}
    returns = simulate_asset_returns(cov, 20, **model)
    losses = simulate_losses(weights, cov, 20, **model)
    np.testing.assert_allclose(-returns @ weights, losses, rtol=1e-9, atol=1e-13)


@every_law
@every_sampling
def test_returns_have_the_covariance_asked_for(distribution, dof, sampling):
    n_paths = 131_072 if COMPILED else 1_024
    returns = simulate_asset_returns(COV, n_paths, seed=2, distribution=distribution, dof=dof, sampling=sampling)
    products = returns[:, :, None] * returns[:, None, :]
    errors = products.std(axis=0) / np.sqrt(n_paths / 2)
    assert (np.abs(products.mean(axis=0) - COV) < 5.0 * errors).all()


def test_pairs_make_the_mean_of_a_book_with_options_sharper():
    """A call, struck at the money, beside its asset: its gain is nearly linear, so the errors of a pair cancel."""

    def mean_gain(sampling, seed):
        returns = simulate_asset_returns(COV, 2_000, seed=seed, sampling=sampling)
        return float(np.mean(returns @ WEIGHTS + np.maximum(returns[:, 0], 0.0)))

    seeds = 60 if COMPILED else 10
    independent, paired = (
        np.std([mean_gain(sampling, seed) for seed in range(seeds)]) for sampling in ("pseudo", "antithetic")
    )
    assert paired < 0.6 * independent


def test_pairs_make_the_mean_exact():
    returns = simulate_asset_returns(COV, 1_000, seed=1, sampling="antithetic")
    np.testing.assert_array_equal(returns[0::2] + returns[1::2], np.zeros((500, 3)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_paths": 0}, "n_paths"),
        ({"seed": -1}, "seed"),
        ({"threads": 0}, "threads"),
        ({"horizon": 0}, "horizon"),
        ({"distribution": "cauchy"}, "cauchy"),
        ({"cov": [[1.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 1.0]]}, "smallest eigenvalue"),
    ],
)
def test_misuse_is_named(change, message):
    arguments = {"cov": COV, "n_paths": 100, "seed": 1} | change
    with pytest.raises(InvalidArgument, match=message):
        simulate_asset_returns(**arguments)
    with pytest.raises(InvalidArgument, match="multiple of 16"):
        simulate_asset_returns(COV, 100, seed=1, sampling="sobol")
