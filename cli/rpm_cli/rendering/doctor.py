"""Draw what the doctor found."""

from collections import Counter
from collections.abc import Sequence

from rich.text import Text

from rpm_cli.rendering import terminal as draw
from rpmcore.doctor.finding import Finding, Status

_MARKS = {
    Status.OK: Text("ok", style="green"),
    Status.NOTE: Text("NOTE", style="yellow"),
    Status.PROBLEM: Text("PROBLEM", style="bold red"),
}


def show(findings: Sequence[Finding], *, verbose: bool) -> None:
    """Print a line a check; what is not well also says what is expected and what to do."""
    console = draw.console()
    table = draw.table()
    for heading in ("", "Check"):
        table.add_column(heading, no_wrap=True)
    table.add_column("Found", overflow="fold")
    for finding in findings:
        table.add_row(_MARKS[finding.status], finding.name, Text(draw.printable(finding.found)))
        if verbose or finding.status is not Status.OK:
            table.add_row("", "", Text(f"expected: {draw.printable(finding.expected)}", style="dim"))
        if finding.remedy is not None and (verbose or finding.status is not Status.OK):
            table.add_row("", "", Text(f"do: {draw.printable(finding.remedy)}", style="bold"))
    console.print(table)
    console.print()
    console.print(_summary(Counter(finding.status for finding in findings)))


def _summary(counts: Counter[Status]) -> Text:
    if counts[Status.PROBLEM]:
        text, style = (
            f"{_plural(counts[Status.PROBLEM], 'problem')}, {_plural(counts[Status.NOTE], 'note')}.",
            "bold red",
        )
    elif counts[Status.NOTE]:
        text, style = f"No problem, {_plural(counts[Status.NOTE], 'note')}: rpm works.", "yellow"
    else:
        text, style = "No problem.", "green"
    return Text(text, style=style)


def _plural(count: int, word: str) -> str:
    return f"{count} {word}{'s' * (count != 1)}"
