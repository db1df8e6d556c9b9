"""The job of holding the books of a ledger against a broker's, or against a statement."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module
from os import PathLike
from typing import Any, Literal

from rpmcore.adapters.ledger.errors import LedgerLocked
from rpmcore.adapters.ledger.reader import LedgerReader
from rpmcore.adapters.ledger.verification import Progress
from rpmcore.adapters.mt5_broker.tags import split, tag_of
from rpmcore.adapters.server_time import nanoseconds, server_time
from rpmcore.adapters.statements.lots import check_sizes
from rpmcore.adapters.statements.mt5 import read_mt5
from rpmcore.adapters.statements.statement import Statement
from rpmcore.adapters.tables.broker_book import is_broker_book, read_broker_book
from rpmcore.decision.engine import DecisionEngine
from rpmcore.decision.reconciliation import GateBook, compare
from rpmcore.domain.broker import BrokerAccount, BrokerBook, BrokerOrder, BrokerPosition, BrokerUnavailable, book_of
from rpmcore.domain.errors import InputError, InvalidArgument, RpmError, Unavailable
from rpmcore.domain.orders import OrderState
from rpmcore.domain.releases import ReleaseVerifier
from rpmcore.domain.signing_key import SigningKey
from rpmcore.gate import RiskGate
from rpmcore.gate_store import restored_to
from rpmcore.import_jobs import Statements, account_currency, checked, net_positions
from rpmcore.ledger_jobs import Obeyed, key_for, operate
from rpmcore.reconcile_report import (
    Adopted,
    ReconcileReport,
    lines_of,
    lines_of_plain,
    seen_as,
)
from rpmcore.risk.notices import Notice

Where = str | PathLike[str]
View = Literal["broker", "gate"]
UNSEEN = "look at the differences first: the same command again adopts them, if they are still these"

BookOf = Callable[[GateBook, str], BrokerBook]
"""Reads the other book, given the gate's and the id of its ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What an operator wants to be done about the differences; `book_to` is the strategy of those without one."""

    view: View
    operator: str
    reason: str
    book_to: str = "account"


def statement_book(path: str, how: Statements) -> BookOf:
    """Return what reads a statement: MetaTrader 5's report, or a table of symbol and quantity.

    Raises
    ------
    InputError
        Later, when it is read: see `read_mt5` and `read_broker_book`.
    """

    def read(gate: GateBook, _ledger: str) -> BrokerBook:
        if is_broker_book(path):
            return read_broker_book(path, currency=how.base_currency or gate.currency)
        return _mt5_book(read_mt5(path, encoding=how.encoding, decimal=how.decimal), how, gate)

    return read


def broker_book(name: str, config: str | None, key: SigningKey, *, read_only: bool = False) -> BookOf:
    """Return what asks a broker: ``mt5``, or ``MODULE:FACTORY`` of the user's own.

    The factory is called with a `ReleaseVerifier` and returns a `BrokerPort`. Its module is imported, and so run: that
    is the user's choice, as it is with ``python -m``. To a dry run ``mt5`` leaves its journal as it is (`read_only`).

    Raises
    ------
    InvalidArgument
        If the name is neither, or there is no such module or factory.
    """

    def read(_gate: GateBook, ledger: str) -> BrokerBook:
        verifier = ReleaseVerifier(key.for_("release"), ledger)
        broker = _connected(name, config, verifier, read_only=read_only)
        try:
            return book_of(broker)
        finally:
            close = getattr(broker, "close", None)
            if close is not None:
                close()

    return read


