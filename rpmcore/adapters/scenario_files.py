"""Read the crises that a desk has written itself."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from rpmcore.adapters.strict_yaml import parse
from rpmcore.domain import reference
from rpmcore.domain.crises import Crisis, crisis_from_mapping
from rpmcore.domain.errors import InputError

LARGEST_FILE = 256 * 1024
"""Bytes; the five crises that come with rpm take 7,000."""


def read_scenario_file(path: str | PathLike[str]) -> tuple[Crisis, ...]:
    """Return the crises of a YAML file, in its order.

    Parameters
    ----------
    path
        One crisis with the keys of the files that come with rpm (``rpmcore/reference/crises``), or a list of such under
        the key ``scenarios``. A plain value such as ``market_shock: -0.2`` stands for ``{value: -0.2, source: given}``;
        other sources are ``estimated`` and ``neutral``. A crisis that takes the place of one that comes with rpm has
        its name and says ``override: true``.

    Raises
    ------
    InputError
        If the file cannot be read or is too large, a key is missing or misspelt, a value is out of its range or
        contradicts another, or a name is taken; names the line, the key and what is expected.
    ConfigurationError
        If it is not YAML, repeats a key, or uses tags or anchors; names the line.
    """
    source = str(path)
    document = parse(_text(Path(path)), source)
    values, lines = document.values, document.lines
    if "scenarios" not in values:
        return (_crisis(values, source, lines),)
    if len(values) > 1:
        other = next(key for key in values if key != "scenarios")
        raise InputError(
            f"key {other!r} stands beside 'scenarios'",
            source=f"{source}, line {lines[(other,)]}",
            remedy="give one crisis, or put all of them in the list",
        )
    items = values["scenarios"]
    if not isinstance(items, list) or not items:
        raise InputError(
            "key 'scenarios' must be a list of crises",
            source=f"{source}, line {lines[('scenarios',)]}",
            remedy="begin each with '- name: ...'",
        )
    found: dict[str, Crisis] = {}
    for number, item in enumerate(items):
        inside = _below(lines, ("scenarios", str(number)))
        crisis = _crisis(item, f"{source}, scenario {number + 1}" if not inside else source, inside)
        if crisis.name in found:
            raise InputError(
                f"the name {crisis.name!r} is given twice",
                source=f"{source}, line {inside[('name',)]}",
                remedy="rename one of the two",
            )
        found[crisis.name] = crisis
    return tuple(found.values())


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise InputError(
                f"the file is larger than {LARGEST_FILE // 1024} kB, the most that scenarios may take",
                source=str(path),
                remedy="give a file of scenarios, or split it",
            )
        return content.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise InputError("there is no such scenario file", source=str(path)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read as a scenario file: {error}", source=str(path)) from error


def _crisis(values: Any, source: str, lines: Mapping[tuple[str, ...], int]) -> Crisis:
    override = values.get("override", False) if isinstance(values, Mapping) else False
    if not isinstance(override, bool):
        raise InputError(
            "key 'override' must be true or false", source=f"{source}, line {lines[('override',)]}", value=override
        )
    described = {k: v for k, v in values.items() if k != "override"} if isinstance(values, Mapping) else values
    crisis = crisis_from_mapping(described, source, own=True, lines=lines)
    shipped = crisis.name in reference.crises()
    if shipped and not override:
        raise InputError(
            f"the name {crisis.name!r} is that of a crisis that comes with rpm",
            source=f"{source}, line {lines[('name',)]}",
            remedy="rename it, or write 'override: true' beside it if it shall take the place of that one",
        )
    if override and not shipped:
        raise InputError(
            f"there is no crisis {crisis.name!r} to take the place of",
            source=f"{source}, line {lines[('override',)]}",
            remedy=f"leave 'override' out, or name one of {', '.join(reference.crises())}",
        )
    return crisis


def _below(lines: Mapping[tuple[str, ...], int], prefix: tuple[str, ...]) -> dict[tuple[str, ...], int]:
    """Return the lines of the keys under a path, by what is left of their paths."""
    n = len(prefix)
    return {path[n:]: line for path, line in lines.items() if path[:n] == prefix}
