"""The jobs on a ledger that somebody asks for: one decision, and what operators say."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from os import PathLike
from pathlib import Path
from typing import Any

from rpmcore.adapters.configuration.loading import Settings, given_settings, settings_or_defaults
from rpmcore.adapters.control_folder import ControlFolder
from rpmcore.adapters.ledger.errors import LedgerLocked
from rpmcore.adapters.ledger.file_lock import holder_of
from rpmcore.adapters.ledger.reader import LedgerReader
from rpmcore.adapters.ledger.verification import Progress
from rpmcore.adapters.signing_key import load_signing_key
from rpmcore.adapters.tables.given import Given, GivenBook, GivenPrices
from rpmcore.controls.command_time import Clock
from rpmcore.domain import reference
from rpmcore.domain.commands import OperatorAction, SignalReceived
from rpmcore.domain.decisions import Decision
from rpmcore.domain.errors import ConfigurationError, InvalidArgument, Unavailable
from rpmcore.domain.orders import Signal
from rpmcore.domain.report import Report
from rpmcore.domain.signing_key import SigningKey
from rpmcore.gate import RiskGate
from rpmcore.gate_start import gate_prices, genesis_of
from rpmcore.gate_store import restored_to

OPENING_BOOK = "opening_book.parquet"
"""The sample book that a gate begins with."""

IN_FORCE = "these settings are in force already"
DIGITS = 12
"""Of a digest, where it is shown to people."""

PATIENCE = 2.0
"""Seconds that a gate has to answer a request."""

Where = str | PathLike[str]

Asked = Callable[[int], Signal]
"""Makes the signal, given the time at which it is decided, UTC nanoseconds."""


class RequestStands(Unavailable):
    """The gate that holds the ledger has not answered in time: the request waits for it.

    Attributes
    ----------
    request_id
        Of the request in the control folder.
    """

    def __init__(self, ledger: Where, request_id: str, seconds: float) -> None:
        self.request_id = request_id
        super().__init__(
            f"the gate that holds {ledger} did not answer within {seconds:g} s. The request stands: it is carried out "
            f"before the next decision (request {request_id})"
        )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Obeyed(Report):
    """What became of an operator's word.

    Attributes
    ----------
    by
        ``this command`` where nobody held the ledger, ``the gate`` that holds it otherwise.
    sequence
        Number of the command in the ledger.
    trading_state
        After it.
    """

    action: str
    scope: str
    value: str
    operator: str
    reason: str
    by: str
    sequence: int | None
    sequence_reason: str | None = "the gate had carried it out before"
    trading_state: str

    SCHEMA = "rpm.operator/1"

    def headline(self) -> str:
        """Return the answer in a sentence."""
        what = " ".join(word for word in (self.action.replace("_", " "), self.value) if word)
        return f"{what} of {self.scope} by {self.operator}: carried out by {self.by}; {self.trading_state} now"


def key_for(ledger: Where) -> SigningKey:
    """Return the key of a ledger that is there already; none is created for it.

    Raises
    ------
    ConfigurationError
        As `rpmcore.adapters.signing_key.load_signing_key`, and where there is no key.
    """
    return load_signing_key(ledger=str(ledger), create=False).key


def new_gate(
    book: GivenBook | None = None,
    prices: GivenPrices | None = None,
    *,
    ledger: Where | None = None,
    settings: Settings | None = None,
    as_of: date | None = None,
    capital: float | None = None,
    base_currency: str | None = None,
    assets: Given | None = None,
    strategies: Mapping[str, float] | None = None,
    clock: Clock = time.time_ns,
) -> RiskGate:
    """Return a new gate on a book.

    Parameters
    ----------
    book
        See `rpmcore.api.evaluate`; the sample opening book if None.
    prices, as_of, capital, base_currency, assets, settings
        As in `rpmcore.api.evaluate`.
    ledger
        Where everything is recorded; None for memory, where simulations run and nothing has to be proven. The user's
        signing key is created if there is none.
    strategies
        Capital by strategy in account currency; see `rpmcore.gate_start.genesis_of`. Without it that of the settings.
    clock
        Tells when a command arrives that names no time.

    Raises
    ------
    InputError
        If book or prices cannot be used, or nobody is named who may trade.
    LedgerError
        If there is a ledger already, or none can be written.
    """
    chosen = settings_or_defaults(settings, Settings)
    held = str(reference.sample_path(OPENING_BOOK)) if book is None else book
    genesis = genesis_of(
        held, gate_prices(prices), chosen, as_of=as_of, capital=capital, base_currency=base_currency, assets=assets,
        strategies=chosen.strategies.capital if strategies is None else strategies,
    )  # fmt: skip
    if ledger is None:
        return RiskGate.in_memory(genesis, clock=clock)
    return RiskGate.create(str(ledger), genesis, load_signing_key(ledger=str(ledger)).key, clock=clock)


def open_gate(ledger: Where, *, progress: Progress | None = None, clock: Clock = time.time_ns) -> RiskGate:
    """Return the gate of a ledger as it was left, with the user's signing key; see `RiskGate.open`.

    Raises
    ------
    ConfigurationError
        If there is no key.
    LedgerError
        If it is locked, damaged or cannot be used.
    """
    return RiskGate.open(str(ledger), key_for(ledger), progress=progress, clock=clock)


def decide(
    ledger: Where,
    signal: Signal | Asked,
    *,
    at: int | None = None,
    progress: Progress | None = None,
    key: SigningKey | None = None,
) -> Decision:
    """Decide a signal on a ledger, and record it.

    Parameters
    ----------
    ledger
        Its path; nobody else may hold it.
    signal
        What is asked, or what makes it, given the time at which it is decided.
    at
        When it arrived, UTC nanoseconds; by default the signal's own time, or where it is made for its time, that of
        the ledger's last command. A gate does not go back in time: one ahead of the clock stops it until then.
    progress
        Told how far the ledger is verified.
    key
        In place of the user's.

    Raises
    ------
    LedgerError, GateHalted
        Where another gate holds it, it is damaged, or it cannot be written.
    """
    with RiskGate.open(str(ledger), key or key_for(ledger), progress=progress) as gate:
        asked, when = _asked(signal, at, gate.engine.last_at)
        return gate.decide(asked, at=when)


def what_if(ledger: Where, signal: Signal | Asked, *, at: int | None = None) -> Decision:
    """Return what would be decided about a signal; the ledger is only read, also while a gate holds it.

    Parameters
    ----------
    ledger
        Its path.
    signal, at
        As in `decide`.

    Raises
    ------
    LedgerUnusable, LedgerDamaged
        As `rpmcore.gate_status.gate_status`.
    """
    with LedgerReader.open(str(ledger)) as reader:
        engine = restored_to(reader, reader.head)
        if reader.halted is not None and not engine.integrity:
            engine.integrity = f"the ledger halted: {reader.halted}"  # as a gate does that opens it
        asked, when = _asked(signal, at, engine.last_at)
        stored = reader.find(f"signal:{asked.signal_id}")
    return engine.decide(
        SignalReceived(
            at=when, command_id=asked.signal_id, correlation_id=asked.correlation_id or asked.signal_id, signal=asked,
            conflict_with=None if stored is None else stored.sequence,
        )
    )  # fmt: skip


def what_if_of_book(
    book: GivenBook | None,
    signal: Signal | Asked,
    settings: Settings | None = None,
    *,
    prices: GivenPrices | None = None,
    as_of: date | None = None,
    capital: float | None = None,
    base_currency: str | None = None,
    assets: Given | None = None,
    strategies: Mapping[str, float] | None = None,
) -> Decision:
    """Return what a new gate on a book would decide about a signal, at the last close; nothing is recorded.

    Parameters
    ----------
    book
        See `rpmcore.api.evaluate`; the sample opening book if None.
    signal
        What is asked, or what makes it, given the time of the last close. A signal with a time of its own is asked
        then: long after the close its price is stale.
    prices, as_of, capital, base_currency, assets, settings
        As in `rpmcore.api.evaluate`.
    strategies
        See `new_gate`.

    Raises
    ------
    InputError
        If book or prices cannot be used, or nobody is named who may trade.
    """
    gate = new_gate(
        book, prices, settings=settings, as_of=as_of, capital=capital, base_currency=base_currency, assets=assets,
        strategies=strategies,
    )  # fmt: skip
    asked, at = _asked(signal, None, gate.engine.genesis.at)
    return gate.what_if(asked, at=at)


def _asked(signal: Signal | Asked, at: int | None, last: int) -> tuple[Signal, int]:
    """Return a signal and when it is decided: at `at`, else at its own time, else at that of the last command."""
    if isinstance(signal, Signal):
        return signal, signal.at if at is None else at
    when = last if at is None else at
    return signal(when), when


def operate(
    ledger: Where,
    action: OperatorAction,
    *,
    operator: str,
    reason: str,
    scope: str = "account",
    value: str = "",
    measure_anew: bool = False,
    patience: float = PATIENCE,
    key: SigningKey | None = None,
    progress: Progress | None = None,
) -> Obeyed:
    """Have a ledger record what a named operator says: by itself where nobody holds it, else by the gate that does.

    Parameters
    ----------
    ledger
        Its path.
    action, operator, reason, scope, value, measure_anew
        See `rpmcore.domain.commands.OperatorOrder`.
    patience
        Seconds that a gate has to answer.
    key
        In place of the user's. None is needed to ask a gate that holds the ledger.
    progress
        Told how far the ledger is verified.

    Raises
    ------
    InvalidArgument
        If it cannot be done; that it was asked is recorded all the same.
    RequestStands
        If the gate that holds the ledger does not answer in time.
    LedgerError, GateHalted
        If the ledger is damaged, or cannot be written.
    """
    said: dict[str, Any] = {
        "action": action, "operator": operator, "reason": reason, "scope": scope, "value": value,
        "measure_anew": measure_anew,
    }  # fmt: skip
    if not operator.strip() or not reason.strip():
        raise InvalidArgument("a named operator and a written reason are needed")
    secret = key
    if secret is None:
        try:
            secret = key_for(ledger)
        except ConfigurationError:
            # Whoever has no key must still be able to stop a gate that runs.
            if holder_of(Path(ledger)) is None:
                raise
            return _requested(ledger, said, None, patience)
    try:
        with RiskGate.open(str(ledger), secret, progress=progress) as gate:
            gate.operate(**said)
            return _obeyed(said, "this command", gate.engine.sequence, gate.trading_state.value)
    except LedgerLocked:
        return _requested(ledger, said, secret, patience)


def reload(
    ledger: Where,
    settings: Settings,
    *,
    operator: str = "",
    reason: str = "",
    patience: float = PATIENCE,
    key: SigningKey | None = None,
    progress: Progress | None = None,
) -> Obeyed:
    """Have a ledger decide by other settings from now on: see `RiskGate.reload`, and `operate` for the rest.

    Raises
    ------
    InvalidArgument
        If they are no settings, or are not taken, naming what would loosen; that it was asked is recorded all the same.
    RequestStands, LedgerError, GateHalted
        As `operate`.
    """
    given_settings(settings, Settings)
    said: dict[str, Any] = {
        "action": "reload", "operator": operator, "reason": reason, "scope": "account",
        "value": settings.digest[:DIGITS], "settings": settings.model_dump(mode="json"),
    }  # fmt: skip
    secret = key or key_for(ledger)
    try:
        with RiskGate.open(str(ledger), secret, progress=progress) as gate:
            taken = gate.reload(settings, operator=operator, reason=reason)
            sequence, state = gate.engine.sequence if taken else None, gate.trading_state.value
            return replace(_obeyed(said, "this command", sequence, state), sequence_reason=IN_FORCE)
    except LedgerLocked:
        return _requested(ledger, said, secret, patience)


def _requested(ledger: Where, said: dict[str, Any], key: SigningKey | None, patience: float) -> Obeyed:
    """Leave a request for the gate that holds the ledger, and wait for its answer."""
    folder = ControlFolder(str(ledger))
    request = folder.submit(said)
    answer = folder.await_acknowledgement(request, patience)
    if answer is None and key is not None:
        # The holder may have been a command like this one, which looks for no requests, or may be gone by now.
        try:
            with RiskGate.open(str(ledger), key) as gate:
                gate.tick(at=max(time.time_ns(), gate.engine.last_at))
        except LedgerLocked:
            pass  # it is still there, and busy
        answer = folder.await_acknowledgement(request, 0.0)
    if answer is None:
        raise RequestStands(ledger, request, patience)
    if not answer.get("done"):
        raise InvalidArgument(f"the gate refused: {answer.get('reason') or 'it gives no reason'}")
    return _obeyed(said, "the gate", answer.get("sequence"), answer["trading_state"])


def _obeyed(said: dict[str, Any], by: str, sequence: int | None, state: str) -> Obeyed:
    return Obeyed(
        action=said["action"], scope=said["scope"], value=said["value"], operator=said["operator"],
        reason=said["reason"], by=by, sequence=sequence, trading_state=state,
    )  # fmt: skip
