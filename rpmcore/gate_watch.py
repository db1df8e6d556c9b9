"""Watches a gate: everything that it records becomes metrics at once, and logs, spans and alerts a moment later.

Nothing here can raise into a decision or hold it up: metrics are counted on its path, which takes microseconds; the
rest waits in a bounded queue for a thread of its own, and is lost, and counted, where that is full.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import nan
from typing import Any, Protocol

from rpmcore.adapters.alerts.catalogue import DONE, KINDS, SEVERITIES, SWITCHES, told
from rpmcore.adapters.metrics.catalogue import LIMITS, NONE, OTHER
from rpmcore.adapters.metrics.prometheus import PrometheusMetrics
from rpmcore.adapters.telemetry.background import Background
from rpmcore.adapters.telemetry.correlation import CorrelationContext
from rpmcore.adapters.telemetry.events import EventType, Outcome
from rpmcore.adapters.telemetry.logger import StructuredLogger
from rpmcore.adapters.telemetry.traceparent import Trace, new_span_id, trace_id_of
from rpmcore.adapters.telemetry.tracing import Tracing
from rpmcore.decision.engine import DecisionEngine, Event
from rpmcore.decision.unrealised import Unrealised
from rpmcore.decision.utilisation import limit_utilisation
from rpmcore.domain.commands import Command, Fill
from rpmcore.domain.controls import ACCOUNT, Severity, TradingState
from rpmcore.domain.decisions import Decision
from rpmcore.gate import RiskGate, Took
from rpmcore.gate_lines import Line, decision_line, event_line, worse

LONGEST_WAIT = 0.25
"""Seconds that reading the book for gauges waits for a decision under way; then they stay as they were."""


class GateAlerting(Protocol):
    """Makes alerts of what a gate records; called on the thread of the alerts."""

    def __call__(self, command: Command, decision: Decision | None, events: tuple[Event, ...], /) -> None:
        """Take what was recorded."""

    def failed(self, reason: str, /) -> None:
        """Take that the gate has failed."""


RaiseAlert = Callable[[str, str, str, str, str], None]
"""Takes severity, title, text, scope and key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlets:
    """Where what is seen goes.

    Attributes
    ----------
    tracing
        None where nobody asked for spans.
    alert
        Raises an alert; called on the thread of the alerts.
    alarms
        Does what becomes an alert, on a thread of its own: a log file or a terminal that hangs silences no alert.
    """

    logger: StructuredLogger
    metrics: PrometheusMetrics
    background: Background
    alarms: Background
    tracing: Tracing | None
    alert: RaiseAlert


