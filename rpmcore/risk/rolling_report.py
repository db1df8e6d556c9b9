"""How the risk figures of today's book would have moved through the past, beside what it then lost."""

from dataclasses import dataclass
from datetime import date
from math import isnan

import numpy as np

from rpmcore.domain.arrays import Vector
from rpmcore.domain.errors import InsufficientData
from rpmcore.risk.covariance_paths import ewma_covariance_path, ewma_volatility_path, rolling_ledoit_wolf_volatility
from rpmcore.risk.rolling import RollingTail, rolling_ewma, rolling_historical, rolling_normal, rolling_student_t
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.valuation import ReturnPanel, day

MOST_CORRELATED = 100
"""Instruments up to which the correlation is followed: the path holds a matrix for every date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RollingFigure:
    """Forecasts of one method, each from the rows before its date.

    `violations` counts the days whose loss was strictly greater than the value at risk, of `n_forecasts` with one;
    `expected_violations` is what the confidence promises. `undefined` says why a figure is None where one is.
    """

    method: str
    confidence: float
    value_at_risk: tuple[float | None, ...]
    expected_shortfall: tuple[float | None, ...]
    undefined: str | None
    undefined_reason: str = "every forecast has its figures"
    n_forecasts: int
    violations: int
    expected_violations: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RollingReport:
    """Forecasts for each of `dates`, and what happened on it; every series has one element per date.

    Attributes
    ----------
    window
        Rows behind each forecast of the windowed methods.
    return_days
        Periods that each element spans.
    pnl
        Return of today's positions on the date.
    figures
        Value at risk and expected shortfall by method and confidence; None where a window has no answer.
    ewma_volatility, ledoit_wolf_volatility
        Forecasts per `return_days` periods; the second from the window.
    mean_correlation
        Mean over pairs of the EWMA correlations: it rises when nothing diversifies any more.
    """

    window: int
    return_days: int
    dates: tuple[date, ...]
    pnl: tuple[float, ...]
    figures: tuple[RollingFigure, ...]
    ewma_volatility: tuple[float, ...]
    ledoit_wolf_volatility: tuple[float, ...]
    mean_correlation: tuple[float | None, ...] | None
    mean_correlation_reason: str | None = None


def roll(panel: ReturnPanel, weights: Vector, settings: RiskSettings) -> RollingReport:
    """Return the forecasts of every date after the first window.

    Parameters
    ----------
    panel
        Returns of the instruments: `tail_risk.rolling_window` rows more than there shall be forecasts.
    weights
        (n_assets,) signed market value / capital, today's.
    settings
        Window, confidences, quantile, mean and decay.

    Raises
    ------
    InsufficientData
        If no day is left after the first window.
    """
    chosen, decay, days = settings.tail_risk, settings.covariance.decay, panel.return_days
    window, pnl = chosen.rolling_window, panel.returns @ weights
    # A forecast may rest on rows that ended before the one it is for begins.
    if len(pnl) < window + days:
        raise InsufficientData(
            f"--rolling needs more than {window} returns, but there are {len(pnl)}: give more history or a shorter "
            "tail_risk.rolling_window"
        )
    happened = pnl[window + days - 1 :]
    n = len(happened)
    figures = [
        _figure(tail, happened, days)
        for confidence in chosen.confidences
        for tail in (
            rolling_historical(pnl, confidence, window, chosen.quantile),
            rolling_normal(pnl, confidence, window, chosen.mean),
            rolling_student_t(pnl, confidence, window),
            rolling_ewma(pnl, confidence, decay),
        )
    ]
    volatility = ewma_volatility_path(pnl, decay)
    shrunk = rolling_ledoit_wolf_volatility(panel.returns, weights, window)
    correlation = None
    if 1 < len(panel.symbols) <= MOST_CORRELATED:
        correlation = _plain(_mean_correlations(ewma_covariance_path(panel.returns, decay))[-n - days : -days])
    return RollingReport(
        window=window,
        return_days=days,
        dates=tuple(day(moment) for moment in panel.dates[-n:]),
        pnl=tuple(happened.tolist()),
        figures=tuple(figures),
        ewma_volatility=tuple(volatility[-n - days : -days].tolist()),
        ledoit_wolf_volatility=tuple(shrunk[:n].tolist()),
        mean_correlation=correlation,
        mean_correlation_reason=f"it is followed for 2 to {MOST_CORRELATED} instruments",
    )


def _figure(tail: RollingTail, happened: Vector, days: int) -> RollingFigure:
    """Return the forecasts for the days of `happened`, each from the rows that ended before it began."""
    n = len(happened)
    value_at_risk = tail.value_at_risk[-n - days : -days]
    known = ~np.isnan(value_at_risk)
    return RollingFigure(
        method=tail.method,
        confidence=tail.confidence,
        value_at_risk=_plain(value_at_risk),
        expected_shortfall=_plain(tail.expected_shortfall[-n - days : -days]),
        undefined=next(iter(tail.undefined.values()), None),
        n_forecasts=int(known.sum()),
        violations=int((-happened[known] > value_at_risk[known]).sum()),
        expected_violations=float(known.sum()) * (1.0 - tail.confidence),
    )


def _mean_correlations(path: Vector) -> Vector:
    """Return the mean over pairs for each matrix of a path (n_obs, n, n); NaN where one asset has not moved yet."""
    deviations = np.sqrt(np.diagonal(path, axis1=1, axis2=2))
    n = path.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = 1.0 / deviations
        total = np.einsum("ti,tij,tj->t", inverse, path, inverse)
        means: Vector = (total - n) / (n * (n - 1))
    return means


def _plain(values: Vector) -> tuple[float | None, ...]:
    return tuple(None if isnan(v) else v for v in values.tolist())
