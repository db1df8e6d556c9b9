"""API keys: random, told once, and kept as digests with what each of them may do."""

import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

import platformdirs

from rpmcore.adapters.durable_files import write_durably
from rpmcore.adapters.private_files import read_private
from rpmcore.domain.canonical import parse
from rpmcore.domain.errors import ConfigurationError, InvalidArgument

Scope = Literal["read", "decide", "operate"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
LARGEST_FILE = 1024 * 1024
KEY_BYTES = 32
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as it is kept: SHA-256 of it, whose it is, and what it may do."""

    name: str
    scopes: tuple[str, ...]
    sha256: str
    created: str


class KeyFile:
    """A file of keys that only its owner may read.

    A key has 256 random bits, so that a plain digest hides it: there is nothing to guess.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def read(self) -> tuple[ApiKey, ...]:
        """Return the keys; none where there is no file.

        Raises
        ------
        ConfigurationError
            If others may read it, or it is no file of keys.
        """
        if not self.path.exists():
            return ()
        raw = read_private(self.path, what="file of API keys", largest=LARGEST_FILE)
        try:
            found = tuple(_key_of(each) for each in parse(raw)["keys"])
        except (InvalidArgument, KeyError, TypeError, ValueError) as error:
            raise ConfigurationError(f"{self.path} is no file of API keys: make one by rpm keys create") from error
        return found

    def create(self, name: str, scopes: Iterable[str]) -> str:
        """Add a key and return it: it is shown this once.

        Raises
        ------
        ConfigurationError
            If the name is taken or none, or a scope is not known.
        """
        wanted = tuple(scope for scope in SCOPES if scope in tuple(scopes))
        unknown = [scope for scope in scopes if scope not in SCOPES]
        if unknown or not wanted:
            raise ConfigurationError(
                f"{unknown[0] if unknown else 'none'!r} is no scope; there are {', '.join(SCOPES)}"
            )
        if not _NAME.fullmatch(name):
            raise ConfigurationError(f"{name!r} is no name of a key: 1 to 64 letters, digits and . _ @ -")
        known = self.read()
        if any(key.name == name for key in known):
            raise ConfigurationError(f"there is a key {name!r} already: revoke it first, or choose another name")
        secret = f"rpm_{secrets.token_urlsafe(KEY_BYTES)}"
        created = datetime.now(UTC).isoformat(timespec="seconds")
        self._write((*known, ApiKey(name=name, scopes=wanted, sha256=digest_of(secret), created=created)))
        return secret

    def revoke(self, name: str) -> None:
        """Take a key away.

        Raises
        ------
        ConfigurationError
            If there is none of this name.
        """
        known = self.read()
        left = tuple(key for key in known if key.name != name)
        if len(left) == len(known):
            raise ConfigurationError(f"there is no key {name!r} in {self.path}")
        self._write(left)

    def _write(self, keys: tuple[ApiKey, ...]) -> None:
        content = json.dumps({"schema": "rpm.keys/1", "keys": [asdict(key) for key in keys]}, indent=1).encode()
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = self.path.with_name(f"{self.path.name}.{secrets.token_hex(4)}.new")
            write_durably(self.path, content + b"\n", by_way_of=draft, like=self.path.parent)
        except OSError as error:
            raise ConfigurationError(f"{self.path} cannot be written: {error.strerror or error}") from error


class Keys:
    """Tells whose key a request carries.

    Parameters
    ----------
    keys
        That are known.
    open_to_all
        Whether reading and deciding need no key: only where nobody else can reach the service.
    """

    def __init__(self, keys: Iterable[ApiKey], *, open_to_all: bool) -> None:
        self._keys, self.open_to_all = tuple(keys), open_to_all

    def take(self, keys: Iterable[ApiKey]) -> None:
        """Know these from now on, and no others; who needs one stays as it is."""
        self._keys = tuple(keys)

    def holder(self, secret: str) -> ApiKey | None:
        """Return the key that this secret is, or None; every key is compared, each in constant time."""
        found, sought = None, digest_of(secret)
        for key in self._keys:
            if hmac.compare_digest(key.sha256, sought):
                found = key
        return found

    def needed(self, scope: Scope) -> bool:
        """Return whether a scope needs a key."""
        return scope == "operate" or not self.open_to_all


def default_keys_file() -> Path:
    """Return where keys are kept unless the settings say otherwise."""
    return Path(platformdirs.user_config_dir("rpmcore", appauthor=False)) / "api_keys.json"


def digest_of(secret: str) -> str:
    """Return what is kept of a key."""
    return hashlib.sha256(os.fsencode(secret)).hexdigest()


def _key_of(plain: Any) -> ApiKey:
    key = ApiKey(**{**plain, "scopes": tuple(plain["scopes"])})
    fits = all(isinstance(each, str) for each in (key.name, key.sha256, key.created))
    if not fits or not _DIGEST.fullmatch(key.sha256) or not set(key.scopes) <= set(SCOPES):
        raise ValueError("no key")
    return key
