"""Is what is installed what rpm needs?"""

from rpmcore.doctor.environment import Environment
from rpmcore.doctor.finding import Finding, note, ok, problem
from rpmcore.doctor.requirements import Requirement, parsed, release
from rpmcore.doctor.tested import FIRST_PYTHON, LAST_PYTHON, TESTED

WAL_RESET_CURED = (3, 51, 3)
"""Release of SQLite that cures the reset of a write-ahead log under several writers."""

NOT_FOR_USERS = frozenset({"dev"})


def python(environment: Environment) -> Finding:
    """Is this release of Python supported?"""
    found = ".".join(map(str, environment.python))
    expected = f"Python {_dotted(FIRST_PYTHON)} to {_dotted(LAST_PYTHON)}"
    if environment.python[:2] < FIRST_PYTHON:
        return problem("python", found, expected, f"install rpmcore into Python {_dotted(LAST_PYTHON)}")
    if environment.python[:2] > LAST_PYTHON:
        return problem(
            "python",
            found,
            expected,
            f"install rpmcore into Python {_dotted(LAST_PYTHON)}: nothing was tested on yours",
        )
    return ok("python", found, expected)


def packages(environment: Environment) -> Finding:
    """Are the packages there, not too old, and not newer than what was tested?"""
    name, expected = "packages", "the packages that rpm requires, none newer than tested"
    needed = [line for line in parsed(environment.requirements) if line.extra is None]
    if not needed:
        return problem(
            name, "rpmcore has no metadata", "an installed package", "install it: python -m pip install rpmcore"
        )
    wrong = [_wrong(line, environment) for line in needed]
    if any(wrong):
        return problem(
            name, "; ".join(filter(None, wrong)), expected, "python -m pip install --upgrade --force-reinstall rpmcore"
        )
    newer = [
        f"{line.name} {environment.packages[line.name]} (tested: {TESTED[line.name]})"
        for line in needed
        if line.name in TESTED and _series(environment.packages[line.name] or "") > _series(TESTED[line.name])
    ]
    if newer:
        return note(
            name, f"newer than tested: {', '.join(newer)}", expected,
            "if figures or messages look wrong, install the tested versions",
        )  # fmt: skip
    return ok(name, ", ".join(f"{line.name} {environment.packages[line.name]}" for line in needed), expected)


def imports(environment: Environment) -> Finding:
    """Can what is installed be used?"""
    name, expected, wrong = "imports", "every required package can be imported", environment.unimportable
    if wrong:
        told = "; ".join(f"{package} cannot be imported: {error}" for package, error in wrong.items())
        return problem(name, told, expected, f"python -m pip install --force-reinstall {' '.join(wrong)}")
    return ok(name, "all", expected)


def extras(environment: Environment) -> Finding:
    """Which optional parts are installed?"""
    name, expected = "extras", "what you use of: serve, report, alerts, otel"
    groups: dict[str, list[Requirement]] = {}
    for line in parsed(environment.requirements):
        if line.extra is not None and line.extra not in NOT_FOR_USERS:
            groups.setdefault(line.extra, []).append(line)
    missing = {
        extra: [line.name for line in lines if _wrong(line, environment)] for extra, lines in sorted(groups.items())
    }
    whole = [extra for extra, names in missing.items() if not names]
    absent = [extra for extra, names in missing.items() if names]
    found = "; ".join(
        (
            f"installed: {', '.join(whole) or 'none'}",
            *(f"{extra} lacks {', '.join(missing[extra])}" for extra in absent),
        )
    )
    remedy = f"for what you use: python -m pip install 'rpmcore[{','.join(absent)}]'" if absent else None
    return ok(name, found, expected, remedy)


def sqlite(environment: Environment) -> Finding:
    """Is SQLite free of the fault that a write-ahead log can have?"""
    name, found = "sqlite", _dotted(environment.sqlite)
    expected = f"SQLite {_dotted(WAL_RESET_CURED)} or later"
    if environment.sqlite < WAL_RESET_CURED:
        return note(
            name, f"{found} can lose a write-ahead log that several programs write to", expected,
            "rpm writes through one connection and is not concerned; let no other program write to a ledger",
        )  # fmt: skip
    return ok(name, found, expected)


def command(environment: Environment) -> Finding:
    """Is the ``rpm`` on the search path this program?"""
    name, expected = "command", "`rpm` on the PATH starts this program"
    path = environment.command
    if path is None:
        return note(
            name, "there is no `rpm` on the PATH", expected,
            "call `python -m rpmcore`, or put the folder of the installed commands on the PATH",
        )  # fmt: skip
    if not environment.command_is_ours:
        return note(
            name, f"{path} is another program, such as the package manager of Red Hat", expected,
            "call `rpmcore` or `python -m rpmcore` instead",
        )  # fmt: skip
    return ok(name, str(path), expected)


def _wrong(line: Requirement, environment: Environment) -> str | None:
    """Return what is wrong with a package that is needed, or None."""
    installed = environment.packages.get(line.name)
    if installed is None:
        return f"{line.name} is not installed"
    if line.least is not None and release(installed) < release(line.least):
        return f"{line.name} {installed} is older than {line.least}"
    return None


def _series(version: str) -> tuple[int, ...]:
    return release(version)[:2]


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


CHECKS = (python, packages, imports, extras, sqlite, command)
