"""What is wrong with settings, in sentences: where, what was found, what is expected."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from rpmcore.adapters.configuration.described import Key, choices, fields, is_section, range_of, within
from rpmcore.adapters.configuration.layers import Origin
from rpmcore.adapters.secret_values import HIDDEN, is_secret
from rpmcore.domain.errors import nearest

_SAYS_ALL = frozenset({"literal_error", "missing", "string_pattern_mismatch", "model_type"})
"""Kinds of error whose own words name all that is allowed."""


def explain(error: ValidationError, model: type[BaseModel], origins: Mapping[Key, Origin]) -> str:
    """Return one line for each thing that is wrong."""
    found = error.errors()
    # A list whose element is refused is reported again as too short.
    within_ = [item["loc"] for item in found]
    causes = [i for i in found if not any(loc != i["loc"] and loc[: len(i["loc"])] == i["loc"] for loc in within_)]
    lines = (_explain(item, model, origins) for item in causes)
    return "\n".join(dict.fromkeys(lines))


def _explain(error: Any, model: type[BaseModel], origins: Mapping[Key, Origin]) -> str:
    location = tuple(str(part) for part in error["loc"])
    given = _given(location, origins)
    where = "settings" if given is None else origins[given].text
    if error["type"] == "extra_forbidden":
        return f"{where}: there is no setting {'.'.join(location)!r}{_hint(model, location)}"
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "value_error":
        return f"{_where_of(location, origins)}{'.'.join(location)}: {message}"
    message = message.replace("tuple", "list")
    key, field = _setting(model, location)
    name = ".".join(location if given is None else given[: len(location)])
    shown = HIDDEN if any(is_secret(part) for part in location) else _shown(error["input"])
    if field is not None and choices(field) > 1:
        return f"{where}: {'.'.join(key)} is {shown}: expected {range_of(field)}"
    expected = f" (expected {range_of(field)})" if field is not None and error["type"] not in _SAYS_ALL else ""
    if error["type"] == "model_type":
        message = "expected keys with values"
    return f"{where}: {name} is {shown}: {message[0].lower()}{message[1:]}{expected}{_percent(error)}"


def _given(location: Key, origins: Mapping[Key, Origin]) -> Key | None:
    """Return the path that was given for a setting: its own, one within it, or the nearest above."""
    within_it = next((path for path in origins if path[: len(location)] == location), None)
    above = (location[:n] for n in range(len(location) - 1, 0, -1) if location[:n] in origins)
    return location if location in origins else within_it or next(above, None)


def _where_of(location: Key, origins: Mapping[Key, Origin]) -> str:
    """Return the place of a setting, or the first that a contradiction within a section may come from."""
    inside = [path for path in origins if path[: len(location)] == location]
    deepest = [path for path in inside if not any(other[: len(path)] == path and other != path for other in inside)]
    return f"{origins[deepest[0]].text}: " if deepest else ""


def _shown(value: Any) -> str:
    """Return a value as it is written in a file."""
    text = json.dumps(value) if value is None or isinstance(value, bool) else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


def _percent(error: Any) -> str:
    found = error["input"]
    if error["type"] == "less_than" and isinstance(found, int | float) and 50 <= found < 100:
        return f"; did you mean {found / 100:g}?"
    return ""


def _hint(model: type[BaseModel], location: Key) -> str:
    """Return which setting was meant: of the same section by its spelling, or of another by its name."""
    known = _fields(model, location[:-1])
    meant = nearest(location[-1], list(known))
    if meant:
        return f"; did you mean {meant!r}?"
    elsewhere = [".".join(key) for key, _ in fields(model) if key[-1] == location[-1]]
    if elsewhere:
        return f"; did you mean {elsewhere[0]!r}?"
    return f"; known are {', '.join(sorted(known))}" if known else ""


def _fields(model: type[BaseModel], location: Key) -> dict[str, FieldInfo]:
    for part in location:
        field = model.model_fields.get(part)
        if field is None or not is_section(field):
            return {}
        model = within(model, field)
    return dict(model.model_fields)


def _setting(model: type[BaseModel], location: Key) -> tuple[Key, FieldInfo | None]:
    for n, part in enumerate(location):
        field = model.model_fields.get(part)
        if field is None:
            break
        if not is_section(field):
            return location[: n + 1], field
        model = within(model, field)
    return location, None
