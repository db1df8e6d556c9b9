"""An approval from its release to its end: once, in time, never more, and only as long as it is what was approved."""

import pytest

from rpmcore.domain.controls import Severity
from rpmcore.domain.orders import OrderState
from tests.decision import worlds
from tests.decision.worlds import SECOND

HELD = (("trend", "XOM", "500"),)


def approved(world, symbol="XOM", side="buy", quantity=100.0, **fields):
    asked = worlds.signal(world, symbol, side, quantity, **fields)
    decision = world.handle(asked).decision
    assert decision.verdict == "approved", decision.text
    return asked.signal.signal_id


def refusal(world, command):
    """Why a release was refused; nothing for one that went through."""
    (event,) = [e for e in world.handle(command).events if e["type"] in ("order", "release_refused")]
    return event.get("reason", "")


def kinds(outcome):
    return [event["type"] for event in outcome.events]


def test_it_is_released_once():
    world = worlds.engine()
    order = approved(world)
    assert refusal(world, worlds.release(world, order)) == ""
    assert "released once" in refusal(world, worlds.release(world, order))


def test_it_is_never_released_larger():
    world = worlds.engine()
    order = approved(world)
    assert "within the 100 approved" in refusal(world, worlds.release(world, order, 100.5))
    for bad in (0.0, -5.0, float("nan"), float("inf"), 10**400, True):
        assert refusal(world, worlds.release(world, order, bad))
    assert refusal(world, worlds.release(world, order, 40.0)) == ""
    assert world.account.orders[order].quantity == 40


def test_it_expires_on_the_nanosecond():
    world = worlds.engine()
    order = approved(world)
    expires = world.account.orders[order].expires_at
    assert expires == world.last_at + 30 * SECOND
    early = worlds.DecisionEngine.from_state(world.genesis, world.state())
    assert refusal(early, worlds.release(early, order, at=expires - 1)) == ""
    outcome = world.handle(worlds.release(world, order, at=expires))
    assert kinds(outcome)[-1] == "release_refused"
    assert not world.account.orders


def test_released_orders_wait_for_the_broker():
    world = worlds.engine()
    order = approved(world)
    world.handle(worlds.release(world, order))
    world.handle(worlds.tick(world, later=3 * worlds.DAY))
    assert world.account.orders[order].state is OrderState.RELEASED
    assert world.handle(worlds.fill(world, order)).events[0]["state"] == "filled"


@pytest.mark.parametrize("scope", ["account", "trend"])
def test_a_halt_voids_what_was_approved_before_it_even_when_it_is_over(scope):
    world = worlds.engine(positions=HELD)
    opens, reduces = approved(world), approved(world, side="sell")
    world.handle(worlds.trip(world, scope=scope))
    assert "halt" in refusal(world, worlds.release(world, opens))
    world.handle(worlds.operator(world, "reset", scope=scope))
    assert world.severity("trend") is Severity.NONE
    assert "a halt since" in refusal(world, worlds.release(world, opens))
    assert refusal(world, worlds.release(world, reduces)) == ""


def test_a_halt_of_one_strategy_is_none_of_another():
    world = worlds.engine()
    order = approved(world, strategy_id="carry")
    world.handle(worlds.trip(world, scope="trend"))
    assert refusal(world, worlds.release(world, order)) == ""


def test_a_reduction_is_released_in_a_halt_but_not_in_halted():
    world = worlds.engine(positions=HELD)
    order = approved(world, side="sell")
    world.handle(worlds.trip(world))
    world.handle(worlds.broken(world))
    assert "ledger" in refusal(world, worlds.release(world, order))
    world.handle(worlds.operator(world, "clear_integrity"))
    assert refusal(world, worlds.release(world, order)) == ""


def test_a_reduction_that_would_open_by_now_is_not_released():
    """Something else sold what it was to sell: no limit was ever held against it."""
    world = worlds.engine(positions=HELD)
    order = approved(world, side="sell", quantity=500.0)
    world.handle(worlds.fill(world, "stray", 300.0, strategy_id="trend", symbol="XOM", side="sell"))
    assert "200 is all that is left" in refusal(world, worlds.release(world, order))
    assert refusal(world, worlds.release(world, order, 200.0)) == ""


def test_reductions_in_flight_count_before_another_is_approved_or_released():
    world = worlds.engine(positions=HELD)
    approved(world, side="sell", quantity=300.0)
    decision = world.decide(worlds.signal(world, "XOM", "sell", 300.0))
    assert decision.reducing == 200.0
    # A buy that is still working may never be filled: it makes nothing more reducible.
    approved(world, side="buy", quantity=50.0)
    assert world.decide(worlds.signal(world, "XOM", "sell", 300.0)).reducing == 200.0


def test_what_a_disabled_strategy_was_approved_is_not_released():
    per_strategy = {"max_consecutive_losses": 100, "max_drawdown": 1.0}
    world = worlds.engine(positions=HELD, chosen=worlds.settings(kill_switches={"per_strategy": per_strategy}))
    opens, reduces = approved(world), approved(world, side="sell")
    for _ in range(12):
        world.handle(worlds.trade(world, -20_000.0))
    assert world.strategies.state_of("trend").status == "disabled"
    assert "disabled" in refusal(world, worlds.release(world, opens))
    assert refusal(world, worlds.release(world, reduces)) == ""


