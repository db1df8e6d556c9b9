"""The secret that records, heads, approvals and releases are signed with, one subkey for each purpose."""

from hashlib import sha256
from hmac import compare_digest
from typing import Literal

from rpmcore.domain.errors import InvalidArgument

Purpose = Literal["chain", "head", "approval", "release"]

SHORTEST_SECRET = 32
"""Bytes. Less than the digest's own length would weaken HMAC-SHA256 (RFC 2104, section 3)."""

_BLOCK = 64
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


class Subkey:
    """Signs and checks bytes for one purpose by HMAC-SHA256 (RFC 2104; FIPS 198-1)."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, secret: bytes) -> None:
        block = (sha256(secret).digest() if len(secret) > _BLOCK else secret).ljust(_BLOCK, b"\0")
        # The two padded keys are hashed once and copied: half the time of `hmac.digest` for a record.
        self._inner = sha256(block.translate(_INNER))
        self._outer = sha256(block.translate(_OUTER))

    def mac(self, message: bytes) -> bytes:
        """Return the 32 bytes that authenticate the message."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()

    def matches(self, message: bytes, mac: bytes) -> bool:
        """Whether `mac` authenticates the message, in a time that tells nothing about where they differ."""
        return compare_digest(self.mac(message), mac)

    def __repr__(self) -> str:
        return "Subkey(…)"


class SigningKey:
    """A secret that never shows itself; what signs are its subkeys, which cannot stand in for each other.

    Parameters
    ----------
    secret
        At least 32 bytes.

    Raises
    ------
    InvalidArgument
        For a shorter secret.
    """

    __slots__ = ("_secret", "id")

    id: str
    """16 hexadecimal digits that tell keys apart and say nothing about the secret."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < SHORTEST_SECRET:
            raise InvalidArgument(f"a signing key needs at least {SHORTEST_SECRET} bytes, found {len(secret)}")
        self._secret = Subkey(secret)
        self.id = self._secret.mac(b"rpm key id").hex()[:16]

    def for_(self, purpose: Purpose) -> Subkey:
        """Return the subkey of a purpose: HMAC of the purpose's name under the secret."""
        return Subkey(self._secret.mac(b"rpm subkey " + purpose.encode()))

    def __repr__(self) -> str:
        return f"SigningKey(id={self.id})"
