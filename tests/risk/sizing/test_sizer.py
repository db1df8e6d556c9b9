from dataclasses import replace
from decimal import Decimal
from math import sqrt

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rpmcore.domain.errors import ConfigurationError, InvalidArgument, Undefined
from rpmcore.domain.plain import to_plain
from rpmcore.risk.sizing.lots import LotRules
from rpmcore.risk.sizing.request import MULTIPLIERS, BookRisk, ExpectedReturn, TradeRecord
from rpmcore.risk.sizing.sizer import PositionSizer
from tests.oracles.sizing import lots_at_risk, lots_of_value
from tests.risk.sizing.trades import EURUSD, SHARE, USDJPY, trade, trades

SIZER = PositionSizer()
GOOD = TradeRecord(win_rate=0.55, average_win=0.03, average_loss=0.02, trades=200)


def size(**changes):
    return SIZER.size(trade(**changes))


def row(answer, name):
    return next(c for c in answer.constraints if c.name == name)


def test_one_per_cent_of_capital_is_lost_at_the_stop():
    answer = size()
    assert (answer.lots, answer.quantity, answer.binding) == (100, Decimal(100), "risk_per_trade")
    assert answer.risk_money == 1000.0
    assert answer.risk == 0.01
    assert answer.weight == 0.25


@given(
    capital=st.integers(1_000, 10_000_000),
    entry=st.integers(10_000, 20_000),
    distance=st.integers(1, 5_000),
    risk=st.integers(1, 50),
    step=st.sampled_from(["0.01", "0.1", "1", "1000"]),
)
def test_lots_are_those_of_rational_arithmetic(capital, entry, distance, risk, step):
    sizer = PositionSizer(risk_per_trade=risk / 1000)
    lots = LotRules.of(float(step))
    for instrument, inverse in ((EURUSD, False), (USDJPY, True)):
        scale = 10_000 if instrument is EURUSD else 100
        start, stop = entry / scale, (entry - distance) / scale
        found = sizer.size(
            trade(instrument=instrument, entry=start, stop=stop, capital=float(capital), lots=lots)
        )  # fmt: skip
        at_risk = lots_at_risk(capital, risk / 1000, start, stop, step, inverse=inverse)
        assert found.lots == min(at_risk, lots_of_value(capital, 1, 1 if inverse else start, step))
        assert found.quantity == Decimal(step) * found.lots


def test_no_lots_in_binary_digits():
    answer = size(instrument=replace(EURUSD, contract_size=100_000.0), entry=1.1, stop=1.08, capital=60_000.0,
                  lots=LotRules.of(0.01))  # fmt: skip
    assert (str(answer.quantity), answer.lots) == ("0.30", 30)
    assert to_plain(answer)["quantity"] == 0.3


def test_the_loss_of_a_pair_is_converted_at_the_stop():
    # Long 100,000 USDJPY from 150 to 135 loses 1,500,000 JPY: 11,111 USD at the stop, 10,000 at the entry.
    answer = size(instrument=USDJPY, entry=150.0, stop=135.0)
    assert answer.unit_loss * 100_000 == pytest.approx(11_111.11, abs=0.01)
    assert answer.unit_value == 1.0
    in_euros = size(instrument=USDJPY, entry=150.0, stop=135.0, account="EUR", rate=1 / 160, rate_at_stop=1 / 150)
    assert in_euros.unit_loss == pytest.approx(15.0 / 150)
    assert in_euros.unit_value == pytest.approx(150.0 / 160)


def test_a_missing_rate_is_an_error():
    with pytest.raises(InvalidArgument, match="no rate from JPY to the account currency EUR"):
        size(instrument=USDJPY, entry=150.0, stop=135.0, account="EUR")


def test_however_near_the_stop_no_position_exceeds_the_capital():
    answer = size(stop=249.99)
    assert (answer.binding, answer.lots, answer.weight) == ("maximum_weight", 400, 1.0)
    assert row(answer, "risk_per_trade").weight == 250.0
    assert PositionSizer(maximum_weight=0.3).size(trade(stop=249.99)).weight == 0.3
    assert size(stop=249.99, strategy_health=0.25).weight == 0.25
    with pytest.raises(Undefined):
        size(stop=None, regime=0.5)


def test_what_is_held_counts_toward_the_largest_position():
    def largest(held, side="buy"):
        calm = BookRisk(variance=0.0, product=0.0, weight=held)
        stop = 249.99 if side == "buy" else 250.01
        return row(size(side=side, stop=stop, book=calm, annual_volatility=0.01), "maximum_weight").weight

    assert [largest(w) for w in (0.0, 0.3, -0.5, 1.0, 1.5)] == [1.0, 0.7, 1.5, 0.0, 0.0]
    assert [largest(w, "sell") for w in (0.3, -0.5, 1.5)] == [1.3, 0.5, 2.5]


