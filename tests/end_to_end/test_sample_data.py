"""The committed sample is what its script builds, and holds moves that everybody remembers."""

import subprocess
import sys
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml

from rpmcore.adapters.tables.book import read_book
from rpmcore.domain.factor_profiles import EQUITY_FACTORS
from rpmcore.domain.reference import profiles, sample_path

DATA = Path(__file__).parents[2] / "data"
NAMES = ("prices", "factors", "portfolio", "signals", "trades", "opening_book")
FILES = [f"{name}.parquet" for name in NAMES]
PAIRS = ("EURUSD", "GBPUSD", "USDJPY", "AUDUSD", "USDCAD", "USDCHF", "NZDUSD", "EURGBP", "EURJPY")


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
    @pytest.mark.parametrize("name", FILES)
    def test_the_committed_file_is_what_the_script_builds(self, rebuilt: Path, name: str) -> None:
        assert pq.read_table(rebuilt / name).equals(pq.read_table(DATA / name), check_metadata=True)

    @pytest.mark.parametrize("name", FILES)
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


@pytest.fixture(scope="module")
def closes(prices: pa.Table) -> dict[str, dict[date, float]]:
    """Closes by symbol and day, without holes."""
    days = prices["date"].to_pylist()
    return {
        symbol: {day: close for day, close in zip(days, prices[symbol].to_pylist(), strict=True) if close is not None}
        for symbol in prices.column_names[1:]
    }


@pytest.fixture(scope="module")
def trades() -> list[dict[str, Any]]:
    return pq.read_table(DATA / "trades.parquet").to_pylist()


@pytest.fixture(scope="module")
def signals() -> list[dict[str, Any]]:
    return pq.read_table(DATA / "signals.parquet").to_pylist()


def dollars(closes: dict[str, dict[date, float]], symbol: str, day: date) -> float:
    """Return US dollars for one unit of the currency that a symbol is priced in."""
    if symbol not in PAIRS or symbol.endswith("USD"):
        return 1.0
    quote = symbol[3:]
    return closes["GBPUSD"][day] if quote == "GBP" else 1.0 / closes[f"USD{quote}"][day]


class TestTrades:
    def test_columns_and_what_they_say_of_the_account(self) -> None:
        table = pq.read_table(DATA / "trades.parquet")
        time, number = pa.timestamp("ns", "UTC"), pa.float64()
        assert {field.name: field.type for field in table.schema} == {
            "trade_id": pa.string(), "strategy_id": pa.string(), "symbol": pa.string(), "side": pa.string(),
            "opened_at": time, "closed_at": time, "pnl": number, "quantity": number, "entry": number, "exit": number,
            "risk": number, "fees": number,
        }  # fmt: skip
        metadata = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
        assert (metadata["rpm.schema"], metadata["rpm.base_currency"]) == ("rpm.trades/1", "USD")
        assert float(metadata["rpm.capital"]) == 10_000_000.0
        assert all(column.null_count == 0 for column in table.columns)

    def test_every_profit_follows_from_the_closes_of_its_days(
        self, trades: list[dict[str, Any]], closes: dict[str, dict[date, float]]
    ) -> None:
        for trade in trades:
            symbol, opened, closed = trade["symbol"], trade["opened_at"].date(), trade["closed_at"].date()
            first, last = closes[symbol][opened], closes[symbol][closed]
            sign = {"buy": 1.0, "sell": -1.0}[trade["side"]]
            moved = sign * trade["quantity"] * (last - first) * dollars(closes, symbol, closed)
            assert (trade["entry"], trade["exit"]) == (first, last)
            assert trade["pnl"] == pytest.approx(moved - trade["fees"], rel=1e-9, abs=1e-6)
            value = trade["quantity"] * (
                first * dollars(closes, symbol, opened) + last * dollars(closes, symbol, closed)
            )
            assert 0.7499e-4 * value < trade["fees"] < 2.0001e-4 * value

    def test_they_are_enough_to_be_judged_and_one_strategy_is_poor_after_costs(
        self, trades: list[dict[str, Any]]
    ) -> None:
        found = {}
        for name in ("breakout_equity", "reversal_equity", "crossover_fast"):
            own = [trade for trade in trades if trade["strategy_id"] == name]
            last = [trade for trade in own if (own[-1]["closed_at"] - trade["closed_at"]).days < 90]
            assert len(last) >= 30
            found[name] = sum(trade["pnl"] for trade in own), sum(trade["fees"] for trade in own)
        assert len({trade["trade_id"] for trade in trades}) == len(trades)
        assert found["breakout_equity"][0] > found["reversal_equity"][0] > 0.0
        assert found["crossover_fast"] == pytest.approx((-2.01e6, 1.00e6), rel=0.01)

    def test_the_manual_tells_what_they_earned(self, trades: list[dict[str, Any]]) -> None:
        text = (DATA / "README.md").read_text(encoding="utf-8")
        for name in ("breakout_equity", "reversal_equity", "crossover_fast"):
            own = [trade for trade in trades if trade["strategy_id"] == name]
            gross, net = (
                np.mean([(trade["pnl"] + share * trade["fees"]) / trade["risk"] for trade in own]) for share in (1, 0)
            )
            row = next(line for line in text.splitlines() if line.startswith(f"| `{name}`"))
            assert row.endswith(f"| {len(own):,} | {gross:+.3f} | {net:+.3f} |".replace("-", "−"))


