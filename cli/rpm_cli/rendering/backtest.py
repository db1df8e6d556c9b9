"""A `BacktestReport` as tables and a chart of losses against value at risk, at 80 columns and wider."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rpm_cli.rendering import terminal as draw
from rpmcore.domain.wording import TEST_NAMES, TEST_QUESTIONS, TESTED_METHODS, backtest_verdict, probability
from rpmcore.risk.backtesting.report import BacktestReport, ForecastSeries

CHART_HEIGHT = 10
MOST_VIOLATIONS = 10

VERDICTS = {"pass": "green", "warn": "yellow", "fail": "bold red", "untested": "dim"}


def show(report: BacktestReport, digest: str) -> None:
    """Print the report to stdout."""
    console = draw.console()
    wide = console.width >= draw.WIDE
    _header(console, report, digest)
    _violations(console, report)
    _chart(console, report.series)
    _tests(console, report, wide)
    _worst(console, report)
    if report.comparison:
        _comparison(console, report, wide)
    if report.warnings:
        draw.title(console, "Warnings")
    for warning in report.warnings:
        console.print(Text.assemble(("! ", "yellow"), draw.printable(warning.message)))


def _header(console: Console, report: BacktestReport, digest: str) -> None:
    book, data = report.book, report.data
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    name = "sample book" if book.source == "sample" else (book.path or "table in memory")
    grid.add_row("Book", Text(f"{name} · {book.n_positions} position{'s' * (book.n_positions != 1)}"))
    grid.add_row("Prices", Text(f"{data.prices} · {data.dropped_rows} row(s) left out"))
    grid.add_row(
        "Forecasts",
        f"{TESTED_METHODS[report.method]}, {report.confidence:.10g}, one day, "
        f"each from {report.window} returns before it",
    )
    grid.add_row("Days", f"{report.n:,} from {data.first} to {data.last}, today's positions on each")
    grid.add_row("Settings", digest[:12])
    console.print(grid)


def _violations(console: Console, report: BacktestReport) -> None:
    draw.title(console, "Violations: days that lost more than VaR")
    line = f"{report.violations} of {report.n:,} days ({draw.percent(report.rate)}), {report.expected:.1f} expected"
    excess = report.excess
    if excess.mean_ratio is not None:
        line += f" · {excess.mean_ratio:.2f} × VaR on average"
    if excess.mean_shortfall_ratio is not None:
        line += f", {excess.mean_shortfall_ratio:.2f} × CVaR"
    console.print(line)


def _chart(console: Console, series: ForecastSeries) -> None:
    """Print the worst loss of each span of days as a column, and the mean value at risk as a line across."""
    width = min(console.width - 8, len(series.dates), 100)
    n = len(series.dates)
    spans = [(i * n // width, (i + 1) * n // width) for i in range(width)]
    losses = [max(-min(series.pnl[a:b]), 0.0) for a, b in spans]
    limits = [sum(series.value_at_risk[a:b]) / (b - a) for a, b in spans]
    broken = [any(-series.pnl[i] > series.value_at_risk[i] for i in range(a, b)) for a, b in spans]
    top = max(max(losses), max(limits))
    if top <= 0.0:
        return
    draw.title(console, "Worst loss of each span of days, and VaR (─)")
    for level in range(CHART_HEIGHT, 0, -1):
        label = draw.percent(top * level / CHART_HEIGHT, 1) if level in (CHART_HEIGHT, CHART_HEIGHT // 2) else ""
        line = Text(f"{label:>6} ")
        for loss, limit, violated in zip(losses, limits, broken, strict=True):
            filled = loss / top * CHART_HEIGHT > level - 0.5
            here = round(limit / top * CHART_HEIGHT) == level
            line.append("─" if here else "█" if filled else " ", "yellow" if here else "red" if violated else "cyan")
        console.print(line)
    first, last = str(series.dates[0]), str(series.dates[-1])
    console.print(f"{'':>7}{first}{last:>{max(width - len(first), len(last) + 1)}}")


def _tests(console: Console, report: BacktestReport, wide: bool) -> None:
    draw.title(console, f"Tests: a right model fails each once in {1.0 / report.significance:.0f} times")
    table = draw.table()
    table.add_column("Test", no_wrap=True)
    asks = console.width >= draw.MEDIUM
    if asks:
        table.add_column("Asks", no_wrap=True)
    for heading in ("Statistic", "p-value"):
        table.add_column(heading, justify="right", no_wrap=True)
    if wide:
        table.add_column("by", no_wrap=True)
    table.add_column("Verdict", no_wrap=True)
    for name, test in report.tests.items():
        cells: list[Text | str] = [TEST_NAMES[name], *((TEST_QUESTIONS[name],) if asks else ())]
        cells += ["–" if test.statistic is None else f"{test.statistic:.2f}", probability(test.p_value)]
        if wide:
            cells.append("" if test.p_value is None else test.p_value_basis)
        cells.append(Text(backtest_verdict(name, test.verdict), style=VERDICTS[test.verdict]))
        table.add_row(*cells)
    console.print(table)
    for name, test in report.tests.items():
        if test.note is not None:
            console.print(Text(f"{TEST_NAMES[name]}: {draw.printable(test.note)}", style="dim"))


def _worst(console: Console, report: BacktestReport) -> None:
    if not report.worst:
        return
    draw.title(console, "Worst days, by loss over VaR")
    table = draw.table()
    table.add_column("Day", no_wrap=True)
    for heading in ("Loss", "VaR", "Loss/VaR"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    scale = report.worst[0].ratio
    for violation in report.worst[:MOST_VIOLATIONS]:
        table.add_row(
            str(violation.day),
            draw.percent(violation.loss),
            draw.percent(violation.value_at_risk),
            f"{violation.ratio:.2f}",
            draw.bar(violation.ratio / scale, 24, "red"),
        )
    console.print(table)
    more = len(report.worst) - MOST_VIOLATIONS
    if more > 0:
        console.print(Text(f"{more} more in --json", style="dim"))


def _comparison(console: Console, report: BacktestReport, wide: bool) -> None:
    days = report.comparison[0].n
    draw.title(console, f"All methods on the {days:,} days that all answer for, best first")
    table = draw.table()
    table.add_column("Method", no_wrap=True)
    headings = ["Viol.", "Expected", "Coverage p", "Clusters p", "Joint score", "vs best p"]
    if wide:
        headings.insert(4, "Quantile score")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("Zone", no_wrap=True)
    for row in report.comparison:
        cells: list[Text | str] = [TESTED_METHODS[row.method], str(row.violations), f"{row.expected:.1f}"]
        cells += [probability(row.coverage_p_value), probability(row.independence_p_value)]
        if wide:
            cells.append(f"{1e4 * row.quantile_score:.3f} bp")
        cells.append("–" if row.joint_score is None else f"{row.joint_score:.3f}")
        cells.append("best" if row is report.comparison[0] else probability(row.p_value_against_best))
        cells.append(Text(row.zone, style=row.zone))
        table.add_row(*cells)
    console.print(table)
