"""From start to stop: what listens, what is told, SIGHUP, and an end that loses nothing."""

import asyncio
import gc
import ipaddress
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from rpmcore.adapters.configuration.loading import Settings
from rpmcore.adapters.configuration.server_settings import ServerSettings
from rpmcore.adapters.ledger.file_lock import holder_of
from rpmcore.adapters.ledger.verification import Progress
from rpmcore.domain.errors import ConfigurationError, InvalidArgument, RpmError
from rpmcore.gate import RiskGate
from rpmcore.observed_gate import observed
from rpmcore.server.app import application
from rpmcore.server.desk import Desk
from rpmcore.server.keys import ApiKey, KeyFile, Keys, default_keys_file
from rpmcore.server.opening import Asked, Opened, opened
from rpmcore.server.protocol import protocol
from rpmcore.server.published import Published
from rpmcore.server.sample_key import sample_key
from rpmcore.server.service import Service
from rpmcore.server.state import ServerFacts, Watcher, now_in_words
from rpmcore.server.stress import HeldStress

BACKLOG = 2048
"""Connections that wait to be accepted."""

SWITCH_SECONDS = 0.0005
"""After which one thread lets the other have the interpreter."""

Tell = Callable[[str], None]
"""Says something to whoever started the service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How a service is started.

    Attributes
    ----------
    asked
        What is served.
    load
        Reads the configuration; called at the start, and again for a reload.
    named
        Whether anything of it was named or found: else a ledger goes on under its own settings.
    tell
        Says something to whoever starts it.
    """

    asked: Asked
    load: Callable[[], Settings]
    named: bool
    tell: Tell
    progress: Progress | None = None

    def read_again(self) -> Settings:
        """Return the settings as they are configured now.

        Raises
        ------
        ConfigurationError
            If they cannot be used; or if none were named or found, for defaults are nobody's word.
        """
        if not self.named:
            raise ConfigurationError("no settings were named or found at the start: those of the ledger stand")
        return self.load()


def serve(start: Start) -> None:
    """Serve until the process is told to stop (SIGTERM or SIGINT); then answer what was asked, and close the ledger.

    Raises
    ------
    ConfigurationError
        If it may not listen where it should: on another interface without keys, or where somebody else does.
    InputError, LedgerError
        See `rpmcore.server.opening.opened`.
    """
    gc.enable()
    settings = start.load()
    known, told = _keys(start.asked, settings.server)
    keys = Keys(known, open_to_all=not known or bool(told))
    with ExitStack() as stack:
        listening = stack.enter_context(listening_on(settings.server))
        source = stack.enter_context(opened(start.asked, settings, progress=start.progress))
        service = stack.enter_context(running(source, start, settings, keys))
        problem = service.watcher.reload_problem
        not_taken = () if problem is None else (f"The configuration is not taken: {problem}",)
        for notice in (*source.notices, *_notices(source, start.asked), *told, *not_taken):
            start.tell(notice)
        host, port = listening.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        # What stands now stands until the end: no collection looks at it again.
        gc.collect()
        gc.freeze()
        # Two threads share the interpreter: one that decides must not keep one that listens waiting for 5 ms each time.
        sys.setswitchinterval(SWITCH_SECONDS)
        asyncio.run(_until_told(service, listening, f"Listening on http://{shown}:{port}", start))
    start.tell("Stopped: everything that was asked is answered, and the ledger is closed.")


@contextmanager
def running(source: Opened, start: Start, settings: Settings, keys: Keys) -> Iterator[Service]:
    """Run what decides, for a ``with``; at its end what waits is answered, and no more is taken on."""
    gate = source.gate
    facts = ServerFacts(
        ledger=source.ledger, dry_run=start.asked.dry_run, sample=source.sample, started_at=now_in_words(),
        capacity=settings.server.queue_capacity, heartbeat_seconds=settings.server.heartbeat_seconds,
        tick_seconds=settings.server.tick_seconds,
    )  # fmt: skip
    with observed(gate, settings, outbox=_outbox(source.path), clock=source.clock) as manager:
        watcher = Watcher(gate, facts, None if source.path is None else holder_of(source.path), source.earlier)
        if start.named:
            _reload(gate, settings, watcher)
        published = Published(watcher.state(gate))
        desk = Desk(gate, settings.server, lambda gate: published.put(watcher.state(gate)))
        watcher.queue_depth = lambda: desk.depth
        stress = HeldStress(desk, published, gate, settings.server.stress_seconds)
        desk.start()
        try:
            yield Service(
                gate=gate, desk=desk, published=published, watcher=watcher, settings=settings.server, keys=keys,
                stored=source.stored, metrics=manager.export_metrics, configuration=start.read_again,
                stress=stress,
            )  # fmt: skip
        finally:
            desk.stop()


def _outbox(path: Path | None) -> Path | None:
    return None if path is None else path.with_name(f"{path.name}.alerts")


def _reload(gate: RiskGate, settings: Settings, watcher: Watcher) -> None:
    """Decide by these settings from now on, where they loosen nothing."""
    try:
        gate.reload(settings)
        watcher.reload_problem = None
    except InvalidArgument as error:
        watcher.reload_problem = f"the settings in force stand: {error}"


