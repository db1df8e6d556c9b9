"""Reverse stress: the most plausible scenario in which a book loses a given amount."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Any

import numpy as np

from rpmcore.domain.arrays import Matrix, Vector, as_covariance, as_vector
from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.kernels.student_t import tail_probability
from rpmcore.risk.factor_model import NEGATIVE, ROUNDING, FactorModel, checked_parts
from rpmcore.risk.stress.conditional import undiversified_variance

FARTHEST = 1e100
"""Distances are cut here before their probability is asked for: it is zero in float64 long before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenLimit:
    """A limit that the scenario breaks, and where on the way to it.

    Attributes
    ----------
    loss
        Above this loss, as a fraction of capital, the limit is broken.
    share
        `loss` over that of the scenario: the scenario scaled by it breaks the limit.
    distance
        Mahalanobis distance of the scaled scenario, which is the most plausible one with that loss.
    """

    name: str
    loss: float
    share: float
    distance: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReverseStress:
    """The most plausible scenario with a given loss, in fractions of capital; a loss is positive.

    Attributes
    ----------
    loss
        As it was asked for.
    symbols, returns
        (N,) the scenario: linear returns of the holdings in account currency.
    losses
        (N,), −weight · return; they sum to `loss`.
    factor_names, factor_returns
        Those of a scenario in factor space, else None.
    volatility
        Of the book, or of its part that the factors explain.
    distance
        Mahalanobis distance of the scenario, loss / volatility. No other scenario with this loss is nearer.
    probability_normal, probability_student_t
        Of a loss at least this large in one period, under each law with this volatility and mean zero. One-sided, of
        the book's P&L: not of this scenario, whose own probability is nil.
    dof
        Degrees of freedom of the Student-t law.
    beyond_total
        Instruments whose return in the scenario is below −100 %, which no price of a share can do: the loss asked for
        is more than a linear scenario can tell.
    broken_limits
        Those broken on the way, first the one that breaks first.
    """

    loss: float
    symbols: tuple[str, ...]
    returns: Vector
    losses: Vector
    factor_names: tuple[str, ...] | None
    factor_returns: Vector | None
    volatility: float
    distance: float
    probability_normal: float
    probability_student_t: float
    dof: float
    beyond_total: tuple[str, ...]
    broken_limits: tuple[BrokenLimit, ...]


def reverse_stress(
    weights: Any,
    cov: Any,
    loss: float,
    *,
    symbols: Sequence[str],
    dof: float,
    limits: Mapping[str, float] | None = None,
) -> ReverseStress:
    """Return the scenario of the smallest Mahalanobis distance √(rᵀΣ⁻¹r) among those with −wᵀr = `loss`.

    It is r* = −Σw · loss/σ², at the distance loss/σ, where σ² = wᵀΣw. Under every elliptical law with mean zero it is
    the point of the highest density with that loss, and the conditional mean of returns given the loss. It exists for a
    singular Σ too, among the scenarios that Σ allows.

    Parameters
    ----------
    weights
        (N,), signed market value / capital.
    cov
        (N, N), symmetric positive semidefinite, per period.
    loss
        Positive, as a fraction of capital.
    symbols
        (N,).
    dof
        ν > 2 of the Student-t law, whose scale is σ√((ν−2)/ν), so that both laws have the volatility σ.
    limits
        By name the loss above which each is broken, as a fraction of capital and not negative.

    Raises
    ------
    InvalidArgument
        If shapes do not fit, an argument is out of its range, or `cov` is not positive semidefinite.
    Undefined
        If the book has no volatility: no scenario of these returns makes it lose.

    References
    ----------
    T. Breuer, M. Jandačka, K. Rheinberger and M. Summer, "How to find plausible, severe, and useful stress scenarios",
    *International Journal of Central Banking* 5 (2009), section 3; A.J. McNeil and A.D. Smith, "Multivariate stress
    scenarios and solvency", *Insurance: Mathematics and Economics* 50 (2012), section 3, for elliptical laws.
    """
    held, matrix = as_vector(weights, "weights"), as_covariance(cov)
    if not len(symbols) == held.shape[0] == matrix.shape[0]:
        raise InvalidArgument(
            f"there are {len(symbols)} symbol(s) and {held.shape[0]} weight(s), but cov has {matrix.shape[0]} asset(s)"
        )
    returns, volatility = _nearest(held, matrix, loss, "the book has no volatility")
    return _result(held, returns, volatility, loss, tuple(symbols), dof, limits or {})


