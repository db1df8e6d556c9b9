"""Files that cannot be read: each gives one message that says why, and nothing else is ever raised."""

import io
import tempfile
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.adapters.tables import book, prices
from rpmcore.adapters.tables.book import read_book
from rpmcore.domain.errors import InputError
from tests.adapters.refusals import assert_says, read_all, refusal

DAYS = [date(2022, 1, 3), date(2022, 1, 4), date(2022, 1, 5)]
PARQUET_MARK = b"PAR1"
NOT_TABLES = {
    "empty": (b"", "book.parquet", ["empty (0 bytes)", "Write or fetch it again"]),
    "empty csv": (b"", "book.csv", ["empty (0 bytes)"]),
    "csv called parquet": (b"symbol,weight\nA,1\n", "book.parquet", ["not Parquet", "CSV", "Name it .csv"]),
    "zip": (b"PK\x03\x04rest", "book.parquet", ["zip archive or an Excel workbook", "Convert it"]),
    "workbook called csv": (b"PK\x03\x04rest", "book.csv", ["zip archive or an Excel workbook", "Convert it"]),
    "page": (b"<!DOCTYPE html><html>", "book.parquet", ["HTML", "Convert it"]),
    "page called csv": (b"\n  <html><body>404", "book.csv", ["HTML", "Convert it"]),
    "json": (b'[{"symbol": "A"}]', "book.csv", ["JSON", "Convert it"]),
    "gzip": (b"\x1f\x8b\x08rest", "book.csv.gz", ["gzip", "Convert it"]),
    "binary": (b"a,b\n\0\1\2", "book.csv", ["binary data", "Convert it"]),
    "utf-16": ("symbol,weight\nA,1\n".encode("utf-16"), "book.csv", ["UTF-16", "Convert it"]),
    "pointer": (b"version https://git-lfs.github.com/spec/v1", "book.parquet", ["Git LFS pointer"]),
    "encrypted": (b"PAREwhateverPARE", "book.parquet", ["encrypted Parquet"]),
    "only the mark": (PARQUET_MARK, "book.parquet", ["damaged", "Write or fetch it again"]),
    "no footer": (PARQUET_MARK + b"rest", "book.parquet", ["truncated", "Write or fetch it again"]),
    "nonsense between marks": (PARQUET_MARK + bytes(50) + PARQUET_MARK, "book.parquet", ["damaged"]),
}


@pytest.mark.parametrize("case", NOT_TABLES)
def test_a_file_that_is_no_table_is_recognised(text, case):
    content, name, parts = NOT_TABLES[case]
    path = text(content, name)
    for read in (read_book, read_all):
        assert_says(refusal(read, path), path, parts)


BAD_CSV = {
    "semicolons": (
        "symbol;weight\nA;0,5\n",
        ["separated by semicolons", "'symbol;weight'", "commas between columns"],
    ),
    "tabs": ("symbol\tweight\nA\t1\n", ["separated by tabs", "commas between columns"]),
    "one column": ("symbol\nA\n", ["a single column", "'symbol'"]),
    "only a header": ("symbol,weight\n", ["no rows", "at least one row"]),
    "only blank lines": ("\n\n\n", ["a single column"]),
    "a cell too many": ("symbol,weight\nA,1\n\nB,1,234.5\n", ["row 2", "3 cell(s)", "'B,1,234.5'", "quote a text"]),
    "a cell too few": ("symbol,weight\nA\n", ["row 1", "1 cell(s)", "'A'", "one cell per column"]),
    "a quote that never ends": ('symbol,weight\n"A,1\nB,2\n', ["cell(s)", "one cell per column"]),
    "empty size": ("symbol,weight\nA,\n", ["column 'weight', symbol 'A', row 1", "null", "remove the row"]),
    "empty symbol": ("symbol,weight\nA,1\n,2\n", ["column 'symbol', row 2", "null", "Fill the cell"]),
    "NaN": ("symbol,weight\nA,NaN\n", ["column 'weight', symbol 'A', row 1", "nan", "Give a number"]),
    "header with blanks": ("symbol, weight\nA, 1\n", ["' weight'", "Rename ' weight' to 'weight'"]),
}


@pytest.mark.parametrize("case", BAD_CSV)
def test_bad_csv_is_named(text, case):
    content, parts = BAD_CSV[case]
    path = text(content)
    assert_says(refusal(read_book, path), path, parts)


@pytest.mark.parametrize("content", ["symbol,weight\nMüller,1\n", "Größe,symbol,weight\n1,A,1\n"])
def test_csv_in_another_encoding_is_refused(text, content):
    path = text(content.encode("latin-1"))
    assert_says(refusal(read_book, path), path, ["UTF-8", "ave it"])


