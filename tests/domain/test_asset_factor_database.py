"""How a symbol is resolved: by the book, the desk, the reference data, its name."""

import pytest

from rpmcore.domain.asset_factor_database import AssetFactorDatabase
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.factor_profiles import Loading, profile_of
from rpmcore.domain.reference import profiles


def resolved(symbol, **said):
    return AssetFactorDatabase().resolve(symbol, **said).instrument


def test_a_listed_symbol():
    found = resolved("USDJPY", account_currency="EUR")
    assert (found.kind, found.base_currency, found.currency) == ("fx", "USD", "JPY")


def test_an_unlisted_pair_is_read_from_its_name():
    found = resolved("NOKSEK", account_currency="USD")
    assert (found.kind, found.base_currency, found.currency, found.sector) == ("fx", "NOK", "SEK", "FX")
    assert found.known
    assert found.beta is None
    assert found.clock is None


def test_an_unlisted_metal_is_a_commodity():
    found = resolved("XAGEUR", account_currency="USD")
    assert (found.kind, found.base_currency, found.sector) == ("metal", "XAG", "Commodities")


def test_anything_else_is_taken_for_a_share_in_account_currency():
    found = resolved("Ünbekannt AG", account_currency="CHF")
    assert (found.kind, found.currency, found.sector, found.beta) == ("equity", "CHF", None, None)
    assert not found.known


def test_the_book_names_the_currency_of_a_share():
    assert resolved("SAP.DE", currency="EUR", account_currency="USD").currency == "EUR"
    assert resolved("MSFT", currency="EUR", account_currency="USD").currency == "EUR"


def test_the_book_stands_before_the_reference_data():
    found = resolved("MSFT", sector="Software", contract_size=100.0, account_currency="USD")
    assert (found.sector, found.contract_size) == ("Software", 100.0)
    assert found.beta == profiles()["MSFT"].instrument.beta
    assert profiles()["MSFT"].instrument.contract_size == 1.0


def test_the_currency_of_a_pair_follows_from_its_name():
    assert resolved("EURGBP", currency="GBP", account_currency="USD").currency == "GBP"
    with pytest.raises(InvalidArgument, match=r"EURGBP is priced in GBP, but the book says 'USD'"):
        resolved("EURGBP", currency="USD", account_currency="USD")


@pytest.mark.parametrize("size", [0.0, -1.0, float("nan"), float("inf")])
def test_a_contract_size_is_positive_and_finite(size):
    with pytest.raises(InvalidArgument, match="contract size of MSFT"):
        resolved("MSFT", contract_size=size, account_currency="USD")


KNOWN = AssetFactorDatabase()


def loadings(symbol):
    return {name: loading.value for name, loading in KNOWN.profile(symbol).loadings.items()}


@pytest.mark.parametrize("symbol", ["EURUSD", "GBPUSD", "USDJPY", "AUDUSD", "USDCAD", "XAUUSD"])
def test_the_pairs_of_the_specification_have_profiles(symbol):
    profile = KNOWN[symbol]
    assert profile.origin == "reference"
    assert (profile.instrument.base_currency, profile.instrument.currency) == (symbol[:3], symbol[3:])
    assert loadings(symbol)["usd"] == {"USD": 1.0}.get(symbol[:3], -1.0)
    assert profile.instrument.lot_step > 0.0


def test_an_unlisted_pair_is_decomposed_into_its_currencies():
    found = KNOWN.profile("AUDJPY")
    assert found.origin == "decomposed"
    for factor in ("beta", "risk_on", "commodities"):
        assert found.loadings[factor].value == pytest.approx(loadings("AUDUSD")[factor] + loadings("USDJPY")[factor])
    assert loadings("AUDJPY")["usd"] == 0.0
    assert found.instrument.beta == found.loadings["beta"].value


def test_a_decomposed_pair_is_near_the_measured_one():
    # EURJPY is listed with slopes of its own: the sum of its two legs must come close.
    listed = KNOWN["EURJPY"]
    legs = loadings("EURUSD")["beta"] + loadings("USDJPY")["beta"]
    assert listed.loadings["beta"].value == pytest.approx(legs, abs=0.02)


def test_a_pair_turned_round_has_the_opposite_loadings():
    assert loadings("USDEUR")["beta"] == -loadings("EURUSD")["beta"]
    assert loadings("USDEUR")["usd"] == 1.0


def test_a_currency_that_nobody_measured_leaves_beta_unknown():
    found = KNOWN.profile("EURSEK")
    assert "beta" not in found.loadings
    assert found.instrument.beta is None
    assert "risk_on" in found.neutral
    assert found.loadings["momentum"].source == "definition"


def test_anything_else_is_named_in_an_error():
    with pytest.raises(InvalidArgument, match="nothing is known of 'MSFTT'; did you mean 'MSFT'"):
        KNOWN.profile("MSFTT")


def test_a_desk_s_profile_stands_before_the_reference_data():
    own = profile_of(KNOWN["MSFT"].instrument, {"beta": Loading(value=0.5, source="given")}, "given")
    mine = AssetFactorDatabase([own])
    assert mine["MSFT"].instrument.beta == 0.5
    assert KNOWN["MSFT"].instrument.beta != 0.5
    assert len(mine) == len(KNOWN)
    assert set(mine) == set(KNOWN)
