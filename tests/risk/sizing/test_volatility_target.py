from math import inf, sqrt

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rpmcore.domain.errors import InvalidArgument
from rpmcore.risk.sizing.volatility_target import largest_change
from tests.oracles.sizing import largest_by_bisection, volatility_after


def books():
    """Three positions, a covariance with a common factor, and a target."""
    weight = st.integers(-150, 150).map(lambda w: w / 100)
    loading = st.integers(-20, 20).map(lambda x: x / 100)
    own = st.integers(1, 30).map(lambda x: x / 100)
    return st.tuples(
        st.lists(weight, min_size=3, max_size=3),
        st.tuples(st.lists(loading, min_size=3, max_size=3), st.lists(own, min_size=3, max_size=3)).map(
            lambda pair: np.outer(pair[0], pair[0]) + np.diag(np.square(pair[1]))
        ),
        st.integers(1, 60).map(lambda x: x / 100),
        st.sampled_from([1, -1]),
    )


def change(weights, cov, target, sign, asset=1):
    w = np.array(weights)
    product = float((cov @ w)[asset])
    return largest_change(max(float(w @ cov @ w), 0.0), product, float(cov[asset, asset]), target, sign)


@given(case=books())
def test_the_closed_form_is_what_bisection_finds(case):
    weights, cov, target, sign = case
    today = volatility_after(weights, cov, 1, 0.0)
    assume(abs(today - target) > 1e-6)
    found = change(weights, cov, target, sign)
    assert found == pytest.approx(largest_by_bisection(weights, cov, 1, target, sign), rel=1e-5, abs=1e-5)


@given(case=books(), share=st.floats(0.0, 1.0))
def test_every_smaller_size_passes_and_a_larger_one_does_not(case, share):
    weights, cov, target, sign = case
    today = volatility_after(weights, cov, 1, 0.0)
    found = change(weights, cov, target, sign)
    assert volatility_after(weights, cov, 1, sign * share * found) <= max(target, today) + 1e-9
    beyond = volatility_after(weights, cov, 1, sign * (found * 1.001 + 1e-6))
    at = volatility_after(weights, cov, 1, sign * found)
    assert beyond > min(target, at) - 1e-12
    if today > target:
        assert at <= today + 1e-12


@given(case=books())
def test_buying_one_book_is_selling_its_mirror(case):
    weights, cov, target, sign = case
    assert change(weights, cov, target, sign) == change(-np.array(weights), cov, target, -sign)


@given(case=books(), more=st.integers(0, 50))
def test_a_higher_target_allows_no_less_within_it(case, more):
    weights, cov, target, sign = case
    assume(volatility_after(weights, cov, 1, 0.0) <= target)
    assert change(weights, cov, target + more / 100, sign) >= change(weights, cov, target, sign) - 1e-12


def test_an_empty_book_holds_target_over_volatility():
    assert largest_change(0.0, 0.0, 0.04, 0.15, 1) == pytest.approx(0.75)
    assert largest_change(0.0, 0.0, 0.04, 0.15, -1) == pytest.approx(0.75)


def test_above_the_target_only_what_reduces_passes():
    # One asset of 20 %, held at 1.5: 30 % against a target of 15 %.
    variance, product = 0.09, 1.5 * 0.04
    assert largest_change(variance, product, 0.04, 0.15, 1) == 0.0
    assert largest_change(variance, product, 0.04, 0.15, -1) == pytest.approx(2.25)  # to -0.75, the far end
    # A weak hedge cannot reach the target; it is taken to where volatility is least.
    assert largest_change(0.09, -0.01, 0.04, 0.15, 1) == pytest.approx(0.25)


def test_what_does_not_move_has_no_limit():
    assert largest_change(0.01, 0.0, 0.0, 0.15, 1) == inf
    assert largest_change(0.09, 0.0, 0.0, 0.15, 1) == 0.0


def test_a_book_that_is_hedged_entirely_has_room_for_the_whole_target():
    # Long EURUSD and short its parts; their variance is a sum of zeros that rounding leaves at ±1e-20.
    rng = np.random.default_rng(1)
    for _ in range(200):
        a, b, c = rng.normal(0.0, 0.006, (3, 60))
        cov = 252 * np.cov([a, b, a - b, c])
        weights = rng.uniform(0.1, 3.0) * np.array([1.0, -1.0, -1.0, 0.0])
        for asset in range(4):
            found = change(weights, cov, 0.15, 1, asset)
            assert found == pytest.approx(0.15 / sqrt(cov[asset, asset]), rel=1e-6)


def test_a_book_just_below_the_target_keeps_its_digits():
    room = 1e-14
    target = 0.15
    variance = target * target - room
    found = largest_change(variance, 0.02, 0.04, target, 1)
    assert found == pytest.approx((target * target - variance) / (2 * 0.02), rel=1e-6)
    assert sqrt(variance + 2 * found * 0.02 + found**2 * 0.04) <= target * (1 + 1e-15)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-0.1, 0.0, 0.04, 0.15, 1), "variance"),
        ((0.01, 0.0, float("nan"), 0.15, 1), "asset_variance"),
        ((0.01, 0.0, 0.04, inf, 1), "target"),
        ((0.01, 0.0, 0.04, 0.15, 0), "sign"),
        ((0.01, 0.5, 0.04, 0.15, 1), "product"),
        ((0.01, float("nan"), 0.04, 0.15, 1), "product"),
    ],
)
def test_numbers_of_no_covariance_are_refused(arguments, message):
    with pytest.raises(InvalidArgument, match=message):
        largest_change(*arguments)
