"""``rpm gate reload``: tighter settings by anybody, looser ones by name, also in a gate that holds the ledger."""

import json
import threading

WHO = ("--operator", "A. Person", "--reason", "risk committee")


def settings_of(desk, tmp_path, **limits):
    """Write the settings that the desk's ledger began with, and other limits."""
    from rpmcore.policy_diff import genesis_settings

    found = genesis_settings(desk.ledger)
    found["limits"].update(limits)
    path = tmp_path / "desk.json"
    path.write_text(json.dumps(found))
    return path


def limit_in_force(desk, key="value_at_risk"):
    from rpmcore.adapters.ledger.reader import LedgerReader
    from rpmcore.gate_store import restored

    with LedgerReader.open(desk.ledger) as reader:
        return getattr(restored(reader).settings.limits, key)


def test_where_nobody_holds_the_ledger(desk, tmp_path):
    tight = settings_of(desk, tmp_path, value_at_risk=0.01)
    done = desk("gate", "reload", desk.ledger, "--config", tight)
    assert done.code == 0, done.err
    assert "recorded by this command as command" in done.out
    assert "Trading state: ACTIVE" in done.out
    assert limit_in_force(desk) == 0.01
    again = desk("gate", "reload", desk.ledger, "--config", tight)
    assert "these settings are in force already" in again.out
    loose = settings_of(desk, tmp_path, value_at_risk=0.05)
    refused = desk("gate", "reload", desk.ledger, "--config", loose)
    assert refused.code == 2
    assert "only tighten: limits.value_at_risk (0.01 to 0.05, loosens)" in refused.err
    named = json.loads(desk("gate", "reload", desk.ledger, "--config", loose, *WHO, "--json").out)
    assert (named["action"], named["operator"]) == ("reload", "A. Person")
    assert limit_in_force(desk) == 0.05
    assert desk("replay", desk.ledger, "--quiet").code == 0


def test_a_gate_that_holds_the_ledger_takes_and_refuses_them(desk, holder, tmp_path):
    tight, loose = (settings_of(desk, tmp_path, value_at_risk=v).rename(tmp_path / f"{v}.json") for v in (0.01, 0.05))
    process = holder("obeys")
    over = threading.Event()

    def signals_keep_coming():
        while not over.wait(0.02):
            process.stdin.write("\n")
            process.stdin.flush()

    thread = threading.Thread(target=signals_keep_coming)
    thread.start()
    try:
        taken = desk("gate", "reload", desk.ledger, "--config", tight, "--json")
        refused = desk("gate", "reload", desk.ledger, "--config", loose)
    finally:
        over.set()
        thread.join()
    assert taken.code == 0, taken.err
    assert json.loads(taken.out)["by"] == "the gate"
    assert refused.code == 2
    assert "the gate refused: without an operator and a reason settings only tighten" in refused.err
    assert limit_in_force(desk) == 0.01
