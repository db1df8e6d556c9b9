"""The job of the report that people mail: every result about a book, collected once and written as one page."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from importlib.util import find_spec
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from rpmcore.adapters.configuration.loading import Settings
from rpmcore.adapters.report_html.contents import (
    ChangedSetting,
    Configuration,
    GateRecord,
    InstrumentData,
    RiskReport,
)
from rpmcore.crises import chosen_crises
from rpmcore.domain.errors import (
    ConfigurationError,
    InputError,
    InsufficientData,
    InvalidArgument,
    NotVerified,
    Undefined,
)
from rpmcore.inputs import book_inputs, replay_prices
from rpmcore.risk.evaluation import Assessment, assess, evaluation_of
from rpmcore.risk.report import Evaluation
from rpmcore.risk.valuation import BookInputs

if TYPE_CHECKING:
    from rpmcore.adapters.report_html.contents import Verdict
    from rpmcore.controls.limits_report import LimitsReport
    from rpmcore.risk.backtesting.report import BacktestReport
    from rpmcore.risk.clustering import ClusteredCorrelation
    from rpmcore.risk.exposure.report import ExposureReport
    from rpmcore.risk.pnl_shape import PnlShape
    from rpmcore.risk.stress.study import StressReport

NEEDED = ("jinja2", "matplotlib")
"""Packages of the extra ``report``."""

MOST_DECISIONS = 1000
"""Decisions of a ledger, the last ones, that the report counts by verdict and reason."""

CRISIS_MODES = ("parametric", "replay", "factor")
"""Ways to apply a crisis that tell what it would cost. Path mode asks something else: what a risk system would do in
it, day by day; left alone a book loses there what nobody would let it lose."""

STILL = 5
"""Days without a change of the close from which the report names an instrument."""

NOT_ALLOWED = (InputError, InsufficientData, InvalidArgument, Undefined)
"""What says that the data do not allow a part of the report."""

Told = Callable[[str], None]
Found = TypeVar("Found")


def check_extra() -> None:
    """Raise unless the packages of the extra ``report`` are installed.

    Raises
    ------
    ConfigurationError
        If one is not.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f"rpm report needs {' and '.join(missing)}, not installed here: pip install 'rpmcore[report]'"
        )


