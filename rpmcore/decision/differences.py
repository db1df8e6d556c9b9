"""In what two records differ, field by field, and whether the rounding of another processor explains it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isclose
from typing import Any

TOLERANCE = 1e-9
"""On another processor sums round otherwise: numbers must agree to this, verdicts, sizes and reasons exactly."""

EXACT = frozenset({"approved", "quantity", "filled", "positions", "orders"})
"""Fields in which no number may differ at all: sizes are whole lots, in decimals, on every machine."""

ABSENT = "(nothing)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A field that differs.

    Attributes
    ----------
    field
        Such as ``checks.3.observed``.
    recorded, replayed
        What stands, and what came out; ``(nothing)`` where there is none.
    near
        Whether they are numbers that differ by rounding alone.
    """

    field: str
    recorded: Any
    replayed: Any
    near: bool


def differences(recorded: Any, replayed: Any, path: str = "", exact: bool = False) -> Iterator[Difference]:
    """Yield the fields of two plain values that differ, in the order of their names."""
    if isinstance(recorded, Mapping) and isinstance(replayed, Mapping):
        for name in sorted({*recorded, *replayed}):
            yield from differences(
                recorded.get(name, ABSENT), replayed.get(name, ABSENT), f"{path}.{name}" if path else name,
                exact or name in EXACT,
            )  # fmt: skip
    elif _is_list(recorded) and _is_list(replayed) and len(recorded) == len(replayed):
        for place, (one, other) in enumerate(zip(recorded, replayed, strict=True)):
            yield from differences(one, other, f"{path}.{place}" if path else str(place), exact)
    elif type(recorded) is not type(replayed) or recorded != replayed or str(recorded) != str(replayed):
        near = not exact and _is_number(recorded) and _is_number(replayed) and _close(recorded, replayed)
        yield Difference(field=path, recorded=recorded, replayed=replayed, near=near)


def agree(recorded: Any, replayed: Any) -> bool:
    """Return whether two plain values are the same but for the last digits of numbers."""
    return all(difference.near for difference in differences(recorded, replayed))


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_number(value: Any) -> bool:
    return type(value) is float or type(value) is int


def _close(one: float, other: float) -> bool:
    return type(one) is type(other) is float and isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
