"""From what is asked for to a gate that can be served: a ledger, a new book, a dry run, or the sample."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import platformdirs

from rpmcore import ledger_jobs
from rpmcore.adapters.configuration.loading import Settings
from rpmcore.adapters.ledger.reader import LedgerReader
from rpmcore.adapters.ledger.verification import Progress
from rpmcore.adapters.signing_key import load_signing_key
from rpmcore.controls.command_time import Clock, day_of
from rpmcore.decision.engine import DecisionEngine
from rpmcore.domain import reference
from rpmcore.domain.canonical import canonical_bytes, parse
from rpmcore.domain.decisions import Decision, decision_of_plain
from rpmcore.domain.errors import InputError
from rpmcore.gate import RiskGate
from rpmcore.gate_status import DecisionLine, line_of
from rpmcore.gate_store import MemoryStore, restored_to
from rpmcore.server.clock import SampleClock
from rpmcore.server.state import IN_MEMORY, SHOWN_DECISIONS

SAMPLE_LEDGER = "sample.ledger"
SAMPLE_BOOK = "portfolio.parquet"
"""What the sample holds."""
SAMPLE_CAPITAL = 25_000_000.0
"""More than the book's own, under which it is beyond the limit on gross exposure of its day: here is room to trade."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What shall be served.

    Attributes
    ----------
    ledger
        Its path; None for the sample's, or for memory in a dry run.
    book, prices, capital, base_currency, assets, as_of
        Of a ledger that begins now; see `rpmcore.ledger_jobs.new_gate`.
    dry_run
        Whether nothing is recorded for good, and nothing may be sent.
    """

    ledger: str | None = None
    book: str | None = None
    prices: str | None = None
    capital: float | None = None
    base_currency: str | None = None
    assets: str | None = None
    as_of: date | None = None
    dry_run: bool = False

    @property
    def sample(self) -> bool:
        """Whether it is the sample, for nothing was named."""
        return self.ledger is None and self.book is None

    @property
    def about_the_book(self) -> bool:
        """Whether anything is said of a book beside its name."""
        said = (self.prices, self.capital, self.base_currency, self.assets, self.as_of)
        return any(each is not None for each in said)

    @property
    def of_book(self) -> dict[str, Any]:
        """What a new gate is made of."""
        book = str(reference.sample_path(SAMPLE_BOOK)) if self.sample else self.book
        capital = SAMPLE_CAPITAL if self.sample else self.capital
        return {
            "book": book, "prices": self.prices, "capital": capital, "base_currency": self.base_currency,
            "assets": self.assets, "as_of": self.as_of,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A gate to be served.

    Attributes
    ----------
    ledger
        Its path, or ``in memory``.
    path
        The same where there is a ledger, else None.
    sample
        What of this is the sample, in words; None where it is the user's own.
    earlier
        The last decisions before now.
    stored
        Returns the recorded decision of a signal, or None; on any thread.
    notices
        For the user.
    """

    gate: RiskGate
    clock: Clock
    ledger: str
    path: Path | None
    sample: str | None
    earlier: tuple[DecisionLine, ...]
    stored: Callable[[str], Decision | None]
    notices: tuple[str, ...] = field(default=())


def state_folder() -> Path:
    """Return the user's folder for what rpm keeps by itself, created where it is missing, for its owner alone."""
    folder = Path(platformdirs.user_state_dir("rpmcore", appauthor=False))
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"it cannot be created: {error.strerror or error}", source=str(folder), remedy="name a --ledger"
        ) from error
    return folder


@contextmanager
def opened(asked: Asked, settings: Settings, *, progress: Progress | None = None) -> Iterator[Opened]:
    """Open what shall be served, for a ``with``.

    Raises
    ------
    InputError
        If what was named does not go together, or cannot be used.
    LedgerError
        If the ledger is locked, damaged or cannot be used.
    """
    _check(asked)
    clock: Clock = SampleClock() if asked.sample else time.time_ns
    path = None if asked.ledger is None else Path(asked.ledger)
    if asked.sample and not asked.dry_run:
        path = state_folder() / SAMPLE_LEDGER
    gate, notices = _gate(asked, path, settings, clock, progress)
    kept = None if asked.dry_run else path
    with gate:
        sample = None
        if isinstance(clock, SampleClock):
            clock.begin(gate.engine.last_at)
            sample = (
                f"the sample book with {SAMPLE_CAPITAL:,.0f} USD; its prices end on {gate.engine.market.last_day}, "
                f"and so its clock stands at {day_of(gate.engine.last_at)} and goes on from there"
            )
        yield Opened(
            gate=gate, clock=clock, ledger=IN_MEMORY if kept is None else str(kept), path=kept, sample=sample,
            earlier=() if kept is None else _earlier(kept),
            stored=gate.decided if kept is None else lambda signal_id: stored_in(kept, signal_id), notices=notices,
        )  # fmt: skip


def _check(asked: Asked) -> None:
    if asked.book is not None and asked.ledger is None and not asked.dry_run:
        raise InputError(
            "nobody says where decisions are recorded", source="--book", remedy="name a --ledger, or try it: --dry-run"
        )
    if asked.book is None and asked.about_the_book:
        raise InputError(
            "prices, capital, currency, assets and day are those of a book that a ledger begins with",
            source="without --book", remedy="name the --book too, or leave them out",
        )  # fmt: skip
    if asked.ledger is not None:
        there = Path(asked.ledger).exists()
        if there and asked.book is not None:
            raise InputError(
                "the ledger is there already, and has its own book", source=asked.ledger, remedy="leave out --book"
            )
        if not there and asked.book is None:
            raise InputError(
                "there is no such ledger", source=asked.ledger, remedy="name the --book that it begins with"
            )


def _gate(
    asked: Asked, path: Path | None, settings: Settings, clock: Clock, progress: Progress | None
) -> tuple[RiskGate, tuple[str, ...]]:
    if path is not None and path.exists():
        if asked.dry_run:
            return _in_memory(path, clock), ()
        return ledger_jobs.open_gate(path, progress=progress, clock=clock), ()
    if path is None or asked.dry_run:
        return ledger_jobs.new_gate(**asked.of_book, settings=settings, clock=clock), ()
    loaded = load_signing_key(ledger=str(path))
    gate = ledger_jobs.new_gate(**asked.of_book, ledger=path, settings=settings, clock=clock)
    return gate, (loaded.notice,) if loaded.notice else ()


def _in_memory(path: Path, clock: Clock) -> RiskGate:
    """Return a gate that goes on from a ledger and leaves it alone."""
    with LedgerReader.open(path) as reader:
        engine: DecisionEngine = restored_to(reader, reader.head)
        if reader.halted is not None and not engine.integrity:
            engine.integrity = f"the ledger halted: {reader.halted}"
    return RiskGate(engine, MemoryStore(canonical_bytes(engine.genesis.to_plain())), clock=clock)


def _earlier(path: Path) -> tuple[DecisionLine, ...]:
    with LedgerReader.open(path) as reader:
        return tuple(line_of(parse(record.body)) for record in reader.last_of("decision", SHOWN_DECISIONS))


def stored_in(path: Path, signal_id: str) -> Decision | None:
    """Return the decision that a ledger holds under the id of a signal, or None; also while a gate writes to it."""
    with LedgerReader.open(path) as reader:
        record = reader.find(f"signal:{signal_id}")
    return None if record is None else decision_of_plain(parse(record.body))
