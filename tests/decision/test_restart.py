"""Nothing but the commands decides: not when it is asked, not a restart, not hash seeds, not threads."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rpmcore.decision.engine import DecisionEngine
from rpmcore.decision.genesis import Genesis
from rpmcore.domain.canonical import canonical_bytes
from rpmcore.domain.commands import command_of_plain
from rpmcore.domain.errors import InvalidArgument
from tests.decision import worlds
from tests.decision.worlds import DAY, HOUR, MINUTE

POSITIONS = (("trend", "XOM", "500"), ("carry", "SAP", "-200"), ("trend", "USDJPY", "60000"))


def story(world):
    """Commands of every kind, each made when the ones before have happened."""
    yield worlds.signal(world, "EURUSD", "buy", 40_000.0, signal_id="a")
    yield worlds.release(world, "a")
    yield worlds.fill(world, "a", 10_000.0, price=worlds.last(world, "EURUSD") * 1.0003, fees=3.25)
    yield worlds.signal(world, "XOM", "sell", 700.0, signal_id="b", stop=worlds.last(world, "XOM") * 1.03)
    yield worlds.signal(world, "CVX", "buy", None, signal_id="c", risk=0.002, stop=worlds.last(world, "CVX") * 0.97)
    yield worlds.quotes(world, SAP=worlds.last(world, "SAP") * 1.013, EURUSD=worlds.last(world, "EURUSD") * 0.997)
    yield worlds.signal(world, "SP500", "buy", 1e5, signal_id="d")
    yield worlds.signal(world, "SP500", "buy", 20.0, signal_id="e", strategy_id="carry")
    yield worlds.release(world, "e", 7.0)
    yield worlds.fill(world, "e", 7.0)
    yield worlds.bar(world, {"XOM": 0.021, "CVX": 0.017, "SP500": -0.011, "USDJPY": 0.004}, missing=("SAP",))
    yield worlds.fill(world, "a")
    yield worlds.signal(world, "EURUSD", "sell", 55_000.0, signal_id="f")
    yield worlds.cash_flow(world, -12_345.678)
    yield worlds.trade(world, -1234.5)
    yield worlds.reconfigured(world, worlds.settings(limits={"value_at_risk": 0.015}, gate={"max_messages": 50}))
    yield worlds.trip(world, "throttle", scope="carry")
    yield worlds.signal(world, "SAP", "buy", 50.0, signal_id="g", strategy_id="carry")
    yield worlds.bar(world, {"XOM": -0.031, "CVX": -0.027, "SP500": -0.021, "SAP": -0.02}, later=3 * DAY)
    yield worlds.signal(world, "XOM", "buy", 100.0, signal_id="h", entry=1.0)
    yield worlds.operator(world, "pin_regime", value="volatile")
    yield worlds.trip(world, scope="trend")
    yield worlds.signal(world, "XOM", "sell", 50.0, signal_id="i")
    yield worlds.fill(world, "stray", 5.0, strategy_id="trend", symbol="SAP", side="buy")
    yield worlds.operator(world, "reset")
    yield worlds.operator(world, "reset", scope="trend", measure_anew=True)
    yield worlds.signal(world, "XOM", "buy", 20.0, signal_id="j", late_by=5)
    yield worlds.equity_mark(world, 990_000.0)
    yield worlds.tick(world, later=HOUR)
    yield worlds.bar(world, {"EURUSD": 0.003})
    yield worlds.signal(world, "EURUSD", "sell", 5_000.0, signal_id="k", strategy_id="carry")
    yield worlds.signal(world, "XOM", "buy", 10.0, signal_id="n")
    yield worlds.release(world, "n")
    yield worlds.cancel_requested(world, "n")
    yield worlds.tick(world, later=MINUTE)
    yield worlds.reconciled(world)
    yield worlds.broken(world)
    yield worlds.signal(world, "XOM", "sell", 5.0, signal_id="l")
    book = worlds.broker_book(world, positions=[("XOM", "490", ""), ("SAP", "-200", "")], orders=[], cursor=7)
    yield worlds.reconciled(world, book)
    yield worlds.operator(world, "adopt_broker", scope="trend", value=str(world.sequence))


def told(outcome):
    decision = None if outcome.decision is None else outcome.decision.to_plain()
    return canonical_bytes({"decision": decision, "events": list(outcome.events)})


def state_of(world):
    return canonical_bytes(world.state())


@pytest.fixture(scope="module")
def record():
    """The commands of the story as plain JSON, what each led to, and the state before and after it."""
    world = worlds.engine(positions=POSITIONS)
    rows, before = [], state_of(world)
    for command in story(world):
        plain = json.loads(canonical_bytes(command.to_plain()))
        outcome = told(world.handle(command))
        rows.append((plain, outcome, before, before := state_of(world)))
    return rows


def test_the_story_is_worth_it(record):
    verdicts = [json.loads(outcome)["decision"] for _, outcome, _, _ in record]
    found = {decision["verdict"] for decision in verdicts if decision}
    assert found == {"approved", "cut", "rejected"}
    assert {plain["kind"] for plain, *_ in record} == {
        "signal", "release", "fill", "quotes", "bar", "cash_flow", "trade", "operator", "equity", "tick",
        "integrity_failed", "reconfigured", "cancel_requested", "reconciled",
    }  # fmt: skip


def test_asking_changes_nothing(record):
    world = worlds.engine(positions=POSITIONS)
    for plain, outcome, before, after in record:
        for later in (0, MINUTE, 7 * DAY):
            world.decide(worlds.signal(world, "XOM", "buy", 30.0, at=world.last_at + later, signal_id="what if"))
            world.not_released("b", 1.0, world.last_at + later)
        assert state_of(world) == before
        assert told(world.handle(command_of_plain(plain))) == outcome
        assert state_of(world) == after


def test_a_restart_equals_none_at_any_point(record):
    world = worlds.engine(positions=POSITIONS)
    genesis = Genesis.of_plain(json.loads(canonical_bytes(world.genesis.to_plain())))
    for plain, outcome, before, after in record:
        world = DecisionEngine.from_state(genesis, json.loads(before))
        assert state_of(world) == before
        assert told(world.handle(command_of_plain(plain))) == outcome
        assert state_of(world) == after


def test_a_later_restart_equals_none_to_the_end(record):
    for start in (3, 11, 20):
        world = DecisionEngine.from_state(worlds.genesis(positions=POSITIONS), json.loads(record[start][2]))
        for plain, outcome, _, after in record[start:]:
            assert told(world.handle(command_of_plain(plain))) == outcome
            assert state_of(world) == after


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"last": tuple(row for row in worlds.genesis().last if row[0] not in ("SAP", "XOM", "USDJPY"))},
        {"closes": tuple((*row[:1], None, None, None, *row[4:]) for row in worlds.genesis().closes)},
    ],
    ids=["sums", "texts of prices", "texts of history"],
)
def test_nothing_depends_on_what_was_bought_first(changes):
    """The state keeps positions by name: neither a sum nor a text may keep another order."""
    worlds_of = [worlds.engine(positions=p, **changes) for p in (POSITIONS, POSITIONS[::-1])]
    for number in range(3):
        outcomes = set()
        for world in worlds_of:
            moves = {"XOM": 0.0123, "SAP": -0.0237, "USDJPY": 0.0031}
            prices = {s: p * (1.0 + moves.get(s, 0.0)) for s, (p, _) in world.market.last.items()}
            outcomes.add(told(world.handle(worlds.quotes(world, **prices))))
            outcomes.add(told(world.handle(worlds.signal(world, signal_id=f"{number}"))))
        assert len(outcomes) == 2
        assert len({state_of(world) for world in worlds_of}) == 1


def test_another_state_is_refused():
    with pytest.raises(InvalidArgument, match="cannot be restored"):
        DecisionEngine.from_state(worlds.genesis(), {"schema": "rpm.other/1"})


def digest():
    """One digest of all that the story leads to; of a book wide enough for BLAS to use its threads."""
    found = hashlib.sha256()
    world = worlds.engine(positions=POSITIONS)
    for command in story(world):
        found.update(told(world.handle(command)))
        found.update(state_of(world))
    return found.hexdigest()


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONHASHSEED": "1", "OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"},
        {"PYTHONHASHSEED": "4711", "OPENBLAS_NUM_THREADS": "2", "NUMBA_NUM_THREADS": "2"},
    ],
    ids=["one thread", "two threads"],
)
def test_hash_seeds_and_threads_change_no_byte(environment):
    code = "from tests.decision.test_restart import digest; print(digest())"
    found = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, cwd=Path(__file__).parents[2],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout.strip() == digest()
