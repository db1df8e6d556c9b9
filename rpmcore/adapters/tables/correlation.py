"""Read a matrix of correlations that a desk gives in place of the estimated ones."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rpmcore.adapters.tables.columns import read_numbers, read_texts, require_filled
from rpmcore.adapters.tables.given import Given
from rpmcore.adapters.tables.opening import open_table
from rpmcore.adapters.tables.source import listed, shortened
from rpmcore.domain.arrays import Matrix
from rpmcore.domain.errors import InputError, nearest

MAX_INSTRUMENTS = 20_000

ROUNDING = 1e-8
"""Difference between two mirrored elements, or of the diagonal from one, that is put down to printing."""


def read_correlation(source: Given, symbols: Sequence[str]) -> Matrix:
    """Return the correlations of `symbols` (n, n), in their order; the matrix may be indefinite.

    Parameters
    ----------
    source
        A Parquet or CSV file, an Arrow table or a data frame: a column ``symbol`` and one column per symbol, in any
        order; rows and columns of instruments that are not asked for are not used.
    symbols
        Each of them once.

    Raises
    ------
    InputError
        If it cannot be read, lacks a row or a column, or an element is missing, out of [−1, 1], not 1 on the
        diagonal, or unlike its mirror image.
    """
    table = open_table(source).indexed_by("symbol")
    table.require("symbol")
    absent = [symbol for symbol in symbols if symbol not in table.columns]
    if absent:
        meant = nearest(absent[0], [name for name in table.columns if name not in symbols])
        raise InputError(
            f"there is no column of correlations for {listed(absent)}",
            source=table.name,
            remedy=f"did you mean {meant!r}?" if meant else "add a column and a row for each instrument of the book",
        )
    table.require(*symbols)
    columns = table.read(["symbol", *symbols], max_rows=MAX_INSTRUMENTS)
    names = read_texts(columns["symbol"])
    require_filled(columns["symbol"], names)
    rows = [_row_of(symbol, names.values, names.codes, table.name) for symbol in symbols]
    matrix = np.empty((len(symbols), len(symbols)))
    for j, symbol in enumerate(symbols):
        numbers = read_numbers(columns[symbol])
        for i, row in enumerate(rows):
            value = float(numbers.values[row])
            if not (numbers.present[row] and -1.0 - ROUNDING <= value <= 1.0 + ROUNDING):
                raise columns[symbol].error(
                    row, f"the correlation of {symbols[i]!r} must lie in [-1, 1]",
                    value=value if numbers.present[row] else "null",
                    remedy="give the correlation, not the covariance"
                    if numbers.present[row]
                    else "fill both triangles of the matrix",
                )  # fmt: skip
            matrix[i, j] = value
    _check(matrix, symbols, table.name)
    return matrix


def _row_of(symbol: str, values: list[str], codes: Any, source: str) -> int:
    places = np.flatnonzero(codes == values.index(symbol)) if symbol in values else np.empty(0, np.intp)
    if len(places) == 1:
        return int(places[0])
    raise InputError(
        f"{len(places)} rows have this symbol",
        source=source,
        column="symbol",
        symbol=shortened(symbol),
        remedy="give one row for each instrument of the book",
    )


def _check(matrix: Matrix, symbols: Sequence[str], source: str) -> None:
    diagonal = np.abs(np.diagonal(matrix) - 1.0)
    if diagonal.max() > ROUNDING:
        worst = int(diagonal.argmax())
        raise InputError(
            "the correlation of an instrument with itself must be 1",
            source=source, column=shortened(symbols[worst]), symbol=shortened(symbols[worst]),
            value=float(matrix[worst, worst]), remedy="give correlations, not covariances",
        )  # fmt: skip
    apart = np.abs(matrix - matrix.T)
    if apart.max() > ROUNDING:
        i, j = (int(k) for k in np.unravel_index(int(apart.argmax()), apart.shape))
        raise InputError(
            f"the correlation with {symbols[j]!r} is {float(matrix[i, j])!r}, but the other way round "
            f"{float(matrix[j, i])!r}",
            source=source, column=shortened(symbols[j]), symbol=shortened(symbols[i]), remedy="make both the same",
        )  # fmt: skip
