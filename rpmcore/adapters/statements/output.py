"""Write what was imported as the Parquet files that rpm reads: whole, or not at all."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rpmcore.domain.errors import InputError

BOOK_SCHEMA, TRADES_SCHEMA = "rpm.book/1", "rpm.trades/1"


def check_targets(source: str, targets: Sequence[Path | None], *, force: bool) -> None:
    """Check, before anything is read, that the files can be written.

    Raises
    ------
    InputError
        If one is there and `force` is not given, is the file that is read, or is named twice; or its folder is missing.
    """
    named = [path for path in targets if path is not None]
    for path in named:
        if Path(source).exists() and path.exists() and path.samefile(source):
            raise InputError("it is the file that is read", source=str(path), remedy="name another for the result")
        if path.exists() and not force:
            raise InputError(
                "there is such a file", source=str(path), remedy="name another, or say --force to replace it"
            )
        if path.is_dir() or not path.parent.is_dir():
            raise InputError("there is no such folder", source=str(path.parent), remedy="make it, or name another")
    if len({path.resolve() for path in named}) < len(named):
        raise InputError("it is named for the book and for the trades", source=str(named[0]), remedy="name two files")


def write_tables(tables: Mapping[Path, tuple[Sequence[tuple[str, Any]], Mapping[str, str]]]) -> None:
    """Write Parquet files: each under another name first, and all of them take their names once all are whole.

    Parameters
    ----------
    tables
        By path: columns (name, Arrow array) and metadata.

    Raises
    ------
    InputError
        If one cannot be written; files that were there are then as they were.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts: list[tuple[Path, Path]] = []
    try:
        for path, (columns, metadata) in tables.items():
            part = path.with_name(f"{path.name}.part")
            parts.append((part, path))
            table = pa.table([array for _, array in columns], names=[name for name, _ in columns])
            pq.write_table(table.replace_schema_metadata(dict(metadata)), part)
        for part, path in parts:
            part.replace(path)
    except OSError as error:
        raise InputError(
            f"it cannot be written: {error.strerror or error}", source=str(parts[-1][1]),
            remedy="check the folder and the space on its disk",
        ) from error  # fmt: skip
    finally:
        for part, _ in parts:
            part.unlink(missing_ok=True)
