"""Least squares of many assets on the same factors, with Newey–West errors."""

from dataclasses import dataclass
from math import floor, pow
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rpmcore.domain.arrays import Matrix, Vector, as_matrix, refuse
from rpmcore.domain.errors import InsufficientData, InvalidArgument
from rpmcore.kernels import newey_west as kernels
from rpmcore.risk.covariance import ewma_weights

MOST_CONDITION = 1e7
"""Above this condition number of the scaled factors they count as collinear.

Rounding reaches the slopes by the square of the condition number, times the share of the return that the factors leave
over: 1e7² · 1.1e-16 is one per cent. Between 30 and here estimates are noisy, not wrong.
"""

FLAT = 1e-12
"""A series that deviates by no more than this share of its mean is constant; the rest is rounding."""

EXACT = 1e-13
"""A residual below this share of what it is the difference of is rounding, and counts as zero."""

ROWS_AT_ONCE = 64
"""Fitted values are taken off in blocks: another array of the size of the returns costs more than its arithmetic."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Regression:
    """Linear regressions of N assets on an intercept and K factors.

    Attributes
    ----------
    alphas
        (N,) intercepts, return per period.
    betas
        (N, K) slopes.
    errors
        (N, K+1) Newey–West standard errors, the intercept's first. Zero where the factors explain an asset exactly.
    r_squared
        (N,) share of the (weighted) variance around the mean that the factors explain, in [0, 1]; NaN for an asset that
        is constant, which has no variance to explain.
    residual_variances
        (N,) squared residuals summed over n−1, or Σ w e² under exponential weights w that sum to one. With the
        covariance F of the factors by the same divisor, ``betas @ F @ betas.T`` plus these on the diagonal has the
        sample variance of each asset on its diagonal, exactly: residuals are orthogonal to the factors.
    n_obs
        Rows used, T.
    lags
        Rows apart up to which errors of different rows may be correlated.
    decay
        λ of the weights λ^age, or None where all rows count alike.
    condition_number
        Of the factors, centred and scaled to unit length: the largest over the smallest singular value, 1 when they are
        uncorrelated. Above 30 the slopes of the factors involved are told apart with difficulty.
    """

    alphas: Vector
    betas: Matrix
    errors: Matrix
    r_squared: Vector
    residual_variances: Vector
    n_obs: int
    lags: int
    decay: float | None
    condition_number: float

    @property
    def t_statistics(self) -> Matrix:
        """(N, K+1) coefficients over their errors, the intercept's first; NaN where the error is zero."""
        coefficients = np.column_stack((self.alphas, self.betas))
        ratios: Matrix = np.full(coefficients.shape, np.nan)
        np.divide(coefficients, self.errors, out=ratios, where=self.errors > 0.0)
        return ratios


def regress(
    returns: Any,
    factors: Any,
    *,
    factor_names: tuple[str, ...] = (),
    lags: int | None = None,
    decay: float | None = None,
) -> Regression:
    """Regress each asset on an intercept and all factors, by ordinary or exponentially weighted least squares.

    Parameters
    ----------
    returns
        (n_obs, n_assets), simple returns per period as decimals, oldest row first, without NaN.
    factors
        (n_obs, n_factors), on the same rows.
    factor_names
        One per factor, for messages; numbered from 0 if not given.
    lags
        L ≥ 0 of the Newey–West errors, below n_obs; `newey_west_lags` of n_obs if not given.
    decay
        λ in (0, 1): a row counts λ^age, the newest having age 0. If not given, all count alike.

    Returns
    -------
    Regression
        Slopes come from a QR decomposition of the centred and scaled factors. Errors use Bartlett's weights and no
        small-sample factor. Both agree with statsmodels' ``OLS`` or ``WLS(weights=λ^age)`` under ``cov_type="HAC"``.

    Raises
    ------
    InvalidArgument
        If an argument is not finite or out of its range, shapes do not fit, a factor is constant, or factors are
        collinear; the factors are named.
    InsufficientData
        If there are fewer rows than coefficients + 1, or `decay` leaves fewer effective ones, (Σw)²/Σw².

    References
    ----------
    W. Newey and K. West, "A simple, positive semi-definite, heteroskedasticity and autocorrelation consistent
    covariance matrix", *Econometrica* 55 (1987), equation 5. D. Belsley, E. Kuh and R. Welsch, *Regression
    Diagnostics*, 1980, section 3.2, for condition number and the naming of collinear factors.
    """
    y, f = as_matrix(returns, "returns"), as_matrix(factors, "factors")
    weights = observation_weights(y.shape[0], decay)
    names = _checked_names(factor_names, f.shape[1])
    fit = least_squares(y, f, weights, names)
    used = newey_west_lags(y.shape[0]) if lags is None else lags
    if not 0 <= used < y.shape[0]:
        raise InvalidArgument(f"lags must lie between 0 and the {y.shape[0]} observations less one, but is {lags!r}")
    errors = np.empty((y.shape[1], f.shape[1] + 1))
    kernels.newey_west(fit.residuals, fit.influence, used, errors)
    return Regression(
        alphas=fit.alphas,
        betas=fit.betas,
        errors=errors,
        r_squared=fit.r_squared,
        residual_variances=fit.residual_moments * unbiased(y.shape[0], decay),
        n_obs=y.shape[0],
        lags=used,
        decay=decay,
        condition_number=fit.condition_number,
    )


