"""From the gate to a broker and back: sent once, taken once, cancelled under a halt, and never guessed."""

import threading
from dataclasses import replace
from decimal import Decimal

import pytest

from rpmcore.adapters.alerts.alert import AlertSeverity
from rpmcore.adapters.alerts.alerting import AlertingSystem
from rpmcore.adapters.alerts.gate_alerts import GateAlerts
from rpmcore.adapters.alerts.settings import AlertSettings
from rpmcore.adapters.control_folder import ControlFolder
from rpmcore.adapters.in_memory_broker.broker import InMemoryBroker
from rpmcore.adapters.in_memory_broker.faults import Faults, FaultSettings
from rpmcore.adapters.in_memory_broker.venue import Venue
from rpmcore.decision.reconciliation import GateBook
from rpmcore.domain.broker import BrokerUnavailable, EventKind
from rpmcore.domain.commands import IntegrityFailed
from rpmcore.domain.controls import TradingState
from rpmcore.domain.decisions import RejectionException
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.orders import Signal
from rpmcore.domain.releases import Fence, ReleaseRefused
from rpmcore.gate import GateHalted, RiskGate
from rpmcore.order_router import OrderRouter
from rpmcore.proof import prove
from tests.decision import worlds
from tests.decision.worlds import SECOND
from tests.gate.conftest import KEY

POSITIONS = (("trend", "XOM", "500"), ("carry", "XOM", "200"))


class Desk:
    """A gate, a router and a venue, and a clock that moves when it is told to."""

    def __init__(self, gate, faults=None):
        self.gate, self.engine = gate, gate.engine
        self.at, self.count = gate.engine.last_at + SECOND, 0
        self.faults = Faults(faults or FaultSettings(), seed=5)
        self.venue = Venue(cash=GateBook.of(self.engine).cash, positions=dict(self.engine.account.positions))
        self.restart()
        assert self.router.start(at=self.at) == ()

    def restart(self):
        self.broker = InMemoryBroker(self.gate.release_verifier(), venue=self.venue, faults=self.faults)
        self.router = OrderRouter(self.gate, self.broker)

    def approve(self, symbol="CVX", side="buy", quantity=100.0, strategy_id="trend", **fields):
        self.count += 1
        signal = Signal(
            signal_id=f"o{self.count}", strategy_id=strategy_id, symbol=symbol, side=side, at=self.at,
            quantity=quantity, entry=worlds.last(self.engine, symbol), **fields,
        )  # fmt: skip
        return self.gate.approve_trade(signal, at=self.at)

    def send(self, *given, **named):
        return self.router.send(self.approve(*given, **named), at=self.at)

    def later(self, seconds=1):
        self.at += seconds * SECOND
        return self.router.pump(at=self.at)

    def trade(self, **only):
        """Let the market trade, all symbols at their last prices or those given."""
        prices = {symbol: worlds.last(self.engine, symbol) for symbol in ("CVX", "XOM", "EURUSD")}
        self.broker.trade(only or prices, at=self.at)

    def operate(self, action, **fields):
        return self.gate.operate(action, operator="A. Head", reason="drill", at=self.at, **fields)

    @property
    def working(self):
        return {order.order_id: order.state.value for order in self.engine.account.orders.values()}

    def agrees(self):
        ours = {key: held for key, held in self.engine.account.positions.items() if held}
        assert ours == self.venue.positions
        assert GateBook.of(self.engine).cash == pytest.approx(self.venue.cash, abs=0.01)
        return True


@pytest.fixture
def desk():
    return Desk(RiskGate.in_memory(worlds.genesis(positions=POSITIONS), clock=lambda: 0))


def strike(desk, fault):
    desk.faults.force(fault)


def test_an_order_goes_out_and_its_fill_comes_back(desk):
    sent = desk.send()
    assert (sent.outcome, desk.working) == ("taken", {"o1": "released"})
    desk.trade()
    assert desk.later().events == 2
    assert desk.working == {}
    assert desk.engine.account.positions["trend", "CVX"] == 100
    assert desk.agrees()


