"""Cells, columns and metadata that cannot be used: each message says where, what, and what to do."""

from datetime import date, datetime

import pyarrow as pa
import pytest

from rpmcore.adapters.tables.book import read_book
from rpmcore.adapters.tables.prices import open_prices
from rpmcore.domain.errors import InputError
from tests.adapters.refusals import assert_says, read_all, refusal

NAN, INF = float("nan"), float("inf")
DAYS = [date(2022, 1, 3), date(2022, 1, 4), date(2022, 1, 5)]


BAD_HOLDINGS = {
    "NaN weight": ({"weight": [1.0, NAN]}, ["'weight'", "symbol 'B'", "row 2", "nan", "Give a number"]),
    "infinite value": (
        {"market_value": [1.0, -INF]},
        ["'market_value'", "symbol 'B'", "row 2", "-inf", "Give a number"],
    ),
    "null weight": ({"weight": [None, 1.0]}, ["'weight'", "symbol 'A'", "row 1", "null", "remove the row"]),
    "quantity without price": ({"quantity": [1.0, 2.0]}, ["'price'", "no such column", "Add the column 'price'"]),
    "null price": (
        {"quantity": [1.0, 2.0], "price": [None, 1.0]},
        ["'price'", "symbol 'A'", "row 1", "null", "remove the row"],
    ),
    "price of zero": (
        {"quantity": [1.0, 2.0], "price": [1.0, 0.0]},
        ["'price'", "symbol 'B'", "row 2", "positive", "0.0", "Correct it"],
    ),
    "negative contract size": (
        {"weight": [1.0, 2.0], "contract_size": [-1.0, None]},
        ["'contract_size'", "symbol 'A'", "row 1", "positive", "-1.0", "leave the cell empty"],
    ),
    "negative spread": (
        {"weight": [1.0, 2.0], "spread_bps": [0.0, -0.5]},
        ["'spread_bps'", "symbol 'B'", "row 2", "zero or positive", "-0.5", "Correct it"],
    ),
    "volume of zero": (
        {"weight": [1.0, 2.0], "adv": [None, 0.0]},
        ["'adv'", "symbol 'B'", "row 2", "positive", "0.0", "leave the cell empty"],
    ),
    "NaN in an optional column": (
        {"weight": [1.0, 2.0], "adv": [1.0, NAN]},
        ["'adv'", "symbol 'B'", "row 2", "nan", "leave the cell empty"],
    ),
    "two sizes": (
        {"weight": [1.0, 2.0], "market_value": [1.0, 2.0]},
        ["'market_value'", "weight and market_value", "Keep the one"],
    ),
    "no size": ({"amount": [1.0, 2.0]}, ["no column gives the size", "'amount'", "Add weight, market_value"]),
    "size in another case": ({"Weight": [1.0, 2.0]}, ["'Weight'", "Rename 'Weight' to 'weight'"]),
    "size misspelt": ({"market_valeu": [1.0, 2.0]}, ["'market_valeu'", "Rename 'market_valeu' to 'market_value'"]),
    "option in another case": (
        {"weight": [1.0, 2.0], "Contract_Size ": [1.0, 2.0]},
        ["column 'Contract_Size '", "would not be read", "Rename 'Contract_Size ' to 'contract_size'"],
    ),
    "numbers as text": (
        {"weight": ["0.5", "0.5"]},
        ["'weight'", "symbol 'A'", "row 1", "text", "'0.5'", "Store 0.5 as a floating-point number"],
    ),
    "true and false": ({"weight": [True, False]}, ["'weight'", "bool", "Store it as a floating-point number"]),
    "dates as sizes": ({"weight": DAYS[:2]}, ["'weight'", "date32", "Store it as"]),
    "nested sizes": ({"weight": [[1.0], [2.0]]}, ["'weight'", "list", "Store it as"]),
    "structures as sectors": (
        {"weight": [1.0, 2.0], "sector": [{"name": "x"}] * 2},
        ["'sector'", "struct", "not text", "Store it as text"],
    ),
    "blank strategy": (
        {"weight": [1.0, 2.0], "strategy_id": ["x", " "]},
        ["'strategy_id'", "symbol 'B'", "row 2", "blank", "' '", "make it null"],
    ),
}


