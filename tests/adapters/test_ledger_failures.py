"""A disk that fails, fills, disappears or forgets."""

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from rpmcore.adapters import durable_files
from rpmcore.adapters.ledger.audit import verify
from rpmcore.adapters.ledger.errors import LedgerDamaged, LedgerFailed, LedgerUnusable
from rpmcore.adapters.ledger.halt import BALLAST_BYTES, clear_halt, halted_reason
from rpmcore.adapters.ledger.ledger import Ledger
from rpmcore.adapters.ledger.reader import LedgerReader
from rpmcore.adapters.ledger.records import NewRecord
from rpmcore.adapters.ledger.witness import Witness
from tests.ledgers import GENESIS, KEY, body, decided, raw, write_ledger
from tests.privileges import without_privileges

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path):
    return write_ledger(tmp_path / "gate.ledger")


def beside(path, suffix):
    return path.with_name(f"{path.name}.{suffix}")


def large(sequence, size):
    return [NewRecord(kind="event", sequence=sequence, body=b'"' + b"x" * size + b'"')]


def test_a_witness_older_than_the_ledger_speaks_against_nothing(path):
    """After a power cut the disk may have the ledger and not yet the witness, which nobody waits for."""
    older = beside(path, "witness").read_bytes()
    with Ledger.open(path, KEY) as ledger:
        ledger.append(decided(4))
    beside(path, "witness").write_bytes(older)
    with Ledger.open(path, KEY) as ledger:
        assert ledger.head.position == 14
    assert beside(path, "witness").read_bytes() != older


@contextmanager
def full_database(ledger):
    """Let the database grow by no page, as on a full disk."""
    pages = ledger._connection.execute("PRAGMA page_count").fetchone()[0]
    ledger._connection.execute(f"PRAGMA max_page_count={pages}")
    yield
    ledger._connection.execute("PRAGMA max_page_count=1000000")


def assert_halted(ledger, told):
    """Nothing more is written by this object, and the mark beside the ledger says why."""
    head = ledger.head
    with pytest.raises(LedgerFailed, match="takes no records since an append failed"):
        ledger.append(decided(90))
    assert told in ledger.halted
    assert told in halted_reason(ledger.path)
    assert not beside(ledger.path, "ballast").exists()
    assert ledger.head == head
    assert ledger.find("signal-1").sequence == 1, "it can still be read"


def test_a_full_disk_halts_and_stays_halted_when_there_is_room_again(path):
    with Ledger.open(path, KEY) as ledger:
        with full_database(ledger), pytest.raises(LedgerFailed, match=r"has halted: .*database or disk is full"):
            ledger.append(large(4, 20_000))
        assert_halted(ledger, "an append of 1 records failed: database or disk is full")
    with Ledger.open(path, KEY) as again:
        assert "database or disk is full" in again.halted
        assert again.head.position == 11, "what failed left no half of itself"


