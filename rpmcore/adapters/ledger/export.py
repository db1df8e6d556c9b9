"""A ledger as JSON lines or Parquet, for those who read it with other tools."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from rpmcore.adapters.ledger.connections import unreadable
from rpmcore.adapters.ledger.errors import LedgerUnusable
from rpmcore.adapters.ledger.queries import EVERYTHING
from rpmcore.adapters.ledger.reader import LedgerReader
from rpmcore.adapters.ledger.records import Record
from rpmcore.domain.canonical import canonical_bytes
from rpmcore.domain.errors import InvalidArgument

Format = Literal["jsonl", "parquet"]

_GROUP = 10_000
"""Records of a row group of Parquet: what is held in memory."""


def export(path: str | Path, out: str | Path, format: Format) -> int:
    """Write all records to a file, as they stand at one moment, and return how many.

    Both formats have position, kind, sequence, key, mac (hexadecimal) and the body: as it is in JSON lines, as text in
    Parquet. A body that is no JSON on one line becomes the field ``text`` of its line. Nothing is verified.

    Raises
    ------
    InvalidArgument
        For another format.
    LedgerUnusable
        Where there is no ledger, or the file cannot be written. A file that was there is then as it was.
    LedgerDamaged
        Where the ledger cannot be read to its end.
    """
    writers: dict[str, Callable[[Path, Iterator[Record]], int]] = {"jsonl": _write_lines, "parquet": _write_parquet}
    if format not in writers:
        raise InvalidArgument(f"a ledger is exported as jsonl or parquet, not as {format!r}")
    out = Path(out)
    part = out.with_name(f"{out.name}.part")
    with LedgerReader.open(path) as reader:
        try:
            count = writers[format](part, reader.select(EVERYTHING))
            part.replace(out)
        except UnicodeDecodeError as error:
            raise unreadable(reader.path, error) from error
        except OSError as error:
            raise LedgerUnusable(f"{out} cannot be written: {error.strerror or error}") from error
        finally:
            part.unlink(missing_ok=True)
    return count


def _write_lines(path: Path, records: Iterator[Record]) -> int:
    count = 0
    with path.open("wb") as file:
        for record in records:
            file.write(_line(record))
            count += 1
    return count


def _line(record: Record) -> bytes:
    rest = {"key": record.key, "kind": record.kind, "mac": record.mac.hex(), "position": record.position}
    rest["sequence"] = record.sequence
    if _is_one_line_of_json(record.body):
        return b'{"body":%s,%s\n' % (record.body, canonical_bytes(rest)[1:])
    return canonical_bytes({**rest, "text": record.body.decode()}) + b"\n"


def _is_one_line_of_json(body: bytes) -> bool:
    try:
        json.loads(body.decode())
    except (ValueError, RecursionError):
        return False
    return b"\n" not in body and b"\r" not in body


def _write_parquet(path: Path, records: Iterator[Record]) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema(
        [("position", pa.int64()), ("kind", kinds), ("sequence", pa.int64()), ("key", pa.string()),
         ("body", pa.string()), ("mac", pa.string())]
    )  # fmt: skip
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for group in _groups(records):
            columns = zip(
                *((r.position, r.kind, r.sequence, r.key, r.body.decode(), r.mac.hex()) for r in group), strict=True
            )
            arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
            writer.write_table(pa.table(arrays, schema=schema))
            count += len(group)
    return count


def _groups(records: Iterator[Record]) -> Iterator[list[Record]]:
    group: list[Record] = []
    for record in records:
        group.append(record)
        if len(group) == _GROUP:
            yield group
            group = []
    if group:
        yield group
