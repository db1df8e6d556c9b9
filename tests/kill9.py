"""A process that is killed at random moments, and what it had acknowledged by then.

The child is any command that prints a line for each item once it is acknowledged, unbuffered, and goes on for ever.
`campaign` kills it, again and again, after a number of lines that is drawn and a further stretch of a drawn length;
what must then hold is the caller's to say. Used for the ledger, and for whatever stands on it.
"""

import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """One death: how manieth, what this child had acknowledged, and what all children before and this one had."""

    number: int
    acknowledged: tuple[str, ...]
    so_far: tuple[str, ...]


def campaign(command: Sequence[str], kills: int, seed: int, *, most_lines: int = 40) -> Iterator[Kill]:
    """Start the command, kill it, and yield what it had acknowledged, so many times over.

    Parameters
    ----------
    command
        The child, started anew each time with the same arguments.
    kills, seed
        How often, and the seed of the moments.
    most_lines
        Kill after a number of lines between none and this: with none the child dies while it starts.

    Raises
    ------
    AssertionError
        Where a child ends by itself: it then shows what it said.
    """
    draw = random.Random(seed)  # noqa: S311 - moments, not secrets
    so_far: list[str] = []
    for number in range(1, kills + 1):
        lines = draw.randint(0, most_lines)
        # Before its first line a child imports, recovers and verifies, which takes longer than an append.
        stretch = draw.randrange(200_000 if lines else 6_000_000)
        acknowledged = _killed(command, lines, stretch)
        so_far += acknowledged
        yield Kill(number=number, acknowledged=tuple(acknowledged), so_far=tuple(so_far))


def _killed(command: Sequence[str], lines: int, stretch: int) -> list[str]:
    with (
        TemporaryFile("w+") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT) as child,
    ):
        assert child.stdout is not None
        printed = [child.stdout.readline() for _ in range(lines)]
        spin(stretch)
        ended = child.poll()
        child.kill()
        # What it printed before it died was acknowledged too; a line without its end was not.
        printed += child.stdout.readlines()
        errors.seek(0)
        assert ended is None, f"the child ended by itself: {errors.read()}"
    return [line.rstrip("\n") for line in printed if line.endswith("\n")]


def spin(turns: int) -> None:
    """Let a little time pass that is no multiple of anything."""
    for _ in range(turns):
        pass


def acknowledge(item: object) -> None:
    """Print the line of one acknowledged item, at once and whole."""
    sys.stdout.write(f"{item}\n")
    sys.stdout.flush()


def append_for_ever(path: str) -> None:
    """Append signal after signal to a ledger, which is created where there is none, and acknowledge each."""
    from rpmcore.adapters.ledger.ledger import Ledger
    from tests.ledgers import GENESIS, KEY, decided

    ledger = Ledger.open(path, KEY) if Path(path).exists() else Ledger.create(path, KEY, GENESIS)
    while True:
        sequence = ledger.next_sequence
        ledger.append(decided(sequence))
        acknowledge(sequence)


if __name__ == "__main__":
    append_for_ever(sys.argv[1])