@given(asked=trades(), cap=st.integers(1, 200), less=st.integers(1, 99))
def test_a_lower_cap_never_means_more(asked, cap, less):
    wide, narrow = (PositionSizer(maximum_weight=c / 100).size(asked) for c in (cap, cap * less / 100))
    assert narrow.lots <= wide.lots
    assert narrow.weight <= cap * less / 10_000 * (1 + 1e-12)


def test_without_a_stop_two_daily_volatilities_stand_for_it():
    answer = size(stop=None, daily_volatility=0.02)
    assert answer.unit_loss == pytest.approx(2 * 0.02 * 250.0)
    assert answer.lots == 100
    assert "2 daily volatilities" in row(answer, "risk_per_trade").why


def test_nothing_that_limits_risk_is_no_size():
    with pytest.raises(Undefined, match="give a stop"):
        size(stop=None, adv=1e9, spread_bps=1.0, regime=0.5)


@given(asked=trades())
def test_never_more_than_any_constraint_and_no_lot_less_than_the_smallest(asked):
    answer = SIZER.size(asked)
    sizes = [c.quantity for c in answer.constraints if c.quantity is not None]
    assert all(answer.quantity <= s for s in sizes)
    assert answer.quantity == answer.lots * asked.lots.step
    smallest = min(sizes)
    assert answer.lots == 0 or answer.quantity + asked.lots.step > smallest
    assert answer.lots > 0 or smallest < asked.lots.minimum
    assert [c.name for c in answer.constraints if c.binding] == [answer.binding]
    assert row(answer, answer.binding).quantity == smallest
    assert row(answer, answer.binding).why in answer.reason
    assert all(c.quantity_reason if c.quantity is None else c.money is not None for c in answer.constraints)
    to_plain(answer)


@given(asked=trades())
def test_the_answer_keeps_each_promise(asked):
    settings, answer = SIZER.settings, SIZER.size(asked)
    slack = 1 + 1e-9
    if answer.risk is not None:
        assert answer.risk <= settings.risk_per_trade * slack
    if asked.adv is not None:
        assert answer.money <= settings.participation * asked.adv * slack
    if asked.spread_bps is not None:
        assert answer.money * asked.spread_bps / 1e4 <= settings.spread_cost * asked.capital * slack
    if asked.record is not None and asked.record.trades >= settings.minimum_trades:
        assert answer.weight <= settings.kelly_cap * slack
    if asked.book is not None:
        sign = 1 if asked.side == "buy" else -1
        weight = sign * answer.weight
        after = asked.book.variance + 2 * weight * asked.book.product + (weight * asked.annual_volatility) ** 2
        assert sqrt(max(after, 0.0)) <= max(0.15, sqrt(asked.book.variance)) * slack
    if 0.0 in [getattr(asked, name) for name in MULTIPLIERS] or (asked.drawdown or 0.0) >= settings.drawdown_end:
        assert answer.lots == 0


@given(asked=trades(), factor=st.sampled_from([0.5, 10.0, 1000.0]))
def test_scaling_all_money_leaves_the_lots(asked, factor):
    # The instrument becomes dearer as the account becomes larger, as when both are counted in another currency.
    assume(asked.stop is not None)
    scaled = replace(
        asked,
        instrument=replace(SHARE, currency="XXX"),
        rate=factor,
        capital=asked.capital * factor,
        adv=None if asked.adv is None else asked.adv * factor,
    )
    plain, other = SIZER.size(asked), SIZER.size(scaled)
    assert (other.lots, other.binding) == (plain.lots, plain.binding)


@given(asked=trades(), more=st.integers(2, 50))
def test_more_capital_never_means_less(asked, more):
    assert SIZER.size(replace(asked, capital=asked.capital * more)).lots >= SIZER.size(asked).lots


@given(asked=trades(), share=st.integers(1, 99))
def test_a_nearer_stop_never_means_less(asked, share):
    assume(asked.stop is not None)
    nearer = asked.stop + (asked.entry - asked.stop) * share / 100
    assume(nearer not in (asked.entry, asked.stop))
    assert SIZER.size(replace(asked, stop=nearer)).lots >= SIZER.size(asked).lots


@given(asked=trades(), more=st.integers(2, 10))
def test_more_volatility_never_means_more(asked, more):
    still = replace(asked, book=asked.book and BookRisk(variance=0.01, product=0.0))
    wilder = replace(
        still, annual_volatility=still.annual_volatility * more, daily_volatility=still.daily_volatility * more
    )
    assert SIZER.size(wilder).lots <= SIZER.size(still).lots