def test_a_write_that_the_system_refuses_halts(path):
    """The system's own error, from a limit on the size of files, with all that SQLite makes of it."""
    if sys.platform == "win32":
        limited = "ledger._connection.execute(f'PRAGMA max_page_count=6')"
    else:
        limited = (
            "import resource, signal\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))"
        )
    code = f"""
from rpmcore.adapters.ledger.errors import LedgerFailed
from rpmcore.adapters.ledger.ledger import Ledger
from tests.ledgers import KEY, decided
ledger = Ledger.open({str(path)!r}, KEY)
{limited}
sequence = 3
try:
    while True:
        sequence += 1
        ledger.append(decided(sequence))
        print(sequence)
except LedgerFailed as error:
    print(error)
try:
    ledger.append(decided(sequence))
except LedgerFailed as error:
    print(error)
ledger.close()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    *acknowledged, failed, refused = done.stdout.splitlines()
    assert "has halted: an append of 3 records failed:" in failed
    assert "takes no records since an append failed" in refused
    assert "an append of 3 records failed" in halted_reason(path)
    with Ledger.open(path, KEY) as ledger:
        assert acknowledged
        for sequence in acknowledged:
            assert ledger.find(f"signal-{sequence}").sequence == int(sequence)


def test_a_halt_is_cleared_by_hand_and_the_ballast_laid_anew(path):
    with Ledger.open(path, KEY) as ledger, full_database(ledger), pytest.raises(LedgerFailed):
        ledger.append(large(4, 20_000))
    with Ledger.open(path, KEY) as ledger:
        assert not beside(path, "ballast").exists(), "the room is kept for those who repair"
        ledger.append([NewRecord(kind="command", sequence=4, body=body(by="ann", reason="disk replaced"))])
        clear_halt(path)
        assert (ledger.halted, halted_reason(path)) == (None, None)
        assert beside(path, "ballast").stat().st_size == BALLAST_BYTES
    with Ledger.open(path, KEY) as ledger:
        assert ledger.halted is None


def test_a_halt_is_not_cleared_while_there_is_no_room(path, monkeypatch):
    with Ledger.open(path, KEY) as ledger, full_database(ledger), pytest.raises(LedgerFailed):
        ledger.append(large(4, 20_000))

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(durable_files.os, "write", full)
        with pytest.raises(LedgerUnusable, match=r"No space left on device\. Make room on the disk first"):
            clear_halt(path)
    assert "disk is full" in halted_reason(path)
    clear_halt(path)
    assert halted_reason(path) is None


def test_where_not_even_the_mark_can_be_written_the_object_halts_all_the_same(path):
    with Ledger.open(path, KEY) as ledger:
        beside(path, "halted.new").mkdir()
        with full_database(ledger), pytest.raises(LedgerFailed, match="no mark could be left beside the ledger"):
            ledger.append(large(4, 20_000))
        with pytest.raises(LedgerFailed):
            ledger.append(decided(4))
        assert "disk is full" in ledger.halted


@pytest.mark.parametrize("mark", [b"", b"{}", b"[]", b"\xff", b'{"reason":"x"}'])
def test_a_mark_that_cannot_be_read_is_a_mark(path, mark):
    beside(path, "halted").write_bytes(mark)
    with Ledger.open(path, KEY) as ledger:
        assert ledger.halted == "gate.ledger.halted holds no reason that can be read"


def test_a_mark_tells_the_time_and_the_reason(path):
    with Ledger.open(path, KEY) as ledger, full_database(ledger), pytest.raises(LedgerFailed):
        ledger.append(large(4, 20_000))
    mark = json.loads(beside(path, "halted").read_bytes())
    assert halted_reason(path) == f"{mark['at']}: {mark['reason']}"
    with LedgerReader.open(path) as reader:
        assert reader.halted == halted_reason(path)


def test_a_key_that_is_there_already_halts(path):
    """The gate asks before; two records of one key would be two answers to one signal."""
    with Ledger.open(path, KEY) as ledger:
        with pytest.raises(LedgerFailed, match="UNIQUE constraint failed"):
            ledger.append(decided(4, key="signal-1"))
        assert_halted(ledger, "UNIQUE constraint failed")
    with Ledger.open(path, KEY) as ledger:
        assert ledger.head.position == 11


def test_records_that_were_committed_and_never_acknowledged_are_there(path, monkeypatch):
    with Ledger.open(path, KEY) as ledger:

        def broken(*_):
            raise OSError(5, "Input/output error")

        with monkeypatch.context() as patch:
            patch.setattr(Witness, "acknowledge", broken)
            with pytest.raises(LedgerFailed, match="Whether the records were written shows when it is opened again"):
                ledger.append(decided(4))
        assert_halted(ledger, "Input/output error")
    with Ledger.open(path, KEY) as ledger:
        assert "Input/output error" in ledger.halted
        assert ledger.find("signal-4").sequence == 4
        assert (ledger.head.position, ledger.next_sequence) == (14, 5)


def test_an_interrupt_ends_the_object_and_marks_nothing(path, monkeypatch):
    with Ledger.open(path, KEY) as ledger:

        def interrupted(*_):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Witness, "acknowledge", interrupted)
            with pytest.raises(KeyboardInterrupt):
                ledger.append(decided(4))
        with pytest.raises(LedgerFailed, match="it was interrupted"):
            ledger.append(decided(5))
    with Ledger.open(path, KEY) as ledger:
        assert (ledger.halted, ledger.find("signal-4").sequence) == (None, 4)


def test_a_foreign_writer_is_noticed_at_the_next_append(path):
    with Ledger.open(path, KEY) as ledger:
        ledger.append(decided(4))
        with raw(path) as connection:
            connection.execute("UPDATE head SET position = 11")
        with pytest.raises(LedgerFailed, match="another process has written to it"):
            ledger.append(decided(5))
        assert_halted(ledger, "another process has written to it")


def test_a_foreign_program_that_does_not_let_go_halts(path):
    with Ledger.open(path, KEY) as ledger, raw(path) as connection:
        ledger._connection.execute("PRAGMA busy_timeout=1")
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerFailed, match="database is locked"):
            ledger.append(decided(4))
        connection.execute("ROLLBACK")
        assert_halted(ledger, "database is locked")


def test_a_gate_whose_lock_file_was_removed_is_stopped_by_the_second(path):
    """Two writers, which no lock prevents any more: the chain lets only one of them go on."""
    if sys.platform == "win32":
        return  # nobody can remove a file that is open
    with Ledger.open(path, KEY) as first:
        beside(path, "lock").unlink()
        with Ledger.open(path, KEY) as second:
            second.append(decided(4))
            with pytest.raises(LedgerFailed, match="another process has written to it"):
                first.append(decided(4, key="another"))
            second.append(decided(5))
    assert verify(path, KEY).ok


@pytest.mark.parametrize("suffix", ["", "-wal"])
def test_a_file_that_is_removed_under_an_open_ledger_halts(path, suffix):
    if sys.platform == "win32":
        return  # nobody can remove a file that is open
    with Ledger.open(path, KEY) as ledger:
        ledger.append(decided(4))
        path.with_name(path.name + suffix).unlink()
        with pytest.raises(LedgerFailed, match="No such file"):
            ledger.append(decided(5))
        assert_halted(ledger, "No such file")


def test_a_file_that_is_replaced_under_an_open_ledger_halts(path, tmp_path):
    if sys.platform == "win32":
        return  # nobody can replace a file that is open
    copy = shutil.copy(path, tmp_path / "copy")
    with Ledger.open(path, KEY) as ledger:
        ledger.append(decided(4))
        Path(copy).replace(path)
        with pytest.raises(LedgerFailed, match="moved, replaced or removed"):
            ledger.append(decided(5))
        assert_halted(ledger, "moved, replaced or removed")
    with Ledger.open(path, KEY) as ledger:
        assert ledger.find("signal-4").sequence == 4, "the write-ahead log brought the copy up to date"


def killed_after_appends(path):
    """Append in a process that is killed, so that its write-ahead log is left; return how many signals there are."""
    code = f"""