class TestSignals:
    def test_each_has_seen_only_the_days_before_it(
        self, signals: list[dict[str, Any]], closes: dict[str, dict[date, float]]
    ) -> None:
        days = {symbol: list(known) for symbol, known in closes.items()}
        place = {symbol: {day: i for i, day in enumerate(known)} for symbol, known in days.items()}
        for signal in signals:
            symbol, at = signal["symbol"], signal["at"]
            assert (at.hour, at.minute, str(at.tzinfo)) == (7, 0, "UTC")
            before = days[symbol][place[symbol][at.date()] - 1]
            assert signal["entry"] == closes[symbol][before]
        assert [signal["at"] for signal in signals] == sorted(signal["at"] for signal in signals)
        assert (signals[0]["at"].date(), signals[-1]["at"].date()) == (date(2015, 1, 2), date(2022, 12, 28))

    def test_they_live_through_brexit_and_the_spring_of_2020(self, signals: list[dict[str, Any]]) -> None:
        days = {signal["at"].date() for signal in signals if signal["symbol"] == "GBPUSD"}
        assert any(date(2016, 6, 23) <= day <= date(2016, 6, 28) for day in days)
        assert sum(signal["at"].date().isoformat().startswith("2020-03") for signal in signals) > 50

    def test_each_trade_has_its_entry_and_its_exit(
        self, signals: list[dict[str, Any]], trades: list[dict[str, Any]]
    ) -> None:
        def key(row: dict[str, Any], at: str, side: str, leaving: bool) -> tuple[Any, ...]:
            return (row["strategy_id"], row["symbol"], row[at].date(), side, row["quantity"], leaving)

        ordered = {key(signal, "at", signal["side"], signal["reduce_only"]): signal for signal in signals}
        assert len(ordered) == len(signals)
        for trade in trades:
            opposite = "sell" if trade["side"] == "buy" else "buy"
            entry = ordered[key(trade, "opened_at", trade["side"], False)]
            assert ordered[key(trade, "closed_at", opposite, True)]["stop"] is None
            assert (entry["entry"] > entry["stop"]) == (trade["side"] == "buy")
            assert trade["risk"] <= 0.003 * 10_000_000.0
        entries = sum(not signal["reduce_only"] for signal in signals)
        assert 0 <= entries - len(trades) <= 33  # what is still open

    def test_exits_come_before_entries_and_stops_stand_three_deviations_away(
        self, signals: list[dict[str, Any]], closes: dict[str, dict[date, float]]
    ) -> None:
        for one, other in pairwise(signals):
            assert one["at"] < other["at"] or one["reduce_only"] >= other["reduce_only"]
        shared = [symbol for symbol in closes if symbol not in (*PAIRS, "SP500")]
        sessions = sorted(set.intersection(*(set(closes[symbol]) for symbol in shared)))
        for signal in [s for s in signals if s["strategy_id"] != "crossover_fast" and not s["reduce_only"]][::97]:
            last = sessions.index(signal["at"].date())
            history = [closes[signal["symbol"]][day] for day in sessions[last - 21 : last]]
            distance = abs(signal["entry"] - signal["stop"])
            assert distance == pytest.approx(3.0 * np.std(np.diff(history), ddof=1), rel=1e-9)
            assert signal["quantity"] == np.floor(min(0.003e7 / distance, 2e6 / signal["entry"]))


def test_the_opening_book_is_a_fifth_of_the_capital_on_the_day_before_the_first_signal(
    closes: dict[str, dict[date, float]],
) -> None:
    book = read_book(DATA / "opening_book.parquet")
    assert (book.as_of, book.capital, book.base_currency) == (date(2014, 12, 31), 10_000_000.0, "USD")
    assert {holding.strategy_id for holding in book.holdings} == {"core_equity"}
    assert all(holding.price == closes[holding.symbol][date(2014, 12, 31)] for holding in book.holdings)
    assert all(holding.sector == profiles()[holding.symbol].instrument.sector for holding in book.holdings)
    assert 0.19 < sum(holding.size * holding.price for holding in book.holdings) / book.capital < 0.21


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
