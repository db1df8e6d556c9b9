"""The covariance of a book's instruments as the settings ask for it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rpmcore.domain.arrays import Matrix, Vector, as_matrix
from rpmcore.domain.errors import InsufficientData, InvalidArgument, Undefined
from rpmcore.domain.settings import changed
from rpmcore.risk import covariance as estimators
from rpmcore.risk.nearest_correlation import NearestCorrelation, nearest_correlation
from rpmcore.risk.settings import CovarianceSettings


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CovarianceEstimate:
    """A covariance matrix and how it came about.

    Attributes
    ----------
    matrix
        (n_assets, n_assets), per period.
    method
        One of the methods of `CovarianceMatrixEstimator`.
    n_obs
        Rows used.
    n_effective
        How many independent rows of equal weight would give a variance as precise as this one.
    intensity
        Shrinkage, fixed or estimated; 0 for none, and for methods that shrink each eigenvalue by its own amount.
    given_correlation
        The repaired correlations that took the place of the estimated ones; None where these stand.
    """

    matrix: Matrix
    method: str
    n_obs: int
    n_effective: float
    intensity: float
    given_correlation: NearestCorrelation | None = None


class CovarianceMatrixEstimator:
    """Rolling estimate of the covariance by one of `METHODS`.

    Parameters
    ----------
    settings
        The section ``covariance``; by default a lookback of 60, a minimum of 30, decay 0.94 and a fixed shrinkage of
        0.10.
    **changes
        Single settings by name, such as ``method="sample"``.

    Raises
    ------
    ConfigurationError
        If a change is unknown or out of its range.
    """

    def __init__(self, settings: CovarianceSettings | None = None, **changes: Any) -> None:
        self.settings = changed(settings or CovarianceSettings(), changes)

    def estimate(
        self, returns: Any, weights: Any = None, symbols: Sequence[str] = (), *, return_days: int = 1
    ) -> CovarianceEstimate:
        """Return the covariance of the last `lookback` rows.

        Parameters
        ----------
        returns
            (n_obs, n_assets) simple returns, oldest first.
        weights
            (n_assets,) for the adverse direction of the stressed method; without, all correlations rise.
        symbols
            Names for messages.
        return_days
            Periods that each row spans: rows overlap where it is above 1, and the matrix is divided by it, so that it
            is always per period.

        Raises
        ------
        InsufficientData
            If there are fewer rows than the minimum, or than the method needs.
        Undefined
            If the method has no answer for these rows, such as a constant series without a correlation.
        InvalidArgument
            If `returns` is not a finite matrix.
        """
        chosen = self.settings
        x = as_matrix(returns, "returns")
        if x.shape[0] < chosen.minimum:
            held = f" of {', '.join(symbols[:3])}{' …' if len(symbols) > 3 else ''}" if symbols else ""
            raise InsufficientData(
                f"covariance needs at least {chosen.minimum} returns{held}, but there are {x.shape[0]}"
            )
        x = np.ascontiguousarray(x[-chosen.lookback :])
        method = _method_of(chosen)
        try:
            matrix, intensity = METHODS[method](x, chosen, weights)
        except Undefined as error:
            still = np.flatnonzero(x.min(axis=0) == x.max(axis=0)).tolist()
            named = [symbols[i] for i in still] if symbols else []
            raise Undefined(f"{error} ({', '.join(named[:3])} did not move)" if named else str(error)) from error
        row_weights = (
            estimators.ewma_weights(x.shape[0], chosen.decay)
            if chosen.method in EXPONENTIAL
            else np.full(x.shape[0], 1.0 / x.shape[0])
        )
        return CovarianceEstimate(
            matrix=matrix / return_days if return_days > 1 else matrix,
            method=method,
            n_obs=x.shape[0],
            n_effective=effective_observations(row_weights, return_days),
            intensity=intensity,
        )


def with_correlation(estimate: CovarianceEstimate, correlation: Any) -> CovarianceEstimate:
    """Return the estimate with its volatilities kept and its correlations replaced.

    Parameters
    ----------
    estimate
        Of n_assets instruments.
    correlation
        (n_assets, n_assets); it is repaired by the nearest correlation matrix where it is none.

    Raises
    ------
    InvalidArgument
        If `correlation` is not square and symmetric, or of another size.
    """
    repaired = nearest_correlation(correlation)
    if repaired.matrix.shape != estimate.matrix.shape:
        raise InvalidArgument(
            f"correlation is {repaired.matrix.shape}, but the covariance has {estimate.matrix.shape[0]} asset(s)"
        )
    deviations = np.sqrt(np.diagonal(estimate.matrix))
    return replace(estimate, matrix=repaired.matrix * np.outer(deviations, deviations), given_correlation=repaired)


def effective_observations(row_weights: Vector, return_days: int = 1) -> float:
    """Return 1/Σ_s Σ_t w_s w_t ρ², ρ = max(0, 1 − |s − t|/q) the correlation of rows that overlap.

    The variance of a weighted mean of squared normal rows is 2σ⁴ over this number: 1/Σw² for rows of one period, and
    about n·3q/(2q² + 1) for n equally weighted rows of q periods.

    Parameters
    ----------
    row_weights
        (n_obs,) summing to one.
    return_days
        q, the periods that each row spans.
    """
    total = float(row_weights @ row_weights)
    for lag in range(1, min(return_days, row_weights.shape[0])):
        total += 2.0 * (1.0 - lag / return_days) ** 2 * float(row_weights[lag:] @ row_weights[:-lag])
    return 1.0 / total


Method = Callable[[Matrix, CovarianceSettings, Any], tuple[Matrix, float]]
"""Takes returns, settings and weights; gives the matrix and the intensity with which it was shrunk."""

EXPONENTIAL = ("ewma", "stressed")
"""Methods whose rows have exponential weights."""


def _method_of(chosen: CovarianceSettings) -> str:
    """Return the method; the sample covariance with estimated shrinkage is what Ledoit and Wolf's name means."""
    return "ledoit_wolf" if chosen.method == "sample" and chosen.shrinkage == "ledoit_wolf" else chosen.method


