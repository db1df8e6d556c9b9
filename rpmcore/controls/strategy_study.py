"""From the closed trades of an account to a verdict on each of its strategies, as of one instant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import log

import numpy as np

from rpmcore.controls.strategy_intelligence import StrategyIntelligenceEngine, StrategyRank
from rpmcore.controls.strategy_report import (
    MonitorReading,
    StrategiesReport,
    StrategyHistory,
    StrategyVerdict,
    TradesSummary,
)
from rpmcore.controls.strategy_settings import StrategySettings
from rpmcore.controls.strategy_tracker import StrategyPerformance, StrategyPerformanceTracker
from rpmcore.domain.trades import ClosedTrade
from rpmcore.risk.notices import Notice
from rpmcore.risk.performance.monitor import EdgeMonitor

POINTS = 120
"""Of an equity curve, and of a history of scores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedTrades:
    """What a study needs.

    Attributes
    ----------
    trades
        Closed until `as_of`, by closing time; at least one.
    capitals
        Of each strategy that has one of them, in account currency.
    as_of
        UTC nanoseconds.
    """

    trades: Sequence[ClosedTrade]
    capitals: Mapping[str, float]
    as_of: int

    def by_strategy(self) -> dict[str, list[ClosedTrade]]:
        """Return the trades of each strategy."""
        found: dict[str, list[ClosedTrade]] = {name: [] for name in self.capitals}
        for trade in self.trades:
            found[trade.strategy_id].append(trade)
        return found


def judged_engine(judged: JudgedTrades, settings: StrategySettings) -> StrategyIntelligenceEngine:
    """Return an engine that has seen all trades and judges each strategy once, as of the instant asked for.

    `StrategyIntelligenceEngine.record` judges after each trade, and what it once disabled stays so: right for a gate.
    A report on a file says what the trades of the lookback say now; when a strategy would have been stopped before is
    told by its `history`.
    """
    engine = StrategyIntelligenceEngine(settings)
    for name in sorted(judged.capitals):
        engine.register(name, judged.capitals[name])
    for trade in judged.trades:
        engine.tracker(trade.strategy_id).record(trade)
    engine.review(judged.as_of)
    return engine


def study_strategies(
    judged: JudgedTrades,
    summary: TradesSummary,
    settings: StrategySettings,
    *,
    asked: str | None = None,
    warnings: Sequence[Notice] = (),
) -> StrategiesReport:
    """Return the verdict on every strategy, the capital for each, and what could be changed.

    Parameters
    ----------
    judged, summary
        The trades, and what is said of them.
    settings
        The section ``strategies``.
    asked
        The strategy whose history is told too; one of those that traded.
    warnings
        On how the trades came to be judged.
    """
    engine = judged_engine(judged, settings)
    performances = {found.strategy_id: found for found in engine.performances(judged.as_of)}
    rows, by_strategy = [], judged.by_strategy()
    for rank in engine.rankings(judged.as_of):
        own = by_strategy[rank.strategy_id]
        past = (
            history(own, judged.capitals[rank.strategy_id], judged.as_of, settings)
            if rank.strategy_id == asked
            else None
        )
        rows.append(_verdict(rank, performances[rank.strategy_id], own, judged, settings, past))
    allocation = engine.allocations(judged.as_of)
    return StrategiesReport(
        trades=summary,
        as_of=instant(judged.as_of),
        strategies=tuple(rows),
        allocation=allocation.strategies,
        shrinkage=allocation.shrinkage,
        unallocated=allocation.unallocated,
        suggestions=engine.suggestions(judged.as_of),
        asked=asked,
        warnings=(*warnings, *_on_strategies(rows)),
    )