@pytest.mark.parametrize("case", BAD_HOLDINGS)
def test_a_bad_holding_is_named(parquet, case):
    columns, parts = BAD_HOLDINGS[case]
    path = parquet({"symbol": ["A", "B"], **columns})
    assert_says(refusal(read_book, path, capital=1e6), path, parts)


BAD_SYMBOLS = {
    "null": (["A", None], ["'symbol'", "row 2", "null", "Fill the cell"]),
    "empty": (["A", ""], ["'symbol'", "row 2", "''", "Fill the cell"]),
    "blank": (["A", "\t "], ["'symbol'", "row 2", "'\\t '", "Fill the cell"]),
    "twice": (["A", "A"], ["'symbol'", "row 2", "row 1 already holds", "'A'", "Add the two up"]),
    "numbers": ([7203, 6758], ["'symbol'", "int64", "not text", "Store it as text"]),
    "bytes": ([b"A", b"B"], ["'symbol'", "binary", "not text", "Store it as text"]),
    "all null": (pa.nulls(2), ["'symbol'", "row 1", "null", "Fill the cell"]),
}


@pytest.mark.parametrize("case", BAD_SYMBOLS)
def test_a_bad_symbol_is_named(parquet, case):
    symbols, parts = BAD_SYMBOLS[case]
    path = parquet({"symbol": symbols, "weight": [1.0, 2.0]})
    assert_says(refusal(read_book, path), path, parts)


def test_a_symbol_held_twice_by_one_strategy_is_named(parquet):
    columns = {"symbol": ["A", "B", "A"], "weight": [1.0, 2.0, 3.0], "strategy_id": ["x", "x", "x"]}
    message = refusal(read_book, parquet(columns))
    assert "row 3: row 1 already holds this symbol under strategy 'x' (found 'A')" in message


@pytest.mark.parametrize(
    ("key", "value", "parts"),
    [
        ("rpm.capital", "0", ["positive", "'0'", "--capital"]),
        ("rpm.capital", "-5e6", ["positive", "'-5e6'", "--capital"]),
        ("rpm.capital", "nan", ["positive", "'nan'", "--capital"]),
        ("rpm.capital", "10,000,000", ["positive", "'10,000,000'", "write 10000000.0"]),
        ("rpm.capital", "a lot", ["positive", "'a lot'", "--capital"]),
        ("rpm.base_currency", "usd", ["three capital letters", "'usd'", "Write USD"]),
        ("rpm.base_currency", "dollars", ["three capital letters", "'dollars'", "--base-currency"]),
        ("rpm.as_of", "28.12.2022", ["YYYY-MM-DD", "'28.12.2022'", "Correct the metadata"]),
        ("rpm.schema", "rpm.prices/1", ["rpm.book/1", "'rpm.prices/1'", "Correct the metadata"]),
        ("rpm.schema", "rpm.book/2", ["rpm.book/1", "'rpm.book/2'", "Correct the metadata"]),
    ],
)
def test_bad_metadata_are_named(parquet, key, value, parts):
    path = parquet({"symbol": ["A"], "weight": [1.0]}, {key: value})
    assert_says(refusal(read_book, path), path, [f"metadata {key}", *parts])


@pytest.mark.parametrize("capital", [0.0, -1.0, NAN, INF])
def test_a_capital_that_is_no_money_is_refused(parquet, capital):
    path = parquet({"symbol": ["A"], "weight": [1.0]})
    message = refusal(read_book, path, capital=capital)
    assert_says(message, path, ["capital given", repr(capital), "Give the equity"])


