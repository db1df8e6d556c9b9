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

ALL_BITS = np.uint64(2**64 - 1)


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
    all_scales, all_total = np.ones(lanes), np.empty(lanes)
    count = 0
    for start in range(0, n_paths, LANES):
        m = min(LANES, n_paths - start)
        paths, low, high, z0, z1 = all_paths[:m], all_low[:m], all_high[:m], all_z0[:m], all_z1[:m]
        daily, scales, total = all_daily[:m], all_scales[:m], all_total[:m]
        number(first + np.uint64(start), paths)
        total[:] = 0.0
        for day in range(horizon):
            stream = PURPOSES * np.uint64(day)
            daily[:] = 0.0
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

    `seed`, `first`, `pivot`, `losses` and the number returned are as in `asset_losses`. Paths 2m and 2m + 1
    share a pair of normals, so that `first` must be even. A pair reaches the pivot only with a radius that does,
    r = √(−2 ln U) ≥ pivot / volatility; the others are dropped before a logarithm is taken.
    """
    n_paths = losses.shape[0]
    n_pairs = (n_paths + 1) // 2
    lanes = min(LANES, n_pairs)
    all_pairs, all_low, all_high = np.empty(lanes, np.uint64), np.empty(lanes, np.uint64), np.empty(lanes, np.uint64)
    z0, z1, both = np.empty(lanes), np.empty(lanes), np.empty(2 * lanes)
    reach = max(pivot, 0.0) / volatility
    limit = largest_word(math.exp(-0.5 * reach * reach))
    count = 0
    for start in range(0, n_pairs, LANES):
        m = min(LANES, n_pairs - start)
        pairs, low, high = all_pairs[:m], all_low[:m], all_high[:m]
        number(first // np.uint64(2) + np.uint64(start), pairs)
        random_words(pairs, np.uint64(0), BOOK, seed, low, high)
        last_word = low[m - 1]
        k = near(low, high, limit)
        normal_pairs(low[:k], high[:k], z0[:k], z1[:k])
        for i in range(k):
            both[2 * i] = volatility * z0[i]
            both[2 * i + 1] = volatility * z1[i]
        size = 2 * k
        if start + m == n_pairs and n_paths % 2 == 1 and last_word <= limit:
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
    `asset_losses`. For one day, paths are dropped by their radius as in `normal_losses`: here
    U ≤ (1 + (pivot / volatility)² / (ν − 2))^(−ν/2).
    """
    n_paths = losses.shape[0]
    lanes = min(LANES, n_paths)
    all_paths, all_low, all_high = np.empty(lanes, np.uint64), np.empty(lanes, np.uint64), np.empty(lanes, np.uint64)
    all_t, scratch, all_total = np.empty(lanes), np.empty(lanes), np.empty(lanes)
    reach = max(pivot, 0.0) / volatility if horizon == 1 else 0.0
    limit = largest_word(math.exp(-0.5 * dof * math.log1p(reach * reach / (dof - 2.0))))
    count = 0
    for start in range(0, n_paths, LANES):
        m = min(LANES, n_paths - start)
        paths, low, high, total = all_paths[:m], all_low[:m], all_high[:m], all_total[:m]
        number(first + np.uint64(start), paths)
        total[:] = 0.0
        k = m
        for day in range(horizon):
            random_words(paths, np.uint64(0), PURPOSES * np.uint64(day) + BOOK, seed, low, high)
            k = near(low, high, limit)
            t = all_t[:k]
            student_t(low[:k], high[:k], dof, t, scratch[:k])
            for i in range(k):
                total[i] += volatility * t[i]
        count += exceedances(total[:k], pivot, losses[count:])
    return count


@kernel("(u8, u8[::1])")
def number(first: np.uint64, paths: Words) -> None:
    """Write `first`, `first` + 1, … into `paths`."""
    for i in range(paths.shape[0]):
        paths[i] = first + np.uint64(i)


@kernel("(f8,)")
def largest_word(u: float) -> np.uint64:
    """Return a word whose uniform is `u` or, because 1e-9 outweighs any rounding here, a little more."""
    return ALL_BITS if u > 0.99 else np.uint64((u * (1.0 + 1e-9) + 2.0**-52) * 2.0**64)


@kernel("(u8[::1], u8[::1], u8)")
def near(low: Words, high: Words, limit: np.uint64) -> int:
    """Move the pairs of words with `low` ≤ `limit` to the front, in their order, and return how many."""
    if limit == ALL_BITS:
        return len(low)
    count = 0
    for i in range(low.shape[0]):
        word = low[i]
        low[count], high[count] = word, high[i]
        count += word <= limit
    return count


@kernel("(f8[::1], f8, f8[::1])")
def exceedances(losses: Vector, pivot: float, kept: Vector) -> int:
    """Copy the losses at or beyond `pivot` to the front of `kept`, in their order, and return how many.

    Without a branch: every loss is written, and the place moves on only behind one that counts.
    """
    if pivot == -np.inf:
        kept[: len(losses)] = losses
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
        if low <= loss <= high:
            inside[count] = loss
            count += 1
    above, total, squares = excess_sums(losses, high)
    return count, above, total, squares


@kernel("(f8[::1], f8)")
def excess_sums(losses: Vector, threshold: float) -> tuple[float, float, float]:
    """Return how many losses exceed `threshold`, and Σe and Σe² of e = loss − `threshold` over those, in their order.

    An infinite threshold is exceeded by none.
    """
    above, total, squares = 0.0, 0.0, 0.0
    for i in range(losses.shape[0]):
        if losses[i] > threshold:
            e = losses[i] - threshold
            above += 1.0
            total += e
            squares += e * e
    return above, total, squares
