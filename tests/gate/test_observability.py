"""A gate seen from outside: what it records is counted, logged, traced and told, and nothing of that touches it."""

import json
import threading
from contextlib import suppress
from itertools import pairwise

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from rpmcore import CorrelationContext, ObservabilityManager
from rpmcore.adapters.ledger.reader import LedgerReader
from rpmcore.adapters.telemetry.rotating_file import RotatingFile
from rpmcore.adapters.telemetry.settings import ObservabilitySettings
from rpmcore.domain.canonical import canonical_bytes
from rpmcore.domain.canonical import parse as parse_record
from rpmcore.gate import GateHalted, RiskGate
from tests.gate.conftest import KEY, make_genesis, short_settings

HEADER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Alerts:
    """Keeps what it is told, or fails."""

    def __init__(self, error=None):
        self.told, self.error = [], error

    def raise_alert(self, severity, title, text, *, scope="account", key=None):
        if self.error is not None:
            raise self.error
        self.told.append((severity, title, text, scope, key))


@pytest.fixture
def alerts():
    return Alerts()


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter):
    made = TracerProvider()
    made.add_span_processor(SimpleSpanProcessor(exporter))
    yield made
    made.shutdown()


@pytest.fixture
def log_path(tmp_path):
    return tmp_path / "rpm.log"


@pytest.fixture
def manager(alerts, provider, log_path):
    settings = ObservabilitySettings(log_file=str(log_path), level="DEBUG")
    with ObservabilityManager(settings, alerts=alerts, tracer_provider=provider) as made:
        yield made
    CorrelationContext.clear()


def value(manager, name, **labels):
    for family in parse(manager.export_metrics()):
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return sample.value
    return None


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]


def test_the_calls_of_the_specification(alerts):
    observability = ObservabilityManager(strategies=["trend"], alerts=alerts)
    CorrelationContext.set_correlation_id("request-1")
    observability.log_trade_decision("APPROVED", "trend", "EURUSD")
    observability.log_kill_switch("rejection_velocity", "too many rejections", "HALT")
    observability.log_risk_breach("max_leverage", 2.5, 2.0)
    observability.record_execution_time("approve_trade", 3.0)
    observability.update_portfolio_metrics(1e6, 1.5, 3, -250.0)
    text = observability.export_metrics()
    for line in (
        'trade_decisions_total{decision="approved",strategy="trend"} 1.0',
        'kill_switch_triggers_total{severity="halt",type="rejection_velocity"} 1.0',
        'risk_breaches_total{type="max_leverage"} 1.0',
        'execution_time_ms_bucket{le="5.0",operation="approve_trade",strategy="none"} 1.0',
        "portfolio_exposure 1e+06", "portfolio_leverage 1.5", "portfolio_num_positions 3.0",
        "portfolio_unrealized_pnl -250.0",
    ):  # fmt: skip
        assert line in text.splitlines()
    found = observability.recent()
    assert [line["event.action"] for line in found] == ["trade_decision", "kill_switch", "risk_breach"]
    assert {line["rpm.correlation_id"] for line in found} == {"request-1"}
    assert [(told[0], told[4]) for told in alerts.told] == [
        ("critical", "switch:rejection_velocity:account"), ("warning", "breach:max_leverage"),
    ]  # fmt: skip
    observability.close()


def test_a_decision_is_followed_by_its_correlation_id_through_log_trace_exemplar_and_audit_row(
    gate, signal, manager, exporter, log_path, ledger_path
):
    manager.watch(gate)
    with CorrelationContext.bind("desk-42", traceparent=HEADER):
        decision = gate.decide(signal())
    assert manager.flush()
    (line,) = [line for line in lines(log_path) if line["event.action"] == "trade_decision"]
    assert (line["rpm.correlation_id"], line["trace.id"]) == ("desk-42", HEADER[3:35])
    assert (line["rpm.verdict"], line["event.outcome"]) == ("approved", "success")
    assert line["event.sequence"] == decision.sequence

    (span,) = exporter.get_finished_spans()
    assert f"{span.context.trace_id:032x}" == line["trace.id"]
    assert f"{span.parent.span_id:016x}" == HEADER[36:52]
    assert span.attributes["rpm.correlation_id"] == "desk-42"
    assert 0 < span.end_time - span.start_time == line["event.duration"]

    exemplars = {
        sample.name: sample.exemplar.labels
        for family in parse_openmetrics(manager.export_metrics(openmetrics=True))
        for sample in family.samples
        if sample.exemplar
    }
    wanted = {"trace_id": HEADER[3:35], "correlation_id": "desk-42"}
    assert exemplars["trade_decisions_total"] == exemplars["execution_time_ms_bucket"] == wanted

    with LedgerReader.open(ledger_path, KEY) as reader:
        (row,) = [record for record in reader.records() if record.kind == "command"]
    assert parse_record(row.body)["correlation_id"] == "desk-42"
    assert row.sequence == decision.sequence


