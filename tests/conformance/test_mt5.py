"""The MetaTrader 5 adapter passes the suite on a stand-in of its module; no terminal of ours has been asked."""

import shutil
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from rpmcore.adapters.mt5_broker.broker import Mt5Broker, Mt5Rules
from rpmcore.adapters.mt5_broker.tags import LONGEST_COMMENT, comment_of, split, tag_of
from rpmcore.adapters.server_time import server_time
from rpmcore.conformance.driver import Releases
from rpmcore.conformance.suite import NOON, BrokerConformance
from rpmcore.domain.broker import BrokerUnavailable, EventKind, book_of
from rpmcore.domain.errors import InvalidArgument, Unavailable
from rpmcore.domain.orders import OrderState
from rpmcore.domain.releases import ReleaseRefused
from tests.conformance.mt5_terminal import Mt5Terminal

RULES = Mt5Rules(
    magics={"trend": 101, "carry": 102}, server=server_time("Europe/Athens"), since=datetime(2025, 12, 1, tzinfo=UTC),
    symbols={"EURUSD": "EURUSD.m", "GBPUSD": "GBPUSD.m"},
)  # fmt: skip


class Mt5Driver:
    symbol, other_symbol, lot, price = "EURUSD", "GBPUSD", Decimal(1000), 1.1
    strategies = ("trend", "carry")

    def __init__(self, releases, rules=RULES):
        self._releases, self._rules = releases, rules
        self.terminal = Mt5Terminal(releases.now)
        self.folder = Path(tempfile.mkdtemp())
        self.broker = self._made()

    def _made(self):
        return Mt5Broker(
            self.terminal, self._releases.verifier(), journal=self.folder / "journal.jsonl", rules=self._rules
        )

    def restart(self):
        self.broker.close()
        self.broker = self._made()

    def _tickets(self, order_id):
        orders = {**self.terminal.working, **self.terminal.past}
        return [t for t, o in orders.items() if (split(o.comment) or ("",))[0] == tag_of(order_id)]

    def venue_orders(self, order_id):
        return len(self._tickets(order_id))

    def fill(self, order_id, quantity):
        for ticket in self._tickets(order_id):
            self.terminal.fill(ticket, float(quantity / 100_000), self.price)

    def lose_next_answer(self, *, taken):
        self.terminal.lose = "answer" if taken else "request"

    def hold_cancels(self):
        self.terminal.holding = True

    def settle(self):
        self.terminal.settle()

    def disconnect(self):
        self.terminal.connected = False

    def reconnect(self):
        self.terminal.connected = True

    def set_venue_clock(self, ahead):
        self.terminal.ahead = ahead

    def close(self):
        self.broker.close()
        shutil.rmtree(self.folder)


class TestMt5(BrokerConformance):
    def make_driver(self, releases):
        return Mt5Driver(releases)


@pytest.fixture
def releases():
    return Releases(NOON)


@pytest.fixture
def driver(releases):
    made = Mt5Driver(releases)
    yield made
    made.close()


def submit(driver, releases, **changes):
    return driver.broker.submit(releases.make(driver, **changes), at=releases.now)


def test_an_order_waits_at_its_entry_under_a_mark_and_the_magic_of_its_strategy(driver, releases):
    release = releases.make(driver)
    driver.broker.submit(release, at=releases.now)
    request = driver.terminal.requests[-1]
    assert request == {
        "action": 5, "type": 2, "symbol": "EURUSD.m", "volume": 0.1, "price": 1.1, "magic": 101, "type_time": 0,
        "type_filling": 2, "comment": comment_of(release),
    }  # fmt: skip
    assert len(request["comment"]) <= LONGEST_COMMENT
    assert "sl" not in request, "what a server closes by itself no gate has decided"


