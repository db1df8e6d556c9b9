"""A gate on the opening book of the sample, with a history short enough to start in a moment."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from rpmcore.adapters.configuration.loading import Settings, load_settings
from rpmcore.decision.genesis import Genesis
from rpmcore.domain import reference
from rpmcore.domain.orders import Signal
from rpmcore.domain.signing_key import SigningKey
from rpmcore.gate import RiskGate
from rpmcore.gate_start import gate_prices, genesis_of

SECOND = 1_000_000_000
KEY = SigningKey(b"a key for tests, of more than 32 bytes")

SETTINGS = (
    "gate.starting_history=200", "gate.minimum_history=60", "tail_risk.lookback=100",
    "adaptive.regimes.minimum_history=60", "adaptive.volatility.minimum_history=60",
    "adaptive.stress.minimum_history=60",
)  # fmt: skip


def short_settings(*changes: str) -> Settings:
    return load_settings(None, (*SETTINGS, *changes))


def make_genesis(*changes: str) -> Genesis:
    prices = gate_prices(None)
    return genesis_of(
        reference.sample_path("opening_book.parquet"), prices, short_settings(*changes), as_of=date(2019, 6, 28),
        strategies={"trend": 5_000_000.0},
    )  # fmt: skip


@pytest.fixture(scope="session")
def genesis() -> Genesis:
    return make_genesis()


class Times:
    """A clock that moves when it is told to."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock(genesis: Genesis) -> Times:
    return Times(genesis.at)


@pytest.fixture
def ledger_path(tmp_path: Path) -> Path:
    folder = tmp_path / "ledger"
    folder.mkdir()
    return folder / "desk.ledger"


@pytest.fixture
def gate(genesis: Genesis, clock: Times, ledger_path: Path) -> Iterator[RiskGate]:
    with RiskGate.create(ledger_path, genesis, KEY, clock=clock, timer=None) as made:
        yield made


@pytest.fixture
def signal(genesis: Genesis) -> Callable[..., Signal]:
    last = {symbol: price for symbol, price, _ in genesis.last}

    def make(number: int = 1, **changes: object) -> Signal:
        symbol = str(changes.get("symbol", "EURUSD"))
        given = {
            "signal_id": f"s{number}", "strategy_id": "trend", "symbol": symbol, "side": "buy",
            "entry": last[symbol], "at": genesis.at, "quantity": 100_000.0, **changes,
        }  # fmt: skip
        return Signal(**given)  # type: ignore[arg-type]

    return make