class _Server(uvicorn.Server):
    """Leaves signals to us: what happens at the end is more than closing connections."""

    def capture_signals(self) -> Any:
        return nullcontext()


def http_server(service: Service) -> uvicorn.Server:
    """Return what speaks HTTP for a service; it ends once its `should_exit` is set."""
    settings = service.settings
    return _Server(
        uvicorn.Config(
            application(service), log_config=None, log_level="error", access_log=False, lifespan="off", ws="none",
            server_header=False, date_header=False, proxy_headers=False, timeout_keep_alive=settings.keep_alive_s,
            timeout_graceful_shutdown=settings.stop_seconds, limit_concurrency=settings.most_connections,
            http=protocol(settings.head_timeout_s, settings.body_timeout_s), loop="asyncio",
        )
    )  # fmt: skip


async def _until_told(service: Service, listening: socket.socket, told: str, start: Start) -> None:
    server, loop = http_server(service), asyncio.get_running_loop()
    reloads: set[asyncio.Task[None]] = set()
    one = asyncio.Lock()

    def stop() -> None:
        service.stopping.set()
        service.published.wake()
        server.should_exit = True

    async def in_turn() -> None:
        async with one:  # what was read first must not be taken last
            await reload_now(service, start)

    def reload() -> None:
        task = loop.create_task(in_turn())
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    for number in (signal.SIGINT, signal.SIGTERM):
        _on_signal(loop, number, stop)
    if hasattr(signal, "SIGHUP"):
        _on_signal(loop, signal.SIGHUP, reload)
    start.tell(told)
    await server.serve(sockets=[listening])


def _on_signal(loop: asyncio.AbstractEventLoop, number: signal.Signals, do: Callable[[], None]) -> None:
    try:
        loop.add_signal_handler(number, do)
    except NotImplementedError:  # Windows
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(do))


async def reload_now(service: Service, start: Start) -> None:
    """Read the configuration again, and decide by it where it only tightens; what is wrong changes nothing."""
    watcher, problem = service.watcher, None
    try:
        known, _ = await asyncio.to_thread(_known_keys, start.asked, service.settings)
        service.keys.take(known)  # where the last was revoked, nobody gets in who needs one
        settings = await asyncio.to_thread(service.configuration)
        await service.desk.ask(lambda gate: _reload(gate, settings, watcher), urgent=True)
        problem = watcher.reload_problem
    except RpmError as error:
        problem = watcher.reload_problem = str(error)
    start.tell("The configuration was read again." if problem is None else f"The configuration is not taken: {problem}")
    service.desk.show()


def _keys(asked: Asked, settings: ServerSettings) -> tuple[tuple[ApiKey, ...], tuple[str, ...]]:
    """Return the keys that are known, and what is to be told of them."""
    known, told = _known_keys(asked, settings)
    if known:
        return known, told
    path = _keys_file(settings)
    if settings.keys_file is not None:
        raise ConfigurationError(f"server.keys_file names {path}, which holds no key: make one by rpm keys create")
    if not _is_loopback(settings.host):
        raise ConfigurationError(
            f"server.host is {settings.host}, where others can reach it, and there is no key in {path}: make one by "
            "rpm keys create, or listen on 127.0.0.1"
        )
    return (), ()


def _known_keys(asked: Asked, settings: ServerSettings) -> tuple[tuple[ApiKey, ...], tuple[str, ...]]:
    """Return the keys of the file, be they none; of the sample on loopback, the one that it makes for itself then."""
    known = KeyFile(_keys_file(settings)).read()
    if known or not asked.sample or settings.keys_file is not None or not _is_loopback(settings.host):
        return known, ()
    key, where = sample_key()
    return (key,), (f"Operator commands need the key in {where} (Authorization: Bearer …).",)


def _keys_file(settings: ServerSettings) -> Path:
    return default_keys_file() if settings.keys_file is None else Path(settings.keys_file)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def listening_on(settings: ServerSettings) -> Iterator[socket.socket]:
    """Listen where the settings say, for a ``with``.

    Raises
    ------
    ConfigurationError
        If nobody can.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # Its protocol is named: asyncio else does not know that it is TCP, and answers wait 40 ms for Nagle's algorithm.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((settings.host, settings.port))
        found.listen(BACKLOG)
    except (OSError, UnicodeError) as error:
        found.close()
        raise ConfigurationError(
            f"nobody can listen on {settings.host}, port {settings.port}: "
            f"{getattr(error, 'strerror', None) or error}. Choose another "
            "--port, or stop who listens there"
        ) from error
    try:
        yield found
    finally:
        with suppress(OSError):
            found.close()


def _notices(source: Opened, asked: Asked) -> tuple[str, ...]:
    found = []
    if source.sample is not None:
        found.append(f"This is {source.sample}.")
    if asked.dry_run:
        found.append("This is a dry run: nothing is recorded for good, approvals have no signature, none can be sent.")
    elif source.path is not None:
        found.append(f"Everything is recorded in {source.path}.")
    return tuple(found)