def test_a_file_that_is_not_there_is_answered_with_the_nearest(parquet):
    path = parquet({"symbol": ["A"], "weight": [1.0]}, name="portfolio.parquet")
    missing = path.with_name("portfolo.parquet")
    assert_says(refusal(read_book, missing), missing, ["no such file", f"Did you mean {str(path)!r}?"])


def test_a_folder_that_is_not_there_is_named(tmp_path):
    missing = tmp_path / "books" / "book.parquet"
    assert_says(refusal(read_book, missing), missing, ["no such file", repr(str(missing.parent)), "Check the path"])


def test_a_folder_is_not_a_file(tmp_path):
    assert_says(refusal(read_book, tmp_path), tmp_path, ["folder", "Name a Parquet or CSV file"])


def test_a_path_that_no_file_can_have_is_refused():
    refusal(read_book, "a\0b")


def test_more_rows_than_any_book_has_are_refused(parquet, text):
    too_many = book.MAX_HOLDINGS + 1
    table = pa.table({"symbol": pa.nulls(too_many, pa.string()), "weight": pa.nulls(too_many, pa.float64())})
    for source in (parquet(table), text("symbol,weight\n" + "A,1\n" * too_many)):
        assert_says(refusal(read_book, source), source, ["1,000,001 rows", "1,000,000", "Split it"])


def test_more_closes_than_are_held_are_refused(monkeypatch):
    monkeypatch.setattr(prices, "MAX_CLOSES", 5)
    message = refusal(read_all, pa.table({"date": DAYS, "A": [1.0] * 3, "B": [1.0] * 3}))
    assert_says(message, "the table given", ["3 dates of 2 symbols", "fewer symbols"])


def test_a_long_value_does_not_fill_the_screen(text):
    path = text(f"symbol,weight\n{'S' * 10_000},{'9,' * 10_000}".replace("9,", "9 "))
    assert len(refusal(read_book, path)) < len(str(path)) + 600


def test_a_damaged_page_is_found_while_reading(parquet):
    rng = np.random.default_rng(0)
    path = parquet({"date": np.arange("2000", "2010", dtype="M8[D]"), "A": rng.uniform(1.0, 2.0, 3653)})
    content = bytearray(path.read_bytes())
    content[8:200] = bytes(192)
    path.write_bytes(content)
    assert_says(refusal(read_all, path), path, ["damaged", "Write or fetch it again"])


def _written(columns, **options):
    buffer = io.BytesIO()
    table = pa.table(columns).replace_schema_metadata({"rpm.capital": "1e6", "rpm.as_of": "2022-01-05"})
    pq.write_table(table, buffer, **options)
    return buffer.getvalue()


VALID = [
    _written({"date": DAYS, "A": [1.0, 2.0, 3.0], "B": [1.0, None, 2.0]}, compression="none"),
    _written({"date": DAYS, "A": [1.0, 2.0, 3.0]}, compression="zstd", use_dictionary=False),
    _written({"date": DAYS, "symbol": ["A", "B", "A"], "close": [1.0, 2.0, 3.0]}, row_group_size=2),
    _written({"symbol": ["A", "B"], "weight": [1.0, 2.0], "sector": ["x", None]}, data_page_version="2.0"),
]


@st.composite
def damaged_files(draw):
    content = bytearray(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(1, 8))):
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    return bytes(content[: draw(st.just(len(content)) | st.integers(0, len(content)))])


def outcome(read, path):
    """The result, or the message of the one error that may be raised."""
    try:
        return read(path), f"{path} was read"
    except InputError as error:
        return None, str(error)


@given(damaged_files())
def test_a_damaged_file_gives_a_valid_result_or_one_error(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.parquet"
        path.write_bytes(content)
        history, message = outcome(read_all, path)
        assert message.startswith(str(path))
        if history is not None:
            assert ((history.closes > 0.0) | np.isnan(history.closes)).all()
            assert (np.diff(history.dates) > np.timedelta64(0)).all()
        held, message = outcome(read_book, path)
        assert message.startswith(str(path))
        assert held is None or all(np.isfinite(holding.size) for holding in held.holdings)


@given(st.text(alphabet='symbol,weightdateA0123456789.-\n\r"\t ', max_size=80))
def test_any_text_gives_a_valid_result_or_one_error(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.csv"
        for header in ("", "symbol,weight\n", "date,A\n", "date,symbol,close\n"):
            path.write_text(header + content, encoding="utf-8", newline="")
            for read in (read_book, read_all):
                assert outcome(read, path)[1].startswith(str(path))
