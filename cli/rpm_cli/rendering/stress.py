"""Stress reports as tables."""

from collections.abc import Sequence

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from rpm_cli.rendering import terminal as draw
from rpm_cli.rendering.stress_path import fall, show_first_actions, show_path
from rpmcore.risk.report import BookSummary
from rpmcore.risk.stress.engine import ScenarioResult
from rpmcore.risk.stress.factor_scenario import FactorScenarioResult
from rpmcore.risk.stress.path_study import CrisisPaths
from rpmcore.risk.stress.replay import ReplayResult
from rpmcore.risk.stress.reverse_study import ReverseReport
from rpmcore.risk.stress.study import Result, StressReport
from rpmcore.risk.stress.suite_study import SuiteReport


def show(report: StressReport) -> None:
    """Print the report to stdout: a line per scenario and mode, and the details where there is only one."""
    console = draw.console()
    wide = console.width >= draw.WIDE
    _book(console, report.book)
    console.print()
    _scenarios(console, report, wide)
    for scenario in report.scenarios:
        for criterion in scenario.failed_criteria:
            console.print(Text(f"{scenario.name}, {scenario.mode}: {criterion}", style="bold red"))
    if len(report.scenarios) == 1:
        _details(console, report.scenarios[0], wide)
    else:
        show_first_actions(console, [s for s in report.scenarios if isinstance(s, CrisisPaths)])
    _warnings(console, report.warnings)


def _book(console: Console, book: BookSummary) -> None:
    name = "sample book" if book.source == "sample" else (book.path or "table in memory")
    console.print(Text(f"{name} · {book.n_positions} positions · as of {book.as_of}", style="bold"))
    console.print(
        f"Capital {draw.amount(book.capital) if book.capital else 'not given'} {book.base_currency} · "
        f"gross {book.gross_leverage:.2f}×, net {book.net_leverage:.2f}×"
    )


def _warnings(console: Console, warnings: Sequence[object]) -> None:
    if warnings:
        console.print()
    for warning in warnings:
        console.print(Text.assemble(("! ", "yellow"), draw.printable(str(getattr(warning, "message", warning)))))


def _scenarios(console: Console, report: StressReport, wide: bool) -> None:
    """Print a line per scenario and mode; where it is narrow, bars and the cost of leaving give way to the losses."""
    for bar, leaving in ((16 if wide else 8, True), (8, True), (4, True), (8, False), (0, False)):
        table = _scenario_table(report, wide, bar, leaving)
        if Measurement.get(console, console.options.update(max_width=10_000), table).maximum <= console.width:
            break
    console.print(table)


def _scenario_table(report: StressReport, wide: bool, bar: int, leaving: bool) -> Table:
    parametric = all(isinstance(s, ScenarioResult) for s in report.scenarios)
    stressed = any(isinstance(s, ScenarioResult) for s in report.scenarios) and leaving
    money = wide and report.book.capital is not None
    table = draw.table()
    table.add_column("Scenario", no_wrap=True, overflow="ellipsis", max_width=20)
    if not parametric:
        table.add_column("Mode", no_wrap=True)
    headings = ["Loss", *([f"Loss {report.book.base_currency}"] if money else [])]
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for heading, shown in (
        ("Stressed VaR" if wide else "Str. VaR", stressed),
        ("Loss/VaR" if wide else "Ratio", True),
        ("Exit cost" if wide else "Exit", stressed),
        ("Days", stressed),
    ):
        if shown:
            table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("Verdict", no_wrap=True)
    scale = max((abs(s.loss) for s in report.scenarios), default=0.0)
    for s in report.scenarios:
        cells: list[Text | str] = [Text(draw.printable(s.name)), *(() if parametric else (s.mode,))]
        cells += [draw.percent(s.loss), *((draw.amount(s.loss_money),) if money else ())]
        cells.append(draw.bar(max(s.loss, 0.0) / scale if scale else 0.0, bar, "red") if bar else "")
        ratio = "–" if s.var_breach_ratio is None else f"{s.var_breach_ratio:.2f}"
        if stressed and isinstance(s, ScenarioResult):
            days = "–" if s.days_to_liquidate is None else f"{s.days_to_liquidate:.1f}"
            cells += [draw.percent(s.stressed_var), ratio, draw.percent(s.liquidation_cost), days]
        else:
            cells += ["", ratio, "", ""] if stressed else [ratio]
        cells.append(Text("PASS", style="green") if s.passed else Text("FAIL", style="bold red"))
        table.add_row(*cells)
    return table


