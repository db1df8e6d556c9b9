"""Where settings come from: files, environment variables, assignments and options, one above the other."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from rpmcore.adapters.configuration.described import Key, fields, is_section, within
from rpmcore.adapters.secret_values import HIDDEN, is_secret
from rpmcore.adapters.strict_yaml import Document, parse, scalar
from rpmcore.domain.errors import ConfigurationError, InvalidArgument, nearest

ENVIRONMENTS = ("dev", "staging", "prod")
ENVIRONMENT_VARIABLE = "RPM_ENVIRONMENT"
PREFIX = "RPM__"
SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a value was given.

    Attributes
    ----------
    kind
        What sort of place it is.
    source
        Path of a file, name of a variable, or the assignment or option as it was spelled.
    line, column
        In a file, from 1.
    """

    kind: Literal["file", "variable", "assignment", "option"]
    source: str
    line: int | None = None
    column: int | None = None

    @property
    def text(self) -> str:
        """How messages call it."""
        return self.source if self.line is None else f"{self.source}, line {self.line}, column {self.column}"

    @property
    def short(self) -> str:
        """How tables call it: ``rpm.yaml:2:3``."""
        return self.source if self.line is None else f"{self.source}:{self.line}:{self.column}"


@dataclass(slots=True)
class Overlay:
    """Settings as far as they were given, each with where, and what stood there before.

    Attributes
    ----------
    values
        Nested by section.
    origins
        By path; of sections, settings, and what is within a list or mapping.
    history
        Every value that a setting was given, the first one lowest.
    """

    model: type[BaseModel]
    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[Key, Origin] = field(default_factory=dict)
    history: dict[Key, list[tuple[Origin, Any]]] = field(default_factory=dict)

    def lay_file(self, document: Document, source: str) -> None:
        """Put the values of a file above what is there; a list or mapping takes the place of the one below.

        Raises
        ------
        ConfigurationError
            If nothing stands behind the key of a setting: that could mean its default as well as null.
        """
        places = {
            path: Origin(kind="file", source=source, line=line, column=document.columns.get(path))
            for path, line in document.lines.items()
        }
        for key in sorted(document.empty & {key for key, _ in fields(self.model)}):
            raise _is_empty(places[key].text, key)
        self._lay(self.values, document.values, self.model, (), places)

    def _lay(
        self, tree: dict[str, Any], values: Mapping[str, Any], model: type[BaseModel], path: Key,
        places: Mapping[Key, Origin],
    ) -> None:  # fmt: skip
        for name, value in values.items():
            key, known = (*path, name), model.model_fields.get(name)
            if known is not None and is_section(known) and (value is None or isinstance(value, dict)):
                self.origins.setdefault(key, places[key])
                below = tree.setdefault(name, {})
                if value and isinstance(below, dict):
                    self._lay(below, value, within(model, known), key, places)
                continue
            if key in self.origins:
                self._forget(key)
            tree[name] = value
            self.origins[key] = places[key]
            if isinstance(value, list | dict):
                self.origins.update({p: origin for p, origin in places.items() if p[: len(key)] == key})
            self.history.setdefault(key, []).append((places[key], value))

    def _forget(self, key: Key) -> None:
        for path in [p for p in self.origins if p[: len(key)] == key]:
            del self.origins[path]

    def assign(self, keys: Key, value: Any, origin: Origin) -> None:
        """Put one value above what is there."""
        tree = self.values
        for key in keys[:-1]:
            if tree.get(key) is None:
                tree[key] = {}
            tree = tree[key]
            if not isinstance(tree, dict):
                raise ConfigurationError(f"{origin.text}: {key} is a value, not a section")
        self._forget(keys)
        tree[keys[-1]] = value
        self.origins[keys] = origin
        self.history.setdefault(keys, []).append((origin, value))


