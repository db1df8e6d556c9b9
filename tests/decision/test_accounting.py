"""What the account is worth: held against sums done by hand."""

import pytest

from tests.decision import worlds

YEN = (("trend", "USDJPY", "100000"),)


def test_yen_fall_by_a_tenth_of_the_rate():
    """100,000 USD bought in yen at 150 and worth 135 each: 1,500,000 yen lost, at the new rate 11,111 USD."""
    world = worlds.engine(positions=YEN)
    world.handle(worlds.quotes(world, USDJPY=150.0))
    before = world.account.equity
    world.handle(worlds.quotes(world, USDJPY=135.0))
    assert world.account.equity - before == pytest.approx(-1_500_000.0 / 135.0)
    assert round(before - world.account.equity) == 11_111


@pytest.mark.parametrize("how", ["bar", "quotes"])
def test_a_foreign_share_earns_its_change_of_value(how):
    world = worlds.engine(positions=(("trend", "SAP", "100"), ("carry", "SAP", "-30")))
    euro, share = worlds.last(world, "EURUSD"), worlds.last(world, "SAP")
    if how == "bar":
        world.handle(worlds.bar(world, {"SAP": 0.02, "EURUSD": -0.01}))
    else:
        world.handle(worlds.quotes(world, SAP=share * 1.02, EURUSD=euro * 0.99))
    assert world.account.equity - worlds.EQUITY == pytest.approx(70.0 * share * euro * (1.02 * 0.99 - 1.0))


def test_a_pair_against_the_account_earns_in_it():
    world = worlds.engine(positions=(("trend", "EURUSD", "-50000"),))
    euro = worlds.last(world, "EURUSD")
    world.handle(worlds.bar(world, {"EURUSD": 0.01}))
    assert world.account.equity - worlds.EQUITY == pytest.approx(-50_000.0 * euro * 0.01)


def test_fills_cost_their_fees_and_what_they_lose_against_the_last_price():
    world = worlds.engine()
    worlds.hold(world, "SAP", 100.0)
    assert world.account.equity == worlds.EQUITY
    asked = worlds.signal(world, "SAP", "buy", 10.0)
    world.handle(asked)
    world.handle(worlds.release(world, asked.signal.signal_id))
    share, euro = worlds.last(world, "SAP"), worlds.last(world, "EURUSD")
    world.handle(worlds.fill(world, asked.signal.signal_id, price=share + 0.5, fees=7.0))
    assert world.account.equity - worlds.EQUITY == pytest.approx(-10.0 * 0.5 * euro - 7.0)
    world.handle(worlds.fill(world, "stray", 10.0, price=share + 0.5, strategy_id="trend", symbol="SAP", side="sell"))
    assert world.account.equity - worlds.EQUITY == pytest.approx(-7.0)


@pytest.mark.parametrize("symbol", ["XOM", "SAP", "EURUSD", "USDJPY"])
def test_a_first_price_is_no_gain(symbol):
    """What was held before anybody knew its price has not earned its whole value when it is told."""
    found = worlds.genesis(positions=(("trend", symbol, "1000"),))
    last = tuple(row for row in found.last if row[0] != symbol)
    world = worlds.engine(positions=found.positions, last=last)
    world.handle(worlds.quotes(world, **{symbol: 100.0}))
    assert world.account.equity == worlds.EQUITY
    world.handle(worlds.quotes(world, **{symbol: 110.0}))
    assert world.account.equity > worlds.EQUITY


def test_a_first_rate_is_no_gain():
    found = worlds.genesis()
    last = tuple(row for row in found.last if row[0] != "EURUSD")
    world = worlds.engine(positions=(("trend", "SAP", "1000"),), last=last)
    world.handle(worlds.quotes(world, EURUSD=1.1))
    assert world.account.equity == worlds.EQUITY


@pytest.mark.parametrize("amount", [250_000.0, -450_000.0])
def test_a_payment_changes_no_drawdown(amount):
    world = worlds.engine()
    world.handle(worlds.equity_mark(world, 1_100_000.0))
    world.handle(worlds.equity_mark(world, 1_067_000.0))
    before = 1.0 - world.account.equity / world.peak
    world.handle(worlds.cash_flow(world, amount))
    assert world.account.equity == 1_067_000.0 + amount
    assert 1.0 - world.account.equity / world.peak == pytest.approx(before) == pytest.approx(0.03)


def test_a_close_that_is_missing_leaves_its_value():
    world = worlds.engine(positions=(("trend", "XOM", "100"), ("trend", "CVX", "100")))
    price = worlds.last(world, "CVX")
    world.handle(worlds.bar(world, {"XOM": 0.05, "CVX": 0.05}, missing=("XOM",)))
    assert world.account.equity - worlds.EQUITY == pytest.approx(100.0 * price * 0.05)
    assert world.market.price("XOM")[1] == worlds.START


def test_the_equity_that_the_broker_states_stands():
    world = worlds.engine(positions=YEN)
    world.handle(worlds.equity_mark(world, 987_654.32))
    assert world.account.equity == 987_654.32


def test_a_fill_without_any_price_is_taken_but_worth_nothing_yet():
    found = worlds.genesis()
    world = worlds.engine(last=tuple(row for row in found.last if row[0] != "CVX"))
    world.handle(worlds.fill(world, "stray", 10.0, price=150.0, strategy_id="trend", symbol="CVX", side="buy"))
    assert world.account.equity == worlds.EQUITY
    assert world.decide(worlds.signal(world)).reason.value == "kill_switch"
    assert world.decide(worlds.signal(world)).check("no_risk_model").status == "reject"
