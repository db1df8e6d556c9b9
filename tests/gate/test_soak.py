"""A long day with everything going wrong: at its end both books are the same, and nothing was lost or sent twice."""

import os
from collections import Counter
from decimal import Decimal

from rpmcore.adapters.in_memory_broker.faults import FaultSettings
from rpmcore.adapters.ledger.reader import LedgerReader
from rpmcore.decision.engine import DecisionEngine
from rpmcore.decision.reconciliation import GateBook
from rpmcore.decision.replay import replay
from rpmcore.domain.broker import EventKind, book_of
from rpmcore.domain.canonical import parse
from rpmcore.gate import RiskGate
from rpmcore.gate_store import recorded
from rpmcore.proof import prove
from tests.gate.conftest import KEY
from tests.gate.soak import Killed, Soak, in_memory_gate, soak_genesis

ORDERS = int(os.environ.get("RPM_SOAK_ORDERS", "10000"))
"""`make nightly` sends 100,000."""


def test_after_everything_went_wrong_the_books_are_the_same():
    soak = Soak(in_memory_gate(), seed=20)
    while soak.count < ORDERS:
        soak.step()
    soak.settle()
    assert_books_agree(soak)
    assert_every_order_came_to_one_end(list(soak.gate._store.records()), soak.venue)
    for fault in set(FaultSettings.__dataclass_fields__) - {"slippage_bps", "outage"}:
        assert soak.faults.drawn[fault], f"{fault} never went wrong"
    assert soak.unexplained == [], "what the router has lost or taken twice was healed by an operator"
    assert soak.outcomes["halts"] > ORDERS // 1000
    assert soak.outcomes["adopted"], "no restart ever found a difference"
    assert soak.outcomes["taken"] > ORDERS // 2
    world = DecisionEngine(soak.engine.genesis)
    assert all(each.same for each in replay(world, recorded(soak.gate._store.records())))
    assert world.state() == soak.engine.state()


def test_the_same_seed_is_the_same_day():
    ends = []
    for _ in range(2):
        soak = Soak(in_memory_gate(), seed=3)
        while soak.count < 200:
            soak.step()
        soak.settle()
        ends.append((soak.engine.state(), soak.venue.events, soak.faults.drawn))
    assert ends[0] == ends[1]


def test_a_desk_that_is_killed_again_and_again_ends_with_books_that_agree(tmp_path):
    path = tmp_path / "desk.ledger"
    gate = RiskGate.create(path, soak_genesis(), KEY, clock=lambda: 0, timer=None)
    soak = Soak(gate, seed=8, deadly=0.004)
    while soak.count < 300:
        try:
            soak.step()
        except Killed:
            soak.revive(lambda: RiskGate.open(path, KEY, clock=lambda: 0, timer=None))
    soak.deadly = 0.0
    soak.settle()
    soak.gate.close()
    assert_books_agree_without_a_gate(soak)
    assert soak.outcomes["kills"] >= 5
    with LedgerReader.open(path, KEY) as reader:
        assert_every_order_came_to_one_end(list(reader.records()), soak.venue)
    proof = prove(path, KEY)
    assert proof.ok, proof.differing


def assert_books_agree(soak):
    """By strategy and symbol, in money, and in what still works; and a reconciliation says so too."""
    assert_books_agree_without_a_gate(soak)
    assert soak.gate.reconcile(book_of(soak.broker), at=soak.at) == ()


def assert_books_agree_without_a_gate(soak):
    assert soak.engine.account.positions == soak.venue.positions
    assert list(soak.venue.working) == list(soak.engine.account.sent) == []
    assert abs(GateBook.of(soak.engine).cash - soak.venue.cash) < 0.01


def assert_every_order_came_to_one_end(records, venue):
    """Each order by the two logs, the gate's and the venue's, which know nothing of each other."""
    commands = [parse(record.body) for record in records if record.kind == "command"]
    events = [parse(record.body) for record in records if record.kind == "event"]
    released = {c["order_id"]: c["quantity"] for c in commands if c["kind"] == "release"}
    last = {event["order_id"]: event["state"] for event in events if event["type"] == "order"}
    accepted = Counter(event.order_id for event in venue.events if event.kind is EventKind.ACCEPTED)
    ends = Counter(e.order_id for e in venue.events if e.kind not in (EventKind.ACCEPTED, EventKind.PARTIAL))
    filled: dict[str, Decimal] = {}
    for event in venue.events:
        filled[event.order_id] = filled.get(event.order_id, Decimal(0)) + event.quantity
    assert set(accepted.values()) == {1}, "an order was sent twice"
    assert set(ends.values()) == {1}, "an order ended twice"
    assert set(accepted) == set(ends), "an order never ended"
    assert set(accepted) <= set(released), "an order was sent that was not released"
    assert all(filled[order] <= Decimal(repr(released[order])) for order in accepted), "more was filled than released"
    lost = [order for order in released if last[order] not in ("filled", "cancelled", "rejected")]
    assert lost == [], "the gate knows no end of an order"
    unsent = set(released) - set(accepted)
    assert {last[order] for order in unsent} <= {"cancelled", "rejected"}, "the gate counts an order that never was"
    taken = Counter(c["command_id"] for c in commands if c["kind"] == "fill")
    assert set(taken.values()) == {1}, "a fill was taken twice"
