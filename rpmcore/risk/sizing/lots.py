"""Whole lots: the sizes that can be traded."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Self

from rpmcore.domain.errors import InvalidArgument
from rpmcore.risk.sizing.exact import CONTEXT, exact, finite


@dataclass(frozen=True, slots=True, kw_only=True)
class LotRules:
    """The sizes in which an instrument trades. Made by `LotRules.of`.

    Attributes
    ----------
    step
        The smallest difference between two quantities; one *lot*.
    minimum
        The smallest quantity, in whole lots.
    maximum
        The largest, in whole lots; None for no maximum.
    """

    step: Decimal
    minimum: Decimal
    maximum: Decimal | None = None

    @classmethod
    def of(
        cls, step: float | Decimal, minimum: float | Decimal | None = None, maximum: float | Decimal | None = None
    ) -> Self:
        """Return the rules; a minimum between two lots is rounded up, a maximum down.

        Raises
        ------
        InvalidArgument
            If a number is not positive and finite, or no whole lot lies between minimum and maximum.
        """
        for name, value in (("lot step", step), ("minimum lot", minimum), ("maximum lot", maximum)):
            if value is not None:
                finite(value, f"the {name}")
                if value <= 0:
                    raise InvalidArgument(f"the {name} must be positive, but is {value}")
        size = exact(step)
        rules = cls(step=size, minimum=size)
        low = size if minimum is None else rules.quantity(_lots_up(exact(minimum), size))
        high = None if maximum is None else rules.quantity(rules.lots(exact(maximum)))
        if high is not None and low > high:
            raise InvalidArgument(
                f"the minimum lot ({size if minimum is None else minimum}) is above the maximum lot ({maximum}), "
                f"in steps of {step}"
            )
        return cls(step=size, minimum=low, maximum=high)

    def lots(self, quantity: Decimal) -> int:
        """Return how many whole lots a quantity, not negative, holds: rounded down, toward less risk."""
        return int(CONTEXT.divide(quantity, self.step))

    def quantity(self, lots: int) -> Decimal:
        """Return lots × step, exactly."""
        return CONTEXT.multiply(self.step, Decimal(lots))


def _lots_up(quantity: Decimal, step: Decimal) -> int:
    return int(CONTEXT.divide(quantity, step).to_integral_value(rounding=ROUND_CEILING))
