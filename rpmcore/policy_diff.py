"""The commands of a ledger under other settings: which decisions flip, and what the account would have made of it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from rpmcore.adapters.ledger.errors import LedgerDamaged
from rpmcore.adapters.ledger.reader import LedgerReader
from rpmcore.adapters.ledger.verification import Progress
from rpmcore.decision.engine import DecisionEngine
from rpmcore.decision.genesis import Genesis
from rpmcore.decision.replay import Replayed, replay
from rpmcore.decision.settings import DecisionSettings
from rpmcore.domain.canonical import parse
from rpmcore.domain.commands import (
    CashFlow,
    Command,
    EquityMark,
    Fill,
    IntegrityFailed,
    OperatorOrder,
    OrderClosed,
    Reconciled,
    Release,
)
from rpmcore.domain.decisions import Decision
from rpmcore.domain.orders import OrderState
from rpmcore.domain.plain import to_plain
from rpmcore.domain.report import Report, Shown, amount, counted
from rpmcore.gate_store import recorded
from rpmcore.risk.sizing.exact import exact

_TELL_EVERY = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """A decision that comes out otherwise.

    Attributes
    ----------
    kind
        ``approved`` (rejected before), ``rejected`` (approved before), ``larger`` or ``smaller``, or ``reason`` where
        both reject.
    """

    sequence: int
    at: int
    signal_id: str
    strategy_id: str
    symbol: str
    side: str
    kind: str
    requested: float | None
    requested_reason: str | None = "nobody can tell"
    recorded_verdict: str
    recorded_approved: float
    recorded_binding: str | None
    recorded_binding_reason: str | None = "nothing made it smaller"
    verdict: str
    approved: float
    binding: str | None
    binding_reason: str | None = "nothing made it smaller"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPath:
    """What became of an account, from the genesis to the last command.

    Attributes
    ----------
    pnl
        Equity at the end less that at the start, without payments, in account currency.
    drawdown
        The largest fall from a peak, as a fraction of it.
    highest_gross, mean_gross
        Of gross exposure over equity, after each command.
    fills
        How many changed it.
    """

    pnl: float
    drawdown: float
    highest_gross: float
    mean_gross: float
    fills: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonChange:
    """How many decisions a check bound, recorded and under the other settings."""

    reason: str
    recorded: int
    alternative: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PolicyDiff(Report):
    """What came out.

    Attributes
    ----------
    changed
        Settings that differ: rows of (name, recorded, alternative).
    decisions, flips
        All, and those that come out otherwise.
    counts
        Flips by their kind.
    reasons
        Binding checks, those that changed first.
    recorded, alternative
        The account as it was, and the estimate of what it would have been.
    scaled, left_out
        Fills that the alternative account saw in another size, and not at all.
    unknown_fills
        Orders that only the other settings approve: nobody knows their fills, and they are left out.
    """

    path: str
    changed: tuple[tuple[str, Any, Any], ...]
    config_digest: str
    alternative_digest: str
    decisions: int
    flips: tuple[Flip, ...]
    counts: Mapping[str, int]
    reasons: tuple[ReasonChange, ...]
    recorded: AccountPath
    alternative: AccountPath
    scaled: int
    left_out: int
    unknown_fills: int

    SCHEMA = "rpm.replay/1"
    MAIN = "policy.flips"
    ROWS: ClassVar[dict[str, type]] = {"policy.flips": Flip, "policy.reasons": ReasonChange}
    SHOWN = (
        Shown(
            table="policy.flips", title="Decisions that come out otherwise",
            columns=(
                "at", "signal_id", "symbol", "side", "recorded_verdict", "recorded_approved", "verdict", "approved",
                "binding",
            ),
        ),
        Shown(table="policy.reasons", title="What binds", columns=("reason", "recorded", "alternative")),
    )  # fmt: skip

    def to_plain(self) -> dict[str, Any]:
        """Return it in JSON's types, without its schema."""
        return {
            "ledger": self.path, "proof": None, "proof_reason": "other settings were given", "policy": to_plain(self),
        }  # fmt: skip

    def headline(self) -> str:
        """Return the answer in a sentence."""
        return (
            f"{self.path} under other settings: {len(self.flips):,} of {counted(self.decisions, 'decision')} come out "
            f"otherwise; P&L {amount(self.recorded.pnl)} as it was, {amount(self.alternative.pnl)} by estimate"
        )


