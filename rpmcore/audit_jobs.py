"""The jobs on the past of a ledger: does it stand, what does it say, and does it lead to its decisions?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from rpmcore import proof
from rpmcore.adapters.configuration.loading import Settings, given_settings, load_settings
from rpmcore.adapters.ledger import audit
from rpmcore.adapters.ledger.export import export
from rpmcore.adapters.ledger.records import Record
from rpmcore.adapters.ledger.verification import Progress, Verification
from rpmcore.domain.canonical import canonical_bytes, parse
from rpmcore.domain.errors import InputError, InvalidArgument
from rpmcore.domain.report import Report, Shown, counted
from rpmcore.domain.signing_key import SigningKey
from rpmcore.ledger_jobs import Where, key_for
from rpmcore.policy_diff import PolicyDiff, genesis_settings, policy_diff
from rpmcore.proof import Proof


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AuditVerification(Report):
    """Whether a ledger stands as it was written.

    Attributes
    ----------
    ledger
        As it was named.
    found
        What the verification came to.
    """

    ledger: str
    found: Verification

    SCHEMA = "rpm.audit_verify/1"

    @property
    def ok(self) -> bool:
        """Whether everything stands."""
        return self.found.ok

    def to_plain(self) -> dict[str, Any]:
        """Return it in JSON's types, without its schema."""
        found, head = self.found, self.found.head
        return {
            "ledger": self.ledger, "ok": found.ok, "records": found.records, "by_kind": dict(found.by_kind),
            "bad_position": found.bad_position, "why": found.why, "anchors": found.anchors,
            "head": None if head is None else {
                "ledger": head.ledger, "position": head.position, "sequence": head.sequence, "mac": head.mac.hex(),
                "signature": head.signature.hex(),
            },
            **({"head_reason": "the ledger does not verify"} if head is None else {}),
        }  # fmt: skip

    def headline(self) -> str:
        """Return the answer in a sentence."""
        found = self.found
        verdict = "is verified" if found.ok else f"is NOT verified: {found.why}"
        return f"{self.ledger} {verdict}; {counted(found.records, 'record')} stand as they were written"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AuditTrail(Report):
    """Records of a ledger, in their order; nothing of them is verified."""

    ledger: str
    records: tuple[Record, ...]

    SCHEMA = "rpm.audit/1"
    MAIN = "records"
    SHOWN = (Shown(table="records", title="Records", columns=("position", "sequence", "kind", "key", "body"), rows=30),)

    def to_plain(self) -> dict[str, Any]:
        """Return it in JSON's types, without its schema."""
        return {
            "ledger": self.ledger,
            "records": [
                {
                    "position": r.position, "sequence": r.sequence, "kind": r.kind, "key": r.key, "mac": r.mac.hex(),
                    "body": body_of(r),
                }
                for r in self.records
            ],
        }  # fmt: skip

    def lists(self) -> dict[str, Any]:
        """Return where `to_arrow` looks for lists; a body is text in JSON, as no two have the same fields."""
        plain = self.to_plain()
        rows = [{**row, "body": canonical_bytes(row["body"]).decode()} for row in plain["records"]]
        return {**plain, "records": rows}

    def headline(self) -> str:
        """Return the answer in a sentence."""
        return f"{counted(len(self.records), 'record')} of {self.ledger}"


def audit_verify(
    ledger: Where,
    *,
    anchors: Sequence[bytes | str | PathLike[str]] = (),
    key: SigningKey | None = None,
    progress: Progress | None = None,
) -> AuditVerification:
    """Verify every record of a ledger, its signed head, the file and the anchors; damage is a value, see `ok`.

    Parameters
    ----------
    ledger
        Its path; a gate may be writing to it.
    anchors
        Signed heads of `audit_head`, as bytes or as files, that must lie on the chain.
    key
        In place of the user's.
    progress
        Told how many records are done, of how many.

    Raises
    ------
    LedgerUnusable
        Where there is no ledger, or none that can be read.
    ConfigurationError
        If there is no key.
    InputError
        If an anchor cannot be read.
    """
    heads = [anchor if isinstance(anchor, bytes) else _anchor(Path(anchor)) for anchor in anchors]
    found = audit.verify(str(ledger), key or key_for(ledger), anchors=heads, progress=progress)
    return AuditVerification(ledger=str(ledger), found=found)


