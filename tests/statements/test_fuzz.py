"""Whatever a file holds, it is imported or refused; nothing else comes out."""

import tempfile
from decimal import Decimal
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from rpmcore.adapters.statements.lots import ContractSizes
from rpmcore.adapters.statements.strategy_names import StrategyRules
from rpmcore.adapters.statements.symbols import SymbolRules
from rpmcore.adapters.tables.book import read_book
from rpmcore.adapters.tables.trades import read_trades
from rpmcore.domain.errors import ConfigurationError, InputError
from rpmcore.import_jobs import Statements, import_csv, import_mt5
from tests.statements.samples import Sample
from tests.statements.test_csv import FILE, MAPPING

RULES = Statements(
    time_zone="Europe/Athens", symbols=SymbolRules(), strategies=StrategyRules(default="all"),
    sizes=ContractSizes(sizes={"XAUUSD": Decimal(100), "*": Decimal(100_000)}, currencies={}),
)  # fmt: skip
PIECES = st.sampled_from(
    ["", "0", "-", "−", "1e9", "nan", "9" * 30, "<td>", "</tr>", "<tr>", "<!--", '"', ";", ",", "\n", "\x00", "\ud7ff",
     "Positions", "Deals", "Balance:", "EURUSD.m", "2024.13.01 10:00", "sell", "\u202f", "é", "|", "0.00",
     "<td colspan='99999'>"]
)  # fmt: skip


@st.composite
def damaged(draw, text):
    """Return a text with pieces of it replaced by what does not belong there."""
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(text)))
        length = draw(st.sampled_from([0, 1, 3, 20, 200]))
        text = text[:at] + draw(PIECES) + text[at + length :]
    return text


def outcome(content, work):
    """Return what came of it; anything but an error that rpm raises on purpose fails the test."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        try:
            return work(path, Path(folder))
        except (InputError, ConfigurationError):
            return None


def mt5(path, folder):
    found = import_mt5(str(path), RULES, trades=folder / "t.parquet", book=folder / "b.parquet")
    readable(found, folder)
    return found


def readable(found, folder):
    """What is written can be read, and says the same."""
    try:
        trades = read_trades(folder / "t.parquet")
        book = read_book(folder / "b.parquet", capital=1.0) if found.book is not None else None
    except InputError as error:
        raise AssertionError("what was written cannot be read") from error
    assert len(trades.trades) == found.trades.n_trades
    assert book is None or len(book.holdings) == len(found.book.holdings)


@given(damaged(Sample().html()), st.sampled_from(["utf-8", "utf-16", "utf-16-be"]))
def test_a_damaged_report_is_imported_or_refused(text, encoding):
    found = outcome(text.encode(encoding), mt5)
    assert found is None or all(abs(row.difference) < Decimal("0.005") for row in found.reconciliation)


@given(damaged(Sample().csv()))
def test_a_damaged_csv_of_a_report_is_imported_or_refused(text):
    outcome(text.encode(), mt5)


@given(st.binary(max_size=400))
def test_bytes_are_imported_or_refused(content):
    assert outcome(content, mt5) is None


@given(damaged(FILE), damaged(MAPPING))
def test_a_damaged_file_or_mapping_is_imported_or_refused(file, mapping):
    def work(path, folder):
        (folder / "map").write_text(mapping, encoding="utf-8")
        found = import_csv(str(path), str(folder / "map"), trades=folder / "t.parquet")
        readable(found, folder)
        return found

    outcome(file.encode(), work)


@given(damaged(FILE))
def test_a_damaged_file_is_imported_or_refused(file):
    def work(path, folder):
        (folder / "map").write_text(MAPPING, encoding="utf-8")
        found = import_csv(str(path), str(folder / "map"), trades=folder / "t.parquet")
        readable(found, folder)
        return found

    outcome(file.encode(), work)
