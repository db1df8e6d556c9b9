"""A gate that works for ever, to be killed: it prints a line for everything that it has acknowledged."""

import sys
from pathlib import Path

from rpmcore.domain.orders import Signal
from rpmcore.gate import RiskGate, approved_trade
from tests.gate.conftest import KEY, SECOND, make_genesis
from tests.kill9 import acknowledge

SYMBOLS = ("EURUSD", "KO", "USDJPY", "JPM", "AUDUSD")
SIZES = {"EURUSD": 20_000.0, "KO": 100.0, "USDJPY": 20_000.0, "JPM": 100.0, "AUDUSD": 20_000.0}
ROUND = 12
"""Signals between one halt and the next."""


def signal_of(number: int, entry: float, at: int) -> Signal:
    """Return the n-th signal: it always is the same, so that it can be sent again."""
    symbol = SYMBOLS[number % len(SYMBOLS)]
    side = "buy" if (number // len(SYMBOLS)) % 2 == 0 else "sell"
    return Signal(
        signal_id=f"s{number}", strategy_id="trend", symbol=symbol, side=side, entry=entry, at=at,
        quantity=SIZES[symbol],
    )  # fmt: skip


def work_for_ever(path: str) -> None:
    """Decide, release and fill signal after signal; halt in every round, and be reset by an operator at its end."""
    clock = [0]
    if Path(path).exists():
        gate = RiskGate.open(path, KEY, clock=lambda: clock[0], timer=None)
    else:
        gate = RiskGate.create(path, make_genesis(), KEY, clock=lambda: clock[0], timer=None)
    clock[0] = gate.engine.last_at
    last = {symbol: price for symbol, price, _ in gate.engine.genesis.last}
    number = 0
    while gate._store.find(f"signal:s{number}") is not None:
        number += 1
    number = max(number - 1, 0)  # the last one again: it may have been cut off half-way
    while True:
        start = gate.engine.genesis.at
        clock[0] = max(clock[0], start + number * SECOND)
        signal = signal_of(number, last[SYMBOLS[number % len(SYMBOLS)]], start + number * SECOND)
        decision = gate.decide(signal, at=clock[0])
        acknowledge(f"decision {signal.signal_id} {decision.sequence} {decision.approved:g}")
        order = gate.engine.account.orders.get(signal.signal_id)
        if decision.approved and order is not None and order.state.value == "approved":
            gate.release(approved_trade(decision))
            acknowledge(f"release {signal.signal_id}")
        if signal.signal_id in gate.engine.account.orders:
            gate.fill(
                f"f{number}", signal.signal_id, strategy_id="trend", symbol=signal.symbol, side=signal.side,
                quantity=decision.approved, price=signal.entry,
            )  # fmt: skip
            acknowledge(f"fill f{number}")
        if number % ROUND == 3:
            gate.operate("trip", operator="A. Head", reason="drill", value="halt", request_id=f"trip{number}")
            acknowledge(f"trip trip{number}")
        if number % ROUND == 7:
            gate.operate("reset", operator="A. Head", reason="drill is over", request_id=f"reset{number}")
            acknowledge(f"reset reset{number}")
        number += 1


if __name__ == "__main__":
    work_for_ever(sys.argv[1])