def test_a_signals_own_id_is_kept_and_stands_for_the_same_trace_everywhere(gate, signal, manager, log_path):
    manager.watch(gate)
    gate.decide(signal(correlation_id="order-7"))
    with CorrelationContext.bind("request-1", traceparent=HEADER):
        gate.decide(signal(2, correlation_id="order-7"))
    gate.decide(signal(3))
    manager.flush()
    found = [line for line in lines(log_path) if line["event.action"] == "trade_decision"]
    assert [line["rpm.correlation_id"] for line in found] == ["order-7", "order-7", "s3"]
    with CorrelationContext.bind("order-7") as trace:
        assert found[0]["trace.id"] == trace.trace_id
    assert found[1]["trace.id"] == HEADER[3:35]


def test_what_is_not_sampled_becomes_no_span(gate, signal, manager, exporter):
    manager.watch(gate)
    with CorrelationContext.bind(traceparent=f"{HEADER[:-2]}00"):
        gate.decide(signal())
    gate.decide(signal(2))
    manager.flush()
    assert [span.attributes["rpm.correlation_id"] for span in exporter.get_finished_spans()] == ["s2"]


def test_decisions_rejections_and_times_are_counted(gate, signal, manager):
    manager.watch(gate)
    gate.decide(signal())
    gate.decide(signal(2, quantity=3e6))
    gate.decide(signal(3, symbol="EURUSD", strategy_id="nobody"))
    gate.decide(signal())  # the stored decision again: nothing new is recorded
    assert value(manager, "trade_decisions_total", strategy="trend", decision="approved") == 1.0
    assert value(manager, "trade_decisions_total", strategy="trend", decision="cut") == 1.0
    assert value(manager, "trade_decisions_total", strategy="other", decision="rejected") == 1.0
    assert value(manager, "rpm_rejections_total", reason="unknown_strategy") == 1.0
    assert value(manager, "execution_time_ms_count", operation="approve_trade", strategy="trend") == 2.0
    assert value(manager, "rpm_ledger_commit_seconds_count") == 3.0
    assert value(manager, "rpm_build_info", version=_version(), config_digest=gate.engine.genesis.config_digest) == 1.0


def test_other_settings_are_told(gate, manager, log_path):
    from tests.gate.conftest import short_settings

    manager.watch(gate)
    tight = short_settings("limits.value_at_risk=0.01")
    gate.reload(tight)
    manager.flush()
    assert value(manager, "rpm_build_info", version=_version(), config_digest=tight.digest) == 1.0
    (line,) = [line for line in lines(log_path) if line["message"].startswith("settings ")]
    assert line["message"] == f"settings {tight.digest[:12]} are in force"
    assert line["rpm.changes"] == "limits.value_at_risk"


def _version():
    from importlib.metadata import version

    return version("rpmcore")


def test_a_halt_is_counted_logged_told_and_shown_until_it_is_reset(gate, manager, alerts, log_path):
    manager.watch(gate)
    gate.operate("trip", operator="A. Name", reason="something\nis wrong", value="halt")
    assert value(manager, "rpm_trading_state", state="reducing") == 1.0
    assert value(manager, "rpm_kill_switch_state", scope="account", severity="halt") == 1.0
    assert value(manager, "rpm_kill_switch_state", scope="trend", severity="none") == 1.0
    assert value(manager, "kill_switch_triggers_total", type="operator", severity="halt") == 1.0
    manager.flush()
    (line,) = [line for line in lines(log_path) if line["event.action"] == "kill_switch"]
    assert (line["log.level"], line["event.kind"]) == ("error", "alert")
    assert line["event.reason"].endswith("something\\nis wrong")
    assert [told[0] for told in alerts.told] == ["critical"]
    gate.operate("reset", operator="A. Name", reason="repaired")
    assert value(manager, "rpm_trading_state", state="active") == 1.0
    assert value(manager, "rpm_kill_switch_state", scope="account", severity="halt") == 0.0
    assert value(manager, "rpm_kill_switch_state", scope="account", severity="none") == 1.0
    assert len(alerts.told) == 1


@pytest.mark.parametrize("order_id", ["x" * 300, "\n", "o1"])
def test_a_halt_is_told_whatever_the_id_of_the_order_that_led_to_it(order_id, gate, manager, alerts):
    manager.watch(gate)
    gate.fill("f1", order_id, strategy_id="trend", symbol="EURUSD", side="buy", quantity=1.0, price=1.1)
    found = manager.recent()
    assert [told[0] for told in alerts.told] == ["critical"]
    assert {line["event.action"] for line in found} == {"order", "kill_switch"}
    assert gate.listener_failures == 0
    assert value(manager, "kill_switch_triggers_total", type="operator", severity="halt") == 1.0


