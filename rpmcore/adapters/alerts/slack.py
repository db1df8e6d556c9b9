"""Alerts to a channel of Slack, by an incoming webhook."""

from typing import Any

from rpmcore.adapters.alerts.alert import Alert, AlertAction
from rpmcore.adapters.alerts.channel import Sent
from rpmcore.adapters.alerts.links import runbook_link
from rpmcore.adapters.alerts.posting import Poster


class SlackChannel:
    """Posts a message for everything that happens to an alert: a webhook cannot change one that stands.

    Parameters
    ----------
    poster
        To the webhook.
    source
        Name of this installation.
    runbook
        Where the runbook is.
    """

    name = "slack"

    def __init__(self, poster: Poster, *, source: str, runbook: str) -> None:
        self._poster, self._source, self._runbook = poster, source, runbook

    def send(self, alert: Alert, action: AlertAction) -> Sent:
        """Post one message."""
        return self._poster.post(self.message(alert, action))

    def close(self) -> None:
        """Close the connection."""
        self._poster.close()

    def message(self, alert: Alert, action: AlertAction) -> dict[str, Any]:
        """Return what is posted; https://api.slack.com/reference/surfaces/formatting says what must be escaped."""
        what = escaped(f"{alert.title} [{self._source}, alert {alert.id}]")
        if action is AlertAction.ACKNOWLEDGE:
            return {"text": f"Acknowledged by {escaped(alert.acknowledged_by or '')}: {what}"}
        if action is AlertAction.RESOLVE:
            return {"text": f"Resolved by {escaped(alert.resolved_by or '')}: {what}"}
        text = [f"*{alert.severity.name}: {what}*", escaped(alert.text)]
        if alert.runbook:
            link = runbook_link(self._runbook, alert.runbook)
            text.append(f"Runbook: <{escaped(link)}>" if link.startswith("https://") else f"Runbook: {escaped(link)}")
        return {"text": "\n".join(text)}


def escaped(text: str) -> str:
    """Return the text as Slack shows it and no more: a ``<!channel>`` within it calls nobody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