def test_nothing_is_sent_by_a_router_that_has_not_reconciled(desk):
    approved = desk.approve()
    desk.restart()
    for ask in (lambda: desk.router.send(approved, at=desk.at), lambda: desk.router.pump(at=desk.at)):
        with pytest.raises(InvalidArgument, match="started"):
            ask()
    assert desk.working == {"o1": "approved"}


def test_only_what_is_released_is_sent(desk):
    approved = desk.approve()
    desk.operate("trip", value="halt")
    with pytest.raises(RejectionException, match="kill switch"):
        desk.router.send(approved, at=desk.at)
    assert desk.venue.orders == {}


def test_a_rejection_of_the_venue_ends_the_order(desk):
    strike(desk, "rejection")
    desk.send()
    desk.later()
    assert (desk.working, desk.agrees()) == ({}, True)


def test_a_refusal_of_the_adapter_ends_the_order_at_once(desk):
    desk.broker.fence(Fence(integrity=7, strategies={}))
    sent = desk.send()
    assert (sent.outcome, desk.working, desk.venue.orders) == ("refused", {}, {})
    assert "halted since" in sent.reason


def test_a_lost_acknowledgement_is_found_out(desk):
    strike(desk, "lost_acknowledgement")
    assert desk.send().outcome == "unknown"
    assert desk.later().unknown == 0
    desk.trade()
    desk.later()
    assert (len(desk.venue.orders), desk.working, desk.agrees()) == (1, {}, True)


def test_a_lost_submission_is_sent_again_while_its_release_lives(desk):
    strike(desk, "lost_submission")
    assert desk.send().outcome == "unknown"
    assert desk.venue.orders == {}
    desk.later()
    assert (list(desk.venue.orders), desk.working) == (["o1"], {"o1": "released"})


def test_a_submission_that_comes_late_and_again_is_one_order(desk):
    strike(desk, "late_submission")
    desk.send()
    desk.later()  # sent again, and taken
    desk.trade()  # the first one arrives
    desk.trade()
    desk.later()
    accepted = [event for event in desk.venue.events if event.kind is EventKind.ACCEPTED]
    assert (len(accepted), desk.engine.account.positions["trend", "CVX"], desk.agrees()) == (1, 100, True)


def test_a_refusal_of_a_repetition_ends_nothing_that_is_on_its_way(desk, monkeypatch):
    def refused(_release, *, at):  # noqa: ARG001
        raise ReleaseRefused("there was a halt since")

    strike(desk, "late_submission")
    desk.send()
    monkeypatch.setattr(desk.broker, "submit", refused)
    assert (desk.later().unknown, desk.working) == (1, {"o1": "released"})
    desk.trade()  # the first one arrives
    desk.trade()
    assert (desk.later().unknown, desk.working, desk.agrees()) == (0, {}, True)
    assert desk.gate.trading_state is TradingState.ACTIVE


def test_what_cannot_be_sent_is_given_up_when_it_cannot_arrive_any_more(desk):
    strike(desk, "lost_submission")
    desk.send()
    desk.faults.settings = FaultSettings(disconnect=0.999999, outage=10)
    assert not desk.later().reachable
    desk.faults.settings = FaultSettings()
    desk.broker.mend()
    desk.at += 31 * SECOND  # the release has expired: it is not sent, and may still be on its way
    assert (desk.later().unknown, desk.working, desk.venue.orders) == (1, {"o1": "released"}, {})
    assert (desk.later(30).unknown, desk.working, desk.venue.orders) == (0, {}, {})


def test_an_exception_of_an_adapter_is_not_knowing(desk, monkeypatch):
    def broken(release, *, at):
        desk.venue.take(release, at=at)
        raise KeyError("retcode")

    monkeypatch.setattr(desk.broker, "submit", broken)
    assert desk.send().outcome == "unknown"
    monkeypatch.undo()
    assert (desk.later().unknown, len(desk.venue.orders)) == (0, 1)


# A restart


