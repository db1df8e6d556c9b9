"""Small files that are there, whole, after a power cut, or are not there at all."""

import os
import sys
from contextlib import suppress
from pathlib import Path


def write_durably(path: Path, content: bytes, *, by_way_of: Path) -> None:
    """Write a file that only its owner may read, under another name first, and replace `path` by it.

    Parameters
    ----------
    path
        What the file is called once it is whole and on the disk.
    content
        All of it.
    by_way_of
        What it is called until then: on the same disk, and overwritten.

    Raises
    ------
    OSError
        As the system tells it; `path` is then as it was.
    """
    try:
        write_and_sync(by_way_of, content)
        by_way_of.replace(path)
    except BaseException:
        with suppress(OSError):
            by_way_of.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_and_sync(path: Path, content: bytes) -> None:
    """Write the content to a file that only its owner may read, and wait until the disk has it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in a folder. Windows writes them through by itself."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
