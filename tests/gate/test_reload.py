"""A reload is recorded before it counts, survives a restart, and is proven like everything else."""

import pytest

from rpmcore.adapters.control_folder import ControlFolder
from rpmcore.adapters.ledger.reader import LedgerReader
from rpmcore.domain.canonical import parse
from rpmcore.domain.errors import InvalidArgument
from rpmcore.gate import RiskGate
from rpmcore.policy_diff import policy_diff
from rpmcore.proof import prove
from tests.gate.conftest import KEY, make_genesis, short_settings

TIGHT = "limits.value_at_risk=0.004"


def events_of(path, kind):
    with LedgerReader.open(path, KEY) as reader:
        return [body for r in reader.records() if r.kind == "event" and (body := parse(r.body))["type"] == kind]


def test_a_reload_tightens_is_recorded_and_survives_a_restart(gate, genesis, signal, clock, ledger_path):
    tight = short_settings(TIGHT)
    before = gate.decide(signal(1, quantity=3_000_000.0))
    gate.order_closed("s1", "cancelled")
    gate.reload(tight)
    after = gate.decide(signal(2, quantity=3_000_000.0))
    assert (before.config_digest, after.config_digest) == (genesis.config_digest, tight.digest)
    assert after.approved < before.approved
    gate.close()
    with RiskGate.open(ledger_path, KEY, clock=clock, timer=None) as again:
        assert again.engine.genesis.config_digest == tight.digest
        assert again.what_if(signal(3)).config_digest == tight.digest
        assert again.reload(tight) == ()
    (event,) = events_of(ledger_path, "reconfigured")
    assert (event["before"], event["after"]) == (genesis.config_digest, tight.digest)
    proof = prove(ledger_path, KEY)
    assert (proof.different, proof.near) == (0, 0)


def test_a_gate_that_was_killed_after_a_reload_comes_back_under_it(genesis, signal, clock, ledger_path):
    gate = RiskGate.create(ledger_path, genesis, KEY, clock=clock, timer=None)
    gate.reload(short_settings(TIGHT))
    first = gate.decide(signal(1, quantity=3_000_000.0))
    gate._store.close()  # no snapshot
    with RiskGate.open(ledger_path, KEY, clock=clock, timer=None) as again:
        assert again.decide(signal(1, quantity=3_000_000.0)) == first
        assert again.engine.settings.limits.value_at_risk == 0.004


def test_a_reload_that_loosens_is_refused_told_and_recorded_until_an_operator_says_so(gate, ledger_path):
    loose = short_settings("limits.value_at_risk=0.05")
    with pytest.raises(InvalidArgument, match=r"only tighten: limits\.value_at_risk \(0\.02 to 0\.05, loosens\)"):
        gate.reload(loose)
    assert gate.engine.settings.limits.value_at_risk == 0.02
    assert [e["after"] for e in events_of(ledger_path, "reconfigure_refused")] == [loose.digest]
    gate.reload(loose, operator="A. Head", reason="risk committee of Monday")
    assert gate.engine.settings.limits.value_at_risk == 0.05
    (event,) = events_of(ledger_path, "reconfigured")
    assert (event["operator"], event["reason"]) == ("A. Head", "risk committee of Monday")


def test_other_settings_are_held_against_a_ledger_with_a_reload(gate, signal, ledger_path):
    gate.decide(signal(1))
    gate.reload(short_settings(TIGHT))
    gate.decide(signal(2))
    gate.close()
    other = short_settings("gate.max_messages=1")
    found = policy_diff(ledger_path, other, other.digest)
    assert found.decisions == 2
    assert [flip.signal_id for flip in found.flips] == ["s2"]


def test_flips_are_reproduced_by_a_run_under_the_tighter_settings(gate, signal, clock, ledger_path):
    symbols, sizes = ("EURUSD", "KO", "USDJPY", "JPM"), (500_000.0, 8_000.0)
    signals = [signal(n, symbol=symbols[n % 4], quantity=sizes[n % 2]) for n in range(12)]
    changes = (TIGHT, "limits.sector=0.25", "gate.maximum_order_value=0.09")
    recorded = {s.signal_id: gate.decide(s) for s in signals}
    gate.close()
    tight = short_settings(*changes)
    found = policy_diff(ledger_path, tight, tight.digest)
    with RiskGate.in_memory(make_genesis(*changes), clock=clock) as under:
        again = {s.signal_id: under.decide(s) for s in signals}
    flipped = {name for name, was in recorded.items() if was.approved != again[name].approved}
    assert len(flipped) > 2
    assert {flip.signal_id for flip in found.flips if flip.kind != "reason"} == flipped
    for flip in found.flips:
        now = again[flip.signal_id]
        assert (flip.verdict, flip.approved, flip.binding) == (now.verdict, now.approved, now.binding)


def test_a_request_without_settings_halts_and_one_with_impossible_ones_changes_nothing(gate, signal, ledger_path):
    folder = ControlFolder(ledger_path)
    said = {"action": "reload", "operator": "A. Head", "reason": "review"}
    plain = short_settings().model_dump(mode="json")
    wrong = folder.submit({**said, "settings": {**plain, "limits": {**plain["limits"], "value_at_risk": -1}}})
    gate.tick()
    answer = folder.await_acknowledgement(wrong, 0.0)
    assert answer is not None
    assert (answer["done"], answer["trading_state"]) == (False, "active")
    assert answer["reason"].startswith("limits.value_at_risk: ")
    folder.submit({**said, "settings": None})
    assert gate.decide(signal()).reason == "kill_switch"


def test_an_approval_stands_when_settings_change(gate, signal):
    approved = gate.approve_trade(signal())
    gate.reload(short_settings(TIGHT))
    gate.release(approved)
    assert gate.engine.account.orders[approved.order_id].state.value == "released"
