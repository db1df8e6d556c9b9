"""A `LimitsReport` and a `RegimeReport` as tables with bars, and the history of the regime as a strip."""

from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rpm_cli.rendering import limits
from rpm_cli.rendering import terminal as draw
from rpmcore.controls.limits_report import LimitsReport, MarketData, RegimeReport, RegimeSpan
from rpmcore.controls.regime import Condition, RegimeReading
from rpmcore.controls.regime_limits import REGIMES, RiskLimits
from rpmcore.controls.volatility_thresholds import VolatilityReading
from rpmcore.risk.notices import Notice
from rpmcore.risk.report import BookSummary

STYLES = {
    "trending": "green",
    "ranging": "cyan",
    "volatile": "yellow",
    "stressed": "bold red",
    "unknown": "dim",
    "normal": "green",
    "elevated": "yellow",
    "extreme": "red",
    "crisis": "bold red",
}
GLYPHS = {"trending": "▂", "ranging": "▄", "volatile": "▆", "stressed": "█", "unknown": "?"}
PLAIN_GLYPHS = {"trending": ".", "ranging": "-", "volatile": "+", "stressed": "#", "unknown": "?"}
DAYS_PER_GLYPH = 10
"""Two weeks: a longer span would make a short crisis look like a long one."""

_BARS = 80
"""Columns below which bars give way to the figures, which must not be cut short."""

MEASURES = {
    "trend": "trend efficiency",
    "volatile": "volatility",
    "stressed": "volatility, stressed",
    "correlated": "average correlation",
    "extreme": "volatility, extreme",
}


def show_limits(report: LimitsReport, digest: str) -> None:
    """Print today's limits and how they came about."""
    console = draw.console()
    wide = console.width >= draw.WIDE
    _header(console, report.book, report.data, digest)
    _derivation(console, report, wide)
    _conditions(console, report.regime.conditions, wide)
    _volatility(console, report.volatility)
    _stress(console, report, wide)
    limits.show(console, report.checks, wide)
    _warnings(console, report.warnings)


def show_regime(report: RegimeReport, digest: str) -> None:
    """Print the regime with its evidence, and the history where it was asked for."""
    console = draw.console()
    wide = console.width >= draw.WIDE
    _header(console, report.book, report.data, digest)
    _regime(console, report.reading, report.limits)
    _conditions(console, report.reading.conditions, wide)
    if report.spans:
        _strip(console, report.spans)
        _spans(console, report.spans)
    _warnings(console, report.warnings)


def _header(console: Console, book: BookSummary, data: MarketData, digest: str) -> None:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    name = "sample book" if book.source == "sample" else (book.path or "table in memory")
    grid.add_row("Book", Text(f"{name} · gross {book.gross_leverage:.2f}×, net {book.net_leverage:.2f}×"))
    grid.add_row("As of", f"the close of {data.last}, for the day after · closes from {data.first}")
    grid.add_row("Market", Text(draw.printable(f"{data.market} · {data.n_assets} instruments, {data.n_obs:,} returns")))
    grid.add_row("Prices", Text(data.prices))
    grid.add_row("Settings", digest[:12])
    console.print(grid)


def _derivation(console: Console, report: LimitsReport, wide: bool) -> None:
    draw.title(console, "Limits of today, step by step")
    table = draw.table()
    for heading in ("Step", "Verdict"):
        table.add_column(heading, no_wrap=True)
    for heading in ("Times", "Risk/trade", "Gross", "Leverage"):
        table.add_column(heading, justify="right", no_wrap=True)
    bars = console.width >= _BARS
    if bars:
        table.add_column("", no_wrap=True)
    if wide:
        table.add_column("Source", no_wrap=True)
    base = report.limits.steps[0].result.gross_exposure
    for step in report.limits.steps:
        style = STYLES.get(step.verdict, "")
        cells: list[Text | str] = [step.name, Text(step.verdict, style=style)]
        cells.append("base" if step.name == "regime" else f"{step.multiplier:.2f}")
        cells += _limits(step.result)
        if bars:
            cells.append(draw.bar(step.result.gross_exposure / base, 20 if wide else 16, style))
        if wide:
            cells.append(step.source if step.day is None else f"{step.source}, {step.day}")
        table.add_row(*cells)
    console.print(table)
    stress = report.limits.correlation_stress
    console.print(f"Today: {report.limits.multiplier:.0%} of the regime's base · correlation stress θ = {stress:.0%}")
    for step in report.limits.steps:
        if step.note:
            console.print(Text.assemble(("! ", "yellow"), draw.printable(f"{step.name}: {step.note}")))


def _limits(result: RiskLimits) -> tuple[str, str, str]:
    return draw.percent(result.risk_per_trade, 3), draw.percent(result.gross_exposure, 1), f"{result.leverage:.2f}×"


def _regime(console: Console, reading: RegimeReading, allowed: RiskLimits) -> None:
    draw.title(console, "Regime")
    console.print(Text.assemble((reading.regime.upper(), STYLES[reading.regime])), end="")
    alone = "" if reading.of_the_day == reading.regime else f" · the day alone: {reading.of_the_day}"
    console.print(Text(alone))
    risk, gross, leverage = _limits(allowed)
    console.print(
        f"Base limits: risk per trade {risk}, gross {gross}, leverage {leverage}, "
        f"correlation stress {allowed.correlation_stress:.0%}"
    )
    if reading.note:
        console.print(Text.assemble(("! ", "yellow"), f"{reading.note}: taken for stressed"))


