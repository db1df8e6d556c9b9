"""Estimators of the covariance of returns.

Each takes `returns` (n_obs, n_assets): simple returns per period as decimals, oldest row first, without NaN, and
gives a symmetric positive semidefinite (n_assets, n_assets) matrix in squared return units per period.
"""

from typing import Any, Literal, NamedTuple

import numpy as np

from rpmcore.domain.arrays import Matrix, Vector, as_covariance, as_matrix, as_vector
from rpmcore.domain.errors import InsufficientData, InvalidArgument
from rpmcore.kernels import covariance as kernels

LOOPS_WIN_TO = 50
"""Up to this many assets the Numba loops are faster than BLAS; measured at 60 rows; level at 252 × 50."""

NEGLIGIBLE_WEIGHT = 1e-17
"""Exponential weights below this share of the largest are lost in float64 (640 rows at decay 0.94)."""


class Shrunk(NamedTuple):
    """A covariance matrix and the intensity with which it was shrunk, in [0, 1]."""

    covariance: Matrix
    intensity: float


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
    return _symmetric_product(centred) / divisor


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
    return _symmetric_product(x * root[:, None])


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


def ledoit_wolf(returns: Any) -> Shrunk:
    """Return the covariance shrunk toward a multiple of the identity, with the estimated optimal intensity.

    S = XcᵀXc/n; m = tr S/N; d² = ‖S − mI‖²_F/N; b² = min(d², Σ_t ‖x_t x_tᵀ − S‖²_F/(N n²)); δ = b²/d²; the
    estimate is δ m I + (1−δ) S. The divisor is n, as in the paper and in scikit-learn.

    Parameters
    ----------
    returns
        (n_obs, n_assets), see the module. N > T is allowed and is what the estimator is for.

    Returns
    -------
    Shrunk
        The matrix, positive definite if δ > 0 and m > 0, and δ. One asset gives δ = 0.

    Raises
    ------
    InvalidArgument
        If `returns` is not a finite matrix.

    References
    ----------
    O. Ledoit and M. Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", *Journal of
    Multivariate Analysis* 88 (2004), section 3.2, lemmas 3.2 to 3.5.
    """
    x = as_matrix(returns, "returns")
    if x.shape[1] <= LOOPS_WIN_TO:
        return Shrunk(*kernels.ledoit_wolf(x))
    centred = x - x.mean(axis=0)
    cov = _symmetric_product(centred) / x.shape[0]
    row_squares = np.einsum("ij,ij->i", centred, centred)
    intensity, mean_variance = kernels.shrinkage_intensity(cov, float(row_squares @ row_squares), x.shape[0])
    cov *= 1.0 - intensity
    cov[np.diag_indices_from(cov)] += intensity * mean_variance
    return Shrunk(cov, intensity)


def shrink(cov: Any, intensity: float = 0.10, target: Literal["scaled_identity"] = "scaled_identity") -> Matrix:
    """Return (1 − δ) Σ + δ m I with a *fixed* intensity δ and m = tr Σ / N.

    This is not the Ledoit–Wolf estimator: that name means an estimated intensity, see `ledoit_wolf`.

    Parameters
    ----------
    cov
        (n_assets, n_assets), symmetric.
    intensity
        δ in [0, 1]: 0 leaves the matrix, 1 gives the target.
    target
        ``"scaled_identity"``.

    Raises
    ------
    InvalidArgument
        If an argument is out of its range.
    """
    matrix = as_covariance(cov)
    if not 0.0 <= intensity <= 1.0:
        raise InvalidArgument(f"intensity must lie in [0, 1], but is {intensity!r}")
    if target != "scaled_identity":
        raise InvalidArgument(f"target must be 'scaled_identity', but is {target!r}")
    shrunk = (1.0 - intensity) * matrix
    shrunk[np.diag_indices_from(shrunk)] += intensity * float(np.trace(matrix)) / matrix.shape[0]
    return shrunk


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


def _symmetric_product(x: Matrix) -> Matrix:
    """Return xᵀx; NumPy hands `x.T @ x` to the symmetric rank-k routine of BLAS, half the work of a product."""
    product: Matrix = x.T @ x
    return product
