"""The words of the kill switches: how severe, what is still admitted, and what happened."""

import re
from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from rpmcore.domain.errors import InvalidArgument

ACCOUNT = "account"
"""The scope of a switch that stops every strategy; any other scope is the id of one strategy."""


class Severity(Enum):
    """How far a switch has gone; each level is worse than the one before it."""

    NONE = "none"
    WARNING = "warning"
    THROTTLE = "throttle"
    HALT = "halt"
    LIQUIDATE = "liquidate"

    def __init__(self, _text: str) -> None:
        self.rank = len(type(self).__members__)

    def __lt__(self, other: "Severity") -> bool:
        return self.rank < other.rank

    def __le__(self, other: "Severity") -> bool:
        return self.rank <= other.rank

    def __gt__(self, other: "Severity") -> bool:
        return self.rank > other.rank

    def __ge__(self, other: "Severity") -> bool:
        return self.rank >= other.rank


class TradingState(StrEnum):
    """What is released: everything, reducing orders alone, or nothing."""

    ACTIVE = "active"
    REDUCING = "reducing"
    HALTED = "halted"


TRADING_STATES = MappingProxyType(
    {
        Severity.NONE: TradingState.ACTIVE,
        Severity.WARNING: TradingState.ACTIVE,
        Severity.THROTTLE: TradingState.ACTIVE,
        Severity.HALT: TradingState.REDUCING,
        Severity.LIQUIDATE: TradingState.REDUCING,
    }
)
"""What a severity leaves open. HALTED is no switch's: it is the state of a failed ledger or reconciliation."""


class Request(StrEnum):
    """What a switch asks of whoever holds the orders."""

    CANCEL_WORKING_ORDERS = "cancel_working_orders"
    FLATTEN = "flatten"


REQUESTS = MappingProxyType(
    {
        Severity.HALT: (Request.CANCEL_WORKING_ORDERS,),
        Severity.LIQUIDATE: (Request.CANCEL_WORKING_ORDERS, Request.FLATTEN),
    }
)
"""What reaching a severity asks for; others ask for nothing."""


class RejectionCause(StrEnum):
    """Who turned an order down, which decides whether the rejection counts."""

    KILL_SWITCH = "kill_switch"
    RISK_LIMIT = "risk_limit"
    OTHER = "other"


_MARKS = (
    (re.compile("kill switch|strategy disabled"), RejectionCause.KILL_SWITCH),
    # A limit of something: a venue also speaks of limit orders, limit prices and rate limits, and those count in full.
    (
        re.compile(
            "(risk|gross|net|exposure|leverage|loss|drawdown|concentration|correlation|volatility|var|size|position) "
            "limit|breach"
        ),
        RejectionCause.RISK_LIMIT,
    ),
)


@lru_cache(maxsize=1024)
def cause_of(reason: str) -> RejectionCause:
    """Return the cause that a reason in words tells: the first mark that it contains, else OTHER, which counts most."""
    words = reason.casefold().replace("_", " ")
    return next((cause for mark, cause in _MARKS if mark.search(words)), RejectionCause.OTHER)


class TimeReversed(InvalidArgument):
    """A command carries a time before that of the command before it."""


class UnknownStrategy(InvalidArgument):
    """A strategy was never registered, so that its capital is not known."""


class DuplicateCommand(InvalidArgument):
    """A command with this id was taken before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlEvent:
    """A switch changed its severity, was asked to and did not, or has something to tell.

    Parameters
    ----------
    at
        Nanoseconds, UTC.
    switch
        Name of the switch, such as ``rejection_velocity``, or ``operator``.
    scope
        ``account``, or the id of the strategy.
    before, after
        Severity of this measure.
    observed, threshold
        In the unit of the switch; None for what no number caused.
    reason
        In words.
    correlation_id
        Of the command that caused it.
    operator
        Who did it, if a person did.
    requests
        What the switch asks of whoever holds the orders.
    """

    at: int
    switch: str
    scope: str
    before: Severity
    after: Severity
    observed: float | None
    threshold: float | None
    reason: str
    correlation_id: str
    operator: str | None = None
    requests: tuple[Request, ...] = ()

    @classmethod
    def of_plain(cls, plain: dict[str, Any]) -> "ControlEvent":
        """Return the event that `to_plain` wrote."""
        return cls(
            **{
                **plain,
                "before": Severity(plain["before"]),
                "after": Severity(plain["after"]),
                "requests": tuple(Request(item) for item in plain["requests"]),
            }
        )
