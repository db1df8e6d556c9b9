"""Where the page is written: asked before the work begins, and written in one step."""

import os
import tempfile
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from rpmcore.adapters.durable_files import write_durably
from rpmcore.domain.errors import InputError

MARK = b'<meta name="generator" content="rpm">'
"""Stands in the head of every report: a file without it is something else, and is not overwritten."""

PREFIX = ".rpm-report-"
"""Begins the name under which a page is written before it takes its place."""

HEAD = 2048
"""Bytes from the beginning of a file within which the mark of a report stands."""


def check_output(path: str | PathLike[str], inputs: Mapping[str, Any]) -> None:
    """Raise unless a report can be written to a file: better told now than after the work.

    Parameters
    ----------
    path
        Of the file. An earlier report there is overwritten, anything else is not.
    inputs
        What is read, by the option that names it; a file among them is not overwritten.

    Raises
    ------
    InputError
        If the folder is not there or cannot be written, or the file is something else than a report.
    """
    try:
        _check(Path(path), inputs)
    except OSError as error:
        raise _unwritable(path, error) from error


def _check(target: Path, inputs: Mapping[str, Any]) -> None:
    for option, source in inputs.items():
        if isinstance(source, str | PathLike) and target.exists() and Path(source).exists() and target.samefile(source):
            raise InputError(
                f"it is what {option} reads", source=str(target), remedy="write the report to another file"
            )
    folder = target.parent
    if not folder.is_dir():
        raise InputError("there is no such folder", source=str(folder), remedy="create it, or name another with -o")
    if target.is_dir():
        raise InputError("it is a folder", source=str(target), remedy="name a file, such as report.html")
    if target.exists():
        _check_ours(target)
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=PREFIX)
    os.close(descriptor)
    Path(name).unlink()


def write_page(path: str | PathLike[str], page: bytes) -> None:
    """Write the page: a reader finds the old one or the new one, and never a part.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    target = Path(path)
    try:
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=PREFIX)
        os.close(descriptor)
        write_durably(target, page, by_way_of=Path(name))
        target.chmod(mode)
    except OSError as error:
        raise _unwritable(path, error) from error


def _check_ours(target: Path) -> None:
    if not target.is_file():
        raise InputError("it is no ordinary file", source=str(target), remedy="name another with -o")
    with target.open("r+b") as file:  # nothing is written, but it may be
        head = file.read(HEAD)
    if head and MARK not in head:
        raise InputError(
            "it is there, and is no report of rpm", source=str(target),
            remedy="name another file with -o, or remove it first",
        )  # fmt: skip


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _unwritable(path: str | PathLike[str], error: OSError) -> InputError:
    return InputError(
        f"a report cannot be written there: {error.strerror or error}", source=str(path),
        remedy="name another file with -o",
    )  # fmt: skip
