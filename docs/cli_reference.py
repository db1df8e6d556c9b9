"""Write the reference of the command line from the program's own help."""

from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from rpm_cli.main import app

WIDTH = 80
"""Columns of the help, wherever it is made."""


def commands() -> dict[str, str]:
    """Return the help of every command by its full name, groups before what they hold, in the order of the program."""
    return dict(_walk(get_command(app), "rpm", None))


def _walk(command: Any, name: str, parent: Any) -> Iterator[tuple[str, str]]:
    context = command.context_class(
        command, info_name=name.rpartition(" ")[2], parent=parent, terminal_width=WIDTH, max_content_width=WIDTH,
        help_option_names=["-h", "--help"],
    )  # fmt: skip
    yield name, "\n".join(line.rstrip() for line in command.get_help(context).strip().splitlines())
    for child, found in getattr(command, "commands", {}).items():
        if not found.hidden:
            yield from _walk(found, f"{name} {child}", context)


def page(text: str) -> str:
    """Return the page with the help of every command below its mark."""
    mark = "<!-- commands:start -->\n"
    entries = [f"\n## `{name}`\n\n```text\n{told}\n```" for name, told in commands().items()]
    return text.partition(mark)[0] + mark + "\n".join(entries) + "\n"
