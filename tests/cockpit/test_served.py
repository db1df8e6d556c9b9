"""The page and the terminal on a real `rpm serve` of the sample."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

PATIENCE = 120.0
"""Seconds: a server that starts compiles what is not compiled yet."""


@contextmanager
def serving(home: Path, *options: str) -> Iterator[tuple[subprocess.Popen, str]]:
    """Run a server of the sample with a home of its own, and give its process and address."""
    own = {"XDG_CONFIG_HOME": str(home / "config"), "XDG_STATE_HOME": str(home / "state")}
    process = subprocess.Popen(
        [sys.executable, "-m", "rpmcore", "serve", "--port", "0", *options],
        stderr=subprocess.PIPE, text=True, cwd=home, env={**os.environ, **own},
    )  # fmt: skip
    try:
        said = []
        for line in process.stderr:
            said.append(line)
            found = re.search(r"Listening on (http://\S+)", line)
            if found:
                break
        else:
            pytest.fail("".join(said))
        yield process, found[1]
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


def operator_key(home):
    return (home / "state" / "rpmcore" / "sample-operator.key").read_text().strip()


def top(url, *options):
    done = subprocess.run(
        [sys.executable, "-m", "rpmcore", "top", url, *options], capture_output=True, text=True, check=False,
        env={**os.environ, "COLUMNS": "100"},
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout


def order(page, *, key):
    page.locator("#name").fill("A. Person")
    page.locator("#reason").fill("fat finger")
    page.locator("#key").fill(key)
    page.locator("#ask").click()
    page.locator("#go").click()


def test_a_decision_is_shown_and_a_trip_through_the_page_halts_and_outlives_the_server(home, watched):
    watched.expected = ("401", "Failed to load resource", "ERR_")
    with serving(home) as (process, url):
        page = watched.open(url)
        expect(page.locator("#state")).to_have_text("● ACTIVE")
        expect(page.locator("#limits tr")).to_have_count(6)
        expect(page.locator("#stress tr")).to_have_count(5)
        body = {"signal_id": "from-the-test", "strategy_id": "trend_fx", "symbol": "EURUSD", "side": "buy",
                "quantity": 1000.0, "entry": 1.0635}  # fmt: skip
        answer = httpx.post(f"{url}/v1/decisions", json=body, trust_env=False).json()
        expect(page.locator("#decisions tr")).to_have_count(1)
        expect(page.locator("#decisions tr")).to_contain_text(answer["text"])
        expect(page.locator("#timing-note")).to_contain_text("1 decision")

        order(page, key="wrong")
        expect(page.locator("#answer")).to_contain_text("this key is not known here")
        expect(page.locator("#state")).to_have_text("● ACTIVE")
        order(page, key=operator_key(home))
        expect(page.locator("#answer")).to_contain_text("Trading is REDUCING")
        expect(page.locator("#state")).to_have_text("▲ REDUCING")
        expect(page.locator("#why")).to_contain_text("account: HALT – operator: fat finger (A. Person)")
        code, shown = top(url, "--once")
        assert code == 0
        assert "▲ REDUCING" in shown
        assert "fat finger (A. Person)" in shown

        process.kill()
        expect(page.locator("html")).to_have_attribute("data-connection", "lost")
        expect(page.locator("#stale")).to_contain_text("Connection lost since")

    port = url.rpartition(":")[2]
    with serving(home, "--port", port):
        expect(page.locator("html")).to_have_attribute("data-connection", "live")
        expect(page.locator("#state")).to_have_text("▲ REDUCING")
        page.locator("#reset").check()
        order(page, key=operator_key(home))
        expect(page.locator("#answer")).to_contain_text("Trading is ACTIVE")
        expect(page.locator("#state")).to_have_text("● ACTIVE")
    expect(page.locator("html")).to_have_attribute("data-connection", "lost")
    assert top(url, "--once")[0] == 4


def make_key(file, name, *scopes):
    named = [option for scope in scopes for option in ("--scope", scope)]
    done = subprocess.run(
        [sys.executable, "-m", "rpmcore", "keys", "create", name, *named, "--file", file],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_a_server_with_keys_shows_its_state_to_readers_and_obeys_operators(tmp_path, watched):
    watched.expected = ("401", "403")
    keys = tmp_path / "api_keys.json"
    reader, operator = make_key(keys, "screen", "read"), make_key(keys, "head-of-risk", "operate")
    file = tmp_path / "screen.key"
    file.write_text(reader)
    file.chmod(0o600)
    with serving(tmp_path, "--set", f"server.keys_file={keys}") as (_, url):
        page = watched.open(url)
        expect(page.locator("#gate-key")).to_be_visible()
        page.locator("#read-key").fill(operator)
        page.keyboard.press("Enter")
        expect(page.locator("#key-problem")).to_contain_text("this needs 'read'")
        page.locator("#read-key").fill(reader)
        page.keyboard.press("Enter")
        expect(page.locator("#state")).to_have_text("● ACTIVE")
        expect(page.locator("#stress tr")).to_have_count(5)

        order(page, key=reader)
        expect(page.locator("#answer")).to_contain_text("this needs 'operate'")
        order(page, key=operator)
        expect(page.locator("#state")).to_have_text("▲ REDUCING")

        assert top(url, "--once")[0] == 2
        code, shown = top(url, "--once", "--key-file", str(file))
        assert code == 0
        assert "▲ REDUCING" in shown