@given(asked=trades(), name=st.sampled_from(MULTIPLIERS), factor=st.sampled_from([0.0, 0.3, 0.9]))
def test_a_multiplier_never_means_more(asked, name, factor):
    assume(getattr(asked, name) is None)
    assume(name != "strategy_health" or asked.record is None)
    assert SIZER.size(replace(asked, **{name: factor})).lots <= SIZER.size(asked).lots


@given(asked=trades())
def test_a_sale_is_a_purchase_in_the_mirror(asked):
    """Without the stop, whose price has no mirror image of the same size in lots."""
    sides = {"buy": "sell", "sell": "buy"}
    plain = replace(asked, stop=None)
    mirror = replace(
        plain,
        side=sides[plain.side],
        book=plain.book and replace(plain.book, product=-plain.book.product),
        expected=plain.expected and replace(plain.expected, excess=-plain.expected.excess),
    )
    one, other = SIZER.size(plain), SIZER.size(mirror)
    assert (one.lots, one.binding) == (other.lots, other.binding)


def test_a_stop_as_far_on_the_other_side_gives_the_same_size():
    assert size(side="sell", stop=260.0).lots == size(side="buy", stop=240.0).lots


def test_a_tenth_of_the_daily_volume_and_a_thousandth_of_capital_for_the_spread():
    assert (size(adv=100_000.0).binding, size(adv=100_000.0).lots) == ("liquidity", 40)
    # Crossing a spread of 50 bp costs 1.25 a share at 250.
    assert (size(spread_bps=50.0).binding, size(spread_bps=50.0).lots) == ("spread", 80)


def test_multipliers_act_one_after_the_other():
    answer = size(regime=0.5, volatility=0.8, stress=1.0, drawdown=0.125)
    assert [row(answer, n).quantity for n in ("regime", "volatility", "stress", "drawdown")] == [50, 40, 40, 20]
    assert (answer.lots, answer.binding) == (20, "drawdown")
    assert size(regime=0.5, volatility=1.0).binding == "regime"


def test_factors_act_on_the_volatility_target_where_nothing_else_limits_the_risk():
    known = {"stop": None, "book": BookRisk(variance=0.0, product=0.0), "annual_volatility": 0.3}
    assert size(**known).lots == 200
    assert size(**known, regime=0.5, strategy_health=0.5).lots == 50
    assert size(**known, record=replace(GOOD, trades=5)).binding == "strategy_health"
    assert size(**known, drawdown=0.125, stress=0.5, record=replace(GOOD, trades=5)).lots == 12


def test_few_trades_put_a_strategy_on_probation():
    young = replace(GOOD, trades=29)
    answer = size(record=young)
    assert answer.binding == "strategy_health"
    assert answer.lots == 25
    assert "insufficient: 29 trade(s), 30 needed" in answer.reason
    assert row(answer, "kelly").quantity is None
    assert size(strategy_id="young").lots == 25
    assert "probation, no record of trades" in row(size(strategy_id="young"), "strategy_health").why
    assert size(strategy_id="young", strategy_health=1.0).lots == 100
    assert size(record=young, strategy_health=0.5).lots == 50  # a health that is known stands
    assert row(size(record=replace(GOOD, trades=30)), "strategy_health").quantity is None


def test_kelly_rests_on_lower_bounds():
    weak = TradeRecord(win_rate=0.5, average_win=0.021, average_loss=0.02, trades=40)
    assert size(record=weak).binding == "kelly"
    assert size(record=weak).lots == 0
    bold = PositionSizer(kelly_confidence=0.5)  # the estimate itself
    answer = bold.size(trade(record=weak))
    assert row(answer, "kelly").weight == pytest.approx(0.25 * (0.5 / 0.02 - 0.5 / 0.021))
    unsure = replace(GOOD, win_error=0.03)
    assert row(size(record=unsure), "kelly").quantity == 0


def test_an_expected_loss_and_an_expected_return():
    assert size(record=TradeRecord(win_rate=0.3, average_win=0.02, average_loss=0.02, trades=50)).lots == 0
    answer = size(expected=ExpectedReturn(excess=0.04, error=0.0), annual_volatility=0.4)
    assert row(answer, "kelly_continuous").weight == pytest.approx(0.25 * 0.04 / 0.16)
    assert (
        row(size(expected=ExpectedReturn(excess=0.04, error=0.05), annual_volatility=0.4), "kelly_continuous").quantity
        == 0
    )
    short = size(side="sell", stop=260.0, expected=ExpectedReturn(excess=0.04, error=0.0), annual_volatility=0.4)
    assert (short.lots, short.binding) == (0, "kelly_continuous")


