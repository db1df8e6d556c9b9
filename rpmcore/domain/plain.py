"""Results as plain mappings, ready for JSON."""

from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from math import isfinite
from typing import Any

import numpy as np


def to_plain(value: Any) -> Any:
    """Return dataclasses, tuples, dates and NumPy scalars as dicts, lists, text and numbers, unrounded.

    A field ``x_reason`` beside a field ``x`` is kept only where ``x`` is None: it says why.

    Raises
    ------
    ValueError
        For a number that is not finite: an undefined number must be None with its reason.
    """
    if is_dataclass(value) and not isinstance(value, type):
        plain = {f.name: getattr(value, f.name) for f in fields(value)}
        return {
            name: to_plain(item)
            for name, item in plain.items()
            if not (name.endswith("_reason") and plain.get(name.removesuffix("_reason")) is not None)
        }
    if isinstance(value, dict):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, np.ndarray):
        return [to_plain(item) for item in value.tolist()]
    if isinstance(value, np.generic):
        return to_plain(value.item())
    if isinstance(value, Decimal):
        return to_plain(float(value))
    if isinstance(value, float) and not isfinite(value):
        raise ValueError(f"{value!r} has no place in JSON; say None and why")
    if isinstance(value, date):
        return value.isoformat()
    return value
