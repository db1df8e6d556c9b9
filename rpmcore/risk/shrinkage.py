"""Covariance estimates that give up a little truth for a lot of stability.

Each takes `returns` (n_obs, n_assets) as `rpmcore.risk.covariance` does, and gives a symmetric positive semidefinite
matrix in squared return units per period.
"""

from math import isfinite
from typing import Any, Literal, NamedTuple

import numpy as np

from rpmcore.domain.arrays import Matrix, Vector, as_covariance, as_matrix, refuse, shaped
from rpmcore.domain.errors import InsufficientData, InvalidArgument, Undefined
from rpmcore.kernels import covariance as kernels
from rpmcore.risk.products import LOOPS_WIN_TO, cross_product

SQRT5 = 5.0**0.5
"""Half-width of the Epanechnikov kernel with unit variance."""


class Shrunk(NamedTuple):
    """A covariance matrix and the intensity with which it was shrunk, in [0, 1]."""

    covariance: Matrix
    intensity: float


Target = Literal["scaled_identity", "constant_correlation"]
"""What a covariance is shrunk toward."""


def ledoit_wolf(returns: Any, target: Target = "scaled_identity") -> Shrunk:
    """Return the covariance shrunk with the estimated optimal intensity of Ledoit and Wolf.

    Parameters
    ----------
    returns
        (n_obs, n_assets), see the module. N > T is allowed and is what the estimator is for.
    target
        ``scaled_identity``: δ m I + (1−δ) S with S = XcᵀXc/n, m = tr S/N, d² = ‖S − mI‖²_F/N,
        b² = min(d², Σ_t ‖x_t x_tᵀ − S‖²_F/(N n²)) and δ = b²/d². ``constant_correlation``: toward the sample variances
        with the mean correlation for all pairs, δ = clip((π̂ − ρ̂)/(γ̂ n), 0, 1), π̂ the summed asymptotic variances of
        s_ij, ρ̂ their summed covariances with the target, γ̂ its squared Frobenius distance from S. The divisor is n in
        both.

    Returns
    -------
    Shrunk
        The matrix and δ. One asset gives δ = 0, and so does a single pair under ``constant_correlation``.

    Raises
    ------
    InvalidArgument
        If `returns` is not a finite matrix or too large to be squared, or `target` is unknown.
    Undefined
        If the target is ``constant_correlation`` and an asset is constant.

    References
    ----------
    O. Ledoit and M. Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", *Journal of
    Multivariate Analysis* 88 (2004), section 3.2, lemmas 3.2 to 3.5; "Honey, I shrunk the sample covariance matrix",
    *Journal of Portfolio Management* 30 (2004), appendices A and B.
    """
    if target == "scaled_identity":
        return _toward_scaled_identity(shaped(returns, "returns", 2))
    if target == "constant_correlation":
        return _toward_constant_correlation(as_matrix(returns, "returns"))
    raise InvalidArgument(f"target must be 'scaled_identity' or 'constant_correlation', but is {target!r}")


def oas(returns: Any) -> Shrunk:
    """Return the oracle approximating shrinkage toward a multiple of the identity.

    δ = min(1, (α + m²)/((n+1)(α − m²/N))) with α the mean of the squared elements of S (divisor n) and m = tr S/N.
    This is scikit-learn's form: it leaves out the 2/N terms of the paper's equation 23, which vanish as N grows.

    Raises
    ------
    InvalidArgument
        If `returns` is not a finite matrix.

    References
    ----------
    Y. Chen, A. Wiesel, Y. Eldar and A. Hero, "Shrinkage algorithms for MMSE covariance estimation", *IEEE Transactions
    on Signal Processing* 58 (2010), equation 23.
    """
    x = as_matrix(returns, "returns")
    n_obs, n_assets = x.shape
    centred = x - x.mean(axis=0)
    cov: Matrix = cross_product(centred) / n_obs
    if n_assets == 1:
        return Shrunk(cov, 0.0)
    mean_variance = float(np.trace(cov)) / n_assets
    with np.errstate(over="ignore"):
        alpha = float(np.mean(cov**2))
    if not isfinite(alpha):
        refuse(returns=x)
    apart = (n_obs + 1.0) * (alpha - mean_variance**2 / n_assets)
    intensity = 1.0 if apart <= 0.0 else min((alpha + mean_variance**2) / apart, 1.0)
    cov *= 1.0 - intensity
    cov[np.diag_indices_from(cov)] += intensity * mean_variance
    return Shrunk(cov, intensity)


