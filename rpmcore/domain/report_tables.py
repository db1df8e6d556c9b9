"""The lists of a report as Arrow tables. The one module below the adapters that knows Arrow."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import cache
from types import GenericAlias, UnionType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Union, cast, get_args, get_origin

from rpmcore.domain.errors import InvalidArgument, nearest

if TYPE_CHECKING:
    import pyarrow as pa

    from rpmcore.domain.report import Report

Row = dict[str, Any]

DAY = len("YYYY-MM-DD")


class Field(NamedTuple):
    """What a class declares of one of its fields: the kinds of its cells, or of the cells of a list."""

    kinds: tuple[type, ...]
    is_list: bool


@dataclass(slots=True, kw_only=True)
class RowTable:
    """A table before it is Arrow's: its rows, and what is declared of its columns."""

    rows: list[Row]
    declared: dict[str, Field]


def tables_of(report: "Report") -> dict[str, RowTable]:
    """Return the tables of a report by name: what its fields declare, and what stands in its JSON beside."""
    plain = report.lists()
    found: dict[str, RowTable] = {}
    _collect(plain, "", found)
    declared = {**_declared_tables(cast("Any", type(report))), **_held_tables(report), **report.ROWS}
    for name, row_type in declared.items():
        kinds = _columns(row_type if isinstance(row_type, tuple) else (row_type,))
        found.setdefault(name, RowTable(rows=[], declared={})).declared = kinds
        outer, _, inner = name.rpartition(".")
        for row in found[outer].rows if outer in found else ():
            row.pop(inner, None)  # an empty list there, rows of this table elsewhere
    for name, table in found.items():
        if not table.declared:
            table.declared = _columnar_fields(type(report), name)
    order = list(plain)
    return dict(sorted(found.items(), key=lambda item: order.index(item[0].split(".")[0])))


def arrow_table(report: "Report", name: str | None) -> "pa.Table":
    """Return a table of a report; see `Report.to_arrow`."""
    found = tables_of(report)
    if name is None and report.MAIN:
        name = report.MAIN
    if name not in found:
        meant = nearest(name or "", list(found))
        there = f"there are {', '.join(found)}" if found else "it has none: to_dict() has its figures"
        asked = "no main table" if name is None else f"no table {name!r}"
        raise InvalidArgument(
            f"{type(report).__name__} has {asked}; " + (f"did you mean {meant!r}? " if meant else "") + there
        )
    return _arrow(found[name])


def _collect(value: Any, path: str, found: dict[str, RowTable]) -> None:
    """Gather the lists of objects, and the objects of equally long lists, in JSON's types."""
    if not isinstance(value, dict):
        return
    if path and _is_columnar(value):
        length = max(len(v) for v in value.values() if isinstance(v, list))
        columns = {k: v if isinstance(v, list) else [v] * length for k, v in value.items()}
        rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
        found[path] = RowTable(rows=rows, declared={})
        return
    for key, item in value.items():
        name = f"{path}.{key}" if path else key
        if isinstance(item, dict):
            _collect(item, name, found)
        elif _is_rows(item):
            _gather(name, [((), row) for row in item], found)


def _gather(name: str, rows: Sequence[tuple[tuple[tuple[str, Any], ...], Row]], found: dict[str, RowTable]) -> None:
    """Add the rows of one table, each with what names its parent, and the tables within them."""
    inner: dict[str, list[tuple[tuple[tuple[str, Any], ...], Row]]] = {}
    table: list[Row] = []
    flat = [dict(_flat(row)) for _, row in rows]
    text = next((key for key in flat[0] if any(isinstance(own.get(key), str) for own in flat)), None)
    for number, ((parent, _), own) in enumerate(zip(rows, flat, strict=True)):
        cells: Row = dict(parent)
        named = () if text is None else ((f"{name.rpartition('.')[2]}.{text}", own.get(text)),)
        mark = (("row", number), *named)
        for key, cell in own.items():
            if _is_rows(cell):
                inner.setdefault(f"{name}.{key}", []).extend((mark, one) for one in cell)
            elif not (isinstance(cell, list) and any(isinstance(one, list | dict) for one in cell)):
                cells[key] = cell
        table.append(cells)
    found[name] = RowTable(rows=table, declared={})
    for key, within in inner.items():
        _gather(key, within, found)
        for row in table:
            row.pop(key.removeprefix(f"{name}."), None)