def reconcile(
    ledger: Where,
    book: BookOf | None,
    *,
    adoption: Adoption | None = None,
    dry_run: bool = False,
    key: SigningKey | None = None,
    progress: Progress | None = None,
) -> ReconcileReport:
    """Hold the books of a ledger against another's, record it, and halt where they differ; or settle that.

    A view is adopted only of differences that were recorded, and so could be seen, before this call: where others are
    found now, they are recorded and shown, and nothing is adopted.

    Parameters
    ----------
    ledger
        Its path; nobody else may hold it, except for a dry run, and to adopt without a new reading.
    book
        Reads the other book; None to settle the reconciliation that waits.
    adoption
        What to do about the differences; None to show them.
    dry_run
        Compare, and record nothing.
    key
        In place of the user's.
    progress
        Told how far the ledger is verified.

    Raises
    ------
    InvalidArgument
        If the view cannot be adopted.
    InputError
        If a statement cannot be read.
    BrokerUnavailable
        If the broker does not answer; nothing is recorded then.
    LedgerError, GateHalted
        If the ledger is held, damaged, or cannot be written.
    """
    engine, ledger_id = _looked_at(ledger)
    if book is None:
        return _settle(ledger, engine, adoption, key=key, progress=progress)
    ours = GateBook.of(engine)
    theirs = book(ours, ledger_id)
    if dry_run:
        return _compared(str(ledger), engine, theirs)
    before = _waiting_lines(engine)
    with _opened(ledger, key, progress) as gate:
        found = gate.reconcile(theirs)
        lines = lines_of(GateBook.of(gate.engine), theirs, found)
        sequence, adopted, why = gate.engine.sequence, None, "nothing differs" if not found else "no view was adopted"
        if found and adoption is not None:
            if {seen_as(line) for line in lines if line.verdict == "differs"} == before:
                gate.operate(
                    f"adopt_{adoption.view}",  # type: ignore[arg-type]
                    operator=adoption.operator, reason=adoption.reason, scope=adoption.book_to, value=str(sequence),
                )  # fmt: skip
                adopted = Adopted(
                    view=adoption.view, operator=adoption.operator, reason=adoption.reason, by="this command",
                    sequence=gate.engine.sequence,
                )  # fmt: skip
            else:
                why = UNSEEN
        return ReconcileReport(
            ledger=str(ledger), source=theirs.source, recorded=True, sequence=sequence, equal=not found, lines=lines,
            adopted=adopted, adopted_reason=why, trading_state=gate.trading_state.value, warnings=_warnings(theirs),
        )  # fmt: skip


def _opened(ledger: Where, key: SigningKey | None, progress: Progress | None) -> RiskGate:
    try:
        return RiskGate.open(str(ledger), key or key_for(ledger), progress=progress)
    except LedgerLocked as error:
        raise Unavailable(
            f"{error}, for it reconciles itself when it starts; --dry-run compares without recording"
        ) from error


def _looked_at(ledger: Where) -> tuple[DecisionEngine, str]:
    """Return the engine that a ledger leads to, and the ledger's id; it is only read, also while a gate holds it."""
    with LedgerReader.open(str(ledger)) as reader:
        return restored_to(reader, reader.head), reader.head.ledger


def _settle(
    ledger: Where,
    engine: DecisionEngine,
    adoption: Adoption | None,
    *,
    key: SigningKey | None,
    progress: Progress | None,
) -> ReconcileReport:
    """Adopt a view of the reconciliation that waits, by the gate that holds the ledger if one does."""
    waiting = engine.reconciliation
    if adoption is None:
        raise InvalidArgument("name what to reconcile with: --broker or --statement")
    if waiting is None:
        raise InvalidArgument("no reconciliation waits: name what to reconcile with, --broker or --statement")
    done: Obeyed = operate(
        ledger, f"adopt_{adoption.view}",  # type: ignore[arg-type]
        operator=adoption.operator, reason=adoption.reason, scope=adoption.book_to, value=str(waiting["sequence"]),
        key=key, progress=progress,
    )  # fmt: skip
    adopted = Adopted(
        view=adoption.view, operator=adoption.operator, reason=adoption.reason, by=done.by, sequence=done.sequence
    )
    return ReconcileReport(
        ledger=str(ledger), source=str(waiting["source"]), recorded=True, sequence=int(waiting["sequence"]),
        equal=False, lines=lines_of_plain(waiting["differences"]), adopted=adopted, trading_state=done.trading_state,
        warnings=(),
    )  # fmt: skip


def _compared(ledger: str, engine: DecisionEngine, theirs: BrokerBook) -> ReconcileReport:
    ours, limits = GateBook.of(engine), engine.settings.gate
    found = compare(ours, theirs, cash_tolerance=limits.cash_tolerance, equity_tolerance=limits.equity_tolerance)
    return ReconcileReport(
        ledger=ledger, source=theirs.source, recorded=False, sequence=None, equal=not found,
        lines=lines_of(ours, theirs, found), adopted=None, trading_state=engine.trading_state.value,
        warnings=_warnings(theirs),
    )  # fmt: skip


