"""A gate that trades through the MetaTrader 5 adapter, on a stand-in of its module."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from rpmcore.adapters.mt5_broker.broker import Mt5Broker, Mt5Rules
from rpmcore.adapters.server_time import server_time
from rpmcore.domain.controls import TradingState
from rpmcore.domain.orders import Signal
from rpmcore.gate import RiskGate
from rpmcore.order_router import OrderRouter
from tests.conformance.mt5_terminal import Mt5Terminal
from tests.decision import worlds
from tests.decision.worlds import SECOND

RULES = Mt5Rules(
    magics={"trend": 101, "carry": 102}, server=server_time("America/New_York+7"),
    since=datetime(2024, 1, 1, tzinfo=UTC), symbols={"EURUSD": "EURUSD.m"},
)  # fmt: skip


class Desk:
    def __init__(self, journal):
        self.gate = RiskGate.in_memory(worlds.genesis(positions=(("trend", "EURUSD", "20000"),)), clock=lambda: 0)
        self.engine, self.journal, self.count = self.gate.engine, journal, 0
        self.at = self.engine.last_at + SECOND
        self.terminal = Mt5Terminal(self.at)
        self.terminal.equity = worlds.EQUITY
        self.price = worlds.last(self.engine, "EURUSD")
        self.terminal.prices["EURUSD.m"] = (self.price * 0.999, self.price * 1.001)
        self.terminal.held["EURUSD.m"] = 0.2
        self.broker = None
        self.restart()

    def restart(self):
        if self.broker is not None:
            self.broker.close()
        self.broker = Mt5Broker(self.terminal, self.gate.release_verifier(), journal=self.journal, rules=RULES)
        self.router = OrderRouter(self.gate, self.broker)
        assert self.router.start(at=self.at) == ()

    def send(self, side="buy", quantity=10_000.0):
        self.count += 1
        signal = Signal(
            signal_id=f"a signal with a name of its own, number {self.count}", strategy_id="trend", symbol="EURUSD",
            side=side, at=self.at, quantity=quantity, entry=self.price,
        )  # fmt: skip
        return self.router.send(self.gate.approve_trade(signal, at=self.at), at=self.at)

    def later(self):
        self.at += SECOND
        self.terminal.now = self.at
        return self.router.pump(at=self.at)

    @property
    def held(self):
        return self.engine.account.positions["trend", "EURUSD"]


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path / "journal.jsonl")
    yield made
    made.broker.close()


def test_an_order_goes_to_the_terminal_and_its_parts_come_back(desk):
    sent = desk.send()
    assert sent.outcome == "taken"
    (ticket,) = desk.terminal.working
    desk.terminal.fill(ticket, 0.04, desk.price)
    desk.later()
    assert desk.held == Decimal(24_000)
    desk.restart()
    desk.terminal.fill(ticket, 0.06, desk.price)
    desk.later()
    assert desk.held == Decimal(30_000)
    assert not list(desk.engine.account.sent)
    assert desk.engine.account.equity == pytest.approx(worlds.EQUITY - 2 * 0.4), "commission and fee of two deals"
    assert desk.gate.trading_state is TradingState.ACTIVE


def test_a_halt_cancels_what_opens_at_the_terminal(desk):
    desk.send()
    desk.gate.operate("trip", operator="A. Head", reason="drill", value="halt", at=desk.at)
    desk.later()
    desk.later()
    assert not desk.terminal.working
    assert not list(desk.engine.account.sent)


def test_a_lost_answer_is_found_out_and_nothing_is_sent_twice(desk):
    desk.terminal.lose = "answer"
    assert desk.send().outcome == "unknown"
    desk.later()
    assert len(desk.terminal.requests) == 1
    assert [order.order_id for order in desk.broker.open_orders()] == [o.order_id for o in desk.engine.account.sent]


def test_a_deal_by_hand_halts_the_gate(desk):
    desk.terminal.take_by_hand("EURUSD.m", 0.5)
    desk.later()
    assert desk.gate.trading_state is TradingState.REDUCING
    assert desk.engine.account.net["EURUSD"] == Decimal(70_000), "it counts all the same"


def test_a_positive_no_ends_the_order(desk):
    desk.terminal.retcode = desk.terminal.TRADE_RETCODE_NO_MONEY
    sent = desk.send()
    assert sent.outcome == "refused"
    assert not list(desk.engine.account.sent)
