"""A gate as the risk system of a stress test: each close passes it, and every trade of the path is its decision.

A day has three parts. The gate takes the close. The desk brings the book down to what the gate allows now, by orders
that only reduce. If nothing had to be reduced, it asks to bring back what was taken away, as much of it as fits; the
gate decides each order, and what it approves is released and filled at the close.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Protocol

import numpy as np

from rpmcore.controls.command_time import SECOND, close_time, day_of
from rpmcore.decision.engine import DecisionEngine, Event
from rpmcore.decision.genesis import Genesis
from rpmcore.domain.arrays import Vector
from rpmcore.domain.commands import Command, EquityMark, Fill, PriceBar, Release, SignalReceived
from rpmcore.domain.controls import Severity
from rpmcore.domain.decisions import Decision
from rpmcore.domain.orders import Signal
from rpmcore.gate_path_start import PathGround, grown
from rpmcore.gate_path_steering import Bound, beyond, bounds, share_back
from rpmcore.risk.sizing.exact import exact
from rpmcore.risk.stress.system import Action, Decisions, Marks, RunningSystem, Start

"""Between two orders of a day: a strategy that sent them all at once would be throttled for it."""

ROUNDING = 1e-9
"""Smaller changes, as fractions of capital, are rounding."""


WORTHWHILE = 1e-4
"""Less than a basis point of equity, over the whole book, is not worth an order that adds."""


class Gate(Protocol):
    """What a path needs of `rpmcore.gate.RiskGate`."""

    @property
    def engine(self) -> DecisionEngine:
        """What decides."""

    def decide(self, signal: Signal, *, at: int | None = None) -> Decision:
        """Decide an order."""

    def handle(self, command: Command) -> tuple[Event, ...]:
        """Take what happens."""

    def subscribe(self, listener: Callable[[Command, Decision | None, tuple[Event, ...]], None]) -> None:
        """Tell somebody what is recorded."""


class PathGates:
    """Starts a gate of its own for each path, in memory.

    Parameters
    ----------
    ground
        What the gates begin with.
    opened
        Makes a gate of an engine.
    """

    def __init__(self, ground: PathGround, opened: Callable[[DecisionEngine], Gate]) -> None:
        self._ground, self._opened = ground, opened
        self._made: tuple[tuple[Any, ...], Genesis] | None = None

    def start(self, start: Start) -> RunningSystem:
        """Return a gate at the beginning of a path.

        Raises
        ------
        InvalidArgument, InputError, InsufficientData
            See `PathGround.genesis`.
        """
        key = start.symbols, start.capital, start.market_values.tobytes()
        if self._made is None or self._made[0] != key:
            self._made = key, self._ground.genesis(start)
        # Anew for each path, in a tenth of a second: a state restored costs as much, since the past is shown again.
        engine = DecisionEngine(self._made[1])
        _warm(engine)
        return _GateOnPath(self._opened(engine), self._ground.holders, start)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What became of an order: how much was filled, and what the gate said of it."""

    decision: Decision
    filled: float
    refused: str = ""


