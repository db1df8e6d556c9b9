"""Files that only their owner may read: keys, passwords, tokens."""

import os
import stat
from pathlib import Path

from rpmcore.domain.errors import ConfigurationError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_private(path: Path, *, what: str, largest: int) -> bytes:
    """Return what a private file holds, without white space at either end.

    Parameters
    ----------
    path
        The file; a link is followed.
    what
        What messages call it, such as ``key file``.
    largest
        Bytes that it may hold.

    Raises
    ------
    ConfigurationError
        If it cannot be read, is no file, others may read it (where the system tells), or it is too large. No message
        shows what it holds.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        try:
            _refuse_open(path, os.fstat(descriptor), what)
            content = os.read(descriptor, largest + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise ConfigurationError(f"the {what} {path} cannot be read: {error.strerror}") from error
    if len(content) > largest:
        raise ConfigurationError(
            f"the {what} {path} holds more than {largest} bytes: it is no {what.removesuffix(' file')}"
        )
    return content.strip()


def _refuse_open(path: Path, status: os.stat_result, what: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ConfigurationError(f"the {what} {path} is no file")
    if os.name == "nt":
        return  # its permissions are lists, which these bits do not tell
    if status.st_mode & (_OTHERS & ~stat.S_IRGRP if _is_credential(path, status) else _OTHERS):
        raise ConfigurationError(
            f"the {what} {path} is open to others (mode {stat.S_IMODE(status.st_mode):04o}). "
            f"Close it by: chmod 600 {path}"
        )


def _is_credential(path: Path, status: os.stat_result) -> bool:
    """Return whether the service manager laid this file out for us (``LoadCredential=`` of systemd).

    It is root's in a folder that we alone may enter, and an access list lets us read it; the mask of such a list shows
    where the bits of the group are.
    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return bool(folder) and status.st_uid == 0 and path.resolve().parent == Path(str(folder)).resolve()
