"""What the service answers, described for OpenAPI; the answers themselves are plain values of the core."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """An answer; what is not described may come on top."""

    model_config = ConfigDict(extra="allow")


class Check(Answer):
    """One check of an order."""

    name: str
    status: Literal["pass", "cut", "reject", "exempt", "skipped"]
    text: str
    observed: float | None
    limit: float | None
    utilisation: float | None
    largest_passing: float | None


class Incremental(Answer):
    """What the approved size changes, as fractions of equity."""

    volatility: float
    value_at_risk: float
    expected_shortfall: float


class DecisionAnswer(Answer):
    """``rpm.decision/1``: the verdict, and every check behind it."""

    schema_: Literal["rpm.decision/1"] = Field(alias="schema")
    sequence: int
    at: int = Field(description="UTC nanoseconds.")
    signal: dict[str, Any]
    verdict: Literal["approved", "cut", "rejected"]
    reason: str | None
    fix_reason: int | None = Field(description="OrdRejReason of FIX.")
    text: str
    requested: float | None
    approved: float = Field(description="Quantity that may be sent, once it is released.")
    reducing: float
    binding: str | None
    checks: list[Check]
    incremental: Incremental | None
    config_digest: str
    expires_at: int | None
    signature: str | None = Field(description="To be shown when it is released; null in a dry run.")
    dry_run: bool = Field(description="Whether this may never be sent.")


class EpochAnswer(Answer):
    """How often everything that stops an order had happened when it was released."""

    integrity: int
    account: int
    strategy: int


class ReleaseAnswer(Answer):
    """``rpm.release/1``: the signed release that a broker's adapter takes, and verifies before an order leaves."""

    schema_: Literal["rpm.release/1"] = Field(alias="schema")
    order_id: str = Field(description="The id of the signal, and the client order id at the broker.")
    sequence: int = Field(description="Number of the release in the ledger.")
    ledger: str = Field(description="Id of the ledger that holds it.")
    strategy_id: str
    symbol: str
    side: Literal["buy", "sell"]
    quantity: float = Field(description="To be sent; unsigned, in units of the instrument.")
    entry: float
    stop: float | None
    target: float | None
    reduce_only: bool
    reducing: bool = Field(description="Whether all of it only shrinks the account's position.")
    released_at: int = Field(description="UTC nanoseconds of the gate.")
    expires_at: int = Field(description="UTC nanoseconds; from then on no broker takes it that has not got it.")
    epoch: EpochAnswer
    signature: str = Field(description="Over all of this, in hexadecimal digits.")


class DifferenceAnswer(Answer):
    """A line in which the gate and the broker do not say the same."""

    kind: Literal["position", "order_not_at_broker", "order_not_at_gate", "order", "cash", "equity", "currency"]
    symbol: str
    strategy_id: str
    order_id: str
    gate: str
    broker: str
    text: str


class ReconciliationAnswer(Answer):
    """``rpm.reconciliation/1``: in what the books of the gate and the broker differ."""

    schema_: Literal["rpm.reconciliation/1"] = Field(alias="schema")
    source: str
    differences: list[DifferenceAnswer] = Field(description="None where the two agree.")
    waits: int | None = Field(description="The `value` of an adoption; null where no difference stands now.")
    sequence: int = Field(description="Number of the last command.")
    trading_state: Literal["active", "reducing", "halted"]
    replayed: bool = Field(description="Whether it had been taken before: then it says what was found at that time.")
    dry_run: bool


class Recorded(Answer):
    """What became of something that happened."""

    sequence: int = Field(description="Number of the last command.")
    trading_state: Literal["active", "reducing", "halted"]
    replayed: bool = Field(description="Whether it had been taken before, and changed nothing now.")
    events: list[dict[str, Any]] = Field(description="What changed; `type` says what.")
    dry_run: bool


class Obeyed(Answer):
    """What became of an operator's word."""

    action: str
    scope: str
    value: str
    operator: str
    reason: str
    sequence: int | None
    trading_state: Literal["active", "reducing", "halted"]
    replayed: bool


class StateAnswer(Answer):
    """``rpm.state/1``: what the gate holds and allows; see the page on the service for all of it."""

    schema_: Literal["rpm.state/1"] = Field(alias="schema")
    revision: int
    published_at: str
    server: dict[str, Any]
    trading_state: Literal["active", "reducing", "halted"]
    equity: float
    positions: list[dict[str, Any]]
    decisions: list[dict[str, Any]]


class LimitsAnswer(Answer):
    """``rpm.limits_now/1``: the limits in force, and how much of each is used."""

    schema_: Literal["rpm.limits_now/1"] = Field(alias="schema")
    revision: int
    limits: dict[str, Any]
    uses: list[dict[str, Any]]
    regime: dict[str, Any]


class KillSwitchesAnswer(Answer):
    """``rpm.killswitches/1``: what is released, and which switches stand."""

    schema_: Literal["rpm.killswitches/1"] = Field(alias="schema")
    revision: int
    trading_state: Literal["active", "reducing", "halted"]
    integrity: str
    scopes: list[dict[str, Any]]


class Health(Answer):
    """Whether it lives, or may be asked; with reasons where not."""

    status: Literal["ok", "not ready"]
    reasons: list[str]


class StressAnswer(Answer):
    """``rpm.stress/1`` of the book that is held."""

    schema_: Literal["rpm.stress/1"] = Field(alias="schema")
    revision: int
    scenarios: list[dict[str, Any]]
