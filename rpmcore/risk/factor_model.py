"""A linear factor model of returns, and where under it the risk of a book sits.

r_i = α_i + Σ_k B_ik f_k + e_i with e uncorrelated with the factors and, which is the assumption, among assets:
Σ = B F Bᵀ + diag(D).
"""

from dataclasses import dataclass
from math import frexp, isfinite, sqrt
from typing import Any

import numpy as np

from rpmcore.domain.arrays import Matrix, Vector, as_covariance, as_matrix, as_vector, refuse
from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.risk.products import cross_product
from rpmcore.risk.regression import Regression, observation_weights, regress, unbiased

ROUNDING = 1e-14
"""A sum below this share of its terms' absolute sum is what rounding left of a perfect hedge, and counts as zero."""

NEGATIVE = 1e-10
"""A variance of the factors below minus this share of what it would be unhedged is not rounding: F is no covariance."""

PLAIN = 10.0
"""Shares with an absolute sum up to this add to one as they are."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FactorModel:
    """Exposures of N assets to K factors, and the covariance they imply.

    Attributes
    ----------
    symbols
        (N,) one per asset.
    factor_names
        (K,) one per factor.
    exposures
        (N, K), B: change of an asset's return for a unit of a factor's.
    factor_covariance
        (K, K), F, per period, positive semidefinite.
    specific_variances
        (N,), D, per period, not negative.
    regression
        Where the numbers were estimated: errors, R² and the rest; None where they were given.
    """

    symbols: tuple[str, ...]
    factor_names: tuple[str, ...]
    exposures: Matrix
    factor_covariance: Matrix
    specific_variances: Vector
    regression: Regression | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FactorContributions:
    """The risk of one book under a factor model.

    Attributes
    ----------
    exposures
        (K,), b = Bᵀw.
    variance
        bᵀFb + Σ w²D, per period.
    volatility
        Its root.
    factor_shares
        (K,), b_k (Fb)_k over the variance; negative where a factor hedges.
    specific_share
        Σ w²D over the variance. With `factor_shares` it sums to one, to 1e-12 for any book.
    marginals
        (N,), ∂σ/∂w_i = (Σw)_i/σ; times the weights they sum to the volatility.
    """

    exposures: Vector
    variance: float
    volatility: float
    factor_shares: Vector
    specific_share: float
    marginals: Vector


def estimate_factor_model(
    returns: Any,
    factors: Any,
    *,
    symbols: tuple[str, ...],
    factor_names: tuple[str, ...],
    lags: int | None = None,
    decay: float | None = None,
) -> FactorModel:
    """Return the model of `regress`: its slopes, the factors' covariance and the residual variances.

    Parameters
    ----------
    returns
        (n_obs, n_assets), simple returns per period as decimals, oldest row first, without NaN.
    factors
        (n_obs, n_factors), on the same rows.
    symbols, factor_names
        One per column of `returns` and of `factors`.
    lags, decay
        As in `rpmcore.risk.regression.regress`.

    Returns
    -------
    FactorModel
        The covariance of the factors is demeaned, with divisor n−1, or under exponential weights that sum to one (not
        RiskMetrics', which is around zero), and so is the residual variance: the model gives each asset its sample
        variance exactly. Covariances of two assets differ from the sample's by that of their residuals.

    Raises
    ------
    InvalidArgument, InsufficientData
        As `rpmcore.risk.regression.regress`, and if there is not one symbol per asset.
    """
    found = regress(returns, factors, factor_names=factor_names, lags=lags, decay=decay)
    n_assets, n_factors = found.betas.shape
    if len(symbols) != n_assets or len(factor_names) != n_factors:
        raise InvalidArgument(
            f"there are {len(symbols)} symbol(s) and {len(factor_names)} factor name(s), but {n_assets} asset(s) and "
            f"{n_factors} factor(s)"
        )
    f = as_matrix(factors, "factors")
    weights = observation_weights(found.n_obs, decay)
    covariance = cross_product((f - weights @ f) * np.sqrt(weights)[:, None]) * unbiased(found.n_obs, decay)
    return FactorModel(
        symbols=tuple(symbols),
        factor_names=tuple(factor_names),
        exposures=found.betas,
        factor_covariance=covariance,
        specific_variances=found.residual_variances,
        regression=found,
    )


def model_variances(model: FactorModel) -> Vector:
    """Return the diagonal of B F Bᵀ + diag(D), (N,), per period."""
    common: Vector = ((model.exposures @ model.factor_covariance) * model.exposures).sum(axis=1)
    return common + model.specific_variances


def model_covariance(model: FactorModel) -> Matrix:
    """Return B F Bᵀ + diag(D), (N, N) symmetric positive semidefinite, per period.

    Raises
    ------
    InvalidArgument
        If the parts of the model do not fit each other.
    """
    b, f, d = checked_parts(model)
    cov: Matrix = b @ f @ b.T
    cov = 0.5 * (cov + cov.T)
    cov[np.diag_indices_from(cov)] += d
    return cov


def factor_contributions(weights: Any, model: FactorModel) -> FactorContributions:
    """Return the exposures of a book, and the share of each factor and of what is specific in its variance.

    The N × N covariance is never formed: O(NK + K²). A factor exposure, or the variance of all, that is no more than
    rounding of the hedge that made it counts as zero.

    Parameters
    ----------
    weights
        (N,), signed market value / capital.
    model
        Of the same assets in the same order.

    Raises
    ------
    InvalidArgument
        If shapes do not fit, a value is not finite, or the covariance of the factors is not positive semidefinite.
    Undefined
        If the book has no variance: it has no shares.

    References
    ----------
    A. Meucci, "Risk contributions from generic user-defined factors", *Risk* (June 2007), which is
    Euler's theorem on homogeneous functions. R. Grinold and R. Kahn, *Active Portfolio Management*, 2nd ed., 2000,
    chapter 3, for the model.
    """
    held, (b, f, d) = as_vector(weights, "weights"), checked_parts(model)
    if held.shape[0] != b.shape[0]:
        raise InvalidArgument(f"weights has {held.shape[0]} element(s), but the model has {b.shape[0]} asset(s)")
    # A power of two takes the size out of the book without rounding: shares do not depend on it, nor overflow by it.
    exponent = frexp(float(np.abs(held).max()))[1]
    unit = np.ldexp(held, -exponent)
    with np.errstate(over="ignore", invalid="ignore"):
        exposures = unit @ b
        exposures[np.abs(exposures) <= ROUNDING * (np.abs(unit) @ np.abs(b))] = 0.0
        product = f @ exposures
        parts = _factor_parts(exposures, product, f)
        specific = d * unit
        specific_part = float(specific @ unit)
        variance = float(parts.sum()) + specific_part
        size = np.ldexp(1.0, exponent)
        scaled_variance = float(size * variance * size)
    if not isfinite(scaled_variance):
        refuse(weights=held, exposures=b, factor_covariance=f, specific_variances=d)
    if variance == 0.0:
        raise Undefined("the book has no variance under the factor model, so nothing has a share of it")
    volatility = sqrt(variance)
    shares = _summing_to_one(np.append(parts, specific_part) / variance)
    return FactorContributions(
        exposures=np.ldexp(exposures, exponent),
        variance=scaled_variance,
        volatility=float(size) * volatility,
        factor_shares=shares[:-1],
        specific_share=float(shares[-1]),
        marginals=(b @ product + specific) / volatility,
    )


def checked_parts(model: FactorModel) -> tuple[Matrix, Matrix, Vector]:
    """Return exposures, factor covariance and specific variances as arrays that fit each other.

    Raises
    ------
    InvalidArgument
        If they do not, a value is not finite, or a variance is negative.
    """
    b = as_matrix(model.exposures, "exposures")
    f = as_covariance(model.factor_covariance, "factor_covariance")
    d = as_vector(model.specific_variances, "specific_variances")
    if b.shape != (d.shape[0], f.shape[0]):
        raise InvalidArgument(
            f"exposures has the shape {b.shape}, but there are {d.shape[0]} specific variance(s) and {f.shape[0]} "
            "factor(s)"
        )
    worst = int(d.argmin())
    if d[worst] < 0.0:
        raise InvalidArgument(f"specific_variances has a negative value at index {worst}: {d[worst]!r}")
    return b, f, d


def _factor_parts(exposures: Vector, product: Vector, f: Matrix) -> Vector:
    """Return b_k (Fb)_k, or zeros where their sum is no more than the rounding of its terms."""
    parts = exposures * product
    total = float(parts.sum())
    if not isfinite(total):
        return parts
    unhedged = float(np.abs(exposures) @ np.sqrt(np.diagonal(f))) ** 2
    if total < -NEGATIVE * unhedged:
        raise InvalidArgument(
            f"factor_covariance is not positive semidefinite: the variance of these exposures is {total!r}; repair it "
            "with the nearest correlation matrix"
        )
    return np.zeros_like(parts) if total <= ROUNDING * unhedged else parts


def _summing_to_one(shares: Vector) -> Vector:
    """Return shares whose sum, in any order, is one to 1e-12.

    Those of a hedged book can be thousands of opposite signs, whose own rounding would show. They are rounded to
    multiples of the last place of twice their absolute sum, which add without rounding, and the largest takes the rest.
    """
    gross = float(np.abs(shares).sum())
    if gross <= PLAIN:
        return shares
    place = float(np.spacing(2.0 * gross))
    rounded: Vector = np.rint(shares / place) * place
    rounded[np.abs(rounded).argmax()] += 1.0 - float(rounded.sum())
    return rounded
