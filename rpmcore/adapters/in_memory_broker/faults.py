"""What can go wrong on the way to a venue, drawn from a seed."""

from collections import Counter
from dataclasses import dataclass, fields
from decimal import ROUND_DOWN, Decimal
from random import Random

from rpmcore.domain.errors import InvalidArgument


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultSettings:
    """How often each thing goes wrong: probabilities in [0, 1), all 0 by default; slippage in basis points.

    Attributes
    ----------
    slippage_bps
        Standard deviation of what a fill is worse than the price, one-sided.
    partial
        A fill is one of a part.
    rejection
        The venue rejects an order that it has taken.
    withdrawn
        The venue cancels the rest of an order, unasked.
    lost_acknowledgement
        An order is taken, and the answer is lost.
    lost_submission
        An order is lost on its way, and so is the answer.
    late_submission
        An order is on its way for longer, and arrives when prices move; the answer is lost.
    later_still
        An order that is on its way has not arrived when prices move.
    lost_cancel
        A cancel is lost on its way, and nobody says so.
    slow_cancel
        A cancel works after the next prices only: fills may come first.
    repeated_events
        An answer repeats events that were told before.
    shuffled_events
        An answer is out of order.
    delayed_events
        The newest events are told in a later answer.
    disconnect
        The line breaks at a call, and stays so for `outage` calls.
    outage
        Calls that fail before the line is up again.
    """

    slippage_bps: float = 0.0
    partial: float = 0.0
    rejection: float = 0.0
    withdrawn: float = 0.0
    lost_acknowledgement: float = 0.0
    lost_submission: float = 0.0
    late_submission: float = 0.0
    later_still: float = 0.0
    lost_cancel: float = 0.0
    slow_cancel: float = 0.0
    repeated_events: float = 0.0
    shuffled_events: float = 0.0
    delayed_events: float = 0.0
    disconnect: float = 0.0
    outage: int = 5

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            most = float("inf") if each.name in ("slippage_bps", "outage") else 1.0
            if not 0.0 <= value < most:
                raise InvalidArgument(f"{each.name} must lie in [0, {most:g}), but is {value!r}")


NO_FAULTS = FaultSettings()


class Faults:
    """Draws faults, and counts what was drawn.

    Parameters
    ----------
    settings
        How often.
    seed
        The same seed and the same calls draw the same faults.
    """

    def __init__(self, settings: FaultSettings = NO_FAULTS, seed: int = 0) -> None:
        self.settings = settings
        self.drawn: Counter[str] = Counter()
        self.random = Random(seed)  # noqa: S311 - faults are no secret
        self._forced: list[str] = []

    def force(self, name: str) -> None:
        """Let a thing go wrong the next time that it can."""
        if name not in {each.name for each in fields(FaultSettings)}:
            raise InvalidArgument(f"there is no fault {name!r}")
        self._forced.append(name)

    def strikes(self, name: str) -> bool:
        """Return whether a thing goes wrong now."""
        probability = getattr(self.settings, name)
        if name in self._forced:
            self._forced.remove(name)
        elif not probability or self.random.random() >= probability:
            return False
        self.drawn[name] += 1
        return True

    def slippage(self) -> float:
        """Return by what fraction of its price a fill is worse."""
        spread = self.settings.slippage_bps
        return abs(self.random.gauss(0.0, spread)) * 1e-4 if spread else 0.0

    def part(self, quantity: Decimal) -> Decimal:
        """Return a part of a quantity that is written with no more digits; the whole where that leaves nothing."""
        piece = (quantity * self.random.randint(1, 7) / 8).quantize(quantity, rounding=ROUND_DOWN)
        return piece or quantity
