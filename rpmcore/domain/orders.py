"""What a strategy asks for, what it is granted, and how an order lives."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from math import isfinite
from types import MappingProxyType
from typing import Any, Self

from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.trades import Side

NOT_FINITE = ("NaN", "Infinity", "-Infinity")
"""How numbers that are none are written down: they are recorded as they came, and rejected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A trade that a strategy wants. Whatever it holds is recorded; whether it makes sense is the gate's to say.

    Attributes
    ----------
    signal_id
        Unique; the same id with the same content is the same signal, sent again.
    strategy_id, symbol
        Who wants to trade, and what.
    side
        ``buy`` or ``sell``.
    quantity
        Unsigned, in units of the instrument (base currency of a pair, shares, contracts).
    risk
        In place of a quantity: the share of equity that may be lost at the stop.
    entry
        Expected price, in the currency of the instrument.
    stop, target
        Prices at which the trade is closed.
    at
        When the strategy made it, UTC nanoseconds.
    correlation_id
        What it belongs to; the signal's id by default.
    reduce_only
        Whether it may only shrink what is held.
    """

    signal_id: str
    strategy_id: str
    symbol: str
    side: Side
    entry: float
    at: int
    quantity: float | None = None
    risk: float | None = None
    stop: float | None = None
    target: float | None = None
    correlation_id: str | None = None
    reduce_only: bool = False

    def __post_init__(self) -> None:
        for name in ("signal_id", "strategy_id", "symbol"):
            if not _is_text(getattr(self, name)):
                found = ascii(getattr(self, name))[:40]
                raise InvalidArgument(f"{name} must be a text of 1 to 256 characters, but is {found}")
        if self.correlation_id is not None and not _is_text(self.correlation_id):
            raise InvalidArgument("correlation_id must be a text of 1 to 256 characters, or None")
        if type(self.at) is not int:
            raise InvalidArgument(f"at must be whole UTC nanoseconds, but is {self.at!r}")

    def to_plain(self) -> dict[str, Any]:
        """Return it in JSON's types; a number that is not finite becomes its name."""
        return {
            "signal_id": self.signal_id, "strategy_id": self.strategy_id, "symbol": self.symbol, "side": self.side,
            "entry": written_number(self.entry), "at": self.at, "quantity": written_number(self.quantity),
            "risk": written_number(self.risk), "stop": written_number(self.stop), "target": written_number(self.target),
            "correlation_id": self.correlation_id, "reduce_only": self.reduce_only,
        }  # fmt: skip

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Return the signal that `to_plain` wrote."""
        numbers = {name: read_number(plain[name]) for name in ("entry", "quantity", "risk", "stop", "target")}
        return cls(**{**plain, **numbers})


def _is_text(value: object) -> bool:
    """Return whether it can be written down: half a surrogate pair, which Python's text may hold, cannot."""
    if not isinstance(value, str) or not 0 < len(value) <= 256:
        return False
    return value.isascii() or not any("\ud800" <= c <= "\udfff" for c in value)


def written_number(number: Any) -> Any:
    """Return a number as JSON can hold it: one that is not finite becomes its name."""
    if not isinstance(number, float) or isfinite(number):
        return number
    return "NaN" if number != number else "Infinity" if number > 0 else "-Infinity"


def read_number(number: Any) -> Any:
    """Return what `written_number` wrote."""
    return float(number) if isinstance(number, str) and number in NOT_FINITE else number


class OrderState(StrEnum):
    """Where an order is in its life."""

    APPROVED = "approved"
    RELEASED = "released"
    PARTIAL = "partial"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"


class OrderStep(StrEnum):
    """What moves an order on."""

    RELEASE = "release"
    PARTIAL_FILL = "partial_fill"
    FILL = "fill"
    CANCEL = "cancel"
    REJECT = "reject"
    EXPIRE = "expire"


ORDER_STATES: Mapping[tuple[OrderState, OrderStep], OrderState] = MappingProxyType(
    {
        (OrderState.APPROVED, OrderStep.RELEASE): OrderState.RELEASED,
        (OrderState.APPROVED, OrderStep.EXPIRE): OrderState.EXPIRED,
        (OrderState.RELEASED, OrderStep.PARTIAL_FILL): OrderState.PARTIAL,
        (OrderState.RELEASED, OrderStep.FILL): OrderState.FILLED,
        (OrderState.RELEASED, OrderStep.CANCEL): OrderState.CANCELLED,
        (OrderState.RELEASED, OrderStep.REJECT): OrderState.REJECTED,
        (OrderState.PARTIAL, OrderStep.PARTIAL_FILL): OrderState.PARTIAL,
        (OrderState.PARTIAL, OrderStep.FILL): OrderState.FILLED,
        (OrderState.PARTIAL, OrderStep.CANCEL): OrderState.CANCELLED,
        (OrderState.PARTIAL, OrderStep.REJECT): OrderState.REJECTED,
    }
)
"""What follows what. A step that is not here does not happen: what was released waits for the broker, however long."""

WORKING = frozenset({OrderState.APPROVED, OrderState.RELEASED, OrderState.PARTIAL})
"""States in which an order may still be filled, and so counts toward every limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedTrade:
    """What may be sent, once, until it expires.

    Attributes
    ----------
    order_id
        The id of the signal.
    sequence
        Number of the decision in the ledger.
    quantity
        To be sent: what was approved, or less; unsigned.
    approved_quantity
        In whole lots; written as the shortest decimal that is this number.
    entry, stop, target
        As they were asked.
    config_digest
        Of the settings under which it was decided.
    expires_at
        UTC nanoseconds.
    signature
        Over all but `quantity`, with the gate's key; empty where nobody signs.
    """

    order_id: str
    sequence: int
    strategy_id: str
    symbol: str
    side: Side
    quantity: float
    approved_quantity: float
    entry: float
    stop: float | None
    target: float | None
    reduce_only: bool
    config_digest: str
    expires_at: int
    signature: str = ""

    def scaled(self, factor: float) -> "ApprovedTrade":
        """Return the trade with quantity × factor, exactly in decimals; the approval covers it.

        Raises
        ------
        InvalidArgument
            If the factor does not lie in (0, 1]: nothing makes an approval larger.
        """
        if isinstance(factor, bool) or not isinstance(factor, int | float) or not 0.0 < factor <= 1.0:
            raise InvalidArgument(f"factor must lie in (0, 1], but is {factor!r}: an approval never grows")
        # NumPy's floats are floats, but their repr is no number.
        return replace(self, quantity=float(_decimal(self.quantity) * _decimal(factor)))

    def signed_fields(self) -> dict[str, Any]:
        """Return what the signature is over."""
        return {
            "order_id": self.order_id, "sequence": self.sequence, "strategy_id": self.strategy_id,
            "symbol": self.symbol, "side": self.side, "approved_quantity": self.approved_quantity, "entry": self.entry,
            "stop": self.stop, "target": self.target, "reduce_only": self.reduce_only,
            "config_digest": self.config_digest, "expires_at": self.expires_at,
        }  # fmt: skip


def _decimal(number: float) -> Decimal:
    return Decimal(float.__repr__(float(number)))
