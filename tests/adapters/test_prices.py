"""Prices that are read: long or wide, from Parquet, CSV or memory, in any order."""

import io
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.adapters.tables.prices import open_prices
from rpmcore.domain.errors import InputError, InvalidArgument

DAYS = [date(2022, 1, 3), date(2022, 1, 4), date(2022, 1, 5)]


def read(source, **options):
    prices = open_prices(source)
    return prices.read(prices.symbols, **options)


def closes(history):
    """The history as a plain mapping, without missing prices."""
    return {
        (str(day), symbol): float(close)
        for day, row in zip(history.dates, history.closes, strict=True)
        for symbol, close in zip(history.symbols, row, strict=True)
        if not np.isnan(close)
    }


def test_a_wide_table_is_read_in_the_order_asked_for(parquet):
    prices = open_prices(parquet({"date": DAYS, "B": [1.0, None, 3.0], "A": [4, 5, 6]}))
    assert prices.symbols == ("B", "A")
    history = prices.read(["A", "B"])
    assert history.symbols == ("A", "B")
    assert history.dates.dtype == np.dtype("M8[D]")
    assert history.dates.tolist() == DAYS
    np.testing.assert_array_equal(history.closes, [[4, 1], [5, np.nan], [6, 3]])
    assert history.closes.flags.c_contiguous
    assert history.closes.flags.writeable
    assert not history.intraday
    assert history.notes == ()


def test_a_long_table_is_read_and_what_is_absent_is_missing(parquet):
    columns = {
        "date": [DAYS[0], DAYS[0], DAYS[1], DAYS[2], DAYS[2]],
        "symbol": ["B", "A", "A", "B", "A"],
        "close": [1.0, 4.0, 5.0, 3.0, None],
        "volume": [1, 2, 3, 4, 5],
    }
    prices = open_prices(parquet(columns))
    assert prices.symbols == ("B", "A")
    np.testing.assert_array_equal(prices.read(["A", "B"]).closes, [[4, 1], [5, np.nan], [np.nan, 3]])


def test_the_dates_are_those_of_the_file_also_where_the_symbol_asked_for_has_no_row(parquet):
    long = {"date": [DAYS[0], DAYS[1], DAYS[2]], "symbol": ["A", "B", "A"], "close": [1.0, 2.0, 3.0]}
    wide = {"date": DAYS, "A": [1.0, None, 3.0], "B": [None, 2.0, None]}
    for columns in (long, wide):
        np.testing.assert_array_equal(open_prices(parquet(columns)).read(["A"]).closes, [[1.0], [np.nan], [3.0]])


def test_columns_and_rows_that_are_not_asked_for_are_not_checked(parquet, text):
    wide = parquet({"date": DAYS, "A": [1.0, 2.0, 3.0], "B": [0.0, -1.0, np.nan], "C": ["x", "y", None]})
    long = text("date,symbol,close\n2022-01-03,A,1\n2022-01-03,B,0\n2022-01-04,B,none\n")
    assert open_prices(wide).read(["A"]).closes.tolist() == [[1.0], [2.0], [3.0]]
    assert open_prices(long).read(["A"]).closes[0] == 1.0


def test_names_with_points_do_not_drag_in_each_other(parquet):
    path = parquet({"date": DAYS, "BF.B": [1.0, 2.0, 3.0], "BF": [0.0, 0.0, 0.0], "BF.B.C": [9.0, 9.0, 9.0]})
    assert open_prices(path).read(["BF.B"]).closes.tolist() == [[1.0], [2.0], [3.0]]


def test_later_rows_are_left_out_and_not_checked(parquet):
    path = parquet({"date": DAYS[::-1], "A": [-1.0, 2.0, 1.0]})
    history = open_prices(path).read(["A"], until=DAYS[1])
    assert history.dates.tolist() == DAYS[:2]
    assert history.closes.tolist() == [[1.0], [2.0]]


def test_the_last_day_is_used_whole_where_rows_are_nearer_than_a_day(parquet):
    times = [datetime(2022, 1, 3, 23, 59, tzinfo=UTC), datetime(2022, 1, 4, 0, 0, tzinfo=UTC)]
    history = read(parquet({"date": times, "A": [1.0, 2.0]}), until=date(2022, 1, 3))
    assert history.closes.tolist() == [[1.0]]


