"""Array aliases, and the one boundary through which arrays enter the core."""

from math import isfinite
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from rpmcore.domain.errors import InvalidArgument
from rpmcore.kernels import checks

FLOAT64 = np.dtype(np.float64)

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


def shaped(values: Any, name: str, dimensions: int) -> NDArray[np.float64]:
    """Return `values` as `as_vector` (1) or `as_matrix` (2) does, but let NaN and infinity pass.

    For a caller whose result is not finite if an element is not: it checks the result, and `refuse` tells why.

    Raises
    ------
    InvalidArgument
        If it is empty, has another number of dimensions, or holds no numbers.
    """
    # `carray`: C-contiguous, aligned and writeable, in one look.
    if (
        type(values) is np.ndarray
        and values.dtype is FLOAT64
        and values.ndim == dimensions
        and values.size
        and values.flags.carray
    ):
        return values
    try:
        array = np.require(values, dtype=np.float64, requirements=["C", "A", "W"])
    except (TypeError, ValueError) as error:
        raise InvalidArgument(f"{name} must hold numbers: {error}") from error
    if array.ndim != dimensions:
        raise InvalidArgument(f"{name} must have {dimensions} dimension(s), but its shape is {array.shape}")
    if array.size == 0:
        raise InvalidArgument(f"{name} is empty: its shape is {array.shape}")
    return array


def refuse(**arrays: NDArray[np.float64]) -> NoReturn:
    """Say why a computation with these arrays, by name, gave no finite number.

    Raises
    ------
    InvalidArgument
        For the first that holds NaN or infinity; if all are finite, because they are too large to be squared.
    """
    for name, array in arrays.items():
        _check_finite(array, name)
    raise InvalidArgument(f"{' and '.join(arrays)} overflow when multiplied: are they fractions, 0.01 for 1 %?")


def as_covariance(values: Any, name: str = "cov") -> Matrix:
    """Return `values` as a square matrix, as `as_matrix` does.

    Raises
    ------
    InvalidArgument
        If it is not square, not symmetric to 1e-8 of its largest element, or has a negative variance.
    """
    cov = shaped(values, name, 2)
    if cov.shape[0] != cov.shape[1] or not checks.is_covariance(cov):
        _check_finite(cov, name)
        _refuse_covariance(cov, name)
    return cov


def _refuse_covariance(cov: Matrix, name: str) -> NoReturn:
    if cov.shape[0] != cov.shape[1]:
        raise InvalidArgument(f"{name} must be square, but its shape is {cov.shape}")
    variances = np.diagonal(cov)
    worst = int(variances.argmin())
    with np.errstate(over="ignore"):
        apart = float(np.abs(cov - cov.T).max())
    if apart <= checks.SYMMETRY * float(np.abs(cov).max()):
        raise InvalidArgument(f"{name} has a negative variance at index {worst}: {cov[worst, worst]!r}")
    raise InvalidArgument(f"{name} must be symmetric")


def _as_array(values: Any, name: str, dimensions: int) -> NDArray[np.float64]:
    array = shaped(values, name, dimensions)
    _check_finite(array, name)
    return array


def _check_finite(array: NDArray[np.float64], name: str) -> None:
    # A finite sum proves every term finite at a third of the cost; large terms may overflow it, hence the second look.
    if not isfinite(np.add.reduce(array, axis=None)) and not np.isfinite(array).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise InvalidArgument(f"{name} must be finite, but holds {array[place]!r} at index {place}")
