"""Books that are read, in every form they may take."""

from datetime import date
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest

from rpmcore.adapters.tables.book import read_book
from rpmcore.domain.errors import InputError
from rpmcore.domain.portfolio import Holding

METADATA = {
    "rpm.schema": "rpm.book/1",
    "rpm.capital": "1000000",
    "rpm.base_currency": "EUR",
    "rpm.as_of": "2022-12-28",
}


def sizes(book):
    return {holding.symbol: holding.size for holding in book.holdings}


def test_a_full_book_is_read_with_what_the_file_says_of_itself(parquet):
    path = parquet(
        {
            "symbol": ["AAPL", "EURUSD"],
            "quantity": [10.0, -5000.0],
            "price": [130.5, 1.06],
            "strategy_id": ["trend", "carry"],
            "currency": ["USD", None],
            "sector": ["technology", None],
            "contract_size": [1.0, 100_000.0],
            "adv": [8e9, None],
            "spread_bps": [1.5, 0.0],
        },
        METADATA,
    )
    book = read_book(str(path))
    assert book.holdings == (
        Holding(
            symbol="AAPL",
            size=10.0,
            price=130.5,
            strategy_id="trend",
            currency="USD",
            sector="technology",
            contract_size=1.0,
            adv=8e9,
            spread_bps=1.5,
        ),
        Holding(
            symbol="EURUSD",
            size=-5000.0,
            price=1.06,
            strategy_id="carry",
            contract_size=100_000.0,
            spread_bps=0.0,
        ),
    )
    assert (book.sizing, book.source, book.path) == ("quantity", "file", str(path))
    assert (book.capital, book.base_currency, book.as_of) == (1e6, "EUR", date(2022, 12, 28))


def test_arguments_override_the_file_even_where_its_own_words_cannot_be_read(parquet):
    broken = {**METADATA, "rpm.capital": "a lot", "rpm.base_currency": "euros"}
    path = parquet({"symbol": ["A"], "market_value": [5.0]}, broken)
    book = read_book(path, capital=2e6, base_currency="USD")
    assert (book.capital, book.base_currency) == (2e6, "USD")


def test_a_book_of_weights_needs_neither_capital_nor_currency(parquet):
    book = read_book(parquet({"symbol": ["A"], "weight": [0.5]}))
    assert (book.capital, book.base_currency, book.as_of) == (None, None, None)


@pytest.mark.parametrize("weights", [[1.0], [-0.5, -0.5, -1.0], [2.0, 2.0, 1.0], [1.0, -1.0], [0.0]], ids=str)
def test_weights_need_not_sum_to_one(parquet, weights):
    path = parquet({"symbol": [f"S{i}" for i in range(len(weights))], "weight": weights})
    assert [holding.size for holding in read_book(path).holdings] == weights


@pytest.mark.parametrize(
    "kind",
    [
        pa.decimal128(20, 4),
        pa.decimal256(40, 4),
        pa.float16(),
        pa.float32(),
        pa.int8(),
        pa.int64(),
        pa.uint64(),
        pa.dictionary(pa.int8(), pa.float64()),
    ],
    ids=str,
)
def test_every_kind_of_number_is_read(parquet, kind):
    held = [Decimal(2), None] if pa.types.is_decimal(kind) else [2, None]
    array = pa.array([2.0, None]).dictionary_encode() if pa.types.is_dictionary(kind) else pa.array(held, kind)
    path = parquet({"symbol": ["A", "B"], "weight": [1.0, 1.0], "adv": array})
    assert [holding.adv for holding in read_book(path).holdings] == [2.0, None]


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.dictionary(pa.int8(), pa.string()),
        pa.dictionary(pa.uint16(), pa.large_string()),
    ],
    ids=str,
)
@pytest.mark.parametrize("stored", [True, False], ids=["file", "memory"])
def test_every_kind_of_text_is_read(parquet, kind, stored):
    names = pa.array(["B", "A", "B"]).cast(kind)
    table = pa.table({"symbol": names, "strategy_id": pa.array(["x", "x", None]).cast(kind), "weight": [1, 2, 3]})
    book = read_book(parquet(table) if stored else table)
    assert [(h.symbol, h.strategy_id, h.size) for h in book.holdings] == [("B", "x", 1), ("A", "x", 2), ("B", None, 3)]


def test_names_may_hold_markup_blanks_quotes_and_any_alphabet(parquet, text):
    names = ["[red]X[/red]", "BRK B", 'a "quoted", name', "日経225", "Ω", "two\nlines", "BF.B", "BF", "null", "NaN"]
    table = pa.table({"symbol": names, "weight": [float(i) for i in range(len(names))]})
    quoted = ['"' + name.replace('"', '""') + '"' for name in names]
    lines = "".join(f"{name},{i}\n" for i, name in enumerate(quoted))
    expected = {name: float(i) for i, name in enumerate(names)}
    assert sizes(read_book(parquet(table))) == expected
    assert sizes(read_book(text("symbol,weight\n" + lines))) == expected


