"""Volatility under adverse correlations after a trade, and the largest trade."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.domain.errors import InvalidArgument
from rpmcore.risk.covariance import sample_covariance, stressed_covariance
from rpmcore.risk.incremental import BookVariance
from rpmcore.risk.limits import exceeds
from rpmcore.risk.trade_impact.impact import target
from rpmcore.risk.trade_impact.norms import WorstNorm
from rpmcore.risk.trade_impact.working import WorkingOrders
from rpmcore.risk.volatility import portfolio_volatility
from tests.oracles import trade_impact as oracle
from tests.samples import correlated_returns, returns_matrices, weights_for

COV = sample_covariance(correlated_returns(200, 6))
WEIGHTS = np.array([1.0, -0.5, 0.3, 2.0, -1.5, 0.0])
thetas = st.sampled_from([0.0, 0.1, 0.5, 1.0])
sides = st.sampled_from([1.0, -1.0])


def seen(weights, cov, asset, theta, orders=None):
    book = BookVariance.of(weights, cov)
    norm = WorstNorm.of(book, WorkingOrders.of(orders or {}, len(weights)), theta)
    return norm, norm.of_asset(book, asset)


def one(weights, cov, asset, theta):
    return seen(weights, cov, asset, theta)[1][0]


def moved(weights, asset, change):
    found = np.array(weights, dtype=float)
    found[asset] += change
    return found


@given(returns_matrices(min_rows=5, max_assets=6), st.data(), thetas)
def test_it_is_the_volatility_under_the_stressed_covariance_of_the_weights_after(returns, data, theta):
    cov = sample_covariance(returns)
    n = len(cov)
    weights, asset = data.draw(weights_for(n)), data.draw(st.integers(0, n - 1))
    change = data.draw(st.integers(-300, 300)) / 100
    after = moved(weights, asset, change)
    found = one(weights, cov, asset, theta).after(change)
    gross = np.abs(weights) @ np.sqrt(np.diag(cov)) + abs(change) * np.sqrt(cov[asset, asset])
    # The root of what rounding leaves of a perfect hedge.
    assert found == pytest.approx(oracle.volatility(after, cov, theta), rel=1e-12, abs=1e-7 * gross)
    stressed = stressed_covariance(cov, 1.0, theta, after)
    assert found == pytest.approx(portfolio_volatility(after, stressed), rel=1e-12, abs=1e-7 * gross)
    assert found**2 == pytest.approx(oracle.volatility(after, cov, theta) ** 2, rel=0, abs=1e-13 * gross**2)


@given(
    returns_matrices(min_rows=8, max_assets=6),
    st.data(),
    thetas,
    sides,
    st.sampled_from([0.0, 0.01, 0.5]),
    st.integers(1, 400).map(lambda x: x / 100),
)
def test_the_largest_size_passes_from_scratch_and_a_larger_one_does_not(returns, data, theta, side, smallest, share):
    cov = sample_covariance(returns)
    n = len(cov)
    weights, asset = data.draw(weights_for(n)), data.draw(st.integers(0, n - 1))
    now = oracle.volatility(weights, cov, theta)
    limit = share * now if now > 1e-6 else share
    mine = one(weights, cov, asset, theta)
    aim = target(mine.after(0.0), limit)
    top = mine.largest(side, aim, smallest)

    def measure(size):
        return oracle.volatility(moved(weights, asset, side * size), cov, theta)

    assert top == 0.0 or top >= smallest
    if 0.0 < top < math.inf:
        for size in (max(smallest, 1e-3 * top), max(smallest, 0.3 * top), top):
            # Squares of what hedges leave are rounded in units of the gross book.
            assert measure(size) <= aim * (1 + 1e-9)
        assert not exceeds(measure(top), limit) or measure(top) < now
    above = max(top, smallest) * (1 + 1e-4) + 1e-4
    if top < math.inf and cov[asset, asset] > 1e-8:
        assert measure(above) > aim * (1 - 1e-9)
    if top == math.inf:
        assert measure(1e3) <= aim * (1 + 1e-9)
    larger = mine.largest(side, 1.5 * aim, smallest)
    assert larger >= top


@given(st.integers(0, 5), sides, thetas, st.sampled_from([0.5, 1.0, 1.5, 4.0]))
def test_an_asset_turned_around_is_the_same_trade_turned_around(asset, side, theta, share):
    turn = np.ones(6)
    turn[asset] = -1.0
    mine = one(WEIGHTS, COV, asset, theta)
    other = one(turn * WEIGHTS, COV * np.outer(turn, turn), asset, theta)
    aim = target(mine.after(0.0), share * mine.after(0.0))
    assert other.largest(-side, aim) == pytest.approx(mine.largest(side, aim), rel=1e-12)
    assert other.after(-side * 0.4) == pytest.approx(mine.after(side * 0.4), rel=1e-14)


@given(st.integers(0, 5), sides, thetas, st.sampled_from([1.2, 3.0]), st.sampled_from([0.25, 2.0, 8.0]))
def test_sizes_scale_with_weights_and_do_not_with_the_unit_of_returns(asset, side, theta, share, factor):
    mine = one(WEIGHTS, COV, asset, theta)
    aim = share * mine.after(0.0)
    found = mine.largest(side, aim)
    # Powers of two change no digit.
    assert one(factor * WEIGHTS, COV, asset, theta).largest(side, factor * aim) == factor * found
    assert one(WEIGHTS, factor**2 * COV, asset, theta).largest(side, factor * aim) == found


def test_in_breach_a_trade_passes_while_volatility_falls():
    mine = one(WEIGHTS, COV, 3, 0.3)
    now = mine.after(0.0)
    aim = target(now, 0.5 * now)
    top = mine.largest(-1.0, aim)
    assert 2.0 < top < math.inf  # past the close of the position, to as much on the other side
    assert mine.after(-top) < now < mine.after(-top * (1 + 1e-6))
    assert mine.after(-0.5 * top) < now
    assert mine.largest(1.0, aim) == 0.0
    assert mine.largest(-1.0, aim, smallest=0.1) == top
    assert mine.largest(-1.0, aim, smallest=1.01 * top) == 0.0


def test_a_perfect_hedge_and_an_asset_that_does_not_move():
    same = np.full((2, 2), 0.04)
    mine = one([1.0, 0.0], same, 1, 0.0)
    assert mine.after(-1.0) == 0.0
    # Long 1: the hedge brings σ from 0.2 to 0, and beyond it back to 0.2 at 2.
    assert mine.largest(-1.0, 0.2) == pytest.approx(2.0, rel=1e-15)
    # Under full stress a hedge is no hedge.
    assert one([1.0, 0.0], same, 1, 1.0).largest(-1.0, 0.3) == pytest.approx(0.5, rel=1e-15)
    still = one([1.0, 0.5], np.diag([0.04, 0.0]), 1, 0.5)
    assert still.largest(1.0, 0.3) == math.inf
    assert still.largest(1.0, 0.1) == 0.0


def test_an_empty_book_at_its_limit_and_without_room():
    mine = one(np.zeros(6), COV, 2, 0.4)
    assert mine.after(0.0) == 0.0
    assert mine.largest(1.0, 0.1) == pytest.approx(0.1 / math.sqrt(COV[2, 2]), rel=1e-15)
    assert mine.largest(-1.0, 0.0) == 0.0
    assert mine.largest(1.0, -1.0) == 0.0


@pytest.mark.parametrize("theta", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("asset", range(6))
def test_working_orders_are_counted_at_their_worst(theta, asset):
    orders = {0: (-0.4, 0.1), 3: (0.2,), 5: (-0.3, -0.2)}
    norm, mine = seen(WEIGHTS, COV, asset, theta, orders)
    books = list(oracle.outcomes(WEIGHTS, orders))

    def worst(change):
        return max(oracle.volatility(moved(book, asset, change), COV, theta) for book in books)

    assert norm.text == ", worst of 8 outcomes of working orders"
    assert norm.now == pytest.approx(worst(0.0), rel=1e-13)
    for side in (1.0, -1.0):
        assert norm.after(mine, side * 0.7) == pytest.approx(worst(side * 0.7), rel=1e-13)
        top = norm.largest(mine, side, 1.3 * norm.now, 0.0)
        assert worst(side * top) == pytest.approx(1.3 * norm.now, rel=1e-12)
        fall = target(norm.now, 0.5 * norm.now)
        top = norm.largest(mine, side, fall, 0.0)
        assert top == 0.0 or worst(side * top) <= fall * (1 + 1e-13)
        assert worst(side * (top + 1e-6)) > fall


@pytest.mark.parametrize("theta", [0.0, 0.3, 1.0])
def test_the_bound_over_many_orders_is_never_below_an_outcome(theta):
    orders = {0: (-0.4, 0.1), 1: (0.3,), 2: (0.1,), 3: (0.2,), 5: (-0.3,)}
    norm, mine = seen(WEIGHTS, COV, 4, theta, orders)
    assert norm.text == ", bound over working orders in 5 symbols"
    books = list(oracle.outcomes(WEIGHTS, orders))
    for change in (-1.0, 0.0, 0.5, 2.0):
        worst = max(oracle.volatility(moved(book, 4, change), COV, theta) for book in books)
        assert worst * (1 - 1e-15) <= norm.after(mine, change) < 1.5 * worst
    top = norm.largest(mine, 1.0, 2.0 * norm.now, 0.0)
    assert norm.after(mine, top) == pytest.approx(2.0 * norm.now, rel=1e-13)
    assert norm.largest(mine, 1.0, 0.1 * norm.beyond, 0.0) == 0.0


def test_misuse():
    mine = one(WEIGHTS, COV, 0, 0.3)
    for change in (math.nan, math.inf, 1e200):
        with pytest.raises(InvalidArgument, match="change must be finite, also when squared"):
            mine.after(change)
    with pytest.raises(InvalidArgument, match="not positive semidefinite"):
        replace(one([1.0, 1.0], np.eye(2), 1, 0.0), product=9.0).after(-2.0)
