"""A ledger is proven from its genesis, and what does not follow from its commands is named field by field."""

import pytest

from rpmcore.adapters.ledger.errors import LedgerDamaged
from rpmcore.decision.differences import agree, differences
from rpmcore.gate import RiskGate
from rpmcore.proof import prove
from tests.gate.conftest import KEY
from tests.small_gate import rewrite, write_small_ledger


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return write_small_ledger(tmp_path_factory.mktemp("ledger") / "desk.ledger")


def altered(small, tmp_path, change):
    return prove(rewrite(small, tmp_path / "altered.ledger", change), KEY)


def test_every_decision_event_and_snapshot_comes_out_to_the_byte(small):
    told = []
    proof = prove(small, KEY, progress=lambda done, total: told.append((done, total)))
    assert proof.ok
    assert proof.same_platform
    assert (proof.commands, proof.decisions, proof.snapshots) == (27, 6, 2)
    assert proof.identical == proof.decisions + proof.events + proof.snapshots
    assert proof.records == 1 + proof.commands + proof.identical
    assert (proof.near, proof.different, proof.differing) == (0, 0, ())
    assert told[-1] == (proof.records, proof.records)


def test_another_size_in_a_decision_is_found_and_named(small, tmp_path):
    def larger(kind, sequence, body):
        return {**body, "approved": body["approved"] + 1.0} if (kind, sequence) == ("decision", 5) else body

    proof = altered(small, tmp_path, larger)
    assert not proof.ok
    assert proof.different == 1
    (found,) = proof.differing
    assert (found.kind, found.sequence, found.position) == ("decision", 5, 12)
    (field,) = found.fields
    assert field.field == "approved"
    assert field.recorded == field.replayed + 1.0


def test_a_snapshot_that_is_not_the_state_is_found_although_nothing_rests_on_it(small, tmp_path):
    def richer(kind, sequence, body):
        if (kind, sequence) == ("snapshot", 10):
            return {**body, "account": {**body["account"], "equity": body["account"]["equity"] + 5.0}}
        return body

    proof = altered(small, tmp_path, richer)
    assert proof.different == 1
    assert [f.field for f in proof.differing[0].fields] == ["account.equity"]


def test_an_event_that_is_missing_or_invented_is_found(small, tmp_path):
    def without(kind, sequence, body):
        return None if (kind, sequence) == ("event", 24) else body

    proof = altered(small, tmp_path, without)
    assert not proof.ok
    assert proof.differing[0].position is None
    assert proof.differing[0].sequence == 24


def test_a_changed_command_changes_what_follows(small, tmp_path):
    def other(kind, sequence, body):
        return {**body, "fees": 500.0} if (kind, sequence) == ("command", 3) else body

    proof = altered(small, tmp_path, other)
    assert not proof.ok
    assert "snapshot" in {one.kind for one in proof.differing}


@pytest.mark.parametrize(("elsewhere", "proven"), [(True, True), (False, False)])
def test_rounding_is_forgiven_to_another_platform_alone(small, tmp_path, elsewhere, proven):
    def rounded(kind, sequence, body):
        if kind == "genesis" and elsewhere:
            return {**body, "platform": {**body["platform"], "numpy": "1.0"}}
        if (kind, sequence) == ("decision", 1):
            checks = [dict(check) for check in body["checks"]]
            used = next(check for check in checks if check["name"] == "gross_exposure")
            used["observed"] *= 1.0 + 4e-16
            return {**body, "checks": checks}
        return body

    proof = altered(small, tmp_path, rounded)
    assert (proof.near, proof.different) == (1, 0)
    assert proof.ok is proven
    assert proof.same_platform is not elsewhere
    if elsewhere:
        assert proof.platform_differences[0].startswith("numpy: 1.0 then,")


def test_a_size_is_never_rounded(small, tmp_path):
    def rounded(kind, sequence, body):
        if kind == "genesis":
            return {**body, "platform": {}}
        return {**body, "approved": body["approved"] * (1.0 + 4e-16)} if kind == "decision" and sequence == 5 else body

    assert not altered(small, tmp_path, rounded).ok


def test_a_signature_of_an_approval_is_made_again(small, tmp_path):
    def forged(kind, sequence, body):
        return {**body, "signature": "00" * 32} if (kind, sequence) == ("decision", 1) else body

    proof = altered(small, tmp_path, forged)
    assert [f.field for f in proof.differing[0].fields] == ["signature"]


def test_a_gate_does_not_open_on_commands_that_lead_elsewhere(small, tmp_path):
    def other(kind, sequence, body):
        if kind == "snapshot":
            return None
        return {**body, "verdict": "approved"} if (kind, sequence) == ("decision", 20) else body

    path = rewrite(small, tmp_path / "altered.ledger", other)
    with pytest.raises(LedgerDamaged, match="command 20 no longer leads"):
        RiskGate.open(path, KEY)


def test_agreement_is_of_numbers_alone():
    one = {"a": [1.0, "x", None, True], "approved": 2.0}
    assert agree(one, {"a": [1.0 + 1e-12, "x", None, True], "approved": 2.0})
    for other in (
        {"a": [1.0, "y", None, True], "approved": 2.0},
        {"a": [1.0, "x", 0.0, True], "approved": 2.0},
        {"a": [1.0, "x", None, 1], "approved": 2.0},
        {"a": [1.0, "x", None], "approved": 2.0},
        {"a": [1.0, "x", None, True], "approved": 2.0 + 1e-12},
        {"a": [1.0 + 1e-6, "x", None, True], "approved": 2.0},
        {"approved": 2.0},
    ):
        assert not agree(one, other)
    assert [d.field for d in differences({"a": 0.0}, {"a": -0.0})] == ["a"]
