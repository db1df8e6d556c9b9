"""Run a stream of signals through the gate: day by day, with an in-memory broker and, if one is named, an operator."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from time import perf_counter_ns
from typing import Any

import numpy as np

from rpmcore.adapters.in_memory_broker import InMemoryBroker
from rpmcore.decision.open_trades import OPPOSITE, OpenTrade, OpenTrades
from rpmcore.decision.signal_fields import unit_loss
from rpmcore.domain.controls import Severity
from rpmcore.domain.decisions import Decision
from rpmcore.domain.orders import Signal
from rpmcore.domain.prices import PriceHistory
from rpmcore.gate import RiskGate, approved_trade
from rpmcore.gate_start import close_time
from rpmcore.risk.sizing.exact import exact

REVIEW_DAYS = 30
"""Days after which the simulated operator lets a strategy that was disabled for its health begin again."""

DAY = 86_400_000_000_000

Progress = Callable[[int, int], None]
"""Told how many days are done, and of how many."""


@dataclass(slots=True, kw_only=True)
class Month:
    """What happened in a month.

    Attributes
    ----------
    month
        Such as ``2020-03``.
    approved, cut, rejected
        Signals.
    requested_value, approved_value
        In account currency, of signals that open or add.
    multiplier
        The lowest that was left of the regime's base limits, and the regime then.
    halts
        Scopes that were halted.
    equity
        At the last close, in account currency.
    """

    month: str
    approved: int = 0
    cut: int = 0
    rejected: int = 0
    requested_value: float = 0.0
    approved_value: float = 0.0
    multiplier: float = 1.0
    regime: str = ""
    risk_per_trade: float = 1.0
    halts: int = 0
    equity: float = 0.0

    @property
    def signals(self) -> int:
        """All of them."""
        return self.approved + self.cut + self.rejected

    @property
    def passed_share(self) -> float | None:
        """Approved over requested value; None where nothing was requested."""
        return self.approved_value / self.requested_value if self.requested_value else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """A switch that halted a scope."""

    at: int
    switch: str
    scope: str
    severity: str
    reason: str


@dataclass(slots=True, kw_only=True)
class GateRun:
    """What a run came to.

    Attributes
    ----------
    first, last
        Days of the run.
    approved, cut, rejected
        Signals by verdict.
    reasons
        Rejections by reason.
    bindings
        Cuts by the check that made them.
    not_sent
        Reduce-only signals of strategies that held nothing to reduce.
    halts
        Switches that fired, in their order.
    resets
        By the simulated operator.
    disabled
        Strategies that were disabled for their health: (time, strategy, reason).
    trades, pnl
        Closed trades, and their P&L by strategy.
    nanoseconds
        That each decision took, without its record.
    months
        By month.
    """

    first: date
    last: date
    approved: int = 0
    cut: int = 0
    rejected: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    bindings: Counter[str] = field(default_factory=Counter)
    not_sent: int = 0
    halts: list[Halt] = field(default_factory=list)
    resets: int = 0
    disabled: list[tuple[int, str, str]] = field(default_factory=list)
    trades: int = 0
    pnl: Counter[str] = field(default_factory=Counter)
    nanoseconds: list[int] = field(default_factory=list)
    months: dict[str, Month] = field(default_factory=dict)
    equity_first: float = 0.0
    equity_last: float = 0.0
    max_drawdown: float = 0.0

    @property
    def signals(self) -> int:
        """All that were decided."""
        return self.approved + self.cut + self.rejected


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
        self.broker = InMemoryBroker(self.engine.genesis.spread_bps, default_spread_bps=spread_bps)
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
        self.month = Month(month="")

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
        name = f"{day:%Y-%m}"
        if name != self.month.month:
            self.month = self.result.months[name] = Month(month=name)
        self.session = day

    def _signal(self, signal: Signal) -> None:
        if signal.at > self.engine.last_at:
            self._told(self.gate.tick(at=signal.at))
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
            self.gate.release(approved, at=at)
            self.broker.submit(approved)

    def _count(self, decision: Decision) -> None:
        result, month = self.result, self.month
        setattr(result, decision.verdict, getattr(result, decision.verdict) + 1)
        setattr(month, decision.verdict, getattr(month, decision.verdict) + 1)
        if decision.reason is not None:
            result.reasons[decision.reason.value] += 1
        elif decision.verdict == "cut" and decision.binding is not None:
            result.bindings[decision.binding] += 1
        opening = (decision.requested or 0.0) - decision.reducing
        if opening > 0.0:
            unit = self.engine.market.unit_value(decision.signal.symbol) or 0.0
            month.requested_value += opening * unit
            month.approved_value += max(decision.approved - decision.reducing, 0.0) * unit

    def _close(self, day: date, row: int, at: int) -> None:
        closes = {
            symbol: price
            for column, symbol in self.known
            if np.isfinite(price := float(self.prices.closes[row, column]))
        }
        self._told(self.gate.price_bar(str(day), closes, at=at))
        for filled in self.broker.close(closes):
            order = filled.order
            self._told(
                self.gate.fill(
                    filled.fill_id, order.order_id, strategy_id=order.strategy_id, symbol=order.symbol,
                    side=order.side, quantity=filled.quantity, price=filled.price, at=at,
                )
            )  # fmt: skip
            for trade in self.open.fill(self._opened(order, filled.quantity, filled.price, at)):
                self.result.trades += 1
                self.result.pnl[trade.strategy_id] += trade.pnl
                self._told(self.gate.trade_closed(trade, at=at))
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
            signal_id=f"{trade.trade_id}/{what}/{self.session}", strategy_id=trade.strategy_id, symbol=trade.symbol,
            side=OPPOSITE[trade.side], entry=close, at=at, correlation_id=trade.trade_id,
        )  # fmt: skip
        left = min(trade.quantity, self._still_held(signal))
        if left > 0:
            self._decide(replace(signal, quantity=float(left)), at)

    def _note_day(self, at: int) -> None:
        engine, month, result = self.engine, self.month, self.result
        limits = engine.limits(at)
        if not month.regime or limits.risk_per_trade < month.risk_per_trade:
            month.multiplier, month.regime = limits.multiplier, limits.regime
            month.risk_per_trade = limits.risk_per_trade
        month.equity = engine.account.equity
        result.max_drawdown = max(result.max_drawdown, 1.0 - month.equity / engine.peak)

    def _told(self, events: Iterable[Mapping[str, Any]]) -> None:
        for event in events:
            if event["type"] == "control" and _halts(event):
                self.month.halts += 1
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
                self.gate.operate(
                    "enable_strategy", operator=self.operator, reason=f"reviewed after {REVIEW_DAYS} days", scope=name,
                    at=at,
                )  # fmt: skip

    def _reset(self, scope: str, at: int) -> None:
        assert self.operator is not None  # noqa: S101 - asked by those who know that there is one
        self.gate.operate(
            "reset", operator=self.operator, reason="simulated review at the next session", scope=scope,
            measure_anew=True, at=at,
        )  # fmt: skip
        self.result.resets += 1


def _halts(event: Mapping[str, Any]) -> bool:
    before, after = Severity(event["before"]), Severity(event["after"])
    return before < Severity.HALT <= after
