"""The books held against the broker's: every difference halts, is shown, and is ended by name alone."""

from dataclasses import replace
from decimal import Decimal

import pytest

from rpmcore.decision.reconciliation import GateBook, compare
from rpmcore.domain.broker import BrokerBook, BrokerOrder
from rpmcore.domain.controls import TradingState
from rpmcore.domain.errors import InvalidArgument
from tests.decision import worlds
from tests.decision.worlds import DAY

POSITIONS = (("trend", "XOM", "500"), ("carry", "XOM", "-200"), ("carry", "SAP", "-200"))


@pytest.fixture
def world():
    return worlds.engine(positions=POSITIONS)


def working(world, order_id="a", quantity=100.0, filled=0.0):
    asked = worlds.signal(world, "CVX", "buy", quantity, signal_id=order_id)
    assert world.handle(asked).decision.verdict == "approved"
    world.handle(worlds.release(world, order_id))
    if filled:
        world.handle(worlds.fill(world, order_id, filled))


def lines(outcome):
    (event,) = [event for event in outcome.events if event["type"] == "reconciled"]
    return [(line["kind"], line["symbol"], line["gate"], line["broker"]) for line in event["differences"]]


def reconcile(world, **book):
    return world.handle(worlds.reconciled(world, worlds.broker_book(world, **book)))


def adopt(world, view, **fields):
    fields.setdefault("value", str(world.reconciliation["sequence"] if world.reconciliation else world.sequence))
    return world.handle(worlds.operator(world, f"adopt_{view}", **fields))


def refusal(outcome):
    return next((event["reason"] for event in outcome.events if event["type"] == "operator_refused"), "")


def test_books_that_agree_halt_nothing(world):
    working(world, filled=30.0)
    outcome = reconcile(world)
    assert lines(outcome) == []
    assert (world.trading_state, world.reconciliation) == (TradingState.ACTIVE, None)


def test_a_position_that_differs_halts_and_is_shown_by_symbol(world):
    found = reconcile(world, positions=[("XOM", "310", ""), ("SAP", "-200", ""), ("GOLD", "1", "")])
    assert lines(found) == [("position", "GOLD", "0", "1"), ("position", "XOM", "300", "310")]
    assert world.trading_state is TradingState.HALTED
    assert "position of GOLD: gate 0, broker 1, and 1 more" in world.integrity


def test_a_broker_with_tags_is_compared_by_strategy(world):
    same_net = [("XOM", "400", "trend"), ("XOM", "-100", "carry"), ("SAP", "-200", "carry")]
    assert lines(reconcile(world, positions=same_net)) == [
        ("position", "XOM", "-200", "-100"), ("position", "XOM", "500", "400"),
    ]  # fmt: skip
    exact = [("XOM", "500", "trend"), ("XOM", "-150", "carry"), ("XOM", "-50", "carry"), ("SAP", "-200", "carry")]
    assert lines(reconcile(world, positions=exact)) == []


def test_one_row_without_a_tag_makes_it_a_comparison_by_symbol(world):
    assert lines(reconcile(world, positions=[("XOM", "400", "trend"), ("XOM", "-100", ""), ("SAP", "-200", "x")])) == []


def test_orders_are_compared_by_client_id(world):
    working(world, "a", filled=30.0)
    working(world, "b")
    alien = BrokerOrder(order_id="", venue_order_id="v9", symbol="XOM", side="sell", quantity=Decimal(5))
    theirs = [
        BrokerOrder(order_id="a", venue_order_id="v1", symbol="CVX", side="buy", quantity=Decimal(100),
                    filled=Decimal(40)),
        alien,
    ]  # fmt: skip
    assert lines(reconcile(world, orders=theirs)) == [
        ("order_not_at_gate", "XOM", "none", "sell 5, 0 filled"),
        ("order", "CVX", "buy 100, 30 filled", "buy 100, 40 filled"),
        ("order_not_at_broker", "CVX", "buy 100, 0 filled", "none"),
    ]


def test_an_approval_that_was_never_released_is_not_expected_at_the_broker(world):
    world.handle(worlds.signal(world, "CVX", "buy", 10.0, signal_id="waits"))
    assert lines(reconcile(world)) == []
    sent_past_the_gate = BrokerOrder(order_id="waits", venue_order_id="v", symbol="CVX", side="buy",
                                     quantity=Decimal(10))  # fmt: skip
    assert [kind for kind, *_ in lines(reconcile(world, orders=[sent_past_the_gate]))] == ["order_not_at_gate"]


