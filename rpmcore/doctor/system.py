"""Do the terminal and the system offer what rpm relies on?"""

import codecs

from rpmcore.doctor.environment import Environment
from rpmcore.doctor.finding import Finding, note, ok, problem

NARROWEST = 80
"""Columns below which tables leave out explanations."""

FEWEST_FILES = 256
"""Open files below which a service with many clients runs out."""


def encoding(environment: Environment) -> Finding:
    """Can the terminal show bars and Greek letters?"""
    name, expected = "encoding", "UTF-8 on stdout"
    found = environment.encoding
    if found is None or not _is_utf8(found):
        return note(
            name, f"stdout is {found or 'closed'}: bars and Greek letters come out as question marks", expected,
            "set PYTHONUTF8=1, or a locale such as LC_ALL=C.UTF-8",
        )  # fmt: skip
    return ok(name, found, expected)


def _is_utf8(name: str) -> bool:
    try:
        return codecs.lookup(name).name == "utf-8"
    except LookupError:
        return False


def terminal(environment: Environment) -> Finding:
    """Is the terminal wide enough, and what decides on colours?"""
    name, expected = "terminal", f"{NARROWEST} columns or more, and COLUMNS a number where it is set"
    given = environment.variables.get("COLUMNS", "")
    if given and not given.isdigit():
        return note(name, f"COLUMNS={given!r} is no number, and is not heeded", expected, "unset COLUMNS")
    width = int(given) if given else environment.columns
    colours = ", no colours (NO_COLOR)" if environment.variables.get("NO_COLOR") else ""
    if width is not None and width < NARROWEST:
        return note(
            name, f"{width} columns{colours}: tables leave out explanations", expected,
            "widen the window, or print JSON with --json",
        )  # fmt: skip
    return ok(name, f"{'no terminal' if width is None else f'{width} columns'}{colours}", expected)


def temporary_folder(environment: Environment) -> Finding:
    """Can temporary files be written?"""
    name, expected = "temporary folder", "a folder that can be written"
    if environment.temporary is None:
        return problem(
            name, f"no temporary file can be written: {environment.temporary_error}", expected,
            "make room, or set TMPDIR to a folder that can be written",
        )  # fmt: skip
    return ok(name, str(environment.temporary), expected)


def open_files(environment: Environment) -> Finding:
    """May enough files be open?"""
    name, expected = "open files", f"at least {FEWEST_FILES}"
    limit = environment.open_files
    if limit is not None and limit < FEWEST_FILES:
        return note(
            name, f"at most {limit}: a service with many clients runs out of them", expected, "ulimit -n 1024"
        )  # fmt: skip
    return ok(name, "no limit" if limit is None else f"at most {limit}", expected)


def time_zones(environment: Environment) -> Finding:
    """Are the data of time zones there?"""
    name, expected = "time zones", "the data of time zones, of the system or of the package tzdata"
    if not environment.time_zones:
        return problem(
            name, "there are none: closes in America/New_York cannot be put in order", expected,
            "python -m pip install tzdata, or install the system's package tzdata",
        )  # fmt: skip
    return ok(name, "there", expected)


CHECKS = (encoding, terminal, temporary_folder, open_files, time_zones)
