"""An `ExposureReport` as tables with bars, at 80 columns and wider."""

from collections.abc import Set

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rpm_cli.rendering import limits
from rpm_cli.rendering import terminal as draw
from rpmcore.risk.exposure.cures import advice
from rpmcore.risk.exposure.report import AssetRow, ExposureReport

LONG_SHORT = {"left": "magenta", "right": "cyan"}
"""Styles of a bar of positions, where neither side is the better one."""


def show(report: ExposureReport, asked: Set[str], digest: str) -> None:
    """Print the tables asked for, of ``factor``, ``sector``, ``currency``, ``strategy`` or ``all``, to stdout."""
    console = draw.console()
    wide = console.width >= draw.WIDE
    everything = "all" in asked
    _header(console, report, digest)
    if everything or "factor" in asked:
        _factors(console, report, wide)
        _diversification(console, report)
        _profile(console, report, wide)
        _assets(console, report)
    if everything or "sector" in asked:
        _sectors(console, report, wide)
    if everything or "currency" in asked:
        _currencies(console, report, wide)
    if everything or "strategy" in asked:
        _strategies(console, report, wide)
    limits.show(console, report.limits, wide)
    _breaches(console, report)
    _hedges(console, report, wide)
    if report.warnings:
        draw.title(console, "Warnings")
    for warning in report.warnings:
        console.print(Text.assemble(("! ", "yellow"), draw.printable(warning.message)))


def _header(console: Console, report: ExposureReport, digest: str) -> None:
    book, data, model = report.book, report.data, report.model
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    name = "sample book" if book.source == "sample" else (book.path or "table in memory")
    grid.add_row("Book", Text(f"{name} · {book.n_positions} position{'s' * (book.n_positions != 1)}"))
    capital = (
        f"{draw.amount(book.capital)} {book.base_currency}" if book.capital else f"not given ({book.base_currency})"
    )
    grid.add_row("Capital", f"{capital} · gross {book.gross_leverage:.2f}×, net {book.net_leverage:.2f}×")
    grid.add_row("As of", f"{book.as_of} · prices {data.first} to {data.last}, {data.dropped_rows} row(s) left out")
    grid.add_row("Prices", Text(data.prices))
    grid.add_row("Factors", Text(model.rule))
    weighing = "equal weights" if model.decay is None else f"weights λ={model.decay:g}"
    days = "" if data.return_days == 1 else f" over {data.return_days} days"
    grid.add_row(
        "Estimates",
        f"least squares on {data.n_obs} returns{days}, {weighing}, Newey–West errors with {model.lags} lags",
    )
    grid.add_row("Settings", digest[:12])
    console.print(grid)


