"""Sums whose bits depend on the numbers alone, not on threads, blocks or processors."""

import math

import numpy as np
from numpy.typing import NDArray

from rpmcore.kernels._jit import kernel

Vector = NDArray[np.float64]

LANES = 32
"""Partial results side by side, which vectorise; where the sums are exact, in any number."""


@kernel("(f8[::1],)")
def sum_in_this_order(values: Vector) -> float:
    """Return the sum. Four partial sums, of every fourth value each, need not wait for one another."""
    n = values.shape[0]
    start = n - n % 4
    first, second, third, fourth = 0.0, 0.0, 0.0, 0.0
    for i in range(0, start, 4):
        first += values[i]
        second += values[i + 1]
        third += values[i + 2]
        fourth += values[i + 3]
    for i in range(start, n):
        first += values[i]
    return (first + second) + (third + fourth)


@kernel("(f8[::1],)")
def sum_in_any_order(values: Vector) -> float:
    """Return the sum, to the same bits for every order of the values.

    Each value, scaled below 1, is cut at two fixed binary places; the sums of either part are exact, so order cannot
    matter, and what is left over is below n² 2⁻¹⁰⁴ (Demmel and Nguyen, "Fast reproducible floating-point
    summation", *ARITH* 2013, section 4).
    """
    largest = largest_magnitude(values)
    if largest == 0.0:
        return 0.0
    exponent = max(math.frexp(largest)[1], -1000)
    digits = math.frexp(float(values.shape[0]))[1]
    scale = math.ldexp(1.0, -exponent)
    coarse, fine = math.ldexp(1.5, digits), math.ldexp(1.5, 2 * digits - 52)
    n = values.shape[0]
    start = n - n % LANES
    high, low = np.zeros(LANES), np.zeros(LANES)
    for i in range(0, start, LANES):
        for j in range(LANES):
            scaled = values[i + j] * scale
            cut = (scaled + coarse) - coarse
            high[j] += cut
            low[j] += (scaled - cut + fine) - fine
    for i in range(start, n):
        scaled = values[i] * scale
        cut = (scaled + coarse) - coarse
        high[0] += cut
        low[0] += (scaled - cut + fine) - fine
    for j in range(1, LANES):
        high[0] += high[j]
        low[0] += low[j]
    return math.ldexp(high[0] + low[0], exponent)


@kernel("(f8[::1],)")
def largest_magnitude(values: Vector) -> float:
    """Return the largest absolute value, 0 of none."""
    n = values.shape[0]
    start = n - n % LANES
    largest = np.zeros(LANES)
    for i in range(0, start, LANES):
        for j in range(LANES):
            size = abs(values[i + j])
            largest[j] = size if size > largest[j] else largest[j]  # noqa: FURB136 - as above
    found = 0.0
    for i in range(start, n):
        found = max(found, abs(values[i]))
    for j in range(LANES):
        found = max(found, largest[j])
    return found
