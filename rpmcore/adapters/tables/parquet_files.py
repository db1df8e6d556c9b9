"""Parquet files as table sources."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from rpmcore.adapters.tables.source import TableSource, reading

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
    )


def text_metadata(schema: Any) -> dict[str, str]:
    """Return the metadata of an Arrow schema that belong to rpm."""
    pairs = (schema.metadata or {}).items()
    return {key.decode(): value.decode(errors="replace") for key, value in pairs if key.startswith(b"rpm.")}


def is_text(kind: Any) -> bool:
    """Whether an Arrow type is one of the several that hold text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
