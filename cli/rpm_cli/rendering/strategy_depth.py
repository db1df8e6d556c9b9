"""One strategy in depth: every statistic with its interval and number, and what its health is made of."""

from collections.abc import Sequence
from math import exp
from typing import NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rpm_cli.rendering import terminal as draw
from rpmcore.controls.strategy_health import MAPPINGS, SHARES
from rpmcore.controls.strategy_report import StrategiesReport, StrategyVerdict
from rpmcore.controls.strategy_settings import StrategySettings
from rpmcore.controls.strategy_tracker import PeriodPerformance
from rpmcore.risk.performance.figure import Figure


class Statistic(NamedTuple):
    """A row of the table of statistics: field, name, and how its numbers are written."""

    field: str
    name: str
    form: str


STATISTICS = (
    Statistic("win_rate", "Win rate", "{:.1%}"),
    Statistic("expectancy", "Expectancy", "{:+,.5g}"),
    Statistic("expectancy_r", "Expectancy, R", "{:+.3f}"),
    Statistic("profit_factor", "Profit factor", "{:.2f}"),
    Statistic("sharpe", "Sharpe", "{:.2f}"),
    Statistic("sortino", "Sortino", "{:.2f}"),
    Statistic("calmar", "Calmar", "{:.2f}"),
    Statistic("maximum_drawdown", "Max drawdown", "{:.1%}"),
    Statistic("current_drawdown", "Drawdown now", "{:.1%}"),
    Statistic("longest_losing_run", "Longest losing run", "{:.0f}"),
    Statistic("current_losing_run", "Losing run now", "{:.0f}"),
    Statistic("probabilistic_sharpe", "P(Sharpe > 0)", "{:.1%}"),
    Statistic("deflated_sharpe", "Deflated", "{:.1%}"),
    Statistic("minimum_track_record", "Min track, days", "{:,.0f}"),
)


def show(
    console: Console, report: StrategiesReport, row: StrategyVerdict, settings: StrategySettings, digest: str
) -> None:
    """Print all that is known of one strategy."""
    _header(console, report, row, digest)
    _history(console, row, settings)
    _components(console, row, settings)
    _statistics(console, row, settings)
    _edge(console, row)
    mine = [item for item in report.suggestions if item.strategy_id == row.strategy_id]
    if mine:
        draw.title(console, "Suggestions")
        for item in mine:
            text = f"{item.suggestion} – {item.evidence} (p = {item.p_value:.2g}, n = {item.n})"
            console.print(Text(draw.printable(text)))