def _flat(row: Row, path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in row.items():
        name = f"{path}.{key}" if path else key
        if isinstance(value, dict):
            yield from _flat(value, name)
        else:
            yield name, value


def _is_rows(item: Any) -> bool:
    return isinstance(item, list) and bool(item) and all(isinstance(one, dict) for one in item)


def _is_columnar(value: Mapping[str, Any]) -> bool:
    columns = [v for v in value.values() if isinstance(v, list)]
    plain = all(not isinstance(cell, list | dict) for column in columns for cell in column)
    rest = [k for k, v in value.items() if v is not None and not isinstance(v, list) and not k.endswith("_reason")]
    return len(columns) > 1 and len({len(column) for column in columns}) == 1 and plain and not rest


def _arrow(table: RowTable) -> "pa.Table":
    import pyarrow as pa

    seen = dict.fromkeys(name for row in table.rows for name in row) if table.rows else dict.fromkeys(table.declared)
    names = dict.fromkeys(inner for name in seen for inner in _inner(name, table.declared))
    columns = {}
    for name in names:
        cells = [row.get(name) for row in table.rows]
        columns[name] = _column(pa, cells, table.declared.get(name) or _dated(name, cells))
    return pa.table(columns)


def _inner(name: str, declared: Mapping[str, Field]) -> list[str]:
    """Return the columns of an object that is None in a row; the name itself where it is no object."""
    return [inner for inner in declared if inner.startswith(f"{name}.")] or [name]


def _dated(name: str, cells: list[Any]) -> Field | None:
    """Return the field of a column that no class declares and that is called ``date``, if it holds nothing but days."""
    days = name == "date" and all(isinstance(cell, str) and len(cell) == DAY for cell in cells)
    return Field((date,), False) if days else None


def _column(pa: Any, cells: list[Any], declared: Field | None) -> Any:
    is_list = any(isinstance(cell, list) for cell in cells) or (declared is not None and declared.is_list)
    inside = [one for cell in cells if isinstance(cell, list) for one in cell] if is_list else cells
    kind = _kind_of(inside, declared)
    of_cell = _converter(kind)
    arrow = {
        bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string(), date: pa.date32(),
        type(None): pa.null(),
    }[kind]  # fmt: skip
    if is_list:
        lists = [[of_cell(one) for one in cell] if isinstance(cell, list) else cell for cell in cells]
        return pa.array(lists, pa.list_(arrow), from_pandas=False)
    return pa.array([of_cell(cell) for cell in cells], arrow, from_pandas=False)


def _converter(kind: type) -> Any:
    if kind is date:
        return lambda cell: None if cell is None else date.fromisoformat(cell)
    if kind is str:
        return lambda cell: cell if cell is None or isinstance(cell, str) else str(cell)
    if kind is float:
        return lambda cell: None if cell is None else float(cell)
    return lambda cell: cell


def _kind_of(cells: Sequence[Any], declared: Field | None) -> type:
    """Return the Python type of a column: as declared, else what all its cells are; text where they differ."""
    seen = {type(cell) for cell in cells if cell is not None}
    if declared is not None and len(declared.kinds) == 1 and seen <= _WRITTEN.get(declared.kinds[0], set()):
        return declared.kinds[0]
    if not seen:
        return type(None)
    if seen == {int, float}:
        return float
    return seen.pop() if len(seen) == 1 else str


_WRITTEN: dict[type, set[type]] = {bool: {bool}, int: {int}, float: {int, float}, str: {str}, date: {str}}
"""What a declared type is in JSON."""


@cache
def _declared_tables(report: Any) -> dict[str, tuple[type, ...]]:
    """Return the row types of every list of objects that the fields of a class declare, by name of table."""
    found: dict[str, tuple[type, ...]] = {}
    if _is_record(report) and report.__dict__.get("to_plain") is None:
        for name, kind in _annotations(report).items():
            _declare(name, kind, found)
    return found


def _held_tables(report: Any) -> dict[str, tuple[type, ...]]:
    """Return the row types within fields whose types are written as text and not loaded: by what they hold."""
    found: dict[str, tuple[type, ...]] = {}
    of: Any = type(report)
    if _is_record(of) and of.__dict__.get("to_plain") is None:
        for name in (f.name for f in fields(report) if f.name not in _annotations(of)):
            held = getattr(report, name)
            inside = dict.fromkeys(type(one) for one in held) if isinstance(held, tuple | list) else {}
            kinds: list[Any] = [GenericAlias(tuple, (one, ...)) for one in inside] or [type(held)]
            for kind in kinds:
                _declare(name, kind, found)
    return found


def _declare(name: str, kind: Any, found: dict[str, tuple[type, ...]]) -> None:
    for one in _alternatives(kind):
        if _is_record(one):
            for inner, inner_kind in _annotations(one).items():
                _declare(f"{name}.{inner}", inner_kind, found)
        rows = _row_types(one)
        if rows:
            found[name] = tuple(dict.fromkeys((*found.get(name, ()), *rows)))
            for row in rows:
                for inner, inner_kind in _annotations(row).items():
                    if any(_row_types(alternative) for alternative in _alternatives(inner_kind)):
                        _declare(f"{name}.{inner}", inner_kind, found)


def _columnar_fields(report: type, path: str) -> dict[str, Field]:
    """Return the kinds of the columns of an object of lists; nothing where no dataclass declares it."""
    kind: Any = report
    if not _is_record(report):
        return {}
    for name in path.split("."):
        held = _alternatives(_annotations(kind).get(name))
        if len(held) != 1 or not _is_record(held[0]):
            return {}
        kind = held[0]
    return {name: Field(field.kinds, False) for name, field in _columns((kind,)).items()}


def _row_types(kind: Any) -> tuple[type, ...]:
    """Return the dataclasses that a tuple or list holds."""
    if get_origin(kind) not in (tuple, list) or not get_args(kind):
        return ()
    rows = _alternatives(get_args(kind)[0])
    return tuple(rows) if all(_is_record(row) for row in rows) else ()


def _columns(rows: Sequence[type]) -> dict[str, Field]:
    """Return what the row types declare of their columns, objects within them flattened."""
    found: dict[str, Field] = {}
    for row in rows:
        for name, kind in _annotations(row).items():
            alternatives = _alternatives(kind)
            nested = [one for one in alternatives if _is_record(one)]
            if nested:
                inner = _columns([one for one in nested if isinstance(one, type)])
                found.update({f"{name}.{key}": field for key, field in inner.items()})
            elif any(_row_types(one) for one in alternatives):
                continue
            elif not name.endswith("_reason"):
                found[name] = _field(alternatives)
    return found


def _field(alternatives: Sequence[Any]) -> Field:
    if len(alternatives) == 1 and get_origin(alternatives[0]) in (tuple, list) and get_args(alternatives[0]):
        held = [one for one in _alternatives(get_args(alternatives[0])[0]) if one is not Ellipsis]
        return Field(tuple(dict.fromkeys(map(_written, held))), True)
    return Field(tuple(dict.fromkeys(map(_written, alternatives))), False)


def _written(kind: Any) -> type:
    if get_origin(kind) is Literal or (isinstance(kind, type) and issubclass(kind, Enum)):
        return str
    if kind is Decimal:
        return float
    return kind if kind in _WRITTEN else type(None)


def _alternatives(kind: Any) -> tuple[Any, ...]:
    members = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    return tuple(member for member in members if member is not type(None))


def _is_record(kind: Any) -> bool:
    return isinstance(kind, type) and (is_dataclass(kind) or hasattr(kind, "_fields"))


@cache
def _annotations(of: Any) -> dict[str, Any]:
    """Return the types of the fields of a record; one that is written as text and not loaded is left out."""
    found: dict[str, Any] = {}
    declared = {f.name: f.type for f in fields(of)} if is_dataclass(of) else of.__annotations__
    for name, kind in declared.items():
        loaded = _named(kind, sys.modules[of.__module__]) if isinstance(kind, str) else kind
        if loaded is not None:
            found[name] = loaded
    return found


def _named(text: str, module: Any) -> Any:
    """Return the type in ``tuple[Name, ...]`` or ``Name | None`` if the module has loaded it, else None."""
    core = text.removeprefix("tuple[").removesuffix(", ...]").removesuffix(" | None")
    kind = getattr(module, core, None)
    if kind is None:
        return None
    return GenericAlias(tuple, (kind, ...)) if text.startswith("tuple[") else kind