import os, signal
from rpmcore.adapters.ledger.ledger import Ledger
from tests.ledgers import KEY, decided
ledger = Ledger.open({str(path)!r}, KEY)
for sequence in range(4, 20):
    ledger.append(decided(sequence))
os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
"""
    subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT)
    assert path.with_name("gate.ledger-wal").stat().st_size > 0
    return 19


def test_what_a_killed_process_left_in_the_write_ahead_log_is_there(path):
    signals = killed_after_appends(path)
    assert verify(path, KEY).records == 2 + 3 * signals
    with Ledger.open(path, KEY) as ledger:
        assert ledger.find(f"signal-{signals}").sequence == signals


@pytest.mark.parametrize("spoil", ["deleted", "cut", "edited", "emptied"])
def test_a_write_ahead_log_that_was_lost_or_spoilt_is_noticed(path, spoil):
    """SQLite takes what it finds intact and says nothing; the witness knows better."""
    killed_after_appends(path)
    log = path.with_name("gate.ledger-wal")
    content = log.read_bytes()
    if spoil == "deleted":
        log.unlink()
    elif spoil == "cut":
        log.write_bytes(content[: len(content) // 2])
    elif spoil == "emptied":
        log.write_bytes(b"")
    else:
        middle = len(content) // 2
        log.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    path.with_name("gate.ledger-shm").unlink()
    found = verify(path, KEY)
    assert not found.ok
    assert "the witness gate.ledger.witness was signed at record 59, and the ledger ends at" in found.why
    with pytest.raises(LedgerDamaged, match="what followed is missing, or this is an older copy"):
        Ledger.open(path, KEY)


def test_a_ledger_that_may_only_be_read_is_read_and_not_written(reachable):
    if sys.platform == "win32":
        return  # folders have no such mode
    with without_privileges():
        path = write_ledger(reachable / "gate.ledger")
        beside(path, "lock").unlink()
        for file in reachable.iterdir():
            file.chmod(0o400)
        reachable.chmod(0o500)
        with pytest.raises(LedgerUnusable, match=r"cannot be written to: gate\.ledger\.lock: Permission denied"):
            Ledger.open(path, KEY)
        assert verify(path, KEY).ok
        with LedgerReader.open(path) as reader:
            assert reader.find("signal-3").sequence == 3
        with pytest.raises(LedgerUnusable, match="cannot be written to"):
            Ledger.create(reachable / "new.ledger", KEY, GENESIS)


def test_a_file_that_may_only_be_read_is_not_written(reachable):
    if sys.platform == "win32":
        return
    with without_privileges():
        path = write_ledger(reachable / "gate.ledger")
        path.chmod(0o400)
        with pytest.raises(LedgerUnusable, match="cannot be written to"):
            Ledger.open(path, KEY)
        path.chmod(0)
        for opened in (Ledger.open, LedgerReader.open, verify):
            with pytest.raises(LedgerUnusable, match="cannot be read: unable to open database file"):
                opened(path, KEY)


def test_what_root_does_with_a_gates_ledger_leaves_it_to_the_gate(reachable):
    """An operator who trips a switch as root must not lock the gate's own user out."""
    with without_privileges():
        path = write_ledger(reachable / "gate.ledger")
        for suffix in ("lock", "ballast"):
            beside(path, suffix).unlink()
    with Ledger.open(path, KEY) as ledger, full_database(ledger), pytest.raises(LedgerFailed):
        ledger.append(large(4, 20_000))
    clear_halt(path)
    with without_privileges(), Ledger.open(path, KEY) as ledger:
        ledger.append(decided(4))
        assert len({file.stat().st_uid for file in reachable.iterdir()}) == 1


