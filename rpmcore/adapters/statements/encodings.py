"""From the bytes of a statement to its text: how it is encoded is found or told, never repaired."""

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rpmcore.domain.errors import InputError, nearest

LARGEST_FILE = 200 * 1024 * 1024
"""Bytes; a year of a busy account takes one or two million."""

LONGEST_PIECE = 1024 * 1024
"""Characters of a line, a tag or a comment; what is longer is no statement, and would be searched again and again."""

_BLOCK = 64 * 1024
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_OTHER_FORMATS = (
    (b"PK\x03\x04", "an Excel workbook or a zip archive", "export the report as HTML, or save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "export the report as HTML, or save the sheet as CSV"),
    (b"%PDF", "a PDF document", "export the report as HTML"),
    (b"PAR1", "a Parquet file", "name it where a book or trades are read; there is nothing to import"),
    (b"\x1f\x8b", "a gzip archive", "unpack it"),
)
_CHARSET = re.compile(rb"charset=[\"']?([A-Za-z0-9_.:-]{2,40})")

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """The text of a file, piece by piece.

    Attributes
    ----------
    name
        What messages call the file.
    encoding
        How it is encoded.
    pieces
        The text in order, without a byte order mark; read once.
    """

    name: str
    encoding: str
    pieces: Iterator[str]


def open_text(path: Path, *, encoding: str | None = None, progress: Progress | None = None) -> Text:
    """Return the text of a statement.

    The encoding is, in this order: the one given, that of the byte order mark, UTF-16 if every other byte is zero, or
    UTF-8. A byte that does not fit is an error: a statement with replacement characters is not what the broker wrote.

    Parameters
    ----------
    path
        The file.
    encoding
        A name that Python knows, such as ``cp1251``.
    progress
        Told how many bytes are read, and of how many.

    Raises
    ------
    InputError
        If there is no such file, it is larger than `LARGEST_FILE`, of another format, or not in its encoding.
    """
    name = str(path)
    size = _checked_size(path, name)
    with path.open("rb") as file:
        head = file.read(_BLOCK)
    for mark, found, remedy in _OTHER_FORMATS:
        if head.startswith(mark):
            raise InputError(f"it is {found}, not a statement in HTML or CSV", source=name, remedy=remedy)
    chosen, skipped = _encoding(head, encoding, name)
    return Text(name=name, encoding=chosen, pieces=_pieces(path, name, chosen, skipped, size, head, progress))


def _checked_size(path: Path, name: str) -> int:
    if path.is_dir():
        raise InputError("it is a folder, not a file", source=name, remedy="name a statement in it")
    try:
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except FileNotFoundError:
        there = sorted(item.name for item in path.parent.iterdir()) if path.parent.is_dir() else []
        meant = nearest(path.name, there)
        raise InputError(
            "there is no such file", source=name,
            remedy=f"did you mean {str(path.parent / meant)!r}?" if meant else "check the path",
        ) from None  # fmt: skip
    except OSError as error:
        raise InputError(f"it cannot be read: {error.strerror or error}", source=name) from error
    if size == 0:
        raise InputError("it is empty (0 bytes)", source=name, remedy="export it again")
    if size > LARGEST_FILE:
        raise InputError(
            f"it has {size / 1024**2:,.0f} MB, more than the {LARGEST_FILE // 1024**2} MB that are read",
            source=name, remedy="export shorter periods, and import them one by one",
        )  # fmt: skip
    return size


def _encoding(head: bytes, given: str | None, name: str) -> tuple[str, int]:
    """Return the encoding, and how many bytes its mark takes."""
    mark, marked = next(((mark, found) for mark, found in _MARKS if head.startswith(mark)), (b"", None))
    if given is not None:
        try:
            known = codecs.lookup(given)
        except LookupError:
            raise InputError(
                "there is no such encoding", source="--encoding", value=given,
                remedy="name one such as utf-8, utf-16, cp1251 or cp1252",
            ) from None  # fmt: skip
        if not known._is_text_encoding:
            raise InputError("it encodes no text", source="--encoding", value=given, remedy="name one such as cp1252")
        if marked is not None and known.name in ("utf-8", "utf-8-sig", "utf-16", marked):
            return marked, len(mark)
        return known.name, 0
    if marked is not None:
        return marked, len(mark)
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) > len(head) // 8:
        return ("utf-16-le" if odd > even else "utf-16-be"), 0
    if 0 in head:
        raise InputError("it holds binary data", source=name, remedy="export the report as HTML or CSV")
    return "utf-8", 0


def _pieces(
    path: Path, name: str, encoding: str, skipped: int, size: int, head: bytes, progress: Progress | None
) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    done = skipped
    with path.open("rb") as file:
        file.seek(skipped)
        while True:
            block = file.read(_BLOCK)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeError as error:
                raise _not_decoded(error, done, name, encoding, head) from None
            done += len(block)
            if progress is not None:
                progress(min(done, size), size)
            if text:
                yield text
            if not block:
                return


def _not_decoded(error: UnicodeError, done: int, name: str, encoding: str, head: bytes) -> InputError:
    where, found = f"after byte {done:,}", None
    if isinstance(error, UnicodeDecodeError):
        found = error.object[error.start : error.end].hex(" ") or None
    said = _CHARSET.search(head)
    names = f"--encoding {said[1].decode()} (which the page names)" if said else "--encoding, such as cp1251 or cp1252"
    return InputError(
        f"it is not {encoding.upper()}: {where} there are bytes that stand for no character",
        source=name, value=found, remedy=f"give {names}, or export it again if it was cut short",
    )  # fmt: skip