def test_a_gate_that_fails_is_told_and_shown_as_halted(gate, signal, manager, alerts):
    manager.watch(gate)
    gate._store = _Broken(gate._store)
    with pytest.raises(GateHalted):
        gate.decide(signal())
    manager.flush()
    assert value(manager, "rpm_trading_state", state="halted") == 1.0
    assert manager.recent()[-1]["log.level"] == "critical"
    assert "No space left" in manager.recent()[-1]["event.reason"]
    assert [told[0] for told in alerts.told] == ["emergency"]


class _Broken:
    """A store that cannot append."""

    def __init__(self, store):
        self._store = store

    def append(self, _records):
        raise OSError("No space left on device")

    def __getattr__(self, name):
        return getattr(self._store, name)


def _bytes(decisions):
    return [canonical_bytes(decision.to_plain()) for decision in decisions]


def _run(gate, signal):
    found = [gate.decide(signal(n, quantity=100_000.0 * n, side="buy" if n % 2 else "sell")) for n in range(1, 9)]
    gate.operate("trip", operator="A. Name", reason="test", value="halt")
    return _bytes([*found, gate.decide(signal(20))])


class _Raises:
    """Fails at whatever it is asked."""

    def __getattr__(self, name):
        raise RuntimeError(name)


@pytest.mark.parametrize("broken", ["nothing", "disk", "alerts", "metrics", "spans", "logger", "everything"])
def test_whatever_fails_in_telemetry_no_decision_differs(
    broken, genesis, signal, clock, log_path, monkeypatch, provider
):
    with RiskGate.in_memory(genesis, clock=clock) as gate:
        wanted = _run(gate, signal)
    alerts = Alerts(ConnectionRefusedError("dead endpoint") if broken in ("alerts", "everything") else None)
    manager = ObservabilityManager(
        ObservabilitySettings(log_file=str(log_path)), alerts=alerts, tracer_provider=provider
    )
    with RiskGate.in_memory(genesis, clock=clock) as gate:
        manager.watch(gate)
        if broken in ("disk", "everything"):
            monkeypatch.setattr(RotatingFile, "_append", _no_space)
        if broken in ("metrics", "everything"):
            monkeypatch.setattr(type(manager.metrics), "count", _no_space)
            monkeypatch.setattr(type(manager.metrics), "observe", _no_space)
        if broken in ("spans", "everything"):
            monkeypatch.setattr(type(manager._outlets.tracing), "span", _no_space)
        if broken in ("logger", "everything"):
            monkeypatch.setattr(type(manager.logger), "log", _no_space)
        assert _run(gate, signal) == wanted
        assert gate.listener_failures == 0
        assert gate.failed == ""
    assert manager.flush()
    lost = value(manager, "rpm_telemetry_failures_total")
    assert (lost == 0.0) == (broken == "nothing")
    manager.close()


def _no_space(*_args, **_kwargs):
    raise OSError(28, "No space left on device")


def test_a_sink_that_hangs_holds_up_no_decision_and_loses_what_does_not_fit(
    genesis, signal, clock, log_path, monkeypatch
):
    go, reached = threading.Event(), threading.Event()

    def hang(_file, line):
        reached.set()
        go.wait(20)
        return len(line) > 0

    monkeypatch.setattr(RotatingFile, "_append", hang)
    manager = ObservabilityManager(ObservabilitySettings(log_file=str(log_path), queue_entries=10))
    with RiskGate.in_memory(genesis, clock=clock) as gate:
        manager.watch(gate)
        for number in range(30):
            gate.decide(signal(number + 1, quantity=1000.0))
            if number == 0:
                assert reached.wait(20)
        assert value(manager, "rpm_telemetry_failures_total") >= 15.0
        total = sum(
            value(manager, "trade_decisions_total", strategy="trend", decision=decision)
            for decision in ("approved", "cut", "rejected")
        )
        assert total == 30.0
    go.set()
    manager.close()


def test_a_log_file_that_hangs_silences_no_alert(gate, manager, alerts, monkeypatch):
    go, told = threading.Event(), threading.Event()
    monkeypatch.setattr(RotatingFile, "_append", lambda *_: go.wait(20))
    monkeypatch.setattr(alerts, "raise_alert", lambda *_args, **_kwargs: told.set())
    manager.watch(gate)
    gate.operate("trip", operator="A. Name", reason="test", value="halt")
    assert told.wait(20)
    go.set()