@pytest.mark.parametrize(("mode", "filling"), [(1, 0), (2, 1), (3, 1), (0, 2)])
def test_where_the_market_is_there_already_it_is_dealt_for_no_worse_than_the_entry(driver, releases, mode, filling):
    driver.terminal.prices["EURUSD.m"], driver.terminal.filling_mode = (1.0985, 1.0990), mode
    told = submit(driver, releases)
    request = driver.terminal.requests[-1]
    assert (request["action"], request["type"], request["price"], request["deviation"]) == (1, 0, 1.0990, 100)
    assert request["type_filling"] == filling
    assert told.state is OrderState.FILLED
    sold = submit(driver, releases, side="sell", entry=1.0980)
    assert driver.terminal.requests[-1]["price"] == 1.0985
    assert sold.side == "sell"
    assert driver.broker.positions() == ()


@pytest.mark.parametrize("quantity", [1500.5, 500.0, 6_000_000.0])
def test_a_quantity_that_is_no_volume_there_is_refused_and_not_rounded(driver, releases, quantity):
    with pytest.raises(ReleaseRefused, match=r"by 0\.01: set the lot step of the instrument to 1000"):
        submit(driver, releases, quantity=quantity)
    assert not driver.terminal.requests


def test_a_strategy_without_a_magic_and_a_symbol_that_is_not_there_are_refused(driver, releases):
    with pytest.raises(ReleaseRefused, match="'scalp' has no magic number"):
        submit(driver, releases, strategy_id="scalp")
    with pytest.raises(ReleaseRefused, match="has no symbol 'XOM'"):
        submit(driver, releases, symbol="XOM")


@pytest.mark.parametrize("code", [10004, 10006, 10014, 10019])
def test_a_positive_no_is_one(driver, releases, code):
    driver.terminal.retcode = code
    with pytest.raises(ReleaseRefused, match=str(code)):
        submit(driver, releases)


@pytest.mark.parametrize("code", [10011, 10012, 10031, 10999])
def test_an_answer_that_leaves_it_open_is_no_answer(driver, releases, code):
    driver.terminal.retcode = code
    with pytest.raises(BrokerUnavailable, match=str(code)):
        submit(driver, releases)


def test_an_account_that_hedges_is_taken_only_knowingly(releases, tmp_path):
    terminal = Mt5Terminal(margin_mode=2)
    with pytest.raises(InvalidArgument, match="hedging"):
        Mt5Broker(terminal, releases.verifier(), journal=tmp_path / "j", rules=RULES)
    Mt5Broker(terminal, releases.verifier(), journal=tmp_path / "j", rules=replace(RULES, hedging=True)).close()


def test_what_others_deal_on_the_account_is_told(driver):
    driver.terminal.take_by_hand("EURUSD.m", -0.3)
    (event,) = driver.broker.events(0)
    assert (event.kind, event.order_id, event.symbol, event.side) == (EventKind.FILLED, "", "EURUSD", "sell")
    assert (event.quantity, event.fees) == (Decimal(30_000), 0.4)
    assert [(p.symbol, p.quantity) for p in driver.broker.positions()] == [("EURUSD", Decimal(-30_000))]


def test_an_order_is_known_by_its_ticket_where_a_server_changes_its_comment(driver, releases):
    release = releases.make(driver)
    driver.broker.submit(release, at=releases.now)
    for ticket, order in driver.terminal.working.items():
        driver.terminal.working[ticket] = order._replace(comment="[by the server]")
    driver.restart()
    assert driver.broker.submit(release, at=releases.now).order_id == release.order_id
    assert len(driver.terminal.requests) == 1


def test_an_order_whose_answer_was_lost_and_comment_changed_is_not_sent_again(driver, releases):
    release = releases.make(driver)
    driver.terminal.lose = "answer"
    with pytest.raises(BrokerUnavailable):
        driver.broker.submit(release, at=releases.now)
    for ticket, order in driver.terminal.working.items():
        driver.terminal.working[ticket] = order._replace(comment="[by the server]")
    for ask in (driver.broker.order, lambda _id: driver.broker.submit(release, at=releases.now)):
        with pytest.raises(BrokerUnavailable, match="may be 1001 at the terminal"):
            ask(release.order_id)
    assert len(driver.terminal.requests) == 1


