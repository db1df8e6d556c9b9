"""Absolute figures of the gate, for ``make nightly``: decision times, ledger, replay, memory.

    python benchmarks/gate_figures.py [--decisions 1000000]

The targets are of an idle machine with two cores; CI holds ratios alone (benchmarks/cases.py). Exits with 1 where a
target is missed.
"""

import argparse
import gc
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from rpmcore.adapters.configuration.loading import load_settings
from rpmcore.adapters.ledger.reader import LedgerReader
from rpmcore.decision.engine import DecisionEngine
from rpmcore.decision.genesis import Genesis
from rpmcore.decision.replay import replay
from rpmcore.domain.commands import SignalReceived
from rpmcore.domain.orders import Signal
from rpmcore.domain.prices import PriceHistory
from rpmcore.domain.signing_key import SigningKey
from rpmcore.gate import RiskGate
from rpmcore.gate_start import genesis_of
from rpmcore.gate_store import recorded

KEY = SigningKey(b"a key for measurements, longer than 32 bytes")
SECOND = 1_000_000_000


def genesis_with(positions: int, days: int = 620) -> Genesis:
    """Return a book of so many shares in five sectors, with capital enough for its limits."""
    rng = np.random.default_rng(11)
    sectors = ["Energy", "Financials", "Health Care", "Industrials", "Materials"]
    symbols = [f"S{i:03d}" for i in range(positions)]
    market = rng.normal(0.0, 0.006, (days, 1))
    moves = 0.8 * market + rng.normal(0.0, 0.01, (days, positions))
    closes = 100.0 * np.exp(np.cumsum(moves, axis=0))
    first = date(2020, 1, 1)
    dates = np.array([str(first + timedelta(days=i)) for i in range(days)], dtype="datetime64[D]")
    prices = PriceHistory(dates=dates, symbols=tuple(symbols), closes=closes, path="made up")
    book = pa.table(
        {
            "symbol": symbols, "market_value": [5e7 / positions * (1 if i % 3 else -1) for i in range(positions)],
            "strategy_id": ["a" if i % 2 else "b" for i in range(positions)],
            "sector": [sectors[i % 5] for i in range(positions)], "currency": ["USD"] * positions,
        }
    )  # fmt: skip
    assets = pa.table({"symbol": symbols, "currency": ["USD"] * positions, "beta": [0.9] * positions})
    settings = load_settings(
        None,
        (
            "kill_switches.exposure_velocity.max_growth=100.0",
            "kill_switches.exposure_velocity.max_leverage_growth=100.0",
            "kill_switches.repeated_execution.max_executions=100000", "gate.max_messages=1000000",
        ),
    )  # fmt: skip
    return genesis_of(book, prices, settings, as_of=prices.dates[-1].item(), capital=1e8, base_currency="USD",
                      assets=assets)  # fmt: skip


def signals_on(genesis: Genesis, number: int) -> Iterator[Signal]:
    """Yield small orders on one symbol after the other."""
    symbols = list(genesis.profiles)
    last = {symbol: price for symbol, price, _ in genesis.last}
    for i in range(number):
        symbol = symbols[i % len(symbols)]
        yield Signal(
            signal_id=f"n{i}", strategy_id="ab"[i % 2], symbol=symbol, side="buy" if i % 4 < 2 else "sell",
            entry=last[symbol], at=genesis.at + i * SECOND, quantity=10.0,
        )  # fmt: skip


def timed(call: Callable[[Signal], object], signals: Iterator[Signal]) -> dict[str, float]:
    """Return median, 99th percentile and maximum in milliseconds."""
    times = []
    for signal in signals:
        start = time.perf_counter()
        call(signal)
        times.append((time.perf_counter() - start) * 1e3)
    times.sort()
    return {"median": times[len(times) // 2], "p99": times[int(len(times) * 0.99)], "max": times[-1]}


def in_memory(positions: int, number: int) -> dict[str, float]:
    """Return the times of whole decisions on the book as it stands, without a record."""
    genesis = genesis_with(positions)
    engine = DecisionEngine(genesis)
    engine.decide(SignalReceived(at=genesis.at, signal=next(signals_on(genesis, 1))))
    return timed(lambda s: engine.decide(SignalReceived(at=s.at, signal=s)), signals_on(genesis, number))


def durable(number: int) -> tuple[dict[str, float], float, float]:
    """Return the times of recorded decisions, decisions replayed a second, and resident memory in MiB."""
    genesis = genesis_with(50)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "figures.ledger"
        gate = RiskGate.create(path, genesis, KEY, timer=None)
        times = timed(lambda s: gate.decide(s, at=s.at), signals_on(genesis, number))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        gate.close()
        engine = DecisionEngine(genesis)
        with LedgerReader.open(path, None) as reader:
            start, done = time.perf_counter(), 0
            for each in replay(engine, recorded(reader.records(after=1))):
                assert each.same
                done += 1
                if done == min(number, 20_000):
                    break
            speed = done / (time.perf_counter() - start)
    return times, speed, memory


def main() -> int:
    """Print every figure beside its target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decisions", type=int, default=20_000, help="recorded in the ledger")
    chosen = parser.parse_args()
    gc.collect()
    fifty, many = in_memory(50, 3_000), in_memory(500, 1_000)
    times, speed, memory = durable(chosen.decisions)
    rows = [
        ("50 positions, in memory, median", fifty["median"], 0.2, "ms"),
        ("50 positions, in memory, p99", fifty["p99"], 1.0, "ms"),
        ("500 positions, in memory, p99", many["p99"], 5.0, "ms"),
        ("50 positions, durable ledger, p99", times["p99"], 15.0, "ms"),
        (f"resident memory after {chosen.decisions:,} decisions", memory, 300.0, "MiB"),
    ]
    missed = speed < 3_000.0
    for name, found, target, unit in rows:
        missed |= found > target
        print(f"{name:46} {found:9.3f} {unit:4} (target ≤ {target:g}){'' if found <= target else '  MISSED'}")
    print(f"{'replay':46} {speed:9.0f} /s   (target ≥ 3000){'' if speed >= 3_000.0 else '  MISSED'}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
