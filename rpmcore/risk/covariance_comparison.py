"""Which covariance would have forecast this book best: a score of each estimator on the days that it had not seen."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Any

import numpy as np

from rpmcore.domain.arrays import Matrix, Vector, as_matrix, as_vector
from rpmcore.domain.errors import InsufficientData, InvalidArgument, Undefined
from rpmcore.risk.covariance_estimator import CovarianceMatrixEstimator
from rpmcore.risk.settings import CovarianceSettings

FEWEST_FORECASTS = 30
"""Scores of fewer days are not compared."""

MOST_DECOMPOSED = 300
"""Instruments up to which a matrix is factored each day: for its own score, and by nonlinear shrinkage."""

CLEARLY = 2.0
"""Standard errors of a difference from which on it is called one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exceedance:
    """How often the loss was strictly greater than the normal VaR of the forecast, and how often it should be."""

    confidence: float
    expected: float
    rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CovarianceScore:
    """How one estimator did.

    Attributes
    ----------
    name, parameters
        The estimator, and the settings that make it what it is.
    configured
        Whether it is the one of the settings.
    n_forecasts
        Days that were forecast.
    qlike
        Mean of ln σ² + r²/σ², r the P&L and σ² its forecast variance; less is better.
    qlike_excess
        `qlike` less that of the best.
    excess_error
        Newey–West standard error of `qlike_excess`; 0 for the best itself.
    told_apart
        Whether the excess is more than two standard errors: where it is not, the days do not say who is better.
    bias
        √ mean(r²/σ²): above one the forecasts were too low.
    matrix_qlike
        Mean of (ln det Σ + rᵀΣ⁻¹r)/n_assets over all instruments: how well the whole matrix did, not this book alone.
        None where a matrix was singular.
    exceedances
        One per confidence.
    """

    name: str
    parameters: Mapping[str, Any]
    configured: bool
    n_forecasts: int
    qlike: float | None
    qlike_reason: str | None = None
    qlike_excess: float | None
    qlike_excess_reason: str | None = None
    excess_error: float | None
    excess_error_reason: str | None = None
    told_apart: bool
    bias: float | None
    bias_reason: str | None = None
    matrix_qlike: float | None
    matrix_qlike_reason: str | None = None
    exceedances: tuple[Exceedance, ...]


