"""What a check of the doctor comes to."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """``note``: worth knowing, works all the same. ``problem``: something fails, or is wrong without failing."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of ``rpm doctor``.

    Attributes
    ----------
    name
        Of the check, as the manual has it.
    status
        How bad it is.
    found
        What is there; never a secret.
    expected
        What should be there.
    remedy
        What to do; None where there is nothing to do.
    """

    name: str
    status: Status
    found: str
    expected: str
    remedy: str | None = None

    @property
    def passed(self) -> bool:
        """Whether nothing must be cured."""
        return self.status is not Status.PROBLEM


def ok(name: str, found: str, expected: str, remedy: str | None = None) -> Finding:
    """Return that all is well; `remedy` says how to have more."""
    return Finding(name=name, status=Status.OK, found=found, expected=expected, remedy=remedy)


def note(name: str, found: str, expected: str, remedy: str) -> Finding:
    """Return what is worth knowing."""
    return Finding(name=name, status=Status.NOTE, found=found, expected=expected, remedy=remedy)


def problem(name: str, found: str, expected: str, remedy: str) -> Finding:
    """Return what must be cured."""
    return Finding(name=name, status=Status.PROBLEM, found=found, expected=expected, remedy=remedy)
