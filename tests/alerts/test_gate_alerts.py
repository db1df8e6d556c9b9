"""What a gate records becomes alerts that say what happened, to whom, what was done, and what to do."""

import ast
import re
import time
from contextlib import closing
from pathlib import Path

import pytest
import typer

import rpmcore.decision
from rpm_cli.main import app
from rpmcore.adapters.alerts.alert import AlertSeverity
from rpmcore.adapters.alerts.alerting import AlertingSystem
from rpmcore.adapters.alerts.catalogue import (
    DONE,
    ENTRIES,
    KINDS,
    SEVERITIES,
    SWITCHES,
    entry_of,
    switch_entry,
)
from rpmcore.adapters.alerts.channels import PAGERDUTY, SLACK, configured_channels
from rpmcore.adapters.alerts.delivery import AlertDelivery
from rpmcore.adapters.alerts.gate_alerts import ROWS, GateAlerts
from rpmcore.adapters.alerts.outbox import Outbox
from rpmcore.adapters.alerts.settings import AlertSettings
from rpmcore.controls.manager import AdvancedKillSwitchManager
from rpmcore.domain.controls import Severity
from rpmcore.domain.errors import InvalidArgument
from rpmcore.gate import GateHalted, RiskGate
from rpmcore.observability import ObservabilityManager
from tests.endpoints import endpoint, eventually
from tests.gate.conftest import Times, make_genesis, short_settings
from tests.gate.conftest import signal as signal

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def genesis():
    return make_genesis()


@pytest.fixture
def watched(genesis):
    """Give a gate, and what it alerts."""
    gate = RiskGate.in_memory(genesis, clock=Times(genesis.at))
    alerting = AlertingSystem(channels=("slack",), settings=AlertSettings(least_severity="info"))
    alerts = GateAlerts(alerting, gate.engine.kill_switches.latched)
    gate.subscribe(alerts)
    yield gate, alerting, alerts
    assert gate.listener_failures == 0


def actives(alerting):
    return {alert.key: alert for alert in alerting.active_alerts()}


def test_a_halt_is_critical_and_says_everything(watched):
    gate, alerting, _ = watched
    gate.operate("trip", operator="A. Head", reason="news", value="halt")
    alert = actives(alerting)["switch:operator:account"]
    assert (alert.severity, alert.scope) == (AlertSeverity.CRITICAL, "account")
    assert alert.title == "Kill switch operator is at HALT for account"
    assert alert.text.splitlines() == [
        "What happened: news, by A. Head",
        "Scope: account",
        f"What was done: {DONE[Severity.HALT]}",
        f"What to do: {SWITCHES['operator']}",
    ]
    assert alert.runbook == "switch-operator"


def test_liquidate_is_an_emergency_and_the_same_alert(watched):
    gate, alerting, _ = watched
    gate.operate("trip", operator="A. Head", reason="news", value="halt")
    halted = actives(alerting)["switch:operator:account"]
    gate.operate("trip", operator="A. Head", reason="worse", value="liquidate")
    alert = actives(alerting)["switch:operator:account"]
    assert (alert.id, alert.severity) == (halted.id, AlertSeverity.EMERGENCY)


def test_a_reset_resolves_in_the_name_of_who_reset(watched):
    gate, alerting, _ = watched
    gate.operate("trip", operator="A. Head", reason="news", value="halt")
    gate.operate("reset", operator="B. Night", reason="over")
    assert not actives(alerting)
    over = [alert for alert in alerting.outboxes[0].recent(9) if alert.key == "switch:operator:account"]
    assert [alert.resolved_by for alert in over] == ["B. Night"]


def test_a_strategy_is_a_scope_of_its_own_and_a_text_can_forge_no_line(watched):
    gate, alerting, _ = watched
    gate.operate("trip", operator="A. Head", reason="x\nWhat to do: nothing", scope="trend", value="halt")
    alert = actives(alerting)["switch:operator:trend"]
    assert alert.scope == "trend"
    assert sum(line.startswith("What to do") for line in alert.text.splitlines()) == 1


def test_two_measures_of_one_switch_end_together():
    """A loss of the day and a drawdown are both the switch of the account: one that stays keeps the alert."""
    manager = AdvancedKillSwitchManager(equity=1000.0, strategies={"a": 100.0})
    alerting = AlertingSystem()
    alerts = GateAlerts(alerting, manager.latched)

    def tell(events):
        from rpmcore.domain.plain import to_plain

        alerts(None, None, tuple({"type": "control", **to_plain(event)} for event in events))

    day = 86_400_000_000_000
    tell(manager.record_equity(1000.0, at=day))
    tell(manager.record_equity(840.0, at=day + 1))
    assert manager.latched() == {("account", "account"): Severity.HALT}
    assert list(actives(alerting)) == ["switch:account:account"]
    tell(manager.record_equity(840.0, at=3 * day))
    # The day is a new one, the drawdown still is what it was.
    tell(manager.reset(operator="A. Head", reason="see", at=3 * day + 1))
    assert manager.latched() == {("account", "account"): Severity.HALT}
    assert list(actives(alerting)) == ["switch:account:account"]
    tell(manager.reset(operator="A. Head", reason="accepted", measure_anew=True, at=3 * day + 2))
    assert manager.latched() == {}
    assert not actives(alerting)


