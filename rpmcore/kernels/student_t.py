"""Student's t: density, cdf, quantile and the mean beyond a quantile.

Gamma functions enter only as the ratio Γ(z+½) / (Γ(z) √z), which loses no digits at large ν.
"""

import math

import numpy as np

from rpmcore.kernels._jit import kernel

CLOSE = 1e-9
"""Newton converges quadratically: after a step this small the next would be lost in rounding."""


@kernel("(f8,)")
def log_gamma_ratio(z: float) -> tuple[float, float, float]:
    """Return ln[Γ(z+½) / (Γ(z) √z)] for z > 0 and its first two derivatives.

    The asymptotic series (Luke, *The Special Functions and Their Approximations* I, 1969, section 2.11) is exact
    to rounding from z = 12; the recurrence in z leads there.
    """
    product, first, second = 1.0, 0.0, 0.0
    while z < 12.0:
        half = z + 0.5
        step = 0.25 / (z * (z + 1.0) * half)
        product *= z * (z + 1.0) / (half * half)
        first += step
        second -= step * (1.0 / z + 1.0 / (z + 1.0) + 1.0 / half)
        z += 1.0
    w = 1.0 / (z * z)
    series = -1 / 8 + w * (1 / 192 + w * (-1 / 640 + w * (17 / 14336 + w * (-31 / 18432 + w * (691 / 180224)))))
    slope = 1 / 8 + w * (-3 / 192 + w * (5 / 640 + w * (-119 / 14336 + w * (279 / 18432 - w * (7601 / 180224)))))
    curve = -2 / 8 + w * (12 / 192 + w * (-30 / 640 + w * (952 / 14336 + w * (-2790 / 18432 + w * (91212 / 180224)))))
    return 0.5 * math.log(product) + series / z, first + slope * w, second + curve * w / z


@kernel("(f8, f8)")
def log_density(q: float, dof: float) -> float:
    """Return ln f_ν(q) of the standard law; dof = inf is the normal law."""
    if dof == np.inf:
        return -0.5 * (math.log(2.0 * math.pi) + q * q)
    ratio = log_gamma_ratio(0.5 * dof)[0]
    return ratio - 0.5 * math.log(2.0 * math.pi) - 0.5 * (dof + 1.0) * math.log1p(q * q / dof)


@kernel("(f8, f8)")
def tail_probability(q: float, dof: float) -> float:
    """Return P(T > q) for q ≥ 0, to nearly full relative accuracy.

    P = ½ I_x(ν/2, ½) with x = ν/(ν+q²) (Abramowitz and Stegun 26.7.1). Near the centre the positive series
    26.5.4 of the other half; in the tail the continued fraction of Didonato and Morris (ACM TOMS 18, 1992, equation
    9), whose terms hold 1−x as a number of its own and so stay exact at large ν.
    """
    if dof == np.inf:
        return 0.5 * math.erfc(q / math.sqrt(2.0))
    a, b = 0.5 * dof, 0.5
    x, y = dof / (dof + q * q), q * q / (dof + q * q)
    front = q * math.exp(log_density(q, dof))
    if x * (a + b + 2.0) >= a + 1.0:
        term, total, n = 1.0, 1.0, 0
        while term > 1e-17 * total:
            term *= (a + b + n) / (1.5 + n) * y
            total += term
            n += 1
        return 0.5 - front * total
    # The fraction bottom / (…) from below, by the modified Lentz recurrence.
    value = a * (a * y - b * x + 1.0) / (a + 1.0)
    upper, lower = value, 0.0
    for m in range(1, 10_000):
        odd, even = a + 2 * m - 1.0, a + 2 * m + 1.0
        numerator = (a + m - 1.0) / odd * ((a + b + m - 1.0) / odd) * m * (b - m) * x * x
        denominator = m + m * (b - m) * x / odd + (a + m) * (a * y - b * x + 1.0 + m * (2.0 - x)) / even
        lower = 1.0 / (denominator + numerator * lower)
        upper = denominator + numerator / upper
        value *= upper * lower
        if abs(upper * lower - 1.0) < 2e-16:
            break
    return 0.5 * front / value


@kernel("(f8, f8)")
def upper_quantile(tail: float, dof: float) -> float:
    """Return q with P(T > q) = tail, for tail in (1e-16, 0.5].

    Near the centre Newton's method on P, which is convex; in the tail on ln P over ln q, which is concave and, for
    heavy tails, nearly straight. Both converge from one side.
    """
    if tail > 0.1:
        q = (0.5 - tail) * math.exp(-log_density(0.0, dof))
        for _ in range(50):
            step = (tail_probability(q, dof) - tail) * math.exp(-log_density(q, dof))
            q += step
            if abs(step) <= CLOSE * q:
                break
        return q
    u = 0.5
    for _ in range(100):
        q = math.exp(u)
        probability = tail_probability(q, dof)
        step = math.log(probability / tail) * probability / (q * math.exp(log_density(q, dof)))
        # A start in the flat centre may overshoot to where the normal tail underflows; no step need be longer.
        u += min(step, 2.0)
        if abs(step) <= CLOSE:
            break
    return math.exp(u)


@kernel("(f8, f8)")
def standard_shortfall(tail: float, dof: float) -> float:
    """Return the mean beyond the upper `tail` quantile of the standard law with dof > 1; dof = inf is normal."""
    q = upper_quantile(tail, dof)
    beyond = math.exp(log_density(q, dof)) / tail
    return beyond if dof == np.inf else beyond * (dof + q * q) / (dof - 1.0)
