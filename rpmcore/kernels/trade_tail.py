"""The tail of past P&L after one more trade: its measures, and the largest trade that keeps each below a target.

`pnl` are past returns of the book at today's weights and `asset` those of one asset, both (n_obs,); a trade of `size`
x on `side` s = ±1 makes pnl + s x asset of them. A loss is minus a return. Four numbers tell what binds of the tail:

`k`        number of observations in the tail, 0 < k ≤ n_obs;
`place`    of the interpolated VaR among the worst losses, −1 for the order statistic ⌈k⌉ (see `tail.historical`);
`harsher`  rank of the order statistic that bounds the VaR from above, 0 for the VaR itself;
`width`    standard errors added to the expected shortfall, 0 for none.

Everything is serial and in a fixed order: the same numbers give the same bits on any number of threads.
"""

import math

import numpy as np
from numpy.typing import NDArray

from rpmcore.kernels import tail
from rpmcore.kernels._jit import kernel

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

ROUNDING = 1e-12
"""As `rpmcore.risk.limits.ROUNDING`: a loss is at the measure where it differs by no more than this share."""

NEWTON_STEPS = 100
"""Far more than the pieces that Newton's method visits, which are rarely ten."""

MARCH_STEPS = 250
"""Steps toward a target from below where only the steepest possible rise is known."""

SHRINKINGS = 48
"""How often a size that rounding took above its target is made smaller, each time by twice as much."""


@kernel("(f8[::1], f8[:, ::1], f8[::1])")
def book_returns(weights: Vector, by_asset: Matrix, pnl: Vector) -> None:
    """Write the returns of the book into `pnl` (n_obs,), `by_asset` being (n_assets, n_obs)."""
    for t in range(pnl.shape[0]):
        pnl[t] = 0.0
    for i in range(weights.shape[0]):
        add(pnl, by_asset[i], weights[i], pnl)


@kernel("(f8[::1], f8[::1], f8, f8, f8[::1])")
def add_worst(pnl: Vector, asset: Vector, down: float, up: float, out: Vector) -> None:
    """Write into `out` pnl plus, on each day, the worst return of a position anywhere from `down` to `up`."""
    for t in range(pnl.shape[0]):
        out[t] = pnl[t] + min(down * asset[t], up * asset[t])


@kernel("(f8[::1], f8[::1], f8, f8[::1])")
def add(pnl: Vector, asset: Vector, change: float, out: Vector) -> None:
    """Write pnl + change · asset into `out`."""
    for t in range(pnl.shape[0]):
        out[t] = pnl[t] + change * asset[t]


@kernel("(f8[::1], f8, f8, i8, f8)")
def figures(pnl: Vector, k: float, place: float, harsher: int, width: float) -> tuple[float, float]:
    """Return what binds of VaR and ES; NaN where a return is not finite, or a single loss has no standard error."""
    worst, value_at_risk, shortfall = tail.measures(pnl, k, place, 0, harsher)
    if np.isnan(value_at_risk):
        return np.nan, np.nan
    if harsher > 0:
        value_at_risk = max(value_at_risk, 0.0 - worst[harsher - 1])
    if width > 0.0:
        shortfall += width * tail.shortfall_error(worst, k, k / pnl.shape[0])
    return value_at_risk, shortfall


@kernel("(f8[:, ::1], i8, i8, f8, f8, i8, f8)")
def worst_figures(
    books: Matrix, var_from: int, es_to: int, k: float, place: float, harsher: int, width: float
) -> tuple[float, float]:
    """Return the largest VaR of the rows from `var_from` on and the largest ES of those before `es_to`.

    Each row holds the returns of one outcome of the working orders. Both are NaN where a return is not finite.
    """
    value_at_risk, shortfall = -np.inf, -np.inf
    for row in range(books.shape[0]):
        v, e = figures(books[row], k, place, harsher, width)
        if np.isnan(v):
            return np.nan, np.nan
        if row >= var_from:
            value_at_risk = max(value_at_risk, v)
        if row < es_to:
            # A NaN stays: every book lacks the standard error of a single loss, or none.
            shortfall = e if np.isnan(e) else max(shortfall, e)
    return value_at_risk, shortfall


