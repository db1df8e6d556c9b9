"""Charts of tail risk: the methods side by side, the past with its forecasts, and the shape of past P&L."""

from typing import Any

import numpy as np

from rpmcore.adapters.report_html.charts.axes import across, dated, few_ticks, in_percent, sticks, zero
from rpmcore.adapters.report_html.charts.drawing import (
    BLUE,
    FAINT,
    INK,
    MUTED,
    ORANGE,
    PURPLE,
    RED,
    TEAL,
    Chart,
    chart,
)
from rpmcore.domain.wording import METHOD_NAMES, percent
from rpmcore.risk.backtesting.report import BacktestReport, ForecastSeries
from rpmcore.risk.pnl_shape import PnlShape
from rpmcore.risk.report import Evaluation, TailRiskRow

RECENT_DAYS = 504
"""Two years of trading days, the last ones, that the history of P&L shows day by day."""

SPANS = 120
"""Spans that a long history is drawn in: each shows the worst of its days."""

ROW, MARGIN = 0.27, 0.9
"""Height of a line of a chart with lying bars, and of all around them, in inches."""


def tail_chart(evaluation: Evaluation) -> Chart | None:
    """Return VaR with its interval and expected shortfall of every method, or None where no method has an answer."""
    rows = [row for row in evaluation.tail_risk if row.value_at_risk is not None]
    if not rows:
        return None
    confidences = sorted({row.confidence for row in rows})
    rows = [row for confidence in confidences for row in rows if row.confidence == confidence]
    told = "; ".join(
        f"{METHOD_NAMES[row.method]} at {row.confidence:.10g}: VaR {percent(row.value_at_risk)}, "
        f"CVaR {percent(row.expected_shortfall)}"
        for row in rows
    )

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for at, row in enumerate(rows):
            _interval(axes, at, row)
        for label, marker, colour in (("VaR", "o", BLUE), ("CVaR (expected shortfall)", "D", RED)):
            axes.plot([], [], marker, color=colour, label=label, markersize=6)
        axes.plot([], [], "-", color=BLUE, label="interval of VaR, or two standard errors", linewidth=2.4)
        axes.set_yticks(
            range(len(rows)), [f"{METHOD_NAMES[row.method]}, {100.0 * row.confidence:.10g}%" for row in rows]
        )
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlim(left=0.0)
        axes.set_xlabel(f"Loss over {_days(rows[0].horizon)}, per cent of capital")
        in_percent(axes.xaxis)
        across(axes)
        figure.legend(loc="outside upper center", ncols=3)

    height = MARGIN + 0.35 + ROW * len(rows)
    return chart("tail", "VaR and CVaR by method, with intervals", f"{told}.", height, draw)


def _interval(axes: Any, at: int, row: TailRiskRow) -> None:
    low, high = row.lower, row.upper
    if low is None and high is None and row.value_at_risk_error is not None and row.value_at_risk is not None:
        low, high = (
            row.value_at_risk - 2.0 * row.value_at_risk_error,
            row.value_at_risk + 2.0 * row.value_at_risk_error,
        )
    if low is not None and high is not None:
        axes.plot([low, high], [at, at], color=BLUE, linewidth=2.4, solid_capstyle="butt")
    axes.plot([row.value_at_risk], [at], "o", color=BLUE, markersize=6)
    if row.expected_shortfall is not None:
        axes.plot([row.expected_shortfall], [at], "D", color=RED, markersize=5)


def _days(horizon: int) -> str:
    return "one day" if horizon == 1 else f"{horizon} days"


def history_chart(report: BacktestReport) -> Chart:
    """Return the last two years of P&L day by day, with the forecasts of VaR and the days that broke them."""
    series = recent(report.series)
    broken = [i for i, pnl in enumerate(series.pnl) if -pnl > series.value_at_risk[i]]
    days_broken = ", ".join(str(series.dates[i]) for i in broken) or "none"
    told = (
        f"{len(series.dates)} days from {series.dates[0]} to {series.dates[-1]}. The worst lost "
        f"{percent(max(-min(series.pnl), 0.0))}; VaR was forecast between {percent(min(series.value_at_risk))} and "
        f"{percent(max(series.value_at_risk))}. Days beyond it: {days_broken}."
    )

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        days = range(len(series.dates))
        axes.plot(*sticks(list(days), series.pnl), color=FAINT, linewidth=1.0, label="P&L of the day")
        below = [-v for v in series.value_at_risk]
        axes.plot(days, below, color=BLUE, label=f"−VaR {report.confidence:.10g}, forecast the day before")
        if broken:
            axes.plot(
                broken,
                [series.pnl[i] for i in broken],
                "v",
                color=RED,
                markersize=7,
                label="loss beyond VaR: violation",
            )
        zero(axes, vertical=False)
        dated(axes, series.dates)
        axes.set_ylabel("P&L, per cent of capital")
        in_percent(axes.yaxis)
        figure.legend(loc="outside upper center", ncols=3)

    return chart("history", "Daily P&L of today's positions, and VaR", told, 3.3, draw)


