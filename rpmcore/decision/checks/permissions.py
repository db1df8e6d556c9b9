"""Who may trade at all, and whether the signal is one."""

from rpmcore.controls.command_time import SECOND
from rpmcore.decision.checks.inquiry import Inquiry, answer, opening, whole
from rpmcore.domain.controls import Severity
from rpmcore.domain.decisions import CheckResult, CheckStatus


def kill_switches(asked: Inquiry) -> CheckResult:
    """HALT and worse stop what opens or adds; THROTTLE shrinks it."""
    severity = asked.severity
    if severity >= Severity.HALT:
        return opening(asked, "kill_switch", 0.0, f"{severity.value}: only what reduces passes",
                       observed=float(severity.rank), limit=float(Severity.THROTTLE.rank))  # fmt: skip
    text = f"severity {severity.value}" + (f", sizes × {asked.throttle:g}" if asked.throttle < 1.0 else "")
    allowed = asked.opening * asked.throttle if asked.throttle < 1.0 else float("inf")
    return opening(asked, "kill_switch", allowed, text,
                   observed=float(severity.rank), limit=float(Severity.THROTTLE.rank))  # fmt: skip


def trading_state(asked: Inquiry) -> CheckResult:
    """In HALTED nothing is released, not even what reduces."""
    return whole("halted", not asked.integrity, asked.integrity or "ledger and books are sound")


def valid(asked: Inquiry) -> CheckResult:
    """Every number is one, and no field contradicts another."""
    return whole("invalid_signal", not asked.problem, asked.problem or "every field makes sense")


def duplicate(asked: Inquiry) -> CheckResult:
    """An id stands for one content."""
    found = asked.conflict_with
    return whole(
        "duplicate_conflict", found is None,
        "the id is new" if found is None else f"decision {found} is about another signal with this id",
    )  # fmt: skip


def clock(asked: Inquiry) -> CheckResult:
    """Time does not run backwards."""
    behind = asked.last_at - asked.at
    text = "time moves on" if behind <= 0 else f"{behind} ns before the last command: was a clock set back?"
    return whole("clock_reversed", behind <= 0, text)


def signal_age(asked: Inquiry) -> CheckResult:
    """A signal is decided soon after it was made."""
    age, limit = (asked.at - asked.signal.at) / SECOND, asked.gate.maximum_signal_age_seconds
    ahead = age < -limit
    text = "made in the future: clocks differ" if ahead else "seconds since it was made"
    return opening(asked, "stale_signal", 0.0 if ahead or age > limit else float("inf"), text,
                   observed=abs(age), limit=limit)  # fmt: skip


def strategy(asked: Inquiry) -> CheckResult:
    """Somebody has given the strategy capital."""
    text = "the strategy is registered" if asked.known_strategy else (
        f"strategy {asked.signal.strategy_id!r} is in no book and no configuration"
    )  # fmt: skip
    return whole("unknown_strategy", asked.known_strategy, text)


def strategy_health(asked: Inquiry) -> CheckResult:
    """A strategy that is disabled for its health opens nothing."""
    disabled = bool(asked.strategy_reason) or not asked.known_strategy
    text = asked.strategy_reason or f"enabled, sizes × {asked.strategy_multiplier:g}"
    return opening(asked, "strategy_disabled", 0.0 if disabled else float("inf"), text)


def message_throttle(asked: Inquiry) -> CheckResult:
    """A strategy that sends too much has run away."""
    limit = asked.gate.max_messages
    return opening(asked, "message_throttle", 0.0 if asked.messages > limit else float("inf"),
                   f"signals within {asked.gate.message_window_seconds:g} s",
                   observed=float(asked.messages), limit=float(limit))  # fmt: skip


def repeated_execution(asked: Inquiry) -> CheckResult:
    """The same order again and again is a loop."""
    count, most = asked.repeated
    return opening(asked, "repeated_execution", 0.0 if count > most else float("inf"),
                   "orders of this kind in the window", observed=float(count), limit=float(most))  # fmt: skip


def deadline(asked: Inquiry) -> CheckResult:
    """An answer that comes too late is no."""
    late = asked.late_by
    text = "in time" if late is None else f"late by {late / 1e6:.3g} ms: the answer is no"
    return opening(asked, "deadline", float("inf") if late is None else 0.0, text,
                   limit=asked.gate.deadline_ms)  # fmt: skip


def reduce_only(asked: Inquiry) -> CheckResult:
    """A reduce-only order is cut to what there is to reduce."""
    if not asked.signal.reduce_only:
        return answer("pass", "not_reducing", "may open")
    room, wanted = float(asked.reducible), asked.quantity
    status: CheckStatus = "reject" if room <= 0.0 else "cut" if room < wanted else "pass"
    return answer(status, "not_reducing", "reduce-only: at most what is held, less what working orders take off",
                  observed=wanted, limit=room or None, largest=room)  # fmt: skip
