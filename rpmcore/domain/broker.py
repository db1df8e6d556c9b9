"""The port to a broker: what every adapter offers, what it says, and how it says that it does not know.

An adapter is anything with the methods of `BrokerPort`; ``rpmcore.conformance`` holds the tests that it must pass.
Quantities are exact decimals, prices floats. Every call is told the gate's time; a broker's own times are for people.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol, Self

from rpmcore.domain.errors import InvalidArgument, Unavailable
from rpmcore.domain.orders import OrderState, read_number, written_number
from rpmcore.domain.releases import Fence, ReleasedTrade
from rpmcore.domain.trades import Side

READINGS = 5
"""How often a book is read that changes meanwhile, before its reader gives up."""


class BrokerUnavailable(Unavailable):
    """The broker cannot be asked now, or what it answered was lost. What a call has done is not known."""


class EventKind(StrEnum):
    """What a broker says of an order."""

    ACCEPTED = "accepted"
    PARTIAL = "partial"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


OVER = frozenset({EventKind.FILLED, EventKind.CANCELLED, EventKind.REJECTED})
"""After these nothing more can become of an order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerEvent:
    """Something that happened to an order at its venue.

    Attributes
    ----------
    cursor
        Where it stands in the broker's own order of events, 1 or more. The same event has the same cursor, however
        often and in whatever order it is delivered, and no later one a lower. Where a venue counts anew, as each day,
        what was not taken before shows as a difference of the next reconciliation.
    order_id, venue_order_id
        The client order id, and the venue's own.
    execution_id
        The venue's id of a fill, unique and the same at every repetition; empty where nothing was filled.
    quantity, price, fees
        Of this fill alone: unsigned units, the currency of the instrument, and account currency.
    cumulative
        What had been filled of the order up to and with this event (FIX: CumQty). An event that says that an order is
        over is believed once fills for that much have come, so that none is lost that was overtaken.
    strategy_id, symbol, side
        Of the order; the strategy is empty where the broker keeps no tags and does not know the order.
    venue_at
        When it happened by the venue's clock, UTC nanoseconds; for information, no decision rests on it.
    reason
        In the venue's words.
    """

    cursor: int
    kind: EventKind
    order_id: str
    venue_order_id: str
    symbol: str
    side: Side
    strategy_id: str = ""
    execution_id: str = ""
    quantity: Decimal = Decimal(0)
    price: float = 0.0
    fees: float = 0.0
    cumulative: Decimal = Decimal(0)
    venue_at: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerOrder:
    """An order as its broker sees it.

    Attributes
    ----------
    order_id
        The client order id; empty where it was not sent by a gate.
    quantity, filled
        Unsigned.
    state
        ``released`` while it works and nothing is filled.
    """

    order_id: str
    venue_order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    filled: Decimal = Decimal(0)
    state: OrderState = OrderState.RELEASED
    strategy_id: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerPosition:
    """What a broker holds of a symbol: signed units; by strategy where the broker keeps tags, else empty."""

    symbol: str
    quantity: Decimal
    strategy_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAccount:
    """The money of an account.

    Attributes
    ----------
    currency
        ISO code; it must be the gate's account currency.
    cash
        Equity less the market value of the positions; what is bought lowers it by its whole value. None where the
        broker does not say, as with margin accounts, whose balance is another thing.
    equity
        As the broker values everything; None where it does not say.
    """

    currency: str
    cash: float | None = None
    equity: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerBook:
    """All that a broker, or a statement of one, says that an account holds. It is what a reconciliation is made with.

    Attributes
    ----------
    source
        The broker's name, or the file of a statement.
    account, positions
        As it says.
    orders
        What is working; None where it does not say, as in most statements.
    cursor
        Of the newest event that is contained in all this (`BrokerPort.cursor`); None where there are no events. Once
        the gate agrees with this book, or has adopted it, it has the events up to here.
    stated_at
        As of when, by the broker's clock; UTC nanoseconds, for information.
    """

    source: str
    account: BrokerAccount
    positions: tuple[BrokerPosition, ...]
    orders: tuple[BrokerOrder, ...] | None = None
    cursor: int | None = None
    stated_at: int | None = None

    def to_plain(self) -> dict[str, Any]:
        """Return it in JSON's types, exactly; a number that is not finite becomes its name."""
        return {
            "source": self.source, "currency": self.account.currency, "cash": written_number(self.account.cash),
            "equity": written_number(self.account.equity),
            "positions": [[p.symbol, str(p.quantity), p.strategy_id] for p in self.positions],
            "orders": None if self.orders is None else [_plain_order(order) for order in self.orders],
            "cursor": self.cursor, "stated_at": self.stated_at,
        }  # fmt: skip

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Return the book that `to_plain` wrote.

        Raises
        ------
        InvalidArgument
            If it is none.
        """
        try:
            orders = plain["orders"]
            return cls(
                source=plain["source"],
                account=BrokerAccount(
                    currency=plain["currency"], cash=read_number(plain["cash"]), equity=read_number(plain["equity"])
                ),
                positions=tuple(
                    BrokerPosition(symbol=symbol, quantity=Decimal(held), strategy_id=strategy)
                    for symbol, held, strategy in plain["positions"]
                ),
                orders=None if orders is None else tuple(map(_order_of, orders)),
                cursor=plain["cursor"], stated_at=plain["stated_at"],
            )  # fmt: skip
        except (ArithmeticError, KeyError, TypeError, ValueError) as error:
            raise InvalidArgument(f"this is no book of a broker ({type(error).__name__}: {error})") from error


class BrokerPort(Protocol):
    """A broker. Any method may raise `BrokerUnavailable`: then nobody knows what it has done."""

    @property
    def name(self) -> str:
        """Short, and the same at every start: ids of fills are kept under it."""

    def account(self) -> BrokerAccount:
        """Return the money."""

    def positions(self) -> tuple[BrokerPosition, ...]:
        """Return what is held, by symbol or by symbol and strategy; nothing that is zero."""

    def open_orders(self) -> tuple[BrokerOrder, ...]:
        """Return every working order of the account, also those that no gate has sent."""

    def order(self, order_id: str) -> BrokerOrder | None:
        """Return the order of a client order id, be it working or over; None where the venue has none.

        Until its release has expired one may still be on its way there. An adapter hands `expires_at` on as the latest
        time for the venue to take an order, where the venue can be told one.
        """

    def submit(self, release: ReleasedTrade, *, at: int) -> BrokerOrder:
        """Send a released order. The same one again is the same order: nothing is sent twice.

        Raises
        ------
        ReleaseRefused
            As `rpmcore.domain.releases.ReleaseVerifier.verify`, which every adapter asks; also where the venue says no
            before it takes the order. Surely nothing was sent.
        BrokerUnavailable
            It may have been sent, or not.
        """

    def cancel(self, order_id: str, *, at: int) -> None:
        """Ask for the rest of an order to be cancelled; what became of it comes as an event.

        An order that is over, or that the venue does not have, stays as it is.
        """

    def cancel_all(self, strategy_id: str | None = None, *, keep: Collection[str] = (), at: int) -> None:
        """Ask for every working order to be cancelled: of a strategy, or of the account if None.

        Parameters
        ----------
        strategy_id
            Where the broker keeps no tags, that of each order's release.
        keep
            Client order ids that go on.
        at
            The gate's time, UTC nanoseconds.
        """

    def fence(self, fence: Fence) -> None:
        """Hand a fence to the verifier of this adapter."""

    def cursor(self) -> int:
        """Return the cursor of the newest event; 0 where nothing has happened yet."""

    def events(self, after: int) -> tuple[BrokerEvent, ...]:
        """Return what has happened behind a cursor, 0 for everything.

        Events may come twice and out of order within an answer, but none behind the cursor is missing that the venue
        knows of: whoever asks again from the same cursor gets them again.
        """


def book_of(broker: BrokerPort, *, stated_at: int | None = None) -> BrokerBook:
    """Return what a broker says that the account holds, for a reconciliation.

    Raises
    ------
    BrokerUnavailable
        If it does not say all of it, or if orders are filled faster than it can be read: ask again.
    """
    for _ in range(READINGS):
        before = broker.cursor()
        book = BrokerBook(
            source=broker.name, account=broker.account(), positions=broker.positions(), orders=broker.open_orders(),
            cursor=before, stated_at=stated_at,
        )  # fmt: skip
        if broker.cursor() == before:
            return book
    raise BrokerUnavailable(f"the book of {broker.name} changed each of {READINGS} times while it was read")


def _plain_order(order: BrokerOrder) -> dict[str, Any]:
    plain = {f.name: getattr(order, f.name) for f in fields(order)}
    return {**plain, "quantity": str(order.quantity), "filled": str(order.filled), "state": order.state.value}


def _order_of(plain: Mapping[str, Any]) -> BrokerOrder:
    return BrokerOrder(
        **{
            **plain, "quantity": Decimal(plain["quantity"]), "filled": Decimal(plain["filled"]),
            "state": OrderState(plain["state"]),
        }
    )  # fmt: skip
