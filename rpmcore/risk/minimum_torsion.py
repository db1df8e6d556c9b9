"""Uncorrelated factors as close as can be to the correlated ones that a desk thinks in.

Shares of variance by correlated factors can be negative, and no entropy is defined for them. Principal components are
uncorrelated but resemble nothing; the minimum torsion is the uncorrelated set nearest to the factors themselves.
"""

from math import isfinite
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rpmcore.domain.arrays import Matrix, Vector, as_covariance, as_vector, refuse
from rpmcore.domain.errors import InvalidArgument, Undefined

SINGULAR = 1e-10
"""A correlation matrix with a smaller eigenvalue has no inverse root with digits enough to uncorrelate anything."""

SETTLED = 1e-12
"""The iteration ends when no standard deviation of a torsion factor, in units of its factor's, moves by more."""

MOST_STEPS = 10_000
"""Steps converge linearly; factors of a desk take a few dozen, nearly singular correlations hundreds."""


def minimum_torsion(cov: Any) -> Matrix:
    """Return the linear map t, (K, K), whose factors t f are uncorrelated and nearest to f.

    Of all t with t Σ tᵀ diagonal it minimises Σ_k Var((t f)_k − f_k)/Σ_kk, by the exact iteration of the paper; it ends
    when nothing moves by more than 1e-12.

    Parameters
    ----------
    cov
        (K, K), Σ, symmetric positive definite. A factor of zero variance is left out: its row and column are those of
        the identity.

    Raises
    ------
    InvalidArgument
        If `cov` is not a covariance matrix.
    Undefined
        If its correlations are singular to 1e-10 (the smallest eigenvalue is told), or the iteration does not settle.

    References
    ----------
    A. Meucci, A. Santangelo and R. Deguest, "Risk budgeting and diversification based on optimized uncorrelated
    factors", 2015, where the iteration stands in the appendix; here singular values give the orthogonal factor
    in place of matrix roots, which would square the condition number.
    """
    matrix = as_covariance(cov)
    torsion = np.eye(matrix.shape[0])
    alive, deviations, fit = _fit(matrix)
    # In standardised factors t is diag(d) q C^(−1/2).
    standardised = fit.scales[:, None] * fit.rotation @ fit.inverse_root
    torsion[np.ix_(alive, alive)] = standardised * deviations[:, None] / deviations
    return torsion


def torsion_shares(exposures: Any, cov: Any) -> Vector:
    """Return the share of each minimum-torsion factor in the variance, (K,): none negative, summing to one.

    p = (t^(−T) b) ∘ (t Σ b) / bᵀΣb. With C^(1/2) the root of the correlations and q the rotation that t consists of, it
    is the square of q C^(1/2) (σ ∘ b), over its sum: a square cannot be negative, and needs no inverse.

    Parameters
    ----------
    exposures
        (K,), b: change of the book's return for a unit of a factor's.
    cov
        (K, K), as in `minimum_torsion`. A factor of zero variance has a share of zero.

    Raises
    ------
    InvalidArgument
        If shapes do not fit, a value is not finite, or `cov` is not a covariance matrix.
    Undefined
        As `minimum_torsion`, and if the exposures have no variance.

    References
    ----------
    As `minimum_torsion`.
    """
    b, matrix = as_vector(exposures, "exposures"), as_covariance(cov)
    if b.shape[0] != matrix.shape[0]:
        raise InvalidArgument(f"exposures has {b.shape[0]} element(s), but cov has {matrix.shape[0]} factor(s)")
    alive, deviations, fit = _fit(matrix)
    with np.errstate(over="ignore", invalid="ignore"):
        loaded = fit.rotation @ (fit.root @ (deviations * b[alive]))
        largest = float(np.abs(loaded).max(initial=0.0))
    if not isfinite(largest):
        refuse(exposures=b, cov=matrix)
    if largest == 0.0:
        raise Undefined("the factors give the book no variance, so none has a share of it")
    squares = (loaded / largest) ** 2
    shares = np.zeros(b.shape[0])
    shares[alive] = squares / squares.sum()
    return shares


class _Fit(NamedTuple):
    rotation: Matrix
    """q, orthogonal."""
    scales: Vector
    """d > 0, the standard deviations of the torsion factors in units of their factors'."""
    root: Matrix
    """C^(1/2), symmetric."""
    inverse_root: Matrix


def _fit(cov: Matrix) -> tuple[NDArray[np.intp], Vector, _Fit]:
    """Return which factors vary, their standard deviations, and the torsion of their correlations."""
    variances = np.diagonal(cov)
    alive = np.flatnonzero(variances > 0.0)
    deviations: Vector = np.sqrt(variances[alive])
    correlation = cov[np.ix_(alive, alive)] / deviations[:, None] / deviations
    values, vectors = np.linalg.eigh(0.5 * (correlation + correlation.T))
    if values.size and values[0] < SINGULAR:
        raise Undefined(
            f"the correlations of the factors are singular, so that no uncorrelated factors are nearest to them: the "
            f"smallest eigenvalue is {values[0]:.1e}, below {SINGULAR:.0e}; leave out a factor that others make up"
        )
    root = (vectors * np.sqrt(values)) @ vectors.T
    rotation, scales = _nearest(root)
    return alive, deviations, _Fit(rotation, scales, root, (vectors / np.sqrt(values)) @ vectors.T)


def _nearest(root: Matrix) -> tuple[Matrix, Vector]:
    """Return the rotation q and scales d for which diag(d) q is nearest to C^(1/2) in the Frobenius norm.

    Given d, the nearest q is the orthogonal factor of diag(d) C^(1/2); given q, the nearest d is the diagonal of
    q C^(1/2). Each step comes closer, until neither moves.
    """
    scales = np.ones(root.shape[0])
    rotation = np.eye(root.shape[0])
    for _ in range(MOST_STEPS):
        left, _, right = np.linalg.svd(scales[:, None] * root)
        rotation = left @ right
        before, scales = scales, np.einsum("ij,ji->i", rotation, root)
        if float(np.abs(scales - before).max(initial=0.0)) <= SETTLED:
            return rotation, scales
    raise Undefined(f"the minimum torsion has not settled after {MOST_STEPS} steps")
