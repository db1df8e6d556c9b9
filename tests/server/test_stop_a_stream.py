"""A trip through the API stops an in-flight stream: no approval is sequenced after the HALT."""

import http.client
import json
import os
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from urllib.parse import urlsplit

from rpmcore.adapters.ledger.reader import LedgerReader
from rpmcore.domain.canonical import parse
from tests.gate.conftest import KEY
from tests.server.conftest import WHO, served

ROUNDS = int(os.environ.get("RPM_STOPS", "50"))
"""`make nightly` stops 200 streams."""
THREADS = 32


class Stream:
    """Asks for signal after signal, until it is told that a kill switch stands."""

    def __init__(self, desk):
        parts = urlsplit(str(desk.client.base_url))
        self.line = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        self.desk, self.headers = desk, {**desk.bearer("decide"), "Content-Type": "application/json"}

    def run(self, name, said):
        number, approvals = 0, []
        while True:
            side = "buy" if number % 2 else "sell"
            body = self.desk.signal(f"{name}-{number}", side=side, quantity=1000.0)
            self.line.request("POST", "/v1/decisions", json.dumps(body), self.headers)
            answer = self.line.getresponse()
            decision = json.loads(answer.read())
            assert answer.status == 200, decision
            said.release()
            if decision["reason"] == "kill_switch":
                return approvals
            assert decision["approved"] > 0, decision["text"]
            approvals.append(decision["sequence"])
            number += 1


def test_no_approval_is_sequenced_after_the_halt(tmp_path):
    draw = random.Random(20080915)  # noqa: S311 - moments, not secrets
    halts = []
    with served(tmp_path) as desk, ExitStack() as open_lines, ThreadPoolExecutor(THREADS) as pool:
        streams = [Stream(desk) for _ in range(THREADS)]
        for each in streams:
            open_lines.enter_context(closing(each.line))
        for turn in range(ROUNDS):
            said = threading.Semaphore(0)
            running = [pool.submit(each.run, f"{turn}-{place}", said) for place, each in enumerate(streams)]
            for _ in range(draw.randrange(1, 2 * THREADS)):
                while not said.acquire(timeout=1.0):
                    assert not [each.result() for each in running if each.done()], "the stream ended by itself"
            halt = desk.post("/v1/operator/trip", {**WHO, "value": "halt"}).json()["sequence"]
            approved = [sequence for each in running for sequence in each.result(timeout=120)]
            assert approved, "the stream was in flight"
            assert max(approved) < halt
            halts.append(halt)
            assert (
                desk.post("/v1/operator/reset", {**WHO, "request_id": f"reset {turn}"}).json()["trading_state"]
                == "active"
            )
            desk.clock.now += 31_000_000_000  # what was approved expires
        path = desk.path
    with LedgerReader.open(path, KEY) as reader:
        decisions = [parse(record.body) for record in reader.records("decision")]
        resets = [
            record.sequence
            for record in reader.records("command")
            if record.body.startswith(b'{"action":"reset"')
        ]  # fmt: skip
    assert len(resets) == len(halts) == ROUNDS
    for halt, reset in zip(halts, resets, strict=True):
        assert not [d["sequence"] for d in decisions if halt < d["sequence"] < reset and d["approved"]]
