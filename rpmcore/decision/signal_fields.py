"""What is wrong with the fields of a signal, by themselves."""

from decimal import Decimal
from math import isfinite

from rpmcore.decision.magnitude import LARGEST
from rpmcore.domain.instruments import Instrument
from rpmcore.domain.orders import Signal
from rpmcore.risk.sizing.exact import exact


def problem_of(signal: Signal) -> str:
    """Return what is wrong, in one sentence; empty for nothing."""
    if signal.side not in ("buy", "sell"):
        return f"side is {signal.side!r}: buy or sell is needed"
    for name in ("entry", "quantity", "risk", "stop", "target"):
        value = getattr(signal, name)
        if value is None and name != "entry":
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"{name} is {value!r}: a finite number is needed"
        # An integer is finite, also one that no float can hold.
        if isinstance(value, float) and not isfinite(value):
            return f"{name} is {value!r}: a finite number is needed"
        if not 0.0 < value <= LARGEST:
            return f"{name} is {value!r}: a number above 0 and no larger than {LARGEST:g} is needed"
    if (signal.quantity is None) == (signal.risk is None):
        return "either quantity or risk is needed, and not both"
    if signal.risk is not None and (signal.risk > 1.0 or signal.stop is None):
        return "a risk is a share of equity up to 1, and needs a stop"
    return _wrong_side(signal)


def _wrong_side(signal: Signal) -> str:
    """Return whether a stop or target lies where it makes no sense."""
    buying = signal.side == "buy"
    if signal.stop is not None and (signal.stop >= signal.entry) == buying:
        return f"the stop of a {signal.side} must lie {'below' if buying else 'above'} its entry"
    if signal.target is not None and (signal.target <= signal.entry) == buying:
        return f"the target of a {signal.side} must lie {'above' if buying else 'below'} its entry"
    return ""


def unit_loss(instrument: Instrument, account: str, signal: Signal, rate: float | None) -> float | None:
    """Return what a quantity of one loses at the stop, in account currency; None without a stop or a rate.

    As `rpmcore.risk.sizing.units.unit_loss`: a pair whose base is the account's currency loses at the rate of the stop.
    """
    if signal.stop is None:
        return None
    distance = instrument.contract_size * abs(signal.entry - signal.stop)
    if instrument.base_currency == account:
        return distance / signal.stop
    return None if rate is None else distance * rate


def requested_quantity(signal: Signal, equity: float, loss: float | None) -> Decimal | None:
    """Return what is asked in units; of a wish for risk, what loses it at the stop. None where nobody can tell.

    Parameters
    ----------
    loss
        Of a quantity of one, at the stop.
    """
    if signal.quantity is not None:
        return exact(signal.quantity)
    if signal.risk is None or not loss or equity <= 0.0:
        return None
    wanted = signal.risk * equity / loss
    return exact(wanted) if 0.0 < wanted <= LARGEST else None
