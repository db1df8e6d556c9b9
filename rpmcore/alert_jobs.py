"""What operators do with alerts beside a running gate: look, answer, and try whether they arrive."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from time import time_ns
from typing import Any

from rpmcore.adapters.alerts.alert import Alert, AlertAction, AlertSeverity
from rpmcore.adapters.alerts.alerting import AlertingSystem
from rpmcore.adapters.alerts.catalogue import told
from rpmcore.adapters.alerts.channels import PAGERDUTY, SLACK, configured_channels
from rpmcore.adapters.alerts.outbox import ChannelState, Outbox
from rpmcore.adapters.alerts.settings import AlertSettings
from rpmcore.domain.errors import ConfigurationError
from rpmcore.domain.report import Report, Shown, counted

TEST = "alert-test"
"""The key, and the entry in the runbook, of an alert that only tries the way."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AlertsStatus(Report):
    """An outbox: what nobody has resolved, what was resolved last, and how each channel stands."""

    active: tuple[Alert, ...]
    recent: tuple[Alert, ...]
    channels: tuple[ChannelState, ...]

    SCHEMA = "rpm.alerts/1"
    MAIN = "active"
    SHOWN = (
        Shown(
            table="active", title="Active", columns=("id", "severity", "title", "raised_at", "acknowledged_by"), rows=20
        ),
        Shown(table="recent", title="Resolved", columns=("id", "severity", "title", "resolved_at", "resolved_by")),
        Shown(table="channels", title="Channels", columns=("channel", "pending", "delivered", "failed", "error")),
    )

    def headline(self) -> str:
        """Return the answer in a sentence."""
        return f"{counted(len(self.active), 'active alert')}, {counted(len(self.channels), 'channel')}"

    def to_plain(self) -> dict[str, Any]:
        """Return it in JSON's types; times as text in UTC."""
        return {
            "active": [_plain(alert) for alert in self.active],
            "recent": [_plain(alert) for alert in self.recent],
            "channels": [
                {field.name: getattr(channel, field.name) for field in fields(channel)} for channel in self.channels
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TestedChannel:
    """Whether a test alert arrived on a channel, and why not."""

    channel: str
    arrived: bool
    error: str


def alerts_status(outbox: str | Path, *, recent: int = 10) -> AlertsStatus:
    """Return what an outbox holds, also while a gate writes to it.

    Raises
    ------
    OutboxError
        If it cannot be read.
    """
    with closing(Outbox.read(outbox)) as opened:
        return AlertsStatus(active=opened.active(), recent=opened.recent(recent), channels=opened.channels())


def answer_alert(outbox: str | Path, alert_id: str, operator: str, *, resolved: bool) -> Alert:
    """Acknowledge an alert, or resolve it; the gate that delivers from this outbox tells the channels.

    Raises
    ------
    OutboxError
        If the outbox cannot be read or written.
    InvalidArgument
        If no such alert is active, or nobody is named.
    """
    Outbox.read(outbox).close()  # to open for writing would create one
    with closing(Outbox.open(outbox)) as opened:
        alerting = AlertingSystem(opened)
        return (alerting.resolve if resolved else alerting.acknowledge)(alert_id, operator)


def send_test_alert(
    operator: str, *, settings: AlertSettings | None = None, environment: Mapping[str, str] | None = None
) -> tuple[TestedChannel, ...]:
    """Send an alert and its resolution once to each configured channel, and return what became of them.

    Raises
    ------
    ConfigurationError
        If no channel is configured, or one is configured wrongly.
    """
    channels = configured_channels(settings, environment)
    if not channels:
        raise ConfigurationError(
            f"no channel is configured: set {SLACK} or {PAGERDUTY}, or name a file in {SLACK}_FILE or {PAGERDUTY}_FILE"
        )
    now = time_ns()
    alert = Alert(
        id=TEST, key=TEST, severity=AlertSeverity.INFO, title="Test of the alerts", runbook=TEST, raised_at=now,
        last_at=now, resolved_by=operator,
        text=told(happened=f"{operator} tried whether alerts arrive", scope="account", done="nothing", to_do="nothing"),
    )  # fmt: skip
    tested = []
    for channel in channels:
        sent = channel.send(alert, AlertAction.TRIGGER)
        if sent.arrived:
            sent = channel.send(alert, AlertAction.RESOLVE)
        tested.append(TestedChannel(channel=channel.name, arrived=sent.arrived, error=sent.error))
        channel.close()
    return tuple(tested)


def _plain(alert: Alert) -> dict[str, Any]:
    plain = {field.name: getattr(alert, field.name) for field in fields(alert)}
    for name in ("raised_at", "last_at", "acknowledged_at", "resolved_at"):
        plain[name] = None if plain[name] is None else written_time(plain[name])
    return {**plain, "severity": alert.severity.word}


def written_time(at: int) -> str:
    """Return UTC nanoseconds as text."""
    return datetime.fromtimestamp(at / 1e9, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
