"""What a run of signals through the gate came to, by day, by month and by crisis."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from rpmcore.domain.crises import Crisis

EXPECTED_REJECTIONS = (0.15, 0.25)
"""Share of signals that the specification expects to be rejected, for a comparison and no more."""

BEFORE_DAYS = 60
"""Days before a crisis that it is compared with."""


@dataclass(slots=True, kw_only=True)
class RunDay:
    """What happened on a day.

    Attributes
    ----------
    approved, cut, rejected
        Signals.
    requested_value, approved_value
        In account currency, of signals that open or add.
    multiplier, regime, risk_per_trade
        After the close: what is left of the regime's base limits, and the limits for the next day.
    halts
        Scopes that were halted.
    equity
        At the close, in account currency.
    """

    day: date
    approved: int = 0
    cut: int = 0
    rejected: int = 0
    requested_value: float = 0.0
    approved_value: float = 0.0
    multiplier: float = 1.0
    regime: str = ""
    risk_per_trade: float = 0.0
    halts: int = 0
    equity: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpan:
    """Several days together.

    Attributes
    ----------
    name
        Such as ``2020-03``, or of a crisis.
    passed_share
        Approved over requested value of what opens or adds; None where nothing was requested.
    rejected_share
        Of signals; None where there were none.
    regime, risk_per_trade
        Of the day with the tightest limits.
    mean_risk_per_trade
        Of all days.
    """

    name: str
    first: date
    last: date
    signals: int
    approved: int
    cut: int
    rejected: int
    requested_value: float
    approved_value: float
    passed_share: float | None
    rejected_share: float | None
    regime: str
    risk_per_trade: float
    mean_risk_per_trade: float
    halts: int
    equity: float
    passed_share_reason: str = "nothing was requested"
    rejected_share_reason: str = "there was no signal"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrisisSpan:
    """A crisis that lies in the run, and the days before it; None where there are none."""

    crisis: str
    title: str
    during: RunSpan
    before: RunSpan | None
    before_reason: str = "the run begins with it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """A switch that halted a scope; `at` in UTC nanoseconds."""

    at: int
    switch: str
    scope: str
    severity: str
    reason: str


@dataclass(slots=True, kw_only=True)
class GateRun:
    """What a run came to.

    Attributes
    ----------
    first, last
        Days of the run.
    reasons
        Rejections by reason.
    bindings
        Cuts by the check that made them.
    not_sent
        Reduce-only signals of strategies that held nothing to reduce.
    not_released
        Approvals that a switch stopped before they were sent.
    halts
        Switches that fired, in their order.
    resets
        By the simulated operator.
    disabled
        Strategies that were disabled for their health: (time, strategy, reason).
    not_reset
        Who stays halted though the operator was there, as nothing is left to measure from: (time, scope, reason).
    trades, pnl
        Closed trades, and their P&L by strategy, in account currency.
    nanoseconds
        That each decision took, its record included.
    days
        In their order.
    """

    first: date
    last: date
    reasons: Counter[str] = field(default_factory=Counter)
    bindings: Counter[str] = field(default_factory=Counter)
    not_sent: int = 0
    not_released: int = 0
    halts: list[Halt] = field(default_factory=list)
    resets: int = 0
    disabled: list[tuple[int, str, str]] = field(default_factory=list)
    not_reset: list[tuple[int, str, str]] = field(default_factory=list)
    trades: int = 0
    pnl: dict[str, float] = field(default_factory=dict)
    nanoseconds: list[int] = field(default_factory=list)
    days: list[RunDay] = field(default_factory=list)
    equity_first: float = 0.0
    equity_last: float = 0.0
    max_drawdown: float = 0.0

    @property
    def total(self) -> RunSpan:
        """The whole run."""
        return span_of("total", self.days)

    @property
    def months(self) -> list[RunSpan]:
        """By month."""
        return self._by(lambda day: f"{day:%Y-%m}")

    @property
    def years(self) -> list[RunSpan]:
        """By year."""
        return self._by(lambda day: f"{day:%Y}")

    def _by(self, name: Any) -> list[RunSpan]:
        found: dict[str, list[RunDay]] = {}
        for day in self.days:
            found.setdefault(name(day.day), []).append(day)
        return [span_of(key, days) for key, days in found.items()]

    def crises(self, library: Mapping[str, Crisis]) -> list[CrisisSpan]:
        """Return the crises whose window lies in the run."""
        found = []
        for name, crisis in library.items():
            start, end = crisis.window.start, crisis.window.end
            during = [d for d in self.days if start <= d.day <= end]
            if not during:
                continue
            before = [d for d in self.days if start - timedelta(days=BEFORE_DAYS) <= d.day < start]
            found.append(
                CrisisSpan(
                    crisis=name, title=crisis.title, during=span_of(name, during),
                    before=span_of("before", before) if before else None,
                )
            )  # fmt: skip
        return sorted(found, key=lambda c: c.during.first)

    def decision_times(self) -> dict[str, float | None]:
        """Return median, 99th percentile and maximum in milliseconds; None without decisions."""
        times = sorted(self.nanoseconds)
        if not times:
            return {"p50": None, "p99": None, "max": None}
        return {
            "p50": times[len(times) // 2] / 1e6, "p99": times[min(int(len(times) * 0.99), len(times) - 1)] / 1e6,
            "max": times[-1] / 1e6,
        }  # fmt: skip


def span_of(name: str, days: Iterable[RunDay]) -> RunSpan:
    """Return days together; there must be one."""
    held = list(days)
    tightest = min(held, key=lambda d: d.risk_per_trade)
    approved, cut, rejected = (sum(getattr(d, verdict) for d in held) for verdict in ("approved", "cut", "rejected"))
    requested, passed = sum(d.requested_value for d in held), sum(d.approved_value for d in held)
    signals = approved + cut + rejected
    return RunSpan(
        name=name, first=held[0].day, last=held[-1].day, signals=signals, approved=approved, cut=cut,
        rejected=rejected, requested_value=requested, approved_value=passed,
        passed_share=passed / requested if requested else None, rejected_share=rejected / signals if signals else None,
        regime=tightest.regime, risk_per_trade=tightest.risk_per_trade,
        mean_risk_per_trade=sum(d.risk_per_trade for d in held) / len(held), halts=sum(d.halts for d in held),
        equity=held[-1].equity,
    )  # fmt: skip