def test_equal_repetitions_are_read_once_and_noted(parquet):
    wide = {"date": [DAYS[0], DAYS[0], DAYS[1]], "A": [1.0, 1.0, 2.0], "B": [None, 5.0, 6.0]}
    long = {"date": [DAYS[0], DAYS[1], DAYS[0]], "symbol": ["A"] * 3, "close": [1.0, 2.0, 1.0]}
    for columns, expected in ((wide, [[1.0, 5.0], [2.0, 6.0]]), (long, [[1.0], [2.0]])):
        path = parquet(columns)
        history = read(path)
        assert history.closes.tolist() == expected
        assert len(history.notes) == 1
        assert history.notes[0].startswith(f"{path}: 1 close")


NEW_YORK = ZoneInfo("America/New_York")
WINTER, SUMMER = datetime(2022, 3, 11), datetime(2022, 3, 14)


@pytest.mark.parametrize(
    "dates",
    [
        pa.array([WINTER.date(), SUMMER.date()]),
        pa.array([WINTER.date(), SUMMER.date()], pa.date64()),
        *(pa.array([WINTER, SUMMER], pa.timestamp(unit)) for unit in ("s", "ms", "us", "ns")),
        pa.array(["2022-03-11", "2022-03-14"]),
        pa.array(["2022-03-11 00:00", "2022-03-14"]).dictionary_encode(),
        pa.array(["2022-03-11T00:00:00.000000000", "2022-03-14T00:00:00"]),
    ],
    ids=lambda array: str(array.type),
)
def test_days_in_any_form_are_days(dates):
    history = read(pa.table({"date": dates, "A": [1.0, 2.0]}))
    assert history.dates.tolist() == [WINTER.date(), SUMMER.date()]
    assert history.notes == ()


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", "UTC", "+05:30"])
def test_local_midnights_are_local_days_whatever_they_are_in_utc(zone):
    clock = timezone(timedelta(hours=5.5)) if zone == "+05:30" else ZoneInfo(zone)
    midnights = [moment.replace(tzinfo=clock) for moment in (WINTER, SUMMER)]
    history = read(pa.table({"date": pa.array(midnights, pa.timestamp("ns", zone)), "A": [1.0, 2.0]}))
    assert history.dates.tolist() == [WINTER.date(), SUMMER.date()]
    assert len(history.notes) == 1
    assert zone in history.notes[0]
    assert "'date'" in history.notes[0]


@pytest.mark.parametrize("offset", ["Z", "+00:00", "-05:00", "+0900"])
@pytest.mark.parametrize("separator", ["T", " "])
def test_local_midnights_written_as_text_are_local_days(text, offset, separator):
    lines = "".join(f"{day}{separator}00:00:00{offset},1.5\n" for day in ("2022-03-11", "2022-03-10"))
    history = read(text("date,A\n" + lines))
    assert history.dates.tolist() == [date(2022, 3, 10), date(2022, 3, 11)]
    assert len(history.notes) == 1


@pytest.mark.parametrize(
    "dates",
    [
        pa.array(
            [WINTER.replace(hour=16, tzinfo=NEW_YORK), SUMMER.replace(hour=16, tzinfo=NEW_YORK)],
            pa.timestamp("ns", "America/New_York"),
        ),
        pa.array(["2022-03-11T21:00:00Z", "2022-03-14T20:00Z"]),
        pa.array(["2022-03-11T16:00:00-0500", "2022-03-14T15:00-0500"]),
        pa.array(["2022-03-11 16:00:00-05:00", "2022-03-14 15:00:00.0-05:00"]),
    ],
    ids=["timestamp", "UTC", "offset without colon", "offset"],
)
def test_zoned_times_of_day_are_instants_in_utc(dates):
    history = read(pa.table({"date": dates, "A": [1.0, 2.0]}))
    assert history.intraday
    assert history.dates.dtype == np.dtype("M8[us]")
    assert history.dates.tolist() == [datetime(2022, 3, 11, 21), datetime(2022, 3, 14, 20)]
    assert history.notes == ()


