"""The generator against its published vectors, and its transformations against the math module."""

import math

import numpy as np
import pytest

from rpmcore.kernels import random_numbers as kernels
from tests.oracles import philox as philox_oracle
from tests.oracles import simulation as oracle

KNOWN_ANSWERS = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((2**32 - 1,) * 4, (2**32 - 1,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
EXTREME_WORDS = [0, 1, 4095, 4096, 2**61 - 1, 2**61, 2**62, 2**63 - 1, 2**63, 2**63 + 2**61, 2**64 - 2**12, 2**64 - 1]


@pytest.fixture(params=["compiled", "plain"])
def form(request, plain, monkeypatch):
    """Give a kernel compiled, or in plain Python together with all that it calls."""
    if request.param == "compiled":
        return lambda kernel: kernel
    for name, function in vars(kernels).copy().items():
        if hasattr(function, "py_func"):
            monkeypatch.setattr(kernels, name, plain(function))
    return plain


def draw_words(form, paths, index=0, stream=0, seed=0):
    paths = np.array(paths, dtype=np.uint64)
    low, high = np.empty_like(paths), np.empty_like(paths)
    form(kernels.random_words)(paths, np.uint64(index), np.uint64(stream), np.uint64(seed), low, high)
    return low, high


def some_words(count=300):
    generator = np.random.default_rng(20_080_915)
    return np.concatenate(
        [np.array(EXTREME_WORDS, dtype=np.uint64), generator.integers(0, 2**64, count, dtype=np.uint64)]
    )


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN_ANSWERS)
def test_published_vectors(form, counter, key, expected):
    assert philox_oracle.philox(counter, key) == expected
    low, high = draw_words(form, [counter[1] << 32 | counter[0]], counter[2], counter[3], key[1] << 32 | key[0])
    assert int(low[0]) == expected[1] << 32 | expected[0]
    assert int(high[0]) == expected[3] << 32 | expected[2]


def test_every_part_of_the_counter_and_the_key_counts(form):
    paths = [0, 1, 2**32 - 1, 2**32, 2**64 - 1]
    for index, stream, seed in [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (7, 9, 2**63 + 5)]:
        low, high = draw_words(form, paths, index, stream, seed)
        expected = [philox_oracle.words(path, index, stream, seed) for path in paths]
        assert [(int(a), int(b)) for a, b in zip(low, high, strict=True)] == expected


def test_uniforms_are_exact_and_never_reach_the_ends(form):
    words = some_words()
    expected = [oracle.uniform(int(word)) for word in words]
    u = form(kernels.uniforms)(words.copy())
    assert u.tolist() == expected
    assert u.min() == 2.0**-53
    assert u.max() == 1.0 - 2.0**-53


def test_logarithm(form):
    x = np.concatenate([np.geomspace(2.0**-60, 4.0, 400), 1.0 + np.linspace(-1e-3, 1e-3, 101), [1.0 - 2.0**-53]])
    expected = np.array([math.log(value) for value in x])
    form(kernels.logarithm)(x)
    np.testing.assert_allclose(x, expected, rtol=2e-15, atol=0.0)


def test_exponential_less_one(form):
    x = np.concatenate([[0.0], np.geomspace(1e-300, 40.0, 500), np.linspace(0.3, 0.4, 101)])
    expected = np.array([math.expm1(value) for value in x])
    form(kernels.exponential_less_one)(x)
    np.testing.assert_allclose(x, expected, rtol=3e-15, atol=0.0)


def test_polar_is_the_angle_of_the_word(form):
    words = some_words()
    x, y = np.empty(words.shape[0]), np.empty(words.shape[0])
    form(kernels.polar)(np.full(words.shape[0], 2.0), 0.5, words, x, y)
    expected = np.array([oracle.polar(1.0, int(word)) for word in words])
    np.testing.assert_allclose(np.column_stack([x, y]), expected, rtol=0.0, atol=2e-15)


def test_normals_agree_with_the_library_functions(form):
    low, high = some_words(), some_words()[::-1].copy()
    expected = np.array([oracle.normal_pair(int(a), int(b)) for a, b in zip(low, high, strict=True)])
    z0, z1 = np.empty(low.shape[0]), np.empty(low.shape[0])
    form(kernels.normal_pairs)(low, high, z0, z1)
    np.testing.assert_allclose(np.column_stack([z0, z1]), expected, rtol=0.0, atol=3e-14)


@pytest.mark.parametrize("dof", [2.001, 3.5, 5.0, 200.0, 1e6])
def test_student_t_agrees_with_the_library_functions(form, dof):
    low, high = some_words(), some_words()[::-1].copy()
    expected = np.array([oracle.student_t(int(a), int(b), dof) for a, b in zip(low, high, strict=True)])
    t, scratch = np.empty(low.shape[0]), np.empty(low.shape[0])
    form(kernels.student_t)(low, high, dof, t, scratch)
    size = np.maximum(1.0, np.hypot(t, scratch))
    np.testing.assert_allclose(t / size, expected / size, rtol=0.0, atol=1e-13)


@pytest.mark.parametrize("dof", [2.1, 5.0, 1e6])
def test_mixing_follows_marsaglia_and_tsang(form, dof):
    paths = np.arange(2**32 - 100, 2**32 + 200, dtype=np.uint64)
    scales = np.empty(paths.shape[0])
    form(kernels.mixing_scales)(paths, np.uint64(1), np.uint64(3), dof, scales)
    expected = [oracle.mixing_scale(int(path), 1, 3, dof) for path in paths]
    np.testing.assert_allclose(scales, expected, rtol=1e-12)


def test_mixing_has_the_law_of_chi_squared():
    from scipy.stats import chi2, kstest

    n, dof = (100_000 if hasattr(kernels.mixing_scales, "py_func") else 1_000), 4.5
    scales = np.empty(n)
    kernels.mixing_scales(np.arange(n, dtype=np.uint64), np.uint64(1), np.uint64(11), dof, scales)
    assert kstest((dof - 2.0) / scales**2, chi2(dof).cdf).pvalue > 1e-3
