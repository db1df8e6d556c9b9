"""The page about observability: its snippets run, and it knows every event type, metric and field."""

import re
from datetime import date
from pathlib import Path

import pytest

from rpmcore import CorrelationContext, RiskGate, Signal
from rpmcore.adapters.configuration.loading import load_settings
from rpmcore.adapters.metrics.catalogue import METRICS
from rpmcore.adapters.telemetry.events import EventType
from rpmcore.domain import reference
from rpmcore.gate_start import gate_prices, genesis_of

PAGE = (Path(__file__).parents[2] / "docs" / "observability.md").read_text(encoding="utf-8")


@pytest.fixture
def gate():
    settings = load_settings(
        None,
        (
            "gate.starting_history=200", "gate.minimum_history=60", "tail_risk.lookback=100",
            *(f"adaptive.{part}.minimum_history=60" for part in ("regimes", "volatility", "stress")),
        ),
    )  # fmt: skip
    book = reference.sample_path("opening_book.parquet")
    genesis = genesis_of(
        book, gate_prices(None), settings, as_of=date(2019, 6, 28), strategies={"trend": 5_000_000.0}
    )  # fmt: skip
    with RiskGate.in_memory(genesis, clock=lambda: genesis.at) as made:
        yield made


def test_its_snippets_run_one_after_the_other(gate, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    genesis = gate.engine.genesis
    entry = next(price for symbol, price, _ in genesis.last if symbol == "EURUSD")
    signal = Signal(
        signal_id="s1", strategy_id="trend", symbol="EURUSD", side="buy", entry=entry, at=genesis.at, quantity=10_000.0
    )
    names = {"gate": gate, "signal": signal}
    snippets = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert len(snippets) == 3
    try:
        for snippet in snippets:
            exec(snippet, names)  # noqa: S102 - our own page
    finally:
        CorrelationContext.clear()
    printed = capsys.readouterr().out
    assert 'trade_decisions_total{decision="approved",strategy="trend"} 1.0' in printed
    assert "'rpm.correlation_id': 'request-4711'" in printed
    assert '"rpm.correlation_id":"request-4711"' in (tmp_path / "gate.log").read_text()


def test_every_event_type_and_metric_is_on_it():
    for name in (*EventType, *(metric.name for metric in METRICS)):
        assert f"`{name}`" in PAGE


def test_every_field_of_a_line_is_on_it(gate):
    from rpmcore import ObservabilityManager

    with ObservabilityManager() as manager:
        manager.watch(gate)
        gate.operate("trip", operator="A. Name", reason="test", value="halt")
        signal = Signal(
            signal_id="s1", strategy_id="trend", symbol="EURUSD", side="buy", entry=1.1, at=gate.engine.last_at,
            quantity=10_000.0,
        )  # fmt: skip
        gate.decide(signal)
        fields = {name for line in manager.recent() for name in line if not name.startswith("rpm.")}
    assert fields > {"@timestamp", "event.action", "trace.id"}
    assert {name for name in fields if f"`{name}`" not in PAGE} == set()
