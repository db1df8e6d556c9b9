from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.domain.errors import InputError, InsufficientData
from rpmcore.domain.instruments import Instrument
from rpmcore.domain.portfolio import Book, Holding
from rpmcore.domain.prices import PriceHistory
from rpmcore.risk.valuation import holding_returns, return_panel, symbols_needed, value

SHARE = Instrument(symbol="ABC", name="ABC", kind="equity", currency="EUR")
USDJPY = Instrument(symbol="USDJPY", name="USDJPY", kind="fx", currency="JPY", base_currency="USD")
EURJPY = Instrument(symbol="EURJPY", name="EURJPY", kind="fx", currency="JPY", base_currency="EUR")
AVAILABLE = {"EURUSD": ("EUR", "USD"), "USDJPY": ("USD", "JPY")}
CLOSES = {"ABC": [50.0, 55.0], "EURUSD": [1.0, 1.1], "USDJPY": [100.0, 90.0], "EURJPY": [100.0, 99.0]}


def history(closes, days=None):
    n = len(next(iter(closes.values())))
    dates = np.array(days or [f"2022-03-{d:02d}" for d in range(1, n + 1)], dtype="datetime64[D]")
    return PriceHistory(
        dates=dates,
        symbols=tuple(closes),
        closes=np.column_stack([np.array(c, float) for c in closes.values()]),
        path="p",
    )


def panel(instruments, closes=CLOSES, account="USD", minimum=1):
    held = {i.symbol: i for i in instruments}
    ways = symbols_needed(held, account, AVAILABLE, "p")
    return return_panel(history(closes), held, ways, lookback=500, minimum=minimum)


def test_long_usdjpy_loses_a_ninth_when_the_rate_falls_by_a_tenth():
    assert panel([USDJPY]).returns[0, 0] == pytest.approx(-1 / 9, rel=1e-14)


def test_a_pair_in_the_currency_of_the_account_loses_what_its_rate_loses():
    assert panel([USDJPY], account="JPY").returns[0, 0] == pytest.approx(-0.1, rel=1e-14)


def test_a_cross_is_converted_at_the_new_rate():
    # (99 - 100) yen at 1/90 USD, over one euro at 100/100 USD.
    assert panel([EURJPY]).returns[0, 0] == pytest.approx(-1 / 90, rel=1e-14)


def test_a_foreign_share_earns_on_price_and_currency():
    assert panel([SHARE]).returns[0, 0] == pytest.approx(1.1 * 1.1 - 1, rel=1e-14)
    assert panel([SHARE], account="EUR").returns[0, 0] == pytest.approx(0.1, rel=1e-14)


@given(st.floats(0.5, 2.0), st.floats(0.5, 2.0))
def test_a_pair_and_a_foreign_share_differ_by_the_move_of_the_currency_itself(move, rate):
    prices, rates = np.array([[1.0, 1.0], [move, move]]), np.array([[1.0, 1.0], [rate, rate]])
    pair, share = holding_returns(prices, rates, np.array([True, False]))[0]
    assert share - pair == pytest.approx(rate - 1.0, abs=1e-12)


def test_no_rate_is_an_error_with_a_remedy():
    with pytest.raises(
        InputError, match=r"(?i)no rate from EUR to the account currency CHF.*add prices of EURCHF or CHFEUR"
    ):
        symbols_needed({"ABC": SHARE}, "CHF", AVAILABLE, "p")


def test_a_missing_price_drops_the_row_for_all_and_loses_no_return():
    closes = {"ABC": [10.0, np.nan, 12.0, 15.0], "EURUSD": [1.0, 2.0, 1.0, 1.0]}
    found = panel([SHARE], closes)
    np.testing.assert_allclose(found.returns[:, 0], [0.2, 0.25])
    assert found.dropped_rows == 1
    assert found.missing == {"ABC": 1}
    assert found.dropped_share == 0.25


def test_rows_before_an_instrument_exists_are_not_dropped_rows():
    closes = {"ABC": [np.nan, np.nan, 12.0, 15.0, 15.0], "EURUSD": [1.0] * 5}
    assert panel([SHARE], closes).dropped_rows == 0


def test_too_few_common_rows_name_the_thinnest_instrument():
    closes = {"ABC": [10.0, np.nan, np.nan, 15.0], "EURUSD": [1.0] * 4}
    with pytest.raises(
        InsufficientData, match=r"1 return\(s\).*at least 2 are needed; 'ABC' has the fewest prices \(2 on 4"
    ):
        panel([SHARE], closes, minimum=2)


def book(sizing, *holdings, capital=1000.0):
    return Book(holdings=holdings, sizing=sizing, source="memory", path=None, capital=capital, as_of=date(2022, 3, 2))


@pytest.mark.parametrize(
    ("sizing", "holding", "expected"),
    [
        ("weight", Holding(symbol="ABC", size=-0.5), -0.5),
        ("market_value", Holding(symbol="ABC", size=250.0), 0.25),
        # 10 shares at 55 EUR, at 1.1 USD.
        ("quantity", Holding(symbol="ABC", size=10.0, price=55.0), 0.605),
    ],
)
def test_weights_by_sizing(sizing, holding, expected):
    held = panel([SHARE])
    assert value(book(sizing, holding), {"ABC": SHARE}, held, "USD").weights[0] == pytest.approx(expected, rel=1e-14)


def test_a_quantity_of_a_pair_is_an_amount_of_its_base_currency():
    quantity = Holding(symbol="USDJPY", size=100.0, price=90.0)
    held = value(book("quantity", quantity), {"USDJPY": USDJPY}, panel([USDJPY]), "USD")
    assert held.weights[0] == pytest.approx(0.1, rel=1e-15)


def test_two_strategies_in_one_instrument_net_but_keep_their_rows():
    rows = (
        Holding(symbol="ABC", size=0.7, strategy_id="a"),
        Holding(symbol="ABC", size=-0.2, strategy_id="b"),
    )
    held = value(book("weight", *rows), {"ABC": SHARE}, panel([SHARE]), "USD")
    assert held.row_weights.tolist() == [0.7, -0.2]
    assert held.weights[0] == pytest.approx(0.5)


def test_money_without_capital_is_an_error():
    with pytest.raises(InputError, match="need the capital"):
        value(
            book("market_value", Holding(symbol="ABC", size=1.0), capital=None),
            {"ABC": SHARE},
            panel([SHARE]),
            "USD",
        )