def risk_report(
    book: Any = None,
    prices: Any = None,
    *,
    settings: Settings | None = None,
    capital: float | None = None,
    base_currency: str | None = None,
    as_of: date | None = None,
    assets: Any = None,
    factors: Any = None,
    trades: Any = None,
    ledger: str | PathLike[str] | None = None,
    told: Told | None = None,
) -> RiskReport:
    """Return everything that the report shows; each part is what the command of its name gives.

    A part that the data do not allow (a history too short for a backtest, an instrument without a beta) is None, and
    the report says why. What was named on purpose (factors, trades, a ledger) must be usable.

    Parameters
    ----------
    book, prices, settings, capital, base_currency, as_of, assets
        As in `rpmcore.api.evaluate`.
    factors
        Returns of factors, as in `rpmcore.api.exposure`.
    trades
        Closed trades, as in `rpmcore.api.strategies`; None leaves the strategies out.
    ledger
        Of a gate; it is verified with its key first. None leaves the decisions out.
    told
        Told the name of each part before it is made.

    Raises
    ------
    InputError, InsufficientData, ConfigurationError
        If the book cannot be evaluated, or a file that was named cannot be used.
    NotVerified
        If the ledger does not stand as it was written.
    """
    chosen, tell = settings or Settings(), told or (lambda _: None)
    tell("book and prices")
    alone = book_inputs(book, prices, chosen, capital=capital, base_currency=base_currency, as_of=as_of, assets=assets)
    given = None
    if factors is not None:
        from rpmcore.adapters.tables.factor_returns import read_factor_returns

        given = read_factor_returns(factors)
    tell("risk")
    assessed = assess(alone, chosen)
    evaluation = evaluation_of(assessed, alone, chosen)
    shape, no_shape = _allowed(lambda: _shape(assessed, evaluation, chosen))
    correlation, no_correlation = _allowed(lambda: _correlation(assessed))
    strategies = None
    if trades is not None:
        from rpmcore.strategy_jobs import strategies as judged

        tell("strategies")
        strategies = judged(trades, settings=chosen, capital=capital, base_currency=base_currency, as_of=as_of)
    gate = None
    if ledger is not None:
        tell("decisions")
        gate = _gate(ledger)
    wide, no_wide = _allowed(lambda: _with_market(book, prices, chosen, alone, assets, as_of))
    tell("exposures")
    exposure, no_exposure = _allowed(lambda: _exposure(_there(wide, no_wide), chosen, given))
    tell("limits of the market")
    limits, no_limits = _allowed(lambda: _limits(_there(wide, no_wide), chosen))
    tell("crises")
    stress, no_stress = _allowed(lambda: _stress(alone, wide or alone, prices, chosen))
    tell("model validation")
    backtest, no_backtest = _allowed(lambda: _backtest(alone, chosen))
    return RiskReport(
        version=version("rpmcore"),
        configuration=Configuration(digest=chosen.digest, changed=_changed(chosen), settings=chosen),
        evaluation=evaluation,
        shape=shape, shape_reason=no_shape,
        correlation=correlation, correlation_reason=no_correlation,
        exposure=exposure, exposure_reason=no_exposure,
        stress=stress, stress_reason=no_stress,
        backtest=backtest, backtest_reason=no_backtest,
        limits=limits, limits_reason=no_limits,
        strategies=strategies,
        gate=gate,
        instruments=_instruments(assessed),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReportMade:
    """A report and its page.

    Attributes
    ----------
    page
        HTML in UTF-8 that asks no other host for anything.
    path
        Where it was written; None where it was only returned.
    sections
        Names of the sections that the page has.
    """

    report: RiskReport
    page: bytes
    path: str | None
    sections: tuple[str, ...]
    verdicts: "tuple[Verdict, ...]"

    @property
    def failed(self) -> "tuple[Verdict, ...]":
        """The verdicts that do not pass: what could not be judged is among them."""
        return tuple(verdict for verdict in self.verdicts if verdict.level in ("fail", "unknown"))


def make_report(
    book: Any = None,
    prices: Any = None,
    *,
    output: str | PathLike[str] | None = None,
    settings: Settings | None = None,
    capital: float | None = None,
    base_currency: str | None = None,
    as_of: date | None = None,
    assets: Any = None,
    factors: Any = None,
    trades: Any = None,
    ledger: str | PathLike[str] | None = None,
    told: Told | None = None,
) -> ReportMade:
    """Return the report as one page, written to a file if one is named; the same inputs give the same bytes.

    Whether the file can be written is asked before anything is read. An earlier report there is replaced in one step.

    Parameters
    ----------
    output
        Of the page; None returns it alone.
    book, prices, settings, capital, base_currency, as_of, assets, factors, trades, ledger, told
        As in `risk_report`.

    Raises
    ------
    ConfigurationError
        As `check_extra`.
    InputError, InsufficientData, NotVerified
        As `risk_report`, and if the page cannot be written there.
    """
    check_extra()
    from rpmcore.adapters.report_html.page import render
    from rpmcore.adapters.report_html.sections import sections
    from rpmcore.adapters.report_html.verdicts import verdicts
    from rpmcore.adapters.report_html.writing import check_output, write_page

    if output is not None:
        read = {"BOOK": book, "--prices": prices, "--assets": assets, "--factors": factors, "--trades": trades}
        check_output(output, {**read, "--ledger": ledger})
    found = risk_report(
        book, prices, settings=settings, capital=capital, base_currency=base_currency, as_of=as_of, assets=assets,
        factors=factors, trades=trades, ledger=ledger, told=told,
    )  # fmt: skip
    if told is not None:
        told("page")
    page = render(found).encode()
    if output is not None:
        write_page(output, page)
    return ReportMade(
        report=found,
        page=page,
        path=None if output is None else str(output),
        sections=tuple(section.name for section in sections(found)),
        verdicts=verdicts(found),
    )


def _allowed(make: Callable[[], Found]) -> tuple[Found | None, str | None]:
    """Return a part of the report, or why the data do not allow it."""
    try:
        return make(), None
    except NOT_ALLOWED as error:
        return None, str(error)


def _there(inputs: BookInputs | None, reason: str | None) -> BookInputs:
    if inputs is None:
        raise Undefined(str(reason))
    return inputs


def _with_market(
    book: Any, prices: Any, settings: Settings, alone: BookInputs, assets: Any, as_of: date | None
) -> BookInputs:
    """Return the book with the market beside it, as ``rpm exposure`` and ``rpm limits`` take it."""
    market = settings.factors.market
    named = "market" in settings.factors.model_fields_set  # who names a market does not mean another
    held = alone.book if book is None or isinstance(book, str | PathLike) else book
    return book_inputs(
        held, prices, settings, capital=alone.book.capital, base_currency=alone.book.base_currency, as_of=as_of,
        assets=assets, beside=(market,) if named else (), if_there=() if named else (market,),
    )  # fmt: skip


def _shape(assessed: Assessment, evaluation: Evaluation, settings: Settings) -> "PnlShape":
    from rpmcore.risk.pnl_shape import pnl_shape

    metrics, chosen = assessed.metrics, settings.tail_risk
    return pnl_shape(
        metrics.pnl,
        edges=evaluation.histogram.edges,
        counts=evaluation.histogram.counts,
        volatility=metrics.daily_volatility * settings.data.return_days**0.5,
        fit=metrics.fit,
        fit_reason=metrics.fit_reason,
        tail_share=chosen.tail_share,
        confidence=max(chosen.confidences),
        quantile=chosen.quantile,
    )


def _correlation(assessed: Assessment) -> "ClusteredCorrelation":
    from rpmcore.risk.clustering import cluster_correlation

    return cluster_correlation(assessed.metrics.covariance.matrix, assessed.panel.symbols)


def _exposure(inputs: BookInputs, settings: Settings, given: Any) -> "ExposureReport":
    from rpmcore.risk.exposure.study import measure_exposure

    return measure_exposure(inputs, settings, given=given)


def _limits(inputs: BookInputs, settings: Settings) -> "LimitsReport":
    from rpmcore.controls.limits_study import measure_limits

    return measure_limits(inputs, settings, settings.adaptive)


def _stress(alone: BookInputs, wide: BookInputs, prices: Any, settings: Settings) -> "StressReport":
    from rpmcore.risk.stress.study import StressInputs, run_stress

    market = settings.factors.market
    inputs = StressInputs(inputs=wide, alone=alone, replayed=lambda: replay_prices(alone, prices, market))
    return run_stress(inputs, chosen_crises(), settings, modes=CRISIS_MODES, skip=True)


def _backtest(inputs: BookInputs, settings: Settings) -> "BacktestReport":
    from rpmcore.risk.backtesting.study import backtest_book

    return backtest_book(inputs, settings, "limit")


def _gate(ledger: str | PathLike[str]) -> GateRecord:
    from rpmcore.adapters.ledger.audit import verify
    from rpmcore.gate_status import gate_status
    from rpmcore.ledger_jobs import key_for

    found = verify(str(ledger), key_for(ledger))
    if not found.ok:
        raise NotVerified(f"{ledger}: {found.why}. A report of it would pass on what nobody decided")
    status = gate_status(ledger, last=MOST_DECISIONS)
    verdicts = Counter(line.verdict for line in status.decisions)
    reasons = Counter(line.reason for line in status.decisions if line.verdict == "rejected" and line.reason)
    return GateRecord(
        status=status,
        records=found.records,
        decisions=found.by_kind.get("decision", 0),
        approved=verdicts["approved"],
        cut=verdicts["cut"],
        rejected=verdicts["rejected"],
        reasons=tuple(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
    )


def _instruments(assessed: Assessment) -> tuple[InstrumentData, ...]:
    panel = assessed.panel
    still = dict(zip(panel.symbols, np.asarray(panel.unchanged_days).tolist(), strict=True))
    rows = [
        InstrumentData(symbol=symbol, missing=panel.missing.get(symbol, 0), unchanged_days=still[symbol])
        for symbol in panel.symbols
        if panel.missing.get(symbol, 0) or still[symbol] >= STILL
    ]
    return tuple(sorted(rows, key=lambda row: (-row.missing, -row.unchanged_days, row.symbol)))


def _changed(settings: Settings) -> tuple[ChangedSetting, ...]:
    """Return the settings that figures depend on and that are not at their default, by dotted key."""
    found = dict(_leaves(settings.of_decisions.model_dump(mode="json")))
    defaults = dict(_leaves(Settings().of_decisions.model_dump(mode="json")))
    return tuple(
        ChangedSetting(key=key, value=str(value), default=str(defaults.get(key, "not set")))
        for key, value in sorted(found.items())
        if key not in defaults or defaults[key] != value
    )


def _leaves(plain: Any, path: str = "") -> Any:
    if isinstance(plain, dict):
        for key, value in plain.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key))
    else:
        yield path, plain
