"""A row of a statement, whatever it was written in."""

from collections.abc import Callable
from dataclasses import dataclass, field

LONGEST_CELL = 4_000
"""Characters of a cell that are kept: comments have 31, names a few dozen."""

MOST_ROWS = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The cells of a row that are not blank.

    Attributes
    ----------
    number
        Of the row in the file, from 1; of a CSV file the line.
    cells
        Text by column, counted from 0; a cell that spans columns stands at its first.
    hidden
        Text of a cell that a browser does not show; MetaTrader keeps the comment of a position there.
    """

    number: int
    cells: dict[int, str]
    hidden: str = ""

    @property
    def texts(self) -> list[str]:
        """What a reader sees, from left to right."""
        return [self.cells[column] for column in sorted(self.cells)]


def collapsed(text: str) -> str:
    """Return `text` on one line, with single blanks."""
    return " ".join(text.split())


@dataclass(slots=True)
class Interned:
    """Gives equal short texts as one object: a statement repeats symbols and zeros a million times."""

    known: dict[str, str] = field(default_factory=dict)
    most: int = 50_000

    def __call__(self, text: str) -> str:
        """Return the first text equal to this one."""
        if len(self.known) < self.most:
            return self.known.setdefault(text, text)
        return self.known.get(text, text)


Told = Callable[[str], None]
"""Takes a sentence that a user should know."""
