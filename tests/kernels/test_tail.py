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
    var, shortfall, lower, upper = form(tail.historical)(returns, k, milder, harsher)
    losses = np.sort(-returns)[::-1]
    assert (var, lower, upper) == (losses[rank - 1], losses[milder - 1], losses[harsher - 1])
    _, exact = oracle.value_at_risk_and_shortfall(returns, Fraction(per_mille, 1000))
    assert shortfall == pytest.approx(float(exact), rel=1e-13)


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
        var, shortfall, _, _ = tail.historical(returns, k, 0, 0)
        losses = np.sort(-returns)[::-1]
        assert var == losses[int(np.ceil(k)) - 1]
        assert shortfall == pytest.approx(losses[: int(k)].mean(), rel=1e-13, abs=1e-300)


@pytest.mark.parametrize("n", [2000, 100_000])
@pytest.mark.parametrize("k", [0.5, 2.0, 3.0, 17.0])
def test_the_worst_few_of_many(n, k):
    """In this order the sample always meets the one worst return, which leaves too few at or below it."""
    losses = -np.arange(n, dtype=float)
    var, shortfall, lower, upper = tail.historical(-losses, k, int(np.ceil(k)) + 3, 1)
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


@given(hnp.arrays(np.float64, st.integers(1, 400), elements=st.floats(-1e6, 1e6)), st.randoms(use_true_random=False))
def test_the_order_of_the_returns_does_not_change_a_bit(returns, random):
    shuffled = list(returns)
    random.shuffle(shuffled)
    k = max(0.05 * len(returns), 1e-9)
    assert tail.historical(returns, k, 0, 0)[:2] == tail.historical(np.array(shuffled), k, 0, 0)[:2]


@given(hnp.arrays(np.float64, st.integers(0, 300), elements=st.floats(-1e300, 1e300)))
def test_the_sum_is_exact_to_rounding(values):
    exact = float(sum((Fraction(float(v)) for v in values), Fraction(0)))
    scale = float(np.abs(values).max(initial=0.0))
    assert tail.sum_in_any_order(values) == pytest.approx(exact, abs=max(1e-13 * scale, 1e-300), rel=1e-13)


@pytest.mark.parametrize("form", FORMS, ids=["compiled", "plain"])
@pytest.mark.parametrize("n", [10, 59, 60, 250, 500, 1000])
@pytest.mark.parametrize("probability", [0.005, 0.01, 0.05, 0.1, 0.4])
@pytest.mark.parametrize("error", [0.005, 0.025, 0.05])
def test_interval_ranks_are_the_binomials(form, n, probability, error):
    assert form(tail.interval_ranks)(n, probability, error) == oracle.interval_ranks(n, probability, error)
