"""How records are chained and heads signed (HMAC-SHA256; the subkeys keep the two apart)."""

import struct

from rpmcore.adapters.ledger.records import Head
from rpmcore.domain.canonical import canonical_bytes, parse
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.signing_key import SigningKey

HEAD_SCHEMA = "rpm.ledger.head/1"

_FIXED = struct.Struct(">qqIIQ")
_NO_KEY = 2**32 - 1
_HEAD = struct.Struct(">qq")


class Chain:
    """The codes of one ledger under one key."""

    __slots__ = ("_head", "_record", "ledger", "start")

    ledger: str
    start: bytes
    """What stands in place of the code before the first record; it binds the chain to its ledger."""

    def __init__(self, key: SigningKey, ledger: str) -> None:
        self.ledger = ledger
        self._record, self._head = key.for_("chain"), key.for_("head")
        self.start = self._record.mac(b"rpm ledger " + ledger.encode())

    def mac(self, previous: bytes, position: int, kind: str, sequence: int, key: str | None, body: bytes) -> bytes:
        """Return the code of a record that follows the one with the code `previous`.

        The lengths of all that varies come first, in fields of fixed width, so that no two records have the same bytes.
        """
        name, own = kind.encode(), b"" if key is None else key.encode()
        fixed = _FIXED.pack(position, sequence, len(name), _NO_KEY if key is None else len(own), len(body))
        return self._record.mac(b"".join((previous, fixed, name, own, body)))

    def signed_head(self, position: int, sequence: int, mac: bytes) -> Head:
        """Return the signed head of a ledger that ends with this record."""
        signature = self._head.mac(self._head_bytes(position, sequence, mac))
        return Head(ledger=self.ledger, position=position, sequence=sequence, mac=mac, signature=signature)

    def signs(self, head: Head) -> bool:
        """Whether the head was signed with this key for this ledger."""
        message = self._head_bytes(head.position, head.sequence, head.mac)
        return head.ledger == self.ledger and self._head.matches(message, head.signature)

    def _head_bytes(self, position: int, sequence: int, mac: bytes) -> bytes:
        return b"".join((b"rpm ledger head ", self.ledger.encode(), _HEAD.pack(position, sequence), mac))


def head_to_json(head: Head) -> bytes:
    """Return a signed head as canonical JSON."""
    return canonical_bytes(
        {
            "schema": HEAD_SCHEMA, "ledger": head.ledger, "position": head.position, "sequence": head.sequence,
            "mac": head.mac.hex(), "signature": head.signature.hex(),
        }
    )  # fmt: skip


def head_from_json(raw: bytes) -> Head:
    """Return the head that JSON holds; whether its signature holds is another question.

    Raises
    ------
    InvalidArgument
        For anything but a head as `head_to_json` writes it.
    """
    plain = parse(raw)
    try:
        head = Head(
            ledger=plain["ledger"], position=plain["position"], sequence=plain["sequence"],
            mac=bytes.fromhex(plain["mac"]), signature=bytes.fromhex(plain["signature"]),
        )  # fmt: skip
        exact = head_to_json(head) == canonical_bytes(plain)
        sound = type(head.position) is int and type(head.sequence) is int and isinstance(head.ledger, str)
        _HEAD.pack(head.position, head.sequence)
    except (KeyError, TypeError, ValueError, struct.error) as error:
        raise InvalidArgument("is no signed head of a ledger") from error
    if not (exact and sound):
        raise InvalidArgument("is no signed head of a ledger")
    return head
