"""HTTP/1.1 for clients that may be slow, or mean ill: a head that does not arrive in time is not waited for."""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

from rpmcore.server.guards import OPERATORS
from rpmcore.server.problems import send_problem


class _Joined:
    """A transport that sends what is written in one turn of the loop by one call of the system.

    uvicorn writes the head of an answer and its body apart. Each call of the system lets the thread that decides take
    the interpreter, and then waits for it.
    """

    def __init__(self, transport: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._inner, self._loop = transport, loop
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Send soon."""
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)

    def close(self) -> None:
        """Send what was written, and close."""
        self._flush()
        self._inner.close()

    def _flush(self) -> None:
        if self._parts and not self._inner.is_closing():
            self._inner.write(b"".join(self._parts))
        self._parts.clear()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class PatientProtocol(H11Protocol):
    """Closes connections of clients that are not worth waiting for.

    One that begins a request and does not end its head within `head_seconds`, and one that reads nothing of what it was
    sent for `read_seconds`: it would keep its answer in memory, and its place among the streams, for ever.
    """

    head_seconds = 10.0
    read_seconds = 10.0
    _due: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # uvicorn itself would answer in plain text.
        self._most, self.limit_concurrency = self.limit_concurrency, None
        self._app = self.app
        self.app = self._unless_full

    async def _unless_full(self, scope: Any, receive: Any, send: Any) -> None:
        crowded = self._most is not None and len(self.connections) > self._most
        if crowded and not scope["path"].startswith(OPERATORS):  # no crowd keeps an operator out
            told = f"{len(self.connections)} connections are open, and {self._most} are the most"
            await send_problem(send, 503, told, {"Connection": "close"})
        else:
            await self._app(scope, receive, send)

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a request."""
        super().connection_made(cast("asyncio.Transport", _Joined(transport, self.loop)))
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_waiting()
        self._is_read()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Send no more for now: what was sent is not read."""
        super().pause_writing()
        self._is_read()
        self._unread = self.loop.call_later(self.read_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: it is read."""
        self._is_read()
        super().resume_writing()

    def _is_read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def data_received(self, data: bytes) -> None:
        """Take a part of a request; between two of them the keep-alive of uvicorn counts."""
        super().data_received(data)
        if self._answering():
            self._stop_waiting()
        elif self._due is None:
            self._wait()

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self) -> None:
        self._due = self.loop.call_later(self.head_seconds, self._too_slow)

    def _stop_waiting(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _too_slow(self) -> None:
        self._due = None
        if not self._answering():
            self.transport.close()


def protocol(head_seconds: float, read_seconds: float) -> type[PatientProtocol]:
    """Return the protocol that waits so long for the head of a request, and for an answer to be read."""
    return type("Protocol", (PatientProtocol,), {"head_seconds": head_seconds, "read_seconds": read_seconds})