def history(trades: Sequence[ClosedTrade], capital: float, as_of: int, settings: StrategySettings) -> StrategyHistory:
    """Return how a strategy would have been judged as its trades closed, in time order, had it gone on trading."""
    tracker = StrategyPerformanceTracker(trades[0].strategy_id, capital, settings)
    times, scores = [], []
    # Trades that close together are known together: which of them stands first says nothing.
    for time, closed in groupby(trades, key=lambda trade: trade.closed_at):
        for trade in closed:
            tracker.record(trade)
        times.append(time)
        scores.append(tracker.health(time).score)
    judged = [(time, score) for time, score in zip(times, scores, strict=True) if score is not None]
    low = [score < settings.disable_below for _, score in judged]
    first = next((time for (time, _), is_low in zip(judged, low, strict=True) if is_low), None)
    return StrategyHistory(
        n_judged=len(judged),
        below=sum(low) / len(low) if low else None,
        episodes=sum(now and not before for before, now in zip([False, *low], low, strict=False)),
        first_below=None if first is None else instant(first),
        scores=_sampled(times, scores, times[0], as_of),
    )


def instant(time: int) -> str:
    """Return UTC nanoseconds as a text, in whole seconds."""
    return f"{np.datetime64(time, 'ns').astype('M8[s]')}Z"


def _verdict(
    rank: StrategyRank,
    found: StrategyPerformance,
    trades: Sequence[ClosedTrade],
    judged: JudgedTrades,
    settings: StrategySettings,
    past: StrategyHistory | None,
) -> StrategyVerdict:
    health, reason = rank.health, rank.state.reason
    if health.score is None and rank.enabled:
        reason = f"{health.score_reason}; on probation, at {settings.probation_multiplier:g} of the size"
    curve = np.cumsum([found.capital, *(trade.pnl for trade in trades)])[1:].tolist()
    return StrategyVerdict(
        rank=rank.rank,
        strategy_id=rank.strategy_id,
        health=health.band,
        health_reason=health.band_reason,
        score=health.score,
        score_reason=health.score_reason,
        enabled=rank.enabled,
        status=rank.state.status,
        multiplier=rank.multiplier,
        reason=reason,
        n_trades=health.n_trades,
        total_trades=len(trades),
        capital=found.capital,
        equity=found.equity,
        equity_curve=_sampled([trade.closed_at for trade in trades], curve, judged.trades[0].closed_at, judged.as_of),
        components=health.components,
        lookback=found.lookback,
        recent=found.recent,
        monitor=_reading(found.monitor),
        history=past,
    )


def _reading(monitor: EdgeMonitor) -> MonitorReading:
    return MonitorReading(
        verdict="void" if monitor.void_at is not None else "edge" if monitor.alarm_at is not None else "open",
        loss_bound=monitor.loss_bound,
        significance=monitor.significance,
        n=monitor.n,
        log_evidence=monitor.log_evidence,
        log_threshold=-log(monitor.significance),
        alarm_at=monitor.alarm_at,
        void_at=monitor.void_at,
        void_loss=monitor.void_loss,
    )


def _sampled(times: Sequence[int], values: Sequence[float | None], first: int, last: int) -> tuple[float | None, ...]:
    """Return the last value known at each of at most `POINTS` instants at equal distances."""
    instants = [first + (last - first) * i // (POINTS - 1) for i in range(POINTS)] if last > first else [last]
    places = np.searchsorted(np.array(times, dtype=np.int64), instants, side="right") - 1
    return tuple(values[place] if place >= 0 else None for place in places.tolist())


def _on_strategies(rows: Sequence[StrategyVerdict]) -> list[Notice]:
    found = []
    for row in rows:
        if row.equity <= 0.0:
            found.append(
                Notice(
                    code="capital_lost",
                    message=f"{row.strategy_id} has lost the capital of {row.capital:,.0f} that it is judged by; "
                    "nothing is earned on none, and its ratios are not defined",
                )
            )
        if row.monitor.void_loss is not None:
            found.append(
                Notice(
                    code="loss_bound_broken",
                    message=f"a trade of {row.strategy_id} lost {row.monitor.void_loss:,.0f}, more than the "
                    f"{row.monitor.loss_bound:,.0f} declared (strategies.loss_bound): its monitor guarantees nothing",
                )
            )
    return found
