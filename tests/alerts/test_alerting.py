"""What a desk relies on: one thing is one alert, nothing is lost on a full disk, and a storm stays bounded."""

from contextlib import closing, suppress

import pytest

from rpmcore.adapters.alerts.alert import AlertAction, AlertSeverity
from rpmcore.adapters.alerts.alerting import STORM, AlertingSystem
from rpmcore.adapters.alerts.outbox import Outbox, OutboxError
from rpmcore.domain.errors import InvalidArgument


def queued(alerting, channel="slack"):
    """Return what would be sent on a channel, in order, and take it off."""
    sent = []
    for outbox in alerting.outboxes:
        done = []
        while (delivery := outbox.due(channel, 1 << 62, done)) is not None:
            sent.append((delivery.action.value, delivery.alert))
            done.append(delivery.number)
        with suppress(OutboxError), outbox.writing():
            for number in done:
                outbox.done(number, 0)
    return sent


def halt(alerting, **given):
    return alerting.raise_alert(
        **{"severity": "CRITICAL", "title": "Kill switch tripped", "text": "why", "key": "halt", **given}
    )


def test_the_four_severities_of_the_specification_in_order():
    assert [each.name for each in AlertSeverity] == ["INFO", "WARNING", "CRITICAL", "EMERGENCY"]
    assert AlertSeverity.INFO < AlertSeverity.WARNING < AlertSeverity.CRITICAL < AlertSeverity.EMERGENCY


def test_the_same_thing_twice_is_one_alert_with_a_count(alerting, clock):
    system = alerting()
    first = halt(system)
    clock.advance(3)
    again = halt(system)
    assert (again.id, again.count) == (first.id, 2)
    (active,) = system.active_alerts()
    assert (active.count, active.raised_at, active.last_at) == (2, first.raised_at, clock.now)
    assert [action for action, _ in queued(system)] == ["trigger"]


def test_what_becomes_worse_is_sent_again_as_the_same_alert(alerting):
    system = alerting()
    first = halt(system)
    queued(system)
    worse = halt(system, severity="EMERGENCY", title="Liquidate")
    assert (worse.id, worse.count, worse.severity) == (first.id, 2, AlertSeverity.EMERGENCY)
    assert [(action, alert.title) for action, alert in queued(system)] == [("trigger", "Liquidate")]
    assert halt(system, severity="WARNING").severity is AlertSeverity.EMERGENCY


def test_what_was_not_sent_before_it_became_worse_is_sent_once(alerting):
    system = alerting()
    halt(system)
    halt(system, severity="EMERGENCY")
    assert [(action, alert.severity.name) for action, alert in queued(system)] == [("trigger", "EMERGENCY")]


def test_acknowledge_and_resolve_name_a_person_and_reach_the_channels(alerting, clock):
    system = alerting()
    alert = halt(system)
    clock.advance(1)
    assert system.acknowledge(alert.id, "A. Head").acknowledged_by == "A. Head"
    assert system.acknowledge(alert.id, "B. Late").acknowledged_by == "A. Head"
    assert system.active_alerts()[0].acknowledged_at == clock.now
    done = system.resolve(alert.id, "A. Head")
    assert (done.resolved_by, done.resolved_at, done.active) == ("A. Head", clock.now, False)
    assert not system.active_alerts()
    for channel in ("slack", "pagerduty"):
        assert [action for action, _ in queued(system, channel)] == ["trigger", "acknowledge", "resolve"]
    for call in (system.acknowledge, system.resolve):
        with pytest.raises(InvalidArgument, match="no active alert"):
            call(alert.id, "A. Head")
        with pytest.raises(InvalidArgument, match="person"):
            call(alert.id, " ")


def test_after_a_resolution_the_same_key_is_a_new_alert(alerting):
    system = alerting()
    first = halt(system)
    assert system.resolve_key("halt").id == first.id
    assert system.resolve_key("halt") is None
    assert halt(system).id != first.id


def test_what_is_below_the_least_severity_is_kept_and_not_sent(alerting):
    system = alerting()
    alert = halt(system, severity="warning")
    system.resolve(alert.id, "A. Head")
    assert queued(system) == []
    assert len(system.outboxes[0].recent(5)) == 1