def test_an_order_whose_sending_was_interrupted_is_found_out(desk, monkeypatch):
    def interrupted(_release, *, at):  # noqa: ARG001
        raise KeyboardInterrupt

    monkeypatch.setattr(desk.broker, "submit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        desk.send()
    monkeypatch.undo()
    assert desk.later().unknown == 0
    assert (desk.working, list(desk.venue.orders)) == ({"o1": "released"}, ["o1"])


def test_after_a_crash_between_release_and_submission_nothing_is_sent_again(desk):
    desk.gate.release(desk.approve(), at=desk.at)
    desk.restart()
    (difference,) = desk.router.start(at=desk.at)
    assert (difference.kind, difference.order_id) == ("order_not_at_broker", "o1")
    assert desk.gate.trading_state is TradingState.HALTED
    desk.later()
    assert (desk.venue.orders, desk.working) == ({}, {"o1": "released"})
    desk.operate("adopt_broker", value=str(desk.engine.reconciliation["sequence"]))
    assert (desk.gate.trading_state, desk.working) == (TradingState.ACTIVE, {})


def test_once_it_cannot_arrive_any_more_it_is_given_up_by_itself(desk):
    desk.gate.release(desk.approve(), at=desk.at)
    desk.at += 60 * SECOND
    desk.restart()
    assert desk.router.start(at=desk.at) == ()
    assert (desk.working, desk.venue.orders, desk.gate.trading_state) == ({}, {}, TradingState.ACTIVE)


def test_fills_of_the_time_between_two_routers_are_taken(desk):
    desk.send()
    strike(desk, "partial")
    desk.trade()
    desk.later()
    desk.trade()
    desk.restart()
    assert desk.router.start(at=desk.at) == ()
    assert (desk.working, desk.agrees()) == ({}, True)


def test_the_past_of_an_account_is_not_taken_for_this_ledger_s():
    gate = RiskGate.in_memory(worlds.genesis(positions=POSITIONS), clock=lambda: 0)
    desk = Desk(gate)
    desk.send()
    desk.trade()
    desk.later()
    held = [(strategy, symbol, str(quantity)) for (strategy, symbol), quantity in desk.venue.positions.items()]
    anew = RiskGate.in_memory(worlds.genesis(positions=held, equity=desk.engine.account.equity), clock=lambda: 0)
    broker = InMemoryBroker(anew.release_verifier(), venue=desk.venue)
    router = OrderRouter(anew, broker)
    assert router.start(at=desk.at) == ()
    router.pump(at=desk.at)
    assert anew.trading_state is TradingState.ACTIVE
    assert anew.engine.account.positions == desk.venue.positions


# What the broker tells


def test_a_fill_that_is_told_again_is_taken_once(desk):
    desk.send()
    desk.trade()
    desk.later()
    told = desk.venue.events
    desk.broker.events = lambda _after: tuple(told)
    sequence = desk.engine.sequence
    desk.later()
    assert (desk.engine.sequence, desk.agrees()) == (sequence, True)


def test_a_fill_that_says_something_else_the_second_time_halts_trading(desk):
    strike(desk, "partial")
    desk.send()
    desk.trade()
    desk.later()
    (fill,) = [event for event in desk.venue.events if event.execution_id]
    other = replace(fill, quantity=fill.quantity + 1, cursor=fill.cursor + 1)
    desk.broker.events = lambda _after: (other,)
    desk.later()
    assert desk.gate.trading_state is TradingState.HALTED
    assert "taken before" in desk.engine.integrity


def test_an_end_that_overtakes_fills_waits_for_them(desk):
    desk.send()
    strike(desk, "partial")
    desk.trade()
    strike(desk, "withdrawn")
    desk.trade()
    events = desk.broker.events
    desk.broker.events = lambda after: tuple(reversed(events(after)))
    desk.later()
    assert (desk.working, desk.agrees()) == ({}, True)


def test_fills_that_an_end_counts_are_asked_for_once_more(desk, monkeypatch):
    desk.send()
    strike(desk, "partial")
    desk.trade()
    desk.broker.cancel("o1", at=desk.at)
    events, asked = desk.broker.events, []

    def forgetful(after):
        asked.append(after)
        return tuple(e for e in events(after) if len(asked) > 1 or not e.execution_id)

    monkeypatch.setattr(desk.broker, "events", forgetful)
    desk.later()
    assert (len(asked), desk.working, desk.agrees()) == (2, {}, True)
    assert desk.gate.trading_state is TradingState.ACTIVE


def test_a_broker_that_counts_fills_which_it_does_not_tell_halts_trading(desk):
    desk.send()
    strike(desk, "partial")
    desk.trade()
    desk.router.cancel(["o1"], reason="enough", at=desk.at)
    events = desk.broker.events
    desk.broker.events = lambda after: tuple(event for event in events(after) if not event.execution_id)
    desk.later()
    desk.later()
    assert "counts" in desk.engine.integrity
    assert desk.working == {"o1": "released"}


def test_a_part_that_the_broker_calls_the_whole_halts_trading(desk):
    desk.send()
    strike(desk, "partial")
    desk.trade()
    events = desk.broker.events
    desk.broker.events = lambda after: tuple(
        replace(event, kind=EventKind.FILLED) if event.execution_id else event for event in events(after)
    )
    desk.later()
    assert "calls it filled, where 100 were released" in desk.engine.integrity


def test_a_fill_that_is_missing_before_the_last_one_halts_trading(desk):
    desk.send()
    strike(desk, "partial")
    desk.trade()
    desk.trade()
    events = desk.broker.events
    desk.broker.events = lambda after: tuple(e for e in events(after) if e.kind is not EventKind.PARTIAL)
    desk.later()
    assert "counts 100 filled" in desk.engine.integrity


def test_an_order_that_was_given_up_and_arrives_all_the_same_is_cancelled_and_halts_trading(desk):
    strike(desk, "lost_submission")
    release = desk.send().release
    desk.later(61)
    assert desk.working == {}
    desk.venue.take(release, at=desk.at)  # a venue that cannot be told a latest time
    desk.later()
    assert "works at memory, and was over here" in desk.engine.integrity
    assert list(desk.venue.working) == []
    desk.later()
    assert desk.agrees()


def test_a_fill_of_an_order_of_nobody_is_in_the_book_and_halts(desk):
    desk.send()
    desk.trade()
    desk.later()
    stray = replace(desk.venue.events[-1], order_id="by hand", execution_id="V9/1", cursor=99)
    desk.broker.events = lambda _after: (stray,)
    desk.later()
    assert desk.gate.trading_state is TradingState.REDUCING
    assert desk.engine.account.positions["trend", "CVX"] == 200


def test_a_deal_by_hand_is_told_by_what_it_was(desk):
    reasons = []
    desk.gate.subscribe(lambda _command, _decision, events: reasons.extend(
        event["reason"] for event in events if event["type"] == "control" and event.get("reason")
    ))  # fmt: skip
    desk.send()
    desk.trade()
    desk.later()
    by_hand = replace(desk.venue.events[-1], order_id="", strategy_id="", execution_id="V9/1", cursor=99)
    desk.broker.events = lambda _after: (by_hand,)
    desk.later()
    assert desk.gate.trading_state is TradingState.REDUCING
    assert "unexpected fill of buy 100 CVX without an order id: it belongs to no order of this gate" in reasons


# A halt


def test_a_halt_cancels_what_opens_and_keeps_what_reduces(desk):
    desk.send()
    desk.send("XOM", "sell", 50.0)
    desk.operate("trip", value="halt")
    assert desk.later().cancelling == 0
    assert desk.working == {"o2": "released"}
    assert [order.release.order_id for order in desk.venue.working] == ["o2"]
    desk.trade()
    desk.later()
    assert (desk.engine.account.positions["trend", "XOM"], desk.agrees()) == (450, True)


def test_the_halt_of_a_strategy_leaves_others_alone(desk):
    desk.send()
    desk.send(strategy_id="carry")
    desk.operate("trip", value="halt", scope="trend")
    desk.later()
    desk.later()
    assert desk.working == {"o2": "released"}


def test_a_reset_does_not_save_what_the_halt_was_to_end(desk):
    desk.send()
    desk.send("XOM", "sell", 50.0)
    desk.operate("trip", value="halt")
    desk.operate("reset")
    desk.send()
    desk.later()
    desk.later()
    assert desk.working == {"o2": "released", "o3": "released"}


def test_where_the_books_have_failed_everything_is_cancelled(desk):
    desk.send("XOM", "sell", 50.0)
    desk.gate.handle(IntegrityFailed(at=desk.at, reason="the books differ"))
    desk.later()
    desk.later()
    assert (desk.working, list(desk.venue.working)) == ({}, [])


def test_an_order_of_nobody_is_cancelled_with_the_account_once(desk):
    other = Desk(RiskGate.in_memory(worlds.genesis(positions=POSITIONS), clock=lambda: 0))
    release = other.gate.release(other.approve(), at=other.at)
    desk.venue.take(release, at=desk.at)
    desk.operate("trip", value="halt")
    desk.later()
    assert list(desk.venue.working) == []


def test_what_was_under_way_when_the_halt_came_is_cancelled_when_it_arrives(desk):
    strike(desk, "late_submission")
    desk.send()
    desk.operate("trip", value="halt")
    desk.later()
    assert desk.venue.orders == {}
    desk.broker.trade({}, at=desk.at)
    desk.later()
    desk.later()
    assert (desk.working, desk.venue.orders["o1"].state.value) == ({}, "cancelled")


def test_a_release_that_a_halt_overtakes_is_not_submitted(desk):
    released = desk.gate.release

    def halted_meanwhile(approved, *, at):
        found = released(approved, at=at)
        desk.operate("trip", value="halt")
        return found

    desk.gate.release = halted_meanwhile
    sent = desk.send()
    assert (sent.outcome, sent.reason) == ("refused", "there was a halt before it was sent")
    assert (desk.venue.orders, desk.working) == ({}, {})


def test_a_cancel_is_asked_again_until_the_order_has_ended(desk):
    desk.send()
    strike(desk, "lost_cancel")
    desk.router.cancel(["o1"], reason="changed its mind", at=desk.at)
    assert list(desk.venue.working)
    desk.later()
    desk.later()
    assert (desk.working, list(desk.venue.working)) == ({}, [])


def test_a_fill_that_crosses_a_cancel_counts(desk):
    desk.send()
    strike(desk, "slow_cancel")
    strike(desk, "partial")
    desk.router.cancel(["o1"], reason="changed its mind", at=desk.at)
    desk.trade()
    desk.later()
    assert (desk.working, desk.agrees()) == ({}, True)
    assert Decimal(0) < desk.engine.account.positions["trend", "CVX"] < 100


def test_the_alert_of_a_reconciliation_ends_when_one_view_is_adopted(desk):
    alerting = AlertingSystem(channels=("slack",), settings=AlertSettings(least_severity="info"))
    desk.gate.subscribe(GateAlerts(alerting, desk.engine.kill_switches.latched))
    desk.venue.positions["trend", "CVX"] = Decimal(7)
    desk.restart()
    assert [difference.text for difference in desk.router.start(at=desk.at)] == [
        "position of CVX trend: gate 0, broker 7"
    ]
    alert = {alert.key: alert for alert in alerting.active_alerts()}["integrity"]
    assert "position of CVX trend: gate 0, broker 7" in alert.text
    desk.operate("adopt_broker", value=str(desk.engine.reconciliation["sequence"]))
    assert "integrity" not in {alert.key for alert in alerting.active_alerts()}
    assert desk.gate.listener_failures == 0


def test_an_order_that_will_not_die_is_an_alert_until_it_is_over(desk):
    alerting = AlertingSystem(channels=("slack",), settings=AlertSettings(least_severity="info"))
    desk.gate.subscribe(GateAlerts(alerting, desk.engine.kill_switches.latched))
    desk.send()
    desk.faults.settings = FaultSettings(lost_cancel=0.999999)
    desk.operate("trip", value="halt")
    desk.later()
    desk.later(29)
    assert "undying:o1" not in {alert.key for alert in alerting.active_alerts()}
    desk.later()
    alert = {alert.key: alert for alert in alerting.active_alerts()}["undying:o1"]
    assert (alert.severity, alert.runbook) == (AlertSeverity.CRITICAL, "order-will-not-die")
    assert "order o1: 100 of CVX may still be filled" in alert.text
    desk.faults.settings = FaultSettings()
    desk.later()
    desk.later()
    assert desk.working == {}
    assert "undying:o1" not in {alert.key for alert in alerting.active_alerts()}
    assert desk.gate.listener_failures == 0


def test_a_gate_that_fails_leaves_nothing_working(desk, monkeypatch):
    desk.send()
    desk.send("XOM", "sell", 50.0)

    def full(_records):
        raise OSError("no space left")

    monkeypatch.setattr(desk.gate._store, "append", full)
    with pytest.raises(GateHalted):
        desk.gate.tick(at=desk.at)
    with pytest.raises(GateHalted, match="no space left"):
        desk.later()
    assert list(desk.venue.working) == []


def test_no_trading_without_a_broker_that_answers(desk):
    desk.restart()
    desk.faults.settings = FaultSettings(disconnect=0.999999)
    with pytest.raises(BrokerUnavailable):
        desk.router.start(at=desk.at)
    with pytest.raises(InvalidArgument, match="started"):
        desk.router.send(desk.approve(), at=desk.at)


def test_a_ledger_keeps_who_was_sent_and_cancelled(tmp_path):
    path = tmp_path / "desk.ledger"
    with RiskGate.create(path, worlds.genesis(positions=POSITIONS), KEY, clock=lambda: 0, timer=None) as gate:
        desk = Desk(gate)
        desk.send()
        strike(desk, "partial")
        desk.trade()
        desk.operate("trip", value="halt")
        desk.later()
        desk.later()
        venue, at = desk.venue, desk.at
    with RiskGate.open(path, KEY, clock=lambda: 0, timer=None) as gate:
        broker = InMemoryBroker(gate.release_verifier(), venue=venue)
        assert OrderRouter(gate, broker).start(at=at) == ()
    proof = prove(path, KEY)
    assert proof.ok, proof.differing


def test_an_operator_s_halt_is_carried_out_where_no_signal_comes(tmp_path):
    path, now = tmp_path / "desk.ledger", [worlds.START]
    with RiskGate.create(path, worlds.genesis(), KEY, clock=lambda: now[0], timer=None) as gate:
        desk = Desk(gate)
        desk.send()
        now[0] = desk.at
        ControlFolder(path).submit(
            {"action": "trip", "operator": "A. Head", "reason": "news", "scope": "account", "value": "halt"}
        )
        desk.later()
        assert (desk.working, gate.trading_state) == ({}, TradingState.REDUCING)
        assert list(desk.venue.working) == []


class LockedBroker(InMemoryBroker):
    """A venue that two may speak to at once."""

    def __init__(self, *given, **named):
        super().__init__(*given, **named)
        lock = threading.RLock()
        for name in ("submit", "cancel", "cancel_all", "events", "open_orders", "order", "cursor", "trade"):
            setattr(self, name, self._locked(lock, getattr(self, name)))

    @staticmethod
    def _locked(lock, call):
        def called(*given, **named):
            with lock:
                return call(*given, **named)

        return called


def test_senders_pumps_and_operators_share_a_router(desk):
    desk.broker = LockedBroker(desk.gate.release_verifier(), venue=desk.venue, faults=desk.faults)
    desk.router = OrderRouter(desk.gate, desk.broker)
    assert desk.router.start(at=desk.at) == ()
    approvals = {side: [desk.approve("CVX", side, 1.0) for _ in range(20)] for side in ("buy", "sell")}
    refused, problems = [], []

    def send(side):
        for approved in approvals[side]:
            try:
                desk.router.send(approved, at=desk.at)
            except RejectionException:
                refused.append(approved)

    def operate():
        for action in ("trip", "reset") * 3:
            desk.operate(action, value="halt" if action == "trip" else "")

    def market():
        for _ in range(30):
            desk.trade()
            desk.router.pump(at=desk.at)

    def run(work, *given):
        try:
            work(*given)
        except Exception as error:  # noqa: BLE001 - a thread's failure is the test's
            problems.append(error)

    threads = [
        threading.Thread(target=run, args=each) for each in ((send, "buy"), (send, "sell"), (operate,), (market,))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    for _ in range(3):
        desk.trade()
        desk.later(31)
    desk.gate.tick(at=desk.at)  # what was approved and not released expires
    assert (desk.working, list(desk.venue.working), desk.agrees()) == ({}, [], True)
    assert len(desk.venue.orders) <= 40 - len(refused)
    assert desk.gate.trading_state is TradingState.ACTIVE
