from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.domain.errors import InvalidArgument
from rpmcore.risk.sizing.lots import LotRules


def test_three_tenths_are_three_tenths():
    rules = LotRules.of(0.1)
    assert str(rules.quantity(3)) == "0.3"
    assert rules.lots(Decimal("0.3")) == 3
    assert rules.lots(Decimal("0.29999999999999999")) == 2


@given(
    step=st.decimals("0.0001", "1000", places=4),
    quantity=st.decimals("0", "1000000", places=9),
)
def test_lots_are_rounded_down_to_whole_ones(step, quantity):
    rules = LotRules.of(step)
    lots = rules.lots(quantity)
    assert rules.quantity(lots) <= quantity < rules.quantity(lots + 1)
    assert rules.lots(rules.quantity(lots)) == lots


def test_a_minimum_between_lots_is_rounded_up_and_a_maximum_down():
    rules = LotRules.of(0.01, 0.025, 0.999)
    assert (rules.minimum, rules.maximum) == (Decimal("0.03"), Decimal("0.99"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0,), "lot step must be positive"),
        ((-1.0,), "lot step must be positive"),
        ((float("nan"),), "lot step must be finite"),
        ((1.0, float("inf")), "minimum lot must be finite"),
        ((1.0, 5.0, 4.0), r"minimum lot \(5.0\) is above the maximum lot \(4.0\)"),
        ((1.0, None, 0.5), "above the maximum lot"),
        ((1.0, 1.2, 1.9), "in steps of 1.0"),
        ((1.0, 0.0), "minimum lot must be positive"),
    ],
)
def test_rules_that_leave_no_size_are_refused(arguments, message):
    with pytest.raises(InvalidArgument, match=message):
        LotRules.of(*arguments)
