"""An `Evaluation` as tables and small pictures, at 80 columns and wider."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rpm_cli.rendering import limits
from rpm_cli.rendering import terminal as draw
from rpmcore.risk.report import Evaluation, TailRiskRow


def show(result: Evaluation, digest: str) -> None:
    """Print the evaluation to stdout."""
    console = draw.console()
    wide = console.width >= draw.WIDE
    _header(console, result, digest)
    _volatility(console, result, wide)
    _tail_risk(console, result, wide)
    _positions(console, result, wide)
    _limits(console, result, wide)
    if result.decomposition or result.covariance_comparison or result.rolling is not None:
        from rpm_cli.rendering import studies  # loads the modules of the studies, which most reports do without

        studies.show(console, result, wide)
    _histogram(console, result)
    _warnings(console, result)


def _header(console: Console, result: Evaluation, digest: str) -> None:
    book, data, cov = result.book, result.data, result.covariance
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    name = "sample book" if book.source == "sample" else (book.path or "table in memory")
    held = f"{book.n_positions} position{'s' * (book.n_positions != 1)}"
    if book.n_strategies:
        held += f", {book.n_strategies} strategies"
    capital = (
        f"{draw.amount(book.capital)} {book.base_currency}" if book.capital else f"not given ({book.base_currency})"
    )
    grid.add_row("Book", Text(f"{name} · {held}"))
    grid.add_row("Capital", f"{capital} · gross {book.gross_leverage:.2f}×, net {book.net_leverage:.2f}×")
    grid.add_row("As of", f"{book.as_of} · prices {data.first} to {data.last}, {data.dropped_rows} row(s) left out")
    grid.add_row("Prices", Text(data.prices))
    decay = f" λ={cov.decay:g}" if cov.decay is not None else ""
    toward = " toward constant correlation" if cov.target == "constant_correlation" else ""
    shrunk = f", shrinkage {cov.shrinkage:.0%}{toward}" if cov.shrinkage else ""
    grid.add_row(
        "Methods",
        f"covariance {cov.method}{decay}{shrunk}, {cov.n_obs} returns · tail risk {data.tail_n_obs} returns"
        f" · normal with mean {result.methods.mean}",
    )
    if cov.repair_distance is not None and cov.smallest_eigenvalue is not None:
        moved = (
            f"repaired, moved by {cov.repair_distance:.3g}; smallest eigenvalue {cov.smallest_eigenvalue:.3g}"
            if cov.repair_distance > 1e-9
            else "a correlation matrix as given"
        )
        grid.add_row("Correlation", Text(f"{cov.given_correlation} ({moved}) · limits use the estimated ones"))
    methods = result.methods
    if methods.return_days > 1:
        grid.add_row("Returns", f"over {methods.return_days} days, overlapping · intervals: {methods.intervals}")
    law = "normal" if methods.dof is None else f"Student-t ν={methods.dof:g}"
    if methods.paths is not None:
        drawn = {"pseudo": "", "antithetic": ", antithetic", "sobol": ", Sobol"}[methods.sampling]
        each = ", each instrument drawn" if methods.shocks == "assets" else ""
        aim = "" if methods.precision is None else f" for a standard error of {methods.precision:.2%}"
        grid.add_row("Simulation", f"{methods.paths:,} paths{aim}, {law}{drawn}{each}, seed {methods.seed}")
    grid.add_row("Settings", digest[:12])
    console.print(grid)


def _volatility(console: Console, result: Evaluation, wide: bool) -> None:
    vol = result.volatility
    draw.title(console, "Volatility")
    width = 40 if wide else 24
    style = "green" if vol.annual <= vol.target else "yellow" if vol.annual <= vol.maximum else "bold red"
    line = Text.assemble(
        f"{vol.annual:.2%} a year ",
        draw.bar(vol.annual / vol.maximum, width, style),
        f" of {vol.maximum:.0%} maximum",
    )
    console.print(line)
    console.print(f"{vol.daily:.3%} a day · target {vol.target:.0%}, {vol.utilisation:.0%} used", end="")
    if vol.diversification_ratio is not None and vol.effective_positions is not None:
        console.print(
            f" · diversification {vol.diversification_ratio:.2f} · {vol.effective_positions:.1f} effective positions"
            if wide
            else f" · diversification {vol.diversification_ratio:.2f}",
            end="",
        )
    console.print()
    factor = "no change" if result.scaling.factor == 1.0 else f"scale every position × {result.scaling.factor:.3f}"
    console.print(Text(f"Advice: {factor} ({result.scaling.reason})"))


def _tail_risk(console: Console, result: Evaluation, wide: bool) -> None:
    horizon = result.tail_risk[0].horizon
    days = "one day" if horizon == 1 else f"{horizon} days"
    scaled = any(row.scaling == "square root of time" for row in result.tail_risk)
    draw.title(console, f"VaR and CVaR (expected shortfall), {days}" + (", scaled by √days" if scaled else ""))
    table = draw.table()
    for heading in ("Method", "Conf.", "VaR", "CVaR", "VaR interval"):
        table.add_column(heading, justify="left" if heading == "Method" else "right", no_wrap=True)
    if wide and result.book.capital:
        table.add_column(f"VaR {result.book.base_currency}", justify="right", no_wrap=True)
        table.add_column(f"CVaR {result.book.base_currency}", justify="right", no_wrap=True)
    for row in result.tail_risk:
        if row.value_at_risk is None:
            continue
        cells = [draw.METHOD_NAMES[row.method], f"{row.confidence:.10g}", draw.percent(row.value_at_risk)]
        cells += [draw.percent(row.expected_shortfall), _interval(row)]
        if wide and result.book.capital:
            cells += [draw.amount(row.value_at_risk_money), draw.amount(row.expected_shortfall_money)]
        table.add_row(*cells)
    console.print(table)
    _absent(console, result)
    moments = result.moments
    shape = []
    if moments.skewness is not None and moments.excess_kurtosis is not None:
        shape.append(f"skewness {moments.skewness:+.2f}, excess kurtosis {moments.excess_kurtosis:.2f}")
    shape.append(f"Student-t ν = {moments.dof:.2f}" if moments.dof is not None else f"Student-t: {moments.dof_reason}")
    console.print(" · ".join(shape))


def _absent(console: Console, result: Evaluation) -> None:
    """Print each reason for which figures do not exist once, behind the methods that it concerns."""
    concerned: dict[str, dict[str, list[str]]] = {}
    for row in result.tail_risk:
        if row.value_at_risk is None:
            methods = concerned.setdefault(str(row.value_at_risk_reason), {})
            methods.setdefault(draw.METHOD_NAMES[row.method], []).append(f"{row.confidence:.10g}")
    all_levels = len({row.confidence for row in result.tail_risk})
    for reason, methods in concerned.items():
        names = [
            name if len(levels) == all_levels else f"{name} at {' and '.join(levels)}"
            for name, levels in methods.items()
        ]
        console.print(Text(f"{', '.join(names)}: {reason}"))


def _interval(row: TailRiskRow) -> str:
    if row.lower is None and row.upper is None:
        return "–" if row.value_at_risk_error is None else f"± {100.0 * row.value_at_risk_error:.2g}% s.e."
    return f"{draw.percent(row.lower)} … {draw.percent(row.upper)}"


def _positions(console: Console, result: Evaluation, wide: bool) -> None:
    draw.title(console, "Where the risk sits")
    table = draw.table()
    table.add_column("Position", overflow="ellipsis", no_wrap=True, max_width=24 if wide else 14)
    table.add_column("Strategy", overflow="ellipsis", no_wrap=True, max_width=24 if wide else 14)
    if wide:
        table.add_column("Sector", overflow="ellipsis", no_wrap=True, max_width=22)
    for heading in ("Weight", "Vol. p.a.", "Share"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("− hedges │ adds +", no_wrap=True)
    root = result.data.periods_per_year**0.5
    shares = [abs(c.share) for c in result.components if c.share is not None]
    scale = max(shares, default=0.0)
    ordered = sorted(result.components, key=lambda c: -abs(c.share or 0.0))
    shown = ordered[: draw.MOST_POSITIONS]
    for c in shown:
        cells: list[Text | str] = [Text(draw.printable(c.symbol)), Text(draw.printable(c.strategy_id or "–"))]
        if wide:
            cells.append(Text(draw.printable(c.sector or "–")))
        cells += [draw.percent(c.weight, 1), draw.percent(c.volatility * root, 1), draw.percent(c.share, 1)]
        cells.append(draw.signed_bar(c.share or 0.0, scale, 20 if wide else 16))
        table.add_row(*cells)
    rest = ordered[draw.MOST_POSITIONS :]
    if rest:
        share = sum(c.share or 0.0 for c in rest)
        blank = [""] if wide else []
        weight = draw.percent(sum(c.weight for c in rest), 1)
        table.add_row(f"{len(rest)} more", "", *blank, weight, "", draw.percent(share, 1), "")
    console.print(table)


def _limits(console: Console, result: Evaluation, wide: bool) -> None:
    limits.show(console, result.limits, wide)
    if result.methods.bind_on == "upper":
        console.print(Text("VaR and CVaR hold the upper end of their intervals against the limit.", style="dim"))


def _histogram(console: Console, result: Evaluation) -> None:
    if min(result.histogram.edges) == max(result.histogram.edges) or max(result.histogram.counts) == sum(
        result.histogram.counts
    ):
        return  # a P&L that never moves has no shape to draw
    pace = "Daily" if result.methods.return_days == 1 else f"{result.methods.return_days}-day"
    draw.title(console, f"{pace} P&L of today's positions over the last {result.data.tail_n_obs} returns")
    counts, edges = list(result.histogram.counts), result.histogram.edges
    for line in draw.columns(counts, 4):
        console.print(Text(line.rstrip(), style="cyan"))
    left, right = f"{edges[0]:+.2%}", f"{edges[-1]:+.2%}"
    console.print(left + right.rjust(max(len(counts) - len(left), len(right) + 1)))


def _warnings(console: Console, result: Evaluation) -> None:
    if not result.warnings:
        return
    draw.title(console, "Warnings")
    for warning in result.warnings:
        console.print(Text.assemble(("! ", "yellow"), draw.printable(warning.message)))
