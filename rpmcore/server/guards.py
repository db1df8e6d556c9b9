"""What stands before every route: by which name it is called, from where, with which key, and what it sends."""

import asyncio
from logging import getLogger
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rpmcore.adapters.configuration.server_settings import ServerSettings
from rpmcore.domain.canonical import parse
from rpmcore.domain.errors import InvalidArgument
from rpmcore.server import keys as api_keys
from rpmcore.server.problems import WORDS, ProblemError, send_problem

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - they are no names of anybody

OPERATORS = ("/v1/operator", "/v1/reconciliations")
"""Paths of operators."""

SECURITY = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_RAW = tuple((name.lower().encode(), value.encode()) for name, value in SECURITY.items())
NO_STORE = ((b"cache-control", b"no-store"),)


class Guards:
    """Refuses what has no business here, before anything else looks at it.

    Parameters
    ----------
    app
        What is guarded.
    settings
        The section ``server``.
    keys
        Who may do what.
    """

    def __init__(self, app: ASGIApp, settings: ServerSettings, keys: api_keys.Keys) -> None:
        self._app, self._settings, self.keys = app, settings, keys
        self.faults = getLogger("rpm.server")
        own = {settings.host} - EVERYWHERE
        self._names = LOOPBACK_NAMES | {name.lower() for name in (*own, *settings.allowed_hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer it with a problem."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
                return
            await self._app(scope, receive, send)
            return
        sending = _secured(scope["path"], send)
        try:
            headers = Headers(scope=scope)
            self._check_names(headers)
            self._check_key(scope, headers)
            if scope["method"] in ("POST", "PUT", "PATCH"):
                body = await self._body(headers, receive)
                receive = _once(body, receive)
        except ProblemError as error:
            await send_problem(sending, error.status, error.detail, error.headers)
            return
        try:
            await self._app(scope, receive, sending)
        except Exception:  # noqa: BLE001 - it is logged, and whoever asked is told that it was
            self.faults.exception("a request could not be answered: %s %s", scope["method"], scope["path"])
            await send_problem(sending, 500, WORDS[500], {"Connection": "close"})

    def _check_names(self, headers: Headers) -> None:
        """A page of another site that a browser shows must not reach us, nor by a name that it made ours."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or _name(f"//{hosts[0]}") not in self._names:
            raise ProblemError(
                421, f"the header Host is {', '.join(hosts)[:80]!r}, which is none of the names of this service; "
                "server.allowed_hosts adds some",
            )  # fmt: skip
        origin = headers.get("origin")
        if origin is not None and _name(origin) not in self._names:
            raise ProblemError(403, f"requests of pages from {origin[:80]!r} are not answered")

    def _check_key(self, scope: Scope, headers: Headers) -> None:
        needed = needed_scope(scope["method"], scope["path"])
        if needed is None:
            return
        challenge = {"WWW-Authenticate": "Bearer"}
        said = headers.getlist("authorization")
        if not said:
            if self.keys.needed(needed):
                raise ProblemError(
                    401, f"this needs a key with the scope {needed!r} (Authorization: Bearer …)", challenge
                )
            return
        kind, _, secret = said[0].partition(" ")
        holder = self.keys.holder(secret.strip()) if kind.lower() == "bearer" and len(said) == 1 else None
        if holder is None:
            raise ProblemError(401, "this key is not known here", challenge)
        if needed not in holder.scopes:
            raise ProblemError(
                403, f"the key {holder.name!r} has the scopes {', '.join(holder.scopes)}, and this needs {needed!r}"
            )
        scope["rpm.key"] = holder.name

    async def _body(self, headers: Headers, receive: Receive) -> bytes:
        largest, closing = self._settings.max_body_bytes, {"Connection": "close"}
        told = headers.get("content-length", "")
        if told.isdecimal() and int(told) > largest:
            raise ProblemError(413, f"the body has {told[:20]} bytes, and {largest} are the most", closing)
        kind, _, _ = headers.get("content-type", "").partition(";")
        if kind.strip().lower() != "application/json":
            raise ProblemError(415, f"the body must be application/json, found {kind[:80]!r}", closing)
        chunks, size = [], 0
        try:
            async with asyncio.timeout(self._settings.body_timeout_s):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ProblemError(400, "the body was not sent to its end", closing)
                    chunk = message.get("body", b"")
                    size += len(chunk)
                    if size > largest:
                        raise ProblemError(413, f"the body has more than {largest} bytes", closing)
                    chunks.append(chunk)
                    more = message.get("more_body", False)
        except TimeoutError:
            raise ProblemError(
                408, f"the body did not arrive within {self._settings.body_timeout_s:g} s", closing
            ) from None
        body = b"".join(chunks)
        try:
            parse(body)
        except InvalidArgument as error:
            raise ProblemError(400, f"the body {error}") from error
        return body


def _name(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").lower()
    except ValueError:
        return ""


def needed_scope(method: str, path: str) -> api_keys.Scope | None:
    """Return the scope that a request needs; None where it is open to all."""
    if path.startswith(OPERATORS):
        return "operate"
    if path.startswith("/v1/") or path in ("/metrics", "/openapi.json"):
        return "read" if method in ("GET", "HEAD") else "decide"
    return None


def _once(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _secured(path: str, send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            fresh = NO_STORE if path.startswith(("/v1/", "/health", "/metrics")) else ()
            message["headers"] = [*message["headers"], *_RAW, *fresh]
        await send(message)

    return sending
