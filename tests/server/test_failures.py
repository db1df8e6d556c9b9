"""A failed commit, a full queue, an operator before all others, a configuration read again."""

import asyncio
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import pytest

from rpmcore.adapters.ledger.errors import LedgerDamaged
from rpmcore.adapters.ledger.reader import LedgerReader
from rpmcore.domain.canonical import parse
from rpmcore.domain.errors import ConfigurationError
from rpmcore.gate import GateHalted
from rpmcore.server import lifecycle
from rpmcore.server.keys import KeyFile
from rpmcore.server.opening import Asked
from tests.gate.conftest import KEY, short_settings
from tests.server.conftest import WHO, eventually, served


def test_a_failed_commit_answers_nobody_and_halts_all(desk):
    gate = desk.service.gate
    assert desk.post("/v1/decisions", desk.signal(0)).status_code == 200
    with ThreadPoolExecutor(8) as pool:
        with gate.reading():
            asked = [pool.submit(desk.post, "/v1/decisions", desk.signal(n)) for n in range(1, 9)]
            eventually(lambda: desk.service.desk.taken, lambda taken: taken == 9)
            gate._store._connection.execute("PRAGMA query_only = ON")  # the disk says no
        answers = [each.result() for each in asked]
    assert {answer.status_code for answer in answers} == {503}
    assert "the gate has halted" in answers[0].json()["detail"]
    assert answers[0].headers["retry-after"] == "1"
    assert desk.post("/v1/decisions", desk.signal(9)).status_code == 503
    assert desk.post("/v1/operator/trip", {**WHO, "value": "halt"}).status_code == 503
    assert desk.state(lambda s: s["trading_state"] == "halted")["server"]["ready"] is False
    assert desk.get("/health/ready", None).status_code == 503
    assert desk.get("/health/live", None).status_code == 200
    with LedgerReader.open(desk.path, KEY) as reader:
        assert [parse(r.body)["signal"]["signal_id"] for r in reader.records("decision")] == ["s0"]


def test_those_who_wait_are_recorded_together(desk):
    with ThreadPoolExecutor(8) as pool:
        before = desk.service.gate.end.position
        with desk.service.gate.reading():
            asked = [pool.submit(desk.post, "/v1/decisions", desk.signal(n)) for n in range(8)]
            eventually(lambda: desk.service.desk.taken, lambda taken: taken == 8)
            appended = []
            append = desk.service.gate._store.append

            def counted(records):
                appended.append(len(records))
                return append(records)

            store = desk.service.gate._store
            desk.service.gate._store = _Counting(store, counted)
        answers = [each.result() for each in asked]
    assert [answer.status_code for answer in answers] == [200] * 8
    assert len(appended) <= 3, "a group is one transaction"
    assert max(appended) >= 16
    assert store.head.position > before


class _Counting:
    def __init__(self, store, append):
        self._inner, self.append = store, append

    def __getattr__(self, name):
        return getattr(self._inner, name)


def test_the_same_signal_twice_in_a_group_is_one_decision(desk):
    with ThreadPoolExecutor(8) as pool:
        with desk.service.gate.reading():
            asked = [pool.submit(desk.post, "/v1/decisions", desk.signal(n % 2)) for n in range(8)]
            eventually(lambda: desk.service.desk.taken, lambda taken: taken == 8)
        answers = [each.result() for each in asked]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["sequence"] for answer in answers}) == 2
    assert sum("idempotent-replay" in answer.headers for answer in answers) == 6


def test_a_full_queue_says_so_and_never_keeps_an_operator_out(tmp_path):
    with served(tmp_path, "server.queue_capacity=2") as desk, ThreadPoolExecutor(8) as pool:
        with desk.service.gate.reading():
            asked = []
            for number in (1, 2):
                asked.append(pool.submit(desk.post, "/v1/decisions", desk.signal(number)))
                eventually(lambda: desk.service.desk.taken, lambda taken, n=number: taken == n)
            refused = desk.post("/v1/decisions", desk.signal(3))
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
            assert "as many as may" in refused.json()["detail"]
            stop = pool.submit(desk.post, "/v1/operator/trip", {**WHO, "value": "halt"})
            eventually(lambda: desk.service.desk.taken, lambda taken: taken == 3)
        assert stop.result().json()["trading_state"] == "reducing"
        assert {each.result().json()["reason"] for each in asked} == {"kill_switch"}
        assert desk.post("/v1/decisions", desk.signal(3)).status_code == 200