def read_file(path: Path) -> Document:
    """Return the values of a YAML or JSON file.

    Raises
    ------
    ConfigurationError
        If it cannot be read, repeats a key, or is neither; names line and column.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigurationError(f"{path}: no such settings file") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: cannot be read as a settings file: it is not text in UTF-8") from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ConfigurationError(f"{path}: cannot be read as a settings file: {why}") from error
    if path.suffix == ".json":
        _check_json(text, str(path))
        text = text.replace("\t", " ")  # JSON may be indented by tabs, YAML not; the columns stay
    return parse(text, str(path))


def _check_json(text: str, source: str) -> None:
    def refuse(word: str) -> Any:
        raise ConfigurationError(f"{source}: {word} is no number of JSON")

    try:
        json.loads(text, parse_constant=refuse, parse_int=str)  # Python refuses to read the longest whole numbers
    except json.JSONDecodeError as error:
        raise ConfigurationError(
            f"{source}, line {error.lineno}, column {error.colno}: not readable as JSON: {error.msg}"
        ) from error
    except RecursionError:
        raise ConfigurationError(f"{source}: not readable as JSON: it is nested too deeply") from None


def chosen_environment(named: str | None, variables: Mapping[str, str]) -> str | None:
    """Return the environment that an option or ``RPM_ENVIRONMENT`` chooses, the option first; None for none.

    Raises
    ------
    ConfigurationError
        If there is no such environment, or a variable looks like a misspelt one.
    """
    for name in variables:
        if name.upper().startswith("RPM_ENV") and name != ENVIRONMENT_VARIABLE:
            raise ConfigurationError(f"{name}: there is no such variable; did you mean {ENVIRONMENT_VARIABLE!r}?")
    found, where = named, "--environment"
    if found is None:
        found, where = variables.get(ENVIRONMENT_VARIABLE), ENVIRONMENT_VARIABLE
    if found is None or found in ENVIRONMENTS:
        return found
    meant = nearest(found, list(ENVIRONMENTS)) or next(
        (e for e in ENVIRONMENTS if found.casefold().startswith(e)), None
    )
    hint = f"; did you mean {meant!r}?" if meant else ""
    raise ConfigurationError(f"{where}: there is no environment {found!r}; known are dev, staging and prod{hint}")


def search(folders: tuple[Path, ...], environment: str | None) -> tuple[Path, ...]:
    """Return the settings files of the first folder that has any: ``rpm.yaml``, then that of the environment.

    Raises
    ------
    ConfigurationError
        If a folder has one of them twice, as YAML and as JSON, or cannot be looked into.
    """
    for folder in folders:
        stems = ["rpm", *([f"rpm.{environment}"] if environment else [])]
        found = [path for stem in stems if (path := _only(folder, stem)) is not None]
        if found:
            return tuple(found)
    return ()


def environment_file(path: Path, environment: str) -> Path | None:
    """Return the file of an environment beside a settings file, or None.

    Raises
    ------
    ConfigurationError
        As `search`.
    """
    return _only(path.parent, f"{path.stem}.{environment}")


def _only(folder: Path, stem: str) -> Path | None:
    try:
        found = [path for suffix in SUFFIXES if (path := folder / f"{stem}{suffix}").is_file()]
    except OSError as error:
        raise ConfigurationError(f"{folder}: cannot be looked into for settings: {error.strerror}") from error
    if len(found) > 1:
        raise ConfigurationError(f"{found[0]} and {found[1]} stand side by side. Keep one of them")
    return found[0] if found else None


def assignment(text: str) -> tuple[Key, Any, Origin]:
    """Return key, value and origin of ``section.key=value``.

    Raises
    ------
    ConfigurationError
        If it is none, or empty.
    InvalidArgument
        If it is no text.
    """
    if not isinstance(text, str):
        raise InvalidArgument(f"an assignment is a text such as 'limits.value_at_risk=0.015', and not {text!r}")
    name, equals, given = text.partition("=")
    keys = tuple(name.strip().split("."))
    shown = f"--set {name}={HIDDEN}" if is_secret(keys[-1]) and equals else f"--set {text}"
    if not equals or len(keys) < 2 or not all(keys):
        raise ConfigurationError(f"{shown}: expected section.key=value")
    if not given.strip():
        raise _is_empty(shown, keys)
    return keys, value_of(given, shown), Origin(kind="assignment", source=shown)


def _is_empty(where: str, key: Key) -> ConfigurationError:
    return ConfigurationError(f"{where}: {'.'.join(key)} is empty: give a value, or null where none is meant")


def value_of(text: str, where: str) -> Any:
    """Return what a text means as YAML: a scalar, or a list, mapping or quoted text."""
    stripped = text.strip()
    return parse(f"x: {stripped}", where).values["x"] if stripped[:1] in tuple("[{'\"") else scalar(stripped)


def assignments_of(variables: Mapping[str, str], model: type[BaseModel]) -> Iterator[tuple[Key, Any, Origin]]:
    """Yield key, value and origin of each ``RPM__SECTION__KEY``, whatever its case.

    Raises
    ------
    ConfigurationError
        For a variable that names no setting, with the nearest that does; for one that is empty, or set twice.
    """
    known = {"__".join(key).upper(): key for key, _ in fields(model)}
    written_alike = {_letters(f"{PREFIX}{name}"): f"{PREFIX}{name}" for name in known}
    taken: dict[Key, str] = {}
    for name in sorted(variables):
        upper = name.upper()
        if not re.match(r"^RPM_(_|\w+__)", upper):
            if _letters(upper) in written_alike:
                raise ConfigurationError(
                    f"{name}: there is no such setting; did you mean {written_alike[_letters(upper)]}?"
                )
            continue
        key = known.get(upper.removeprefix(PREFIX)) if upper.startswith(PREFIX) else None
        if key is None:
            meant = nearest(upper, [f"{PREFIX}{item}" for item in known])
            hint = f"; did you mean {meant}?" if meant else "; `rpm config show` lists all"
            raise ConfigurationError(f"{name}: there is no such setting{hint}")
        if key in taken:
            raise ConfigurationError(f"{taken[key]} and {name} set the same. Keep one of them")
        taken[key] = name
        if not variables[name].strip():
            raise _is_empty(name, key)
        yield key, value_of(variables[name], name), Origin(kind="variable", source=name)


def _letters(name: str) -> str:
    return re.sub("[^A-Z0-9]", "", name)
