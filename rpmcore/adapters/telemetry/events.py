"""What a log line can be about."""

from enum import StrEnum


class EventType(StrEnum):
    """The action of a line: ``event.action`` in the Elastic Common Schema."""

    TRADE_DECISION = "trade_decision"
    KILL_SWITCH = "kill_switch"
    RISK_BREACH = "risk_breach"
    ORDER = "order"
    STRATEGY_STATUS = "strategy_status"
    REGIME_CHANGE = "regime_change"
    OPERATOR_ACTION = "operator_action"
    INTEGRITY_FAILURE = "integrity_failure"
    RECONCILIATION = "reconciliation"
    COMMAND_REFUSED = "command_refused"
    PORTFOLIO_UPDATE = "portfolio_update"
    EXECUTION_TIME = "execution_time"
    ALERT = "alert"
    SYSTEM = "system"


class Outcome(StrEnum):
    """How it ended: ``event.outcome`` knows these three and no other."""

    SUCCESS = "success"
    FAILURE = "failure"
    UNKNOWN = "unknown"
