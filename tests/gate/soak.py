"""Thousands of orders through a gate, a router and a broker where everything goes wrong, and what is left of them."""

from collections import Counter
from contextlib import suppress
from random import Random

from rpmcore.adapters.in_memory_broker.broker import InMemoryBroker
from rpmcore.adapters.in_memory_broker.faults import Faults, FaultSettings
from rpmcore.adapters.in_memory_broker.venue import Venue
from rpmcore.decision.reconciliation import GateBook
from rpmcore.domain.broker import BrokerUnavailable, EventKind
from rpmcore.domain.controls import TradingState
from rpmcore.domain.decisions import RejectionException
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.orders import Signal
from rpmcore.gate import RiskGate
from rpmcore.order_router import OrderRouter
from tests.decision import worlds
from tests.decision.worlds import SECOND

EVERYTHING = FaultSettings(
    slippage_bps=2.0, partial=0.4, rejection=0.02, withdrawn=0.02, lost_acknowledgement=0.03, lost_submission=0.03,
    late_submission=0.03, later_still=0.7, lost_cancel=0.3, slow_cancel=0.5, repeated_events=0.2, shuffled_events=0.2,
    delayed_events=0.2, disconnect=0.004, outage=7,
)  # fmt: skip
SYMBOLS = {"EURUSD": 2_000.0, "XOM": 20.0, "CVX": 15.0, "SP500": 1.0}
"""All in dollars: the venue takes a fill at the rate of its moment, and the gate at that of its hearing."""

LOOSE = {
    "gate": {"max_messages": 1_000_000},
    "kill_switches": {
        "repeated_execution": {"max_executions": 100_000},
        "rejection_velocity": {"max_rejections": 10_000},
        "per_strategy": {"max_rejection_rate": 1.0},
    },
}
"""What would stop a random trader is let go: here halts come when they are ordered."""


class Killed(BaseException):
    """The process is gone: whatever it was about to do next was not done."""


