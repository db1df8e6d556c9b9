"""From a signal to a decision: ask every check, take the smallest size, hold it against every limit once more."""

from decimal import Decimal
from math import inf, nextafter
from typing import TYPE_CHECKING

from rpmcore.decision.book import BookView
from rpmcore.decision.checks.inquiry import Inquiry, answer
from rpmcore.decision.checks.table import CHECKS
from rpmcore.decision.signal_fields import problem_of, requested_quantity, unit_loss
from rpmcore.domain.commands import SignalReceived
from rpmcore.domain.controls import Severity
from rpmcore.domain.decisions import CheckResult, Decision, Incremental, Verdict
from rpmcore.domain.orders import Signal
from rpmcore.domain.reasons import REASONS, RejectReason
from rpmcore.risk.sizing.exact import exact

if TYPE_CHECKING:
    from rpmcore.decision.engine import DecisionEngine

ZERO = Decimal(0)
NOTHING_APPROVED = "nothing is approved"


def decide(engine: "DecisionEngine", command: SignalReceived) -> Decision:
    """Return the decision about a signal; the engine is not changed."""
    try:
        return _decided(engine, command)
    except Exception as error:  # noqa: BLE001 - nothing may keep the gate from answering no
        return _not_decided(engine, command, error)


def _decided(engine: "DecisionEngine", command: SignalReceived) -> Decision:
    asked = _inquiry(engine, command)
    results, failed = _ask_all(asked)
    approved, binding, reason = _size(asked, results)
    if approved > asked.reducible and approved != asked.requested:
        approved, binding, reason = _held_once_more(asked, approved, binding, reason)
    if approved > ZERO:
        reason = None
    elif reason in failed:
        reason = RejectReason.CHECK_FAILED
    verdict: Verdict = "rejected" if not approved else "approved" if approved == asked.requested else "cut"
    incremental, why = _incremental(asked, approved)
    life = round(engine.settings.gate.approval_seconds * 1e9)
    return Decision(
        sequence=engine.sequence + 1,
        at=asked.at,
        signal=command.signal,
        verdict=verdict,
        reason=reason,
        text=_text(verdict, reason, binding, results),
        requested=None if asked.requested is None else float(asked.requested),
        approved=_at_most(approved),
        reducing=_at_most(min(asked.reducible, asked.requested or ZERO)),
        binding=binding,
        checks=tuple(results),
        incremental=incremental,
        incremental_reason=why,
        config_digest=engine.genesis.config_digest,
        expires_at=asked.at + life if approved else None,
    )


def _not_decided(engine: "DecisionEngine", command: SignalReceived, error: Exception) -> Decision:
    """Return the answer where not even the questions could be put: nobody knows whether the order would reduce."""
    return Decision(
        sequence=engine.sequence + 1, at=command.at, signal=command.signal, verdict="rejected",
        reason=RejectReason.CHECK_FAILED, text=f"no check could be asked: {type(error).__name__}: {error}",
        requested=None, approved=0.0, reducing=0.0, binding=None, checks=(), incremental=None,
        incremental_reason=NOTHING_APPROVED, config_digest=engine.genesis.config_digest, expires_at=None,
    )  # fmt: skip


def _ask_all(asked: Inquiry) -> tuple[list[CheckResult], set[RejectReason]]:
    """Return every result, and the reasons of those that could not be carried out: they let nothing pass."""
    results, failed = [], set()
    for check in CHECKS:
        try:
            results.append(check.ask(asked))
        except Exception as error:  # noqa: BLE001 - whatever fails must answer no, and say what it was
            failed.add(check.reason)
            room = 0.0 if check.binds_reducing else float(asked.reducible)
            exempt = asked.reduces and not check.binds_reducing
            text = f"the check failed: {type(error).__name__}: {error}"
            results.append(answer("exempt" if exempt else "reject", check.reason.value, text, largest=room))
    return results, failed


