"""What Slack and PagerDuty are sent, and that neither address nor key is to be seen anywhere."""

import json
import logging
import subprocess
import sys

import pytest

from rpmcore.adapters.alerts.alert import Alert, AlertAction, AlertSeverity
from rpmcore.adapters.alerts.channels import PAGERDUTY, SLACK, configured_channels
from rpmcore.adapters.alerts.credentials import Secret
from rpmcore.adapters.alerts.pagerduty import PagerDutyChannel, dedup_key
from rpmcore.adapters.alerts.posting import Poster
from rpmcore.adapters.alerts.settings import AlertSettings
from rpmcore.adapters.alerts.slack import SlackChannel
from rpmcore.domain.errors import ConfigurationError
from tests.alerts.conftest import START
from tests.endpoints import HANG, RESET, endpoint

KEY = "R0UT1NGK3Y00000000000000000000ab"
ALERT = Alert(
    id="a1", key="switch:account:account", severity=AlertSeverity.CRITICAL, title="HALT of <!channel> & more",
    text="What happened: loss > 3 %\nWhat to do: reset", scope="account", runbook="switch-account", raised_at=START,
    last_at=START, count=3, acknowledged_by="A. Head", resolved_by="B. <Night>",
)  # fmt: skip


@pytest.fixture
def both():
    """Give a function that posts an alert to both channels at one endpoint, and the endpoint."""
    with endpoint(200) as told:
        settings = AlertSettings(pagerduty_url=told.url, runbook="https://desk.example/runbook", source="ldn-1")
        slack, pagerduty = configured_channels(settings, {SLACK: told.url, PAGERDUTY: KEY})
        yield slack, pagerduty, told
        for channel in (slack, pagerduty):
            channel.close()


def test_slack_is_told_everything_and_escaped(both):
    slack, _, told = both
    for action in (AlertAction.TRIGGER, AlertAction.ACKNOWLEDGE, AlertAction.RESOLVE, AlertAction.NOTE):
        assert slack.send(ALERT, action).arrived
    trigger, acknowledged, resolved, note = (body["text"] for body in told.bodies)
    assert (
        trigger
        == note
        == (
            "*CRITICAL: HALT of &lt;!channel&gt; &amp; more [ldn-1, alert a1]*\nWhat happened: loss &gt; 3 %\n"
            "What to do: reset\nRunbook: <https://desk.example/runbook#switch-account>"
        )
    )
    assert acknowledged.startswith("Acknowledged by A. Head: HALT of &lt;!channel&gt;")
    assert resolved.startswith("Resolved by B. &lt;Night&gt;: ")


def test_pagerduty_is_told_by_version_2_of_its_events(both):
    _, pagerduty, told = both
    for action in (AlertAction.TRIGGER, AlertAction.ACKNOWLEDGE, AlertAction.RESOLVE, AlertAction.NOTE):
        assert pagerduty.send(ALERT, action).arrived
    trigger, acknowledged, resolved = told.bodies
    key = "ldn-1/switch:account:account"
    assert acknowledged == {"routing_key": KEY, "event_action": "acknowledge", "dedup_key": key}
    assert resolved == {"routing_key": KEY, "event_action": "resolve", "dedup_key": key}
    assert (trigger["event_action"], trigger["dedup_key"], trigger["routing_key"]) == ("trigger", key, KEY)
    payload = trigger["payload"]
    # The fields that the API requires, and the values that it admits.
    assert payload["summary"] == "CRITICAL: HALT of <!channel> & more"
    assert payload["source"] == "ldn-1"
    assert payload["severity"] in {"critical", "error", "warning", "info"}
    assert payload["timestamp"] == "2023-11-14T22:13:20.000+00:00"
    assert payload["custom_details"]["count"] == 3
    assert trigger["links"] == [{"href": "https://desk.example/runbook#switch-account", "text": "Runbook"}]


