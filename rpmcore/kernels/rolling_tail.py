"""Value at risk and expected shortfall for every window of a history.

Element t of each result rests on the rows t … t + window − 1. No running sum is ever taken down again, so that
nothing of a row is left once it has gone: not its rounding either.
"""

import math

import numpy as np
from numpy.typing import NDArray

from rpmcore.kernels import student_t as laws
from rpmcore.kernels import student_t_fit as fits
from rpmcore.kernels._jit import kernel
from rpmcore.kernels.summation import sum_in_this_order
from rpmcore.kernels.tail import measures_of_worst, ranks, sort_between, worst_returns

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]

SPARE = 16
"""Worst returns kept beyond one and a half times those needed: more make each change dearer, fewer run short."""

DEFINED, CONSTANT, TIES, NOT_RESOLVED, NO_MEAN = 0, 1, 2, 3, 4
"""What a window says of its Student-t fit, and of the expected shortfall if all else is defined."""


@kernel("(f8[::1], i8, f8, f8, f8[::1], f8[::1])")
def historical(
    returns: Vector, window: int, k: float, place: float, value_at_risk: Vector, expected_shortfall: Vector
) -> None:
    """Write the VaR and ES of every window as `tail.historical` does of it: the same bits up to FEW losses in the tail.

    With more, which lie sorted here and not there, the ES differs by the rounding of a sum.

    Only the worst returns of the window are kept, sorted: a row that comes or goes beyond them costs a comparison.
    Going rows shorten the list, coming ones lengthen it; where it no longer holds what is needed it is filled again.
    The measures are taken anew from the list when its needed part changes, a few times the tail's share of dates.
    """
    needed = ranks(k, place)[2]
    whole = math.floor(k)
    capacity = min(window, needed + needed // 2 + SPARE)
    worst = np.empty(capacity + 1)
    size = 0
    for t in range(value_at_risk.shape[0]):
        touched = capacity
        if t > 0:
            gone, come = returns[t - 1], returns[t + window - 1]
            if gone <= worst[size - 1]:
                touched = remove(worst, size, gone)
                size -= 1
            # A list of all the others takes any row; else what lies beyond the list may be milder than the row.
            if size == window - 1 or (size > 0 and come < worst[size - 1]):
                touched = min(touched, insert(worst, size, come))
                size = min(size + 1, capacity)
        if size < needed:
            size = refill(returns[t : t + window], capacity, worst)
            touched = 0
        if touched < needed:
            total = sum_in_this_order(worst[:whole])
            value_at_risk[t], expected_shortfall[t] = measures_of_worst(worst, k, place, total)
        else:
            value_at_risk[t], expected_shortfall[t] = value_at_risk[t - 1], expected_shortfall[t - 1]


@kernel("(f8[::1], i8, f8[::1])")
def refill(returns: Vector, capacity: int, worst: Vector) -> int:
    """Write the `capacity` smallest returns, sorted, and return how many."""
    buffer, found = worst_returns(returns, capacity)
    sort_between(buffer, 0, found)
    for i in range(capacity):
        worst[i] = buffer[i]
    return capacity


@kernel("(f8[::1], i8, f8)")
def remove(ordered: Vector, size: int, value: float) -> int:
    """Take `value`, which is there, out of the first `size` sorted elements; return its place."""
    place = 0
    for i in range(size):
        place += ordered[i] < value
    for i in range(place, size - 1):
        ordered[i] = ordered[i + 1]
    return place


@kernel("(f8[::1], i8, f8)")
def insert(ordered: Vector, size: int, value: float) -> int:
    """Put `value` among the first `size` sorted elements, which has room for one more; return its place."""
    place = 0
    for i in range(size):
        place += ordered[i] < value
    for i in range(size, place, -1):
        ordered[i] = ordered[i - 1]
    ordered[place] = value
    return place


@kernel("(f8[::1], i8, f8[::1], f8[::1])")
def moments(returns: Vector, window: int, means: Vector, variances: Vector) -> None:
    """Write the mean and the variance (divisor window − 1) of every window ≥ 2.

    Rows fall into blocks of one window. A window is the end of one block and the beginning of the next; the moments
    of both grow by Welford's recurrence and are joined by that of Chan, Golub and LeVeque ("Algorithms for computing
    the sample variance", *The American Statistician* 37 (1983), equation 1.5a). Nothing is ever subtracted.
    """
    n_windows = means.shape[0]
    end_means, end_squares = np.empty(window), np.empty(window)
    for start in range(0, n_windows, window):
        mean, squares = 0.0, 0.0
        for i in range(window - 1, -1, -1):
            value = returns[start + i]
            apart = value - mean
            mean += apart / (window - i)
            squares += apart * (value - mean)
            end_means[i], end_squares[i] = mean, squares
        means[start], variances[start] = mean, squares / (window - 1)
        mean, squares = 0.0, 0.0
        for i in range(1, min(window, n_windows - start)):
            value = returns[start + window + i - 1]
            apart = value - mean
            mean += apart / i
            squares += apart * (value - mean)
            between = mean - end_means[i]
            share = i / window
            means[start + i] = end_means[i] + between * share
            joined = end_squares[i] + squares + between * between * share * (window - i)
            variances[start + i] = joined / (window - 1)


@kernel("(f8[::1], i8, f8, f8[::1], f8[::1], i8[::1])")
def student_t(
    returns: Vector, window: int, tail: float, value_at_risk: Vector, expected_shortfall: Vector, codes: Codes
) -> None:
    """Write VaR and ES of the Student-t law fitted to every window, NaN where undefined, with a code why.

    Each fit starts afresh. From its neighbour's optimum a climb may end on another maximum than the highest.
    """
    for t in range(value_at_risk.shape[0]):
        x = returns[t : t + window]
        value_at_risk[t] = expected_shortfall[t] = np.nan
        ties = fits.commonest_above_a_third(x)
        if ties > 0:
            codes[t] = CONSTANT if ties == window else TIES
            continue
        location, scale, kappa, log_likelihood, _ = fits.fit(x)
        if not (math.isfinite(log_likelihood) and fits.resolved(x, scale)):
            codes[t] = NOT_RESOLVED
            continue
        dof = 1.0 / kappa if kappa > 0.0 else np.inf
        value_at_risk[t] = -location + scale * laws.upper_quantile(tail, dof)
        codes[t] = DEFINED if dof > 1.0 else NO_MEAN
        if dof > 1.0:
            expected_shortfall[t] = -location + scale * laws.standard_shortfall(tail, dof)
