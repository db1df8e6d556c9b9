"""Numbers as people write them, in decimal arithmetic: 1 234.56, 1.234,56, −5, 5-, (5)."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

DecimalMark = Literal[".", ","]

_LONGEST = 40
_LARGEST = Decimal(10) ** 18
"""A larger amount is a slip: no account holds as much."""

_BLANKS = " \u00a0\u202f\u2009\u2007'’"
_MINUS = "-−–‑"
_SIGNED = re.compile(
    rf"(?P<open>\()?\s*(?P<lead>[{_MINUS}+])?\s*(?P<body>.*?)\s*(?P<trail>[{_MINUS}+])?\s*(?P<shut>\))?"
)
_BODIES = {
    mark: re.compile(rf"(?:[0-9]{{1,3}}(?:(?P<group>[{other}{_BLANKS}])[0-9]{{3}}(?:(?P=group)[0-9]{{3}})*)|[0-9]+)"
                     rf"(?:[{mark}][0-9]+)?|[{mark}][0-9]+")
    for mark, other in ((".", ","), (",", "."))
}  # fmt: skip


def parse_number(text: str, mark: DecimalMark) -> Decimal | None:
    """Return the number that `text` is, or None.

    Parameters
    ----------
    text
        Digits, perhaps in groups of three (by blanks, no-break spaces, apostrophes, or the mark that is not the decimal
        one), with one sign before or behind, or in brackets for a negative number.
    mark
        What stands before the decimals.
    """
    if len(text) > _LONGEST:
        return None
    found = _SIGNED.fullmatch(text.strip())
    if found is None or (found["open"] is None) != (found["shut"] is None):
        return None
    signs = [sign for sign in (found["lead"], found["trail"], found["open"]) if sign]
    if len(signs) > 1 or not _BODIES[mark].fullmatch(found["body"]):
        return None
    other = "," if mark == "." else "."
    digits = found["body"].translate(str.maketrans("", "", other + _BLANKS)).replace(mark, ".")
    number = Decimal(digits)
    if number > _LARGEST:
        return None
    return -number if signs and signs[0] != "+" and number else number


def decimal_mark(texts: Iterable[str]) -> tuple[DecimalMark | None, str | None]:
    """Return which mark stands before the decimals, and the first text that could be read in two ways if none tells.

    ``1,234.56``, ``0.5`` and ``1.08500`` tell; ``1.234`` does not: it is a thousand to some, and a little to others.
    """
    doubtful: str | None = None
    for text in texts:
        body = "".join(c for c in text if c.isascii() and (c.isdigit() or c in ".,"))
        points, commas = body.count("."), body.count(",")
        if points and commas:
            return (".", None) if body.rfind(".") > body.rfind(",") else (",", None)
        if not points and not commas:
            continue
        mark: DecimalMark = "." if points else ","
        if max(points, commas) > 1:
            return (",", None) if mark == "." else (".", None)
        before, _, after = body.partition(mark)
        grouped = any(blank in text.strip(f" ()+{_MINUS}") for blank in _BLANKS)
        if len(after) != 3 or len(before) > 3 or before in ("", "0") or grouped:
            return mark, None
        doubtful = doubtful or text
    return None, doubtful
