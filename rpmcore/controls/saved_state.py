"""Reading back what a control saved: plain JSON, checked before it is believed."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from math import isfinite
from typing import Any, TypeVar

from rpmcore.domain.errors import InvalidArgument

Reading = TypeVar("Reading")


def field(state: Mapping[str, Any], name: str, kind: type) -> Any:
    """Return the field of a saved state.

    Raises
    ------
    InvalidArgument
        If it is missing or of another kind.
    """
    if not isinstance(state, Mapping) or name not in state:
        raise InvalidArgument(f"the saved state has no {name!r}")
    value = state[name]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise InvalidArgument(f"{name!r} of the saved state must be {kind.__name__}, but is {value!r}")
    return value


def optional_time(state: Mapping[str, Any], name: str) -> int | None:
    """Return a time of a saved state, or None where it holds none; raises as `field`."""
    if isinstance(state, Mapping) and name in state and state[name] is None:
        return None
    found: int = field(state, name, int)
    if found < 0:
        raise InvalidArgument(f"{name!r} of the saved state must be a time, but is {found!r}")
    return found


def numbers(state: Mapping[str, Any], name: str) -> list[float]:
    """Return a list of non-negative numbers of a saved state; raises as `field`."""
    found = field(state, name, list)
    for value in found:
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value < 0.0:
            raise InvalidArgument(f"{name!r} of the saved state must hold non-negative numbers, but holds {value!r}")
    return [float(value) for value in found]


def levels(state: Mapping[str, Any], name: str, highest: int) -> list[int]:
    """Return a list of levels from 0 to `highest` of a saved state; raises as `field`."""
    found = field(state, name, list)
    for value in found:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= highest:
            raise InvalidArgument(
                f"{name!r} of the saved state must hold levels of 0 to {highest}, but holds {value!r}"
            )
    return list(found)


def measured(value: float | None, name: str) -> float | None:
    """Return a reading of a market, or None where it is missing.

    Raises
    ------
    InvalidArgument
        If it is negative, NaN or infinite.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value < 0.0:
        raise InvalidArgument(
            f"{name} must be a finite number of at least 0, or None where it is missing, not {value!r}"
        )
    return float(value)


def level_of(name: Any, names: Sequence[str]) -> int:
    """Return the place of a class in its order.

    Raises
    ------
    InvalidArgument
        If it is none of them.
    """
    if name not in names:
        raise InvalidArgument(f"the saved state must name one of {', '.join(names)}, but names {name!r}")
    return names.index(name)


def plain_reading(reading: Any) -> Any:
    """Return a dataclass of numbers, texts, tuples and dataclasses as plain JSON."""
    if is_dataclass(reading):
        return {f.name: plain_reading(getattr(reading, f.name)) for f in fields(reading)}
    return [plain_reading(item) for item in reading] if isinstance(reading, tuple) else reading


def saved_reading(
    state: Mapping[str, Any], kind: type[Reading], parts: Mapping[str, type] | None = None
) -> Reading | None:
    """Return the field ``reading`` of a saved state as `plain_reading` found it, or None where it holds none.

    Parameters
    ----------
    state
        What was saved.
    kind
        The dataclass.
    parts
        Dataclasses that its tuples hold, by field.

    Raises
    ------
    InvalidArgument
        If it is no such reading.
    """
    if isinstance(state, Mapping) and "reading" in state and state["reading"] is None:
        return None
    return rebuilt(field(state, "reading", dict), kind, parts)


def rebuilt(plain: Any, kind: type[Reading], parts: Mapping[str, type] | None = None) -> Reading:
    """Return one dataclass of what `plain_reading` made of it; arguments and errors as in `saved_reading`."""
    names = [f.name for f in fields(kind)]  # type: ignore[arg-type]
    if not isinstance(plain, Mapping) or set(plain) != set(names):
        raise InvalidArgument(f"a saved {kind.__name__} must have the fields {', '.join(names)}, but is {plain!r}")
    values = {}
    for name, value in plain.items():
        if parts and name in parts:
            value = tuple(rebuilt(item, parts[name]) for item in value)
        values[name] = tuple(value) if isinstance(value, list) else value
    return kind(**values)