def shrink(cov: Any, intensity: float = 0.10, target: Literal["scaled_identity"] = "scaled_identity") -> Matrix:
    """Return (1 − δ) Σ + δ m I with a *fixed* intensity δ and m = tr Σ / N.

    This is not the Ledoit–Wolf estimator: that name means an estimated intensity, see `ledoit_wolf`.

    Parameters
    ----------
    cov
        (n_assets, n_assets), symmetric.
    intensity
        δ in [0, 1]: 0 leaves the matrix, 1 gives the target.
    target
        ``"scaled_identity"``.

    Raises
    ------
    InvalidArgument
        If an argument is out of its range.
    """
    matrix = as_covariance(cov)
    if not 0.0 <= intensity <= 1.0:
        raise InvalidArgument(f"intensity must lie in [0, 1], but is {intensity!r}")
    if target != "scaled_identity":
        raise InvalidArgument(f"target must be 'scaled_identity', but is {target!r}")
    shrunk = (1.0 - intensity) * matrix
    shrunk[np.diag_indices_from(shrunk)] += intensity * float(np.trace(matrix)) / matrix.shape[0]
    return shrunk


def nonlinear_shrinkage(returns: Any) -> Matrix:
    """Return the covariance with every eigenvalue shrunk by its own amount, analytically.

    The sample eigenvectors stay; each eigenvalue moves toward where the density of its neighbours pulls it, by the
    Hilbert transform of an Epanechnikov kernel estimate with a bandwidth proportional to the eigenvalue.

    Parameters
    ----------
    returns
        (n_obs, n_assets). N > T is allowed: the null eigenvalues get one positive value. With N < T, directions in
        which nothing varies (EURUSD, GBPUSD and EURGBP span two, not three) keep a variance of zero, and the others
        are shrunk among themselves: the estimator only sees the space that the returns span.

    Raises
    ------
    InvalidArgument
        If `returns` is not a finite matrix.
    InsufficientData
        Below 12 observations, as the paper's authors advise.
    Undefined
        If nothing varies; or for N ≥ T, if fewer than n_obs − 1 directions do: then a null eigenvalue may be one of the
        sample or one of the law, and nothing tells which.

    References
    ----------
    O. Ledoit and M. Wolf, "Analytical nonlinear shrinkage of large-dimensional covariance matrices", *Annals of
    Statistics* 48 (2020), section 4.7, equations 4.7 to 4.9, and appendix C for N > T.
    """
    x = as_matrix(returns, "returns")
    if x.shape[0] < 12:
        raise InsufficientData(f"nonlinear shrinkage needs at least 12 observations, but there are {x.shape[0]}")
    n, p = x.shape[0] - 1, x.shape[1]
    centred = x - x.mean(axis=0)
    values, vectors = np.linalg.eigh(cross_product(centred) / n)
    alive = int(np.count_nonzero(values > 1e-12 * values[-1])) if values[-1] > 0.0 else 0
    if alive == 0:
        raise Undefined("the returns do not vary, so there is no eigenvalue to shrink")
    if p >= n and alive < n:
        raise Undefined(
            f"the returns of {p} assets on {n + 1} rows vary in {alive} directions only: leave out copies and constant "
            "series, or give more rows than assets"
        )
    shrunk = np.zeros(p)
    shrunk[p - alive :], null = _shrunk_eigenvalues(values[p - alive :], n, p if p >= n else alive)
    shrunk[: p - alive] = null
    cov: Matrix = (vectors * shrunk) @ vectors.T
    return 0.5 * (cov + cov.T)


def _toward_scaled_identity(x: Matrix) -> Shrunk:
    n_obs, n_assets = x.shape
    if n_assets <= LOOPS_WIN_TO:
        cov = np.empty((n_assets, n_assets))
        intensity = kernels.ledoit_wolf(x, cov)
    else:
        centred = np.empty_like(x)
        fourth = kernels.centre(x, centred)
        if not isfinite(fourth):
            refuse(returns=x)
        cov = cross_product(centred)
        intensity = kernels.shrink_gram(cov, fourth, n_obs)
    if not isfinite(intensity):
        refuse(returns=x)
    return Shrunk(cov, intensity)


