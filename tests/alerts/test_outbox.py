"""The outbox: what was stored is there after a restart, in order, and a foreign file is left alone."""

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.adapters.alerts import outbox as outboxes
from rpmcore.adapters.alerts.alert import Alert, AlertAction, AlertSeverity
from rpmcore.adapters.alerts.outbox import LONGEST_WAIT, MOST_KEPT, Outbox, OutboxError
from rpmcore.adapters.exclusive_file import ExclusiveFile
from tests.endpoints import eventually

TRIGGER, RESOLVE = AlertAction.TRIGGER, AlertAction.RESOLVE


def alert(name="a", severity=AlertSeverity.CRITICAL, **given):
    return Alert(**{"id": name, "key": name, "severity": severity, "title": name, "text": "", **given})


def save(outbox, what, *actions, now=0, channel="slack"):
    with outbox.writing():
        outbox.save(what, tuple((channel, action) for action in actions), now)


def test_what_was_stored_is_there_after_a_restart(tmp_path):
    with closing(Outbox.open(tmp_path / "o")) as outbox:
        save(outbox, alert(), TRIGGER, now=5)
    with closing(Outbox.open(tmp_path / "o")) as outbox:
        assert outbox.active() == (alert(),)
        assert outbox.due("slack", 5).queued_at == 5
        assert outbox.due("slack", 4) is None
        assert outbox.due("pagerduty", 5) is None


def test_it_is_on_the_disk_before_save_returns(tmp_path):
    code = (
        "import os, sys\n"
        "from rpmcore.adapters.alerts.alerting import AlertingSystem\n"
        "from rpmcore.adapters.alerts.outbox import Outbox\n"
        "system = AlertingSystem(Outbox.open(sys.argv[1]), channels=('slack',))\n"
        "system.raise_alert('critical', 'halt', 'text', key='halt')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "o")], check=False)
    assert done.returncode == -9
    with closing(Outbox.open(tmp_path / "o")) as outbox:
        assert outbox.due("slack", 1 << 62).alert.key == "halt"


def test_only_its_owner_can_read_it(tmp_path):
    with closing(Outbox.open(tmp_path / "o")):
        assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from([TRIGGER, RESOLVE]), st.integers(0, 3)), max_size=30))
def test_of_one_alert_what_was_queued_first_is_sent_first_whatever_was_postponed(rows):
    with closing(Outbox.in_memory()) as outbox:
        for number, action, _ in rows:
            save(outbox, alert(str(number), AlertSeverity(1 + number % 4)), action)
        for number, _, wait in rows:
            with outbox.writing():
                outbox.postpone(number + 1, wait, "no")
        sent, now = [], 0
        while outbox.next_due("slack") is not None:
            due = outbox.due("slack", now)
            if due is None:
                now = outbox.next_due("slack")
                assert outbox.due("slack", now) is not None
                continue
            sent.append((due.alert.id, due.number))
            with outbox.writing():
                outbox.done(due.number, now)
        for name in {name for name, _ in sent}:
            numbers = [number for other, number in sent if other == name]
            assert numbers == sorted(numbers)


def test_the_worst_is_sent_first(tmp_path):
    with closing(Outbox.open(tmp_path / "o")) as outbox:
        for name in ("WARNING", "EMERGENCY", "CRITICAL"):
            save(outbox, alert(name, AlertSeverity[name]), TRIGGER)
        assert outbox.due("slack", 0).alert.id == "EMERGENCY"


def test_an_attempt_planned_by_a_clock_that_was_set_back_is_due():
    with closing(Outbox.in_memory()) as outbox:
        save(outbox, alert(), TRIGGER, now=10 * LONGEST_WAIT)
        assert outbox.due("slack", 5) is not None


def test_a_transaction_that_fails_leaves_nothing():
    with closing(Outbox.in_memory()) as outbox:
        with pytest.raises(AttributeError):
            save(outbox, alert(), TRIGGER, "no action")
        assert not outbox.active()
        save(outbox, alert(), TRIGGER)


