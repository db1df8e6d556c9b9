"""A book with working orders: every outcome, or a bound that none exceeds."""

import math
from dataclasses import FrozenInstanceError, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.domain.errors import InsufficientData, InvalidArgument
from rpmcore.risk.incremental import REBUILD_AFTER
from rpmcore.risk.limits import exceeds
from rpmcore.risk.settings import DataSettings, LimitsSettings, RiskSettings, TailRiskSettings
from rpmcore.risk.trade_impact.impact import passes, target
from rpmcore.risk.trade_impact.working import WorkingOrders
from rpmcore.risk.trade_impact.worst_case import WorstCase
from tests.oracles import trade_impact as oracle
from tests.samples import correlated_returns

RETURNS = correlated_returns(300, 6, seed=3, scale=0.005)
WEIGHTS = np.array([0.4, -0.3, 0.2, 0.0, 0.3, -0.1])
HISTORICAL = RiskSettings(limits=LimitsSettings(method="historical"))
Z, BEYOND = 1.6448536269514722, 2.0627128075074257
MANY = {0: (0.1,), 1: (-0.1,), 2: (0.05,), 3: (0.1,), 4: (-0.2,)}


def case(orders=None, settings=None, returns=RETURNS, weights=WEIGHTS, **options):
    return WorstCase.of_returns(returns, weights, settings, orders=orders, **options)


def three(book):
    """VaR, ES and annual volatility by the larger method, from scratch, of many books."""
    covariance, k = case().estimate.covariance, 15.0
    pnl, sigma = RETURNS @ book, oracle.volatility(book, covariance, 0.0)
    return np.array(
        [
            max(oracle.value_at_risk(pnl, k), Z * sigma),
            max(oracle.expected_shortfall(pnl, k), BEYOND * sigma),
            sigma * math.sqrt(252),
        ]
    )


def worst(orders, asset, change):
    found = []
    for book in oracle.outcomes(WEIGHTS, orders):
        book[asset] += change
        found.append(three(book))
    return np.max(found, axis=0)


orders_of_a_book = st.dictionaries(
    st.integers(0, 5), st.lists(st.integers(-30, 30).map(lambda w: w / 100), min_size=1, max_size=2), max_size=3
)


@given(orders_of_a_book, st.integers(0, 5), st.sampled_from([1, -1]), st.integers(0, 100).map(lambda w: w / 100))
def test_every_outcome_counts_or_a_bound_does_that_none_exceeds(orders, asset, side, size):
    found, now, after = case(orders), worst(orders, asset, 0.0), worst(orders, asset, side * size)
    for i, impact in enumerate(found.impacts(asset, side, size)):
        assert impact.now >= now[i] * (1 - 1e-13)
        assert impact.after >= after[i] * (1 - 1e-13)
        if "every day" not in found.historical.texts[i if i < 2 else 1]:
            assert (impact.now, impact.after) == pytest.approx((now[i], after[i]), rel=1e-12)
        top = impact.largest
        if 0.0 < top < math.inf:
            for share in (0.01, 0.5, 1.0):
                then = worst(orders, asset, side * share * top)[i]
                assert not exceeds(then, impact.limit) or then < impact.now
            if "every day" not in found.historical.texts[i if i < 2 else 1]:
                assert worst(orders, asset, side * (top + 1e-6))[i] > target(impact.now, impact.limit)


def test_how_the_outcomes_were_counted_is_told():
    def texts(orders):
        return [impact.measure for impact in case(orders, HISTORICAL).impacts(0, 1, 0.0)]

    assert texts({}) == ["historical, 0.95, one day", "historical, 0.95, one day", "ewma, per year"]
    assert (
        texts({1: (0.1,), 4: (0.05, 0.05)})[:2]
        == [
            "historical, 0.95, one day, worst of 6 outcomes of working orders",
        ]
        * 2
    )
    # Six orders of different sizes have 64 outcomes, of which two count for what is convex.
    one_symbol = texts({1: (0.01, 0.02, 0.04, 0.08, 0.16, 0.32)})
    assert one_symbol == [
        "historical, 0.95, one day, every day at the worst of working orders in 1 symbols",
        "historical, 0.95, one day, worst of 2 outcomes of working orders",
        "ewma, per year, worst of 2 outcomes of working orders",
    ]
    assert texts(MANY) == [
        "historical, 0.95, one day, every day at the worst of working orders in 5 symbols",
        "historical, 0.95, one day, every day at the worst of working orders in 5 symbols",
        "ewma, per year, bound over working orders in 5 symbols",
    ]


