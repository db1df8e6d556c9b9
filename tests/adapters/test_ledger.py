import hmac
import os
import sqlite3
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.adapters.ledger.errors import LedgerDamaged, LedgerLocked, LedgerUnusable
from rpmcore.adapters.ledger.file_lock import holder_of
from rpmcore.adapters.ledger.ledger import Ledger
from rpmcore.adapters.ledger.reader import LedgerReader
from rpmcore.adapters.ledger.records import NewRecord
from rpmcore.domain.errors import InvalidArgument, RpmError
from tests.ledgers import GENESIS, KEY, OTHER_KEY, decided, raw, snapshot, write_ledger

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "gate.ledger"


def contents(ledger):
    return [(r.position, r.kind, r.sequence, r.key, r.body) for r in ledger.records()]


def test_what_was_appended_is_there_after_a_restart(path):
    with Ledger.create(path, KEY, GENESIS) as ledger:
        assert (ledger.head.position, ledger.next_sequence) == (1, 1)
        head = ledger.append(decided(1))
        assert head == ledger.head
        ledger.append([snapshot(1), *decided(2)])
        before = contents(ledger)
    with Ledger.open(path, KEY) as ledger:
        assert contents(ledger) == before
        assert [(r.position, r.kind, r.sequence) for r in ledger.records()] == [
            (1, "genesis", 0), (2, "command", 1), (3, "decision", 1), (4, "event", 1), (5, "snapshot", 1),
            (6, "command", 2), (7, "decision", 2), (8, "event", 2),
        ]  # fmt: skip
        assert ledger.genesis().body == GENESIS
        assert ledger.latest_snapshot().position == 5
        assert (ledger.head.position, ledger.next_sequence, ledger.halted) == (8, 3, None)


def test_a_record_is_found_by_its_idempotency_key(path):
    with Ledger.create(path, KEY, GENESIS) as ledger:
        ledger.append(decided(1, key="größer 1"))
        found = ledger.find("größer 1")
        assert (found.position, found.kind, found.sequence) == (3, "decision", 1)
        assert ledger.find("größer") is None
        assert ledger.find("") is None
        with pytest.raises(InvalidArgument, match="is no Unicode"):
            ledger.find("\ud800")
        assert ledger.latest_snapshot() is None


def test_records_come_by_kind_and_between_positions(path):
    with Ledger.open(write_ledger(path, signals=200), KEY) as ledger:
        everything = list(ledger.records())
        assert [r.position for r in everything] == list(range(1, 603))
        assert [r.position for r in ledger.records(after=300, until=310)] == list(range(301, 311))
        assert list(ledger.records("decision")) == [r for r in everything if r.kind == "decision"]
        assert [r.sequence for r in ledger.records("event", after=600)] == [200]
        assert not list(ledger.records(after=602))
        with pytest.raises(InvalidArgument, match="'order' is no kind"):
            ledger.records("order")


def test_records_appended_while_they_are_streamed_come_too(path):
    with Ledger.open(write_ledger(path), KEY) as ledger:
        stream = ledger.records(after=10)
        ledger.append(decided(4))
        positions = [next(stream).position]
        ledger.append(decided(5))
        assert positions + [r.position for r in stream] == [11, 12, 13, 14, 15, 16, 17]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["command", "decision", "event", "snapshot"]), st.integers(0, 3), st.text(max_size=9)
        ),
        max_size=12,
    ),
    st.integers(1, 4),
)
def test_any_records_in_groups_of_any_size_come_back(tmp_path_factory, drawn, size):
    path = tmp_path_factory.mktemp("any") / "x"
    records, sequence = [], 0
    for number, (kind, step, text) in enumerate(drawn):
        sequence += step
        key = f"{text}{number}" if kind == "decision" else None
        records.append(NewRecord(kind=kind, sequence=sequence, key=key, body=text.encode()))
    with Ledger.create(path, KEY, GENESIS) as ledger:
        for start in range(0, len(records), size):
            ledger.append(records[start : start + size])
    with Ledger.open(path, KEY) as ledger:
        assert contents(ledger)[1:] == [(n, r.kind, r.sequence, r.key, r.body) for n, r in enumerate(records, 2)]
        for record in records:
            assert record.key is None or ledger.find(record.key).body == record.body


