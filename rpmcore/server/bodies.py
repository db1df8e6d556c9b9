"""What clients send. Types are checked here; whether it makes sense is the gate's to say, and is recorded."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from rpmcore.decision.magnitude import LARGEST
from rpmcore.domain.broker import BrokerAccount, BrokerBook, BrokerOrder, BrokerPosition
from rpmcore.domain.orders import OrderState, Signal
from rpmcore.domain.trades import ClosedTrade

LATEST = 2**63 - 1


def _whole(value: Any) -> Any:
    """To JSON ``1`` and ``1.0`` are one number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Id = Annotated[str, Field(min_length=1, max_length=256)]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Number = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
Positive = Annotated[float, Field(gt=0.0, le=LARGEST)]
Time = Annotated[int, Field(ge=0, le=LATEST, description="UTC nanoseconds since 1970."), BeforeValidator(_whole)]
Cursor = Annotated[int, Field(ge=0, le=9 * 10**18), BeforeValidator(_whole)]
"""A whole number of a broker; its bound is one that JSON's numbers hold exactly."""
Exact = Annotated[str, Field(pattern=r"^-?[0-9]{1,15}(\.[0-9]{1,12})?$")] | Number
"""A decimal as text, or a number."""
Unsigned = Annotated[str, Field(pattern=r"^[0-9]{1,15}(\.[0-9]{1,12})?$")] | Annotated[float, Field(ge=0.0, le=LARGEST)]
Once = Annotated[str, Field(max_length=256, description="The same id is taken once; empty for none.")]


class Body(BaseModel):
    """A body: unknown fields, numbers in quotes and numbers that are not finite are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class SignalBody(Body):
    """A trade that a strategy wants."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "signal_id": "trend-20221228-1", "strategy_id": "trend_fx", "symbol": "EURUSD", "side": "buy",
                "quantity": 10_000, "entry": 1.064, "stop": 1.05,
            }
        }
    )  # fmt: skip

    signal_id: Id = Field(description="Unique; the idempotency key: the same again gets the stored decision.")
    strategy_id: Id = Field(description="Who wants to trade.")
    symbol: Id
    side: Literal["buy", "sell"]
    entry: Number = Field(description="Expected price, in the currency of the instrument.")
    quantity: Number | None = Field(None, description="Unsigned, in units of the instrument; this or `risk`.")
    risk: Number | None = Field(None, description="Share of equity that may be lost at the stop; this or `quantity`.")
    stop: Number | None = Field(None, description="Price at which it is given up.")
    target: Number | None = Field(None, description="Price at which gains are taken.")
    at: Time | None = Field(None, description="When the strategy made it, UTC nanoseconds; its arrival by default.")
    correlation_id: Id | None = Field(None, description="What it belongs to; the signal's id by default.")
    reduce_only: bool = Field(False, description="Whether it may only shrink what is held.")

    def signal(self, at: int) -> Signal:
        """Return the signal, made at this time unless it says otherwise."""
        return Signal(**{**self.model_dump(), "at": at if self.at is None else self.at})


class ReleaseBody(Body):
    """An approved trade that is sent now."""

    signal_id: Id = Field(description="Of the decision that approved it.")
    signature: str = Field(max_length=256, description="Of the decision that approved it.")
    quantity: Positive | None = Field(None, description="All that was approved by default; never more.")


class OrderEventBody(Body):
    """What the broker says of an order."""

    order_id: Id = Field(description="The id of its signal.")
    event: Literal["accepted", "cancelled", "rejected"]
    reason: str = Field("", max_length=2000)
    event_id: Once = ""


class FillBody(Body):
    """An order was filled, in whole or in part."""

    fill_id: Id = Field(description="Taken once.")
    order_id: Id = Field(description="The id of its signal.")
    strategy_id: Id
    symbol: Id
    side: Literal["buy", "sell"]
    quantity: Positive
    price: Positive
    fees: Number = Field(0.0, description="In account currency; negative for a rebate.")


class MarkBody(Body):
    """The equity of the account as the broker states it."""

    equity: Number = Field(description="In account currency.")
    mark_id: Id = Field(description="Taken once: an old mark that is sent again does not undo a newer one.")