def test_columns_that_are_not_known_are_not_read(parquet):
    path = parquet(
        {
            "symbol": ["A"],
            "weight": [1.0],
            "note": ["1,234.5"],
            "lots": [[1, 2, 3]],
            "broker": [{"name": "x", "limit": float("nan")}],
        }
    )
    assert sizes(read_book(path)) == {"A": 1.0}


def test_one_symbol_may_stand_under_several_strategies(parquet):
    path = parquet({"symbol": ["A", "A", "A"], "weight": [1.0, 2.0, 3.0], "strategy_id": ["x", "y", None]})
    assert [holding.strategy_id for holding in read_book(path).holdings] == ["x", "y", None]


@pytest.mark.parametrize(
    "content",
    [
        "symbol,weight,sector,adv\nA,0.5,tech,\nB,-1e-1,,2\n",
        "\ufeffsymbol,weight,sector,adv\r\nA,0.5,tech,\r\nB,-1e-1,,2\r\n",
        '"symbol","weight","sector","adv"\n"A","0.5","tech",""\n\n"B","-.1","","2.0"\n',
        "note,adv,weight,symbol,sector\n1.5%,,+0.5,A,tech\n,2,-0.1,B,",
    ],
    ids=["plain", "byte order mark", "quoted", "other order"],
)
def test_csv_is_read_by_the_same_rules(text, content):
    assert read_book(text(content)).holdings == (
        Holding(symbol="A", size=0.5, sector="tech"),
        Holding(symbol="B", size=-0.1, adv=2.0),
    )


def test_the_bytes_decide_what_a_file_is_where_its_name_does_not(parquet, text):
    path = parquet({"symbol": ["A"], "weight": [1.0]}, name="book.data")
    assert sizes(read_book(path)) == {"A": 1.0}
    assert sizes(read_book(text("symbol,weight\nA,1\n", name="book.txt"))) == {"A": 1.0}


class Stream:
    """A table of some other library: all it offers is the Arrow stream protocol."""

    def __init__(self, table):
        self.table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self.table.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize(
    "convert",
    [
        lambda table: table,
        Stream,
        lambda table: table.to_pandas(),
        lambda table: table.to_pandas().astype({"symbol": "category"}),
        lambda table: pa.concat_tables([table.slice(0, 1), table.slice(1)]),
        lambda table: pa.concat_tables([table, table]).slice(2),
        lambda table: table.to_reader(),
    ],
    ids=["arrow", "stream", "pandas", "categories", "chunks", "slice", "reader"],
)
def test_tables_in_memory_are_read_by_the_same_rules(convert):
    table = pa.table({"symbol": ["A", "B"], "weight": [0.5, None], "market": [1, 2]})
    table = table.set_column(1, "weight", pa.array([0.5, -0.5])).append_column("adv", pa.array([None, 7.0]))
    book = read_book(convert(table))
    assert book.holdings == (Holding(symbol="A", size=0.5), Holding(symbol="B", size=-0.5, adv=7.0))
    assert (book.source, book.path) == ("memory", None)


def test_a_dictionary_may_hold_values_twice_unused_and_null():
    codes, values = pa.array([3, 0, 1, 4], pa.int8()), pa.array(["A", "B", "unused", "C", "B", None])
    symbols = pa.DictionaryArray.from_arrays(codes, values)
    strategies = pa.array(["x", "x", "x", "y"])
    book = read_book(pa.table({"symbol": symbols, "strategy_id": strategies, "weight": [1.0, 2.0, 3.0, 4.0]}))
    assert [(h.symbol, h.size) for h in book.holdings] == [("C", 1.0), ("A", 2.0), ("B", 3.0), ("B", 4.0)]


def test_a_frame_that_mixes_kinds_in_a_column_is_refused():
    with pytest.raises(InputError, match="the table given"):
        read_book(pd.DataFrame({"symbol": ["A", 5], "weight": [1.0, 2.0]}))


def test_the_nulls_of_pandas_are_nulls():
    frame = pd.DataFrame({"symbol": ["A", "B"], "weight": [1.0, 2.0], "adv": [1.0, float("nan")]})
    assert [holding.adv for holding in read_book(frame).holdings] == [1.0, None]


def test_what_is_no_table_is_refused():
    with pytest.raises(ValueError, match="__arrow_c_stream__"):
        read_book({"symbol": ["A"]})
