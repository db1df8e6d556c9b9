"""``rpm warmup``: compile all kernels ahead of the first question."""

import typer

from rpm_cli import options as common


def warmup(quiet: common.QuietOption = False) -> None:
    """Compile all numeric kernels into the user's cache, with progress on stderr; later runs then start at once."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from rpmcore import api

    done = 0
    with Progress(
        TextColumn("Compiling"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TextColumn("{task.description}"), console=Console(stderr=True), disable=quiet,
    ) as progress:  # fmt: skip
        task = progress.add_task("", total=None)
        for done, total, name in api.warmup():
            progress.update(task, total=total, completed=done, description=name)
    typer.echo(f"{done} kernels are compiled.")
