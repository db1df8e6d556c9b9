"""One settings file and ``--set`` options, checked, as one frozen object with a digest."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from rpmcore.adapters.alerts.settings import AlertSettings
from rpmcore.adapters.strict_yaml import Document, parse, scalar
from rpmcore.adapters.telemetry.settings import ObservabilitySettings
from rpmcore.decision.settings import DecisionSettings
from rpmcore.domain.errors import ConfigurationError, nearest


class Settings(DecisionSettings):
    """Every setting of rpm, by section."""

    observability: ObservabilitySettings = ObservabilitySettings()
    alerts: AlertSettings = AlertSettings()

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


def load_settings(
    path: str | Path | None = None,
    assignments: Iterable[str] = (),
    options: Mapping[str, Any] | None = None,
    spelling: Mapping[str, str] | None = None,
    *,
    base: Mapping[str, Any] | None = None,
) -> Settings:
    """Return the settings: defaults, over them the file, ``section.key=value`` assignments, and options.

    Parameters
    ----------
    path
        A YAML file of sections.
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
        file and line, or the option.
    """
    document = _read(Path(path)) if path is not None else Document({})
    merged = json.loads(json.dumps(document.values if path is not None else dict(base or {})))
    origin = {key: f"{path}, line {line}" for key, line in document.lines.items()}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        keys = tuple(name.strip().split("."))
        if not equals or len(keys) < 2 or not all(keys):
            raise ConfigurationError(f"--set {assignment}: expected section.key=value")
        value = parse(f"x: {text}", f"--set {assignment}").values["x"] if text[:1] in "[{" else scalar(text.strip())
        _assign(merged, keys, value, f"--set {assignment}")
        origin[keys] = f"--set {assignment}"
    for name, value in (options or {}).items():
        if value is not None:
            keys = tuple(name.split("."))
            _assign(merged, keys, value, name)
            origin[keys] = (spelling or {}).get(name, f"--{keys[-1].replace('_', '-')}")
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        found = error.errors()
        # A list whose element is refused is reported again as too short.
        within = [item["loc"] for item in found]
        causes = [i for i in found if not any(loc != i["loc"] and loc[: len(i["loc"])] == i["loc"] for loc in within)]
        raise ConfigurationError("\n".join(_explain(item, origin) for item in causes)) from error


def _read(path: Path) -> Document:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigurationError(f"{path}: no such settings file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read as a settings file: {error}") from error
    return parse(text, str(path))


def _assign(tree: dict[str, Any], keys: tuple[str, ...], value: Any, origin: str) -> None:
    for key in keys[:-1]:
        tree = tree.setdefault(key, {})
        if not isinstance(tree, dict):
            raise ConfigurationError(f"{origin}: {key} is a value, not a section")
    tree[keys[-1]] = value


def _explain(error: Any, origin: Mapping[tuple[str, ...], str]) -> str:
    """Return one sentence for one validation error: where, what was found, what is expected."""
    location = tuple(str(part) for part in error["loc"])
    known = [location[:n] for n in range(len(location), 0, -1) if location[:n] in origin]
    where = origin[known[0]] if known else "settings"
    fields = _fields(location[:-1])
    name = ".".join(known[0] if known else location)
    if error["type"] == "extra_forbidden":
        meant = nearest(location[-1], list(fields))
        hint = f"; did you mean {meant!r}?" if meant else f"; known are {', '.join(sorted(fields))}"
        return f"{where}: there is no setting {'.'.join(location)!r}{hint}"
    found = error["input"]
    hint = ""
    if error["type"] == "less_than" and isinstance(found, int | float) and 50 <= found < 100:
        hint = f"; did you mean {found / 100:g}?"
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "value_error":
        return f"{'.'.join(location)}: {message}"
    return f"{where}: {name} is {found!r}: {message[0].lower()}{message[1:]}{hint}"


def _fields(location: tuple[str, ...]) -> dict[str, Any]:
    model: Any = Settings
    for part in location:
        found = model.model_fields.get(part)
        if found is None or not (isinstance(found.annotation, type) and issubclass(found.annotation, BaseModel)):
            return {}
        model = found.annotation
    return dict(model.model_fields)
