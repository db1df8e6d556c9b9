import pytest

from rpmcore.doctor import ledger
from rpmcore.doctor.finding import Status
from rpmcore.doctor.ledger_facts import read_ledger
from tests.doctor.sound import HOLDER, LEDGER, SOUND, broken, broken_ledger
from tests.ledgers import KEY, write_ledger

LATER = SOUND.now + 90 * 1_000_000_000
BROKEN = [
    (ledger.readable, {"error": "there is no ledger at /x"}, Status.PROBLEM, "there is no ledger at /x",
     "name the right file; what a copy is worth `rpm audit verify` tells"),
    (ledger.disk, {"file_system": "nfs4"}, Status.PROBLEM,
     "nfs4: another machine serves it, and locks and the order of writes cannot be relied on",
     "stop the gate and move the ledger with all the files beside it to a local disk"),
    (ledger.disk, {"file_system": "tmpfs"}, Status.NOTE, "tmpfs: it lies in memory and goes with the power",
     "create ledgers that count on a disk"),
    (ledger.durable, {"unsynced": "Read-only file system"}, Status.PROBLEM,
     "nothing can be written beside it: Read-only file system",
     "give the gate's user the folder and the disk room; to read alone, this is no matter"),
    (ledger.room, {"free": 15 << 20}, Status.PROBLEM, "15.0 MB free: the gate halts when an append fails",
     "make room on the disk; do not remove what lies beside the ledger"),
    (ledger.room, {"free": 512 << 20}, Status.NOTE, "512.0 MB free", "make room on the disk"),
    (ledger.ballast, {"ballast": False}, Status.NOTE, "it is missing, or not whole",
     "the next gate that opens the ledger lays it anew"),
    (ledger.write_ahead_log, {"log_bytes": 4 << 20}, Status.NOTE,
     "4.0 MB although nobody holds the ledger: the last gate was killed",
     "never remove the -wal file, it holds decisions; the next gate that opens the ledger takes them in"),
    (ledger.write_ahead_log, {"log_bytes": 65 << 20, "holder": HOLDER}, Status.NOTE,
     "65.0 MB: a program that has been reading for long keeps it from being folded in",
     "end the programs that read the ledger, such as a report that hangs"),
    (ledger.witness, {"witness": False}, Status.NOTE,
     "it is missing: an older copy in place of the ledger would not be noticed",
     "compare with an exported head: rpm audit verify --anchor FILE"),
    (ledger.halted, {"halted": "2023-11-14T22:00:00+00:00: disk full"}, Status.PROBLEM,
     "halted at 2023-11-14T22:00:00+00:00: disk full", "reconcile with the broker, then: rpm gate clear-integrity"),
    (ledger.holder, {"holder": HOLDER}, Status.OK, "process 42 on desk-1 since 2023-11-14T22:00:00+00:00",
     "to write to it yourself, stop that process first; `rpm killswitch` reaches it while it runs"),
    (ledger.clock, {"newest": LATER}, Status.PROBLEM,
     "the newest command is of 2023-11-14 22:14:50 UTC, and the clock says 2023-11-14 22:13:20 UTC, 90 s before: every "
     "signal is rejected with the reason clock_reversed",
     "set the clock right (a time service); where the command came with a wrong time, wait until it has passed"),
    (ledger.key, {}, Status.PROBLEM, "there is no signing key in /none/rpmcore/ledger.key",
     "name the file of the ledger's key in RPM_LEDGER_KEY_FILE"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "changes", "status", "found", "remedy"), BROKEN)
def test_what_is_broken_is_told_with_its_remedy(check, changes, status, found, remedy):
    finding = check(broken_ledger(**changes), SOUND)
    assert (finding.status, finding.found, finding.remedy) == (status, found, remedy)


def test_no_check_has_only_good_news():
    assert {check for check, *_ in BROKEN} == set(ledger.CHECKS)


@pytest.mark.parametrize("check", [check for check in ledger.CHECKS if check is not ledger.key])
def test_a_sound_ledger_satisfies_every_check(check):
    assert check(LEDGER, SOUND).status is Status.OK


@pytest.fixture
def key_file(tmp_path):
    folder = tmp_path / "keys"
    folder.mkdir()
    key = folder / "key"
    key.write_bytes(bytes(range(32)))
    key.chmod(0o600)
    return key


def test_a_ledger_as_a_gate_leaves_it_is_sound(tmp_path, key_file):
    path = write_ledger(tmp_path / "desk.ledger")
    facts = read_ledger(path, "ext4")
    assert facts.error is None
    assert (facts.commands, facts.key_id, facts.log_bytes, facts.holder) == (3, KEY.id, 0, None)
    seen = broken(key_file=key_file)
    assert {check(facts, seen).status for check in ledger.CHECKS} == {Status.OK}
    assert not list(tmp_path.glob(".rpm-doctor-*"))


def test_another_key_and_a_key_beside_the_ledger_are_problems(tmp_path, key_file):
    path = write_ledger(tmp_path / "desk.ledger")
    facts = read_ledger(path, None)
    key_file.write_bytes(b"another key of at least 32 bytes ....")
    found = ledger.key(facts, broken(key_file=key_file))
    assert found.status is Status.PROBLEM
    assert found.found.startswith(f"key {KEY.id} signs the ledger, and {key_file} holds key ")
    beside = tmp_path / "key"
    key_file.rename(beside)
    found = ledger.key(facts, broken(variables={"RPM_LEDGER_KEY_FILE": str(beside)}))
    assert found.found == f"the key file {beside} lies beside the ledger {path}. Keep them in different folders"


def test_what_lies_beside_a_ledger_is_missed(tmp_path):
    path = write_ledger(tmp_path / "desk.ledger")
    for suffix in ("ballast", "witness"):
        path.with_name(f"{path.name}.{suffix}").unlink()
    path.with_name(f"{path.name}.halted").write_text('{"at": "2023", "reason": "disk full"}')
    facts = read_ledger(path, None)
    assert (facts.ballast, facts.witness, facts.halted) == (False, False, "2023: disk full")


def test_what_is_no_ledger_is_told(tmp_path):
    path = tmp_path / "x"
    path.write_text("no database at all, but text of some length" * 9)
    assert "SQLite cannot read it" in read_ledger(path, None).error
    assert read_ledger(tmp_path / "none", None).error == f"there is no ledger at {tmp_path / 'none'}"
