"""Draw a step of the tour: the question, the command, the part of its answer that matters."""

import shlex

from rich.console import Console
from rich.text import Text

from rpm_cli.rendering import terminal as draw
from rpm_cli.tour import Call, Part, Step

MARGIN = "  "


def width() -> int:
    """Return the columns that the answer of a command may fill, inside the margin."""
    return max(draw.console().width - len(MARGIN), 40)


def question(console: Console, step: Step, number: int, steps: int) -> None:
    """Print what a step asks."""
    draw.title(console, f"{number}/{steps}  {step.title}")
    console.print(Text(step.asks))


def command(console: Console, call: Call) -> None:
    """Print a command as a user would type it, broken with backslashes where the line is full."""
    console.print()
    lines, room = ["$ rpm"], console.width - 2
    for word in _units(call.arguments):
        if len(lines[-1]) + 1 + len(word) > room:
            lines[-1] += " \\"
            lines.append("   ")
        lines[-1] += f" {word}"
    for line in lines:
        console.print(Text(line, style="bold cyan"), soft_wrap=True)


def _units(arguments: tuple[str, ...]) -> list[str]:
    """Return the words of a command, quoted where the shell needs it; an option keeps its value beside it."""
    units: list[str] = []
    for word in arguments:
        if units and units[-1].startswith("--") and " " not in units[-1] and not word.startswith("-"):
            units[-1] += f" {shlex.quote(word)}"
        else:
            units.append(shlex.quote(word))
    return units


def answer(console: Console, call: Call, output: str) -> None:
    """Print the parts of an answer that a step is about, and how many lines it leaves out."""
    shown = excerpt(output, call.parts)
    for index, paragraph in enumerate(shown):
        if index:
            console.print()
        for line in paragraph:
            console.print(Text(MARGIN + line), soft_wrap=True)
    hidden = sum(bool(line.strip()) for line in output.splitlines()) - sum(map(len, shown))
    notes = [f"{hidden} more line{'s' * (hidden != 1)}"] if hidden else []
    notes += [f"exit code {call.code}"] if call.code else []
    if notes:
        console.print(Text(f"{MARGIN}… {', '.join(notes)}", style="dim"))


def see(console: Console, step: Step) -> None:
    """Print what to see in the answer."""
    console.print()
    console.print(Text.assemble(("→ ", "green"), step.see))


def excerpt(output: str, parts: tuple[Part, ...]) -> list[list[str]]:
    """Return the lines of those paragraphs of `output` that begin as a part says."""
    paragraphs = [block.rstrip() for block in output.split("\n\n") if block.strip()]
    found = []
    for part in parts:
        for paragraph in paragraphs:
            text = paragraph.lstrip("\n")
            if f"{text}\n".startswith(part.begins):
                found.append(_shortened(text.splitlines(), part))
                break
    return found


def _shortened(lines: list[str], part: Part) -> list[str]:
    if part.only:
        lines = lines[:2] + [line for line in lines[2:] if any(word in line for word in part.only)]
    return [line.rstrip() for line in lines[: part.lines]]
