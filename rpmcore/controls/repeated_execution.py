"""The same order over and over: the throttle on repeated automated execution."""

from collections import deque
from typing import Any

from rpmcore.controls.kill_switch_settings import RepeatedExecutionSettings
from rpmcore.controls.latch import HALT, MINUTE, Latch
from rpmcore.domain.controls import ControlEvent
from rpmcore.domain.errors import InvalidArgument

Key = tuple[str, str, str]

SIDES = ("buy", "sell")


class RepeatedExecutionKillSwitch:
    """More than N orders of one strategy, symbol and side in a window disable the strategy until an operator looks.

    The window is (t − M, t], as that of rejections. Only N + 1 orders of each kind are held, and only of kinds that
    were seen within the last window.

    Parameters
    ----------
    settings
        Defaults: 20 orders in a minute.

    References
    ----------
    Commission Delegated Regulation (EU) 2017/589 (MiFID II, RTS 6), Article 15(3).
    """

    def __init__(self, settings: RepeatedExecutionSettings | None = None) -> None:
        self.settings = settings or RepeatedExecutionSettings()
        self._window = round(self.settings.window_minutes * MINUTE)
        self._orders: dict[Key, deque[int]] = {}  # in the order of their latest
        self._latches: dict[str, Latch] = {}

    def latch(self, strategy_id: str) -> Latch:
        """Return that of a strategy."""
        if strategy_id not in self._latches:
            what = "orders of one symbol and side in the window"
            self._latches[strategy_id] = Latch("repeated_execution", what, ((1.0, HALT),), 1.0, strategy_id)
        return self._latches[strategy_id]

    def record(
        self, strategy_id: str, symbol: str, side: str, *, at: int, correlation_id: str = ""
    ) -> tuple[ControlEvent, ...]:
        """Take an order that was sent.

        Raises
        ------
        InvalidArgument
            If the side is neither ``buy`` nor ``sell``.
        """
        if side not in SIDES:
            raise InvalidArgument(f"side is {side!r}: buy or sell is needed")
        self._drop(at)
        key = (strategy_id, symbol, side)
        times = self._orders.pop(key, None) or deque(maxlen=self.settings.max_executions + 1)
        times.append(at)
        self._orders[key] = times
        return self._judge(strategy_id, self._count(key, at), at, correlation_id)

    def count(self, strategy_id: str, symbol: str, side: str, *, at: int) -> int:
        """Return how many orders of this kind lie in the window before `at`; nothing is changed by asking."""
        return sum(time > at - self._window for time in self._orders.get((strategy_id, symbol, side), ()))

    def evaluate(self, strategy_id: str, at: int, correlation_id: str = "") -> tuple[ControlEvent, ...]:
        """Judge a strategy by the kind of order that it repeats most."""
        self._drop(at)
        counts = [self._count(key, at) for key in self._orders if key[0] == strategy_id]
        return self._judge(strategy_id, max(counts, default=0), at, correlation_id)

    def _judge(self, strategy_id: str, count: int, at: int, correlation_id: str) -> tuple[ControlEvent, ...]:
        return self.latch(strategy_id).update(at, float(count), self.settings.max_executions + 1.0, correlation_id)

    def _count(self, key: Key, at: int) -> int:
        times = self._orders[key]
        while times and times[0] <= at - self._window:
            times.popleft()
        return len(times)

    def _drop(self, at: int) -> None:
        while self._orders:
            oldest = next(iter(self._orders))
            if self._orders[oldest][-1] > at - self._window:
                break
            del self._orders[oldest]

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs, in JSON's types."""
        return {
            "orders": [[list(key), list(times)] for key, times in self._orders.items()],
            "latches": {name: latch.state() for name, latch in self._latches.items()},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        most = self.settings.max_executions + 1
        self._orders = {(key[0], key[1], key[2]): deque(times, maxlen=most) for key, times in state["orders"]}
        self._latches = {}
        for name, saved in state["latches"].items():
            self.latch(name).restore(saved)
