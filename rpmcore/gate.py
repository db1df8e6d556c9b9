"""The gate: every order passes it, is recorded before it is answered, and can be decided again to the byte."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import ValidationError

from rpmcore.adapters.configuration.loading import Settings
from rpmcore.adapters.control_folder import ControlFolder, ControlRequest
from rpmcore.adapters.ledger.errors import LedgerFailed
from rpmcore.adapters.ledger.halt import clear_halt
from rpmcore.adapters.ledger.ledger import Ledger
from rpmcore.adapters.ledger.records import Head, NewRecord, Record
from rpmcore.adapters.ledger.verification import Progress
from rpmcore.adapters.telemetry.correlation import CorrelationContext
from rpmcore.controls.command_time import SECOND, Clock, time_of
from rpmcore.decision.engine import DecisionEngine, Event
from rpmcore.decision.genesis import Genesis
from rpmcore.decision.reconciliation import BookDifference
from rpmcore.decision.settings import DecisionSettings
from rpmcore.domain.broker import BrokerBook
from rpmcore.domain.canonical import canonical_bytes, parse
from rpmcore.domain.commands import (
    Command,
    Fill,
    IntegrityFailed,
    OperatorAction,
    OperatorOrder,
    OrderClosed,
    PriceBar,
    Quotes,
    Reconciled,
    Reconfigured,
    Release,
    SignalReceived,
    Tick,
    TradeClosed,
)
from rpmcore.domain.controls import TradingState
from rpmcore.domain.decisions import Decision, RejectionException, decision_of_plain
from rpmcore.domain.errors import InputError, InvalidArgument, Unavailable
from rpmcore.domain.orders import ApprovedTrade, OrderState, Signal
from rpmcore.domain.releases import ReleasedTrade, ReleaseVerifier
from rpmcore.domain.signing_key import SigningKey
from rpmcore.domain.trades import ClosedTrade
from rpmcore.gate_path import PathGates
from rpmcore.gate_path_start import PathGround
from rpmcore.gate_signatures import approval_bytes, approved_trade, release_keys, released_trade
from rpmcore.gate_store import MemoryStore, Store, events_of, key_of, new_records, restored, same_command
from rpmcore.risk.stress.system import RunningSystem, Start

SNAPSHOT_AFTER = 1000
"""Commands between two snapshots; they are taken with a bar or tick, never while somebody waits for an answer."""

_AT_ONCE = (OperatorOrder, Reconfigured, IntegrityFailed, Reconciled)
"""What is never kept for the end of `RiskGate.together`."""

Listener = Callable[[Command, Decision | None, tuple[Event, ...]], None]
"""Is told what was recorded, after it was; what it raises changes nothing."""

Mourner = Callable[[str], None]
"""Is told why the gate has failed: nothing more will be recorded, so that no listener hears of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """Nanoseconds that the last command took, from the question on, and its record alone. No decision sees them."""

    all: int = 0
    record: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """A command that was applied and is not recorded yet; `asked` is when, by the timer of `Took`."""

    command: Command
    decision: Decision | None
    events: tuple[Event, ...]
    records: list[NewRecord]
    asked: int


class GateHalted(Unavailable):
    """The gate has failed and answers nothing more: restart it, and reconcile."""


