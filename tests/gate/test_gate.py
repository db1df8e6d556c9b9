"""What a desk relies on: nothing is answered before it is recorded, sent twice, or talked round."""

import itertools
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rpmcore.adapters.control_folder import ControlFolder
from rpmcore.adapters.ledger.audit import verify
from rpmcore.adapters.ledger.errors import LedgerLocked
from rpmcore.adapters.ledger.reader import LedgerReader
from rpmcore.domain.canonical import canonical_bytes, parse
from rpmcore.domain.commands import Release, Tick
from rpmcore.domain.controls import TradingState
from rpmcore.domain.decisions import RejectionException
from rpmcore.domain.errors import InvalidArgument
from rpmcore.gate import GateHalted, RiskGate
from tests.gate.conftest import KEY, SECOND


def test_a_decision_is_in_the_ledger_before_it_is_answered(gate, signal, ledger_path):
    decision = gate.decide(signal())
    with LedgerReader.open(ledger_path, KEY) as reader:
        kinds = [record.kind for record in reader.records()]
        stored = reader.find("signal:s1")
    assert decision.approved == 100_000.0
    assert stored is not None
    assert parse(stored.body) == decision.to_plain()
    assert kinds[:3] == ["genesis", "command", "decision"]


def test_the_same_signal_gets_the_stored_decision_and_another_content_is_turned_down(gate, signal):
    first = gate.decide(signal())
    again = gate.decide(signal())
    other = gate.decide(signal(quantity=50_000.0))
    assert canonical_bytes(first.to_plain()) == canonical_bytes(again.to_plain())
    assert (other.verdict, other.reason) == ("rejected", "duplicate_conflict")
    assert gate.engine.sequence == 2


def test_an_approval_is_released_once(gate, signal):
    approved = gate.approve_trade(signal())
    gate.verify_approval(approved)
    gate.release(approved)
    with pytest.raises(RejectionException, match="released once"):
        gate.release(approved)
    assert gate.decide(signal()).approved == approved.quantity
    with pytest.raises(RejectionException, match="released once"):
        gate.verify_approval(approved)


def test_an_approval_that_was_changed_is_none(gate, signal):
    approved = gate.approve_trade(signal())
    for forged in (
        replace(approved, approved_quantity=9e6, quantity=9e6), replace(approved, side="sell"),
        replace(approved, expires_at=approved.expires_at + 1), replace(approved, signature=""),
        replace(approved, signature="zz"), replace(approved, sequence=7),
    ):  # fmt: skip
        with pytest.raises(RejectionException, match="not given by this gate"):
            gate.release(forged)
    with pytest.raises(RejectionException, match="more than"):
        gate.release(replace(approved, quantity=approved.quantity * 2))
    half = approved.scaled(0.5)
    gate.release(half)
    assert [float(o.quantity) for o in gate.engine.account.working(gate.engine.last_at)] == [50_000.0]


def test_an_approval_of_another_gate_with_the_same_key_releases_nothing_here(genesis, clock, signal, gate, tmp_path):
    with RiskGate.create(tmp_path / "other.ledger", genesis, KEY, clock=clock, timer=None) as other:
        theirs = other.approve_trade(signal(side="sell"))
    ours = gate.approve_trade(signal())
    for ask in (gate.verify_approval, gate.release):
        with pytest.raises(RejectionException, match="not given by this gate"):
            ask(theirs)
    gate.release(ours)


def test_a_gate_without_a_key_releases_what_it_approved_and_nothing_else(genesis, clock, signal):
    gate = RiskGate.in_memory(genesis, clock=clock)
    approved = gate.approve_trade(signal())
    for changed in (
        replace(approved, side="sell"), replace(approved, symbol="MSFT"), replace(approved, strategy_id="core_equity"),
        replace(approved, sequence=7), replace(approved, expires_at=approved.expires_at + 1),
        replace(approved, approved_quantity=9e6),
    ):  # fmt: skip
        with pytest.raises(RejectionException, match="another than the one that waits"):
            gate.release(changed)
    gate.release(approved.scaled(0.5))


def test_a_release_that_shows_no_approval_is_none(gate, signal):
    approved = gate.approve_trade(signal())
    with pytest.raises(InvalidArgument, match="released by"):
        gate.handle(Release(at=gate.engine.last_at, order_id=approved.order_id, quantity=approved.quantity))
    gate.release(approved)