def test_bounds_over_many_orders_are_above_every_outcome_and_not_by_much():
    found = case(MANY)
    for change in (0.0, 0.3, -0.5):
        true = worst(MANY, 5, change)
        for impact, exact in zip(found.impacts(5, np.sign(change) or 1.0, abs(change)), true, strict=True):
            assert exact <= impact.after < 1.35 * exact


def test_orders_of_no_size_change_no_bit():
    bound, plain = case(dict.fromkeys(range(6), (1e-300,))), case()
    for a, b in zip(bound.impacts(2, 1, 0.1), plain.impacts(2, 1, 0.1), strict=True):
        assert (a.after, a.largest) == pytest.approx((b.after, b.largest), rel=1e-12)
    assert case({2: (0.0,), 3: ()}).impacts(2, 1, 0.1) == plain.impacts(2, 1, 0.1)


def test_outcomes_by_hand():
    working = WorkingOrders.of({3: (0.2, -0.1), 1: (0.3,)}, 5)
    assert working.orders == ((1, (0.3,)), (3, (0.2, -0.1)))
    assert len(working.outcomes) == 8
    assert ((1, 0.3), (3, 0.1)) in working.outcomes
    assert working.corners == (((3, -0.1),), ((3, 0.2),), ((1, 0.3), (3, -0.1)), ((1, 0.3), (3, 0.2)))
    assert WorkingOrders.of({}, 5).outcomes == ((),)
    assert WorkingOrders.of({0: [0.01 * 2**i for i in range(200)]}, 5).outcomes == ()


def test_a_book_does_not_change_and_commits_are_a_book_anew():
    orders = {1: (0.1,), 3: (-0.2,)}
    before = case(orders)
    said = before.impacts(0, 1, 0.25)
    filled = before.commit(1, 0.1, {3: (-0.2,)})
    assert before.impacts(0, 1, 0.25) == said
    with pytest.raises(FrozenInstanceError):
        before.rules = None
    weights = WEIGHTS.copy()
    weights[1] += 0.1
    for a, b in zip(filled.impacts(0, -1, 0.2), case({3: (-0.2,)}, weights=weights).impacts(0, -1, 0.2), strict=True):
        assert (a.now, a.after, a.largest) == pytest.approx((b.now, b.after, b.largest), rel=1e-12)
    # An approval, and a cancel.
    assert before.commit(0, 0.0, {}).impacts(0, 1, 0.25) == case().impacts(0, 1, 0.25)
    assert case().commit(0, 0.0, orders).impacts(0, 1, 0.25) == said


def test_what_a_trade_makes_of_the_book_is_what_the_book_then_is():
    book = case()
    for asset, side, size in ((0, 1, 0.5), (3, -1, 0.2), (0, -1, 0.9)):
        said, book = book.impacts(asset, side, size), book.commit(asset, side * size)
        for before, now in zip(said, book.impacts(1, 1, 0.0), strict=True):
            assert now.now == pytest.approx(before.after, rel=1e-14)


def test_a_book_anew_has_the_bits_of_one_just_made():
    orders, weights = {1: (0.1,), 3: (-0.2,)}, 0.7 * WEIGHTS
    for settings in (RiskSettings(), RiskSettings(covariance={"method": "sample"})):
        old = case(settings=settings).commit(2, 0.1, {0: (0.1,)}).commit(4, -0.3)
        assert old.anew(weights, orders).impacts(0, 1, 0.1) == case(orders, settings, weights=weights).impacts(
            0, 1, 0.1
        )
        assert old.anew(weights).impacts(0, 1, 0.1) == case(None, settings, weights=weights).impacts(0, 1, 0.1)
    with pytest.raises(InvalidArgument, match="weights has 2 element"):
        case().anew([0.1, 0.2])


def test_a_thousand_commits_leave_no_trace():
    rng, book, weights = np.random.default_rng(4), case(), WEIGHTS.copy()
    for _ in range(REBUILD_AFTER + 7):
        asset, change = int(rng.integers(6)), float(rng.normal() / 100)
        book = book.commit(asset, change)
        weights[asset] += change
    assert book.estimate.commits == 7
    np.testing.assert_allclose(book.pnl, RETURNS @ weights, rtol=0, atol=1e-15)
    for a, b in zip(book.impacts(2, 1, 0.1), case(weights=weights).impacts(2, 1, 0.1), strict=True):
        assert (a.now, a.after, a.largest) == pytest.approx((b.now, b.after, b.largest), rel=1e-12)


