"""``rpm killswitch`` on a ledger: held by nobody, by a gate that obeys, and by one that does not answer."""

import json
import threading

import pytest

WHO = ("--operator", "A. Person", "--reason", "fat finger")


def trip(desk, *more):
    return desk("killswitch", "trip", desk.ledger, "--severity", "halt", *WHO, *more)


def test_trip_and_reset_where_nobody_holds_the_ledger(desk):
    done = trip(desk)
    assert done.code == 0, done.err
    assert "recorded by this command as command 28" in done.out
    assert "REDUCING" in done.out
    status = desk("killswitch", "status", desk.ledger)
    assert status.code == 0
    text = " ".join(status.out.split())
    assert "account HALT operator: fat finger (A. Person)" in text
    assert "trend NONE" in text
    reset = desk("killswitch", "reset", desk.ledger, *WHO, "--measure-anew")
    assert reset.code == 0, reset.err
    machine = json.loads(desk("killswitch", "status", desk.ledger, "--json").out)
    assert machine["schema"] == "rpm.killswitch_status/1"
    assert machine["trading_state"] == "active"
    assert machine["scopes"][0] == {"scope": "account", "severity": "none", "reasons": []}
    assert desk("replay", desk.ledger, "--quiet").code == 0


def test_one_strategy_alone(desk):
    assert trip(desk, "--scope", "trend").code == 0
    scopes = json.loads(desk("killswitch", "status", desk.ledger, "--json").out)["scopes"]
    assert {s["scope"]: s["severity"] for s in scopes} == {"account": "none", "core_equity": "none", "trend": "halt"}
    unknown = trip(desk, "--scope", "trendy")
    assert unknown.code == 2
    assert "'trendy' is neither 'account' nor a registered strategy" in unknown.err


def test_a_gate_that_holds_the_ledger_obeys_and_acknowledges(desk, holder):
    process = holder("obeys")
    over = threading.Event()

    def signals_keep_coming():
        while not over.wait(0.02):
            process.stdin.write("\n")
            process.stdin.flush()

    thread = threading.Thread(target=signals_keep_coming)
    thread.start()
    try:
        # An operator needs no key to stop a gate that runs.
        done = desk(
            "killswitch", "trip", desk.ledger, "--severity", "halt", *WHO, "--json", RPM_LEDGER_KEY_FILE="/none"
        )
    finally:
        over.set()
        thread.join()
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert (found["by"], found["trading_state"]) == ("the gate", "reducing")
    status = json.loads(desk("gate", "status", desk.ledger, "--json").out)
    assert status["trading_state"] == "reducing"
    assert status["pending"] == 0
    assert status["held_by"]["pid"] == process.pid


def test_a_gate_that_does_not_answer_leaves_the_request_standing(desk, holder):
    process = holder("sleeps")
    done = trip(desk)
    assert (done.code, done.out) == (4, "")
    assert "The request stands" in done.err
    assert "1 request of an operator waits" in desk("gate", "status", desk.ledger).out
    process.stdin.close()
    process.wait(timeout=60)
    # Whoever opens the ledger next obeys before anything else.
    asked = ("EURUSD", "--side", "buy", "--strategy", "trend", "--entry", "1.122", "--quantity", "1000")
    after = desk("decide", *asked, "--ledger", desk.ledger, "--at", "last", "--json")
    assert after.code == 3
    assert json.loads(after.out)["reason"] == "kill_switch"


def test_without_a_key_and_without_a_gate_nothing_is_recorded(desk):
    done = desk("killswitch", "trip", desk.ledger, "--severity", "halt", *WHO, RPM_LEDGER_KEY_FILE="/none")
    assert done.code == 2
    assert "/none" in done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("trip", "x", "--severity", "none", *WHO), "severity"),
        (("trip", "x", "--severity", "halt", "--operator", "A. Person"), "--reason"),
        (("trip", "x", "--severity", "halt", "--operator", "A. Person", "--reason", "  "), "a written reason"),
        (("reset", "x", "--reason", "why"), "--operator"),
    ],
)
def test_a_name_and_a_reason_are_needed(rpm, arguments, words):
    done = rpm("killswitch", *arguments)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