class RiskGate:
    """Decides signals, one after the other. Made by `create`, `open` or `in_memory`; safe to share between threads.

    Parameters
    ----------
    engine
        What decides.
    store
        Where everything is recorded before it is answered.
    key
        Signs approvals; without it they carry no signature.
    control
        Where operators leave their requests.
    clock
        Tells when a command arrives that names no time.
    timer
        Nanoseconds that never run backwards, to hold decisions against their deadline; None for no deadline, where time
        is simulated.
    """

    def __init__(
        self,
        engine: DecisionEngine,
        store: Store,
        *,
        key: SigningKey | None = None,
        control: ControlFolder | None = None,
        clock: Clock = time.time_ns,
        timer: Clock | None = time.perf_counter_ns,
    ) -> None:
        self._engine, self._store, self._control = engine, store, control
        self._sign = None if key is None else key.for_("approval")
        self.ledger_id, self._release_key = release_keys(store, key)
        self._clock, self._timer = clock, timer
        self._failed, self._closed = "", False
        self._snapshot_at = engine.sequence
        self._listeners: list[Listener] = []
        self._mourners: list[Mourner] = []
        self.listener_failures = 0
        self._paths: tuple[int, PathGates] | None = None
        self.took = Took()
        self._lock = threading.RLock()
        self._together, self._done, self._kept = False, list[_Done](), dict[str, NewRecord]()

    # Where it comes from

    @classmethod
    def in_memory(cls, genesis: Genesis, *, clock: Clock = time.time_ns, timer: Clock | None = None) -> Self:
        """Return a gate that keeps its records for as long as the process lives."""
        return cls(DecisionEngine(genesis), MemoryStore(canonical_bytes(genesis.to_plain())), clock=clock, timer=timer)

    @classmethod
    def of_engine(cls, engine: DecisionEngine) -> Self:
        """Return a gate like `in_memory`, of an engine that was made before."""
        return cls(engine, MemoryStore(canonical_bytes(engine.genesis.to_plain())), timer=None)

    @classmethod
    def create(
        cls,
        path: str | Path,
        genesis: Genesis,
        key: SigningKey,
        *,
        clock: Clock = time.time_ns,
        timer: Clock | None = time.perf_counter_ns,
    ) -> Self:
        """Return a gate on a new ledger.

        Raises
        ------
        LedgerError
            If there is a ledger already, or none can be written.
        """
        engine = DecisionEngine(genesis)
        ledger = Ledger.create(path, key, canonical_bytes(genesis.to_plain()))
        return cls._on(ledger, engine, key, clock, timer)

    @classmethod
    def open(
        cls,
        path: str | Path,
        key: SigningKey,
        *,
        clock: Clock = time.time_ns,
        timer: Clock | None = time.perf_counter_ns,
        progress: Progress | None = None,
    ) -> Self:
        """Return the gate of a ledger as it was left: the latest snapshot, and every command since, run again.

        Raises
        ------
        LedgerError
            If it is locked, damaged or cannot be used; names who holds it or what is wrong.
        LedgerDamaged
            Also if a command since the snapshot no longer leads to what is recorded.
        """
        ledger = Ledger.open(path, key, progress=progress)
        try:
            return cls._on(ledger, restored(ledger), key, clock, timer)
        except BaseException:
            ledger.close()
            raise

    @classmethod
    def _on(cls, ledger: Ledger, engine: DecisionEngine, key: SigningKey, clock: Clock, timer: Clock | None) -> Self:
        try:
            gate = cls(engine, ledger, key=key, control=ControlFolder(ledger.path), clock=clock, timer=timer)
            gate._warm()
            if ledger.halted is not None and not engine.integrity:
                gate.handle(IntegrityFailed(at=gate._now(), reason=f"the ledger halted: {ledger.halted}"))
        except BaseException:
            ledger.close()
            raise
        return gate

    def close(self) -> None:
        """Take a snapshot, and give back the ledger; a gate that is closed answers nothing more."""
        with self._lock:
            if self._closed:
                return
            try:
                if not self._failed and self._engine.sequence > self._snapshot_at:
                    self._take_snapshot()
            finally:
                self._closed, self._failed = True, self._failed or "it was closed"
                self._store.close()

    def snapshot(self) -> None:
        """Take a snapshot where anything has happened since the last: a restart then runs nothing before it again.

        Raises
        ------
        GateHalted
            If the gate has failed, or fails now.
        """
        with self._lock:
            self._alive()
            if self._engine.sequence > self._snapshot_at:
                try:
                    self._take_snapshot()
                except Exception as error:
                    raise self._dead(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def subscribe(self, listener: Listener, *, failed: Mourner | None = None) -> None:
        """Tell somebody of everything that is recorded from now on; `listener_failures` counts what they raised.

        Parameters
        ----------
        listener
            Called after each record, by whoever waits for the answer: it must be quick.
        failed
            Called once, when the gate fails.
        """
        self._listeners.append(listener)
        if failed is not None:
            self._mourners.append(failed)

    # As the risk system of a stress test

    @property
    def name(self) -> str:
        """What stress reports call it."""
        return "gate"

    def start(self, start: Start) -> RunningSystem:
        """Return a gate of its own for the path of a stress test, in memory, under the settings of this one.

        It knows the closes that this gate has taken so far, and holds what the path starts with. This gate and its
        ledger are only read.

        Raises
        ------
        InvalidArgument
            If a symbol is not among the instruments of this gate.
        """
        with self._lock:
            if self._paths is None or self._paths[0] != self._engine.sequence:
                self._paths = self._engine.sequence, PathGates(PathGround.of_engine(self._engine), type(self).of_engine)
            paths = self._paths[1]
        return paths.start(start)  # takes a tenth of a second, for which nobody must wait to be decided

    # What is asked

    @property
    def engine(self) -> DecisionEngine:
        """What decides; for reading."""
        return self._engine

    @property
    def head(self) -> str | None:
        """The signature of the ledger's end, as hexadecimal text; None where there is no ledger."""
        return self._store.head.signature.hex() if isinstance(self._store, Ledger) else None

    @property
    def end(self) -> Head | None:
        """The signed end of the ledger; None where there is no ledger."""
        return self._store.head if isinstance(self._store, Ledger) else None

    @property
    def halted(self) -> str:
        """Why the gate answers nothing more, or when and why its ledger halted before; empty where neither is so."""
        return self._failed or self._store.halted or ""

    @property
    def failed(self) -> str:
        """Why the gate answers nothing more; empty where it does."""
        return self._failed

    @property
    def trading_state(self) -> TradingState:
        """What is released: everything, reducing orders alone, or nothing."""
        return TradingState.HALTED if self._failed else self._engine.trading_state

    @contextmanager
    def reading(self, timeout: float = -1.0) -> Iterator[DecisionEngine]:
        """Hold the gate still while its engine is read; decisions wait for it.

        Parameters
        ----------
        timeout
            Seconds to wait for a decision under way; negative for as long as it takes.

        Raises
        ------
        TimeoutError
            If it took longer.
        """
        if not self._lock.acquire(timeout=timeout):
            raise TimeoutError("the gate is busy")
        try:
            yield self._engine
        finally:
            self._lock.release()

    def now(self) -> int:
        """Return the time by the clock of the gate, UTC nanoseconds."""
        return self._now()

    def decided(self, signal_id: str) -> Decision | None:
        """Return the decision that is recorded under the id of a signal, or None."""
        raw = self.recorded(signal_id)
        return None if raw is None else decision_of_plain(parse(raw))

    def recorded(self, signal_id: str) -> bytes | None:
        """Return the same as ``rpm.decision/1`` in canonical JSON, byte for byte as it stands in the ledger."""
        with self._lock:
            stored = self._find(f"signal:{signal_id}")
        return None if stored is None else stored.body

    def what_if(self, signal: Signal, *, at: int | None = None) -> Decision:
        """Return what would be decided now; nothing is recorded, and nothing may be sent on it."""
        with self._lock:
            self._alive()
            return self._engine.decide(self._command_of(signal, self._now(at), None))

    # What happens

    @contextmanager
    def together(self) -> Iterator[None]:
        """Record what is asked within a ``with`` in one transaction at its end; nothing is answered to anybody before.

        What operators say is on the disk at once, with everything before it. Their control folder is read before the
        first and again before the commit: a halt found then follows the approvals of the group. Other threads wait.

        Raises
        ------
        GateHalted
            If the gate has failed, or fails now: whatever was decided within must not be sent then.
        """
        with self._lock:
            self._alive()
            self._obey()
            self._together = True
            try:
                yield
            finally:
                self._together = False
                if not self._failed:
                    self._obey()
                    self._record()
            self._alive()

    def decide(self, signal: Signal, *, at: int | None = None, undated: bool = False) -> Decision:
        """Return the decision about a signal, recorded.

        The same signal again, with the same content, gets the stored decision; another content under its id is
        rejected.

        Parameters
        ----------
        signal
            What is asked.
        at
            When it arrived, UTC nanoseconds; the clock's if None.
        undated
            Whether nobody said when the signal was made: then the same at another time is the same signal.

        Raises
        ------
        GateHalted
            If the gate has failed, or fails now: nothing may be sent then.
        """
        asked = time.perf_counter_ns()
        with self._lock:
            self._alive()
            self._obey()
            stored = self._find(f"signal:{signal.signal_id}")
            conflict = None
            if stored is not None:
                decision = decision_of_plain(parse(stored.body))
                asked_now = replace(signal, at=decision.signal.at) if undated else signal
                if decision.signal.to_plain() == asked_now.to_plain():
                    return decision
                conflict = stored.sequence
            while True:
                command = self._command_of(signal, self._now(at), conflict)
                command, decision = self._in_time(command)
                if not self._obey():
                    break
                # An operator spoke while it was decided: what is decided now knows it.
                at = None if at is None else max(at, self._engine.last_at)
            decision = self._signed(decision)
            self._commit(command, decision, asked=asked)
            return decision

    def approve_trade(self, signal: Signal, *, at: int | None = None) -> ApprovedTrade:
        """Return what may be sent: the approved size, which can be smaller than asked.

        Raises
        ------
        RejectionException
            If nothing is approved, with the reason in words and the whole decision.
        GateHalted
            As `decide`.
        """
        decision = self.decide(signal, at=at)
        if not decision.approved:
            raise RejectionException(decision.text, decision)
        return approved_trade(decision)

    def verify_approval(self, approved: ApprovedTrade, *, at: int | None = None) -> None:
        """Refuse what may not be sent now; `release` does this too, and is what counts.

        Raises
        ------
        RejectionException
            If it was not approved by this gate, was changed, released before, has expired, or there was a halt since.
        """
        with self._lock:
            self._alive()
            self._check_approval(approved)
            why = self._engine.not_released(approved.order_id, approved.quantity, self._now(at))
            if why:
                raise RejectionException(why)

    def release(self, approved: ApprovedTrade, *, at: int | None = None) -> ReleasedTrade:
        """Record that an approved trade is sent now, once, and return what a broker takes; only then may it be sent.

        The same approval is not released again: whoever loses the answer finds out by a reconciliation.

        Raises
        ------
        RejectionException
            As `verify_approval`.
        GateHalted
            If the gate has failed, or fails now.
        """
        with self._lock:
            self._alive()
            self._obey()
            self._check_approval(approved)
            command = Release(
                at=self._now(at), correlation_id=approved.order_id, order_id=approved.order_id,
                quantity=approved.quantity,
            )  # fmt: skip
            for event in self._commit(command):
                if event["type"] == "release_refused":
                    raise RejectionException(event["reason"])
            return released_trade(self._engine, approved, self.ledger_id, self._release_key)

    def release_verifier(self) -> ReleaseVerifier:
        """Return a new one for what this gate releases, for a broker adapter in this process."""
        return ReleaseVerifier(self._release_key, self.ledger_id)

    def handle(self, command: Command) -> tuple[Event, ...]:
        """Take a command that is no signal, and return what changed; one that was taken before changes nothing.

        Raises
        ------
        InvalidArgument
            If it makes no sense, which is recorded all the same; or if another command was taken under its id. If that
            is a fill, the account is halted: somebody's book is wrong.
        GateHalted
            If the gate has failed, or fails now.
        """
        if isinstance(command, SignalReceived):
            raise InvalidArgument("a signal is decided, not handled")
        if isinstance(command, Release) and self._sign is not None:
            raise InvalidArgument("an order is released by `release`, which looks at the signature of its approval")
        with self._lock:
            self._alive()
            self._obey()
            key = key_of(command)
            stored = None if key is None else self._find(key)
            if stored is not None:
                self._check_same(stored, command)
                return ()
            events = self._commit(command)
            for event in events:
                if event["type"] == "refused":
                    raise InvalidArgument(event["reason"])
            return events

    def reconcile(
        self, book: BrokerBook, *, request_id: str = "", at: int | None = None
    ) -> tuple[BookDifference, ...]:  # fmt: skip
        """Hold what a broker or a statement says against this gate's books, and halt where they differ.

        Both views are recorded. See `rpmcore.decision.reconciliation` for how the halt is ended. The same request again
        gets what was found when it was taken.

        Raises
        ------
        InvalidArgument
            If the book holds a number that is none.
        GateHalted
            If the gate has failed, or fails now.
        """
        command = Reconciled(at=self._now(at), command_id=request_id, book=book)
        with self._lock:
            events: Iterable[Event] = self.handle(command)
            key = key_of(command)
            stored = None if events or key is None else self._find(key)
            if isinstance(stored, Record):  # nobody takes the silence of a repetition for books that agree
                events = events_of(self._store, stored)
        found = next((event["differences"] for event in events if event["type"] == "reconciled"), ())
        return tuple(BookDifference(**difference) for difference in found)

    def obey(self) -> None:
        """Carry out what operators have asked for; every decision and command begins with this by itself.

        Raises
        ------
        GateHalted
            If the gate has failed, or fails now.
        """
        with self._lock:
            self._alive()
            self._obey()

    def knows(self, order_id: str) -> bool:
        """Return whether a signal of this id was decided here, however long ago."""
        with self._lock:
            self._alive()
            return self._find(f"signal:{order_id}") is not None

    def price_bar(self, day: str, closes: dict[str, float], *, at: int | None = None) -> tuple[Event, ...]:
        """Take the closes of a day; see `handle`."""
        return self.handle(PriceBar(at=self._now(at), command_id=day, day=day, closes=closes))

    def quotes(self, prices: dict[str, float], *, at: int | None = None) -> tuple[Event, ...]:
        """Take last prices; see `handle`."""
        return self.handle(Quotes(at=self._now(at), prices=prices))

    def fill(
        self, fill_id: str, order_id: str, *, strategy_id: str, symbol: str, side: str, quantity: float, price: float,
        fees: float = 0.0, at: int | None = None,
    ) -> tuple[Event, ...]:  # fmt: skip
        """Take a fill; see `handle`. Its id is taken once."""
        return self.handle(
            Fill(
                at=self._now(at), command_id=fill_id, correlation_id=order_id, order_id=order_id,
                strategy_id=strategy_id, symbol=symbol, side=side, quantity=quantity, price=price, fees=fees,
            )
        )  # fmt: skip

    def order_closed(
        self, order_id: str, outcome: Any, *, reason: str = "", at: int | None = None
    ) -> tuple[Event, ...]:
        """Take word that the rest of an order will not be filled: ``cancelled`` or ``rejected``; see `handle`."""
        return self.handle(
            OrderClosed(at=self._now(at), correlation_id=order_id, order_id=order_id, outcome=outcome, reason=reason)
        )

    def trade_closed(self, trade: ClosedTrade, *, at: int | None = None) -> tuple[Event, ...]:
        """Take a trade that is over; see `handle`. Its id is taken once."""
        return self.handle(TradeClosed(at=self._now(at), command_id=trade.trade_id, trade=trade))

    def tick(self, *, at: int | None = None) -> tuple[Event, ...]:
        """Let time pass: approvals expire, throttles end; see `handle`."""
        return self.handle(Tick(at=self._now(at)))

    def operate(
        self, action: OperatorAction, *, operator: str, reason: str, scope: str = "account", value: str = "",
        measure_anew: bool = False, request_id: str = "", at: int | None = None,
    ) -> tuple[Event, ...]:  # fmt: skip
        """Take what a named operator says; see `rpmcore.domain.commands.OperatorOrder` and `handle`.

        Raises
        ------
        InvalidArgument
            If it cannot be done; that it was asked is recorded all the same.
        """
        events = self.handle(
            OperatorOrder(
                at=self._now(at), command_id=request_id, action=action, operator=operator, reason=reason, scope=scope,
                value=value, measure_anew=measure_anew,
            )
        )  # fmt: skip
        for event in events:
            if event["type"] == "operator_refused":
                raise InvalidArgument(event["reason"])
        if action == "clear_integrity" and isinstance(self._store, Ledger):
            clear_halt(self._store.path)
        return events

    def reload(
        self, settings: Settings, *, operator: str = "", reason: str = "", request_id: str = "", at: int | None = None
    ) -> tuple[Event, ...]:  # fmt: skip
        """Decide by other settings from the next decision on; without operator and reason they may only tighten.

        Approvals that were given stand until they expire. See `rpmcore.decision.tightening` for what tightens.

        Raises
        ------
        InvalidArgument
            If they are not taken, naming what would loosen; that it was asked is recorded all the same.
        """
        with self._lock:
            if settings.digest == self._engine.genesis.config_digest:
                return ()
            plain = settings.of_decisions.model_dump(mode="json")
            events = self.handle(
                Reconfigured(
                    at=self._now(at), command_id=request_id, settings=plain, config_digest=settings.digest,
                    replaces=self._engine.genesis.config_digest, operator=operator, reason=reason,
                )
            )  # fmt: skip
        for event in events:
            if event["type"] == "reconfigure_refused":
                raise InvalidArgument(event["reason"])
        return events

    # Within

    def _now(self, at: int | None = None) -> int:
        return time_of(at, self._clock)

    def _not_ahead(self, at: int) -> None:
        """Refuse a command from the future: whatever came after it, at the true time, would run backwards."""
        if self._timer is None:
            return  # time is simulated
        tolerance = self._engine.settings.gate.clock_tolerance_seconds
        ahead = (at - self._clock()) / SECOND
        if ahead > tolerance:
            raise InvalidArgument(
                f"at is {ahead:,.0f} s ahead of the gate's clock, of which {tolerance:g} s are borne: it is not taken"
            )

    def _alive(self) -> None:
        if self._failed:
            raise GateHalted(f"the gate has halted: {self._failed}")

    def _warm(self) -> None:
        """Decide once without a record, so that no first decision waits for kernels to load."""
        genesis = self._engine.genesis
        for symbol, price, at in genesis.last[:1]:
            strategy = next(iter(genesis.strategies))
            signal = Signal(
                signal_id="warm", strategy_id=strategy, symbol=symbol, side="buy", entry=price, at=at, quantity=1.0
            )
            self._engine.decide(self._command_of(signal, self._engine.last_at, None))

    def _command_of(self, signal: Signal, at: int, conflict: int | None) -> SignalReceived:
        return SignalReceived(
            at=at, command_id=signal.signal_id, signal=signal, conflict_with=conflict,
            correlation_id=signal.correlation_id or CorrelationContext.get() or signal.signal_id,
        )  # fmt: skip

    def _in_time(self, command: SignalReceived) -> tuple[SignalReceived, Decision]:
        """Decide; what took longer than its deadline is decided as late, which the command then says."""
        if self._timer is None:
            return command, self._engine.decide(command)
        start = self._timer()
        decision = self._engine.decide(command)
        late = self._timer() - start - round(self._engine.settings.gate.deadline_ms * 1e6)
        if late <= 0:
            return command, decision
        command = replace(command, late_by=late)
        return command, self._engine.decide(command)

    def _check_same(self, stored: Record | NewRecord, command: Command) -> None:
        if same_command(stored.body, command):
            return
        what = f"the {command.kind} {command.command_id!r} was taken before, as command {stored.sequence}, and said "
        what += "something else"
        if isinstance(command, Fill):
            self._commit(
                OperatorOrder(at=command.at, action="trip", operator="the gate", reason=what, value="halt")
            )  # fmt: skip
        raise InvalidArgument(what)

    def _signed(self, decision: Decision) -> Decision:
        if self._sign is None or not decision.approved:
            return decision
        return replace(decision, signature=self._sign.mac(approval_bytes(decision, self.ledger_id)).hex())

    def _check_approval(self, approved: ApprovedTrade) -> None:
        """Refuse an approval that is not the one that waits here, be it signed: gates may share a key, or have none."""
        if approved.quantity > approved.approved_quantity:
            raise RejectionException(
                f"quantity {approved.quantity:g} is more than the {approved.approved_quantity:g} approved"
            )
        self._check_signature(approved)
        order = self._engine.account.orders.get(approved.order_id)
        if order is None or order.state is not OrderState.APPROVED:
            return  # the engine says why it is not released
        given = (
            approved.sequence, approved.strategy_id, approved.symbol, approved.side, approved.approved_quantity,
            approved.expires_at,
        )  # fmt: skip
        kept = (
            order.sequence, order.strategy_id, order.symbol, "buy" if order.sign > 0 else "sell", float(order.quantity),
            order.expires_at,
        )  # fmt: skip
        if given != kept:
            raise RejectionException("this approval is another than the one that waits under its id: it is not sent")

    def _check_signature(self, approved: ApprovedTrade) -> None:
        if self._sign is None:
            return
        try:
            signature = bytes.fromhex(approved.signature)
            body = canonical_bytes({**approved.signed_fields(), "ledger": self.ledger_id})
        except (ValueError, TypeError):
            signature, body = b"", b""
        if not self._sign.matches(body, signature):
            raise RejectionException("this approval was not given by this gate, or it was changed since")

    def _commit(
        self, command: Command, decision: Decision | None = None, *, asked: int | None = None
    ) -> tuple[Event, ...]:
        """Apply a command and record it, or keep it for the end of `together`; a gate that fails answers nothing more.

        Raises
        ------
        InvalidArgument
            If the command cannot be written down, or its time is none or ahead of the clock; nothing has happened then.
        """
        self._not_ahead(time_of(command.at, None))
        asked = time.perf_counter_ns() if asked is None else asked
        body = canonical_bytes(command.to_plain())
        try:
            events = self._engine.apply(command, decision)
            sequence = self._engine.sequence
            records = new_records(sequence, command, body, decision, events)
        except Exception as error:
            raise self._dead(error) from error
        self._done.append(
            _Done(command=command, decision=decision, events=tuple(map(dict, events)), records=records, asked=asked)
        )
        snapshot = isinstance(command, PriceBar | Tick) and sequence - self._snapshot_at >= SNAPSHOT_AFTER
        if not self._together or snapshot or isinstance(command, _AT_ONCE):
            self._record(snapshot=snapshot)
        else:
            self._kept.update((record.key, record) for record in records if record.key is not None)
        return events

    def _record(self, *, snapshot: bool = False) -> None:
        """Append what was applied, all or nothing, and tell of it."""
        if not self._done:
            return
        done = self._done
        self._done, self._kept = [], {}
        try:
            before = time.perf_counter_ns()
            self._store.append([record for each in done for record in each.records])
            after = time.perf_counter_ns()
            if snapshot:
                self._take_snapshot()
        except Exception as error:
            raise self._dead(error) from error
        for each in done:
            self.took = Took(all=after - each.asked, record=after - before)
            # Copies of the events: what a listener changes changes nothing.
            self._tell(self._listeners, each.command, each.decision, each.events)

    def _dead(self, error: Exception) -> GateHalted:
        self._failed = str(error)
        self._tell(self._mourners, self._failed)
        return GateHalted(f"the gate has halted: {error}")

    def _find(self, key: str) -> Record | NewRecord | None:
        """Return the record with an idempotency key, be it written or about to be."""
        return self._kept.get(key) or self._store.find(key)

    def _tell(self, listeners: Sequence[Callable[..., None]], *told: Any) -> None:
        for listener in listeners:
            try:
                listener(*told)
            except Exception:  # noqa: BLE001 - whoever only listens must not stop a gate
                self.listener_failures += 1

    def _take_snapshot(self) -> None:
        body = canonical_bytes(self._engine.state())
        self._store.append([NewRecord(kind="snapshot", sequence=self._engine.sequence, body=body)])
        self._snapshot_at = self._engine.sequence

    def _obey(self) -> bool:
        """Carry out what operators left in the control folder, and return whether that changed anything."""
        if self._control is None or self._together:
            return False
        before = self._engine.sequence
        try:
            for request in self._control.pending():
                if isinstance(request, ControlRequest):
                    result = self._carry_out(request)
                else:
                    result = self._halt_for(request.id, f"a request to the gate that cannot be read: {request.problem}")
                self._control.acknowledge(request.id, result)
        except InputError as error:
            if not self._engine.integrity:
                self._commit(IntegrityFailed(at=self._now(), reason=f"nobody could stop this gate: {error}"))
        return self._engine.sequence > before

    def _carry_out(self, request: ControlRequest) -> dict[str, Any]:
        if any(self._find(f"{kind}:{request.id}") is not None for kind in ("operator", "reconfigured")):
            return {"done": True, "trading_state": self.trading_state.value, "note": "it was carried out before"}
        if request.body.get("action") == "reload":
            return self._reload_as_asked(request)
        fields = {name: request.body.get(name) for name in ("action", "operator", "reason", "scope", "value")}
        anew = request.body.get("measure_anew", False)
        if not all(isinstance(field, str) for field in fields.values()) or not isinstance(anew, bool):
            return self._halt_for(request.id, "a request to the gate that lacks a field")
        order = OperatorOrder(at=self._now(), command_id=request.id, measure_anew=anew, **fields)  # type: ignore[arg-type]
        events = self._commit(order)
        refused = next((e["reason"] for e in events if e["type"] in ("operator_refused", "refused")), None)
        if order.action == "clear_integrity" and refused is None and isinstance(self._store, Ledger):
            clear_halt(self._store.path)
        return {
            "done": refused is None, "reason": refused or "", "sequence": self._engine.sequence,
            "trading_state": self.trading_state.value,
        }  # fmt: skip

    def _reload_as_asked(self, request: ControlRequest) -> dict[str, Any]:
        settings, operator, reason = (request.body.get(name) for name in ("settings", "operator", "reason"))
        if not (isinstance(settings, dict) and isinstance(operator, str) and isinstance(reason, str)):
            return self._halt_for(request.id, "a request to the gate that lacks a field")
        try:
            digest = Settings.model_validate(settings, strict=False).digest
        except ValidationError:
            digest = ""  # the engine says what is wrong with them
        events = self._commit(
            Reconfigured(
                at=self._now(), command_id=request.id, config_digest=digest, operator=operator, reason=reason,
                settings={name: values for name, values in settings.items() if name in DecisionSettings.model_fields},
                replaces=self._engine.genesis.config_digest,
            )
        )  # fmt: skip
        refused = next((e["reason"] for e in events if e["type"] in ("reconfigure_refused", "refused")), None)
        return {
            "done": refused is None, "reason": refused or "", "sequence": self._engine.sequence,
            "trading_state": self.trading_state.value,
        }  # fmt: skip

    def _halt_for(self, request_id: str, why: str) -> dict[str, Any]:
        """Halt the account: somebody wanted something of the gate, and nobody knows what."""
        if self._find(f"operator:{request_id}") is None:
            self._commit(
                OperatorOrder(
                    at=self._now(), command_id=request_id, action="trip", operator="the gate", reason=why, value="halt"
                )
            )
        return {"done": False, "reason": f"{why}: halted", "trading_state": self.trading_state.value}


__all__ = ["GateHalted", "LedgerFailed", "RiskGate", "approved_trade"]
