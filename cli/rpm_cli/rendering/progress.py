"""A bar on stderr for work that takes long enough to wonder."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

PATIENCE = 1.0
"""Seconds of work after which a bar is shown."""


@contextmanager
def work_done(quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Yield what to tell how much is done and of how much; it draws a bar once the work has taken a second."""
    if quiet:
        yield None
        return
    with ExitStack() as open_bar:
        update: Callable[[int, int], None] | None = None
        began = time.monotonic()

        def told(done: int, total: int) -> None:
            nonlocal update
            if update is None and time.monotonic() - began > PATIENCE:
                update = open_bar.enter_context(_bar())
            if update is not None:
                update(done, total)

        yield told


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(
        TextColumn("Working"), BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn(),
        console=Console(stderr=True), transient=True,
    ) as progress:  # fmt: skip
        task = progress.add_task("", total=None)
        yield lambda done, total: progress.update(
            task, completed=done, total=total, description=f"{done:,} of {total:,}"
        )
