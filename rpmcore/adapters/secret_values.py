"""Passwords, tokens and addresses that carry one: from the environment or a private file, never from the settings."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from rpmcore.adapters.private_files import read_private
from rpmcore.domain.errors import ConfigurationError

HIDDEN = "(hidden)"
"""What stands where a secret would."""

LARGEST_FILE = 65_536
_NAMES = re.compile(
    r"(^|_)(password|passphrase|secret|token|credentials?|api_key|private_key|routing_key|webhook|dsn)$"
)


class Secret:
    """A text that does not show itself; `reveal` gives it to what needs it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret{HIDDEN}"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled")


def read_secret(name: str, variables: Mapping[str, str] | None = None) -> Secret | None:
    """Return a secret from the variable `name`, or from the file that ``<name>_FILE`` names; None where neither is set.

    Parameters
    ----------
    name
        Of the environment variable.
    variables
        In place of the process's own.

    Raises
    ------
    ConfigurationError
        If both are set or either is empty, or the file is not private (see
        `rpmcore.adapters.private_files.read_private`). No message shows the secret.
    """
    given = os.environ if variables is None else variables
    text, named = given.get(name), given.get(f"{name}_FILE")
    if text is not None and named is not None:
        raise ConfigurationError(f"{name} and {name}_FILE are both set. Unset one of them")
    if named is not None:
        if not named.strip():
            raise ConfigurationError(f"{name}_FILE is set and names no file. Name one, or unset it")
        text = _decoded(Path(named), f"{name}_FILE")
    if text is None:
        return None
    if not text.strip():
        where = f"the file of {name}_FILE" if named is not None else name
        raise ConfigurationError(f"{where} is empty. Give the secret, or unset it")
    return Secret(text.strip())


def _decoded(path: Path, name: str) -> str:
    try:
        return read_private(path, what="secret file", largest=LARGEST_FILE).decode()
    except UnicodeDecodeError:
        raise ConfigurationError(f"the secret file {path} of {name} is no text in UTF-8") from None


def is_secret(key: str) -> bool:
    """Return whether a name, such as ``api_key``, says that its value is to be hidden."""
    return _NAMES.search(key.casefold()) is not None