def reverse_factor_stress(
    weights: Any, model: FactorModel, loss: float, *, dof: float, limits: Mapping[str, float] | None = None
) -> ReverseStress:
    """Return the scenario of the smallest Mahalanobis distance in factor space, with specific returns at zero.

    f* = −F b · loss/(bᵀFb) with the exposures b = Bᵀw, and returns B f*. It is farther than that of `reverse_stress`
    under the covariance of the model, because specific returns would have helped.

    Parameters
    ----------
    weights
        (N,), signed market value / capital, in the order of the model's symbols.
    model
        See `rpmcore.risk.factor_model.estimate_factor_model`.
    loss, dof, limits
        As in `reverse_stress`; probabilities are those of a loss from the factors alone.

    Raises
    ------
    InvalidArgument
        As `reverse_stress`.
    Undefined
        If the factors do not move the book.
    """
    held, (b, f, _) = as_vector(weights, "weights"), checked_parts(model)
    if held.shape[0] != b.shape[0]:
        raise InvalidArgument(f"weights has {held.shape[0]} element(s), but the model has {b.shape[0]} asset(s)")
    exposures = held @ b
    exposures[np.abs(exposures) <= ROUNDING * (np.abs(held) @ np.abs(b))] = 0.0
    factors, volatility = _nearest(exposures, f, loss, "the factors do not move the book")
    return _result(held, b @ factors, volatility, loss, model.symbols, dof, limits or {}, model.factor_names, factors)


def _nearest(exposures: Vector, cov: Matrix, loss: float, still: str) -> tuple[Vector, float]:
    if not (loss > 0.0 and isfinite(loss)):
        raise InvalidArgument(f"loss must be positive and finite, but is {loss!r}")
    unhedged = undiversified_variance(exposures, cov)
    product = cov @ exposures
    variance = float(exposures @ product)
    if variance < -NEGATIVE * unhedged:
        raise InvalidArgument(
            f"cov is not positive semidefinite: the variance of the book is {variance!r}; repair it with the nearest "
            "correlation matrix"
        )
    if variance <= ROUNDING * unhedged:
        raise Undefined(f"{still}, so no scenario makes it lose {loss:.2%}")
    return -product * (loss / variance), sqrt(variance)


def _result(
    held: Vector,
    returns: Vector,
    volatility: float,
    loss: float,
    symbols: tuple[str, ...],
    dof: float,
    limits: Mapping[str, float],
    factor_names: tuple[str, ...] | None = None,
    factor_returns: Vector | None = None,
) -> ReverseStress:
    if not dof > 2.0:
        raise InvalidArgument(f"dof must be above 2 for a finite volatility, but is {dof!r}")
    distance = loss / volatility
    near = min(distance, FARTHEST)
    return ReverseStress(
        loss=loss,
        symbols=symbols,
        returns=returns,
        losses=-held * returns,
        factor_names=factor_names,
        factor_returns=factor_returns,
        volatility=volatility,
        distance=distance,
        probability_normal=float(tail_probability(near, np.inf)),
        probability_student_t=float(tail_probability(near / sqrt(1.0 - 2.0 / dof), dof)),
        dof=dof,
        beyond_total=tuple(s for s, r in zip(symbols, returns.tolist(), strict=True) if r < -1.0),
        broken_limits=_broken(limits, loss, distance),
    )


def _broken(limits: Mapping[str, float], loss: float, distance: float) -> tuple[BrokenLimit, ...]:
    for name, limit in limits.items():
        if not (limit >= 0.0 and isfinite(limit)):
            raise InvalidArgument(f"the limit {name!r} must be a loss that is not negative, but is {limit!r}")
    passed = sorted(((limit, name) for name, limit in limits.items() if limit < loss), key=lambda pair: pair[0])
    return tuple(
        BrokenLimit(name=name, loss=limit, share=limit / loss, distance=distance * (limit / loss))
        for limit, name in passed
    )
