"""What the files in deploy/ may ask of a gate: its metrics, their labels and values, and the fields of its lines."""

from rpmcore.adapters.metrics.catalogue import METRICS as CATALOGUE
from rpmcore.adapters.telemetry.correlation import CorrelationContext
from rpmcore.domain.commands import IntegrityFailed
from rpmcore.gate import RiskGate
from rpmcore.observability import ObservabilityManager
from tests.gate.conftest import Times

METRICS = {
    spec.name: (spec.kind, {label: set(values) if values else None for label, values in spec.labels.items()})
    for spec in CATALOGUE
}
"""Kind, and the values of each label by its name; None for those that are known at run time alone."""

OF_PROMETHEUS = frozenset({"instance", "job"})
"""Labels that a scrape adds."""


def lines_of(genesis, signals):
    """Return the log lines of a gate that decides, is halted and fails, and of the calls of the specification."""
    gate = RiskGate.in_memory(genesis, clock=Times(genesis.at))
    with ObservabilityManager() as observability, CorrelationContext.bind("c-1"):
        observability.watch(gate)
        for signal in signals:
            gate.decide(signal)
        gate.operate("trip", operator="A. Head", reason="drill", value="halt")
        gate.handle(IntegrityFailed(at=genesis.at, reason="positions differ"))
        observability.log_trade_decision("APPROVED", "trend", "EURUSD")
        observability.log_kill_switch("account", "loss of the day", "HALT")
        observability.log_risk_breach("max_leverage", 2.5, 2)
        return observability.recent()