def test_an_operator_beside_the_service_is_obeyed_before_the_next_decision(desk):
    from rpmcore.adapters.control_folder import ControlFolder

    folder = ControlFolder(desk.path)
    request = folder.submit({"action": "trip", **WHO, "scope": "account", "value": "halt"})
    answer = desk.post("/v1/decisions", desk.signal())
    assert answer.json()["reason"] == "kill_switch"
    assert folder.await_acknowledgement(request, 0.0)["done"] is True


def test_what_fails_within_is_told_without_a_traceback(desk, monkeypatch, caplog):
    def broken(*_, **__):
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(desk.service.gate, "what_if", broken)
    answer = desk.post("/v1/what-if", desk.signal())
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "secret" not in answer.text
    assert desk.post("/v1/decisions", desk.signal()).status_code == 200
    assert "a secret detail" in caplog.text


def _reload(desk):
    told = []
    start = lifecycle.Start(
        asked=None, load=desk.service.configuration, named=True, tell=told.append
    )  # fmt: skip
    asyncio.run(lifecycle.reload_now(desk.service, start))
    return told


def test_a_configuration_that_tightens_is_taken_and_one_that_loosens_is_not(desk, monkeypatch):
    monkeypatch.setattr(lifecycle, "_known_keys", lambda *_: ((), ()))
    monkeypatch.setattr(desk.service.keys, "take", lambda _: None)
    before = desk.get("/v1/state").json()["config_digest"]
    from tests.server.conftest import ROOMY

    desk.load[0] = lambda: short_settings(*ROOMY, "limits.value_at_risk=0.015")
    assert _reload(desk) == ["The configuration was read again."]
    tight = desk.state(lambda s: s["config_digest"] != before)["config_digest"]
    desk.load[0] = lambda: short_settings(*ROOMY, "limits.value_at_risk=0.03")
    assert "limits.value_at_risk" in _reload(desk)[0]
    state = desk.state(lambda s: s["server"]["reload_problem"])
    assert state["config_digest"] == tight
    assert "limits.value_at_risk" in state["server"]["reload_problem"]

    def unreadable():
        raise ConfigurationError("rpm.yaml, line 3: no such key")

    desk.load[0] = unreadable
    assert "line 3" in _reload(desk)[0]
    assert desk.state(lambda s: "line 3" in (s["server"]["reload_problem"] or ""))["config_digest"] == tight
    desk.load[0] = lambda: short_settings(*ROOMY, "limits.value_at_risk=0.015")
    _reload(desk)
    desk.state(lambda s: s["server"]["reload_problem"] is None)
    with LedgerReader.open(desk.path, KEY) as reader:
        recorded = [c for c in (parse(r.body) for r in reader.records("command")) if c["kind"] == "reconfigured"]
    assert (recorded[0]["replaces"], recorded[0]["config_digest"]) == (before, tight)
    assert len(recorded) == 2, "that it was asked to loosen is recorded too"


def test_an_operator_may_loosen_by_the_api(desk):
    from tests.server.conftest import ROOMY

    desk.load[0] = lambda: short_settings(*ROOMY, "limits.value_at_risk=0.03")
    done = desk.post("/v1/operator/reload", {**WHO})
    assert (done.status_code, done.json()["action"]) == (200, "reload")
    assert desk.get("/v1/state").status_code == 200

    def unreadable():
        raise ConfigurationError("rpm.yaml, line 3: no such key")

    desk.load[0] = unreadable
    refused = desk.post("/v1/operator/reload", {**WHO})
    assert (refused.status_code, refused.json()["detail"]) == (409, "rpm.yaml, line 3: no such key")


def test_without_a_configuration_there_is_nothing_to_read_again(tmp_path):
    with served(tmp_path, rereads=False) as desk:
        refused = desk.post("/v1/operator/reload", {**WHO})
        assert (refused.status_code, refused.json()["detail"].split(":")[1]) == (409, " those of the ledger stand")


def test_a_thread_that_ends_lets_nobody_wait(desk, monkeypatch):
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    monkeypatch.setattr(desk.service.desk, "_keep_time", lambda: 1 / 0)
    desk.post("/v1/decisions", desk.signal())
    answer = eventually(lambda: desk.post("/v1/decisions", desk.signal(2)), lambda answer: answer.status_code == 503)
    assert answer.headers["content-type"] == "application/problem+json"
    assert desk.get("/health/ready", None).status_code == 503


