"""Numbers small enough to compute with: below the largest, every product that the engine forms is finite."""

from rpmcore.domain.errors import InvalidArgument
from rpmcore.risk.sizing.exact import finite

LARGEST = 1e15
"""A larger quantity, price or amount of money is a slip."""


def check_amount(value: float, name: str) -> None:
    """Refuse an amount, of either sign, that is none or too large to be one.

    Raises
    ------
    InvalidArgument
        If it is no finite number, or beyond `LARGEST`.
    """
    # An integer is compared first: one that no float can hold cannot even be asked whether it is finite.
    if not isinstance(value, int):
        finite(value, name)
    if isinstance(value, bool) or abs(value) > LARGEST:
        raise InvalidArgument(f"{name} is {value!r}: a number no larger than {LARGEST:g} is needed")


def check_positive(value: float, name: str) -> None:
    """Refuse a price or quantity that is none: not between 1/`LARGEST` and `LARGEST`.

    Raises
    ------
    InvalidArgument
        As `check_amount`, or if it is not positive.
    """
    check_amount(value, name)
    if value < 1.0 / LARGEST:
        raise InvalidArgument(f"{name} is {value!r}: a number above 0 is needed")