def recent(series: ForecastSeries) -> ForecastSeries:
    """Return the last days of a series, as many as the history shows."""
    shortfall = series.expected_shortfall
    return ForecastSeries(
        dates=series.dates[-RECENT_DAYS:],
        pnl=series.pnl[-RECENT_DAYS:],
        value_at_risk=series.value_at_risk[-RECENT_DAYS:],
        expected_shortfall=None if shortfall is None else shortfall[-RECENT_DAYS:],
    )


def validation_chart(report: BacktestReport) -> Chart:
    """Return the worst loss of each span of the whole past beside the forecasts, and the spans with violations."""
    series = report.series
    n, width = len(series.dates), min(SPANS, len(series.dates))
    spans = [slice(i * n // width, (i + 1) * n // width) for i in range(width)]
    losses = np.array([max(-min(series.pnl[span]), 0.0) for span in spans])
    forecasts = np.array([float(np.mean(series.value_at_risk[span])) for span in spans])
    broken = np.array(
        [any(-p > v for p, v in zip(series.pnl[span], series.value_at_risk[span], strict=True)) for span in spans]
    )
    middles = [series.dates[(span.start + span.stop - 1) // 2] for span in spans]
    told = (
        f"{n:,} days from {series.dates[0]} to {series.dates[-1]} in {width} spans; the worst lost "
        f"{percent(float(losses.max()))}, in the span around {middles[int(losses.argmax())]}. "
        f"{int(broken.sum())} spans hold a loss beyond VaR."
    )

    def draw(figure: Any) -> None:
        axes, at = figure.subplots(), np.arange(width)
        for chosen, colour, name in ((~broken, FAINT, "worst loss of a span"), (broken, RED, "… beyond VaR")):
            if chosen.any():
                xs, ys = sticks(at[chosen].tolist(), losses[chosen].tolist())
                axes.plot(xs, ys, color=colour, linewidth=3.2, solid_capstyle="butt", label=name)
        axes.step(at, forecasts, where="mid", color=BLUE, label="mean VaR of the span")
        dated(axes, middles)
        axes.set_ylim(bottom=0.0)
        axes.set_ylabel("Loss, per cent of capital")
        in_percent(axes.yaxis)
        figure.legend(loc="outside upper center", ncols=3)

    return chart("validation", "Worst losses of the whole past, and VaR", told, 3.0, draw)


def distribution_chart(shape: PnlShape, return_days: int) -> Chart:
    """Return the histogram of past P&L with the fitted laws, VaR and expected shortfall."""
    tail = "" if shape.tail_shape is None else f" The fitted tail has the shape ξ = {shape.tail_shape:.2f}."
    told = (
        f"{shape.n_obs} returns between {percent(shape.edges[0])} and {percent(shape.edges[-1])}. Historical VaR at "
        f"{shape.confidence:.10g} is {percent(shape.value_at_risk)}, CVaR {percent(shape.expected_shortfall)}.{tail}"
    )

    def draw(figure: Any) -> None:
        whole, left = figure.subplots(1, 2, width_ratios=(1.7, 1.0))
        _shape(whole, shape)
        _shape(left, shape)
        edge = -shape.value_at_risk if shape.threshold is None else min(shape.threshold, -shape.value_at_risk)
        left.set_xlim(shape.grid[0], edge * 0.7)
        left.set_ylim(0.0, _highest(shape, edge * 0.7))
        whole.set_title("All returns")
        left.set_title("The left tail, enlarged")
        whole.set_ylabel("Returns in a bin")
        span = "Daily P&L" if return_days == 1 else f"P&L over {return_days} days"
        for axes in (whole, left):
            axes.set_xlabel(f"{span}, per cent of capital")
            few_ticks(axes.xaxis, 5)
            in_percent(axes.xaxis)
        handles, names = whole.get_legend_handles_labels()
        figure.legend(handles, names, loc="outside upper center", ncols=3)

    return chart("distribution", "How P&L is distributed, with fitted tails", told, 4.0, draw)


def _shape(axes: Any, shape: PnlShape) -> None:
    axes.stairs(shape.counts, shape.edges, fill=True, color=FAINT, label="past P&L")
    if shape.normal is not None:
        axes.plot(shape.grid, shape.normal, color=MUTED, linestyle="--", label="normal, EWMA volatility")
    if shape.student_t is not None:
        axes.plot(shape.grid, shape.student_t, color=TEAL, label="Student-t, fitted")
    if shape.tail is not None:
        curve = [float("nan") if value is None else value for value in shape.tail]
        axes.plot(shape.grid, curve, color=PURPLE, linewidth=2.2, label="generalised Pareto tail, fitted")
    level = f"{shape.confidence:.10g}"
    axes.axvline(-shape.value_at_risk, color=ORANGE, label=f"VaR {level}, historical")
    axes.axvline(-shape.expected_shortfall, color=RED, linestyle=":", linewidth=2.0, label=f"CVaR {level}, historical")
    axes.spines["left"].set_color(INK)


def _highest(shape: PnlShape, below: float) -> float:
    """Return the height that holds all that is drawn below a point."""
    counts = [c for c, right in zip(shape.counts, shape.edges[1:], strict=True) if right <= below]
    curves = [
        value
        for curve in (shape.normal, shape.student_t, shape.tail)
        if curve is not None
        for x, value in zip(shape.grid, curve, strict=True)
        if x <= below and value is not None
    ]
    return 1.15 * max(max(counts, default=1), max(curves, default=1.0), 1.0)