def test_a_gate_that_is_busy_leaves_the_gauges_as_they_were(gate, manager, monkeypatch):
    import rpmcore.gate_watch as module

    monkeypatch.setattr(module, "LONGEST_WAIT", 0.0)
    manager.watch(gate)
    equity = value(manager, "rpm_equity")
    held, done = threading.Event(), threading.Event()

    def decide():
        with gate.reading():
            held.set()
            done.wait(20)

    thread = threading.Thread(target=decide)
    thread.start()
    assert held.wait(20)
    lost = value(manager, "rpm_telemetry_failures_total")
    assert value(manager, "rpm_equity") == equity
    assert lost >= 1.0
    done.set()
    thread.join()


def test_what_makes_alerts_of_the_gate_takes_the_place_of_our_own(gate, signal, manager, alerts):
    class Alerting:
        def __init__(self):
            self.told = []

        def __call__(self, command, _decision, events):
            self.told.append((command.kind, [event["type"] for event in events]))

        def failed(self, reason):
            self.told.append(("failed", reason))

    alerting = Alerting()
    manager.watch(gate, alerting=alerting)
    gate.operate("trip", operator="A. Name", reason="test", value="halt")
    gate._store = _Broken(gate._store)
    with suppress(GateHalted):
        gate.decide(signal())
    manager.flush()
    assert alerting.told[0][0] == "operator"
    assert alerting.told[-1] == ("failed", "No space left on device")
    assert alerts.told == []


def test_nonsense_given_by_hand_is_lost_and_raises_nothing(manager):
    manager.record_execution_time("approve_trade", "soon")
    manager.record_execution_time("approve_trade", float("nan"))
    manager.update_portfolio_metrics(None, "x", 3, {})
    manager.log_risk_breach("no\nlimit", None, object(), at="now", type=3)
    manager.log_trade_decision(None, None, None, webhook="hunter2")
    manager.log_kill_switch("?", None, "PANIC")
    text = "".join(map(str, manager.recent()))
    assert "hunter2" not in text
    assert "\n" not in text
    assert value(manager, "rpm_telemetry_failures_total") >= 4.0
    assert value(manager, "risk_breaches_total", type="other") == 1.0
    assert value(manager, "kill_switch_triggers_total", type="other", severity="other") == 1.0


class _Hostile:
    """Cannot be shown, measured or compared."""

    def __str__(self):
        raise RuntimeError("no")

    __repr__ = __len__ = __float__ = __hash__ = __str__

    def __format__(self, _how):
        raise RuntimeError("no")


def test_an_object_that_cannot_be_shown_stops_nobody_and_is_counted(manager):
    bad = _Hostile()
    for call in (
        lambda: manager.log_trade_decision(bad, bad, bad, x=bad), lambda: manager.log_kill_switch(bad, bad, bad),
        lambda: manager.log_risk_breach(bad, bad, bad), lambda: manager.log_risk_breach("max_leverage", bad, 2.0),
        lambda: manager.record_execution_time(bad, bad, bad),
        lambda: manager.update_portfolio_metrics(bad, bad, bad, bad),
    ):  # fmt: skip
        before = value(manager, "rpm_telemetry_failures_total")
        call()
        manager.flush()
        assert value(manager, "rpm_telemetry_failures_total") > before
    with pytest.raises(TypeError):
        manager.log_kill_switch("operator")


def test_alerts_by_hand_say_what_happened_to_whom_what_was_done_and_what_to_do(gate, manager, alerts):
    manager.log_kill_switch("account", "3 % lost", "HALT")
    manager.log_risk_breach("max_leverage", 2.5, 2.0)
    manager.watch(gate)
    gate._tell(gate._mourners, "no room")
    manager.flush()
    for _, _, text, _, _ in alerts.told:
        assert [line.partition(":")[0] for line in text.splitlines()] == [
            "What happened", "Scope", "What was done", "What to do",
        ]  # fmt: skip
    assert len(alerts.told) == 3


def test_lines_come_in_the_order_of_what_was_recorded(gate, signal, manager, log_path):
    manager.watch(gate)
    for number in range(1, 40):
        gate.decide(signal(number, quantity=1000.0 * number))
    manager.flush()
    sequences = [line["event.sequence"] for line in lines(log_path) if line["event.action"] == "trade_decision"]
    assert all(one < other for one, other in pairwise(sequences))
    assert len(sequences) == 39


def test_where_logs_go_changes_no_digest_and_no_genesis():
    plain, logged = short_settings(), short_settings("observability.log_file=/tmp/x.log", "observability.level=DEBUG")
    assert logged.observability.level == "DEBUG"
    assert plain.digest == logged.digest
    one, other = make_genesis(), make_genesis("observability.log_file=/tmp/x.log")
    assert canonical_bytes(one.to_plain()) == canonical_bytes(other.to_plain())
