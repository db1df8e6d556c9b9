"""What can go wrong with a ledger. Each class has a code for programs."""

from dataclasses import dataclass
from os import PathLike
from typing import ClassVar

from rpmcore.domain.errors import NotVerified, RpmError, Unavailable


class LedgerError(RpmError):
    """Root of the errors of a ledger."""

    code: ClassVar[str] = "ledger"


class LedgerUnusable(LedgerError, Unavailable):
    """There is no ledger, there is one already, or the system lets nobody read or write it."""

    code = "ledger_unusable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a ledger: the process, its host, and since when (ISO 8601, UTC)."""

    pid: int
    host: str
    since: str


class LedgerLocked(LedgerError, Unavailable):
    """Another process writes to the ledger; `holder` is None where it has not said yet who it is."""

    code = "ledger_locked"

    def __init__(self, path: str | PathLike[str], holder: Holder | None) -> None:
        self.holder = holder
        who = f"process {holder.pid} on {holder.host} since {holder.since}" if holder else "another process"
        super().__init__(f"{path} is held by {who}. Only one gate writes to a ledger: stop that one first")


class LedgerDamaged(LedgerError, NotVerified):
    """The ledger does not verify.

    Attributes
    ----------
    position
        The first record that does not stand as it was written, or None where the damage is not in a record.
    why
        What is wrong, as one sentence without a full stop.
    """

    code = "ledger_damaged"

    def __init__(self, path: str | PathLike[str], why: str, position: int | None = None) -> None:
        self.position, self.why = position, why
        super().__init__(f"{path} does not verify: {why}")


class LedgerFailed(LedgerError, Unavailable):
    """An append failed. Whether its records were written is unknown, and nothing more is written."""

    code = "ledger_failed"
