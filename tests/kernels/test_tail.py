from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rpmcore.kernels import tail
from tests.oracles import tail as oracle

FORMS = [lambda kernel: kernel, lambda kernel: getattr(kernel, "py_func", kernel)]


@pytest.mark.parametrize("form", FORMS, ids=["compiled", "plain"])
@pytest.mark.parametrize("n", [1, 2, 10, 63, 64, 65, 250, 999, 1000, 1001, 5000])
@pytest.mark.parametrize("per_mille", [1, 10, 25, 50, 333])
def test_order_statistics_are_those_of_a_sort(form, n, per_mille):
    returns = np.random.default_rng(n).standard_t(3, size=n)
    k = float(Fraction(per_mille, 1000) * n)
    rank = int(np.ceil(k))
    milder, harsher = min(rank + 2, n), max(rank - 2, 1)
    var, shortfall, _, lower, upper = form(tail.historical)(returns, k, -1.0, milder, harsher)
    losses = np.sort(-returns)[::-1]
    assert (var, lower, upper) == (losses[rank - 1], losses[milder - 1], losses[harsher - 1])
    _, exact = oracle.value_at_risk_and_shortfall(returns, Fraction(per_mille, 1000))
    assert shortfall == pytest.approx(float(exact), rel=1e-13)
    assert form(tail.value_at_risk_and_shortfall)(returns, k, -1.0) == (var, shortfall)


@pytest.mark.parametrize("form", FORMS, ids=["compiled", "plain"])
@pytest.mark.parametrize("n", [1, 2, 21, 40, 41, 250, 1000, 1001, 5000])
@pytest.mark.parametrize("probability", [0.004, 0.01, 0.05, 0.333])
def test_the_interpolated_quantile_is_numpys_with_any_bounds_beside_it(form, n, probability):
    """The ranks of the bounds meet and cross those of the quantile, which all must be found in place."""
    returns = np.random.default_rng(n).standard_t(3, size=n)
    losses, k = np.sort(-returns)[::-1], probability * n
    rank = int(np.ceil(k))
    for milder in {0, rank, min(rank + 1, n), min(rank + 9, n)}:
        for harsher in {0, 1, max(rank - 1, 1), rank}:
            place = probability * (n - 1)
            var, shortfall, _, lower, upper = form(tail.historical)(returns, k, place, milder, harsher)
            # Two ways of the same line: a few roundings of numbers of the size of its ends.
            assert var == pytest.approx(-np.quantile(returns, probability), rel=1e-14, abs=1e-14)
            assert shortfall == form(tail.historical)(returns, k, -1.0, 0, 0)[1]
            assert lower == losses[milder - 1] if milder else np.isnan(lower)
            assert upper == losses[harsher - 1] if harsher else np.isnan(upper)


