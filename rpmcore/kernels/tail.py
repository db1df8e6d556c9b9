"""The worst of many returns: order statistics of the tail without sorting the rest."""

import math

import numpy as np
from numpy.typing import NDArray

from rpmcore.kernels._jit import kernel
from rpmcore.kernels.summation import sum_in_any_order, sum_in_this_order

Vector = NDArray[np.float64]

FEW = 64
"""Up to this many values an insertion sort is faster than partitioning."""

SAMPLE = 32
"""Returns that show where the tail of few returns begins."""

ROWS, COLUMNS = 8, 32
"""Shape of the block in which the filter works; 2 KB stay in the first cache for the second look."""


@kernel("(f8[::1], f8, f8)")
def value_at_risk_and_shortfall(returns: Vector, k: float, place: float) -> tuple[float, float]:
    """Return value at risk and expected shortfall as `historical` does, and nothing else."""
    return measures(returns, k, place, 0, 0)[1:]


@kernel("(f8[::1], f8, f8, i8, i8)")
def historical(returns: Vector, k: float, place: float, milder: int, harsher: int) -> tuple[float, ...]:
    """Return VaR, ES, its standard error and two order statistics of the losses, all from one pass.

    With L(i) the i-th worst of the losses −returns: VaR = L(⌈k⌉) where `place` is negative, else the line between
    L(i) and L(i+1) at place + 1; ES = (L(1) + … + L(⌊k⌋) + (k − ⌊k⌋) L(⌈k⌉)) / k; then its error, L(milder) and
    L(harsher). It needs 0 < k ≤ n, ⌈k⌉ − 1 ≤ ⌊place⌋ + 1 ≤ ⌈k⌉ and harsher ≤ ⌈k⌉ ≤ milder ≤ n; rank 0 stands for
    none, and gives NaN. All are NaN where a return is not finite.
    """
    worst, value_at_risk, expected_shortfall = measures(returns, k, place, milder, harsher)
    if np.isnan(value_at_risk):
        return np.nan, np.nan, np.nan, np.nan, np.nan
    upper = 0.0 - worst[harsher - 1] if harsher > 0 else np.nan
    lower = 0.0 - worst[milder - 1] if milder > 0 else np.nan
    return value_at_risk, expected_shortfall, shortfall_error(worst, k, k / returns.shape[0]), lower, upper


@kernel("(f8[::1], f8, f8, i8, i8)")
def measures(returns: Vector, k: float, place: float, milder: int, harsher: int) -> tuple[Vector, float, float]:
    """Return the worst returns, those at the ranks of `historical` in place, then VaR and ES."""
    near, rank, far = ranks(k, place)
    needed = max(far, milder)
    worst, size = worst_returns(returns, needed)
    if size < 0:
        return worst, np.nan, np.nan
    if needed <= FEW:
        sort_smallest(worst, size, needed)
    else:
        # From the mildest to the harshest: each selection leaves what is worse in front, where the next one works.
        stop = size
        for wanted in (needed, min(far, milder), rank, near, harsher):
            if 0 < wanted <= stop:
                select(worst, 0, stop, wanted - 1)
                stop = wanted - 1
        if k <= FEW:
            sort_between(worst, 0, math.floor(k))
    value_at_risk, expected_shortfall = measures_of_worst(
        worst, k, place, sum_of_sorted_or_many(worst[: math.floor(k)])
    )
    return worst, value_at_risk, expected_shortfall


@kernel("(f8, f8)")
def ranks(k: float, place: float) -> tuple[int, int, int]:
    """Return the ranks that `historical` needs: two for the VaR, in the middle the ⌈k⌉ of the ES, the mildest last."""
    rank = math.ceil(k)
    if place < 0.0:
        return rank, rank, rank
    whole = math.floor(place)
    return whole + 1, rank, whole + 2 if place > whole else rank


@kernel("(f8[::1], f8, f8, f8)")
def measures_of_worst(worst: Vector, k: float, place: float, total_of_whole: float) -> tuple[float, float]:
    """Return VaR and ES from the worst returns, those at `ranks` in place, and the sum of the ⌊k⌋ worst."""
    near, rank, far = ranks(k, place)
    value_at_risk = 0.0 - worst[near - 1]
    if place >= 0.0:
        share = place - math.floor(place)
        between = (1.0 - share) * worst[near - 1] + share * worst[far - 1]
        value_at_risk = 0.0 - min(max(between, worst[near - 1]), worst[far - 1])
    total = (k - math.floor(k)) * (0.0 - worst[rank - 1]) - total_of_whole
    # No loss in the mean is smaller, and the mean is not below VaR; rounding could make it so.
    return value_at_risk, max(total / k, 0.0 - worst[rank - 1], value_at_risk)


