"""What is tested: a risk system that is shown each close and answers with what may be traded.

The strategy under it is the plainest there is: it wants the book of the first day, in units, and proposes every day to
bring back what the system has taken away. A system answers after the close; its trades are made at that close, at the
scenario's spread and within its volume, and the next day finds the book so. What a system decides at the last
close is recorded, but lies outside the path: it neither costs nor saves.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Protocol

import numpy as np

from rpmcore.domain.arrays import Matrix, Vector
from rpmcore.domain.errors import InvalidArgument
from rpmcore.risk.settings import RiskSettings

Timer = Callable[[], float]
"""Gives seconds that never run backwards. Without one, decisions are not timed."""

NOT_MEASURED = "not measured: no timer was passed in"

LOSS_LIMIT = 0.10
"""Loss at which the plain system closes the book: two thirds of the 15 % that still pass, so that it can."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Start:
    """What a system may know before the first day.

    Attributes
    ----------
    symbols
        Of the assets, in the order of every vector.
    capital
        Initial equity in account currency.
    market_values
        (n_assets,) signed, in account currency.
    covariance
        (n_assets, n_assets) calm, per day.
    """

    symbols: tuple[str, ...]
    capital: float
    market_values: Vector
    covariance: Matrix


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Marks:
    """The book after a close.

    Attributes
    ----------
    day
        From 1.
    returns
        (day, n_assets) of the path so far, in account currency, oldest first.
    equity
        In account currency, after the costs of earlier trades.
    market_values
        (n_assets,) signed, in account currency, at this close.
    """

    day: int
    returns: Matrix
    equity: float
    market_values: Vector

    @property
    def weights(self) -> Vector:
        """(n_assets,) market value / equity; meaningless once equity is gone."""
        return self.market_values / self.equity


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A control that acted, and why."""

    control: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decisions:
    """The answer to a day.

    Attributes
    ----------
    trades
        (n_assets,) change of market value in account currency: what is let through of the proposals, plus reductions
        of the system's own. Each position must end between zero, where it is, and where the proposal would take it.
    actions
        The controls that reduced anything, the binding one first; empty where all was let through.
    """

    trades: Vector
    actions: tuple[Action, ...] = ()


class RunningSystem(Protocol):
    """A system in the middle of one path."""

    def decide(self, marks: Marks, proposed: Vector) -> Decisions:
        """Answer to proposed changes of market value (n_assets,), in account currency."""


class RiskSystem(Protocol):
    """A system that can be tested: it is started anew for each path, so that paths cannot touch each other."""

    @property
    def name(self) -> str:
        """What reports call it."""

    def start(self, start: Start) -> RunningSystem:
        """Return it at the beginning of a path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Above a volatility per day of `trigger`, the book is scaled to that of `goal`; fractions of equity."""

    control: str
    trigger: float
    goal: float


class Unmanaged:
    """Lets everything through."""

    name = "unmanaged"

    def start(self, start: Start) -> RunningSystem:  # noqa: ARG002 - part of the protocol
        """Return itself: it remembers nothing."""
        return self

    def decide(self, marks: Marks, proposed: Vector) -> Decisions:  # noqa: ARG002 - part of the protocol
        """Return the proposals."""
        return Decisions(trades=proposed)


class LimitSystem:
    """The limits of `rpmcore.risk.portfolio_risk.PortfolioRiskEngine`, held every day.

    After each close the covariance takes in the day's returns, Σ ← λΣ + (1−λ) r r', and the book as the strategy wants
    it is measured: volatility against the target with its threshold and the maximum, normal VaR and ES against
    their limits. The smallest of the factors that these ask for scales every position of that book, up again as well as
    down, so that a quiet market gives back what a wild one took. Once the loss reaches `maximum_loss` of the
    initial equity, everything is closed and stays so.

    Limits bind on the normal measure alone (``limits.method`` also offers a historical one, which would need the
    window of returns behind each path); limits on names, sectors and factors are left out.

    Parameters
    ----------
    settings
        The sections ``limits``, ``covariance.decay`` and ``data.periods_per_year``.
    maximum_loss
        In (0, 1], a fraction of the initial equity.

    Raises
    ------
    InvalidArgument
        If `maximum_loss` is out of its range.
    """

    name = "limits"

    def __init__(self, settings: RiskSettings | None = None, *, maximum_loss: float = LOSS_LIMIT) -> None:
        if not 0.0 < maximum_loss <= 1.0:
            raise InvalidArgument(f"maximum_loss must lie in (0, 1], but is {maximum_loss!r}")
        self.settings, self.maximum_loss = settings or RiskSettings(), maximum_loss
        self.decay = self.settings.covariance.decay
        self.rules = _rules(self.settings)

    def start(self, start: Start) -> RunningSystem:
        """Return it with the calm covariance and no loss."""
        return _RunningLimits(self, start)


class _RunningLimits:
    def __init__(self, system: LimitSystem, start: Start) -> None:
        self.system, self.capital, self.stopped = system, start.capital, False
        self.covariance = start.covariance.copy()

    def decide(self, marks: Marks, proposed: Vector) -> Decisions:
        system, latest = self.system, marks.returns[-1]
        self.covariance = system.decay * self.covariance + (1.0 - system.decay) * np.outer(latest, latest)
        wanted = marks.market_values + proposed
        loss = 1.0 - marks.equity / self.capital
        self.stopped = self.stopped or marks.equity <= (1.0 - system.maximum_loss) * self.capital
        if self.stopped:
            reason = f"the loss is {loss:.2%}; everything was closed at {system.maximum_loss:.2%}"
            return Decisions(trades=-marks.market_values, actions=(Action(control=CONTROL_OF_LOSS, reason=reason),))
        volatility = sqrt(max(float(wanted @ self.covariance @ wanted), 0.0)) / marks.equity
        asked = [rule for rule in system.rules if volatility > rule.trigger]
        asked.sort(key=lambda rule: rule.goal)
        scale = asked[0].goal / volatility if asked else 1.0
        actions = tuple(
            Action(
                control=rule.control,
                reason=f"daily volatility {volatility:.2%} exceeds {rule.trigger:.2%}: scale to {rule.goal:.2%}",
            )
            for rule in asked
        )
        return Decisions(trades=scale * wanted - marks.market_values, actions=actions)


CONTROL_OF_LOSS = "loss_limit"


def _rules(settings: RiskSettings) -> tuple[Rule, ...]:
    """Return the limits as bounds on the daily volatility: normal VaR and ES are multiples of it."""
    limits, tail = settings.limits, 1.0 - settings.limits.confidence
    z = NormalDist().inv_cdf(limits.confidence)
    shortfall = NormalDist().pdf(z) / tail
    year = sqrt(settings.data.periods_per_year)
    trigger = min(limits.target_volatility * (1.0 + limits.rebalance_threshold), limits.maximum_volatility)
    return (
        Rule(control="volatility_scaling", trigger=trigger / year, goal=limits.target_volatility / year),
        Rule(control="value_at_risk", trigger=limits.value_at_risk / z, goal=limits.value_at_risk / z),
        Rule(
            control="expected_shortfall",
            trigger=limits.expected_shortfall / shortfall,
            goal=limits.expected_shortfall / shortfall,
        ),
    )