@pytest.mark.parametrize("form", FORMS, ids=["compiled", "plain"])
@pytest.mark.parametrize("n", [1, 7, 250, 256, 700, 3000])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, -np.nan])
def test_nothing_that_is_not_finite_is_overlooked(form, n, bad):
    returns = np.random.default_rng(n).standard_normal(n)
    kernel = form(tail.value_at_risk_and_shortfall)
    for i in {0, n // 3, n // 2, max(n - 200, 0), n - 1}:
        spoilt = returns.copy()
        spoilt[i] = bad
        # As plain Python, NumPy warns of the sum of infinities that tells the kernel.
        with np.errstate(invalid="ignore"):
            assert np.isnan(kernel(spoilt, 0.05 * n, -1.0)).all()
            spoilt[0] = -bad  # infinities of either sign must not cancel
            assert np.isnan(form(tail.historical)(spoilt, 0.05 * n, -1.0, 0, 0)).all()


@pytest.mark.parametrize("form", FORMS, ids=["compiled", "plain"])
def test_finite_returns_whose_sum_overflows_are_finite(form):
    returns = np.full(600, 1e308)
    returns[7] = -1e308
    # NumPy warns of the overflow that the kernel looks behind.
    with np.errstate(over="ignore", invalid="ignore"):
        assert form(tail.value_at_risk_and_shortfall)(returns, 1.0, -1.0) == (1e308, 1e308)


@pytest.mark.parametrize("form", FORMS, ids=["compiled", "plain"])
@pytest.mark.parametrize(("n", "tail_probability"), [(40, 0.05), (250, 0.05), (250, 0.033), (2000, 0.05), (5000, 0.1)])
def test_the_error_of_the_shortfall_is_that_of_manistre_and_hancock(form, n, tail_probability):
    returns = np.random.default_rng(n).standard_t(4, size=n)
    error = form(tail.historical)(returns, tail_probability * n, -1.0, 0, 0)[2]
    assert error == pytest.approx(oracle.shortfall_error(returns, tail_probability), rel=1e-12)


def test_one_loss_in_the_tail_has_no_spread():
    assert np.isnan(tail.historical(np.arange(20.0), 1.0, -1.0, 0, 0)[2])


def contrived(n):
    """Orders that a naive choice of pivots falls into."""
    up = np.arange(n, dtype=float)
    yield from (up, up[::-1].copy(), np.zeros(n), np.where(up % 2 == 0, 1.0, -1.0), np.abs(up - n / 2))
    spike = np.zeros(n)
    spike[:: max(n // 20, 1)] = -1.0
    yield spike
    yield np.repeat(np.arange(n // 10 + 1.0), 10)[:n].copy()


@pytest.mark.parametrize("n", [100, 1000, 20_000])
def test_contrived_orders(n):
    for returns in contrived(n):
        k = 0.05 * n
        var, shortfall = tail.value_at_risk_and_shortfall(returns, k, -1.0)
        losses = np.sort(-returns)[::-1]
        assert var == losses[int(np.ceil(k)) - 1]
        assert shortfall == pytest.approx(losses[: int(k)].mean(), rel=1e-13, abs=1e-300)


@pytest.mark.parametrize("n", [2000, 100_000])
@pytest.mark.parametrize("k", [0.5, 2.0, 3.0, 17.0])
def test_the_worst_few_of_many(n, k):
    """In this order the sample always meets the one worst return, which leaves too few at or below it."""
    losses = -np.arange(n, dtype=float)
    var, shortfall, _, lower, upper = tail.historical(-losses, k, -1.0, int(np.ceil(k)) + 3, 1)
    assert (var, lower, upper) == (losses[int(np.ceil(k)) - 1], losses[int(np.ceil(k)) + 2], losses[0])
    assert shortfall == pytest.approx(losses[: max(int(k), 1)].mean())


@pytest.mark.parametrize("form", FORMS, ids=["compiled", "plain"])
@given(values=hnp.arrays(np.float64, st.integers(1, 500), elements=st.floats(-10, 10)), data=st.data())
def test_any_part_can_be_sorted(form, values, data):
    start = data.draw(st.integers(0, len(values)))
    stop = data.draw(st.integers(start, len(values)))
    expected = values.copy()
    expected[start:stop].sort()
    form(tail.sort_between)(values, start, stop)
    np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize("form", FORMS, ids=["compiled", "plain"])
@given(values=hnp.arrays(np.float64, st.integers(1, 200), elements=st.floats(-10, 10)), data=st.data())
def test_the_smallest_come_first(form, values, data):
    count = data.draw(st.integers(1, len(values)))
    expected = np.sort(values)
    form(tail.sort_smallest)(values, len(values), count)
    np.testing.assert_array_equal(values[:count], expected[:count])
    np.testing.assert_array_equal(np.sort(values), expected)


@given(
    hnp.arrays(np.float64, st.integers(1, 400), elements=st.floats(-1e6, 1e6)),
    st.sampled_from([0.01, 0.05, 0.3]),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_returns_does_not_change_a_bit(returns, probability, random):
    shuffled = list(returns)
    random.shuffle(shuffled)
    n = len(returns)
    arguments = (max(probability * n, 1e-9), probability * (n - 1), 0, 0)
    base, other = tail.historical(returns, *arguments), tail.historical(np.array(shuffled), *arguments)
    np.testing.assert_array_equal(base, other)


@pytest.mark.parametrize("form", FORMS, ids=["compiled", "plain"])
@pytest.mark.parametrize("n", [3000, 100_000])
def test_more_ties_than_there_is_room_for(form, n):
    """Half of the returns equal the pivot, far more than twice the tail."""
    returns = np.where(np.arange(n) % 2 == 0, -0.01, 0.01 + 1e-6 * np.arange(n))
    assert form(tail.value_at_risk_and_shortfall)(returns, 0.01 * n, -1.0) == (0.01, pytest.approx(0.01))
    returns[-1] = np.nan
    assert np.isnan(form(tail.value_at_risk_and_shortfall)(returns, 0.01 * n, -1.0)).all()


@pytest.mark.parametrize("form", FORMS, ids=["compiled", "plain"])
@pytest.mark.parametrize("n", [10, 59, 60, 250, 500, 1000])
@pytest.mark.parametrize("probability", [0.005, 0.01, 0.05, 0.1, 0.4])
@pytest.mark.parametrize("error", [0.005, 0.025, 0.05])
def test_interval_ranks_are_the_binomials(form, n, probability, error):
    assert form(tail.interval_ranks)(n, probability, error) == oracle.interval_ranks(n, probability, error)