class _GateOnPath:
    """A gate in the middle of a path."""

    def __init__(self, gate: Gate, holders: Mapping[str, str], start: Start) -> None:
        self.gate, self.engine, self.symbols = gate, gate.engine, start.symbols
        self.holders = {
            symbol: holders.get(symbol, next(iter(self.engine.genesis.strategies))) for symbol in start.symbols
        }
        self.capital = start.capital
        self.prices = np.array([price for _, price, _ in self.engine.genesis.last])
        self.day: date = day_of(self.engine.genesis.at)
        self.at = self.engine.genesis.at
        self.number = 0
        self.standing: dict[tuple[str, str, float], Mapping[str, Any]] = {}
        self.told: list[Action] = []
        at_first = bounds(self.engine, self.at, start.market_values / start.capital)
        self.before = {bound.control for bound in beyond(at_first)}
        gate.subscribe(self._listen)

    # The protocol of a risk system

    def decide(self, marks: Marks, proposed: Vector) -> Decisions:
        self.number, self.told = marks.day, []
        self._close(marks)
        held = marks.market_values
        if self.engine.kill_switches.severity() >= Severity.LIQUIDATE or marks.equity <= 0.0:
            return self._reduced(held, 0.0, self._switch() or Action(control="no_equity", reason="no equity is left"))
        weights = held / marks.equity
        broken = beyond(bounds(self.engine, self.at, weights))
        if broken:
            return self._reduced(held, broken[0].goal / broken[0].observed, self._scaled(broken))
        if np.abs(proposed).sum() <= WORTHWHILE * marks.equity:
            return Decisions(trades=np.zeros_like(held), actions=tuple(self.told))
        return self._brought_back(weights, proposed, marks.equity)

    # A close

    def _close(self, marks: Marks) -> None:
        """Let the gate know what the path holds, and give it the close."""
        before, growth = self.prices, grown(marks.returns[-1])
        self.prices = before * growth
        quantities = marks.market_values / self.prices
        self._settle(quantities)
        # Costs of the last trades belong to the evening on which they were made, so that after this close the gate's
        # equity is that of the path.
        gain = float(np.sum(quantities * (self.prices - before)))
        self.gate.handle(EquityMark(at=self.at, equity=marks.equity - gain))
        self.day = _next_weekday(self.day)
        self.at = close_time(self.day)
        closes = dict(zip(self.symbols, self.prices.tolist(), strict=True))
        self.gate.handle(PriceBar(at=self.at, command_id=str(self.day), day=str(self.day), closes=closes))

    def _settle(self, quantities: Vector) -> None:
        """Take over what the path holds where it is not what the gate counted.

        An order that the day's volume did not fill, and a pair whose value moves otherwise than its return: corrections
        of the books, which nobody ordered and which are no growth of exposure.
        """
        engine, gross = self.engine, self.engine.gross()
        for symbol, quantity in zip(self.symbols, quantities.tolist(), strict=True):
            change = exact(quantity) - engine.account.held(symbol)
            if change:
                engine.account.fill(self.holders[symbol], symbol, change)
        engine.changed()
        effect = engine.gross() - gross
        self._hear(engine.snapshot(self.at, price_effect=effect, correlation=f"settled {self.day}"))

    # What is traded

    def _reduced(self, held: Vector, factor: float, action: Action) -> Decisions:
        """Scale the book down by orders that only reduce, which no limit and no switch stops."""
        trades = np.zeros_like(held)
        for i, symbol in enumerate(self.symbols):
            quantity = float(self.engine.account.held(symbol))
            if quantity:
                side = "sell" if quantity > 0.0 else "buy"
                answer = self._send(symbol, side, (1.0 - factor) * abs(quantity), reduce_only=True)
                trades[i] = self._value(i, answer.filled, float(held[i]), side)
        return Decisions(trades=trades, actions=(*self.told, action))

    def _brought_back(self, weights: Vector, wanted: Vector, equity: float) -> Decisions:
        share, binding = share_back(self.engine, self.at, weights, wanted / equity)
        if binding is not None and share * np.abs(wanted).sum() <= WORTHWHILE * equity:
            return Decisions(trades=np.zeros_like(wanted), actions=(*self.told, _part(0.0, binding)))
        held, trades = weights * equity, np.zeros_like(wanted)
        answers: list[tuple[float, _Answer]] = []
        for i in self._in_order(weights, wanted):
            asked = share * float(wanted[i])
            if abs(asked) <= ROUNDING * self.capital:
                continue
            side = "buy" if asked > 0.0 else "sell"
            answer = self._send(self.symbols[i], side, abs(asked) / float(self.prices[i]))
            trades[i] = self._value(i, answer.filled, float(held[i]), side)
            missing = abs(asked) - abs(float(trades[i]))
            if missing > 1e-6 * abs(asked):
                answers.append((missing, answer))
        actions = self._held_back(answers)
        if binding is not None:
            actions.append(_part(share, binding))
        return Decisions(trades=trades, actions=(*self.told, *actions))

    def _in_order(self, weights: Vector, wanted: Vector) -> Sequence[int]:
        """Return the assets in the order of their orders: first what takes risk off the book, to make room."""
        model = self.engine.market.model
        if model is None or len(model.index) != len(self.symbols):
            return range(len(wanted))
        slopes = np.array([float(np.sum(row * weights)) for row in model.covariance])
        found: list[int] = np.argsort(slopes * wanted, kind="stable").tolist()
        return found

    def _send(self, symbol: str, side: Any, quantity: float, *, reduce_only: bool = False) -> _Answer:
        """Have an order decided; what is approved is released and filled at the close."""
        self.at += SECOND
        at, i = self.at, self.symbols.index(symbol)
        order = f"{self.day}/{symbol}/{'reduce' if reduce_only else 'back'}"
        price, strategy = float(self.prices[i]), self.holders[symbol]
        signal = Signal(
            signal_id=order, strategy_id=strategy, symbol=symbol, side=side, entry=price, at=at, quantity=quantity,
            reduce_only=reduce_only,
        )  # fmt: skip
        decision = self.gate.decide(signal, at=at)
        if not decision.approved:
            return _Answer(decision=decision, filled=0.0)
        for event in self.gate.handle(Release(at=at, correlation_id=order, order_id=order, quantity=decision.approved)):
            if event["type"] == "release_refused":
                return _Answer(decision=decision, filled=0.0, refused=event["reason"])
        self.gate.handle(
            Fill(
                at=at, command_id=order, correlation_id=order, order_id=order, strategy_id=strategy, symbol=symbol,
                side=side, quantity=decision.approved, price=price,
            )
        )  # fmt: skip
        return _Answer(decision=decision, filled=decision.approved)

    def _value(self, i: int, filled: float, held: float, side: str) -> float:
        """Return the change of market value by a fill; one that closes a position leaves nothing."""
        value = (1.0 if side == "buy" else -1.0) * filled * float(self.prices[i])
        return -held if value and abs(held + value) <= ROUNDING * self.capital else value

    # What is told

    def _scaled(self, broken: list[Bound]) -> Action:
        """Return what scales the book down, the tightest of the bounds that are broken."""
        bound, others = broken[0], ", ".join(b.name for b in broken[1:])
        told = f"{_percent(bound.observed)} exceeds {_percent(bound.trigger)} ({bound.why}): "
        told += f"scaled to {_percent(bound.goal)}" + (f"; also exceeded: {others}" if others else "")
        if self.number == 1 and bound.control in self.before:
            told += "; exceeded before the crisis, too"
        return Action(control=bound.control, reason=told)

    def _listen(self, _command: Command, _decision: Decision | None, events: tuple[Event, ...]) -> None:
        self._hear(events)

    def _hear(self, events: Sequence[Event]) -> None:
        for event in events:
            if event["type"] != "control":
                continue
            key = event["switch"], event["scope"], event["threshold"] or 0.0
            before, after = Severity(event["before"]), Severity(event["after"])
            if after >= Severity.THROTTLE:
                self.standing[key] = {**event, "day": self.number}
            else:
                self.standing.pop(key, None)
            if before < after and after >= Severity.HALT:
                told = f"{after.value} of {event['scope']}, {event['reason']}"
                self.told.append(Action(control=f"kill_switch:{event['switch']}", reason=told))

    def _switch(self) -> Action | None:
        """Return the worst of the switches that stand, the first of them that stood."""
        if not self.standing:
            return None
        worst = max(self.standing.values(), key=lambda event: Severity(event["after"]).rank)
        told = f"{worst['after']} of {worst['scope']} since day {worst['day']}, {worst['reason']}"
        return Action(control=f"kill_switch:{worst['switch']}", reason=told)

    def _held_back(self, answers: list[tuple[float, _Answer]]) -> list[Action]:
        """Return what cut or rejected orders, what held back most first."""
        groups: dict[str, list[tuple[float, _Answer]]] = {}
        for missing, answer in answers:
            decision = answer.decision
            name = "release" if answer.refused else decision.reason.value if decision.reason else decision.binding
            groups.setdefault(name or "", []).append((missing, answer))
        found = []
        for name, members in sorted(groups.items(), key=lambda group: -sum(missing for missing, _ in group[1])):
            largest = max(members, key=lambda member: member[0])[1]
            switch = self._switch() if name == "kill_switch" else None
            what = f"{len(members)} order(s) held back, {sum(m for m, _ in members) / self.capital:.2%} of capital"
            why = (
                switch.reason
                if switch
                else largest.refused or f"{largest.decision.signal.symbol} {largest.decision.text}"
            )
            found.append(Action(control=switch.control if switch else name, reason=f"{what}: {why}"))
        return found


def _part(share: float, binding: Bound) -> Action:
    part = f"{_percent(share)} of what was taken is" if share > 0.0 else "nothing of what was taken is"
    why = f"it may come to {_percent(binding.goal)} ({binding.why})"
    return Action(control=binding.control, reason=f"{part} brought back: {why}")


def _percent(number: float) -> str:
    return f"{number:.1%}" if abs(number) >= 0.1 else f"{number:.2%}"


def _next_weekday(day: date) -> date:
    found = day + timedelta(days=1)
    while found.weekday() > 4:
        found += timedelta(days=1)
    return found


def _warm(engine: DecisionEngine) -> None:
    """Decide once, so that no first day waits for kernels to load."""
    symbol, price, at = engine.genesis.last[0]
    strategy = next(iter(engine.genesis.strategies))
    signal = Signal(signal_id="warm", strategy_id=strategy, symbol=symbol, side="buy", entry=price, at=at, quantity=1.0)
    engine.decide(SignalReceived(at=at, command_id="warm", correlation_id="warm", signal=signal))