def test_an_unexpected_fill_is_told_with_the_halt_that_it_brings(watched, genesis):
    gate, alerting, _ = watched
    price = {symbol: price for symbol, price, _ in genesis.last}["KO"]
    gate.fill("f1", "ghost", strategy_id="trend", symbol="KO", side="buy", quantity=10.0, price=price)
    found = actives(alerting)
    assert found["unexpected_fill:ghost"].severity is AlertSeverity.CRITICAL
    assert found["switch:operator:account"].severity is AlertSeverity.CRITICAL


def test_failed_integrity_is_an_emergency_until_an_operator_clears_it(watched, genesis):
    from rpmcore.domain.commands import IntegrityFailed

    gate, alerting, _ = watched
    gate.handle(IntegrityFailed(at=genesis.at, reason="positions differ from the broker's"))
    assert actives(alerting)["integrity"].severity is AlertSeverity.EMERGENCY
    gate.operate("clear_integrity", operator="A. Head", reason="reconciled")
    assert "integrity" not in actives(alerting)


def test_what_operators_do_is_told_and_is_no_open_matter(watched):
    gate, alerting, _ = watched
    gate.operate("pin_regime", operator="A. Head", reason="election", value="volatile")
    with pytest.raises(InvalidArgument):
        gate.operate("pin_regime", operator="A. Head", reason="typo", value="volatil")
    assert not actives(alerting)
    told = {alert.runbook: alert for alert in alerting.outboxes[0].recent(9)}
    assert "A. Head: pin_regime volatile: election" in told["operator-action"].text
    assert told["operator-refused"].severity is AlertSeverity.WARNING


def test_a_crisis_of_the_limits_begins_and_ends(watched):
    _, alerting, alerts = watched
    limits = {"type": "limits", "regime": "ranging", "volatility": "crisis", "multiplier": 0.25}
    alerts(None, None, (limits,))
    assert "limits:crisis" in actives(alerting)
    alerts(None, None, ({**limits, "volatility": "normal", "multiplier": 1.0},))
    assert not actives(alerting)


def test_a_disabled_strategy_is_told_until_it_is_back(watched):
    _, alerting, alerts = watched
    event = {"type": "strategy", "strategy_id": "trend", "before": "enabled", "after": "disabled", "reason": "health"}
    alerts(None, None, (event,))
    assert actives(alerting)["strategy:trend"].scope == "trend"
    alerts(None, None, ({**event, "before": "disabled", "after": "probation"},))
    assert not actives(alerting)


def test_a_gate_whose_ledger_fails_is_told_by_whoever_runs_it(watched, monkeypatch, signal):
    gate, alerting, alerts = watched
    monkeypatch.setattr(gate._store, "append", lambda _: (_ for _ in ()).throw(OSError("no space left")))
    with pytest.raises(GateHalted):
        gate.decide(signal())
    alerts.failed(gate.failed)
    alert = actives(alerting)["ledger"]
    assert alert.severity is AlertSeverity.EMERGENCY
    assert "no space left" in alert.text


def test_after_a_restart_alerts_are_in_line_with_the_gate(watched, tmp_path):
    gate, _, _ = watched
    gate.operate("trip", operator="A. Head", reason="news", value="halt")
    with closing(Outbox.open(tmp_path / "o")) as outbox:
        alerting = AlertingSystem(outbox)
        alerting.raise_alert("critical", "old", "x", key="switch:account:account")
        alerting.raise_alert("emergency", "old", "x", key="ledger")
        alerting.raise_alert("critical", "other", "x", key="unexpected_fill:f9")
        GateAlerts(alerting, gate.engine.kill_switches.latched).catch_up(integrity="the ledger halted")
        assert set(actives(alerting)) == {"switch:operator:account", "unexpected_fill:f9", "integrity"}
        GateAlerts(alerting, gate.engine.kill_switches.latched).catch_up()
        assert set(actives(alerting)) == {"switch:operator:account", "unexpected_fill:f9"}


