"""Deciding over HTTP: verdicts, idempotency, releases, fills, and what the ledger holds afterwards."""

from rpmcore.adapters.ledger.reader import LedgerReader
from rpmcore.controls.command_time import DAY
from rpmcore.domain.canonical import parse
from tests.gate.conftest import KEY, make_genesis
from tests.server.conftest import ROOMY, WHO, served


def test_a_signal_is_decided_and_recorded_before_it_is_answered(desk):
    answer = desk.post("/v1/decisions", desk.signal())
    assert answer.status_code == 200
    decision = answer.json()
    assert decision["schema"] == "rpm.decision/1"
    assert (decision["verdict"], decision["approved"], decision["dry_run"]) == ("approved", 1000.0, False)
    with LedgerReader.open(desk.path, KEY) as reader:
        stored = parse(reader.find("signal:s1").body)
    assert stored == {name: value for name, value in decision.items() if name != "dry_run"}


def test_a_rejection_is_an_answer_too(desk):
    far = desk.post("/v1/decisions", desk.signal(entry=desk.last["EURUSD"] * 1.2))
    assert far.status_code == 200
    assert (far.json()["verdict"], far.json()["reason"]) == ("rejected", "price_collar")
    both = desk.post("/v1/decisions", desk.signal(2, risk=0.001))
    assert both.json()["reason"] == "invalid_signal"


def test_the_same_again_gets_the_stored_decision_and_another_content_is_a_conflict(desk):
    first = desk.post("/v1/decisions", desk.signal())
    desk.clock.now += 5_000_000_000
    again = desk.post("/v1/decisions", desk.signal())
    assert again.json() == first.json()
    assert again.headers["idempotent-replay"] == "true"
    assert "idempotent-replay" not in first.headers
    other = desk.post("/v1/decisions", desk.signal(quantity=2000.0))
    assert (other.status_code, other.headers["content-type"]) == (409, "application/problem+json")
    assert "another content" in other.json()["detail"]
    named = {**desk.signal(3), "at": desk.clock.now}
    assert desk.post("/v1/decisions", named).status_code == 200
    assert desk.post("/v1/decisions", named).headers["idempotent-replay"] == "true"
    assert desk.post("/v1/decisions", {**named, "at": desk.clock.now - 1}).status_code == 409


def test_the_header_of_idempotency_is_the_id_or_nothing(desk):
    assert desk.post("/v1/decisions", desk.signal(), **{"Idempotency-Key": "s1"}).status_code == 200
    refused = desk.post("/v1/decisions", desk.signal(2), **{"Idempotency-Key": "s1"})
    assert refused.status_code == 409
    assert desk.get("/v1/decisions/s2").status_code == 404


def test_what_if_records_nothing(desk):
    asked = desk.post("/v1/what-if", desk.signal())
    assert asked.json()["verdict"] == "approved"
    assert desk.get("/v1/decisions/s1").status_code == 404
    assert desk.post("/v1/decisions", desk.signal()).json()["sequence"] == asked.json()["sequence"]


def test_a_decision_is_found_again_by_its_id_whatever_is_in_it(desk):
    for name in ("a/b", "..", "ü ß", "../../etc/passwd"):
        first = desk.post("/v1/decisions", desk.signal(signal_id=name))
        assert first.status_code == 200
    found = desk.client.get("/v1/decisions/a%2Fb", headers=desk.bearer("all"))
    assert found.json()["signal"]["signal_id"] == "a/b"
    assert desk.client.get("/v1/decisions/%C3%BC%20%C3%9F", headers=desk.bearer("all")).status_code == 200


def test_an_approval_is_released_filled_and_closed(desk):
    decision = desk.post("/v1/decisions", desk.signal(quantity=3000.0)).json()
    wrong = desk.post("/v1/releases", {"signal_id": "s1", "signature": "0" * 64})
    assert wrong.status_code == 409
    assert "not given by this gate" in wrong.json()["detail"]
    more = {"signal_id": "s1", "signature": decision["signature"], "quantity": 4000.0}
    assert desk.post("/v1/releases", more).status_code == 409
    sent = desk.post("/v1/releases", {"signal_id": "s1", "signature": decision["signature"]})
    assert sent.status_code == 200
    assert (sent.json()["schema"], sent.json()["quantity"]) == ("rpm.release/1", 3000.0)
    assert desk.post("/v1/releases", {"signal_id": "s1", "signature": decision["signature"]}).status_code == 409
    assert desk.post("/v1/order-events", {"order_id": "s1", "event": "accepted"}).json()["replayed"] is True
    fill = {
        "fill_id": "f1", "order_id": "s1", "strategy_id": "trend", "symbol": "EURUSD", "side": "buy",
        "quantity": 1000.0, "price": desk.last["EURUSD"],
    }  # fmt: skip
    assert desk.post("/v1/fills", fill).json()["replayed"] is False
    assert desk.post("/v1/fills", fill).json()["replayed"] is True
    over = desk.post("/v1/order-events", {"order_id": "s1", "event": "cancelled", "reason": "end of day"})
    assert over.status_code == 200
    assert desk.post("/v1/order-events", {"order_id": "s1", "event": "accepted"}).status_code == 409
    last = over.json()["sequence"]
    state = desk.state(lambda s: s["revision"] >= last)
    held = [p["quantity"] for p in state["positions"] if (p["strategy_id"], p["symbol"]) == ("trend", "EURUSD")]
    assert (held, state["orders"]) == ([1000.0], [])


