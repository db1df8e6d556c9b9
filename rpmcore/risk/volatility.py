"""Variance and volatility of a portfolio under a covariance matrix."""

from math import inf, isfinite
from typing import Any

import numpy as np

from rpmcore.domain.arrays import Matrix, Vector, as_covariance, as_matrix, refuse, shaped
from rpmcore.domain.errors import InvalidArgument
from rpmcore.kernels import volatility as kernels


def portfolio_variance(weights: Any, cov: Any) -> Any:
    """Return wᵀΣw, per period of `cov`.

    Parameters
    ----------
    weights
        (n_assets,) for one book, or (n_books, n_assets) for many: signed market value / capital, not renormalised.
    cov
        (n_assets, n_assets), symmetric positive semidefinite.

    Returns
    -------
    float or ndarray
        One variance, or (n_books,) of them; never negative. Many books go to BLAS, which Numba does not beat there.

    Raises
    ------
    InvalidArgument
        If shapes do not fit, a value is not finite, or `cov` gives a negative variance beyond rounding.
    """
    if np.ndim(weights) == 2:
        matrix, many = as_covariance(cov), as_matrix(weights, "weights")
        _check_size(many.shape[1], matrix)
        variances = np.einsum("ij,ij->i", many @ matrix, many)
        return np.array([not_negative(v, w, matrix) for v, w in zip(variances, many, strict=True)])
    return variance_and_product(shaped(weights, "weights", 1), cov)[0]


def portfolio_volatility(weights: Any, cov: Any) -> Any:
    """Return √(wᵀΣw), per period of `cov`; arguments and errors as in `portfolio_variance`."""
    root = np.sqrt(portfolio_variance(weights, cov))
    return float(root) if np.ndim(root) == 0 else root


def covariance_times(weights: Any, cov: Any) -> Vector:
    """Return Σw (n_assets,): half the gradient of the variance.

    Raises
    ------
    InvalidArgument
        If shapes do not fit, a value is not finite, or `cov` gives a negative variance beyond rounding.
    """
    return variance_and_product(shaped(weights, "weights", 1), cov)[1]


def variance_and_product(weights: Vector, cov: Any) -> tuple[float, Vector]:
    """Return wᵀΣw and Σw (n_assets,) for `weights` from `shaped`, checking the covariance once.

    Raises
    ------
    InvalidArgument
        As `portfolio_variance`.
    """
    matrix, n = shaped(cov, "cov", 2), weights.shape[0]
    if matrix.shape != (n, n):
        _check_size(n, as_covariance(matrix))
    product = np.empty(n)
    variance = kernels.quadratic_form(weights, matrix, product)
    if 0.0 < variance < inf:
        return variance, product
    if not isfinite(variance):
        as_covariance(matrix)
        refuse(weights=weights, cov=matrix)
    return not_negative(variance, weights, matrix), product


def _check_size(n_weights: int, cov: Matrix) -> None:
    if n_weights != cov.shape[0]:
        raise InvalidArgument(f"weights has {n_weights} element(s), but cov has {cov.shape[0]} asset(s)")


def not_negative(variance: float, weights: Vector, cov: Matrix) -> float:
    """Return `variance`, or zero where rounding of a hedged book took it just below."""
    if variance >= 0.0:
        return float(variance)
    scale = float(np.abs(weights) @ np.sqrt(np.diagonal(cov))) ** 2
    if not variance >= -1e-10 * scale:
        raise InvalidArgument(
            f"cov is not positive semidefinite: the variance of these weights is {variance!r}; "
            "repair it with the nearest correlation matrix"
        )
    return 0.0
