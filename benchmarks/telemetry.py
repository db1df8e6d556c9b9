"""What being seen costs: log lines beside the standard library, and what is told of a decision beside the decision."""

import json
import logging
import logging.handlers
import tempfile
from collections.abc import Callable
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

from rpmcore.adapters.telemetry.events import EventType
from rpmcore.adapters.telemetry.logger import StructuredLogger
from rpmcore.adapters.telemetry.settings import ObservabilitySettings
from rpmcore.domain.orders import Signal
from rpmcore.gate import RiskGate
from rpmcore.observability import ObservabilityManager

SECOND = 1_000_000_000

# Where the folder of a pair goes with the process: a pair has no end of its own.
_FOLDERS: list[tempfile.TemporaryDirectory[str]] = []

# Files of the peer stay open until the end of the process, when `logging` closes them.
_HANDLERS: list[logging.Handler] = []

Pair = tuple[Callable[[], Any], Callable[[], Any]]


def folder() -> Path:
    _FOLDERS.append(tempfile.TemporaryDirectory(prefix="rpm-telemetry-"))
    return Path(_FOLDERS[-1].name)


class _Json(logging.Formatter):
    """What a desk writes in an afternoon: no redaction, no escaping beyond JSON's, no bounds, no trace."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(
            {
                "@timestamp": self.formatTime(record), "log.level": record.levelname.lower(),
                "message": record.getMessage(), "service.name": "rpm", **record.fields,  # type: ignore[attr-defined]
            }
        )  # fmt: skip


def log_lines(lines: int) -> Pair:
    """Write lines of six fields to a rotating file; ours also cleans them and keeps the last 1,000."""
    where = folder()
    ours_log = StructuredLogger(ObservabilitySettings(log_file=str(where / "ours.log")))
    handler = logging.handlers.RotatingFileHandler(where / "peer.log", maxBytes=64_000_000, backupCount=5)
    _HANDLERS.append(handler)
    handler.setFormatter(_Json())
    peer_log = logging.Logger("rpm-benchmark", logging.INFO)
    peer_log.addHandler(handler)

    def ours() -> None:
        for number in range(lines):
            ours_log.info(
                "approved: buy EURUSD for trend", type=EventType.TRADE_DECISION, strategy_id="trend", symbol="EURUSD",
                verdict="approved", requested=100_000.0, approved=100_000.0, sequence=number,
            )  # fmt: skip
        assert ours_log.lost == 0

    def theirs() -> None:
        for number in range(lines):
            fields = {
                "event.action": "trade_decision", "rpm.strategy_id": "trend", "rpm.symbol": "EURUSD",
                "rpm.verdict": "approved", "rpm.requested": 100_000.0, "rpm.approved": 100_000.0,
                "rpm.sequence": number,
            }  # fmt: skip
            peer_log.info("approved: buy EURUSD for trend", extra={"fields": fields})

    return ours, theirs


def seen_decisions(decisions: int) -> Pair:
    """Count, log and write what was recorded of decisions, on whatever thread; the peer makes the decisions.

    The gate keeps its records in memory: with a ledger a decision takes longer, and the ratio is better.
    """
    from rpmcore.adapters.configuration.loading import Settings
    from rpmcore.domain import reference
    from rpmcore.gate_start import gate_prices, genesis_of

    genesis = genesis_of(
        reference.sample_path("opening_book.parquet"), gate_prices(None), Settings(), as_of=date(2019, 6, 28),
        strategies={"trend": 5_000_000.0},
    )  # fmt: skip
    now, numbers = [genesis.at], count(1)
    entry = next(price for symbol, price, _ in genesis.last if symbol == "EURUSD")
    gate = RiskGate.in_memory(genesis, clock=lambda: now[0])
    manager = ObservabilityManager(ObservabilitySettings(log_file=str(folder() / "rpm.log"), queue_entries=1_000_000))
    recorded: list[Any] = []
    gate.subscribe(lambda *told: recorded.append(told))

    def theirs() -> None:
        for _ in range(decisions):
            # The approval before has expired, so that the book stays as it is.
            now[0] += 31 * SECOND
            number = next(numbers)
            side: Any = "buy" if number % 2 else "sell"
            gate.decide(
                Signal(
                    signal_id=f"s{number}", strategy_id="trend", symbol="EURUSD", side=side, entry=entry, at=now[0],
                    quantity=10_000.0,
                )
            )  # fmt: skip

    theirs()
    told = tuple(recorded[-decisions:])
    assert {decision.verdict for _, decision, _ in told} == {"approved"}
    manager.watch(gate)
    _, *watching = gate._listeners
    gate._listeners.clear()

    def ours() -> None:
        for each in told:
            for watch in watching:
                watch(*each)
        assert manager.flush(60.0)
        assert manager.recent(1)[0]["event.action"] == "trade_decision"
        assert manager.logger.lost == 0

    return ours, theirs
