"""Products of weights with a covariance matrix, without BLAS: the decision path needs the same bits everywhere."""

import numpy as np
from numpy.typing import NDArray

from rpmcore.kernels._jit import kernel

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


@kernel("(f8[:, ::1], f8[::1])")
def covariance_times(cov: Matrix, weights: Vector) -> Vector:
    """Return Σw (n,). The inner loop adds a scaled row and vectorises without reordering any sum."""
    n = weights.shape[0]
    out = np.zeros(n)
    for i in range(n):
        w = weights[i]
        for j in range(n):
            out[j] += w * cov[i, j]
    return out


@kernel("(f8[::1], f8[:, ::1])")
def portfolio_variance(weights: Vector, cov: Matrix) -> float:
    """Return wᵀΣw."""
    product = covariance_times(cov, weights)
    total = 0.0
    for i in range(weights.shape[0]):
        total += weights[i] * product[i]
    return total
