"""What the model would have said: VaR and ES of every day of the past from what was known the day before."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from rpmcore.domain.arrays import Vector
from rpmcore.domain.errors import InsufficientData
from rpmcore.domain.tail_risk import TailRisk
from rpmcore.risk.covariance_estimator import CovarianceMatrixEstimator
from rpmcore.risk.rolling import rolling_historical, rolling_student_t
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.tail_inputs import TailInputs
from rpmcore.risk.tail_methods import METHODS, measure
from rpmcore.risk.valuation import ReturnPanel

LIMIT = "limit"
"""The measure that the limits on VaR and ES bind on: one method, or the larger of two."""

METHODS_TESTED = (*METHODS, LIMIT)

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Forecasts:
    """One-day forecasts of one method, and what happened.

    Attributes
    ----------
    method, confidence
        Of the forecasts.
    rows
        (n,) rows of the panel's returns that they are for, increasing; days on which the method has no answer are left
        out.
    losses
        (n,) of today's positions on these days, positive for a loss.
    value_at_risk, expected_shortfall
        (n,); expected shortfall is None where the method lacks it on a day.
    n_undefined, undefined
        On how many days there was no answer, and why on the last of them; None where there always was one.
    """

    method: str
    confidence: float
    rows: np.ndarray[tuple[int], np.dtype[np.intp]]
    losses: Vector
    value_at_risk: Vector
    expected_shortfall: Vector | None
    n_undefined: int
    undefined: str | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Task:
    """What every way to forecast is told."""

    method: str
    panel: ReturnPanel
    weights: Vector
    settings: RiskSettings
    confidence: float
    window: int
    progress: Progress | None

    @property
    def pnl(self) -> Vector:
        """(n_obs,) returns of today's positions."""
        held: Vector = self.panel.returns @ self.weights
        return held


def rolling_forecasts(
    method: str,
    panel: ReturnPanel,
    weights: Vector,
    settings: RiskSettings,
    confidence: float,
    *,
    window: int,
    progress: Progress | None = None,
) -> Forecasts:
    """Return the forecasts of every day after the first window, each by the model of the report on the rows before.

    Parameters
    ----------
    method
        Of `METHODS_TESTED`.
    panel
        One-day returns over the whole history.
    weights
        (n_assets,) signed market value / capital, today's.
    settings
        As for a report; its horizon is taken to be one day.
    confidence
        In (0.5, 1).
    window
        Returns behind each forecast; the covariance takes its own lookback of them.
    progress
        Told how many days are done, and of how many.

    Raises
    ------
    InsufficientData
        If no day is left after the first window, or no day has an answer.
    """
    n_obs = len(panel.returns)
    if n_obs <= window:
        raise InsufficientData(
            f"a backtest needs more than {window} returns, but there are {n_obs}: give more history, or a shorter "
            "--window"
        )
    one_day = settings.model_copy(update={"tail_risk": settings.tail_risk.model_copy(update={"horizon": 1})})
    task = _Task(
        method=method, panel=panel, weights=weights, settings=one_day, confidence=confidence, window=window,
        progress=progress,
    )  # fmt: skip
    value_at_risk, shortfall, undefined = _WAYS.get(method, _by_the_report)(task)
    known = ~np.isnan(value_at_risk)
    if not known.any():
        raise InsufficientData(f"{method} has no answer on any day: {undefined}")
    complete = not np.isnan(shortfall[known]).any()
    return Forecasts(
        method=method,
        confidence=confidence,
        rows=np.flatnonzero(known) + window,
        losses=-task.pnl[window:][known],
        value_at_risk=value_at_risk[known],
        expected_shortfall=shortfall[known] if complete else None,
        n_undefined=int((~known).sum()),
        undefined=undefined,
    )


Series = tuple[Vector, Vector, str | None]
"""VaR and ES of every day after the first window, NaN where there is none, and why on the last such day."""


def _historical(task: _Task) -> Series:
    tail = rolling_historical(task.pnl, task.confidence, task.window, task.settings.tail_risk.quantile)
    return tail.value_at_risk[:-1], tail.expected_shortfall[:-1], None


def _student_t(task: _Task) -> Series:
    tail = rolling_student_t(task.pnl, task.confidence, task.window)
    reason = tail.undefined[max(tail.undefined)] if tail.undefined else None
    return tail.value_at_risk[:-1], tail.expected_shortfall[:-1], reason


def _limit(task: _Task) -> Series:
    """Return the larger of the measures that bind the limits; a day on which one has no answer has none."""
    settings = task.settings
    ewma = settings.model_copy(
        update={
            "covariance": settings.covariance.model_copy(update={"method": "ewma"}),
            "tail_risk": settings.tail_risk.model_copy(update={"mean": "zero"}),
        }
    )
    parts = []
    if settings.limits.method in ("historical", "larger"):
        parts.append(_historical(task))
    if settings.limits.method in ("ewma_normal", "larger"):
        parts.append(_by_the_report(replace(task, method="normal", settings=ewma)))
    value_at_risk = np.max([part[0] for part in parts], axis=0)
    shortfall = np.max([part[1] for part in parts], axis=0)
    return value_at_risk, shortfall, next((part[2] for part in parts if part[2] is not None), None)


def _by_the_report(task: _Task) -> Series:
    """Ask the method of the report day by day, on the rows before the day and nothing else."""
    estimator = CovarianceMatrixEstimator(task.settings.covariance)
    n = len(task.panel.returns) - task.window
    value_at_risk, shortfall = np.full(n, np.nan), np.full(n, np.nan)
    reason = None
    for i in range(n):
        before = task.panel.returns[i : i + task.window]
        known = TailInputs.of(before, task.weights, estimator.estimate(before, task.weights), task.settings)
        (found,) = measure(task.method, replace(known, resampled=False), [task.confidence])
        if isinstance(found, TailRisk):
            value_at_risk[i] = found.value_at_risk
            shortfall[i] = np.nan if found.expected_shortfall is None else found.expected_shortfall
        else:
            reason = found.reason
        if task.progress is not None and ((i + 1) % 50 == 0 or i + 1 == n):
            task.progress(i + 1, n)
    return value_at_risk, shortfall, reason


_WAYS: Mapping[str, Callable[[_Task], Series]] = {"historical": _historical, "student_t": _student_t, LIMIT: _limit}
"""Methods that do not go day by day, or ask several."""