@kernel("(f8[:, ::1], i8, i8, f8[::1], f8, f8, f8, f8, f8, i8, f8, f8, f8)")
def after_and_largest(
    books: Matrix,
    var_from: int,
    es_to: int,
    asset: Vector,
    side: float,
    size: float,
    smallest: float,
    k: float,
    place: float,
    harsher: int,
    width: float,
    var_target: float,
    es_target: float,
) -> tuple[float, float, float, float]:
    """Return VaR and ES after the trade as `worst_figures` does, and the largest size that each target lets pass.

    The largest size is the top of the interval of passing sizes that holds the smallest one, `smallest` or, where that
    is 0, every size small enough; ``inf`` where it has no top, 0 where the smallest does not pass. A target that is
    NaN lets nothing pass. Intervals that hold the same size meet in one that does, with the lowest of their tops.
    """
    changed = np.empty(asset.shape[0])
    value_at_risk, shortfall = -np.inf, -np.inf
    var_largest, es_largest = np.inf, np.inf
    swept = place < 0.0 or 0 < harsher <= math.floor(place) + 1
    rank = harsher if harsher > 0 else math.ceil(k)
    for row in range(books.shape[0]):
        pnl = books[row]
        add(pnl, asset, side * size, changed)
        v, e = figures(changed, k, place, harsher, width)
        if np.isnan(v):
            return np.nan, np.nan, 0.0, 0.0
        if row >= var_from:
            value_at_risk = max(value_at_risk, v)
            if np.isnan(var_target):
                found = 0.0
            elif swept:
                found = largest_by_sweep(pnl, asset, side, smallest, rank, var_target, changed)
            else:
                found = largest_by_march(
                    pnl, asset, side, smallest, k, place, harsher, width, False, var_target, changed
                )
            var_largest = min(var_largest, found)
        if row < es_to:
            shortfall = e if np.isnan(e) else max(shortfall, e)
            if np.isnan(es_target) or np.isnan(e):
                found = 0.0
            elif width > 0.0:
                found = largest_by_march(pnl, asset, side, smallest, k, place, harsher, width, True, es_target, changed)
            else:
                found = largest_by_newton(pnl, asset, side, smallest, k, es_target, changed)
            es_largest = min(es_largest, found)
    return value_at_risk, shortfall, var_largest, es_largest


@kernel("(f8[::1], f8[::1], f8, f8, i8, f8, f8[::1])")
def largest_by_sweep(
    pnl: Vector, asset: Vector, side: float, smallest: float, rank: int, target: float, work: Vector
) -> float:
    """Return the largest size at which the loss number `rank` does not exceed `target`; exact.

    It exceeds the target where `rank` losses do. Each loss is linear in the size and passes the target once, so that
    the sizes at which losses rise above it, less those at which others fall below, count up to the answer. The sweep
    starts at the smallest size. Fewer than `rank` losses exceed there, so fewer than `rank` fall later, and no more
    than the `rank` first rises matter.
    """
    n, edge = pnl.shape[0], 0.0 - target
    falls = np.empty(rank)
    above, n_rises, n_falls = 0, 0, 0
    for t in range(n):
        slope = side * asset[t]
        if pnl[t] + smallest * slope < edge:
            # A loss at the measure that must fall, and does, is below it from the first size on.
            if smallest == 0.0 and slope > 0.0 and pnl[t] >= edge * (1.0 + 3.0 * ROUNDING):
                continue
            above += 1
            if above >= rank:
                return 0.0
            if slope > 0.0:
                falls[n_falls] = (edge - pnl[t]) / slope
                n_falls += 1
        elif slope < 0.0:
            work[n_rises] = (edge - pnl[t]) / slope
            n_rises += 1
    needed = rank - above
    if n_rises < needed:
        return np.inf
    kept = min(n_rises, needed + n_falls)
    if kept <= tail.FEW:
        tail.sort_smallest(work, n_rises, kept)
    else:
        tail.select(work, 0, n_rises, kept - 1)
        tail.sort_between(work, 0, kept)
    found: float = work[needed - 1]
    while True:
        fallen = 0
        for i in range(n_falls):
            fallen += falls[i] <= found
        if needed + fallen > n_rises:
            return np.inf
        if work[needed + fallen - 1] <= found:
            break
        found = work[needed + fallen - 1]
    step = 2.0**-53
    for _ in range(SHRINKINGS):
        if found <= smallest:
            break
        if found == np.inf or count_below(pnl, asset, side * found, edge) < rank:
            return found
        found -= found * step
        step *= 2.0
    return smallest


@kernel("(f8[::1], f8[::1], f8, f8)")
def count_below(pnl: Vector, asset: Vector, change: float, edge: float) -> int:
    """Return how many returns after the change lie below `edge`."""
    count = 0
    for t in range(pnl.shape[0]):
        count += pnl[t] + change * asset[t] < edge
    return count


