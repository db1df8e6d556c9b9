"""A server with the addresses of `rpm serve` that says what it is told to: states, silence, problems, markup."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

STATIC = Path(__file__).parents[2] / "rpmcore" / "server" / "static"
POLICY = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class ToldServer:
    """What it says, and what it was asked.

    Attributes
    ----------
    state
        Told at once and after each `publish`, and again every `every` seconds; None ends the streams.
    stress
        An object; None where it refuses.
    key
        Asked of every request but those for files; None for none.
    answers
        To operators, in turn: (status, object); the last for ever.
    posted, asked
        (path, body) of operators' commands, and every path.
    """

    def __init__(self, state: dict[str, Any], stress: Any, port: int = 0) -> None:
        self.state: dict[str, Any] | None = state
        self.stress, self.key, self.every = stress, None, 1.0
        self.answers: list[tuple[int, Any]] = [(200, {"sequence": 7, "trading_state": "reducing"})]
        self.posted: list[tuple[str, Any]] = []
        self.asked: list[str] = []
        self.silent = False
        self.changed = threading.Condition()
        self.over = False
        told = self

        class Handler(_Handler):
            server_told = told

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """Pages go away in the middle of a stream."""

        self.http = Server(("127.0.0.1", port), Handler)
        self.port = int(self.http.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}/"

    def publish(self, **changes: Any) -> None:
        """Tell another state to every page."""
        with self.changed:
            assert self.state is not None
            self.state = {**self.state, "revision": self.state["revision"] + 1, **changes}
            self.changed.notify_all()

    def stop(self) -> None:
        """End every stream, and the server."""
        with self.changed:
            self.over = True
            self.changed.notify_all()
        self.http.shutdown()
        self.http.server_close()


class _Handler(BaseHTTPRequestHandler):
    server_told: ToldServer

    def do_GET(self) -> None:
        told = self.server_told
        told.asked.append(self.path)
        if self.path == "/" or self.path.startswith("/static/"):
            self._file("index.html" if self.path == "/" else self.path.removeprefix("/static/"))
        elif not self._allowed():
            self._problem(401, "A key is needed", "send it as Authorization: Bearer KEY")
        elif self.path == "/v1/state":
            self._json(200, told.state)
        elif self.path == "/v1/events":
            self._events()
        elif self.path == "/v1/stress" and told.stress is not None:
            self._json(200, told.stress)
        else:
            self._problem(503, "Not now", "the book has no prices")

    def do_POST(self) -> None:
        told = self.server_told
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers.get("Authorization") != "Bearer right":
            self._problem(401, "The key is not known", "no key of this server has that value")
            return
        told.posted.append((self.path, body))
        status, answer = told.answers.pop(0) if len(told.answers) > 1 else told.answers[0]
        if status < 300:
            self._json(status, answer)
        else:
            self._problem(status, *answer)

    def _allowed(self) -> bool:
        key = self.server_told.key
        return key is None or self.headers.get("Authorization") == f"Bearer {key}"

    def _events(self) -> None:
        told = self.server_told
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        while not told.over and told.state is not None:
            if not told.silent:
                self.wfile.write(f"event: state\ndata: {json.dumps(told.state)}\n\n".encode())
                self.wfile.flush()
            with told.changed:
                if not told.over:
                    told.changed.wait(timeout=told.every)

    def _file(self, name: str) -> None:
        path = STATIC / name
        if path.parent != STATIC or not path.is_file():
            self._problem(404, "Not here", name)
            return
        self._send(200, TYPES[path.suffix], path.read_bytes())

    def _json(self, status: int, told: Any) -> None:
        self._send(status, "application/json", json.dumps(told).encode())

    def _problem(self, status: int, title: str, detail: str) -> None:
        content = json.dumps({"title": title, "detail": detail, "status": status}).encode()
        self._send(status, "application/problem+json", content)

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def told_server(state: dict[str, Any], stress: Any, port: int = 0) -> Iterator[ToldServer]:
    """Serve until the block ends, or `stop` was called."""
    server = ToldServer(state, stress, port)
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        if not server.over:
            server.stop()
        thread.join()
