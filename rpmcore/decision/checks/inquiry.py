"""All that is known of one order, gathered once, and how a check answers about it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from math import inf, isfinite, nextafter

from rpmcore.controls.adaptive_risk import AdaptiveLimits
from rpmcore.decision.exposures import Exposures
from rpmcore.decision.settings import GateSettings
from rpmcore.domain.controls import Severity
from rpmcore.domain.decisions import CheckResult, CheckStatus
from rpmcore.domain.instruments import Instrument
from rpmcore.domain.orders import Signal
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.sizing.exact import exact
from rpmcore.risk.sizing.lots import LotRules
from rpmcore.risk.trade_impact.impact import TradeImpact
from rpmcore.risk.trade_impact.worst_case import WorstCase


@dataclass(slots=True, kw_only=True, eq=False)
class Inquiry:
    """One order, as every check sees it.

    Attributes
    ----------
    signal, at
        What is asked, and when.
    gate, risk
        Settings.
    problem
        What is wrong with the signal's own fields; empty for nothing.
    conflict_with, late_by, last_at
        As in `rpmcore.domain.commands.SignalReceived`; and the time of the last command.
    integrity
        Why nothing is released; empty where all is well.
    severity, throttle
        Of the kill switches for this strategy, and the factor on sizes.
    known_strategy, strategy_reason, strategy_multiplier
        Whether it is registered, why it is disabled (empty where it is not), and its factor on sizes.
    messages
        Its signals within the window of the throttle, this one included.
    repeated
        Its orders of this symbol and side within the window, this one included; and the most allowed.
    instrument, lots
        None where nothing is known of the symbol.
    price, price_at, rate
        Last price and its time, and the rate of its currency; None where there is none.
    value_at
        The time of the older of price and rate.
    unit_value, unit_loss
        Of a quantity of one, in account currency, now and what it loses at the stop; None where not known.
    equity
        Of the account, in account currency.
    sign
        1 to buy, −1 to sell.
    requested, reducible
        Quantities: what is asked (None where nobody can tell), and how much of an order on this side only shrinks the
        account's position.
    limits
        Of today.
    exposures, worst_case
        Of the account with its working orders; None where they cannot be measured, for `no_risk`. See
        `rpmcore.decision.book.BookView`.
    asset, unmoved
        Place of the instrument in the risk model, and whether its price has not moved there.
    headroom
        Of gross exposure, in account currency.
    adv, spread_bps, drawdown
        What the sizer is told; see `rpmcore.risk.sizing.request.SizingRequest`.
    rollout
        Factor on the size of what opens, in (0, 1].
    quantity, opening, reduces
        What is asked, how much of it does more than shrink a position, and whether none of it does.
    size, smallest
        Values of what is asked and of the smallest lot, unsigned, as fractions of equity; 0 where there is none.
    remeasured
        What the checks leave for the final size: each tells from its value whether it passes.
    """

    signal: Signal
    at: int
    gate: GateSettings
    risk: RiskSettings
    problem: str
    conflict_with: int | None
    late_by: int | None
    last_at: int
    integrity: str
    severity: Severity
    throttle: float
    known_strategy: bool
    strategy_reason: str
    strategy_multiplier: float
    messages: int
    repeated: tuple[int, int]
    instrument: Instrument | None
    lots: LotRules | None
    price: float | None
    price_at: int | None
    value_at: int | None
    rate: float | None
    unit_value: float | None
    unit_loss: float | None
    equity: float
    sign: int
    requested: Decimal | None
    reducible: Decimal
    limits: AdaptiveLimits
    account: str
    exposures: Exposures | None
    worst_case: WorstCase | None
    no_risk: str
    asset: int | None
    unmoved: bool
    headroom: float
    adv: float | None
    spread_bps: float | None
    drawdown: float
    rollout: float
    remeasured: list[tuple[str, Callable[[float], TradeImpact]]] = field(default_factory=list)

    quantity: float = 0.0
    opening: float = 0.0
    reduces: bool = False
    size: float = 0.0
    smallest: float = 0.0
    _impacts: dict[float, tuple[TradeImpact, TradeImpact, TradeImpact]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.requested is not None:
            self.quantity = float(self.requested)
            self.opening = float(max(Decimal(0), self.requested - self.reducible))
            self.reduces = self.requested <= self.reducible
        if self.equity > 0.0:
            self.size = self.weight(self.quantity)
            self.smallest = self.weight(float(self.lots.minimum)) if self.lots is not None else 0.0

    def risk_impacts(self, size: float) -> tuple[TradeImpact, TradeImpact, TradeImpact]:
        """Return what a trade of this weight does to VaR, ES and volatility; measured once for each size."""
        assert self.worst_case is not None  # noqa: S101 - asked by those who know that there is one
        assert self.asset is not None  # noqa: S101
        found = self._impacts.get(size)
        if found is None:
            found = self._impacts[size] = self.worst_case.impacts(self.asset, self.sign, size, self.smallest)
        return found

    def fresh(self, made_at: int | None) -> bool:
        """Return whether what was made at a time is young enough to be believed."""
        return made_at is not None and self.at - made_at <= self.gate.maximum_price_age_hours * 3.6e12

    def weight(self, quantity: float) -> float:
        """Return the value of a quantity as a fraction of equity, unsigned."""
        return quantity * (self.unit_value or 0.0) / self.equity

    def quantity_of(self, weight: float) -> float:
        """Return the quantity whose value is this fraction of equity."""
        return weight * self.equity / (self.unit_value or inf)


def answer(
    status: CheckStatus,
    name: str,
    text: str,
    *,
    observed: float | None = None,
    limit: float | None = None,
    largest: float | None = None,
) -> CheckResult:
    """Return the result of a check; a number that is not finite is none."""
    if observed is not None and not isfinite(observed):
        observed = None
    used = observed / limit if observed is not None and limit else None
    if used is not None and not isfinite(used):
        used = None
    return CheckResult(
        name=name, status=status, text=text, observed=observed, limit=limit, utilisation=used,
        largest_passing=None if largest is None or largest == inf else largest,
    )  # fmt: skip


def whole(
    name: str, passes: bool, text: str, *, observed: float | None = None, limit: float | None = None
) -> CheckResult:
    """Return the result of a check that lets an order through or not, whatever its size and whatever it does."""
    return answer("pass" if passes else "reject", name, text, observed=observed, limit=limit,
                  largest=None if passes else 0.0)  # fmt: skip


def opening(
    asked: Inquiry, name: str, allowed: float, text: str, *, observed: float | None = None, limit: float | None = None
) -> CheckResult:
    """Return the result of a check that bounds what opens or adds; what only reduces passes in any case.

    Parameters
    ----------
    asked
        The order.
    allowed
        Quantity beyond what reduces, ``inf`` for no bound.
    """
    if asked.reduces:
        return answer("exempt", name, text, observed=observed, limit=limit)
    reducible, wanted = float(asked.reducible), asked.opening
    if asked.requested is None:
        # Nobody can tell the size: every bound may bind.
        wanted = inf
    status: CheckStatus = "pass"
    if allowed < wanted:
        status = "cut" if _opens(asked, reducible + allowed) else "reject"
    return answer(status, name, text, observed=observed, limit=limit, largest=reducible + max(allowed, 0.0))


def _opens(asked: Inquiry, quantity: float) -> bool:
    """Return whether a quantity, in whole lots, is more than what reduces: less than a lot is nothing."""
    if asked.lots is None or not quantity > 0.0 or quantity == inf:
        return quantity == inf
    return asked.lots.quantity(asked.lots.lots(exact(quantity))) > asked.reducible


def skipped(name: str, why: str) -> CheckResult:
    """Return the result of a check that could not be asked, because another one already says no."""
    return answer("skipped", name, why)


def of_impact(asked: Inquiry, name: str, measure: Callable[[float], TradeImpact], impact: TradeImpact) -> CheckResult:
    """Return the result of a check of a measure of the whole book.

    Parameters
    ----------
    measure
        Takes the size of a trade, as a fraction of equity.
    impact
        What it says of the whole order.
    """
    text = impact.reason or impact.measure
    if asked.reduces:
        return answer("exempt", name, text, observed=impact.after, limit=impact.limit)
    asked.remeasured.append((name, measure))
    allowed = asked.quantity_of(impact.largest) - float(asked.reducible) if impact.largest < inf else inf
    # Rounding between weights and quantities must neither cut what passes as it is, nor pass what does not.
    if impact.passes:
        allowed = max(allowed, asked.opening)
    elif allowed >= asked.opening:
        allowed = nextafter(asked.opening, 0.0)
    return opening(asked, name, allowed, text, observed=impact.after, limit=impact.limit)
