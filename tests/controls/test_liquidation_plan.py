"""The plan flattens the book, stays within volume, and sheds the most risk first."""

import math

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rpmcore.controls.liquidation_plan import LiquidationPosition, liquidation_plan
from rpmcore.domain.errors import InvalidArgument


def position(symbol, quantity, **how):
    return LiquidationPosition(**{"symbol": symbol, "quantity": quantity, "price": 10.0, "volatility": 0.01, **how})


def test_the_most_liquid_risk_goes_first():
    plan = liquidation_plan(
        [
            position("calm", 1000.0, daily_volume=78_000.0),
            position("wild", -1000.0, daily_volume=78_000.0, volatility=0.05),
            position("thin", 1000.0, daily_volume=780.0, volatility=0.05),
            position("unknown", 1000.0, volatility=0.9),
        ],
        participation=0.1,
        slice_minutes=5.0,
        session_minutes=390.0,
    )
    assert [leg.symbol for leg in plan.legs] == ["wild", "calm", "thin", "unknown"]
    assert [leg.slices for leg in plan.legs] == [10, 10, 1000, 1]
    assert plan.legs[0].slice_quantity == 100.0  # bought back
    assert plan.minutes == 999 * 5.0
    orders = plan.orders()
    assert [(o.minute, o.symbol) for o in (next(orders) for _ in range(5))] == [
        (0.0, "wild"),
        (0.0, "calm"),
        (0.0, "thin"),
        (0.0, "unknown"),
        (5.0, "wild"),
    ]
    assert "not known" in plan.legs[-1].note


def test_less_than_a_lot_of_volume_still_flattens_and_says_so():
    (leg,) = liquidation_plan([position("X", 3.0, daily_volume=1.0)]).legs
    assert (leg.slices, leg.slice_quantity) == (3, -1.0)
    assert "one lot" in leg.note


@given(
    st.lists(st.floats(-5000.0, 5000.0), min_size=1, max_size=5),
    st.floats(1.0, 1e6),
    st.sampled_from([0.1, 1.0, 100.0]),
    st.floats(0.01, 1.0),
)
def test_orders_sum_to_the_book_and_stay_within_volume(quantities, volume, lot, participation):
    held = {f"S{i}": q for i, q in enumerate(quantities)}
    book = [position(s, q, daily_volume=volume, lot=lot) for s, q in held.items()]
    plan = liquidation_plan(book, participation=participation)
    for leg in plan.legs:
        total = leg.slice_quantity * (leg.slices - 1) + leg.last_quantity
        assert math.isclose(total, -held[leg.symbol], rel_tol=1e-12)
        assert abs(leg.last_quantity) <= abs(leg.slice_quantity) * (1 + 1e-9)
        most = max(participation * volume * 5.0 / 390.0, lot)
        assert abs(leg.slice_quantity) <= most * (1 + 1e-8)
    assert {leg.symbol for leg in plan.legs} == {s for s, q in held.items() if q}


@pytest.mark.parametrize("wrong", [{"price": 0.0}, {"volatility": float("nan")}, {"daily_volume": -1.0}, {"lot": 0.0}])
def test_a_number_out_of_range_is_named(wrong):
    with pytest.raises(InvalidArgument, match=next(iter(wrong))):
        liquidation_plan([position("X", 1.0, **wrong)])


def test_a_symbol_twice_and_a_share_beyond_one_are_refused():
    with pytest.raises(InvalidArgument, match="twice"):
        liquidation_plan([position("X", 1.0), position("X", 1.0)])
    with pytest.raises(InvalidArgument, match="participation"):
        liquidation_plan([], participation=1.5)
