"""What thresholds mean, as a table at 80 columns and wider."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rpm_cli.rendering import terminal as draw
from rpmcore.controls.operating_characteristics import Characteristic, OperatingCharacteristics
from rpmcore.controls.replayed_history import ReplayedHistory

SHARES = frozenset({"rejection rate", "drawdown", "exposure growth/minute"})
"""Measures that are fractions; the others are counts."""


def show(found: OperatingCharacteristics, digest: str) -> None:
    """Print the characteristics to stdout."""
    console, behaviour = draw.console(), found.behaviour
    wide = console.width >= draw.WIDE
    _header(
        console,
        (
            ("A good day", f"{behaviour.trades_a_day:,} trades, {behaviour.win_rate:.0%} gain, each "
             f"{behaviour.trade_size:.2%} of capital; {behaviour.rejection_rate:.0%} of orders rejected"),
            ("A runaway", f"{behaviour.storm:g} rejections a minute; {behaviour.runaway_growth:.0%} of exposure a "
             f"minute; {behaviour.broken_win_rate:.0%} of trades gain"),
            ("Settings", digest[:12]),
        ),
    )  # fmt: skip
    draw.title(console, "How often each halts for nothing on a good day, and how soon in a runaway")
    table = draw.table()
    table.add_column("Measure", overflow="fold")
    for heading in ("Halts at", "False halt"):
        table.add_column(heading, justify="right", no_wrap=True)
    if wide:
        table.add_column("by", no_wrap=True)
    table.add_column("Halts after", justify="right", no_wrap=True)
    table.add_column(f"for {found.wanted:.3g}", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for row in found.characteristics:
        cells: list[Text | str] = [row.measure, _value(row, row.threshold), _probability(row)]
        if wide:
            cells.append(_basis(row))
        cells += [_detection(row), _value(row, row.wanted_threshold), draw.bar(row.false_halt or 0.0, 12, _style(row))]
        table.add_row(*cells)
    console.print(table)
    console.print(
        Text(f"“for {found.wanted:.3g}”: the threshold that halts for nothing on at most that share of days.", "dim")
    )


def show_history(found: ReplayedHistory, digest: str) -> None:
    """Print what a history would have tripped."""
    console = draw.console()
    wins = "" if found.win_rate is None else f", {found.win_rate:.0%} gain"
    _header(
        console,
        (
            ("History", f"{found.days:,} days · {found.trades:,} trades, {found.trades_a_day:.4g} a day{wins}"),
            ("Rejections", f"{found.rejections:,}, {found.rejection_rate:.1%} of orders"),
            ("Halted", f"on {found.halted_days:,} days ({found.halted_days / found.days:.1%})"),
            ("Settings", digest[:12]),
        ),
    )
    if not found.switches:
        return
    draw.title(console, "Days on which each switch halted")
    table = draw.table()
    table.add_column("Switch", no_wrap=True)
    table.add_column("Scope", overflow="fold")
    table.add_column("Days", justify="right", no_wrap=True)
    table.add_column("Share", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for row in found.switches:
        share = draw.percent(row.share, 1)
        table.add_row(row.switch, draw.printable(row.scope), f"{row.days:,}", share, draw.bar(row.share, 12, "yellow"))
    console.print(table)


def _header(console: Console, rows: tuple[tuple[str, str], ...]) -> None:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in rows:
        grid.add_row(name, Text(text))
    console.print(grid)


def _value(row: Characteristic, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.1%}" if row.measure in SHARES else f"{value:g}"


def _probability(row: Characteristic) -> str:
    if row.false_halt is None:
        return "–"
    if row.false_halt < 1e-4:
        return "<0.01%"
    return ">99.99%" if row.false_halt > 0.9999 else f"{row.false_halt:.2%}"


def _basis(row: Characteristic) -> str:
    return row.basis if row.standard_error is None else f"simulation ±{row.standard_error:.2%}"


def _detection(row: Characteristic) -> str:
    return "–" if row.detection is None else f"{row.detection:.3g} {row.detection_unit}"


def _style(row: Characteristic) -> str:
    return "green" if (row.false_halt or 0.0) <= 0.01 else "yellow" if (row.false_halt or 0.0) <= 0.2 else "red"
