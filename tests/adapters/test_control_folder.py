import os
import subprocess
import sys
from pathlib import Path

import pytest

from rpmcore.adapters import durable_files
from rpmcore.adapters.control_folder import (
    LARGEST_REQUEST,
    ControlFolder,
    ControlRequest,
    MalformedRequest,
    waiting_requests,
)
from rpmcore.domain.errors import InputError, InvalidArgument
from tests.privileges import without_privileges

OLD = f"{7:020d}-{'a' * 16}"

posix = os.name != "nt"


@pytest.fixture
def folder(tmp_path):
    return ControlFolder(tmp_path / "gate.ledger")


def laid(folder, name, content):
    """Lay a file among the requests, as any program could."""
    path = folder.path / "requests" / name
    path.write_bytes(content)
    return path


class Clock:
    """Time that passes only by waiting, and what happens meanwhile."""

    def __init__(self, *events):
        self.now, self.waits, self.events = 100.0, [], list(events)

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.waits.append(seconds)
        self.now += seconds
        if self.events:
            self.events.pop(0)()


def test_whoever_only_looks_creates_no_folder(tmp_path):
    assert waiting_requests(tmp_path / "other.ledger") == 0
    assert not list(tmp_path.glob("other*"))


def test_a_request_waits_until_it_is_acknowledged(folder):
    assert folder.pending() == ()
    request_id = folder.submit({"action": "trip", "reason": "größer", "by": "ann"})
    [request] = folder.pending()
    assert request == ControlRequest(id=request_id, body={"action": "trip", "reason": "größer", "by": "ann"})
    assert folder.pending() == (request,), "a gate that was killed in between finds it again"
    folder.acknowledge(request_id, {"done": True})
    assert folder.pending() == ()
    clock = Clock()
    assert folder.await_acknowledgement(request_id, 2.0, clock=clock, sleep=clock.sleep) == {"done": True}
    assert clock.waits == []
    assert sorted(path.name for path in folder.path.rglob("*")) == ["answers", "malformed", "requests"]


def test_another_process_submits_and_the_oldest_comes_first(folder, tmp_path):
    code = (
        "from rpmcore.adapters.control_folder import ControlFolder\n"
        f"folder = ControlFolder({str(tmp_path / 'gate.ledger')!r})\n"
        "for n in range(5): print(folder.submit({'n': n}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert [request.id for request in folder.pending()] == done.stdout.split()
    assert [request.body["n"] for request in folder.pending()] == [0, 1, 2, 3, 4]


def test_an_answer_is_awaited_and_a_request_without_one_stands(folder):
    request_id = folder.submit({"action": "trip"})
    clock = Clock(lambda: None, lambda: folder.acknowledge(request_id, {"state": "HALT"}))
    answer = folder.await_acknowledgement(request_id, 2.0, every=0.25, clock=clock, sleep=clock.sleep)
    assert (answer, clock.waits) == ({"state": "HALT"}, [0.25, 0.25])
    other, clock = folder.submit({"action": "reset"}), Clock()
    assert folder.await_acknowledgement(other, 2.0, every=0.75, clock=clock, sleep=clock.sleep) is None
    assert clock.waits == [0.75, 0.75, 0.5]
    assert [request.id for request in folder.pending()] == [other]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "it cannot be read as JSON"),
        (b'{"action":"tr', "it cannot be read as JSON"),
        (b"\xff\xfe", "it cannot be read as JSON"),
        (b'{"a":1,"a":2}', "stands twice"),
        (b'{"a":NaN}', "no finite number"),
        (b"[" * 50_000, "nested too deeply"),
        (b"[1]", "it is no mapping"),
        (b'{"a":"' + b"x" * LARGEST_REQUEST + b'"}', f"more than {LARGEST_REQUEST} bytes"),
    ],
)
def test_a_malformed_request_is_reported_and_kept_and_hides_no_other(folder, content, told):
    laid(folder, OLD, content)
    good = folder.submit({"action": "trip"})
    bad, request = folder.pending()
    assert (type(bad), bad.id, request.id) == (MalformedRequest, OLD, good)
    assert told in bad.problem
    folder.acknowledge(bad.id, {"error": bad.problem})
    assert [waiting.id for waiting in folder.pending()] == [good]
    [kept] = (folder.path / "malformed").iterdir()
    assert kept.name.startswith(f"{OLD}.")
    assert kept.read_bytes() == content
    laid(folder, OLD, content)
    folder.acknowledge(OLD, {"error": "again"})
    assert len(list((folder.path / "malformed").iterdir())) == 2


def test_what_is_no_file_is_reported_and_moved_away(folder, tmp_path):
    requests = folder.path / "requests"
    (requests / OLD).mkdir()
    if posix:
        os.mkfifo(requests / OLD.replace("a", "b"))
        (tmp_path / "secret").write_bytes(b"{}")
        (requests / OLD.replace("a", "c")).symlink_to(tmp_path / "secret")
        (requests / OLD.replace("a", "d")).symlink_to(tmp_path / "nothing")
    found = folder.pending()
    assert [type(item) for item in found] == [MalformedRequest] * (4 if posix else 1)
    for item in found:
        folder.acknowledge(item.id, {"error": item.problem})
    assert folder.pending() == ()
    assert len(list((folder.path / "malformed").iterdir())) == len(found)


