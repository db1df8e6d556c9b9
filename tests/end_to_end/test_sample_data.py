"""The committed sample is what its script builds, and holds moves that everybody remembers."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from rpmcore.domain.reference import profiles, sample_path

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="module")
def prices() -> pa.Table:
    return pq.read_table(sample_path("prices.parquet"))


@pytest.fixture(scope="module")
def book() -> pa.Table:
    return pq.read_table(sample_path("portfolio.parquet"))


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    subprocess.run([sys.executable, DATA / "build.py", "--out", folder], check=True, capture_output=True)
    return folder


def move(prices: pa.Table, symbol: str, day: date) -> float:
    """Return the close of a day over the last one before it, less one."""
    known = prices.filter(pc.is_valid(prices[symbol]))
    row = known["date"].to_pylist().index(day)
    closes = known[symbol]
    return float(closes[row].as_py() / closes[row - 1].as_py() - 1.0)


class TestScript:
    @pytest.mark.parametrize("name", ["prices.parquet", "portfolio.parquet"])
    def test_the_committed_file_is_what_the_script_builds(self, rebuilt: Path, name: str) -> None:
        assert pq.read_table(rebuilt / name).equals(pq.read_table(DATA / name), check_metadata=True)

    @pytest.mark.parametrize("name", ["prices.parquet", "portfolio.parquet"])
    def test_a_second_run_gives_the_same_bytes(self, rebuilt: Path, tmp_path: Path, name: str) -> None:
        subprocess.run([sys.executable, DATA / "build.py", "--out", tmp_path], check=True, capture_output=True)
        assert (tmp_path / name).read_bytes() == (rebuilt / name).read_bytes()

    def test_the_betas_of_the_reference_data_are_its_own(self) -> None:
        printed = subprocess.run(
            [sys.executable, DATA / "build.py", "--betas"], check=True, capture_output=True, text=True
        )
        betas = {symbol: float(beta) for symbol, beta in map(str.split, printed.stdout.splitlines())}
        assert betas == {s: p.instrument.beta for s, p in profiles().items() if s != "XAUUSD"}


class TestPrices:
    @pytest.mark.parametrize(
        ("symbol", "day", "expected"),
        [
            ("GBPUSD", date(2016, 6, 24), -0.0784),
            ("SP500", date(2008, 10, 15), -0.0903),
            ("USDCHF", date(2015, 1, 15), -0.139),
        ],
    )
    def test_known_moves_are_there(self, prices: pa.Table, symbol: str, day: date, expected: float) -> None:
        assert move(prices, symbol, day) == pytest.approx(expected, abs=5e-4)

    def test_they_cover_the_days_that_are_promised(self, prices: pa.Table) -> None:
        days = prices["date"].to_numpy()
        assert prices.schema.field("date").type == pa.date32()
        assert (days[0], days[-1]) == (np.datetime64("1999-01-04"), np.datetime64("2022-12-28"))
        assert (np.diff(days) > np.timedelta64(0, "D")).all()

    def test_prices_are_positive_or_missing_and_no_row_is_empty(self, prices: pa.Table) -> None:
        closes = prices.drop_columns("date")
        assert all(pc.min(column).as_py() > 0.0 for column in closes.columns)
        assert all(not pc.any(pc.is_nan(column)).as_py() for column in closes.columns)
        present = np.column_stack([pc.is_valid(column).to_numpy() for column in closes.columns])
        assert present.any(axis=1).all()
        assert present.all(axis=1).sum() == 5983

    def test_rates_agree_with_their_crosses(self, prices: pa.Table) -> None:
        rate = {symbol: prices[symbol].to_numpy() for symbol in ("EURUSD", "GBPUSD", "EURGBP", "USDJPY", "EURJPY")}
        known = np.isfinite(rate["EURUSD"])
        np.testing.assert_allclose((rate["EURGBP"] * rate["GBPUSD"])[known], rate["EURUSD"][known], rtol=1e-12)
        np.testing.assert_allclose((rate["EURUSD"] * rate["USDJPY"])[known], rate["EURJPY"][known], rtol=1e-12)

    def test_every_symbol_has_reference_data(self, prices: pa.Table) -> None:
        assert set(prices.column_names) - {"date"} <= set(profiles())

    def test_they_name_their_sources(self, prices: pa.Table) -> None:
        assert prices.schema.metadata[b"rpm.schema"] == b"rpm.prices/1"
        source = prices.schema.metadata[b"source"].decode()
        assert "European Central Bank" in source
        assert "skfolio" in source


class TestBook:
    def test_it_says_whose_account_it_is(self, book: pa.Table) -> None:
        metadata = {key.decode(): value.decode() for key, value in book.schema.metadata.items()}
        assert metadata["rpm.schema"] == "rpm.book/1"
        assert metadata["rpm.base_currency"] == "USD"
        assert float(metadata["rpm.capital"]) == 10_000_000.0
        assert metadata["rpm.as_of"] == "2022-12-28"

    def test_every_position_has_a_price_and_a_strategy(self, book: pa.Table, prices: pa.Table) -> None:
        assert set(book["symbol"].to_pylist()) <= set(prices.column_names)
        assert set(book["strategy_id"].to_pylist()) == {"trend_fx", "carry_fx", "equity_long_short"}

    def test_it_is_long_and_short_with_leverage(self, book: pa.Table) -> None:
        weights = book["market_value"].to_numpy() / 10_000_000.0
        assert 1.6 <= np.abs(weights).sum() <= 2.0
        assert (weights > 0.0).any()
        assert (weights < 0.0).any()
        assert (np.abs(weights) > 0.25).sum() <= 1

    def test_its_volatility_is_believable_and_off_target(self, book: pa.Table, prices: pa.Table) -> None:
        returns = account_returns(prices, book["symbol"].to_pylist())
        daily = returns[-60:] @ (book["market_value"].to_numpy() / 10_000_000.0)
        decay = 0.94 ** np.arange(59, -1, -1)
        annual = np.sqrt(252 * (decay / decay.sum()) @ daily**2)
        assert 0.165 <= annual <= 0.18

    def test_its_value_at_risk_is_below_the_limit_but_near(self, book: pa.Table, prices: pa.Table) -> None:
        returns = account_returns(prices, book["symbol"].to_pylist())
        losses = np.sort(-returns[-500:] @ (book["market_value"].to_numpy() / 10_000_000.0))[::-1]
        assert 0.016 <= losses[24] <= 0.019
        assert losses[24] < losses[:25].mean() < 0.03


def account_returns(prices: pa.Table, symbols: list[str]) -> np.ndarray:
    """Return (n_obs, n_symbols) returns of holdings in US dollars on the days that all symbols have."""
    needed = [*symbols, "EURUSD", "GBPUSD", "USDJPY"]
    closes = {symbol: prices[symbol].to_numpy() for symbol in needed}
    common = np.all([np.isfinite(column) for column in closes.values()], axis=0)
    closes = {symbol: column[common] for symbol, column in closes.items()}
    dollars = {
        "USD": np.ones(common.sum()),
        "EUR": closes["EURUSD"],
        "GBP": closes["GBPUSD"],
        "JPY": 1.0 / closes["USDJPY"],
        "NZD": closes["NZDUSD"],
    }
    columns = []
    for symbol in symbols:
        price = closes[symbol]
        if len(symbol) == 6:
            base, quote = dollars[symbol[:3]], dollars[symbol[3:]]
            columns.append(np.diff(price) * quote[1:] / base[:-1])
        else:
            columns.append(price[1:] / price[:-1] - 1.0)
    return np.column_stack(columns)
