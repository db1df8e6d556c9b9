"""Covariance and volatility through time: element t rests on the rows up to and with t, and is a forecast for t+1."""

from typing import Any

import numpy as np

from rpmcore.domain.arrays import Matrix, Vector, as_matrix, as_vector
from rpmcore.domain.errors import InsufficientData, InvalidArgument
from rpmcore.kernels import covariance_paths as kernels


def ewma_volatility_path(returns: Any, decay: float = 0.94) -> Vector:
    """Return the exponentially weighted volatility after each row, around zero.

    For a book with fixed weights this is √(wᵀΣ_t w) of `ewma_covariance_path` without ever forming Σ_t.

    Parameters
    ----------
    returns
        (n_obs,) returns of a book or an asset per period, oldest first, without NaN.
    decay
        λ in (0, 1); the weights of the first t rows are renormalised by 1−λᵗ.

    Returns
    -------
    ndarray
        (n_obs,), per period; element t is the forecast for the period after row t.

    Raises
    ------
    InvalidArgument
        If `returns` is not a finite vector or `decay` is out of its range.

    References
    ----------
    J.P. Morgan/Reuters, *RiskMetrics Technical Document*, 4th ed., 1996, section 5.2.
    """
    return kernels.ewma_volatility_path(as_vector(returns, "returns"), _checked(decay))


def ewma_covariance_path(returns: Any, decay: float = 0.94) -> Any:
    """Return the exponentially weighted covariance after each row, around zero.

    Parameters
    ----------
    returns
        (n_obs, n_assets), oldest first, without NaN.
    decay
        As in `ewma_volatility_path`.

    Returns
    -------
    ndarray
        (n_obs, n_assets, n_assets): 8 n_obs n_assets² bytes. Element t is the forecast for the period after row t; the
        last is `rpmcore.risk.covariance.ewma_covariance`.

    Raises
    ------
    InvalidArgument
        If `returns` is not a finite matrix or `decay` is out of its range.
    """
    x = as_matrix(returns, "returns")
    # NumPy asks the system for large pages and Numba does not; touching 25 MB for the first time costs more than
    # filling them.
    path = np.empty((*x.shape, x.shape[1]))
    kernels.ewma_covariance_path(x, _checked(decay), path)
    return path


def rolling_ledoit_wolf_volatility(returns: Any, weights: Any, window: int) -> Vector:
    """Return the volatility of a book under the Ledoit–Wolf covariance of every window.

    Parameters
    ----------
    returns
        (n_obs, n_assets), oldest first, without NaN.
    weights
        (n_assets,), signed market value / capital.
    window
        Rows of a window, from 2 to n_obs.

    Returns
    -------
    ndarray
        (n_obs − window + 1,), per period; the first element rests on the rows 0 … window−1.

    Raises
    ------
    InvalidArgument
        If shapes do not fit, a value is not finite, or `window` is below 2.
    InsufficientData
        If there are fewer rows than `window`.

    References
    ----------
    O. Ledoit and M. Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", *Journal of
    Multivariate Analysis* 88 (2004), section 3.2.
    """
    x, held = as_matrix(returns, "returns"), as_vector(weights, "weights")
    if held.shape[0] != x.shape[1]:
        raise InvalidArgument(f"weights has {held.shape[0]} element(s), but returns has {x.shape[1]} column(s)")
    if window < 2:
        raise InvalidArgument(f"window must be at least 2, but is {window}")
    if x.shape[0] < window:
        raise InsufficientData(f"a window of {window} needs as many rows, but there are {x.shape[0]}")
    # A shift of every row leaves covariances as they are, and takes from the inner products what would cancel.
    centred = x - x.mean(axis=0)
    variance = kernels.rolling_ledoit_wolf_variance(
        _band(centred, window), centred @ held, float(held @ held), x.shape[1]
    )
    volatility: Vector = np.sqrt(variance)
    return volatility


def _band(x: Matrix, window: int) -> Matrix:
    """Return (n_obs, window): the inner products of each row with itself and the window − 1 rows before it."""
    n_obs = x.shape[0]
    band = np.zeros((n_obs, window))
    for start in range(0, n_obs, window):
        stop, base = min(start + window, n_obs), max(0, start - window + 1)
        block = x[start:stop] @ x[base:stop].T
        for t in range(start, stop):
            reach = min(window, t - base + 1)
            band[t, :reach] = block[t - start, t - base - reach + 1 : t - base + 1][::-1]
    return band


def _checked(decay: float) -> float:
    if not 0.0 < decay < 1.0:
        raise InvalidArgument(f"decay must lie in (0, 1), but is {decay!r}")
    return float(decay)
