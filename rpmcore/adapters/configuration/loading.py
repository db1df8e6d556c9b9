"""Settings in layers, checked, as one frozen object with a digest that knows where each value comes from."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar, cast

import platformdirs
from pydantic import ValidationError

from rpmcore.adapters.alerts.settings import AlertSettings
from rpmcore.adapters.configuration.described import Key
from rpmcore.adapters.configuration.layers import (
    Origin,
    Overlay,
    assignment,
    assignments_of,
    chosen_environment,
    environment_file,
    read_file,
    search,
)
from rpmcore.adapters.configuration.problems import explain
from rpmcore.adapters.configuration.server_settings import ServerSettings
from rpmcore.adapters.telemetry.settings import ObservabilitySettings
from rpmcore.decision.flags import FlagsSettings
from rpmcore.decision.settings import DecisionSettings
from rpmcore.domain.errors import ConfigurationError, InvalidArgument
from rpmcore.risk.settings import RiskSettings


class Settings(DecisionSettings):
    """Every setting of rpm, by section."""

    observability: ObservabilitySettings = ObservabilitySettings()
    alerts: AlertSettings = AlertSettings()
    server: ServerSettings = ServerSettings()

    @property
    def of_decisions(self) -> DecisionSettings:
        """The sections that figures and decisions depend on."""
        return DecisionSettings(**{name: getattr(self, name) for name in DecisionSettings.model_fields})

    @property
    def digest(self) -> str:
        """SHA-256, in canonical JSON, of all values that figures and decisions depend on.

        Equal settings, however given, have one digest; where logs go to changes none.
        """
        canonical = json.dumps(self.of_decisions.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def digest_of(settings: RiskSettings) -> str:
    """Return the digest of settings; sections that they lack stand at their defaults."""
    return (settings if isinstance(settings, Settings) else Settings(**dict(settings))).digest


_Kind = TypeVar("_Kind", bound=RiskSettings)


def settings_or_defaults(settings: _Kind | None, kind: type[_Kind]) -> _Kind:
    """Return the settings that a job was given; all at their defaults if None.

    Raises
    ------
    InvalidArgument
        As `given_settings`: an empty mapping, too, is no wish for the defaults.
    """
    return cast("_Kind", Settings()) if settings is None else given_settings(settings, kind)


def given_settings(settings: object, kind: type[_Kind]) -> _Kind:
    """Return the settings that a job was given.

    Raises
    ------
    InvalidArgument
        If they are none, such as a path or a mapping of sections.
    """
    if isinstance(settings, kind):
        return settings
    found = f"the path {str(settings)!r}" if isinstance(settings, str | Path) else _called(settings)
    raise InvalidArgument(
        f"settings must be what load_settings returns, but is {found}: load_settings('rpm.yaml') reads a file, "
        "load_settings(assignments=['limits.value_at_risk=0.015']) changes a value, load_settings(base={…}) takes "
        "a mapping of sections"
    )


def _called(value: object) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else f"of type {type(value).__name__}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Settings, and how they came about.

    Attributes
    ----------
    settings
        What stands at the end.
    origins
        Where each value was given, by its path; a default has none.
    history
        Every value that a setting was given, the lowest layer first.
    files
        That were read, in their order.
    found
        Whether they were looked for, and not named.
    environment
        ``dev``, ``staging``, ``prod``, or None.
    warnings
        What a user should know.
    """

    settings: Settings
    origins: Mapping[Key, Origin]
    history: Mapping[Key, tuple[tuple[Origin, Any], ...]]
    files: tuple[Path, ...]
    found: bool
    environment: str | None
    warnings: tuple[str, ...]


def load_settings(
    path: str | Path | None = None,
    assignments: Iterable[str] = (),
    options: Mapping[str, Any] | None = None,
    spelling: Mapping[str, str] | None = None,
    *,
    base: Mapping[str, Any] | None = None,
) -> Settings:
    """Return the settings: defaults, over them the file, ``section.key=value`` assignments, and options.

    Nothing else is looked at: no other file, no environment variable; `load_configuration` does that.

    Parameters
    ----------
    path
        A YAML or JSON file of sections.
    assignments
        Texts such as ``"covariance.decay=0.97"``; the value is read as a YAML scalar.
    options
        Values of command-line options by dotted key; None means that the option was not given.
    spelling
        How messages call an option, by dotted key; by default two hyphens and the last part of the key.
    base
        Settings by section in place of the defaults, where no file is given.

    Raises
    ------
    ConfigurationError
        For a file that cannot be read, an unknown key (with the nearest known one) or a value out of its range; names
        file, line and column, or the option.
    InvalidArgument
        If `path` is no path, or `assignments` are not several texts.
    """
    return load_configuration(
        path,
        variables={},
        assignments=assignments,
        options=options,
        spelling=spelling,
        folders=(),
        base=base if path is None else None,
    ).settings


