"""From the gate to a broker and back: what is released is submitted once, and what happens to it is recorded once.

Nothing here decides. The gate's ledger is the only memory that counts: an order is released there before it leaves,
a cancel is recorded before it is asked for, and a fill is taken by the venue's id of it, so that a router can be killed
at any moment and another one goes on.
"""

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from rpmcore.decision.handlers.cancels import to_cancel, to_keep
from rpmcore.decision.reconciliation import BookDifference
from rpmcore.domain.broker import OVER, BrokerEvent, BrokerPort, BrokerUnavailable, EventKind, book_of
from rpmcore.domain.commands import CancelRequested, Command, Fill, IntegrityFailed
from rpmcore.domain.controls import ACCOUNT, Severity
from rpmcore.domain.decisions import Decision
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.orders import ApprovedTrade, OrderState
from rpmcore.domain.releases import ReleasedTrade, ReleaseRefused
from rpmcore.gate import GateHalted, RiskGate

Outcome = Literal["taken", "refused", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of an order that was sent.

    Attributes
    ----------
    outcome
        ``taken`` by the broker; ``refused``, so that it surely is not there; or ``unknown``: `OrderRouter.pump` finds
        out.
    reason
        Why it was refused, or why that is not known.
    """

    release: ReleasedTrade
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pumped:
    """How things stand after a round.

    Attributes
    ----------
    reachable
        Whether the broker answered everything.
    events
        How many it told.
    unknown
        Orders of which nobody knows whether the broker has them.
    cancelling
        Orders that were to be cancelled and still work.
    """

    reachable: bool
    events: int
    unknown: int
    cancelling: int


class OrderRouter:
    """Sends what a gate releases to a broker, and tells the gate what became of it; one for each gate and account.

    Call `start` once before trading, and then `pump` often, at least every second: it takes the broker's events,
    finds out about lost answers, and carries out what a halt asks for. Safe to share between threads.

    Parameters
    ----------
    gate
        Decides and records.
    broker
        Where orders go; its verifier must know the ledger of this gate.
    """

    def __init__(self, gate: RiskGate, broker: BrokerPort) -> None:
        self._gate, self._broker = gate, broker
        self._cursor: int | None = None
        self._unknown: dict[str, ReleasedTrade | None] = {}
        self._fills: dict[str, dict[str, BrokerEvent]] = {}
        self._stopped: set[str] = set()
        self._contradicted: set[str] = set()
        self._given_up: set[str] = set()
        self._failed, self._started = "", False
        self._lock = threading.RLock()
        gate.subscribe(self._told, failed=self._gate_failed)

    # What is asked

    def start(self, *, at: int) -> tuple[BookDifference, ...]:
        """Catch up with the broker and reconcile; trade only where nothing differs.

        What was released and is not at the broker is never sent again: whoever asked for it may be gone, and the price
        with them. It is given up as rejected once it cannot arrive any more; before, it is a difference.

        Raises
        ------
        BrokerUnavailable
            If the broker cannot be asked: there is no trading then.
        InvalidArgument
            If what it says is no book.
        """
        with self._lock:
            with self._gate.reading() as engine:
                fence, sent = engine.fence(), [o.order_id for o in engine.account.sent if not o.filled]
                known = self._broker.name in engine.settled
            self._broker.fence(fence)
            if known:  # else nothing was ever reconciled with it, and its past is not this ledger's
                self._take_events(at)
            for order_id in sent:
                self._unknown.setdefault(order_id, None)
            self._find_out(at)
            book = book_of(self._broker)
            found = self._gate.reconcile(book, at=at)
            self._cursor, self._started = self._cursor if found else book.cursor, True
            return found

    def send(self, approved: ApprovedTrade, *, at: int) -> Sent:
        """Release an approval and submit it.

        Raises
        ------
        RejectionException
            If the gate does not release it.
        InvalidArgument
            If this router was not started.
        GateHalted
            If the gate has failed, or fails now.
        """
        with self._lock:
            self._check_started()
            return self._submit(self._gate.release(approved, at=at), at, again=False)

    def cancel(self, order_ids: Sequence[str], *, reason: str, at: int) -> None:
        """Have orders cancelled: recorded, asked for, and followed to their end by `pump`.

        Raises
        ------
        InvalidArgument
            If no order or no reason is named.
        GateHalted
            If the gate has failed, or fails now.
        """
        with self._lock:
            self._gate.handle(CancelRequested(at=at, order_ids=tuple(order_ids), reason=reason))
            for order_id in order_ids:
                try:
                    self._broker.cancel(order_id, at=at)
                except BrokerUnavailable:
                    return  # `pump` asks again

    def pump(self, *, at: int) -> Pumped:
        """Do all that is to be done: take events, find out about lost answers, cancel what must not work on.

        Raises
        ------
        InvalidArgument
            If this router was not started.
        GateHalted
            If the gate has failed: nobody records any more what is filled. The broker was then asked to cancel
            everything; whoever pumps on asks again.
        """
        with self._lock:
            self._check_started()
            if self._failed:
                with suppress(BrokerUnavailable):
                    self._broker.cancel_all(at=at)
                raise GateHalted(f"the gate has halted: {self._failed}")
            self._gate.obey()  # an operator who stops trading must not wait for the next signal
            taken = 0
            try:
                self._stop(at)  # before anything else: what is to end must not wait
                taken = self._take_events(at)
                self._find_out(at)
                self._stop(at)
                reachable = True
            except BrokerUnavailable:
                reachable = False
            with self._gate.reading() as engine:
                cancelling = sum(order.cancel_at is not None for order in engine.account.sent)
            if cancelling:
                self._gate.tick(at=at)  # so that it is noticed what does not die
            return Pumped(reachable=reachable, events=taken, unknown=len(self._unknown), cancelling=cancelling)

    # Sending

    def _submit(self, release: ReleasedTrade, at: int, *, again: bool) -> Sent:
        if self._overtaken(release):
            return self._refused(release, "there was a halt before it was sent", at, again=again)
        # Until something is known of it: also where a keystroke or a signal ends this call, and the desk goes on.
        self._unknown[release.order_id] = release
        try:
            self._broker.submit(release, at=at)
        except ReleaseRefused as error:
            return self._refused(release, str(error), at, again=again)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, it may have been sent
            return Sent(release=release, outcome="unknown", reason=str(error))
        self._unknown.pop(release.order_id, None)
        return Sent(release=release, outcome="taken")

    def _refused(self, release: ReleasedTrade, reason: str, at: int, *, again: bool) -> Sent:
        """Take a positive no; one to a repetition says nothing of what was sent before, which may still arrive."""
        if not again:
            self._gate.order_closed(release.order_id, "rejected", reason=reason, at=at)
            self._unknown.pop(release.order_id, None)
        return Sent(release=release, outcome="unknown" if again else "refused", reason=reason)

    def _overtaken(self, release: ReleasedTrade) -> bool:
        with self._gate.reading() as engine:
            now = engine.epoch_of(release.strategy_id)
        halted = (now.account, now.strategy) != (release.epoch.account, release.epoch.strategy)
        return now.integrity != release.epoch.integrity or (halted and not release.reducing)

    def _find_out(self, at: int) -> None:
        """Ask for orders of which nobody knows whether the broker has them."""
        for order_id, release in list(self._unknown.items()):
            with self._gate.reading() as engine:
                order = engine.account.orders.get(order_id)
                patience = round(engine.settings.gate.cancel_seconds * 1e9)
            if order is None or order.filled or self._broker.order(order_id) is not None:
                del self._unknown[order_id]  # its events tell the rest
            elif at >= order.expires_at + patience:
                # No broker takes it any more, and this one says that it has not.
                self._gate.order_closed(order_id, "rejected", reason="the broker never had it", at=at)
                del self._unknown[order_id]
            elif release is not None and at < order.expires_at and order.cancel_at is None:
                self._submit(release, at, again=True)

    # What the broker tells

    def _take_events(self, at: int) -> int:
        settled = self._settled()
        after = settled if self._cursor is None else max(self._cursor, settled)
        events = self._broker.events(after)
        if not self._take_all(events, settled, at):
            # It speaks of fills that it has not told: once more, from where the books were the same.
            events = self._broker.events(settled)
            if not self._take_all(events, settled, at, last=True):
                return len(events)
        self._look_for_the_dead(at)
        self._cursor = max(after, *(event.cursor for event in events)) if events else after
        return len(events)

    def _take_all(self, events: Sequence[BrokerEvent], settled: int, at: int, *, last: bool = False) -> bool:
        complete = True
        for event in sorted(events, key=lambda each: each.cursor):
            if event.cursor > settled:
                complete = self._take(event, at, last=last) and complete
        return complete

    def _take(self, event: BrokerEvent, at: int, *, last: bool) -> bool:
        """Take an event, and return whether all that it speaks of has been told."""
        if event.execution_id:
            self._take_fill(event, at)
        with self._gate.reading() as engine:
            order = engine.account.orders.get(event.order_id)
        if order is None:
            self._of_no_order(event, at)
        elif event.kind in OVER and order.filled < event.cumulative:
            if last:
                self._contradiction(event, f"has told {order.filled:f}", at)
            return False
        elif event.kind is EventKind.FILLED:
            self._contradiction(event, f"calls it filled, where {order.quantity:f} were released", at)
        elif event.kind in OVER:
            self._gate.order_closed(event.order_id, event.kind.value, reason=event.reason, at=at)
        return True

    def _of_no_order(self, event: BrokerEvent, at: int) -> None:
        """Take word of an order that is over here, which is an old tale or a dead man walking, or was never here."""
        known = self._gate.knows(event.order_id)
        if event.kind is EventKind.ACCEPTED and known:
            self._given_up.add(event.order_id)
        elif event.kind in OVER and not event.execution_id and not known:
            self._gate.order_closed(event.order_id, event.kind.value, reason=event.reason, at=at)

    def _look_for_the_dead(self, at: int) -> None:
        """Halt trading where an order works at the broker that is over here, and have it cancelled."""
        if not self._given_up:
            return
        working = {order.order_id for order in self._broker.open_orders()}
        for order_id in sorted(self._given_up & working):
            with self._gate.reading() as engine:
                over = order_id not in engine.account.orders
            if over:
                what = f"order {order_id!r} works at {self._broker.name}, and was over here"
                self._gate.handle(IntegrityFailed(at=at, reason=f"{what}: reconcile"))
                self._broker.cancel(order_id, at=at)
        self._given_up.clear()

    def _take_fill(self, event: BrokerEvent, at: int) -> None:
        """Hand a fill to the gate, which takes its id once; under an id that said something else, trading is HALTED."""
        taken = self._fills.setdefault(event.order_id, {})
        if taken.get(event.execution_id) == event:
            return
        with self._gate.reading() as engine:
            order = engine.account.orders.get(event.order_id)
            strategy = event.strategy_id or ("" if order is None else order.strategy_id)
        taken[event.execution_id] = event
        try:
            self._gate.handle(
                Fill(
                    at=at, command_id=f"{self._broker.name}/{event.execution_id}", correlation_id=event.order_id,
                    order_id=event.order_id, strategy_id=strategy, symbol=event.symbol, side=event.side,
                    quantity=float(event.quantity), price=event.price, fees=event.fees,
                )
            )  # fmt: skip
        except InvalidArgument as error:
            self._gate.handle(
                IntegrityFailed(at=at, reason=f"a fill of {self._broker.name} is not in the books: {error}")
            )

    def _contradiction(self, event: BrokerEvent, what: str, at: int) -> None:
        """Halt trading where a broker contradicts itself or the release, once for each order."""
        if event.order_id not in self._contradicted:
            self._contradicted.add(event.order_id)
            who = f"{self._broker.name} counts {event.cumulative:f} filled of order {event.order_id!r}, and "
            self._gate.handle(IntegrityFailed(at=at, reason=f"{who}{what}: reconcile"))

    def _settled(self) -> int:
        with self._gate.reading() as engine:
            return engine.settled.get(self._broker.name, 0)

    # What a halt asks for

    def _told(self, _command: Command, _decision: Decision | None, events: tuple[Mapping[str, Any], ...]) -> None:
        """Note who was stopped, for `pump`: whoever waits for the gate must not wait for a broker too."""
        for event in events:
            kind = event["type"]
            if kind == "integrity_failed":
                self._stopped.add(ACCOUNT)
            elif kind == "control" and Severity(event["before"]) < Severity.HALT <= Severity(event["after"]):
                self._stopped.add(event["scope"])
            elif kind == "strategy" and event["after"] == "disabled":
                self._stopped.add(event["strategy_id"])
            elif kind == "order" and event["state"] in _OVER:
                self._fills.pop(event["order_id"], None)

    def _stop(self, at: int) -> None:
        """Record and ask for what must not work on, and ask again for what still does."""
        scopes, self._stopped = self._stopped, set()
        try:
            self._stop_scopes(scopes, at)
        finally:
            self._stopped |= scopes  # of those the broker was not asked

    def _stop_scopes(self, scopes: set[str], at: int) -> None:
        with self._gate.reading() as engine:
            due, fence = to_cancel(engine), engine.fence()
        by_reason: dict[str, list[str]] = {}
        for order_id, why in due:
            by_reason.setdefault(why, []).append(order_id)
        for why, order_ids in by_reason.items():
            self._gate.handle(CancelRequested(at=at, order_ids=tuple(order_ids), reason=why))
        with self._gate.reading() as engine:
            keep = to_keep(engine)
            dying = [order.order_id for order in engine.account.sent if order.cancel_at is not None]
        if scopes:
            self._broker.fence(fence)
        for scope in sorted(scopes):
            self._broker.cancel_all(None if scope == ACCOUNT else scope, keep=keep, at=at)
            scopes.discard(scope)
        for order_id in dying:
            self._broker.cancel(order_id, at=at)

    def _gate_failed(self, why: str) -> None:
        self._failed = why

    def _check_started(self) -> None:
        if not self._started:
            raise InvalidArgument("a router is started, and so reconciled, before it sends anything")


_OVER = frozenset({OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED})

__all__ = ["OrderRouter", "Pumped", "Sent"]
