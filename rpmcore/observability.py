"""One door to logs, metrics, spans and alerts, for a gate and for whoever calls the parts by hand."""

import time
from collections.abc import Callable, Iterable, Sized
from functools import partial, wraps
from importlib.metadata import PackageNotFoundError, version
from inspect import signature
from typing import TYPE_CHECKING, Any, Protocol, Self, TextIO, TypeVar, cast

from rpmcore.adapters.alerts.catalogue import told
from rpmcore.adapters.metrics.catalogue import NONE
from rpmcore.adapters.metrics.prometheus import PrometheusMetrics
from rpmcore.adapters.telemetry.background import PATIENCE, Background
from rpmcore.adapters.telemetry.correlation import CorrelationContext
from rpmcore.adapters.telemetry.events import EventType, Outcome
from rpmcore.adapters.telemetry.logger import Entry, StructuredLogger
from rpmcore.adapters.telemetry.settings import LevelName, ObservabilitySettings
from rpmcore.adapters.telemetry.tracing import Tracing
from rpmcore.decision.engine import Event
from rpmcore.domain.commands import Command
from rpmcore.domain.controls import ACCOUNT, Severity
from rpmcore.domain.decisions import Decision
from rpmcore.gate import RiskGate
from rpmcore.gate_lines import SWITCH_LEVELS
from rpmcore.gate_watch import GateAlerting, GateWatch, Outlets, raise_switch

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider


Method = TypeVar("Method", bound=Callable[..., None])


def _never_raises(method: Method) -> Method:
    """Return the method as one that loses, and counts, what it is given where that cannot even be shown."""

    @wraps(method)
    def harmless(self: "ObservabilityManager", /, *args: Any, **kwargs: Any) -> None:
        try:
            method(self, *args, **kwargs)
        except TypeError:
            signature(method).bind(self, *args, **kwargs)  # a call that is none is misuse, and raises
            self.metrics.lost()
        except Exception:  # noqa: BLE001 - whatever was given, whoever gave it goes on
            self.metrics.lost()

    return cast("Method", harmless)


class AlertSink(Protocol):
    """Takes alerts, and tells people: `rpmcore.adapters.alerts` or anything alike."""

    def raise_alert(self, severity: str, title: str, text: str, *, scope: str = ACCOUNT, key: str | None = None) -> Any:
        """Report something: ``info``, ``warning``, ``critical`` or ``emergency``; the same key again is the same."""


