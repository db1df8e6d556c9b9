"""What the gate records becomes alerts: one table from the types of its events to what is told."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from rpmcore.adapters.alerts.alerting import OURSELVES, AlertingSystem
from rpmcore.adapters.alerts.catalogue import DONE, KINDS, SEVERITIES, SWITCHES, switch_entry, told
from rpmcore.domain.controls import ACCOUNT, Severity
from rpmcore.domain.orders import OrderState

Event = Mapping[str, Any]
Latched = Callable[[], Mapping[tuple[str, str], Severity]]
"""Tells the worst severity of each kill switch in each scope, of those that are above NONE."""

INTEGRITY, CRISIS, LEDGER = "integrity", "limits:crisis", "ledger"


class GateAlerts:
    """Tells of what a gate has recorded.

    Parameters
    ----------
    alerting
        What is told.
    latched
        ``gate.engine.kill_switches.latched``: several measures stand behind one switch, and an alert ends when none of
        them is reached any more.
    """

    def __init__(self, alerting: AlertingSystem, latched: Latched) -> None:
        self.alerting, self._latched = alerting, latched

    def __call__(self, _command: object, _decision: object, events: tuple[Event, ...]) -> None:
        """Take what was recorded; for ``RiskGate.subscribe``. What has no row is told to nobody."""
        for event in events:
            row = ROWS.get(event["type"])
            if row is not None:
                row(self, event)

    def catch_up(self, *, integrity: str = "") -> None:
        """Bring alerts in line with a gate that has just been started.

        Parameters
        ----------
        integrity
            Why its integrity has failed; empty where it has not.
        """
        latched = self._latched()
        for (switch, scope), severity in latched.items():
            if severity >= Severity.HALT:
                self._raise_switch(switch, scope, severity, "it was so when the gate was started")
        for alert in self.alerting.active_alerts():
            kind, _, rest = alert.key.partition(":")
            switch, _, scope = rest.partition(":")
            if kind == "switch" and (switch, scope) not in latched:
                self.alerting.resolve(alert.id, OURSELVES)
        self.alerting.resolve_key(LEDGER)
        if integrity:
            self._raise("integrity-failed", INTEGRITY, integrity)
        else:
            self.alerting.resolve_key(INTEGRITY)

    def failed(self, reason: str) -> None:
        """Tell that the gate has stopped: it records nothing more, and no event says so."""
        self._raise("ledger-failed", LEDGER, reason)

    # The rows

    def _control(self, event: Event) -> None:
        before, after = Severity(event["before"]), Severity(event["after"])
        switch, scope, reason = event["switch"], event["scope"], event["reason"]
        if after >= before:
            if after in SEVERITIES:
                self._raise_switch(switch, scope, after, reason, event["operator"])
            return
        left = self._latched().get((switch, scope), Severity.NONE)
        if left >= before:
            return
        self.alerting.resolve_key(_switch_key(switch, scope), event["operator"] or OURSELVES)
        if left in SEVERITIES:
            self._raise_switch(switch, scope, left, reason)

    def _raise_switch(
        self, switch: str, scope: str, severity: Severity, reason: str, operator: str | None = None
    ) -> None:
        by = f", by {operator}" if operator else ""
        to_do = SWITCHES.get(switch, "see the runbook")
        self.alerting.raise_alert(
            SEVERITIES[severity], f"Kill switch {switch} is at {severity.name} for {scope}",
            told(happened=f"{reason}{by}", scope=scope, done=DONE[severity], to_do=to_do),
            scope=scope, key=_switch_key(switch, scope), runbook=switch_entry(switch),
        )  # fmt: skip

    def _integrity(self, event: Event) -> None:
        self._raise("integrity-failed", INTEGRITY, event["reason"])

    def _unexpected_fill(self, event: Event) -> None:
        order = event["order_id"]
        of = f"fill of order {order}" if order else "fill without an order id"
        self._raise("unexpected-fill", f"unexpected_fill:{order}", f"{of}: {event['reason']}")

    def _unknown_order(self, event: Event) -> None:
        self._raise("unknown-order", "unknown_order", f"order {event['order_id']} was {event['outcome']}")

    def _will_not_die(self, event: Event) -> None:
        order, what = event["order_id"], f"{event['open']:g} of {event['symbol']} may still be filled"
        self._raise("order-will-not-die", _undying_key(order), f"order {order}: {what}", scope=event["strategy_id"])

    def _order(self, event: Event) -> None:
        if event["state"] in _ENDED:
            self.alerting.resolve_key(_undying_key(event["order_id"]))

    def _reconciled(self, event: Event) -> None:
        for difference in event["differences"]:
            if difference["kind"] == "order_not_at_gate":
                what = f"order {difference['order_id']} works at {event['source']}: {difference['broker']}"
                self._raise("unknown-order", "unknown_order", what)

    def _adopted(self, event: Event) -> None:
        if not event["integrity"]:
            self.alerting.resolve_key(INTEGRITY, event["operator"])

    def _strategy(self, event: Event) -> None:
        strategy, key = event["strategy_id"], f"strategy:{event['strategy_id']}"
        if event["after"] == "disabled":
            self._raise("strategy-disabled", key, event["reason"], scope=strategy)
        else:
            self.alerting.resolve_key(key)

    def _limits(self, event: Event) -> None:
        if event["volatility"] == "crisis" or event["regime"] == "stressed":
            what = f"regime {event['regime']}, volatility {event['volatility']}, multiplier {event['multiplier']:.3g}"
            self._raise("limits-in-crisis", CRISIS, what)
        else:
            self.alerting.resolve_key(CRISIS)

    def _operator(self, event: Event) -> None:
        action, scope, value = event["action"], event["scope"], event["value"]
        who = f"{action} {value}".strip()
        self._raise("operator-action", "operator", f"{event['operator']}: {who}: {event['reason']}", scope=scope)
        if action == "clear_integrity":
            self.alerting.resolve_key(INTEGRITY, event["operator"])

    def _operator_refused(self, event: Event) -> None:
        self._raise("operator-refused", "operator", f"{event['operator']}: {event['action']}: {event['reason']}")

    def _reconfigured(self, event: Event) -> None:
        who, changes = event["operator"] or "a reload that only tightens", len(event["changes"])
        self._raise("operator-action", "settings", f"{who}: {changes} setting(s) changed: {event['reason']}")

    def _reconfigure_refused(self, event: Event) -> None:
        who = event["operator"] or "a reload"
        self._raise("operator-refused", "settings", f"{who}: other settings: {event['reason']}")

    def _clock_reversed(self, event: Event) -> None:
        self._raise("clock-reversed", "clock", f"told {event['told']}, taken as {event['taken']}")

    def _raise(self, name: str, key: str, happened: str, *, scope: str = ACCOUNT) -> None:
        kind = KINDS[name]
        self.alerting.raise_alert(
            kind.severity, kind.title if scope == ACCOUNT else f"{kind.title}: {scope}",
            told(happened=happened, scope=scope, done=kind.done, to_do=kind.to_do),
            scope=scope, key=key, runbook=name, lasting=kind.lasting,
        )  # fmt: skip


_ENDED = frozenset({OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED})


def _undying_key(order_id: str) -> str:
    return f"undying:{order_id}"


def _switch_key(switch: str, scope: str) -> str:
    return f"switch:{switch}:{scope}"


ROWS: Mapping[str, Callable[[GateAlerts, Event], None] | None] = MappingProxyType(
    {
        "control": GateAlerts._control,
        "integrity_failed": GateAlerts._integrity,
        "unexpected_fill": GateAlerts._unexpected_fill,
        "unknown_order": GateAlerts._unknown_order,
        "strategy": GateAlerts._strategy,
        "limits": GateAlerts._limits,
        "operator": GateAlerts._operator,
        "operator_refused": GateAlerts._operator_refused,
        "reconfigured": GateAlerts._reconfigured,
        "reconfigure_refused": GateAlerts._reconfigure_refused,
        "clock_reversed": GateAlerts._clock_reversed,
        "order_will_not_die": GateAlerts._will_not_die,
        "order": GateAlerts._order,
        "reconciled": GateAlerts._reconciled,
        "adopted": GateAlerts._adopted,
        # The answer, or the log, says enough of these.
        "cancel_requested": None,
        "position_adopted": None,
        "release_refused": None,
        "refused": None,
    }
)