@pytest.mark.parametrize("convert", [lambda frame: frame, lambda frame: frame.reset_index()], ids=["index", "column"])
def test_frames_with_a_date_index_or_column_are_read(convert):
    index = pd.date_range("2022-01-03", periods=3, name="date", tz="Europe/London")
    frame = pd.DataFrame({"A": [1.0, np.nan, 3.0]}, index=index)
    history = read(convert(frame))
    assert history.dates.tolist() == DAYS
    np.testing.assert_array_equal(history.closes, [[1.0], [np.nan], [3.0]])
    assert history.path == "the table given"


def test_symbols_are_asked_for_once_each(parquet):
    prices = open_prices(parquet({"date": DAYS, "A": [1.0, 2.0, 3.0]}))
    for symbols in ([], ["A", "A"]):
        with pytest.raises(InvalidArgument, match="each once"):
            prices.read(symbols)


def test_a_symbol_that_is_not_there_is_answered_with_the_nearest(parquet):
    path = parquet({"date": DAYS, "EURUSD": [1.0, 2.0, 3.0]})
    with pytest.raises(InputError) as caught:
        open_prices(path).read(["EURSUD"])
    assert str(caught.value).startswith(f"{path}, symbol 'EURSUD': ")
    assert str(caught.value).endswith("Did you mean 'EURUSD'?")


def test_reading_a_file_imports_no_data_frame_library(parquet):
    path = parquet({"date": DAYS, "symbol": ["A", "B", "A"], "close": [1.0, 2.0, 3.0]})
    code = (
        "import sys; from rpmcore.adapters.tables.prices import open_prices; "
        f"open_prices({str(path)!r}).read(['A']); sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=6
).filter(lambda name: name.strip() and name.strip().casefold() not in ("date", "symbol", "close"))
PRICES = st.floats(min_value=5e-324, max_value=1.7e308)


@st.composite
def histories(draw):
    """Dates in any order, symbols, and closes of which some are missing but not all on any date."""
    symbols = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    dates = draw(st.lists(st.dates(date(1800, 1, 1), date(2199, 12, 31)), min_size=1, max_size=8, unique=True))
    rows = [[draw(PRICES), *(draw(st.none() | PRICES) for _ in symbols[1:])] for _ in dates]
    return symbols, dates, rows


def wide_table(symbols, dates, rows):
    columns = {symbol: pa.array([row[i] for row in rows], pa.float64()) for i, symbol in enumerate(symbols)}
    return pa.table({"date": pa.array(dates), **columns})


def long_table(symbols, dates, rows, order):
    cells = [
        (day, symbol, close)
        for day, row in zip(dates, rows, strict=True)
        for symbol, close in zip(symbols, row, strict=True)
        if close is not None
    ]
    order.shuffle(cells)
    days, names, values = zip(*cells, strict=True)
    return pa.table({"date": pa.array(days), "symbol": pa.array(names), "close": pa.array(values, pa.float64())})


def through_parquet(table, folder):
    path = Path(folder) / "prices.parquet"
    pq.write_table(table, path, row_group_size=3)
    return path


def through_csv(table, folder):
    path = Path(folder) / "prices.csv"
    buffer = io.BytesIO()
    pa_csv.write_csv(table, buffer)
    path.write_bytes(buffer.getvalue())
    return path


@given(histories(), st.randoms(use_true_random=False))
def test_long_and_wide_parquet_csv_and_memory_give_the_same_history(history, order):
    symbols, dates, rows = history
    expected = {
        (day.isoformat(), symbol): close
        for day, row in zip(dates, rows, strict=True)
        for symbol, close in zip(symbols, row, strict=True)
        if close is not None
    }
    tables = [wide_table(*history), long_table(*history, order)]
    with tempfile.TemporaryDirectory() as folder:
        for table in tables:
            for source in (table, through_parquet(table, folder), through_csv(table, folder)):
                prices = open_prices(source)
                found = prices.read([symbol for symbol in symbols if symbol in prices.symbols])
                assert found.dates.tolist() == sorted(dates)
                assert closes(found) == expected
