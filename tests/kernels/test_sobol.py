"""Sobol's points and the normal quantile against SciPy, compiled and plain."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from rpmcore.kernels import random_numbers
from rpmcore.kernels import sobol as kernels

SMALLEST = 2.0**-53


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


def words_of(kernel, points, columns, shift=0):
    words = np.empty(len(points), np.uint64)
    kernel(np.array(points, np.uint64), np.array(columns, np.uint64), np.uint64(shift), words)
    return [int(word) for word in words]


@given(
    st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=20),
    st.lists(st.integers(0, 2**64 - 1), min_size=32, max_size=32),
    st.integers(0, 2**64 - 1),
)
def test_a_word_is_the_sum_of_the_columns_of_its_digits(points, columns, shift):
    expected = []
    for point in points:
        word = shift
        for digit, column in enumerate(columns):
            word ^= column * (point >> digit & 1)
        expected.append(word)
    for kernel in (kernels.sobol_words, getattr(kernels.sobol_words, "py_func", kernels.sobol_words)):
        assert words_of(kernel, points, columns, shift) == expected


def quantiles(form, u):
    z = np.array(u)
    form(kernels.normal_quantiles)(z, np.empty_like(z))
    return z


def test_normal_quantiles_agree_with_scipy(form):
    """To 4e-15 of z: Wichura claims 1e-16, the rest is the rounding of the polynomials and of ln u."""
    generator = np.random.default_rng(1)
    n = 2_000
    small = np.exp(-36.7 * generator.random(n))
    edges = [SMALLEST, 0.075, np.nextafter(0.075, 0.0), np.exp(-25.0), 0.5 - SMALLEST, 0.5, 0.925, 1.0 - SMALLEST]
    u = np.concatenate([generator.uniform(SMALLEST, 1.0 - SMALLEST, n), small, 1.0 - small[small > SMALLEST], edges])
    np.testing.assert_allclose(quantiles(form, u), ndtri(u), rtol=4e-15, atol=0.0)


def test_normal_quantiles_are_odd_and_rise(form):
    u = np.arange(1, 400) / 1024.0
    z = quantiles(form, u)
    np.testing.assert_array_equal(quantiles(form, 1.0 - u), -z)
    assert (np.diff(z) > 0.0).all()


def test_compiled_and_plain_agree_to_the_bit(plain, monkeypatch):
    u = np.random.default_rng(2).random(300)
    compiled = quantiles(lambda kernel: kernel, u)
    for module in (random_numbers, kernels):
        for name, function in vars(module).copy().items():
            if hasattr(function, "py_func"):
                monkeypatch.setattr(module, name, plain(function))
    np.testing.assert_array_equal(compiled, quantiles(plain, u))
