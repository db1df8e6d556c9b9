"""The signing key, from the file that ``RPM_LEDGER_KEY_FILE`` names or from the user's configuration folder."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from rpmcore.adapters.durable_files import sync_folder, write_and_sync
from rpmcore.adapters.private_files import read_private
from rpmcore.domain.errors import ConfigurationError
from rpmcore.domain.signing_key import SHORTEST_SECRET, SigningKey

VARIABLE = "RPM_LEDGER_KEY_FILE"

LARGEST_FILE = 4096
_NEW_SECRET = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedKey:
    """A key, where it came from, and what to tell the user: None unless the key was created just now."""

    key: SigningKey
    path: Path
    notice: str | None


def load_signing_key(
    *, ledger: str | Path | None = None, environment: Mapping[str, str] | None = None, create: bool = True
) -> LoadedKey:
    """Return the signing key; where no file is named and there is none yet, create one.

    The key is the content of the file without white space at either end: ``openssl rand -hex 32`` makes a good one.

    Parameters
    ----------
    ledger
        A key in the same folder is refused: whoever takes or alters the one would have the other.
    environment
        In place of the process's own.
    create
        Whether a key may be created: not for a ledger that is there already, which was written with another.

    Raises
    ------
    ConfigurationError
        Names the file and the remedy: it is missing although it is named, others may read it (where the system tells),
        it holds fewer than 32 bytes, or it lies beside the ledger. No message shows what it holds.
    """
    named = (os.environ if environment is None else environment).get(VARIABLE)
    if named is not None and not named.strip():
        raise ConfigurationError(f"{VARIABLE} is set and names no file. Name one, or unset it")
    path = Path(named) if named else default_key_file()
    if ledger is not None and path.resolve().parent == Path(ledger).resolve().parent:
        raise ConfigurationError(f"the key file {path} lies beside the ledger {ledger}. Keep them in different folders")
    if not create and not named and not path.exists():
        raise ConfigurationError(f"there is no signing key in {path}. Name the file of the ledger's key in {VARIABLE}")
    created = not named and not path.exists() and _create(path)
    notice = None
    if created:
        notice = (
            f"a signing key was created in {path}. Keep a copy where no ledger is: without it no ledger written from "
            "now on can be verified"
        )
    return LoadedKey(key=SigningKey(_secret(path)), path=path, notice=notice)


def default_key_file() -> Path:
    """Return where the key is kept unless the environment says otherwise."""
    return Path(platformdirs.user_config_dir("rpmcore", appauthor=False)) / "ledger.key"


def _create(path: Path) -> bool:
    """Create the key whole or not at all, and return False where another process was first."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_and_sync(draft, secrets.token_hex(_NEW_SECRET).encode() + b"\n")
        try:
            os.link(draft, path)
        finally:
            draft.unlink()
        sync_folder(path.parent)
    except FileExistsError:
        return False
    except OSError as error:
        raise ConfigurationError(
            f"no signing key can be created in {path}: {error.strerror}. Name a key file in {VARIABLE}"
        ) from error
    return True


def _secret(path: Path) -> bytes:
    secret = read_private(path, what="key file", largest=LARGEST_FILE)
    if len(secret) < SHORTEST_SECRET:
        raise ConfigurationError(
            f"the key file {path} holds {len(secret)} bytes, and a key needs at least {SHORTEST_SECRET}. "
            "Make one by: openssl rand -hex 32"
        )
    return secret
