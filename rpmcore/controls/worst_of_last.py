"""Hysteresis without a threshold of its own: what holds is the worst of the last days."""

from collections import deque
from collections.abc import Iterable


class WorstOfLast:
    """The worst level of the last `days` days.

    A worse level holds at once; a better one after `days` days in a row without a worse, and then it is the worst of
    those days. An input that flaps between two levels holds the worse, and never flaps. The worse of two histories,
    day by day, never holds the better level.

    Parameters
    ----------
    days
        At least 1; with 1 each day stands for itself.
    levels
        Those of the last days, oldest first.
    """

    def __init__(self, days: int, levels: Iterable[int] = ()) -> None:
        self._levels = deque(levels, maxlen=days)

    def add(self, level: int) -> int:
        """Record the level of a day and return the one that holds."""
        self._levels.append(level)
        return max(self._levels)

    @property
    def levels(self) -> list[int]:
        """Those of the last days, oldest first."""
        return list(self._levels)
