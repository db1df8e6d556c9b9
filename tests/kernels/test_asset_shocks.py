"""Shocks of every asset against the oracle, and their loading against NumPy, compiled and plain."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.kernels import asset_shocks as kernels
from rpmcore.kernels import random_numbers
from tests.oracles import simulation as oracle
from tests.oracles.philox import words

SEED = 2**63 + 12_345
PATHS = [7, 2**32 + 1, 0, 12]


@pytest.fixture(params=["compiled", "plain"])
def form(request, plain, monkeypatch):
    """Give a kernel compiled, or in plain Python together with all that it calls."""
    if request.param == "compiled":
        return lambda kernel: kernel
    for module in (random_numbers, kernels):
        for name, function in vars(module).copy().items():
            if hasattr(function, "py_func"):
                monkeypatch.setattr(module, name, plain(function))
    return plain


@pytest.mark.parametrize("dof", [None, 2.5, 7.0])
@pytest.mark.parametrize("day", [0, 3])
def test_shocks_agree_with_the_oracle_in_any_order(form, dof, day):
    shocks = np.full((4, len(PATHS)), np.nan)
    nu = np.inf if dof is None else dof
    form(kernels.asset_shocks)(np.array(PATHS, np.uint64), nu, np.uint64(day), np.uint64(SEED), shocks)
    for path, column in zip(PATHS, shocks.T, strict=True):
        stream = oracle.PURPOSES * day
        scale = 1.0 if dof is None else oracle.mixing_scale(path, stream + oracle.MIXING, SEED, dof)
        pairs = [oracle.normal_pair(*words(path, pair, stream + oracle.ASSETS, SEED)) for pair in range(2)]
        np.testing.assert_allclose(column, scale * np.array(pairs).ravel(), rtol=1e-12, atol=1e-15)


@given(st.integers(1, 9), st.integers(1, 6), st.integers(1, 40), st.booleans(), st.integers(0, 2**32 - 1))
def test_loading_is_a_product_of_matrices(n_rows, n_pairs, n_paths, triangle, seed):
    """To rounding of the sum: each of up to 12 terms is of order one."""
    generator = np.random.default_rng(seed)
    loadings = generator.normal(size=(n_rows, 2 * n_pairs))
    if triangle:
        loadings = np.tril(loadings)
    shocks, totals = generator.normal(size=(2 * n_pairs, n_paths)), generator.normal(size=(n_paths, n_rows))
    expected = totals + np.einsum("ak,kp->pa", loadings, shocks)
    for kernel in (kernels.add_loaded, getattr(kernels.add_loaded, "py_func", kernels.add_loaded)):
        out = totals.copy()
        kernel(loadings, shocks, out)
        np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-13)


def test_a_row_without_loadings_stays_as_it_is(form):
    totals = np.ones((5, 2))
    form(kernels.add_loaded)(np.zeros((2, 4)), np.ones((4, 5)), totals)
    np.testing.assert_array_equal(totals, np.ones((5, 2)))
