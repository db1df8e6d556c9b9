"""``rpm demo``: two minutes with the sample book."""

import os
import signal
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rpm_cli.tour import STEPS, Call, Step

if TYPE_CHECKING:
    from rich.console import Console

FAILED = 1


def demo(
    step: Annotated[
        int | None,
        typer.Option("--step", metavar="N", min=1, max=len(STEPS), help="Show this step alone. [default: all]"),
    ] = None,
    no_pause: Annotated[
        bool,
        typer.Option("--no-pause", help="Do not wait for Enter between the steps (nor where there is no terminal)."),
    ] = False,
) -> None:
    """Walk through rpm with the sample book, in two minutes: each command, its answer, and what to see in it.

    Enter goes on, q leaves. Default settings are used, and everything is written to a temporary folder that goes with
    the tour: your settings, key and ledgers are neither read nor touched. For results in JSON call the commands that
    it shows, with --json.

    Examples: `rpm demo`; `rpm demo --step 8`; `rpm demo --no-pause | less`.
    """
    import tempfile

    from rpm_cli.rendering import terminal as draw
    from rpm_cli.rendering import tour as rendering
    from rpmcore import api

    console = draw.console()
    pausing = not no_pause and step is None and sys.stdin.isatty() and sys.stdout.isatty()
    if not api.kernels_are_compiled():
        typer.echo("The numeric kernels are compiled first: once, about half a minute in all.", err=True)
    _end_orderly()
    with tempfile.TemporaryDirectory(prefix="rpm-demo-") as folder:
        desk = _Desk(Path(folder), rendering.width())
        for number, shown in enumerate(STEPS, 1):
            if step is not None and number != step:
                if number < step:
                    desk.prepare(shown)
                continue
            _show(console, desk, shown, number)
            if pausing and number < len(STEPS) and not _go_on():
                break
    if step is None:
        console.print()
        typer.echo("Nothing is left behind. Next: `rpm evaluate --help`, and a book of your own.", err=True)


def _show(console: "Console", desk: "_Desk", step: Step, number: int) -> None:
    from rpm_cli.rendering import tour as rendering

    rendering.question(console, step, number, len(STEPS))
    for call in step.calls:
        rendering.command(console, call)
        rendering.answer(console, call, desk.run(call))
    rendering.see(console, step)
    sys.stdout.flush()  # what is read in a pipe comes step by step, too


def _end_orderly() -> None:
    """Let a closed terminal and a polite kill end the tour as an exception does, so that its folder goes, too."""

    def leave(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):  # Windows knows but the first
            signal.signal(getattr(signal, name), leave)


def _go_on() -> bool:
    """Wait for Enter; q and the end of input leave."""
    typer.echo("\n[Enter: next, q: leave] ", err=True, nl=False)
    line = ""
    try:
        line = sys.stdin.readline()
    finally:
        if not line:  # the cursor stands behind the question
            typer.echo(err=True)
    return bool(line) and line.strip().lower() not in ("q", "quit")


class _Desk:
    """A temporary folder in which commands run as a user runs them, apart from the user's settings and key."""

    def __init__(self, folder: Path, columns: int) -> None:
        self._folder = folder / "desk"
        self._folder.mkdir()
        (self._folder / "rpm.yaml").write_text("{}\n", encoding="utf-8")  # found before the user's own
        key = folder / "keys" / "ledger.key"
        key.parent.mkdir(mode=0o700)
        key.touch(mode=0o600)
        key.write_text(os.urandom(32).hex(), encoding="utf-8")
        ours = {k: v for k, v in os.environ.items() if not k.startswith("RPM_") and k != "FORCE_COLOR"}
        self._environment = {
            **ours, "RPM_LEDGER_KEY_FILE": str(key), "COLUMNS": str(columns), "PYTHONIOENCODING": "utf-8",
        }  # fmt: skip
        paths = [str(Path(path).resolve()) for path in sys.path]
        self._start = f"import sys; sys.path[:] = {paths!r}; from rpm_cli.main import run; run()"

    def run(self, call: Call) -> str:
        """Return what a command prints.

        Raises
        ------
        typer.Exit
            If it ends with another exit code than the tour says; what it said itself is on stderr.
        """
        with _waiting():
            done = subprocess.run(  # noqa: S603 - this program itself, with arguments of its own
                [sys.executable, "-c", self._start, *call.arguments], cwd=self._folder, env=self._environment,
                stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace", check=False,
            )  # fmt: skip
        if done.returncode != call.code:
            typer.echo(done.stderr.rstrip(), err=True)
            typer.echo(
                f"`rpm {' '.join(call.arguments)}` ended with exit code {done.returncode}: try `rpm doctor`", err=True
            )
            raise typer.Exit(FAILED)
        return done.stdout

    def prepare(self, step: Step) -> None:
        """Run what a later step builds on, unseen."""
        for call in step.calls:
            if call.records:
                self.run(call)


def _waiting() -> AbstractContextManager[Any]:
    """Show on a terminal that a command runs."""
    from rich.console import Console

    return Console(stderr=True).status("running …")
