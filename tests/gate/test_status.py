"""The state of a gate, read from its ledger while somebody else holds it."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest

from rpmcore.adapters.ledger.errors import LedgerDamaged, LedgerUnusable
from rpmcore.domain.errors import InvalidArgument
from rpmcore.gate import RiskGate
from rpmcore.gate_status import gate_status
from rpmcore.ledger_jobs import what_if
from tests.gate.conftest import KEY
from tests.small_gate import write_small_ledger


@pytest.fixture
def small(tmp_path):
    folder = tmp_path / "ledger"
    folder.mkdir()
    return write_small_ledger(folder / "desk.ledger")


def test_it_tells_what_the_gate_itself_knows(small):
    before = small.read_bytes()
    found = gate_status(small, last=3)
    assert small.read_bytes() == before
    with RiskGate.open(small, KEY) as gate:
        engine = gate.engine
        assert found.trading_state == gate.trading_state.value == "active"
        assert (found.equity, found.peak, found.commands) == (engine.account.equity, engine.peak, engine.sequence)
        assert found.limits == engine.limits(engine.last_at)
    assert found.held_by is None
    assert found.last_bar == "2019-07-10"
    assert datetime.fromtimestamp(found.at / 1e9, UTC).day == 10
    gross = next(use for use in found.uses if use.name == "gross_exposure")
    assert gross.observed == pytest.approx(sum(abs(p.value) for p in found.positions) / found.equity)
    assert {use.name for use in found.uses} >= {"volatility", "value_at_risk", "expected_shortfall", "net_exposure"}
    assert [line.signal_id for line in found.decisions] == ["s4", "s5", "s6"]
    assert [line.reason for line in found.decisions] == [None, "kill_switch", None]
    held = {(p.strategy_id, p.symbol): p.quantity for p in found.positions}
    assert held["trend", "EURUSD"] == 50_000.0


def test_while_a_gate_holds_it_it_says_who_and_what_it_does_not_know_yet(small, signal):
    with RiskGate.open(small, KEY) as gate:
        at = gate.engine.last_at + 1
        gate.operate("trip", operator="A. Person", reason="drill", value="halt", at=at)
        approved = gate.decide(signal(9, side="sell", quantity=1000.0, entry=1.122, at=at, reduce_only=True), at=at)
        assert approved.approved
        found = gate_status(small)
        assert found.held_by is not None
        assert found.held_by.pid > 0
        assert found.trading_state == "reducing"
        account = found.scopes[0]
        assert (account.scope, account.severity) == ("account", "halt")
        assert account.reasons == ("operator: drill (A. Person)",)
        assert [(o.order_id, o.side, o.state, o.reducing) for o in found.orders] == [("s9", "sell", "approved", True)]
    assert gate_status(small).held_by is None


def test_what_is_no_ledger_is_refused(tmp_path, small):
    with pytest.raises(LedgerUnusable, match="there is no ledger"):
        gate_status(tmp_path / "none.ledger")
    other = tmp_path / "other.ledger"
    other.write_text("text", encoding="utf-8")
    with pytest.raises(LedgerDamaged):
        gate_status(other)
    with pytest.raises(InvalidArgument, match="last"):
        gate_status(small, last=-1)


def test_a_ledger_whose_end_is_missing_has_no_state(small, signal):
    with closing(sqlite3.connect(small)) as connection, connection:
        (last,) = connection.execute("SELECT max(sequence) FROM records").fetchone()
        connection.execute("DELETE FROM records WHERE sequence >= ?", (last - 3,))
    for ask in (gate_status, lambda path: what_if(path, lambda at: signal(9, at=at), at=None)):
        with pytest.raises(LedgerDamaged, match="head was signed"):
            ask(small)
