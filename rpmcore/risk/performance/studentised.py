"""The studentised bootstrap of a mean: its interval, and the test that it is above 0."""

from math import ceil, sqrt
from typing import Any, NamedTuple

import numpy as np

from rpmcore.domain.arrays import as_vector
from rpmcore.domain.errors import InsufficientData, Undefined
from rpmcore.kernels import performance as kernels
from rpmcore.risk.performance.figure import COVERAGE, RESAMPLES, check_resampling
from rpmcore.risk.performance.unit import unit_of


class StudentisedMean(NamedTuple):
    """Mean, bounds (infinite where resamples set none), and the p-value of a mean of at most 0 against a higher one."""

    mean: float
    lower: float
    upper: float
    p_value: float


def studentised_mean(
    rows: Any, *, coverage: float = COVERAGE, resamples: int = RESAMPLES, seed: int
) -> StudentisedMean:
    """Return the mean of independent rows with its bootstrap-t interval and one-sided p-value.

    The law of t = (x̄ − μ)/(s/√n) is taken from resamples, t* = (x̄* − x̄)/(s*/√n). Bounds are x̄ − t*·s/√n at the two
    order statistics; p = (1 + #{t* ≥ x̄√n/s})/(1 + resamples). The interval follows the skewness of the rows, which the
    one of Student does not. Rows that depend on each other make it too narrow.

    Parameters
    ----------
    rows
        (n_obs,) with n_obs ≥ 2, without NaN.
    coverage
        In (0, 1).
    resamples
        From 20 to 1,000,000.
    seed
        In [0, 2**64). The same seed gives the same bits.

    Raises
    ------
    InsufficientData
        If there is one row.
    Undefined
        If all rows are equal: nothing says how far they could have been from each other.
    InvalidArgument
        If an argument is out of its range.

    References
    ----------
    B. Efron and R. Tibshirani, *An Introduction to the Bootstrap*, 1993, section 12.5; the p-value: A. Davison and
    D. Hinkley, *Bootstrap Methods and their Application*, 1997, equation 4.11.
    """
    x = as_vector(rows, "rows")
    check_resampling(coverage, resamples, seed)
    n = x.shape[0]
    if n < 2:
        raise InsufficientData("a deviation needs 2 rows, but there is 1")
    unit = unit_of(x)
    x = x / unit
    mean, deviation = kernels.mean_and_deviation(x)
    error = deviation / sqrt(n)
    if error == 0.0:
        raise Undefined(f"all {n} rows are {unit * mean:g}: they say nothing of how much they could vary")
    drawn = np.empty(resamples)
    kernels.studentised_means(x, np.uint64(seed), drawn)
    # A resample can be as far out as the rows themselves; rounding, and thereby the unit, must not decide which is.
    found = mean / error
    p_value = (1.0 + float((drawn >= found - kernels.TIE * max(abs(found), 1.0)).sum())) / (1.0 + resamples)
    drawn.sort()
    rank = max(1, ceil(round(0.5 * (1.0 - coverage) * resamples, 9)))
    lower, upper = mean - float(drawn[-rank]) * error, mean - float(drawn[rank - 1]) * error
    return StudentisedMean(unit * mean, unit * lower, unit * upper, p_value)
