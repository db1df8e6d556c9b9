"""Factor stress: a few returns are given, and the rest follows by what usually goes with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Any

import numpy as np

from rpmcore.domain.arrays import Matrix, Vector, as_covariance, as_vector
from rpmcore.domain.errors import InvalidArgument, nearest
from rpmcore.risk.factor_model import NEGATIVE, FactorModel, checked_parts

TOLERANCE = 1e-4
"""A shocked series of which the other shocked ones leave less than this share of the variance is set by them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConditionalStress:
    """A book under given returns of some of its instruments; a loss is positive, in fractions of capital.

    Attributes
    ----------
    symbols
        (N,).
    shocks
        The returns that were given.
    returns
        (N,) expected given the shocks; those of shocked instruments are the shocks, to the bit.
    losses
        (N,), −weight · return.
    loss
        Their sum.
    residual_volatility
        Standard deviation of the book's return around −loss, given the shocks, under the normal law. Under a Student-t
        law of ν degrees of freedom with the same covariance it is √((ν − 2 + d²)/(ν − 2 + m)) times as large, for m
        shocks at distance d: far shocks come with a large mixing variable.
    volatility
        The same without any knowledge.
    distance
        Mahalanobis distance d of the shocks, √(sᵀ Σ_SS⁻¹ s): how many standard deviations away they are together.
    """

    symbols: tuple[str, ...]
    shocks: dict[str, float]
    returns: Vector
    losses: Vector
    loss: float
    residual_volatility: float
    volatility: float
    distance: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConditionalFactorStress:
    """A book under given returns of some factors; a loss is positive, in fractions of capital.

    Attributes
    ----------
    factor_names, factor_returns
        (K,), expected given the shocks.
    symbols, shocks, returns, losses, loss, distance
        As in `ConditionalStress`; `shocks` are those of factors.
    residual_volatility
        Of the book around −loss: from `factor_residual_volatility`, of the factors that were not shocked, and
        `specific_volatility`, which no factor explains; their squares sum to its.
    volatility
        The same without any knowledge.
    """

    factor_names: tuple[str, ...]
    factor_returns: Vector
    symbols: tuple[str, ...]
    shocks: dict[str, float]
    returns: Vector
    losses: Vector
    loss: float
    factor_residual_volatility: float
    specific_volatility: float
    residual_volatility: float
    volatility: float
    distance: float


def conditional_stress(
    weights: Any, cov: Any, shocks: Mapping[str, float], symbols: Sequence[str]
) -> ConditionalStress:
    """Return E[r | r_S = s] = Σ_·S Σ_SS⁻¹ s, what a book loses by it, and what is left uncertain.

    That is the conditional mean under every elliptical law with covariance Σ and mean zero, and the best linear
    forecast under any.

    Parameters
    ----------
    weights
        (N,), signed market value / capital.
    cov
        (N, N), symmetric positive semidefinite, per period. It may be stressed. A shrunk one leaves EURGBP a variance
        of its own beside EURUSD and GBPUSD, and so takes shocks that no prices could show.
    shocks
        Return by symbol, as a decimal, of the *holding* in account currency, which is what a covariance of
        `rpmcore.risk.valuation.ReturnPanel` is of.
    symbols
        (N,), each once, in the order of `weights`.

    Raises
    ------
    InvalidArgument
        If shapes do not fit; a shock is not finite or names nothing; a shocked instrument has no variance, or less than
        `TOLERANCE` of it is left given the other shocked ones, so that the shocks could contradict each other; or `cov`
        is not positive semidefinite.

    References
    ----------
    A.J. McNeil, R. Frey and P. Embrechts, *Quantitative Risk Management*, 2nd ed. 2015, sections 6.1.3 (normal) and
    6.3.3 (elliptical laws); P.H. Kupiec, "Stress testing in a value at risk framework", *Journal of Derivatives* 6
    (1998); P. Ding, "On the conditional distribution of the multivariate t distribution", *The American Statistician*
    70 (2016), for the Student-t law.
    """
    held, matrix = as_vector(weights, "weights"), as_covariance(cov)
    found = _condition(held, matrix, shocks, tuple(symbols), "instrument")
    losses = -held * found.expected
    return ConditionalStress(
        symbols=tuple(symbols),
        shocks=dict(shocks),
        returns=found.expected,
        losses=losses,
        loss=float(losses.sum()),
        residual_volatility=sqrt(found.residual_variance),
        volatility=sqrt(found.variance),
        distance=found.distance,
    )


