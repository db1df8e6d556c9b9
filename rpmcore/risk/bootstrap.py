"""Confidence intervals from resamples of a series, for any figure that is read from it.

References
----------
B. Efron and R. Tibshirani, *An Introduction to the Bootstrap*, 1993, section 13.3: the percentile interval.
D. Politis and J. Romano, "A circular block-resampling procedure for stationary data", in *Exploring the Limits of
Bootstrap*, 1992.
"""

from collections.abc import Callable, Sequence
from math import ceil
from typing import Any

import numpy as np

from rpmcore.domain.arrays import Vector, as_vector
from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.kernels import bootstrap as kernels
from rpmcore.risk.student_t import check_interval

Interval = tuple[float, float]

MOST_RESAMPLES = 1_000_000


def bootstrap_intervals(
    statistic: Callable[[Vector], Sequence[float]],
    rows: Any,
    *,
    coverage: float = 0.90,
    resamples: int = 1000,
    block: int = 1,
    seed: int,
) -> tuple[Interval, ...]:
    """Return the percentile interval of each figure of `statistic`.

    The bounds are order statistics of the resampled figures. A percentile interval keeps what the figures keep: that a
    variance is positive, that expected shortfall exceeds value at risk. Far in the tail of a short series it covers
    less than it says, as no resample holds a loss that the series does not.

    Parameters
    ----------
    statistic
        Gives one or more numbers for a series; the vector it is given is overwritten afterwards.
    rows
        (n_obs,) in their order, without NaN.
    coverage
        In (0, 1).
    resamples
        From 20 to 1,000,000.
    block
        Rows that stay together, 1 to n_obs: 1 for independent rows; for rows that overlap or depend, more than the
        reach of the dependence.
    seed
        In [0, 2**64). The same seed gives the same bits, and more resamples begin with the same ones.

    Raises
    ------
    Undefined
        If a figure is NaN for a resample, or `statistic` says so.
    InvalidArgument
        If an argument is out of its range.
    """
    x = as_vector(rows, "rows")
    check_interval(coverage)
    for name, value, least, most in (
        ("resamples", resamples, 20, MOST_RESAMPLES),
        ("block", block, 1, x.shape[0]),
        ("seed", seed, 0, 2**64 - 1),
    ):
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise InvalidArgument(f"{name} must be a whole number from {least} to {most}, but is {value!r}")
    resample = np.empty_like(x)
    found = []
    for replicate in range(resamples):
        kernels.resample(x, np.uint64(seed), np.uint64(replicate), block, resample)
        found.append(tuple(statistic(resample)))
    figures = np.sort(np.array(found, dtype=np.float64), axis=0)
    if np.isnan(figures).any():
        raise Undefined("a resample has no such figure, so there is no interval")
    rank = max(1, ceil(round(0.5 * (1.0 - coverage) * resamples, 9)))
    return tuple(zip(figures[rank - 1].tolist(), figures[resamples - rank].tolist(), strict=True))
