"""Decimal numbers: money and quantities as they were written, and no 0.30000000000000004 lots."""

from decimal import ROUND_DOWN, Context, Decimal
from math import isfinite

from rpmcore.domain.errors import InvalidArgument

CONTEXT = Context(prec=50, rounding=ROUND_DOWN)
"""Fifty digits hold every product of three floats exactly; what does not fit is cut, toward less risk."""


def finite(value: float | Decimal, name: str) -> None:
    """Check that a number is one.

    Raises
    ------
    InvalidArgument
        If it is NaN, infinite, or no number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise InvalidArgument(f"{name} must be a number, but is {value!r}")
    try:
        number = float(value)
    except (OverflowError, ValueError):
        raise InvalidArgument(f"{name} must be finite, but is larger than a number can be, or none") from None
    if not isfinite(number):
        raise InvalidArgument(f"{name} must be finite, but is {number}")


def exact(value: float | Decimal) -> Decimal:
    """Return the shortest decimal that reads back as `value`: 0.1 for the float nearest to a tenth."""
    if isinstance(value, float):
        return Decimal(int(value) if value.is_integer() else float.__repr__(value))
    return value if isinstance(value, Decimal) else Decimal(value)