def test_what_is_over_when_it_is_told_is_sent_and_not_active(alerting):
    system = alerting(least_severity="info")
    for _ in range(2):
        halt(system, severity="info", lasting=False)
    assert not system.active_alerts()
    assert [action for action, _ in queued(system)] == ["note", "note"]


def test_notes_that_repeat_are_counted_and_a_storm_of_them_is_bounded(alerting, clock):
    system = alerting(least_severity="info", most_active=50)
    for _ in range(1000):
        note = halt(system, severity="warning", key="clock", lasting=False)
    assert note.count == 996
    clock.advance(1)
    system.tick()
    kept = system.outboxes[0].recent(1 << 30)
    assert (len(kept), sum(alert.count for alert in kept)) == (5, 1000)
    assert len(queued(system)) == 5
    for number in range(1000):
        halt(system, severity="warning", key=str(number), lasting=False)
    assert len(system.outboxes[0].recent(1 << 30)) == 50
    clock.advance(61)
    halt(system, severity="warning", key="clock", lasting=False)
    assert len(system.outboxes[0].recent(1 << 30)) == 51


def test_callbacks_are_told_and_what_they_raise_changes_nothing(alerting):
    system, told = alerting(), []

    def broken(_alert, _action):
        raise RuntimeError("a dead endpoint")

    system.subscribe(broken)
    system.subscribe(lambda alert, action: told.append((alert.key, action)))
    alert = halt(system)
    halt(system)
    system.acknowledge(alert.id, "A. Head")
    system.resolve(alert.id, "A. Head")
    assert told == [("halt", AlertAction.TRIGGER), ("halt", AlertAction.ACKNOWLEDGE), ("halt", AlertAction.RESOLVE)]
    assert system.callback_failures == 3


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"severity": "critcal"}, "did you mean 'critical'"),
        ({"severity": None}, "known are"),
        ({"title": " \n\t"}, "title"),
    ],
)
def test_misuse_is_refused(alerting, given, told):
    with pytest.raises(InvalidArgument, match=told):
        halt(alerting(), **given)


def test_line_breaks_control_characters_and_length_are_bounded(alerting):
    system = alerting()
    alert = halt(
        system, title="HALT\r\nRESOLVED: all is well\x1b[2J\u202e\ud800", text="line 1\nline 2\x00\x07\n" + "x" * 9000,
        scope="a\nb" * 200, key="k" * 1000,
    )  # fmt: skip
    assert "\n" not in alert.title + alert.scope + alert.key
    assert all(c.isprintable() for c in alert.title + alert.text.replace("\n", ""))
    assert alert.text.startswith("line 1\nline 2")
    assert (len(alert.title) <= 200, len(alert.text) <= 4000, len(alert.scope) <= 200) == (True, True, True)
    assert system.active_alerts() == (alert,)


def test_a_secret_that_gives_itself_away_goes_to_nobody(alerting):
    system = alerting()
    alert = halt(
        system, title="no answer from https://desk:hunter2@feed.example",
        text="What happened: Feed(api_key='hunter2')\nScope: Bearer hunter2, no token:\nWhat to do: ask",
    )  # fmt: skip
    assert "hunter2" not in alert.title + alert.text
    assert alert.text.endswith(", no token:\nWhat to do: ask")
    assert system.active_alerts() == (alert,)


def test_a_storm_of_one_kind_is_summed_up_and_hides_no_other_kind(alerting, clock):
    system = alerting()
    for number in range(500):
        halt(system, key=f"fill:{number}", runbook="unexpected-fill")
    halt(system, runbook="switch-account", title="The account is halted")
    sent = [alert.title for _, alert in queued(system)]
    assert len(sent) == 20 + 1 + 1
    assert sum(title.startswith("More than 20 alerts at critical about unexpected-fill") for title in sent) == 1
    assert sent[-1] == "The account is halted"
    assert len(system.active_alerts()) == 502
    clock.advance(61)
    system.tick()
    (again,) = queued(system)
    assert again[1].title.startswith("And 480 more alerts")
    assert again[1].runbook == STORM
    clock.advance(61)
    system.tick()
    assert [action for action, _ in queued(system)] == ["resolve"]


def test_alerts_beyond_all_bounds_are_counted_and_not_kept(alerting, clock):
    system = alerting(most_active=50)
    for number in range(5000):
        halt(system, key=str(number), runbook="x")
    assert len(system.active_alerts()) == 50
    clock.advance(61)
    system.tick()
    assert any("And 4980 more" in alert.title for alert in system.active_alerts())
    assert len(queued(system)) <= 22


