"""Every alert that rpm raises by itself: how bad it is, what was done, what to do, and its entry in the runbook."""

from dataclasses import dataclass
from types import MappingProxyType

from rpmcore.adapters.alerts.alert import AlertSeverity, one_line
from rpmcore.domain.controls import Severity

SEVERITIES = MappingProxyType(
    {
        Severity.WARNING: AlertSeverity.WARNING,
        Severity.THROTTLE: AlertSeverity.WARNING,
        Severity.HALT: AlertSeverity.CRITICAL,
        Severity.LIQUIDATE: AlertSeverity.EMERGENCY,
    }
)
"""How bad a kill switch is; one that is at NONE has no alert."""

DONE = MappingProxyType(
    {
        Severity.WARNING: "nothing; trading goes on",
        Severity.THROTTLE: "new positions are cut in size",
        Severity.HALT: "what opens or adds is refused, and to be cancelled where it works; what reduces still passes",
        Severity.LIQUIDATE: "as a halt, and the positions are to be closed",
    }
)
"""What a kill switch has done by itself."""

SWITCHES = MappingProxyType(
    {
        "rejection_velocity": "find what is rejected and why, in rpm audit show; fix the strategy, then reset",
        "exposure_velocity": "hold the growth against what was approved: was it sent past the gate? Then reset",
        "per_strategy": "look at the trades of the strategy; reset once its loss is understood, or leave it off",
        "account": "hold the equity against the broker's; reset when the loss is understood and accepted",
        "repeated_execution": "stop the strategy: it repeats itself; fix it before you reset",
        "operator": "ask who tripped it, and reset only with their word",
    }
)
"""Each kill switch with what to do about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertKind:
    """What is the same of all alerts of one kind; its entry in the runbook has the same name."""

    severity: AlertSeverity
    title: str
    done: str
    to_do: str
    lasting: bool = True


KINDS = MappingProxyType(
    {
        "integrity-failed": AlertKind(
            severity=AlertSeverity.EMERGENCY, title="Trading is HALTED: integrity has failed",
            done="nothing is released any more, not even what reduces",
            to_do="reconcile positions and orders with the broker, repair the cause, then rpm gate clear-integrity",
        ),
        "ledger-failed": AlertKind(
            severity=AlertSeverity.EMERGENCY, title="The gate has stopped: its ledger failed",
            done="the gate answers nothing more, and the ledger is marked as halted",
            to_do="make room or repair the disk, run rpm audit verify, restart the gate, reconcile with the broker",
        ),
        "unexpected-fill": AlertKind(
            severity=AlertSeverity.CRITICAL, title="A fill that no released order explains",
            done="the fill is in the book, and the account is halted",
            to_do="find the order at the broker: was it sent past the gate? Reconcile, resolve this, then reset",
        ),
        "unknown-order": AlertKind(
            severity=AlertSeverity.WARNING, title="The broker speaks of an order that the gate does not know",
            done="nothing changed", to_do="find the order at the broker: was it sent past the gate?", lasting=False,
        ),
        "order-will-not-die": AlertKind(
            severity=AlertSeverity.CRITICAL, title="An order that was to be cancelled still works",
            done="the broker is asked again; what the order may fill counts toward every limit",
            to_do="call the broker and have the order cancelled there, then reconcile",
        ),
        "strategy-disabled": AlertKind(
            severity=AlertSeverity.WARNING, title="A strategy is disabled for its health",
            done="what it sends is refused, but for orders that reduce",
            to_do="look at rpm strategies; enable it again by name and with a reason, or leave it off",
        ),
        "limits-in-crisis": AlertKind(
            severity=AlertSeverity.WARNING, title="Limits are tightened for a crisis",
            done="limits and the correlation stress of the gate were tightened",
            to_do="expect cut and refused orders; look at rpm limits for the derivation",
        ),
        "clock-reversed": AlertKind(
            severity=AlertSeverity.WARNING, title="A command is older than what the gate has taken already",
            done="it was taken at the time of the last one", to_do="look at the clocks of the machine and of the feed",
            lasting=False,
        ),
        "operator-action": AlertKind(
            severity=AlertSeverity.INFO, title="An operator has acted", done="what was asked", to_do="nothing",
            lasting=False,
        ),
        "operator-refused": AlertKind(
            severity=AlertSeverity.WARNING, title="What an operator asked for was refused", done="nothing changed",
            to_do="read the reason, and ask again", lasting=False,
        ),
    }
)  # fmt: skip
"""Each kind by its entry in the runbook; kill switches have their own, see `switch_entry`."""


def switch_entry(switch: str) -> str:
    """Return the entry of a kill switch in the runbook."""
    return f"switch-{switch.replace('_', '-')}"


ENTRIES = MappingProxyType(
    {"integrity": "integrity-failed", "gate": "ledger-failed", "ledger": "ledger-failed", "breach": "limit-breach"}
)
"""The entry of a key, by its first part, for alerts that `rpmcore.observability` raises without one."""


def entry_of(key: str) -> str:
    """Return the entry of the runbook that a key tells; empty where it tells none."""
    kind, _, rest = key.partition(":")
    switch = rest.partition(":")[0]
    if kind == "switch" and switch in SWITCHES:
        return switch_entry(switch)
    return ENTRIES.get(kind, "")


def told(*, happened: str, scope: str, done: str, to_do: str) -> str:
    """Return the text of an alert."""
    return "\n".join(
        f"{name}: {one_line(text, 1000)}"
        for name, text in (
            ("What happened", happened), ("Scope", scope), ("What was done", done), ("What to do", to_do),
        )
    )  # fmt: skip