class Soak:
    """A desk that trades at random, its operator, and a broker where everything goes wrong."""

    def __init__(self, gate, seed, faults=EVERYTHING, *, deadly=0.0):
        self.gate, self.engine, self.deadly = gate, gate.engine, deadly
        self.random = Random(seed)  # noqa: S311 - a desk that guesses
        self.faults = Faults(faults, seed)
        self.at = self.engine.last_at
        self.prices = {symbol: worlds.last(self.engine, symbol) for symbol in SYMBOLS}
        self.venue = Venue(cash=GateBook.of(self.engine).cash, positions=dict(self.engine.account.positions))
        self.count, self.outcomes, self.halted_at = 0, Counter(), 0
        self.unreachable = 0
        self.unexplained = []
        self.begin()

    def revive(self, reopen):
        """Go on after a kill, with the gate that its ledger leads to; that may be killed again."""
        while True:
            self.outcomes["kills"] += 1
            self.gate._store.close()  # as the system does for a process that is gone: no snapshot, no farewell
            self.gate = reopen()
            self.engine = self.gate.engine
            with suppress(Killed):
                self.begin()
                return

    def deadly_now(self, call):
        """Return a call before and after which the process may die."""

        def called(*given, **named):
            if self.deadly and self.random.random() < self.deadly:
                raise Killed
            found = call(*given, **named)
            if self.deadly and self.random.random() < self.deadly:
                raise Killed
            return found

        return called

    def begin(self):
        """Start a router as after a crash: the venue alone outlives it."""
        broker = InMemoryBroker(self.gate.release_verifier(), venue=self.venue, faults=self.faults, fee_bps=0.5)
        if self.deadly:
            for name in ("submit", "cancel", "cancel_all", "events"):
                setattr(broker, name, self.deadly_now(getattr(broker, name)))
            self.gate._commit = self.deadly_now(RiskGate._commit.__get__(self.gate))
        self.broker, self.router = broker, OrderRouter(self.gate, broker)
        self.outcomes["starts"] += 1
        while found := self.start():
            by_hand = [each.order_id for each in found if each.kind == "order_not_at_gate"]
            if not by_hand:
                self.outcomes["adopted"] += 1
                self.operate("adopt_broker", value=str(self.engine.reconciliation["sequence"]), scope="trend")
                break
            for order_id in by_hand:  # what was given up here and arrived there all the same is cancelled by telephone
                self.outcomes["by hand"] += 1
                self.venue.end(self.venue.orders[order_id], EventKind.CANCELLED, "by telephone", at=self.at)

    def start(self):
        """Start the router, and ask again while the line is down.

        What was filled differs only where the broker's book is ahead of its events; everything else is a fill that the
        router has lost or taken twice, which adopting the broker's view would heal unseen.
        """
        delayed = self.faults.drawn["delayed_events"]
        while True:
            with suppress(BrokerUnavailable):
                found = self.router.start(at=self.at)
                if self.faults.drawn["delayed_events"] == delayed:
                    self.unexplained += [each.text for each in found if not each.kind.startswith("order_not_at")]
                return found

    def operate(self, action, **fields):
        self.gate.operate(action, operator="A. Head", reason="the soak", at=self.at, **fields)

    def step(self):
        """Let a second pass."""
        self.at += SECOND
        for symbol, price in self.prices.items():
            self.prices[symbol] = price * (1.0 + self.random.gauss(0.0, 1e-4))
        self.gate.quotes(self.prices, at=self.at)
        for _ in range(self.random.randint(1, 9)):
            self.order()
        self.broker.trade(self.prices, at=self.at)
        self.pump()
        self.operator()

    def pump(self):
        done = self.router.pump(at=self.at)
        self.unreachable += not done.reachable
        return done

    def order(self):
        symbol = self.random.choice(list(SYMBOLS))
        strategy = self.random.choice(["trend", "carry"])
        held = self.engine.account.positions.get((strategy, symbol), 0)
        side = self.random.choices(["sell", "buy"], [2 + (held > 0), 2 + (held < 0)])[0]
        self.count += 1
        signal = Signal(
            signal_id=f"o{self.count}", strategy_id=strategy, symbol=symbol, side=side, entry=self.prices[symbol],
            at=self.at, quantity=SYMBOLS[symbol] * self.random.randint(1, 5),
        )  # fmt: skip
        try:
            sent = self.router.send(self.gate.approve_trade(signal, at=self.at), at=self.at)
        except RejectionException as error:
            self.outcomes["rejected" if error.decision else "not released"] += 1
            return
        self.outcomes[sent.outcome] += 1
        if self.random.random() < 0.05:
            self.router.cancel([signal.signal_id], reason="the strategy changed its mind", at=self.at)

    def operator(self):
        """Halt the account or a strategy now and then, and let trading begin again; restart everything now and then."""
        if self.engine.trading_state is TradingState.HALTED:
            self.outcomes["integrity"] += 1
            if "was over here" not in self.engine.integrity:  # what an operator gave up may still arrive
                self.unexplained.append(self.engine.integrity)
            self.reconcile()
        chance = self.random.random()
        if self.halted_at and self.at - self.halted_at > 20 * SECOND:
            for scope in ("account", "trend", "carry"):
                with suppress(InvalidArgument):
                    self.operate("reset", scope=scope, measure_anew=True)
            self.halted_at = 0
        elif not self.halted_at and chance < 0.01:
            self.halted_at = self.at
            self.outcomes["halts"] += 1
            self.operate("trip", value="halt", scope=self.random.choice(["account", "trend", "carry"]))
        elif chance > 0.96:
            self.begin()

    def reconcile(self):
        """Do what an operator does who finds trading HALTED: look, and take the broker's word."""
        self.begin()
        if self.engine.integrity:
            self.operate("clear_integrity")

    def settle(self):
        """Let everything come to its end, with nothing going wrong any more."""
        self.faults.settings = FaultSettings()
        for _ in range(200):
            self.at += SECOND
            self.broker.trade(self.prices, at=self.at)
            self.gate.tick(at=self.at)  # approvals that a kill left behind expire
            done = self.pump()
            if not any((done.unknown, done.cancelling, self.venue.under_way, *self.engine.account.orders)):
                return
        raise AssertionError(f"orders do not come to an end: {list(self.engine.account.sent)}")


def soak_genesis():
    return worlds.genesis(chosen=worlds.settings(**LOOSE))


def in_memory_gate():
    return RiskGate.in_memory(soak_genesis(), clock=lambda: 0)
