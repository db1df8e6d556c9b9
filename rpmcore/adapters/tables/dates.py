"""From whatever a file calls a date to days, or to instants in UTC where rows are nearer than a day."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rpmcore.adapters.tables.columns import Texts, decoded, fixed_width, read_texts, validity
from rpmcore.adapters.tables.parquet_files import is_text
from rpmcore.adapters.tables.source import Column, reading
from rpmcore.domain.errors import InputError

_FIRST, _LAST = np.datetime64("1800-01-01"), np.datetime64("2199-12-31")
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
_OFFSET = re.compile(r"(Z|[+-]\d\d:\d\d)\Z", re.ASCII)
_EIGHT_DIGITS = re.compile(r"\d{8}", re.ASCII)
_PARTS = re.compile(r"(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{4})", re.ASCII)
_EXPECTED = "write dates as YYYY-MM-DD"
_ZONE_NEEDED = "drop the time of day if data are daily, else store timestamps with a time zone"
_UNITS_PER_DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dates:
    """A column of dates.

    Attributes
    ----------
    values
        (n_rows,) ``datetime64[D]``, or ``datetime64[us]`` in UTC where some row has a zoned time of day.
    notes
        What was changed on the way in.
    """

    values: NDArray[np.datetime64]
    notes: tuple[str, ...] = ()


def read_dates(column: Column) -> Dates:
    """Return the column as dates; timestamps that all stand at local midnight are their local dates.

    Raises
    ------
    InputError
        For a null, a date that cannot be read or is ambiguous, a time of day without a zone, mixed offsets
        from UTC, or a year that no price can be from; names the row and what was found.
    """
    with reading(column.source):
        data = decoded(column)
        kind = data.type
        if is_text(kind) or pa.types.is_null(kind):
            zoned = _zoned(data)
            if zoned is not None:
                return _from_timestamps(column, zoned, "us", zoned.type.tz)
            return _from_texts(column, read_texts(column))
        if pa.types.is_date32(kind):
            days = _integers(column, data, np.int32)
            return Dates(values=_plausible(column, days))
        if pa.types.is_date64(kind):
            return _from_timestamps(column, data, "ms", None)
        if pa.types.is_timestamp(kind):
            return _from_timestamps(column, data, kind.unit, kind.tz)
        if pa.types.is_integer(kind):
            found = str(data[0].as_py())
            raise column.error(0, "a number where a date is expected", value=found, remedy=_eight_digits(found))
    raise column.error(None, f"it holds {kind}, not dates", remedy="store it as a date")


def _plausible(column: Column, days: NDArray[Any]) -> NDArray[np.datetime64]:
    """Return days since 1970 as dates; checked before any conversion to a finer unit could overflow."""
    dates = days.astype("M8[D]")
    implausible = (dates < _FIRST) | (dates > _LAST)
    if implausible.any():
        position = int(implausible.argmax())
        raise column.error(
            position,
            "the year is not between 1800 and 2199",
            value=str(dates[position]),
            remedy="correct the date, or the unit it was stored in",
        )
    return dates


def _integers(column: Column, data: Any, dtype: type) -> NDArray[Any]:
    array = data.combine_chunks()
    present = validity(array)
    if not present.all():
        raise _no_date(column, int(present.argmin()))
    return fixed_width(array, dtype)


def _no_date(column: Column, position: int) -> InputError:
    return column.error(position, "there is no date", value="null", remedy="give the date, or remove the row")


def _from_timestamps(column: Column, data: Any, unit: str, zone: str | None) -> Dates:
    per_day = _UNITS_PER_DAY[unit]
    instants = _integers(column, data, np.int64)
    local = instants if zone is None else _integers(column, _local(column, data), np.int64)
    days = _plausible(column, local // per_day)
    off_midnight = local % per_day != 0
    if not off_midnight.any():
        return Dates(values=days, notes=_zone_dropped(column, zone))
    if zone is None:
        position = int(off_midnight.argmax())
        found = str(instants[position].astype(f"M8[{unit}]"))
        raise column.error(position, "a time of day without a time zone", value=found, remedy=_ZONE_NEEDED)
    return Dates(values=instants.astype(f"M8[{unit}]").astype("M8[us]"))


def _local(column: Column, data: Any) -> Any:
    import pyarrow.compute

    try:
        return pyarrow.compute.local_timestamp(data)
    except pa.ArrowException as error:
        raise column.error(
            None,
            f"its time zone is not known: {data.type.tz}",
            remedy="store it in a zone such as Europe/London or UTC",
        ) from error


def _zone_dropped(column: Column, zone: str | None) -> tuple[str, ...]:
    if zone is None:
        return ()
    return (
        f"{column.source}, column {column.name!r}: every row stands at midnight in the zone {zone}; "
        "the zone was dropped and the local dates kept",
    )


def _zoned(data: Any) -> Any:
    """Return ISO texts that all end with the same offset from UTC as timestamps; None for any others.

    A shortcut for long intraday files, in which no two texts are equal.
    """
    offset = _OFFSET.search(data[0].as_py() or "")
    if offset is None:
        return None
    import pyarrow.compute

    if not pyarrow.compute.all(pyarrow.compute.ends_with(data, offset[0]), skip_nulls=False).as_py():
        return None
    try:
        return data.cast(pa.timestamp("us", "UTC" if offset[0] == "Z" else offset[0]))
    except pa.ArrowInvalid:
        return None


def _from_texts(column: Column, texts: Texts) -> Dates:
    if (texts.codes < 0).any():
        raise _no_date(column, texts.position(-1))
    moments = [_moment(column, texts, code) for code in range(len(texts.values))]
    offset = moments[0].utcoffset() if moments else None
    for code, moment in enumerate(moments):
        if moment.utcoffset() != offset:
            names = f"{_offset_name(offset)} before, {_offset_name(moment.utcoffset())} here"
            raise column.error(
                texts.position(code),
                f"offsets from UTC are mixed: {names}",
                value=texts.values[code],
                remedy="write plain local dates (YYYY-MM-DD) for daily data, else every timestamp in UTC",
            )
    local = [moment.replace(tzinfo=None) for moment in moments]
    days = np.array([moment.date() for moment in local], dtype="M8[D]")[texts.codes]
    _plausible(column, days)
    off_midnight = next((code for code, moment in enumerate(local) if moment.time() != time()), None)
    if off_midnight is None:
        return Dates(values=days, notes=_zone_dropped(column, None if offset is None else _offset_name(offset)))
    if offset is None:
        found = texts.values[off_midnight]
        raise column.error(
            texts.position(off_midnight),
            "a time of day without a time zone",
            value=found,
            remedy=_ZONE_NEEDED,
        )
    instants = np.array([(moment - _EPOCH - offset) // _MICROSECOND for moment in local], dtype="M8[us]")
    return Dates(values=instants[texts.codes])


def _moment(column: Column, texts: Texts, code: int) -> datetime:
    text = texts.values[code]
    if _ISO.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    problem, remedy = _reading_of(text)
    raise column.error(texts.position(code), problem, value=text, remedy=remedy)


def _reading_of(text: str) -> tuple[str, str]:
    """Return what is wrong with a text that is no ISO date, and what to write instead."""
    parts = _PARTS.fullmatch(text)
    if parts is None:
        return "it is not a date", _eight_digits(text)
    first, second, year = (int(part) for part in parts.groups())
    readings = dict.fromkeys(
        day for month, number in ((second, first), (first, second)) if (day := _valid_day(year, month, number))
    )
    if len(readings) == 2:
        return (
            "this date is ambiguous",
            f"write the date in ISO form: {' or '.join(readings)}, whichever is meant",
        )
    return "this date is not in ISO form", f"write {next(iter(readings))}" if readings else _EXPECTED


def _eight_digits(text: str) -> str:
    if _EIGHT_DIGITS.fullmatch(text):
        day = _valid_day(int(text[:4]), int(text[4:6]), int(text[6:]))
        if day is not None:
            return f"write {day}, as a date"
    return _EXPECTED


def _valid_day(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def _offset_name(offset: timedelta | None) -> str:
    return "none" if offset is None else str(timezone(offset))