def load_configuration(
    path: str | Path | None = None,
    *,
    environment: str | None = None,
    variables: Mapping[str, str] | None = None,
    assignments: Iterable[str] = (),
    options: Mapping[str, Any] | None = None,
    spelling: Mapping[str, str] | None = None,
    folders: tuple[Path, ...] | None = None,
    base: Mapping[str, Any] | None = None,
    today: date | None = None,
) -> Configuration:
    """Return the settings of every layer: defaults, file, file of the environment, variables, assignments, options.

    Parameters
    ----------
    path
        A settings file, in place of the search; that of the environment stands beside it (``<stem>.<environment>``).
    environment
        ``dev``, ``staging`` or ``prod``; by default what ``RPM_ENVIRONMENT`` says.
    variables
        In place of the process's own.
    assignments, options, spelling
        As in `load_settings`.
    folders
        Where ``rpm.yaml`` is looked for, the first folder that has one counts; by default the working directory, then
        the user's configuration folder.
    base
        Settings by section in place of the defaults.
    today
        In place of the day it is in UTC, for flags that expire.

    Raises
    ------
    ConfigurationError
        As `load_settings`; for a misspelt variable or environment; in prod for a flag that has expired or loosens.
    InvalidArgument
        As `load_settings`.
    """
    _check_given(path, assignments)
    given = os.environ if variables is None else variables
    chosen = chosen_environment(environment, given)
    files = settings_files(path, chosen, folders)
    overlay = Overlay(Settings, json.loads(json.dumps(dict(base or {}))))
    for file in files:
        overlay.lay_file(read_file(file), str(file))
    for keys, value, origin in assignments_of(given, Settings):
        overlay.assign(keys, value, origin)
    for text in assignments:
        overlay.assign(*assignment(text))
    for name, value in (options or {}).items():
        if value is not None:
            keys = tuple(name.split("."))
            spelled = (spelling or {}).get(name, f"--{keys[-1].replace('_', '-')}")
            overlay.assign(keys, value, Origin(kind="option", source=spelled))
    try:
        settings = Settings.model_validate(overlay.values)
    except ValidationError as error:
        raise ConfigurationError(explain(error, Settings, overlay.origins)) from error
    warnings = check_flags(settings.flags, chosen, today or datetime.now(UTC).date())
    return Configuration(
        settings=settings, origins=overlay.origins, history={k: tuple(v) for k, v in overlay.history.items()},
        files=files, found=path is None, environment=chosen, warnings=warnings,
    )  # fmt: skip


def _check_given(path: object, assignments: object) -> None:
    if not (path is None or isinstance(path, str | os.PathLike)):
        raise InvalidArgument(
            f"path must name a settings file, but is {_called(path)}: "
            "load_settings(base={…}) takes a mapping of sections"
        )
    if not isinstance(assignments, Iterable) or isinstance(assignments, str | bytes | Mapping):
        raise InvalidArgument(
            f"assignments must be a list of texts such as ['limits.value_at_risk=0.015'], but is {_called(assignments)}"
        )


def settings_folders() -> tuple[Path, ...]:
    """Return where settings are looked for: the working directory, then the user's configuration folder."""
    return (Path(), Path(platformdirs.user_config_dir("rpmcore", appauthor=False)))


def settings_files(
    path: str | Path | None, environment: str | None, folders: tuple[Path, ...] | None = None
) -> tuple[Path, ...]:
    """Return the files that are read: the one named, or those found, and above it that of the environment.

    Raises
    ------
    ConfigurationError
        If a folder has one of them twice, as YAML and as JSON.
    """
    if path is None:
        return search(settings_folders() if folders is None else folders, environment)
    own = Path(path)
    beside = environment_file(own, environment) if environment else None
    return (own,) if beside is None else (own, beside)


def check_flags(flags: FlagsSettings, environment: str | None, today: date) -> tuple[str, ...]:
    """Return what is to be told of flags that have expired.

    Raises
    ------
    ConfigurationError
        In prod for a flag that has expired, or that loosens a control.
    """
    expired = [
        f"flags.{name} expired on {flag.expires}: {flag.owner} answers for it. Take it away, or set another day"
        for name, flag in flags.by_name().items()
        if flag.expired(today)
    ]
    if environment != "prod":
        return tuple(expired)
    loosening = [
        f"flags.{name} is {flag.value:g}, which loosens a control: in prod a flag can only tighten one"
        for name, flag in flags.by_name().items()
        if flag.loosens
    ]
    if expired or loosening:
        raise ConfigurationError("\n".join((*expired, *loosening)))
    return ()