def _size(asked: Inquiry, results: list[CheckResult]) -> tuple[Decimal, str | None, RejectReason | None]:
    """Return the largest quantity that every check passes, in lots; what made it smaller; why there is none."""
    first = next((r for r in results if r.status == "reject"), None)
    smallest, binding = inf, None
    for result in results:
        if result.status in ("cut", "reject") and (result.largest_passing or 0.0) < smallest:
            smallest, binding = result.largest_passing or 0.0, result.name
    if asked.requested is None:
        why = first.name if first is not None else RejectReason.INVALID_SIGNAL.value
        return ZERO, why, RejectReason(why)
    if binding is None:
        whole = _in_lots(asked, asked.requested)
        return whole, None if whole == asked.requested else RejectReason.ORDER_QUANTITY.value, None
    # The float nearest to what reduces may lie above it, and what lies above opens a position.
    allowed = asked.reducible if smallest == float(asked.reducible) else exact(smallest)
    approved = _in_lots(asked, min(asked.requested, allowed))
    # Where something is refused outright, that is the reason, even if another check allows as little.
    return approved, binding, RejectReason((first.name if first is not None else None) or binding)


def _at_most(quantity: Decimal) -> float:
    """Return the largest float that does not exceed a quantity, 0 or more."""
    number = float(quantity)
    return number if exact(number) <= quantity else nextafter(number, 0.0)


def _in_lots(asked: Inquiry, quantity: Decimal) -> Decimal:
    """Return a quantity in whole lots, rounded down, but never less than what reduces: odd lots must be closable."""
    reduces = min(quantity, asked.reducible)
    if asked.lots is None:
        return reduces
    whole = asked.lots.quantity(asked.lots.lots(quantity)) if quantity >= asked.lots.minimum else ZERO
    return max(whole, reduces)


def _held_once_more(
    asked: Inquiry, approved: Decimal, binding: str | None, reason: RejectReason | None
) -> tuple[Decimal, str | None, RejectReason | None]:
    """Return the size once more: what passes as asked may not pass when cut, as feasible sizes can exclude zero."""
    weight = asked.weight(float(approved))
    for name, measure in asked.remeasured:
        try:
            refused = None if measure(weight).passes else RejectReason(name)
        except Exception:  # noqa: BLE001 - as of the first question
            refused = RejectReason.CHECK_FAILED
        if refused is not None:
            return min(approved, asked.reducible), name, refused
    return approved, binding, reason


def _incremental(asked: Inquiry, approved: Decimal) -> tuple[Incremental | None, str]:
    case, asset = asked.worst_case, asked.asset
    if not approved:
        return None, NOTHING_APPROVED
    if case is None or asset is None or asked.equity <= 0.0:
        return None, asked.no_risk or "the risk is not known"
    try:
        impacts = asked.risk_impacts(asked.weight(float(approved)))
    except Exception as error:  # noqa: BLE001 - what reduces passes, also where its effect cannot be told
        return None, f"the risk cannot be measured: {type(error).__name__}: {error}"
    value_at_risk, shortfall, volatility = (impact.incremental for impact in impacts)
    if value_at_risk is None or shortfall is None or volatility is None:
        return None, next(impact.reason or "" for impact in impacts if impact.incremental is None)
    return Incremental(volatility=volatility, value_at_risk=value_at_risk, expected_shortfall=shortfall), ""


def _text(verdict: Verdict, reason: RejectReason | None, binding: str | None, results: list[CheckResult]) -> str:
    if verdict == "approved":
        return "approved as asked"
    name = reason.value if reason is not None else binding
    result = next((r for r in results if r.name == (binding if reason is RejectReason.CHECK_FAILED else name)), None)
    what = "" if result is None else f": {result.text}"
    if verdict == "cut":
        whole = result is not None and result.status == "pass" and binding == RejectReason.ORDER_QUANTITY
        return "cut to whole lots" if whole else f"cut by {binding}{what}"
    lead = REASONS[reason].text if reason is not None else "Nothing passes."
    return f"{lead.removesuffix('.')}{what}"