def test_an_approval_is_scaled_by_any_float_and_by_nothing_else(gate, signal):
    approved = gate.approve_trade(signal())
    assert approved.scaled(np.float64(0.3)).quantity == 30_000.0
    assert approved.scaled(1).scaled(0.1).scaled(0.1).quantity == 1_000.0
    for factor in (True, 0.0, -0.5, 1.0000001, float("nan"), "0.5", None):
        with pytest.raises(InvalidArgument, match="factor"):
            approved.scaled(factor)


def test_an_approval_expires(gate, signal, clock):
    approved = gate.approve_trade(signal())
    clock.now = approved.expires_at
    with pytest.raises(RejectionException, match="expired"):
        gate.release(approved)
    gate.tick()
    assert not list(gate.engine.account.working(clock.now))


def test_a_halt_after_an_approval_voids_it_even_once_it_is_reset(gate, signal):
    approved = gate.approve_trade(signal())
    gate.operate("trip", operator="A. Head", reason="drill", value="halt")
    with pytest.raises(RejectionException, match="kill switch"):
        gate.release(approved)
    gate.operate("reset", operator="A. Head", reason="drill is over")
    assert gate.trading_state is TradingState.ACTIVE
    with pytest.raises(RejectionException, match="halt since"):
        gate.release(approved)


def test_under_a_halt_what_reduces_passes_and_what_opens_does_not(gate, signal):
    gate.operate("trip", operator="A. Head", reason="drill", value="halt")
    assert gate.trading_state is TradingState.REDUCING
    opens = gate.decide(signal(1))
    held = gate.engine.account.held("MSFT")
    reduces = gate.decide(signal(2, symbol="MSFT", strategy_id="core_equity", side="sell", quantity=float(held)))
    crosses = gate.decide(signal(3, symbol="KO", strategy_id="core_equity", side="sell", quantity=20_000.0))
    assert (opens.verdict, opens.reason) == ("rejected", "kill_switch")
    assert reduces.verdict == "approved"
    assert (crosses.verdict, crosses.approved) == ("cut", float(gate.engine.account.held("KO")))
    gate.release(gate_approval(reduces))


def gate_approval(decision):
    from rpmcore.gate import approved_trade

    return approved_trade(decision)


def test_what_if_records_nothing(gate, signal):
    before = canonical_bytes(gate.engine.state())
    what_if = gate.what_if(signal())
    assert canonical_bytes(gate.engine.state()) == before
    decided = gate.decide(signal())
    assert what_if.checks == decided.checks
    assert (what_if.approved, what_if.sequence) == (decided.approved, decided.sequence)


@pytest.mark.usefixtures("gate")
def test_a_second_gate_on_the_ledger_fails_at_once_and_says_who_holds_it(ledger_path):
    import os

    with pytest.raises(LedgerLocked, match=f"process {os.getpid()}"):
        RiskGate.open(ledger_path, KEY)


def test_restart_equals_no_restart(genesis, clock, ledger_path, signal, tmp_path):
    other = tmp_path / "other"
    other.mkdir()

    def work(gate: RiskGate, part: int) -> None:
        clock.now = genesis.at + part * 3600 * SECOND
        for number in range(part * 4, part * 4 + 4):
            wanted = signal(number, at=clock.now, symbol=("EURUSD", "KO", "USDJPY", "JPM")[number % 4])
            decision = gate.decide(wanted)
            if decision.approved:
                gate.release(gate_approval(decision))
                gate.fill(f"f{number}", wanted.signal_id, strategy_id="trend", symbol=wanted.symbol, side="buy",
                          quantity=decision.approved / 2, price=wanted.entry * 1.001)  # fmt: skip
        gate.tick()

    straight = RiskGate.create(other / "straight.ledger", genesis, KEY, clock=clock, timer=None)
    for part in range(4):
        work(straight, part)
    gate = RiskGate.create(ledger_path, genesis, KEY, clock=clock, timer=None)
    for part in range(4):
        work(gate, part)
        if part % 2:
            gate.close()  # with a snapshot
        else:
            gate._store.close()  # as if it were killed: the tail is run again
        gate = RiskGate.open(ledger_path, KEY, clock=clock, timer=None)
    assert canonical_bytes(gate.engine.state()) == canonical_bytes(straight.engine.state())
    gate.close()
    straight.close()


