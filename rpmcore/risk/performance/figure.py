"""A figure with its interval and the number of observations behind it, or the reason why it does not exist."""

from dataclasses import dataclass
from math import ceil, isfinite
from typing import Any

import numpy as np

from rpmcore.domain.arrays import Vector
from rpmcore.domain.errors import InvalidArgument
from rpmcore.risk.bootstrap import MOST_RESAMPLES

COVERAGE = 0.90
RESAMPLES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One statistic.

    Attributes
    ----------
    value
        None where it does not exist, with `value_reason`.
    lower, upper
        Its interval; None where there is none, with the reason.
    n
        Observations behind it: trades, or days.
    """

    value: float | None
    value_reason: str | None = None
    lower: float | None = None
    lower_reason: str | None = None
    upper: float | None = None
    upper_reason: str | None = None
    n: int


def undefined(reason: str, n: int) -> Figure:
    """Return the figure that does not exist for `reason`."""
    return Figure(value=None, value_reason=reason, lower_reason=reason, upper_reason=reason, n=n)


def fact(value: float, n: int) -> Figure:
    """Return a figure that was counted, not estimated."""
    reason = "it is what happened, not an estimate"
    return Figure(value=value, lower_reason=reason, upper_reason=reason, n=n)


def between(value: float, lower: float, upper: float, n: int) -> Figure:
    """Return the figure with the bounds that are finite."""
    reason = "the resamples set no bound on this side"
    return Figure(
        value=value,
        lower=lower if isfinite(lower) else None,
        lower_reason=None if isfinite(lower) else reason,
        upper=upper if isfinite(upper) else None,
        upper_reason=None if isfinite(upper) else reason,
        n=n,
    )


def ratios(gains: Vector, pains: Vector) -> Vector:
    """Return gains over pains, infinite where there is no pain, or one so small that the ratio is no number."""
    with np.errstate(over="ignore"):
        return np.where(pains > 0.0, gains / np.where(pains > 0.0, pains, 1.0), np.inf)


def percentile_bounds(figures: Vector, coverage: float) -> tuple[float, float]:
    """Return the order statistics of resampled figures that hold `coverage` between them; NaN beside NaN."""
    ordered = np.sort(figures)
    rank = max(1, ceil(round(0.5 * (1.0 - coverage) * ordered.shape[0], 9)))
    if np.isnan(ordered[-1]):
        return float("nan"), float("nan")
    return float(ordered[rank - 1]), float(ordered[-rank])


def check_resampling(coverage: float, resamples: Any, seed: Any) -> None:
    """Check the arguments that every bootstrap takes.

    Raises
    ------
    InvalidArgument
        Unless coverage lies in (0, 1), resamples in 20…1,000,000 and seed in [0, 2**64).
    """
    if not 0.0 < coverage < 1.0:
        raise InvalidArgument(f"coverage must lie in (0, 1), but is {coverage!r}")
    for name, value, least, most in (("resamples", resamples, 20, MOST_RESAMPLES), ("seed", seed, 0, 2**64 - 1)):
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise InvalidArgument(f"{name} must be a whole number from {least} to {most}, but is {value!r}")


def check_capital(capital: float) -> float:
    """Return the starting wealth if it is finite and greater than 0.

    Raises
    ------
    InvalidArgument
        Otherwise.
    """
    if isinstance(capital, bool) or not isinstance(capital, int | float) or not isfinite(capital) or capital <= 0.0:
        raise InvalidArgument(f"capital must be a finite number greater than 0, but is {capital!r}")
    return float(capital)