def test_continuous_kelly_is_of_the_whole_position():
    def room(held, side="buy", excess=0.04):
        book = BookRisk(variance=0.0, product=0.0, weight=held)
        asked = {"expected": ExpectedReturn(excess=excess, error=0.0), "annual_volatility": 0.4, "book": book}
        return row(size(side=side, stop=240.0 if side == "buy" else 260.0, **asked), "kelly_continuous").weight

    full = 0.25 * 0.04 / 0.16
    assert [room(w) for w in (0.0, 0.02, 0.5, -0.5)] == pytest.approx([full, full - 0.02, 0.0, full])
    assert [room(w, "sell", -0.04) for w in (-0.02, 0.02)] == pytest.approx([full - 0.02, full])


def test_an_instrument_that_does_not_move_and_returns_nothing_is_not_bought():
    still = {"annual_volatility": 0.0}
    assert size(expected=ExpectedReturn(excess=0.01, error=0.01), **still).binding == "kelly_continuous"
    assert size(expected=ExpectedReturn(excess=0.02, error=0.0), **still).lots == 100


def test_below_the_minimum_lot_there_is_no_size_and_a_reason():
    answer = size(lots=LotRules.of(1.0, 200.0))
    assert answer.lots == 0
    assert answer.quantity == 0
    assert answer.reason.startswith("no size passes, risk per trade allows 100, less than the minimum lot of 200")


def test_a_book_above_its_target_takes_only_what_reduces_it():
    above = BookRisk(variance=0.3**2, product=0.05)
    assert size(book=above, annual_volatility=0.3).lots == 0
    assert size(side="sell", stop=260.0, book=above, annual_volatility=0.3).lots > 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stop": 250.0}, "stop is at the entry"),
        ({"stop": 260.0}, "stop of a buy must lie below"),
        ({"side": "sell"}, "stop of a sell must lie above"),
        ({"side": "hold"}, "buy or sell"),
        ({"entry": -1.0}, "entry must be a positive price"),
        ({"entry": float("nan")}, "entry must be finite"),
        ({"stop": float("inf")}, "stop must be finite"),
        ({"capital": 0.0}, "capital must be positive"),
        ({"capital": float("inf")}, "capital must be finite"),
        ({"adv": 0.0}, "average daily volume must be positive"),
        ({"spread_bps": -1.0}, "spread must not be negative"),
        ({"record": replace(GOOD, win_rate=1.1)}, "win rate"),
        ({"record": replace(GOOD, average_loss=0.0)}, "average loss"),
        ({"record": replace(GOOD, average_win=float("nan"))}, "average win"),
        ({"record": replace(GOOD, trades=0)}, "number of trades"),
        ({"regime": 1.5}, "regime multiplier"),
        ({"strategy_health": float("nan")}, "strategy health multiplier"),
        ({"book": BookRisk(variance=0.01, product=0.0, weight=float("nan"))}, "weight that is held must be finite"),
        ({"regime": True}, "regime multiplier must be a number"),
        ({"drawdown": "0.1"}, "drawdown must be a number"),
        ({"capital": 10**400}, "capital must be finite"),
        ({"adv": Decimal("NaN")}, "average daily volume must be finite"),
        ({"book": BookRisk(variance=float("nan"), product=0.0)}, "variance of the book must be finite"),
        ({"book": BookRisk(variance=0.01, product=0.0)}, "a book sets a limit only with the volatility of 'MSFT'"),
        ({"expected": ExpectedReturn(excess=0.1, error=0.0)}, "an expected return sets a limit only with the vol"),
        ({"expected": ExpectedReturn(excess=1e300, error=0.0), "annual_volatility": 1e-9}, "too large for this cov"),
        ({"drawdown": 12.0}, "did you mean 0.12"),
        ({"expected": ExpectedReturn(excess=float("nan"), error=0.0)}, "expected return"),
        ({"instrument": replace(SHARE, contract_size=0.0)}, "contract size"),
        ({"entry": 1e300, "stop": 9e299, "instrument": replace(SHARE, contract_size=1e300)}, "beyond"),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_error(changes, message):
    with pytest.raises(InvalidArgument, match=message):
        size(**changes)


def test_settings_out_of_range():
    with pytest.raises(ConfigurationError):
        PositionSizer(risk_per_trade=0.0)
    with pytest.raises(ConfigurationError, match="drawdown_start"):
        PositionSizer(drawdown_start=0.3)
    with pytest.raises(InvalidArgument, match="target_volatility"):
        PositionSizer(target_volatility=float("nan"))
