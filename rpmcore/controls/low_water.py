"""The points of a path from which growth is measured, in amortised O(1) and bounded memory."""

from collections import deque
from typing import Any

Point = tuple[int, float, float]
"""Time, value of the path, and gross exposure then."""

GRAIN = 1000
"""Points nearer than this part of the window are held as one, which bounds the memory."""


class LowWater:
    """The lowest point within a window that includes both its ends, and the newest at or before its beginning.

    The second is needed because snapshots seldom lie a whole window apart: growth within it alone would be told too
    low. Of points nearer than a thousandth of the window the lower value is held with the later time, so that growth is
    never told too low by that either. Of equally low points the one with less gross exposure counts: growth is the
    larger since that one.
    """

    __slots__ = ("_grain", "_points", "_rising", "_window")

    def __init__(self, window: int) -> None:
        self._window, self._grain = window, max(window // GRAIN, 1)
        self._rising: deque[Point] = deque()
        self._points: deque[Point] = deque()

    def within(self, at: int) -> Point | None:
        """Return the lowest point of the window, or None if there is none; nothing is changed by asking."""
        return next((point for point in self._rising if point[0] >= at - self._window), None)

    def before(self, at: int) -> Point | None:
        """Return the newest point at or before the beginning of the window, or None; nothing is changed by asking."""
        found = None
        for point in self._points:
            if point[0] > at - self._window:
                break
            found = point
        return found

    def push(self, at: int, value: float, gross: float) -> None:
        """Add the newest point, and forget what no later window reaches."""
        point, begin = (at, value, gross), at - self._window
        while self._rising and self._rising[0][0] < begin:
            self._rising.popleft()
        while len(self._points) > 1 and self._points[1][0] <= begin:
            self._points.popleft()
        while self._rising and self._rising[-1][1:] >= (value, gross):
            self._rising.pop()
        for held in (self._rising, self._points):
            if held and at // self._grain == held[-1][0] // self._grain:
                _, low, then = held[-1]
                held[-1] = (at, low, then) if (low, then) < (value, gross) else point
            else:
                held.append(point)

    def state(self) -> list[Any]:
        """Return what `restore` needs, in JSON's types."""
        return [list(map(list, self._rising)), list(map(list, self._points))]

    def restore(self, state: list[Any]) -> None:
        """Continue from what `state` returned."""
        self._rising, self._points = (
            deque((int(at), value, gross) for at, value, gross in points) for points in state
        )  # fmt: skip
