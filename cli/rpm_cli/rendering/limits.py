"""Limits as a table, the same in every report."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from rpm_cli.rendering import terminal as draw
from rpmcore.domain.wording import LIMIT_NAMES
from rpmcore.domain.wording import measured as measured
from rpmcore.risk.limits import LimitCheck

NAMES = LIMIT_NAMES

NARROWEST = 74
"""Width from which there is room to say what a limit is measured by."""


def show(console: Console, checks: Sequence[LimitCheck], wide: bool) -> None:
    """Print the limits, each with what is used of it, and why a measure does not exist."""
    draw.title(console, "Limits")
    table = draw.table()
    table.add_column("Limit", no_wrap=True)
    room = console.width >= NARROWEST
    if room:
        table.add_column("Measured by", overflow="fold")
    for heading in ("Observed", "Limit", "Used"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("Verdict", no_wrap=True)
    for check in checks:
        style = draw.STATUS_STYLE[check.status]
        cells: list[Text | str] = [NAMES[check.name]]
        if room:
            # A narrow table cuts it, but does not leave out which sector, currency or name is the worst.
            measure = draw.printable(check.measure)
            cells.append(Text(measure) if wide else Text(measure, no_wrap=True, overflow="ellipsis"))
        cells += [
            measured(check.name, check.observed),
            measured(check.name, check.limit),
            draw.percent(check.utilisation, 0),
            draw.bar(check.utilisation or 0.0, 16, style),
            Text(check.status.upper(), style=style),
        ]
        table.add_row(*cells)
    console.print(table)
    reasons: dict[str, list[str]] = {}
    for check in checks:
        if check.observed is None:
            reasons.setdefault(str(check.observed_reason), []).append(NAMES[check.name])
    for reason, names in reasons.items():
        console.print(Text(f"{', '.join(names)}: {draw.printable(reason)}"))
