"""Did the loss exceed the value at risk as often as it should?"""

from typing import Any

import numpy as np

from rpmcore.domain.arrays import Vector
from rpmcore.domain.errors import InvalidArgument
from rpmcore.kernels import backtesting as kernels
from rpmcore.risk.backtesting.probabilities import binomial_tail, chi_squared_tail
from rpmcore.risk.backtesting.result import SIGNIFICANCE, BacktestResult, check_significance, judged
from rpmcore.risk.backtesting.violations import as_hits, tail_of

AS_EXTREME = 1e-9
"""Ratios this close, relative to them, are one ratio reached by another sum."""


def kupiec(hits: Any, *, confidence: float, significance: float = SIGNIFICANCE) -> BacktestResult:
    """Test the rate of violations, both ways: a model that is never exceeded fails too, once there are days enough.

    LR_uc = 2 [x ln(x/(T p)) + (T−x) ln((T−x)/(T(1−p)))] with x violations in T days and p = 1 − confidence, against
    χ²(1). Sums of logarithms: the likelihoods themselves underflow at T in the thousands. 0 ln 0 is 0.

    The χ² law is an approximation, so that a model that is right fails more or less often than `significance`:
    ``detail["size"]`` is how often, exactly. The exact probabilities of the binomial law stand beside.

    Parameters
    ----------
    hits
        (n_obs,) of `violations`.
    confidence
        Of the value at risk, in (0.5, 1).

    Returns
    -------
    BacktestResult
        ``detail``: ``n_obs``, ``violations``, ``expected``, ``rate``, ``p_value_one_sided`` (the exact probability of
        so many or more), ``p_value_exact`` (of a ratio as large or larger) and ``size``.

    Raises
    ------
    InvalidArgument
        If an argument is out of its range.

    References
    ----------
    P. Kupiec, "Techniques for verifying the accuracy of risk measurement models", *Journal of Derivatives* 3 (1995),
    equation 6.
    """
    days, tail = as_hits(hits), tail_of(confidence)
    level = check_significance(significance)
    n, x = days.shape[0], int(np.count_nonzero(days))
    ratio = kernels.coverage_ratio(x, n, tail)
    probabilities, ratios = _law(n, tail)
    asymptotic = chi_squared_tail(ratio, 1)
    note = None
    if asymptotic <= level:
        direction = "more" if x > n * tail else "fewer"
        note = f"{direction} violations than a right model would have"
        if direction == "fewer":
            note += ": the value at risk is too high, not too low"
    return judged(
        "coverage",
        statistic=ratio,
        p_value=asymptotic,
        basis="chi-squared",
        asymptotic=asymptotic,
        significance=level,
        detail={
            "n_obs": n,
            "violations": x,
            "expected": n * tail,
            "rate": x / n,
            "p_value_one_sided": binomial_tail(x, n, tail),
            "p_value_exact": min(float(probabilities[ratios >= ratio * (1.0 - AS_EXTREME)].sum()), 1.0),
            "size": _size(probabilities, ratios, level),
        },
        note=note,
    )


def kupiec_size(n_obs: int, *, confidence: float, significance: float = SIGNIFICANCE) -> float:
    """Return how often a model that is right fails Kupiec's test: the sum of binomial probabilities that reject.

    Raises
    ------
    InvalidArgument
        If an argument is out of its range.
    """
    if isinstance(n_obs, bool) or not isinstance(n_obs, int) or n_obs < 1:
        raise InvalidArgument(f"n_obs must be a whole number of at least 1, but is {n_obs!r}")
    return _size(*_law(n_obs, tail_of(confidence)), check_significance(significance))


def _law(n: int, tail: float) -> tuple[Vector, Vector]:
    """Return the probability and the ratio of 0 to n violations."""
    from scipy.special import gammaln, xlog1py, xlogy

    x = np.arange(n + 1.0)
    kept = n - x
    log_probability = gammaln(n + 1.0) - gammaln(x + 1.0) - gammaln(kept + 1.0) + xlogy(x, tail) + xlog1py(kept, -tail)
    ratios = 2.0 * (xlogy(x, x / (n * tail)) + xlogy(kept, kept / n) - xlog1py(kept, -tail))
    return np.exp(log_probability), np.maximum(ratios, 0.0)


def _size(probabilities: Vector, ratios: Vector, significance: float) -> float:
    from scipy.special import chdtrc

    return min(float(probabilities[chdtrc(1.0, ratios) <= significance].sum()), 1.0)
