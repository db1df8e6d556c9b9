"""A gate with everything that watches it: logs, metrics, spans, and alerts that are delivered."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

from rpmcore.adapters.alerts.alerting import AlertingSystem
from rpmcore.adapters.alerts.channels import configured_channels
from rpmcore.adapters.alerts.delivery import AlertDelivery
from rpmcore.adapters.alerts.gate_alerts import GateAlerts
from rpmcore.adapters.alerts.outbox import Outbox
from rpmcore.adapters.configuration.loading import Settings, settings_or_defaults
from rpmcore.gate import RiskGate
from rpmcore.observability import ObservabilityManager


@contextmanager
def observed(
    gate: RiskGate,
    settings: Settings | None = None,
    *,
    outbox: str | Path | None = None,
    environment: Mapping[str, str] | None = None,
    clock: Callable[[], int] = time.time_ns,
) -> Iterator[ObservabilityManager]:
    """Watch a gate until the end of a ``with``: what it records becomes logs, metrics, spans and alerts.

    Parameters
    ----------
    gate
        Open.
    settings
        The sections ``observability`` and ``alerts``.
    outbox
        Where alerts wait until they are delivered; without it they live as long as the process.
    environment
        Where the secrets of the channels are; the process's own if None.
    clock
        UTC nanoseconds.

    Yields
    ------
    ObservabilityManager
        Whose `export_metrics` is the text for Prometheus.

    Raises
    ------
    ConfigurationError
        If the log file cannot be written to, or a channel's secret cannot be used.
    OutboxError
        If the outbox cannot be used.
    """
    chosen = settings_or_defaults(settings, Settings)
    with ExitStack() as opened:
        manager = opened.enter_context(ObservabilityManager(chosen.observability))
        channels = configured_channels(chosen.alerts, environment)
        kept = opened.enter_context(closing(Outbox.in_memory() if outbox is None else Outbox.open(outbox)))
        alerting = AlertingSystem(kept, settings=chosen.alerts, channels=tuple(channel.name for channel in channels))
        failed = partial(manager.metrics.count, "rpm_alert_delivery_failures_total")
        delivery = opened.enter_context(closing(AlertDelivery(alerting, channels, on_failure=failed)))
        delivery.start()
        alerts = GateAlerts(alerting, gate.engine.kill_switches.latched)
        alerts.catch_up(integrity=gate.engine.integrity)
        manager.watch(gate, clock=clock, alerting=alerts)
        # At the end what was recorded last, say that the gate has failed, is still told, and only then all is closed.
        opened.callback(delivery.flush)
        opened.callback(manager.flush)
        yield manager
