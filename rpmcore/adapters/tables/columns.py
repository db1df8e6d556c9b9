"""From Arrow columns to numbers and texts.

Buffers are read with NumPy: Arrow's own ``to_numpy`` and ``pa.array`` import pandas wherever it is installed,
which costs more than everything else that a small book needs.
"""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import DTypeLike, NDArray

from rpmcore.adapters.tables.parquet_files import is_text
from rpmcore.adapters.tables.source import Column, reading
from rpmcore.domain.arrays import Vector
from rpmcore.domain.errors import InputError

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?(nan|inf|infinity)", re.ASCII | re.IGNORECASE)
_MISSING_WORDS = {"", "-", "--", "n/a", "#n/a", "na", "null", "none", "#div/0!", "#value!"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Numbers:
    """A column of numbers.

    Attributes
    ----------
    values
        (n_rows,) float64; NaN where `present` is false.
    present
        (n_rows,) false where the cell is null.
    """

    values: Vector
    present: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Texts:
    """A column of texts.

    Attributes
    ----------
    values
        The different texts, in the order in which they first appear.
    codes
        (n_rows,) index into `values`; -1 where the cell is null.
    """

    values: list[str]
    codes: NDArray[np.int64]

    def __getitem__(self, position: int) -> str | None:
        code = int(self.codes[position])
        return self.values[code] if code >= 0 else None

    def position(self, code: int) -> int:
        """Return where the text with this code, or -1 for null, first stands."""
        return int((self.codes == code).argmax())


def read_numbers(column: Column, positions: NDArray[np.intp] | None = None) -> Numbers:
    """Return the column as float64; integers, decimals and narrow floats are converted.

    Parameters
    ----------
    column
        Of numbers; or of text in a CSV file, read strictly: a point in decimals, nothing between digits.
    positions
        The cells to return, all if None. Text elsewhere is not read.

    Raises
    ------
    InputError
        If it does not hold numbers; text that looks like one is answered with the number probably meant.
    """
    with reading(column.source):
        data = decoded(column)
        if is_text(data.type):
            return _parsed(column, data, positions)
        numbers = _unpacked(_as_float64(column, data))
    if positions is None:
        return numbers
    return Numbers(values=numbers.values[positions], present=numbers.present[positions])


def read_texts(column: Column) -> Texts:
    """Return the column as texts, however Arrow holds them.

    Raises
    ------
    InputError
        If it does not hold text.
    """
    data = _plain_texts(column)
    if pa.types.is_null(data.type):
        return Texts(values=[], codes=np.full(len(data), -1))
    held = data.type.value_type if pa.types.is_dictionary(data.type) else data.type
    if not is_text(held):
        raise column.error(None, f"it holds {held}, not text", remedy="store it as text")
    with reading(column.source):
        if pa.types.is_dictionary(data.type):
            array = data.unify_dictionaries().combine_chunks()
        else:
            array = data.combine_chunks().dictionary_encode()
        values = array.dictionary.to_pylist()
        indices = fixed_width(array.indices, str(array.indices.type)).astype(np.int64)
    return _in_order_of_appearance(np.where(validity(array), indices, -1), values)


def decoded(column: Column) -> Any:
    """Return the data of the column, with a dictionary replaced by the values it stands for."""
    data = _plain_texts(column)
    return data.cast(data.type.value_type) if pa.types.is_dictionary(data.type) else data


def _plain_texts(column: Column) -> Any:
    """Return the data of the column; text in views, of which Arrow can do little, as text, also in a dictionary."""
    data = column.data
    held = data.type.value_type if pa.types.is_dictionary(data.type) else data.type
    if not pa.types.is_string_view(held):
        return data
    with reading(column.source):
        if not pa.types.is_dictionary(data.type):
            return data.cast(pa.large_string())
        return pa.chunked_array(
            [
                pa.DictionaryArray.from_arrays(chunk.indices, chunk.dictionary.cast(pa.large_string()))
                for chunk in data.chunks
            ],
            pa.dictionary(data.type.index_type, pa.large_string()),
        )


def fixed_width(array: Any, dtype: DTypeLike) -> NDArray[Any]:
    """Return the values of an Arrow array of fixed width, without a copy; null cells hold anything."""
    if len(array) == 0:
        return np.empty(0, dtype)
    return np.frombuffer(array.buffers()[1], dtype)[array.offset : array.offset + len(array)]


def validity(array: Any) -> NDArray[np.bool_]:
    """Return which cells of an Arrow array are not null."""
    bitmap = array.buffers()[0]
    if bitmap is None:
        return np.full(len(array), not pa.types.is_null(array.type))
    bits = np.unpackbits(np.frombuffer(bitmap, np.uint8), bitorder="little")
    return bits[array.offset : array.offset + len(array)].astype(np.bool_)


def require_filled(column: Column, texts: Texts) -> None:
    """Raise `InputError` if a cell is null or blank."""
    if (texts.codes < 0).any():
        raise column.error(
            texts.position(-1), "there is no text", value="null", remedy="fill the cell, or remove the row"
        )
    refuse_blanks(column, texts)


def refuse_blanks(column: Column, texts: Texts) -> None:
    """Raise `InputError` if a cell holds nothing but blanks; null is allowed."""
    for code, text in enumerate(texts.values):
        if not text.strip():
            raise column.error(
                texts.position(code), "the text is blank", value=text, remedy="fill the cell, or make it null"
            )


def plain_number(text: str) -> float | None:
    """Return the number in `text`, or None if it is not written plainly."""
    return float(text) if _NUMBER.fullmatch(text) else None


def probable_number(text: str) -> float | None:
    """Return the number that a person probably meant by `text`, or None.

    ``"1,234.5"``, ``"1.234,5"``, ``"1 234,5"`` and ``"1'234.5"`` are 1234.5, ``"20%"`` is 0.2, ``"(5)"`` is
    -5. A lone comma before three digits is read as a thousands separator.
    """
    body = re.sub(r"[\s'’_$€£¥]", "", text).replace("−", "-")
    divisor = 1.0
    if body.startswith("(") and body.endswith(")"):
        body, divisor = body[1:-1], -1.0
    if body.endswith("%"):
        body, divisor = body[:-1], divisor * 100.0
    if body.rfind(",") > body.rfind("."):
        grouped = re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+", body)
        body = body.replace(",", "") if grouped else body.replace(".", "").replace(",", ".")
    else:
        body = body.replace(",", "")
    number = plain_number(body)
    return None if number is None else number / divisor


def _as_float64(column: Column, data: Any) -> Any:
    kind = data.type
    if pa.types.is_float64(kind):
        return data
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind):
        return data.cast(pa.float64(), safe=False)
    raise column.error(None, f"it holds {kind}, not numbers", remedy="store it as a floating-point number")