class ObservabilityManager:
    """Logs, counts, traces and alerts, and never stops whoever calls it: what fails is lost and counted.

    Metrics are counted at once. Lines and spans are made by a thread of their own and alerts by another, each behind a
    bounded queue;
    `flush` waits for it. `close` at the end, or a ``with``, writes what still waits; so does the end of the process.

    Parameters
    ----------
    settings
        Where logs go, how much is kept, whether there are spans.
    strategies
        That may have series of their own; a gate that is watched adds its own.
    alerts
        Who takes alerts; without it nobody does.
    console
        In place of stderr.
    tracer_provider
        OpenTelemetry's, in place of the one that the process has set.

    Raises
    ------
    ConfigurationError
        If the log file cannot be written to, or spans are asked for and OpenTelemetry is not installed.
    """

    def __init__(
        self,
        settings: ObservabilitySettings | None = None,
        *,
        strategies: Iterable[str] = (),
        alerts: AlertSink | None = None,
        console: TextIO | None = None,
        tracer_provider: "TracerProvider | None" = None,
    ) -> None:
        chosen = settings or ObservabilitySettings()
        self._alerts = alerts
        self.metrics = PrometheusMetrics(strategies)
        self.logger = StructuredLogger(chosen, console=console, when_lost=self.metrics.lost)
        self._background = Background(chosen.queue_entries, self.metrics.lost)
        self._alarms = Background(chosen.queue_entries, self.metrics.lost, name="rpm-alarms")
        self._outlets = Outlets(
            logger=self.logger, metrics=self.metrics, background=self._background, alarms=self._alarms,
            alert=self._alert,
            tracing=Tracing(tracer_provider) if chosen.tracing or tracer_provider is not None else None,
        )  # fmt: skip
        self.metrics.set_build(_own_version(), "")

    # What happens

    def watch(
        self,
        gate: RiskGate,
        *,
        clock: Callable[[], int] = time.time_ns,
        alerting: GateAlerting | None = None,
    ) -> None:
        """See everything that a gate records from now on, and its book whenever metrics are read.

        Parameters
        ----------
        gate
            One; metrics of a second one would be mixed with its.
        clock
            UTC nanoseconds, to tell the age of prices; of the simulation where time is simulated.
        alerting
            Makes alerts of what is recorded, in place of those about kill switches and failures that go to `alerts`.
        """
        GateWatch(gate, self._outlets, clock=clock, alerting=alerting)
        self.metrics.set_build(_own_version(), gate.engine.genesis.config_digest)
        gate.subscribe(self._settings_told)

    def _settings_told(self, _command: Command, _decision: Decision | None, events: tuple[Event, ...]) -> None:
        for event in events:
            if event["type"] == "reconfigured":
                self.metrics.set_build(_own_version(), event["after"])

    @_never_raises
    def log_trade_decision(self, decision: str, strategy_id: str, symbol: str, **fields: Any) -> None:
        """Count and log a decision: ``APPROVED``, ``CUT`` or ``REJECTED``, in capitals or not."""
        said = str(decision).lower()
        self._harmless(self.metrics.count, "trade_decisions_total", strategy_id, said)
        self._log(
            "INFO", f"{said}: {symbol} for {strategy_id}", EventType.TRADE_DECISION,
            Outcome.FAILURE if said == "rejected" else Outcome.SUCCESS,
            {"strategy_id": strategy_id, "symbol": symbol, "verdict": said, **fields},
        )  # fmt: skip

    @_never_raises
    def log_kill_switch(
        self, switch: str, reason: str, severity: str | Severity, *, scope: str = ACCOUNT, **fields: Any
    ) -> None:
        """Count, log and raise an alert of a kill switch that went to a severity, such as ``HALT``."""
        said = str(severity.value if isinstance(severity, Severity) else severity).lower()
        self._harmless(self.metrics.count, "kill_switch_triggers_total", switch, said)
        level: LevelName = next((SWITCH_LEVELS[each] for each in Severity if each.value == said), "WARNING")
        self._log(
            level, f"{switch} of {scope}: {said}", EventType.KILL_SWITCH, None,
            {"event.reason": reason, "switch": switch, "severity": said, "scope": scope, **fields}, urgent=True,
        )  # fmt: skip
        self._alarms.do(partial(raise_switch, self._alert, switch, scope, said, reason), urgent=True)

    @_never_raises
    def log_risk_breach(self, limit: str, observed: float, threshold: float, **fields: Any) -> None:
        """Count, log and raise an alert of a measure beyond its limit: ``("max_leverage", 2.5, 2.0)``."""
        self._harmless(self.metrics.count, "risk_breaches_total", limit)
        self._log(
            "WARNING", f"{limit}: {observed} beyond {threshold}", EventType.RISK_BREACH, Outcome.FAILURE,
            {"limit_name": limit, "observed": observed, "limit": threshold, **fields},
        )  # fmt: skip
        text = told(
            happened=f"{observed} is measured, {threshold} is the limit", scope=ACCOUNT, done="nothing",
            to_do="look at rpm exposure, reduce, then resolve this: nobody else knows that it is over",
        )  # fmt: skip
        self._alarms.do(
            partial(self._alert, "warning", f"{limit} is beyond its limit", text, ACCOUNT, f"breach:{limit}")
        )

    @_never_raises
    def record_execution_time(self, operation: str, duration_ms: float, strategy_id: str = NONE) -> None:
        """Add the milliseconds that an operation took, of one strategy or of none."""
        self._harmless(self.metrics.observe, "execution_time_ms", duration_ms, operation, strategy_id)

    @_never_raises
    def update_portfolio_metrics(
        self, exposure: float, leverage: float, positions: int | Sized, pnl: float
    ) -> None:  # fmt: skip
        """Set what the account holds: gross exposure and unrealised P&L in its currency, leverage, positions.

        A gate that is watched sets these by itself whenever metrics are read.
        """
        number = len(positions) if isinstance(positions, Sized) else positions
        for name, value in (
            ("portfolio_exposure", exposure), ("portfolio_leverage", leverage), ("portfolio_num_positions", number),
            ("portfolio_unrealized_pnl", pnl),
        ):  # fmt: skip
            self._harmless(self.metrics.set, name, value)

    # What is asked

    def export_metrics(self, *, openmetrics: bool = False) -> str:
        """Return the metrics in Prometheus' text format, or in OpenMetrics', which also shows exemplars."""
        return self.metrics.export_metrics(openmetrics=openmetrics)

    def recent(self, number: int | None = None) -> tuple[Entry, ...]:
        """Return the most recent log lines, oldest first, those that still waited included."""
        self.flush()
        return self.logger.recent(number)

    def flush(self, timeout: float = PATIENCE) -> bool:
        """Wait at most so many seconds until what was seen so far is written, and return whether it is."""
        end = time.monotonic() + timeout
        return self._alarms.flush(timeout) & self._background.flush(max(end - time.monotonic(), 0.0))

    def close(self) -> None:
        """Write what waits, and close the log file."""
        self._alarms.close()
        self._background.close()
        self.logger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Within

    def _harmless(self, do: Callable[..., None], *arguments: Any) -> None:
        try:
            do(*arguments)
        except Exception:  # noqa: BLE001 - whatever was given, whoever gave it goes on
            self.metrics.lost()

    def _log(
        self, level: LevelName, message: str, kind: EventType, outcome: Outcome | None, fields: dict[str, Any], *,
        urgent: bool = False,
    ) -> None:  # fmt: skip
        trace, now = CorrelationContext.current(), time.time_ns()

        def write() -> None:
            taken = {name: value for name, value in fields.items() if name not in _TAKEN}
            self.logger.log(level, message, type=kind, outcome=outcome, at=now, trace=trace, **taken)

        self._background.do(write, urgent=urgent)

    def _alert(self, severity: str, title: str, text: str, scope: str, key: str) -> None:
        if self._alerts is not None:
            self._alerts.raise_alert(severity, title, text, scope=scope, key=key)


_TAKEN = frozenset({"type", "outcome", "at", "trace"})


def _own_version() -> str:
    try:
        return version("rpmcore")
    except PackageNotFoundError:
        return "unknown"