def test_a_release_without_an_approval_is_refused(desk):
    assert desk.post("/v1/releases", {"signal_id": "nobody", "signature": "00"}).status_code == 409
    desk.post("/v1/decisions", desk.signal(entry=desk.last["EURUSD"] * 1.2))
    assert desk.post("/v1/releases", {"signal_id": "s1", "signature": "00"}).status_code == 409


def test_another_fill_under_the_id_of_one_halts_the_account(desk):
    desk.post("/v1/decisions", desk.signal())
    fill = {
        "fill_id": "f1", "order_id": "s1", "strategy_id": "trend", "symbol": "EURUSD", "side": "buy",
        "quantity": 500.0, "price": desk.last["EURUSD"],
    }  # fmt: skip
    assert desk.post("/v1/fills", fill).status_code == 200
    assert desk.post("/v1/fills", {**fill, "quantity": 400.0}).status_code == 409
    assert desk.state(lambda s: s["trading_state"] == "reducing")["scopes"][0]["severity"] == "halt"


def test_prices_marks_and_closed_trades_reach_the_gate(desk):
    quoted = desk.post("/v1/prices", {"prices": {"EURUSD": desk.last["EURUSD"] * 1.001}})
    assert quoted.status_code == 200
    assert desk.post("/v1/prices", {"prices": {"NONE": 1.0}}).status_code == 409
    desk.clock.now += 3 * DAY
    day = desk.post("/v1/prices", {"day": "2019-07-01", "prices": {"EURUSD": desk.last["EURUSD"]}})
    assert (day.status_code, day.json()["replayed"]) == (200, False)
    assert desk.post("/v1/marks", {"equity": 9_900_000.0, "mark_id": "m1"}).json()["replayed"] is False
    assert desk.post("/v1/marks", {"equity": 9_900_000.0, "mark_id": "m1"}).json()["replayed"] is True
    trade = {
        "trade_id": "t1", "strategy_id": "trend", "symbol": "EURUSD", "side": "buy", "opened_at": desk.clock.now - 10,
        "closed_at": desk.clock.now, "pnl": 100.0,
    }  # fmt: skip
    assert desk.post("/v1/closed-trades", trade).status_code == 200
    assert desk.post("/v1/closed-trades", {**trade, "trade_id": "t2", "closed_at": 0}).status_code == 409
    state = desk.state(lambda s: s["last_bar"] == "2019-07-01")
    assert state["equity"] == 9_900_000.0


def test_a_dry_run_says_so_and_sends_nothing(tmp_path):
    with served(tmp_path, dry_run=True) as desk:
        decision = desk.post("/v1/decisions", desk.signal()).json()
        assert decision["dry_run"] is True
        refused = desk.post("/v1/releases", {"signal_id": "s1", "signature": decision["signature"] or ""})
        assert (refused.status_code, refused.json()["detail"]) == (409, "this is a dry run: nothing may be sent")
        assert desk.get("/v1/state").json()["server"]["dry_run"] is True


def test_capital_is_rolled_out_step_by_step(tmp_path):
    asked = {"quantity": 10_000.0}
    found = []
    for step in ("0.1", "0.5", None):
        changes = () if step is None else (
            f"flags.rollout.value={step}", "flags.rollout.owner=A. Person", "flags.rollout.expires=2099-12-31",
        )  # fmt: skip
        folder = tmp_path / str(step)
        folder.mkdir()
        with served(folder, *changes, genesis=make_genesis(*ROOMY, *changes)) as desk:
            decision = desk.post("/v1/decisions", desk.signal(**asked)).json()
            found.append((desk.get("/v1/state").json()["server"]["rollout"], decision["approved"]))
    assert found == [(0.1, 1000.0), (0.5, 5000.0), (1.0, 10_000.0)]


def test_an_operator_stops_and_starts_it(desk):
    tripped = desk.post("/v1/operator/trip", {**WHO, "value": "halt", "request_id": "r1"})
    assert (tripped.status_code, tripped.json()["trading_state"]) == (200, "reducing")
    again = desk.post("/v1/operator/trip", {**WHO, "value": "halt", "request_id": "r1"}).json()
    assert (again["replayed"], again["sequence"]) == (True, None)
    assert desk.post("/v1/decisions", desk.signal()).json()["reason"] == "kill_switch"
    assert desk.post("/v1/operator/trip", {**WHO, "value": "nonsense"}).status_code == 409
    assert desk.post("/v1/operator/reset", {**WHO, "request_id": "r2"}).json()["trading_state"] == "active"
    assert desk.post("/v1/operator/pin-regime", {**WHO, "request_id": "r3", "value": "stressed"}).status_code == 200
    state = desk.state(lambda s: s["regime"]["name"] == "stressed")
    assert state["regime"]["pinned"] is True
    assert desk.post("/v1/operator/release-regime", {**WHO, "request_id": "r4"}).status_code == 200
    assert desk.post("/v1/operator/enable-strategy", {**WHO, "request_id": "r5", "scope": "trend"}).status_code == 409
    assert desk.post("/v1/operator/clear-integrity", {**WHO, "request_id": "r6"}).status_code in (200, 409)