def _sample(x: Matrix, chosen: CovarianceSettings, _weights: Any) -> tuple[Matrix, float]:
    return _shrunk(x, estimators.sample_covariance(x), chosen)


def _ewma(x: Matrix, chosen: CovarianceSettings, _weights: Any) -> tuple[Matrix, float]:
    return _shrunk(x, estimators.ewma_covariance(x, chosen.decay), chosen)


def _stressed(x: Matrix, chosen: CovarianceSettings, weights: Any) -> tuple[Matrix, float]:
    calm, intensity = _ewma(x, chosen, weights)
    multiplier, theta = chosen.volatility_multiplier, chosen.correlation_stress
    return estimators.stressed_covariance(calm, multiplier, theta, weights), intensity


def _ledoit_wolf(x: Matrix, chosen: CovarianceSettings, _weights: Any) -> tuple[Matrix, float]:
    shrunk = estimators.ledoit_wolf(x, chosen.target)
    return shrunk.covariance, shrunk.intensity


def _oas(x: Matrix, _chosen: CovarianceSettings, _weights: Any) -> tuple[Matrix, float]:
    shrunk = estimators.oas(x)
    return shrunk.covariance, shrunk.intensity


def _nonlinear_shrinkage(x: Matrix, _chosen: CovarianceSettings, _weights: Any) -> tuple[Matrix, float]:
    return estimators.nonlinear_shrinkage(x), 0.0


def _shrunk(x: Matrix, matrix: Matrix, chosen: CovarianceSettings) -> tuple[Matrix, float]:
    """Return the matrix shrunk by the fixed intensity of the settings, or by the estimated one of the rows."""
    estimated = chosen.shrinkage == "ledoit_wolf"
    intensity = estimators.ledoit_wolf(x).intensity if estimated else float(chosen.shrinkage or 0.0)
    return (estimators.shrink(matrix, intensity) if intensity else matrix), intensity


METHODS: Mapping[str, Method] = {
    "sample": _sample,
    "ewma": _ewma,
    "stressed": _stressed,
    "ledoit_wolf": _ledoit_wolf,
    "oas": _oas,
    "nonlinear_shrinkage": _nonlinear_shrinkage,
}
"""How each value of the setting ``covariance.method`` is computed."""
