"""The job of running a stream of signals through the gate."""

from dataclasses import dataclass
from datetime import date, timedelta
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar

from rpmcore.adapters.configuration.loading import Settings, settings_or_defaults
from rpmcore.adapters.signing_key import load_signing_key
from rpmcore.adapters.tables.given import Given, GivenBook, GivenPrices
from rpmcore.adapters.tables.signals import SignalStream, read_signals
from rpmcore.controls.command_time import DAY, day_of
from rpmcore.decision.genesis import Genesis
from rpmcore.domain import reference
from rpmcore.domain.arguments import given_day
from rpmcore.domain.crisis_library import HistoricalCrisisLibrary
from rpmcore.domain.errors import InputError
from rpmcore.domain.plain import to_plain
from rpmcore.domain.report import Report, Shown, amount, counted
from rpmcore.gate import RiskGate
from rpmcore.gate_run import Progress, run_signals
from rpmcore.gate_run_report import EXPECTED_REJECTIONS, CrisisSpan, GateRun, Halt, RunSpan
from rpmcore.gate_start import gate_prices, genesis_of
from rpmcore.observed_run import ObservedRun
from rpmcore.risk.notices import Notice

SAMPLE_SIGNALS, SAMPLE_BOOK = "signals.parquet", "opening_book.parquet"
SAMPLE_OPERATOR = "sample operator"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class GateRunReport(Report):
    """A run, with what it ran on.

    Attributes
    ----------
    signals, book, ledger
        As they were named; None for the sample, and for memory.
    account
        ISO code of the account currency.
    operator
        In whose name halts were reset; None for nobody.
    head
        Signed end of the ledger, as hexadecimal text; None without a ledger.
    """

    signals: str | None
    book: str | None
    ledger: str | None
    account: str
    operator: str | None
    config_digest: str
    head: str | None
    run: GateRun
    warnings: tuple[Notice, ...]

    SCHEMA = "rpm.gate_run/1"
    MAIN = "months"
    ROWS: ClassVar[dict[str, type]] = {
        "halts": Halt, "years": RunSpan, "months": RunSpan, "crises": CrisisSpan, "warnings": Notice,
    }  # fmt: skip
    SHOWN = (
        Shown(
            table="years", title="Years", rows=20,
            columns=("name", "signals", "approved", "cut", "rejected", "passed_share", "regime", "halts", "equity"),
        ),
        Shown(
            table="crises", title="Crises",
            columns=("title", "during.signals", "during.rejected_share", "during.regime", "during.halts"),
        ),
        Shown(table="halts", title="Halts", columns=("at", "switch", "scope", "severity", "reason"), rows=5),
    )  # fmt: skip

    def headline(self) -> str:
        """Return the answer in a sentence."""
        run, total = self.run, self.run.total
        return (
            f"{total.signals:,} signals from {run.first} to {run.last}: {total.approved:,} approved, "
            f"{total.cut:,} cut, {total.rejected:,} rejected; {counted(len(run.halts), 'halt')}; "
            f"equity {amount(run.equity_first)} to {amount(run.equity_last)} {self.account}"
        )

    def to_plain(self) -> dict[str, Any]:
        """Return the object ``rpm.gate_run/1``."""
        run, total = self.run, self.run.total
        return {
            "signals": self.signals, "book": self.book, "ledger": self.ledger, "account": self.account,
            "operator": self.operator, "config_digest": self.config_digest, "head": self.head,
            "first": run.first.isoformat(), "last": run.last.isoformat(), "total": to_plain(total),
            "expected_rejections": list(EXPECTED_REJECTIONS),
            "reasons": dict(run.reasons.most_common()), "bindings": dict(run.bindings.most_common()),
            "not_sent": run.not_sent, "not_released": run.not_released, "halts": [to_plain(h) for h in run.halts],
            "resets": run.resets,
            "disabled": [{"at": at, "strategy_id": name, "reason": why} for at, name, why in run.disabled],
            "not_reset": [{"at": at, "scope": scope, "reason": why} for at, scope, why in run.not_reset],
            "trades": run.trades, "pnl": run.pnl, "decision_ms": run.decision_times(),
            "equity": {"first": run.equity_first, "last": run.equity_last, "max_drawdown": run.max_drawdown},
            "years": [to_plain(span) for span in run.years], "months": [to_plain(span) for span in run.months],
            "crises": [to_plain(span) for span in run.crises(HistoricalCrisisLibrary())],
            "warnings": [to_plain(warning) for warning in self.warnings],
        }  # fmt: skip


