"""How fast a strategy sends signals."""

from bisect import bisect_right
from collections import deque
from collections.abc import Mapping
from typing import Any

from rpmcore.decision.settings import GateSettings


class MessageThrottle:
    """Counts the signals of each strategy within a window; holds no more times than a count beyond the limit needs."""

    def __init__(self, settings: GateSettings) -> None:
        self._window, self._most = round(settings.message_window_seconds * 1e9), settings.max_messages + 1
        self._times: dict[str, deque[int]] = {}

    def count(self, strategy_id: str, at: int) -> int:
        """Return how many came within the window before `at`, at most one more than the limit."""
        times = self._times.get(strategy_id, ())  # in order: time never runs backwards
        return len(times) - bisect_right(times, at - self._window)

    def record(self, strategy_id: str, at: int) -> None:
        """Take one."""
        self._times.setdefault(strategy_id, deque(maxlen=self._most)).append(at)

    def state(self) -> dict[str, Any]:
        """Return everything in JSON's types."""
        return {name: list(times) for name, times in sorted(self._times.items())}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` gave."""
        self._times = {name: deque(times, maxlen=self._most) for name, times in state.items()}
