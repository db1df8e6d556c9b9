"""What can be set: every key with its unit, its range in words, and what it does."""

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from rpmcore.domain.settings import Section

Key = tuple[str, ...]

_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
_BOUNDS = (
    ("gt", "above"), ("ge", "at least"), ("lt", "below"), ("le", "at most"), ("pattern", "like"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """One setting.

    Attributes
    ----------
    key
        Section and name with dots.
    default
        In JSON's types.
    range
        What it takes, in words.
    """

    key: str
    default: Any
    unit: str
    range: str
    description: str


def is_section(field: FieldInfo) -> bool:
    """Return whether a field holds settings of its own."""
    return isinstance(field.annotation, type) and issubclass(field.annotation, Section)


def within(model: type[BaseModel], field: FieldInfo) -> type[BaseModel]:
    """Return the model of a section."""
    assert isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel), model  # noqa: PT018, S101
    return field.annotation


def fields(model: type[BaseModel], prefix: Key = ()) -> Iterator[tuple[Key, FieldInfo]]:
    """Yield every setting with its key, section by section."""
    for name, field in model.model_fields.items():
        if is_section(field):
            yield from fields(within(model, field), (*prefix, name))
        else:
            yield (*prefix, name), field


def sections(model: type[BaseModel], prefix: Key = ()) -> Iterator[tuple[Key, type[BaseModel]]]:
    """Yield every section with its key, each before those within it."""
    for name, field in model.model_fields.items():
        if is_section(field):
            inner = within(model, field)
            yield (*prefix, name), inner
            yield from sections(inner, (*prefix, name))


def describe(key: Key, field: FieldInfo) -> Described:
    """Return a setting in words."""
    extra = field.json_schema_extra
    unit = str(extra.get("unit", "")) if isinstance(extra, Mapping) else ""
    return Described(
        key=".".join(key), default=_plain(field.default), unit=unit, range=range_of(field),
        description=field.description or "",
    )  # fmt: skip


def range_of(field: FieldInfo) -> str:
    """Return what a setting takes, such as ``a number above 0 and below 1``."""
    return _words(field.annotation, tuple(field.metadata))


def choices(field: FieldInfo) -> int:
    """Return how many forms a setting's value can have, null left out."""
    return len([a for a in _members(field.annotation) if a is not type(None)])


def _members(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) in (Union, types.UnionType):
        return get_args(annotation)
    return (annotation,)


def _words(annotation: Any, metadata: tuple[Any, ...]) -> str:
    members = _members(annotation)
    if len(members) > 1:
        forms = [_words(member, metadata if member is not type(None) else ()) for member in members]
        return " or ".join(forms)
    origin, given = get_origin(annotation), get_args(annotation)
    if annotation is type(None):
        return "null"
    if origin is Annotated:
        return _words(given[0], (*_flat(given[1:]), *metadata))
    if origin is Literal:
        return _one_of([repr(value) for value in given])
    if origin is tuple:
        return f"a list, each {_words(given[0], ())}"
    if origin is dict:
        return f"a mapping of names, each {_words(given[1], ())}"
    return f"{_WORDS.get(annotation, 'a value')}{_bounds(metadata)}"


def _flat(metadata: tuple[Any, ...]) -> Iterator[Any]:
    for item in metadata:
        yield from item.metadata if isinstance(item, FieldInfo) else (item,)


def _bounds(metadata: tuple[Any, ...]) -> str:
    found = [
        f"{words} {bound:g}" if isinstance(bound, float) else f"{words} {bound}"
        for name, words in _BOUNDS
        for item in metadata
        if (bound := getattr(item, name, None)) is not None
    ]
    return f" {' and '.join(found)}" if found else ""


def _one_of(values: list[str]) -> str:
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} or {values[-1]}"


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
