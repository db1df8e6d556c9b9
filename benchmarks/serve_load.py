"""The service under open-loop load: so many decisions a second, whatever it answers, on a durable ledger.

    python benchmarks/serve_load.py [--rate 500] [--seconds 60] [--errors-only]

A latency is measured from the moment at which a request was meant to be sent, so that a service that stalls is charged
for everybody who waited. The service runs in a process of its own, on the sample book; its throttles are set aside,
every order is approved, and approvals expire after a tenth of a second, so that some fifty are open at any time: a
desk sends or drops what it was granted. The target, p99 ≤ 25 ms and no error at 500 decisions a second, is of an idle
machine with two cores: `--errors-only`, for CI, holds errors alone. Exits with 1 where it is missed.
"""

import argparse
import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET_MS = 25.0
PATIENCE = 120.0
"""Seconds after the last request was meant to be sent in which a slow machine may still answer."""
PRICES = {"EURUSD": 1.064, "GBPUSD": 1.205, "NZDUSD": 0.631, "USDJPY": 134.0}
SETTINGS = (
    "gate.max_messages=10000000", "gate.message_window_seconds=1.0", "gate.approval_seconds=0.1",
    "gate.deadline_ms=10000.0", "kill_switches.repeated_execution.max_executions=100000",
    "kill_switches.repeated_execution.window_minutes=0.02", "kill_switches.rejection_velocity.max_rejections=10000",
    "kill_switches.exposure_velocity.max_growth=100.0", "kill_switches.exposure_velocity.max_leverage_growth=100.0",
)  # fmt: skip


@dataclass
class Measured:
    """Milliseconds from when each request was meant to be sent, and what it got."""

    milliseconds: list[float] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    def quantile(self, level: float) -> float:
        """Return a quantile of the latencies."""
        ordered = sorted(self.milliseconds)
        return ordered[min(int(level * len(ordered)), len(ordered) - 1)] if ordered else float("nan")


@contextmanager
def service(folder: Path) -> Iterator[tuple[str, int]]:
    """Run the service on a ledger in a folder, for a ``with``; yields where it listens."""
    key = folder / "key"
    key.write_text(secrets.token_hex(32))
    key.chmod(0o600)
    environment = {
        **os.environ, "RPM_LEDGER_KEY_FILE": str(key), "XDG_STATE_HOME": str(folder / "state"),
        "XDG_CONFIG_HOME": str(folder / "config"),
    }  # fmt: skip
    command = [sys.executable, "-m", "rpmcore", "serve", "--port", "0"]
    for setting in SETTINGS:
        command += ["--set", setting]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=folder, env=environment) as child:
        try:
            assert child.stderr is not None
            said = ""
            for line in child.stderr:
                said += line
                if line.startswith("Listening on http://"):
                    host, _, port = line.strip().removeprefix("Listening on http://").rpartition(":")
                    yield host, int(port)
                    break
            else:
                raise SystemExit(f"the service did not start:\n{said}")
        finally:
            child.send_signal(signal.SIGTERM)
            print(child.stderr.read().strip())


def requests(number: int, name: str) -> Iterator[bytes]:
    """Yield the requests, small orders on one pair after the other, as bytes."""
    symbols = list(PRICES)
    for i in range(number):
        symbol = symbols[i % len(symbols)]
        body = json.dumps(
            {
                "signal_id": f"{name}-{i}", "strategy_id": "trend_fx", "symbol": symbol,
                "side": "buy" if i // len(symbols) % 2 else "sell", "quantity": 1000, "entry": PRICES[symbol],
            }
        ).encode()  # fmt: skip
        head = (
            "POST /v1/decisions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        yield head.encode() + body


async def _one(pool: "asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]", raw: bytes, meant: float,
               found: Measured) -> None:  # fmt: skip
    connection = await pool.get()
    reader, writer = connection
    try:
        writer.write(raw)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        body = await reader.readexactly(length)
    except (OSError, asyncio.IncompleteReadError, ValueError) as error:
        found.errors[type(error).__name__] += 1
        return
    found.milliseconds.append((time.perf_counter() - meant) * 1e3)
    status = head.split(b" ", 2)[1].decode()
    if status == "200":
        at = body.find(b'"verdict":"') + 11
        found.answers[body[at : body.find(b'"', at)].decode()] += 1
    else:
        found.errors[status] += 1
    pool.put_nowait(connection)


async def load(
    host: str, port: int, *, rate: float, seconds: float, connections: int = 64, name: str = "load"
) -> Measured:
    """Send so many requests a second for so long, each at its moment, and return what came back."""
    found = Measured()
    pool: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(connections):
        pool.put_nowait(await asyncio.open_connection(host, port))
    raw = list(requests(int(rate * seconds), name))
    waiting: set[asyncio.Task[None]] = set()
    start = time.perf_counter() + 0.1
    for i, each in enumerate(raw):
        meant = start + i / rate
        early = meant - time.perf_counter()
        if early > 0.0:
            await asyncio.sleep(early)
        task = asyncio.create_task(_one(pool, each, meant, found))
        waiting.add(task)
        task.add_done_callback(waiting.discard)
    if waiting:
        await asyncio.wait(waiting, timeout=PATIENCE)
    found.errors.update({"no answer": len(waiting)} if waiting else {})
    while not pool.empty():
        pool.get_nowait()[1].close()
    return found


def main() -> None:
    """Run the load as the command line asks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=500.0, help="decisions a second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--errors-only", action="store_true", help="latencies are printed, and not held")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, service(Path(folder)) as (host, port):
        asyncio.run(load(host, port, rate=50.0, seconds=1.0, name="warm"))  # connections, caches
        began = time.perf_counter()
        found = asyncio.run(load(host, port, rate=asked.rate, seconds=asked.seconds))
        took = time.perf_counter() - began
    told = {f"p{level:g}": f"{found.quantile(level / 100):.1f}" for level in (50, 90, 99, 99.9)}
    print(f"{len(found.milliseconds)} answers in {took:.1f} s · ms {told} · {dict(found.answers)}")
    late = found.quantile(0.99) > TARGET_MS
    if found.errors:
        print(f"errors: {dict(found.errors)}")
    if late:
        print(f"p99 is beyond {TARGET_MS:g} ms")
    raise SystemExit(1 if found.errors or (late and not asked.errors_only) else 0)


if __name__ == "__main__":
    main()
