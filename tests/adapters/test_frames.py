"""Books, prices and the rest from memory: whatever frame they are in, the bits are those of the file."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import rpmcore
from rpmcore.domain.errors import InputError, InvalidArgument

DATA = Path(__file__).parents[2] / "data"
ACCOUNT = {"capital": 10_000_000.0, "base_currency": "USD"}
AS_OF = {**ACCOUNT, "as_of": date(2022, 12, 28)}


def categories(table):
    """Return the table with its texts as categories."""
    for i, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            table = table.set_column(i, field.name, table[field.name].dictionary_encode())
    return table


def wide_texts(table):
    return table.cast(pa.schema([f.with_type(pa.large_string()) if f.type == pa.string() else f for f in table.schema]))


def polars_categories(table):
    frame = pl.DataFrame(table)
    return frame.with_columns(pl.col(pl.String).cast(pl.Categorical))


FRAMES = {
    "arrow": lambda table: table,
    "arrow dictionary": categories,
    "arrow large_string": wide_texts,
    "arrow batches": lambda table: table.to_batches()[0],
    "pandas": lambda table: table.to_pandas(),
    "pandas category": lambda table: categories(table).to_pandas(),
    "polars": pl.DataFrame,
    "polars categorical": polars_categories,
}


def table_of(name):
    return pq.read_table(DATA / f"{name}.parquet")


@pytest.fixture(params=FRAMES)
def framed(request):
    return lambda name: FRAMES[request.param](table_of(name))


def test_books_and_prices(framed):
    want = rpmcore.evaluate(DATA / "portfolio.parquet", DATA / "prices.parquet", **AS_OF)
    found = rpmcore.evaluate(framed("portfolio"), framed("prices"), **AS_OF)
    for part in ("volatility", "tail_risk", "components", "limits", "histogram"):
        assert getattr(found, part) == getattr(want, part)


def test_factors(framed):
    files = (DATA / "portfolio.parquet", DATA / "prices.parquet")
    want = rpmcore.exposure(*files, factors=str(DATA / "factors.parquet"))
    assert rpmcore.exposure(*files, factors=framed("factors")).factors == want.factors


def test_trades(framed):
    want = rpmcore.strategies(DATA / "trades.parquet", **ACCOUNT)
    assert rpmcore.strategies(framed("trades"), **ACCOUNT).strategies == want.strategies
    assert rpmcore.read_trades(framed("trades")).trades == rpmcore.read_trades(DATA / "trades.parquet").trades


def test_signals(framed):
    assert rpmcore.read_signals(framed("signals")).signals == rpmcore.read_signals(DATA / "signals.parquet").signals


def stream(table):
    """Return what can be read but once, as a query of duckdb gives it."""
    return pa.RecordBatchReader.from_batches(table.schema, table.to_batches())


def test_a_stream_that_is_gone_once_read_is_enough_for_every_mode_of_stress():
    profiles = pa.table({"symbol": ["XX1"], "kind": ["equity"], "beta": [1.0], "sector": ["energy"],
                         "currency": ["USD"]})  # fmt: skip
    tables = (table_of("portfolio"), table_of("prices"))
    asked = {**AS_OF, "crises": rpmcore.chosen_crises(["lehman2008"]), "modes": ("factor", "replay")}
    want = rpmcore.stress(*tables, assets=profiles, shocks={"SP500": -0.1}, **asked)
    found = rpmcore.stress(*map(stream, tables), assets=stream(profiles), shocks={"SP500": -0.1}, **asked)
    assert found.to_dict() == want.to_dict()


def test_a_stream_of_profiles_is_enough_for_a_size():
    profiles = pa.table({"symbol": ["XX1"], "kind": ["equity"], "sector": ["energy"], "currency": ["USD"]})
    asked = {"side": "buy", "entry": 10.0, "stop": 9.0, **ACCOUNT}
    closes = pa.table({"date": pd.bdate_range("2022-01-03", periods=80).date, "symbol": ["XX1"] * 80,
                       "close": np.linspace(9.0, 10.0, 80) + np.sin(np.arange(80.0))})  # fmt: skip
    want = rpmcore.size("XX1", prices=closes, assets=profiles, **asked)
    assert rpmcore.size("XX1", prices=stream(closes), assets=stream(profiles), **asked).to_dict() == want.to_dict()


@pytest.mark.parametrize("frame", ["arrow", "pandas", "polars categorical"])
def test_profiles(frame):
    table = pa.table({"symbol": ["XX1", "XX2"], "kind": ["equity", "equity"], "beta": [1.0, 0.5],
                      "sector": ["energy", "energy"], "currency": ["USD", "USD"]})  # fmt: skip
    closes = 100.0 + np.random.default_rng(1).standard_normal((80, 2)).cumsum(axis=0)
    days = pd.bdate_range("2022-01-03", periods=80)
    prices = pd.DataFrame(closes, index=days, columns=["XX1", "XX2"])
    book = pa.table({"symbol": ["XX1", "XX2"], "weight": [0.2, 0.2]})
    result = rpmcore.evaluate(book, prices, base_currency="USD", assets=FRAMES[frame](table))
    assert {row.name: row.observed for row in result.limits}["beta"] == pytest.approx(0.3)


@pytest.fixture(scope="module")
def daily():
    """Give wide prices as people hold them in pandas: a DatetimeIndex without a name, a column per symbol."""
    frame = table_of("prices").to_pandas().set_index("date")
    frame.index = pd.to_datetime(frame.index).as_unit("ns")
    return frame.rename_axis(index=None)


def renamed(frame, name):
    return frame.rename_axis(index=name)


WIDE = {
    "unnamed": lambda frame: frame,
    "Date": lambda frame: renamed(frame, "Date"),
    "day": lambda frame: renamed(frame, "day"),
    "date": lambda frame: renamed(frame, "date"),
    "microseconds": lambda frame: frame.set_axis(frame.index.as_unit("us")),
    "with a zone": lambda frame: frame.tz_localize("America/New_York"),
    "texts": lambda frame: frame.set_axis(frame.index.strftime("%Y-%m-%d")),
    "dates": lambda frame: frame.set_axis(pd.Index(list(frame.index.date), dtype=object)),
    "a column": lambda frame: renamed(frame, "date").reset_index(),
    "rows in another order": lambda frame: frame.sort_index(ascending=False),
}


@pytest.mark.parametrize("form", WIDE)
def test_wide_prices_of_pandas_are_dated_by_their_index(daily, form):
    found, want = rpmcore.read_prices(WIDE[form](daily)), rpmcore.read_prices(DATA / "prices.parquet")
    assert found.symbols == want.symbols
    np.testing.assert_array_equal(found.dates, want.dates)
    np.testing.assert_array_equal(found.closes, want.closes)


def test_the_index_survives_a_parquet_file(daily, tmp_path):
    daily.to_parquet(tmp_path / "prices.parquet")
    found = rpmcore.read_prices(tmp_path / "prices.parquet", ["MSFT"])
    np.testing.assert_array_equal(found.closes, rpmcore.read_prices(DATA / "prices.parquet", ["MSFT"]).closes)


def test_long_prices_of_pandas_are_dated_by_their_index(daily):
    long = daily[["MSFT", "JPM"]].dropna().stack().rename("close").rename_axis(["date", "symbol"]).reset_index("symbol")
    found = rpmcore.read_prices(long.rename_axis(None), ["MSFT", "JPM"])
    want = rpmcore.read_prices(daily[["MSFT", "JPM"]].dropna())
    np.testing.assert_array_equal(found.closes, want.closes)


def test_a_date_column_stands_before_an_index(daily):
    frame = daily.assign(date=daily.index).set_axis(daily.index + pd.Timedelta(days=1000))
    np.testing.assert_array_equal(rpmcore.read_prices(frame, ["MSFT"]).dates, rpmcore.read_prices(daily).dates)


def test_an_index_that_only_counts_rows_is_no_symbol_and_no_factor(daily):
    rows = daily[["MSFT", "JPM"]].rename_axis("date").reset_index().dropna().iloc[5::2]
    assert rpmcore.read_prices(rows).symbols == ("MSFT", "JPM")
    factors = table_of("factors").to_pandas().iloc[1:]
    names = [row.name for row in rpmcore.exposure(DATA / "portfolio.parquet", factors=factors).factors]
    assert names == [name for name in factors.columns if name != "date"]
    assets = pd.DataFrame({"symbol": ["MSFT", "XX1"], "kind": ["equity", "equity"], "currency": ["USD", "USD"]}).iloc[
        1:
    ]
    book = pd.DataFrame({"symbol": ["MSFT", "JPM", "XOM"], "weight": [0.1, 0.2, 0.3]}).iloc[[0, 2]]
    assert len(rpmcore.evaluate(book, base_currency="USD", assets=assets).components) == 2


def test_two_levels_of_columns_are_refused_with_the_way_out(daily):
    two = pd.concat({"Close": daily, "Open": daily}, axis=1)
    with pytest.raises(InputError, match=r"two levels.*frame\['Close'\]"):
        rpmcore.read_prices(two)
    assert rpmcore.read_prices(two["Close"]).symbols == tuple(daily.columns)


def test_periods_are_refused_as_what_they_are(daily):
    with pytest.raises(InputError, match=r"column 'date': it holds .*period.*Store it as a date"):
        rpmcore.read_prices(daily.set_axis(daily.index.to_period("D")))


@pytest.mark.parametrize("name", [None, "symbol", "Symbol"])
def test_a_book_may_have_its_symbols_as_index(name):
    frame = pd.DataFrame({"weight": [0.5, -0.25]}, index=pd.Index(["MSFT", "JPM"], name=name))
    book = rpmcore.read_book(frame)
    assert [(h.symbol, h.size) for h in book.holdings] == [("MSFT", 0.5), ("JPM", -0.25)]


def test_an_index_of_another_name_is_no_symbol():
    frame = pd.DataFrame({"weight": [0.5]}, index=pd.Index(["MSFT"], name="strategy"))
    with pytest.raises(InputError, match="column 'symbol': there is no such column"):
        rpmcore.read_book(frame)


def test_correlations_as_pandas_computes_them(daily):
    files = (DATA / "portfolio.parquet", DATA / "prices.parquet")
    held = [row.symbol for row in rpmcore.evaluate(*files).components]
    given = daily[sorted(set(held))].pct_change(fill_method=None).corr()
    found = rpmcore.evaluate(*files, correlation=given)
    assert found.covariance.given_correlation == "the table given"
    assert found.volatility == rpmcore.evaluate(*files, correlation=pl.DataFrame(
        pa.Table.from_pandas(given.rename_axis("symbol").reset_index()))).volatility  # fmt: skip


def test_decimals_and_narrow_numbers_are_cast():
    values = [0.5, -0.25]
    for kind in (pa.decimal128(12, 4), pa.float32(), pa.decimal256(40, 4)):
        table = pa.table({"symbol": ["MSFT", "JPM"], "weight": pc.cast(pa.array(values), kind)})
        assert [h.size for h in rpmcore.read_book(table).holdings] == values
    frame = pl.DataFrame({"symbol": ["MSFT", "JPM"], "weight": values}).with_columns(
        pl.col("weight").cast(pl.Decimal(10, 4))
    )
    assert [h.size for h in rpmcore.read_book(frame).holdings] == values


def test_a_gap_is_null_in_pandas_and_an_error_as_a_number_elsewhere(daily):
    gap = daily[["MSFT"]].dropna().tail(50).copy()
    gap.iloc[3, 0] = np.nan
    assert np.isnan(rpmcore.read_prices(gap).closes).sum() == 1
    frame = pl.DataFrame({"date": [d.date() for d in gap.index], "MSFT": gap["MSFT"].to_numpy()})
    with pytest.raises(InputError, match="leave the cell empty"):
        rpmcore.read_prices(frame)
    assert np.isnan(rpmcore.read_prices(frame.with_columns(pl.col("MSFT").fill_nan(None))).closes).sum() == 1


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        (pd.Series([0.5], index=["MSFT"]), r"reset_index\(\)"),
        (pl.Series("weight", [0.5]), "a frame"),
        (pl.LazyFrame({"symbol": ["MSFT"], "weight": [0.5]}), r"collect\(\)"),
        ({"symbol": ["MSFT"], "weight": [0.5]}, "pyarrow.table"),
        ([{"symbol": "MSFT", "weight": 0.5}], "from_pylist"),
        (42, "is int"),
    ],
    ids=["pandas series", "polars series", "lazy frame", "dict", "list", "number"],
)
def test_what_is_no_table_is_told_how_to_become_one(given, remedy):
    with pytest.raises(InvalidArgument, match=remedy):
        rpmcore.read_book(given)


def test_signals_that_were_read_go_through_the_gate_as_the_file_does():
    stream = rpmcore.read_signals(DATA / "signals.parquet")
    first = stream.signals[0].at
    few = pl.read_parquet(DATA / "signals.parquet").head(20)
    settings = rpmcore.load_settings(
        assignments=["strategies.capital={" + ", ".join(f"{s}: 2000000" for s in few["strategy_id"].unique()) + "}"]
    )
    book, prices = table_of("opening_book").to_pandas(), DATA / "prices.parquet"
    runs = [
        rpmcore.gate_run(signals, book, prices, settings=settings, until=date(2015, 2, 27), capital=10_000_000.0)
        for signals in (few, rpmcore.read_signals(few))
    ]
    assert runs[0].run.equity_last == runs[1].run.equity_last
    assert runs[0].run.total.signals == runs[1].run.total.signals > 0
    assert runs[0].book is None
    assert runs[0].to_dict()["book"] is None
    assert first == stream.signals[0].at


READ = {
    "portfolio": rpmcore.read_book,
    "prices": rpmcore.read_prices,
    "trades": rpmcore.read_trades,
    "signals": rpmcore.read_signals,
}


@pytest.mark.parametrize("name", READ)
def test_what_was_read_says_shows_and_converts_itself(name):
    found = READ[name](DATA / f"{name}.parquet")
    assert f"{name}.parquet: " in str(found)
    assert len(repr(found)) < 300
    plain = found.to_dict()
    assert plain["schema"] == {"portfolio": "rpm.book/1"}.get(name, f"rpm.{name}/1")
    json.dumps(plain, allow_nan=False)
    page = found._repr_html_()
    assert page.count("<tr>") > 5
    assert len(page) < 20_000
    table = found.to_arrow()
    table.validate(full=True)
    assert table.num_rows == table_of(name).num_rows


def test_books_and_prices_that_were_read_can_be_read_again_from_their_tables():
    book, prices = rpmcore.read_book(DATA / "portfolio.parquet"), rpmcore.read_prices(DATA / "prices.parquet")
    again = rpmcore.read_book(book.to_arrow(), **ACCOUNT)
    assert again.holdings == book.holdings
    closes = rpmcore.read_prices(prices.to_arrow())
    np.testing.assert_array_equal(closes.dates, prices.dates)
    np.testing.assert_array_equal(closes.closes, prices.closes)


def test_a_symbol_without_a_close_says_so():
    table = pa.table({"date": [date(2022, 1, 3), date(2022, 1, 4)], "A": [1.0, None], "B": pa.nulls(2, pa.float64())})
    found = rpmcore.read_prices(table)
    first, second = found.summary
    assert (first.n_closes, first.missing, first.last, first.last_close) == (1, 1, date(2022, 1, 3), 1.0)
    assert (second.n_closes, second.last_close) == (0, None)
    assert found.to_dict()["summary"][1]["last_close_reason"] == "it has no close"
    assert found.to_dict()["closes"]["A"] == [1.0, None]
