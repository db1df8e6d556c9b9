"""The key of the sample's operator: made at the first start, kept where only its user can read it."""

import secrets
from datetime import UTC, datetime
from pathlib import Path

from rpmcore.adapters.durable_files import write_durably
from rpmcore.adapters.private_files import read_private
from rpmcore.server.keys import KEY_BYTES, SCOPES, ApiKey, digest_of
from rpmcore.server.opening import state_folder

NAME = "sample-operator"


def sample_key() -> tuple[ApiKey, Path]:
    """Return the key of the sample's operator, and the file that holds it."""
    path = state_folder() / f"{NAME}.key"
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
        write_durably(path, f"rpm_{secrets.token_urlsafe(KEY_BYTES)}\n".encode(), by_way_of=draft)
    secret = read_private(path, what="key file", largest=4096).decode()
    created = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
    return ApiKey(name=NAME, scopes=SCOPES, sha256=digest_of(secret), created=created), path
