"""Factors found in the returns themselves: what the market leaves over, in order of importance."""

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from rpmcore.domain.arrays import Matrix, Vector, as_matrix, as_vector
from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.risk.regression import least_squares, observation_weights

VANISHING = 1e-10
"""An eigenvalue of a correlation matrix below this share of the number of assets is rounding."""

TIE = 1e-9
"""Loadings within this share of the largest count as large as it, so that rounding cannot turn a sign."""

BISECTIONS = 50
"""Halvings that find the edge to rounding: it is a minimum, so that an error in u counts by its square."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StatisticalFactors:
    """The market, where one is given, and principal components of what it does not explain.

    Attributes
    ----------
    returns
        (n_obs, K). The market as given; components have a mean of zero and the market's standard deviation.
    names
        (K,) ``market``, ``PC1``, ``PC2`` …
    rule
        Why so many components, in words.
    edge
        What the largest eigenvalue of the correlation matrix of independent series tends to; see `noise_edge`.
    eigenvalues
        Of the kept components, largest first; together with those left out they sum to the number of assets in the
        analysis.
    n_assets
        Assets in the analysis; those that are constant, or that the market explains exactly, are left out.
    """

    returns: Matrix
    names: tuple[str, ...]
    rule: str
    edge: float
    eigenvalues: Vector
    n_assets: int


def market_and_components(
    returns: Any, market: Any = None, *, n_components: int | None = None, decay: float | None = None
) -> StatisticalFactors:
    """Return the market and the principal components of the assets' residual correlation.

    Each asset is regressed on the market and an intercept (without a market, its mean is taken off), the residuals are
    divided by their standard deviations, and their correlation matrix is decomposed. Components are in the sample
    uncorrelated with the market and with each other. The sign of each makes its largest absolute loading positive; of
    loadings equal to 1e-9, that of the first asset counts.

    Parameters
    ----------
    returns
        (n_obs, n_assets), simple returns per period as decimals, oldest row first, without NaN. The market may be one
        of the assets.
    market
        (n_obs,) returns of the market, or None.
    n_components
        How many; if not given, those whose eigenvalue lies beyond the Marchenko–Pastur edge, at most as many as leave a
        regression on all factors one observation to spare. Noise alone passes the edge in about one sample of ten.
    decay
        λ of the weights λ^age in means, variances and correlations. If not given, all rows count alike.

    Returns
    -------
    StatisticalFactors
        Each component is scaled to the standard deviation of the market, or without one to the mean of the assets' in
        the analysis, so that exposures to it compare with betas.

    Raises
    ------
    InvalidArgument
        If an argument is not finite or out of its range, the market is constant, or there are fewer components than
        asked for.
    InsufficientData
        If there are too few rows for a regression on the market.
    Undefined
        If no market is given and no component is kept: nothing is common to the assets.

    References
    ----------
    L. Laloux, P. Cizeau, J.-P. Bouchaud and M. Potters, "Noise dressing of financial correlation matrices", *Physical
    Review Letters* 83 (1999). V. Marchenko and L. Pastur, "Distribution of eigenvalues for some sets of
    random matrices", *Mathematics of the USSR-Sbornik* 1 (1967).
    """
    x = as_matrix(returns, "returns")
    weights = observation_weights(x.shape[0], decay)
    given = np.empty((x.shape[0], 0)) if market is None else as_vector(market, "market")[:, None]
    names = ("market",) if market is not None else ()
    fit = least_squares(x, given, weights, names)
    alive = fit.residual_moments > 0.0
    deviations = np.sqrt(fit.residual_moments[alive])
    standardised = fit.residuals[:, alive] / deviations
    n_assets, effective = int(alive.sum()), 1.0 / float(weights @ weights)
    edge = noise_edge(n_assets, weights)
    eigenvalues, vectors = _principal(np.sqrt(weights)[:, None] * standardised)
    most = _most_components(eigenvalues, n_assets, effective, len(names))
    kept, rule = _kept(eigenvalues, edge, most, n_components, n_assets, effective)
    if kept == 0 and market is None:
        raise Undefined(
            f"the assets have no factor in common: {rule}; give a market, or the number of components to keep anyway"
        )
    size = _deviation(given[:, 0], weights) if market is not None else float(deviations.mean())
    # The variance of a component of standardised residuals is its eigenvalue.
    components = standardised @ (_signed(vectors[:, :kept]) * (size / np.sqrt(eigenvalues[:kept])))
    return StatisticalFactors(
        returns=np.ascontiguousarray(np.hstack((given, components))),
        names=(*names, *(f"PC{i}" for i in range(1, kept + 1))),
        rule=rule,
        edge=edge,
        eigenvalues=eigenvalues[:kept],
        n_assets=n_assets,
    )


def noise_edge(n_assets: int, weights: Vector) -> float:
    """Return the upper edge of the eigenvalues of Σ_t w_t z_t z_tᵀ, z_t (n_assets,) independent with unit variance.

    It is the smallest of z(u) = 1/u + Σ_t w_t/(1 − N w_t u) over 0 < u < 1/(N max w): with equal weights
    (1 + √(N/T))². Under exponential weights it lies above that with the effective number of observations in place of
    T, by an eighth with 100 assets at λ = 0.98: noise would pass the lower one in four samples of five.

    Parameters
    ----------
    n_assets
        N, 0 or more.
    weights
        (n_obs,) not negative, summing to one.

    References
    ----------
    V. Marchenko and L. Pastur, "Distribution of eigenvalues for some sets of random matrices", *Mathematics of the
    USSR-Sbornik* 1 (1967), which allows any weights. S. Pafka, M. Potters and I. Kondor, "Exponential weighting and
    random-matrix-theory-based filtering of financial covariance matrices for portfolio optimization", 2004, for
    exponential ones.
    """
    if n_assets == 0:
        return 1.0
    largest = float(weights.max())
    relative = weights / largest
    low, high = 0.0, 1.0  # of v = N max(w) u; z is convex, and its slope has the sign of what is bisected
    for _ in range(BISECTIONS):
        v = 0.5 * (low + high)
        if float(np.sum((v * relative / (1.0 - v * relative)) ** 2)) > n_assets:
            high = v
        else:
            low = v
    v = low
    return n_assets * largest / v + float(np.sum(weights / (1.0 - v * relative)))


def _principal(x: Matrix) -> tuple[Vector, Matrix]:
    """Return the eigenvalues of xᵀx that rounding cannot have made, largest first, and their vectors in columns.

    The smaller of xᵀx and xxᵀ is decomposed: they share these eigenvalues, and xᵀ takes vectors from one to the other.
    """
    if x.shape[1] == 0:
        return np.empty(0), np.empty((0, 0))
    wide = x.shape[1] > x.shape[0]
    values, vectors = np.linalg.eigh(x @ x.T if wide else x.T @ x)
    counted = values[::-1] > VANISHING * x.shape[1]
    values, vectors = values[::-1][counted], vectors[:, ::-1][:, counted]
    return values, x.T @ vectors / np.sqrt(values) if wide else vectors


def _most_components(eigenvalues: Vector, n_assets: int, effective: float, n_given: int) -> int:
    """Return how many components exist and leave a regression on them and the market an observation to spare."""
    to_spare = int(effective + 1e-9) - 2 - n_given
    return max(0, min(n_assets - 1, to_spare, len(eigenvalues)))


def _kept(
    eigenvalues: Vector, edge: float, most: int, asked: int | None, n_assets: int, effective: float
) -> tuple[int, str]:
    """Return how many components to keep, and why."""
    if asked is not None:
        if not 0 <= asked <= most:
            raise InvalidArgument(
                f"n_components must lie between 0 and {most}, the most that {n_assets} asset(s) that vary on "
                f"{effective:.4g} observations allow, but is {asked}"
            )
        return asked, f"{asked} component(s), as asked for"
    beyond = int(np.count_nonzero(eigenvalues > edge))
    rule = (
        f"{beyond} eigenvalue(s) beyond the Marchenko–Pastur edge of {edge:.3g} for {n_assets} asset(s) on "
        f"{effective:.4g} observations"
    )
    return (beyond, rule) if beyond <= most else (most, f"{rule}, of which {most} leave a regression possible")


def _signed(vectors: Matrix) -> Matrix:
    sizes = np.abs(vectors)
    if not sizes.size:
        return vectors
    first = np.argmax(sizes >= (1.0 - TIE) * sizes.max(axis=0), axis=0)
    signs: Matrix = np.where(np.take_along_axis(vectors, first[None, :], axis=0) < 0.0, -1.0, 1.0)
    return vectors * signs


def _deviation(series: Vector, weights: Vector) -> float:
    return sqrt(float(weights @ (series - weights @ series) ** 2))
