"""Addresses and keys of channels, from the environment or from files that nobody else may read."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from rpmcore.domain.errors import ConfigurationError

LARGEST_FILE = 4096
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Secret:
    """A text that no message, log line or traceback shows."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return it, for the one place that sends it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('…')"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not written anywhere")


def secret_named(name: str, environment: Mapping[str, str] | None = None) -> Secret | None:
    """Return the secret in the variable `name`, or in the file that the variable ``<name>_FILE`` names, or None.

    Raises
    ------
    ConfigurationError
        If both are set, one is blank, or the file cannot be used: it is missing, is no file, is open to others (where
        the system tells) or holds more than 4,096 bytes. No message shows what it holds.
    """
    variables = os.environ if environment is None else environment
    file_name = f"{name}_FILE"
    text, file = variables.get(name), variables.get(file_name)
    if text is not None and file is not None:
        raise ConfigurationError(f"{name} and {file_name} are both set: unset one")
    if text is None and file is None:
        return None
    if file is not None:
        if not file.strip():
            raise ConfigurationError(f"{file_name} is set and names no file. Name one, or unset it")
        where, text = f"the file {file} that {file_name} names", _content(Path(file), file_name)
    else:
        where = name
    text = (text or "").strip()
    if not text or not text.isprintable() or " " in text or not text.isascii():
        raise ConfigurationError(f"{where} holds no secret: one line without white space is needed")
    return Secret(text)


def _content(path: Path, variable: str) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise ConfigurationError(f"{path}, which {variable} names, is no file")
            if os.name != "nt" and status.st_mode & _OTHERS:
                raise ConfigurationError(
                    f"{path}, which {variable} names, is open to others (mode {stat.S_IMODE(status.st_mode):04o}). "
                    f"Close it by: chmod 600 {path}"
                )
            content = os.read(descriptor, LARGEST_FILE + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise ConfigurationError(f"{path}, which {variable} names, cannot be read: {error.strerror}") from error
    if len(content) > LARGEST_FILE:
        raise ConfigurationError(f"{path}, which {variable} names, holds more than {LARGEST_FILE} bytes")
    try:
        return content.decode("ascii")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}, which {variable} names, holds no plain text") from None
