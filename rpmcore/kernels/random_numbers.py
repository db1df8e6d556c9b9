"""Random numbers as a function of (seed, path, index, stream), so that no draw depends on another.

The generator is Philox4x32-10: a path can be drawn anywhere, in any order, by any thread, with the same bits.

Why it is fast: every function works on short buffers (`LANES` elements, which stay in the first-level cache)
and is a bare loop without calls or branches, so that LLVM turns it into vector instructions: eight draws at a
time with AVX-512. That is also why logarithm, exponential, sine and cosine are written out as power series:
the C library's would be called once per element.

Why the bits are the same everywhere: the loops use integers and the correctly rounded + − × ÷ √ alone, and no
fast-math flag. Neither are sums reordered, nor products fused into them (``contract``), which only
some CPUs can do. The width of the vectors then changes nothing.

References
----------
J. Salmon, M. Moraes, R. Dror and D. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11, section 3.
G. Box and M. Muller, "A note on the generation of random normal deviates", *Annals of Mathematical Statistics*
29 (1958).
R. Bailey, "Polar generation of random variates with the t-distribution", *Mathematics of Computation* 62
(1994).
G. Marsaglia and W. Tsang, "A simple method for generating gamma variables", *ACM TOMS* 26 (2000), section 2.
"""

import math

import numpy as np
from numpy.typing import NDArray

from rpmcore.kernels._jit import kernel

Vector = NDArray[np.float64]
Words = NDArray[np.uint64]

LANES = 512
"""Draws per buffer of four kilobytes; the six that a pair of assets needs fit a first-level cache of 32."""

# Unsigned throughout: Numba gives float64 where an unsigned and a signed integer of 64 bits meet.
MULTIPLIER_0, MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
WEYL_0, WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
LOW_HALF, HALF_BITS = np.uint64(0xFFFFFFFF), np.uint64(32)
UNIFORM_DROPS = np.uint64(12)

FRACTION_BITS = np.int64(52)
SQRT_HALF_BITS = np.int64(0x3FE6A09E667F3BCD)
LN_2 = math.log(2.0)
LN_2_HIGH = float.fromhex("0x1.62e42fefa3800p-1")
LN_2_LOW = float.fromhex("0x1.ef35793c76730p-45")

EIGHTH_BITS, QUARTER_BITS, ANGLE_DROPS = np.int64(61), np.int64(2), np.int64(11)
ANGLE_UNIT = 0.5 * math.pi * 2.0**-53


