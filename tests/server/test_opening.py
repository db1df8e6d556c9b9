"""What is served: a ledger as it was left, a new one, a dry run that leaves it alone, the sample in its own time."""

import pytest

from rpmcore.adapters.ledger.reader import LedgerReader
from rpmcore.domain import reference
from rpmcore.domain.errors import InputError
from rpmcore.domain.orders import Signal
from rpmcore.server.clock import SampleClock
from rpmcore.server.opening import SAMPLE_LEDGER, Asked, opened, state_folder
from tests.gate.conftest import short_settings
from tests.small_gate import write_key, write_small_ledger


@pytest.fixture(autouse=True)
def _folders(tmp_path, monkeypatch):
    monkeypatch.setenv("RPM_LEDGER_KEY_FILE", str(write_key(tmp_path / "secret")))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def ledger(tmp_path):
    folder = tmp_path / "desk"
    folder.mkdir()
    return write_small_ledger(folder / "desk.ledger")


def _ask(source, name="now"):
    engine = source.gate.engine
    last = {symbol: price for symbol, (price, _) in engine.market.last.items()}
    signal = Signal(
        signal_id=name, strategy_id="trend", symbol="EURUSD", side="sell", quantity=1000.0, entry=last["EURUSD"],
        at=engine.last_at,
    )  # fmt: skip
    return source.gate.decide(signal, at=engine.last_at)


def test_a_ledger_goes_on_as_it_was_left(ledger):
    with opened(Asked(ledger=str(ledger)), short_settings()) as source:
        assert source.sample is None
        assert [line.signal_id for line in source.earlier][:3] == ["s1", "s2", "s3"]
        assert source.stored("s1").approved
        assert source.stored("nobody") is None
        decision = _ask(source)
        assert decision.signature
        assert source.stored("now") == decision


def test_a_dry_run_begins_where_the_ledger_stands_and_leaves_it_alone(ledger):
    with LedgerReader.open(ledger) as reader:
        before = reader.head
    with opened(Asked(ledger=str(ledger), dry_run=True), short_settings()) as source:
        assert (source.ledger, source.path) == ("in memory", None)
        decision = _ask(source)
        assert decision.sequence == before.sequence + 1
        assert decision.signature is None
        assert source.stored("now") == decision
    with LedgerReader.open(ledger) as reader:
        assert reader.head == before


def test_a_book_begins_a_ledger(tmp_path):
    book = str(reference.sample_path("opening_book.parquet"))
    asked = Asked(ledger=str(tmp_path / "new.ledger"), book=book)
    with opened(asked, short_settings()) as source:
        assert source.path.exists()
        assert source.gate.engine.account.positions
    with pytest.raises(InputError, match="has its own book"), opened(asked, short_settings()):
        pass
    with opened(Asked(book=book, dry_run=True), short_settings()) as source:
        assert source.ledger == "in memory"


def test_the_sample_goes_on_in_its_own_time(tmp_path):
    with opened(Asked(), short_settings()) as source:
        assert source.path == state_folder() / SAMPLE_LEDGER
        begun = source.gate.engine.last_at
        assert 0 <= source.gate.now() - begun < 3_600_000_000_000
        source.gate.tick()
        left = source.gate.engine.last_at
    with opened(Asked(), short_settings()) as source:
        assert source.gate.engine.last_at == left
        assert source.gate.now() >= left
    assert str(tmp_path) in str(state_folder())


def test_a_clock_of_the_sample_passes_as_ours_does():
    clock = SampleClock()
    assert clock() == 0
    clock.begin(1_000)
    first = clock()
    assert 1_000 <= first <= clock()
