"""A `GateRunReport` as tables, at 80 columns and wider."""

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.text import Text

from rpm_cli.rendering import terminal as draw
from rpmcore.domain.crisis_library import HistoricalCrisisLibrary
from rpmcore.gate_jobs import GateRunReport
from rpmcore.gate_run_report import EXPECTED_REJECTIONS, GateRun, RunSpan

MOST_HALTS = 8


def show(report: GateRunReport) -> None:
    """Print it to stdout."""
    console = draw.console()
    run = report.run
    _header(console, report)
    _counts(console, "Rejected, by the first check that said no", run.reasons, run.total.signals)
    _counts(console, "Cut, by the check that bound", run.bindings, run.total.signals)
    _crises(console, run)
    _years(console, run)
    _switches(console, run)
    _strategies(console, run)
    if report.warnings:
        draw.title(console, "Warnings")
        for warning in report.warnings:
            console.print(Text.assemble(("! ", "yellow"), draw.printable(warning.message)))


def _header(console: Console, report: GateRunReport) -> None:
    run, total = report.run, report.run.total
    share = total.rejected_share
    low, high = EXPECTED_REJECTIONS
    verdict = "within" if share is not None and low <= share <= high else "outside"
    times = run.decision_times()
    took = " · ".join(f"{name} {value:.2f} ms" for name, value in times.items() if value is not None)
    where = "the sample signals" if report.signals is None else draw.printable(report.signals)
    halted = f"{len(run.halts):,} halts, {run.resets:,} resets by {draw.printable(report.operator or 'nobody')}"
    rows: Sequence[tuple[str, str]] = (
        ("Signals", f"{where} · {total.signals:,} decided, {run.first} to {run.last}"),
        ("Verdicts", f"{total.approved:,} approved · {total.cut:,} cut · {total.rejected:,} rejected"),
        ("Rejected", f"{draw.percent(share, 1)} of signals, {verdict} the specification's {low:.0%} to {high:.0%}"),
        ("Passed", f"{draw.percent(total.passed_share, 1)} of the value that was asked for and would open or add"),
        ("Switches", halted),
        ("Equity", f"{draw.amount(run.equity_first)} to {draw.amount(run.equity_last)} {report.account} · largest "
                   f"drawdown {draw.percent(run.max_drawdown, 1)} · {run.trades:,} trades closed"),
        ("Decision", f"{took or '–'}, its record included"),
        ("Ledger", "memory: nothing can be proven later" if report.ledger is None
         else f"{draw.printable(report.ledger)} · head {str(report.head)[:16]}"),
        ("Settings", report.config_digest[:12]),
    )  # fmt: skip
    grid = draw.table()
    grid.show_header = False
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in rows:
        grid.add_row(name, Text(text))
    console.print(grid)


def _counts(console: Console, title: str, counts: Mapping[str, int], signals: int) -> None:
    if not counts:
        return
    draw.title(console, title)
    table = draw.table()
    table.add_column("Check", no_wrap=True)
    table.add_column("Signals", justify="right")
    table.add_column("Share", justify="right")
    width = 24 if console.width >= draw.MEDIUM else 10
    table.add_column("", no_wrap=True)
    most = max(counts.values())
    for name, count in Counter(counts).most_common():
        table.add_row(
            name.replace("_", " "), f"{count:,}", draw.percent(count / signals, 1), draw.bar(count / most, width, "red")
        )
    console.print(table)


def _crises(console: Console, run: GateRun) -> None:
    crises = run.crises(HistoricalCrisisLibrary())
    if not crises:
        return
    draw.title(console, "Crises on the way, and the sixty days before each")
    table = draw.table()
    for heading in ("Crisis", "Days"):
        table.add_column(heading, no_wrap=True)
    for heading in ("Signals", "Passed", "Rejected", "Risk a trade", "Halts"):
        table.add_column(heading, justify="right")
    table.add_column("Regime", no_wrap=True)
    for crisis in crises:
        if crisis.before is not None:
            _span_row(table, "  before", crisis.before, dim=True)
        _span_row(table, crisis.crisis, crisis.during)
    console.print(table)


def _span_row(table: object, name: str, span: RunSpan, *, dim: bool = False) -> None:
    from rich.table import Table

    assert isinstance(table, Table)  # noqa: S101 - narrows for the type checker
    table.add_row(
        name, f"{span.first:%y-%m-%d}–{span.last:%m-%d}", f"{span.signals:,}", draw.percent(span.passed_share, 0),
        draw.percent(span.rejected_share, 0), draw.percent(span.mean_risk_per_trade, 3), f"{span.halts:,}",
        Text(span.regime, _regime_style(span.regime)), style="dim" if dim else "",
    )  # fmt: skip


def _years(console: Console, run: GateRun) -> None:
    draw.title(console, "Year by year; each mark a month")
    months: dict[str, list[RunSpan]] = {}
    for month in run.months:
        months.setdefault(month.name[:4], []).append(month)
    table = draw.table()
    table.add_column("Year")
    for heading in ("Signals", "Appr.", "Cut", "Rej."):
        table.add_column(heading, justify="right")
    table.add_column("Passed", no_wrap=True)
    table.add_column("Risk a trade", no_wrap=True)
    table.add_column("Halts", justify="right")
    table.add_column("Equity", justify="right")
    for year in run.years:
        spans = months[year.name]
        table.add_row(
            year.name, f"{year.signals:,}", f"{year.approved:,}", f"{year.cut:,}", f"{year.rejected:,}",
            Text(draw.sparkline([s.passed_share for s in spans], 12), "cyan"),
            Text(draw.sparkline([s.mean_risk_per_trade for s in spans], 12), "magenta"),
            f"{year.halts:,}", draw.amount(year.equity),
        )  # fmt: skip
    console.print(table)


def _switches(console: Console, run: GateRun) -> None:
    if not run.halts:
        return
    draw.title(console, "Kill switches that halted")
    counts = Counter((halt.switch, halt.scope) for halt in run.halts)
    table = draw.table()
    table.add_column("Switch", no_wrap=True)
    table.add_column("Scope", overflow="fold")
    table.add_column("Halts", justify="right")
    table.add_column("The last", overflow="fold")
    last = {(halt.switch, halt.scope): halt for halt in run.halts}
    for key, count in counts.most_common(MOST_HALTS):
        table.add_row(key[0].replace("_", " "), draw.printable(key[1]), f"{count:,}", draw.printable(last[key].reason))
    console.print(table)


def _strategies(console: Console, run: GateRun) -> None:
    if not run.pnl:
        return
    draw.title(console, "Strategies")
    disabled = Counter(name for _, name, _ in run.disabled)
    table = draw.table()
    table.add_column("Strategy", overflow="fold")
    table.add_column("P&L of closed trades", justify="right")
    table.add_column("", no_wrap=True)
    table.add_column("Disabled for its health", justify="right")
    scale = max(abs(value) for value in run.pnl.values())
    for name, value in sorted(run.pnl.items(), key=lambda item: -item[1]):
        table.add_row(
            draw.printable(name), f"{value:+,.0f}", draw.signed_bar(value, scale, 16, left="red", right="green"),
            f"{disabled[name]:,} ×",
        )  # fmt: skip
    console.print(table)


def _regime_style(regime: str) -> str:
    return {"stressed": "bold red", "volatile": "yellow"}.get(regime, "")
