"""What is wrong with this installation, this machine, this ledger? What ``rpm doctor`` asks, in one call."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from rpmcore.doctor import configuration, installation, ledger, self_test, speed, system
from rpmcore.doctor.environment import Environment
from rpmcore.doctor.finding import Finding, Status, problem
from rpmcore.doctor.reading import read_environment
from rpmcore.domain.report import Report, Shown, counted

Check = Callable[[Environment], Finding]

CHECKS: tuple[Check, ...] = (
    *installation.CHECKS, *speed.CHECKS, *system.CHECKS, *configuration.CHECKS, *self_test.CHECKS,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Examination(Report):
    """Everything that ``rpm doctor`` says."""

    checks: tuple[Finding, ...]

    SCHEMA = "rpm.doctor/1"
    MAIN = "checks"
    SHOWN = (Shown(table="checks", title="Checks", columns=("name", "status", "found", "remedy"), rows=40),)

    @property
    def sound(self) -> bool:
        """Whether no check has found a problem."""
        return all(finding.passed for finding in self.checks)

    def to_plain(self) -> dict[str, Any]:
        """Return the object ``rpm.doctor/1``, without its schema."""
        checks = [
            {
                "name": f.name, "status": f.status.value, "passed": f.passed, "found": f.found,
                "expected": f.expected, "remedy": f.remedy,
            }
            for f in self.checks
        ]  # fmt: skip
        return {"sound": self.sound, "checks": checks}

    def headline(self) -> str:
        """Return the answer in a sentence."""
        problems = [f.name for f in self.checks if f.status is Status.PROBLEM]
        return f"{counted(len(problems), 'problem')} in {counted(len(self.checks), 'check')}" + (
            f": {', '.join(problems)}" if problems else ""
        )


def examine(ledger_path: str | PathLike[str] | None = None, environment: Environment | None = None) -> Examination:
    """Return what every check finds.

    Parameters
    ----------
    ledger_path
        A ledger to look at, too: it is only read, also while a gate holds it, and nothing of it is verified.
    environment
        In place of this process's own.

    Notes
    -----
    No check raises: one that fails has found a problem.
    """
    seen = environment or read_environment()
    checks = [(check.__name__.replace("_", " "), check) for check in CHECKS]
    found = [attempt(name, lambda check=check: check(seen)) for name, check in checks]  # type: ignore[misc]
    if ledger_path is not None:
        found += _of_ledger(Path(ledger_path), seen)
    return Examination(checks=tuple(found))


def _of_ledger(path: Path, environment: Environment) -> Iterable[Finding]:
    from rpmcore.doctor.ledger_facts import read_ledger

    facts = read_ledger(path, environment.file_system(path))
    if not path.exists():
        return [ledger.readable(facts, environment)]
    return [attempt("ledger", lambda check=check: check(facts, environment)) for check in ledger.CHECKS]  # type: ignore[misc]


def attempt(name: str, look: Callable[[], Finding]) -> Finding:
    """Return what a check finds; whatever it raises is a problem, too."""
    try:
        return look()
    except Exception as error:  # noqa: BLE001 - whatever is broken here is the finding
        return problem(name, f"{type(error).__name__}: {error}", "no error", self_test.REINSTALL)
