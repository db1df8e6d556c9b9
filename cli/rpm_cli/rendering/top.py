"""The state of a service as a screen, at 80 columns and wider, live or once."""

import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from rpm_cli.rendering import terminal as draw
from rpm_cli.rendering import top_panels as panels
from rpmcore.adapters.service_client.feed import Seen

EVERY = 0.25
"""Seconds between two looks at the feed and the keyboard."""

TWO_COLUMNS = 110
"""Width from which panels stand beside each other."""

WIDER, GAP = 0.56, 3
"""Part of the width that the left column takes, which has the decisions; columns between the two."""

HEAD_LINES, FEWEST, SHOWN_ONCE = 9, 3, 10
"""Lines that are always there; rows of a list at least, and where there is no screen to fit."""


LEAVE = "\x04"
"""The key that ends an input, and what stands for an input that has ended."""


def is_live() -> bool:
    """Return whether somebody watches: a terminal that obeys, at both ends."""
    return sys.stdout.isatty() and sys.stdin.isatty() and Console().is_terminal and not Console().is_dumb_terminal


def show(seen: Seen) -> None:
    """Print a state once, whole."""
    console = draw.console()
    console.print(frame(seen, console.width, None))


def follow(look: Callable[[], Seen]) -> None:
    """Show what `look` returns until the user leaves by q or Ctrl+C."""
    console = draw.console()
    with (
        suppress(KeyboardInterrupt),
        _keys() as pressed,
        Live(console=console, screen=True, auto_refresh=False) as live,
    ):
        key = ""
        while key not in ("q", "Q", LEAVE):
            live.update(frame(look(), console.width, console.height), refresh=True)
            key = pressed(EVERY)


def frame(seen: Seen, width: int, height: int | None) -> RenderableType:
    """Return a screen of a state; with a `height`, what is long is cut to it and says how much is left out."""
    state, live = seen.state or {}, height is not None
    head: list[RenderableType] = [*panels.banner(seen, state), *panels.notices(state), Text()]
    most = SHOWN_ONCE if height is None else max((height - HEAD_LINES) // 4, FEWEST)
    positions = draw.MOST_POSITIONS if height is None else most
    wide = width >= TWO_COLUMNS
    left = round(WIDER * (width - GAP)) if wide else width
    right = width - GAP - left if wide else width
    limits, regime, strategies = panels.limits(state, left), panels.regime(state), panels.strategies(state, short=live)
    decisions, book = panels.decisions(state, most), panels.book(state, right, positions)
    orders, stress, timing = panels.orders(state, most), panels.stress(seen, right), panels.timing(state)
    if not wide:
        # What a low screen cuts off is what is slow to change.
        return Group(*head, *_apart(limits, strategies, decisions, book, orders, regime, stress, timing))
    return Group(
        *head, _beside(limits, Group(*_apart(regime, timing)), left, right), Text(), strategies, Text(),
        _beside(Group(*_apart(decisions, orders)), Group(*_apart(book, stress)), left, right),
    )  # fmt: skip


def _beside(first: RenderableType, second: RenderableType, left: int, right: int) -> Table:
    found = Table.grid(padding=(0, GAP, 0, 0), pad_edge=False)
    found.add_column(width=left)
    found.add_column(width=right)
    found.add_row(first, second)
    return found


def _apart(*parts: RenderableType) -> list[RenderableType]:
    found: list[RenderableType] = []
    for part in parts:
        found += [part, Text()]
    return found[:-1]


@contextmanager
def _keys() -> Iterator[Callable[[float], str]]:
    """Yield a function that waits so many seconds for a key and returns it, or nothing."""
    try:
        import termios
        import tty
    except ImportError:  # not a system of the Unix family: Ctrl+C leaves
        import time

        def slept(seconds: float) -> str:
            time.sleep(seconds)
            return ""

        yield slept
        return
    stream = sys.stdin.fileno()
    before: list[Any] = termios.tcgetattr(stream)

    def pressed(seconds: float) -> str:
        ready, _, _ = select.select([stream], [], [], seconds)
        if not ready:
            return ""
        try:
            return os.read(stream, 1).decode(errors="replace") or LEAVE
        except OSError:  # the terminal is gone
            return LEAVE

    try:
        tty.setcbreak(stream)
        yield pressed
    finally:
        termios.tcsetattr(stream, termios.TCSADRAIN, before)