def _toward_constant_correlation(x: Matrix) -> Shrunk:
    n_obs, n_assets = x.shape
    centred = x - x.mean(axis=0)
    s: Matrix = cross_product(centred) / n_obs
    variance = np.diagonal(s).copy()
    constant = x.min(axis=0) == x.max(axis=0)
    if constant.any():
        raise Undefined(f"asset {int(constant.argmax())} is constant, so it has no correlation to shrink toward")
    if n_assets <= 2:
        return Shrunk(s, 0.0)  # a single pair has the mean correlation already
    deviation = np.sqrt(variance)
    correlation = s / np.outer(deviation, deviation)
    mean_correlation = (correlation.sum() - n_assets) / (n_assets * (n_assets - 1))
    target = mean_correlation * np.outer(deviation, deviation)
    target[np.diag_indices_from(target)] = variance

    squares = centred**2
    pi_matrix = cross_product(squares) / n_obs - s**2
    # Asymptotic covariance of s_ii with s_ij: E[(x_i² − s_ii)(x_i x_j − s_ij)] = E[x_i³ x_j] − s_ii s_ij.
    theta = (squares * centred).T @ centred / n_obs - variance[:, None] * s
    theta[np.diag_indices_from(theta)] = 0.0
    ratio = np.outer(1.0 / deviation, deviation)
    rho = np.trace(pi_matrix) + mean_correlation * float((ratio * theta).sum())
    gamma = float(((s - target) ** 2).sum())
    intensity = min(max((pi_matrix.sum() - rho) / (gamma * n_obs), 0.0), 1.0) if gamma > 0.0 else 0.0
    return Shrunk(intensity * target + (1.0 - intensity) * s, float(intensity))


FAR = 100.0
"""Distance from which on the Hilbert transform of the kernel is summed from its moments: the closed form cancels."""


def _hilbert_kernel(z: Matrix) -> Matrix:
    """Return the Hilbert transform of the Epanechnikov kernel of unit variance.

    Its closed form is a difference of two terms that grow like z, while it falls like 1/z: at z = 10⁸, a ratio of
    eigenvalues that a pegged currency has, nothing of it would be left. There −(1/πz) Σ m_j/zʲ with the moments
    m_2 = 1, m_4 = 15/7 and m_6 = 125/21 is exact to rounding.
    """
    near = np.abs(z) <= FAR
    inner = np.where(near, z, 0.0)
    edge = np.abs(np.abs(inner) - SQRT5) < 1e-12
    ratio = np.where(edge, 1.0, np.abs((SQRT5 - inner) / np.where(edge, 1.0, SQRT5 + inner)))
    closed = -0.3 / np.pi * inner + 0.75 / (SQRT5 * np.pi) * (1.0 - inner**2 / 5.0) * np.log(ratio)
    inverse = 1.0 / np.where(near, 1.0, z)
    square = inverse**2
    series = -inverse / np.pi * (1.0 + square * (1.0 + square * (15.0 / 7.0 + square * 125.0 / 21.0)))
    kernel: Matrix = np.where(near, closed, series)
    return kernel


def _shrunk_eigenvalues(kept: Vector, n: int, p: int) -> tuple[Vector, float]:
    """Return the shrunk values of the positive eigenvalues, and the one of the p − n null ones."""
    bandwidth = n ** (-1.0 / 3.0)
    widths = bandwidth * kept
    z = (kept[:, None] - kept[None, :]) / widths[None, :]
    density = (0.75 / SQRT5) * np.mean(np.maximum(1.0 - z**2 / 5.0, 0.0) / widths, axis=1)
    hilbert = np.mean(_hilbert_kernel(z) / widths, axis=1)
    if p <= n:
        c = p / n
        return kept / ((np.pi * c * kept * density) ** 2 + (1.0 - c - np.pi * c * kept * hilbert) ** 2), 0.0
    h = bandwidth
    at_zero = (
        (0.3 / h**2 + 0.75 / (SQRT5 * h) * (1.0 - 0.2 / h**2) * np.log((1.0 + SQRT5 * h) / (1.0 - SQRT5 * h)))
        / np.pi
        * np.mean(1.0 / kept)
    )
    null = 1.0 / (np.pi * (p - n) / n * at_zero)
    return kept / (np.pi**2 * kept**2 * (density**2 + hilbert**2)), float(null)
