"""A bar on stderr for work that takes long enough to wonder."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

LONG = 5_000_000
"""Paths of a simulation from which on a bar is shown: fewer take less than a second."""


@contextmanager
def paths_drawn(quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Yield what to tell how many paths are drawn and of how many; it draws a bar where that is worth it."""
    if quiet:
        yield None
        return
    with ExitStack() as open_bar:
        update: Callable[[int, int], None] | None = None

        def told(done: int, total: int) -> None:
            nonlocal update
            if update is None and total >= LONG:
                update = open_bar.enter_context(_bar())
            if update is not None:
                update(done, total)

        yield told


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(
        TextColumn("Simulating"), BarColumn(), TextColumn("{task.description}"),
        TimeRemainingColumn(), console=Console(stderr=True), transient=True,
    ) as progress:  # fmt: skip
        task = progress.add_task("", total=None)
        yield lambda done, total: progress.update(
            task, completed=done, total=total, description=f"{done:,} of {total:,} paths"
        )