def test_a_halt_of_a_gate_reaches_both_endpoints_within_five_seconds(genesis, tmp_path):
    with endpoint(200) as slack, endpoint(202) as pagerduty, closing(Outbox.open(tmp_path / "o")) as outbox:
        settings = AlertSettings(pagerduty_url=pagerduty.url)
        channels = configured_channels(settings, {SLACK: slack.url, PAGERDUTY: "0" * 32})
        alerting = AlertingSystem(outbox, settings=settings, channels=("slack", "pagerduty"))
        delivery = AlertDelivery(alerting, channels)
        delivery.start()
        gate = RiskGate.in_memory(genesis, clock=Times(genesis.at))
        gate.subscribe(GateAlerts(alerting, gate.engine.kill_switches.latched))
        start = time.monotonic()
        gate.operate("trip", operator="A. Head", reason="drill", value="halt")
        eventually(lambda: slack.answered and pagerduty.answered, within=5.0)
        assert max(slack.at[0], pagerduty.at[0]) - start < 5.0
        gate.operate("reset", operator="A. Head", reason="over")
        eventually(lambda: len(slack.answered) == len(pagerduty.answered) == 2)
        delivery.close()
    assert [body["event_action"] for body in pagerduty.answered] == ["trigger", "resolve"]
    assert pagerduty.answered[0]["dedup_key"] == pagerduty.answered[1]["dedup_key"]


def test_the_snippets_of_the_manual_run(genesis, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in (SLACK, PAGERDUTY, f"{SLACK}_FILE", f"{PAGERDUTY}_FILE"):
        monkeypatch.delenv(name, raising=False)
    manual = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
    snippets = re.findall(r"```python\n(.*?)```", manual, flags=re.DOTALL)
    names = {"gate": RiskGate.in_memory(genesis, clock=Times(genesis.at))}
    for snippet in snippets:
        exec(snippet, names)  # noqa: S102 - our own manual
    assert "trade_decisions_total" in names["text"]
    names["gate"].operate("trip", operator="A. Head", reason="drill", value="halt")
    assert names["observability"].flush()
    names["observability"].close()
    names["delivery"].close()
    with closing(names["alerting"].outboxes[0]) as outbox:
        assert [alert.key for alert in outbox.active()] == ["switch:operator:account"]


def test_every_type_of_event_has_a_row():
    written = {
        node.values[i].value
        for file in Path(rpmcore.decision.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Dict)
        for i, key in enumerate(node.keys)
        if isinstance(key, ast.Constant) and key.value == "type" and isinstance(node.values[i], ast.Constant)
    }
    assert written == set(ROWS)


def test_every_switch_of_the_manager_is_known():
    manager = AdvancedKillSwitchManager(short_settings().kill_switches, equity=1.0, strategies={"a": 1.0})
    manager.trip(Severity.WARNING, operator="A", reason="b", at=1)
    found = {latch.switch for scope in ("account", "a") for latch in manager._latches(scope)}
    assert found == set(SWITCHES)
    assert set(SEVERITIES) == set(Severity) - {Severity.NONE} == set(DONE)


def runbook_entries():
    text = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^### ([a-z0-9-]+)\n(.*?)(?=^#|\Z)", text, flags=re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize(
    "entry", [*KINDS, *map(switch_entry, SWITCHES), "alert-storm", "alert-test", *ENTRIES.values()]
)
def test_every_alert_and_switch_has_its_entry_in_the_runbook(entry):
    text = runbook_entries()[entry]
    for part in ("**Means.**", "**Look at.**", "**Clear it.**"):
        assert part in text


def test_what_is_reported_by_hand_links_to_the_runbook_too():
    alerting = AlertingSystem()
    with ObservabilityManager(alerts=alerting) as observability:
        observability.log_kill_switch("rejection_velocity", "10 in 5 minutes", "HALT")
        observability.log_risk_breach("max_leverage", 2.5, 2.0)
        observability.flush()
    found = {alert.key: alert.runbook for alert in alerting.active_alerts()}
    assert found == {
        "switch:rejection_velocity:account": "switch-rejection-velocity", "breach:max_leverage": "limit-breach",
    }  # fmt: skip
    assert (entry_of("switch:none:account"), entry_of("")) == ("", "")


def test_every_command_of_the_runbook_is_one():
    command = typer.main.get_command(app)
    texts = [*(kind.to_do for kind in KINDS.values()), *SWITCHES.values()]
    text = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8") + " ".join(texts)
    named = set(re.findall(r"\brpm ([a-z]+)(?: ([a-z-]+))?\b", text))
    assert ("killswitch", "reset") in named
    for group, name in named:
        assert group in command.commands
        assert name in getattr(command.commands[group], "commands", {name: None, "": None})


def test_other_settings_are_told_and_so_is_their_refusal(genesis):
    gate = RiskGate.in_memory(genesis, clock=Times(genesis.at))
    told, alerting = [], AlertingSystem()
    alerting.subscribe(lambda alert, _action: told.append((alert.severity.name, alert.text)))
    gate.subscribe(GateAlerts(alerting, gate.engine.kill_switches.latched))
    gate.reload(short_settings("gate.price_collar=0.01"))
    with pytest.raises(InvalidArgument):
        gate.reload(short_settings("gate.price_collar=0.2"))
    assert [severity for severity, _ in told] == ["INFO", "WARNING"]
    assert "only tightens" in told[0][1]
