"""Losses of a linear book, path by path."""

import math

import numpy as np
from numpy.typing import NDArray

from rpmcore.kernels._jit import kernel
from rpmcore.kernels.random_numbers import LANES, mixing_scales, normal_pairs, random_words, student_t

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Words = NDArray[np.uint64]

# The last word of the counter is 4 × day + purpose, so that no two uses share a draw.
ASSETS, MIXING, BOOK = np.uint64(0), np.uint64(1), np.uint64(2)
PURPOSES = np.uint64(4)

PAIRS = 2_048
"""Pairs of one buffer where most are dropped: those left still fill vectors."""

ALL_BITS = np.uint64(2**64 - 1)
ZERO, ONE, TWO = np.uint64(0), np.uint64(1), np.uint64(2)


@kernel("(f8[:, ::1], f8[::1])")
def factor_exposures(cov: Matrix, weights: Vector) -> tuple[Vector, Matrix, bool]:
    """Return Lᵀw (n,) for the Cholesky factor Σ = LLᵀ, Lᵀ itself, and whether Σ has one (it is positive definite).

    Lᵀ is the upper half of a matrix (n, n), whose lower half means nothing.

    w'(Lz) = (Lᵀw)'z: with the factor folded into the weights a path costs n operations, not n². Without BLAS, whose
    last bits depend on its number of threads; the inner loop runs along a row and vectorises without reordering any
    sum. A pivot that is only rounding noise counts as zero.
    """
    n = weights.shape[0]
    rest = cov.copy()
    exposures = np.zeros(n)
    for k in range(n):
        pivot = rest[k, k]
        if not pivot > n * 2.0**-52 * cov[k, k]:
            return exposures, rest, False
        root = math.sqrt(pivot)
        for j in range(k, n):
            rest[k, j] /= root
            exposures[k] += rest[k, j] * weights[j]
        for i in range(k + 1, n):
            source, target = rest[k, i:], rest[i, i:]
            multiple = source[0]
            for j in range(target.shape[0]):
                target[j] -= multiple * source[j]
    return exposures, rest, True


