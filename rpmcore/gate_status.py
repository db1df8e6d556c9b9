"""What a gate holds and allows, read from its ledger without taking it."""

from collections import deque
from dataclasses import dataclass, fields
from math import inf, isfinite
from os import PathLike
from pathlib import Path
from typing import Any

from rpmcore.adapters.control_folder import waiting_requests
from rpmcore.adapters.ledger.errors import Holder
from rpmcore.adapters.ledger.file_lock import holder_of
from rpmcore.adapters.ledger.reader import LedgerReader
from rpmcore.controls.adaptive_risk import AdaptiveLimits
from rpmcore.decision.engine import DecisionEngine
from rpmcore.domain.canonical import parse
from rpmcore.domain.controls import ACCOUNT, Severity, TradingState
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.report import Report, Shown, amount, counted, percent
from rpmcore.gate_store import restored_to


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeState:
    """The kill switches of the account or of one strategy; `reasons` are those of the switches above none."""

    scope: str
    severity: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A measure of what is held, as a fraction of equity or in its own unit, and how much of its limit it takes.

    A measure that does not exist is None, and `observed_reason` says why.
    """

    name: str
    observed: float | None
    observed_reason: str | None = None
    limit: float
    utilisation: float | None
    utilisation_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPosition:
    """A position of a strategy: signed quantity, value in account currency and as a fraction of equity."""

    strategy_id: str
    symbol: str
    quantity: float
    value: float | None
    value_reason: str | None = "no price or no rate is known"
    weight: float | None
    weight_reason: str | None = "its value or the equity is not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingOrder:
    """An order that may still be filled; `expires_at` is None once it was released."""

    order_id: str
    strategy_id: str
    symbol: str
    side: str
    quantity: float
    filled: float
    state: str
    reducing: bool
    expires_at: int | None
    expires_at_reason: str | None = "it was released, and waits for the broker"


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyLine:
    """What a strategy may do: its status by health, the factor on its sizes, its kill switches, and why."""

    strategy_id: str
    status: str
    multiplier: float
    severity: str
    capital: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionLine:
    """A decision in one line."""

    sequence: int
    at: int
    signal_id: str
    strategy_id: str
    symbol: str
    side: str
    verdict: str
    reason: str | None
    reason_reason: str | None = "something was approved"
    requested: float | None
    requested_reason: str | None = "nobody can tell"
    approved: float
    binding: str | None
    binding_reason: str | None = "nothing made it smaller"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderNow:
    """The process that writes to the ledger."""

    pid: int
    host: str
    since: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class GateStatus(Report):
    """The state of a gate after the last command of its ledger.

    Attributes
    ----------
    ledger, ledger_id, records, commands, head
        Path; the id drawn at its creation; how many records and commands; the code of the last record.
    config_digest
        Of the settings that it decides by.
    at
        Time of the last command, UTC nanoseconds; limits are those of its day.
    held_by
        Who writes to it now; None for nobody.
    pending
        Requests of operators that wait in the control folder.
    trading_state, integrity, halted
        What is released; why nothing is, where integrity has failed; when and why the ledger itself halted. Empty for
        no reason.
    limits
        In force at `at`, with their derivation.
    currency, equity, peak, drawdown
        Of the account; drawdown is (peak − equity)/peak.
    uses
        Gross, net and leverage of what is held, and the risk of the book with working orders at their worst.
    last_bar
        The day of the last closes; None before any.
    decisions
        The last, the newest last.
    """

    ledger: str
    ledger_id: str
    records: int
    commands: int
    head: str
    config_digest: str
    at: int
    held_by: HolderNow | None
    held_by_reason: str | None = "no gate holds it"
    pending: int
    trading_state: str
    integrity: str
    halted: str
    scopes: tuple[ScopeState, ...]
    limits: AdaptiveLimits
    currency: str
    equity: float
    peak: float
    drawdown: float
    uses: tuple[Use, ...]
    positions: tuple[HeldPosition, ...]
    orders: tuple[WorkingOrder, ...]
    strategies: tuple[StrategyLine, ...]
    last_bar: str | None
    last_bar_reason: str | None = "no closes are known"
    decisions: tuple[DecisionLine, ...]

    SCHEMA = "rpm.gate_status/1"
    MAIN = "positions"
    SHOWN = (
        Shown(table="uses", title="Limits", columns=("name", "observed", "limit", "utilisation")),
        Shown(table="positions", title="Positions", columns=("strategy_id", "symbol", "quantity", "value", "weight")),
        Shown(table="scopes", title="Kill switches", columns=("scope", "severity", "reasons")),
        Shown(
            table="orders", title="Working orders",
            columns=("order_id", "symbol", "side", "quantity", "filled", "state"),
        ),
        Shown(
            table="decisions", title="Last decisions",
            columns=("at", "signal_id", "symbol", "side", "verdict", "approved", "text"),
        ),
    )  # fmt: skip

    def headline(self) -> str:
        """Return the answer in a sentence."""
        why = self.halted or self.integrity
        state = f"{self.trading_state} ({why})" if why else self.trading_state
        return (
            f"{self.ledger} is {state} after {counted(self.commands, 'command')}: "
            f"equity {amount(self.equity)} {self.currency}, drawdown {percent(self.drawdown)}, "
            f"{counted(len(self.positions), 'position')}, {counted(len(self.orders), 'working order')}"
        )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class KillSwitchStatus(Report):
    """How the kill switches of a gate stand; the fields are those of `GateStatus`."""

    ledger: str
    at: int
    held_by: HolderNow | None
    held_by_reason: str | None = "no gate holds it"
    pending: int
    trading_state: str
    integrity: str
    halted: str
    scopes: tuple[ScopeState, ...]

    SCHEMA = "rpm.killswitch_status/1"
    MAIN = "scopes"
    SHOWN = (Shown(table="scopes", title="Kill switches", columns=("scope", "severity", "reasons"), rows=40),)

    def headline(self) -> str:
        """Return the answer in a sentence."""
        tripped = [f"{one.scope} {one.severity}" for one in self.scopes if one.severity != Severity.NONE.value]
        return f"{self.ledger} is {self.trading_state}: {', '.join(tripped) or 'no switch has tripped'}"


def killswitch_status(path: str | PathLike[str]) -> KillSwitchStatus:
    """Return how the kill switches of a gate stand, and why; its ledger is read only, as by `gate_status`.

    Raises
    ------
    LedgerUnusable, LedgerDamaged
        As `gate_status`.
    """
    found = gate_status(path, last=0)
    names = [field.name for field in fields(KillSwitchStatus)]
    return KillSwitchStatus(**{name: getattr(found, name) for name in names})


def gate_status(path: str | PathLike[str], *, last: int = 5) -> GateStatus:
    """Return the state of a gate; its ledger is read, also while a gate holds it, and its chain is not verified.

    Parameters
    ----------
    path
        Of the ledger.
    last
        How many decisions to tell.

    Raises
    ------
    LedgerUnusable
        Where there is no ledger, or none that can be read.
    LedgerDamaged
        Where it is none of rpm's, its end is missing, or its last commands do not lead to what is recorded.
    InvalidArgument
        For a `last` below 0.
    """
    if last < 0:
        raise InvalidArgument(f"last must not be negative, found {last}")
    path = Path(path)
    held = holder_of(path)
    with LedgerReader.open(path) as reader:
        head = reader.head
        engine = restored_to(reader, head)
        halted = reader.halted or ""
        found: deque[DecisionLine] = deque(maxlen=last)
        if last:
            rows = reader.last_of("decision", last)
            found.extend(line_of(parse(record.body)) for record in rows)
    return status_of(path, engine, halted, held, tuple(found), (head.ledger, head.position, head.mac.hex()))


def status_of(
    path: str | Path, engine: DecisionEngine, halted: str, held: Holder | None,
    decisions: tuple[DecisionLine, ...], head: tuple[str, int, str],
) -> GateStatus:  # fmt: skip
    """Return the state of an engine.

    Parameters
    ----------
    path, halted, held, decisions
        See `GateStatus`.
    head
        Its ``ledger_id``, ``records`` and ``head``.
    """
    account, at = engine.account, engine.last_at
    return GateStatus(
        ledger=str(path), ledger_id=head[0], records=head[1], commands=engine.sequence, head=head[2],
        config_digest=engine.genesis.config_digest, at=at,
        held_by=None if held is None else HolderNow(pid=held.pid, host=held.host, since=held.since),
        pending=waiting_requests(path),
        trading_state=TradingState.HALTED.value if halted else engine.trading_state.value, integrity=engine.integrity,
        halted=halted, scopes=scopes_of(engine), limits=engine.limits(at), currency=engine.genesis.account,
        equity=account.equity, peak=engine.peak,
        drawdown=min(max(1.0 - account.equity / engine.peak, 0.0), 1.0) if engine.peak > 0.0 else 1.0,
        uses=_uses(engine, at), positions=_positions(engine), orders=_orders(engine, at),
        strategies=_strategies(engine), last_bar=engine.market.last_day, decisions=decisions,
    )  # fmt: skip


def scopes_of(engine: DecisionEngine) -> tuple[ScopeState, ...]:
    """Return the severity of the account and of each strategy by itself, with the reasons behind it."""
    found = []
    for scope in (ACCOUNT, *engine.genesis.strategies):
        standing = engine.kill_switches.standing(scope)
        severity = max((s for s, _ in standing), default=Severity.NONE)
        found.append(ScopeState(scope=scope, severity=severity.value, reasons=tuple(why for _, why in standing)))
    return tuple(found)


def _uses(engine: DecisionEngine, at: int) -> tuple[Use, ...]:
    limits, equity, settings = engine.limits(at), engine.account.equity, engine.settings
    gross, net = engine.gross(), abs(engine.net())
    found = []
    for name, money, limit in (
        ("gross_exposure", gross, limits.gross_exposure),
        ("leverage", gross, limits.leverage),
        ("net_exposure", net, settings.gate.net_exposure),
    ):
        found.append(_use(name, _part(money, equity), limit, "no equity is left"))
    view = engine.view(at)
    if view.worst_case is None:
        risk = settings.limits
        for name, limit in (
            ("volatility", risk.maximum_volatility), ("value_at_risk", risk.value_at_risk),
            ("expected_shortfall", risk.expected_shortfall),
        ):  # fmt: skip
            found.append(_use(name, None, limit, view.no_risk))
    else:
        # What no trade at all makes of them is what they are.
        tail, shortfall, volatility = view.worst_case.impacts(0, 1.0, 0.0)
        found += [
            _use(impact.name, impact.now, impact.limit, impact.reason or "it does not exist")
            for impact in (volatility, tail, shortfall)
        ]
    return tuple(found)


def _use(name: str, observed: float | None, limit: float, why: str) -> Use:
    used = observed / limit if observed is not None and limit > 0.0 else None
    return Use(
        name=name, observed=observed, observed_reason=why, limit=limit, utilisation=used,
        utilisation_reason=why if observed is None else "the limit is 0",
    )  # fmt: skip


def _part(value: float, equity: float) -> float | None:
    """Return value / equity; None where no equity is left, or so little that the part is no number."""
    found = value / equity if equity > 0.0 else inf
    return found if isfinite(found) else None


def _positions(engine: DecisionEngine) -> tuple[HeldPosition, ...]:
    equity, found = engine.account.equity, []
    for (strategy_id, symbol), held in sorted(engine.account.positions.items()):
        unit = engine.market.unit_value(symbol)
        value = None if unit is None else float(held) * unit
        found.append(
            HeldPosition(
                strategy_id=strategy_id, symbol=symbol, quantity=float(held), value=value,
                weight=None if value is None else _part(value, equity),
            )
        )  # fmt: skip
    return tuple(found)


def _orders(engine: DecisionEngine, at: int) -> tuple[WorkingOrder, ...]:
    return tuple(
        WorkingOrder(
            order_id=o.order_id, strategy_id=o.strategy_id, symbol=o.symbol, side="buy" if o.sign > 0 else "sell",
            quantity=float(o.quantity), filled=float(o.filled), state=o.state.value, reducing=o.reducing,
            expires_at=o.lapses_at,
        )
        for o in engine.account.working(at)
    )  # fmt: skip


def _strategies(engine: DecisionEngine) -> tuple[StrategyLine, ...]:
    found = []
    for name, capital in engine.genesis.strategies.items():
        state = engine.strategies.state_of(name)
        found.append(
            StrategyLine(
                strategy_id=name, status=state.status, multiplier=engine.strategies.multiplier(name),
                severity=engine.severity(name).value, capital=capital, reason=state.reason,
            )
        )  # fmt: skip
    return tuple(found)


def line_of(plain: dict[str, Any]) -> DecisionLine:
    """Return the line of a decision, of which `plain` is ``rpm.decision/1``."""
    signal = plain["signal"]
    return DecisionLine(
        sequence=plain["sequence"], at=plain["at"], signal_id=signal["signal_id"], strategy_id=signal["strategy_id"],
        symbol=signal["symbol"], side=signal["side"], verdict=plain["verdict"], reason=plain["reason"],
        requested=plain["requested"], approved=plain["approved"], binding=plain["binding"], text=plain["text"],
    )  # fmt: skip