def _factors(console: Console, report: ExposureReport, wide: bool) -> None:
    draw.title(console, f"Risk by factor: volatility {report.model.annual:.2%} a year")
    table = draw.table()
    table.add_column("Factor", overflow="ellipsis", no_wrap=True, max_width=24)
    for heading in ("Exposure", "Vol. p.a.", "Share"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("− hedges │ adds +", no_wrap=True)
    if wide:
        table.add_column("Moves most")
    leaders = {f.name: ", ".join(f.moves_most) for f in report.factors}
    rows = [(f.name, f"{f.exposure:+.3f}", draw.percent(f.volatility, 1), f.share) for f in report.factors]
    rows.append(("specific", "", "", report.specific.share))
    scale = max((abs(share) for *_, share in rows if share is not None), default=0.0)
    for name, exposure, volatility, share in rows:
        bar = draw.signed_bar(share or 0.0, scale, 32 if wide else 28)
        about = [_remainder(draw.printable(leaders.get(name, "")))] if wide else []
        table.add_row(Text(draw.printable(name)), exposure, volatility, draw.percent(share, 1), bar, *about)
    console.print(table)
    if report.specific.share is None:
        console.print(str(report.specific.share_reason))


def _diversification(console: Console, report: ExposureReport) -> None:
    found = report.diversification
    parts = []
    if found.score is not None and found.effective_bets is not None:
        parts += [f"score {found.score:.2f} of 1", f"{found.effective_bets:.1f} effective bets of {len(found.bets)}"]
    if found.ratio is not None:
        parts.append(f"ratio {found.ratio:.2f}")
    if found.effective_names is not None:
        parts.append(f"{found.effective_names:.1f} effective names (HHI {found.hhi:.3f})")
    console.print(f"Diversification: {' · '.join(parts)}" if parts else f"Diversification: {found.hhi_reason}")
    if found.score is None and found.ratio is not None:
        console.print(Text(f"No score: {found.score_reason}"))


def _profile(console: Console, report: ExposureReport, wide: bool) -> None:
    draw.title(console, "Exposure by profile: sum of weight × loading")
    table = draw.table()
    table.add_column("Factor", no_wrap=True)
    table.add_column("Exposure", justify="right", no_wrap=True)
    table.add_column("− │ +", no_wrap=True)
    if wide:
        table.add_column("Not measured for")
    scale = max((abs(f.exposure) for f in report.profile if f.exposure is not None), default=0.0)
    held = sum(asset.weight != 0.0 for asset in report.assets)
    for factor in report.profile:
        exposure = "–" if factor.exposure is None else f"{factor.exposure:+.3f}"
        cells: list[Text | str] = [factor.name, exposure]
        cells.append(draw.signed_bar(factor.exposure or 0.0, scale, 40 if wide else 28, **LONG_SHORT))
        if wide:
            few = ", ".join(draw.printable(symbol) for symbol in factor.neutral[:3])
            more = f" and {len(factor.neutral) - 3} more" if len(factor.neutral) > 3 else ""
            cells.append(_remainder("any position" if held and len(factor.neutral) == held else f"{few}{more}"))
        table.add_row(*cells)
    console.print(table)
    for reason in dict.fromkeys(f.exposure_reason for f in report.profile if f.exposure is None):
        console.print(Text(draw.printable(str(reason))))


def _remainder(text: str) -> Text:
    """Return a cell that is cut where its line ends; its column, which may wrap, is the only one to give way."""
    return Text(text, no_wrap=True, overflow="ellipsis")


def _assets(console: Console, report: ExposureReport) -> None:
    """Print as many betas as fit beside the name, the weight and R²."""
    draw.title(console, "Estimated betas, with t statistics")
    fitting = max(1, (console.width - 37) // 14)
    names = [factor.name for factor in report.factors][:fitting]
    table = draw.table()
    table.add_column("Position", overflow="ellipsis", no_wrap=True, max_width=14)
    table.add_column("Weight", justify="right", no_wrap=True)
    for name in names:
        table.add_column(Text(draw.printable(name)), justify="right", no_wrap=True, max_width=13, overflow="ellipsis")
    table.add_column("R²", justify="right", no_wrap=True)
    table.add_column("Specific", justify="right", no_wrap=True)
    ordered = sorted(report.assets, key=lambda a: (a.weight == 0.0, -abs(a.share or a.weight)))
    for asset in ordered[: draw.MOST_POSITIONS]:
        table.add_row(*_asset_cells(asset, len(names)))
    console.print(table)
    hidden = len(report.factors) - len(names)
    more = max(len(ordered) - draw.MOST_POSITIONS, 0)
    left_out = [f"{hidden} more factor{'s' * (hidden != 1)}"] if hidden else []
    left_out += [f"{more} more instrument{'s' * (more != 1)}"] if more else []
    if left_out:
        console.print(Text(f"{' and '.join(left_out)} in --json", style="dim"))


def _asset_cells(asset: AssetRow, n_factors: int) -> list[Text | str]:
    cells: list[Text | str] = [Text(draw.printable(asset.symbol))]
    cells.append(draw.percent(asset.weight, 1) if asset.weight else "–")
    for beta in asset.betas[:n_factors]:
        t = "exact" if beta.t_statistic is None else f"{beta.t_statistic:.1f}"
        cells.append(f"{round(beta.value, 2) + 0.0:+.2f} ({t})")
    return [*cells, draw.percent(asset.r_squared, 0), draw.percent(asset.specific_volatility, 1)]


def _sectors(console: Console, report: ExposureReport, wide: bool) -> None:
    draw.title(console, "Sectors, in per cent of capital")
    table = draw.table()
    table.add_column("Sector", overflow="ellipsis", no_wrap=True, max_width=24)
    for heading in ("Net", "Long", "Short", "Gross", "Risk"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("short │ long", no_wrap=True)
    scale = max((abs(s.net) for s in report.sectors), default=0.0)
    for s in report.sectors:
        table.add_row(
            Text(draw.printable(s.sector)),
            *(draw.percent(value, 1) for value in (s.net, s.long, s.short, s.gross)),
            draw.percent(s.share, 1),
            draw.signed_bar(s.net, scale, 30 if wide else 16, **LONG_SHORT),
        )
    console.print(table)


def _currencies(console: Console, report: ExposureReport, wide: bool) -> None:
    draw.title(console, "Currencies, in per cent of capital")
    table = draw.table()
    table.add_column("Currency", no_wrap=True)
    headings = ["Net", "Assets", "As base", "As quote", "Gross"]
    money = wide and report.book.capital is not None
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    if money:
        table.add_column(f"Net {report.book.base_currency}", justify="right", no_wrap=True)
    table.add_column("short │ long", no_wrap=True)
    scale = max((abs(c.net) for c in report.currencies), default=0.0)
    for c in report.currencies:
        own = " (account)" if c.currency == report.book.base_currency else ""
        cells: list[Text | str] = [f"{c.currency}{own if wide else '*' if own else ''}"]
        cells += [draw.percent(value, 1) for value in (c.net, c.assets, c.base_legs, c.quote_legs, c.gross)]
        if money:
            cells.append(draw.amount(c.net * (report.book.capital or 0.0)))
        cells.append(draw.signed_bar(c.net, scale, 30 if wide else 16, **LONG_SHORT))
        table.add_row(*cells)
    console.print(table)
    if not wide and any(c.currency == report.book.base_currency for c in report.currencies):
        console.print(Text("* account currency, without cash", style="dim"))


def _strategies(console: Console, report: ExposureReport, wide: bool) -> None:
    draw.title(console, "Strategies, in per cent of capital")
    table = draw.table()
    table.add_column("Strategy", overflow="ellipsis", no_wrap=True, max_width=24 if wide else 18)
    for heading in ("Rows", "Net", "Gross", "Beta", "Risk"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("− hedges │ adds +", no_wrap=True)
    scale = max((abs(s.share) for s in report.strategies if s.share is not None), default=0.0)
    for s in report.strategies:
        table.add_row(
            Text(draw.printable(s.strategy_id or "–")),
            str(s.n_positions),
            draw.percent(s.net, 1),
            draw.percent(s.gross, 1),
            "–" if s.beta is None else f"{s.beta:+.2f}",
            draw.percent(s.share, 1),
            draw.signed_bar(s.share or 0.0, scale, 30 if wide else 20),
        )
    console.print(table)


def _breaches(console: Console, report: ExposureReport) -> None:
    for breach in report.breaches:
        if breach.overshoot is None:
            continue  # the table of limits has told why
        what = f"{limits.NAMES[breach.name]} {breach.subject}".strip()
        over = limits.measured(breach.name, breach.overshoot)
        text = f"{what}: {over} too much; smallest cure: {advice(breach)}"
        if breach.cure is not None and report.book.capital is not None:
            text += f" ({draw.amount(abs(breach.cure.change) * report.book.capital)} {report.book.base_currency})"
        console.print(Text(draw.printable(text), style="bold red"))


def _hedges(console: Console, report: ExposureReport, wide: bool) -> None:
    if not report.hedges:
        return
    draw.title(console, "Hedges: one position that brings one exposure to zero")
    table = draw.table()
    table.add_column("Against", overflow="ellipsis", no_wrap=True, max_width=16)
    table.add_column("Exposure", justify="right", no_wrap=True)
    table.add_column("Trade", overflow="ellipsis", no_wrap=True, max_width=14)
    table.add_column("Weight", justify="right", no_wrap=True)
    money = wide and report.book.capital is not None
    if money:
        table.add_column(report.book.base_currency, justify="right", no_wrap=True)
    table.add_column("Variance left", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for hedge in report.hedges:
        exposure = f"{hedge.exposure:+.3f}" if hedge.kind == "factor" else draw.percent(hedge.exposure, 1)
        cells: list[Text | str] = [Text(draw.printable(hedge.against)), exposure]
        cells += [Text(draw.printable(hedge.instrument or "–")), draw.percent(hedge.change, 1)]
        if money:
            cells.append("–" if hedge.change is None else draw.amount(hedge.change * (report.book.capital or 0.0)))
        cells.append(draw.percent(hedge.variance_left, 0))
        left = hedge.variance_left or 0.0
        cells.append(draw.bar(left, 16, "green" if left < 1.0 else "red"))
        table.add_row(*cells)
    console.print(table)
    for hedge in report.hedges:
        if hedge.instrument is None:
            console.print(Text(draw.printable(f"{hedge.against}: {hedge.instrument_reason}"), style="dim"))
        elif hedge.opens is not None and hedge.change is not None:
            moved = draw.percent(abs(hedge.change), 1)
            told = f"{hedge.against}: {hedge.instrument} moves {hedge.opens} by {moved} the other way"
            console.print(Text(draw.printable(told), style="dim"))
