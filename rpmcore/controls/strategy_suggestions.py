"""What could be changed about a strategy, each with the evidence for it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rpmcore.controls.strategy_settings import StrategySettings
from rpmcore.domain.arrays import Vector
from rpmcore.domain.errors import InsufficientData, Undefined
from rpmcore.domain.trades import ClosedTrade
from rpmcore.risk.performance.studentised import StudentisedMean, studentised_mean

FEWEST = 10
"""Trades of a symbol or a side, or losses, that are needed to say anything of them."""

Parameter = Literal["symbol", "side", "stop", "costs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """One change that the trades speak for.

    Attributes
    ----------
    parameter
        What to change.
    suggestion, evidence
        A sentence each.
    p_value
        Of no reason to change, one-sided, times the number of symbols and sides looked at (Bonferroni).
    n
        Trades behind it.
    """

    strategy_id: str
    parameter: Parameter
    suggestion: str
    evidence: str
    p_value: float
    n: int


def suggest(strategy_id: str, trades: Sequence[ClosedTrade], settings: StrategySettings) -> tuple[Suggestion, ...]:
    """Return what the trades of the lookback suggest at the level of the settings; nothing if they are too few."""
    if len(trades) < settings.minimum_trades:
        return ()
    found = [*_losing_parts(strategy_id, trades, settings), *_stops(strategy_id, trades, settings)]
    found += _costs(strategy_id, trades, settings)
    return tuple(item for item in found if item.p_value <= settings.significance)


def _losing_parts(strategy_id: str, trades: Sequence[ClosedTrade], settings: StrategySettings) -> Iterable[Suggestion]:
    parts: list[tuple[Parameter, str, list[float]]] = []
    for parameter in ("symbol", "side"):
        values = sorted({getattr(trade, parameter) for trade in trades})
        # A part that is the whole says nothing of what else to trade.
        for value in values if len(values) > 1 else ():
            pnl = [trade.pnl for trade in trades if getattr(trade, parameter) == value]
            if len(pnl) >= FEWEST:
                parts.append((parameter, value, pnl))
    for parameter, value, pnl in parts:
        test = _test(-np.array(pnl), settings)
        if test is not None:
            yield Suggestion(
                strategy_id=strategy_id,
                parameter=parameter,
                suggestion=f"leave out {parameter} {value}",
                evidence=f"its {len(pnl)} trades lost {test.mean:g} each on average",
                p_value=min(1.0, test.p_value * len(parts)),
                n=len(pnl),
            )


def _stops(strategy_id: str, trades: Sequence[ClosedTrade], settings: StrategySettings) -> Iterable[Suggestion]:
    losses = np.array([-trade.pnl / trade.risk for trade in trades if trade.risk is not None and trade.pnl < 0.0])
    test = _test(losses - 1.0, settings) if losses.shape[0] >= FEWEST else None
    if test is not None:
        yield Suggestion(
            strategy_id=strategy_id,
            parameter="stop",
            suggestion=f"size trades for losses of {1.0 + test.mean:.3g} R, or make the stops hold",
            evidence=f"{losses.shape[0]} losing trades lost {1.0 + test.mean:.3g} R on average, where a stop allows 1",
            p_value=test.p_value,
            n=losses.shape[0],
        )


def _costs(strategy_id: str, trades: Sequence[ClosedTrade], settings: StrategySettings) -> Iterable[Suggestion]:
    fees = [trade.fees for trade in trades if trade.fees is not None]
    if len(fees) < len(trades):
        return
    net = float(np.mean([trade.pnl for trade in trades]))
    test = _test(np.array([trade.pnl for trade in trades]) + np.array(fees), settings)
    if test is not None and net <= 0.0:
        yield Suggestion(
            strategy_id=strategy_id,
            parameter="costs",
            suggestion="trade less often, for larger moves: the costs take what is earned",
            evidence=f"{len(trades)} trades earned {test.mean:g} each before costs and {net:g} after",
            p_value=test.p_value,
            n=len(trades),
        )


def _test(rows: Vector, settings: StrategySettings) -> StudentisedMean | None:
    if not np.isfinite(rows).all():
        return None
    try:
        return studentised_mean(rows, resamples=settings.resamples, seed=settings.seed)
    except (InsufficientData, Undefined):
        return None
