"""One canonical JSON: the same value has the same bytes on every machine, so that bytes can be compared and signed."""

import json
from hashlib import sha256
from math import isfinite
from typing import Any

from rpmcore.domain.errors import InvalidArgument

_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
)


_NESTED = (list, tuple)
_FLAT = frozenset({str, float, int, bool, type(None)})


def canonical_bytes(plain: Any) -> bytes:
    """Return the canonical JSON of plain values: sorted keys, no spaces, UTF-8, floats as `repr` writes them.

    Parameters
    ----------
    plain
        None, booleans, numbers, text, lists or tuples, and mappings with text as keys (see `to_plain`). A whole number
        and a float stay apart: ``1`` and ``1.0`` are different bytes, and so are ``0.0`` and ``-0.0``.

    Raises
    ------
    InvalidArgument
        For NaN, an infinity, a key that is no text, text that is no Unicode, and what nests too deeply or is none of
        the above.
    """
    try:
        _refuse_other_keys(plain)
        return _ENCODER.encode(plain).encode()
    except (TypeError, ValueError) as error:
        raise InvalidArgument(f"cannot be written as canonical JSON: {error}") from error
    except RecursionError:
        raise InvalidArgument("cannot be written as canonical JSON: it is nested too deeply") from None


def parse(raw: bytes) -> Any:
    """Return the value that JSON bytes hold, as dicts, lists, text, numbers, booleans and None.

    ``canonical_bytes(parse(raw)) == raw`` wherever `raw` came from `canonical_bytes`.

    Raises
    ------
    InvalidArgument
        For what is no UTF-8 or no JSON, repeats a key, or holds NaN, an infinity or a number too large for a float.
    """
    try:
        return _DECODER.decode(raw.decode())
    except ValueError as error:
        raise InvalidArgument(f"cannot be read as JSON: {error}") from error
    except RecursionError:
        raise InvalidArgument("cannot be read as JSON: it is nested too deeply") from None


def digest(raw: bytes) -> str:
    """Return the SHA-256 of the bytes as 64 hexadecimal digits."""
    return sha256(raw).hexdigest()


def _refuse_other_keys(value: Any) -> None:
    """Python would write 1, true and null as the text "1", "true" and "null", and two keys could become one."""
    if isinstance(value, dict):
        for key in value:
            if type(key) is not str and not isinstance(key, str):
                raise TypeError(f"the key {key!r} is no text")
        value = value.values()
    elif not isinstance(value, _NESTED):
        return
    for item in value:
        if type(item) not in _FLAT:
            _refuse_other_keys(item)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} stands twice")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"{text[:40]} is no finite number")
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_finite)