def compare_covariances(
    returns: Any,
    weights: Any,
    settings: CovarianceSettings,
    *,
    confidences: Sequence[float] = (0.95, 0.99),
    return_days: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[CovarianceScore, ...]:
    """Return the score of every estimator on this book's past, best first.

    Each day's covariance rests on the `lookback` rows that ended before it; with rows of q periods the row that is
    forecast is the first that shares no period with them.

    Parameters
    ----------
    returns
        (n_obs, n_assets) simple returns, oldest first: `lookback` rows more than there shall be forecasts.
    weights
        (n_assets,) signed market value / capital, today's.
    settings
        The estimator in use, and the lookback, decay and intensity of the others.
    confidences
        Each in (0.5, 1).
    return_days
        Periods that each row spans.
    progress
        Told how many forecasts are made, and of how many.

    Raises
    ------
    InsufficientData
        If fewer than 30 days could be forecast.
    InvalidArgument
        If shapes do not fit or a value is not finite.

    References
    ----------
    A.J. Patton, "Volatility forecast comparison using imperfect volatility proxies", *Journal of Econometrics* 160
    (2011), equation 24: QLIKE ranks forecasts rightly although r² is but a noisy measure of the variance.
    F.X. Diebold and R.S. Mariano, "Comparing predictive accuracy", *JBES* 13 (1995). W.K. Newey and K.D. West,
    *Econometrica* 55 (1987): Bartlett kernel.
    """
    x, held = as_matrix(returns, "returns"), as_vector(weights, "weights")
    if held.shape[0] != x.shape[1]:
        raise InvalidArgument(f"weights has {held.shape[0]} element(s), but returns has {x.shape[1]} column(s)")
    n_forecasts = x.shape[0] - settings.lookback - return_days + 1
    if n_forecasts < FEWEST_FORECASTS:
        raise InsufficientData(
            f"a comparison of covariances needs at least {FEWEST_FORECASTS} days after the first {settings.lookback}, "
            f"but there are {max(n_forecasts, 0)}; give more history or a shorter covariance.lookback"
        )
    compared = candidates(settings)
    if x.shape[1] > MOST_DECOMPOSED:
        compared = {n: c for n, c in compared.items() if c.method != "nonlinear_shrinkage" or c == settings}
    tracks = []
    for place, (name, chosen) in enumerate(compared.items()):

        def told(done: int, before: int = place * n_forecasts) -> None:
            if progress is not None:
                progress(before + done, len(compared) * n_forecasts)

        tracks.append(_track(name, chosen, x, held, return_days, told, configured=chosen == settings))
    best = min((t.losses.mean() for t in tracks if t.losses is not None), default=None)
    reference = next((t.losses for t in tracks if t.losses is not None and t.losses.mean() == best), None)
    scores = [_score(track, reference, confidences, return_days) for track in tracks]
    return tuple(sorted(scores, key=lambda score: (score.qlike is None, score.qlike or 0.0)))


def candidates(settings: CovarianceSettings) -> dict[str, CovarianceSettings]:
    """Return the estimators to compare by name: the one of the settings, and the whole family at its lookback."""

    def variant(**changes: Any) -> CovarianceSettings:
        return settings.model_copy(update=changes)

    fixed = settings.shrinkage if isinstance(settings.shrinkage, float) and settings.shrinkage else 0.10
    slower = 0.97
    family = {
        "sample": variant(method="sample", shrinkage=None),
        f"sample, shrunk {fixed:.0%}": variant(method="sample", shrinkage=fixed),
        f"EWMA {settings.decay:g}": variant(method="ewma", shrinkage=None),
        f"EWMA {settings.decay:g}, shrunk {fixed:.0%}": variant(method="ewma", shrinkage=fixed),
        f"EWMA {slower:g}, shrunk {fixed:.0%}": variant(method="ewma", decay=slower, shrinkage=fixed),
        "LW identity": variant(method="ledoit_wolf", target="scaled_identity"),
        "LW constant correlation": variant(method="ledoit_wolf", target="constant_correlation"),
        "OAS": variant(method="oas"),
        "nonlinear shrinkage": variant(method="nonlinear_shrinkage"),
    }
    known = next((name for name, chosen in family.items() if _same(chosen, settings)), None)
    if known is not None:
        family[known] = settings
        return family
    return {"as configured": settings, **family}


def _same(one: CovarianceSettings, other: CovarianceSettings) -> bool:
    """Tell whether two settings give the same matrix: what their method does not read is left aside."""
    one, other = (
        s.model_copy(update={"method": "ledoit_wolf", "target": "scaled_identity"})
        if s.method == "sample" and s.shrinkage == "ledoit_wolf"
        else s
        for s in (one, other)
    )
    read = {
        "sample": ("shrinkage",),
        "ewma": ("decay", "shrinkage"),
        "ledoit_wolf": ("target",),
        "oas": (),
        "nonlinear_shrinkage": (),
    }
    return one.method == other.method and all(
        (getattr(one, key) or None) == (getattr(other, key) or None) for key in read.get(other.method, ("decay",))
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Track:
    """One estimator's forecasts: the book's variance and P&L day by day, and the losses of the whole matrix."""

    name: str
    settings: CovarianceSettings
    configured: bool
    variances: Vector | None
    pnl: Vector
    matrix_losses: Vector | None
    reason: str | None

    @property
    def losses(self) -> Vector | None:
        """QLIKE day by day; None where a forecast was nil."""
        if self.variances is None or not (self.variances > 0.0).all():
            return None
        losses: Vector = np.log(self.variances) + self.pnl**2 / self.variances
        return losses


def _track(
    name: str,
    settings: CovarianceSettings,
    x: Matrix,
    held: Vector,
    return_days: int,
    told: Callable[[int], None],
    *,
    configured: bool,
) -> _Track:
    estimator = CovarianceMatrixEstimator(settings)
    first = settings.lookback + return_days - 1
    variances, matrix_losses, reason = np.empty(x.shape[0] - first), np.empty(x.shape[0] - first), None
    try:
        for i, (window, row) in enumerate(_days(x, settings.lookback, return_days)):
            # Rows of q periods are scored against a forecast over q periods.
            cov = estimator.estimate(window, held).matrix
            variances[i] = held @ cov @ held
            matrix_losses[i] = _matrix_loss(cov, row) if x.shape[1] <= MOST_DECOMPOSED else np.inf
            told(i + 1)
    except (Undefined, InsufficientData) as error:
        reason = str(error)
    return _Track(
        name=name,
        settings=settings,
        configured=configured,
        variances=variances if reason is None else None,
        pnl=x[first:] @ held,
        matrix_losses=matrix_losses if reason is None and np.isfinite(matrix_losses).all() else None,
        reason=reason,
    )


def _days(x: Matrix, lookback: int, return_days: int) -> Iterator[tuple[Matrix, Vector]]:
    """Yield the rows known when a row is forecast, and that row."""
    for row in range(lookback + return_days - 1, x.shape[0]):
        end = row - return_days + 1
        yield x[end - lookback : end], x[row]


def _matrix_loss(cov: Matrix, row: Vector) -> float:
    """Return (ln det Σ + rᵀΣ⁻¹r)/n, or infinity for a singular matrix."""
    try:
        factor = np.linalg.cholesky(cov)
    except np.linalg.LinAlgError:
        return float("inf")
    diagonal = np.diagonal(factor)
    if diagonal.min() <= 1e-8 * diagonal.max():
        return float("inf")
    z = np.linalg.solve(factor, row)
    return float((2.0 * np.log(diagonal).sum() + z @ z) / row.shape[0])


def _score(track: _Track, reference: Vector | None, confidences: Sequence[float], return_days: int) -> CovarianceScore:
    losses, variances = track.losses, track.variances
    reason = track.reason or "the book had no variance on a day"
    excess = error = bias = None
    exceedances: tuple[Exceedance, ...] = ()
    if losses is not None and variances is not None and reference is not None:
        apart = losses - reference
        excess, error = float(apart.mean()), mean_error(apart, at_least=return_days - 1)
        bias = sqrt(float((track.pnl**2 / variances).mean()))
        exceedances = tuple(
            Exceedance(
                confidence=c,
                expected=1.0 - c,
                rate=float((-track.pnl > NormalDist().inv_cdf(c) * np.sqrt(variances)).mean()),
            )
            for c in confidences
        )
    read = ("method", "decay", "shrinkage", "target", "lookback")
    return CovarianceScore(
        name=track.name,
        parameters={key: value for key in read if (value := getattr(track.settings, key)) is not None},
        configured=track.configured,
        n_forecasts=len(track.pnl),
        qlike=None if losses is None else float(losses.mean()),
        qlike_reason=reason,
        qlike_excess=excess,
        qlike_excess_reason=reason,
        excess_error=error,
        excess_error_reason=reason,
        told_apart=bool(excess and error is not None and excess > CLEARLY * error),
        bias=bias,
        bias_reason=reason,
        matrix_qlike=None if track.matrix_losses is None else float(track.matrix_losses.mean()),
        matrix_qlike_reason=track.reason
        or f"a matrix of the window is singular, or has more than {MOST_DECOMPOSED} instruments",
        exceedances=exceedances,
    )


def mean_error(values: Any, at_least: int = 0) -> float:
    """Return the Newey–West standard error of the mean of a series: Bartlett kernel, no small-sample factor.

    Parameters
    ----------
    values
        (n_obs,), oldest first.
    at_least
        Lags that the series is known to need, such as the overlap of returns; by the rule of thumb
        ⌊4 (n/100)^(2/9)⌋ otherwise.

    Raises
    ------
    InvalidArgument
        If `values` is not a finite vector.
    """
    x = as_vector(values, "values")
    n = x.shape[0]
    centred = x - x.mean()
    lags = min(n - 1, max(at_least, int(4.0 * (n / 100.0) ** (2.0 / 9.0))))
    total = float(centred @ centred)
    for lag in range(1, lags + 1):
        total += 2.0 * (1.0 - lag / (lags + 1.0)) * float(centred[lag:] @ centred[:-lag])
    return float(sqrt(max(total, 0.0)) / n)