def test_the_chain_is_hmac_of_what_the_documentation_says(path):
    """Computed by Python's hmac and struct alone."""
    secret = bytes(range(32))
    with raw(write_ledger(path)) as connection:
        rows = connection.execute("SELECT * FROM records ORDER BY position").fetchall()
        [(_, ledger, key_id, *head)] = connection.execute("SELECT * FROM head").fetchall()

    def mac(key, message):
        return hmac.digest(key, message, "sha256")

    assert key_id == mac(secret, b"rpm key id").hex()[:16]
    chain, signs = (mac(secret, b"rpm subkey " + name) for name in (b"chain", b"head"))
    previous = mac(chain, b"rpm ledger " + ledger.encode())
    for position, kind, sequence, key, content, found in rows:
        own = (key or "").encode()
        lengths = struct.pack(">IIQ", len(kind), 0xFFFFFFFF if key is None else len(own), len(content))
        message = previous + struct.pack(">qq", position, sequence) + lengths + kind.encode() + own + content
        previous = mac(chain, message)
        assert previous == found
    assert head[:3] == [len(rows), 3, previous]
    assert head[3] == mac(signs, b"rpm ledger head " + ledger.encode() + struct.pack(">qq", len(rows), 3) + previous)


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (NewRecord(kind="genesis", sequence=4, body=b"{}"), "no kind"),
        (NewRecord(kind="order", sequence=4, body=b"{}"), "no kind"),
        (NewRecord(kind="event", sequence=2, body=b"{}"), "at least 3"),
        (NewRecord(kind="event", sequence=True, body=b"{}"), "whole number"),
        (NewRecord(kind="event", sequence=2**63, body=b"{}"), "whole number"),
        (NewRecord(kind="event", sequence=4, key="", body=b"{}"), "1 to 4096 bytes"),
        (NewRecord(kind="event", sequence=4, key="x" * 4097, body=b"{}"), "1 to 4096 bytes"),
        (NewRecord(kind="event", sequence=4, key="\ud800", body=b"{}"), "1 to 4096 bytes"),
        (NewRecord(kind="event", sequence=4, key=7, body=b"{}"), "1 to 4096 bytes"),
        (NewRecord(kind="event", sequence=4, body="{}"), "UTF-8"),
        (NewRecord(kind="event", sequence=4, body=b"\xff"), "UTF-8"),
    ],
)
def test_misuse_is_refused_before_the_disk_is_touched(path, record, told):
    with Ledger.open(write_ledger(path), KEY) as ledger:
        head = ledger.head
        with pytest.raises(InvalidArgument, match=told):
            ledger.append([*decided(3, key="fresh"), record])
        assert (ledger.head, ledger.halted) == (head, None)
        ledger.append(decided(4))
    with Ledger.open(path, KEY) as ledger:
        assert ledger.find("fresh") is None


def test_an_append_of_nothing_is_refused(path):
    with Ledger.open(write_ledger(path), KEY) as ledger, pytest.raises(InvalidArgument, match="at least one"):
        ledger.append([])


def test_a_second_writer_is_refused_at_once_and_told_who_holds_it(path):
    with Ledger.open(write_ledger(path), KEY), pytest.raises(LedgerLocked) as refused:
        Ledger.open(path, KEY)
    assert refused.value.code == "ledger_locked"
    assert refused.value.holder.pid == os.getpid()
    assert f"held by process {os.getpid()} on {refused.value.holder.host} since 2" in str(refused.value)
    Ledger.open(path, KEY).close()


