"""What readers see: the state after some command, whole, and never changed once it is shown."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any


@dataclass(frozen=True, kw_only=True)
class State:
    """One state of the gate, ``rpm.state/1`` in JSON's types; its bytes are made when they are first asked for."""

    revision: int
    plain: Mapping[str, Any] = field(repr=False)

    @cached_property
    def body(self) -> bytes:
        """As JSON."""
        return json.dumps(self.plain, allow_nan=False, separators=(",", ":"), ensure_ascii=False).encode()


class Published:
    """The latest state; readers take the reference, and whoever waits for another one is woken."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    @property
    def state(self) -> State:
        """The latest."""
        return self._state

    def put(self, state: State) -> None:
        """Show a state from now on; on any thread."""
        self._state = state
        self.wake()

    def wake(self) -> None:
        """Wake everybody who waits for another state; on any thread."""
        for loop, event in tuple(self._waiting):
            with suppress(RuntimeError):  # its loop has ended
                loop.call_soon_threadsafe(event.set)

    async def changed(self, since: State, timeout: float) -> State:
        """Return the latest state once it is another than `since`, and at the latest after so many seconds."""
        waiting = asyncio.get_running_loop(), asyncio.Event()
        self._waiting.add(waiting)
        try:
            if self._state is since:
                with suppress(TimeoutError):
                    await asyncio.wait_for(waiting[1].wait(), timeout)
        finally:
            self._waiting.discard(waiting)
        return self._state