@kernel("(f8[::1], f8, f8)")
def shortfall_error(worst: Vector, k: float, tail: float) -> float:
    """Return the standard error of the expected shortfall, NaN where k ≤ 1; overwrites the worst returns.

    √[(s² + (1 − tail)(ES − VaR)²)/k], s² the variance of the ⌈k⌉ worst losses (Manistre and Hancock, "Variance of the
    CTE estimator", *North American Actuarial Journal* 9 (2005), equation 3), with VaR = L(⌈k⌉).
    """
    if k <= 1.0:
        return np.nan
    rank = math.ceil(k)
    edge = worst[rank - 1]
    excess = worst[: rank - 1]
    for i in range(rank - 1):
        excess[i] = edge - excess[i]
    total = sum_of_sorted_or_many(excess)
    for i in range(rank - 1):
        excess[i] *= excess[i]
    variance = max(0.0, sum_of_sorted_or_many(excess) - total * total / rank) / (rank - 1)
    apart = total / k
    return math.sqrt((variance + (1.0 - tail) * apart * apart) / k)


@kernel("(f8[::1],)")
def sum_of_sorted_or_many(values: Vector) -> float:
    """Return the sum to the same bits whatever the order was: of a few, which are sorted, or of many."""
    return sum_in_this_order(values) if values.shape[0] <= FEW else sum_in_any_order(values)


