"""Run a stream of signals through the gate: day by day, with an in-memory broker and, if one is named, an operator."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from time import perf_counter_ns
from typing import Any

import numpy as np

from rpmcore.adapters.in_memory_broker.broker import InMemoryBroker
from rpmcore.controls.command_time import close_time
from rpmcore.decision.open_trades import OPPOSITE, OpenTrade, OpenTrades
from rpmcore.decision.signal_fields import unit_loss
from rpmcore.domain.commands import Command, OperatorAction
from rpmcore.domain.controls import Severity
from rpmcore.domain.decisions import Decision, RejectionException
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.orders import Signal
from rpmcore.domain.prices import PriceHistory
from rpmcore.gate import RiskGate, approved_trade
from rpmcore.gate_run_report import GateRun, Halt, RunDay
from rpmcore.risk.sizing.exact import exact

REVIEW_DAYS = 30
"""Days after which the simulated operator lets a strategy that was disabled for its health begin again."""

DAY = 86_400_000_000_000

Progress = Callable[[int, int], None]
"""Told how many days are done, and of how many."""


def run_signals(
    gate: RiskGate,
    signals: Iterable[Signal],
    prices: PriceHistory,
    *,
    operator: str | None = None,
    spread_bps: float = 2.0,
    progress: Progress | None = None,
) -> GateRun:
    """Decide a stream of signals on the days after the gate's last close.

    A signal at t is decided with the bars before t; what is approved is released at once and filled at the next close
    of its symbol, half the spread away. Stops and targets are seen on closes, and close the trade at the next.

    Parameters
    ----------
    gate
        At its beginning.
    signals
        By time; those before the gate's beginning are passed over.
    prices
        Daily closes.
    operator
        In whose name each halt is reset at the next session, measuring anew, and each strategy that was disabled for
        its health is let begin again after `REVIEW_DAYS`. None for nobody: then a halt stays.
    spread_bps
        Full spread of instruments of which the book tells none.
    progress
        Told after each day.
    """
    return _Run(gate, prices, operator, spread_bps).over(signals, progress)


class _Run:
    """A run on its way."""

    def __init__(self, gate: RiskGate, prices: PriceHistory, operator: str | None, spread_bps: float) -> None:
        self.gate, self.engine, self.operator = gate, gate.engine, operator
        self.broker = InMemoryBroker(
            gate.release_verifier(), spread_bps=self.engine.genesis.spread_bps, default_spread_bps=spread_bps
        )
        self.open = OpenTrades(self.engine.market.instruments)
        self.prices = prices
        self.known = [
            (column, symbol) for column, symbol in enumerate(prices.symbols) if symbol in self.engine.market.symbols
        ]
        started = self.engine.last_at
        rows = [row for row, day in enumerate(prices.dates) if close_time(day.item()) > started]
        self.rows = rows
        days = [prices.dates[row].item() for row in rows] or [prices.dates[-1].item()]
        self.result = GateRun(first=days[0], last=days[-1], equity_first=self.engine.account.equity)
        self.day = RunDay(day=days[0])
        self.given_up: set[str] = set()
        gate.subscribe(self._told)

    def over(self, signals: Iterable[Signal], progress: Progress | None) -> GateRun:
        waiting = [signal for signal in signals if signal.at > self.engine.last_at]
        position = 0
        for done, row in enumerate(self.rows, start=1):
            day: date = self.prices.dates[row].item()
            at = close_time(day)
            self._begin(day)
            while position < len(waiting) and waiting[position].at <= at:
                self._signal(waiting[position])
                position += 1
            self._close(day, row, at)
            if progress is not None:
                progress(done, len(self.rows))
        self.result.equity_last = self.engine.account.equity
        return self.result

    def _begin(self, day: date) -> None:
        self.day = RunDay(day=day)
        self.result.days.append(self.day)

    def _signal(self, signal: Signal) -> None:
        if signal.at > self.engine.last_at:
            self.gate.tick(at=signal.at)
            self._review(signal.at)
        if signal.reduce_only:
            held = self._still_held(signal)
            if held <= 0:
                self.result.not_sent += 1
                return
            # Reduce-only is meant of the strategy's own position; the gate counts the account's, which others share.
            wanted = held if signal.quantity is None else min(exact(signal.quantity), held)
            signal = replace(signal, quantity=float(wanted), risk=None, reduce_only=False)
        self._decide(signal, signal.at)

    def _still_held(self, signal: Signal) -> Decimal:
        """Return what a strategy holds against a signal's side, less what is on its way out already."""
        held = self.open.held(signal.strategy_id, signal.symbol)
        leaving = sum(
            (
                exact(order.quantity)
                for order in self.broker.working
                if (order.strategy_id, order.symbol, order.side) == (signal.strategy_id, signal.symbol, signal.side)
            ),
            Decimal(0),
        )
        return (-held if signal.side == "buy" else held) - leaving

    def _decide(self, signal: Signal, at: int) -> None:
        start = perf_counter_ns()
        decision = self.gate.decide(signal, at=at)
        self.result.nanoseconds.append(perf_counter_ns() - start)
        self._count(decision)
        if decision.approved:
            approved = approved_trade(decision)
            try:
                released = self.gate.release(approved, at=at)
            except RejectionException:
                # The approval itself tripped a switch, such as that on the share of rejections.
                self.result.not_released += 1
            else:
                self.broker.submit(released, at=at)

    def _count(self, decision: Decision) -> None:
        result, day = self.result, self.day
        setattr(day, decision.verdict, getattr(day, decision.verdict) + 1)
        if decision.reason is not None:
            result.reasons[decision.reason.value] += 1
        elif decision.verdict == "cut" and decision.binding is not None:
            result.bindings[decision.binding] += 1
        opening = (decision.requested or 0.0) - decision.reducing
        if opening > 0.0:
            unit = self.engine.market.unit_value(decision.signal.symbol) or 0.0
            day.requested_value += opening * unit
            day.approved_value += max(decision.approved - decision.reducing, 0.0) * unit

    def _close(self, day: date, row: int, at: int) -> None:
        closes = {
            symbol: price
            for column, symbol in self.known
            if np.isfinite(price := float(self.prices.closes[row, column]))
        }
        self.gate.price_bar(str(day), closes, at=at)
        for filled in self.broker.trade(closes, at=at):
            quantity = float(filled.quantity)
            self.gate.fill(
                filled.execution_id, filled.order_id, strategy_id=filled.strategy_id, symbol=filled.symbol,
                side=filled.side, quantity=quantity, price=filled.price, at=at,
            )  # fmt: skip
            order = self.broker.venue.orders[filled.order_id].release
            for trade in self.open.fill(self._opened(order, quantity, filled.price, at)):
                self.result.trades += 1
                self.result.pnl[trade.strategy_id] = self.result.pnl.get(trade.strategy_id, 0.0) + trade.pnl
                self.gate.trade_closed(trade, at=at)
        for due, what in list(self.open.due(closes)):
            self._leave(due, what, closes[due.symbol], at)
        self._note_day(at)

    def _opened(self, order: Any, quantity: float, price: float, at: int) -> OpenTrade:
        found = self.engine.market.rate(order.symbol)
        rate = 1.0 if found is None else found[0]
        instrument = self.engine.market.instruments[order.symbol]
        signal = Signal(
            signal_id=order.order_id, strategy_id=order.strategy_id, symbol=order.symbol, side=order.side, entry=price,
            at=at, stop=order.stop,
        )  # fmt: skip
        return OpenTrade(
            trade_id=order.order_id, strategy_id=order.strategy_id, symbol=order.symbol, side=order.side, opened_at=at,
            quantity=exact(quantity), entry=price, rate=rate, stop=order.stop, target=order.target,
            risk=unit_loss(instrument, self.engine.genesis.account, signal, rate),
        )  # fmt: skip

    def _leave(self, trade: OpenTrade, what: str, close: float, at: int) -> None:
        """Ask to close a trade, unless what does so is on its way already."""
        signal = Signal(
            signal_id=f"{trade.trade_id}/{what}/{self.day.day}", strategy_id=trade.strategy_id, symbol=trade.symbol,
            side=OPPOSITE[trade.side], entry=close, at=at, correlation_id=trade.trade_id,
        )  # fmt: skip
        left = min(trade.quantity, self._still_held(signal))
        if left > 0:
            self._decide(replace(signal, quantity=float(left)), at)

    def _note_day(self, at: int) -> None:
        engine, day = self.engine, self.day
        limits = engine.limits(at)
        day.multiplier, day.regime, day.risk_per_trade = limits.multiplier, limits.regime, limits.risk_per_trade
        day.equity = engine.account.equity
        self.result.max_drawdown = max(self.result.max_drawdown, 1.0 - day.equity / engine.peak)

    def _told(self, _command: Command, _decision: Decision | None, events: tuple[Mapping[str, Any], ...]) -> None:
        for event in events:
            if event["type"] == "control" and _halts(event):
                self.day.halts += 1
                self.result.halts.append(
                    Halt(at=event["at"], switch=event["switch"], scope=event["scope"], severity=event["after"],
                         reason=event["reason"])
                )  # fmt: skip
            elif event["type"] == "strategy" and event["after"] == "disabled":
                self.result.disabled.append((self.engine.last_at, event["strategy_id"], event["reason"]))

    def _review(self, at: int) -> None:
        """Reset what was halted before this session, and let strategies begin again, in the operator's name."""
        if self.operator is None:
            return
        switches = self.engine.kill_switches
        for scope in ("account", *switches.per_strategy):
            if switches.severity(None if scope == "account" else scope) >= Severity.HALT:
                self._reset(scope, at)
        for name in self.engine.strategies.strategies:
            state = self.engine.strategies.state_of(name)
            if state.status == "disabled" and at - (state.since or 0) >= REVIEW_DAYS * DAY:
                self._operate("enable_strategy", name, f"reviewed after {REVIEW_DAYS} days", at)

    def _reset(self, scope: str, at: int) -> None:
        if self._operate("reset", scope, "simulated review at the next session", at):
            self.result.resets += 1

    def _operate(self, action: OperatorAction, scope: str, reason: str, at: int) -> bool:
        """Say so in the operator's name, and return whether it was done; who has lost all capital is asked once."""
        assert self.operator is not None  # noqa: S101 - asked by those who know that there is one
        if scope in self.given_up:
            return False
        try:
            self.gate.operate(
                action, operator=self.operator, reason=reason, scope=scope, measure_anew=action == "reset", at=at
            )
        except InvalidArgument as error:
            self.given_up.add(scope)
            self.result.not_reset.append((at, scope, str(error)))
            return False
        return True


def _halts(event: Mapping[str, Any]) -> bool:
    before, after = Severity(event["before"]), Severity(event["after"])
    return before < Severity.HALT <= after
