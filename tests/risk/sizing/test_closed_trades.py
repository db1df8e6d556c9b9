"""What closed trades say of the next one."""

from fractions import Fraction
from statistics import stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.domain.errors import InsufficientData, InvalidArgument
from rpmcore.domain.reference import profiles
from rpmcore.domain.trades import ClosedTrade
from rpmcore.risk.sizing.closed_trades import record_of, stake_at_stop


def trades(pnl, risk):
    return [
        ClosedTrade(trade_id=str(i), strategy_id="a", symbol="X", side="buy", opened_at=i, closed_at=i, pnl=x, risk=r)
        for i, (x, r) in enumerate(zip(pnl, risk, strict=True))
    ]


def test_by_hand():
    # Two wins of 1 and 3 R, two losses of 1 and ½ R, one of nothing; the next trade loses 2 % at its stop.
    found = record_of(trades([10.0, 30.0, -20.0, -5.0, 0.0], [10.0, 10.0, 20.0, 10.0, 10.0]), 0.02)
    assert (found.win_rate, found.trades) == (0.4, 5)
    assert (found.average_win, found.average_loss) == pytest.approx((0.04, 0.015))
    assert found.win_error == pytest.approx(0.02 * stdev([1.0, 3.0]) / 2**0.5)
    assert found.loss_error == pytest.approx(0.02 * stdev([1.0, 0.5]) / 2**0.5)


cents = st.integers(-500, 500).map(lambda x: x / 4)


@given(st.lists(st.tuples(cents, st.integers(1, 64)), min_size=4, max_size=40), st.integers(1, 1000))
def test_it_is_that_of_rational_arithmetic_in_any_unit_of_money(rows, unit):
    pnl, risk = [x for x, _ in rows], [float(r) for _, r in rows]
    wins = [Fraction(x) / Fraction(r) for x, r in rows if x > 0]
    losses = [-Fraction(x) / Fraction(r) for x, r in rows if x < 0]
    if min(len(wins), len(losses)) < 2:
        with pytest.raises(InsufficientData, match="2 of each are needed"):
            record_of(trades(pnl, risk), 0.5)
        return
    found = record_of(trades([unit * x for x in pnl], [unit * r for r in risk]), 0.5)
    assert found.win_rate == len(wins) / len(rows)
    assert found.average_win == pytest.approx(float(sum(wins) / len(wins)) / 2)
    assert found.average_loss == pytest.approx(float(sum(losses) / len(losses)) / 2)


def test_a_trade_without_risk_cannot_be_compared():
    with pytest.raises(InsufficientData, match="1 of 4 trades say no risk"):
        record_of(trades([1.0, 2.0, -1.0, -2.0], [1.0, 1.0, 1.0, None]), 0.1)
    with pytest.raises(InsufficientData, match="too large to be a number"):
        record_of(trades([1.0, 2.0, -1.0, -2.0], [1.0, 5e-324, 1.0, 1.0]), 0.1)


def test_the_stake_is_the_move_over_the_entry_and_in_the_accounts_own_currency_over_the_stop():
    eurusd, usdjpy = (profiles()[symbol].instrument for symbol in ("EURUSD", "USDJPY"))
    assert stake_at_stop(eurusd, "buy", 1.10, 1.045, "USD") == pytest.approx(0.05)
    assert stake_at_stop(usdjpy, "buy", 150.0, 135.0, "USD") == pytest.approx(1 / 9)
    assert stake_at_stop(usdjpy, "sell", 100.0, 125.0, "JPY") == pytest.approx(0.25)
    with pytest.raises(InvalidArgument, match="must lie below its entry"):
        stake_at_stop(eurusd, "buy", 1.10, 1.20, "USD")
