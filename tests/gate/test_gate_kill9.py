"""kill -9 at random moments: nothing that was acknowledged is lost, nothing is doubled, and a halt survives."""

import os
import sys
from decimal import Decimal

from rpmcore.adapters.ledger.reader import LedgerReader
from rpmcore.domain.canonical import parse
from rpmcore.domain.controls import TradingState
from rpmcore.gate import RiskGate
from tests.gate.conftest import KEY
from tests.gate.kill_target import signal_of
from tests.kill9 import campaign

KILLS = int(os.environ.get("RPM_KILLS", "50"))
"""`make nightly` kills 2,000 times."""


def test_what_was_acknowledged_survives_any_kill(ledger_path):
    decisions: dict[str, tuple[int, float]] = {}
    keys: set[str] = set()
    for kill in campaign([sys.executable, "-m", "tests.gate.kill_target", str(ledger_path)], KILLS, seed=15):
        for line in kill.acknowledged:
            kind, name, *rest = line.split()
            if kind == "decision":
                found = (int(rest[0]), float(rest[1]))
                assert decisions.setdefault(name, found) == found, "a signal sent again gets the decision that stands"
            elif kind != "release":
                keys.add(f"{'operator' if kind in ('trip', 'reset') else kind}:{name}")
        if not ledger_path.exists():
            assert not decisions
            continue
        _check(ledger_path, decisions, keys)
    assert len(decisions) > KILLS
    assert {key.split(":")[0] for key in keys} == {"fill", "operator"}


def _check(path, decisions, keys):
    with LedgerReader.open(path, KEY) as reader:
        commands = [parse(record.body) for record in reader.records("command")]
        recorded = {record.key for record in reader.records() if record.key}
        for name, (sequence, approved) in decisions.items():
            stored = reader.find(f"signal:{name}")
            assert stored is not None, f"{name} was acknowledged and is lost"
            body = parse(stored.body)
            assert (body["sequence"], body["approved"]) == (sequence, approved)
    assert keys <= recorded
    held: dict[str, Decimal] = {}
    for command in commands:
        if command["kind"] == "fill":
            sign = 1 if command["side"] == "buy" else -1
            held[command["symbol"]] = held.get(command["symbol"], Decimal(0)) + sign * Decimal(str(command["quantity"]))
    orders = [command for command in commands if command["kind"] == "operator"]
    halted = bool(orders) and orders[-1]["action"] == "trip"
    last_time = max((command["at"] for command in commands), default=0)
    with RiskGate.open(path, KEY, clock=lambda: last_time, timer=None) as gate:
        mine = {symbol: quantity for (who, symbol), quantity in gate.engine.account.positions.items() if who == "trend"}
        assert mine == {symbol: quantity for symbol, quantity in held.items() if quantity}
        assert gate.trading_state is (TradingState.REDUCING if halted else TradingState.ACTIVE)
        last = {symbol: price for symbol, price, _ in gate.engine.genesis.last}
        for name, (sequence, approved) in list(decisions.items())[-2:]:
            number = int(name[1:])
            symbol = signal_of(number, 1.0, 0).symbol
            again = gate.decide(signal_of(number, last[symbol], gate.engine.genesis.at + number * 1_000_000_000))
            assert (again.sequence, again.approved) == (sequence, approved)
