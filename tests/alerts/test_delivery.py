"""Delivery: at least once, in order, as the endpoint asks, and never held up by another channel."""

import os
import subprocess
import sys
import time
from collections import deque
from contextlib import closing
from functools import partial

import pytest

from rpmcore.adapters.alerts.alerting import AlertingSystem
from rpmcore.adapters.alerts.channel import Sent
from rpmcore.adapters.alerts.channels import PAGERDUTY, SLACK, configured_channels
from rpmcore.adapters.alerts.delivery import AlertDelivery
from rpmcore.adapters.alerts.outbox import Outbox, OutboxError
from rpmcore.adapters.alerts.settings import AlertSettings
from rpmcore.adapters.metrics.prometheus import PrometheusMetrics
from rpmcore.domain.errors import ConfigurationError
from tests.alerts.conftest import SECOND
from tests.endpoints import HANG, RESET, endpoint, eventually

ARRIVED = Sent(arrived=True)


def again(error="answered 500", pause=None):
    return Sent(arrived=False, again=True, error=error, pause=pause)


class Scripted:
    """A channel that does what it is told: the last for ever."""

    def __init__(self, *steps, name="slack"):
        self.name, self.steps, self.sent = name, deque(steps or [ARRIVED]), []

    def send(self, alert, action):
        self.sent.append((alert.title, action.value))
        step = self.steps.popleft() if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, Exception):
            raise step
        return step

    def close(self):
        pass


@pytest.fixture
def delivering(outbox, clock):
    def make(channel, *, on_failure=None, **settings):
        system = AlertingSystem(outbox, settings=AlertSettings(**settings), channels=(channel.name,), clock=clock)
        return system, AlertDelivery(system, [channel], clock=clock, chance=lambda: 1.0, on_failure=on_failure)

    return make


def halt(system, key="halt", severity="critical"):
    return system.raise_alert(severity, f"HALT {key}", "text", key=key)


def test_a_failed_attempt_is_repeated_after_a_doubling_wait_and_counted(delivering, clock):
    channel, counted = Scripted(again(), again(), again(), ARRIVED), []
    system, delivery = delivering(channel, on_failure=counted.append)
    halt(system)
    waits = []
    while len(channel.sent) < 4:
        before = len(channel.sent)
        delivery.deliver_due("slack")
        start = clock.now
        while len(channel.sent) == before:
            clock.advance(0.1)
            delivery.deliver_due("slack")
        waits.append(round((clock.now - start) / SECOND, 1))
        before = len(channel.sent)
    assert waits[-3:] == [0.5, 1.0, 2.0]
    assert counted == ["slack"] * 3
    assert delivery.failures == {"slack": 3}
    assert system.outboxes[0].channels()[0].delivered == 1


def test_failures_are_a_metric(delivering):
    metrics = PrometheusMetrics()
    counted = partial(metrics.count, "rpm_alert_delivery_failures_total")
    system, delivery = delivering(Scripted(again()), on_failure=counted)
    halt(system)
    delivery.deliver_due("slack")
    assert 'rpm_alert_delivery_failures_total{channel="slack"} 1.0' in metrics.export_metrics()


@pytest.mark.parametrize("pause", [3.0, 600.0])
def test_a_channel_that_asks_for_a_pause_gets_it_for_every_alert(delivering, clock, pause):
    channel = Scripted(again("answered 429", pause), ARRIVED)
    system, delivery = delivering(channel)
    halt(system)
    delivery.deliver_due("slack")
    halt(system, "other", "emergency")
    clock.advance(pause - 0.01)
    assert 0.0 < delivery.deliver_due("slack") <= 1.0
    assert len(channel.sent) == 1
    clock.advance(0.02)
    delivery.deliver_due("slack")
    assert channel.sent[1:] == [("HALT other", "trigger"), ("HALT halt", "trigger")]


def test_a_short_pause_does_not_shorten_the_wait(delivering, clock):
    channel = Scripted(again("answered 429", 0.0), ARRIVED)
    system, delivery = delivering(channel)
    halt(system)
    assert delivery.deliver_due("slack") == pytest.approx(0.5)
    assert len(channel.sent) == 1
    clock.advance(0.5)
    delivery.deliver_due("slack")
    assert len(channel.sent) == 2


