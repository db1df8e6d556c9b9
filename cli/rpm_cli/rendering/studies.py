"""What ``rpm evaluate`` shows on request: parts of VaR and CVaR, scores of covariances, figures through time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from rpm_cli.rendering import terminal as draw
from rpmcore.risk.report import Evaluation

if TYPE_CHECKING:
    from rpmcore.risk.covariance_comparison import CovarianceScore
    from rpmcore.risk.rolling_report import RollingReport
    from rpmcore.risk.tail_decomposition import TailComponent, TailDecomposition


def show(console: Console, result: Evaluation, wide: bool) -> None:
    """Print the studies that the evaluation holds."""
    for decomposition in result.decomposition:
        _decomposition(console, decomposition, wide)
    if result.covariance_comparison:
        _comparison(console, result.covariance_comparison, wide)
    if result.rolling is not None:
        _rolling(console, result.rolling)


def _decomposition(console: Console, one: "TailDecomposition", wide: bool) -> None:
    days = "one day" if one.horizon == 1 else f"{one.horizon} days"
    draw.title(console, f"Parts of {draw.METHOD_NAMES[one.method]} VaR and CVaR, {one.confidence:.10g}, {days}")
    total, reason = one.total, one.components[0].component.value_at_risk_reason
    if total.value_at_risk is None or reason is not None:
        console.print(Text(str(total.value_at_risk_reason or reason)))
        return
    line = f"VaR {draw.percent(total.value_at_risk)}, CVaR {draw.percent(total.expected_shortfall)} · {one.rule}"
    console.print(Text(line, style="dim"))
    table = draw.table()
    table.add_column("Position", overflow="ellipsis", no_wrap=True, max_width=24 if wide else 12)
    for heading in ("Weight", "VaR", "CVaR"):
        table.add_column(heading, justify="right", no_wrap=True)
    if wide:
        table.add_column("− hedges │ adds +", no_wrap=True)
    for heading in ("½ VaR", "½ CVaR", "w/o VaR", "w/o CVaR"):
        table.add_column(heading, justify="right", no_wrap=True)
    ordered = sorted(one.components, key=lambda c: -abs(_bar_of(c)))
    scale = max((abs(_bar_of(c)) for c in ordered), default=0.0)
    for c in ordered[: draw.MOST_POSITIONS]:
        cells: list[Text | str] = [Text(draw.printable(c.symbol)), draw.percent(c.weight, 1)]
        cells += [draw.percent(c.component.value_at_risk), draw.percent(c.component.expected_shortfall)]
        if wide:
            cells.append(draw.signed_bar(_bar_of(c), scale, 20))
        for figures in (c.if_halved, c.if_dropped):
            cells += [draw.percent(figures.value_at_risk), draw.percent(figures.expected_shortfall)]
        table.add_row(*cells)
    rest = ordered[draw.MOST_POSITIONS :]
    if rest:
        var = sum(c.component.value_at_risk or 0.0 for c in rest)
        shortfall = sum(c.component.expected_shortfall or 0.0 for c in rest)
        weight = draw.percent(sum(c.weight for c in rest), 1)
        table.add_row(f"{len(rest)} more", weight, draw.percent(var), draw.percent(shortfall))
    console.print(table)
    console.print(Text("½: with half of the position; w/o: without it", style="dim"))


def _bar_of(component: "TailComponent") -> float:
    part = component.component
    return part.expected_shortfall if part.expected_shortfall is not None else part.value_at_risk or 0.0


def _comparison(console: Console, scores: "Sequence[CovarianceScore]", wide: bool) -> None:
    draw.title(console, f"Covariance forecasts of this book over {scores[0].n_forecasts} days, best first")
    table = draw.table()
    table.add_column("Estimator", no_wrap=not wide, overflow="fold", max_width=36 if wide else 24)
    beyond = [f"> {exceedance.confidence:.10g}" for exceedance in _levels(scores)]
    for heading in ("Excess", *(("± s.e.",) if wide else ()), "Bias", *beyond):
        table.add_column(heading, justify="right", no_wrap=True)
    if wide:
        table.add_column("Matrix", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for score in scores:
        name = Text(score.name, style="bold" if score.configured else "")
        if score.qlike is None or score.qlike_excess is None:
            table.add_row(name, "–")
            continue
        cells: list[Text | str] = [name, f"{score.qlike_excess:.4f}"]
        if wide:
            cells.append(f"{score.excess_error:.4f}")
        cells.append(f"{score.bias:.2f}")
        cells += [draw.percent(e.rate, 1) for e in score.exceedances]
        if wide:
            cells.append("–" if score.matrix_qlike is None else f"{score.matrix_qlike:.3f}")
        table.add_row(*cells, _verdict(score))
    console.print(table)
    for reason in dict.fromkeys(score.qlike_reason for score in scores if score.qlike is None):
        console.print(Text(str(reason)))
    console.print(
        Text(
            "Excess: QLIKE above the best's; bias: root mean of P&L² over forecast variance, above 1 too low; "
            "> c: days beyond the normal VaR at c.",
            style="dim",
        )
    )


def _levels(scores: "Sequence[CovarianceScore]") -> Sequence[Any]:
    return next((score.exceedances for score in scores if score.exceedances), ())


def _verdict(score: "CovarianceScore") -> Text:
    mine = " (in use)" if score.configured else ""
    if score.qlike_excess == 0.0:
        return Text(f"best{mine}", style="green")
    return Text(f"worse{mine}", style="yellow") if score.told_apart else Text(f"not told apart{mine}")


def _rolling(console: Console, report: "RollingReport") -> None:
    first, last = report.dates[0], report.dates[-1]
    each = "" if report.return_days == 1 else f", each figure over {report.return_days} days"
    draw.title(console, f"Through time: {len(report.dates)} days from {first} to {last}{each}")
    ranges = console.width >= 72
    width = max(8, min(40, console.width - (70 if ranges else 54)))
    table = draw.table()
    table.add_column("Forecast", no_wrap=True)
    table.add_column("Conf.", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for heading in ("Low", "High", "Last") if ranges else ("Last",):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("Violations", justify="right", no_wrap=True)

    def row(name: str, conf: str, values: Sequence[float | None], digits: int, violations: str = "") -> None:
        known = [v for v in values if v is not None]
        numbers = [min(known, default=None), max(known, default=None), values[-1]] if ranges else [values[-1]]
        line = Text(draw.sparkline(values, width), style="cyan")
        table.add_row(name, conf, line, *(draw.percent(number, digits) for number in numbers), violations)

    for figure in report.figures:
        told = f"{figure.violations} of {figure.n_forecasts} ({figure.expected_violations:.1f})"
        row(f"{draw.METHOD_NAMES[figure.method]} VaR", f"{figure.confidence:.10g}", figure.value_at_risk, 2, told)
    row("EWMA volatility", "", report.ewma_volatility, 2)
    row("Ledoit–Wolf vol.", "", report.ledoit_wolf_volatility, 2)
    if report.mean_correlation is not None:
        row("mean correlation", "", report.mean_correlation, 0)
    row("P&L", "", report.pnl, 2)
    console.print(table)
    note = (
        f"window {report.window} returns · violations: days with a loss above the forecast, of the days forecast (and "
        "how many the confidence promises)"
    )
    console.print(Text(note, style="dim"))
    for reason in dict.fromkeys(f.undefined for f in report.figures if f.undefined is not None):
        console.print(Text(reason))