def _unpacked(data: Any) -> Numbers:
    array = data.combine_chunks()
    present = validity(array)
    return Numbers(values=np.where(present, fixed_width(array, np.float64), np.nan), present=present)


def _parsed(column: Column, data: Any, positions: NDArray[np.intp] | None) -> Numbers:
    """Return text as numbers where a file can hold nothing else; anywhere else text is an error."""
    if positions is not None and len(positions) < len(data):
        data = data.take(pa.Array.from_buffers(pa.int64(), len(positions), [None, pa.py_buffer(positions)]))
    if column.untyped:
        try:
            return _unpacked(data.cast(pa.float64()))
        except pa.ArrowInvalid as error:
            refused = error
    texts = data.to_pylist()
    for index, text in enumerate(texts):
        if text is not None and not (column.untyped and plain_number(text) is not None):
            raise _not_a_number(column, index if positions is None else int(positions[index]), text)
    if column.untyped:
        raise refused
    return Numbers(values=np.full(len(texts), np.nan), present=np.full(len(texts), False))


def _not_a_number(column: Column, position: int, text: str) -> InputError:
    meant = probable_number(text)
    if text.strip().casefold() in _MISSING_WORDS:
        remedy = "leave the cell empty if there is no number"
    elif meant is None:
        remedy = "give a plain number such as 1234.5"
    elif column.untyped:
        remedy = f"write {meant!r} if that is meant"
    else:
        remedy = f"store {meant!r} as a floating-point number if that is meant"
    return column.error(position, "text where a number is expected", value=text, remedy=remedy)


def _in_order_of_appearance(indices: NDArray[np.int64], dictionary: list[str | None]) -> Texts:
    # Arrow lets a dictionary hold nulls, repeated and unused values, in any order.
    codes_of: dict[str, int] = {}
    merged = [-1 if value is None else codes_of.setdefault(value, len(codes_of)) for value in dictionary]
    codes = np.array([*merged, -1], dtype=np.int64)[indices]
    # Assigned from the last row to the first, so that the first place of each code stays; the spare slot at
    # the end takes the nulls.
    first = np.full(len(codes_of) + 1, len(codes))
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    used = np.flatnonzero(first[:-1] < len(codes))
    order = used[np.argsort(first[used])]
    renumbered = np.full(len(codes_of) + 1, -1)
    renumbered[order] = np.arange(len(order))
    values = list(codes_of)
    return Texts(values=[values[code] for code in order], codes=renumbered[codes])
