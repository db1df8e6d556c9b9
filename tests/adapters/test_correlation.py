import numpy as np
import pyarrow as pa
import pytest

from rpmcore.adapters.tables.correlation import read_correlation
from rpmcore.domain.errors import InputError

GOOD = {"symbol": ["A", "B", "C"], "A": [1.0, 0.5, 0.1], "B": [0.5, 1.0, -0.2], "C": [0.1, -0.2, 1.0]}


def changed(**columns):
    return pa.table({**GOOD, **columns})


def test_rows_and_columns_come_in_the_order_asked_for():
    shuffled = pa.table({"C": [-0.2, 0.1, 1.0], "symbol": ["B", "A", "C"], "A": [0.5, 1.0, 0.1], "B": [1.0, 0.5, -0.2]})
    for table in (pa.table(GOOD), shuffled):
        np.testing.assert_array_equal(read_correlation(table, ["C", "A"]), [[1.0, 0.1], [0.1, 1.0]])


def test_a_csv_file(tmp_path):
    file = tmp_path / "views.csv"
    file.write_text("symbol,A,B\nA,1,0.25\nB,0.25,1\n")
    np.testing.assert_array_equal(read_correlation(str(file), ["A", "B"]), [[1.0, 0.25], [0.25, 1.0]])


@pytest.mark.parametrize(
    ("columns", "symbols", "words"),
    [
        ({}, ["A", "D"], ["no column", "'D'"]),
        ({"symbol": ["A", "B", "B"]}, ["A", "C"], ["0 rows", "'C'"]),
        ({"symbol": ["A", "B", "B"]}, ["A", "B"], ["2 rows", "'B'"]),
        ({"B": [1.5, 1.0, -0.2]}, ["A", "B"], ["[-1, 1]", "1.5", "'B'", "'A'"]),
        ({"B": [None, 1.0, -0.2]}, ["A", "B"], ["[-1, 1]", "null"]),
        ({"B": [float("nan"), 1.0, -0.2]}, ["A", "B"], ["[-1, 1]", "nan"]),
        ({"B": [0.5, 0.04, -0.2]}, ["A", "B"], ["must be 1", "0.04"]),
        ({"B": [0.4, 1.0, -0.2]}, ["A", "B"], ["the other way round", "0.4", "0.5"]),
        ({"B": ["x", "y", "z"]}, ["A", "B"], ["number", "'B'"]),
    ],
)
def test_what_is_no_correlation_matrix_is_refused_by_name(columns, symbols, words):
    with pytest.raises(InputError) as refused:
        read_correlation(changed(**columns), symbols)
    for word in words:
        assert word in str(refused.value)
