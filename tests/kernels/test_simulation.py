"""Losses path by path against the oracle, compiled and plain; any block gives the same bits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest, norm, t

from rpmcore.kernels import random_numbers
from rpmcore.kernels import simulation as kernels
from rpmcore.kernels.random_numbers import LANES
from tests.oracles import simulation as oracle

COMPILED = hasattr(kernels.asset_losses, "py_func")
SEED = 2**63 + 12_345


@pytest.fixture
def without_compiling(plain, monkeypatch):
    """Give a call that turns all kernels of a simulation to plain Python, together with all that they call."""

    def switch():
        for module in (random_numbers, kernels):
            for name, function in vars(module).copy().items():
                if hasattr(function, "py_func"):
                    monkeypatch.setattr(module, name, plain(function))
        return plain

    return switch


@pytest.fixture(params=["compiled", "plain"])
def form(request, without_compiling):
    return (lambda kernel: kernel) if request.param == "compiled" else without_compiling()


def book(n_assets):
    generator = np.random.default_rng(n_assets)
    returns = generator.standard_normal((3 * n_assets, n_assets)) * 0.01
    return generator.normal(size=n_assets), returns.T @ returns / (3 * n_assets)


def padded_exposures(weights, cov):
    exposures, _, positive_definite = kernels.factor_exposures(cov, weights)
    assert positive_definite
    return np.append(exposures, np.zeros(exposures.shape[0] % 2))


def simulate(kernel, first, n_paths, *model, pivot=-np.inf):
    losses = np.full(n_paths, np.nan)
    count = kernel(*model, np.uint64(SEED), np.uint64(first), pivot, losses)
    return losses[:count]


def models():
    exposures = padded_exposures(*book(5))
    return [
        (kernels.asset_losses, exposures, np.inf, 1),
        (kernels.asset_losses, exposures, 4.5, 2),
        (kernels.normal_losses, 0.01),
        (kernels.student_t_losses, 0.01, 4.5, 1),
        (kernels.student_t_losses, 0.01, 4.5, 3),
    ]


@pytest.mark.parametrize("n_assets", [1, 2, 7])
def test_exposures_are_the_cholesky_factor_times_weights(form, n_assets):
    weights, cov = book(n_assets)
    before = cov.copy()
    exposures, upper, positive_definite = form(kernels.factor_exposures)(cov, weights)
    assert positive_definite
    np.testing.assert_allclose(exposures, np.linalg.cholesky(cov).T @ weights, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(np.triu(upper).T, np.linalg.cholesky(cov), rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(cov, before)


@pytest.mark.parametrize(
    "cov", [np.zeros((2, 2)), np.ones((3, 3)), np.array([[1.0, 2.0], [2.0, 1.0]]), np.diag([1.0, 0.0])]
)
def test_a_matrix_without_a_cholesky_factor_is_told_apart(form, cov):
    assert not form(kernels.factor_exposures)(cov, np.ones(cov.shape[0]))[2]


@pytest.mark.parametrize(("dof", "horizon"), [(None, 1), (None, 3), (2.5, 1), (4.5, 2)])
@pytest.mark.parametrize("n_assets", [1, 4, 5])
def test_asset_losses_agree_with_the_oracle(form, n_assets, dof, horizon):
    weights, cov = book(n_assets)
    nu = np.inf if dof is None else dof
    losses = simulate(form(kernels.asset_losses), 2**32 - 3, 20, padded_exposures(weights, cov), nu, horizon)
    expected = oracle.asset_losses(weights, cov, dof, horizon, SEED, 2**32 - 3, 20)
    np.testing.assert_allclose(losses, expected, rtol=1e-10, atol=1e-14)


def test_normal_losses_agree_with_the_oracle(form):
    losses = simulate(form(kernels.normal_losses), 2**33 - 4, 41, 0.01)
    np.testing.assert_allclose(losses, oracle.normal_losses(0.01, SEED, 2**33 - 4, 41), rtol=0.0, atol=1e-15)


@pytest.mark.parametrize("horizon", [1, 3])
def test_student_t_losses_agree_with_the_oracle(form, horizon):
    losses = simulate(form(kernels.student_t_losses), 2**33 - 6, 41, 0.01, 4.5, horizon)
    expected = oracle.student_t_losses(0.01, 4.5, horizon, SEED, 2**33 - 6, 41)
    np.testing.assert_allclose(losses, expected, rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("model", models(), ids=lambda model: model[0].__name__)
def test_compiled_and_plain_agree_to_the_bit(without_compiling, model):
    kernel, *arguments = model
    compiled = simulate(kernel, 12, LANES + 33, *arguments)
    plain_form = without_compiling()(kernel)
    np.testing.assert_array_equal(compiled, simulate(plain_form, 12, LANES + 33, *arguments))


@pytest.mark.parametrize("model", models(), ids=lambda model: model[0].__name__)
def test_any_block_gives_the_same_bits(model):
    kernel, *arguments = model
    n_paths = 12 * LANES + 7 if COMPILED else 150
    whole = simulate(kernel, 0, n_paths, *arguments)
    for block in (4, 36, LANES, 9 * LANES + 8):
        starts = range(0, min(n_paths, 40 * block), block)
        parts = [simulate(kernel, s, min(block, n_paths - s), *arguments) for s in starts]
        joined = np.concatenate(parts)
        np.testing.assert_array_equal(joined, whole[: joined.shape[0]])


@pytest.mark.parametrize("model", models(), ids=lambda model: model[0].__name__)
@pytest.mark.parametrize("n_paths", [1, 2, 101, 102])
@pytest.mark.parametrize("quantile", [0.0, 0.3, 0.5, 0.8, 0.97, 1.0])
def test_a_pivot_keeps_exactly_the_losses_at_or_beyond_it(model, n_paths, quantile):
    kernel, *arguments = model
    losses = simulate(kernel, 8, n_paths, *arguments)
    pivot = float(np.quantile(losses, quantile, method="nearest"))
    kept = simulate(kernel, 8, n_paths, *arguments, pivot=pivot)
    np.testing.assert_array_equal(kept, losses[losses >= pivot])


@given(st.floats(0.0, 1.0), st.integers(0, 2**64 - 1))
def test_no_word_whose_uniform_is_small_enough_is_dropped(u, word):
    if oracle.uniform(word) <= u:
        assert word <= int(kernels.largest_word(u))


@given(st.lists(st.floats(-1e3, 1e3), min_size=1), st.floats(-1e3, 1e3))
def test_exceedances_keep_their_order(losses, pivot):
    given_losses = np.array(losses)
    kept = np.empty_like(given_losses)
    count = kernels.exceedances(given_losses, pivot, kept)
    np.testing.assert_array_equal(kept[:count], given_losses[given_losses >= pivot])


every_float = st.floats(-1e3, 1e3)


@given(st.lists(every_float, min_size=1), every_float | st.just(-np.inf), every_float | st.just(np.inf))
def test_split_keeps_a_window_and_sums_what_lies_beyond(losses, low, high):
    given_losses = np.array(losses)
    for kernel in (kernels.split, getattr(kernels.split, "py_func", kernels.split)):
        inside = np.empty_like(given_losses)
        count, above, total, squares = kernel(given_losses, low, high, inside)
        np.testing.assert_array_equal(inside[:count], given_losses[(given_losses >= low) & (given_losses <= high)])
        excess = given_losses[given_losses > high] - high
        assert above == excess.shape[0]
        assert total == pytest.approx(excess.sum(), rel=1e-12)
        assert squares == pytest.approx((excess**2).sum(), rel=1e-12)


def test_the_reduction_has_the_law_it_claims():
    n = 200_000 if COMPILED else 1_000
    assert kstest(simulate(kernels.normal_losses, 0, n, 2.0), norm(scale=2.0).cdf).pvalue > 1e-3
    scale = np.sqrt(2.5 / 4.5)
    assert kstest(simulate(kernels.student_t_losses, 0, n, 1.0, 4.5, 1), t(4.5, scale=scale).cdf).pvalue > 1e-3