@kernel("(f8[::1], i8)")
def worst_returns(returns: Vector, count: int) -> tuple[Vector, int]:
    """Return a buffer that begins with the `count` smallest returns among a few more, unsorted, and how many.

    An evenly spaced sample gives a pivot near the rank. One pass without branches keeps what lies at or below it.
    Where that is too little, the pivot is raised: a pass over few returns is cheap; over many, a margin of 2.5
    deviations makes it rare. The number is −1 if a return is not finite.
    """
    n = returns.shape[0]
    small = n < 2000
    size = min(n, SAMPLE if small else min(4 * int(math.sqrt(n)), 4096))
    # Pages of fresh memory cost more than the numbers in them: there is room for twice what should be kept, no more.
    room = n if small else min(n, 2 * count + 8 * (n // size))
    kept = np.empty(room + ROWS * COLUMNS + size)
    sample = kept[room + ROWS * COLUMNS :]
    for i in range(size):
        sample[i] = returns[i * n // size]
    expected = count * size / n
    index = int(expected + 0.5) if small else int(expected + 2.5 * math.sqrt(expected))
    found = 0
    while 0 <= found < count:
        pivot = np.inf
        if index < size:
            if small:
                sort_smallest(sample, size, index + 1)
            else:
                select(sample, 0, size, index)
            pivot = sample[index]
        found = keep_at_or_below(returns, pivot, kept, room)
        if found > room:
            # The sample misled, or many returns equal the pivot.
            kept = np.empty(n + ROWS * COLUMNS)
            found = keep_at_or_below(returns, pivot, kept, n)
        index += 1 if small else index + 1
    return kept, found


@kernel("(f8[::1], f8, f8[::1], i8)")
def keep_at_or_below(returns: Vector, pivot: float, kept: Vector, room: int) -> int:
    """Write the returns at or below `pivot` to the front of `kept`; return how many, or −1 if one is not finite.

    It may stop once it has found more than `room`; `kept` has a block more than that.
    """
    n = returns.shape[0]
    start = n - n % (ROWS * COLUMNS)
    found = np.uint64(0)
    if start > 0:
        in_blocks, finite_sum = keep_in_blocks(returns[:start], pivot, kept, room)
        found = np.uint64(in_blocks)
        # A finite sum proves every term finite; large terms may overflow it, hence the second look.
        if not abs(finite_sum) < np.inf and count_finite(returns) < n:
            return -1
        if in_blocks > room:
            return in_blocks
    for i in range(start, n):
        value = returns[i]
        kept[found] = value
        found += np.uint64(value <= pivot)
    if count_finite(returns[start:]) < n - start:
        return -1
    return np.int64(found)  # type: ignore[return-value]


@kernel("(f8[::1], f8, f8[::1], i8)")
def keep_in_blocks(returns: Vector, pivot: float, kept: Vector, room: int) -> tuple[int, float]:
    """Do the work of `keep_at_or_below` for whole blocks; return how many were kept, and the sum of all returns.

    A block is read as ROWS × COLUMNS. The smallest of each column are taken side by side, which vectorises; only the
    columns whose smallest lies at or below the pivot, few in a tail, are looked at one by one. The places are
    unsigned: they need no look whether they count from the end.
    """
    smallest, sums = np.empty(COLUMNS), np.zeros(COLUMNS)
    columns = np.empty(COLUMNS + 1, np.uint64)
    found, most = np.uint64(0), np.uint64(room)
    for start in range(0, returns.shape[0], ROWS * COLUMNS):
        if found > most:
            break
        block = returns[start : start + ROWS * COLUMNS]
        for j in range(COLUMNS):
            low = block[j]
            total = low
            for row in range(1, ROWS):
                value = block[row * COLUMNS + j]
                total += value
                low = value if value < low else low  # noqa: FURB136 - min() would look for NaN
            smallest[j] = low
            sums[j] += total
        n_columns = np.uint64(0)
        for j in range(COLUMNS):
            columns[n_columns] = j
            n_columns += np.uint64(smallest[j] <= pivot)
        for i in range(n_columns):
            j = columns[i]
            for row in range(ROWS):
                value = block[j + np.uint64(row * COLUMNS)]
                kept[found] = value
                found += np.uint64(value <= pivot)
    total = 0.0
    for part in sums:
        total += part
    return np.int64(found), total  # type: ignore[return-value]


@kernel("(f8[::1],)")
def count_finite(values: Vector) -> int:
    """Return how many of the values are neither NaN nor infinite. By index: a loop over values does not vectorise."""
    finite = 0
    for i in range(values.shape[0]):
        finite += abs(values[i]) < np.inf
    return finite


@kernel("(f8[::1], i8, i8, i8)")
def select(values: Vector, start: int, stop: int, position: int) -> None:
    """Reorder values[start:stop] so that values[position] is what sorting would put there, and less lies before it.

    Quickselect with a pivot out of an evenly spaced sample, which lies a deviation to that side of the position where
    more values are: one pass cuts most of them off (Floyd and Rivest 1975). After many rounds, which only contrived
    data need, it sorts what is left.
    """
    if stop - start <= FEW:
        sort_between(values, start, stop)
        return
    sample = np.empty(max(16, int(math.sqrt(stop - start))))
    for _ in range(64):
        length = stop - start
        if length <= FEW:
            break
        size = max(16, int(math.sqrt(length)))
        for i in range(size):
            sample[i] = values[start + i * length // size]
        sort_between(sample, 0, size)
        share = (position - start) / length
        margin = math.sqrt(size * share * (1.0 - share))
        index = int(size * share + (-margin if share > 0.5 else margin))
        pivot = sample[min(max(index, 0), size - 1)]
        middle = partition(values, start, stop, pivot)
        if position < middle:
            stop = middle
        elif middle > start:
            start = middle
        else:
            # Nothing lies below the pivot: set aside all that equals it.
            middle = partition(values, start, stop, np.nextafter(pivot, np.inf))
            if position < middle:
                return
            start = middle
    sort_between(values, start, stop)


@kernel("(f8[::1], i8, i8, f8)")
def partition(values: Vector, start: int, stop: int, pivot: float) -> int:
    """Move what is below `pivot` to the front of values[start:stop], without branches; return where it ends."""
    end = np.uint64(start)
    for i in range(start, stop):
        value = values[i]
        values[i] = values[end]
        values[end] = value
        end += np.uint64(value < pivot)
    return np.int64(end)  # type: ignore[return-value]


@kernel("(f8[::1], i8, i8)")
def sort_smallest(values: Vector, size: int, count: int) -> None:
    """Move the `count` smallest of the first `size` values to the front, sorted, by insertion."""
    for i in range(1, size):
        value = values[i]
        j = min(i, count) - 1
        if value < values[j]:
            values[i] = values[j]
            while j > 0 and values[j - 1] > value:
                values[j] = values[j - 1]
                j -= 1
            values[j] = value


@kernel("(f8[::1], i8, i8)")
def sort_between(values: Vector, start: int, stop: int) -> None:
    """Sort values[start:stop]: by insertion where they are few, by Shell's method, insertion over gaps, else."""
    gap = 1
    while 3 * gap < stop - start - FEW:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(start + gap, stop):
            value = values[i]
            j = i
            while j >= start + gap and values[j - gap] > value:
                values[j] = values[j - gap]
                j -= gap
            values[j] = value
        gap //= 3


@kernel("(i8, f8, f8)")
def interval_ranks(n: int, tail: float, error: float) -> tuple[int, int]:
    """Return the ranks (milder, harsher) among the n worst losses that bound the quantile of probability `tail`.

    The number N of losses beyond the true quantile is Bin(n, tail): `harsher` is the largest a with
    P(N ≤ a − 1) ≤ error, `milder` the smallest b with P(N ≥ b) ≤ error; 0 where there is none (David and Nagaraja,
    *Order Statistics*, 3rd ed. 2003, section 7.1). Probabilities are summed from the far ends inward, relative to the
    mode's and divided by their total: no factorial, no cancellation. Beyond twelve deviations they are below 1e-24.
    """
    mode = min(n, int((n + 1) * tail))
    reach = int(12.0 * math.sqrt(n * tail * (1.0 - tail))) + 30
    first, last = max(0, mode - reach), min(n, mode + reach)
    weights = np.empty(last - first + 1)
    weights[mode - first] = 1.0
    odds = tail / (1.0 - tail)
    for i in range(mode, last):
        weights[i + 1 - first] = weights[i - first] * odds * (n - i) / (i + 1)
    for i in range(mode, first, -1):
        weights[i - 1 - first] = weights[i - first] * i / (odds * (n - i + 1))
    allowed = error * sum_in_any_order(weights)

    harsher, below = first, weights[0]
    while below <= allowed:
        harsher += 1
        below += weights[harsher - first]
    milder, above = last + 1, weights[last - first]
    while above <= allowed:
        milder -= 1
        above += weights[milder - 1 - first]
    return (milder if milder <= n else 0), harsher
