"""Orders that are to end are followed to their end, and it is told where they do not come to one."""

import pytest

from rpmcore.decision.handlers.cancels import to_cancel, to_keep
from tests.decision import worlds
from tests.decision.worlds import SECOND

POSITIONS = (("trend", "XOM", "500"), ("carry", "XOM", "200"))


@pytest.fixture
def world():
    return worlds.engine(positions=POSITIONS)


def working(world, order_id, symbol="CVX", side="buy", quantity=100.0, strategy_id="trend"):
    asked = worlds.signal(world, symbol, side, quantity, signal_id=order_id, strategy_id=strategy_id)
    decision = world.handle(asked).decision
    assert decision.verdict == "approved", decision.text
    world.handle(worlds.release(world, order_id))


def kinds(outcome):
    return [event["type"] for event in outcome.events]


def test_a_request_is_noted_once_and_passes_over_what_is_over(world):
    working(world, "a")
    outcome = world.handle(worlds.cancel_requested(world, "a", "gone"))
    assert [(e["type"], e["order_id"]) for e in outcome.events] == [("cancel_requested", "a")]
    assert kinds(world.handle(worlds.cancel_requested(world, "a"))) == []


@pytest.mark.parametrize(("ids", "reason"), [((), "because"), (("a",), " ")])
def test_a_request_names_orders_and_a_reason(world, ids, reason):
    assert kinds(world.handle(worlds.cancel_requested(world, *ids, reason=reason))) == ["refused"]


def test_an_order_that_outlives_its_cancellation_is_told_once_and_still_counts(world):
    working(world, "a")
    world.handle(worlds.cancel_requested(world, "a"))
    assert "order_will_not_die" not in kinds(world.handle(worlds.tick(world, later=29 * SECOND)))
    outcome = world.handle(worlds.tick(world, later=SECOND))
    (told,) = [event for event in outcome.events if event["type"] == "order_will_not_die"]
    assert (told["order_id"], told["symbol"], told["open"]) == ("a", "CVX", 100.0)
    assert "order_will_not_die" not in kinds(world.handle(worlds.tick(world, later=90 * SECOND)))
    assert [order.order_id for order in world.account.working(world.last_at)] == ["a"]


def test_an_order_that_ends_in_time_is_not_told(world):
    working(world, "a")
    world.handle(worlds.cancel_requested(world, "a"))
    world.handle(worlds.fill(world, "a", 40.0))
    world.handle(worlds.closed(world, "a"))
    assert "order_will_not_die" not in kinds(world.handle(worlds.tick(world, later=90 * SECOND)))


def test_a_halt_ends_what_opens_and_keeps_what_reduces(world):
    working(world, "opens")
    working(world, "reduces", "XOM", "sell", 150.0)
    assert (to_cancel(world), to_keep(world)) == ((), {"opens", "reduces"})
    world.handle(worlds.trip(world))
    assert [order for order, _ in to_cancel(world)] == ["opens"]
    assert to_keep(world) == {"reduces"}
    world.handle(worlds.cancel_requested(world, "opens"))
    assert to_cancel(world) == ()


def test_a_halted_strategy_keeps_what_reduces_its_own_and_others_go_on(world):
    working(world, "own", "XOM", "sell", 150.0)
    working(world, "opens")
    working(world, "other", strategy_id="carry")
    world.handle(worlds.trip(world, scope="trend"))
    assert [order for order, _ in to_cancel(world)] == ["opens"]
    working(world, "too much", "XOM", "sell", 250.0, strategy_id="carry")  # it reduces the account, and not carry alone
    world.handle(worlds.trip(world, scope="carry"))
    assert {order for order, _ in to_cancel(world)} == {"opens", "other", "too much"}


def test_where_trading_is_halted_everything_ends(world):
    working(world, "reduces", "XOM", "sell", 150.0)
    world.handle(worlds.broken(world, "the books differ"))
    assert to_cancel(world) == (("reduces", "trading is halted: the books differ"),)
    assert to_keep(world) == frozenset()


def test_epochs_count_what_stops(world):
    before = world.epoch_of("trend")
    world.handle(worlds.trip(world, scope="trend"))
    world.handle(worlds.operator(world, "reset", scope="trend"))
    world.handle(worlds.trip(world))
    world.handle(worlds.broken(world))
    after = world.epoch_of("trend")
    assert (before.integrity, before.account, before.strategy) == (0, 0, 0)
    assert (after.integrity, after.account, after.strategy) == (1, 1, 1)
    assert (world.fence().strategies, world.epoch_of("carry").strategy) == ({"trend": 1}, 0)


def test_what_was_released_before_the_books_failed_ends_and_what_comes_after_works(world):
    working(world, "before", "XOM", "sell", 50.0)
    world.handle(worlds.broken(world))
    world.handle(worlds.operator(world, "clear_integrity"))
    working(world, "after")
    assert to_cancel(world) == (("before", "trading was halted since it was released"),)