def grid(console: Console, rows: Sequence[tuple[str, str]]) -> None:
    """Print names and texts side by side."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in rows:
        table.add_row(name, Text(draw.printable(text)))
    console.print(table)


def number(value: float | None, form: str = "{:.2f}") -> str:
    """Return a number as it is written, or a dash."""
    return "–" if value is None else form.format(value)


def _header(console: Console, report: StrategiesReport, row: StrategyVerdict, digest: str) -> None:
    share = next(item for item in report.allocation if item.strategy_id == row.strategy_id)
    verdict = (
        "DISABLED" if not row.enabled else "enabled" if row.multiplier == 1.0 else f"probation × {row.multiplier:g}"
    )
    score = "no score" if row.score is None else f"health {row.score:.2f}, {row.health}"
    money = report.trades.base_currency
    grid(
        console,
        (
            ("Strategy", f"{row.strategy_id} · {row.rank} of {len(report.strategies)}"),
            ("Verdict", f"{verdict} · {score}"),
            ("Why", row.reason),
            ("Trades", f"{row.total_trades:,} since the first, {row.n_trades:,} in the last {row.lookback.days} days"),
            ("Equity", f"{draw.amount(row.equity)} {money} of {draw.amount(row.capital)}"),
            ("Capital", f"{draw.percent(share.fraction, 1)} of the account's is advised"),
            ("As of", report.as_of),
            ("Settings", digest[:12]),
        ),
    )


def _history(console: Console, row: StrategyVerdict, settings: StrategySettings) -> None:
    past, width = row.history, min(console.width - 8, 100)
    if past is None:
        return
    draw.title(console, "From the first trade on")
    curve = [value for value in row.equity_curve if value is not None]
    grid(console, (("Equity", draw.sparkline(curve, width)), ("Score", draw.sparkline(past.scores, width))))
    if past.below is None:
        console.print(Text("It never had trades enough for a score."))
        return
    if past.first_below is None:
        text = f"Its score was never below {settings.disable_below:g}, at {past.n_judged:,} closings."
    else:
        times = "once" if past.episodes == 1 else f"{past.episodes:,} times"
        text = (
            f"Had it gone on trading, its score would have fallen below {settings.disable_below:g} {times}, first on "
            f"{past.first_below[:10]}, and stood there at {past.below:.0%} of {past.n_judged:,} closings. "
            "A gate disables it the first time."
        )
    console.print(Text(text))


def _components(console: Console, row: StrategyVerdict, settings: StrategySettings) -> None:
    draw.title(console, "Health")
    if not row.components:
        console.print(Text(draw.printable(str(row.score_reason))))
        return
    wide = console.width >= draw.WIDE
    table = draw.table()
    table.add_column("Component", no_wrap=True)
    for heading in ("Measured", "0 at", "1 at", "Score"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for heading in ("Weight", "Adds"):
        table.add_column(heading, justify="right", no_wrap=True)
    if wide:
        table.add_column("What is measured", overflow="fold")
    for part in row.components:
        form = "{:.1%}" if part.name in SHARES else "{:.2f}"
        worst, best, words = MAPPINGS[part.name]
        cells: list[str | Text] = [
            part.name.replace("_", " "), number(part.measured, form), form.format(worst), form.format(best),
            f"{part.score:.2f}", draw.bar(part.score, 10, "cyan"), f"{part.weight:.0%}",
            f"{part.weight * part.score:.3f}",
        ]  # fmt: skip
        if wide:
            cells.append(words if part.measured is not None else f"{words}: {part.measured_reason}")
        table.add_row(*cells)
    table.add_row("health", "", "", "", number(row.score), draw.bar(row.score or 0.0, 10), "", "", style="bold")
    console.print(table)
    console.print(Text(f"Below {settings.disable_below:g} a strategy is disabled.", "dim"))


def _statistics(console: Console, row: StrategyVerdict, settings: StrategySettings) -> None:
    wide = console.width >= draw.WIDE
    draw.title(console, f"Statistics, with intervals of {settings.interval:.0%}")
    table = draw.table()
    table.add_column("", no_wrap=True)
    for period in (row.lookback, row.recent):
        table.add_column(f"{period.days} days", justify="right", no_wrap=True)
        if wide or period is row.lookback:
            table.add_column("from … to", no_wrap=True)
        table.add_column("n", justify="right", no_wrap=True)
    for statistic in STATISTICS:
        cells: list[str | Text] = [statistic.name]
        for period in (row.lookback, row.recent):
            cells += _cells(statistic, period, interval=wide or period is row.lookback)
        table.add_row(*cells)
    console.print(table)
    console.print(Text("The interval of Max drawdown: the same trades in other orders, from a new peak.", "dim"))
    for period in (row.lookback, row.recent):
        if period.evidence == "insufficient":
            text = f"{period.days} days: insufficient, {period.n_trades} of {settings.minimum_trades} trades"
            console.print(Text(text, "yellow"))
    for text in _reasons(row.lookback):
        console.print(Text(draw.printable(text), "dim"))


def _cells(statistic: Statistic, period: PeriodPerformance, *, interval: bool) -> list[str | Text]:
    figure: Figure = getattr(period, statistic.field)
    weak = period.evidence == "insufficient"
    style = "dim" if weak else ""
    cells: list[str | Text] = [Text(number(figure.value, statistic.form), style)]
    if interval:
        if figure.value is None or (figure.lower is None and figure.upper is None):
            bounds = ""
        else:
            bounds = f"{number(figure.lower, statistic.form)} … {number(figure.upper, statistic.form)}"
        cells.append(Text("insufficient" if weak else bounds, style))
    cells.append(Text(f"{figure.n:,}", style))
    return cells


def _reasons(period: PeriodPerformance) -> list[str]:
    """Return why statistics of the lookback do not exist, each reason once."""
    names: dict[str, list[str]] = {}
    for statistic in STATISTICS:
        figure: Figure = getattr(period, statistic.field)
        if figure.value is None:
            names.setdefault(str(figure.value_reason), []).append(statistic.name)
    return [f"{', '.join(of)}: {reason}" for reason, of in names.items()]


def _edge(console: Console, row: StrategyVerdict) -> None:
    draw.title(console, "Is there an edge?")
    test, monitor = row.lookback.edge, row.monitor
    if test is None:
        looked = str(row.lookback.edge_reason)
    elif test.confidence is None:
        looked = str(test.confidence_reason)
    else:
        looked = f"confidence {test.confidence:.1%} by {test.basis}, n = {test.n}; for one look"
        if test.binomial_p_value is not None and test.basis != "binomial":
            looked += f" (binomial, too eager: {1.0 - test.binomial_p_value:.1%})"
    needed = exp(monitor.log_threshold)
    evidence = f"evidence {exp(min(monitor.log_evidence, 700.0)):.3g} of the {needed:.3g} needed, {monitor.n:,} trades"
    if monitor.verdict == "void":
        watched = f"void: trade {monitor.void_at:,} lost {draw.amount(monitor.void_loss)}, more than was declared"
    elif monitor.verdict == "edge":
        watched = f"an edge since trade {monitor.alarm_at:,}; {evidence} now"
    else:
        watched = f"none shown; {evidence}"
    right = f"{1.0 - monitor.significance:.0%}, if no trade loses over {draw.amount(monitor.loss_bound)}"
    grid(
        console, (("Test", looked), ("Monitor", watched), ("", f"may be looked at after each trade; right in {right}"))
    )