def audit_show(
    ledger: Where,
    *,
    kind: str | None = None,
    signal: str | None = None,
    correlation: str | None = None,
    since: int | None = None,
    until: int | None = None,
    last: int | None = None,
) -> AuditTrail:
    """Return the records of a ledger that pass every filter, in their order. Nothing is verified.

    Parameters
    ----------
    ledger
        Its path; a gate may be writing to it.
    kind, signal, correlation, since, until, last
        See `rpmcore.adapters.ledger.audit.show`; times are UTC nanoseconds.

    Raises
    ------
    InvalidArgument
        For a kind that there is not, and for a `last` below 1.
    LedgerUnusable, LedgerDamaged
        Where there is no ledger, or none that can be read.
    """
    records = audit.show(
        str(ledger), kind=kind, signal=signal, correlation=correlation, since=since, until=until, last=last
    )  # fmt: skip
    return AuditTrail(ledger=str(ledger), records=tuple(records))


def audit_export(ledger: Where, out: str | PathLike[str], form: Literal["jsonl", "parquet"] | None = None) -> int:
    """Write all records of a ledger to a file for other tools, and return how many.

    Parameters
    ----------
    ledger
        Its path.
    out
        The file; one that is there is replaced once all is written.
    form
        If None, Parquet for a name that ends so, else JSON lines.

    Raises
    ------
    LedgerUnusable, LedgerDamaged
        Where there is no ledger, it cannot be read to its end, or the file cannot be written.
    """
    target = Path(out)
    return export(str(ledger), target, form or ("parquet" if target.suffix == ".parquet" else "jsonl"))


def audit_head(ledger: Where, *, key: SigningKey | None = None) -> bytes:
    """Return the signed head of a ledger, to be kept where whoever may alter the ledger cannot; see `audit_verify`.

    Raises
    ------
    LedgerUnusable, LedgerDamaged
        Where there is no ledger, or the head's signature does not hold.
    ConfigurationError
        If there is no key.
    """
    return audit.export_head(str(ledger), key or key_for(ledger))


def prove(ledger: Where, *, key: SigningKey | None = None, progress: Progress | None = None) -> Proof:
    """Verify a ledger, and run every command from its genesis on again; see `rpmcore.proof.prove`.

    Raises
    ------
    LedgerUnusable, LedgerDamaged
        Where there is no ledger, or it does not stand.
    ConfigurationError
        If there is no key.
    """
    return proof.prove(str(ledger), key or key_for(ledger), progress=progress)


def compare_policies(
    ledger: Where,
    settings: Settings | None = None,
    *,
    changes: Sequence[str] = (),
    progress: Progress | None = None,
) -> PolicyDiff:
    """Return which decisions of a ledger come out otherwise under other settings, and what the account would have been.

    Parameters
    ----------
    ledger
        Its path; it is only read.
    settings
        The other settings.
    changes
        In their place, changes to the ledger's own, such as ``["limits.value_at_risk=0.015"]``.
    progress
        Told how many commands are done, of how many.

    Raises
    ------
    InvalidArgument
        If neither or both are given.
    ConfigurationError
        If a change is none.
    LedgerUnusable, LedgerDamaged
        Where there is no ledger, or none that can be read.
    """
    if (settings is None) != bool(changes):
        raise InvalidArgument("give either other settings, or changes to the ledger's own")
    if settings is None:
        other = load_settings(None, changes, base=genesis_settings(str(ledger)))
    else:
        other = given_settings(settings, Settings)
    return policy_diff(str(ledger), other, other.digest, progress=progress)


def body_of(record: Record) -> Mapping[str, Any]:
    """Return what a record says; of one that is no object, its text."""
    try:
        found = parse(record.body)
    except InvalidArgument:
        found = None
    return found if isinstance(found, dict) else {"text": record.body.decode(errors="replace")}


def _anchor(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"it cannot be read: {error.strerror or error}", source=str(path), remedy="name a head of `rpm audit head`"
        ) from error
