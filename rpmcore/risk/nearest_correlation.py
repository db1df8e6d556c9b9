"""The correlation matrix nearest to one that is none."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rpmcore.domain.arrays import Matrix, as_matrix
from rpmcore.domain.errors import InvalidArgument, Undefined

MOST_STEPS = 1000
"""Alternating projections converge linearly; matrices of a desk take a few dozen."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NearestCorrelation:
    """A repaired correlation matrix and how far it had to move.

    Attributes
    ----------
    matrix
        (n_assets, n_assets) positive semidefinite with unit diagonal.
    distance
        Frobenius norm of the change.
    smallest_eigenvalue
        Of the matrix as it was given; not negative where nothing was wrong.
    """

    matrix: Matrix
    distance: float
    smallest_eigenvalue: float


def nearest_correlation(correlation: Any, tolerance: float = 1e-10) -> NearestCorrelation:
    """Return the nearest correlation matrix in the Frobenius norm.

    Projections alternate between the positive semidefinite matrices and those with unit diagonal, with Dykstra's
    correction for the first; without it the limit would be *a* correlation matrix, not the nearest.

    Parameters
    ----------
    correlation
        (n_assets, n_assets), symmetric; the diagonal and the range of its elements may be off.
    tolerance
        Relative change between two steps at which to stop.

    Raises
    ------
    InvalidArgument
        If the matrix is not square, symmetric and finite.
    Undefined
        If the projections have not settled after 1,000 steps.

    References
    ----------
    N. Higham, "Computing the nearest correlation matrix: a problem from finance", *IMA Journal of Numerical Analysis*
    22 (2002), algorithm 3.3.
    """
    given = as_matrix(correlation, "correlation")
    if given.shape[0] != given.shape[1] or float(np.abs(given - given.T).max()) > 1e-8:
        raise InvalidArgument(f"correlation must be square and symmetric; its shape is {given.shape}")
    given = 0.5 * (given + given.T)
    smallest = float(np.linalg.eigvalsh(given)[0])
    y, correction = given.copy(), np.zeros_like(given)
    for _ in range(MOST_STEPS):
        shifted = y - correction
        x = _positive_part(shifted)
        correction = x - shifted
        before, y = y, x.copy()
        np.fill_diagonal(y, 1.0)
        if np.linalg.norm(y - before) <= tolerance * np.linalg.norm(y):
            # x is positive semidefinite to rounding, y has the unit diagonal; scaling x to y's diagonal keeps both.
            scale = np.sqrt(np.diagonal(x))
            matrix = x / np.outer(scale, scale)
            np.fill_diagonal(matrix, 1.0)
            distance = float(np.linalg.norm(matrix - given))
            return NearestCorrelation(matrix=matrix, distance=distance, smallest_eigenvalue=smallest)
    raise Undefined(f"the nearest correlation matrix has not settled after {MOST_STEPS} projections")


def _positive_part(matrix: Matrix) -> Matrix:
    values, vectors = np.linalg.eigh(matrix)
    part: Matrix = (vectors * np.maximum(values, 0.0)) @ vectors.T
    return part