def test_what_is_refused_for_good_is_not_sent_again_and_holds_nothing_up(delivering, clock):
    channel, counted = Scripted(Sent(arrived=False, error="answered 400"), ARRIVED), []
    system, delivery = delivering(channel, on_failure=counted.append)
    halt(system, "bad", "emergency")
    halt(system, "good")
    delivery.deliver_due("slack")
    clock.advance(3600)
    delivery.deliver_due("slack")
    assert channel.sent == [("HALT bad", "trigger"), ("HALT good", "trigger")]
    (state,) = system.outboxes[0].channels()
    assert (state.failed, state.delivered, state.pending, state.error) == (1, 1, 0, "answered 400")
    assert counted == ["slack"]


def test_one_that_always_fails_holds_up_no_other_alert(delivering):
    class Poisoned(Scripted):
        def send(self, alert, action):
            return super().send(alert, action) if "good" in alert.title else again()

    channel = Poisoned()
    system, delivery = delivering(channel)
    halt(system, "bad", "emergency")
    halt(system, "good")
    delivery.deliver_due("slack")
    assert channel.sent == [("HALT good", "trigger")]


def test_a_resolution_waits_for_what_it_resolves(delivering, clock):
    channel = Scripted(again(), ARRIVED)
    system, delivery = delivering(channel)
    system.resolve(halt(system).id, "A. Head")
    delivery.deliver_due("slack")
    assert [action for _, action in channel.sent] == ["trigger"]
    clock.advance(0.5)
    delivery.deliver_due("slack")
    assert [action for _, action in channel.sent] == ["trigger", "trigger", "resolve"]


def test_after_a_day_it_is_given_up_and_a_restart_tries_what_is_still_active_again(delivering, clock):
    channel = Scripted(again(), name="slack")
    system, delivery = delivering(channel)
    halt(system, "active")
    over = halt(system, "over")
    for _ in range(30):
        clock.advance(3600)
        delivery.deliver_due("slack")
    system.resolve(over.id, "A. Head")
    (state,) = system.outboxes[0].channels()
    assert (state.failed, state.pending, state.error) == (2, 1, "given up: answered 500")
    channel.steps, channel.sent = deque([ARRIVED]), []
    system, delivery = delivering(channel)
    delivery.start()
    eventually(lambda: len(channel.sent) == 2)
    delivery.close()
    assert sorted(channel.sent) == [("HALT active", "trigger"), ("HALT over", "resolve")]


def test_an_exception_in_a_channel_or_in_the_hook_ends_no_thread(delivering):
    def broken(_name):
        raise RuntimeError("the metric is gone")

    channel = Scripted(ValueError("https://hooks.example/s3cr3t"), ARRIVED)
    system, delivery = delivering(channel, on_failure=broken, first_retry_seconds=1e-6)
    delivery.start()
    halt(system)
    eventually(lambda: len(channel.sent) == 1)
    (state,) = system.outboxes[0].channels()
    assert "s3cr3t" not in state.error
    clock = delivery._clock
    clock.advance(1)
    delivery.wake()
    eventually(lambda: len(channel.sent) == 2)
    assert delivery.errors >= 1
    delivery.close()


class Full(Outbox):
    """An outbox on a disk that can be full."""

    full = False

    def writing(self):
        if self.full:
            raise OutboxError("database or disk is full")
        return super().writing()


def test_on_a_full_disk_nothing_is_lost_and_nothing_sent_twice(tmp_path, clock):
    with closing(Full.open(tmp_path / "o")) as outbox:
        channel = Scripted(ARRIVED)
        system = AlertingSystem(outbox, channels=("slack",), clock=clock)
        delivery = AlertDelivery(system, [channel], clock=clock, chance=lambda: 1.0)
        halt(system, "before")
        outbox.full = True
        halt(system, "while")
        for _ in range(5):
            delivery.deliver_due("slack")
            clock.advance(60)
        assert sorted(channel.sent) == [("HALT before", "trigger"), ("HALT while", "trigger")]
        outbox.full = False
        line = delivery._lines["slack"]
        delivery._settle(line)
        assert not line.unwritten
        assert outbox.channels()[0].delivered == 1