def test_a_base_currency_that_is_no_code_is_refused(parquet):
    path = parquet({"symbol": ["A"], "weight": [1.0]})
    assert_says(refusal(read_book, path, base_currency="usd"), path, ["'usd'", "Write USD"])


def test_a_book_in_money_needs_capital(parquet):
    path = parquet({"symbol": ["A"], "market_value": [1.0]})
    assert_says(refusal(read_book, path), path, ["market_value needs capital", "--capital"])


BAD_PRICES = {
    "NaN": (NAN, ["nan", "leave the cell empty (null)"]),
    "infinite": (INF, ["inf", "leave the cell empty (null)"]),
    "zero": (0.0, ["0.0", "leave the cell empty (null)"]),
    "negative": (-37.63, ["-37.63", "leave the cell empty (null)"]),
}


@pytest.mark.parametrize("case", BAD_PRICES)
@pytest.mark.parametrize("shape", ["long", "wide"])
@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_a_bad_price_is_named(parquet, text, case, shape, form):
    value, parts = BAD_PRICES[case]
    if shape == "wide":
        names, rows = "date,B,A", [(DAYS[1], 1.0, value), (DAYS[0], 1.0, 1.0)]
        where = "column 'A', row 2022-01-04"
    else:
        names, rows = "date,symbol,close", [(DAYS[0], "B", 1.0), (DAYS[1], "A", value)]
        where = "column 'close', symbol 'A', row 2022-01-04"
    if form == "csv":
        path = text("\n".join([names, *(",".join(map(str, row)) for row in rows)]))
    else:
        path = parquet(dict(zip(names.split(","), map(list, zip(*rows, strict=True)), strict=True)))
    assert_says(refusal(read_all, path), path, [where, "positive and finite", *parts])


@pytest.mark.parametrize(
    ("columns", "where"),
    [
        ({"date": [DAYS[0], DAYS[0]], "A": [101.0, 102.0]}, "column 'A', row 2022-01-03"),
        (
            {"date": [DAYS[0], DAYS[0]], "symbol": ["A", "A"], "close": [101.0, 102.0]},
            "column 'close', symbol 'A', row 2022-01-03",
        ),
    ],
    ids=["wide", "long"],
)
def test_two_closes_that_contradict_each_other_are_both_named(parquet, columns, where):
    path = parquet(columns)
    assert_says(refusal(read_all, path), path, [where, "101.0", "102.0", "Keep the one"])