def test_the_stress_of_a_regime_tightens_volatility_alone():
    calm, stressed = case(), case(stress=0.3)
    a, b = calm.impacts(0, 1, 0.1), stressed.impacts(0, 1, 0.1)
    assert a[:2] == b[:2]
    assert b[2].after > a[2].after
    assert b[2].largest < a[2].largest
    assert b[2].measure == "ewma, per year, correlations stressed by 0.3"
    book = WEIGHTS + np.eye(6)[0] * 0.1
    assert b[2].after == pytest.approx(oracle.volatility(book, calm.estimate.covariance, 0.3) * math.sqrt(252))
    assert calm.under(replace(calm.rules, stress=0.3)).impacts(0, 1, 0.1)[2].after == b[2].after
    with pytest.raises(InvalidArgument, match=r"stress must lie in \[0, 1\], but is 1.5"):
        case(stress=1.5)


@pytest.mark.parametrize("bind_on", ["point", "upper"])
def test_a_looser_limit_never_lets_less_pass(bind_on):
    for asset in range(6):
        for side in (1, -1):
            tops = []
            for factor in (0.3, 0.6, 1.0, 1.5, 3.0):
                limits = LimitsSettings(
                    bind_on=bind_on,
                    value_at_risk=0.02 * factor,
                    expected_shortfall=0.03 * factor,
                    maximum_volatility=0.25 * factor,
                    target_volatility=0.05,
                )
                tops.append([i.largest for i in case(settings=RiskSettings(limits=limits)).impacts(asset, side, 0.1)])
            assert all(loose >= tight for a, b in pairwise(tops) for tight, loose in zip(a, b, strict=True))


def test_an_asset_turned_around_is_the_same_trade_turned_around():
    turn = np.array([1.0, 1.0, -1.0, 1.0, 1.0, 1.0])
    a = case({2: (0.1,)}).impacts(2, 1, 0.4)
    b = case({2: (-0.1,)}, returns=RETURNS * turn, weights=WEIGHTS * turn).impacts(2, -1, 0.4)
    for x, y in zip(a, b, strict=True):
        assert (x.now, x.after, x.largest) == pytest.approx((y.now, y.after, y.largest), rel=1e-12)


def test_in_breach_a_trade_passes_while_every_method_falls():
    heavy = case(weights=8.0 * WEIGHTS)
    for impact in heavy.impacts(0, -1, 0.5, smallest=0.01):
        assert exceeds(impact.now, impact.limit)
        assert impact.passes == (impact.after < impact.now)
        if impact.largest > 0.0:
            again = {i.name: i for i in heavy.impacts(0, -1, impact.largest)}[impact.name]
            assert again.passes
            assert not {i.name: i for i in heavy.impacts(0, -1, impact.largest + 1e-6)}[impact.name].passes
    assert all(i.largest == 0.0 and not i.passes for i in heavy.impacts(0, 1, 0.5))


def test_an_empty_book_a_still_asset_and_constant_returns():
    still = RETURNS.copy()
    still[:, 2] = 0.0
    settings = RiskSettings(covariance={"shrinkage": None})
    empty = case(returns=still, weights=np.zeros(6), settings=settings)
    assert [i.now for i in empty.impacts(0, 1, 0.0)] == [0.0, 0.0, 0.0]
    assert [i.largest for i in empty.impacts(2, 1, 5.0)] == [math.inf] * 3
    assert all(0.0 < i.largest < math.inf for i in empty.impacts(0, 1, 0.0))
    # An asset that earns 0.1 % each day, whatever happens: sold, it loses as much.
    still[:, 2] = 0.001
    steady = case(returns=still, weights=np.zeros(6), settings=HISTORICAL)
    bought, sold = steady.impacts(2, 1, 1.0), steady.impacts(2, -1, 1.0)
    assert [i.after for i in bought[:2]] == pytest.approx([-0.001, -0.001])
    assert [i.largest for i in bought[:2]] == [math.inf, math.inf]
    assert [i.largest for i in sold[:2]] == pytest.approx([20.0, 30.0], rel=1e-12)


def test_a_perfect_hedge_frees_what_it_hedges():
    twins = RETURNS.copy()
    twins[:, 1] = twins[:, 0]
    book = case(returns=twins, weights=[0.5, 0.0, 0.0, 0.0, 0.0, 0.0], settings=HISTORICAL)
    var, shortfall, _ = book.impacts(1, -1, 0.5)
    assert (var.after, shortfall.after) == (0.0, 0.0)
    assert var.largest == pytest.approx(0.5 + 0.02 / oracle.value_at_risk(-twins[:, 0], 15.0), rel=1e-12)
    assert shortfall.largest == pytest.approx(0.5 + 0.03 / oracle.expected_shortfall(-twins[:, 0], 15.0), rel=1e-12)


