"""A gate that is watched: what happens to it reaches the metrics, the log and the outbox."""

from contextlib import closing

from rpmcore.adapters.alerts.channels import SLACK
from rpmcore.adapters.alerts.outbox import Outbox
from rpmcore.gate import RiskGate
from rpmcore.observed_gate import observed
from tests.endpoints import endpoint
from tests.gate.conftest import short_settings


def test_a_halt_is_counted_logged_and_kept_for_delivery(genesis, clock, signal, tmp_path):
    log, outbox = tmp_path / "desk.log", tmp_path / "desk.outbox"
    settings = short_settings(f"observability.log_file={log}", "observability.console=false")
    gate = RiskGate.in_memory(genesis, clock=clock)
    with observed(gate, settings, outbox=outbox, environment={}, clock=clock) as manager:
        gate.decide(signal(1))
        gate.operate("trip", operator="A. Head", reason="drill", value="halt")
        gate.decide(signal(2))
        manager.flush()
        text = manager.export_metrics()
        with closing(Outbox.read(outbox)) as opened:
            active = opened.active()
    assert 'trade_decisions_total{decision="approved",strategy="trend"} 1.0' in text
    assert 'trade_decisions_total{decision="rejected",strategy="trend"} 1.0' in text
    assert 'rpm_trading_state{state="reducing"} 1.0' in text
    assert [alert.severity.name for alert in active] == ["CRITICAL"]
    lines = log.read_text(encoding="utf-8").splitlines()
    assert any('"drill"' in line for line in lines)


def test_a_halt_at_the_very_end_is_told_before_all_is_closed(genesis, clock, tmp_path):
    outbox = tmp_path / "desk.outbox"
    gate = RiskGate.in_memory(genesis, clock=clock)
    with endpoint(200) as slack:
        with observed(gate, outbox=outbox, environment={SLACK: slack.url}, clock=clock):
            gate.operate("trip", operator="A. Head", reason="drill", value="halt")
        assert len(slack.answered) == 1
    with closing(Outbox.read(outbox)) as opened:
        assert [alert.key for alert in opened.active()] == ["switch:operator:account"]


def test_what_still_holds_after_a_restart_is_an_alert_again(genesis, clock, tmp_path):
    gate = RiskGate.in_memory(genesis, clock=clock)
    gate.operate("trip", operator="A. Head", reason="drill", value="halt")
    with observed(gate, outbox=tmp_path / "desk.outbox", environment={}, clock=clock) as manager:
        manager.flush()
        with closing(Outbox.read(tmp_path / "desk.outbox")) as opened:
            assert len(opened.active()) == 1
