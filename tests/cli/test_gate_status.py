"""``rpm gate status`` and what operators say, as they run them."""

import json

import pytest


@pytest.mark.parametrize("width", ["80", "120"])
def test_the_state_fits_and_says_what_matters(desk, width):
    done = desk("gate", "status", desk.ledger, COLUMNS=width)
    assert done.code == 0, done.err
    assert max(map(len, done.out.splitlines())) <= int(width)
    assert "\x1b" not in done.out
    text = " ".join(done.out.split())
    for words in (
        "27 commands, 55 records", "ACTIVE", "by nobody", "last closes 2019-07-10", "Equity 10,079,408 USD",
        "Limits of the day: trending", "trending → normal ×1 → stress score", "Gross", "VaR", "Positions",
        "EURUSD trend 50,000", "Working orders None.", "PROBATION", "kill_switch" if width == "80" else "A kill switch",
        "sell 50,000 EURUSD APPROVED 50,000",
    ):  # fmt: skip
        assert words in text, words
    assert "█" in done.out


def test_json_has_it_all_and_needs_no_key(desk):
    done = desk("gate", "status", desk.ledger, "--json", "--last", "2", RPM_LEDGER_KEY_FILE="/nowhere")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["schema"] == "rpm.gate_status/1"
    assert found["trading_state"] == "active"
    assert found["held_by"] is None
    assert found["held_by_reason"] == "no gate holds it"
    assert [d["signal_id"] for d in found["decisions"]] == ["s5", "s6"]
    assert [step["name"] for step in found["limits"]["steps"]] == ["regime", "volatility", "stress"]
    assert {use["name"] for use in found["uses"]} >= {"gross_exposure", "value_at_risk"}


def test_a_held_ledger_is_read_and_its_holder_named(desk, holder):
    process = holder("sleeps")
    done = desk("gate", "status", desk.ledger)
    assert done.code == 0, done.err
    assert f"by process {process.pid} on " in done.out


def test_no_ledger_and_no_ledger_of_ours(desk, tmp_path):
    missing = desk("gate", "status", tmp_path / "none.ledger")
    assert (missing.code, missing.out) == (4, "")
    assert "there is no ledger at" in missing.err
    other = tmp_path / "other.ledger"
    other.write_text("no database", encoding="utf-8")
    damaged = desk("gate", "status", other)
    assert damaged.code == 5
    assert "does not verify" in damaged.err


def test_operators_pin_and_release_the_regime_and_are_refused_with_a_reason(desk):
    who = ("--operator", "A. Person", "--reason", "election night")
    pinned = desk("gate", "pin-regime", desk.ledger, "stressed", *who, "--json")
    assert pinned.code == 0, pinned.err
    found = json.loads(pinned.out)
    assert (found["schema"], found["by"], found["sequence"]) == ("rpm.operator/1", "this command", 28)
    status = json.loads(desk("gate", "status", desk.ledger, "--json").out)
    assert status["limits"]["regime"] == "stressed"
    assert status["limits"]["pin"]["operator"] == "A. Person"
    assert desk("gate", "release-regime", desk.ledger, *who).code == 0
    refused = desk("gate", "enable-strategy", desk.ledger, "trend", *who)
    assert refused.code == 2
    assert "is not disabled" in refused.err
    assert "operator refused" in desk("audit", "show", desk.ledger, "--last", "3").out
    assert desk("gate", "clear-integrity", desk.ledger, "--operator", " ", "--reason", "x").code == 2
    assert desk("replay", desk.ledger, "--quiet").code == 0