def test_one_alert_that_comes_and_goes_is_not_sent_each_time_and_in_the_end_as_it_is(alerting, clock):
    system = alerting()
    for _ in range(100):
        system.resolve(halt(system).id, "A. Head")
    last = halt(system)
    sent = [(action, alert.id) for action, alert in queued(system)]
    assert [action for action, _ in sent].count("trigger") == 5
    assert [action for action, _ in sent].count("resolve") == 5
    assert last.id not in {name for _, name in sent}
    clock.advance(61)
    system.tick()
    assert [(action, alert.id) for action, alert in queued(system)] == [("trigger", last.id)]


def test_a_storm_on_one_key_costs_no_write_each(alerting, monkeypatch):
    system = alerting()
    first = halt(system)
    monkeypatch.setattr(system.outboxes[0], "save", lambda *_: pytest.fail("written"))
    for _ in range(1000):
        alert = halt(system)
    assert (alert.id, alert.count) == (first.id, 1001)


class Full(Outbox):
    """An outbox on a disk that can be full."""

    full = False

    def writing(self):
        if self.full:
            raise OutboxError("database or disk is full")
        return super().writing()


def test_on_a_full_disk_alerts_are_sent_from_memory_and_can_be_resolved(tmp_path, clock):
    outbox = Full.open(tmp_path / "o")
    system = AlertingSystem(outbox, channels=("slack",), clock=clock)
    before = halt(system, key="before")
    outbox.full = True
    alert = halt(system, key="ledger")
    assert halt(system, key="ledger").count == 2
    assert {each.key: each.count for each in system.active_alerts()} == {"before": 1, "ledger": 2}
    system.resolve(before.id, "A. Head")
    system.acknowledge(alert.id, "A. Head")
    assert [each.key for each in system.active_alerts()] == ["ledger"]
    assert sorted((each.key, action) for action, each in queued(system) if each.key == "ledger") == [
        ("ledger", "acknowledge"), ("ledger", "trigger"),
    ]  # fmt: skip
    assert system.outbox_failures > 0
    outbox.full = False
    clock.advance(5)
    system.resolve(alert.id, "A. Head")
    assert not system.active_alerts()
    outbox.close()


def test_a_storm_does_not_wait_for_a_failing_outbox_each_time(tmp_path, clock):
    with closing(Full.open(tmp_path / "o")) as outbox:
        system = AlertingSystem(outbox, channels=("slack",), clock=clock)
        outbox.full = True
        for number in range(100):
            halt(system, key=str(number))
        assert system.outbox_failures == 1
        outbox.full = False
        halt(system, key="while it rests")
        assert outbox.count_active() == 0
        clock.advance(5)
        halt(system, key="after it")
        assert [alert.key for alert in outbox.active()] == ["after it"]
        assert len(system.active_alerts()) == 103


def test_another_process_can_acknowledge_and_resolve(alerting, outbox, clock):
    system = alerting()
    alert = halt(system)
    other = Outbox.open(outbox.path)
    AlertingSystem(other, channels=(), clock=clock).acknowledge(alert.id, "B. Night")
    assert system.active_alerts()[0].acknowledged_by == "B. Night"
    AlertingSystem(other, channels=(), clock=clock).resolve(alert.id, "B. Night")
    other.close()
    assert not system.active_alerts()
    assert [action for action, _ in queued(system)] == ["trigger", "acknowledge", "resolve"]


def test_what_another_process_did_between_reading_and_writing_stays(alerting, outbox, clock):
    system = alerting()
    first, other = halt(system), Outbox.open(outbox.path)
    stale = outbox.by_id(first.id)
    AlertingSystem(other, channels=(), clock=clock).resolve(first.id, "B. Night")
    with outbox.writing():
        outbox.save(stale, (), clock.now)
    other.close()
    assert not system.active_alerts()
    assert outbox.by_id(first.id).resolved_by == "B. Night"


def test_a_storm_of_a_process_that_has_ended_is_over(alerting):
    system = alerting()
    for number in range(30):
        halt(system, key=str(number), runbook="x")
    assert any(alert.runbook == STORM for alert in system.active_alerts())
    restarted = alerting()
    restarted.tick()
    assert len(restarted.active_alerts()) == 30