def test_a_group_that_cannot_be_recorded_raises_at_its_end(genesis_gate):
    gate, signal = genesis_gate

    def group():
        with gate.together():
            assert gate.decide(signal(1)).approved
            gate._store._connection.execute("PRAGMA query_only = ON")

    with pytest.raises(GateHalted):
        group()
    with pytest.raises(GateHalted):
        gate.decide(signal(2))


def test_a_group_is_told_to_listeners_only_once_it_is_safe(genesis_gate):
    gate, signal = genesis_gate
    heard = []
    gate.subscribe(lambda command, *_: heard.append(command.kind))
    with gate.together():
        gate.decide(signal(1))
        gate.decide(signal(2))
        assert heard == []
        gate.operate("trip", operator="A. Person", reason="now", value="halt")
        assert heard == ["signal", "signal", "operator"], "what operators say is safe at once"
        assert not gate.decide(signal(3)).approved
    assert heard == ["signal", "signal", "operator", "signal"]


@pytest.fixture
def genesis_gate(tmp_path):
    from rpmcore.domain.orders import Signal
    from rpmcore.gate import RiskGate
    from tests.gate.conftest import make_genesis

    genesis = make_genesis()
    last = {symbol: price for symbol, price, _ in genesis.last}

    def signal(number):
        return Signal(
            signal_id=f"s{number}", strategy_id="trend", symbol="EURUSD", side="buy", entry=last["EURUSD"],
            at=genesis.at, quantity=1000.0,
        )  # fmt: skip

    with RiskGate.create(tmp_path / "l", genesis, KEY, clock=lambda: genesis.at, timer=None) as gate:
        yield gate, signal


def test_nobody_who_asks_while_a_failed_gate_turns_all_away_waits_for_ever(desk):
    """Whoever joins the queue between its being read and its being emptied is answered too."""
    thread = desk.service.desk

    class Meanwhile(deque):
        def __iter__(self):
            yield from tuple(deque.__iter__(self))
            self.read.set()
            self.asked.wait(1.0)

    waiting = Meanwhile()
    waiting.read, waiting.asked = threading.Event(), threading.Event()
    with ThreadPoolExecutor(3) as pool:
        with desk.service.gate.reading():
            first = pool.submit(desk.post, "/v1/decisions", desk.signal(1))
            eventually(lambda: thread.taken, lambda taken: taken == 1)
            desk.service.gate._failed = "the disk is full"
            waiting.extend(thread._waiting)
            thread._waiting = waiting
            second = pool.submit(desk.post, "/v1/decisions", desk.signal(2))
            eventually(lambda: thread.taken, lambda taken: taken == 2)
        assert waiting.read.wait(30.0)
        third = pool.submit(desk.post, "/v1/decisions", desk.signal(3))
        assert [each.result(30.0).status_code for each in (first, second, third)] == [503] * 3


def test_a_key_that_was_the_last_is_revoked_by_sighup_too(tmp_path):
    file = KeyFile(tmp_path / "keys.json")
    secret = file.create("desk", ("read", "decide", "operate"))
    with served(tmp_path, f"server.keys_file={file.path}") as desk:
        desk.service.keys.take(file.read())
        assert desk.get("/v1/state", secret).status_code == 200
        file.revoke("desk")
        told = []
        start = lifecycle.Start(
            asked=Asked(ledger=str(desk.path)), load=desk.service.configuration, named=True, tell=told.append
        )
        asyncio.run(lifecycle.reload_now(desk.service, start))
        assert desk.get("/v1/state", secret).status_code == 401
        assert desk.get("/v1/state", None).status_code == 401


def test_a_ledger_that_is_damaged_is_our_fault_and_nobody_elses(desk, monkeypatch):
    def damaged(_):
        raise LedgerDamaged(desk.path, "record 3 is missing", 3)

    monkeypatch.setattr(desk.service, "stored", damaged)
    answer = desk.get("/v1/decisions/s1")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")


def test_a_conflict_is_told_as_one_whatever_else_stands_against_it(desk):
    desk.post("/v1/decisions", desk.signal())
    desk.post("/v1/operator/trip", {**WHO, "value": "halt"})
    answer = desk.post("/v1/decisions", desk.signal(quantity=2000.0))
    assert answer.status_code == 409
    assert "another content" in answer.json()["detail"]
