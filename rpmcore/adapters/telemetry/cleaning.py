"""What may stand in a log line: no secrets, no control characters, nothing endless, nothing that is no JSON."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from functools import lru_cache
from math import isfinite
from numbers import Integral, Real
from typing import Any

from rpmcore.domain.redaction import REDACTED, is_secret, redacted

LONGEST_TEXT = 1024
LONGEST_NAME = 128
MOST_ITEMS = 64
DEEPEST = 4
LARGEST_INTEGER = 2**63 - 1


def clean_text(text: str, longest: int = LONGEST_TEXT) -> str:
    r"""Return a text on one line, as ``\n`` and the like for what no screen shows, and cut where it is too long."""
    length = len(text)
    if length > longest:
        text = text[: 2 * longest]
    text = redacted(text)
    if length > longest:
        text = f"{text[:longest]}… ({length - longest} more)"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


@lru_cache(maxsize=4096)
def clean_name(name: str) -> str:
    """Return the name of a field on one line, and not too long."""
    return clean_text(name, LONGEST_NAME)


def clean_value(value: Any, depth: int = 0) -> Any:
    """Return a value in JSON's types, bounded; a number that is not finite becomes its name."""
    kind = type(value)
    if kind is str:
        return clean_text(value)
    if value is None or kind is bool:
        return value
    if kind is int:
        return value if -LARGEST_INTEGER <= value <= LARGEST_INTEGER else clean_text(_digits(value))
    if kind is float:
        return value if isfinite(value) else "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    return _other(value, depth)


def clean_fields(fields: Mapping[Any, Any], depth: int = 0) -> dict[str, Any]:
    """Return fields with clean names and values, what goes by the name of a secret redacted."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        if len(found) == MOST_ITEMS:
            found["truncated"] = len(fields) - MOST_ITEMS
            break
        text = name if type(name) is str else _text(name)
        secret = value is not None and is_secret(text)
        found[clean_name(text)] = REDACTED if secret else clean_value(value, depth)
    return found


def _other(value: Any, depth: int) -> Any:
    if isinstance(value, Enum):
        return clean_value(value.value, depth)
    if isinstance(value, str):
        return clean_text(str(value))
    if isinstance(value, Integral):
        return clean_value(int(value))
    if isinstance(value, Real):
        return clean_value(float(value))
    if isinstance(value, datetime | date):
        return value.isoformat()
    if depth >= DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        return clean_fields(value, depth + 1)
    if isinstance(value, list | tuple | set | frozenset):
        items = [clean_value(item, depth + 1) for item, _ in zip(value, range(MOST_ITEMS), strict=False)]
        return items if len(value) <= MOST_ITEMS else [*items, f"… ({len(value) - MOST_ITEMS} more)"]
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    return clean_text(_text(value))


def _text(value: Any) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - an object that cannot say what it is must not stop whoever logs it
        return f"<{type(value).__name__} that cannot be shown>"


def _digits(value: int) -> str:
    try:
        return str(value)
    except ValueError:
        return f"<a number of {value.bit_length()} bits>"
