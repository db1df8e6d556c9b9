"""A `ReconcileReport`: what each side says, and what differs."""

from decimal import Decimal

from rich.console import Console
from rich.text import Text

from rpm_cli.rendering import terminal as draw
from rpmcore.reconcile_report import ReconciledLine, ReconcileReport

STYLES = {"differs": "bold red", "equal": "green", "not compared": "dim"}
MOST_LINES = 40
"""Lines that are shown; JSON has them all."""


def show(report: ReconcileReport) -> None:
    """Print the report to stdout."""
    console = draw.console()
    wrong = sum(line.verdict == "differs" for line in report.lines)
    verdict = Text("the books agree", "green") if report.equal else Text(f"{wrong} difference(s)", "bold red")
    recorded = f"as command {report.sequence}" if report.recorded else "nothing: a dry run"
    rows: list[tuple[str, str | Text]] = [
        ("Ledger", draw.printable(report.ledger)),
        ("Against", draw.printable(report.source)),
        ("Verdict", verdict),
        ("Recorded", recorded),
        ("Trading", report.trading_state.upper()),
    ]
    if report.adopted is not None:
        adopted = report.adopted
        who = draw.printable(f"{adopted.operator}: {adopted.reason}")
        rows.append(("Adopted", f"the {adopted.view}'s view, by {adopted.by} ({who})"))
    draw.grid(console, rows)
    console.print()
    table = draw.table()
    for heading, right in (("", 0), ("Of", 0), ("Gate", 1), ("Broker", 1), ("Difference", 1), ("", 0)):
        table.add_column(heading, justify="right" if right else "left", overflow="fold")
    for line in report.lines[:MOST_LINES]:
        table.add_row(
            line.kind, Text(draw.printable(_of(line))), Text(draw.printable(_number(line, line.gate))),
            Text(draw.printable(_number(line, line.broker))),
            "" if line.difference is None else _written(line, line.difference),
            Text(line.verdict, STYLES[line.verdict]),
        )  # fmt: skip
    console.print(table)
    if len(report.lines) > MOST_LINES:
        console.print(Text(f"and {len(report.lines) - MOST_LINES} more", "dim"))
    for warning in report.warnings:
        console.print(Text.assemble(("! ", "yellow"), draw.printable(warning.message)))
    if not report.equal and report.adopted is None:
        _next(console, report)


def _next(console: Console, report: ReconcileReport) -> None:
    console.print()
    if report.recorded:
        console.print(
            "Trading is halted until somebody settles this: find out who is right, then the same command with "
            "--adopt broker|gate --operator NAME --reason TEXT."
        )
        if report.adopted_reason is not None and report.adopted_reason.startswith("look"):
            console.print(Text(f"Nothing was adopted: {report.adopted_reason}.", "yellow"))
    else:
        console.print("Without --dry-run this halts trading until a named operator adopts one of the two views.")


def _of(line: ReconciledLine) -> str:
    return " · ".join(part for part in (line.symbol, line.strategy_id, line.order_id) if part)


def _number(line: ReconciledLine, text: str) -> str:
    try:
        return _written(line, Decimal(text))
    except ArithmeticError:
        return text


def _written(line: ReconciledLine, number: Decimal) -> str:
    return f"{number:,.2f}" if line.kind in ("cash", "equity") else f"{number:,f}"
