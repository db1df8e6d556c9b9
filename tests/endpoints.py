"""Endpoints of HTTP on this machine that answer as they are told to, and remember what they were sent."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HANG, RESET = "hang", "reset"

Step = int | str | tuple[int, dict[str, str]]
"""A status, a status with headers, or one of the two that give no answer."""


@dataclass
class Endpoint:
    """What an endpoint does next, the last step for ever, and what came."""

    url: str
    steps: list[Step]
    bodies: list[Any] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    answered: list[Any] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next_step(self, body: Any) -> Step:
        with self.lock:
            self.at.append(time.monotonic())
            self.bodies.append(body)
            return self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]


@contextmanager
def endpoint(*steps: Step) -> Iterator[Endpoint]:
    """Serve one endpoint on a free port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            step = told.next_step(body)
            if step == HANG:
                told.over.wait()
                self.close_connection = True
                return
            if step == RESET:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.shutdown(socket.SHUT_RD)
                self.connection.close()
                self.close_connection = True
                return
            status, headers = step if isinstance(step, tuple) else (step, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")
            if status < 300:
                told.answered.append(body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Connections that end badly are what these tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    told = Endpoint(url=f"http://127.0.0.1:{server.server_address[1]}/hook/T0/s3cr3t", steps=list(steps))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        told.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def eventually(condition: Callable[[], Any], within: float = 20.0, every: float = 0.01) -> Any:
    """Return what the condition gives once it gives anything; fail after so many seconds."""
    end = time.monotonic() + within
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(every)
