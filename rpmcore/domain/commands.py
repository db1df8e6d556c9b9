"""What happens to the gate: each thing is a command with its own time, id and correlation id, and can be replayed."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal

from rpmcore.domain.broker import BrokerBook
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.orders import Signal, read_number, written_number
from rpmcore.domain.trades import ClosedTrade


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What every command has.

    Attributes
    ----------
    at
        When it reached the gate, UTC nanoseconds; never earlier than the command before it.
    command_id
        Unique where it is not empty: the same id is taken once.
    correlation_id
        What it belongs to.
    """

    kind: ClassVar[str] = ""

    at: int
    command_id: str = ""
    correlation_id: str = ""

    def to_plain(self) -> dict[str, Any]:
        """Return it in JSON's types; a number that is not finite becomes its name, so that bad input is recorded."""
        plain = {f.name: written_number(getattr(self, f.name)) for f in fields(self)}
        return {"kind": self.kind, **plain}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalReceived(Command):
    """A strategy asks; with what the gate measured itself, so that a replay reads it instead of measuring again.

    Attributes
    ----------
    conflict_with
        Sequence of a decision about another signal of the same id; None for none.
    late_by
        Nanoseconds by which the decision missed its deadline; None where it did not.
    """

    kind: ClassVar[str] = "signal"

    signal: Signal
    conflict_with: int | None = None
    late_by: int | None = None

    def to_plain(self) -> dict[str, Any]:
        """Return it in JSON's types."""
        return {
            "kind": self.kind, "at": self.at, "command_id": self.command_id, "correlation_id": self.correlation_id,
            "signal": self.signal.to_plain(), "conflict_with": self.conflict_with, "late_by": self.late_by,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBar(Command):
    """The closes of a day, in the currency of each instrument; what has no close is left out."""

    kind: ClassVar[str] = "bar"

    day: str
    closes: Mapping[str, float]

    def to_plain(self) -> dict[str, Any]:
        """Return it in JSON's types."""
        return {**Command.to_plain(self), "closes": {s: written_number(price) for s, price in self.closes.items()}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotes(Command):
    """Prices between two closes: they value the book and are the last prices, but enter no history."""

    kind: ClassVar[str] = "quotes"

    prices: Mapping[str, float]

    def to_plain(self) -> dict[str, Any]:
        """Return it in JSON's types."""
        return {**Command.to_plain(self), "prices": {s: written_number(price) for s, price in self.prices.items()}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(Command):
    """An approved order is about to be sent: once, in whole or in part."""

    kind: ClassVar[str] = "release"

    order_id: str
    quantity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill(Command):
    """An order was filled, in whole or in part, at `price`; `fees` in account currency."""

    kind: ClassVar[str] = "fill"

    order_id: str
    strategy_id: str
    symbol: str
    side: str
    quantity: float
    price: float
    fees: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderClosed(Command):
    """The broker says that the rest of an order will not be filled."""

    kind: ClassVar[str] = "order_closed"

    order_id: str
    outcome: Literal["cancelled", "rejected"]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequested(Command):
    """The broker is about to be asked to cancel what is left of orders that were released; they are followed."""

    kind: ClassVar[str] = "cancel_requested"

    order_ids: tuple[str, ...]
    reason: str

    def to_plain(self) -> dict[str, Any]:
        """Return it in JSON's types."""
        return {**Command.to_plain(self), "order_ids": list(self.order_ids)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled(Command):
    """What a broker or a statement says of the account, to be held against what the gate knows."""

    kind: ClassVar[str] = "reconciled"

    book: BrokerBook

    def to_plain(self) -> dict[str, Any]:
        """Return it in JSON's types."""
        return {**Command.to_plain(self), "book": self.book.to_plain()}


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityMark(Command):
    """The equity of the account as the broker states it, in account currency."""

    kind: ClassVar[str] = "equity"

    equity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CashFlow(Command):
    """A payment in (positive) or out, in account currency."""

    kind: ClassVar[str] = "cash_flow"

    amount: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeClosed(Command):
    """A trade of a strategy is over."""

    kind: ClassVar[str] = "trade"

    trade: ClosedTrade

    def to_plain(self) -> dict[str, Any]:
        """Return it in JSON's types."""
        return {**Command.to_plain(self), "trade": {f.name: getattr(self.trade, f.name) for f in fields(self.trade)}}


OperatorAction = Literal[
    "trip", "reset", "enable_strategy", "pin_regime", "release_pin", "clear_integrity", "adopt_broker", "adopt_gate"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorOrder(Command):
    """What a named operator says, with a written reason.

    Attributes
    ----------
    action
        ``trip`` and ``reset`` act on kill switches, ``enable_strategy`` brings a strategy back, ``pin_regime`` and
        ``release_pin`` hold the regime, ``clear_integrity`` ends HALTED. ``adopt_broker`` and ``adopt_gate`` end the
        halt of a reconciliation: the broker's view becomes the gate's, or the gate's stands.
    scope
        ``account``, or the id of a strategy; of an ``adopt_broker``, the strategy to which differences are booked that
        belong to none.
    value
        The severity of a trip, the regime of a pin, the sequence of the reconciliation whose view is adopted; empty
        else.
    measure_anew
        Of a reset: accept what was lost, and measure from here.
    """

    kind: ClassVar[str] = "operator"

    action: OperatorAction
    operator: str
    reason: str
    scope: str = "account"
    value: str = ""
    measure_anew: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconfigured(Command):
    """Other settings from here on.

    Attributes
    ----------
    settings
        All that decisions depend on, by section, in JSON's types.
    replaces, config_digest
        Digests of the settings that were in force, and of those that take their place.
    operator, reason
        Both empty: then the settings may only tighten; else who decided so, and why.
    """

    kind: ClassVar[str] = "reconfigured"

    settings: Mapping[str, Any]
    replaces: str
    config_digest: str
    operator: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrityFailed(Command):
    """Ledger, reconciliation or another thing that the gate stands on has failed: nothing is released until cleared."""

    kind: ClassVar[str] = "integrity_failed"

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick(Command):
    """Time has passed."""

    kind: ClassVar[str] = "tick"


_KINDS: dict[str, type[Command]] = {
    each.kind: each
    for each in (
        SignalReceived, PriceBar, Quotes, Release, Fill, OrderClosed, CancelRequested, Reconciled, EquityMark, CashFlow,
        TradeClosed, OperatorOrder, IntegrityFailed, Reconfigured, Tick,
    )
}  # fmt: skip


_NUMBERS = frozenset({"quantity", "price", "fees", "equity", "amount"})
_PRICES = frozenset({"closes", "prices"})


def command_of_plain(plain: Mapping[str, Any]) -> Command:
    """Return the command that `Command.to_plain` wrote.

    Raises
    ------
    InvalidArgument
        If it is none.
    """
    values = dict(plain)
    try:
        kind = _KINDS[values.pop("kind")]
        if kind is SignalReceived:
            values["signal"] = Signal.of_plain(values["signal"])
        elif kind is TradeClosed:
            values["trade"] = ClosedTrade(**values["trade"])
        elif kind is CancelRequested:
            values["order_ids"] = tuple(values["order_ids"])
        elif kind is Reconciled:
            values["book"] = BrokerBook.of_plain(values["book"])
        for name in _NUMBERS & values.keys():
            values[name] = read_number(values[name])
        for name in _PRICES & values.keys():
            values[name] = {symbol: read_number(price) for symbol, price in values[name].items()}
        return kind(**values)
    except (KeyError, TypeError) as error:
        raise InvalidArgument(f"this is no command of the gate ({type(error).__name__}: {error})") from error
