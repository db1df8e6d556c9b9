"""Statistics of runs of violations, and their laws under a model that is right, drawn by simulation."""

import math

import numpy as np
from numpy.typing import NDArray

from rpmcore.kernels._jit import kernel
from rpmcore.kernels.bootstrap import resample
from rpmcore.kernels.random_numbers import normal_pairs, random_words, student_t

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Rows = NDArray[np.int64]
Words = NDArray[np.uint64]

# Streams of the generator, far beyond those that simulations number by their days.
VIOLATIONS, RETURNS = np.uint64(0xBAC7E570), np.uint64(0xBAC7E571)

LAGS = 4
"""Days back to which the dynamic quantile test looks for violations."""

COLLINEAR = 1e-10
"""A lagged column of which no more is left, in squared length, once the others are taken out is one of them."""

ONE_ROW = 1
"""Block of a bootstrap of independent rows."""


@kernel("(i8, i8, f8)")
def coverage_ratio(count: int, n_obs: int, rate: float) -> float:
    """Return 2 ln of the likelihood of `count` violations in `n_obs` days at their own rate over that at `rate`."""
    kept = n_obs - count
    total = 0.0
    if count > 0:
        total += count * math.log(count / (n_obs * rate))
    if kept > 0:
        total += kept * (math.log(kept / n_obs) - math.log1p(-rate))
    return max(2.0 * total, 0.0)


@kernel("(i8[::1], i8, i8)")
def transitions(rows: Rows, count: int, n_obs: int) -> tuple[int, int, int, int]:
    """Return n00, n01, n10 and n11, how often state i was followed by state j (1: violation).

    `rows` holds in ascending order the `count` days of violations, counted from 0.
    """
    n11 = 0
    for i in range(1, count):
        n11 += rows[i] - rows[i - 1] == 1
    first = 1 if count > 0 and rows[0] == 0 else 0
    last = 1 if count > 0 and rows[count - 1] == n_obs - 1 else 0
    n01, n10 = count - first - n11, count - last - n11
    return n_obs - 1 - n01 - n10 - n11, n01, n10, n11


@kernel("(i8, i8, i8, i8)")
def independence_ratio(n00: int, n01: int, n10: int, n11: int) -> float:
    """Return 2 ln of the likelihood of a Markov chain over that of independent days; 0 where a margin is empty."""
    from_0, from_1, to_0, to_1 = n00 + n01, n10 + n11, n00 + n10, n01 + n11
    if from_0 == 0 or from_1 == 0 or to_0 == 0 or to_1 == 0:
        return 0.0
    n = float(from_0 + from_1)
    total = 0.0
    if n00 > 0:
        total += n00 * math.log(n00 * n / (from_0 * float(to_0)))
    if n01 > 0:
        total += n01 * math.log(n01 * n / (from_0 * float(to_1)))
    if n10 > 0:
        total += n10 * math.log(n10 * n / (from_1 * float(to_0)))
    if n11 > 0:
        total += n11 * math.log(n11 * n / (from_1 * float(to_1)))
    return max(2.0 * total, 0.0)


@kernel("(i8[::1], i8, i8, f8[::1])")
def duration_ratio(rows: Rows, count: int, n_obs: int, logs: Vector) -> tuple[float, float]:
    """Return 2 ln of the likelihood of Weibull durations over that of exponential ones, and the Weibull shape b.

    Both NaN where the likelihood has no maximum: without two violations, or where every duration between violations is
    the longest of all, so that ever larger b fit ever better.

    The scale maximises in closed form, a = (m/ΣDᵇ)^(1/b) with m the uncensored durations. What is left is
    l(b) = m ln b − m ln ΣDᵇ + (b − 1) Σ ln D, the last sum over the uncensored alone. With x = ln(D/max D), no power
    overflows. l' = m/b + Σx − m Σx eᵇˣ/Σeᵇˣ falls in b, so that it has one root; as a function of 1/b it is nearly
    straight, and Newton's steps are taken there, between the bounds that its sign has shown.

    `logs` is room for `count` + 1 numbers.
    """
    m = count - 1
    if m < 1:
        return np.nan, np.nan
    before, after = rows[0] + 1, n_obs - 1 - rows[count - 1]
    longest = max(1, before, after)
    shortest_between = n_obs
    for i in range(m):
        between = rows[i + 1] - rows[i]
        longest, shortest_between = max(longest, between), min(shortest_between, between)
    if shortest_between == longest:
        return np.nan, np.nan
    log_longest, free = math.log(longest), 0.0
    for i in range(m):
        logs[i] = math.log(rows[i + 1] - rows[i]) - log_longest
        free += logs[i]
    n = m
    if before > 1:  # a series that begins with a violation has no duration before it
        logs[n] = math.log(before) - log_longest
        n += 1
    if after > 0:
        logs[n] = math.log(after) - log_longest
        n += 1
    u, low, high, at_one, s0 = 1.0, 0.0, np.inf, 0.0, 0.0
    for step in range(200):
        b = 1.0 / u
        s0, s1, s2 = 0.0, 0.0, 0.0
        for i in range(n):
            power = math.exp(b * logs[i])
            s0 += power
            s1 += power * logs[i]
            s2 += power * logs[i] * logs[i]
        if step == 0:
            at_one = s0
        mean = s1 / s0
        slope = m * u + free - m * mean
        if slope > 0.0:
            high = u
        else:
            low = u
        target = u - slope / (m + m * (s2 / s0 - mean * mean) * b * b)
        if not low < target < high:
            target = 0.5 * (low + high) if high < np.inf else 2.0 * u
        if abs(target - u) <= 1e-9 * u:
            break
        u = target
    return max(2.0 * (-m * math.log(u) - m * math.log(s0 / at_one) + (1.0 / u - 1.0) * free), 0.0), 1.0 / u