def test_without_an_upper_end_nothing_passes_and_the_reason_is_told():
    few = RiskSettings(limits=LimitsSettings(bind_on="upper", confidence=0.99))
    for impact in case(settings=few, returns=RETURNS[-60:]).impacts(0, 1, 0.1)[:2]:
        assert (impact.now, impact.after, impact.largest, impact.passes) == (None, None, 0.0, False)
        assert "60 losses" in impact.reason
    upper = RiskSettings(limits=LimitsSettings(bind_on="upper"))
    var, shortfall, volatility = case(MANY, upper).impacts(0, 1, 0.1)
    assert var.now is not None
    assert volatility.now is not None
    assert (shortfall.now, shortfall.largest) == (None, 0.0)
    assert shortfall.reason == (
        "the upper end of the expected shortfall has no bound over so many outcomes of working orders"
    )


def test_where_the_upper_end_is_resampled_the_worst_loss_stands_in_for_it():
    settings = RiskSettings(
        limits=LimitsSettings(bind_on="upper", method="historical"), tail_risk=TailRiskSettings(intervals="bootstrap")
    )
    for impact in case(settings=settings).impacts(0, 1, 0.1)[:2]:
        assert impact.after == -(RETURNS @ (WEIGHTS + np.eye(6)[0] * 0.1)).min()
        assert impact.measure == "historical, 0.95, one day, upper end of 90% (bootstrap), at most the worst loss"


def test_rows_of_two_days_are_brought_to_one():
    two = RiskSettings(data=DataSettings(return_days=2), limits=LimitsSettings(method="historical"))
    for a, b in zip(
        case(settings=two).impacts(0, 1, 0.1)[:2], case(settings=HISTORICAL).impacts(0, 1, 0.1), strict=False
    ):
        assert a.after == pytest.approx(b.after / math.sqrt(2.0), rel=1e-14)
        assert a.largest > b.largest


def test_the_verdict_at_the_limit():
    assert passes(0.01, 0.02, 0.02)
    assert passes(0.01, 0.02 * (1 + 1e-13), 0.02)
    assert not passes(0.01, 0.02 * (1 + 1e-11), 0.02)
    assert passes(0.05, 0.04, 0.02)
    assert not passes(0.05, 0.05, 0.02)
    assert not passes(0.05, 0.05 * (1 - 1e-13), 0.02)
    assert not passes(math.nan, 0.01, 0.02)
    assert not passes(0.01, math.nan, 0.02)
    assert (target(0.01, 0.02), target(0.02 * (1 + 1e-13), 0.02)) == (0.02, 0.02 * (1 + 1e-13))
    assert passes(0.05, target(0.05, 0.02), 0.02)
    assert math.isnan(target(math.nan, 0.02))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((-1, 1, 0.1), "asset must lie in 0 … 5, but is -1"),
        ((6, 1, 0.1), "asset must lie in 0 … 5, but is 6"),
        ((0, 2, 0.1), "side must be 1 to buy or -1 to sell, but is 2"),
        ((0, 1, -0.1), "size must be finite and not negative, but is -0.1"),
        ((0, 1, math.inf), "size must be finite and not negative, but is inf"),
        ((0, 1, 0.1, math.nan), "smallest must be finite and not negative, but is nan"),
        ((0, 1, 1e200), "change must be finite, also when squared"),
    ],
)
def test_trades_that_are_none(arguments, told):
    with pytest.raises(InvalidArgument, match=told):
        case().impacts(*arguments)


def test_books_that_are_none():
    with pytest.raises(InvalidArgument, match="a working order's asset must lie in 0 … 5, but is 6"):
        case({6: (0.1,)})
    with pytest.raises(InvalidArgument, match="working orders must have finite weights, but asset 1 has"):
        case({1: (math.nan,)})
    with pytest.raises(InvalidArgument, match="weights has 5 element"):
        case(weights=WEIGHTS[:5])
    with pytest.raises(InsufficientData, match="at least 30 returns"):
        case(returns=RETURNS[:29])
    with pytest.raises(InvalidArgument, match="must be finite"):
        case(returns=np.where(np.arange(300)[:, None] == 7, np.nan, RETURNS))
