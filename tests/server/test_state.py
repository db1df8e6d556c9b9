"""What readers see: the published state, its stream, limits, switches, stress, health and metrics."""

import json
from dataclasses import fields

import pytest

from rpmcore.adapters.ledger.reader import LedgerReader
from rpmcore.gate_status import GateStatus
from tests.server.conftest import WHO, eventually, served


def test_the_state_has_all_that_gate_status_has_and_the_service_on_top(desk):
    state = desk.get("/v1/state").json()
    assert state["schema"] == "rpm.state/1"
    reasons = {f.name for f in fields(GateStatus) if f.name.endswith("_reason")}
    assert {f.name for f in fields(GateStatus)} - reasons <= state.keys()
    assert {"version", "started_at", "ledger", "dry_run", "sample", "ready", "ready_reasons", "queue", "rollout",
            "reload_problem", "heartbeat_seconds", "tick_seconds"} == state["server"].keys()  # fmt: skip
    assert state["server"]["queue"] == {"depth": 0, "capacity": 1000}
    assert {"n", "median", "p95", "p99", "maximum"} <= state["decision_time_ms"].keys()
    assert state["regime"]["name"] == state["limits"]["regime"]
    assert state["held_by"]["pid"]


def test_shares_of_variance_sum_to_one_and_follow_the_weights(desk):
    positions = desk.get("/v1/state").json()["positions"]
    assert len(positions) > 3
    assert sum(position["share"] for position in positions) == pytest.approx(1.0, abs=1e-12)
    engine = desk.service.gate.engine
    model = engine.market.model
    weights = {p["symbol"]: p["weight"] for p in positions}
    variance = sum(
        weights[a] * weights[b] * model.covariance[model.index[a], model.index[b]] for a in weights for b in weights
    )
    one = positions[0]
    marginal = sum(model.covariance[model.index[one["symbol"]], model.index[b]] * weights[b] for b in weights)
    assert one["share"] == pytest.approx(one["weight"] * marginal / variance)


def test_a_fill_out_of_all_proportion_is_still_shown(desk):
    fill = {
        "fill_id": "f1", "order_id": "nobody", "strategy_id": "trend", "symbol": "EURUSD", "side": "buy",
        "quantity": 1e15, "price": desk.last["EURUSD"],
    }  # fmt: skip
    answer = desk.post("/v1/fills", fill)
    sequence = desk.get("/v1/state").json()["revision"] if answer.status_code != 200 else answer.json()["sequence"]
    state = desk.state(lambda s: s["revision"] >= sequence)
    assert desk.service.desk.fault == ""
    assert all(position["share"] is not None or position["share_reason"] for position in state["positions"])


@pytest.mark.parametrize("equity", [0.0, -1.0, 5e-324, 1e-300, 1e-9, 1e15])
def test_any_equity_that_a_broker_states_is_shown(desk, equity):
    answer = desk.post("/v1/marks", {"equity": equity, "mark_id": "m1"})
    assert answer.status_code in (200, 409)
    assert desk.post("/v1/decisions", desk.signal()).status_code == 200
    state = desk.state(lambda s: s["decisions"])
    assert desk.service.desk.fault == ""
    assert all(position["share"] is not None or position["share_reason"] for position in state["positions"])


def test_the_state_follows_decisions_and_remembers_the_last_fifty(desk):
    for number in range(55):
        assert desk.post("/v1/decisions", desk.signal(number)).status_code == 200
    state = desk.state(lambda s: s["decisions"] and s["decisions"][-1]["signal_id"] == "s54")
    assert [line["signal_id"] for line in state["decisions"]] == [f"s{number}" for number in range(5, 55)]
    times = state["decision_time_ms"]
    assert times["n"] == 55
    assert 0 < times["median"] <= times["p95"] <= times["p99"] <= times["maximum"]
    assert {order["order_id"] for order in state["orders"]} >= {"s54"}


def test_limits_and_switches_are_parts_of_the_state(desk):
    state = desk.get("/v1/state").json()
    limits = desk.get("/v1/limits").json()
    assert limits["limits"] == state["limits"]
    assert [use["name"] for use in limits["uses"]][:2] == ["gross_exposure", "leverage"]
    desk.post("/v1/operator/trip", {**WHO, "scope": "trend", "value": "halt"})
    found = eventually(
        lambda: {s["scope"]: s["severity"] for s in desk.get("/v1/killswitches").json()["scopes"]},
        lambda scopes: scopes["trend"] == "halt",
    )
    assert found["account"] == "none"