class GateWatch:
    """Listens to one gate; see `rpmcore.observability.ObservabilityManager.watch`.

    Parameters
    ----------
    gate
        That is listened to.
    outlets
        Where what is seen goes.
    clock
        UTC nanoseconds, to tell the age of prices.
    alerting
        Makes alerts of what is recorded; without it kill switches and failures are told to `Outlets.alert`.
    """

    def __init__(
        self, gate: RiskGate, outlets: Outlets, *, clock: Callable[[], int], alerting: GateAlerting | None = None
    ) -> None:  # fmt: skip
        self._gate, self._outlets, self._clock, self._alerting = gate, outlets, clock, alerting
        self._has_ledger = gate.head is not None
        with gate.reading() as engine:
            self._unrealised = Unrealised(engine)
            outlets.metrics.know_strategies(engine.genesis.strategies)
            gate.subscribe(self, failed=self.failed)
        outlets.metrics.before_export(self.refresh)

    # What is told, on the path of a decision

    def __call__(self, command: Command, decision: Decision | None, events: tuple[Event, ...]) -> None:
        """Take what was recorded; for ``RiskGate.subscribe``."""
        took, now = self._gate.took, time.time_ns()
        trace = _trace(command)
        try:
            if isinstance(command, Fill) and not any(event["type"] == "refused" for event in events):
                sign = 1.0 if command.side == "buy" else -1.0
                self._unrealised.fill(command.symbol, sign * command.quantity, command.price)
            self._count(command, decision, events, trace, took)
        except Exception:  # noqa: BLE001 - a metric may be wrong, a decision may not wait for why
            self._outlets.metrics.lost()
        urgent = any(event["type"] in _URGENT for event in events)
        self._outlets.background.do(partial(self._tell, command, decision, events, trace, took, now), urgent=urgent)
        if self._alerting is not None:
            self._outlets.alarms.do(partial(self._alerting, command, decision, events), urgent=urgent)
        elif urgent:
            for event in events:
                self._outlets.alarms.do(partial(self._alert, event), urgent=True)

    def failed(self, reason: str) -> None:
        """Take that the gate has failed; for ``RiskGate.subscribe``."""
        self._outlets.background.do(partial(self._write_failed, reason), urgent=True)
        tell = partial(self._raise, "ledger-failed", reason, "gate")
        self._outlets.alarms.do(tell if self._alerting is None else partial(self._alerting.failed, reason), urgent=True)

    def _count(
        self, command: Command, decision: Decision | None, events: tuple[Event, ...], trace: Trace | None, took: Took
    ) -> None:
        metrics = self._outlets.metrics
        exemplar = None
        if trace is not None:
            exemplar = {"trace_id": trace.trace_id, "correlation_id": trace.correlation_id}
        operation, strategy = command.kind, getattr(command, "strategy_id", NONE)
        if decision is not None:
            operation, strategy = "approve_trade", decision.signal.strategy_id
            metrics.count("trade_decisions_total", strategy, decision.verdict, exemplar=exemplar)
            if decision.reason is not None:
                metrics.count("rpm_rejections_total", decision.reason)
            limited = decision.reason or decision.binding
            if limited in _LIMITS:
                metrics.count("risk_breaches_total", limited)
        metrics.observe("execution_time_ms", took.all / 1e6, operation, strategy, exemplar=exemplar)
        if self._has_ledger:
            metrics.observe("rpm_ledger_commit_seconds", took.record / 1e9)
        for event in events:
            if worse(event):
                metrics.count("kill_switch_triggers_total", event["switch"], event["after"], exemplar=exemplar)

    # What is told later, on the thread of the telemetry, but for alerts

    def _tell(
        self, command: Command, decision: Decision | None, events: tuple[Event, ...], trace: Trace | None, took: Took,
        now: int,
    ) -> None:  # fmt: skip
        done = [partial(self._write, event_line(event), command.at, trace) for event in events]
        if decision is not None:
            done.insert(0, partial(self._write, decision_line(decision, took.all), command.at, trace))
            if self._outlets.tracing is not None and trace is not None:
                done.append(partial(_span, self._outlets.tracing, decision, trace, took, now))
        for each in done:
            try:
                each()
            except Exception:  # noqa: BLE001 - a broken outlet must not silence the others
                self._outlets.metrics.lost()

    def _write(self, line: Line, at: int, trace: Trace | None) -> None:
        self._outlets.logger.log(
            line.level, line.message, type=line.type, outcome=line.outcome, at=at, trace=trace, **line.fields
        )

    def _alert(self, event: Event) -> None:
        if event["type"] == "integrity_failed":
            self._raise("integrity-failed", event["reason"], "integrity")
        elif worse(event):
            raise_switch(self._outlets.alert, event["switch"], event["scope"], event["after"], event["reason"])

    def _write_failed(self, reason: str) -> None:
        self._outlets.logger.critical(
            "the gate has failed and answers nothing more", type=EventType.INTEGRITY_FAILURE, outcome=Outcome.FAILURE,
            **{"event.reason": reason},
        )  # fmt: skip

    def _raise(self, name: str, happened: str, key: str) -> None:
        kind = KINDS[name]
        text = told(happened=happened, scope=ACCOUNT, done=kind.done, to_do=kind.to_do)
        self._outlets.alert(kind.severity.word, kind.title, text, ACCOUNT, key)

    # What is read

    def refresh(self) -> None:
        """Bring the gauges up to date; a decision under way is waited for no longer than `LONGEST_WAIT`.

        Raises
        ------
        TimeoutError
            If it took longer; the gauges of the book are then as they were.
        """
        metrics = self._outlets.metrics
        if self._gate.failed:
            metrics.set_state("rpm_trading_state", TradingState.HALTED.value)
        with self._gate.reading(LONGEST_WAIT) as engine:
            metrics.set_state("rpm_trading_state", self._gate.trading_state.value)
            metrics.set_state("rpm_regime", engine.limits(engine.last_at).regime)
            for scope, severity in self._shown(engine.kill_switches.severities()).items():
                metrics.set_state("rpm_kill_switch_state", scope, severity.value)
            gauges, used = self._gauges(engine), limit_utilisation(engine)
        for name, value in gauges.items():
            metrics.set(name, nan if value is None else value)
        for name, value in used.items():
            metrics.set("rpm_limit_utilisation", nan if value is None else value, name)

    def _shown(self, severities: Mapping[str, Severity]) -> dict[str, Severity]:
        """Return severities by label; strategies without series of their own share one, which shows the worst."""
        found: dict[str, Severity] = {}
        for scope, severity in severities.items():
            label = scope if scope == ACCOUNT or self._outlets.metrics.knows_strategy(scope) else OTHER
            found[label] = max(found.get(label, severity), severity, key=lambda each: each.rank)
        return found

    def _gauges(self, engine: DecisionEngine) -> dict[str, float | None]:
        equity, gross = engine.account.equity, engine.gross()
        held = [found[1] for symbol in engine.account.net if (found := engine.market.price(symbol)) is not None]
        newest = max((at for _, at in engine.market.last.values()), default=None)
        known = len(held) == len(engine.account.net)
        priced = (min(held) if held else newest) if known else None
        return {
            "portfolio_exposure": gross if known else None,
            "portfolio_leverage": gross / equity if known and equity > 0.0 else None,
            "portfolio_num_positions": len(engine.account.net),
            "portfolio_unrealized_pnl": self._unrealised.total(),
            "rpm_equity": equity,
            "rpm_drawdown": max(1.0 - equity / engine.peak, 0.0) if engine.peak > 0.0 else None,
            "rpm_price_age_seconds": None if priced is None else max(self._clock() - priced, 0) / 1e9,
        }


