"""What `docs/limitations.md` admits, where it can be shown: whoever repairs it is to strike the line."""

import re
from datetime import date
from pathlib import Path
from typing import get_args

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from rpmcore.domain.commands import EquityMark
from rpmcore.domain.instruments import Kind
from rpmcore.domain.orders import Signal
from rpmcore.gate import RiskGate
from rpmcore.risk.sizing import constraints
from tests.gate.conftest import make_genesis

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "limitations.md").read_text(encoding="utf-8")
CENTURY = 100 * 365 * 24 * 3600 * 1_000_000_000


@pytest.fixture
def gate():
    genesis = make_genesis()
    return RiskGate.in_memory(genesis, clock=lambda: genesis.at)


def test_a_clock_that_was_far_ahead_blocks_a_ledger():
    genesis = make_genesis()
    shown = [genesis.at + CENTURY]
    gate = RiskGate.in_memory(genesis, clock=lambda: shown[0], timer=lambda: 0)
    gate.tick()
    shown[0] = genesis.at
    signal = Signal(
        signal_id="S1", strategy_id="trend", symbol="EURUSD", side="buy", entry=1.137, at=genesis.at, quantity=10_000.0
    )
    assert gate.decide(signal).reason == "clock_reversed"
    assert "A clock that was far ahead blocks a ledger" in PAGE


def test_the_equity_that_is_told_is_believed(gate):
    at, before = gate.engine.genesis.at, gate.engine.account.equity
    gate.handle(EquityMark(at=at, command_id="E1", correlation_id="E1", equity=before * 1000))
    assert gate.engine.account.equity == pytest.approx(before * 1000)
    assert "`EquityMark`" in PAGE


def test_instruments_are_those_of_a_linear_book():
    assert set(get_args(Kind)) == {"fx", "equity", "index", "metal"}
    assert "Linear books only" in PAGE


def test_the_sample_ends_where_the_page_says():
    last = pc.max(pq.read_table(ROOT / "data" / "prices.parquet", columns=["date"])["date"]).as_py()
    assert last == date(2022, 12, 28)
    assert last.isoformat() in PAGE


def test_the_rejections_of_the_first_days_are_those_of_getting_started():
    shown = re.search(r"Rejected ([\d.]+)% of signals", (ROOT / "docs" / "getting-started.md").read_text("utf-8"))[1]
    assert f"{shown} % of the first days" in PAGE


def test_kelly_does_not_size_in_the_gate(gate, monkeypatch):
    """As `docs/sizing.md` says: a signal carries no record, so that Kelly is never asked."""
    now = gate.engine.genesis.at
    signal = Signal(
        signal_id="S1",
        strategy_id="trend",
        symbol="MSFT",
        side="buy",
        entry=133.96,
        stop=120.0,
        at=now,
        quantity=5000.0,
    )
    before = gate.what_if(signal, at=now)
    assert any(check.name == "sizing" for check in before.checks)

    def asked(*_arguments):
        raise AssertionError("Kelly was asked")

    for name in ("kelly_fraction", "continuous_kelly", "fractional_kelly"):
        monkeypatch.setattr(constraints, name, asked)
    assert gate.what_if(signal, at=now) == before
    assert "**Kelly does not size in the gate.**" in (ROOT / "docs" / "sizing.md").read_text(encoding="utf-8")
