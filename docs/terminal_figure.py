"""Draw what a command prints in a terminal, with its colours, as one SVG file that asks no other host for anything."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
WIDTH = 100
COMMAND = "evaluate data/portfolio.parquet"
SHOWS = ("Volatility", "VaR", "Where the risk sits", "Limits")
"""Paragraphs that are drawn, by their first words; an ellipsis stands for the others."""

NEVER_READ = 1 << 16

THEME = TerminalTheme(
    (24, 26, 32), (222, 224, 230),
    [(24, 26, 32), (232, 96, 92), (120, 190, 110), (224, 180, 84), (98, 150, 220), (190, 130, 210), (86, 182, 194),
     (222, 224, 230)],
)  # fmt: skip


def figure() -> str:
    """Return the drawing as the text of an SVG file."""
    drawn = Console(record=True, width=WIDTH, file=Path(os.devnull).open("w"), force_terminal=True)  # noqa: SIM115
    drawn.print(Text(f"$ rpm {COMMAND}\n", style="bold"))
    for paragraph in _paragraphs(_in_a_terminal(COMMAND)):
        drawn.print(paragraph, no_wrap=True, overflow="crop")
    svg = drawn.export_svg(title=f"rpm {COMMAND}", theme=THEME, unique_id="terminal")
    return _without_fonts(_described(svg))


def _in_a_terminal(command: str) -> str:
    """Return what the command writes to a terminal of our width."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 200, WIDTH, 0, 0))
    left_out = ("RPM_", "NO_COLOR", "FORCE_COLOR", "COLORTERM")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    running = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "rpmcore", *command.split(), "--quiet"],
        stdout=its, stderr=subprocess.DEVNULL, cwd=ROOT, env={**kept, "TERM": "xterm", "COLUMNS": str(WIDTH)},
    )  # fmt: skip
    os.close(its)
    written = b""
    while True:
        try:
            read = os.read(ours, NEVER_READ)
        except OSError:  # the terminal is gone when the program is
            break
        if not read:
            break
        written += read
    os.close(ours)
    if running.wait() != 0:
        raise SystemExit(f"rpm {command} ended with {running.returncode}")
    return written.decode("utf-8").replace("\r\n", "\n")


def _paragraphs(output: str) -> list[Text]:
    """Return the chosen paragraphs, each followed by a blank line."""
    found: list[Text] = []
    current: list[Text] = []
    for line in [*Text.from_ansi(output).split("\n"), Text("")]:
        if line.plain.strip():
            current.append(line)
        elif current:
            wanted = current[0].plain.startswith(SHOWS)
            told = Text("\n").join(current) if wanted else Text("…", style="dim")
            if wanted or not found or found[-1].plain.strip() != "…":
                found.append(Text.assemble(told, "\n"))
            current = []
    return found


def _described(svg: str) -> str:
    """Return the drawing with words for those who cannot see it."""
    told = (
        f'<title id="title">What rpm {COMMAND} prints</title><desc id="description">Tables of volatility, of VaR and '
        "CVaR by four methods, of the risk of each position with bars, and of limits with their verdicts.</desc>"
    )
    head, rest = svg.split(">", 1)
    return f'{head} role="img" aria-labelledby="title description">{told}{rest}'


def _without_fonts(svg: str) -> str:
    """Return the drawing with the reader's own fixed-width font in place of one from a web server."""
    svg = re.sub(r"\s*<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"Fira Code,\s*monospace", "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace", svg)
    if "url(" in re.sub(r"url\(#[\w-]+\)", "", svg):
        raise SystemExit("the drawing asks another host for something")
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"
