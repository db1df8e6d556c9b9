"""The shape of past P&L: how often each size of gain and loss came, and what the laws behind the figures expect."""

from dataclasses import dataclass
from math import exp, lgamma, log, pi, sqrt

import numpy as np

from rpmcore.domain.arrays import Vector, as_vector
from rpmcore.domain.errors import InsufficientData, InvalidArgument, Undefined
from rpmcore.risk.extreme_value import fit_generalised_pareto, threshold_excesses
from rpmcore.risk.student_t import StudentTFit
from rpmcore.risk.value_at_risk import Quantile, historical

POINTS = 241
"""Of each curve."""

NO_VOLATILITY = "the book has no volatility"


@dataclass(frozen=True, slots=True, kw_only=True)
class PnlShape:
    """Past P&L and the laws fitted to it, on one scale: returns to a bin.

    Attributes
    ----------
    n_obs, edges, counts
        Of the histogram; `edges` has one element more.
    grid
        (`POINTS`,) P&L at which the curves are told.
    normal, student_t, tail
        Returns that the law expects in a bin around each point of `grid`. The normal law has the volatility of the
        covariance and mean zero; the generalised Pareto law begins at `threshold` and is None on the other side of it.
    threshold, tail_shape
        P&L (negative) beyond which the tail was fitted, and the shape ξ of the law.
    confidence, value_at_risk, expected_shortfall
        Historical, over the span of the returns; a loss is positive.
    """

    n_obs: int
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    grid: tuple[float, ...]
    normal: tuple[float, ...] | None
    normal_reason: str | None = None
    student_t: tuple[float, ...] | None
    student_t_reason: str | None = None
    tail: tuple[float | None, ...] | None
    tail_reason: str | None = None
    threshold: float | None
    threshold_reason: str | None = None
    tail_shape: float | None
    tail_shape_reason: str | None = None
    confidence: float
    value_at_risk: float
    expected_shortfall: float


def pnl_shape(
    pnl: Vector,
    *,
    edges: tuple[float, ...],
    counts: tuple[int, ...],
    volatility: float,
    fit: StudentTFit | None,
    fit_reason: str | None,
    tail_share: float,
    confidence: float,
    quantile: Quantile = "inverse_cdf",
) -> PnlShape:
    """Return past P&L beside the laws that stand behind the figures.

    Parameters
    ----------
    pnl
        (n_obs,) P&L over capital, each over the span of the returns.
    edges, counts
        Its histogram, of bins of one width.
    volatility
        Of the normal law, over the same span.
    fit, fit_reason
        The Student-t law fitted to `pnl`, or why there is none.
    tail_share
        Share of the losses that is taken for the tail.
    confidence, quantile
        Of the historical VaR and ES.

    Raises
    ------
    InvalidArgument
        If an argument is out of its range.
    Undefined
        If the P&L is constant: it has no shape.

    References
    ----------
    A.J. McNeil, R. Frey and P. Embrechts, *Quantitative Risk Management*, 2nd ed. 2015: sections 2.2 and 5.2.
    """
    x = as_vector(pnl, "pnl")
    if float(np.ptp(x)) == 0.0 or max(counts) == len(x):
        raise Undefined("the P&L never moves: it has no shape")
    if sum(counts) != len(x) or len(edges) != len(counts) + 1:
        raise InvalidArgument(
            f"{len(counts)} counts of {sum(counts)} do not fit {len(edges)} edges and {len(x)} returns"
        )
    width = (edges[-1] - edges[0]) / len(counts)
    grid = np.linspace(edges[0] - 2.0 * width, edges[-1] + 2.0 * width, POINTS)
    scale, past = len(x) * width, historical(x, confidence, quantile=quantile)
    tail, threshold, shape, no_tail = _tail(x, grid, tail_share, width)
    return PnlShape(
        n_obs=len(x),
        edges=edges,
        counts=counts,
        grid=tuple(grid.tolist()),
        normal=tuple((scale * normal_density(grid, volatility)).tolist()) if volatility > 0.0 else None,
        normal_reason=NO_VOLATILITY,
        student_t=None if fit is None else tuple((scale * student_t_density(grid, fit)).tolist()),
        student_t_reason=fit_reason,
        tail=tail,
        tail_reason=no_tail,
        threshold=threshold,
        threshold_reason=no_tail,
        tail_shape=shape,
        tail_shape_reason=no_tail,
        confidence=confidence,
        value_at_risk=past.value_at_risk,
        expected_shortfall=_known(past.expected_shortfall),
    )


def normal_density(x: Vector, volatility: float) -> Vector:
    """Return the density of the normal law of mean zero at x (n,), in 1/unit of x."""
    return np.exp(-0.5 * (x / volatility) ** 2) / (volatility * sqrt(2.0 * pi))


def student_t_density(x: Vector, fit: StudentTFit) -> Vector:
    """Return the density of a fitted Student-t law at x (n,), in 1/unit of x; normal where ν is infinite."""
    z = (x - fit.location) / fit.scale
    if fit.practically_normal:
        return normal_density(z, 1.0) / fit.scale
    constant = lgamma(0.5 * (fit.dof + 1.0)) - lgamma(0.5 * fit.dof) - 0.5 * log(fit.dof * pi)
    density: Vector = exp(constant) / fit.scale * (1.0 + z**2 / fit.dof) ** (-0.5 * (fit.dof + 1.0))
    return density


def generalised_pareto_density(y: Vector, shape: float, scale: float) -> Vector:
    """Return the density of excesses y ≥ 0 (n,), in 1/unit of y; zero beyond the end of a law that has one."""
    if shape == 0.0:
        return np.exp(-y / scale) / scale
    inner = np.maximum(1.0 + shape * y / scale, 0.0)
    with np.errstate(divide="ignore"):
        density: Vector = np.where(inner > 0.0, inner ** (-1.0 / shape - 1.0), 0.0) / scale
    return density


def _tail(
    pnl: Vector, grid: Vector, tail_share: float, width: float
) -> tuple[tuple[float | None, ...] | None, float | None, float | None, str | None]:
    """Return the expected counts beyond the threshold, it, and the shape; or why there are none."""
    threshold, excesses = threshold_excesses(-pnl, tail_share)
    try:
        fit = fit_generalised_pareto(excesses)
    except (InvalidArgument, InsufficientData, Undefined) as error:
        return None, None, None, f"no law can be fitted to the tail: {error}"
    beyond = -grid - threshold
    counts = len(excesses) * width * generalised_pareto_density(np.maximum(beyond, 0.0), fit.shape, fit.scale)
    told = tuple(
        count if excess >= 0.0 else None for count, excess in zip(counts.tolist(), beyond.tolist(), strict=True)
    )
    return told, -threshold, fit.shape, None


def _known(shortfall: float | None) -> float:
    assert shortfall is not None  # noqa: S101 - the historical one is a mean of losses that are there
    return shortfall