def test_a_statement_that_tells_no_orders_is_compared_without(world):
    working(world)
    book = replace(worlds.broker_book(world), orders=None)
    assert lines(world.handle(worlds.reconciled(world, book))) == []


def test_money_may_differ_by_a_tolerance_and_no_more(world):
    ours = GateBook.of(world)
    edge = 0.0001 * ours.equity
    assert lines(reconcile(world, cash=ours.cash + 0.99 * edge)) == []
    assert [kind for kind, *_ in lines(reconcile(world, cash=ours.cash - 1.01 * edge))] == ["cash"]
    far = 0.0101 * ours.equity
    assert [kind for kind, *_ in lines(reconcile(world, cash=None, equity=ours.equity + far))] == ["equity"]
    assert lines(reconcile(world, equity=ours.equity + far)) == []  # cash is the sharper word where both are said


def test_cash_moves_with_fills_as_a_broker_s_does(world):
    before = GateBook.of(world).cash
    price = worlds.last(world, "CVX") * 1.001
    working(world)
    world.handle(worlds.fill(world, "a", 100.0, price=price, fees=3.0))
    world.handle(worlds.bar(world, {"CVX": 0.02, "XOM": -0.01, "SAP": 0.01, "EURUSD": 0.004}))
    assert GateBook.of(world).cash == pytest.approx(before - 100.0 * price - 3.0, abs=1e-6)


def test_another_currency_is_the_only_line(world):
    assert lines(reconcile(world, currency="EUR", positions=[])) == [("currency", "", "USD", "EUR")]


def test_cash_where_a_position_has_no_price_is_a_difference(world):
    ours = replace(GateBook.of(world), cash=None)
    (found,) = compare(ours, worlds.broker_book(world, cash=1.0), cash_tolerance=1e-4, equity_tolerance=1e-2)
    assert (found.kind, found.broker) == ("cash", "1.0")
    assert "no price" in found.gate


@pytest.mark.parametrize("bad", [{"cash": float("nan")}, {"positions": [("XOM", "NaN", "")]}])
def test_a_book_with_a_number_that_is_none_is_refused(world, bad):
    outcome = reconcile(world, **bad)
    assert outcome.events[-1]["type"] == "refused"


def test_a_book_goes_through_json_and_back(world):
    working(world, filled=3.0)
    book = worlds.broker_book(world, cursor=3, stated_at=5)
    assert BrokerBook.of_plain(book.to_plain()) == book
    with pytest.raises(InvalidArgument, match="no book"):
        BrokerBook.of_plain({**book.to_plain(), "positions": [["XOM", "ten", ""]]})


def test_the_halt_is_ended_by_name_and_with_a_view_and_in_no_other_way(world):
    reconcile(world, positions=[("SAP", "-200", "")])
    assert "adopt the broker's view or the gate's" in refusal(world.handle(worlds.operator(world, "clear_integrity")))
    assert "named operator" in refusal(adopt(world, "gate", who=" "))
    assert "named operator" in refusal(adopt(world, "gate", reason=""))
    assert "is adopted is '7'" in refusal(adopt(world, "gate", value="7"))
    assert world.trading_state is TradingState.HALTED
    assert not refusal(adopt(world, "gate"))
    assert (world.trading_state, world.account.net["XOM"]) == (TradingState.ACTIVE, 300)
    assert "no reconciliation waits" in refusal(adopt(world, "gate"))


def test_adopting_the_broker_s_view_makes_the_books_agree(world):
    working(world, "a", filled=30.0)
    working(world, "b")
    theirs = [
        BrokerOrder(order_id="a", venue_order_id="v1", symbol="CVX", side="buy", quantity=Decimal(100),
                    filled=Decimal(50))
    ]  # fmt: skip
    price = worlds.last(world, "CVX")
    cash = GateBook.of(world).cash - 20.0 * price
    book = {"positions": [("XOM", "500", "trend"), ("XOM", "-200", "carry"), ("SAP", "-200", "carry"),
                          ("CVX", "50", "trend")], "orders": theirs, "cash": cash, "cursor": 12}  # fmt: skip
    before = world.account.equity
    reconcile(world, **book)
    outcome = adopt(world, "broker")
    assert not refusal(outcome)
    (adopted,) = [event for event in outcome.events if event["type"] == "adopted"]
    assert (adopted["view"], adopted["operator"], adopted["reason"]) == ("broker", "Ada", "because")
    assert [line["kind"] for line in adopted["differences"]] == ["position", "order", "order_not_at_broker", "cash"]
    assert world.account.positions["trend", "CVX"] == 50
    assert {order.order_id: order.filled for order in world.account.sent} == {"a": 50}
    assert world.account.equity == pytest.approx(before, abs=1e-6)
    assert world.settled == {"broker": 12}
    assert world.trading_state is TradingState.ACTIVE
    assert lines(reconcile(world, **book)) == []