def test_an_outbox_that_cannot_be_read_does_not_hold_up_what_is_in_memory(tmp_path, clock):
    outbox, channel, failures = Full.open(tmp_path / "o"), Scripted(ARRIVED), []
    system = AlertingSystem(outbox, channels=("slack",), clock=clock)
    delivery = AlertDelivery(system, [channel], clock=clock, on_failure=failures.append)
    outbox.full = True
    outbox._connection.close()
    halt(system)
    delivery.deliver_due("slack")
    assert channel.sent == [("HALT halt", "trigger")]
    assert failures == ["slack"]  # what waits in the outbox itself is not sent, and that is seen


def test_what_was_refused_on_a_full_disk_is_not_called_delivered_later(tmp_path, clock):
    outbox, channel = Full.open(tmp_path / "o"), Scripted(Sent(arrived=False, error="answered 404"))
    with closing(outbox):
        system = AlertingSystem(outbox, channels=("slack",), clock=clock)
        delivery = AlertDelivery(system, [channel], clock=clock)
        halt(system)
        outbox.full = True
        delivery.deliver_due("slack")
        delivery.deliver_due("slack")
        outbox.full = False
        delivery._settle(delivery._lines["slack"])
        (state,) = outbox.channels()
    assert len(channel.sent) == 1
    assert (state.pending, state.delivered, state.failed, state.error) == (0, 0, 1, "answered 404")


@pytest.mark.parametrize("damage", ["deliveries SET action = 'nonsense'", "alerts SET severity = 99"])
def test_one_that_cannot_be_read_holds_up_no_other_and_is_counted(damage, delivering):
    channel, failures = Scripted(ARRIVED), []
    system, delivery = delivering(channel, on_failure=failures.append)
    halt(system, key="one")
    system.outboxes[0]._connection.execute(f"UPDATE {damage}")
    halt(system, key="other")
    delivery.deliver_due("slack")
    assert channel.sent == [("HALT other", "trigger")]
    assert failures == ["slack"]
    (state,) = system.outboxes[0].channels()
    assert state.failed == 1
    assert state.error.startswith("delivery 1 cannot be read")


def test_two_processes_do_not_deliver_from_one_outbox(tmp_path):
    with closing(Outbox.open(tmp_path / "o")) as outbox, closing(Outbox.open(tmp_path / "o")) as other:
        first = AlertDelivery(AlertingSystem(outbox, channels=("slack",)), [Scripted()])
        first.start()
        second = AlertDelivery(AlertingSystem(other, channels=("slack",)), [Scripted()])
        with pytest.raises(ConfigurationError, match="give each gate its own"):
            second.start()
        first.close()
        second.start()
        second.close()


@pytest.fixture
def real(tmp_path):
    """Give a function that starts delivery to two endpoints as a gate does, and returns what raises alerts."""
    started = []

    def make(slack, pagerduty, **settings):
        chosen = AlertSettings(pagerduty_url=pagerduty.url, **settings)
        outbox = Outbox.open(tmp_path / "o")
        channels = configured_channels(chosen, {SLACK: slack.url, PAGERDUTY: "0" * 32})
        system = AlertingSystem(outbox, settings=chosen, channels=tuple(c.name for c in channels))
        delivery = AlertDelivery(system, channels)
        delivery.start()
        started.append((delivery, outbox))
        return system, delivery

    def stop():
        while started:
            delivery, outbox = started.pop()
            delivery.close()
            outbox.close()

    make.stop = stop
    yield make
    stop()


