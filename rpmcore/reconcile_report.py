"""What a reconciliation has found, line by line."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from rpmcore.decision.account import ZERO
from rpmcore.decision.reconciliation import BookDifference, GateBook, held_by, tagged
from rpmcore.domain.broker import BrokerBook
from rpmcore.domain.orders import WORKING
from rpmcore.risk.notices import Notice

Verdict = Literal["equal", "differs", "not compared"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconciledLine:
    """What each says of one thing.

    Attributes
    ----------
    kind
        ``position``, ``order``, ``cash``, ``equity`` or ``currency``.
    symbol, strategy_id, order_id
        Of what; empty where it does not apply.
    gate, broker
        What each says, as text; numbers exactly.
    difference
        The broker's number less the gate's; None where they are no numbers.
    """

    kind: str
    symbol: str
    strategy_id: str
    order_id: str
    gate: str
    broker: str
    difference: Decimal | None
    difference_reason: str | None = "not both of them are numbers"
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """What a named operator said to the differences."""

    view: Literal["broker", "gate"]
    operator: str
    reason: str
    by: str
    sequence: int | None
    sequence_reason: str | None = "the gate had carried it out before"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileReport:
    """A reconciliation.

    Attributes
    ----------
    source
        The broker, or the file of a statement.
    sequence
        Of the reconciliation in the ledger; None where nothing was recorded.
    equal
        Whether nothing differs.
    lines
        What differs first, then the rest.
    adopted
        How it was settled; None where it was not.
    trading_state
        After it.
    """

    ledger: str
    source: str
    recorded: bool
    sequence: int | None
    sequence_reason: str | None = "nothing was recorded"
    equal: bool
    lines: tuple[ReconciledLine, ...]
    adopted: Adopted | None
    adopted_reason: str | None = "no view was adopted"
    trading_state: str
    warnings: tuple[Notice, ...]


def lines_of(gate: GateBook, broker: BrokerBook, found: Iterable[BookDifference]) -> tuple[ReconciledLine, ...]:
    """Return every line of both books: the differences that were found, then what agrees or was not compared."""
    differing = [_line(d.kind, d.symbol, d.strategy_id, d.order_id, d.gate, d.broker, "differs") for d in found]
    seen = {(_group(d.kind), d.symbol, d.strategy_id, d.order_id) for d in found}
    money = {line.kind for line in differing}
    rest = [] if "currency" in money else [*_positions(gate, broker), *_orders(gate, broker), *_money(gate, broker)]
    agreeing = [
        line for line in rest
        if (line.kind, line.symbol, line.strategy_id, line.order_id) not in seen
        and not (line.kind == "order" and any(line.order_id == d.order_id for d in found if d.order_id))
    ]  # fmt: skip
    return (*differing, *agreeing)


def lines_of_plain(differences: Iterable[dict[str, str]]) -> tuple[ReconciledLine, ...]:
    """Return the lines of differences as a ledger keeps them."""
    found = [BookDifference(**plain) for plain in differences]
    return tuple(_line(d.kind, d.symbol, d.strategy_id, d.order_id, d.gate, d.broker, "differs") for d in found)


def seen_as(line: ReconciledLine) -> tuple[str, ...]:
    """Return what an operator has seen of a line: money moves with every price, and so counts by its kind alone."""
    what = (line.kind, line.symbol, line.strategy_id, line.order_id)
    return what if line.kind in ("cash", "equity") else (*what, line.gate, line.broker)


def _line(
    kind: str, symbol: str, strategy: str, order: str, gate: str, broker: str, verdict: Verdict
) -> ReconciledLine:  # fmt: skip
    difference = None
    if kind in ("position", "cash", "equity"):
        try:
            difference = Decimal(broker) - Decimal(gate)
        except ArithmeticError:
            difference = None
    return ReconciledLine(
        kind=_group(kind), symbol=symbol, strategy_id=strategy, order_id=order, gate=gate, broker=broker,
        difference=difference, verdict=verdict,
    )  # fmt: skip


def _group(kind: str) -> str:
    return "order" if kind.startswith("order") else kind


def _positions(gate: GateBook, broker: BrokerBook) -> Iterator[ReconciledLine]:
    by_strategy = tagged(broker)
    ours: dict[tuple[str, str], Decimal] = {}
    for (strategy, symbol), held in gate.positions.items():
        key = (strategy if by_strategy else "", symbol)
        ours[key] = ours.get(key, ZERO) + held
    theirs = held_by(broker, by_strategy=by_strategy)
    for strategy, symbol in sorted({*ours, *theirs}, key=lambda key: (key[1], key[0])):
        mine, other = ours.get((strategy, symbol), ZERO), theirs.get((strategy, symbol), ZERO)
        if mine or other:
            texts = f"{mine.normalize():f}", f"{other.normalize():f}"
            yield _line("position", symbol, strategy, "", *texts, "equal")


def _orders(gate: GateBook, broker: BrokerBook) -> Iterator[ReconciledLine]:
    theirs = {o.order_id: o for o in broker.orders or () if o.state in WORKING}
    for mine in gate.orders:
        told = _told("buy" if mine.sign > 0 else "sell", mine.quantity, mine.filled)
        other = theirs.get(mine.order_id)
        said = _told(other.side, other.quantity, other.filled) if other is not None else "not said"
        verdict: Verdict = "not compared" if broker.orders is None else "equal"
        yield _line("order", mine.symbol, mine.strategy_id, mine.order_id, told, said, verdict)


def _money(gate: GateBook, broker: BrokerBook) -> Iterator[ReconciledLine]:
    stated = broker.account
    for kind, mine, other, compared in (
        ("cash", gate.cash, stated.cash, stated.cash is not None),
        ("equity", gate.equity, stated.equity, stated.cash is None and stated.equity is not None),
    ):
        texts = "not known" if mine is None else repr(mine), "not said" if other is None else repr(other)
        yield _line(kind, "", "", "", *texts, "equal" if compared else "not compared")


def _told(side: str, quantity: Decimal, filled: Decimal) -> str:
    return f"{side} {quantity.normalize():f}, {filled.normalize():f} filled"