def test_a_folder_is_no_ledger(tmp_path):
    for opened in (Ledger.open, LedgerReader.open, verify):
        with pytest.raises(LedgerUnusable, match="cannot be read"):
            opened(tmp_path, KEY)


def test_a_creation_that_fails_leaves_no_ledger(tmp_path, monkeypatch):
    path = tmp_path / "gate.ledger"

    def full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("rpmcore.adapters.ledger.creation.connect_writer", full)
        with pytest.raises(LedgerUnusable, match="cannot be created: database or disk is full"):
            Ledger.create(path, KEY, GENESIS)
    assert not path.exists()
    write_ledger(path)


def test_a_gate_may_verify_its_own_ledger(path):
    """To close a file drops the locks that a process has on it: then another program's end would take the log away."""
    code = f"import sqlite3\nc = sqlite3.connect({str(path)!r}); c.execute('SELECT * FROM head').fetchall(); c.close()"  # noqa: S608
    with Ledger.open(path, KEY) as ledger:
        ledger.append(decided(4))
        assert verify(path, KEY).ok
        LedgerReader.open(path, KEY).close()
        subprocess.run([sys.executable, "-c", code], check=True)
        assert path.with_name("gate.ledger-wal").exists()
        ledger.append(decided(5))


def test_an_online_backup_by_sqlite_is_a_ledger(path, tmp_path):
    with Ledger.open(path, KEY) as ledger:
        ledger.append(decided(4))
        with raw(path) as source, raw(tmp_path / "backup.ledger") as target:
            source.backup(target)
        ledger.append(decided(5))
    found = verify(tmp_path / "backup.ledger", KEY)
    assert (found.ok, found.records) == (True, 14)
    with Ledger.open(tmp_path / "backup.ledger", KEY) as restored:
        assert restored.next_sequence == 5


def test_every_append_waits_for_the_disk(path):
    with Ledger.open(path, KEY) as ledger:
        settings = [ledger._connection.execute(f"PRAGMA {name}").fetchone() for name in ("journal_mode", "synchronous")]
    assert settings == [("wal",), (2,)]


def latest_pages(log):
    """Return the last image of each page in a write-ahead log (sqlite.org/fileformat2.html, section 4.1)."""
    size = int.from_bytes(log[8:12], "big")
    frames = [log[at : at + 24 + size] for at in range(32, len(log), 24 + size)]
    salt = log[16:24]
    return {int.from_bytes(f[:4], "big"): f[24:] for f in frames if f[8:16] == salt}, size


@pytest.mark.parametrize("pages", ["first", "last", "half", "all"])
def test_a_checkpoint_that_was_cut_short_is_gone_on_with(path, pages):
    """A process was killed while SQLite moved pages from the log into the file: the log still has them all."""
    signals = killed_after_appends(path)
    images, size = latest_pages(path.with_name("gate.ledger-wal").read_bytes())
    numbers = sorted(images)
    assert max(numbers) * size > path.stat().st_size, "the file would grow"
    moved = {"first": numbers[:1], "last": numbers[-1:], "half": numbers[::2], "all": numbers}[pages]
    with path.open("r+b") as file:
        for number in moved:
            file.seek((number - 1) * size)
            file.write(images[number])
    assert verify(path, KEY).ok
    with Ledger.open(path, KEY) as ledger:
        assert ledger.find(f"signal-{signals}").sequence == signals