def test_a_runbook_that_is_a_path_is_named_and_not_linked():
    pagerduty = PagerDutyChannel(None, Secret(KEY), source="x", runbook="docs/runbook.md")
    event = pagerduty.event(ALERT, AlertAction.TRIGGER)
    assert "links" not in event
    assert event["payload"]["custom_details"]["runbook"] == "docs/runbook.md#switch-account"
    slack = SlackChannel(None, source="x", runbook="docs/runbook.md")
    assert slack.message(ALERT, AlertAction.TRIGGER)["text"].endswith("\nRunbook: docs/runbook.md#switch-account")


def test_a_long_key_stays_a_key_of_its_own():
    one, other = dedup_key("x", "k" * 390 + "1"), dedup_key("x", "k" * 390 + "2")
    assert len(one) == len(other) == 255
    assert one != other


@pytest.mark.parametrize(
    ("step", "again", "error"),
    [
        (202, None, ""),
        (429, True, "answered 429"),
        (500, True, "answered 500"),
        (503, True, "answered 503"),
        (400, False, "answered 400"),
        (403, False, "answered 403"),
        (302, False, "answered 302"),
        (HANG, True, "no answer within 0.2 s"),
        (RESET, True, "the connection broke"),
    ],
)
def test_how_an_attempt_ends(step, again, error, caplog):
    with endpoint(step) as told, caplog.at_level(logging.DEBUG):
        poster = Poster(Secret(told.url), "Slack's webhook", 0.2)
        sent = poster.post({"text": "x"})
        poster.close()
    assert sent.arrived is (again is None)
    assert sent.error.startswith(error)
    if again is not None:
        assert sent.again is again
    assert "s3cr3t" not in caplog.text + repr(sent) + repr(poster)


def test_what_others_log_through_httpx_is_not_dropped(caplog):
    import httpx

    with endpoint(200) as told, caplog.at_level(logging.DEBUG):
        poster = Poster(Secret(told.url), "Slack's webhook", 2.0)
        poster.post({})
        poster.close()
        assert "HTTP Request" not in caplog.text
        with httpx.Client() as client:
            client.post(told.url, json={})
    assert "HTTP Request" in caplog.text


def test_nobody_listens():
    with endpoint(200) as told:
        url = told.url
    poster = Poster(Secret(url), "Slack's webhook", 1.0)
    sent = poster.post({})
    poster.close()
    assert (sent.arrived, sent.again, sent.error) == (False, True, "no connection")


@pytest.mark.parametrize(
    "address",
    ["ftp://hooks.example/s3cr3t", "http://hooks.example/s3cr3t", "https://", "s3cr3t", "https://[s3cr3t", "https://x:p/s3cr3t"],
)  # fmt: skip
def test_an_address_that_is_none_of_https_is_refused_and_not_quoted(address):
    with pytest.raises(ConfigurationError, match="Slack's webhook must begin with https") as refused:
        configured_channels(environment={SLACK: address})
    assert "s3cr3t" not in str(refused.value)


def test_channels_are_those_whose_secret_is_given():
    assert configured_channels(environment={}) == ()
    (only,) = configured_channels(environment={PAGERDUTY: KEY})
    assert only.name == "pagerduty"


def test_without_httpx_a_configured_channel_is_a_clear_error():
    code = (
        "import sys; sys.modules['httpx'] = None\n"
        "from rpmcore.adapters.alerts.channels import configured_channels\n"
        "assert configured_channels(environment={}) == ()\n"
        "try: configured_channels(environment={'RPM_SLACK_WEBHOOK_URL': 'https://x.example/s3cr3t'})\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("ConfigurationError Slack's webhook is configured, and httpx is not installed")
    assert 'pip install "rpmcore[alerts]"' in done.stdout
    assert "s3cr3t" not in done.stdout


def test_events_are_plain_json(both):
    slack, pagerduty, _ = both
    json.dumps(
        [slack.message(ALERT, AlertAction.TRIGGER), pagerduty.event(ALERT, AlertAction.TRIGGER)], allow_nan=False
    )
