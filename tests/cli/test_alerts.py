"""``rpm alerts``, as an operator runs it beside a gate."""

import json
from contextlib import closing

import pytest

from rpmcore.adapters.alerts.alerting import AlertingSystem
from rpmcore.adapters.alerts.outbox import Outbox
from rpmcore.adapters.alerts.settings import AlertSettings
from rpmcore.alert_jobs import send_test_alert
from tests.endpoints import endpoint

SECRETS = dict.fromkeys(
    (
        "RPM_SLACK_WEBHOOK_URL", "RPM_SLACK_WEBHOOK_URL_FILE", "RPM_PAGERDUTY_ROUTING_KEY",
        "RPM_PAGERDUTY_ROUTING_KEY_FILE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy",
        "all_proxy",
    )
)  # fmt: skip


@pytest.fixture(autouse=True)
def no_secrets(monkeypatch):
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def outbox(tmp_path):
    """Give the path of an outbox with one alert that was resolved and one that was not."""
    path = tmp_path / "desk.outbox"
    with closing(Outbox.open(path)) as opened:
        alerting = AlertingSystem(opened, channels=("slack",), new_id=iter(["a1", "a2"]).__next__)
        alerting.raise_alert(
            "critical", "Kill switch account", "What happened: loss", key="k", runbook="switch-account"
        )
        alerting.raise_alert("warning", "Prices are old\x1b[2J", "x", key="p")
        alerting.resolve("a2", "B. Night")
    return path


def test_status_shows_what_is_active_and_how_the_channels_stand(rpm, outbox):
    done = rpm("alerts", "status", outbox, COLUMNS="80")
    assert done.code == 0, done.err
    assert max(map(len, done.out.splitlines())) <= 80
    for words in ("CRITICAL  Kill switch account  a1", "Runbook: switch-account", "B. Night", "slack"):
        assert words in done.out
    assert "\x1b" not in done.out
    found = json.loads(rpm("alerts", "status", outbox, "--json").out)
    assert found["schema"] == "rpm.alerts/1"
    assert [(alert["id"], alert["severity"]) for alert in found["active"]] == [("a1", "critical")]
    assert found["channels"] == [{"channel": "slack", "pending": 1, "delivered": 0, "failed": 0, "error": ""}]


def test_ack_and_resolve_in_a_name(rpm, outbox):
    assert rpm("alerts", "ack", outbox, "a1", "--operator", "A. Head").out == (
        "Kill switch account: acknowledged by A. Head\n"
    )
    assert "acknowledged by A. Head" in rpm("alerts", "status", outbox).out
    assert "resolved by A. Head" in rpm("alerts", "resolve", outbox, "a1", "--operator", "A. Head").out
    assert "Active alerts: 0" in rpm("alerts", "status", outbox).out
    with closing(Outbox.read(outbox)) as opened:
        assert opened.channels()[0].pending == 3


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("status", "absent"), "no outbox at absent"),
        (("ack", "absent", "a1", "--operator", "A"), "no outbox at absent"),
        (("ack", "desk.outbox", "a9", "--operator", "A"), "no active alert"),
        (("resolve", "desk.outbox", "a1", "--operator", " "), "person"),
        (("resolve", "desk.outbox", "a1"), "--operator"),
        (("test", "--operator", "A"), "no channel is configured: set RPM_SLACK_WEBHOOK_URL"),
    ],
)
@pytest.mark.usefixtures("outbox")
def test_misuse_is_one_message(rpm, tmp_path, arguments, told):
    done = rpm("alerts", *arguments, cwd=tmp_path)
    assert done.code == 2
    assert told in done.err
    assert not (tmp_path / "absent").exists()


def test_a_test_alert_that_arrives_and_one_that_does_not(rpm):
    with endpoint(200, 200, 404) as slack:
        arrived = rpm("alerts", "test", "--operator", "A. Head", RPM_SLACK_WEBHOOK_URL=slack.url)
        assert (arrived.code, arrived.out) == (0, "ok  slack\n")
        failed = rpm("alerts", "test", "--operator", "A. Head", RPM_SLACK_WEBHOOK_URL=slack.url)
        assert (failed.code, failed.out) == (4, "FAILED  slack  answered 404\n")
        found = rpm("alerts", "test", "--operator", "A. Head", "--json", RPM_SLACK_WEBHOOK_URL=slack.url)
    assert json.loads(found.out)["channels"] == [{"channel": "slack", "arrived": False, "error": "answered 404"}]
    assert "A. Head tried whether alerts arrive" in slack.bodies[0]["text"]
    assert "s3cr3t" not in arrived.out + arrived.err + failed.out + failed.err + found.out + found.err


def test_a_test_alert_opens_an_incident_and_ends_it():
    with endpoint(202) as pagerduty:
        settings = AlertSettings(pagerduty_url=pagerduty.url)
        (tested,) = send_test_alert("A. Head", settings=settings, environment={"RPM_PAGERDUTY_ROUTING_KEY": "0" * 32})
    assert tested.arrived
    trigger, resolve = pagerduty.bodies
    assert (trigger["event_action"], resolve["event_action"]) == ("trigger", "resolve")
    assert trigger["payload"]["severity"] == "info"
    assert trigger["dedup_key"] == resolve["dedup_key"]