@kernel("(u8, u8, u8, u8[::1], u8[::1], u8[::1], i8, i8[::1])")
def random_violations(
    threshold: np.uint64,
    seed: np.uint64,
    replicate: np.uint64,
    pairs: Words,
    low: Words,
    high: Words,
    n_obs: int,
    rows: Rows,
) -> int:
    """Write the days of independent violations of probability `threshold`/2⁶⁴ to the front of `rows`; return how many.

    `pairs` numbers the pairs of days from 0; `low` and `high`, as long, are room for their random words.
    """
    random_words(pairs, replicate, VIOLATIONS, seed, low, high)
    count = 0
    for day in range(n_obs):
        word = high[day // 2] if day % 2 == 1 else low[day // 2]
        if word < threshold:
            rows[count] = day
            count += 1
    return count


@kernel("(i8, f8, u8, u8, f8[:, ::1])")
def null_statistics(n_obs: int, rate: float, threshold: np.uint64, seed: np.uint64, found: Matrix) -> None:
    """Write the ratios of independence, conditional coverage and duration of one replicate to each row of `found`.

    Violations are independent with probability `rate`, which is `threshold`/2⁶⁴. A duration without a maximum counts
    as 0, the least evidence.
    """
    n_pairs = (n_obs + 1) // 2
    pairs, low, high = np.arange(n_pairs).astype(np.uint64), np.empty(n_pairs, np.uint64), np.empty(n_pairs, np.uint64)
    rows, logs = np.empty(n_obs, np.int64), np.empty(n_obs + 1)
    for replicate in range(found.shape[0]):
        count = random_violations(threshold, seed, np.uint64(replicate), pairs, low, high, n_obs, rows)
        n00, n01, n10, n11 = transitions(rows, count, n_obs)
        independence = independence_ratio(n00, n01, n10, n11)
        duration = duration_ratio(rows, count, n_obs, logs)[0]
        found[replicate, 0] = independence
        found[replicate, 1] = independence + coverage_ratio(count, n_obs, rate)
        found[replicate, 2] = 0.0 if np.isnan(duration) else duration


@kernel("(f8[:, ::1], f8[::1], f8, i8[::1], i8, f8[:, ::1], f8[:, ::1])")
def dynamic_quantile(
    basis: Matrix, sums: Vector, rate: float, rows: Rows, count: int, across: Matrix, gram: Matrix
) -> tuple[float, int]:
    """Return the squared projection of hits 1[violation] − `rate` on regressors over rate(1 − rate), and their rank.

    Row i stands for day i + 4. The regressors are the orthonormal columns of
    `basis` (n, r) with their `sums`, and the hits of 1 to 4 days before. All products with a column of hits are sums
    over the days of violation alone. The columns of hits are then taken one by one, less their parts in those before.

    `across` (r, 5) and `gram` (5, 5) are room for the products with the basis and of the hits of day t − i and t − j.
    """
    n, r = basis.shape
    for i in range(LAGS + 1):
        for k in range(r):
            across[k, i] = -rate * sums[k]
        for j in range(LAGS + 1):
            gram[i, j] = n * rate * rate
    for a in range(count):
        for i in range(LAGS + 1):
            row = rows[a] + i - LAGS
            if row < 0 or row >= n:
                continue
            for k in range(r):
                across[k, i] += basis[row, k]
            for j in range(LAGS + 1):
                gram[i, j] -= rate
                gram[j, i] -= rate
        for b in range(a, count):
            apart = rows[b] - rows[a]
            if apart > LAGS:
                break
            for i in range(LAGS + 1 - apart):
                row = rows[b] + i - LAGS
                if 0 <= row < n:
                    gram[i, i + apart] += 1.0
                    if apart > 0:
                        gram[i + apart, i] += 1.0
    explained, rank = 0.0, r
    for k in range(r):
        explained += across[k, 0] * across[k, 0]
    for j in range(1, LAGS + 1):
        length = gram[j, j]
        for i in range(LAGS + 1):
            for k in range(r):
                gram[i, j] -= across[k, i] * across[k, j]
        for other in range(1, j):
            if gram[other, other] > 0.0:
                share = gram[j, other] / gram[other, other]
                for i in range(LAGS + 1):
                    gram[i, j] -= share * gram[i, other]
        if gram[j, j] <= COLLINEAR * length:
            gram[j, j] = 0.0
            continue
        explained += gram[0, j] ** 2 / gram[j, j]
        rank += 1
    return explained / (rate * (1.0 - rate)), rank


@kernel("(f8[:, ::1], f8[::1], f8, u8, u8, f8[::1])")
def dynamic_quantile_statistics(
    basis: Matrix, sums: Vector, rate: float, threshold: np.uint64, seed: np.uint64, found: Vector
) -> None:
    """Write the statistic of `dynamic_quantile` of one series of independent violations to each element of `found`."""
    n_obs = basis.shape[0] + LAGS
    n_pairs = (n_obs + 1) // 2
    pairs, low, high = np.arange(n_pairs).astype(np.uint64), np.empty(n_pairs, np.uint64), np.empty(n_pairs, np.uint64)
    rows = np.empty(n_obs, np.int64)
    across, gram = np.empty((basis.shape[1], LAGS + 1)), np.empty((LAGS + 1, LAGS + 1))
    for replicate in range(found.shape[0]):
        count = random_violations(threshold, seed, np.uint64(replicate), pairs, low, high, n_obs, rows)
        found[replicate] = dynamic_quantile(basis, sums, rate, rows, count, across, gram)[0]


@kernel("(f8[::1], f8[::1], f8, f8, f8, u8, f8[:, ::1])")
def shortfall_statistics(
    location: Vector, scale: Vector, quantile: float, tail: float, dof: float, seed: np.uint64, found: Matrix
) -> None:
    """Write Z1 and Z2 of Acerbi and Székely of one replicate to each row of `found`; Z1 is NaN without a violation.

    Day t's loss over its expected shortfall is location_t + scale_t X, X of unit variance: Student-t with `dof` degrees
    of freedom, or normal where that is infinite. It is a violation where X exceeds `quantile`.
    """
    n = location.shape[0]
    drawn = (n + 1) // 2 if dof == np.inf else n
    days, low, high = np.arange(drawn).astype(np.uint64), np.empty(drawn, np.uint64), np.empty(drawn, np.uint64)
    x, other = np.empty(drawn), np.empty(drawn)
    for replicate in range(found.shape[0]):
        random_words(days, np.uint64(replicate), RETURNS, seed, low, high)
        if dof == np.inf:
            normal_pairs(low, high, x, other)
        else:
            student_t(low, high, dof, x, other)
        count, total = 0, 0.0
        for day in range(n):
            value = x[day] if day < drawn else other[day - drawn]
            if value > quantile:
                count += 1
                total += location[day] + scale[day] * value
        found[replicate, 0] = 1.0 - total / count if count > 0 else np.nan
        found[replicate, 1] = 1.0 - total / (n * tail)


@kernel("(f8[::1], u8, f8[::1])")
def bootstrap_t(centred: Vector, seed: np.uint64, found: Vector) -> None:
    """Write the t statistic of the mean of one resample of `centred`, of two or more, to each element of `found`.

    A resample of one value over and over has an infinite one, of the sign of that value.
    """
    n = centred.shape[0]
    drawn = np.empty(n)
    for replicate in range(found.shape[0]):
        resample(centred, seed, np.uint64(replicate), ONE_ROW, drawn)
        total, least, most = 0.0, drawn[0], drawn[0]
        for i in range(n):
            total += drawn[i]
            least, most = min(least, drawn[i]), max(most, drawn[i])
        if least == most:
            found[replicate] = 0.0 if most == 0.0 else math.copysign(np.inf, most)
            continue
        mean, squares = total / n, 0.0
        for i in range(n):
            squares += (drawn[i] - mean) ** 2
        found[replicate] = mean / math.sqrt(squares / (n - 1) / n)
