"""Small files that are there, whole, after a power cut, or are not there at all."""

import os
import sys
from contextlib import suppress
from pathlib import Path


def write_durably(path: Path, content: bytes, *, by_way_of: Path, like: Path | None = None) -> None:
    """Write a file that only its owner may read, under another name first, and replace `path` by it.

    Parameters
    ----------
    path
        What the file is called once it is whole and on the disk.
    content
        All of it.
    by_way_of
        What it is called until then: on the same disk, and overwritten.
    like
        Whose owner the file gets (see `give_to_owner_of`).

    Raises
    ------
    OSError
        As the system tells it; `path` is then as it was.
    """
    try:
        write_and_sync(by_way_of, content, like=like)
        by_way_of.replace(path)
    except BaseException:
        with suppress(OSError):
            by_way_of.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_and_sync(path: Path, content: bytes, *, like: Path | None = None) -> None:
    """Write the content to a file that only its owner may read, and wait until the disk has it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
    try:
        if like is not None:
            give_to_owner_of(like, path)
        left = memoryview(content)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def give_to_owner_of(model: Path, path: Path) -> None:
    """Give what root has just created to the owner of `model`, if there is one: a gate cannot open what only root may.

    For anybody but root this does nothing.
    """
    if sys.platform != "win32" and os.geteuid() == 0 and model.exists():
        status = model.stat()
        os.chown(path, status.st_uid, status.st_gid)


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in a folder. Windows writes them through by itself."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
