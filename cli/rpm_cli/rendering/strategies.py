"""A `StrategiesReport` as a ranking, at 80 columns and wider."""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from rich.console import Console
from rich.text import Text

from rpm_cli.rendering import strategy_depth as depth
from rpm_cli.rendering import terminal as draw
from rpmcore.controls.strategy_report import StrategiesReport, StrategyVerdict
from rpmcore.controls.strategy_settings import StrategySettings

ONE_TABLE = 118
"""From this width on verdicts and figures of a strategy fit on one line."""

BAND_STYLE = {"EXCELLENT": "green", "GOOD": "green", "MARGINAL": "yellow", "POOR": "yellow", "CRITICAL": "bold red"}


class Cell(NamedTuple):
    """A column of the ranking: its heading, what stands in it, and where."""

    heading: str
    text: Callable[[StrategyVerdict], str | Text]
    right: bool = True


def show(report: StrategiesReport, settings: StrategySettings, digest: str) -> None:
    """Print the ranking or, if one strategy was asked for, that one in depth, to stdout."""
    console = draw.console()
    if report.asked is not None:
        depth.show(console, report, report.strategy(report.asked), settings, digest)
    else:
        _header(console, report, settings, digest)
        _ranking(console, report.strategies)
        _allocation(console, report)
        _suggestions(console, report, settings)
    if report.warnings:
        draw.title(console, "Warnings")
        for warning in report.warnings:
            console.print(Text.assemble(("! ", "yellow"), draw.printable(warning.message)))


def _header(console: Console, report: StrategiesReport, settings: StrategySettings, digest: str) -> None:
    trades = report.trades
    where = {"sample": "sample trades", "memory": "table in memory"}.get(trades.source, trades.path or "")
    disabled = len(report.disabled)
    probation = sum(row.status == "probation" for row in report.strategies)
    on_probation = f", {probation} of them on probation" if probation else ""
    depth.grid(
        console,
        (
            ("Trades", f"{where} · {trades.n_trades:,}, {trades.first[:10]} to {trades.last[:10]}"),
            ("Judged", f"as of {report.as_of} by the last {settings.lookback_days} days"),
            ("Verdict", f"{len(report.strategies) - disabled} enabled{on_probation}; {disabled} disabled"),
            ("Settings", digest[:12]),
        ),
    )


def _ranking(console: Console, rows: Sequence[StrategyVerdict]) -> None:
    draw.title(console, "Strategies by health")
    narrow = console.width < draw.MEDIUM
    verdicts = [
        Cell("", lambda row: str(row.rank)),
        Cell("Strategy", lambda row: Text(draw.printable(row.strategy_id)), right=False),
        Cell("Equity", lambda row: Text(draw.sparkline(row.equity_curve, 6 if narrow else 16), "cyan"), right=False),
        Cell("Health", lambda row: _bar(row, 6 if narrow else 10), right=False),
        Cell("Score", lambda row: "–" if row.score is None else f"{row.score:.2f}"),
        Cell("", lambda row: Text(row.health or "insufficient", _style(row)), right=False),
        Cell("Verdict", _verdict, right=False),
    ]
    figures = [
        Cell("Trades", lambda row: f"{row.n_trades:,}"),
        Cell("Wins", lambda row: draw.percent(row.lookback.win_rate.value, 0)),
        Cell("Expects", _expectancy),
        Cell("Factor", lambda row: depth.number(row.lookback.profit_factor.value)),
        Cell("Sharpe", lambda row: depth.number(row.lookback.sharpe.value)),
        Cell("Drawdown", lambda row: draw.percent(row.lookback.current_drawdown.value, 1)),
    ]
    if console.width >= ONE_TABLE:
        _table(console, rows, [*verdicts, *figures])
    else:
        _table(console, rows, verdicts)
        console.print()
        _table(console, rows, [verdicts[1], *figures])
    console.print()
    for row in rows:
        console.print(
            Text.assemble((f"{draw.printable(row.strategy_id)}: ", _style(row)), draw.printable(row.reason)),
        )


def _table(console: Console, rows: Sequence[StrategyVerdict], cells: Sequence[Cell]) -> None:
    table = draw.table()
    for cell in cells:
        justify: Literal["left", "right"] = "right" if cell.right else "left"
        table.add_column(cell.heading, justify=justify, no_wrap=cell.heading != "Strategy", overflow="fold")
    for row in rows:
        table.add_row(*(cell.text(row) for cell in cells), style="" if row.score is not None else "dim")
    console.print(table)


def _bar(row: StrategyVerdict, width: int) -> Text:
    return Text("·" * width) if row.score is None else draw.bar(row.score, width, _style(row))


def _style(row: StrategyVerdict) -> str:
    return BAND_STYLE.get(row.health or "", "")


def _verdict(row: StrategyVerdict) -> Text:
    if not row.enabled:
        return Text("DISABLED", "bold red")
    return Text("enabled", "green") if row.multiplier == 1.0 else Text("probation", "yellow")


def _expectancy(row: StrategyVerdict) -> str:
    in_risk, money = row.lookback.expectancy_r.value, row.lookback.expectancy.value
    if in_risk is not None:
        return f"{round(in_risk, 2) + 0.0:+.2f} R"
    return "–" if money is None else f"{money:+,.5g}"


def _allocation(console: Console, report: StrategiesReport) -> None:
    draw.title(console, "Capital")
    table = draw.table()
    table.add_column("Strategy", overflow="fold")
    table.add_column("Share", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("Full Kelly", justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for share in sorted(report.allocation, key=lambda share: -share.fraction):
        note = share.kelly_reason or ""
        if share.copies:
            note = f"counts as one with {', '.join(share.copies)}"
        kelly = "–" if share.kelly is None else f"{share.kelly:.3g}×"
        bar = draw.bar(share.fraction, 16, "cyan")
        name = Text(draw.printable(share.strategy_id))
        table.add_row(name, draw.percent(share.fraction, 1), bar, kelly, Text(draw.printable(note)))
    table.add_row("unallocated", draw.percent(report.unallocated, 1), "", "", "", style="dim")
    console.print(table)
    console.print(
        Text(f"Shrunk {report.shrinkage:.0%} of the way toward equal parts: so little do the trades tell.", "dim")
    )


def _suggestions(console: Console, report: StrategiesReport, settings: StrategySettings) -> None:
    draw.title(console, "Suggestions")
    if not report.suggestions:
        console.print(Text(f"None that the trades speak for at {settings.significance:.0%}.", "dim"))
    for item in report.suggestions:
        console.print(
            Text.assemble(
                (f"{draw.printable(item.strategy_id)}: ", "bold"),
                draw.printable(f"{item.suggestion} – {item.evidence} (p = {item.p_value:.2g}, n = {item.n})"),
            )
        )
