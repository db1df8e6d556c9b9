"""What a ledger holds."""

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["genesis", "command", "decision", "event", "snapshot"]
KINDS: frozenset[str] = frozenset(get_args(Kind))

LARGEST_NUMBER = 2**63 - 1
"""The largest whole number that SQLite keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecord:
    """A record to be appended.

    Attributes
    ----------
    kind
        What it is; the genesis is written once, when the ledger is created.
    sequence
        The number of the command that it belongs to: never below that of the record before.
    key
        The idempotency key: no two records of a ledger have the same. None where there is none.
    body
        UTF-8; in rpm always canonical JSON (`rpmcore.domain.canonical`).
    """

    kind: Kind
    sequence: int
    key: str | None = None
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record as it stands in the ledger: its position, counted from 1, and the code that chains it to the last."""

    position: int
    kind: Kind
    sequence: int
    key: str | None
    body: bytes
    mac: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The end of a ledger, signed: with it a tail that is missing is noticed.

    Attributes
    ----------
    ledger
        32 hexadecimal digits drawn at random when the ledger was created.
    position, sequence, mac
        Of the last record.
    signature
        Over all of these.
    """

    ledger: str
    position: int
    sequence: int
    mac: bytes
    signature: bytes