def genesis_settings(path: str | Path) -> dict[str, Any]:
    """Return the settings that a ledger decides by, by section, for others to be told against them.

    Raises
    ------
    LedgerUnusable, LedgerDamaged
        As `LedgerReader.open`.
    """
    with LedgerReader.open(path) as reader:
        found: dict[str, Any] = parse(reader.genesis().body)["settings"]
        return found


def policy_diff(
    path: str | Path, settings: DecisionSettings, digest: str, *, progress: Progress | None = None
) -> PolicyDiff:
    """Run the commands of a ledger under its own settings and under others, side by side.

    The alternative account sees the same signals, prices, closed trades and operators. A fill of an order that it
    approved in another size is scaled by the ratio of the approved sizes, at the same price and with its fees; a fill
    of one that it rejected is left out, and one that only it approved was never filled by anybody. Signals stay as they
    were sent, although a strategy that holds less would have sent others. Both accounts are therefore of the first
    order: they tell the direction of a change, not a forecast.

    Parameters
    ----------
    path
        Of the ledger; a gate may be writing to it.
    settings, digest
        The others, and what to call them.
    progress
        Told how many records are done, and of how many.

    Raises
    ------
    LedgerDamaged
        Where a command does not lead to what is recorded under the ledger's own settings: prove it first.
    LedgerUnusable
        Where there is no ledger, or none that can be read.
    """
    with LedgerReader.open(path) as reader:
        end = reader.head.position
        plain = parse(reader.genesis().body)
        genesis = Genesis.of_plain(plain)
        engine = DecisionEngine(genesis)
        run = _SideBySide(engine, DecisionEngine(replace(genesis, settings=settings, config_digest=digest)))
        for done in replay(engine, _told(recorded(reader.records(after=1, until=end)), end, progress)):
            if not done.near:
                raise LedgerDamaged(
                    path, f"command {done.recorded.sequence} does not lead to what is recorded under the ledger's own "
                    "settings: prove it by `rpm replay` first",
                )  # fmt: skip
            run.take(done)
    return run.result(str(path), plain["config_digest"], digest, _changed(plain["settings"], settings))


def _told(records: Iterator[Any], end: int, progress: Progress | None) -> Iterator[Any]:
    for count, record in enumerate(records):
        if progress is not None and count % _TELL_EVERY == 0:
            progress(min(count, end), end)
        yield record


class _Path:
    """Follows an account."""

    def __init__(self, engine: DecisionEngine) -> None:
        self._engine, self._start, self._paid = engine, engine.account.equity, 0.0
        self._gross: list[float] = []
        self.drawdown = 0.0
        self.fills = 0

    def pay(self, amount: float) -> None:
        self._paid += amount

    def look(self) -> None:
        equity, peak = self._engine.account.equity, self._engine.peak
        self.drawdown = max(self.drawdown, 1.0 - equity / peak if peak > 0.0 else 1.0)
        self._gross.append(self._engine.gross() / equity if equity > 0.0 else 0.0)

    def result(self) -> AccountPath:
        gross = self._gross or [0.0]
        return AccountPath(
            pnl=self._engine.account.equity - self._start - self._paid, drawdown=self.drawdown,
            highest_gross=max(gross), mean_gross=sum(gross) / len(gross), fills=self.fills,
        )  # fmt: skip


