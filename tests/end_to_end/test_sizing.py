"""Sizing from tables in memory to the report."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from rpmcore import api
from rpmcore.domain.errors import ConfigurationError, InputError, InvalidArgument

DAYS = [date(2022, 1, 3) + timedelta(days=i + 2 * (i // 5)) for i in range(90)]


def prices(seed=3, **last):
    """Walks of 1 % a day that end at the prices given."""
    rng = np.random.default_rng(seed)
    columns = {}
    for symbol, end in last.items():
        walk = np.exp(np.cumsum(0.01 * rng.standard_normal(len(DAYS))))
        columns[symbol] = walk / walk[-1] * end
    return pa.table({"date": DAYS, **columns})


def book(**columns):
    return pa.table(columns)


def codes(report):
    return {warning.code for warning in report.warnings}


def test_an_entry_far_from_the_market_and_an_unknown_instrument_are_told():
    given = prices(ACME=100.0)
    usual = {"side": "buy", "stop": 90.0, "prices": given, "capital": 1e5, "base_currency": "USD"}
    near, far = (api.size("ACME", entry=entry, **usual) for entry in (101.0, 150.0))
    assert "unknown_instrument" in codes(near)
    assert "entry_far_from_last_close" not in codes(near)
    assert "entry_far_from_last_close" in codes(far)
    assert near.trade.lots == 90  # 1,000 at risk over 11 a share, in whole shares


def test_the_books_own_volume_and_spread_stand_where_none_is_given():
    held = book(symbol=["MSFT", "JPM"], weight=[0.01, 0.01], adv=[5e4, 1e9], spread_bps=[20.0, 1.0])
    usual = {
        "side": "buy", "entry": 250.0, "stop": 249.0, "book": held, "prices": prices(MSFT=250.0, JPM=130.0),
        "capital": 1e6, "base_currency": "USD",
    }  # fmt: skip
    sizes = {c.name: c for c in api.size("MSFT", **usual).trade.constraints}
    assert sizes["liquidity"].money == pytest.approx(5e3)
    assert sizes["spread"].money == pytest.approx(1e6 * 0.001 / 0.002)
    given = {c.name: c for c in api.size("MSFT", **usual, adv=1e6, spread_bps=10.0).trade.constraints}
    assert given["liquidity"].money == pytest.approx(1e5)
    assert given["spread"].money == pytest.approx(1e6)


def test_a_share_in_another_currency_is_converted():
    held = book(symbol=["SAP"], weight=[0.01], currency=["EUR"])
    report = api.size(
        "SAP", side="sell", entry=100.0, stop=110.0, book=held, prices=prices(SAP=100.0, EURUSD=1.25), capital=1e5,
        base_currency="USD",
    )  # fmt: skip
    assert report.trade.unit_value == pytest.approx(125.0)
    assert report.trade.unit_loss == pytest.approx(12.5)


def test_the_rate_of_a_pair_on_its_own_way_moves_with_it():
    # JPY reach USD by EURJPY (divided by) and EURUSD: at the stop a yen is worth a tenth more.
    report = api.size(
        "EURJPY", side="buy", entry=140.0, stop=126.0, prices=prices(EURJPY=140.0, EURUSD=1.1), capital=1e5,
        base_currency="USD",
    )  # fmt: skip
    assert report.trade.unit_value == pytest.approx(1.1)
    assert report.trade.unit_loss == pytest.approx(14.0 * 1.1 / 126.0)


def test_lots_of_a_pair_are_divided_and_contracts_are_not():
    usual = {"capital": 1e6, "base_currency": "USD", "side": "buy"}
    pair = api.size("EURUSD", entry=1.1, stop=1.0, contract_size=100_000.0, **usual)
    assert str(pair.trade.lot_step) == "0.01"
    future = api.size("SP500", entry=4000.0, stop=3900.0, contract_size=50.0, **usual)
    assert (future.trade.lots, str(future.trade.quantity)) == (2, "2")


def test_the_same_trade_in_two_account_currencies_has_the_same_lots():
    given = prices(EURUSD=1.25, GBPUSD=1.5)
    usual = {"side": "buy", "entry": 1.5, "stop": 1.44, "prices": given}
    dollars = api.size("GBPUSD", capital=1_250_000.0, base_currency="USD", **usual)
    euros = api.size("GBPUSD", capital=1_000_000.0, base_currency="EUR", **usual)
    assert dollars.trade.binding == euros.trade.binding == "risk_per_trade"
    assert dollars.trade.lots == euros.trade.lots == 208


def test_more_of_what_is_held_leaves_less_room():
    given = prices(MSFT=250.0, JPM=130.0)
    room = []
    for weight in (0.1, 0.3, 0.5, 2.0):
        held = book(symbol=["MSFT", "JPM"], weight=[weight, 0.1])
        found = api.size("MSFT", side="buy", entry=250.0, book=held, prices=given, capital=1e6, base_currency="USD")
        room.append(next(c.weight for c in found.trade.constraints if c.name == "volatility_target"))
    assert room == sorted(room, reverse=True)
    assert room[0] - room[1] == pytest.approx(0.2, rel=1e-6)  # both end at the same book
    assert room[-1] == 0.0


def test_what_cannot_be_sized():
    usual = {"side": "buy", "entry": 250.0, "stop": 240.0}
    with pytest.raises(InputError, match="the capital is not known"):
        api.size("MSFT", book=book(symbol=["MSFT"], weight=[0.1]), prices=prices(MSFT=250.0), **usual)
    with pytest.raises(ConfigurationError, match="did you mean 'regime'"):
        api.size("MSFT", capital=1e5, multipliers={"regim": 0.5}, **usual)
    with pytest.raises(InvalidArgument, match="from 1 to 1e9"):
        api.size("MSFT", capital=1e5, record=api.trade_record(0.5, 0.02, 0.01, 10**400), **usual)
    with pytest.raises(InputError, match="no rate from USD"):
        api.size("MSFT", capital=1e5, base_currency="EUR", prices=prices(MSFT=250.0), **usual)