@kernel("(f8[::1], f8, i8, u8, u8, f8, f8[::1])")
def asset_losses(
    exposures: Vector,
    dof: float,
    horizon: int,
    seed: np.uint64,
    first: np.uint64,
    pivot: float,
    losses: Vector,
) -> int:
    """Simulate as many paths as `losses` is long, with one normal per asset, path and day.

    The losses, −Σ over `horizon` days of a'z, at or beyond `pivot` are written to the front of `losses`, in the
    order of the paths; −∞ keeps all. The rest of `losses` is left undefined.

    Parameters
    ----------
    exposures
        a = Lᵀw, padded with a zero to an even number: normals come in pairs.
    dof
        Infinite for normal shocks; else ν > 2 of Student-t shocks of the same covariance, whose assets share
        one mixing variable per path and day.
    seed, first
        Key of the generator, and the number of the first path.

    Returns
    -------
    int
        How many losses were kept.
    """
    n_paths = losses.shape[0]
    lanes = min(LANES, n_paths)
    all_paths, all_low, all_high = np.empty(lanes, np.uint64), np.empty(lanes, np.uint64), np.empty(lanes, np.uint64)
    all_z0, all_z1, all_daily = np.empty(lanes), np.empty(lanes), np.empty(lanes)
    all_scales, all_total = np.empty(lanes), np.empty(lanes)
    fill(all_scales, 1.0)
    count = 0
    for start in range(0, n_paths, LANES):
        m = min(LANES, n_paths - start)
        paths, low, high, z0, z1 = all_paths[:m], all_low[:m], all_high[:m], all_z0[:m], all_z1[:m]
        daily, scales, total = all_daily[:m], all_scales[:m], all_total[:m]
        number(first + np.uint64(start), paths)
        fill(total, 0.0)
        for day in range(horizon):
            stream = PURPOSES * np.uint64(day)
            fill(daily, 0.0)
            for pair in range(exposures.shape[0] // 2):
                a0, a1 = exposures[2 * pair], exposures[2 * pair + 1]
                random_words(paths, np.uint64(pair), stream + ASSETS, seed, low, high)
                normal_pairs(low, high, z0, z1)
                for i in range(m):
                    daily[i] += a0 * z0[i] + a1 * z1[i]
            if dof < np.inf:
                mixing_scales(paths, stream + MIXING, seed, dof, scales)
            for i in range(m):
                total[i] -= daily[i] * scales[i]
        count += exceedances(total, pivot, losses[count:])
    return count


@kernel("(f8, u8, u8, f8, f8[::1])")
def normal_losses(volatility: float, seed: np.uint64, first: np.uint64, pivot: float, losses: Vector) -> int:
    """Simulate `volatility` times one normal per path: the exact law of a linear book under normal shocks.

    `seed`, `first`, `pivot`, `losses` and the number returned are as in `asset_losses`. Paths 2m and 2m + 1 share a
    pair of normals, and two pairs a couple of random words, so that `first` must be a multiple of four. A pair reaches
    the pivot only with a radius that does, r = √(−2 ln U) ≥ pivot / volatility; the others are dropped before their
    angle is drawn or a logarithm taken.
    """
    n_paths = losses.shape[0]
    n_pairs = (n_paths + 1) // 2
    lanes = min(PAIRS, n_pairs + n_pairs % 2)
    pairs, radii, angles = np.empty(lanes, np.uint64), np.empty(lanes, np.uint64), np.empty(lanes, np.uint64)
    z0, z1, both = np.empty(lanes), np.empty(lanes), np.empty(2 * lanes)
    reach = max(pivot, 0.0) / volatility
    limit = largest_word(math.exp(-0.5 * reach * reach))
    first_pair = first // np.uint64(2)
    last_pair = first_pair + np.uint64(n_pairs - 1)
    count = 0
    for start in range(0, n_pairs, PAIRS):
        m = min(PAIRS, n_pairs - start)
        k = draw_pairs(first_pair + np.uint64(start), m, BOOK, seed, limit, pairs, radii, angles)
        normal_pairs(radii[:k], angles[:k], z0[:k], z1[:k])
        for i in range(k):
            both[2 * i] = volatility * z0[i]
            both[2 * i + 1] = volatility * z1[i]
        size = 2 * k
        if n_paths % 2 == 1 and k > 0 and pairs[k - 1] == last_pair:
            size -= 1
        count += exceedances(both[:size], pivot, losses[count:])
    return count


@kernel("(f8, f8, i8, u8, u8, f8, f8[::1])")
def student_t_losses(
    volatility: float,
    dof: float,
    horizon: int,
    seed: np.uint64,
    first: np.uint64,
    pivot: float,
    losses: Vector,
) -> int:
    """Simulate `volatility` times the sum of `horizon` Student-t of unit variance, drawn anew each day.

    The exact law of a linear book under Student-t shocks. Arguments and the number returned are as in
    `asset_losses`, but `first` must be even. For one day, paths are dropped by their radius as in `normal_losses`: here
    U ≤ (1 + (pivot / volatility)² / (ν − 2))^(−ν/2).
    """
    n_paths = losses.shape[0]
    lanes = min(PAIRS, n_paths + n_paths % 2)
    paths, radii, angles = np.empty(lanes, np.uint64), np.empty(lanes, np.uint64), np.empty(lanes, np.uint64)
    all_t, scratch, total = np.empty(lanes), np.empty(lanes), np.empty(lanes)
    reach = max(pivot, 0.0) / volatility if horizon == 1 else 0.0
    limit = largest_word(math.exp(-0.5 * dof * math.log1p(reach * reach / (dof - 2.0))))
    count = 0
    for start in range(0, n_paths, PAIRS):
        m = min(PAIRS, n_paths - start)
        fill(total[:m], 0.0)
        k = m
        for day in range(horizon):
            stream = PURPOSES * np.uint64(day) + BOOK
            k = draw_pairs(first + np.uint64(start), m, stream, seed, limit, paths, radii, angles)
            t = all_t[:k]
            student_t(radii[:k], angles[:k], dof, t, scratch[:k])
            for i in range(k):
                total[i] += volatility * t[i]
        count += exceedances(total[:k], pivot, losses[count:])
    return count


@kernel("(u8, i8, u8, u8, u8, u8[::1], u8[::1], u8[::1])")
def draw_pairs(
    first: np.uint64,
    n_pairs: int,
    stream: np.uint64,
    seed: np.uint64,
    limit: np.uint64,
    pairs: Words,
    radii: Words,
    angles: Words,
) -> int:
    """Write the number and the two random words of each pair from `first` on whose word for the radius is ≤ `limit`.

    In the order of the pairs; returns how many. Pairs 2j and 2j + 1 share the draws of number j: one draw holds both
    radii, the next both angles. `first` is even, and the vectors have room for an even number of pairs.
    """
    n_couples = (n_pairs + 1) // 2
    couples, low, high = np.empty(n_couples, np.uint64), np.empty(n_couples, np.uint64), np.empty(n_couples, np.uint64)
    number(first // TWO, couples)
    random_words(couples, np.uint64(0), stream, seed, low, high)
    if limit == ALL_BITS:
        number(first, pairs)
        interleave(low, high, radii)
        random_words(couples, np.uint64(1), stream, seed, low, high)
        interleave(low, high, angles)
        return n_pairs
    count = 0
    for i in range(n_couples):
        pairs[count] = 2 * i
        count += low[i] <= limit
        pairs[count] = 2 * i + 1
        count += high[i] <= limit
    if count > 0 and pairs[count - 1] >= np.uint64(n_pairs):
        count -= 1
    for i in range(count):
        place = pairs[i]
        radii[i] = high[place // TWO] if place & ONE != ZERO else low[place // TWO]
        pairs[i] = first + place
    for start in range(0, count, n_couples):
        m = min(n_couples, count - start)
        for i in range(m):
            couples[i] = pairs[start + i] // TWO
        random_words(couples[:m], np.uint64(1), stream, seed, low[:m], high[:m])
        for i in range(m):
            angles[start + i] = high[i] if pairs[start + i] & ONE != ZERO else low[i]
    return count


@kernel("(u8[::1], u8[::1], u8[::1])")
def interleave(even: Words, odd: Words, both: Words) -> None:
    """Write even[0], odd[0], even[1], … into `both`."""
    for i in range(even.shape[0]):
        both[2 * i], both[2 * i + 1] = even[i], odd[i]


@kernel("(f8[::1], f8)")
def fill(values: Vector, value: float) -> None:
    """Write `value` everywhere. An assignment to a slice would take a second longer to compile."""
    for i in range(values.shape[0]):
        values[i] = value


@kernel("(u8, u8[::1])")
def number(first: np.uint64, paths: Words) -> None:
    """Write `first`, `first` + 1, … into `paths`."""
    for i in range(paths.shape[0]):
        paths[i] = first + np.uint64(i)


@kernel("(f8,)")
def largest_word(u: float) -> np.uint64:
    """Return a word whose uniform is `u` or, because 1e-9 outweighs any rounding here, a little more."""
    return ALL_BITS if u > 0.99 else np.uint64((u * (1.0 + 1e-9) + 2.0**-52) * 2.0**64)


@kernel("(f8[::1], f8, f8[::1])")
def exceedances(losses: Vector, pivot: float, kept: Vector) -> int:
    """Copy the losses at or beyond `pivot` to the front of `kept`, in their order, and return how many.

    Without a branch: every loss is written, and the place moves on only behind one that counts.
    """
    if pivot == -np.inf:
        for i in range(losses.shape[0]):
            kept[i] = losses[i]
        return len(losses)
    count = 0
    for i in range(losses.shape[0]):
        loss = losses[i]
        kept[count] = loss
        count += loss >= pivot
    return count


@kernel("(f8[::1], f8, f8, f8[::1])")
def split(losses: Vector, low: float, high: float, inside: Vector) -> tuple[int, float, float, float]:
    """Copy the losses in [low, high] to the front of `inside`, in their order, and sum what lies above.

    Returns how many were copied, how many exceed `high`, and Σe and Σe² of e = loss − `high` over those.
    """
    count = 0
    for i in range(losses.shape[0]):
        loss = losses[i]
        inside[count] = loss
        count += (loss >= low) & (loss <= high)
    above, total, squares = excess_sums(losses, high)
    return count, above, total, squares


@kernel("(f8[::1], f8)")
def excess_sums(losses: Vector, threshold: float) -> tuple[float, float, float]:
    """Return how many losses exceed `threshold`, and Σe and Σe² of e = loss − `threshold` over those, in their order.

    Without a branch; an infinite threshold is exceeded by none.
    """
    above, total, squares = 0.0, 0.0, 0.0
    for i in range(losses.shape[0]):
        e = max(losses[i] - threshold, 0.0)
        above += e > 0.0
        total += e
        squares += e * e
    return above, total, squares