def newey_west_lags(n_obs: int) -> int:
    """Return ⌊4 (n/100)^(2/9)⌋: 4 for 100 observations, 6 for 1,000.

    Raises
    ------
    InvalidArgument
        If `n_obs` is not positive.

    References
    ----------
    W. Newey and K. West, "Automatic lag selection in covariance matrix estimation", *Review of Economic Studies* 61
    (1994), whose first lag for Bartlett's weights this is; used as such by statsmodels, and by custom.
    """
    if n_obs < 1:
        raise InvalidArgument(f"n_obs must be positive, but is {n_obs}")
    # Rounded as tail counts are: at 51,200 the exact value is 16, and a power may fall just short of it.
    lags = floor(round(4.0 * pow(n_obs / 100.0, 2.0 / 9.0), 9))
    return min(lags, n_obs - 1)


def observation_weights(n_obs: int, decay: float | None) -> Vector:
    """Return (n_obs,) weights that sum to one, oldest first: equal, or proportional to λ^age.

    Raises
    ------
    InvalidArgument
        If `decay` does not lie in (0, 1).
    """
    if decay is None:
        return np.full(n_obs, 1.0 / n_obs)
    counted = ewma_weights(n_obs, decay)
    return np.concatenate((np.zeros(n_obs - counted.shape[0]), counted))


def unbiased(n_obs: int, decay: float | None) -> float:
    """Return what turns a mean square around the mean into a variance: n/(n−1), or 1 under exponential weights."""
    return n_obs / (n_obs - 1.0) if decay is None else 1.0


class LeastSquares(NamedTuple):
    """A fit of N assets to K factors under weights; see `least_squares`."""

    alphas: Vector
    betas: Matrix
    residuals: Matrix
    """(T, N), rows of weight zero among them."""
    influence: Matrix
    """(T, K+1): what a unit of residual in a row adds to intercept and slopes."""
    residual_moments: Vector
    """(N,) Σ w e²."""
    r_squared: Vector
    condition_number: float


