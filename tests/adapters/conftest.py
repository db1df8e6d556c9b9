"""Files for readers to read."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.privileges import NOBODY, ROOT


@pytest.fixture
def parquet(tmp_path: Path) -> Callable[..., Path]:
    """Write columns, given by name or as an Arrow table, to a Parquet file."""

    def write(columns: Any, metadata: Mapping[str, str] | None = None, name: str = "file.parquet") -> Path:
        table = columns if isinstance(columns, pa.Table) else pa.table(columns)
        if metadata is not None:
            table = table.replace_schema_metadata(metadata)
        pq.write_table(table, tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture
def text(tmp_path: Path) -> Callable[..., Path]:
    """Write a text, or bytes, to a file."""

    def write(content: str | bytes, name: str = "file.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def reachable() -> Iterator[Path]:
    """Give a folder that belongs to whoever `without_privileges` is."""
    folder = Path(tempfile.mkdtemp())
    if ROOT:
        os.chown(folder, NOBODY, NOBODY)
    yield folder
    folder.chmod(0o700)
    shutil.rmtree(folder)