def test_another_process_is_told_who_holds_it_and_gets_it_when_that_one_is_gone(path):
    write_ledger(path)
    code = (
        "import sys\nfrom tests.ledgers import KEY\nfrom rpmcore.adapters.ledger.ledger import Ledger\n"
        f"ledger = Ledger.open({str(path)!r}, KEY)\nprint('held', flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as child:
        assert child.stdout.readline() == "held\n"
        with pytest.raises(LedgerLocked, match=f"held by process {child.pid} "):
            Ledger.open(path, KEY)
        assert holder_of(path).pid == child.pid
        with LedgerReader.open(path, KEY) as reader:
            assert reader.head.position == 11
        child.kill()
    assert holder_of(path) is None, "its name is left in the file, but there is no such process"
    with Ledger.open(path, KEY) as ledger:
        ledger.append(decided(4))
        assert holder_of(path).pid == os.getpid()
    assert holder_of(path) is None


def test_a_reader_sees_what_a_gate_appends(path):
    with Ledger.open(write_ledger(path), KEY) as ledger, LedgerReader.open(path) as reader:
        assert reader.head == ledger.head
        assert reader.find("signal-4") is None
        ledger.append(decided(4))
        assert reader.head == ledger.head
        assert reader.find("signal-4").sequence == 4
        assert list(reader.records()) == list(ledger.records())
        assert (reader.genesis(), reader.latest_snapshot()) == (ledger.genesis(), ledger.latest_snapshot())
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader._connection.execute("DELETE FROM records")


def test_a_long_reading_does_not_keep_a_gate_from_writing(path):
    with Ledger.open(write_ledger(path), KEY) as ledger, LedgerReader.open(path) as reader:
        reader._connection.execute("BEGIN")
        assert reader.find("signal-4") is None
        for sequence in range(4, 300):
            ledger.append(decided(sequence))
        assert reader.find("signal-4") is None
        reader._connection.execute("ROLLBACK")
        assert reader.find("signal-299").sequence == 299


def test_opening_tells_how_far_it_has_come(path):
    with Ledger.create(path, KEY, GENESIS) as ledger:
        ledger.append([NewRecord(kind="event", sequence=1, body=b"{}") for _ in range(40_000)])
    told = []
    Ledger.open(path, KEY, progress=lambda done, total: told.append((done, total))).close()
    assert told == [(16384, 40001), (32768, 40001), (40001, 40001)]


def test_views_show_the_kinds_to_any_sql_reader(path):
    with raw(write_ledger(path)) as connection:
        found = connection.execute("SELECT sequence, key, json_extract(body, '$.size') FROM decisions").fetchall()
        assert found == [(n, f"signal-{n}", n / 7) for n in (1, 2, 3)]
        for view, count in (("commands", 3), ("events", 3), ("snapshots", 1), ("genesis", 1)):
            query = f"SELECT count(*), min(length(mac)) FROM {view}"  # noqa: S608
            assert connection.execute(query).fetchone() == (count, 64)


def test_a_ledger_that_exists_is_not_created_anew(path):
    write_ledger(path)
    with pytest.raises(LedgerUnusable, match="exists already"):
        Ledger.create(path, KEY, GENESIS)
    with Ledger.open(path, KEY) as ledger:
        assert ledger.head.position == 11


@pytest.mark.parametrize("left", ["witness", "halted", "wal"])
def test_a_ledger_that_was_removed_is_not_replaced_by_an_empty_one(path, left):
    write_ledger(path)
    for file in path.parent.iterdir():
        file.unlink()
    (path.parent / f"gate.ledger{'-' if left == 'wal' else '.'}{left}").write_bytes(b"x")
    with pytest.raises(LedgerUnusable, match=f"{left} is left of it"):
        Ledger.create(path, KEY, GENESIS)


def test_what_an_interrupted_creation_left_is_cleared_away(path):
    (path.parent / "gate.ledger.new").write_bytes(b"half a database")
    write_ledger(path)
    assert not (path.parent / "gate.ledger.new").exists()


def test_no_ledger_is_told_in_words(path):
    for opened in (lambda: Ledger.open(path, KEY), lambda: LedgerReader.open(path)):
        with pytest.raises(LedgerUnusable, match="there is no ledger at"):
            opened()
    assert not list(path.parent.iterdir())


def test_the_wrong_key_is_told_in_words(path):
    write_ledger(path)
    for opened in (Ledger.open, LedgerReader.open):
        with pytest.raises(
            LedgerDamaged, match=f"written with the key '{KEY.id}', and the key given is '{OTHER_KEY.id}'"
        ):
            opened(path, OTHER_KEY)


def test_names_with_marks_of_an_address_are_names(tmp_path):
    path = write_ledger(tmp_path / "50% ?mode=rw #1 ü")
    with Ledger.open(path, KEY), LedgerReader.open(path, KEY) as reader:
        assert reader.head.position == 11


def test_a_link_to_a_ledger_is_the_ledger_and_has_its_lock(path, tmp_path):
    if os.name == "nt":
        return  # links need a privilege there
    write_ledger(path)
    link = tmp_path / "links" / "mine"
    link.parent.mkdir()
    link.symlink_to(path)
    with Ledger.open(link, KEY) as ledger:
        ledger.append(decided(4))
        with pytest.raises(LedgerLocked):
            Ledger.open(path, KEY)
        with LedgerReader.open(link, KEY) as reader:
            assert reader.head == ledger.head
    assert list(link.parent.iterdir()) == [link]


def test_a_ledger_stays_where_it_is_when_its_process_goes_elsewhere(path, tmp_path, monkeypatch):
    write_ledger(path)
    monkeypatch.chdir(tmp_path)
    with Ledger.open("gate.ledger", KEY) as ledger:
        monkeypatch.chdir("/")
        ledger.append(decided(4))
        (tmp_path / "gate.ledger.halted").write_bytes(b"{}")
        assert ledger.halted


def test_only_the_owner_may_read_what_is_written(path):
    with Ledger.open(write_ledger(path), KEY) as ledger:
        ledger.append(decided(4))
        modes = {file.name: file.stat().st_mode & 0o077 for file in path.parent.iterdir()}
    assert len(modes) == 6
    assert os.name == "nt" or not any(modes.values())


def test_every_error_is_one_of_rpm_and_has_its_code():
    from rpmcore.adapters.ledger import errors

    family = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, RpmError)]
    codes = {kind.code for kind in family if issubclass(kind, errors.LedgerError)}
    assert codes == {"ledger", "ledger_unusable", "ledger_locked", "ledger_damaged", "ledger_failed"}