def least_squares(returns: Matrix, factors: Matrix, weights: Vector, names: tuple[str, ...]) -> LeastSquares:
    """Fit checked `returns` (T, N) to checked `factors` (T, K), K ≥ 0, and an intercept under weights that sum to one.

    Raises
    ------
    InvalidArgument, InsufficientData
        As `regress`.
    """
    _check_counts(returns, factors, weights)
    with np.errstate(over="ignore", invalid="ignore"):
        y, y_means, y_sizes = _centred(returns, weights)
        f, f_means, f_sizes = _centred(factors, weights)
    if not (np.isfinite(y_sizes).all() and np.isfinite(f_sizes).all()):
        refuse(returns=returns, factors=factors)
    for name, size in zip(names, f_sizes, strict=True):
        if size == 0.0:
            raise InvalidArgument(f"factor {name!r} is constant, which the intercept is already: leave it out")
    root = np.sqrt(weights)[:, None]
    q, r = np.linalg.qr(root * (f / f_sizes))
    condition = _condition_number(r, names)
    betas: Matrix = np.ascontiguousarray((np.linalg.solve(r, (root * q).T @ y) / f_sizes[:, None]).T)
    slopes = root * np.linalg.solve(r, q.T).T / f_sizes
    influence = np.column_stack((weights - slopes @ f_means, slopes))
    residuals = y
    for start in range(0, y.shape[0], ROWS_AT_ONCE):
        residuals[start : start + ROWS_AT_ONCE] -= f[start : start + ROWS_AT_ONCE] @ betas.T
    moments = _moments(residuals, weights)
    exact = np.sqrt(moments) <= EXACT * (y_sizes + np.abs(betas) @ f_sizes)
    residuals[:, exact] = 0.0
    moments[exact] = 0.0
    r_squared = np.full(y.shape[1], np.nan)
    np.divide(moments, y_sizes**2, out=r_squared, where=y_sizes > 0.0)
    return LeastSquares(
        alphas=y_means - betas @ f_means,
        betas=betas,
        residuals=residuals,
        influence=influence,
        residual_moments=moments,
        r_squared=np.maximum(1.0 - r_squared, 0.0),
        condition_number=condition,
    )


def _check_counts(returns: Matrix, factors: Matrix, weights: Vector) -> None:
    n_obs, n_factors = factors.shape
    if returns.shape[0] != n_obs:
        raise InvalidArgument(f"returns has {returns.shape[0]} row(s), but factors has {n_obs}")
    needed = f"a regression on {n_factors} factor(s) and an intercept needs at least {n_factors + 2} observations"
    if n_obs < n_factors + 2:
        raise InsufficientData(f"{needed}, but there are {n_obs}; leave factors out, or give more history")
    effective = 1.0 / float(weights @ weights)
    if effective < n_factors + 2 - 1e-9:
        raise InsufficientData(f"{needed}, but the decay leaves {effective:.1f} effective ones of {n_obs}; raise it")


def _centred(x: Matrix, weights: Vector) -> tuple[Matrix, Vector, Vector]:
    """Return x less its weighted means, these, and the weighted deviations; what is constant to rounding has 0."""
    means = weights @ x
    centred = x - means
    sizes = np.sqrt(_moments(centred, weights))
    flat = sizes <= FLAT * np.abs(means)
    centred[:, flat] = 0.0
    sizes[flat] = 0.0
    return centred, means, sizes


def _moments(x: Matrix, weights: Vector) -> Vector:
    """Return Σ_t w_t x_t² of each column, without an array of the squares."""
    moments: Vector = np.einsum("t,ti,ti->i", weights, x, x)
    return moments


def _condition_number(r: Matrix, names: tuple[str, ...]) -> float:
    """Return the condition number of factors of unit length from their triangle, or name those that are collinear.

    The variance of slope k is proportional to Σ_j v_kj²/μ_j² over singular values μ and right vectors v: a factor is
    involved in a dependency if the vanishing μ make up more than half of it.
    """
    if not names:
        return 1.0
    _, values, vectors = np.linalg.svd(r)
    if values[0] <= MOST_CONDITION * values[-1]:
        return float(values[0] / values[-1])
    # Vanishing values are held up, so that rounding in the vectors does not involve a factor.
    held_up = np.maximum(values, 0.1 / MOST_CONDITION * values[0])
    parts = (vectors / held_up[:, None]) ** 2
    vanishing: NDArray[np.bool_] = values[0] > MOST_CONDITION * values
    shares = parts[vanishing].sum(axis=0) / parts.sum(axis=0)
    told = ", ".join(repr(name) for name, share in zip(names, shares, strict=True) if share > 0.5)
    size = "infinite" if values[-1] == 0.0 else f"{values[0] / values[-1]:.1e}"
    raise InvalidArgument(
        f"factors {told} are collinear: the condition number of the scaled factors is {size}, above "
        f"{MOST_CONDITION:.0e}; leave out at least one of them"
    )


def _checked_names(names: tuple[str, ...], n_factors: int) -> tuple[str, ...]:
    if not names:
        return tuple(str(i) for i in range(n_factors))
    if len(names) != n_factors:
        raise InvalidArgument(f"factor_names has {len(names)} name(s), but factors has {n_factors} column(s)")
    return tuple(names)