def gate_run(
    signals: Given | SignalStream | None = None,
    book: GivenBook | None = None,
    prices: GivenPrices | None = None,
    *,
    ledger: str | Path | None = None,
    settings: Settings | None = None,
    capital: float | None = None,
    base_currency: str | None = None,
    assets: Given | None = None,
    as_of: date | None = None,
    until: date | None = None,
    operator: str | None = None,
    spread_bps: float = 2.0,
    metrics: str | Path | None = None,
    progress: Progress | None = None,
) -> GateRunReport:
    """Return what the gate makes of a stream of signals.

    Parameters
    ----------
    signals
        A file or table of signals, or what `read_signals` gave; the sample's if None, with its book, its
        prices and its operator.
    book, prices, settings, capital, base_currency, assets
        As in `rpmcore.api.evaluate`; the book is what is held at the beginning.
    ledger
        A new file to record everything in; None keeps it in memory, and nothing can be proven later.
    as_of
        The gate begins after the closes of this day; by default the book's, else the day before the first signal.
    until
        The last day; all by default.
    operator, spread_bps, progress
        As in `rpmcore.gate_run.run_signals`.
    metrics
        A file to write the metrics of the run to, in Prometheus' text format. Logs go where ``observability`` of the
        settings says.

    Raises
    ------
    InputError, ConfigurationError
        If something cannot be used, or no day is left to run on.
    LedgerError
        If the ledger exists or cannot be written.
    """
    chosen = settings_or_defaults(settings, Settings)
    as_of, until = given_day(as_of, "as_of"), given_day(until, "until")
    sample = signals is None
    if sample and book is not None:
        raise InputError(
            "a book without signals", source="--book", remedy="give the signals too, or neither for the sample"
        )
    if isinstance(signals, SignalStream):
        stream = signals
    else:
        stream = read_signals(reference.sample_path(SAMPLE_SIGNALS) if signals is None else signals)
    if not stream.signals:
        raise InputError("there is no signal in it", source=stream.path or "the table given", remedy="give one")
    history = gate_prices(prices)
    first_day = date(1970, 1, 1) + timedelta(days=stream.signals[0].at // DAY)
    names = sorted({signal.strategy_id for signal in stream.signals})
    strategies, warnings = _strategies(names, chosen, capital, sample=sample)
    genesis = genesis_of(
        reference.sample_path(SAMPLE_BOOK) if sample else book, history, chosen, as_of=as_of, capital=capital,
        base_currency=base_currency, assets=assets, strategies=strategies, before=first_day,
    )  # fmt: skip
    if until is not None:
        history = history.read(history.symbols, until=until)
    begin, last = day_of(genesis.at), history.dates[-1].item()
    if last <= begin:
        ends, remedy = f"prices end on {last}", "give later prices, or an earlier beginning with --as-of"
        if until is not None:
            ends, remedy = f"the last prices up to {until} are of {last}", "give a later --until, or an earlier --as-of"
        raise InputError(
            f"no day is left to run on: the book begins with the close of {begin}, and {ends}",
            source=history.path, remedy=remedy,
        )  # fmt: skip
    unknown = [name for name in names if name not in genesis.strategies]
    if unknown:
        warnings += (
            Notice(
                code="unknown_strategies",
                message=f"{', '.join(unknown)}: in no book and no configuration (strategies.capital), so that each "
                "of their signals is rejected",
            ),
        )
    operator = operator or (SAMPLE_OPERATOR if sample else None)
    with ObservedRun(chosen.observability, metrics) as seen:
        gate, told = _gate(genesis, ledger)
        warnings += told
        with gate:
            seen.watch(gate)
            run = run_signals(
                gate, stream.signals, history, operator=operator, spread_bps=spread_bps, progress=progress
            )  # fmt: skip
            warnings += seen.finish()
        head = gate.head  # of what closing it added, too
    warnings += tuple(
        Notice(code="not_reset", message=f"{day_of(at)}: {scope} stays halted from here on: {why}")
        for at, scope, why in run.not_reset
    )
    return GateRunReport(
        signals=None if sample else stream.path, book=str(book) if isinstance(book, str | PathLike) else None,
        ledger=None if ledger is None else str(ledger), account=genesis.account, operator=operator,
        config_digest=genesis.config_digest, head=head, run=run, warnings=warnings,
    )  # fmt: skip


def _gate(genesis: Genesis, ledger: str | Path | None) -> tuple[RiskGate, tuple[Notice, ...]]:
    if ledger is None:
        return RiskGate.in_memory(genesis), ()
    loaded = load_signing_key(ledger=ledger)
    told = (Notice(code="key_created", message=loaded.notice),) if loaded.notice else ()
    return RiskGate.create(ledger, genesis, loaded.key, timer=None), told


def _strategies(
    names: list[str], settings: Settings, capital: float | None, *, sample: bool
) -> tuple[dict[str, float], tuple[Notice, ...]]:
    """Return the capital of the strategies that no book names; the sample's share theirs alike."""
    given = dict(settings.strategies.capital)
    if not sample or any(name in given for name in names):
        return given, ()
    share = (capital or 10_000_000.0) / (len(names) + 1)
    told = Notice(
        code="sample_capital",
        message=f"{', '.join(names)}: each is given {share:,.0f}, as much as the book that they begin beside "
        "(strategies.capital says otherwise)",
    )
    return dict.fromkeys(names, share), (told,)
