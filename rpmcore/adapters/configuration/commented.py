"""A settings file to begin with: every section and default, with what it does, commented out."""

import json
import os
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from rpmcore.adapters.configuration.described import describe, is_section, within
from rpmcore.domain.errors import ConfigurationError

HEAD = """\
# Settings of rpm. Every value below is the default, commented out: take the # away from what you want otherwise.
# Above this file lie rpm.dev.yaml, rpm.staging.yaml or rpm.prod.yaml (--environment, RPM_ENVIRONMENT), then variables
# such as RPM__LIMITS__VALUE_AT_RISK, then --set section.key=value. `rpm config explain KEY` tells where one is from.
"""


def commented(model: type[BaseModel]) -> str:
    """Return the text of the file."""
    return "\n".join([HEAD, *_section(model, 0)]).rstrip() + "\n"


def write_commented(path: Path, model: type[BaseModel]) -> None:
    """Write the file where there is none yet.

    Raises
    ------
    ConfigurationError
        If there is one, or it cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        raise ConfigurationError(f"{path}: there is a file already, and it is not overwritten. Name another") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(commented(model))


def _section(model: type[BaseModel], depth: int) -> list[str]:
    indent = "  " * depth
    lines: list[str] = []
    for name, field in model.model_fields.items():
        if is_section(field):
            inner = within(model, field)
            lines += [f"{indent}# {(inner.__doc__ or '').splitlines()[0]}", f"{indent}{name}:"]
            lines += _section(inner, depth + 1)
            continue
        found = describe((name,), field)
        lines += [
            f"{indent}# {found.description} [{found.unit}: {found.range}]",
            f"{indent}#{name}: {in_yaml(found.default)}", "",
        ]  # fmt: skip
    return lines


def in_yaml(value: Any) -> str:
    """Return a value as YAML on one line, which reads back as itself."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(in_yaml, value))}]"
    if isinstance(value, str) and value.isidentifier() and value.casefold() not in ("true", "false", "null"):
        return value
    return json.dumps(value, ensure_ascii=False)
