import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.risk.currencies import Leg, conversion, rate

PAIRS = {
    "EURUSD": ("EUR", "USD"),
    "USDJPY": ("USD", "JPY"),
    "EURGBP": ("EUR", "GBP"),
    "AUDNZD": ("AUD", "NZD"),
}
PRICES = {"EURUSD": 1.25, "USDJPY": 100.0, "EURGBP": 0.8, "AUDNZD": 1.1}


def value_of(currency, account):
    legs = conversion(currency, account, PAIRS)
    return float(rate(legs, {s: np.array([p]) for s, p in PRICES.items()}, 1)[0])


@pytest.mark.parametrize(
    ("currency", "account", "expected"),
    [
        ("USD", "USD", 1.0),
        ("EUR", "USD", 1.25),
        ("USD", "EUR", 0.8),
        ("JPY", "USD", 0.01),
        ("GBP", "USD", 1.25 / 0.8),
        ("JPY", "GBP", 0.01 / 1.25 * 0.8),
    ],
)
def test_rates_follow_the_pairs(currency, account, expected):
    assert value_of(currency, account) == pytest.approx(expected, rel=1e-15)


def test_the_shortest_way_wins():
    pairs = {**PAIRS, "GBPUSD": ("GBP", "USD")}
    assert conversion("GBP", "USD", pairs) == (Leg("GBPUSD", divide=False),)


def test_no_way_is_none_not_a_guess():
    assert conversion("AUD", "USD", PAIRS) is None
    assert conversion("CHF", "USD", PAIRS) is None


@given(st.sampled_from(["USD", "EUR", "JPY", "GBP"]), st.sampled_from(["USD", "EUR", "JPY", "GBP"]))
def test_there_and_back_is_one(here, there):
    assert value_of(here, there) * value_of(there, here) == pytest.approx(1.0, rel=1e-15)
