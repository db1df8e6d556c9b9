"""A `SizingReport` as a table of constraints, the binding one marked, at 80 columns and wider."""

from decimal import ROUND_DOWN, Decimal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rpm_cli.rendering import terminal as draw
from rpmcore.risk.sizing.answer import Constraint, SizingAnswer
from rpmcore.risk.sizing.report import SizingReport

NAMES = {
    "risk_per_trade": "Risk per trade",
    "expectancy": "Expectancy",
    "kelly": "Kelly",
    "kelly_continuous": "Kelly, continuous",
    "maximum_weight": "Maximum weight",
    "regime": "Regime",
    "volatility": "Volatility",
    "stress": "Stress",
    "strategy_health": "Strategy health",
    "drawdown": "Drawdown",
    "volatility_target": "Volatility target",
    "liquidity": "Liquidity",
    "spread": "Spread",
    "maximum_lot": "Maximum lot",
}
"""How the table calls each constraint."""


def show(report: SizingReport, digest: str) -> None:
    """Print the size, every constraint and the warnings to stdout."""
    console = draw.console()
    _header(console, report, digest)
    _constraints(console, report.trade, wide=console.width >= draw.WIDE)
    if report.warnings:
        draw.title(console, "Warnings")
        for warning in report.warnings:
            console.print(Text.assemble(("! ", "yellow"), draw.printable(warning.message)))


def _header(console: Console, report: SizingReport, digest: str) -> None:
    trade = report.trade
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    stop = "no stop" if trade.stop is None else f"stop {trade.stop:.10g}"
    grid.add_row("Trade", Text(draw.printable(f"{trade.side} {trade.symbol} at {trade.entry:.10g}, {stop}")))
    if trade.strategy_id is not None:
        grid.add_row("Strategy", Text(draw.printable(trade.strategy_id)))
    grid.add_row("Capital", f"{draw.amount(trade.capital)} {trade.account}")
    if report.book is None:
        grid.add_row("Book", f"– ({report.book_reason})")
    else:
        name = report.book.path or "table in memory"
        grid.add_row("Book", Text(f"{name} · {report.book.n_positions} positions · as of {report.book.as_of}"))
    loss = f"risk: {trade.unit_loss_reason}" if trade.unit_loss is None else f"loses {trade.unit_loss:,.6g} at the stop"
    if trade.stop is None and trade.unit_loss is not None:
        loss = f"is taken to lose {trade.unit_loss:.6g}"
    grid.add_row("One unit", f"is worth {trade.unit_value:,.10g} {trade.account}, {loss}")
    grid.add_row("Settings", digest[:12])
    console.print(grid)
    size = f"{trade.quantity:,f} ({trade.lots:,} × {trade.lot_step:,f})" if trade.lots else "none"
    draw.title(console, f"Size: {size}")
    if trade.lots:
        console.print(_worth(trade))
    console.print(Text(draw.printable(_sentence(trade.reason))))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _worth(trade: SizingAnswer) -> str:
    worth = f"{draw.amount(trade.money)} {trade.account}, {draw.percent(trade.weight, 1)} of capital"
    if trade.risk_money is None:
        return worth
    return f"{worth} · at risk {draw.amount(trade.risk_money)}, {draw.percent(trade.risk)}"


def _constraints(console: Console, trade: SizingAnswer, *, wide: bool) -> None:
    draw.title(console, "Constraints")
    table = draw.table()
    table.add_column("", no_wrap=True)
    table.add_column("Constraint", no_wrap=True)
    table.add_column("Size", justify="right", no_wrap=True)
    if wide:
        table.add_column(f"Value, {trade.account}", justify="right", no_wrap=True)
    table.add_column("Weight", justify="right", no_wrap=True)
    table.add_column("Used", no_wrap=True)
    table.add_column("Why", overflow="fold")
    least = min(c.quantity for c in trade.constraints if c.quantity is not None)
    for row in trade.constraints:
        style = "bold" if row.binding else "" if row.quantity is not None else "dim"
        cells: list[Text | str] = ["▶" if row.binding else "", NAMES[row.name], _quantity(row.quantity, trade)]
        if wide:
            cells.append(draw.amount(row.money))
        cells += [draw.percent(row.weight, 1), _used(row, least, 16 if wide else 8), Text(draw.printable(row.why))]
        table.add_row(*cells, style=style)
    console.print(table)


def _quantity(quantity: Decimal | None, trade: SizingAnswer) -> str:
    """Return a size cut after the digits of the lot step, so that none reads as more than it is."""
    if quantity is None:
        return "–"
    digits = -int(min(trade.lot_step.normalize().as_tuple().exponent, 0))
    if quantity >= Decimal(10) ** 15:
        return f"{float(quantity):.3g}"
    return f"{quantity.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_DOWN):,f}"


def _used(row: Constraint, least: Decimal, width: int) -> Text:
    """Return how much of what a constraint allows the smallest one leaves."""
    if row.quantity is None:
        return Text("")
    share = 1.0 if row.quantity == least else float(least / row.quantity)
    return draw.bar(share, width, "yellow" if row.binding else "cyan")
