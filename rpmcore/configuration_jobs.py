"""The jobs of ``rpm config``: show, explain, validate and compare settings. Nothing numeric is imported here."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from rpmcore.adapters.configuration.commented import write_commented
from rpmcore.adapters.configuration.described import Key, describe, fields, sections
from rpmcore.adapters.configuration.layers import ENVIRONMENTS, SUFFIXES, environment_file
from rpmcore.adapters.configuration.loading import (
    Configuration,
    Settings,
    load_configuration,
    settings_files,
    settings_folders,
)
from rpmcore.adapters.secret_values import HIDDEN, is_secret
from rpmcore.decision.settings import DecisionSettings
from rpmcore.decision.tightening import DIRECTIONS, NO_DIRECTION, Effect, changes
from rpmcore.domain.errors import ConfigurationError, nearest

DEFAULT = "default"
DEFAULT_FILE = "rpm.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingView:
    """A setting as it stands.

    Attributes
    ----------
    key
        Section and name with dots.
    value, default
        In JSON's types; ``(hidden)`` where the name says that it is secret.
    origin
        ``default``, or file with line and column, variable, assignment.
    """

    key: str
    value: Any
    unit: str
    range: str
    default: Any
    description: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A setting in full.

    Attributes
    ----------
    layers
        Every (origin, value) that it was given, the lowest layer first; the last one counts.
    tightens
        What tightens its control, in words; None where it is part of none.
    variable
        The environment variable that sets it.
    """

    setting: SettingView
    layers: tuple[tuple[str, Any], ...]
    tightens: str | None
    variable: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """Whether the settings of a file are sound.

    Attributes
    ----------
    files
        That were read, in their order.
    environment
        Whose settings lie above the first file's; None for none.
    digest
        Of the settings; None where they are not sound.
    problems, warnings
        One line each.
    """

    files: tuple[str, ...]
    environment: str | None
    digest: str | None
    problems: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A setting that two configurations do not share; `effect` is what going from A to B does to its control."""

    key: str
    a: Any
    b: Any
    a_origin: str
    b_origin: str
    effect: Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two configurations side by side: only what differs."""

    a: str
    b: str
    a_digest: str
    b_digest: str
    differences: tuple[Difference, ...]


def show(loaded: Configuration, section: str | None = None) -> tuple[SettingView, ...]:
    """Return every setting as it stands, of one section if it is named.

    Raises
    ------
    ConfigurationError
        If there is no such section, with the nearest.
    """
    if section is not None:
        known = [".".join(key) for key, _ in sections(Settings)]
        if section not in known:
            meant = nearest(section, known)
            hint = (
                f"; did you mean {meant!r}?" if meant else f"; known are {', '.join(k for k in known if '.' not in k)}"
            )
            raise ConfigurationError(f"--section: there is no section {section!r}{hint}")
    views = (_view(loaded, key) for key, _ in fields(Settings))
    return tuple(view for view in views if section is None or view.key.startswith(f"{section}."))


def explain(loaded: Configuration, key: str) -> Explanation:
    """Return what a setting is, does and was given.

    Raises
    ------
    ConfigurationError
        If there is no such setting, with the nearest; for a section, with its settings.
    """
    known = {".".join(k): k for k, _ in fields(Settings)}
    if key not in known:
        inside = [name for name in known if name.startswith(f"{key}.")]
        if inside:
            raise ConfigurationError(f"{key} is a section; its settings are {', '.join(inside)}")
        meant = nearest(key, list(known)) or next((name for name in known if name.split(".")[-1] == key), None)
        hint = f"; did you mean {meant!r}?" if meant else "; `rpm config show` lists all"
        raise ConfigurationError(f"there is no setting {key!r}{hint}")
    view = _view(loaded, known[key])
    given = loaded.history.get(known[key], ())
    return Explanation(
        setting=view,
        layers=((DEFAULT, view.default), *((origin.short, _shown(key, value)) for origin, value in given)),
        tightens=_tightens(key),
        variable=f"RPM__{'__'.join(known[key]).upper()}",
    )


def validate(files: tuple[str, ...] = (), *, today: date | None = None) -> tuple[Validation, ...]:
    """Check settings files alone and with the file of each environment beside them; variables are not looked at.

    Parameters
    ----------
    files
        Those to check; by default those that every command would find.
    today
        In place of the day it is, for flags that expire.

    Raises
    ------
    ConfigurationError
        If none is named and none is found.
    """
    bases: list[tuple[Path | None, str | None]] = [_base_of(Path(name)) for name in files] or [(None, None)]
    found = [check for path, environment in bases for check in _validated(path, environment, today)]
    if not found:
        raise ConfigurationError(_none_found())
    return tuple(found)


