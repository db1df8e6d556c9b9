"""Positions by factor, sector and currency."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.domain.asset_factor_database import AssetFactorDatabase
from rpmcore.risk.exposure.positions import (
    UNCLASSIFIED,
    currency_exposures,
    profile_exposures,
    sector_exposures,
)

KNOWN = AssetFactorDatabase()
SYMBOLS = sorted(KNOWN)
weights = st.dictionaries(st.sampled_from(SYMBOLS), st.integers(-300, 300).map(lambda w: w / 100), max_size=10)


def profiles(held):
    return {symbol: KNOWN.resolve(symbol) for symbol in held}


def by_currency(held):
    return {c.currency: c for c in currency_exposures(held, profiles(held))}


def test_euro_against_dollar_and_dollar_against_yen_by_hand():
    found = by_currency({"EURUSD": 0.30, "USDJPY": 0.20})
    assert {code: c.net for code, c in found.items()} == {"EUR": 0.30, "USD": pytest.approx(-0.10), "JPY": -0.20}
    usd = found["USD"]
    assert (usd.base_legs, usd.quote_legs, usd.gross) == (0.20, -0.30, 0.50)


def test_equal_sizes_leave_no_dollar():
    assert by_currency({"EURUSD": 0.5, "USDJPY": 0.5})["USD"].net == 0.0


def test_a_triangle_nets_to_nothing():
    found = by_currency({"EURUSD": 0.4, "USDJPY": 0.4, "EURJPY": -0.4})
    assert {c.net for c in found.values()} == {0.0}
    assert all(c.gross == 0.8 for c in found.values())


def test_a_share_is_worth_its_currency():
    found = by_currency({"MSFT": 0.3, "EURUSD": -0.1})
    assert (found["USD"].assets, found["USD"].quote_legs, found["USD"].net) == (0.3, 0.1, 0.4)


@given(held=weights)
def test_pairs_open_as_much_as_they_close(held):
    found = currency_exposures(held, profiles(held))
    assert sum(c.base_legs + c.quote_legs for c in found) == pytest.approx(0.0, abs=1e-12)


@given(held=weights)
def test_sectors_sum_to_the_book(held):
    found = sector_exposures(held, profiles(held))
    assert sum(s.net for s in found) == pytest.approx(sum(held.values()), abs=1e-12)
    assert sum(s.gross for s in found) == pytest.approx(sum(map(abs, held.values())), abs=1e-12)
    assert all(s.net == s.long - s.short and s.gross == s.long + s.short for s in found)


def test_what_nobody_classified_is_called_so():
    (found,) = sector_exposures({"ABC": -0.2}, {"ABC": KNOWN.resolve("ABC")})
    assert (found.sector, found.short, found.net) == (UNCLASSIFIED, 0.2, -0.2)


def test_factor_exposure_is_weight_times_loading():
    held = {"MSFT": 0.5, "JPM": -0.25}
    found = {f.name: f for f in profile_exposures(held, profiles(held))}
    beta = 0.5 * KNOWN["MSFT"].loadings["beta"].value - 0.25 * KNOWN["JPM"].loadings["beta"].value
    assert found["beta"].exposure == pytest.approx(beta, abs=1e-15)
    assert found["rates"].neutral == ("MSFT", "JPM")
    assert found["rates"].exposure == 0.0


def test_an_unknown_beta_leaves_the_sum_unknown():
    held = {"MSFT": 0.5, "ABC": 0.1}
    found = {f.name: f for f in profile_exposures(held, profiles(held))}
    assert found["beta"].exposure is None
    assert "ABC" in str(found["beta"].exposure_reason)
    assert "--assets" in str(found["beta"].exposure_reason)
    assert found["usd"].exposure is not None
    assert "ABC" in found["usd"].neutral
