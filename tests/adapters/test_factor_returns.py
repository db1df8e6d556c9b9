"""Returns of factors that a desk gives: what is read, and what is refused with which words."""

from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from rpmcore.adapters.tables.factor_returns import read_factor_returns
from rpmcore.domain.reference import sample_path
from tests.adapters.refusals import assert_says, refusal

NAN, INF = float("nan"), float("inf")
DAYS = [date(2022, 1, 3), date(2022, 1, 4), date(2022, 1, 5)]
GOOD = {"date": DAYS, "market": [0.01, -0.02, 0.005], "value": [0.001, None, -0.002]}


def test_returns_come_as_they_stand_and_null_is_missing(parquet):
    path = parquet(GOOD)
    found = read_factor_returns(path)
    assert found.names == ("market", "value")
    assert found.dates.tolist() == DAYS
    assert found.dates.dtype == np.dtype("M8[D]")
    np.testing.assert_array_equal(found.returns, [[0.01, 0.001], [-0.02, NAN], [0.005, -0.002]])
    assert found.returns.flags.c_contiguous
    assert found.path == str(path)


@pytest.mark.parametrize("table", [pa.table, pd.DataFrame, pl.DataFrame])
def test_tables_in_memory(table):
    found = read_factor_returns(table({"date": DAYS, "market": [0.01, -0.02, 0.005]}))
    assert found.returns[:, 0].tolist() == [0.01, -0.02, 0.005]
    assert found.path == "the table given"


def test_a_csv_file(text):
    found = read_factor_returns(text("date,market,value\n2022-01-03,0.01,1e-3\n2022-01-04,-0.02,\n"))
    np.testing.assert_array_equal(found.returns, [[0.01, 0.001], [-0.02, NAN]])


def test_rows_in_any_order_and_equal_rows_of_one_date(parquet):
    found = read_factor_returns(
        parquet({"date": [DAYS[2], DAYS[0], DAYS[2]], "market": [0.005, 0.01, 0.005], "value": [None, 0.1, 0.2]})
    )
    assert found.dates.tolist() == [DAYS[0], DAYS[2]]
    assert found.returns.tolist() == [[0.01, 0.1], [0.005, 0.2]]


def test_midnight_in_a_zone_is_the_local_date(parquet):
    midnight = pa.array([datetime(2022, 1, 3, 5, tzinfo=UTC)], pa.timestamp("us", "America/New_York"))
    assert read_factor_returns(parquet({"date": midnight, "market": [0.01]})).dates.tolist() == [DAYS[0]]


def test_the_sample():
    found = read_factor_returns(sample_path("factors.parquet"))
    assert found.names == ("market", "momentum", "value", "size", "volatility", "quality", "usd")
    assert np.isfinite(found.returns).all()


REFUSED = {
    "no factor": ({"market": None, "value": None}, ["no column of factor returns", "Add one column per factor"]),
    "no date": ({"date": None, "Date": DAYS}, ["'date'", "Rename 'Date' to 'date'"]),
    "null date": ({"date": [DAYS[0], None, DAYS[2]]}, ["'date'", "row 2", "null", "remove the row"]),
    "date in words": ({"date": ["2022-01-03", "soon", "2022-01-05"]}, ["'date'", "row 2", "'soon'", "YYYY-MM-DD"]),
    "two returns of one date": (
        {"date": [DAYS[0], DAYS[1], DAYS[0]]},
        ["'market'", "row 2022-01-03", "0.01", "0.005", "Keep the one that is right"],
    ),
    "NaN": ({"market": [0.01, NAN, 0.0]}, ["'market'", "row 2022-01-04", "nan", "leave the cell empty"]),
    "infinity": ({"value": [0.01, 0.0, -INF]}, ["'value'", "row 2022-01-05", "-inf", "leave the cell empty"]),
    "loss of everything": ({"market": [0.0, -1.0, 0.0], "value": [0.0] * 3}, ["'market'", "0.471", "-1.0"]),
    "per cent": (
        {"market": [1.0, -0.5, 0.7]},
        ["'market'", "row 2022-01-03", "standard deviation", "0.648", "1.0", "Divide by 100 if it is in per cent"],
    ),
    "per cent below -100 %": (
        {"market": [-1.2, -1.1, -1.3]},
        ["'market'", "row 2022-01-03", "above -1", "-1.2", "Divide by 100 if it is in per cent"],
    ),
    "far too large": ({"market": [1e300, -1e300, 0.0]}, ["'market'", "inf", "1e+300"]),
    "text": ({"market": ["1%", "2%", "0%"]}, ["'market'", "row 2022-01-03", "'1%'", "Store 0.01"]),
    "empty factor": (
        {"market": pa.nulls(3, pa.float64())},
        ["'market'", "no return at all", "leave the factor out"],
    ),
    "blank name": ({" ": [0.01, 0.02, 0.03]}, ["' '", "column 4 has no name", "Name the factor"]),
    "name of the model's own": (
        {"Specific": [0.01, 0.02, 0.03]},
        ["'Specific'", "risk model", "Give the factor another name"],
    ),
    "no rows": ({"date": pa.array([], pa.date32()), "market": pa.array([], pa.float64()), "value": None}, ["no rows"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_factor_return_is_refused_by_name(parquet, case):
    changes, parts = REFUSED[case]
    path = parquet({name: cells for name, cells in {**GOOD, **changes}.items() if cells is not None})
    assert_says(refusal(read_factor_returns, path), path, parts)


def test_a_name_that_stands_twice(text):
    path = text("date,market,market\n2022-01-03,0.01,0.02\n")
    assert_says(refusal(read_factor_returns, path), path, ["'market'", "2 columns have this name", "Keep one"])


def test_a_column_without_a_name_in_a_csv_file(text):
    path = text("date,market,\n2022-01-03,0.01,0.02\n")
    assert_says(refusal(read_factor_returns, path), path, ["column ''", "column 3 has no name"])


def test_rows_nearer_than_a_day(text):
    path = text("date,market\n2022-01-03T00:00Z,0.01\n2022-01-03T15:00Z,0.02\n")
    assert_says(refusal(read_factor_returns, path), path, ["'date'", "row 2", "daily", "15:00", "one row per day"])


def test_another_file_of_ours(parquet):
    path = parquet(GOOD, {"rpm.schema": "rpm.prices/1"})
    assert_says(refusal(read_factor_returns, path), path, ["rpm.schema", "rpm.factors/1", "'rpm.prices/1'"])


def test_prices_without_a_label(parquet):
    path = parquet({"date": DAYS, "SP500": [4796.6, 4793.5, 4700.6]})
    assert_says(refusal(read_factor_returns, path), path, ["'SP500'", "row 2022-01-03", "4796.6", "not prices"])


def test_far_too_many_returns(parquet, monkeypatch):
    monkeypatch.setattr("rpmcore.adapters.tables.factor_returns.MAX_RETURNS", 5)
    path = parquet(GOOD)
    assert_says(refusal(read_factor_returns, path), path, ["3 dates of 2 factors", "more than 5", "fewer factors"])
