"""An `ImportReport`: what was read, what was written, and that it foots."""

from decimal import Decimal

from rich.console import Console
from rich.text import Text

from rpm_cli.rendering import terminal as draw
from rpmcore.import_report import ImportReport

MOST_SUMS = 12
"""Sums that are shown; JSON has them all."""


def show(report: ImportReport) -> None:
    """Print the report to stdout."""
    console = draw.console()
    account = report.account
    whose = " · ".join(
        draw.printable(str(account[name])) for name in ("number", "server", "currency", "mode") if account.get(name)
    )
    rows: list[tuple[str, str | Text]] = [
        ("Statement", f"{draw.printable(report.source)} · {report.encoding}"),
        ("Account", whose or "–"),
        ("Times", f"by the clock of {report.time_zone}" + (f", made {report.as_of}" if report.as_of else "")),
    ]
    if report.capital is not None:
        rows.append(("Equity", money(report.capital)))
    trades, book = report.trades, report.book
    if trades is not None:
        where = f" → {trades.path}" if trades.path else ", not written"
        rows.append(
            (
                "Trades",
                f"{trades.n_trades:,} closed, P&L {money(trades.pnl)} after costs of {money(trades.fees)}{where}",
            )
        )
    if book is not None:
        rows.append(("Book", f"{len(book.holdings):,} row(s) of {book.n_positions:,} position(s) → {book.path}"))
    draw.grid(console, rows)
    _book(console, report)
    _sums(console, report)
    if report.money:
        draw.title(console, "Money that was no trade")
        for kind, amount in report.money.items():
            console.print(Text(f"{draw.printable(kind)}: {money(amount)}"))
    if report.warnings:
        draw.title(console, "To be known")
        for warning in report.warnings:
            console.print(Text.assemble(("! ", "yellow"), draw.printable(warning.message)))


def _book(console: Console, report: ImportReport) -> None:
    if report.book is None:
        return
    draw.title(console, "Book")
    table = draw.table()
    for heading, justify in (
        ("Symbol", "left"),
        ("Strategy", "left"),
        ("Units", "right"),
        ("Price", "right"),
        ("", "left"),
    ):
        table.add_column(heading, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for row in report.book.holdings[: draw.MOST_POSITIONS]:
        table.add_row(
            Text(draw.printable(row.symbol)), Text(draw.printable(row.strategy_id or "–")), f"{row.quantity:,f}",
            f"{row.price:f}", row.currency or "",
        )  # fmt: skip
    console.print(table)
    if len(report.book.holdings) > draw.MOST_POSITIONS:
        console.print(Text(f"and {len(report.book.holdings) - draw.MOST_POSITIONS} more", "dim"))
    if report.book.flat:
        console.print(Text(f"Held against each other, and flat: {draw.printable(', '.join(report.book.flat))}", "dim"))


def _sums(console: Console, report: ImportReport) -> None:
    draw.title(console, "Sums")
    if not report.reconciliation:
        console.print(Text("Nothing to compare with.", "yellow"))
        return
    table = draw.table()
    table.add_column("", overflow="fold")
    table.add_column("Statement", justify="right", no_wrap=True)
    table.add_column("Rows", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for row in report.reconciliation[:MOST_SUMS]:
        table.add_row(Text(draw.printable(row.name)), money(row.statement), money(row.computed), Text("foots", "green"))
    console.print(table)
    if len(report.reconciliation) > MOST_SUMS:
        console.print(Text(f"and {len(report.reconciliation) - MOST_SUMS} more, all of which foot", "dim"))


def money(amount: Decimal) -> str:
    """Return an amount to the cent."""
    return f"{amount:,.2f}"
