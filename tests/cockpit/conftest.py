"""The page of the service in Chromium, with no network but the server of the test, and a state to show."""

import shutil
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Route, expect, sync_playwright

from rpmcore.domain.plain import to_plain
from rpmcore.gate_status import gate_status
from tests.cockpit.told_server import ToldServer, told_server
from tests.small_gate import write_small_ledger

LOOPBACK = ("http://127.0.0.1:", "http://localhost:", "blob:http://127.0.0.1:")
PATIENCE = 20_000
"""Milliseconds: a busy machine draws slowly."""

STRESS = {
    "schema": "rpm.stress/1",
    "scenarios": [
        {"name": "flashcrash2010", "title": "Flash Crash, 2010", "mode": "parametric", "loss": 0.0759, "passed": True,
         "failed_criteria": []},
        {"name": "covid2020", "title": "COVID crash, 2020", "mode": "parametric", "loss": 0.2174, "passed": False,
         "failed_criteria": ["loss 21.7% > 15.0%"]},
    ],
}  # fmt: skip


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Give the status of a small ledger, with what a server adds to it."""
    ledger = write_small_ledger(tmp_path_factory.mktemp("cockpit") / "desk.ledger")
    found: dict[str, Any] = to_plain(gate_status(ledger, last=50))
    for place, position in enumerate(found["positions"]):
        position["share"] = 0.6 if place == 0 else -0.05
    found |= {
        "schema": "rpm.state/1", "revision": found["commands"], "published_at": "2026-03-02T09:30:00.000+00:00",
        "server": {
            "version": "2.0.0", "started_at": "2026-03-02T08:00:00+00:00", "ledger": str(ledger), "dry_run": False,
            "sample": None, "ready": True, "ready_reasons": [], "queue": {"depth": 0, "capacity": 1000},
            "rollout": "full", "reload_problem": None, "heartbeat_seconds": 1.0, "tick_seconds": 1.0,
        },
        "regime": {"name": found["limits"]["regime"]},
        "decision_time_ms": {"n": 6, "median": 0.61, "p95": 1.2, "p99": 2.31, "maximum": 12.5},
    }  # fmt: skip
    return found


@pytest.fixture
def state(recorded: dict[str, Any]) -> dict[str, Any]:
    """Give a state that the test may change."""
    return deepcopy(recorded)


@pytest.fixture
def server(state: dict[str, Any]) -> Iterator[ToldServer]:
    """Give a server that says what it is told to."""
    with told_server(state, deepcopy(STRESS)) as told:
        yield told


def chromium_path() -> str:
    """Return where Chromium is; tests of the page fail without it."""
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("chromium is not installed: apt-get install chromium")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give a browser of this module: one that lived longer would leave its event loop to other tests."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
        yield found
        found.close()


class Watched:
    """Opens pages and remembers what they did that no page may do."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self.strange: list[str] = []
        self.complaints: list[str] = []
        self.expected: tuple[str, ...] = ()
        self._contexts: list[Any] = []

    def open(self, url: str, *, width: int = 1280, height: int = 900, scheme: Any = "light") -> Page:
        """Open a page that reaches this machine alone."""
        context = self._browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce",
        )  # fmt: skip
        self._contexts.append(context)
        context.set_default_timeout(PATIENCE)
        context.route("**/*", self._let_pass)
        page = context.new_page()
        page.on("request", self._asked)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.goto(url)
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()

    @property
    def unexpected(self) -> list[str]:
        """What the pages complained of, but for what the test expects."""
        return [text for text in self.complaints if not any(part in text for part in self.expected)]

    def _let_pass(self, route: Route) -> None:
        if route.request.url.startswith(LOOPBACK):
            route.continue_()
        else:
            route.abort()

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(LOOPBACK):
            self.strange.append(request.url)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """Give pages of which none may complain, break the policy, or ask another host."""
    expect.set_options(timeout=PATIENCE)
    found = Watched(browser)
    yield found
    found.close()
    assert found.strange == []
    assert found.unexpected == []


@pytest.fixture
def live(server: ToldServer, watched: Watched) -> Callable[..., Page]:
    """Open the page and wait until it is live."""

    def opened(**how: Any) -> Page:
        page = watched.open(server.url, **how)
        expect(page.locator("html")).to_have_attribute("data-connection", "live")
        return page

    return opened