BAD_DATES = {
    "not a date": (["2022-01-03", "31.12.2022x"], ["row 2", "not a date", "'31.12.2022x'", "YYYY-MM-DD"]),
    "no such day": (["2022-02-30", "2022-01-03"], ["row 1", "not a date", "'2022-02-30'", "YYYY-MM-DD"]),
    "ambiguous": (
        ["2022-01-03", "01/02/2022"],
        ["row 2", "ambiguous", "'01/02/2022'", "2022-02-01 or 2022-01-02", "ISO"],
    ),
    "day first": (["31.12.2022", "2022-01-03"], ["row 1", "not in ISO form", "'31.12.2022'", "Write 2022-12-31"]),
    "month first": (["12/31/2022", "2022-01-03"], ["row 1", "'12/31/2022'", "Write 2022-12-31"]),
    "eight digits as text": (["20221228", "2022-01-03"], ["row 1", "'20221228'", "Write 2022-12-28"]),
    "eight digits": ([20221228, 20221229], ["row 1", "a number", "'20221228'", "Write 2022-12-28"]),
    "some other number": ([1640995200, 1641081600], ["row 1", "a number", "'1640995200'", "YYYY-MM-DD"]),
    "null": ([DAYS[0], None], ["row 2", "no date", "null", "remove the row"]),
    "null text": (["2022-01-03", None], ["row 2", "no date", "null", "remove the row"]),
    "all null": (pa.nulls(2), ["row 1", "no date", "null", "remove the row"]),
    "time of day as text": (
        ["2022-01-03", "2022-01-03 16:00"],
        ["row 2", "without a time zone", "'2022-01-03 16:00'", "Drop the time of day"],
    ),
    "time of day": (
        pa.array([datetime(2022, 1, 3), datetime(2022, 1, 3, 16)], pa.timestamp("ns")),
        ["row 2", "without a time zone", "2022-01-03T16:00:00", "Drop the time of day"],
    ),
    "mixed offsets": (
        ["2022-03-11T00:00:00-05:00", "2022-03-14T00:00:00-04:00"],
        ["row 2", "mixed", "UTC-05:00 before, UTC-04:00 here", "'2022-03-14T00:00:00-04:00'", "UTC"],
    ),
    "an offset here and there": (
        ["2022-03-11T00:00:00Z", "2022-03-14"],
        ["row 2", "mixed", "UTC before, none here", "'2022-03-14'"],
    ),
    "unknown zone": (
        pa.array([0, 1], pa.timestamp("s", "Mars/Olympus")),
        ["time zone is not known: Mars/Olympus", "Europe/London"],
    ),
    "year 5000": ([date(5000, 1, 1), DAYS[0]], ["row 1", "1800 and 2199", "'5000-01-01'", "Correct the date"]),
    "wrong unit": (
        pa.array([1_640_995_200, 2**62], pa.timestamp("s", "UTC")),
        ["row 2", "1800 and 2199", "Correct the date"],
    ),
    "true and false": ([True, False], ["bool", "not dates", "Store it as a date"]),
    "times": (pa.array([0, 1], pa.time64("us")), ["time64", "not dates", "Store it as a date"]),
}


@pytest.mark.parametrize("case", BAD_DATES)
def test_a_bad_date_is_named(case):
    dates, parts = BAD_DATES[case]
    message = refusal(read_all, pa.table({"date": dates, "A": [1.0, 2.0]}))
    assert_says(message, "the table given, column 'date'", parts)


@pytest.mark.parametrize("case", ["not a date", "ambiguous", "time of day as text", "mixed offsets", "eight digits"])
def test_a_bad_date_in_csv_is_named(text, case):
    dates, parts = BAD_DATES[case]
    path = text("date,A\n" + "".join(f"{day},1.5\n" for day in dates))
    assert_says(refusal(read_all, path), path, ["column 'date'", *(part for part in parts if part != "a number")])


BAD_SHAPES = {
    "no date": ({"A": [1.0], "B": [1.0]}, ["column 'date'", "'A', 'B'", "Add the column 'date'"]),
    "date in another case": ({"Date": DAYS[:1], "A": [1.0]}, ["column 'date'", "Rename 'Date' to 'date'"]),
    "no name for the dates": ({"": DAYS[:1], "A": [1.0]}, ["column 'date'", "has no name", "is it 'date'?"]),
    "close in another case": (
        {"date": DAYS[:1], "symbol": ["A"], "Close": [1.0]},
        ["column 'close'", "Rename 'Close' to 'close'"],
    ),
    "no close": (
        {"date": DAYS[:1], "symbol": ["A"], "px": [1.0]},
        ["column 'close'", "no such column", "'px'", "Add the column 'close'"],
    ),
    "symbol misspelt": (
        {"date": DAYS[:1], "symbl": ["A"], "close": [1.0]},
        ["column 'symbol'", "Rename 'symbl' to 'symbol'"],
    ),
    "no prices": ({"date": DAYS[:1]}, ["no column of prices", "Add one column per symbol"]),
    "no rows": ({"date": pa.array([], pa.date32()), "A": pa.array([], pa.float64())}, ["no rows", "at least one row"]),
    "text for prices": (
        {"date": DAYS[:1], "A": ["1,234.5"]},
        ["column 'A', row 2022-01-03", "text", "'1,234.5'", "Store 1234.5"],
    ),
    "nested prices": ({"date": DAYS[:1], "A": [[1.0]]}, ["column 'A'", "list", "Store it as"]),
    "empty symbol": (
        {"date": DAYS[:2], "symbol": ["A", ""], "close": [1.0, 1.0]},
        ["column 'symbol', row 2", "''", "Fill the cell"],
    ),
    "null symbol": (
        {"date": DAYS[:2], "symbol": ["A", None], "close": [1.0, 1.0]},
        ["column 'symbol', row 2", "null", "Fill the cell"],
    ),
}


