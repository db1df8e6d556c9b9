"""Structured logs: one JSON object a line, by the names of the Elastic Common Schema."""

import json
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Self, TextIO

import structlog

from rpmcore.adapters.telemetry.cleaning import clean_fields, clean_text
from rpmcore.adapters.telemetry.correlation import CorrelationContext
from rpmcore.adapters.telemetry.events import EventType, Outcome
from rpmcore.adapters.telemetry.rotating_file import RotatingFile
from rpmcore.adapters.telemetry.settings import LevelName, ObservabilitySettings
from rpmcore.adapters.telemetry.traceparent import Trace
from rpmcore.domain.errors import InvalidArgument

ECS_VERSION = "8.11.0"
LEVELS: Mapping[LevelName, int] = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}
NANOSECONDS = 1_000_000_000

_ENCODE = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode

Entry = dict[str, Any]
"""A line as an object in JSON's types, by the names of the Elastic Common Schema; ours begin with ``rpm.``."""


class StructuredLogger:
    """Writes lines to a file, the terminal and a buffer, as far as the settings say so; safe to share between threads.

    It writes on the thread that calls. A line may be lost: a sink that fails raises nothing, and `lost` counts. Fields
    by the name of a secret are redacted, control characters escaped, long values cut, NaN and infinities named.

    Parameters
    ----------
    settings
        Where lines go; the defaults keep them in memory alone.
    console
        In place of stderr.
    clock
        UTC nanoseconds.
    when_lost
        Called for each line that a sink did not get.

    Raises
    ------
    ConfigurationError
        If the log file cannot be written to.
    """

    def __init__(
        self,
        settings: ObservabilitySettings | None = None,
        *,
        console: TextIO | None = None,
        clock: Callable[[], int] = time.time_ns,
        when_lost: Callable[[], None] | None = None,
    ) -> None:
        chosen = settings or ObservabilitySettings()
        self._sinks = _Sinks(chosen, console, when_lost)
        self._clock = clock
        self._constant = {
            "ecs.version": ECS_VERSION, "service.name": clean_text(chosen.service_name),
            "service.version": _own_version(), "log.logger": "rpm",
        }  # fmt: skip
        # Configured here and nowhere else: structlog's global configuration is whoever imports us's own.
        self._log = structlog.wrap_logger(
            self._sinks, processors=[self._entry], cache_logger_on_first_use=True, context_class=dict,
            wrapper_class=structlog.make_filtering_bound_logger(LEVELS[chosen.level]),
        ).bind()  # fmt: skip

    # What is written

    def debug(self, message: str, /, *, type: EventType = EventType.SYSTEM, **fields: Any) -> None:
        """Write what helps to find a fault; see `log`."""
        self.log("DEBUG", message, type=type, **fields)

    def info(self, message: str, /, *, type: EventType = EventType.SYSTEM, **fields: Any) -> None:
        """Write what happened as it should; see `log`."""
        self.log("INFO", message, type=type, **fields)

    def warning(self, message: str, /, *, type: EventType = EventType.SYSTEM, **fields: Any) -> None:
        """Write what somebody should look at; see `log`."""
        self.log("WARNING", message, type=type, **fields)

    def error(self, message: str, /, *, type: EventType = EventType.SYSTEM, **fields: Any) -> None:
        """Write what failed; see `log`."""
        self.log("ERROR", message, type=type, **fields)

    def critical(self, message: str, /, *, type: EventType = EventType.SYSTEM, **fields: Any) -> None:
        """Write what stops the gate; see `log`."""
        self.log("CRITICAL", message, type=type, **fields)

    def log(
        self,
        level: LevelName,
        message: str,
        /,
        *,
        type: EventType = EventType.SYSTEM,
        outcome: Outcome | None = None,
        at: int | None = None,
        trace: Trace | None = None,
        **fields: Any,
    ) -> None:
        """Write a line, and raise nothing whatever the values are.

        Parameters
        ----------
        level
            ``DEBUG``, ``INFO``, ``WARNING``, ``ERROR`` or ``CRITICAL``.
        message
            A sentence for people.
        type
            What it is about.
        outcome
            How it ended, where it did.
        at
            When it happened, UTC nanoseconds; now by default.
        trace
            What it belongs to; the context's by default.
        fields
            What else there is, written as ``rpm.name``; a name with a full stop in it is written as it is, and what
            is None not at all.

        Raises
        ------
        InvalidArgument
            If there is no such level.
        """
        write = _WRITERS.get(level)
        if write is None:
            raise InvalidArgument(f"there is no level {level!r}; known are {', '.join(LEVELS)}")
        try:
            write(self._log, message, what=(type, outcome, at, trace, fields))
        except Exception:  # noqa: BLE001 - a line may be lost, what is logged may not be stopped by it
            self._sinks.lose()

    def bind(self, **fields: Any) -> Self:
        """Return a logger that adds fields to each of its lines, and shares everything else with this one."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._log = self._log.bind(**{f"_{name}": value for name, value in fields.items()})
        return other

    # What is asked

    def recent(self, number: int | None = None) -> tuple[Entry, ...]:
        """Return the most recent lines, oldest first, as objects; all that are kept by default."""
        kept = self._sinks.kept()
        return kept if number is None else kept[max(len(kept) - number, 0) :]

    @property
    def lost(self) -> int:
        """Lines that a sink, or all of them, did not get."""
        return self._sinks.lost

    def close(self) -> None:
        """Close the file; lines are then kept in memory alone."""
        self._sinks.close()

    # Within

    def _entry(self, _logger: Any, level: str, event: MutableMapping[str, Any]) -> tuple[tuple[Entry], Entry]:
        """Return the line; the only one of structlog's processors."""
        kind, outcome, at, trace, fields = event.pop("what")
        message = event.pop("event")
        now = self._clock()
        trace = trace or CorrelationContext.current()
        line: Entry = {
            "@timestamp": _written_time(now if at is None else at), "log.level": level,
            "message": clean_text(message if isinstance(message, str) else str(message)),
            "event.kind": "alert" if kind in _ALERTS else "event", "event.action": str(kind),
        }  # fmt: skip
        if at is not None:
            line["event.created"] = _written_time(now)
        if outcome is not None:
            line["event.outcome"] = str(outcome)
        if trace is not None:
            line["trace.id"], line["span.id"] = trace.trace_id, trace.span_id
            line["rpm.correlation_id"] = clean_text(trace.correlation_id)
        line.update(self._constant)
        if event:
            fields = {**{name[1:]: value for name, value in event.items()}, **fields}
        for name, value in clean_fields(fields).items():
            if value is not None:
                line.setdefault(_field_name(name), value)
        return (line,), {}


