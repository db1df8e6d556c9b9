"""Returns of every asset against the losses of books, and the components of the tail against the closed form."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, t

from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.kernels import simulation as kernels
from rpmcore.risk.simulated_assets import simulate_asset_returns, simulated_components
from rpmcore.risk.simulation import simulate_losses, simulate_tail_risk
from tests.oracles import simulation as oracle

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


def factor_of_shortfall(distribution, dof, confidence):
    if distribution == "normal":
        return norm.pdf(norm.ppf(confidence)) / (1.0 - confidence)
    scale, q = np.sqrt((dof - 2.0) / dof), t.ppf(confidence, dof)
    return scale * t.pdf(q, dof) / (1.0 - confidence) * (dof + q * q) / (dof - 1.0)


def factor_of_value(dof, confidence):
    return norm.ppf(confidence) if dof is None else np.sqrt((dof - 2.0) / dof) * t.ppf(confidence, dof)


@every_law
@pytest.mark.parametrize("confidence", [0.95, 0.99])
def test_components_agree_with_the_closed_form(distribution, dof, confidence):
    """An elliptical law splits every multiple of the volatility as the volatility itself."""
    n_paths = 200_000 if COMPILED else 2_000
    found = simulated_components(WEIGHTS, COV, confidence, n_paths, seed=12, distribution=distribution, dof=dof)
    shares = WEIGHTS * (COV @ WEIGHTS) / VOLATILITY
    off = found.expected_shortfall - shares * factor_of_shortfall(distribution, dof, confidence)
    assert (np.abs(off) < 4.0 * found.expected_shortfall_errors).all()
    off = found.value_at_risk - shares * factor_of_value(dof, confidence)
    assert (np.abs(off) < 4.0 * found.value_at_risk_errors).all()


@every_law
@pytest.mark.parametrize("horizon", [1, 2])
@pytest.mark.parametrize(("n_paths", "confidence"), [(3_001, 0.95), (700, 0.9), (101, 0.513)])
def test_components_agree_with_averages_over_all_paths(distribution, dof, horizon, n_paths, confidence):
    model = {"seed": 13, "distribution": distribution, "dof": dof, "horizon": horizon}
    found = simulated_components(WEIGHTS, COV, confidence, n_paths, **model)
    returns = simulate_asset_returns(COV, n_paths, **model)
    values, shortfalls = oracle.components(WEIGHTS, returns, confidence, VOLATILITY * np.sqrt(horizon))
    np.testing.assert_allclose(found.expected_shortfall, shortfalls, rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(found.value_at_risk, values, rtol=1e-9, atol=1e-13)


@every_law
def test_components_sum_to_the_tail_risk_of_the_same_paths(distribution, dof):
    n_paths = 100_000 if COMPILED else 1_000
    model = {"seed": 14, "distribution": distribution, "dof": dof}
    found = simulated_components(WEIGHTS, COV, 0.97, n_paths, **model)
    assert found.tail_risk == simulate_tail_risk(WEIGHTS, COV, [0.97], n_paths, **model)[0]
    assert found.expected_shortfall.sum() == pytest.approx(found.tail_risk.expected_shortfall, rel=1e-12)
    assert found.value_at_risk.sum() == pytest.approx(found.tail_risk.value_at_risk, rel=1e-12)
    other = simulated_components(WEIGHTS, COV, 0.97, n_paths, **model, threads=3)
    for name in ("expected_shortfall", "value_at_risk", "expected_shortfall_errors", "value_at_risk_errors"):
        np.testing.assert_array_equal(getattr(found, name), getattr(other, name))


def test_errors_of_components_measure_the_spread_between_seeds():
    runs, n_paths = (200, 8_000) if COMPILED else (30, 500)
    found = [simulated_components(WEIGHTS, COV, 0.95, n_paths, seed=seed) for seed in range(runs)]
    for name in ("expected_shortfall", "value_at_risk"):
        spread = np.std([getattr(f, name) for f in found], axis=0, ddof=1)
        told = np.mean([getattr(f, f"{name}_errors") for f in found], axis=0)
        np.testing.assert_allclose(told, spread, rtol=0.25 if COMPILED else 0.6)


def test_a_single_asset_bears_the_whole_tail():
    found = simulated_components([2.0], [[1e-4]], 0.95, 2_000, seed=1)
    assert found.expected_shortfall[0] == pytest.approx(found.tail_risk.expected_shortfall, rel=1e-12)
    assert found.value_at_risk[0] == pytest.approx(found.tail_risk.value_at_risk, rel=1e-12)
    assert found.value_at_risk_errors[0] == pytest.approx(found.tail_risk.value_at_risk_error, rel=1e-6)
    assert found.expected_shortfall_errors[0] == pytest.approx(found.tail_risk.expected_shortfall_error, rel=0.02)


def test_too_few_paths_have_no_errors():
    found = simulated_components(WEIGHTS, COV, 0.95, 20, seed=3)
    assert found.expected_shortfall_errors is None
    assert found.value_at_risk_errors is None


def test_nothing_to_share_is_undefined():
    with pytest.raises(Undefined, match="no volatility"):
        simulated_components(np.zeros(3), COV, 0.95, 100, seed=1)
    gains = next(seed for seed in range(100) if simulate_losses(WEIGHTS, COV, 1, seed=seed)[0] < 0.0)
    with pytest.raises(Undefined, match=r"1 path\(s\) is not a loss"):
        simulated_components(WEIGHTS, COV, 0.95, 1, seed=gains)


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
    with pytest.raises(InvalidArgument, match=message):
        simulated_components(**arguments, weights=WEIGHTS, confidence=0.95)
    with pytest.raises(InvalidArgument, match="multiple of 16"):
        simulate_asset_returns(COV, 100, seed=1, sampling="sobol")
