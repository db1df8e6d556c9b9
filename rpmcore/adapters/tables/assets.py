"""Read a desk's own profiles of assets."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

from rpmcore.adapters.strict_yaml import Document, parse
from rpmcore.adapters.tables.asset_values import FACTOR_KEYS, NUMBER_KEYS, TEXT_KEYS, Refuse, checked
from rpmcore.adapters.tables.columns import read_numbers, read_texts, refuse_blanks, require_filled
from rpmcore.adapters.tables.given import Given
from rpmcore.adapters.tables.opening import check_path, open_table
from rpmcore.adapters.tables.source import TableSource, listed, reading, shortened
from rpmcore.domain.asset_factor_database import AssetFactorDatabase
from rpmcore.domain.errors import InputError, nearest
from rpmcore.domain.factor_profiles import AssetFactorProfile, decomposed, profile_of
from rpmcore.domain.instruments import METALS, Instrument, parse_pair

SCHEMA = "rpm.assets/1"
MAX_ASSETS = 100_000
MAX_BYTES = 2 * 2**20
"""Of a YAML file: some twenty thousand entries, which take the parser eight seconds."""

_YAML_SUFFIXES = (".yaml", ".yml")
_PAIRS = ("fx", "metal")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Entry:
    """What a file says of one symbol.

    Attributes
    ----------
    symbol
        Not blank.
    said
        Checked values by key, loadings by factor, without what is null.
    refuse
        Makes the error for a key.
    """

    symbol: str
    said: Mapping[str, Any]
    refuse: Refuse


def read_assets(source: Given) -> tuple[AssetFactorProfile, ...]:
    """Return the profiles in a file or a table, in its order; each of origin ``given``.

    An entry of a symbol that rpm knows, or of a pair of ISO codes, overrides what it says and leaves the rest. Any
    other symbol needs a currency, and is a share unless its kind says otherwise.

    Parameters
    ----------
    source
        A path to a YAML file (``.yaml``, ``.yml``) with a mapping ``instruments``: by symbol any of the keys ``name``,
        ``kind``, ``currency``, ``base_currency``, ``sector``, ``clock``, ``contract_size``, ``lot_step``, and
        ``loadings`` by factor, plain or as ``{value, source}``. Or a path to a Parquet or CSV file, an Arrow table, or
        any object with ``__arrow_c_stream__``: a column ``symbol`` and any of these as columns, each factor one of
        them. Null says nothing.

    Raises
    ------
    InputError
        If it cannot be read, a key or column is unknown, a symbol stands twice, or a value cannot be used; names file,
        symbol, key or column, value and remedy.
    """
    if isinstance(source, str | PathLike) and Path(source).suffix.lower() in _YAML_SUFFIXES:
        entries = _yaml_entries(Path(source))
    else:
        entries = _table_entries(open_table(source).indexed_by("symbol"))
    # A cross between two currencies is decomposed into pairs with the dollar: those of the desk come first.
    crosses = [entry for entry in entries if _is_cross(entry)]
    reference = AssetFactorDatabase()
    found = {entry.symbol: _profile(entry, reference) for entry in entries if not _is_cross(entry)}
    if crosses:
        with_own = AssetFactorDatabase(found.values())
        found.update((entry.symbol, _profile(entry, with_own)) for entry in crosses)
    return tuple(found[entry.symbol] for entry in entries)


def _is_cross(entry: _Entry) -> bool:
    base, quote = parse_pair(entry.symbol) or (entry.said.get("base_currency"), entry.said.get("currency"))
    return base is not None and "USD" not in (base, quote)


def _profile(entry: _Entry, database: AssetFactorDatabase) -> AssetFactorProfile:
    found = database.resolve(entry.symbol)
    if found.origin == "unknown":
        found = _new(entry, database)
    else:
        _check_identity(entry, found.instrument)
    instrument = replace(found.instrument, **{key: entry.said[key] for key in entry.said if key not in FACTOR_KEYS})
    own = {key: entry.said[key] for key in entry.said if key in FACTOR_KEYS}
    return profile_of(instrument, {**found.loadings, **own}, "given")


def _new(entry: _Entry, database: AssetFactorDatabase) -> AssetFactorProfile:
    """Return the profile of a symbol that nobody knows, from its kind and currencies alone."""
    said, kind = entry.said, entry.said.get("kind", "equity")
    if "currency" not in said:
        raise entry.refuse("currency", "rpm does not know this symbol: its currency is needed", remedy="add it")
    instrument = Instrument(symbol=entry.symbol, name=entry.symbol, kind=kind, currency=said["currency"])
    if kind not in _PAIRS:
        if "base_currency" in said:
            raise entry.refuse(
                "base_currency", f"only a pair has one, but the kind is {kind!r}", value=said["base_currency"],
                remedy="leave it out, or give the kind fx or metal",
            )  # fmt: skip
        return profile_of(instrument, {}, "given")
    base = said.get("base_currency")
    if base is None or base == said["currency"]:
        raise entry.refuse(
            "base_currency", f"a symbol of kind {kind!r} needs one other than its currency", value=base,
            remedy="give what one unit of the pair is, such as EUR or XAU",
        )  # fmt: skip
    metal = base in METALS
    if metal != (kind == "metal"):
        raise entry.refuse(
            "kind", f"{base} is {'a' if metal else 'no'} precious metal", value=kind,
            remedy=f"write {'metal' if metal else 'fx'}",
        )  # fmt: skip
    sector, lot_step = ("Commodities", 1.0) if metal else ("FX", 1000.0)
    return decomposed(replace(instrument, base_currency=base, sector=sector, lot_step=lot_step), database)


def _check_identity(entry: _Entry, known: Instrument) -> None:
    """Refuse what contradicts the two codes of a pair, or makes a pair of what is none."""
    pair = known.base_currency is not None
    for key in ("kind", "currency", "base_currency"):
        told, value = entry.said.get(key), getattr(known, key)
        if pair and told not in (None, value):
            raise entry.refuse(
                key, f"the symbol is a pair, whose codes say {value!r}", value=told, remedy=f"write {value}, or nothing"
            )
        if not pair and (told in _PAIRS or (key == "base_currency" and told is not None)):
            raise entry.refuse(
                key, f"the symbol is no pair, but {known.name} ({known.kind})", value=told, remedy="leave it out"
            )


def _yaml_entries(path: Path) -> list[_Entry]:
    name = str(path)
    with reading(name):
        check_path(path, name)
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputError(
                f"{size:,} bytes are more than the {MAX_BYTES:,} that are read as YAML", source=name,
                remedy="check that it is the file that was meant, or give a Parquet or CSV file",
            )  # fmt: skip
        text = path.read_text(encoding="utf-8-sig")
        document = parse(text, name, lambda where, problem: InputError(problem, source=where))
    _refuse_unknown(
        document.values, ("instruments",), lambda key: f"{name}, line {document.lines[(key,)]}, key {key!r}"
    )
    instruments = document.values.get("instruments")
    if not isinstance(instruments, dict) or not instruments:
        raise InputError(
            "the file must hold the key 'instruments' with entries by symbol",
            source=name, remedy="write instruments:, and below it each symbol with what is known of it",
        )  # fmt: skip
    return [_yaml_entry(name, document, symbol, entry) for symbol, entry in instruments.items()]


def _yaml_entry(name: str, document: Document, symbol: str, entry: Any) -> _Entry:
    def where(*keys: str) -> str:
        path = ("instruments", symbol, *keys)
        line = next(document.lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in document.lines)
        return f"{name}, line {line}" + (f", key {'.'.join(keys)!r}" if keys else "")

    def refuse(key: str, problem: str, *, remedy: str, value: object = None) -> InputError:
        keys = ("loadings", key) if key in FACTOR_KEYS else (key,)
        told = shortened(value) if isinstance(value, str) else value
        return InputError(problem, source=where(*keys), symbol=shortened(symbol), value=told, remedy=remedy)

    if not symbol.strip():
        raise InputError("the symbol is blank", source=where(), remedy="name it, or remove the entry")
    entry = {} if entry is None else entry
    if not isinstance(entry, dict):
        raise InputError(
            "an entry must hold keys with values",
            source=where(), symbol=shortened(symbol), value=shortened(str(entry)),
            remedy="write such as beta under loadings, below the symbol",
        )  # fmt: skip
    _refuse_unknown(entry, (*TEXT_KEYS, *NUMBER_KEYS, "loadings"), where, symbol)
    loadings = {} if entry.get("loadings") is None else entry["loadings"]
    if not isinstance(loadings, dict):
        raise refuse(
            "loadings",
            "they must be numbers by factor",
            value=shortened(str(loadings)),
            remedy="write such as beta: 1.2",
        )
    _refuse_unknown(loadings, FACTOR_KEYS, lambda key: where("loadings", key), symbol)
    cells = {key: value for key, value in {**entry, **loadings}.items() if key != "loadings" and value is not None}
    return _Entry(symbol=symbol, said=checked(cells, refuse), refuse=refuse)


def _refuse_unknown(
    keys: Collection[str], known: tuple[str, ...], where: Callable[[str], str], symbol: str | None = None
) -> None:
    for key in keys:
        if key not in known:
            meant = nearest(key, known)
            hint = f"did you mean {meant!r}?" if meant else f"known are {', '.join(known)}"
            told = None if symbol is None else shortened(symbol)
            raise InputError(
                "this key is not known", source=where(key), symbol=told,
                remedy="write it under loadings" if key in FACTOR_KEYS else hint,
            )  # fmt: skip


def _table_entries(table: TableSource) -> list[_Entry]:
    found = table.metadata.get("rpm.schema")
    if found is not None and found != SCHEMA:
        raise InputError(
            f"metadata rpm.schema: these are not assets that this version reads ({SCHEMA})",
            source=table.name, value=shortened(found), remedy="check that it is the file that was meant",
        )  # fmt: skip
    table.require("symbol")
    known = ("symbol", *TEXT_KEYS, *NUMBER_KEYS, *FACTOR_KEYS)
    for column in table.columns:
        if column not in known:
            meant = nearest(column, [key for key in known if key not in table.columns])
            raise InputError(
                "this column is not known", source=table.name, column=shortened(column),
                remedy=f"rename it to {meant!r} if that is meant"
                if meant
                else f"leave it out; known are {listed(known, len(known))}",
            )  # fmt: skip
    table.require(*table.columns)
    return list(_rows(table))


def _rows(table: TableSource) -> Iterator[_Entry]:
    columns = table.read(list(table.columns), max_rows=MAX_ASSETS)
    symbols = read_texts(columns["symbol"])
    require_filled(columns["symbol"], symbols)
    located = {
        key: replace(column, locate=lambda position: (symbols[position], position + 1))
        for key, column in columns.items()
    }
    first: dict[int, int] = {}
    for position, code in enumerate(symbols.codes.tolist()):
        if first.setdefault(code, position) != position:
            raise located["symbol"].error(
                position, f"row {first[code] + 1} already holds this symbol", value=symbols[position],
                remedy="keep one of them",
            )  # fmt: skip
    cells: dict[str, list[Any]] = {}
    for key in columns.keys() - {"symbol"}:
        if key in TEXT_KEYS:
            texts = read_texts(located[key])
            refuse_blanks(located[key], texts)
            cells[key] = [None if code < 0 else texts.values[code] for code in texts.codes.tolist()]
        else:
            numbers = read_numbers(located[key])
            pairs = zip(numbers.values.tolist(), numbers.present.tolist(), strict=True)
            cells[key] = [value if there else None for value, there in pairs]
    for position, code in enumerate(symbols.codes.tolist()):

        def refuse(key: str, problem: str, *, remedy: str, value: object = None, at: int = position) -> InputError:
            column = located.get(key) or replace(located["symbol"], name=key)
            return column.error(at, problem, value=value, remedy=remedy)

        said = {key: column[position] for key, column in cells.items() if column[position] is not None}
        yield _Entry(symbol=symbols.values[code], said=checked(said, refuse), refuse=refuse)
