import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rpmcore.kernels import backtesting as kernels
from tests.oracles import backtesting as oracle
from tests.oracles import bootstrap

series = st.lists(st.booleans(), min_size=1, max_size=60)
clustered = st.lists(st.sampled_from([[False] * 7, [False], [True], [True, True]]), min_size=1, max_size=20).map(
    lambda runs: [hit for run in runs for hit in run]
)


def rows_of(hits):
    return np.flatnonzero(hits).astype(np.int64)


@given(series, st.sampled_from([0.01, 0.05, 0.3]))
def test_ratios_are_those_of_the_likelihoods(hits, rate):
    rows, n = rows_of(hits), len(hits)
    assert kernels.coverage_ratio(len(rows), n, rate) == pytest.approx(oracle.coverage(hits, rate), abs=1e-9)
    found = kernels.transitions(rows, len(rows), n)
    assert found == tuple(np.ravel(oracle.table(hits)))
    assert kernels.independence_ratio(*found) == pytest.approx(oracle.independence(hits), abs=1e-9)


def test_long_series_do_not_underflow():
    """At 5,000 days the likelihoods are below the smallest double; 0 ln 0 is 0."""
    assert kernels.coverage_ratio(400, 5000, 0.05) == pytest.approx(oracle.coverage([1] * 400 + [0] * 4600, 0.05))
    assert kernels.coverage_ratio(0, 5000, 0.01) == pytest.approx(-10_000 * math.log(0.99))
    assert kernels.coverage_ratio(5000, 5000, 0.01) == pytest.approx(-10_000 * math.log(0.01))


@given(st.one_of(series, clustered))
def test_weibull_ratio_is_the_maximum_over_both_parameters(hits):
    rows = rows_of(hits)
    assume(len(rows) >= 2)
    spells = oracle.durations(hits)
    longest = max(length for length, _ in spells)
    between = [length for length, censored in spells if not censored]
    ratio, shape = kernels.duration_ratio(rows, len(rows), len(hits), np.empty(len(rows) + 1))
    if min(between) == longest:
        assert math.isnan(ratio)
        assert math.isnan(shape)
        return
    expected, best = oracle.duration(hits)
    assert ratio == pytest.approx(expected, rel=1e-6, abs=1e-7)
    assert shape == pytest.approx(best, rel=1e-3)


def test_a_weibull_shape_far_from_one():
    nearly_regular = np.arange(9, 1000, 10)
    nearly_regular[-1] += 1
    ratio, shape = kernels.duration_ratio(nearly_regular, len(nearly_regular), 1001, np.empty(len(nearly_regular) + 1))
    hits = np.zeros(1001, bool)
    hits[nearly_regular] = True
    assert (ratio, shape) == pytest.approx(oracle.duration(hits.tolist()), rel=1e-5)
    assert shape > 20


@pytest.mark.parametrize("n_obs", [1, 2, 31, 64])
@pytest.mark.parametrize("rate", [0.01, 0.2])
def test_null_statistics_are_those_of_the_days_drawn(n_obs, rate, plain):
    seed, found = 2**63 + 5, np.empty((40, 3))
    threshold = np.uint64(int(rate * 2.0**64))
    kernels.null_statistics(n_obs, rate, threshold, np.uint64(seed), found)
    for replicate, (independence, both, duration) in enumerate(found):
        rows = oracle.random_violations(n_obs, rate, seed, replicate)
        hits = oracle.as_hits(rows, n_obs)
        assert independence == pytest.approx(oracle.independence(hits), abs=1e-9)
        assert both == pytest.approx(independence + oracle.coverage(hits, rate), abs=1e-9)
        days = np.array(rows, dtype=np.int64)
        ratio = plain(kernels.duration_ratio)(days, len(days), n_obs, np.empty(len(days) + 1))[0]
        assert duration == pytest.approx(0.0 if math.isnan(ratio) else ratio, abs=1e-9)


def test_plain_and_compiled_agree(plain):
    seed = np.uint64(7)
    for name, arguments, shape in (
        ("null_statistics", (40, 0.1, np.uint64(0.1 * 2**64), seed), (20, 3)),
        ("shortfall_statistics", (np.full(31, 0.2), np.full(31, 0.4), 1.2, 0.11, math.inf, seed), (20, 2)),
        ("shortfall_statistics", (np.full(31, 0.2), np.full(31, 0.4), 1.2, 0.11, 4.0, seed), (20, 2)),
        ("bootstrap_t", (np.array([-1.0, -0.5, 0.25, 1.25]), seed), (20,)),
        (
            "dynamic_quantile_statistics",
            (np.full((36, 1), 1 / 6), np.array([6.0]), 0.1, np.uint64(0.1 * 2**64), seed),
            (20,),
        ),
    ):
        compiled, interpreted = np.empty(shape), np.empty(shape)
        getattr(kernels, name)(*arguments, compiled)
        plain(getattr(kernels, name))(*arguments, interpreted)
        np.testing.assert_allclose(interpreted, compiled, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dof", [3.0, 7.5, math.inf])
@pytest.mark.parametrize("n_obs", [1, 30, 31])
def test_shortfall_statistics_are_those_of_the_returns_drawn(dof, n_obs):
    location, scale = np.linspace(-0.1, 0.2, n_obs), np.linspace(0.3, 0.5, n_obs)
    found = np.empty((25, 2))
    kernels.shortfall_statistics(location, scale, 1.1, 0.13, dof, np.uint64(11), found)
    for replicate, row in enumerate(found):
        x = np.array(oracle.returns(n_obs, dof, 11, replicate))
        expected = oracle.acerbi_szekely(location + scale * x, x > 1.1, 0.13)
        np.testing.assert_allclose(row, expected, rtol=1e-10, atol=1e-12)


def test_bootstrap_is_that_of_the_rows_drawn():
    values, found = np.array([-1.0, 0.0, 0.25, 0.75]), np.empty(200)
    kernels.bootstrap_t(values, np.uint64(3), found)
    expected = [oracle.t_statistic(values[bootstrap.rows(4, 3, i, 1)]) for i in range(200)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    # Of 256 resamples of four, three repeat one value other than zero four times over.
    kernels.bootstrap_t(np.array([-1.0, 1.0]), np.uint64(3), found)
    assert set(found) == {-math.inf, 0.0, math.inf}


@given(st.lists(st.booleans(), min_size=13, max_size=60), st.integers(0, 2**32))
def test_dynamic_quantile_is_the_projection(hits, seed):
    """Columns of hits enter by their days alone; here they stand in full."""
    rate, n = 0.07, len(hits) - kernels.LAGS
    basis = np.linalg.qr(np.random.default_rng(seed).standard_normal((n, 3)))[0]
    basis = np.ascontiguousarray(basis)
    rows = rows_of(hits)
    found, rank = kernels.dynamic_quantile(
        basis, basis.sum(axis=0), rate, rows, len(rows), np.empty((3, 5)), np.empty((5, 5))
    )
    h = np.array(hits, float) - rate
    x = np.column_stack([basis, *(h[4 - lag : len(h) - lag] for lag in range(1, 5))])
    assert rank == np.linalg.matrix_rank(x / np.linalg.norm(x, axis=0), tol=1e-7)
    fitted = x @ np.linalg.lstsq(x, h[4:], rcond=1e-9)[0]
    assert found == pytest.approx(fitted @ fitted / (rate * (1 - rate)), rel=1e-7, abs=1e-9)