def _view(engine: "DecisionEngine", at: int) -> BookView:
    """Return the book as checks measure it; where that fails, what reduces must still pass."""
    try:
        return engine.view(at)
    except Exception as error:  # noqa: BLE001 - it becomes a rejection of everything that opens
        return BookView.unknown(f"the book cannot be measured: {type(error).__name__}: {error}", at)


def _inquiry(engine: "DecisionEngine", command: SignalReceived) -> Inquiry:
    """Gather all that is known of an order."""
    signal, at = command.signal, command.at
    now = max(at, engine.last_at)
    market, account = engine.market, engine.account
    problem = problem_of(signal)
    instrument = market.instruments.get(signal.symbol)
    price = rate = unit_value = None
    price_at: int | None = None
    value_at: int | None = None
    if instrument is not None:
        found, converted = market.price(signal.symbol), market.rate(signal.symbol)
        if found is not None:
            price, price_at = found
        if converted is not None:
            rate = converted[0]
            value_at = None if price_at is None else min(price_at, converted[1])
        unit_value = market.unit_value(signal.symbol)
    loss = None
    if instrument is not None and not problem:
        loss = unit_loss(instrument, engine.genesis.account, signal, rate)
    requested = None if problem else requested_quantity(signal, account.equity, loss)
    sign = 1 if signal.side == "buy" else -1
    view = _view(engine, now)
    severity = engine.severity(signal.strategy_id)
    known = signal.strategy_id in engine.genesis.strategies
    state = engine.strategies.state_of(signal.strategy_id) if known else None
    most = engine.settings.kill_switches.repeated_execution.max_executions
    model = market.model
    asset = None if model is None else model.index.get(signal.symbol)
    reducible = account.reducible(signal.symbol, sign, now)
    if engine.stopped(signal.strategy_id):
        reducible = min(reducible, account.own_reducible(signal.strategy_id, signal.symbol, sign, now))
    return Inquiry(
        signal=signal,
        at=at,
        gate=engine.settings.gate,
        risk=engine.settings,
        problem=problem,
        conflict_with=_conflict(engine, command, now),
        late_by=command.late_by,
        last_at=engine.last_at,
        integrity=engine.integrity,
        severity=severity,
        throttle=engine.settings.kill_switches.throttle_multiplier if severity is Severity.THROTTLE else 1.0,
        known_strategy=known,
        strategy_reason=state.reason if state is not None and state.status == "disabled" else "",
        strategy_multiplier=engine.strategies.multiplier(signal.strategy_id) if known else 0.0,
        messages=engine.throttle.count(signal.strategy_id, now) + 1,
        repeated=(_repeated(engine, signal, now) + 1, most),
        instrument=instrument,
        lots=engine.lots.get(signal.symbol),
        price=price,
        price_at=price_at,
        value_at=value_at,
        rate=rate,
        unit_value=unit_value,
        unit_loss=loss,
        equity=account.equity,
        sign=sign,
        requested=requested,
        reducible=reducible,
        limits=engine.limits(now),
        account=engine.genesis.account,
        exposures=view.exposures,
        worst_case=view.worst_case,
        no_risk=view.no_risk,
        asset=asset,
        unmoved=model is not None and asset in model.unmoved,
        headroom=engine.headroom(now),
        adv=engine.genesis.adv.get(signal.symbol),
        spread_bps=engine.genesis.spread_bps.get(signal.symbol),
        rollout=engine.settings.flags.rollout.value,
        drawdown=min(max(1.0 - account.equity / engine.peak, 0.0), 1.0),
    )


def _conflict(engine: "DecisionEngine", command: SignalReceived, at: int) -> int | None:
    """Return the decision that this id belongs to: as the gate found it, or that of an order that still works.

    An order that another one takes the place of would no longer count toward any limit.
    """
    working = engine.account.orders.get(command.signal.signal_id)
    if command.conflict_with is None and working is not None and working.works(at):
        return working.sequence
    return command.conflict_with


def _repeated(engine: "DecisionEngine", signal: Signal, at: int) -> int:
    return engine.kill_switches.repeated_execution.count(signal.strategy_id, signal.symbol, signal.side, at=at)
