"""Logs and metrics of a run through the gate, where somebody asked for them."""

from pathlib import Path
from types import TracebackType
from typing import Self

from rpmcore.adapters.metrics.text_file import MetricsFile
from rpmcore.adapters.telemetry.settings import ObservabilitySettings
from rpmcore.gate import RiskGate
from rpmcore.observability import ObservabilityManager
from rpmcore.risk.notices import Notice


class ObservedRun:
    """Watches the gate of a run, and writes its metrics at the end; for a ``with``.

    Parameters
    ----------
    settings
        Where logs go.
    metrics
        File to write metrics to; None for none.

    Raises
    ------
    InputError, ConfigurationError
        If the metrics file or the log file cannot be written to.
    """

    def __init__(self, settings: ObservabilitySettings, metrics: str | Path | None) -> None:
        self._file = None if metrics is None else MetricsFile(metrics)
        wanted = settings.log_file is not None or settings.console or settings.tracing or self._file is not None
        try:
            self._manager = ObservabilityManager(settings) if wanted else None
        except BaseException:
            self._discard()
            raise

    def watch(self, gate: RiskGate) -> None:
        """See everything that a gate records from now on; the age of prices is told by the run's own time."""
        if self._manager is not None:
            self._manager.watch(gate, clock=lambda: gate.engine.last_at)

    def finish(self) -> tuple[Notice, ...]:
        """Write what waits and the metrics, while the gate is still open, and return what was lost."""
        if self._manager is None:
            return ()
        self._manager.flush(60.0)
        problem = "" if self._file is None else self._file.write(self._manager.export_metrics())
        told = [problem] if problem else []
        if self._manager.logger.lost:
            told.append(f"{self._manager.logger.lost} lines of the log were lost: the decisions were not")
        return tuple(Notice(code="telemetry_lost", message=text) for text in told)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._manager is not None:
            self._manager.close()
        self._discard()

    def _discard(self) -> None:
        if self._file is not None:
            self._file.discard()
