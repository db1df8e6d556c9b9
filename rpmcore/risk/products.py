"""The product behind every covariance matrix, and where BLAS takes over from our loops."""

from rpmcore.domain.arrays import Matrix

LOOPS_WIN_TO = 50
"""Up to this many assets the Numba loops are faster than BLAS; measured at 60 rows; level at 252 × 50."""


def cross_product(x: Matrix) -> Matrix:
    """Return xᵀx; NumPy hands `x.T @ x` to the symmetric rank-k routine of BLAS, half the work of a product."""
    product: Matrix = x.T @ x
    return product