def test_a_failed_append_halts_and_the_next_gate_waits_for_an_operator(genesis, clock, ledger_path, signal):
    gate = RiskGate.create(ledger_path, genesis, KEY, clock=clock, timer=None)
    gate.decide(signal(1))
    gate._store._connection.execute("PRAGMA query_only = ON")  # the disk says no
    with pytest.raises(GateHalted):
        gate.decide(signal(2))
    for ask in (lambda: gate.decide(signal(1)), gate.tick, lambda: gate.what_if(signal(3))):
        with pytest.raises(GateHalted):
            ask()
    assert gate.trading_state is TradingState.HALTED
    gate.close()
    with RiskGate.open(ledger_path, KEY, clock=clock, timer=None) as restarted:
        decision = restarted.decide(signal(3))
        held = float(restarted.engine.account.held("KO"))
        reduces = restarted.decide(signal(4, symbol="KO", strategy_id="core_equity", side="sell", quantity=held))
        assert (decision.reason, reduces.reason) == ("halted", "halted")
        with pytest.raises(InvalidArgument, match="written reason"):
            restarted.operate("clear_integrity", operator="A. Head", reason=" ")
        restarted.operate("clear_integrity", operator="A. Head", reason="books agree with the broker's")
        assert restarted.decide(signal(5)).approved
    with RiskGate.open(ledger_path, KEY, clock=clock, timer=None) as again:
        assert again.trading_state is TradingState.ACTIVE


def test_a_switch_tripped_between_check_and_commit_wins(gate, signal, ledger_path, monkeypatch):
    folder, decide = ControlFolder(ledger_path), gate.engine.decide

    def slow(command):
        monkeypatch.setattr(gate.engine, "decide", decide)
        decision = decide(command)
        folder.submit({"action": "trip", "operator": "A. Head", "reason": "now", "scope": "account", "value": "halt"})
        return decision

    monkeypatch.setattr(gate.engine, "decide", slow)
    decision = gate.decide(signal())
    assert (decision.verdict, decision.reason) == ("rejected", "kill_switch")
    assert decision.sequence == 2
    assert not folder.pending()


def test_a_request_in_the_control_folder_is_obeyed_once_and_acknowledged(gate, signal, ledger_path):
    folder = ControlFolder(ledger_path)
    request = {"action": "trip", "operator": "A. Head", "reason": "drill", "scope": "trend", "value": "halt"}
    identity = folder.submit(request)
    assert gate.decide(signal()).reason == "kill_switch"
    answer = folder.await_acknowledgement(identity, 0.0)
    assert answer is not None
    assert (answer["done"], answer["trading_state"]) == (True, "active")


def test_a_request_that_nobody_can_read_halts(gate, signal, ledger_path):
    folder = ControlFolder(ledger_path)
    (folder.path / "requests" / "00000000000000000001-broken").write_bytes(b"{not json")
    assert gate.decide(signal()).reason == "kill_switch"
    assert gate.trading_state is TradingState.REDUCING
    assert not folder.pending()


def test_a_gate_that_nobody_could_stop_stops_itself(gate, signal, ledger_path):
    import shutil

    shutil.rmtree(ControlFolder(ledger_path).path)
    assert gate.decide(signal()).reason == "halted"


def test_a_gate_whose_control_folder_is_opened_to_others_stops_itself(gate, signal, ledger_path):
    assert gate.decide(signal()).approved
    (ControlFolder(ledger_path).path / "requests").chmod(0o777)
    assert gate.decide(signal(2)).reason == "halted"


def test_a_gate_that_cannot_answer_an_operator_obeys_and_stops_itself(gate, signal, ledger_path):
    folder = ControlFolder(ledger_path)
    folder.submit({"action": "trip", "operator": "A", "reason": "drill", "scope": "account", "value": "halt"})
    (folder.path / "answers").rmdir()
    assert [gate.decide(signal(number)).reason for number in (1, 2)] == ["halted", "halted"]
    assert gate.engine.severity("trend").value == "halt"
    assert gate.engine.sequence == 4


def test_a_decision_slower_than_its_deadline_is_a_rejection_and_replays_as_one(genesis, ledger_path, signal, clock):
    ticks = iter([0, 5_000_000, 0, 500_000_000, 0, 5_000_000])
    gate = RiskGate.create(ledger_path, genesis, KEY, clock=clock, timer=lambda: next(ticks))
    in_time, late = gate.decide(signal(1)), gate.decide(signal(2))
    assert (in_time.verdict, late.verdict, late.reason) == ("approved", "rejected", "deadline")
    gate._store.close()
    with RiskGate.open(ledger_path, KEY, clock=clock, timer=None) as restarted:  # runs the tail again
        assert restarted.decide(signal(2)).reason == "deadline"