def test_a_full_disk_is_an_error_of_the_outbox_and_leaves_what_was(tmp_path):
    with closing(Outbox.open(tmp_path / "o")) as outbox:
        save(outbox, alert(), TRIGGER)
        pages = outbox._connection.execute("PRAGMA page_count").fetchone()[0]
        outbox._connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(OutboxError, match="full"):
            save(outbox, alert("b", text="x" * 100_000), TRIGGER)
        assert [each.id for each in outbox.active()] == ["a"]


def test_a_process_that_holds_its_turn_too_long_is_not_waited_for(tmp_path):
    with closing(Outbox.open(tmp_path / "o")) as outbox:
        other = ExclusiveFile(tmp_path / "o.turn")
        assert other.take()
        with pytest.raises(OutboxError, match="another process"):
            save(outbox, alert())
        other.close()
        save(outbox, alert())


def test_an_alert_that_is_none_is_an_error_of_the_outbox():
    with closing(Outbox.in_memory()) as outbox:
        save(outbox, alert(), TRIGGER)
        outbox._connection.execute("UPDATE alerts SET severity = 9")
        with pytest.raises(OutboxError, match="severity 9"):
            outbox.due("slack", 1)


def test_who_reads_does_not_wait_for_who_waits_to_write(tmp_path, monkeypatch):
    monkeypatch.setattr(outboxes, "_PATIENCE", 60.0)
    with closing(Outbox.open(tmp_path / "o")) as outbox:
        other = ExclusiveFile(tmp_path / "o.turn")
        assert other.take()
        waiting = threading.Thread(target=save, args=(outbox, alert()))
        waiting.start()
        eventually(outbox._writers.locked)
        assert outbox.active() == ()
        other.close()
        waiting.join()
        assert outbox.active() == (alert(),)


def test_a_closed_outbox_is_an_error_and_no_crash(tmp_path):
    outbox = Outbox.open(tmp_path / "o")
    with outbox.writing():
        closing_thread = threading.Thread(target=outbox.close)
        closing_thread.start()
        outbox.save(alert(), (), 0)
    closing_thread.join()
    for call in (outbox.active, lambda: save(outbox, alert("b"))):
        with pytest.raises(OutboxError):
            call()
    with closing(Outbox.open(tmp_path / "o")) as again:
        assert again.active() == (alert(),)


def test_old_alerts_go_and_active_ones_stay(tmp_path):
    with closing(Outbox.open(tmp_path / "o")) as outbox, outbox.writing():
        outbox.save(alert("active"), (("slack", TRIGGER),), 0)
        for number in range(MOST_KEPT + 3):
            over = alert(f"n{number}", resolved_by="x", resolved_at=number)
            outbox.save(over, (("slack", AlertAction.NOTE),), 0)
    with closing(Outbox.open(tmp_path / "o")) as outbox:
        assert len(outbox.recent(1 << 30)) == MOST_KEPT
        assert outbox.by_id("n2") is None
        assert outbox.by_id("n3") is not None
        assert outbox.channels()[0].pending == MOST_KEPT + 1


def foreign(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE records(x)")


def of_a_later_version(path):
    Outbox.open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 7")


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: path.write_bytes(b"no database at all" * 99), "not a database"),
        (foreign, "no outbox of rpm"),
        (of_a_later_version, "version 7"),
        (lambda path: path.mkdir(), "cannot be used|no outbox at"),
    ],
)
def test_what_is_no_outbox_is_refused_and_left_as_it_is(tmp_path, make, told):
    path = tmp_path / "o"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    for opened in (Outbox.open, Outbox.read):
        with pytest.raises(OutboxError, match=told):
            opened(path)
    assert before == (path.read_bytes() if path.is_file() else None)


def test_a_reader_creates_nothing_and_changes_nothing(tmp_path):
    with pytest.raises(OutboxError, match="no outbox at"):
        Outbox.read(tmp_path / "o")
    assert not list(tmp_path.iterdir())
    with closing(Outbox.open(tmp_path / "o")) as outbox:
        save(outbox, alert(), TRIGGER)
        with closing(Outbox.read(tmp_path / "o")) as reader:
            assert reader.active() == (alert(),)
            with pytest.raises(OutboxError, match="readonly"):
                save(reader, alert("b"))
