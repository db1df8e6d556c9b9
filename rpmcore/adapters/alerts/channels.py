"""The channels that the environment configures: each is on where its secret is given."""

from collections.abc import Mapping

from rpmcore.adapters.alerts.channel import Channel
from rpmcore.adapters.alerts.credentials import Secret, secret_named
from rpmcore.adapters.alerts.pagerduty import PagerDutyChannel
from rpmcore.adapters.alerts.posting import Poster
from rpmcore.adapters.alerts.settings import AlertSettings
from rpmcore.adapters.alerts.slack import SlackChannel

SLACK, PAGERDUTY = "RPM_SLACK_WEBHOOK_URL", "RPM_PAGERDUTY_ROUTING_KEY"


def configured_channels(
    settings: AlertSettings | None = None, environment: Mapping[str, str] | None = None
) -> tuple[Channel, ...]:
    """Return a channel for each secret: ``RPM_SLACK_WEBHOOK_URL`` and ``RPM_PAGERDUTY_ROUTING_KEY``, or ``…_FILE``.

    Parameters
    ----------
    settings
        The defaults if None.
    environment
        In place of the process's own.

    Raises
    ------
    ConfigurationError
        If a secret cannot be used, or httpx is not installed.
    """
    chosen = settings or AlertSettings()
    webhook, routing_key = secret_named(SLACK, environment), secret_named(PAGERDUTY, environment)
    found: list[Channel] = []
    if webhook is not None:
        poster = Poster(webhook, "Slack's webhook", chosen.timeout_seconds)
        found.append(SlackChannel(poster, source=chosen.source, runbook=chosen.runbook))
    if routing_key is not None:
        poster = Poster(Secret(chosen.pagerduty_url), "PagerDuty's endpoint", chosen.timeout_seconds)
        found.append(PagerDutyChannel(poster, routing_key, source=chosen.source, runbook=chosen.runbook))
    return tuple(found)
