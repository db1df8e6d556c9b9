"""A venue in memory: what it fills, at what price, and what goes wrong only when it is told to."""

from dataclasses import fields
from decimal import Decimal

import pytest

from rpmcore.adapters.in_memory_broker.broker import InMemoryBroker
from rpmcore.adapters.in_memory_broker.faults import Faults, FaultSettings
from rpmcore.conformance.driver import LIFE, Releases
from rpmcore.conformance.in_memory import InMemoryDriver
from rpmcore.domain.broker import BrokerUnavailable
from rpmcore.domain.errors import InvalidArgument

NOW = 1_700_000_000_000_000_000


@pytest.fixture
def releases():
    return Releases(NOW)


def make(releases, faults=None, **changes):
    broker = InMemoryBroker(releases.verifier(), faults=faults, **changes)
    return broker, lambda **given: releases.make(InMemoryDriver, **given)


def test_a_fill_is_half_the_spread_and_the_slippage_away_and_costs_its_fee(releases):
    broker, release = make(releases, spread_bps={"EURUSD": 10.0}, default_spread_bps=4.0, fee_bps=2.0)
    broker.venue.worth = lambda symbol: 10.0 if symbol == "XOM" else 1.0
    broker.submit(release(quantity=30.0), at=NOW)
    broker.submit(release(quantity=5.0, symbol="XOM", side="sell"), at=NOW)
    bought, sold = broker.trade({"EURUSD": 100.0, "XOM": 50.0}, at=NOW)
    assert (bought.price, sold.price) == (pytest.approx(100.05), pytest.approx(49.99))
    assert bought.fees == pytest.approx(30.0 * 100.05 * 2e-4)
    assert broker.account().cash == pytest.approx(
        -30.0 * 100.05 * (1 + 2e-4) + 5.0 * 49.99 * 10.0 * (1 - 2e-4)
    )  # fmt: skip


def test_slippage_is_never_a_gain(releases):
    broker, release = make(releases, Faults(FaultSettings(slippage_bps=20.0), seed=1), default_spread_bps=0.0)
    for side in ("buy", "sell"):
        for _ in range(50):
            broker.submit(release(side=side), at=NOW)
    fills = broker.trade({"EURUSD": 100.0}, at=NOW)
    assert all(fill.price >= 100.0 if fill.side == "buy" else fill.price <= 100.0 for fill in fills)
    assert len({fill.price for fill in fills}) > 90


def test_what_has_no_price_waits(releases):
    broker, release = make(releases)
    broker.submit(release(), at=NOW)
    assert broker.trade({"XOM": 1.0}, at=NOW) == ()
    assert len(broker.working) == 1


@pytest.mark.parametrize("quantity", ["1", "0.3", "100000", "12.5", "0.00007"])
def test_parts_have_no_more_digits_than_the_whole_and_add_up_to_it(releases, quantity):
    broker, release = make(releases, Faults(FaultSettings(partial=0.7), seed=3))
    broker.submit(release(quantity=float(quantity)), at=NOW)
    parts = []
    for _ in range(200):
        parts += [fill.quantity for fill in broker.trade({"EURUSD": 1.0}, at=NOW)]
    digits = -Decimal(quantity).as_tuple().exponent
    assert sum(parts) == Decimal(quantity)
    assert all(-part.as_tuple().exponent <= digits and part > 0 for part in parts)


def test_an_order_on_its_way_arrives_in_its_time_or_not_at_all(releases):
    for later, orders in ((LIFE - 1, 1), (LIFE, 0)):
        broker, release = make(releases)
        broker.faults.force("late_submission")
        with pytest.raises(BrokerUnavailable):
            broker.submit(release(), at=NOW)
        assert broker.open_orders() == ()
        broker.trade({}, at=NOW + later)
        assert len(broker.open_orders()) == orders


def test_a_seed_draws_the_same_faults():
    settings = FaultSettings(**{each.name: 0.3 for each in fields(FaultSettings) if each.name != "outage"})
    drawn = []
    for seed in (1, 1, 2):
        faults = Faults(settings, seed)
        drawn.append([faults.strikes(each.name) for each in fields(FaultSettings)[1:-1] for _ in range(20)])
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize("bad", [{"partial": 1.0}, {"rejection": -0.1}, {"disconnect": float("nan")}, {"outage": -1}])
def test_a_probability_is_one(bad):
    with pytest.raises(InvalidArgument, match=next(iter(bad))):
        FaultSettings(**bad)


def test_only_what_can_go_wrong_is_forced():
    with pytest.raises(InvalidArgument, match="no fault 'fire'"):
        Faults().force("fire")