@kernel("(u8, u8, u8, u8, u8, u8)")
def philox_round(
    x0: np.uint64, x1: np.uint64, x2: np.uint64, x3: np.uint64, key_0: np.uint64, key_1: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Return the four words of 32 bits after one round, each in the low half of a uint64.

    The high halves hold anything, before and after: only the factors are cut to their low halves, which the
    instruction for 32 by 32 bits does by itself.
    """
    product_0, product_1 = MULTIPLIER_0 * (x0 & LOW_HALF), MULTIPLIER_1 * (x2 & LOW_HALF)
    return (product_1 >> HALF_BITS) ^ x1 ^ key_0, product_1, (product_0 >> HALF_BITS) ^ x3 ^ key_1, product_0


@kernel("(u8[::1], u8, u8, u8, u8[::1], u8[::1])")
def random_words(paths: Words, index: np.uint64, stream: np.uint64, seed: np.uint64, low: Words, high: Words) -> None:
    """Write 128 random bits per path into `low` and `high`: Philox4x32-10 of the counter under the key `seed`.

    The counter is (path's low half, path's high half, `index`, `stream`), the last two below 2³². The ten rounds are
    written out because a loop, or a function too long for inlining, would keep the outer loop from vectorising.
    """
    a0, a1 = seed & LOW_HALF, seed >> HALF_BITS
    b0, b1 = (a0 + WEYL_0) & LOW_HALF, (a1 + WEYL_1) & LOW_HALF
    c0, c1 = (b0 + WEYL_0) & LOW_HALF, (b1 + WEYL_1) & LOW_HALF
    d0, d1 = (c0 + WEYL_0) & LOW_HALF, (c1 + WEYL_1) & LOW_HALF
    e0, e1 = (d0 + WEYL_0) & LOW_HALF, (d1 + WEYL_1) & LOW_HALF
    f0, f1 = (e0 + WEYL_0) & LOW_HALF, (e1 + WEYL_1) & LOW_HALF
    g0, g1 = (f0 + WEYL_0) & LOW_HALF, (f1 + WEYL_1) & LOW_HALF
    h0, h1 = (g0 + WEYL_0) & LOW_HALF, (g1 + WEYL_1) & LOW_HALF
    i0, i1 = (h0 + WEYL_0) & LOW_HALF, (h1 + WEYL_1) & LOW_HALF
    j0, j1 = (i0 + WEYL_0) & LOW_HALF, (i1 + WEYL_1) & LOW_HALF
    for lane in range(paths.shape[0]):
        x0, x1, x2, x3 = paths[lane] & LOW_HALF, paths[lane] >> HALF_BITS, index, stream
        x0, x1, x2, x3 = philox_round(x0, x1, x2, x3, a0, a1)
        x0, x1, x2, x3 = philox_round(x0, x1, x2, x3, b0, b1)
        x0, x1, x2, x3 = philox_round(x0, x1, x2, x3, c0, c1)
        x0, x1, x2, x3 = philox_round(x0, x1, x2, x3, d0, d1)
        x0, x1, x2, x3 = philox_round(x0, x1, x2, x3, e0, e1)
        x0, x1, x2, x3 = philox_round(x0, x1, x2, x3, f0, f1)
        x0, x1, x2, x3 = philox_round(x0, x1, x2, x3, g0, g1)
        x0, x1, x2, x3 = philox_round(x0, x1, x2, x3, h0, h1)
        x0, x1, x2, x3 = philox_round(x0, x1, x2, x3, i0, i1)
        x0, x1, x2, x3 = philox_round(x0, x1, x2, x3, j0, j1)
        low[lane] = (x1 << HALF_BITS) | (x0 & LOW_HALF)
        high[lane] = (x3 << HALF_BITS) | (x2 & LOW_HALF)


@kernel("(u8[::1],)")
def uniforms(words: Words) -> Vector:
    """Turn random words, in place, into uniforms on the open interval (0, 1); never 0 and never 1.

    They are the centres of 2⁵² equal cells: 53 significant bits, hence exact.
    """
    u = words.view(np.float64)
    for i in range(words.shape[0]):
        u[i] = (np.float64(words[i] >> UNIFORM_DROPS) + 0.5) * 2.0**-52
    return u


@kernel("(f8[::1],)")
def logarithm(x: Vector) -> None:
    """Replace each x > 0 by ln x, to 2e-15 of it.

    x = 2ᵉ m with m in [√½, √2), by the bits of x; and ln m = 2 artanh s with s = (m − 1)/(m + 1), |s| < 0.172, by
    its power series: the first term left out is 2 s¹⁹/19 < 1e-15 |ln m|.
    """
    bits = x.view(np.int64)
    for i in range(x.shape[0]):
        exponent = (bits[i] - SQRT_HALF_BITS) >> FRACTION_BITS
        bits[i] -= exponent << FRACTION_BITS
        s = (x[i] - 1.0) / (x[i] + 1.0)
        s2 = s * s
        series = 2.0 / 17.0
        series = series * s2 + 2.0 / 15.0
        series = series * s2 + 2.0 / 13.0
        series = series * s2 + 2.0 / 11.0
        series = series * s2 + 2.0 / 9.0
        series = series * s2 + 2.0 / 7.0
        series = series * s2 + 2.0 / 5.0
        series = series * s2 + 2.0 / 3.0
        x[i] = np.float64(exponent) * LN_2 + (s * (s2 * series) + 2.0 * s)


@kernel("(f8[::1], f8, u8[::1], f8[::1], f8[::1])")
def polar(squares: Vector, factor: float, words: Words, x: Vector, y: Vector) -> None:
    """Write r cos φ and r sin φ with r² = `factor` · square and φ = 2π · word / 2⁶⁴, to 2e-15 of r.

    φ is q quarter turns and an angle |a| ≤ π/4, both cut from the bits of the word. Sine and cosine of a come
    from their power series; q says which of the two is which, and their signs.
    """
    signed = words.view(np.int64)
    for i in range(squares.shape[0]):
        q = ((signed[i] >> EIGHTH_BITS) + 1) >> 1
        a = np.float64((signed[i] << QUARTER_BITS) >> ANGLE_DROPS) * ANGLE_UNIT
        a2 = a * a
        s = -1.0 / 1307674368000.0
        s = s * a2 + 1.0 / 6227020800.0
        s = s * a2 - 1.0 / 39916800.0
        s = s * a2 + 1.0 / 362880.0
        s = s * a2 - 1.0 / 5040.0
        s = s * a2 + 1.0 / 120.0
        s = s * a2 - 1.0 / 6.0
        s = a + a * (a2 * s)
        c = 1.0 / 20922789888000.0
        c = c * a2 - 1.0 / 87178291200.0
        c = c * a2 + 1.0 / 479001600.0
        c = c * a2 - 1.0 / 3628800.0
        c = c * a2 + 1.0 / 40320.0
        c = c * a2 - 1.0 / 720.0
        c = c * a2 + 1.0 / 24.0
        c = 1.0 - a2 * (0.5 - a2 * c)
        along, across = (s, c) if (q & 1) != 0 else (c, s)
        r = math.sqrt(factor * squares[i])
        x[i] = r * (-along if ((q + 1) & 2) != 0 else along)
        y[i] = r * (-across if (q & 2) != 0 else across)


@kernel("(f8[::1],)")
def exponential_less_one(x: Vector) -> None:
    """Replace each x in [0, 40] by eˣ − 1, to 3e-15 of it.

    x = k ln 2 + r with |r| ≤ ½ ln 2, and e^r − 1 from its power series; nothing cancels near x = 0.
    """
    for i in range(x.shape[0]):
        k = np.int64(x[i] * (1.0 / LN_2) + 0.5)
        r = (x[i] - k * LN_2_HIGH) - k * LN_2_LOW
        series = 1.0 / 6227020800.0
        series = series * r + 1.0 / 479001600.0
        series = series * r + 1.0 / 39916800.0
        series = series * r + 1.0 / 3628800.0
        series = series * r + 1.0 / 362880.0
        series = series * r + 1.0 / 40320.0
        series = series * r + 1.0 / 5040.0
        series = series * r + 1.0 / 720.0
        series = series * r + 1.0 / 120.0
        series = series * r + 1.0 / 24.0
        series = series * r + 1.0 / 6.0
        series = series * r + 0.5
        power = np.float64(np.int64(1) << k)
        x[i] = power * (r + r * (r * series)) + (power - 1.0)


@kernel("(u8[::1], u8[::1], f8[::1], f8[::1])")
def normal_pairs(low: Words, high: Words, z0: Vector, z1: Vector) -> None:
    """Write two independent standard normals per pair of words, by Box and Muller: r² = −2 ln U.

    `low` is used up.
    """
    log_u = uniforms(low)
    logarithm(log_u)
    polar(log_u, -2.0, high, z0, z1)


@kernel("(u8[::1], u8[::1], f8, f8[::1], f8[::1])")
def student_t(low: Words, high: Words, dof: float, t: Vector, scratch: Vector) -> None:
    """Write one Student-t of unit variance per pair of words, ν = `dof` > 2; `low` is used up.

    Bailey's polar method: r² = ν(U^(−2/ν) − 1) gives ν degrees of freedom, here times (ν − 2)/ν. The other
    coordinate, in `scratch`, is not independent of the first.
    """
    growth = uniforms(low)
    logarithm(growth)
    for i in range(low.shape[0]):
        growth[i] *= -2.0 / dof
    exponential_less_one(growth)
    polar(growth, dof - 2.0, high, t, scratch)


@kernel("(u8[::1], u8, u8, f8, f8[::1])")
def mixing_scales(paths: Words, stream: np.uint64, seed: np.uint64, dof: float, scales: Vector) -> None:
    """Write √((ν − 2)/χ²) per path, ν = `dof` > 2: normals times it are Student-t of the same variance.

    χ² = 2 d (1 + c x)³ is accepted or refused by Marsaglia and Tsang's test. A refused path (fewer than 5 %) waits
    for the next attempt, whose number is part of the counter.
    """
    n = paths.shape[0]
    d = 0.5 * dof - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    waiting, lane = paths.copy(), np.arange(n)
    low, high = np.empty(n, np.uint64), np.empty(n, np.uint64)
    x, root, log_root = np.empty(n), np.empty(n), np.empty(n)
    index = np.uint64(0)
    while n > 0:
        random_words(waiting[:n], index, stream, seed, low[:n], high[:n])
        normal_pairs(low[:n], high[:n], x[:n], root[:n])
        random_words(waiting[:n], index + np.uint64(1), stream, seed, low[:n], high[:n])
        index += np.uint64(2)
        log_u = uniforms(low[:n])
        logarithm(log_u)
        for i in range(n):
            root[i] = 1.0 + c * x[i]
            log_root[i] = max(root[i], 2.0**-52)
        logarithm(log_root[:n])
        refused = 0
        for i in range(n):
            cube = root[i] * root[i] * root[i]
            bound = 0.5 * x[i] * x[i] + d - d * cube + 3.0 * d * log_root[i]
            if root[i] > 0.0 and log_u[i] < bound:
                scales[lane[i]] = math.sqrt((dof - 2.0) / (2.0 * d * cube))
            else:
                waiting[refused], lane[refused] = waiting[i], lane[i]
                refused += 1
        n = refused