class PricesBody(Body):
    """Last prices, or the closes of a day."""

    prices: dict[Id, Positive] = Field(min_length=1, max_length=10_000, description="By symbol, each in its currency.")
    day: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")] | None = Field(
        None, description="Where these are the closes of a day: they enter the history, and risk is measured anew."
    )


class ClosedTradeBody(Body):
    """A position that was opened and closed."""

    trade_id: Id = Field(description="Taken once.")
    strategy_id: Id
    symbol: Id
    side: Literal["buy", "sell"]
    opened_at: Time
    closed_at: Time
    pnl: Number = Field(description="Profit or loss in account currency, after all costs.")
    quantity: Positive | None = None
    entry: Number | None = None
    exit: Number | None = None
    risk: Positive | None = Field(None, description="What it would have lost at its stop, in account currency.")
    fees: Number | None = None

    def trade(self) -> ClosedTrade:
        """Return the trade.

        Raises
        ------
        InvalidArgument
            If it contradicts itself.
        """
        return ClosedTrade(**self.model_dump())


class OperatorBody(Body):
    """What a named operator says."""

    operator: Annotated[str, Field(min_length=1, max_length=256)] = Field(description="Who.")
    reason: Text = Field(description="Why, in words.")
    scope: Id = Field("account", description="`account`, or the id of a strategy.")
    value: str = Field("", max_length=64, description="The severity of a trip, the regime of a pin; empty else.")
    measure_anew: bool = Field(False, description="Of a reset: accept what was lost, and measure from here.")
    request_id: Once = ""


class LooseningBody(OperatorBody):
    """What a named operator says, where it said twice could undo what was said in between."""

    request_id: Id = Field(description="Taken once: the same again, after a lost answer, undoes no later trip.")


class PositionBody(Body):
    """What a broker holds of a symbol."""

    symbol: Id
    quantity: Exact = Field(description="Signed units, exactly.")
    strategy_id: str = Field("", max_length=256, description="Where the broker keeps tags; empty else.")


class BrokerOrderBody(Body):
    """An order that works at the broker."""

    order_id: str = Field(max_length=256, description="The client order id; empty where no gate has sent it.")
    venue_order_id: str = Field("", max_length=256)
    symbol: Id
    side: Literal["buy", "sell"]
    quantity: Unsigned
    filled: Unsigned = 0.0
    strategy_id: str = Field("", max_length=256)


class BrokerBookBody(Body):
    """All that a broker says that the account holds."""

    request_id: Id = Field(description="Taken once: the same again gets what was found then.")
    source: Id = Field(description="Name of the broker, or of a statement.")
    currency: str = Field(pattern="^[A-Z]{3}$", description="Of its account.")
    positions: list[PositionBody]
    orders: list[BrokerOrderBody] | None = Field(description="All that work; null where it does not say.")
    cash: Number | None = Field(None, description="Equity less the market value of the positions; null if unsaid.")
    equity: Number | None = Field(None, description="Compared where cash is not said; null if unsaid.")
    cursor: Cursor | None = Field(None, description="Of its newest event that is contained in all this.")
    stated_at: Cursor | None = Field(None, description="As of when, by its own clock; UTC nanoseconds.")

    def book(self) -> BrokerBook:
        """Return the book, its quantities exact."""
        return BrokerBook(
            source=self.source,
            account=BrokerAccount(currency=self.currency, cash=self.cash, equity=self.equity),
            positions=tuple(
                BrokerPosition(symbol=p.symbol, quantity=Decimal(str(p.quantity)), strategy_id=p.strategy_id)
                for p in self.positions
            ),
            orders=None if self.orders is None else tuple(map(_order_of, self.orders)),
            cursor=self.cursor, stated_at=self.stated_at,
        )  # fmt: skip


def _order_of(body: BrokerOrderBody) -> BrokerOrder:
    filled = Decimal(str(body.filled))
    return BrokerOrder(
        order_id=body.order_id, venue_order_id=body.venue_order_id, symbol=body.symbol, side=body.side,
        quantity=Decimal(str(body.quantity)), filled=filled, strategy_id=body.strategy_id,
        state=OrderState.PARTIAL if filled else OrderState.RELEASED,
    )  # fmt: skip
