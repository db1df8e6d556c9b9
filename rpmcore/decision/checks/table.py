"""The ordered table of checks: the first that turns an order down gives the reason."""

from collections.abc import Callable
from typing import NamedTuple

from rpmcore.decision.checks import book_risk, market_data, order_size, permissions
from rpmcore.decision.checks.inquiry import Inquiry
from rpmcore.domain.decisions import CheckResult
from rpmcore.domain.reasons import RejectReason


class Check(NamedTuple):
    """A check, the reason that it gives, and whether it also stops an order that only reduces."""

    reason: RejectReason
    ask: Callable[[Inquiry], CheckResult]
    binds_reducing: bool = False


CHECKS: tuple[Check, ...] = (
    Check(RejectReason.HALTED, permissions.trading_state, binds_reducing=True),
    Check(RejectReason.KILL_SWITCH, permissions.kill_switches),
    Check(RejectReason.INVALID_SIGNAL, permissions.valid, binds_reducing=True),
    Check(RejectReason.DUPLICATE_CONFLICT, permissions.duplicate, binds_reducing=True),
    Check(RejectReason.CLOCK_REVERSED, permissions.clock, binds_reducing=True),
    Check(RejectReason.STALE_SIGNAL, permissions.signal_age),
    Check(RejectReason.UNKNOWN_STRATEGY, permissions.strategy, binds_reducing=True),
    Check(RejectReason.STRATEGY_DISABLED, permissions.strategy_health),
    Check(RejectReason.UNKNOWN_SYMBOL, market_data.symbol, binds_reducing=True),
    Check(RejectReason.NO_PRICE, market_data.price),
    Check(RejectReason.STALE_PRICE, market_data.price_age),
    Check(RejectReason.NO_EQUITY, market_data.equity),
    Check(RejectReason.NO_RISK_MODEL, market_data.risk_model),
    Check(RejectReason.INSUFFICIENT_HISTORY, market_data.history),
    Check(RejectReason.PRICE_COLLAR, market_data.price_collar, binds_reducing=True),
    Check(RejectReason.NOT_REDUCING, permissions.reduce_only, binds_reducing=True),
    Check(RejectReason.ORDER_QUANTITY, order_size.order_quantity),
    Check(RejectReason.ORDER_VALUE, order_size.order_value),
    Check(RejectReason.MESSAGE_THROTTLE, permissions.message_throttle),
    Check(RejectReason.REPEATED_EXECUTION, permissions.repeated_execution),
    Check(RejectReason.GROSS_EXPOSURE, book_risk.gross_exposure),
    Check(RejectReason.NET_EXPOSURE, book_risk.net_exposure),
    Check(RejectReason.LEVERAGE, book_risk.leverage),
    Check(RejectReason.EXPOSURE_GROWTH, book_risk.exposure_growth),
    Check(RejectReason.RISK_PER_TRADE, order_size.risk_per_trade),
    Check(RejectReason.VOLATILITY, book_risk.volatility),
    Check(RejectReason.VALUE_AT_RISK, book_risk.value_at_risk),
    Check(RejectReason.EXPECTED_SHORTFALL, book_risk.expected_shortfall),
    Check(RejectReason.SINGLE_NAME, book_risk.single_name),
    Check(RejectReason.SECTOR, book_risk.sector),
    Check(RejectReason.BETA, book_risk.beta),
    Check(RejectReason.FACTOR_EXPOSURE, book_risk.factor_exposure),
    Check(RejectReason.CURRENCY, book_risk.currency),
    Check(RejectReason.LIQUIDITY, order_size.liquidity),
    Check(RejectReason.SIZING, order_size.sizing),
    Check(RejectReason.VOLATILITY_TARGET, book_risk.volatility_target),
    Check(RejectReason.DEADLINE, permissions.deadline),
)
"""In the order of the specification: kill switches, strategy, adaptive limits, risk, exposure, sizing, scaling."""