def test_a_broker_that_counts_its_events_anew_is_believed_once_the_books_agree(world):
    for cursor in (12, 3):
        reconcile(world, cursor=cursor)
        assert world.settled == {"broker": cursor}
    reconcile(world, cursor=99, positions=[])
    assert world.settled == {"broker": 3}
    adopt(world, "gate")
    assert world.settled == {"broker": 3}


def test_adopted_money_is_a_loss_to_those_who_watch_losses(world):
    reconcile(world, cash=GateBook.of(world).cash - 300_000.0)
    adopt(world, "broker")
    assert world.account.equity == pytest.approx(worlds.EQUITY - 300_000.0)
    assert world.trading_state is TradingState.REDUCING


def test_a_difference_without_a_strategy_needs_one_where_it_is_not_plain(world):
    reconcile(world, positions=[("XOM", "310", ""), ("SAP", "-190", "")])
    assert "XOM is held by carry, trend: name the strategy" in refusal(adopt(world, "broker"))
    assert "not known" in refusal(adopt(world, "broker", scope="nobody"))
    assert world.account.net["SAP"] == -200
    reconcile(world, positions=[("XOM", "300", ""), ("SAP", "-190", "")])
    assert not refusal(adopt(world, "broker"))
    assert world.account.positions["carry", "SAP"] == -190
    reconcile(world, positions=[("XOM", "310", ""), ("SAP", "-190", "")])
    assert not refusal(adopt(world, "broker", scope="trend"))
    assert world.account.positions["trend", "XOM"] == 510


def test_what_the_gate_did_not_decide_is_not_adopted(world):
    alien = BrokerOrder(order_id="x", venue_order_id="v9", symbol="XOM", side="sell", quantity=Decimal(5))
    reconcile(world, orders=[alien])
    assert "not released so here" in refusal(adopt(world, "broker"))
    reconcile(world, positions=[("XOM", "300", ""), ("SAP", "-200", ""), ("GOLD", "1", "")])
    assert "not among the instruments" in refusal(adopt(world, "broker", scope="trend"))
    assert world.trading_state is TradingState.HALTED


def test_an_order_that_works_twice_at_the_broker_is_not_adopted_as_one(world):
    working(world)
    twice = [
        BrokerOrder(order_id="a", venue_order_id=venue_id, symbol="CVX", side="buy", quantity=Decimal(100))
        for venue_id in ("v1", "v2")
    ]
    assert [kind for kind, *_ in lines(reconcile(world, orders=twice))] == ["order_not_at_gate"]
    assert "works at the broker more than once" in refusal(adopt(world, "broker"))
    assert world.trading_state is TradingState.HALTED


def test_a_view_is_not_adopted_over_what_happened_since(world):
    working(world)
    reconcile(world, positions=[("SAP", "-200", "")])
    world.handle(worlds.fill(world, "a"))
    assert "changed since" in refusal(adopt(world, "broker", scope="trend"))
    assert not refusal(adopt(world, "gate"))


def test_settling_a_difference_clears_no_other_failure(world):
    world.handle(worlds.broken(world, "the disk is full"))
    reconcile(world, positions=[])
    reconcile(world, positions=[("SAP", "-200", "")])
    adopt(world, "gate")
    assert world.integrity == "the disk is full"
    world.handle(worlds.operator(world, "clear_integrity"))
    assert world.trading_state is TradingState.ACTIVE


def test_books_that_agree_again_still_wait_for_an_operator(world):
    reconcile(world, positions=[])
    reconcile(world)
    assert world.trading_state is TradingState.HALTED
    assert not refusal(world.handle(worlds.operator(world, "clear_integrity")))
    assert world.trading_state is TradingState.ACTIVE


def test_an_adopted_position_is_no_growth_that_nobody_knows_of(world):
    held = [("XOM", "300", ""), ("SAP", "-200", ""), ("SP500", "60", "")]
    reconcile(world, positions=held, cash=GateBook.of(world).cash - 60 * worlds.last(world, "SP500"))
    adopt(world, "broker", scope="trend")
    assert world.trading_state is TradingState.ACTIVE
    world.handle(worlds.tick(world, later=DAY))
    assert world.trading_state is TradingState.ACTIVE
