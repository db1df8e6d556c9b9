"""The console, and the small pictures that fit into a table cell."""

import io
import os
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rpmcore.domain.wording import METHOD_NAMES as METHOD_NAMES
from rpmcore.domain.wording import amount as amount
from rpmcore.domain.wording import moment as moment
from rpmcore.domain.wording import percent as percent
from rpmcore.domain.wording import printable as printable
from rpmcore.domain.wording import quantity as quantity

PIPE_WIDTH = 120
"""Width of a table that goes to a file or a pipe, where there is no terminal to fit."""

WIDE = 100
"""From this width on tables show money, sectors and longer bars."""

MEDIUM = 80
"""Below this width tables keep figures alone: bars are shorter, and explanations left out."""

MOST_POSITIONS = 25
"""Rows of a table of positions; the rest is summed in one (JSON has them all)."""

STATUS_STYLE = {"ok": "green", "warning": "yellow", "breach": "bold red"}
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_LEVELS = " ▁▂▃▄▅▆▇█"


def console() -> Console:
    """Return the console on stdout: coloured in a terminal, plain in a pipe and under ``NO_COLOR``."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a bar that cannot be encoded must not cost the figures beside it
    if sys.stdout.isatty():
        return Console(highlight=False)
    width = os.environ.get("COLUMNS", "")
    return Console(highlight=False, width=int(width) if width.isdigit() else PIPE_WIDTH, no_color=True)


def table() -> Table:
    """Return an empty table in the style of all reports."""
    return Table(box=None, padding=(0, 1, 0, 0), header_style="dim", show_edge=False)


def bar(fraction: float, width: int, style: str = "") -> Text:
    """Return a bar `width` characters long that is filled to `fraction`; more than full ends in ``▶``."""
    if fraction > 1.0:
        return Text("█" * (width - 1) + "▶", style=style)
    eighths = round(max(fraction, 0.0) * width * 8)
    whole, rest = divmod(eighths, 8)
    filled = "█" * whole + (_EIGHTHS[rest] if rest else "")
    return Text(filled.ljust(width), style=style)


def signed_bar(value: float, scale: float, width: int, *, left: str = "green", right: str = "red") -> Text:
    """Return a bar from the middle, to the right for a positive value.

    The styles of both sides are those of risk, which is added to the right and hedged to the left.
    """
    half = width // 2
    size = min(abs(value) / scale, 1.0) * half if scale > 0.0 else 0.0
    blocks = "█" * int(size) + ("▌" if size % 1.0 >= 0.5 and value > 0 else "")
    if value < 0:
        blocks = "█" * round(size)
        return Text(blocks.rjust(half) + "│" + " " * half, style=left)
    return Text(" " * half + "│" + blocks.ljust(half), style=right)


def columns(counts: list[int], height: int) -> list[str]:
    """Return a histogram as `height` lines of text, one character a bin."""
    top = max(counts, default=0) or 1
    lines = []
    for level in range(height - 1, -1, -1):
        line = ""
        for count in counts:
            eighths = round(count / top * height * 8) - level * 8
            line += _LEVELS[min(max(eighths, 0), 8)] if count else " "
        lines.append(line)
    return lines


def sparkline(values: Sequence[float | None], width: int) -> str:
    """Return a line of at most `width` characters, each as high as the mean of its part; gaps stay blank."""
    size = min(width, len(values))
    parts = [values[i * len(values) // size : (i + 1) * len(values) // size] for i in range(size)]
    known = [[v for v in part if v is not None] for part in parts]
    means = [sum(part) / len(part) if part else None for part in known]
    present = [m for m in means if m is not None]
    if not present:
        return ""
    low, high = min(present), max(present)
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        return "".join(" " if m is None else _LEVELS[4] for m in means)
    span = high - low
    return "".join(" " if m is None else _LEVELS[1 + round(7 * (m - low) / span)] for m in means)


def title(console: Console, text: str) -> None:
    """Print the heading of a section, with a blank line before it."""
    console.print()
    console.print(Text(text, style="bold"))


def grid(console: Console, rows: Sequence[tuple[str, str | Text]]) -> None:
    """Print the names and texts that head a report."""
    found = Table.grid(padding=(0, 2))
    found.add_column(style="bold", no_wrap=True)
    found.add_column(overflow="fold")
    for name, text in rows:
        found.add_row(name, text if isinstance(text, Text) else Text(text))
    console.print(found)