def conditional_factor_stress(weights: Any, model: FactorModel, shocks: Mapping[str, float]) -> ConditionalFactorStress:
    """Return what a book loses when some factors are shocked, the others follow, and specific returns stay zero.

    The factors that are not shocked take their conditional mean under the factor covariance F, assets r = B f.

    Parameters
    ----------
    weights
        (N,), signed market value / capital, in the order of the model's symbols.
    model
        See `rpmcore.risk.factor_model.estimate_factor_model`.
    shocks
        Return by factor name, as a decimal.

    Raises
    ------
    InvalidArgument
        As `conditional_stress`, of factors.
    """
    held, (b, f, d) = as_vector(weights, "weights"), checked_parts(model)
    if held.shape[0] != b.shape[0]:
        raise InvalidArgument(f"weights has {held.shape[0]} element(s), but the model has {b.shape[0]} asset(s)")
    found = _condition(held @ b, f, shocks, model.factor_names, "factor")
    returns = b @ found.expected
    losses = -held * returns
    specific = float(held * held @ d)
    return ConditionalFactorStress(
        factor_names=model.factor_names,
        factor_returns=found.expected,
        symbols=model.symbols,
        shocks=dict(shocks),
        returns=returns,
        losses=losses,
        loss=float(losses.sum()),
        factor_residual_volatility=sqrt(found.residual_variance),
        specific_volatility=sqrt(specific),
        residual_volatility=sqrt(found.residual_variance + specific),
        volatility=sqrt(found.variance + specific),
        distance=found.distance,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Conditioned:
    expected: Vector
    residual_variance: float
    variance: float
    distance: float


def undiversified_variance(exposures: Vector, cov: Matrix) -> float:
    """Return (|w|·σ)², the variance if nothing offset anything: the measure of what is rounding in a variance.

    Raises
    ------
    InvalidArgument
        If it is too large for a number.
    """
    with np.errstate(over="ignore"):
        variance = float(np.square(np.abs(exposures) @ np.sqrt(np.diagonal(cov))))
    if not isfinite(variance):
        raise InvalidArgument("weights and cov overflow when multiplied: are they fractions, 0.01 for 1 %?")
    return variance


def _condition(
    exposures: Vector, cov: Matrix, shocks: Mapping[str, float], names: tuple[str, ...], what: str
) -> _Conditioned:
    if not len(names) == exposures.shape[0] == cov.shape[0]:
        raise InvalidArgument(
            f"there are {len(names)} name(s) and {exposures.shape[0]} exposure(s), but cov has {cov.shape[0]} {what}(s)"
        )
    if len(set(names)) < len(names):
        raise InvalidArgument(f"the names of {what}s must differ, but are {names[:8]}")
    given, s = _places(shocks, names, what)
    scale = undiversified_variance(exposures, cov)
    deviations = np.sqrt(np.diagonal(cov)[given])
    whitening = _whitening(cov, given, deviations, [names[i] for i in given], what)
    z = whitening @ s
    expected: Vector = cov[:, given] @ (whitening.T @ z)
    expected[given] = s
    rest = np.setdiff1d(np.arange(len(names)), given)
    # What is shocked is certain. Only the rest enters, so that rounding of the shocked part cannot stand for risk.
    alone = float(exposures[rest] @ cov[np.ix_(rest, rest)] @ exposures[rest])
    explained = whitening @ (cov[np.ix_(given, rest)] @ exposures[rest])
    return _Conditioned(
        expected=expected,
        residual_variance=_variance(alone - float(explained @ explained), scale, what),
        variance=_variance(float(exposures @ cov @ exposures), scale, what),
        distance=float(np.sqrt(z @ z)),
    )


def _places(shocks: Mapping[str, float], names: tuple[str, ...], what: str) -> tuple[Any, Vector]:
    if not shocks:
        raise InvalidArgument(f"shocks must give the return of at least one {what}")
    for name, shock in shocks.items():
        if name not in names:
            meant = nearest(name, names)
            hint = f"did you mean {meant!r}?" if meant else f"known are {', '.join(names[:20])}"
            raise InvalidArgument(f"there is no {what} {name!r} to shock; {hint}")
        if not isfinite(shock):
            raise InvalidArgument(f"the shock of {name!r} must be finite, but is {shock!r}")
    return np.array([names.index(name) for name in shocks]), np.array(list(shocks.values()), dtype=np.float64)


def _whitening(cov: Matrix, given: Any, deviations: Vector, names: list[str], what: str) -> Matrix:
    """Return W with WᵀW = Σ_SS⁻¹, by the eigenvalues of the correlations, which tell what is collinear."""
    still = [name for name, deviation in zip(names, deviations, strict=True) if deviation == 0.0]
    if still:
        raise InvalidArgument(f"{', '.join(still)}: nothing can follow from shocks of {what}s without variance")
    correlation = cov[np.ix_(given, given)] / np.outer(deviations, deviations)
    eigenvalues, vectors = np.linalg.eigh(correlation)
    if eigenvalues[0] < -NEGATIVE:
        raise InvalidArgument(
            f"cov is not positive semidefinite: the correlations of {', '.join(names)} have the eigenvalue "
            f"{eigenvalues[0]:.3g}; repair it with the nearest correlation matrix"
        )
    # The share of its variance that the others leave is the inverse of the diagonal of the inverse.
    left = 1.0 / (vectors**2 / np.maximum(eigenvalues, 1e-300)).sum(axis=1)
    if left.min() < TOLERANCE:
        least = f"{float(left.min()):.1e}" if left.min() > NEGATIVE else "nothing"
        bound = [name for name, share in zip(names, left.tolist(), strict=True) if share < TOLERANCE]
        raise InvalidArgument(
            f"{', '.join(bound)}: the returns of these {what}s determine each other (the others leave {least} of a "
            "variance), so their shocks could contradict; leave one out"
        )
    whitening: Matrix = vectors.T / np.sqrt(eigenvalues)[:, None] / deviations
    return whitening


def _variance(variance: float, scale: float, what: str) -> float:
    """Return a variance, or zero where rounding of what is almost certain took it below."""
    if variance < -NEGATIVE * scale:
        raise InvalidArgument(
            f"cov is not positive semidefinite: the variance of these {what}s is {variance!r}; repair it with the "
            "nearest correlation matrix"
        )
    return max(0.0, variance)
