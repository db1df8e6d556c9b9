"""What is wrong with this installation, this machine, this ledger? What ``rpm doctor`` asks, in one call."""

from collections.abc import Callable, Iterable
from pathlib import Path

from rpmcore.doctor import configuration, installation, ledger, self_test, speed, system
from rpmcore.doctor.environment import Environment
from rpmcore.doctor.finding import Finding, problem
from rpmcore.doctor.reading import read_environment

Check = Callable[[Environment], Finding]

CHECKS: tuple[Check, ...] = (
    *installation.CHECKS, *speed.CHECKS, *system.CHECKS, *configuration.CHECKS, *self_test.CHECKS,
)  # fmt: skip


def examine(ledger_path: Path | None = None, environment: Environment | None = None) -> tuple[Finding, ...]:
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
        found += _of_ledger(ledger_path, seen)
    return tuple(found)


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
