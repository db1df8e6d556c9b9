"""How to flatten a book: in which order, in what pieces, how fast."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from math import ceil, floor

from rpmcore.controls.latch import check_number
from rpmcore.domain.errors import InvalidArgument

WHOLE = 1e-9
"""A number of lots this near a whole one is that one: 0.3/0.1 is 2.9999999999999996 in binary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiquidationPosition:
    """What is held of one instrument.

    Parameters
    ----------
    symbol
        Its name.
    quantity
        Units held, negative if short.
    price
        Value of one unit in account currency, positive.
    volatility
        Daily, as a fraction, positive.
    daily_volume
        Units traded in a day; None if it is not known.
    lot
        Smallest quantity that trades.
    """

    symbol: str
    quantity: float
    price: float
    volatility: float
    daily_volume: float | None = None
    lot: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LiquidationLeg:
    """The orders that close one position: `slices` − 1 of `slice_quantity`, then one of `last_quantity`.

    Parameters
    ----------
    symbol
        Its name.
    slice_quantity, last_quantity
        Signed as the order: negative sells. They sum to what is held, with the sign turned.
    slices
        Number of orders, one an interval.
    minutes
        From the first order to the last, with the gap between them as long as the interval.
    risk
        |market value| × daily volatility of the whole position, in account currency.
    risk_per_slice
        Of one whole slice: what the legs are ordered by, largest first.
    note
        Why the slices are not within the share of volume, or None.
    """

    symbol: str
    slice_quantity: float
    last_quantity: float
    slices: int
    minutes: float
    risk: float
    risk_per_slice: float
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiquidationOrder:
    """One order of the plan: when, in minutes after the start, what, and how much (negative sells)."""

    minute: float
    symbol: str
    quantity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LiquidationPlan:
    """An ordered way to flatten a book.

    Parameters
    ----------
    legs
        By the risk that one slice takes off, largest first; those whose volume nobody knows come last.
    slice_minutes
        Interval of the orders of one leg.
    """

    legs: tuple[LiquidationLeg, ...]
    slice_minutes: float

    @property
    def minutes(self) -> float:
        """When the last order is sent, in minutes after the start."""
        return max((leg.minutes for leg in self.legs), default=0.0)

    def orders(self) -> Iterator[LiquidationOrder]:
        """Yield the orders by time, and within a time in the order of the legs.

        They are made one by one, because an illiquid position may take millions.
        """
        rows = merge(*(self._rows(place, leg) for place, leg in enumerate(self.legs)))
        for number, place, quantity in rows:
            yield LiquidationOrder(
                minute=number * self.slice_minutes, symbol=self.legs[place].symbol, quantity=quantity
            )

    @staticmethod
    def _rows(place: int, leg: LiquidationLeg) -> Iterator[tuple[int, int, float]]:
        for number in range(leg.slices):
            yield number, place, leg.slice_quantity if number < leg.slices - 1 else leg.last_quantity


def liquidation_plan(
    positions: Sequence[LiquidationPosition],
    *,
    participation: float = 0.10,
    slice_minutes: float = 5.0,
    session_minutes: float = 390.0,
) -> LiquidationPlan:
    """Return the order in which to flatten a book: most liquid risk first, in slices within a share of volume.

    Every position is traded from the start, one slice an interval. A slice is at most `participation` × the volume
    expected in an interval, daily volume × `slice_minutes` / `session_minutes`, rounded down to the lot. Within an
    interval the slice that takes off the most risk (|value| × volatility) goes first: that is the position in which
    most risk can be shed in the time.

    A position is always flattened. Where the share is less than one lot, the slice is one lot; where the volume is not
    known, one order closes all, last: both are noted.

    Parameters
    ----------
    positions
        One a symbol; those of zero are left out.
    participation
        Share of volume, in (0, 1].
    slice_minutes, session_minutes
        Interval, and length of a trading day, in minutes.

    Raises
    ------
    InvalidArgument
        If a number is out of its range, or a symbol stands twice.
    """
    if not 0.0 < check_number(participation, "participation") <= 1.0:
        raise InvalidArgument(f"participation is {participation!r}: a share above 0 and up to 1 is needed")
    for name, minutes in (("slice_minutes", slice_minutes), ("session_minutes", session_minutes)):
        if check_number(minutes, name) <= 0.0:
            raise InvalidArgument(f"{name} is {minutes!r}: a positive number is needed")
    share = participation * min(slice_minutes / session_minutes, 1.0)
    seen: set[str] = set()
    legs = []
    for position in positions:
        if position.symbol in seen:
            raise InvalidArgument(f"{position.symbol!r} stands twice: net its positions first")
        seen.add(position.symbol)
        _check(position)
        if position.quantity:
            legs.append(_leg(position, share, slice_minutes))
    legs.sort(key=lambda leg: (leg.note == _UNKNOWN, -leg.risk_per_slice, leg.symbol))
    return LiquidationPlan(legs=tuple(legs), slice_minutes=slice_minutes)


_UNKNOWN = "volume is not known: one order closes it"
_ONE_LOT = "one lot is more than the share of volume"


def _check(position: LiquidationPosition) -> None:
    check_number(position.quantity, f"quantity of {position.symbol!r}")
    for name in ("price", "volatility", "daily_volume", "lot"):
        value = getattr(position, name)
        if (name != "daily_volume" or value is not None) and check_number(value, f"{name} of {position.symbol!r}") <= 0:
            raise InvalidArgument(f"{name} of {position.symbol!r} is {value!r}: a positive number is needed")


def _leg(position: LiquidationPosition, share: float, slice_minutes: float) -> LiquidationLeg:
    held, lot, sign = abs(position.quantity), position.lot, -1.0 if position.quantity > 0 else 1.0
    lots, note, slices, piece = max(ceil(held / lot - WHOLE), 1), None, 1, held
    if position.daily_volume is None:
        note = _UNKNOWN
    else:
        most = floor(share * position.daily_volume / lot + WHOLE)
        note = None if most else _ONE_LOT
        slices = -(-lots // max(most, 1))
        piece = min(max(most, 1) * lot, held)
    last = held - (slices - 1) * piece
    unit_risk = position.price * position.volatility
    return LiquidationLeg(
        symbol=position.symbol, slice_quantity=sign * piece, last_quantity=sign * last, slices=slices,
        minutes=(slices - 1) * slice_minutes, risk=held * unit_risk, risk_per_slice=piece * unit_risk, note=note,
    )  # fmt: skip
