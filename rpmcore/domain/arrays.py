"""Array aliases, and the one boundary through which arrays enter the core."""

from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rpmcore.domain.errors import InvalidArgument

Vector = NDArray[np.float64]
"""One dimension of float64."""
Matrix = NDArray[np.float64]
"""Two dimensions of float64, C-contiguous."""


def as_vector(values: Any, name: str) -> Vector:
    """Return `values` as a writable, C-contiguous float64 vector without NaN or infinity.

    Raises
    ------
    InvalidArgument
        If it is empty, not one-dimensional, or holds a value that is not finite.
    """
    return _as_array(values, name, 1)


def as_matrix(values: Any, name: str) -> Matrix:
    """Return `values` as a writable, C-contiguous float64 matrix without NaN or infinity.

    Raises
    ------
    InvalidArgument
        If it is empty, not two-dimensional, or holds a value that is not finite.
    """
    return _as_array(values, name, 2)


def as_covariance(values: Any, name: str = "cov") -> Matrix:
    """Return `values` as a square matrix, as `as_matrix` does.

    Raises
    ------
    InvalidArgument
        If it is not square, not symmetric to 1e-8 of its largest element, or has a negative variance.
    """
    cov = as_matrix(values, name)
    if cov.shape[0] != cov.shape[1]:
        raise InvalidArgument(f"{name} must be square, but its shape is {cov.shape}")
    if float(np.abs(cov - cov.T).max()) > 1e-8 * float(np.abs(cov).max()):
        raise InvalidArgument(f"{name} must be symmetric")
    variances = np.diagonal(cov)
    if variances.min() < 0.0:
        worst = int(variances.argmin())
        raise InvalidArgument(f"{name} has a negative variance at index {worst}: {cov[worst, worst]!r}")
    return cov


def _as_array(values: Any, name: str, dimensions: int) -> NDArray[np.float64]:
    try:
        array = _canonical(values)
    except (TypeError, ValueError) as error:
        raise InvalidArgument(f"{name} must hold numbers: {error}") from error
    if array.ndim != dimensions:
        raise InvalidArgument(f"{name} must have {dimensions} dimension(s), but its shape is {array.shape}")
    if array.size == 0:
        raise InvalidArgument(f"{name} is empty: its shape is {array.shape}")
    # A finite sum proves every term finite at a third of the cost; large terms may overflow it, hence the second look.
    if not isfinite(array.sum()) and not np.isfinite(array).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise InvalidArgument(f"{name} must be finite, but holds {array[place]!r} at index {place}")
    return array


def _canonical(values: Any) -> NDArray[np.float64]:
    if (
        type(values) is np.ndarray
        and values.dtype == np.float64
        and values.flags.c_contiguous
        and values.flags.writeable
    ):
        return values
    return np.require(values, dtype=np.float64, requirements=["C", "W"])
