"""Estimators of the covariance of returns.

Each takes `returns` (n_obs, n_assets): simple returns per period as decimals, oldest row first, without NaN, and
gives a symmetric positive semidefinite (n_assets, n_assets) matrix in squared return units per period.
"""

from typing import Any

import numpy as np

from rpmcore.domain.arrays import Matrix, Vector, as_covariance, as_matrix, as_vector
from rpmcore.domain.errors import InsufficientData, InvalidArgument
from rpmcore.kernels import covariance as kernels
from rpmcore.risk.products import LOOPS_WIN_TO, cross_product
from rpmcore.risk.shrinkage import Shrunk, ledoit_wolf, nonlinear_shrinkage, oas, shrink

__all__ = [
    "Shrunk",
    "correlation_stress",
    "ewma_covariance",
    "ewma_weights",
    "ledoit_wolf",
    "nonlinear_shrinkage",
    "oas",
    "sample_covariance",
    "shrink",
    "stressed_covariance",
]

NEGLIGIBLE_WEIGHT = 1e-17
"""Exponential weights below this share of the largest are lost in float64 (640 rows at decay 0.94)."""


def sample_covariance(returns: Any, ddof: int = 1) -> Matrix:
    """Return the demeaned sample covariance with divisor n_obs − `ddof`.

    Parameters
    ----------
    returns
        (n_obs, n_assets), see the module.
    ddof
        1 for the unbiased estimate, 0 for maximum likelihood.

    Raises
    ------
    InvalidArgument
        If `returns` is not a finite matrix or `ddof` is negative.
    InsufficientData
        If n_obs ≤ `ddof`.
    """
    x = as_matrix(returns, "returns")
    if ddof < 0:
        raise InvalidArgument(f"ddof must not be negative, but is {ddof}")
    if x.shape[0] <= ddof:
        raise InsufficientData(f"the sample covariance with ddof={ddof} needs more than {x.shape[0]} row(s)")
    divisor = float(x.shape[0] - ddof)
    if x.shape[1] <= LOOPS_WIN_TO:
        return kernels.sample(x, divisor)
    centred = x - x.mean(axis=0)
    return cross_product(centred) / divisor


def ewma_covariance(returns: Any, decay: float = 0.94) -> Matrix:
    """Return the exponentially weighted covariance around zero, for the day after the last row.

    Σ(t+1) = λ Σ(t) + (1−λ) r(t) r(t)ᵀ, with the weights (1−λ)λᵏ of a finite window divided by 1−λⁿ so that they
    sum to one. Differs from ``pandas.DataFrame.ewm().cov()``, which demeans and debiases.

    Parameters
    ----------
    returns
        (n_obs, n_assets), see the module.
    decay
        λ in (0, 1).

    Raises
    ------
    InvalidArgument
        If `returns` is not a finite matrix or `decay` is out of its range.

    References
    ----------
    J.P. Morgan/Reuters, *RiskMetrics Technical Document*, 4th ed., 1996, section 5.2.
    """
    x = as_matrix(returns, "returns")
    weights = ewma_weights(x.shape[0], decay)
    x, root = x[-len(weights) :], np.sqrt(weights)
    if x.shape[1] <= LOOPS_WIN_TO:
        return kernels.weighted(x, root)
    return cross_product(x * root[:, None])


def ewma_weights(n_obs: int, decay: float) -> Vector:
    """Return the weights of the last rows that count in float64, oldest first, summing to one.

    Raises
    ------
    InvalidArgument
        If `decay` does not lie in (0, 1).
    """
    if not 0.0 < decay < 1.0:
        raise InvalidArgument(f"decay must lie in (0, 1), but is {decay!r}")
    kept = min(n_obs, 1 + int(np.log(NEGLIGIBLE_WEIGHT) / np.log(decay)))
    raw = decay ** np.arange(kept - 1, -1, -1.0)
    weights: Vector = raw / raw.sum()
    return weights


def stressed_covariance(cov: Any, volatility_multiplier: float, correlation: float, weights: Any = None) -> Matrix:
    """Return the covariance with volatilities multiplied and correlations drawn toward ±1.

    C* = (1−θ) C + θ s sᵀ with s ∈ {±1}ᴺ: a convex combination of correlation matrices, hence positive
    semidefinite. Adding to correlations and clipping them would not be.

    Parameters
    ----------
    cov
        (n_assets, n_assets), symmetric.
    volatility_multiplier
        Factor on every volatility, > 0.
    correlation
        θ in [0, 1]. For a *target* mean correlation take θ from `correlation_stress`.
    weights
        (n_assets,). With weights s = sign(weights), the direction that hurts this book; without, s = 1, which raises
        every correlation and so *lowers* the risk of a hedged book.

    Raises
    ------
    InvalidArgument
        If an argument is out of its range.
    """
    matrix = as_covariance(cov)
    if not (volatility_multiplier > 0.0 and np.isfinite(volatility_multiplier)):
        raise InvalidArgument(f"volatility_multiplier must be positive, but is {volatility_multiplier!r}")
    if not 0.0 <= correlation <= 1.0:
        raise InvalidArgument(f"correlation must lie in [0, 1], but is {correlation!r}")
    signs = _adverse_signs(weights, matrix.shape[0])
    deviations = np.sqrt(np.diagonal(matrix)) * signs
    stressed = (1.0 - correlation) * matrix + correlation * np.outer(deviations, deviations)
    # The diagonal of both terms is the variance: written as such, so that θ leaves it untouched to the bit.
    stressed[np.diag_indices_from(stressed)] = np.diagonal(matrix)
    return stressed * volatility_multiplier**2


def correlation_stress(cov: Any, target: float, weights: Any = None) -> float:
    """Return the smallest θ of `stressed_covariance` at which the mean of s_i s_j C*_ij over pairs reaches `target`.

    Parameters
    ----------
    cov, weights
        As in `stressed_covariance`. Assets of zero variance have no correlation and are left out.
    target
        Mean correlation over pairs in [−1, 1].

    Returns
    -------
    float
        θ in [0, 1]; 0 where the mean is there already, and where there are no two assets to correlate.

    Raises
    ------
    InvalidArgument
        If an argument is out of its range.
    """
    matrix = as_covariance(cov)
    if not -1.0 <= target <= 1.0:
        raise InvalidArgument(f"target must lie in [-1, 1], but is {target!r}")
    deviations = np.sqrt(np.diagonal(matrix))
    alive = deviations > 0.0
    n = int(alive.sum())
    if n < 2:
        return 0.0
    scaled = _adverse_signs(weights, matrix.shape[0])[alive] / deviations[alive]
    total = float(scaled @ matrix[np.ix_(alive, alive)] @ scaled)
    mean = (total - n) / (n * (n - 1))
    return 0.0 if mean >= target else (target - mean) / (1.0 - mean)


def _adverse_signs(weights: Any, n_assets: int) -> Vector:
    if weights is None:
        return np.ones(n_assets)
    held = as_vector(weights, "weights")
    if held.shape[0] != n_assets:
        raise InvalidArgument(f"weights has {held.shape[0]} element(s), but cov has {n_assets} asset(s)")
    return np.where(held < 0.0, -1.0, 1.0)