_ALERTS = frozenset({EventType.KILL_SWITCH, EventType.RISK_BREACH, EventType.INTEGRITY_FAILURE, EventType.ALERT})

_WRITERS: dict[str, Callable[..., Any]] = {
    "DEBUG": lambda log, *args, **kwargs: log.debug(*args, **kwargs),
    "INFO": lambda log, *args, **kwargs: log.info(*args, **kwargs),
    "WARNING": lambda log, *args, **kwargs: log.warning(*args, **kwargs),
    "ERROR": lambda log, *args, **kwargs: log.error(*args, **kwargs),
    "CRITICAL": lambda log, *args, **kwargs: log.critical(*args, **kwargs),
}


class _Sinks:
    """Where lines end: the buffer, the file, the terminal. Each may fail for itself."""

    def __init__(
        self, settings: ObservabilitySettings, console: TextIO | None, when_lost: Callable[[], None] | None
    ) -> None:
        self._buffer: deque[Entry] = deque(maxlen=settings.buffer_entries)
        self._file = (
            None if settings.log_file is None else RotatingFile(
                settings.log_file, largest=round(settings.rotate_megabytes * 1e6), kept=settings.rotated_files
            )
        )  # fmt: skip
        self._console, self._shows = console, settings.console or console is not None
        self._lock = threading.Lock()
        self._when_lost, self.lost = when_lost, 0

    def debug(self, line: Entry) -> None:
        """Write a line, of whatever level."""
        self._buffer.append(line)
        if self._file is not None and not self._file.write(_ENCODE(line).encode("ascii") + b"\n"):
            self.lose()
        if self._shows:
            self._show(line)

    info = warning = error = critical = debug

    def _show(self, line: Entry) -> None:
        try:
            print(readable(line), file=self._console or sys.stderr, flush=True)
        except (OSError, ValueError):
            self.lose()

    def lose(self) -> None:
        with self._lock:
            self.lost += 1
        if self._when_lost is not None:
            self._when_lost()

    def kept(self) -> tuple[Entry, ...]:
        return tuple(self._buffer.copy())

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def readable(line: Mapping[str, Any]) -> str:
    """Return a line as people read it: time, level, action, message, and our own fields."""
    ours = " ".join(
        f"{name.removeprefix('rpm.')}={value}" for name, value in line.items()
        if name.startswith("rpm.")
    )  # fmt: skip
    text = f"{line['@timestamp'][:23]}Z {line['log.level'].upper():8} {line['event.action']}: {line['message']}"
    return f"{text}  [{ours}]" if ours else text


def _field_name(name: str) -> str:
    return name if "." in name else f"rpm.{name}"


def _written_time(at: int) -> str:
    """Return a time as ISO 8601 in UTC, to the microsecond."""
    seconds, rest = divmod(at, NANOSECONDS)
    return f"{_written_second(seconds)}.{rest // 1000:06d}Z"


@lru_cache(maxsize=64)
def _written_second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


def _own_version() -> str:
    try:
        return version("rpmcore")
    except PackageNotFoundError:
        return "unknown"