_LIMITS = frozenset(LIMITS)
_URGENT = frozenset({"control", "integrity_failed", "unexpected_fill", "order_will_not_die"})


def raise_switch(alert: RaiseAlert, switch: str, scope: str, severity: str, reason: str) -> None:
    """Raise the alert of a kill switch that went to a severity."""
    level = Severity(severity)
    urgency = SEVERITIES.get(level)
    if urgency is not None:
        text = told(happened=reason, scope=scope, done=DONE[level], to_do=SWITCHES.get(switch, "see the runbook"))
        title = f"Kill switch {switch} is at {severity.upper()} for {scope}"
        alert(urgency.word, title, text, scope, f"switch:{switch}:{scope}")


def _trace(command: Command) -> Trace | None:
    """Return the trace of whoever asked, under the id that was recorded; else the one that this id stands for."""
    trace, correlation_id = CorrelationContext.current(), command.correlation_id
    if not correlation_id or (trace is not None and trace.correlation_id == correlation_id):
        return trace
    if trace is not None:
        return replace(trace, correlation_id=correlation_id)
    # Not `trace_of`, which refuses: a broker's id may be of any length, and what it led to must be told all the same.
    return Trace(correlation_id=correlation_id, trace_id=trace_id_of(correlation_id), span_id=new_span_id())


def _span(tracing: Tracing, decision: Decision, trace: Trace, took: Took, now: int) -> None:
    signal = decision.signal
    attributes: dict[str, Any] = {
        "rpm.correlation_id": trace.correlation_id, "rpm.sequence": decision.sequence, "rpm.verdict": decision.verdict,
        "rpm.reason": decision.reason, "rpm.binding": decision.binding, "rpm.strategy_id": signal.strategy_id,
        "rpm.symbol": signal.symbol, "rpm.side": signal.side, "rpm.requested": decision.requested,
        "rpm.approved": decision.approved, "rpm.record_ms": took.record / 1e6,
    }  # fmt: skip
    tracing.span("approve_trade", trace, start=now - took.all, end=now, attributes=attributes)