@pytest.mark.parametrize(
    ("release", "changes", "why"),
    [
        (False, {}, "never released"),
        (True, {"quantity": 101.0}, "more than the 100 left"),
        (True, {"side": "sell", "quantity": 100.0}, "differ"),
        (True, {"symbol": "CVX", "quantity": 100.0}, "differ"),
        (True, {"strategy_id": "carry", "quantity": 100.0}, "differ"),
    ],
)
def test_a_fill_that_is_not_as_it_was_released_is_taken_and_halts(release, changes, why):
    world = worlds.engine()
    order = approved(world)
    if release:
        world.handle(worlds.release(world, order))
    command = worlds.fill(world, order, **{"quantity": None, **changes})
    outcome = world.handle(command)
    (event,) = [e for e in outcome.events if e["type"] == "unexpected_fill"]
    assert why in event["reason"]
    sign = 1.0 if command.side == "buy" else -1.0
    assert float(world.account.held(command.symbol)) == sign * command.quantity
    assert world.severity("carry") is Severity.HALT


@pytest.mark.parametrize(
    ("changes", "why"),
    [({"price": 100.0}, "far from the last"), ({"price": 0.01}, "far from the last"), ({"fees": -1e12}, "fees of")],
)
def test_a_fill_whose_money_cannot_be_right_is_taken_and_halts(changes, why):
    world = worlds.engine()
    order = approved(world, "EURUSD", "sell", 1000.0)
    world.handle(worlds.release(world, order))
    outcome = world.handle(worlds.fill(world, order, **changes))
    (event,) = [e for e in outcome.events if e["type"] == "unexpected_fill"]
    assert why in event["reason"]
    assert order not in world.account.orders
    assert world.account.held("EURUSD") == -1000
    assert world.severity("trend") >= Severity.HALT


@pytest.mark.parametrize("end", ["cancelled", "rejected", "expired"])
def test_a_fill_after_the_end_is_taken_and_halts(end):
    world = worlds.engine()
    order = approved(world)
    command = worlds.fill(world, order, at=world.last_at + 40 * SECOND)
    if end == "expired":
        world.handle(worlds.tick(world, later=30 * SECOND))
    else:
        world.handle(worlds.release(world, order))
        world.handle(worlds.closed(world, order, end))
    assert order not in world.account.orders
    assert "unexpected_fill" in kinds(world.handle(command))
    assert float(world.account.held("XOM")) == 100.0
    assert world.severity("trend") is Severity.HALT


@pytest.mark.parametrize(
    "fields",
    [{"price": float("nan")}, {"price": 0.0}, {"quantity": -5.0}, {"quantity": 1e300}, {"fees": float("inf")},
     {"symbol": "TSLA"}, {"side": "hold"}],
)  # fmt: skip
def test_a_fill_that_makes_no_sense_changes_nothing(fields):
    world = worlds.engine()
    order = approved(world)
    world.handle(worlds.release(world, order))
    before = world.account.state()
    values = {"quantity": 100.0, "strategy_id": "trend", "symbol": "XOM", "side": "buy", "price": 110.0, **fields}
    assert kinds(world.handle(worlds.fill(world, order, **values)))[-1] == "refused"
    assert world.account.state() == before


def test_growth_that_will_not_come_is_given_back_and_no_more():
    """Of an order across zero only what opens was approved as growth, and only that is withdrawn."""
    world = worlds.engine(positions=HELD)
    approved(world, "USDJPY", "buy", 50_000.0)
    room, other = world.headroom(world.last_at), world.kill_switches.exposure_velocity.approved
    order = approved(world, side="sell", quantity=800.0)
    price = worlds.last(world, "XOM")
    assert world.headroom(world.last_at) == pytest.approx(room - 300.0 * price)
    world.handle(worlds.release(world, order, 600.0))
    assert world.kill_switches.exposure_velocity.approved == pytest.approx(other + 100.0 * price)
    world.handle(worlds.fill(world, order, 550.0))
    world.handle(worlds.closed(world, order))
    assert world.kill_switches.exposure_velocity.approved == pytest.approx(other)
    assert world.severity("trend") < Severity.THROTTLE


def test_approved_growth_that_is_filled_trips_nothing():
    world = worlds.engine()
    for symbol, quantity in (("USDJPY", 100_000.0), ("SP500", 15.0), ("XOM", 500.0)):
        worlds.hold(world, symbol, quantity)
    world.handle(worlds.tick(world))
    assert world.severity("trend") < Severity.THROTTLE


def test_growth_that_nobody_approved_halts():
    world = worlds.engine()
    world.handle(worlds.fill(world, "stray", 300_000.0, strategy_id="trend", symbol="USDJPY", side="buy"))
    switches = {e["switch"] for e in world.kill_switches.state()["journal"]["events"] if e["after"] == "halt"}
    assert "exposure_velocity" in switches


def test_closing_what_is_not_there_is_told():
    world = worlds.engine()
    assert kinds(world.handle(worlds.closed(world, "nothing"))) == ["unknown_order"]
    order = approved(world)
    assert kinds(world.handle(worlds.closed(world, order, "vanished")))[-1] == "refused"
    assert order in world.account.orders
