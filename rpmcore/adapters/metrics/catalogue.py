"""Every metric of rpm, once: its name, kind, labels, the values that a label may take, and what it tells.

Label values come from closed sets: each new value is a new series that Prometheus keeps. Symbols, order ids and
correlation ids are none; they stand in logs, in the ledger and in exemplars.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from rpmcore.controls.regime_limits import REGIMES
from rpmcore.domain.controls import RejectionCause, Severity, TradingState
from rpmcore.domain.reasons import REASONS, RejectReason

Kind = Literal["counter", "gauge", "histogram"]

OTHER = "other"
"""In place of a value from outside the closed set."""

NONE = "none"
"""The strategy of what belongs to no single one."""

DECISIONS = ("approved", "cut", "rejected")
SEVERITIES = tuple(severity.value for severity in Severity)
SWITCHES = (
    "rejection_velocity", "exposure_velocity", "per_strategy", "account", "repeated_execution", "operator",
)  # fmt: skip
REJECTIONS = tuple(reason.value for reason in RejectReason)
LIMITS = tuple(reason.value for reason in RejectReason if REASONS[reason].cause is RejectionCause.RISK_LIMIT)
BREACHES = (*LIMITS, *(f"max_{name}" for name in LIMITS))
UTILISATIONS = (
    "gross_exposure", "net_exposure", "leverage", "volatility", "value_at_risk", "expected_shortfall", "single_name",
    "sector", "beta", "factor_exposure", "currency",
)  # fmt: skip
STATES = tuple(state.value for state in TradingState)
OPERATIONS = (
    "approve_trade", "bar", "quotes", "release", "fill", "order_closed", "cancel_requested", "reconciled", "equity",
    "cash_flow", "trade", "operator", "integrity_failed", "reconfigured", "tick",
)  # fmt: skip
CHANNELS = ("slack", "pagerduty", "callback")

MILLISECONDS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 250.0, 1000.0)
COMMIT_SECONDS = (1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSpec:
    """A metric.

    Attributes
    ----------
    name, kind, help
        As Prometheus is told; the name of a counter ends in ``_total``.
    labels
        By name, the values that each may take; None for the strategies of the gate, which are known at run time.
    buckets
        Upper bounds, of a histogram.
    """

    name: str
    kind: Kind
    help: str
    labels: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    buckets: tuple[float, ...] = ()


METRICS: tuple[MetricSpec, ...] = (
    MetricSpec(
        name="trade_decisions_total", kind="counter", labels={"strategy": None, "decision": DECISIONS},
        help="Decisions about signals, by strategy and verdict.",
    ),
    MetricSpec(
        name="rpm_rejections_total", kind="counter", labels={"reason": REJECTIONS},
        help="Signals that were rejected, by the reason that was given.",
    ),
    MetricSpec(
        name="kill_switch_triggers_total", kind="counter", labels={"type": SWITCHES, "severity": SEVERITIES[1:]},
        help="Times that a kill switch went to a worse severity, by switch and severity.",
    ),
    MetricSpec(
        name="risk_breaches_total", kind="counter", labels={"type": BREACHES},
        help="Signals that a risk limit turned down or cut, by limit; and breaches that were reported.",
    ),
    MetricSpec(
        name="execution_time_ms", kind="histogram", labels={"operation": OPERATIONS, "strategy": None},
        buckets=MILLISECONDS, help="Milliseconds that an operation took, its record in the ledger included.",
    ),
    MetricSpec(
        name="rpm_ledger_commit_seconds", kind="histogram", buckets=COMMIT_SECONDS,
        help="Seconds until the ledger had a command, its decision and its events on the disk.",
    ),
    MetricSpec(
        name="portfolio_exposure", kind="gauge",
        help="Gross exposure: the sum of |market value| of what is held, in account currency.",
    ),
    MetricSpec(name="portfolio_leverage", kind="gauge", help="Gross exposure over equity."),
    MetricSpec(name="portfolio_num_positions", kind="gauge", help="Instruments in which the account holds anything."),
    MetricSpec(
        name="portfolio_unrealized_pnl", kind="gauge",
        help="Gain or loss of what is held, against what was paid since it was watched, in account currency.",
    ),
    MetricSpec(name="rpm_equity", kind="gauge", help="Equity of the account, in account currency."),
    MetricSpec(name="rpm_drawdown", kind="gauge", help="(peak - equity) / peak of the account; 0 at the peak."),
    MetricSpec(
        name="rpm_limit_utilisation", kind="gauge", labels={"limit": UTILISATIONS},
        help="Use of a limit by the book with working orders at their worst; 1 is the limit, NaN where not known.",
    ),
    MetricSpec(
        name="rpm_kill_switch_state", kind="gauge", labels={"scope": None, "severity": SEVERITIES},
        help="1 for the severity that holds for the account or a strategy, 0 for the others.",
    ),
    MetricSpec(
        name="rpm_trading_state", kind="gauge", labels={"state": STATES},
        help="1 for the trading state that holds, 0 for the others; halted also where the gate has failed.",
    ),
    MetricSpec(
        name="rpm_regime", kind="gauge", labels={"regime": REGIMES},
        help="1 for the regime that holds, 0 for the others.",
    ),
    MetricSpec(
        name="rpm_price_age_seconds", kind="gauge",
        help="Age of the oldest last price of what is held; of the newest price where nothing is held.",
    ),
    MetricSpec(
        name="rpm_alert_delivery_failures_total", kind="counter", labels={"channel": CHANNELS},
        help="Alerts that could not be delivered at an attempt, by channel.",
    ),
    MetricSpec(
        name="rpm_telemetry_failures_total", kind="counter",
        help="Log lines, spans, alerts and values of metrics that were lost: a full queue, a full disk, an error.",
    ),
    MetricSpec(
        name="rpm_build_info", kind="gauge", labels={"version": (), "config_digest": ()},
        help="1, with the version of rpm and the digest of the settings that decisions are made by.",
    ),
)  # fmt: skip
"""All of them; those of the specification keep its names."""
