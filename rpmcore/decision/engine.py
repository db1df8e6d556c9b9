"""The decision engine: from a command to a decision and events, and nothing else. It reads no clock and no file.

`decide` reads and changes nothing; `apply` changes the state and tells what changed. The same commands give the same
decisions and events, to the byte, wherever they are run.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from rpmcore.controls.adaptive_risk import AdaptiveLimits, AdaptiveRiskManager
from rpmcore.controls.command_time import DAY
from rpmcore.controls.manager import AdvancedKillSwitchManager
from rpmcore.controls.strategy_intelligence import StrategyIntelligenceEngine
from rpmcore.decision import decide, history
from rpmcore.decision.account import Account
from rpmcore.decision.book import BookView
from rpmcore.decision.exposures import ExposureMap
from rpmcore.decision.genesis import Genesis
from rpmcore.decision.handlers import orders
from rpmcore.decision.handlers.common import controls, integrity_failed
from rpmcore.decision.handlers.table import HANDLERS, advance
from rpmcore.decision.market import Market
from rpmcore.decision.message_throttle import MessageThrottle
from rpmcore.decision.settings import DecisionSettings
from rpmcore.domain.commands import Command, SignalReceived
from rpmcore.domain.controls import ACCOUNT, Severity, TradingState
from rpmcore.domain.decisions import Decision
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.releases import Epoch, Fence
from rpmcore.risk.sizing.lots import LotRules

SCHEMA = "rpm.gate_state/2"

_PARTS = ("market", "account", "kill_switches", "adaptive", "strategies", "throttle")

Event = dict[str, Any]
"""Something that changed, in JSON's types; ``type`` says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a command led to: a decision where it was a signal, and what changed."""

    decision: Decision | None
    events: tuple[Event, ...]