def _details(console: Console, scenario: Result, wide: bool) -> None:
    if isinstance(scenario, ScenarioResult):
        _parametric(console, scenario, wide)
    elif isinstance(scenario, ReplayResult):
        _replay(console, scenario, wide)
    elif isinstance(scenario, CrisisPaths):
        show_path(console, scenario)
    else:
        _factor(console, scenario, wide)


def _parametric(console: Console, scenario: ScenarioResult, wide: bool) -> None:
    console.print()
    console.print(Text(f"{scenario.title}: {scenario.mode}, shock by {scenario.propagation}", style="bold"))
    given = [f"{key} = {scenario.parameters[key]}" for key, source in scenario.sources.items() if source == "given"]
    if given:
        console.print(Text(f"changed for this run: {', '.join(given)}", style="yellow"))
    rows = [(p.symbol, p.strategy_id, p.weight, f"{p.price_move:+.1%}", p.loss, p.origin) for p in scenario.positions]
    _losses(console, rows, "Price", "Shock by", wide)


def _losses(
    console: Console,
    rows: Sequence[tuple[str, str | None, float, str, float, str]],
    move: str,
    origin: str,
    wide: bool,
) -> None:
    """Print a line per position: symbol, strategy, weight, how it moved, its loss, and why."""
    table = draw.table()
    table.add_column("Position", overflow="ellipsis", no_wrap=True, max_width=24 if wide else 14)
    if wide:
        table.add_column("Strategy", overflow="ellipsis", no_wrap=True, max_width=24)
    for heading in ("Weight", move, "Loss"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("− gains │ loses +", no_wrap=True)
    table.add_column(origin, no_wrap=True, overflow="ellipsis", max_width=30 if wide else 16)
    ordered = sorted(rows, key=lambda row: -row[4])
    scale = max((abs(row[4]) for row in ordered), default=0.0)
    for symbol, strategy, weight, moved, loss, why in ordered[: draw.MOST_POSITIONS]:
        held: list[Text | str] = [Text(draw.printable(strategy or "–"))] if wide else []
        table.add_row(
            Text(draw.printable(symbol)),
            *held,
            draw.percent(weight, 1),
            moved,
            draw.percent(loss),
            draw.signed_bar(loss, scale, 20 if wide else 14),
            Text(draw.printable(why)),
        )
    rest = ordered[draw.MOST_POSITIONS :]
    if rest:
        blank = [""] if wide else []
        table.add_row(f"{len(rest)} more", *blank, "", "", draw.percent(sum(row[4] for row in rest)), "", "")
    console.print(table)


def _replay(console: Console, replay: ReplayResult, wide: bool) -> None:
    console.print()
    console.print(
        Text(
            f"{replay.title}: the returns of {replay.window_start} to {replay.window_end} on today's positions", "bold"
        )
    )
    console.print(
        f"Trough {draw.percent(replay.loss)} on {replay.trough} · at the end {draw.percent(replay.final_loss)} · "
        f"worst day {replay.worst_day}, {draw.percent(replay.worst_day_loss)}"
    )
    if replay.breach_day is not None and replay.var_breach_ratio is not None:
        console.print(
            f"Largest loss over VaR forecast the day before: {replay.var_breach_ratio:.2f} on {replay.breach_day}"
        )
    elif replay.var_breach_ratio_reason:
        console.print(Text(f"No VaR ratio: {draw.printable(replay.var_breach_ratio_reason)}", style="yellow"))
    if replay.dropped_rows:
        console.print(f"{replay.dropped_rows} day(s) without a price of some position are left out")
    fall(console, replay.loss_path, str(replay.dates[0]), str(replay.dates[-1]))
    rows = [(p.symbol, p.strategy_id, p.weight, f"{p.price_move:+.1%}", p.loss, p.origin) for p in replay.positions]
    console.print()
    console.print(Text(f"At the trough, {replay.trough}", style="bold"))
    _losses(console, rows, "Price", "By", wide)


def _factor(console: Console, found: FactorScenarioResult, wide: bool) -> None:
    console.print()
    told = ", ".join(f"{name} {move:+.1%}" for name, move in found.shocks.items())
    console.print(Text(draw.printable(f"{found.title}: {told}; the rest as expected given that"), style="bold"))
    console.print(
        f"Loss {draw.percent(found.loss)} ± {draw.percent(found.residual_volatility)} a day that the shocks leave open "
        f"(of {draw.percent(found.volatility)}) · {found.distance:.1f} standard deviations away"
    )
    if found.factor_returns:
        others = [f"{n} {r:+.2%}" for n, r in found.factor_returns.items() if n not in found.shocks]
        if others:
            console.print(Text(draw.printable(f"Other factors follow: {', '.join(others)}")))
    rows = [(p.symbol, p.strategy_id, p.weight, f"{p.holding_return:+.1%}", p.loss, p.origin) for p in found.positions]
    _losses(console, rows, "Return", "By", wide)


def _bar_width(console: Console) -> int:
    """Return the length of a bar beside a few figures, which it must not crowd out."""
    return 24 if console.width >= draw.MEDIUM else 10


def show_suite(report: SuiteReport) -> None:
    """Print synthetic crises to stdout: how many pass, the losses, and who acted."""
    console = draw.console()
    wide = console.width >= draw.WIDE
    summary = report.summary
    _book(console, report.book)
    managed = summary["system"] != "unmanaged"
    verdict = Text("PASS", style="green") if report.passed else Text("FAIL", style="bold red")
    console.print(
        Text.assemble(
            f"{summary['n_simulations']:,} synthetic crises, seed {summary['seed']}, system {summary['system']}: "
            f"{summary['pass_rate_pct']:.1f}% pass  ",
            verdict,
        )
    )
    draw.title(console, "Loss, the largest fall below initial equity")
    table = draw.table()
    for heading in ("Simulations", "Loss", *(("Without",) if managed else ())):
        table.add_column(heading, justify="right", no_wrap=True)
    money = report.book.capital is not None
    if money:
        table.add_column(f"Loss {report.book.base_currency}", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    scale = max((q.loss for q in report.quantiles), default=0.0)
    for q in report.quantiles:
        cells: list[Text | str] = ["worst" if q.share == 1.0 else f"{q.share:.0%} below", draw.percent(q.loss)]
        cells += [draw.percent(q.unmanaged_loss)] if managed else []
        cells += [draw.amount(q.loss_money)] if money else []
        cells.append(draw.bar(max(q.loss, 0.0) / scale if scale > 0.0 else 0.0, _bar_width(console), "red"))
        table.add_row(*cells)
    console.print(table)
    if report.edges[0] < report.edges[-1]:
        for line in draw.columns(list(report.counts), 4):
            console.print(Text(line.rstrip(), style="cyan"))
        left, right = f"{report.edges[0]:.1%}", f"{report.edges[-1]:.1%}"
        console.print(left + right.rjust(len(report.counts) - len(left)))
    draw.title(console, "By kind")
    table = draw.table()
    table.add_column("Kind", no_wrap=True)
    for heading in ("Runs", "Pass", "Mean loss", "Worst", *(("Without",) if managed else ())):
        table.add_column(heading, justify="right", no_wrap=True)
    for kind in report.kinds:
        cells = [str(kind["kind"]).replace("_", " "), f"{kind['n']:,}", f"{kind['pass_rate_pct']:.1f}%"]
        cells += [f"{kind['mean_loss_pct']:.2f}%", f"{kind['worst_loss_pct']:.2f}%"]
        cells += [f"{kind['mean_unmanaged_loss_pct']:.2f}%"] if managed else []
        table.add_row(*cells)
    console.print(table)
    _controls(console, report)
    _worst(console, report, wide)
    _warnings(console, report.warnings)


def _controls(console: Console, report: SuiteReport) -> None:
    if not report.controls:
        return
    draw.title(console, "Who acted first")
    table = draw.table()
    table.add_column("Control", no_wrap=True)
    for heading in ("Runs", "Median day", "Avoided, mean"):
        table.add_column(heading, justify="right", no_wrap=True)
    for control in report.controls:
        table.add_row(
            str(control["control"]),
            f"{control['n_acted_first']:,}",
            f"{control['median_day']:.0f}",
            f"{control['mean_loss_avoided_pct']:.2f}%",
        )
    console.print(table)


def _worst(console: Console, report: SuiteReport, wide: bool) -> None:
    draw.title(console, "Worst runs")
    table = draw.table()
    table.add_column("Scenario", no_wrap=True)
    for heading in ("Days", "Loss", "Loss/VaR"):
        table.add_column(heading, justify="right", no_wrap=True)
    if wide:
        room = min(60, console.width - 48)  # what figures and the longest name leave
        table.add_column("Fails by", no_wrap=True, overflow="ellipsis", max_width=room)
    for run in report.worst:
        ratio = run["var_breach_ratio"]
        cells = [run["name"].replace("_", " "), str(run["duration_days"]), f"{run['loss_pct']:.2f}%"]
        cells.append("–" if ratio is None else f"{ratio:.2f}")
        table.add_row(*cells, *(["; ".join(run["failed_criteria"])] if wide else []))
    console.print(table)


def show_reverse(report: ReverseReport) -> None:
    """Print the most plausible scenario of a loss to stdout."""
    console = draw.console()
    wide = console.width >= draw.WIDE
    _book(console, report.book)
    console.print()
    lost = f" ({draw.amount(report.loss_money)} {report.book.base_currency})" if report.loss_money is not None else ""
    console.print(Text(f"The most plausible day that loses {draw.percent(report.loss)}{lost}", style="bold"))
    console.print(
        f"{report.distance:.1f} standard deviations of {draw.percent(report.volatility)} a day ({report.covariance})"
    )
    console.print(
        f"Probability of such a day: {_one_in(report.probability_normal)} if normal, "
        f"{_one_in(report.probability_student_t)} if Student-t with ν = {report.dof:g}"
    )
    if report.factors is not None:
        told = ", ".join(f"{name} {move:+.2%}" for name, move in report.factors.items())
        console.print(Text(draw.printable(f"Factors: {told}")))
    table = draw.table()
    table.add_column("Position", overflow="ellipsis", no_wrap=True, max_width=24 if wide else 14)
    for heading in ("Weight", "Return", "in σ", "Loss"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("− gains │ loses +", no_wrap=True)
    scale = max((abs(p.loss) for p in report.positions), default=0.0)
    console.print()
    for p in report.positions[: draw.MOST_POSITIONS]:
        table.add_row(
            Text(draw.printable(p.symbol)),
            draw.percent(p.weight, 1),
            f"{p.holding_return:+.1%}",
            "–" if p.deviations is None else f"{p.deviations:+.1f}",
            draw.percent(p.loss),
            draw.signed_bar(p.loss, scale, 30 if wide else 20),
        )
    rest = report.positions[draw.MOST_POSITIONS :]
    if rest:
        table.add_row(f"{len(rest)} more", "", "", "", draw.percent(sum(p.loss for p in rest)), "")
    console.print(table)
    if report.broken_limits:
        draw.title(console, "Limits that break on the way")
        table = draw.table()
        table.add_column("Limit", no_wrap=True)
        for heading in ("Above", "Share of the way"):
            table.add_column(heading, justify="right", no_wrap=True)
        table.add_column("", no_wrap=True)
        for limit in report.broken_limits:
            bar = draw.bar(limit.share, _bar_width(console), "yellow")
            table.add_row(limit.name, draw.percent(limit.loss), draw.percent(limit.share, 0), bar)
        console.print(table)
    if report.beyond_total:
        names = ", ".join(draw.printable(symbol) for symbol in report.beyond_total[:8])
        console.print(Text(f"{names}: below -100%, which no price can do: the loss asked for is too large", "yellow"))
    _warnings(console, report.warnings)


def _one_in(probability: float) -> str:
    """Return a probability as one day in so many, or in years of 252 days."""
    if probability < 1e-12:
        return "less than one day in 10¹²"
    days = 1.0 / probability
    if days < 504.0:
        return f"one day in {days:,.0f}"
    years = days / 252.0
    return f"one day in {years:,.0f} years" if years < 1e6 else f"one day in {years:.1e} years"
