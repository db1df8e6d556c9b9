import dataclasses
from math import inf, nan

import pytest

from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.trades import ClosedTrade, in_time_order


def trade(**changes):
    given = {"trade_id": "1", "strategy_id": "trend", "symbol": "EURUSD", "side": "buy",
             "opened_at": 10, "closed_at": 20, "pnl": 5.0}  # fmt: skip
    return ClosedTrade(**{**given, **changes})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"closed_at": 9}, "before it opens at 10"),
        ({"pnl": inf}, "pnl must be a finite number, but is inf"),
        ({"pnl": nan}, "pnl must be a finite"),
        ({"pnl": None}, "pnl must be a finite"),
        ({"fees": -inf}, "fees must be a finite"),
        ({"risk": 0.0}, "risk must be greater than 0, but is 0.0; leave it out"),
        ({"quantity": -1.0}, "quantity must be greater than 0"),
        ({"side": "long"}, "'buy' or 'sell', but is 'long'"),
        ({"strategy_id": " "}, "strategy_id must be a text"),
        ({"opened_at": 1.5}, "opened_at must be whole UTC nanoseconds"),
    ],
)
def test_a_trade_that_cannot_be_is_refused_by_name(change, message):
    with pytest.raises(InvalidArgument, match=message) as refused:
        trade(**change)
    assert "'1'" in str(refused.value)


def test_a_trade_may_close_in_the_instant_it_opens_and_cannot_be_changed():
    instant = trade(closed_at=10)
    with pytest.raises(dataclasses.FrozenInstanceError):
        instant.pnl = 6.0


def test_trades_are_ordered_by_closing_whatever_order_they_come_in():
    late, b, a = trade(trade_id="0", closed_at=30), trade(trade_id="b"), trade(trade_id="a")
    assert in_time_order([late, b, a]) == in_time_order([a, late, b]) == (a, b, late)


def test_a_duplicated_id_is_named():
    with pytest.raises(InvalidArgument, match="'1' stands twice"):
        in_time_order([trade(), trade(closed_at=30)])