class DecisionEngine:
    """Decides signals, and keeps what decisions depend on.

    Parameters
    ----------
    genesis
        What to start from.
    """

    def __init__(self, genesis: Genesis) -> None:
        self.genesis, self.settings = genesis, genesis.settings
        instruments = {symbol: profile.instrument for symbol, profile in genesis.profiles.items()}
        self.market = Market(
            instruments, genesis.ways, genesis.account, self.settings, self.settings.gate.minimum_history
        )
        self.market.start(genesis.days, genesis.closes, genesis.symbols)
        for symbol, price, at in genesis.last:
            self.market.quote({symbol: price}, at)
        self.lots = {symbol: LotRules.of(i.lot_step) for symbol, i in instruments.items()}
        self.exposure_map = ExposureMap(genesis.profiles, genesis.account)
        self.account = Account(genesis.equity, history.positions_of(genesis))
        self.kill_switches = AdvancedKillSwitchManager(
            self.settings.kill_switches, equity=genesis.equity, strategies=genesis.strategies
        )
        self.adaptive = AdaptiveRiskManager(self.settings.adaptive)
        self.strategies = StrategyIntelligenceEngine(self.settings.strategies)
        for name, capital in genesis.strategies.items():
            self.strategies.register(name, capital)
        self.throttle = MessageThrottle(self.settings.gate)
        self.sequence = 0
        self.last_at = genesis.at
        self.peak = genesis.equity
        self.integrity = ""
        self.halts: dict[str, int] = {}
        self.failures = 0
        self.reconciliation: dict[str, Any] | None = None
        self.settled: dict[str, int] = {}
        self._reconfigured: dict[str, Any] | None = None
        self._limits: tuple[int, AdaptiveLimits] | None = None
        self._view: BookView | None = None
        history.begin(self)

    # What is asked

    @property
    def trading_state(self) -> TradingState:
        """What is released: everything, reducing orders alone, or nothing."""
        return TradingState.HALTED if self.integrity else self.kill_switches.trading_state()

    def halts_of(self, strategy_id: str) -> int:
        """Return how often the account or this strategy was halted."""
        return self.halts.get("account", 0) + self.halts.get(strategy_id, 0)

    def epoch_of(self, strategy_id: str) -> Epoch:
        """Return how often everything that stops an order of this strategy has happened."""
        return Epoch(
            integrity=self.failures, account=self.halts.get(ACCOUNT, 0), strategy=self.halts.get(strategy_id, 0)
        )

    def fence(self) -> Fence:
        """Return what a broker must know so that nothing passes that was released before the last halt."""
        strategies = {scope: halts for scope, halts in self.halts.items() if scope != ACCOUNT}
        return Fence(integrity=self.failures, account=self.halts.get(ACCOUNT, 0), strategies=strategies)

    def severity(self, strategy_id: str) -> Severity:
        """Return the severity for a strategy; that of the account where it is not known."""
        known = strategy_id in self.kill_switches.per_strategy
        return self.kill_switches.severity(strategy_id if known else None)

    def stopped(self, strategy_id: str) -> bool:
        """Return whether a strategy itself is halted or disabled, whatever the account is.

        Such a strategy reduces what it holds itself. Against the account's net position alone it could sell what
        others hold, and go short while it is stopped.
        """
        if strategy_id not in self.kill_switches.per_strategy:
            return False
        if self.strategies.state_of(strategy_id).status == "disabled":
            return True
        own = self.kill_switches.severity(strategy_id)
        return own >= Severity.HALT and self.kill_switches.severities()[strategy_id] >= Severity.HALT

    def headroom(self, at: int) -> float:
        """Return by how much gross exposure may still grow, in account currency."""
        return self.kill_switches.exposure_velocity.headroom(at=at)

    def limits(self, at: int) -> AdaptiveLimits:
        """Return the limits in force at a time."""
        if self._limits is None or self._limits[0] != at // DAY:
            self._limits = (at // DAY, self.adaptive.get_current_risk_limits(at=max(at, self.last_at)))
        return self._limits[1]

    def view(self, at: int) -> BookView:
        """Return the book as checks measure it, with what is working at a time at its worst."""
        if self._view is None or not self._view.holds(at):
            self._view = BookView.of(self, at)
        return self._view

    def decide(self, command: SignalReceived) -> Decision:
        """Return the decision about a signal; nothing is changed by asking, so that it also answers what if."""
        return decide.decide(self, command)

    def not_released(self, order_id: str, quantity: float, at: int) -> str:
        """Return why an approved order may not be sent at a time; empty where it may."""
        return orders.not_released(self, self.account.orders.get(order_id), quantity, max(at, self.last_at))

    # What happens

    def handle(self, command: Command) -> Outcome:
        """Decide a command that is a signal, and apply it."""
        decision = self.decide(command) if isinstance(command, SignalReceived) else None
        return Outcome(decision=decision, events=self.apply(command, decision))

    def apply(self, command: Command, decision: Decision | None = None) -> tuple[Event, ...]:
        """Take a command, and a signal's decision, and return what changed.

        A time before that of the last command is taken for that one: what happened must not be lost because a clock
        was set back. A command that makes no sense changes nothing but the time, and is told as ``refused``.
        """
        at = max(command.at, self.last_at)
        events = advance(self, at, command)
        self.last_at = at
        self.sequence += 1
        try:
            events += HANDLERS[command.kind](self, command, decision, at)
        except InvalidArgument as error:
            events.append({"type": "refused", "kind": command.kind, "reason": str(error)})
        return tuple(events)

    def gross(self) -> float:
        """Return Σ |market value| of what is held, in account currency."""
        return sum(abs(value) for value in self._values())

    def earn(self, gain: float) -> None:
        """Take a gain, or a loss below zero, into equity and its peak; in account currency."""
        self.account.equity += gain
        self.peak = max(self.peak, self.account.equity)

    def net(self) -> float:
        """Return Σ market value of what is held, in account currency."""
        return sum(self._values())

    def snapshot(self, at: int, *, price_effect: float, correlation: str) -> list[Event]:
        """Show the kill switches the book; `price_effect` is what prices made of gross exposure since the last.

        A book that they cannot judge is one that nobody watches: nothing is released then.
        """
        values, equity = self._values(), self.account.equity
        try:
            found = self.kill_switches.record_snapshot(
                sum(map(abs, values)), abs(sum(values)) / equity if equity > 0.0 else 0.0, equity=equity,
                price_effect=price_effect, at=at, correlation_id=correlation,
            )  # fmt: skip
        except InvalidArgument as error:
            return integrity_failed(self, f"the kill switches cannot judge the book: {error}")
        return controls(self, found)

    def _values(self) -> list[float]:
        return [
            float(held) * (self.market.unit_value(symbol) or 0.0) for symbol, held in sorted(self.account.net.items())
        ]

    def changed(self) -> None:
        """Forget what was measured of the book: it is another now."""
        self._view = None

    def limits_changed(self) -> None:
        """Forget today's limits."""
        self._limits = None

    def reconfigure(self, settings: DecisionSettings, config_digest: str) -> None:
        """Go on under other settings, as if they had been read at a restart; who holds a part goes on holding it.

        Raises
        ------
        InvalidArgument
            If the state cannot go on under them; nothing is changed then.
        """
        told = {"settings": settings.model_dump(mode="json"), "config_digest": config_digest}
        restarted = self.from_state(self.genesis, {**self.state(), "reconfigured": told})
        for name in _PARTS:
            part = getattr(self, name)
            part.__dict__.update(getattr(restarted, name).__dict__)
            setattr(restarted, name, part)
        self.__dict__.update(restarted.__dict__)

    # What is kept

    def state(self) -> dict[str, Any]:
        """Return everything but the genesis in JSON's types, exactly."""
        return {
            "schema": SCHEMA, "sequence": self.sequence, "last_at": self.last_at, "peak": self.peak,
            "integrity": self.integrity, "halts": dict(sorted(self.halts.items())), "failures": self.failures,
            "reconciliation": self.reconciliation, "settled": dict(sorted(self.settled.items())),
            "market": self.market.state(),
            "account": self.account.state(), "kill_switches": self.kill_switches.state(),
            "adaptive": self.adaptive.state(), "strategies": self.strategies.state(),
            "throttle": self.throttle.state(),
            **({} if self._reconfigured is None else {"reconfigured": self._reconfigured}),
        }  # fmt: skip

    @classmethod
    def from_state(cls, genesis: Genesis, state: Mapping[str, Any]) -> Self:
        """Return the engine that gave this state, of the same genesis.

        Raises
        ------
        InvalidArgument
            If it is no such state.
        """
        if state.get("schema") != SCHEMA:
            raise InvalidArgument(f"this state is {state.get('schema')!r}, not {SCHEMA!r}: it cannot be restored")
        again = state.get("reconfigured")
        if again is not None:
            settings = DecisionSettings.model_validate(again["settings"], strict=False)
            genesis = replace(genesis, settings=settings, config_digest=again["config_digest"])
        engine = cls(genesis)
        engine._reconfigured = None if again is None else dict(again)
        engine.sequence, engine.last_at = state["sequence"], state["last_at"]
        engine.peak, engine.integrity = state["peak"], state["integrity"]
        engine.halts, engine.failures = dict(state["halts"]), state["failures"]
        engine.reconciliation, engine.settled = state["reconciliation"], dict(state["settled"])
        engine.market.restore(state["market"])
        engine.account = Account.from_state(state["account"])
        engine.kill_switches = AdvancedKillSwitchManager(engine.settings.kill_switches)
        for name, capital in genesis.strategies.items():
            engine.kill_switches.register_strategy(name, capital)
        engine.kill_switches.restore(state["kill_switches"])
        engine.adaptive = AdaptiveRiskManager(engine.settings.adaptive)
        engine.adaptive.restore(state["adaptive"])
        engine.strategies = StrategyIntelligenceEngine.from_state(dict(state["strategies"]), engine.settings.strategies)
        engine.throttle.restore(state["throttle"])
        engine._limits = engine._view = None
        return engine