@pytest.mark.parametrize("case", BAD_SHAPES)
def test_a_table_that_cannot_hold_prices_is_refused(parquet, case):
    columns, parts = BAD_SHAPES[case]
    path = parquet(columns)
    assert_says(refusal(read_all, path), path, parts)


def test_a_book_given_as_prices_is_refused(parquet):
    path = parquet({"date": DAYS, "A": [1.0, 2.0, 3.0]}, {"rpm.schema": "rpm.book/1"})
    assert_says(
        refusal(read_all, path), path, ["rpm.schema", "rpm.prices/1", "'rpm.book/1'", "the file that was meant"]
    )


def test_prices_that_begin_too_late_are_refused(parquet):
    path = parquet({"date": DAYS, "A": [1.0, 2.0, 3.0]})
    with pytest.raises(InputError) as caught:
        open_prices(path).read(["A"], until=date(2021, 12, 31))
    assert_says(str(caught.value), path, ["'date'", "2021-12-31", "'2022-01-03'", "a later day"])


def test_a_name_that_stands_twice_is_refused_where_it_is_needed(parquet, text):
    table = pa.table([[1.0], DAYS[:1], [2.0], [3.0], [4.0]], names=["A", "date", "A", "B", "date2"])
    path = parquet(table)
    assert open_prices(path).read(["B"]).closes.tolist() == [[3.0]]
    for source in (path, text("date,A,A\n2022-01-03,1,2\n")):
        message = refusal(lambda given: open_prices(given).read(["A"]), source)
        assert_says(message, source, ["column 'A'", "2 columns", "Keep one"])
    book_path = parquet(pa.table([["A"], [1.0], ["B"]], names=["symbol", "weight", "symbol"]))
    assert_says(refusal(read_book, book_path), book_path, ["column 'symbol'", "2 columns", "Keep one"])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1,234.5", "1234.5"),
        ("1.234,5", "1234.5"),
        ("1 234,5", "1234.5"),
        ("1\u00a0234,5", "1234.5"),
        ("1'234.5", "1234.5"),
        ("1,234,567", "1234567.0"),
        ("0,5", "0.5"),
        ("20%", "0.2"),
        ("-57 %", "-0.57"),
        ("(1,000)", "-1000.0"),
        ("−5", "-5.0"),
        ("$12.50", "12.5"),
        (" 0.5", "0.5"),
        ("1_000", "1000.0"),
    ],
)
def test_a_number_in_the_dress_of_a_language_is_answered_with_the_number_meant(text, written, meant):
    path = text(f'symbol,weight\nA,1\nB,"{written}"\n')
    message = refusal(read_book, path)
    assert_says(message, path, ["column 'weight', symbol 'B', row 2", repr(written), f"Write {meant} if that is meant"])


@pytest.mark.parametrize("written", ["N/A", "-", "null", "#N/A", " "])
def test_words_for_nothing_are_answered_with_the_empty_cell(text, written):
    path = text(f"symbol,weight,adv\nA,1,{written}\n")
    assert_says(refusal(read_book, path), path, ["'adv'", "row 1", repr(written), "Leave the cell empty"])


@pytest.mark.parametrize("written", ["0x10", "abc", "1.2.3", "١٢", "1e", "5 apples"])
def test_what_is_no_number_is_refused(text, written):
    path = text(f"symbol,weight\nA,{written}\n")
    assert_says(refusal(read_book, path), path, ["'weight'", "symbol 'A'", "row 1", repr(written), "plain number"])