@pytest.mark.parametrize(
    ("slack_steps", "pagerduty_steps"),
    [
        ((200,), (202,)),
        (((429, {"Retry-After": "1"}), 200), (500, 202)),
        ((HANG, 200), (RESET, 202)),
        ((500, 503, 200), (HANG, 202)),
    ],
)
def test_a_halt_reaches_both_within_five_seconds(real, slack_steps, pagerduty_steps):
    with endpoint(*slack_steps) as slack, endpoint(*pagerduty_steps) as pagerduty:
        system, _ = real(slack, pagerduty)
        start = time.monotonic()
        halt(system)
        eventually(lambda: slack.answered and pagerduty.answered, within=5.0)
        assert max(slack.at[-1], pagerduty.at[-1]) - start < 5.0
        real.stop()
    assert len({body.get("dedup_key") for body in pagerduty.bodies}) == 1
    assert len(slack.answered) == len(pagerduty.answered) == 1


def test_retry_after_is_honoured_by_the_clock(real):
    with endpoint((429, {"Retry-After": "1"}), 200) as slack, endpoint(202) as pagerduty:
        system, _ = real(slack, pagerduty)
        halt(system)
        eventually(lambda: slack.answered)
        real.stop()
    assert slack.at[1] - slack.at[0] >= 1.0


@pytest.mark.parametrize("dead", [HANG, RESET, 500, 404])
def test_a_dead_channel_delays_no_other(real, dead):
    with endpoint(dead) as slack, endpoint(202) as pagerduty:
        system, delivery = real(slack, pagerduty)
        for number in range(5):
            halt(system, str(number))
        eventually(lambda: len(pagerduty.answered) == 5, within=5.0)
        eventually(lambda: delivery.failures["slack"] >= 1)
        assert delivery.failures["pagerduty"] == 0
        real.stop()
        assert not slack.answered


def test_what_was_not_delivered_is_sent_after_a_restart_and_what_was_is_not(real):
    with endpoint(500) as slack, endpoint(202) as pagerduty:
        system, _ = real(slack, pagerduty)
        halt(system)
        eventually(lambda: pagerduty.answered and slack.bodies)
        real.stop()
        slack.steps[:] = [200]
        real(slack, pagerduty)
        eventually(lambda: slack.answered)
        real.stop()
        assert len(pagerduty.bodies) == 1
        assert len(slack.answered) == 1


KILLED = """
import sys
from rpmcore.adapters.alerts.alerting import AlertingSystem
from rpmcore.adapters.alerts.channels import configured_channels
from rpmcore.adapters.alerts.delivery import AlertDelivery
from rpmcore.adapters.alerts.outbox import Outbox
from rpmcore.adapters.alerts.settings import AlertSettings
settings = AlertSettings(pagerduty_url=sys.argv[2], timeout_seconds=60.0)
system = AlertingSystem(Outbox.open(sys.argv[1]), settings=settings, channels=("pagerduty",))
AlertDelivery(system, configured_channels(settings)).start()
system.raise_alert("critical", "HALT halt", "text", key="halt")
sys.stdin.read()
"""


def test_a_process_killed_while_it_sends_leaves_one_incident(real, tmp_path):
    with endpoint(200) as slack, endpoint(HANG, 202) as pagerduty:
        environment = {**os.environ, PAGERDUTY: "0" * 32}
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, str(tmp_path / "o"), pagerduty.url], stdin=subprocess.PIPE, env=environment
        ) as process:
            eventually(lambda: pagerduty.bodies)
            process.kill()
        real(slack, pagerduty)
        eventually(lambda: pagerduty.answered)
        real.stop()
    assert [body["event_action"] for body in pagerduty.bodies] == ["trigger", "trigger"]
    assert len({body["dedup_key"] for body in pagerduty.bodies}) == 1


def test_neither_address_nor_key_is_in_the_files_of_the_outbox(real, tmp_path):
    with endpoint(500) as slack, endpoint(202) as pagerduty:
        system, _ = real(slack, pagerduty)
        halt(system)
        eventually(lambda: pagerduty.answered and slack.bodies)
        stored = b"".join(file.read_bytes() for file in tmp_path.iterdir())
        real.stop()
    assert b"HALT" in stored
    assert b"s3cr3t" not in stored
    assert b"0" * 32 not in stored
