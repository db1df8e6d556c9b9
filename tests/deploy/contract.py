"""What the files in deploy/ may ask of a gate: metrics with their labels and values, and the fields of a log line."""

from types import MappingProxyType

from rpmcore.controls.regime_limits import REGIMES
from rpmcore.domain.controls import RejectionCause, Severity, TradingState
from rpmcore.domain.reasons import REASONS, RejectReason

_LIMITS = {reason.value for reason in RejectReason if REASONS[reason].cause is RejectionCause.RISK_LIMIT}
_SEVERITIES = {severity.value for severity in Severity}
_SWITCHES = {
    "rejection_velocity", "exposure_velocity", "per_strategy", "account", "repeated_execution", "operator",
}  # fmt: skip

METRICS = MappingProxyType(
    {
        "trade_decisions_total": ("counter", {"strategy": None, "decision": {"approved", "cut", "rejected"}}),
        "rpm_rejections_total": ("counter", {"reason": {reason.value for reason in RejectReason}}),
        "kill_switch_triggers_total": ("counter", {"type": _SWITCHES, "severity": _SEVERITIES - {"none"}}),
        "risk_breaches_total": ("counter", {"type": None}),
        "execution_time_ms": ("histogram", {"operation": {"approve_trade"}, "strategy": None}),
        "rpm_ledger_commit_seconds": ("histogram", {}),
        "portfolio_exposure": ("gauge", {}),
        "portfolio_leverage": ("gauge", {}),
        "portfolio_num_positions": ("gauge", {}),
        "portfolio_unrealized_pnl": ("gauge", {}),
        "rpm_equity": ("gauge", {}),
        "rpm_drawdown": ("gauge", {}),
        "rpm_limit_utilisation": ("gauge", {"limit": _LIMITS}),
        "rpm_kill_switch_state": ("gauge", {"scope": None, "severity": _SEVERITIES}),
        "rpm_trading_state": ("gauge", {"state": {state.value for state in TradingState}}),
        "rpm_regime": ("gauge", {"regime": set(REGIMES)}),
        "rpm_price_age_seconds": ("gauge", {}),
        "rpm_alert_delivery_failures_total": ("counter", {"channel": {"slack", "pagerduty"}}),
        "rpm_telemetry_failures_total": ("counter", {}),
        "rpm_build_info": ("gauge", {"version": None, "config_digest": None}),
    }
)
"""Kind, and the values of each label by its name; None for those that are known at run time alone."""

OF_PROMETHEUS = frozenset({"instance", "job"})
"""Labels that a scrape adds."""

LINE = MappingProxyType(
    {
        "@timestamp": "2026-01-05T09:30:00.123456789Z", "event.created": "2026-01-05T09:30:00.123999000Z",
        "log.level": "critical", "log.logger": "rpm", "message": "kill switch at HALT",
        "event.kind": "alert", "event.action": "kill_switch", "event.outcome": "failure",
        "event.reason": "loss of the day", "event.sequence": 7, "event.duration": 1_200_000,
        "trace.id": "4bf92f3577b34da6a3ce929d0e0e4736", "span.id": "00f067aa0ba902b7", "ecs.version": "8.11.0",
        "service.name": "rpm", "service.version": "2.0.0", "rpm.correlation_id": "c-1", "rpm.observed": 0.031,
        "rpm.threshold": 3, "rpm.scope": "account", "rpm.reducing": True,
    }
)  # fmt: skip
"""A log line, by the names of the Elastic Common Schema; ours stand under ``rpm.``."""
