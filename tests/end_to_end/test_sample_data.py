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
import yaml

from rpmcore.domain.factor_profiles import EQUITY_FACTORS
from rpmcore.domain.reference import profiles, sample_path

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="module")
def prices() -> pa.Table:
    return pq.read_table(sample_path("prices.parquet"))


@pytest.fixture(scope="module")
def book() -> pa.Table:
    return pq.read_table(sample_path("portfolio.parquet"))


@pytest.fixture(scope="module")
def factors() -> pa.Table:
    return pq.read_table(sample_path("factors.parquet"))


@pytest.fixture(scope="module")
def printed() -> str:
    script = [sys.executable, "-X", "utf8", DATA / "build.py", "--loadings"]
    return subprocess.run(script, check=True, capture_output=True, encoding="utf-8").stdout


def build(folder: Path) -> Path:
    subprocess.run([sys.executable, DATA / "build.py", "--out", folder], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def built_again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("again"))


def move(prices: pa.Table, symbol: str, day: date) -> float:
    """Return the close of a day over the last one before it, less one."""
    known = prices.filter(pc.is_valid(prices[symbol]))
    row = known["date"].to_pylist().index(day)
    closes = known[symbol]
    return float(closes[row].as_py() / closes[row - 1].as_py() - 1.0)


class TestScript:
    @pytest.mark.parametrize("name", ["prices.parquet", "factors.parquet", "portfolio.parquet"])
    def test_the_committed_file_is_what_the_script_builds(self, rebuilt: Path, name: str) -> None:
        assert pq.read_table(rebuilt / name).equals(pq.read_table(DATA / name), check_metadata=True)

    @pytest.mark.parametrize("name", ["prices.parquet", "factors.parquet", "portfolio.parquet"])
    def test_a_second_run_gives_the_same_bytes(self, rebuilt: Path, built_again: Path, name: str) -> None:
        assert (built_again / name).read_bytes() == (rebuilt / name).read_bytes()

    def test_the_loadings_of_the_reference_data_are_its_own(self, printed: str) -> None:
        held = {
            symbol: {
                factor: {"value": loading.value, "source": loading.source}
                for factor, loading in profile.loadings.items()
                if loading.source != "neutral" and (symbol, factor) != ("XAUUSD", "beta")
            }
            for symbol, profile in profiles().items()
        }
        assert yaml.safe_load(printed) == held

    def test_the_betas_that_the_manual_shows_are_its_own(self, printed: str) -> None:
        shown = [line.removeprefix("# ") for line in printed.splitlines() if line.startswith("#")]
        assert len(shown) == 14
        assert "\n".join(shown) in (DATA / "README.md").read_text(encoding="utf-8")


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


class TestFactors:
    def test_each_has_a_return_on_every_date(self, factors: pa.Table) -> None:
        assert factors.schema.field("date").type == pa.date32()
        days = factors["date"].to_numpy()
        assert (days[0], days[-1], len(days)) == (np.datetime64("2014-01-03"), np.datetime64("2022-12-28"), 2244)
        assert (np.diff(days) > np.timedelta64(0, "D")).all()
        names = ["market", "momentum", "value", "size", "volatility", "quality", "usd"]
        assert factors.column_names == ["date", *names]
        assert all(np.isfinite(factors[name].to_numpy()).all() for name in names)

    def test_the_market_and_the_dollar_move_as_their_prices_do(self, factors: pa.Table, prices: pa.Table) -> None:
        dates = factors["date"].to_pylist()
        place = {day: i for i, day in enumerate(prices["date"].to_pylist())}
        rows = [place[day] for day in dates]
        index = prices["SP500"].to_numpy()[rows]
        np.testing.assert_allclose(factors["market"].to_numpy()[1:], index[1:] / index[:-1] - 1.0, rtol=0, atol=1e-15)
        # Without the Swedish krona, 4.2 % of the basket, five pairs of the sample make its return.
        parts = {"EURUSD": -0.576, "USDJPY": 0.136, "GBPUSD": -0.119, "USDCAD": 0.091, "USDCHF": 0.036}
        logs = sum(weight * np.diff(np.log(prices[symbol].to_numpy()[rows])) for symbol, weight in parts.items())
        krona = (np.log1p(factors["usd"].to_numpy()[1:]) - logs) / 0.042
        assert np.corrcoef(krona, np.diff(np.log(prices["EURUSD"].to_numpy()[rows])))[0, 1] < -0.7
        assert 0.004 < krona.std() < 0.008

    def test_styles_are_small_beside_the_market(self, factors: pa.Table) -> None:
        spread = {name: factors[name].to_numpy().std() for name in factors.column_names[1:]}
        assert 0.01 < spread["market"] < 0.013
        assert all(0.001 < spread[name] < 0.006 for name in EQUITY_FACTORS if name != "beta")
        assert 0.003 < spread["usd"] < 0.005

    def test_volatile_assets_fell_in_march_2020(self, factors: pa.Table) -> None:
        row = factors["date"].to_pylist().index(date(2020, 3, 16))
        assert factors["market"][row].as_py() == pytest.approx(-0.1198, abs=5e-4)
        assert factors["volatility"].to_numpy()[row] < 0.0

    def test_they_name_their_sources(self, factors: pa.Table) -> None:
        assert factors.schema.metadata[b"rpm.schema"] == b"rpm.factors/1"
        source = factors.schema.metadata[b"source"].decode()
        assert "European Central Bank" in source
        assert "skfolio" in source


class TestLoadings:
    @pytest.mark.parametrize(
        ("factor", "sign", "symbols"),
        [
            ("value", 1, ["XOM", "JPM", "GE"]),
            ("value", -1, ["MSFT", "AAPL"]),
            ("size", 1, ["BBY"]),
            ("size", -1, ["MSFT", "AAPL", "JNJ"]),
            ("volatility", -1, ["JNJ", "KO", "PG", "WMT"]),
            ("volatility", 1, ["AAPL", "MSFT"]),
            ("commodities", 1, ["XOM", "AUDUSD", "XAUUSD"]),
            ("commodities", -1, ["USDCAD"]),
            ("risk_on", 1, ["AUDUSD", "NZDUSD"]),
            ("risk_on", -1, ["USDCAD"]),
            ("usd", -1, ["EURUSD", "XAUUSD"]),
            ("usd", 1, ["USDJPY"]),
        ],
    )
    def test_signs_are_those_that_anybody_expects(self, factor: str, sign: int, symbols: list[str]) -> None:
        assert all(sign * profiles()[symbol].loadings[factor].value > 0.0 for symbol in symbols)

    def test_nothing_stands_for_rates(self) -> None:
        assert all("rates" in profile.neutral for profile in profiles().values())
        assert profiles()["XAUUSD"].neutral == ("risk_on", "rates")


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
