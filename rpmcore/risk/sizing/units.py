"""What one unit of an instrument is worth, and what it loses at a stop, in account currency."""

from decimal import Decimal
from typing import Literal

from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.instruments import Instrument
from rpmcore.risk.sizing.exact import CONTEXT, exact, finite

Side = Literal["buy", "sell"]


def unit_value(instrument: Instrument, entry: float, account: str, rate: float | None) -> Decimal:
    """Return the market value of a quantity of one at `entry`, in account currency.

    Parameters
    ----------
    instrument
        A quantity is of shares, or of the BASE currency of a pair, times the contract size.
    entry
        Price in the instrument's currency (of a pair: QUOTE for one BASE), positive.
    account
        ISO code of the account currency.
    rate
        Account currency for one unit of the instrument's currency. Not needed where both are the same, or where the
        pair's BASE is the account's currency: the entry is then the rate.

    Raises
    ------
    InvalidArgument
        If a number is not positive and finite, or a rate is needed and there is none.
    """
    check_price("entry", entry)
    size = _contract(instrument)
    if instrument.base_currency == account:
        return size
    return CONTEXT.multiply(CONTEXT.multiply(size, exact(entry)), _rate(instrument, account, rate))


def unit_loss(
    instrument: Instrument, side: Side, entry: float, stop: float, account: str, rate_at_stop: float | None
) -> Decimal:
    """Return what a quantity of one loses between entry and stop, in account currency.

    The loss of a pair arises in QUOTE and is converted at the rate *at the stop*: long 100,000 USDJPY loses 11,111 USD,
    not 10,000, when the rate falls by 10 %.

    Parameters
    ----------
    instrument, entry, account
        As in `unit_value`.
    side
        ``buy`` has its stop below the entry, ``sell`` above.
    stop
        Price, positive.
    rate_at_stop
        As `rate` in `unit_value`, where the price stands at the stop.

    Raises
    ------
    InvalidArgument
        As `unit_value`; and if the stop is at the entry or on its wrong side.
    """
    check_stop(side, entry, stop)
    distance = CONTEXT.multiply(_contract(instrument), CONTEXT.abs(CONTEXT.subtract(exact(entry), exact(stop))))
    if instrument.base_currency == account:
        return CONTEXT.divide(distance, exact(stop))
    return CONTEXT.multiply(distance, _rate(instrument, account, rate_at_stop))


def check_price(name: str, price: float) -> None:
    """Check a price.

    Raises
    ------
    InvalidArgument
        If it is not positive and finite.
    """
    finite(price, f"the {name}")
    if price <= 0.0:
        raise InvalidArgument(f"the {name} must be a positive price, but is {price!r}")


def check_stop(side: Side, entry: float, stop: float) -> None:
    """Check that a stop limits the loss of a position on `side`.

    Raises
    ------
    InvalidArgument
        If it is no price, at the entry, or on its wrong side.
    """
    check_price("entry", entry)
    check_price("stop", stop)
    if stop == entry:
        raise InvalidArgument(
            f"the stop is at the entry, {entry!r}: a trade without a distance to its stop has no size"
        )
    if (stop > entry) == (side == "buy"):
        where, wrong = ("below", "above") if side == "buy" else ("above", "below")
        raise InvalidArgument(
            f"the stop of a {side} must lie {where} its entry, but {stop!r} is {wrong} {entry!r}; "
            "change the stop or the side"
        )


def _contract(instrument: Instrument) -> Decimal:
    check_price("contract size", instrument.contract_size)
    return exact(instrument.contract_size)


def _rate(instrument: Instrument, account: str, rate: float | None) -> Decimal:
    if instrument.currency == account:
        return Decimal(1)
    if rate is None:
        raise InvalidArgument(
            f"no rate from {instrument.currency} to the account currency {account}, needed to value "
            f"{instrument.symbol!r}; give prices of {instrument.currency}{account} or {account}{instrument.currency}"
        )
    check_price(f"rate from {instrument.currency} to {account}", rate)
    return exact(rate)