def compare(a: str, b: str, *, config: str | None = None, today: date | None = None) -> Comparison:
    """Return what differs between two files or environments; ``default`` stands for no file at all.

    Parameters
    ----------
    a, b
        ``dev``, ``staging``, ``prod``, ``default``, or a file.
    config
        The settings file below the environments, in place of the search.
    today
        In place of the day it is.

    Raises
    ------
    ConfigurationError
        If one of them is not sound.
    """
    one, other = (_named(name, config, today) for name in (a, b))
    differences = tuple(
        Difference(
            key=change.key, a=_shown(change.key, change.before), b=_shown(change.key, change.after),
            a_origin=_origin(one, tuple(change.key.split("."))), b_origin=_origin(other, tuple(change.key.split("."))),
            effect=change.effect if change.key.split(".")[0] in DecisionSettings.model_fields else "none",
        )
        for change in changes(one.settings, other.settings)
    )  # fmt: skip
    return Comparison(
        a=a, b=b, a_digest=one.settings.digest, b_digest=other.settings.digest, differences=differences
    )  # fmt: skip


def begin(path: str | None) -> Path:
    """Write a commented settings file and return where; see `write_commented`."""
    target = Path(path or DEFAULT_FILE)
    write_commented(target, Settings)
    return target


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of a settings file, with unit, range and default of every key, for editors."""
    schema = Settings.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Settings of rpm"}


def _view(loaded: Configuration, key: Key) -> SettingView:
    model: Any = Settings
    value: Any = loaded.settings
    for part in key[:-1]:
        model, value = model.model_fields[part].annotation, getattr(value, part)
    found = describe(key, model.model_fields[key[-1]])
    current = getattr(value, key[-1])
    return SettingView(
        key=found.key, value=_shown(found.key, list(current) if isinstance(current, tuple) else current),
        unit=found.unit, range=found.range, default=_shown(found.key, found.default), description=found.description,
        origin=_origin(loaded, key),
    )  # fmt: skip


def _origin(loaded: Configuration, key: Key) -> str:
    """Return where a value was given; of a mapping that was given by parts, where the first of them was."""
    found = loaded.origins.get(key) or next((o for path, o in loaded.origins.items() if path[: len(key)] == key), None)
    return DEFAULT if found is None else found.short


def _shown(key: str, value: Any) -> Any:
    return HIDDEN if is_secret(key.rpartition(".")[2]) and value is not None else value


def _tightens(key: str) -> str | None:
    way = DIRECTIONS.get(key)
    if isinstance(way, tuple):
        return f"{way[-1]!r}, against {' and '.join(repr(name) for name in way[:-1])}"
    if way in ("lower", "higher"):
        return f"a {way} value"
    return f"not known: {NO_DIRECTION[key]}" if key in NO_DIRECTION else None


def _base_of(path: Path) -> tuple[Path, str | None]:
    """Return the file below an environment's, and the environment: that is checked on top of its own base."""
    stem, dot, environment = path.stem.rpartition(".")
    if dot and environment in ENVIRONMENTS:
        for suffix in SUFFIXES:
            base = path.with_name(f"{stem}{suffix}")
            if base.is_file():
                return base, environment
    return path, None


def _validated(path: Path | None, environment: str | None, today: date | None) -> list[Validation]:
    if environment is not None:
        return [_validation(path, environment, today)]
    found = [_validation(path, None, today)]
    for name in ENVIRONMENTS:
        beside = _validation(path, name, today) if path is None or environment_file(path, name) is not None else None
        if beside is not None and len(beside.files) > len(found[0].files):
            found.append(beside)
    return [check for check in found if check.files]


def _validation(path: Path | None, environment: str | None, today: date | None) -> Validation:
    files: tuple[str, ...] = (str(path or DEFAULT_FILE),)
    try:
        files = tuple(map(str, settings_files(path, environment)))
        loaded = load_configuration(path, environment=environment, variables={}, today=today)
    except ConfigurationError as error:
        return Validation(
            files=files, environment=environment, digest=None, problems=tuple(str(error).splitlines()), warnings=()
        )
    return Validation(
        files=files, environment=environment, digest=loaded.settings.digest, problems=(),
        warnings=loaded.warnings,
    )  # fmt: skip


def _none_found() -> str:
    where = " or ".join(str(folder / DEFAULT_FILE) for folder in settings_folders())
    return f"there is no settings file {where}. Name one, or begin with: rpm config init"


def _named(name: str, config: str | None, today: date | None) -> Configuration:
    if name == DEFAULT:
        return load_configuration(variables={}, folders=(), today=today)
    if name in ENVIRONMENTS and not Path(name).exists():
        loaded = load_configuration(config, environment=name, variables={}, today=today)
        if not loaded.files:
            raise ConfigurationError(f"{name}: {_none_found()}")
        return loaded
    base, environment = _base_of(Path(name))
    return load_configuration(base, environment=environment, variables={}, today=today)