@kernel("(f8[::1], f8[::1], f8, f8, f8, f8, f8[::1])")
def largest_by_newton(
    pnl: Vector, asset: Vector, side: float, smallest: float, k: float, target: float, changed: Vector
) -> float:
    """Return the largest size at which the expected shortfall does not exceed `target`.

    ES is convex and piecewise linear in the size. From a size at which it is too large, the root of its tangent is
    smaller and never below the answer, and after finitely many pieces it is the answer. ES(l + x d) ≥ x ES(d) − ES(−l)
    by subadditivity (Acerbi and Tasche 2002, proposition 3.1) gives the first size; where ES(d) ≤ 0 the measure never
    rises.
    """
    n, highest = pnl.shape[0], 0.0
    if smallest > 0.0 and shortfall_after(pnl, asset, side * smallest, k, changed) > target:
        return 0.0
    for t in range(n):
        changed[t] = side * asset[t]
        highest = max(highest, abs(asset[t]))
    rise = tail.value_at_risk_and_shortfall(changed, k, -1.0)[1]
    if rise <= 0.0:
        if smallest > 0.0 or shortfall_after(pnl, asset, 0.0, k, changed) <= target:
            return np.inf
        # It must fall: a convex function that never rises falls at once, or nowhere.
        far = 0.0 if highest == 0.0 else target / highest
        return np.inf if shortfall_after(pnl, asset, side * far, k, changed) <= target else 0.0
    for t in range(n):
        changed[t] = -pnl[t]
    size = min((target + tail.value_at_risk_and_shortfall(changed, k, -1.0)[1]) / rise, 1e300 / max(1.0, highest))
    for _ in range(NEWTON_STEPS):
        if size <= smallest:
            return smallest
        add(pnl, asset, side * size, changed)
        value, intercept, slope = tangent(pnl, asset, changed, k)
        slope *= side
        if value <= target:
            break
        if slope <= 0.0:
            return smallest
        root = (target - intercept) / slope
        if root >= size:
            break
        size = root
    step = 2.0**-53
    for _ in range(SHRINKINGS):
        if size <= smallest:
            break
        if shortfall_after(pnl, asset, side * size, k, changed) <= target:
            return size
        size -= size * step
        step *= 2.0
    return smallest


@kernel("(f8[::1], f8[::1], f8, f8, f8[::1])")
def shortfall_after(pnl: Vector, asset: Vector, change: float, k: float, changed: Vector) -> float:
    """Return ES after the change; overwrites `changed`."""
    add(pnl, asset, change, changed)
    value: float = tail.value_at_risk_and_shortfall(changed, k, -1.0)[1]
    return value


@kernel("(f8[::1], f8[::1], f8[::1], f8)")
def tangent(pnl: Vector, asset: Vector, changed: Vector, k: float) -> tuple[float, float, float]:
    """Return ES of the `changed` returns, and intercept and slope of a tangent in the change.

    Losses equal to the last one of the tail share its weight, which gives a subgradient.
    """
    edge, value = tail.value_at_risk_and_shortfall(changed, k, -1.0)
    edge = 0.0 - edge
    beyond, base, slope = 0, 0.0, 0.0
    equal, equal_base, equal_slope = 0, 0.0, 0.0
    for t in range(changed.shape[0]):
        if changed[t] < edge:
            beyond += 1
            base += pnl[t]
            slope += asset[t]
        elif changed[t] == edge:
            equal += 1
            equal_base += pnl[t]
            equal_slope += asset[t]
    share = (k - beyond) / equal
    return value, (0.0 - base - share * equal_base) / k, (0.0 - slope - share * equal_slope) / k


@kernel("(f8[::1], f8[::1], f8, f8, f8, f8, i8, f8, b1, f8, f8[::1])")
def largest_by_march(
    pnl: Vector,
    asset: Vector,
    side: float,
    smallest: float,
    k: float,
    place: float,
    harsher: int,
    width: float,
    of_shortfall: bool,
    target: float,
    changed: Vector,
) -> float:
    """Return a size up to which no measure exceeds `target`: at most the largest, and near it.

    For an interpolated VaR, and for an ES with its standard error, which are neither convex nor told by a count. With
    the steepest rise they can have, each step from below stays below. Sorted losses rise by no more than the largest
    rise of a single one, and the distances between them by no more than the range D of the rises; the standard error
    is a seminorm of those distances, at most D √[(r/(r−1) + (1 − tail)((r−1)/k)²)/k], r = ⌈k⌉.
    """
    n, most, least = pnl.shape[0], -np.inf, np.inf
    for t in range(n):
        rise = -side * asset[t]
        most, least = max(most, rise), min(least, rise)
    rate = max(most, 0.0)
    if of_shortfall:
        rank = math.ceil(k)
        part = (rank - 1) / k
        rate += width * (most - least) * math.sqrt((rank / (rank - 1) + (1.0 - k / n) * part * part) / k)
    size, passing, last = smallest, 0.0, 0.0
    for step in range(MARCH_STEPS):
        add(pnl, asset, side * size, changed)
        v, e = figures(changed, k, place, harsher, width)
        gap = target - (e if of_shortfall else v)
        if step == 0 and not gap >= 0.0 and size == 0.0 and rate > 0.0:
            # It must fall: the first size at which a fall can be told from rounding.
            size = 1e-9 * target / rate
            continue
        if not gap >= 0.0:
            break
        if rate == 0.0:
            return np.inf
        passing = size
        if gap <= min(last, ROUNDING * abs(target)):
            break
        last = gap
        size += gap / rate * (1.0 - ROUNDING)
    return passing
