"""The market's side over HTTP: a signed release that a broker takes, its book against the gate's, and adoption."""

import pytest

from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.releases import ReleasedTrade, ReleaseRefused, ReleaseVerifier
from tests.gate.conftest import KEY
from tests.server.conftest import WHO


def agreeing(desk, request_id="b1", **changes):
    """Return the broker's book as the gate has it, with some changes."""
    ours = desk.get("/v1/state").json()
    positions = [{name: p[name] for name in ("symbol", "quantity", "strategy_id")} for p in ours["positions"]]
    return {
        "request_id": request_id, "source": "desk-broker", "currency": desk.service.gate.engine.genesis.account,
        "positions": positions, "orders": [], **changes,
    }  # fmt: skip


def test_a_release_is_answered_with_what_a_broker_verifies_and_takes(desk):
    decision = desk.post("/v1/decisions", desk.signal(stop=desk.last["EURUSD"] * 0.99)).json()
    answer = desk.post("/v1/releases", {"signal_id": "s1", "signature": decision["signature"], "quantity": 400.0})
    assert answer.status_code == 200
    told = answer.json()
    release = ReleasedTrade.of_plain(told)
    assert (release.order_id, release.quantity, release.side) == ("s1", 400.0, "buy")
    assert (release.epoch.integrity, release.epoch.account, release.epoch.strategy) == (0, 0, 0)
    verifier = ReleaseVerifier(KEY.for_("release"), told["ledger"])
    verifier.verify(release, at=release.released_at)
    assert told["ledger"] == desk.service.gate.ledger_id
    changed = ReleasedTrade.of_plain({**told, "quantity": 500.0})
    with pytest.raises(ReleaseRefused, match="signature"):
        verifier.verify(changed, at=release.released_at)
    with pytest.raises(InvalidArgument, match="no release"):
        ReleasedTrade.of_plain({**told, "schema": "rpm.release/9"})
    api = desk.get("/openapi.json").json()
    schema = api["components"]["schemas"]["ReleaseAnswer"]
    assert set(told) == set(schema["properties"]) == set(schema["required"])


def test_books_that_agree_say_so(desk):
    answer = desk.post("/v1/reconciliations", agreeing(desk))
    assert answer.status_code == 200
    told = answer.json()
    assert (told["differences"], told["waits"], told["trading_state"]) == ([], None, "active")
    assert desk.get("/health/ready", None).status_code == 200


def test_a_difference_halts_is_not_ready_and_is_ended_by_adoption_alone(desk):
    wrong = agreeing(desk, positions=[{"symbol": "EURUSD", "quantity": "123.5", "strategy_id": "trend"}])
    told = desk.post("/v1/reconciliations", wrong).json()
    (line,) = [line for line in told["differences"] if line["symbol"] == "EURUSD"]
    assert (line["kind"], line["gate"], line["broker"]) == ("position", "0", "123.5")
    assert told["trading_state"] == "halted"
    desk.state(lambda s: s["reconciliation"])
    ready = desk.get("/health/ready", None)
    assert ready.status_code == 503
    assert f"reconciliation {told['waits']} with desk-broker" in " ".join(ready.json()["reasons"])
    shown = desk.get("/v1/state").json()["reconciliation"]
    assert (shown["sequence"], shown["n"]) == (told["waits"], len(told["differences"]))
    assert "EURUSD" in " ".join(each["text"] for each in shown["differences"])
    assert desk.post("/v1/decisions", desk.signal()).json()["verdict"] == "rejected"
    assert desk.post("/v1/operator/clear-integrity", {**WHO, "request_id": "c"}).status_code == 409
    assert desk.post("/v1/operator/adopt-gate", {**WHO, "value": "999"}).status_code == 409
    done = desk.post("/v1/operator/adopt-broker", {**WHO, "value": str(told["waits"]), "scope": "trend"})
    assert (done.status_code, done.json()["trading_state"]) == (200, "active")
    state = desk.state(lambda s: s["reconciliation"] is None)
    assert [p["quantity"] for p in state["positions"] if p["symbol"] == "EURUSD"] == [123.5]
    assert desk.get("/health/ready", None).status_code == 200


def test_a_reconciliation_that_is_sent_again_never_looks_like_agreement(desk):
    wrong = agreeing(desk, positions=[{"symbol": "EURUSD", "quantity": 500, "strategy_id": ""}])
    first, again = (desk.post("/v1/reconciliations", wrong).json() for _ in range(2))
    assert first["differences"]
    assert (again["differences"], again["waits"], again["replayed"]) == (first["differences"], first["waits"], True)
    assert desk.post("/v1/reconciliations", {**wrong, "orders": None}).status_code == 409


def test_an_order_that_the_broker_does_not_have_is_a_difference(desk):
    decision = desk.post("/v1/decisions", desk.signal()).json()
    desk.post("/v1/releases", {"signal_id": "s1", "signature": decision["signature"]})
    told = desk.post("/v1/reconciliations", agreeing(desk)).json()
    assert [(line["kind"], line["order_id"]) for line in told["differences"]] == [("order_not_at_broker", "s1")]
    done = desk.post("/v1/operator/adopt-gate", {**WHO, "value": str(told["waits"])}).json()
    assert done["trading_state"] == "active"
    order = {"order_id": "s1", "symbol": "EURUSD", "side": "buy", "quantity": "1000"}
    assert desk.post("/v1/reconciliations", agreeing(desk, "b2", orders=[order])).json()["differences"] == []


def test_a_book_is_an_operators_word_and_is_whole(desk):
    book = agreeing(desk)
    assert desk.post("/v1/reconciliations", book, "decide").status_code == 403
    assert desk.post("/v1/reconciliations", book, None).status_code == 401
    assert desk.post("/v1/reconciliations", book, "operate").status_code == 200
    for name in ("request_id", "source", "currency", "positions", "orders"):
        answer = desk.post("/v1/reconciliations", {key: value for key, value in book.items() if key != name})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, name)
    for quantity in ("NaN", "1e5", "", "--1", 1e300):
        position = {"symbol": "EURUSD", "quantity": quantity}
        assert desk.post("/v1/reconciliations", {**book, "positions": [position]}).status_code == 422


def test_what_changes_money_needs_an_id_so_that_no_retry_is_taken_twice(desk):
    for path, name, body in (
        ("/v1/marks", "mark_id", {"equity": 9_000_000.0}),
        ("/v1/fills", "fill_id", {"order_id": "s1", "strategy_id": "trend", "symbol": "EURUSD", "side": "buy",
                                  "quantity": 1.0, "price": 1.1}),
        ("/v1/closed-trades", "trade_id", {"strategy_id": "trend", "symbol": "EURUSD", "side": "buy", "opened_at": 1,
                                           "closed_at": 2, "pnl": 1.0}),
    ):  # fmt: skip
        for missing in (body, {**body, name: ""}):
            answer = desk.post(path, missing)
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, name)
    assert desk.post("/v1/marks", {"mark_id": "m1", "equity": 9_900_000.0}).status_code == 200
    assert desk.post("/v1/marks", {"mark_id": "m2", "equity": 9_800_000.0}).status_code == 200
    assert desk.post("/v1/marks", {"mark_id": "m1", "equity": 9_900_000.0}).json()["replayed"] is True
    assert desk.state(lambda s: s["revision"] >= 2)["equity"] == 9_800_000.0
