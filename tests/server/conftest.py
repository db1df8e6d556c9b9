"""A service on a small ledger: in this process, and as ``rpm serve`` in one of its own."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from rpmcore.adapters.configuration.loading import load_settings
from rpmcore.gate import RiskGate
from rpmcore.server.keys import KeyFile, Keys
from rpmcore.server.lifecycle import Start, http_server, listening_on, running
from rpmcore.server.opening import Asked, Opened, stored_in
from rpmcore.server.service import Service
from tests.gate.conftest import KEY, SETTINGS, Times, make_genesis
from tests.small_gate import write_key

ROOT = Path(__file__).parents[2]
ROOMY = (
    "gate.max_messages=1000000", "kill_switches.repeated_execution.max_executions=100000",
    "kill_switches.exposure_velocity.max_growth=100.0", "kill_switches.exposure_velocity.max_leverage_growth=100.0",
    "kill_switches.rejection_velocity.max_rejections=10000", "gate.deadline_ms=60000.0",
)  # fmt: skip
WHO = {"operator": "A. Person", "reason": "a drill"}


@dataclass
class Served:
    """A service in this process, and what calls it."""

    client: httpx.Client
    service: Service
    path: Path
    clock: Times
    keys: dict[str, str]
    last: dict[str, float]
    load: list[Callable[[], Any]]

    def signal(self, number: Any = 1, **changes: Any) -> dict[str, Any]:
        symbol = str(changes.get("symbol", "EURUSD"))
        return {
            "signal_id": f"s{number}", "strategy_id": "trend", "symbol": symbol, "side": "buy",
            "entry": self.last[symbol], "quantity": 1000.0, **changes,
        }  # fmt: skip

    def post(self, path: str, body: Any, key: str | None = "all", **headers: str) -> httpx.Response:
        return self.client.post(path, json=body, headers={**self.bearer(key), **headers})

    def get(self, path: str, key: str | None = "all") -> httpx.Response:
        return self.client.get(path, headers=self.bearer(key))

    def bearer(self, key: str | None) -> dict[str, str]:
        return {} if key is None else {"Authorization": f"Bearer {self.keys.get(key, key)}"}

    def state(self, until: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the published state once it is as it should be."""
        return eventually(lambda: self.get("/v1/state").json(), until)


def eventually(look: Callable[[], Any], until: Callable[[Any], bool], seconds: float = 30.0) -> Any:
    """Look again and again until it is as it should be."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if until(found):
            return found
        assert time.monotonic() < end, f"it stayed {str(found)[:2000]}"
        threading.Event().wait(0.02)


def calling(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, timeout=60.0, trust_env=False)


@contextmanager
def listening(service: Service) -> Iterator[str]:
    """Let a service listen on a free port, on a thread of its own, for a ``with``; yields its URL."""
    server = http_server(service)
    with listening_on(service.settings) as listener:
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
        thread.start()
        try:
            yield f"http://localhost:{listener.getsockname()[1]}"
        finally:
            service.stopping.set()
            service.published.wake()
            server.should_exit = True
            thread.join()


@contextmanager
def served(
    folder: Path, *changes: str, keys: bool = True, dry_run: bool = False, genesis: Any = None, rereads: bool = True
) -> Iterator[Served]:
    """Serve a new ledger in a folder, for a ``with``."""
    genesis = genesis or make_genesis(*ROOMY)
    clock = Times(genesis.at)
    path = folder / "desk.ledger"
    settings = load_settings(None, (*SETTINGS, *ROOMY, "server.port=0", *changes))
    file = KeyFile(folder / "keys" / "keys.json")
    secrets = {}
    if keys:
        for name, scopes in (
            ("all", ("read", "decide", "operate")), ("read", ("read",)), ("decide", ("decide",)),
            ("operate", ("operate",)),
        ):  # fmt: skip
            secrets[name] = file.create(name, scopes)
    load = [lambda: settings]
    with RiskGate.create(path, genesis, KEY, clock=clock, timer=None) as gate:
        source = Opened(
            gate=gate, clock=clock, ledger=str(path), path=path, sample=None, earlier=(),
            stored=lambda signal_id: stored_in(path, signal_id),
        )  # fmt: skip
        start = Start(
            asked=Asked(ledger=str(path), dry_run=dry_run), load=lambda: load[0](), named=rereads, tell=lambda _: None
        )
        known = Keys(file.read(), open_to_all=not keys)
        with running(source, start, settings, known) as service, listening(service) as url, calling(url) as client:
            yield Served(
                client=client, service=service, path=path, clock=clock, keys=secrets, load=load,
                last={symbol: price for symbol, price, _ in genesis.last},
            )  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as found:
        yield found


@dataclass
class Process:
    """``rpm serve`` in a process of its own."""

    child: subprocess.Popen[str]
    url: str
    said: list[str]
    state: Path
    lines: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        return (self.state / "rpmcore" / "sample-operator.key").read_text().strip()

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.child.send_signal(number)
        return self.child.wait(60)

    def client(self, **options: Any) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=60.0, trust_env=False, **options)


@contextmanager
def rpm_serve(folder: Path, *arguments: str, environment: dict[str, str] | None = None) -> Iterator[Process]:
    """Run ``rpm serve`` on any free port, with a state folder of its own, for a ``with``."""
    state = folder / "state"
    given = {
        **os.environ, "RPM_LEDGER_KEY_FILE": str(write_key(folder / "secret")), "XDG_STATE_HOME": str(state),
        "XDG_CONFIG_HOME": str(folder / "config"), **(environment or {}),
    }  # fmt: skip
    settings = [part for each in ROOMY for part in ("--set", each)]
    command = [sys.executable, "-m", "rpmcore", "serve", "--port", "0", *settings, *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=folder, env=given) as child:
        assert child.stderr is not None
        said: list[str] = []
        for line in child.stderr:
            said.append(line.rstrip("\n"))
            if line.startswith("Listening on "):
                break
        else:
            raise AssertionError(f"it did not start: {said}")
        found = Process(child, said[-1].removeprefix("Listening on "), said, state)
        reader = threading.Thread(target=lambda: found.lines.extend(child.stderr or ()), daemon=True)
        reader.start()
        try:
            yield found
        finally:
            if child.poll() is None:
                child.kill()
            child.wait()
            reader.join(10)
            assert not any("Traceback" in line for line in (*said, *found.lines)), found.lines


def sample_signal(name: str, **changes: Any) -> dict[str, Any]:
    """Return a signal that the sample book has room for."""
    return {
        "signal_id": name, "strategy_id": "trend_fx", "symbol": "EURUSD", "side": "buy", "quantity": 1000.0,
        "entry": 1.064, **changes,
    }  # fmt: skip


def as_json(body: Any) -> bytes:
    return json.dumps(body).encode()
