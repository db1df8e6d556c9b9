"""Products of weights with a covariance matrix, without BLAS: the decision path needs the same bits everywhere."""

import numpy as np
from numpy.typing import NDArray

from rpmcore.kernels._jit import kernel
from rpmcore.kernels.checks import is_covariance

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


@kernel("(f8[::1], f8[:, ::1], f8[::1])")
def quadratic_form(weights: Vector, cov: Matrix, product: Vector) -> float:
    """Write Σw into `product` (n,) and return wᵀΣw: NaN if Σ is no covariance, not finite if a weight is not.

    The inner loop adds a scaled row and vectorises without reordering any sum.
    """
    if not is_covariance(cov):
        return np.nan
    n = weights.shape[0]
    for j in range(n):
        product[j] = 0.0
    for i in range(n):
        w = weights[i]
        for j in range(n):
            product[j] += w * cov[i, j]
    total = 0.0
    for i in range(n):
        total += weights[i] * product[i]
    return total
