"""Sums of absolute values after a trade, with values known up to intervals."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.domain.errors import InvalidArgument
from rpmcore.risk.exposure.limits import Measure
from rpmcore.risk.trade_impact.linear import linear_impact, measure_impact
from tests.oracles import trade_impact as oracle

numbers = st.integers(-40, 40).map(lambda x: x / 10)
terms = st.lists(st.tuples(numbers, st.sampled_from([0.0, 0.0, 0.3, 1.5]), numbers), min_size=1, max_size=7)
sides = st.sampled_from([1, -1])


def impact(lows, highs, slopes, limit, side, size=0.0, **options):
    return linear_impact("gross", "Σ|w|", lows, highs, slopes, limit, side, size, **options)


@given(terms, st.integers(1, 120).map(lambda x: x / 10), sides, st.sampled_from([0.0, 0.1, 1.0]))
def test_every_size_up_to_the_largest_passes_and_none_above(found, limit, side, smallest):
    lows, highs, slopes = [a for a, _, _ in found], [a + h for a, h, _ in found], [c for _, _, c in found]
    answer = impact(lows, highs, slopes, limit, side, 0.7, smallest=smallest)
    now = oracle.linear(lows, highs, slopes, 0.0)
    assert answer.now == pytest.approx(now, rel=1e-14)
    assert answer.after == pytest.approx(oracle.linear(lows, highs, slopes, side * 0.7), rel=1e-14)
    top = answer.largest

    def passes(size):
        return oracle.passes(now, oracle.linear(lows, highs, slopes, side * size), limit)

    assert top == 0.0 or top >= smallest
    if top > 0.0:
        start, end = max(smallest, 1e-3), min(top, 1e3)
        assert passes(end)
        assert all(passes(start + (end - start) * i / 20) for i in range(21) if end > start)
    if top < math.inf:
        assert not passes(max(top + 1e-6, smallest))


@given(terms, sides, st.integers(1, 60).map(lambda x: x / 10))
def test_a_looser_limit_never_lets_less_pass(found, side, limit):
    lows, highs, slopes = [a for a, _, _ in found], [a + h for a, h, _ in found], [c for _, _, c in found]
    tops = [impact(lows, highs, slopes, limit * factor, side).largest for factor in (0.5, 1.0, 2.0)]
    assert tops == sorted(tops)
    turned = impact(lows, highs, [-c for c in slopes], limit, -side).largest
    assert turned == tops[1]


def test_net_and_gross_by_hand():
    # 30 % short, limit 40 %: 70 % to buy, 10 % to sell.
    assert impact([-0.3], [-0.3], [1.0], 0.4, 1).largest == pytest.approx(0.7, rel=1e-15)
    assert impact([-0.3], [-0.3], [1.0], 0.4, -1).largest == pytest.approx(0.1, rel=1e-15)
    # A working order to sell another 5 % takes half of that.
    assert impact([-0.35], [-0.3], [1.0], 0.4, -1).largest == pytest.approx(0.05, rel=1e-14)
    # Gross 1.2 of at most 1.5, of which the asset is 0.2 short: 0.2 is given back first.
    answer = impact([1.0, -0.2], [1.0, -0.2], [0.0, 1.0], 1.5, 1, 0.3)
    assert answer.largest == pytest.approx(0.7, rel=1e-15)
    assert (answer.now, answer.after) == pytest.approx((1.2, 1.1), rel=1e-15)
    assert answer.incremental == pytest.approx(-0.1, rel=1e-14)
    assert answer.passes


def test_in_breach_a_trade_passes_while_the_measure_falls():
    answer = impact([-0.5], [-0.5], [1.0], 0.4, 1, 0.05)
    assert answer.passes
    assert answer.largest == pytest.approx(1.0, rel=1e-11)
    assert not impact([-0.5], [-0.5], [1.0], 0.4, -1, 0.05).passes
    assert impact([-0.5], [-0.5], [1.0], 0.4, -1).largest == 0.0
    assert impact([-0.5], [-0.5], [1.0], 0.4, 1, smallest=1.01).largest == 0.0
    # What a trade does not move, it does not lower.
    unmoved = impact([-0.5], [-0.5], [0.0], 0.4, 1, 0.05)
    assert (unmoved.largest, unmoved.passes) == (0.0, False)
    assert impact([-0.3], [-0.3], [0.0], 0.4, 1).largest == math.inf


def test_at_the_limit_rounding_is_forgiven_and_nothing_more():
    assert impact([0.1 + 0.2], [0.1 + 0.2], [1.0], 0.3, -1, 0.1).passes
    at = impact([0.3], [0.3], [1.0], 0.3, 1, 1e-9)
    assert (at.largest, at.passes) == (0.0, False)


def test_slopes_that_hold_within_a_span():
    # A short of 20 % counts while it is short: bought back, it stays zero.
    short = {"lows": [-0.2], "highs": [-0.2], "slopes": [1.0], "span": (-math.inf, 0.2)}
    assert impact(**short, limit=0.4, side=1, size=0.9).after == 0.0
    assert impact(**short, limit=0.4, side=1).largest == math.inf
    assert impact(**short, limit=0.4, side=-1).largest == pytest.approx(0.2, rel=1e-15)
    assert impact(**short, limit=0.1, side=1).largest == math.inf
    # A long of 20 % that counts on the other side once it is short.
    turned = {"lows": [-0.3], "highs": [-0.3], "slopes": [1.0], "span": (-math.inf, -0.2)}
    assert impact(**turned, limit=0.4, side=-1, size=0.25).after == pytest.approx(0.35, rel=1e-15)
    assert impact(**turned, limit=0.4, side=-1).largest == pytest.approx(0.3, rel=1e-14)
    assert impact(**turned, limit=0.4, side=1).largest == math.inf
    assert impact(**turned, limit=0.2, side=-1).largest == 0.0
    assert impact(**turned, limit=0.3, side=-1).largest == pytest.approx(0.2, rel=1e-15)


def test_a_limited_exposure_with_working_orders():
    held = Measure(
        name="sector",
        subject="Energy",
        limit=0.4,
        values=(0.2,),
        slopes={"XOM": (1.0,), "CVX": (1.0,)},
    )
    answer = measure_impact(held, "XOM", 1, 0.1, working={"CVX": (-0.05, 0.1), "AAPL": (0.0, 0.5)})
    assert (answer.name, answer.measure) == ("sector", "Energy, |net|")
    assert (answer.now, answer.after) == pytest.approx((0.3, 0.4), rel=1e-15)
    assert answer.largest == pytest.approx(0.1, rel=1e-14)
    assert measure_impact(held, "AAPL", 1, 0.1).largest == math.inf
    assert measure_impact(held, "XOM", -1, 0.1).largest == pytest.approx(0.6, rel=1e-15)


def test_an_exposure_that_is_not_known_lets_nothing_pass():
    held = Measure(name="beta", subject="", limit=2.0, values=(), slopes={}, reason="the beta of XOM is not known")
    answer = measure_impact(held, "XOM", 1, 0.1)
    assert (answer.now, answer.after, answer.incremental) == (None, None, None)
    assert (answer.largest, answer.passes, answer.reason) == (0.0, False, "the beta of XOM is not known")


def test_the_worst_of_an_interval_is_at_one_of_its_ends():
    assert impact([-0.3], [0.1], [1.0], 1.0, 1, 0.15).after == pytest.approx(0.25, rel=1e-15)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"lows": [0.0, 1.0]}, "of one length, but have 2, 1 and 1"),
        ({"lows": [1.0]}, "finite ends low ≤ high and slope, but has 1.0, 0.5, 1.0"),
        ({"slopes": [math.nan]}, "finite ends low ≤ high and slope"),
        ({"highs": [math.inf]}, "finite ends low ≤ high and slope"),
        ({"side": 0}, "side must be 1 to buy or -1 to sell, but is 0"),
        ({"size": -0.1}, "size must be finite and not negative, but is -0.1"),
        ({"size": math.nan}, "size must be finite and not negative"),
        ({"smallest": math.inf}, "smallest must be finite and not negative"),
        ({"span": (0.1, 0.0)}, "span must run from low to high"),
        ({"span": (math.nan, 0.0)}, "span must run from low to high"),
    ],
)
def test_misuse(arguments, told):
    good = {"lows": [0.0], "highs": [0.5], "slopes": [1.0], "limit": 1.0, "side": 1, "size": 0.1}
    with pytest.raises(InvalidArgument, match=told):
        impact(**{**good, **arguments})