def test_a_command_from_the_future_is_not_taken(genesis, ledger_path, signal, clock):
    def decide(gate, number, ahead_seconds):
        return gate.decide(signal(number), at=clock() + ahead_seconds * 1_000_000_000)

    ticks = itertools.repeat(0)
    with RiskGate.create(ledger_path, genesis, KEY, clock=clock, timer=lambda: next(ticks)) as gate:
        with pytest.raises(InvalidArgument, match=r"3,600 s ahead of the gate's clock, of which 60 s are borne"):
            decide(gate, 1, 3600)
        with pytest.raises(InvalidArgument, match="ahead of the gate's clock"):
            gate.tick(at=clock() + 61 * 1_000_000_000)
        assert gate.engine.sequence == 0
        assert decide(gate, 1, 0).reason is None
    with RiskGate.open(ledger_path, KEY, clock=clock, timer=None) as simulated:  # no clock to be ahead of
        simulated.tick(at=clock() + 61 * 1_000_000_000)


def test_a_listener_that_fails_touches_no_decision(gate, signal):
    heard = []

    def broken(_command, _decision, _events):
        raise OSError("no space left")

    gate.subscribe(broken)
    gate.subscribe(lambda command, _decision, _events: heard.append(command.kind))
    assert gate.decide(signal()).approved
    assert (heard, gate.listener_failures) == (["signal"], 1)


def test_a_listener_that_alters_what_it_is_told_alters_nothing_else(gate, signal):
    approved = gate.approve_trade(signal())
    gate.subscribe(lambda *told: [event.clear() for event in told[-1]])
    gate.release(approved)
    with pytest.raises(RejectionException, match="released once"):
        gate.release(approved)


def test_a_command_that_makes_no_sense_is_recorded_and_changes_nothing(gate):
    before = gate.engine.account.equity
    with pytest.raises(InvalidArgument, match="MSFT"):
        gate.quotes({"MSFT": float("nan")})
    with pytest.raises(InvalidArgument, match="NOSUCH"):
        gate.quotes({"NOSUCH": 1.0})
    assert gate.engine.account.equity == before
    assert gate.engine.sequence == 2
    assert not gate.failed


