"""Whether there is anything to measure an order with, and whether its price is one."""

from math import inf

from rpmcore.decision.checks.inquiry import Inquiry, opening, skipped, whole
from rpmcore.domain.decisions import CheckResult


def symbol(asked: Inquiry) -> CheckResult:
    """The instrument is among those that the gate was started with."""
    known = asked.instrument is not None
    text = "the instrument is known" if known else f"{asked.signal.symbol!r} is not among the instruments of this gate"
    return whole("unknown_symbol", known, text)


def price(asked: Inquiry) -> CheckResult:
    """There is a last price, and a rate of its currency."""
    if asked.instrument is None:
        return skipped("no_price", "the instrument is not known")
    missing = "no price yet" if asked.price is None else "" if asked.rate is not None else "no rate of its currency yet"
    return opening(asked, "no_price", 0.0 if missing else inf, missing or "last price and rate are there",
                   observed=asked.price)  # fmt: skip


def price_age(asked: Inquiry) -> CheckResult:
    """The last price is young."""
    limit = asked.gate.maximum_price_age_hours
    age = None if asked.value_at is None else (asked.at - asked.value_at) / 3.6e12
    return opening(asked, "stale_price", inf if asked.fresh(asked.value_at) else 0.0, "hours since the last price",
                   observed=age, limit=limit)  # fmt: skip


def history(asked: Inquiry) -> CheckResult:
    """There are returns enough to measure the risk of the instrument."""
    if asked.instrument is None:
        return skipped("insufficient_history", "the instrument is not known")
    if asked.worst_case is None:
        return skipped("insufficient_history", asked.no_risk)
    text = "returns enough"
    if asked.asset is None:
        text = f"fewer than {asked.gate.minimum_history} returns of it, or of a rate that it needs"
    elif asked.unmoved:
        text = "its price has not moved in the window of the tail: no past P&L tells its risk"
    return opening(asked, "insufficient_history", 0.0 if asked.asset is None or asked.unmoved else inf, text)


def risk_model(asked: Inquiry) -> CheckResult:
    """The risk of the book can be computed."""
    failed = asked.worst_case is None
    return opening(asked, "no_risk_model", 0.0 if failed else inf, asked.no_risk if failed else "computed")


def equity(asked: Inquiry) -> CheckResult:
    """Risk is taken with equity."""
    text = "account currency" if asked.equity > 0.0 else f"equity is {asked.equity:,.0f}"
    return opening(asked, "no_equity", inf if asked.equity > 0.0 else 0.0, text, observed=asked.equity)


def price_collar(asked: Inquiry) -> CheckResult:
    """The entry is near the last price, where that is fresh; of an order that reduces too."""
    limit = asked.gate.price_collar
    if asked.price is None or asked.problem:
        return skipped("price_collar", "no price to compare with")
    if not asked.fresh(asked.price_at):
        return skipped("price_collar", "the price is stale, which stops what opens by itself, and nothing that reduces")
    distance = abs(asked.signal.entry / asked.price - 1.0)
    text = f"|entry / last − 1|, last {asked.price:g}"
    return whole("price_collar", distance <= limit, text, observed=distance, limit=limit)
