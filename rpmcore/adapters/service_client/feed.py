"""The latest state of a service, followed on a thread of its own, and how old it is."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rpmcore.adapters.service_client.client import ServiceClient
from rpmcore.domain.errors import RpmError

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0
"""Seconds between two attempts to connect; each is twice the one before."""

HEARTBEAT, TICK = 15.0, 1.0
"""Seconds between two states, and between two changes, of a server that does not say."""

SLACK, STILL, LONGER = 2.0, 10.0, 10.0
"""Seconds that a state may be late, for which an unchanged one may be repeated beyond two ticks, and that no byte may
come beyond a heartbeat until the connection is made anew."""

STRESS_EVERY = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was heard last.

    Attributes
    ----------
    state, stress
        ``rpm.state/1`` and ``rpm.stress/1``; None for never.
    stress_problem
        Why there are no crises; empty for none.
    since
        When the state came, UTC.
    age
        Seconds since then.
    problem
        Why the state is not live; empty where it is.
    """

    state: dict[str, Any] | None
    stress: dict[str, Any] | None
    stress_problem: str
    since: datetime | None
    age: float
    problem: str


class StateFeed:
    """Follows a service until it is stopped, and connects anew whenever the connection is lost.

    Parameters
    ----------
    client
        Of the service; closed at the end.
    clock, wall
        Seconds that only grow, but may stand still while a machine sleeps; the time, UTC, which may be set back.
    """

    def __init__(
        self, client: ServiceClient, *, clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:  # fmt: skip
        self._client, self._clock, self._wall = client, clock, wall
        self._lock, self._over = threading.Lock(), threading.Event()
        self._state: dict[str, Any] | None = None
        self._stress: dict[str, Any] | None = None
        self._stress_problem, self._problem = "not asked yet", ""
        self._stress_due = clock()
        self._heard = self._changed = self._moment()
        self._since: datetime | None = None
        self._thread = threading.Thread(target=self._follow, name="rpm-feed", daemon=True)

    def first(self, *, stress: bool = True) -> Seen:
        """Ask once, also for the crises if so wished, and return what was heard; raises as `ServiceClient.state`."""
        self._take(self._client.state())
        if stress:
            self._ask_for_stress()
        return self.seen()

    def start(self) -> None:
        """Follow from now on."""
        self._thread.start()

    def stop(self) -> None:
        """End; the thread ends by itself at its next byte."""
        self._over.set()
        self._client.close()

    def seen(self) -> Seen:
        """Return what was heard last, and whether it is live."""
        with self._lock:
            return Seen(
                state=self._state, stress=self._stress, stress_problem=self._stress_problem, since=self._since,
                age=self._ago(self._changed), problem=self._problem or self._late(),
            )  # fmt: skip

    def _moment(self) -> tuple[float, datetime]:
        return self._clock(), self._wall()

    def _ago(self, moment: tuple[float, datetime]) -> float:
        return max(self._clock() - moment[0], (self._wall() - moment[1]).total_seconds())

    def _told(self, name: str, default: float) -> float:
        return float(((self._state or {}).get("server") or {}).get(name, default))

    def _late(self) -> str:
        if self._state is None:
            return "the server has said nothing yet"
        heartbeat = self._told("heartbeat_seconds", HEARTBEAT)
        if self._ago(self._heard) > heartbeat + SLACK:
            return "the server says nothing"
        if self._ago(self._changed) > heartbeat + 2.0 * self._told("tick_seconds", TICK) + STILL:
            return "the server repeats an old state"
        return ""

    def _take(self, state: dict[str, Any]) -> None:
        with self._lock:
            self._heard, before = self._moment(), self._state or {}
            if before.get("published_at") != state.get("published_at") or self._since is None:
                self._changed, self._since = self._heard, self._heard[1]
            self._state, self._problem = state, ""

    def _ask_for_stress(self) -> None:
        try:
            found, why = self._client.stress(), ""
        except RpmError as error:
            found, why = None, str(error)
        with self._lock:
            self._stress, self._stress_problem = found, why
            self._stress_due = self._clock() + STRESS_EVERY

    def _follow(self) -> None:
        pause = FIRST_PAUSE
        while not self._over.is_set():
            try:
                for state in self._client.states(silence=self._told("heartbeat_seconds", HEARTBEAT) + LONGER):
                    self._take(state)
                    pause = FIRST_PAUSE
                    if self._clock() >= self._stress_due:
                        self._ask_for_stress()
                why = "the server ended the stream"
            except RpmError as error:
                why = str(error)
            except Exception as error:  # noqa: BLE001 - whatever it is, what is shown is old from now on, and says so
                why = f"{type(error).__name__}: {error}"
            with self._lock:
                self._problem = why
            self._over.wait(pause)
            pause = min(2.0 * pause, LONGEST_PAUSE)
