"""Alerts to PagerDuty, by its Events API v2 (https://developer.pagerduty.com/docs/events-api-v2/trigger-events)."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from rpmcore.adapters.alerts.alert import Alert, AlertAction, AlertSeverity
from rpmcore.adapters.alerts.channel import Sent
from rpmcore.adapters.alerts.credentials import Secret
from rpmcore.adapters.alerts.links import runbook_link
from rpmcore.adapters.alerts.posting import Poster

SEVERITIES = {
    AlertSeverity.INFO: "info",
    AlertSeverity.WARNING: "warning",
    AlertSeverity.CRITICAL: "critical",
    AlertSeverity.EMERGENCY: "critical",
}
"""What PagerDuty calls them: a HALT must call somebody, which "error" may not."""

LONGEST_KEY, LONGEST_SUMMARY = 255, 1024


class PagerDutyChannel:
    """Opens, acknowledges and resolves one incident for each key; nobody is called for a note.

    Parameters
    ----------
    poster
        To the events endpoint.
    routing_key
        Of the integration.
    source
        Name of this installation.
    runbook
        Where the runbook is.
    """

    name = "pagerduty"

    def __init__(self, poster: Poster, routing_key: Secret, *, source: str, runbook: str) -> None:
        self._poster, self._routing_key, self._source, self._runbook = poster, routing_key, source, runbook

    def send(self, alert: Alert, action: AlertAction) -> Sent:
        """Post one event."""
        if action is AlertAction.NOTE:
            return Sent(arrived=True)
        return self._poster.post({"routing_key": self._routing_key.reveal(), **self.event(alert, action)})

    def close(self) -> None:
        """Close the connection."""
        self._poster.close()

    def event(self, alert: Alert, action: AlertAction) -> dict[str, Any]:
        """Return what is posted, without the routing key."""
        event: dict[str, Any] = {"event_action": action.value, "dedup_key": dedup_key(self._source, alert.key)}
        if action is not AlertAction.TRIGGER:
            return event
        link = runbook_link(self._runbook, alert.runbook) if alert.runbook else ""
        event["payload"] = {
            "summary": f"{alert.severity.name}: {alert.title}"[:LONGEST_SUMMARY],
            "source": self._source,
            "severity": SEVERITIES[alert.severity],
            "timestamp": datetime.fromtimestamp(alert.last_at / 1e9, UTC).isoformat(timespec="milliseconds"),
            "component": "gate",
            "group": alert.scope,
            "class": alert.runbook or "alert",
            "custom_details": {"text": alert.text, "alert": alert.id, "count": alert.count, "runbook": link},
        }
        if link.startswith("https://"):
            event["links"] = [{"href": link, "text": "Runbook"}]
        return event


def dedup_key(source: str, key: str) -> str:
    """Return the key of an incident: the same after a restart, and at most 255 characters."""
    text = f"{source}/{key}"
    return text if len(text) <= LONGEST_KEY else f"{text[: LONGEST_KEY - 65]}/{sha256(text.encode()).hexdigest()}"
