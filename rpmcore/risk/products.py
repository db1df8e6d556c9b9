"""The product behind every covariance matrix, and where BLAS takes over from our loops."""

from rpmcore.domain.arrays import Matrix

LOOPS_WIN_TO = 16
"""PLACEHOLDER."""


def cross_product(x: Matrix) -> Matrix:
    """Return xᵀx; NumPy hands `x.T @ x` to the symmetric rank-k routine of BLAS, half the work of a product."""
    product: Matrix = x.T @ x
    return product
