"""What the gate answers: a verdict, every check behind it, and what the trade does to the risk of the book."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

from rpmcore.domain.errors import RpmError
from rpmcore.domain.orders import Signal
from rpmcore.domain.reasons import REASONS, RejectReason
from rpmcore.domain.report import Report, Shown

Verdict = Literal["approved", "cut", "rejected"]
"""As asked, smaller than asked, or not at all."""

CheckStatus = Literal["pass", "cut", "reject", "exempt", "skipped"]
"""Passes whole, passes in part, passes not, does not bind an order that reduces, or could not be asked."""


class CheckResult(NamedTuple):
    """One check of an order; a tuple, because each decision makes three dozen of them.

    Attributes
    ----------
    name
        Of the check, the same as the `RejectReason` of an order that it turns down.
    status
        See `CheckStatus`.
    observed
        The measure if the whole order were filled, in the unit of `limit`; None where it has none.
    limit
        The largest value allowed.
    utilisation
        observed / limit.
    largest_passing
        Largest quantity of the order that passes, unsigned; None for no bound.
    text
        What was measured and how, or why not.
    """

    name: str
    status: CheckStatus
    text: str
    observed: float | None = None
    limit: float | None = None
    utilisation: float | None = None
    largest_passing: float | None = None

    def to_plain(self) -> dict[str, Any]:
        """Return it in JSON's types."""
        return {
            "name": self.name, "status": self.status, "observed": self.observed, "limit": self.limit,
            "utilisation": self.utilisation, "largest_passing": self.largest_passing, "text": self.text,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Incremental:
    """What the approved size changes, after − before, as fractions of equity; volatility per year, the others a day."""

    volatility: float
    value_at_risk: float
    expected_shortfall: float

    def to_plain(self) -> dict[str, Any]:
        """Return it in JSON's types."""
        return {
            "volatility": self.volatility, "value_at_risk": self.value_at_risk,
            "expected_shortfall": self.expected_shortfall,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Decision(Report):
    """The answer to a signal.

    Attributes
    ----------
    sequence
        Number of the command that it answers.
    at
        When it was decided, UTC nanoseconds.
    signal
        What was asked.
    verdict, reason
        The reason is None where something was approved.
    text
        The verdict in a sentence.
    requested
        Quantity; of a signal that wishes a risk, what that comes to. None where nobody can tell.
    approved
        Quantity in whole lots, 0 where nothing.
    reducing
        How much of the order only shrinks the account's position.
    binding
        Name of the check that made it smaller, or None.
    checks
        All of them, in the order of the table.
    incremental
        None, with `incremental_reason`, where nothing is approved or the risk is not known.
    config_digest
        Of the settings.
    expires_at
        Until when an approval may be released; None where nothing is approved.
    """

    sequence: int
    at: int
    signal: Signal
    verdict: Verdict
    reason: RejectReason | None
    text: str
    requested: float | None
    approved: float
    reducing: float
    binding: str | None
    checks: tuple[CheckResult, ...]
    incremental: Incremental | None
    incremental_reason: str
    config_digest: str
    expires_at: int | None
    signature: str | None = None

    SCHEMA = "rpm.decision/1"
    MAIN = "checks"
    ROWS: ClassVar[dict[str, type]] = {"checks": CheckResult}
    SHOWN = (
        Shown(
            table="checks", title="Checks", rows=40,
            columns=("name", "status", "observed", "limit", "utilisation", "largest_passing", "text"),
        ),
    )  # fmt: skip

    def headline(self) -> str:
        """Return the answer in a sentence."""
        signal = self.signal
        return f"{signal.side} {signal.symbol} of {signal.strategy_id}: {self.verdict}: {self.text}"

    @property
    def fix_reason(self) -> int | None:
        """OrdRejReason of FIX, None for what is approved."""
        return None if self.reason is None else REASONS[self.reason].fix

    def check(self, name: str) -> CheckResult:
        """Return one check by its name.

        Raises
        ------
        KeyError
            If there is none.
        """
        for check in self.checks:
            if check.name == name:
                return check
        raise KeyError(name)

    def to_plain(self) -> dict[str, Any]:
        """Return the object ``rpm.decision/1``."""
        return {
            "schema": "rpm.decision/1", "sequence": self.sequence, "at": self.at, "signal": self.signal.to_plain(),
            "verdict": self.verdict, "reason": None if self.reason is None else self.reason.value,
            "fix_reason": self.fix_reason, "text": self.text, "requested": self.requested, "approved": self.approved,
            "reducing": self.reducing, "binding": self.binding,
            "checks": [check.to_plain() for check in self.checks],
            "incremental": None if self.incremental is None else self.incremental.to_plain(),
            **({} if self.incremental is not None else {"incremental_reason": self.incremental_reason}),
            "config_digest": self.config_digest, "expires_at": self.expires_at, "signature": self.signature,
        }  # fmt: skip


def decision_of_plain(plain: Mapping[str, Any]) -> Decision:
    """Return the decision that `Decision.to_plain` wrote."""
    fields = {name: value for name, value in plain.items() if name not in ("schema", "fix_reason")}
    incremental = fields["incremental"]
    return Decision(
        **{
            **fields,
            "signal": Signal.of_plain(fields["signal"]),
            "reason": None if fields["reason"] is None else RejectReason(fields["reason"]),
            "checks": tuple(CheckResult(**check) for check in fields["checks"]),
            "incremental": None if incremental is None else Incremental(**incremental),
            "incremental_reason": fields.get("incremental_reason", ""),
        }
    )


class RejectionException(RpmError):
    """A signal was not approved.

    Parameters
    ----------
    reason
        In words.
    decision
        The whole decision, where the gate made one.
    """

    def __init__(self, reason: str, decision: Decision | None = None) -> None:
        super().__init__(reason)
        self.decision = decision
