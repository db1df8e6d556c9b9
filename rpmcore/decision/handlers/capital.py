"""Money and results: the account's equity, payments, and the closed trades of strategies."""

from typing import TYPE_CHECKING

from rpmcore.controls.strategy_intelligence import StrategyState
from rpmcore.decision.handlers.common import Events, controls
from rpmcore.decision.magnitude import check_amount
from rpmcore.domain.commands import CashFlow, Command, EquityMark, TradeClosed
from rpmcore.domain.decisions import Decision
from rpmcore.domain.errors import InvalidArgument

if TYPE_CHECKING:
    from rpmcore.decision.engine import DecisionEngine


def equity(engine: "DecisionEngine", command: Command, _decision: Decision | None, at: int) -> Events:
    """Take the broker's word for the equity."""
    assert isinstance(command, EquityMark)  # noqa: S101 - the table says so
    check_amount(command.equity, "equity")
    engine.account.equity = float(command.equity)
    engine.earn(0.0)
    engine.changed()
    return engine.snapshot(at, price_effect=0.0, correlation=command.correlation_id)


def cash_flow(engine: "DecisionEngine", command: Command, _decision: Decision | None, at: int) -> Events:
    """Take a payment, which is neither gain nor loss: the peak moves in proportion, as that of the kill switch."""
    assert isinstance(command, CashFlow)  # noqa: S101
    check_amount(command.amount, "amount")
    events = controls(engine, engine.kill_switches.record_cash_flow(command.amount, at=at))
    before = engine.account.equity
    engine.account.equity += command.amount
    engine.peak = max(engine.peak * (engine.account.equity / before), engine.account.equity)
    engine.changed()
    return events + engine.snapshot(at, price_effect=0.0, correlation=command.correlation_id)


def trade(engine: "DecisionEngine", command: Command, _decision: Decision | None, at: int) -> Events:
    """Take a closed trade, by which its strategy is judged."""
    assert isinstance(command, TradeClosed)  # noqa: S101
    closed = command.trade
    if closed.strategy_id not in engine.genesis.strategies:
        raise InvalidArgument(f"a closed trade of {closed.strategy_id!r}, a strategy that is not known")
    if closed.closed_at > at:
        raise InvalidArgument(f"trade {closed.trade_id!r} closes at {closed.closed_at}, which is yet to come")
    check_amount(closed.pnl, f"pnl of trade {closed.trade_id!r}")
    before = engine.strategies.state_of(closed.strategy_id)
    events = status_told(before.status, engine.strategies.record(closed))
    return events + controls(engine, engine.kill_switches.record_strategy_trade(
        closed.strategy_id, closed.pnl, at=at, correlation_id=command.correlation_id))  # fmt: skip


def reviewed(engine: "DecisionEngine", at: int) -> Events:
    """Judge all strategies as of a time: suspensions end."""
    before = {name: engine.strategies.state_of(name).status for name in engine.strategies.strategies}
    events: Events = []
    for state in engine.strategies.review(at):
        events += status_told(before[state.strategy_id], state)
    return events


def status_told(before: str, after: StrategyState) -> Events:
    """Return the event of a strategy whose status has changed."""
    if after.status == before:
        return []
    return [{"type": "strategy", "strategy_id": after.strategy_id, "before": before, "after": after.status,
             "reason": after.reason}]  # fmt: skip