def _waiting_lines(engine: DecisionEngine) -> set[tuple[str, ...]]:
    waiting = engine.reconciliation
    return set() if waiting is None else {seen_as(line) for line in lines_of_plain(waiting["differences"])}


def _warnings(theirs: BrokerBook) -> tuple[Notice, ...]:
    found = []
    if theirs.stated_at is not None:
        made = datetime.fromtimestamp(theirs.stated_at // 1_000_000_000, UTC)
        found.append(
            ("stated_at", f"{theirs.source} is as of {made:%Y-%m-%d %H:%M} UTC; what was filled since differs")
        )
    if theirs.account.cash is None and theirs.account.equity is None:
        found.append(("money_not_compared", f"{theirs.source} states no money: a row of cash or equity would"))
    if theirs.orders is None:
        found.append(("orders_not_compared", f"{theirs.source} says nothing of orders"))
    if theirs.positions and not any(position.strategy_id for position in theirs.positions):
        found.append(
            ("by_symbol", "positions were compared by symbol alone: one strategy's surplus can hide another's lack")
        )
    return tuple(Notice(code=code, message=message) for code, message in found)


def _mt5_book(read: Statement, how: Statements, gate: GateBook) -> BrokerBook:
    """Return a report as a broker's book: positions by symbol (by strategy where comments say it), equity, orders."""
    checked(read, partial=how.partial)
    currency = account_currency(read, how.base_currency)
    raw = [row.symbol for rows in (read.closed, read.open, read.working) for row in rows]
    ours = how.symbols.check(raw, read.source)
    held = {ours[row.symbol] for rows in (read.open, read.working) for row in rows}
    check_sizes(read, how.sizes, ours, currency, held)
    by_strategy = bool(how.strategies.by_comment)
    positions = net_positions(read, how, ours, by_strategy=by_strategy)
    equity = read.figures.get("equity")
    if equity is None:
        raise InputError(
            "it names no equity, so that nobody knows whether all that is open is in it", source=read.source,
            remedy="export the whole report",
        )  # fmt: skip
    tags = {tag_of(order.order_id): order.order_id for order in gate.orders}
    at = None if read.as_of is None or how.time_zone is None else server_time(how.time_zone).instants(read.as_of)
    return BrokerBook(
        source=read.source,
        account=BrokerAccount(currency=currency, equity=None if equity is None else float(equity)),
        positions=tuple(
            BrokerPosition(symbol=p.symbol, quantity=p.quantity, strategy_id=p.strategy_id or "")
            for p in positions if p.quantity
        ),
        orders=tuple(
            BrokerOrder(
                order_id=tags.get((split(order.comment) or ("",))[0], ""), venue_order_id=order.order,
                symbol=ours[order.symbol], side=order.side,
                quantity=order.volume * (how.sizes.of(ours[order.symbol]) or Decimal(1)),
                filled=order.filled * (how.sizes.of(ours[order.symbol]) or Decimal(1)),
                state=OrderState.PARTIAL if order.filled else OrderState.RELEASED,
            )
            for order in read.working
        ),
        stated_at=nanoseconds(at[0]) if at else None,
    )  # fmt: skip


def _connected(name: str, config: str | None, verifier: ReleaseVerifier, *, read_only: bool) -> Any:
    if name == "mt5":
        if config is None:
            raise InvalidArgument(
                "--broker mt5 needs --broker-config: a file with magics, time_zone, since and journal"
            )
        from rpmcore.adapters.mt5_broker.connecting import connect

        return connect(config, verifier, read_only=read_only)
    module, _, factory = name.partition(":")
    if not module or not factory:
        raise InvalidArgument(f"--broker is mt5 or MODULE:FACTORY, and not {name!r}")
    try:
        made = getattr(import_module(module), factory)
    except (ImportError, AttributeError) as error:
        raise InvalidArgument(f"--broker {name}: {error}; the module must be where Python finds it") from error
    try:
        return made(verifier)
    except RpmError:
        raise
    except Exception as error:  # a broker's library may raise whatever it likes
        raise BrokerUnavailable(f"{name} could not be reached: {type(error).__name__}: {error}") from error