def _conditions(console: Console, conditions: Sequence[Condition], wide: bool) -> None:
    if not conditions:
        return
    draw.title(console, "Evidence of the regime")
    table = draw.table()
    table.add_column("Condition", no_wrap=True)
    for heading in ("Measured", "Rank", "Begins", "Ends"):
        table.add_column(heading, justify="right", no_wrap=True)
    bars = console.width >= _BARS
    if bars:
        table.add_column("", no_wrap=True)
    table.add_column("Holds", no_wrap=True)
    for condition in conditions:
        against = condition.value if condition.measure == "efficiency" else condition.rank
        style = "yellow" if condition.holds and condition.name != "trend" else "green"
        table.add_row(
            MEASURES[condition.name],
            "–" if condition.value is None else f"{condition.value:.4f}",
            draw.percent(condition.rank, 1),
            f"{condition.begins:.2f}",
            f"{condition.ends:.2f}",
            *([draw.bar(1.0 if against is None else against, 24 if wide else 16, style)] if bars else []),
            Text("yes" if condition.holds else "no", style=style if condition.holds else ""),
        )
    console.print(table)


def _volatility(console: Console, reading: VolatilityReading) -> None:
    draw.title(console, "Volatility of the market against its past")
    table = draw.table()
    table.add_column("Held against", no_wrap=True)
    for heading in ("Days", "Elevated above", "Extreme above", "Crisis above"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, count, thresholds in (
        ("window", reading.n_window, reading.window_thresholds),
        ("all of the past", reading.n_history, reading.history_thresholds),
    ):
        table.add_row(name, f"{count:,}", *(draw.percent(t, 3) for t in thresholds or (None, None, None)))
    console.print(table)
    console.print(
        Text.assemble(
            f"Today {draw.percent(reading.volatility, 3)} a day: ",
            (reading.of_the_day, STYLES[reading.of_the_day]),
            " alone, ",
            (reading.volatility_class, STYLES[reading.volatility_class]),
            " by the last days",
        )
    )


def _stress(console: Console, report: LimitsReport, wide: bool) -> None:
    draw.title(console, f"Stress of the market: score {report.stress.score:.2f} of 1")
    table = draw.table()
    table.add_column("Factor", no_wrap=True)
    for heading in ("Measured", "Rank", "Score"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for factor in report.stress.factors:
        table.add_row(
            factor.name,
            "–" if factor.value is None else f"{factor.value:.4f}",
            draw.percent(factor.rank, 1),
            f"{factor.score:.2f}",
            draw.bar(factor.score, 32 if wide else 20, "red" if factor.score > 0.5 else "yellow"),
        )
    console.print(table)


def _strip(console: Console, spans: Sequence[RegimeSpan]) -> None:
    """Print one glyph per span of days, several lines if need be, with the years below."""
    days = [_state(span) for span in spans for _ in range(span.n_days)]
    years = _years(spans)
    width = min(console.width, 100)
    each = min(DAYS_PER_GLYPH, max(1, -(-len(days) // width)))
    draw.title(console, f"Regime by day, {each} day{'s' * (each != 1)} a character, the tightest of them")
    glyphs = PLAIN_GLYPHS if console.no_color else GLYPHS
    order = (*REGIMES, "unknown")
    cells = [max(days[i : i + each], key=order.index) for i in range(0, len(days), each)]
    starts = [years[i] for i in range(0, len(days), each)]
    for row in range(0, len(cells), width):
        line = Text(no_wrap=True)
        for state, run in groupby(cells[row : row + width]):
            line.append(glyphs[state] * len(list(run)), style=STYLES[state])
        console.print(line)
        console.print(Text(_year_line(starts[row : row + width]), style="dim", no_wrap=True))
    legend = Text()
    for state in order:
        if any(state == cell for cell in cells):
            legend.append(glyphs[state], style=STYLES[state])
            legend.append(f" {'unknown, taken for stressed' if state == 'unknown' else state}  ")
    console.print(legend)


def _state(span: RegimeSpan) -> str:
    return span.regime if span.known else "unknown"


def _years(spans: Sequence[RegimeSpan]) -> list[int]:
    """Return a year for each day; within a span that crosses years, days are spread evenly."""
    found = []
    for span in spans:
        length = (span.last - span.first).days
        for i in range(span.n_days):
            fraction = i / (span.n_days - 1) if span.n_days > 1 else 0.0
            found.append(type(span.first).fromordinal(span.first.toordinal() + round(length * fraction)).year)
    return found


def _year_line(years: Sequence[int]) -> str:
    line = [" "] * len(years)
    free = 0
    for i, year in enumerate(years):
        if (i == 0 or years[i - 1] != year) and i >= free and i + 4 <= len(line):
            line[i : i + 4] = str(year)
            free = i + 5
    return "".join(line).rstrip()


def _spans(console: Console, spans: Sequence[RegimeSpan]) -> None:
    draw.title(console, "Spans by the close")
    total = sum(span.n_days for span in spans)
    for state in (*REGIMES, "unknown"):
        days = sum(span.n_days for span in spans if _state(span) == state)
        if days:
            line = Text(f"{state.ljust(9)} {days:>6,} days ")
            line.append_text(draw.bar(days / total, 24, STYLES[state]))
            console.print(line.append(f" {days / total:.1%}"))
    console.print()
    table = draw.table()
    for heading in ("First", "Last"):
        table.add_column(heading, no_wrap=True)
    table.add_column("Days", justify="right", no_wrap=True)
    table.add_column("Regime", no_wrap=True)
    for span in spans:
        table.add_row(str(span.first), str(span.last), f"{span.n_days}", Text(_state(span), style=STYLES[_state(span)]))
    console.print(table)


def _warnings(console: Console, warnings: Sequence[Notice]) -> None:
    if warnings:
        draw.title(console, "Warnings")
    for warning in warnings:
        console.print(Text.assemble(("! ", "yellow"), draw.printable(warning.message)))
