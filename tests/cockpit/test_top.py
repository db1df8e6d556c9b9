"""`rpm top`: the state in a terminal, live in one and once elsewhere, and what it says when there is none."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from tests.cockpit.told_server import told_server
from tests.endpoints import free_port

COMMAND = [sys.executable, "-m", "rpmcore", "top"]
PATIENCE = 60.0
"""Seconds: a busy machine starts programs slowly."""


def top(*arguments, **environment):
    settings = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR", "RPM_API_KEY_FILE")}
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, check=False, encoding="utf-8",
        env={**settings, **environment},
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done


@pytest.mark.parametrize("width", [80, 120])
def test_once_it_shows_the_state_and_fits(server, state, width):
    done = top(server.url, "--once", COLUMNS=str(width))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= width
    assert lines[0].startswith(" ● ACTIVE ")
    for heading in ("Limits in use", "Strategies and kill switches", "Last decisions", "Book", "Working orders",
                    "If a crisis came now", "Decision time"):  # fmt: skip
        assert heading in done.stdout
    for position in state["positions"]:
        assert position["symbol"] in done.stdout
    assert "60.0%" in done.stdout
    assert "21.74% FAILED" in done.stdout
    assert "median 0.61 ms" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_halt_says_who_and_why(server):
    server.publish(
        trading_state="reducing",
        scopes=[{"scope": "account", "severity": "halt", "reasons": ["operator: fat finger (A. Person)"]}],
    )
    lines = top(server.url).stdout.splitlines()
    assert lines[0].startswith(" ▲ REDUCING ")
    assert lines[1].strip() == "account: HALT – operator: fat finger (A. Person)"


def test_no_number_is_cut(server, state):
    held = [{**state["positions"][0], "symbol": f"S{i}", "strategy_id": "a_strategy_of_a_long_name", "weight": -1.2345,
             "share": -0.1} for i in range(3)]  # fmt: skip
    server.publish(positions=held)
    for width in (80, 110, 120):
        assert top(server.url, COLUMNS=str(width)).stdout.count("-123.45%") == 3


def test_what_a_terminal_would_obey_is_not_printed(server, state):
    server.publish(positions=[{**state["positions"][0], "symbol": "E\x1b[2JVIL"}], halted="\x1b]0;owned\x07")
    done = top(server.url)
    assert "\x1b" not in done.stdout
    assert "E�[2JVIL" in done.stdout


def test_json_is_the_state_as_it_was_told(server, state):
    found = json.loads(top(server.url, "--once", "--json").stdout)
    assert found == state


def test_a_server_that_is_not_there_is_unavailable():
    done = top(f"http://127.0.0.1:{free_port()}")
    assert done.returncode == 4
    assert "cannot be reached" in done.stderr


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("desk", "'desk' is no address of a service"),
        ("ftp://127.0.0.1", "is no address of a service"),
        ("http://127.0.0.1:99999", "is no address of a service"),
        ("http://me:secret@127.0.0.1", "must hold no password"),
    ],
)
def test_a_wrong_address_is_told(url, told):
    done = top(url)
    assert done.returncode == 2
    assert told in done.stderr
    assert "secret" not in done.stderr


def write_key(folder, text="s3cret", mode=0o600):
    path = folder / "read.key"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_key_comes_from_a_file_or_the_environment(server, tmp_path):
    server.key = "s3cret"
    done = top(server.url)
    assert done.returncode == 2
    assert "--key-file" in done.stderr
    assert "RPM_API_KEY_FILE" in done.stderr
    path = write_key(tmp_path, "s3cret\n")
    assert top(server.url, "--key-file", path).returncode == 0
    assert top(server.url, RPM_API_KEY_FILE=str(path)).returncode == 0


@pytest.mark.parametrize(
    ("text", "mode", "told"), [("s3cret", 0o644, "open to others"), ("two words", 0o600, "no key")]
)
def test_a_key_file_that_cannot_be_right_is_refused(server, tmp_path, text, mode, told):
    done = top(server.url, "--key-file", write_key(tmp_path, text, mode))
    assert done.returncode == 2
    assert told in done.stderr
    assert text not in done.stderr


def test_a_key_goes_nowhere_unencrypted(tmp_path):
    done = top("http://risk.example.com", "--key-file", write_key(tmp_path))
    assert done.returncode == 2
    assert "unencrypted" in done.stderr


def test_without_httpx_it_says_what_to_install(server):
    block = "import sys; sys.modules['httpx'] = None; from rpm_cli.main import run; run()"
    done = subprocess.run([sys.executable, "-c", block, "top", server.url], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install 'rpmcore[serve]'" in done.stderr
    assert "Traceback" not in done.stderr


class Terminal:
    """A program in a terminal of its own: what it has written, and keys for it."""

    def __init__(self, *command, rows=40, columns=120):
        self.text = ""
        self._master, slave = pty.openpty()
        import termios

        termios.tcsetwinsize(slave, (rows, columns))
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color"},
        )  # fmt: skip
        os.close(slave)

    def until(self, wanted):
        """Read until this was written since the last time, without what places and colours it."""
        end, start = time.monotonic() + PATIENCE, len(self.text)
        while wanted not in self.text[start:]:
            assert time.monotonic() < end, self.text[-3000:]
            if select.select([self._master], [], [], 1.0)[0]:
                raw = os.read(self._master, 65536).decode(errors="replace")
                self.text += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", raw)

    def leave(self, how):
        """Press a key, or interrupt the program as Ctrl+C does."""
        if how == "Ctrl+C":
            self.process.send_signal(signal.SIGINT)
        else:
            os.write(self._master, how.encode())

    def end(self):
        """Read what is left, and return the exit code."""
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < end
            if select.select([self._master], [], [], 0.05)[0]:
                with suppress(OSError):
                    os.read(self._master, 65536)
        os.close(self._master)
        return self.process.returncode


@pytest.mark.parametrize("how", ["q", "Ctrl+C"])
def test_in_a_terminal_it_lives_loses_the_connection_finds_it_and_leaves(server, state, how):
    terminal = Terminal(*COMMAND, server.url)
    terminal.until("● ACTIVE")
    server.publish(trading_state="reducing")
    terminal.until("▲ REDUCING")
    server.stop()
    terminal.until("CONNECTION LOST since")
    terminal.until("WAS REDUCING")
    with told_server({**state, "published_at": "2026-03-02T10:00:00+00:00"}, None, port=server.port):
        terminal.until("● ACTIVE")
        terminal.leave(how)
        assert terminal.end() == 0