def test_an_order_that_was_taken_is_not_refused_because_its_symbol_cannot_be_asked_for(driver, releases, monkeypatch):
    release, send = releases.make(driver), driver.terminal.order_send

    def gone_after(request):
        monkeypatch.setattr(driver.terminal, "symbol_info", lambda _name: None)
        return send(request)

    monkeypatch.setattr(driver.terminal, "order_send", gone_after)
    taken = driver.broker.submit(release, at=releases.now)
    assert (taken.order_id, taken.venue_order_id) == (release.order_id, "1001")
    with pytest.raises(BrokerUnavailable, match="no symbol"):
        driver.broker.open_orders()


def test_without_its_journal_nothing_is_sent_twice_and_names_are_not_made_up(driver, releases):
    release = releases.make(driver)
    driver.broker.submit(release, at=releases.now)
    (driver.folder / "journal.jsonl").unlink()
    driver.restart()
    (order,) = driver.broker.open_orders()
    assert (order.order_id, order.strategy_id) == ("", "trend"), "its magic tells the strategy"
    driver.broker.submit(release, at=releases.now)
    assert len(driver.terminal.requests) == 1


def test_a_journal_that_a_crash_cut_short_is_read_to_its_last_whole_line(driver, releases):
    release = releases.make(driver)
    driver.broker.submit(release, at=releases.now)
    driver.fill(release.order_id, Decimal(10_000))
    before = driver.broker.events(0)
    path = driver.folder / "journal.jsonl"
    path.write_bytes(path.read_bytes() + b'{"tag": "x", "ord')
    driver.restart()
    assert driver.broker.events(0) == before
    assert path.read_bytes().endswith(b"\n")
    path.write_bytes(b'{"wrong": 1}\n')
    with pytest.raises(InvalidArgument, match="line 1 of"):
        driver.restart()
    path.write_bytes(b"")
    driver.restart()


def test_a_journal_has_one_writer_and_others_may_look(driver, releases):
    release = releases.make(driver)
    driver.broker.submit(release, at=releases.now)
    path = driver.folder / "journal.jsonl"
    with pytest.raises(Unavailable, match="another process writes to the journal"):
        Mt5Broker(driver.terminal, releases.verifier(), journal=path, rules=RULES)
    before = path.read_bytes()
    looking = Mt5Broker(driver.terminal, releases.verifier(), journal=path, rules=RULES, read_only=True)
    assert [order.order_id for order in looking.open_orders()] == [release.order_id]
    assert [event.kind for event in looking.events(0)] == [EventKind.ACCEPTED]
    with pytest.raises(ReleaseRefused, match="only looks"):
        looking.submit(releases.make(driver), at=releases.now)
    looking.close()
    assert path.read_bytes() == before


def test_another_login_answers_for_nobody(driver):
    driver.terminal.login = 999
    with pytest.raises(BrokerUnavailable, match="logged in to 999"):
        driver.broker.positions()


def test_the_times_are_the_servers_and_the_book_says_equity_alone(driver, releases):
    release = releases.make(driver)
    driver.broker.submit(release, at=releases.now)
    assert driver.broker.events(0)[0].venue_at == NOON
    book = book_of(driver.broker)
    assert (book.source, book.account.currency, book.account.cash, book.account.equity) == (
        "mt5-5001234", "USD", None, 10_000.0,
    )  # fmt: skip
    assert [order.order_id for order in book.orders] == [release.order_id]


@pytest.mark.parametrize(
    "changes", [{"magics": {"a": 1, "b": 1}}, {"magics": {"a": 0}}, {"symbols": {"A": "X", "B": "X"}}]
)
def test_rules_by_which_nobody_could_tell_two_apart_are_refused(changes):
    with pytest.raises(InvalidArgument):
        replace(RULES, **changes)