@pytest.mark.parametrize(
    "name", ["trip.json", ".hidden", "x" * 255, "ü" * 120, "new\nline", OLD.upper(), f"{OLD}0", f"{OLD}.new"]
)
def test_a_file_with_a_name_that_rpm_never_gives_is_reported_and_moved_away(folder, name):
    path = folder.path / "requests" / name
    try:
        path.write_bytes(b'{"action":"reset"}')
    except OSError:  # some systems have no such names
        path = laid(folder, "trip.txt", b"{}")
    [bad] = folder.pending()
    assert isinstance(bad, MalformedRequest)
    assert f"its name {ascii(path.name)[:40].rstrip(chr(39))}" in bad.problem
    assert bad.id.startswith("file-")
    folder.acknowledge(bad.id, {"error": bad.problem})
    assert folder.pending() == ()
    assert len(list((folder.path / "malformed").iterdir())) == 1
    assert folder.await_acknowledgement(bad.id, 0.0) == {"error": bad.problem}


def test_a_name_that_is_no_text_is_reported_in_text(folder):
    name = os.fsdecode(b"trip-\xff")
    try:
        (folder.path / "requests" / name).write_bytes(b"{}")
    except OSError:  # some systems have no such names
        laid(folder, "trip.txt", b"{}")
    [bad] = folder.pending()
    assert (bad.id + bad.problem).encode()
    folder.acknowledge(bad.id, {"error": bad.problem})
    assert folder.pending() == ()


@pytest.mark.parametrize("request_", [[1], {"a": float("nan")}, {1: 2}, {"a": object()}, {"a": "x" * LARGEST_REQUEST}])
def test_what_no_request_can_be_is_refused(folder, request_):
    with pytest.raises(InvalidArgument):
        folder.submit(request_)
    assert folder.pending() == ()


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "/etc/passwd", f"../{OLD}", f"{OLD}\n", "trip"])
def test_an_id_is_the_name_of_a_file_and_no_path(folder, name):
    for action in (lambda: folder.acknowledge(name, {}), lambda: folder.await_acknowledgement(name, 0.0)):
        with pytest.raises(InvalidArgument, match="is no id of a request"):
            action()


def test_an_answer_to_what_is_gone_is_written_all_the_same(folder):
    """The gate was killed after the request was taken away and before it knew."""
    request_id = folder.submit({"action": "trip"})
    folder.acknowledge(request_id, {"n": 1})
    folder.acknowledge(request_id, {"n": 2})
    assert folder.await_acknowledgement(request_id, 0.0) == {"n": 2}


def test_an_answer_that_cannot_be_written_leaves_the_request(folder, monkeypatch):
    request_id = folder.submit({"action": "trip"})

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(durable_files.os, "fsync", full)
    for action in (lambda: folder.acknowledge(request_id, {}), lambda: folder.submit({"n": 2})):
        with pytest.raises(InputError, match="No space left on device"):
            action()
    monkeypatch.undo()
    assert not list(folder.path.glob("*.new"))
    assert [request.id for request in folder.pending()] == [request_id]
    assert folder.await_acknowledgement(request_id, 0.0) is None


def test_a_folder_that_is_gone_stops_the_gate(folder):
    (folder.path / "requests").rmdir()
    with pytest.raises(InputError, match="control folder cannot be used: No such file"):
        folder.pending()


def test_only_the_owner_may_use_it(folder, tmp_path):
    request_id = folder.submit({"action": "trip"})
    if not posix:
        return
    assert (folder.path / "requests" / request_id).stat().st_mode & 0o077 == 0
    for path in (folder.path, folder.path / "requests"):
        path.chmod(0o770)
        with pytest.raises(InputError, match="open to others, who could stop the gate"):
            ControlFolder(tmp_path / "gate.ledger")
        path.chmod(0o700)
    assert len(ControlFolder(tmp_path / "gate.ledger").pending()) == 1


@pytest.mark.parametrize("first", ["root", "gate"])
def test_what_root_asks_for_can_be_read_by_the_gate(reachable, first):
    path = reachable / "gate.ledger"
    if first == "gate":
        with without_privileges():
            ControlFolder(path)
    request_id = ControlFolder(path).submit({"action": "trip"})
    with without_privileges():
        gate = ControlFolder(path)
        assert gate.pending() == (ControlRequest(id=request_id, body={"action": "trip"}),)
        gate.acknowledge(request_id, {"state": "HALT"})
    assert ControlFolder(path).await_acknowledgement(request_id, 0.0) == {"state": "HALT"}


def test_a_folder_that_cannot_be_created_is_told(tmp_path):
    (tmp_path / "gate.ledger.control").write_bytes(b"")
    with pytest.raises(InputError, match="cannot be used"):
        ControlFolder(tmp_path / "gate.ledger")
    with pytest.raises(InputError, match="cannot be used"):
        ControlFolder(tmp_path / "no" / "gate.ledger")


def test_the_ledger_may_be_named_as_text_or_as_a_path(tmp_path):
    assert ControlFolder(str(tmp_path / "x")).path == Path(tmp_path / "x.control")
