"""Axes that say their unit, for all charts."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from rpmcore.adapters.report_html.charts.drawing import GRID, MUTED

MOST_DECIMALS = 8
"""Of a tick in per cent; what is beyond is the noise of binary numbers."""


def in_percent(axis: Any) -> None:
    """Write the ticks of an axis whose values are fractions as per cent."""
    from matplotlib.ticker import Formatter

    class Percent(Formatter):
        def __call__(self, value: float, pos: int | None = None) -> str:  # noqa: ARG002 - the name is matplotlib's
            return self.format_ticks([value])[0]

        def format_ticks(self, values: Sequence[float]) -> list[str]:
            return [self.fix_minus(text) for text in percents(values)]

    axis.set_major_formatter(Percent())


def percents(fractions: Sequence[float]) -> list[str]:
    """Return fractions as per cent, with the fewest decimals that are true of all: 0.25 % is not written as 0.2 %."""
    values = [round(100.0 * float(one), MOST_DECIMALS) + 0.0 for one in fractions]
    enough = next(n for n in range(MOST_DECIMALS + 1) if all(round(value, n) == value for value in values))
    return [f"{value:.{enough}f}%" for value in values]


def few_ticks(axis: Any, most: int) -> None:
    """Leave room between the numbers of a narrow axis."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(most))


def across(axes: Any) -> None:
    """Draw the grid of a chart whose bars lie: it follows the horizontal axis."""
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x", color=GRID)
    axes.tick_params(axis="y", length=0)


def zero(axes: Any, *, vertical: bool) -> None:
    """Draw the line of zero."""
    (axes.axvline if vertical else axes.axhline)(0.0, color=MUTED, linewidth=0.8, zorder=3)


def dated(axes: Any, days: Sequence[date]) -> None:
    """Write years, or months where there are few, under a chart whose axis counts the days of `days`."""
    n = len(days)
    by_year = (days[-1] - days[0]).days > 3 * 365
    marks = [i for i in range(1, n) if _begins(days[i - 1], days[i], by_year)]
    every = max(-(-len(marks) // 9), 1)
    chosen = marks[::every]
    axes.set_xticks(chosen, [f"{days[i]:%Y}" if by_year else f"{days[i]:%b %Y}" for i in chosen])
    axes.set_xlim(-1, n)


def _begins(before: date, day: date, by_year: bool) -> bool:
    return day.year != before.year if by_year else (day.year, day.month) != (before.year, before.month)


def sticks(xs: Sequence[float], tops: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return the points of one line that draws a stick from zero to each top: one element in place of hundreds."""
    gap = float("nan")
    return [x for one in xs for x in (one, one, gap)], [y for top in tops for y in (0.0, top, gap)]