class _SideBySide:
    """The recorded engine, which `replay` moves on, and the alternative one, which follows."""

    def __init__(self, recorded_engine: DecisionEngine, alternative: DecisionEngine) -> None:
        self._recorded, self._alternative = recorded_engine, alternative
        self._paths = _Path(recorded_engine), _Path(alternative)
        self._equity = recorded_engine.account.equity
        self._sizes: dict[str, tuple[float, float]] = {}
        self._flips: list[Flip] = []
        self._reasons: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        self._decisions = self._scaled = self._left_out = self._unknown = 0

    def take(self, done: Replayed) -> None:
        """Take a command that the recorded engine has just taken."""
        command = self._translated(done.command)
        if isinstance(done.command, Fill):
            self._paths[0].fills += 1
        if isinstance(done.command, CashFlow):
            for path in self._paths:
                path.pay(done.command.amount)
        if command is not None:
            outcome = self._alternative.handle(command)
            self._paths[1].fills += isinstance(command, Fill)
            if done.decision is not None and outcome.decision is not None:
                self._compare(done.decision, outcome.decision)
        self._equity = self._recorded.account.equity
        for path in self._paths:
            path.look()

    def result(self, path: str, digest: str, alternative: str, changed: tuple[tuple[str, Any, Any], ...]) -> PolicyDiff:
        names = sorted({*self._reasons[0], *self._reasons[1]})
        rows = [ReasonChange(reason=n, recorded=self._reasons[0][n], alternative=self._reasons[1][n]) for n in names]
        rows.sort(key=lambda row: -abs(row.alternative - row.recorded))
        return PolicyDiff(
            path=path, changed=changed, config_digest=digest, alternative_digest=alternative,
            decisions=self._decisions, flips=tuple(self._flips), counts=dict(Counter(f.kind for f in self._flips)),
            reasons=tuple(rows), recorded=self._paths[0].result(), alternative=self._paths[1].result(),
            scaled=self._scaled, left_out=self._left_out, unknown_fills=self._unknown,
        )  # fmt: skip

    def _compare(self, was: Decision, now: Decision) -> None:
        self._decisions += 1
        for place, decision in enumerate((was, now)):
            if decision.binding is not None:
                self._reasons[place][decision.binding] += 1
        self._sizes[was.signal.signal_id] = (was.approved, now.approved)
        self._unknown += not was.approved and bool(now.approved)
        kind = _kind(was, now)
        if kind:
            self._flips.append(
                Flip(
                    sequence=was.sequence, at=was.at, signal_id=was.signal.signal_id,
                    strategy_id=was.signal.strategy_id, symbol=was.signal.symbol, side=was.signal.side, kind=kind,
                    requested=was.requested, recorded_verdict=was.verdict, recorded_approved=was.approved,
                    recorded_binding=was.binding, verdict=now.verdict, approved=now.approved, binding=now.binding,
                )
            )  # fmt: skip

    def _translated(self, command: Command) -> Command | None:
        """Return what of a command reaches the alternative account; None for nothing."""
        if isinstance(command, EquityMark):
            # A broker states the equity of what was done; the change that it tells is the same for both.
            return replace(command, equity=self._alternative.account.equity + command.equity - self._equity)
        if isinstance(command, Reconciled) or (isinstance(command, OperatorOrder) and command.action in _ADOPTIONS):
            return self._same_halt(command)
        if not isinstance(command, Release | Fill | OrderClosed) or command.order_id not in self._sizes:
            return command
        was, now = self._sizes[command.order_id]
        order = self._alternative.account.orders.get(command.order_id)
        if not was:
            return command  # nothing was approved: what is filled all the same halts both accounts
        if order is None or (isinstance(command, Fill) and order.state is OrderState.APPROVED):
            self._left_out += isinstance(command, Fill)
            return None
        if isinstance(command, OrderClosed) or was == now:
            return command
        scaled = float(min(exact(now) * (exact(command.quantity) / exact(was)), order.open_quantity))
        if isinstance(command, Release):
            return replace(command, quantity=now if command.quantity == was else scaled)
        self._scaled += 1
        if command.order_id not in self._recorded.account.orders:
            scaled = float(order.open_quantity)  # the order is over: no rest of rounding may go on working
        return replace(command, quantity=scaled, fees=command.fees * now / was)

    def _same_halt(self, command: Command) -> Command | None:
        """Halt and go on as the recorded account did: a broker's book says nothing of one that never was."""
        why = self._recorded.integrity
        if why == self._alternative.integrity:
            return None
        if why:
            return IntegrityFailed(at=command.at, reason=why)
        return OperatorOrder(
            at=command.at, action="clear_integrity", operator="as recorded", reason="a reconciliation was settled"
        )


_ADOPTIONS = ("adopt_broker", "adopt_gate")


def _kind(was: Decision, now: Decision) -> str:
    if was.approved and not now.approved:
        return "rejected"
    if now.approved and not was.approved:
        return "approved"
    if was.approved != now.approved:
        return "larger" if now.approved > was.approved else "smaller"
    return "reason" if was.reason != now.reason else ""


def _changed(was: Mapping[str, Any], settings: DecisionSettings) -> tuple[tuple[str, Any, Any], ...]:
    now = DecisionSettings.model_validate(settings.model_dump(include=set(DecisionSettings.model_fields)))
    return tuple(_leaves("", was, now.model_dump(mode="json")))


def _leaves(path: str, was: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(was, Mapping) and isinstance(now, Mapping):
        for name in sorted({*was, *now}):
            yield from _leaves(f"{path}.{name}" if path else name, was.get(name), now.get(name))
    elif was != now:
        yield path, was, now
