import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.controls.strategy_allocation import StrategyReturns, allocate, clusters
from rpmcore.controls.strategy_settings import AllocationSettings, StrategySettings

SETTINGS = StrategySettings()


def series(seed, mean=0.02, sd=0.5, n=60):
    return np.random.default_rng(seed).normal(mean, sd, n)


def book(*returns, judged=None, names="abcdefghij"):
    judged = judged or [True] * len(returns)
    return [
        StrategyReturns(strategy_id=name, first=100 - r.shape[0], returns=r, judged=j)
        for name, r, j in zip(names, returns, judged, strict=False)
    ]


def fractions(found):
    return [share.fraction for share in found.strategies]


BOOKS = st.lists(
    st.tuples(st.integers(0, 10_000), st.floats(-0.01, 0.01), st.floats(1e-4, 0.3), st.integers(1, 60), st.booleans()),
    min_size=1, max_size=8,
)  # fmt: skip


@given(BOOKS)
def test_fractions_are_not_negative_and_sum_to_at_most_one(given_):
    found = allocate(book(*(series(s, m, d, n) for s, m, d, n, _ in given_), judged=[j for *_, j in given_]), SETTINGS)
    assert min(fractions(found)) >= 0.0
    assert sum(fractions(found)) <= 1.0
    assert max(fractions(found)) <= SETTINGS.allocation.maximum
    assert sum(fractions(found)) + found.unallocated == pytest.approx(1.0)


@given(st.integers(0, 1000), st.integers(1, 4), st.floats(0.5, 2.0))
def test_two_copies_share_what_one_would_get_and_the_others_notice_nothing(seed, others, scale):
    rest = [series(seed + 1 + i, 0.05) for i in range(others)]
    one = series(seed, 0.05)
    alone = fractions(allocate(book(one, *rest), SETTINGS))
    both = allocate(book(one, *rest, one.copy()), SETTINGS)
    assert fractions(both)[0] == fractions(both)[-1]
    assert fractions(both)[0] + fractions(both)[-1] == pytest.approx(alone[0], rel=1e-9, abs=1e-15)
    assert fractions(both)[1:-1] == pytest.approx(alone[1:], rel=1e-9, abs=1e-15)
    assert both.strategies[0].copies == (both.strategies[-1].strategy_id,)
    assert len(clusters(book(one, scale * one), SETTINGS)) == 1


def test_opposites_and_strangers_are_no_copies_and_few_days_tell_nothing():
    one = series(1)
    assert len(clusters(book(one, -one, series(2)), SETTINGS)) == 3
    assert len(clusters(book(one[:19], one[:19]), SETTINGS)) == 2


def test_days_that_are_equal_but_for_rounding_say_nothing_of_how_much_they_vary():
    steady = np.where(np.arange(60) % 2 == 0, 0.1 + 0.2, 0.3)
    for returns in (steady, 1e-20 * series(1), 1e-300 * series(1)):
        steadily, other = allocate(book(returns, series(2, 0.05)), SETTINGS).strategies
        assert "earned the same" in steadily.kelly_reason
        assert steadily.fraction < other.fraction
        assert len(clusters(book(returns, 2.0 * returns), SETTINGS)) == 2


def test_one_strategy_has_its_quarter_kelly():
    returns = series(3, 0.05, 0.5)
    (share,) = allocate(book(returns), SETTINGS).strategies
    kelly = returns.mean() / returns.var(ddof=1)
    assert share.kelly == pytest.approx(kelly)
    assert share.fraction == pytest.approx(0.25 * kelly)


def test_estimates_without_information_give_equal_weights_and_sharp_ones_keep_their_order():
    wide = AllocationSettings(maximum=1.0)
    noisy = allocate(book(*(series(s, 0.1, 1.0, 30) for s in range(4))), StrategySettings(allocation=wide))
    # Four of the same law: their estimates differ by little more than their errors.
    assert noisy.shrinkage > 0.5
    x = np.tile([-0.1, 0.1], 2000)
    sharp = allocate(book(x + 0.002, x[::-1] * 1.0 + 0.02), StrategySettings(allocation=wide))
    assert sharp.shrinkage < 0.2
    assert fractions(sharp)[1] > 3.0 * fractions(sharp)[0]


def test_shrinkage_is_the_error_of_the_estimates_over_their_spread():
    x = np.tile([-0.1, 0.1], 200)
    one, other = x + 0.002, np.roll(x, 1) * np.where(np.arange(400) % 4 < 2, 1.0, 1.5) + 0.02
    kelly = [r.mean() / r.var(ddof=1) for r in (one, other)]
    error = np.mean([1.0 / (r.var(ddof=1) * 400) for r in (one, other)])
    shrinkage = error / np.var(kelly, ddof=1)
    assert 0.05 < shrinkage < 0.95
    settings = StrategySettings(allocation=AllocationSettings(maximum=1.0))
    found = allocate(book(one, other), settings)
    assert found.shrinkage == pytest.approx(shrinkage)
    wanted = [0.25 * ((1 - shrinkage) * k + shrinkage * np.mean(kelly)) for k in kelly]
    assert fractions(found) == pytest.approx(wanted)


def test_a_loser_alone_is_given_nothing_and_what_cannot_be_estimated_is_on_probation():
    assert fractions(allocate(book(-np.abs(series(1))), SETTINGS)) == [0.0]
    unknown = allocate(book(series(1), series(2), judged=[False, False]), SETTINGS)
    assert fractions(unknown) == [0.125, 0.125]
    assert "too few trades" in unknown.strategies[0].kelly_reason
    assert allocate([], SETTINGS).unallocated == 1.0