def test_threads_share_a_gate_and_nothing_is_lost_or_doubled(gate, signal, ledger_path):
    decisions = []

    def ask(start: int) -> None:
        decisions.extend(gate.decide(signal(number, quantity=1_000.0)) for number in range(start, start + 10))

    threads = [threading.Thread(target=ask, args=(10 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(d.sequence for d in decisions) == list(range(1, 41))
    assert verify(ledger_path, KEY).ok


def test_a_fill_is_taken_once(gate, signal):
    approved = gate.approve_trade(signal())
    gate.release(approved)
    for _ in range(2):
        gate.fill(
            "f1", "s1", strategy_id="trend", symbol="EURUSD", side="buy", quantity=100_000.0, price=approved.entry
        )
    assert float(gate.engine.account.held("EURUSD")) == 100_000.0


def test_another_fill_under_an_id_that_was_taken_halts_and_is_not_passed_over(gate, signal):
    approved = gate.approve_trade(signal())
    gate.release(approved)
    told = {"strategy_id": "trend", "symbol": "EURUSD", "side": "buy", "price": approved.entry}
    gate.fill("F1", approved.order_id, quantity=40_000.0, **told)
    with pytest.raises(InvalidArgument, match="said something else"):
        gate.fill("F1", approved.order_id, quantity=60_000.0, **told)
    assert gate.engine.account.orders[approved.order_id].filled == 40_000
    assert gate.trading_state is TradingState.REDUCING


def test_a_bar_that_was_refused_can_be_put_right_and_one_that_was_taken_cannot_change(gate):
    at = gate.engine.last_at + 3 * 86_400 * SECOND
    with pytest.raises(InvalidArgument, match="price of"):
        gate.price_bar("2019-07-01", {"EURUSD": float("nan")}, at=at)
    assert gate.price_bar("2019-07-01", {"EURUSD": 1.13}, at=at) is not None
    assert gate.engine.market.price("EURUSD") == (1.13, at)
    assert gate.price_bar("2019-07-01", {"EURUSD": 1.13}, at=at + 1) == ()
    with pytest.raises(InvalidArgument, match="said something else"):
        gate.price_bar("2019-07-01", {"EURUSD": 1.14}, at=at + 1)
    assert gate.trading_state is TradingState.ACTIVE


def test_a_ledger_of_another_key_is_refused(gate, ledger_path):
    from rpmcore.adapters.ledger.errors import LedgerDamaged
    from rpmcore.domain.signing_key import SigningKey

    gate.close()
    with pytest.raises(LedgerDamaged):
        RiskGate.open(ledger_path, SigningKey(b"another key, as long as the first one was"))


def test_one_changed_byte_of_a_ledger_stops_the_gate(gate, signal, ledger_path):
    import sqlite3

    gate.decide(signal())
    gate.close()
    with sqlite3.connect(ledger_path) as connection:
        connection.execute("UPDATE records SET body = replace(body, 'approved', 'approveD') WHERE kind = 'decision'")
    from rpmcore.adapters.ledger.errors import LedgerDamaged

    with pytest.raises(LedgerDamaged):
        RiskGate.open(ledger_path, KEY)
    assert not verify(ledger_path, KEY).ok


@pytest.mark.usefixtures("gate")
def test_the_files_beside_a_ledger_are_its_owners_alone(ledger_path: Path):
    assert (ControlFolder(ledger_path).path.stat().st_mode & 0o077) == 0


@pytest.mark.parametrize("at", [float("nan"), 1.5, "noon", True, -1, 2**63, 10**25])
def test_a_time_that_is_none_is_refused_and_the_gate_goes_on(gate, signal, at):
    for ask in (gate.tick, lambda at: gate.decide(signal(), at=at), lambda at: gate.what_if(signal(), at=at)):
        with pytest.raises(InvalidArgument, match="nanoseconds"):
            ask(at=at)
    with pytest.raises(InvalidArgument, match="nanoseconds"):
        gate.handle(Tick(at=at))
    assert gate.engine.sequence == 0
    assert gate.decide(signal()).approved


def test_text_that_cannot_be_written_down_is_refused_and_the_gate_goes_on(gate, signal):
    with pytest.raises(InvalidArgument, match="signal_id"):
        signal(signal_id="\ud800")
    with pytest.raises(InvalidArgument, match="correlation_id"):
        signal(correlation_id="\udfff")
    with pytest.raises(InvalidArgument, match="canonical JSON"):
        gate.operate("trip", operator="A. Head", reason="\ud800", value="halt")
    assert gate.decide(signal()).approved


def test_the_largest_weight_counts_what_is_on_its_way(signal):
    from tests.gate.conftest import make_genesis

    genesis = make_genesis("sizing.maximum_weight=0.005", "strategies.probation_multiplier=1.0")
    gate = RiskGate.in_memory(genesis, clock=lambda: genesis.at)
    first, second = (gate.decide(signal(number, quantity=30_000.0)) for number in (1, 2))
    assert (first.approved, second.verdict, second.binding) == (30_000.0, "cut", "sizing")
    assert "maximum weight" in second.check("sizing").text
    unit = gate.engine.market.unit_value("EURUSD") / gate.engine.account.equity
    assert 0.005 - 1_000.0 * unit < (first.approved + second.approved) * unit <= 0.005


def test_a_strategy_that_is_stopped_reduces_what_it_holds_and_not_what_others_hold(gate, signal):
    held = float(gate.engine.account.held("KO"))
    assert held > 0
    early = gate.approve_trade(signal(1, symbol="KO", side="sell", quantity=100.0))
    gate.operate("trip", operator="A. Head", reason="drill", value="halt", scope="trend")
    against_others = gate.decide(signal(2, symbol="KO", side="sell", quantity=held - 100.0))
    its_own = gate.decide(signal(3, symbol="KO", strategy_id="core_equity", side="sell", quantity=held - 100.0))
    assert (against_others.verdict, against_others.reason) == ("rejected", "kill_switch")
    assert its_own.verdict == "approved"
    with pytest.raises(RejectionException, match="left to reduce"):
        gate.release(early)


def test_under_a_halt_of_the_account_what_shrinks_its_position_passes_whoever_sends_it(gate, signal):
    gate.operate("trip", operator="A. Head", reason="drill", value="halt")
    assert gate.decide(signal(1, symbol="KO", side="sell", quantity=100.0)).verdict == "approved"
