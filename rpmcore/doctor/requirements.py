"""What the metadata of a package require, as far as ours go: a name, a least version, an extra."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_LINE = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*(.*?)(?:;(.*))?$")
_LEAST = re.compile(r">=\s*([0-9][0-9.]*)")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A package that is needed: by rpm itself, or by one of its extras."""

    name: str
    least: str | None
    extra: str | None


def parsed(lines: Iterable[str]) -> tuple[Requirement, ...]:
    """Return the requirements that lines of metadata state."""
    found = []
    for line in lines:
        match = _LINE.match(line)
        if match is None:
            continue
        name, bounds, marker = match.groups()
        least, extra = _LEAST.search(bounds), _EXTRA.search(marker or "")
        found.append(
            Requirement(name=name, least=None if least is None else least[1], extra=None if extra is None else extra[1])
        )
    return tuple(found)


def release(version: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with: ``2.4.6rc1`` is (2, 4, 6)."""
    match = re.match(r"\d+(?:\.\d+)*", version)
    return () if match is None else tuple(int(number) for number in match[0].split("."))
