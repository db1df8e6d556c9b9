"""YAML as a person means it: no octal, no sexagesimal, no Norway problem, no silent duplicate keys."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from rpmcore.domain.errors import ConfigurationError, RpmError

LONGEST_INTEGER = 1000
"""Python refuses to read whole numbers much longer than this; as a fraction they are infinite, and out of any range."""

_INTEGER = re.compile(r"^[-+]?(0|[1-9][0-9_]*)$")
_FLOAT = re.compile(r"^[-+]?([0-9][0-9_]*)?(\.[0-9_]*)?([eE][-+]?[0-9]+)?$")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


class _Shared(Exception):
    def __init__(self, mark: Any, what: str) -> None:
        super().__init__(what)
        self.mark, self.what = mark, what


class _PlainLoader(yaml.SafeLoader):
    """Stops at the first anchor, alias or tag: a few lines of aliases unfold to more than any memory holds."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise _Shared(event.start_mark, "an alias")
        if event.anchor is not None or event.tag is not None:
            raise _Shared(event.start_mark, "an anchor" if event.anchor is not None else "a tag")
        return super().compose_node(parent, index)


@dataclass(frozen=True, slots=True)
class Document:
    """The values of a YAML mapping, line and column of each key by its path, and keys behind which nothing stands."""

    values: Mapping[str, Any]
    lines: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    columns: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    empty: frozenset[tuple[str, ...]] = frozenset()


Failure = Callable[[str, str], RpmError]
"""Makes the error of where (file and line) and what."""

Refusal = Callable[[yaml.Mark, str], RpmError]
"""Makes the error of a place and what."""

Places = dict[tuple[str, ...], yaml.Mark]


def _setting_failure(where: str, problem: str) -> RpmError:
    return ConfigurationError(f"{where}: {problem}")


def parse(text: str, source: str, failure: Failure = _setting_failure) -> Document:
    """Return the mapping that a YAML text holds.

    Parameters
    ----------
    text
        YAML. ``1e-3`` is a number; ``12:30``, ``010`` and ``NO`` are text; booleans are ``true`` and ``false``.
    source
        What messages call the text.
    failure
        Makes the error that is raised.

    Raises
    ------
    ConfigurationError, or what `failure` makes
        If it is not YAML, not a mapping, repeats a key, or uses tags, anchors or several documents.
    """
    places: Places = {}

    def refuse(mark: yaml.Mark, problem: str) -> RpmError:
        return failure(f"{source}, line {mark.line + 1}, column {mark.column + 1}", problem)

    try:
        node = yaml.compose(text, Loader=_PlainLoader)
        values = {} if node is None else _value(node, (), places, refuse)
    except _Shared as error:
        raise refuse(
            error.mark, f"{error.what} is not taken here. Write the value out, or put the text in quotes"
        ) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise failure(f"{source}{where}", f"not readable as YAML: {error.problem}") from error
    except yaml.reader.ReaderError as error:
        line, start = text.count("\n", 0, error.position) + 1, text.rfind("\n", 0, error.position)
        where = f"{source}, line {line}, column {error.position - start}"
        raise failure(where, f"not readable as YAML: the character {text[error.position]!r} is not taken") from error
    except yaml.YAMLError as error:
        raise failure(source, f"not readable as YAML: {error}") from error
    except RecursionError:
        raise failure(source, "not readable as YAML: it is nested too deeply") from None
    if not isinstance(values, dict):
        raise failure(source, f"expected keys with values, found {type(values).__name__}")
    return Document(
        values,
        {path: mark.line + 1 for path, mark in places.items()},
        {path: mark.column + 1 for path, mark in places.items()},
        frozenset(_empty(node, ())),
    )


def scalar(text: str) -> Any:
    """Return what a plain (unquoted) YAML scalar means: a number, true, false, null or text."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INTEGER.match(text) and len(text) <= LONGEST_INTEGER:
        return int(text.replace("_", ""))
    if any(c.isdigit() for c in text) and _FLOAT.match(text) and not re.match(r"^[-+]?0[0-9]+$", text):
        return float(text.replace("_", ""))
    return text


def _empty(node: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        yield from _empty(value, (*path, key.value))
        if isinstance(value, yaml.ScalarNode) and value.style is None and not value.value:
            yield (*path, key.value)


def _value(node: yaml.Node, path: tuple[str, ...], places: Places, refuse: Refusal) -> Any:
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            mark = key_node.start_mark
            if not isinstance(key_node, yaml.ScalarNode):
                raise refuse(mark, "a key must be text")
            key = key_node.value
            if key in mapping:
                raise refuse(
                    mark,
                    f"{'.'.join((*path, key))} is set twice (first on line {places[(*path, key)].line + 1}). "
                    "Keep one of them",
                )
            places[(*path, key)] = mark
            mapping[key] = _value(value_node, (*path, key), places, refuse)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*path, str(i)), places, refuse) for i, item in enumerate(node.value)]
    if isinstance(node, yaml.ScalarNode):
        return scalar(node.value) if node.style is None else node.value
    raise refuse(node.start_mark, "not a value")
