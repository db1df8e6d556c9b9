"""What ``rpm strategies`` says: the field names are the keys of its JSON.

A field ``x_reason`` says why ``x`` is None, where it is. Instants are texts in UTC.
"""

from dataclasses import dataclass
from typing import Literal

from rpmcore.controls.strategy_allocation import StrategyAllocation
from rpmcore.controls.strategy_health import Band, HealthComponent
from rpmcore.controls.strategy_intelligence import Status
from rpmcore.controls.strategy_suggestions import Suggestion
from rpmcore.controls.strategy_tracker import PeriodPerformance
from rpmcore.domain.report import ConfiguredReport, Shown, counted
from rpmcore.risk.notices import Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class TradesSummary:
    """Which trades the verdicts rest on.

    Attributes
    ----------
    n_trades, first, last
        Trades closed until `StrategiesReport.as_of`, and when the first and the last of them closed.
    capital
        Of the account; None where the settings give it strategy by strategy.
    """

    source: Literal["file", "memory", "sample"]
    path: str | None
    path_reason: str | None = "a table in memory"
    n_trades: int
    first: str
    last: str
    capital: float | None
    capital_reason: str | None = "each strategy has its own"
    base_currency: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorReading:
    """The evidence for an edge since the first trade, which may be looked at after each.

    Attributes
    ----------
    verdict
        ``"edge"`` once the evidence reached 1/significance, ``"void"`` if a trade lost more than was declared, else
        ``"open"``.
    loss_bound
        Largest loss of a trade, declared beforehand, in account currency.
    log_evidence, log_threshold
        ln E and ln 1/significance.
    alarm_at, void_at
        Number of the trade, counted from 1.
    void_loss
        What the trade lost that broke the bound.
    """

    verdict: Literal["edge", "open", "void"]
    loss_bound: float
    significance: float
    n: int
    log_evidence: float
    log_threshold: float
    alarm_at: int | None
    alarm_at_reason: str | None = "the evidence has not reached its threshold"
    void_at: int | None
    void_at_reason: str | None = "no trade lost more than the bound"
    void_loss: float | None
    void_loss_reason: str | None = "no trade lost more than the bound"


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyHistory:
    """How a strategy would have been judged as its trades closed, had it gone on trading.

    Attributes
    ----------
    n_judged
        Instants at which trades closed and after which there was a score.
    below
        Share of them with a score below `disable_below`.
    episodes
        How often the score fell below it.
    first_below
        When it did so for the first time: it would have been disabled then, and judged no more.
    scores
        At equal distances of time from its first trade on.
    """

    n_judged: int
    below: float | None
    below_reason: str | None = "there was never a score"
    episodes: int
    first_below: str | None
    first_below_reason: str | None = "the score never fell so low"
    scores: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyVerdict:
    """One strategy, judged by its trades within the lookback.

    Attributes
    ----------
    rank
        By score; strategies without one come last.
    health
        Band of the score: EXCELLENT to CRITICAL.
    multiplier
        Factor on the size of its trades.
    reason
        Of the verdict, in one line.
    n_trades, total_trades
        Within the lookback, and since the first.
    capital, equity
        What it was given, and what that is now, in account currency.
    equity_curve
        At equal distances of time from the first trade of the account on; None before its own.
    """

    rank: int
    strategy_id: str
    health: Band | None
    health_reason: str | None = None
    score: float | None
    score_reason: str | None = None
    enabled: bool
    status: Status
    multiplier: float
    reason: str
    n_trades: int
    total_trades: int
    capital: float
    equity: float
    equity_curve: tuple[float | None, ...]
    components: tuple[HealthComponent, ...]
    lookback: PeriodPerformance
    recent: PeriodPerformance
    monitor: MonitorReading
    history: StrategyHistory | None = None
    history_reason: str | None = "told of the strategy that is asked for alone"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StrategiesReport(ConfiguredReport):
    """Every figure of ``rpm strategies``.

    Attributes
    ----------
    as_of
        When the strategies are judged.
    strategies
        By rank.
    allocation, shrinkage, unallocated
        As in `rpmcore.controls.strategy_allocation.Allocation`.
    asked
        The strategy that is shown in depth.
    """

    trades: TradesSummary
    as_of: str
    strategies: tuple[StrategyVerdict, ...]
    allocation: tuple[StrategyAllocation, ...]
    shrinkage: float
    unallocated: float
    suggestions: tuple[Suggestion, ...]
    asked: str | None
    asked_reason: str | None = "no strategy was named"
    warnings: tuple[Notice, ...] = ()

    SCHEMA = "rpm.strategies/1"
    MAIN = "strategies"
    SHOWN = (
        Shown(
            table="strategies", title="Strategies", rows=20,
            columns=("rank", "strategy_id", "health", "score", "status", "multiplier", "n_trades", "equity", "reason"),
        ),
        Shown(table="allocation", title="Allocation", columns=("strategy_id", "fraction", "kelly")),
    )  # fmt: skip

    def headline(self) -> str:
        """Return the answer in a sentence."""
        barred = self.disabled
        told = f"{', '.join(barred)} disabled" if barred else "none disabled"
        return f"{counted(len(self.strategies), 'strategy', 'strategies')} on {self.as_of}: {told}"

    @property
    def disabled(self) -> tuple[str, ...]:
        """The strategies that may not trade."""
        return tuple(row.strategy_id for row in self.strategies if not row.enabled)

    def strategy(self, strategy_id: str) -> StrategyVerdict:
        """Return the verdict on a strategy of the report."""
        return next(row for row in self.strategies if row.strategy_id == strategy_id)
