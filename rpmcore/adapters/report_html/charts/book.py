"""Charts of what is held: correlations, contributions to risk, exposures, crises and strategies."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rpmcore.adapters.report_html.charts.axes import across, few_ticks, in_percent, zero
from rpmcore.adapters.report_html.charts.drawing import (
    BLUE,
    GRID,
    INK,
    MUTED,
    ORANGE,
    PAPER,
    PURPLE,
    RED,
    TEAL,
    Chart,
    chart,
    label,
)
from rpmcore.adapters.report_html.charts.risk import MARGIN, ROW
from rpmcore.adapters.report_html.contributions import Contribution
from rpmcore.controls.strategy_report import StrategiesReport
from rpmcore.domain.wording import percent
from rpmcore.risk.clustering import ClusteredCorrelation
from rpmcore.risk.exposure.report import ExposureReport
from rpmcore.risk.stress.study import StressReport

MOST_LABELS = 60
"""Instruments up to which a heat map names each."""

MOST_BARS = 20
"""Factors, sectors or currencies that are drawn, the largest; the tables have them all."""

MOST_NUMBERS = 16
"""Instruments up to which each field of a heat map has its number written in it."""

MODE_COLOURS = {"parametric": BLUE, "replay": TEAL, "factor": PURPLE, "path": ORANGE}
MODE_NAMES = {
    "parametric": "one step",
    "replay": "its days replayed",
    "factor": "expected given the market",
    "path": "day by day",
}
"""What each mode of a crisis does, in words."""


def correlation_chart(found: ClusteredCorrelation) -> Chart:
    """Return the correlations as a heat map, in the order of the clusters."""
    n, matrix = len(found.symbols), found.matrix
    away = matrix[~np.eye(n, dtype=bool)]
    told = (
        f"{n} instruments in the order of a clustering. The mean correlation is {found.mean_correlation:.2f}, the "
        f"highest {away.max():.2f}, the lowest {away.min():.2f}."
    )
    side = 5.6 if n <= MOST_NUMBERS else 6.4

    def draw(figure: Any) -> None:
        axes, scale = figure.subplots(1, 2, width_ratios=(24, 1))
        axes.imshow(_heat(matrix), interpolation="none", aspect="equal")
        axes.grid(visible=False)
        if n <= MOST_LABELS:
            names = [label(symbol, 12) for symbol in found.symbols]
            size = 9.0 if n <= 30 else 270.0 / n
            axes.set_xticks(range(n), names, rotation=90, fontsize=size)
            axes.set_yticks(range(n), names, fontsize=size)
        else:
            axes.set_xticks([])
            axes.set_yticks([])
            axes.set_xlabel(f"{n} instruments; the lines part the groups of the table below")
        if n <= MOST_NUMBERS:
            for i in range(n):
                for j in (j for j in range(n) if j != i):
                    number = f"{matrix[i, j] + 0.0:.2f}".replace("-", "−")
                    axes.text(j, i, number, ha="center", va="center", fontsize=min(8.5, 100.0 / n))
        _part(axes, found, n)
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(True)
            spine.set_color(GRID)
        _scale(scale)

    return chart("correlation", "Correlations of what is held, clustered", told, side, draw, width=1.2 * side)


def _heat(matrix: Any) -> Any:
    """Return colours (n, n, 4): blue for a positive correlation, orange for a negative one, clear at zero."""
    from matplotlib.colors import to_rgb

    heat = np.empty((*matrix.shape, 4))
    heat[..., :3] = np.where((matrix >= 0.0)[..., None], to_rgb(BLUE), to_rgb(ORANGE))
    heat[..., 3] = 0.75 * np.abs(matrix)
    return heat


def _part(axes: Any, found: ClusteredCorrelation, n: int) -> None:
    if len(found.groups) < 2 or n <= MOST_NUMBERS:
        return
    ends = np.cumsum([len(group.symbols) for group in found.groups])[:-1] - 0.5
    for end in ends.tolist():
        axes.axhline(end, color=INK, linewidth=0.7)
        axes.axvline(end, color=INK, linewidth=0.7)


def _scale(bar: Any) -> None:
    """Draw what the colours mean beside a heat map."""
    levels = np.linspace(1.0, -1.0, 101)[:, None]
    bar.imshow(_heat(levels), extent=(0.0, 1.0, -1.0, 1.0), aspect="auto", interpolation="none")
    bar.grid(visible=False)
    bar.set_xticks([])
    bar.set_box_aspect(14)
    bar.yaxis.tick_right()
    bar.yaxis.set_label_position("right")
    bar.set_ylabel("Correlation ρ, no unit")


def contributions_chart(rows: Sequence[Contribution]) -> Chart:
    """Return the shares of positions in the variance as lying bars."""
    told = "; ".join(f"{row.name} {percent(row.share, 1)}" for row in rows[:12])

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        shares = [row.share or 0.0 for row in rows]
        axes.barh(
            range(len(rows)), shares, height=0.72, color=[RED if share >= 0.0 else TEAL for share in shares], zorder=2
        )
        axes.set_yticks(range(len(rows)), [label(row.name) for row in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        _beyond_bars(axes, shares)
        axes.set_xlabel("Share of the variance, per cent; below zero it hedges")
        in_percent(axes.xaxis)
        across(axes)
        zero(axes, vertical=True)

    return chart("contributions", "Where the risk sits", f"{told}.", MARGIN + ROW * len(rows), draw)


def _beyond_bars(axes: Any, values: Sequence[float]) -> None:
    """Write each value at the end of its lying bar, and leave room for it."""
    low, high = min([0.0, *values]), max([0.0, *values])
    span = (high - low) or 1.0
    axes.set_xlim(low - 0.09 * span * (low < 0.0), high + 0.09 * span)
    for at, value in enumerate(values):
        side = 1.0 if value >= 0.0 else -1.0
        axes.text(
            value + side * 0.008 * span, at, percent(value, 1), va="center", ha="left" if side > 0 else "right",
            fontsize=8.5,
        )  # fmt: skip


def _largest(rows: Sequence[tuple[str, float | None]]) -> list[tuple[str, float | None]]:
    """Return the rows in their order, only the largest where there are many."""
    least = sorted((abs(value or 0.0) for _, value in rows), reverse=True)[:MOST_BARS]
    return [row for row in rows if abs(row[1] or 0.0) >= least[-1]][:MOST_BARS] if rows else []


def exposures_chart(report: ExposureReport) -> Chart:
    """Return exposures by factor, sector and currency, side by side."""
    factors: list[tuple[str, float | None]] = [(row.name, row.share) for row in report.factors]
    factors.append(("specific", report.specific.share))
    panels: tuple[tuple[str, str, list[tuple[str, float | None]]], ...] = (
        ("Variance by factor", "share, per cent", _largest(factors)),
        ("Net by sector", "per cent of capital", _largest([(row.sector, row.net) for row in report.sectors])),
        ("Net by currency", "per cent of capital", _largest([(row.currency, row.net) for row in report.currencies])),
    )
    told = " ".join(
        f"{title}: {', '.join(f'{name} {percent(value, 1)}' for name, value in rows[:12])}."
        for title, _, rows in panels
    )
    longest = max(len(rows) for _, _, rows in panels)

    def draw(figure: Any) -> None:
        for axes, (title, unit, rows) in zip(figure.subplots(1, 3), panels, strict=True):
            values = [value or 0.0 for _, value in rows]
            axes.barh(
                range(len(rows)), values, height=0.72, color=[BLUE if v >= 0.0 else ORANGE for v in values], zorder=2
            )
            axes.set_yticks(range(len(rows)), [label(name, 22) for name, _ in rows])
            axes.set_ylim(max(longest, 4) - 0.4, -0.6)
            _beyond_bars_of_panel(axes, values)
            axes.set_title(title)
            axes.set_xlabel(unit)
            in_percent(axes.xaxis)
            across(axes)
            zero(axes, vertical=True)

    height = MARGIN + 0.25 + ROW * max(longest, 4)
    return chart("exposures", "Exposures by factor, sector and currency", told, height, draw)


def _beyond_bars_of_panel(axes: Any, values: Sequence[float]) -> None:
    low, high = min([0.0, *values]), max([0.0, *values])
    span = (high - low) or 1.0
    axes.set_xlim(low - 0.05 * span * (low < 0.0), high + 0.05 * span)
    few_ticks(axes.xaxis, 4)


def crises_chart(report: StressReport, passes_up_to: float) -> Chart:
    """Return the losses of all crises in all modes side by side, with what still passes."""
    titles = {scenario.name: scenario.title for scenario in report.scenarios}
    names = list(titles)
    modes = [mode for mode in MODE_COLOURS if any(s.mode == mode for s in report.scenarios)]
    losses = {(s.name, s.mode): s.loss for s in report.scenarios}
    told = "; ".join(
        f"{titles[name]}: "
        + ", ".join(f"{MODE_NAMES[m]} {percent(losses[name, m])}" for m in modes if (name, m) in losses)
        for name in names
    )

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        thick = 0.8 / len(modes)
        for k, mode in enumerate(modes):
            at = [i - 0.4 + (k + 0.5) * thick for i, name in enumerate(names) if (name, mode) in losses]
            values = [losses[name, mode] for name in names if (name, mode) in losses]
            axes.barh(at, values, height=0.86 * thick, color=MODE_COLOURS[mode], label=MODE_NAMES[mode], zorder=2)
            for y, value in zip(at, values, strict=True):
                axes.annotate(
                    percent(value, 1), (max(value, 0.0), y), xytext=(3, 0), textcoords="offset points", va="center",
                    bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.6},
                    fontsize=8.0,
                )  # fmt: skip
        axes.axvline(passes_up_to, color=RED, linestyle="--", label=f"passes up to {percent(passes_up_to, 0)}")
        axes.set_yticks(range(len(names)), [label(titles[name], 28) for name in names])
        axes.set_ylim(len(names) - 0.45, -0.55)
        axes.margins(x=0.08)
        axes.set_xlabel("Loss, per cent of capital; below zero it gains")
        in_percent(axes.xaxis)
        across(axes)
        zero(axes, vertical=True)
        figure.legend(loc="outside upper center", ncols=5)

    height = MARGIN + 0.4 + len(names) * (0.16 + 0.2 * len(modes))
    return chart("crises", "What each crisis would cost, by every method", f"{told}.", height, draw)


def strategies_chart(report: StrategiesReport) -> Chart:
    """Return the equity of each strategy over the capital that it was given."""
    rows = report.strategies[: len(STRATEGY_LINES)]
    told = "; ".join(f"{row.strategy_id} stands at {row.equity / row.capital:.2f} times its capital" for row in rows)

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for row, (colour, line) in zip(rows, STRATEGY_LINES, strict=False):
            curve = [float("nan") if e is None else e / row.capital for e in row.equity_curve]
            at = np.linspace(0.0, 1.0, len(curve))
            axes.plot(at, curve, color=colour, linestyle=line, label=label(row.strategy_id))
        axes.axhline(1.0, color=MUTED, linewidth=0.8)
        axes.set_xlim(0.0, 1.0)
        axes.set_xticks([0.0, 1.0], [report.trades.first[:10], report.trades.last[:10]])
        for text, side in zip(axes.get_xticklabels(), ("left", "right"), strict=True):
            text.set_horizontalalignment(side)
        axes.set_ylabel("Equity, multiples of capital")
        axes.set_xlabel("Close of trades, at equal distances of time")
        figure.legend(loc="outside upper center", ncols=4)

    return chart("strategies", "Equity of the strategies", f"{told}.", 3.0, draw)


STRATEGY_LINES = tuple((colour, line) for line in ("-", "--") for colour in (BLUE, ORANGE, TEAL, PURPLE))
"""Colour and line of each strategy that is drawn; the table has them all."""
