"""The service as its routes see it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, TypeVar

from fastapi import Depends, Request

from rpmcore.adapters.configuration.loading import Settings
from rpmcore.adapters.configuration.server_settings import ServerSettings
from rpmcore.domain.decisions import Decision
from rpmcore.gate import RiskGate
from rpmcore.server.desk import Desk
from rpmcore.server.keys import Keys
from rpmcore.server.published import Published
from rpmcore.server.state import Watcher
from rpmcore.server.stress import HeldStress

Answer = TypeVar("Answer")


@dataclass(kw_only=True)
class Service:
    """Everything that a request may need.

    Attributes
    ----------
    gate
        Used by the desk alone.
    stored
        Returns the recorded decision of a signal, or None; on any thread but that of the loop.
    metrics
        Returns the metrics in Prometheus' text format.
    stress
        Tests what is held against the crises.
    configuration
        Reads the configuration anew.
    stopping
        Is set when the service is about to end: streams end then.
    streams
        How many are open.
    """

    gate: RiskGate
    desk: Desk
    published: Published
    watcher: Watcher
    settings: ServerSettings
    keys: Keys
    stored: Callable[[str], Decision | None]
    metrics: Callable[[], str]
    configuration: Callable[[], Settings]
    stress: HeldStress
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    streams: int = 0

    @property
    def dry_run(self) -> bool:
        """Whether nothing is recorded for good, and nothing may be sent."""
        return self.watcher.facts.dry_run

    def unready(self) -> list[str]:
        """Return why nothing should be asked now; empty where all is well."""
        if self.stopping.is_set():
            return ["the service is stopping"]
        if not self.desk.alive:
            return ["nothing is decided: the service starts, or its thread has ended"]
        if self.desk.fault:
            return [f"the state that is shown is old: {self.desk.fault}"]
        found: list[str] = self.published.state.plain["server"]["ready_reasons"]
        return found

    async def pause(self, seconds: float) -> None:
        """Wait so long, or until the service is about to end."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), seconds)

    async def ask(self, do: Callable[[RiskGate], Answer]) -> Answer:
        """Return what `do` makes of the gate; see `rpmcore.server.desk.Desk.ask`."""
        return await self.desk.ask(do)


async def _service(request: Request) -> Service:
    found: Service = request.app.state.service
    return found


Here = Annotated[Service, Depends(_service)]
