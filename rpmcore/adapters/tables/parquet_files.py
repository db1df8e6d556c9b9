"""Parquet files as table sources."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from rpmcore.adapters.tables.source import TableSource, reading, shortened
from rpmcore.domain.errors import InputError

_LIMITS = {"thrift_string_size_limit": 64 * 2**20, "thrift_container_size_limit": 1_000_000}
"""A footer that claims more is hostile or damaged; 10,000 columns in 10 row groups stay far below."""


def open_parquet(path: Path, name: str) -> TableSource:
    """Return the table in the Parquet file at `path`; only its footer is read.

    Raises
    ------
    InputError
        If the footer is damaged.
    """
    import pyarrow.parquet as pq

    with reading(name), pa.OSFile(str(path)) as file:
        parquet = pq.ParquetFile(file, **_LIMITS)
        footer, schema = parquet.metadata, parquet.schema_arrow
        types = tuple((field.name, field.type) for field in schema)
        metadata = text_metadata(schema)
        index = pandas_index(schema, name)

    def fetch(names: Sequence[str]) -> Any:
        # Texts arrive as dictionaries: a million cells that share a long text then cost no more than one.
        wanted = set(names)
        dictionaries = [column for column, kind in types if column in wanted and is_text(kind)]
        with pa.OSFile(str(path)) as file:
            return pq.ParquetFile(
                file,
                metadata=footer,
                read_dictionary=dictionaries,
                page_checksum_verification=True,
                **_LIMITS,
            ).read(list(names))

    return TableSource(
        name=name,
        path=name,
        types=types,
        metadata=metadata,
        n_rows=footer.num_rows,
        untyped=False,
        fetch=fetch,
        index=index,
    )


def text_metadata(schema: Any) -> dict[str, str]:
    """Return the metadata of an Arrow schema that belong to rpm."""
    pairs = (schema.metadata or {}).items()
    return {key.decode(): value.decode(errors="replace") for key, value in pairs if key.startswith(b"rpm.")}


def pandas_index(schema: Any, source: str) -> str | None:
    """Return the column that was the index of the pandas frame that a table was made from, if it had one.

    Raises
    ------
    InputError
        If the columns of the frame had two levels: the names that Arrow makes of them are nobody's.
    """
    told = schema.pandas_metadata
    if not isinstance(told, dict):
        return None
    if len(told.get("column_indexes") or ()) > 1:
        raise InputError(
            "its columns have two levels",
            source=source,
            column=shortened(schema.names[0]) if schema.names else None,
            remedy="give a frame with one of them, such as frame['Close']",
        )
    columns = [name for name in told.get("index_columns") or () if isinstance(name, str) and name in schema.names]
    return columns[0] if len(columns) == 1 else None


def is_text(kind: Any) -> bool:
    """Whether an Arrow type is one of the several that hold text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
