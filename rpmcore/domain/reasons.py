"""Why the gate turns an order down: a closed set, each with its FIX code and one line of explanation."""

from enum import StrEnum
from typing import NamedTuple

from rpmcore.domain.controls import RejectionCause


class RejectReason(StrEnum):
    """Why an order was not approved."""

    INVALID_SIGNAL = "invalid_signal"
    DUPLICATE_CONFLICT = "duplicate_conflict"
    CLOCK_REVERSED = "clock_reversed"
    STALE_SIGNAL = "stale_signal"
    KILL_SWITCH = "kill_switch"
    HALTED = "halted"
    UNKNOWN_STRATEGY = "unknown_strategy"
    UNKNOWN_SYMBOL = "unknown_symbol"
    NO_PRICE = "no_price"
    STALE_PRICE = "stale_price"
    INSUFFICIENT_HISTORY = "insufficient_history"
    NO_RISK_MODEL = "no_risk_model"
    NO_EQUITY = "no_equity"
    NOT_REDUCING = "not_reducing"
    PRICE_COLLAR = "price_collar"
    ORDER_QUANTITY = "order_quantity"
    ORDER_VALUE = "order_value"
    MESSAGE_THROTTLE = "message_throttle"
    REPEATED_EXECUTION = "repeated_execution"
    STRATEGY_DISABLED = "strategy_disabled"
    EXPOSURE_GROWTH = "exposure_growth"
    GROSS_EXPOSURE = "gross_exposure"
    NET_EXPOSURE = "net_exposure"
    LEVERAGE = "leverage"
    RISK_PER_TRADE = "risk_per_trade"
    SIZING = "sizing"
    VOLATILITY = "volatility"
    VOLATILITY_TARGET = "volatility_target"
    VALUE_AT_RISK = "value_at_risk"
    EXPECTED_SHORTFALL = "expected_shortfall"
    SINGLE_NAME = "single_name"
    SECTOR = "sector"
    BETA = "beta"
    FACTOR_EXPOSURE = "factor_exposure"
    CURRENCY = "currency"
    LIQUIDITY = "liquidity"
    CHECK_FAILED = "check_failed"
    DEADLINE = "deadline"


class ReasonText(NamedTuple):
    """What a reason means to others.

    Attributes
    ----------
    fix
        OrdRejReason, tag 103 of FIX 4.4 and 5.0.
    cause
        How a rejection for it counts toward the rejection velocity.
    text
        One line.
    """

    fix: int
    cause: RejectionCause
    text: str


_LIMIT, _SWITCH, _OTHER = RejectionCause.RISK_LIMIT, RejectionCause.KILL_SWITCH, RejectionCause.OTHER

REASONS: dict[RejectReason, ReasonText] = {
    RejectReason.INVALID_SIGNAL: ReasonText(99, _OTHER, "A field is missing, not finite or contradicts another."),
    RejectReason.DUPLICATE_CONFLICT: ReasonText(6, _OTHER, "The id was used before by a signal with another content."),
    RejectReason.CLOCK_REVERSED: ReasonText(99, _OTHER, "The signal is older than what the gate has taken already."),
    RejectReason.STALE_SIGNAL: ReasonText(4, _OTHER, "The signal was made too long before it arrived."),
    RejectReason.KILL_SWITCH: ReasonText(0, _SWITCH, "A kill switch stops what opens or adds."),
    RejectReason.HALTED: ReasonText(0, _SWITCH, "Ledger, reconciliation or integrity has failed: nothing is released."),
    RejectReason.UNKNOWN_STRATEGY: ReasonText(15, _OTHER, "No book and no configuration names the strategy."),
    RejectReason.UNKNOWN_SYMBOL: ReasonText(1, _OTHER, "There are no prices of the symbol, or nothing is known of it."),
    RejectReason.NO_PRICE: ReasonText(99, _OTHER, "No price of the symbol, or no rate of its currency, is known yet."),
    RejectReason.STALE_PRICE: ReasonText(99, _OTHER, "The last price is too old."),
    RejectReason.INSUFFICIENT_HISTORY: ReasonText(99, _OTHER, "Too few returns to measure the risk of the symbol."),
    RejectReason.NO_RISK_MODEL: ReasonText(99, _OTHER, "The covariance or the P&L of the book cannot be computed."),
    RejectReason.NO_EQUITY: ReasonText(99, _OTHER, "The account has no equity left to take risk with."),
    RejectReason.NOT_REDUCING: ReasonText(11, _OTHER, "The order is reduce-only, and there is nothing to reduce."),
    RejectReason.PRICE_COLLAR: ReasonText(16, _OTHER, "The entry is too far from the last price."),
    RejectReason.ORDER_QUANTITY: ReasonText(13, _OTHER, "The quantity is above the largest order, or below one lot."),
    RejectReason.ORDER_VALUE: ReasonText(3, _OTHER, "The value is above the largest order."),
    RejectReason.MESSAGE_THROTTLE: ReasonText(99, _OTHER, "The strategy sends signals too fast."),
    RejectReason.REPEATED_EXECUTION: ReasonText(0, _OTHER, "The strategy repeats the same order too often."),
    RejectReason.STRATEGY_DISABLED: ReasonText(0, _SWITCH, "The strategy is disabled for its health."),
    RejectReason.EXPOSURE_GROWTH: ReasonText(3, _LIMIT, "Gross exposure would grow faster than allowed."),
    RejectReason.GROSS_EXPOSURE: ReasonText(3, _LIMIT, "Gross exposure is limited by the regime."),
    RejectReason.NET_EXPOSURE: ReasonText(3, _LIMIT, "Net exposure is limited."),
    RejectReason.LEVERAGE: ReasonText(3, _LIMIT, "Leverage is limited by the regime."),
    RejectReason.RISK_PER_TRADE: ReasonText(3, _LIMIT, "The loss at the stop is limited by the regime."),
    RejectReason.SIZING: ReasonText(3, _LIMIT, "The position sizer allows less than one lot."),
    RejectReason.VOLATILITY: ReasonText(
        3, _LIMIT, "The volatility of the book, with stressed correlations, is limited."
    ),
    RejectReason.VOLATILITY_TARGET: ReasonText(3, _LIMIT, "The book is steered to a volatility."),
    RejectReason.VALUE_AT_RISK: ReasonText(3, _LIMIT, "One-day value at risk is limited."),
    RejectReason.EXPECTED_SHORTFALL: ReasonText(3, _LIMIT, "One-day expected shortfall is limited."),
    RejectReason.SINGLE_NAME: ReasonText(3, _LIMIT, "The position in one share is limited."),
    RejectReason.SECTOR: ReasonText(3, _LIMIT, "The net exposure to one sector is limited."),
    RejectReason.BETA: ReasonText(3, _LIMIT, "The market beta of the book is limited."),
    RejectReason.FACTOR_EXPOSURE: ReasonText(3, _LIMIT, "The sum of the exposures to factors is limited."),
    RejectReason.CURRENCY: ReasonText(3, _LIMIT, "The net exposure to one currency is limited."),
    RejectReason.LIQUIDITY: ReasonText(3, _LIMIT, "The order is a large share of the daily volume."),
    RejectReason.CHECK_FAILED: ReasonText(99, _OTHER, "A check could not be carried out."),
    RejectReason.DEADLINE: ReasonText(99, _OTHER, "The decision took longer than its deadline."),
}
"""What each reason means; complete, which a test holds."""