def test_the_stream_tells_every_change_and_ends_with_the_service(tmp_path):
    with served(tmp_path, "server.stream_seconds=0.1", "server.publish_seconds=0.05") as desk:
        with desk.client.stream("GET", "/v1/events", headers=desk.bearer("read")) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            lines = stream.iter_lines()
            assert next(lines) == "event: state"
            first = json.loads(next(lines).removeprefix("data: "))
            assert first["schema"] == "rpm.state/1"
            assert desk.post("/v1/decisions", desk.signal()).status_code == 200
            seen = [first["revision"]]
            for line in lines:
                if not line.startswith("data: "):
                    continue
                state = json.loads(line.removeprefix("data: "))
                seen.append(state["revision"])
                if state["decisions"]:
                    break
            assert seen == sorted(set(seen))
            desk.service.stopping.set()
            desk.service.published.wake()
            assert not [line for line in lines if line.startswith("nothing")]  # it ends
        eventually(lambda: desk.service.streams, lambda open_now: open_now == 0)


def test_more_streams_than_may_be_are_refused(tmp_path):
    with served(tmp_path, "server.most_streams=1") as desk:
        with desk.client.stream("GET", "/v1/events", headers=desk.bearer("read")) as stream:
            lines = stream.iter_lines()
            assert next(lines) == "event: state"
            assert desk.get("/v1/events").status_code == 503
        eventually(lambda: desk.service.streams, lambda open_now: open_now == 0)


def test_what_is_held_is_stressed_by_all_crises(desk):
    report = desk.get("/v1/stress").json()
    assert report["schema"] == "rpm.stress/1"
    assert [s["name"] for s in report["scenarios"]] == [
        "lehman2008", "flashcrash2010", "covid2020", "brexit2016", "archegos2021"
    ]  # fmt: skip
    assert {s["mode"] for s in report["scenarios"]} == {"parametric"}
    assert all(s["loss_money"] == pytest.approx(s["loss"] * 10_000_000.0) for s in report["scenarios"])
    assert desk.get("/v1/stress").json() == report


def test_it_is_ready_until_nothing_may_be_released(desk):
    assert desk.get("/health/ready", None).json() == {"status": "ok", "reasons": []}
    desk.post("/v1/operator/trip", {**WHO, "value": "halt"})
    assert desk.get("/health/ready", None).status_code == 200  # an operator's halt is no fault
    desk.service.stopping.set()
    stopping = desk.get("/health/ready", None)
    assert (stopping.status_code, stopping.json()["reasons"]) == (503, ["the service is stopping"])


def test_a_state_that_cannot_be_published_is_not_passed_off_as_new(desk, monkeypatch):
    def broken(_):
        raise RuntimeError("no room")

    monkeypatch.setattr(desk.service.desk, "_publish", broken)
    desk.post("/v1/decisions", desk.signal())
    found = eventually(lambda: desk.get("/health/ready", None), lambda answer: answer.status_code == 503)
    assert found.json()["reasons"] == ["the state that is shown is old: no room"]


def test_metrics_are_prometheus_text(desk):
    desk.post("/v1/decisions", desk.signal())
    found = desk.get("/metrics", "read")
    assert found.headers["content-type"].startswith("text/plain")
    assert 'trade_decisions_total{decision="approved",strategy="trend"} 1.0' in found.text


def test_time_passes_while_nobody_asks(tmp_path):
    with served(tmp_path, "server.tick_seconds=0.05", "server.publish_seconds=0.05") as desk:
        assert desk.post("/v1/decisions", desk.signal()).json()["verdict"] == "approved"
        desk.state(lambda s: len(s["orders"]) == 1)
        desk.clock.now += 31_000_000_000
        desk.state(lambda s: not s["orders"])


def test_a_snapshot_is_taken_now_and_then(tmp_path):
    with served(tmp_path, "server.snapshot_seconds=1.0") as desk:
        sequence = desk.post("/v1/decisions", desk.signal()).json()["sequence"]

        def latest():
            with LedgerReader.open(desk.path) as reader:
                return reader.latest_snapshot()

        assert eventually(latest, lambda snapshot: snapshot is not None).sequence >= sequence


def test_the_description_names_every_problem_and_scope(desk):
    api = desk.get("/openapi.json").json()
    decide = api["paths"]["/v1/decisions"]["post"]
    assert {"200", "400", "401", "403", "408", "409", "413", "415", "421", "422", "503"} <= decide["responses"].keys()
    assert decide["security"] == [{"key": []}]
    body = api["components"]["schemas"]["SignalBody"]
    assert body["additionalProperties"] is False
    assert {"signal_id", "strategy_id", "symbol", "side", "entry"} == set(body["required"])
    for path, methods in api["paths"].items():
        for told in methods.values():
            assert told["summary"], path
            for status, answer in told["responses"].items():
                if int(status) >= 400 and not path.startswith("/health"):
                    assert "application/problem+json" in answer["content"], (path, status)
