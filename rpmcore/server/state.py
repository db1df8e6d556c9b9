"""From a gate to ``rpm.state/1``: all that readers of the service are told."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from math import isfinite
from statistics import median
from typing import Any

import numpy as np

from rpmcore.adapters.ledger.errors import Holder
from rpmcore.controls.adaptive_risk import AdaptiveLimits
from rpmcore.decision.engine import DecisionEngine, Event
from rpmcore.decision.reconciliation import BookDifference
from rpmcore.domain.commands import Command
from rpmcore.domain.controls import TradingState
from rpmcore.domain.decisions import Decision
from rpmcore.domain.plain import to_plain
from rpmcore.gate import RiskGate
from rpmcore.gate_status import DecisionLine, GateStatus, status_of
from rpmcore.server.published import State

SHOWN_DECISIONS = 50
SHOWN_DIFFERENCES = 50
TIMED_DECISIONS = 1000
IN_MEMORY = "in memory"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """What a service says of itself, and what does not change while it runs.

    Attributes
    ----------
    ledger
        Its path, or ``in memory``.
    dry_run
        Whether nothing is recorded for good, and nothing may be sent.
    sample
        In words, what of this is the sample; None where it is the user's own.
    started_at
        UTC, in ISO 8601.
    capacity
        Of the queue.
    heartbeat_seconds, tick_seconds
        Between two events of a stream of states, and between two changes of the state, at most: what is older than
        both is not live.
    """

    ledger: str
    dry_run: bool
    sample: str | None
    started_at: str
    capacity: int
    heartbeat_seconds: float
    tick_seconds: float


class Watcher:
    """Remembers what a state tells beside what the engine holds: the last decisions, and how long they took."""

    def __init__(
        self, gate: RiskGate, facts: ServerFacts, held: Holder | None, earlier: tuple[DecisionLine, ...]
    ) -> None:
        self.facts, self._held = facts, held
        self._decisions: deque[DecisionLine | Decision] = deque(earlier, maxlen=SHOWN_DECISIONS)
        self._took: deque[int] = deque(maxlen=TIMED_DECISIONS)
        self._gate, self._version = gate, version("rpmcore")
        self.reload_problem: str | None = None
        self.queue_depth: Callable[[], int] = lambda: 0
        gate.subscribe(self)

    def __call__(self, _command: Command, decision: Decision | None, _events: tuple[Event, ...]) -> None:
        """Take what was recorded; for ``RiskGate.subscribe``."""
        if decision is not None:
            self._decisions.append(decision)
            self._took.append(self._gate.took.all)

    def state(self, gate: RiskGate) -> State:
        """Return the state of the gate now; on the thread that decides."""
        # A book out of all proportion, which halts the gate, must be seen all the same.
        with np.errstate(over="ignore", invalid="ignore"):
            return self._state(gate)

    def _state(self, gate: RiskGate) -> State:
        engine, end = gate.engine, gate.end
        lines = tuple(each if isinstance(each, DecisionLine) else _line(each) for each in self._decisions)
        self._decisions = deque(lines, maxlen=SHOWN_DECISIONS)
        status = status_of(
            self.facts.ledger, engine, gate.halted, self._held, lines,
            ("", 0, "") if end is None else (end.ledger, end.position, end.mac.hex()),
        )  # fmt: skip
        plain = to_plain(status)
        _share(engine, plain["positions"])
        plain = {
            "schema": "rpm.state/1", "revision": engine.sequence,
            "published_at": datetime.now(UTC).isoformat(timespec="milliseconds"), "server": self._server(gate, status),
            **plain, "regime": _regime(status.limits),
            "reconciliation": _waiting(engine), "decision_time_ms": self._times(),
        }  # fmt: skip
        return State(revision=engine.sequence, plain=plain)

    def _server(self, gate: RiskGate, status: GateStatus) -> dict[str, Any]:
        facts = self.facts
        reasons = _unready(gate, status)
        return {
            "version": self._version, "started_at": facts.started_at, "ledger": facts.ledger,
            "dry_run": facts.dry_run, "sample": facts.sample, "ready": not reasons, "ready_reasons": reasons,
            "queue": {"depth": self.queue_depth(), "capacity": facts.capacity},
            "heartbeat_seconds": facts.heartbeat_seconds, "tick_seconds": facts.tick_seconds,
            "rollout": gate.engine.settings.flags.rollout.value, "reload_problem": self.reload_problem,
        }  # fmt: skip

    def _times(self) -> dict[str, Any]:
        found = sorted(took / 1e6 for took in self._took)
        if not found:
            return {
                "n": 0,
                "median": None,
                "p95": None,
                "p99": None,
                "maximum": None,
                "reason": "nothing was decided yet",
            }
        return {
            "n": len(found), "median": median(found), "p95": _quantile(found, 0.95), "p99": _quantile(found, 0.99),
            "maximum": found[-1],
        }  # fmt: skip


def _line(decision: Decision) -> DecisionLine:
    signal = decision.signal
    return DecisionLine(
        sequence=decision.sequence, at=decision.at, signal_id=signal.signal_id, strategy_id=signal.strategy_id,
        symbol=signal.symbol, side=signal.side, verdict=decision.verdict,
        reason=None if decision.reason is None else decision.reason.value, requested=decision.requested,
        approved=decision.approved, binding=decision.binding, text=decision.text,
    )  # fmt: skip


def _quantile(ordered: list[float], level: float) -> float:
    return ordered[min(int(level * len(ordered)), len(ordered) - 1)]


def _unready(gate: RiskGate, status: GateStatus) -> list[str]:
    if gate.failed:
        return [f"the gate has failed: {gate.failed}"]
    found = []
    if status.trading_state == TradingState.HALTED.value:
        found.append(f"nothing is released: {status.integrity or status.halted}")
    waiting = gate.engine.reconciliation
    if waiting is not None:
        found.append(
            f"the differences of reconciliation {waiting['sequence']} with {waiting['source']} stand: adopt the "
            "broker's view or the gate's"
        )
    return found


def _waiting(engine: DecisionEngine) -> dict[str, Any] | None:
    waiting = engine.reconciliation
    if waiting is None:
        return None
    lines = waiting["differences"]
    shown = [{**line, "text": BookDifference(**line).text} for line in lines[:SHOWN_DIFFERENCES]]
    return {"sequence": waiting["sequence"], "source": waiting["source"], "n": len(lines), "differences": shown}


def _regime(limits: AdaptiveLimits) -> dict[str, Any]:
    step = next(step for step in limits.steps if step.name == "regime")
    return {
        "name": limits.regime, "source": step.source, "day": to_plain(step.day), "note": step.note,
        "volatility_class": limits.volatility_class, "stress_score": limits.stress_score,
        "pinned": limits.pin is not None,
    }  # fmt: skip


def _share(engine: DecisionEngine, positions: list[dict[str, Any]]) -> None:
    """Give each position its share of portfolio variance, w_i (Σw)_i / wᵀΣw, of which all sum to 1."""
    why, shares = _shares(engine, positions)
    for place, position in enumerate(positions):
        position["share"] = None if shares is None else shares[place]
        if shares is None:
            position["share_reason"] = why


def _shares(engine: DecisionEngine, positions: list[dict[str, Any]]) -> tuple[str, list[float] | None]:
    model = engine.market.model
    if model is None:
        return engine.market.model_reason, None
    for position in positions:
        if position["weight"] is None:
            return f"the weight of {position['symbol']} is not known", None
        if position["symbol"] not in model.index:
            return f"too little history of {position['symbol']}", None
    weights = np.zeros(len(model.index))
    for position in positions:
        weights[model.index[position["symbol"]]] += position["weight"]
    risk = model.covariance @ weights
    variance = float(weights @ risk)
    if not isfinite(variance):
        return "what is held is out of all proportion", None
    if not variance > 0.0:
        return "the book has no risk", None
    return "", [position["weight"] * float(risk[model.index[position["symbol"]]]) / variance for position in positions]


def now_in_words() -> str:
    """Return the time, UTC in ISO 8601."""
    return datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds")
