"""Whether an array is what it is handed over as; why it is not, the caller finds out at leisure."""

import numpy as np
from numpy.typing import NDArray

from rpmcore.kernels._jit import kernel

SYMMETRY = 1e-8
"""Elements of a covariance may differ from their mirror images by this share of the largest element."""


@kernel("(f8[:, ::1],)")
def is_covariance(cov: NDArray[np.float64]) -> bool:
    """Return whether a square matrix is finite, symmetric to `SYMMETRY` and without a negative variance.

    A difference of mirror images that is exactly zero proves both finite and equal; that settles nearly every matrix
    without a search for the largest element.
    """
    n = cov.shape[0]
    unequal, negative = 0, 0
    for i in range(n):
        negative += cov[i, i] < 0.0
        for j in range(i + 1):
            unequal += cov[i, j] - cov[j, i] != 0.0  # true also for NaN, and for infinity less itself
    if negative:
        return False
    if not unequal:
        return True
    largest, apart = 0.0, 0.0
    for i in range(n):
        for j in range(n):
            if not np.isfinite(cov[i, j]):
                return False
            largest = max(largest, abs(cov[i, j]))
            apart = max(apart, abs(cov[i, j] - cov[j, i]))
    return apart <= SYMMETRY * largest
