"""Stress reports and the crisis library as tables."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from rpm_cli.rendering import terminal as draw
from rpmcore.domain.crises import Crisis
from rpmcore.risk.stress.engine import ScenarioResult, StressReport

MOST_POSITIONS = 25


def show(report: StressReport) -> None:
    """Print the report to stdout: a line per scenario, and the positions where there is only one."""
    console = draw.console()
    wide = console.width >= draw.WIDE
    book = report.book
    name = "sample book" if book.source == "sample" else (book.path or "table in memory")
    console.print(Text(f"{name} · {book.n_positions} positions · as of {book.as_of}", style="bold"))
    console.print(
        f"Capital {draw.amount(book.capital) if book.capital else 'not given'} {book.base_currency} · "
        f"gross {book.gross_leverage:.2f}×, net {book.net_leverage:.2f}×"
    )
    console.print()
    _scenarios(console, report, wide)
    for scenario in report.scenarios:
        for criterion in scenario.failed_criteria:
            console.print(Text(f"{scenario.name}: {criterion}", style="bold red"))
    if len(report.scenarios) == 1:
        _positions(console, report.scenarios[0], wide)
    if report.warnings:
        console.print()
    for warning in report.warnings:
        console.print(Text.assemble(("! ", "yellow"), draw.printable(warning.message)))


def _scenarios(console: Console, report: StressReport, wide: bool) -> None:
    table = draw.table()
    table.add_column("Scenario", no_wrap=True)
    table.add_column("Loss", justify="right", no_wrap=True)
    if wide and report.book.capital:
        table.add_column(f"Loss {report.book.base_currency}", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    headings = ("Stressed VaR", "Loss/VaR", "Exit cost", "Days") if wide else ("Str. VaR", "Ratio", "Exit", "Days")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("Verdict", no_wrap=True)
    scale = max((abs(s.loss) for s in report.scenarios), default=0.0)
    for s in report.scenarios:
        cells: list[Text | str] = [s.name, draw.percent(s.loss)]
        if wide and report.book.capital:
            cells.append(draw.amount(s.loss_money))
        cells += [
            draw.bar(max(s.loss, 0.0) / scale if scale else 0.0, 16 if wide else 8, "red"),
            draw.percent(s.stressed_var),
            "–" if s.var_breach_ratio is None else f"{s.var_breach_ratio:.2f}",
            draw.percent(s.liquidation_cost),
            "–" if s.days_to_liquidate is None else f"{s.days_to_liquidate:.1f}",
            Text("PASS", style="green") if s.passed else Text("FAIL", style="bold red"),
        ]
        table.add_row(*cells)
    console.print(table)


def _positions(console: Console, scenario: ScenarioResult, wide: bool) -> None:
    console.print()
    console.print(Text(f"{scenario.title}: {scenario.mode}, shock by {scenario.propagation}", style="bold"))
    given = [f"{key} = {scenario.parameters[key]}" for key, source in scenario.sources.items() if source == "given"]
    if given:
        console.print(Text(f"changed for this run: {', '.join(given)}", style="yellow"))
    table = draw.table()
    table.add_column("Position", overflow="ellipsis", no_wrap=True, max_width=24 if wide else 14)
    if wide:
        table.add_column("Strategy", overflow="ellipsis", no_wrap=True, max_width=24)
    for heading in ("Weight", "Price", "Loss"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("− gains │ loses +", no_wrap=True)
    table.add_column("Shock by", no_wrap=True)
    ordered = sorted(scenario.positions, key=lambda p: -p.loss)
    scale = max((abs(p.loss) for p in ordered), default=0.0)
    for p in ordered[:MOST_POSITIONS]:
        strategy: list[Text | str] = [Text(draw.printable(p.strategy_id or "–"))] if wide else []
        table.add_row(
            Text(draw.printable(p.symbol)),
            *strategy,
            draw.percent(p.weight, 1),
            f"{p.price_move:+.1%}",
            draw.percent(p.loss),
            draw.signed_bar(p.loss, scale, 20 if wide else 14),
            p.origin,
        )
    rest = ordered[MOST_POSITIONS:]
    if rest:
        blank = [""] if wide else []
        table.add_row(f"{len(rest)} more", *blank, "", "", draw.percent(sum(p.loss for p in rest)), "", "")
    console.print(table)


def show_library(crises: Sequence[Crisis]) -> None:
    """Print a line per crisis."""
    console = draw.console()
    table = draw.table()
    table.add_column("Name", no_wrap=True)
    if console.width >= draw.WIDE:
        table.add_column("What happened", overflow="fold")
    for heading in ("Shock", "Vol.", "Corr.", "Spread", "Volume", "Gap", "Days"):
        table.add_column(heading, justify="right", no_wrap=True)
    for crisis in crises:
        title: list[Text | str] = [crisis.title] if console.width >= draw.WIDE else []
        table.add_row(
            crisis.name,
            *title,
            f"{crisis.market_shock:+.1%}",
            f"{crisis.volatility_multiplier:g}×",
            "–" if crisis.correlation is None else f"{crisis.correlation:.0%}",
            f"{crisis.spread_multiplier:g}×",
            f"−{crisis.volume_reduction:.0%}",
            "–" if crisis.gap is None else f"{crisis.gap.size:.0%}",
            str(crisis.duration_days),
        )
    console.print(table)


def show_crisis(crisis: Crisis) -> None:
    """Print one crisis in full, each parameter with its source."""
    console = draw.console()
    console.print(Text(f"{crisis.title} ({crisis.name})", style="bold"))
    console.print(f"{crisis.window.start} to {crisis.window.end}")
    console.print(Text(crisis.description))
    console.print()
    table = draw.table()
    for heading in ("Parameter", "Value", "Source"):
        table.add_column(heading, overflow="fold")
    for key, value in crisis.parameters.items():
        table.add_row(key, "none" if value is None else str(value), crisis.sources[key])
    console.print(table)
