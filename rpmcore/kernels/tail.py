"""The worst of many returns: order statistics of the tail without sorting the rest."""

import math

import numpy as np
from numpy.typing import NDArray

from rpmcore.kernels._jit import kernel

Vector = NDArray[np.float64]

FEW = 40
"""Up to this many values an insertion sort is faster than partitioning."""


@kernel("(f8[::1], f8, i8, i8)")
def historical(returns: Vector, k: float, milder: int, harsher: int) -> tuple[float, float, float, float]:
    """Return value at risk, expected shortfall and two more order statistics of the losses, all from one pass.

    With L(i) the i-th worst of the losses −returns: VaR = L(⌈k⌉), ES = (L(1) + … + L(⌊k⌋) + (k − ⌊k⌋) L(⌈k⌉)) / k,
    then L(milder) and L(harsher). It needs 0 < k ≤ n and harsher ≤ ⌈k⌉ ≤ milder ≤ n; rank 0 stands for none, and
    gives NaN.
    """
    rank, whole = math.ceil(k), math.floor(k)
    tail, size = worst_returns(returns, max(rank, milder))
    if size <= FEW:
        sort_between(tail, 0, size)
    else:
        # From the mildest to the harshest: each selection leaves what is worse in front, where the next one works.
        stop = size
        for wanted in (milder, rank, harsher):
            if 0 < wanted <= stop:
                select(tail, 0, stop, wanted - 1)
                stop = wanted - 1
    value_at_risk = 0.0 - tail[rank - 1]
    total = (k - whole) * value_at_risk - sum_in_any_order(tail[:whole])
    # The mean of numbers none of which is smaller is not smaller; rounding could make it so.
    expected_shortfall = max(total / k, value_at_risk)
    upper = 0.0 - tail[harsher - 1] if harsher > 0 else np.nan
    lower = 0.0 - tail[milder - 1] if milder > 0 else np.nan
    return value_at_risk, expected_shortfall, lower, upper


@kernel("(f8[::1], i8)")
def worst_returns(returns: Vector, count: int) -> tuple[Vector, int]:
    """Return a buffer that begins with the `count` smallest returns among a few more, unsorted, and how many.

    An evenly spaced sample gives a pivot near the rank. One pass without branches keeps what lies at or below it.
    Where that is too little, the pivot is raised: a pass over few returns is cheap; over many, a margin of 2.5
    deviations makes it rare.
    """
    n = returns.shape[0]
    small = n < 2000
    size = min(n, 16 if small else 2 * int(math.sqrt(n)))
    sample = np.empty(size)
    for i in range(size):
        sample[i] = returns[i * n // size]
    expected = count * size / n
    index = int(expected + 0.5) if small else int(expected + 2.5 * math.sqrt(expected))
    kept = np.empty(n + 1)
    found = 0
    while found < count:
        pivot = np.inf
        if index < size:
            select(sample, 0, size, index)
            pivot = sample[index]
        found = 0
        for i in range(n):
            value = returns[i]
            kept[found] = value
            found += value <= pivot
        index += 1 if small else index + 1
    return kept, found


@kernel("(f8[::1], i8, i8, i8)")
def select(values: Vector, start: int, stop: int, position: int) -> None:
    """Reorder values[start:stop] so that values[position] is what sorting would put there, and less lies before it.

    Quickselect with the pivot out of an evenly spaced sample. After many rounds, which only contrived data need, it
    sorts what is left.
    """
    if stop - start <= FEW:
        sort_between(values, start, stop)
        return
    sample = np.empty(16)
    for _ in range(64):
        length = stop - start
        if length <= FEW:
            break
        for i in range(16):
            sample[i] = values[start + i * length // 16]
        sort_between(sample, 0, 16)
        pivot = sample[(position - start) * 16 // length]
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
    end = start
    for i in range(start, stop):
        value = values[i]
        values[i] = values[end]
        values[end] = value
        end += value < pivot
    return end


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


@kernel("(f8[::1],)")
def sum_in_any_order(values: Vector) -> float:
    """Return the sum, to the same bits for every order of the values.

    Each value, scaled below 1, is cut at two fixed binary places; the sums of either part are exact, so order cannot
    matter, and what is left over is below n² 2⁻¹⁰⁴ (Demmel and Nguyen, "Fast reproducible floating-point
    summation", *ARITH* 2013, section 4).
    """
    largest = 0.0
    for value in values:
        largest = max(largest, abs(value))
    if largest == 0.0:
        return 0.0
    exponent = max(math.frexp(largest)[1], -1000)
    digits = math.frexp(float(values.shape[0]))[1]
    scale = math.ldexp(1.0, -exponent)
    coarse, fine = math.ldexp(1.5, digits), math.ldexp(1.5, 2 * digits - 52)
    high, low = 0.0, 0.0
    for value in values:
        scaled = value * scale
        cut = (scaled + coarse) - coarse
        high += cut
        low += (scaled - cut + fine) - fine
    return math.ldexp(high + low, exponent)


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
