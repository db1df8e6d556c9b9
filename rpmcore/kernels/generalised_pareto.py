"""Generalised Pareto law of excesses over a threshold: maximum likelihood in one dimension.

The density is f(x) = (1/β)(1 + ξx/β)^(−1/ξ−1). With θ = ξ/β, the likelihood at a given θ is highest at ξ(θ) =
mean ln(1 + θx), and what remains is a function of θ alone (S.D. Grimshaw, "Computing maximum likelihood estimates for
the generalized Pareto distribution", *Technometrics* 35 (1993), section 2). Written with X(θ) = mean ln(1 + θx)/θ,
which is β, it is −ln X − θX − 1 per observation: analytic through the exponential law at θ = 0, and nothing cancels
there.
"""

import math

import numpy as np
from numpy.typing import NDArray

from rpmcore.kernels._jit import kernel

Vector = NDArray[np.float64]

LEAST_SHAPE = -0.5
"""ξ of the search: at −0.5 and below, maximum likelihood is not asymptotically normal (Smith 1985)."""

SMALL = 0.1
"""|t| below which ln(1+t) less its first terms is taken from a series: 18 terms leave less than 1e-16."""

APART = 0.5
"""Step of the search in ln(1 + θ·largest). No term of the derivative changes faster than over a unit of it."""

SLOPE, SHAPE, AT_LEAST_SHAPE = 0.0, 1.0, 2.0
"""What `falling` tells the sign of. Literal integers would compile it, and `crossing`, once for each."""


@kernel("(f8,)")
def logarithms(t: float) -> tuple[float, float, float]:
    """Return a = ln(1+t)/t, b = (a − 1/(1+t))/t and c = (2b − 1/(1+t)²)/t for t > −1; 1, 1/2 and 2/3 at t = 0."""
    inverse = 1.0 / (1.0 + t)
    if abs(t) < SMALL:
        c = 0.0
        for j in range(17, -1, -1):
            c = (j + 1.0) * (j + 2.0) / (j + 3.0) - t * c
        b = 0.5 * (t * c + inverse * inverse)
        return t * b + inverse, b, c
    a = math.log1p(t) / t
    b = (a - inverse) / t
    return a, b, (2.0 * b - inverse * inverse) / t


@kernel("(f8[::1], f8)")
def averages(x: Vector, theta: float) -> tuple[float, float, float]:
    """Return the means of ln(1+θx)/θ, of x/(1+θx) and of [ln(1+θx) − θx/(1+θx)]/θ², for 1 + θx > 0."""
    n = x.shape[0]
    beta, shrunk, second = 0.0, 0.0, 0.0
    for value in x:
        t = theta * value
        a, b, _ = logarithms(t)
        beta += value * a
        shrunk += value / (1.0 + t)
        second += value * value * b
    return beta / n, shrunk / n, second / n


@kernel("(f8[::1], f8, f8)")
def falling(x: Vector, s: float, what: float) -> bool:
    """Tell whether a function of θ = e^s − 1 is negative there; x is scaled to a largest element of 1.

    SLOPE is the derivative of the profile likelihood. SHAPE is −0.5 − ξ(θ), and AT_LEAST_SHAPE the derivative by θ of
    the likelihood at ξ = −0.5; both decrease.
    """
    theta = math.expm1(s)
    beta, shrunk, second = averages(x, theta)
    if what == SLOPE:
        return second < shrunk * beta
    if what == SHAPE:
        return theta * beta > LEAST_SHAPE
    return theta * shrunk > -1.0


@kernel("(f8[::1], f8, f8, f8)")
def crossing(x: Vector, low: float, high: float, what: float) -> float:
    """Return s between `low` and `high` where `falling` becomes true, by bisection down to neighbouring numbers."""
    for _ in range(100):
        middle = 0.5 * (low + high)
        if middle <= low or middle >= high:
            break
        if falling(x, middle, what):
            high = middle
        else:
            low = middle
    return 0.5 * (low + high)


@kernel("(f8[::1],)")
def fit(excesses: Vector) -> tuple[float, float, float]:
    """Return shape ξ ≥ −0.5, scale β and log-likelihood at the highest maximum for excesses > 0, not all equal.

    The derivative of the profile is searched for every change of sign, in s = ln(1 + θ·largest). Below s = −ln(n+1)
    the profile rises with s wherever ξ ≥ −0.5; above Grimshaw's bound θ = 2(mean − least)/least² it falls (1993,
    section 3). Where it falls from the first s with ξ ≥ −0.5 on, the likelihood at ξ = −0.5 with its own β, which is
    concave in θ, has its maximum outside of that range and competes.
    """
    n = excesses.shape[0]
    largest, least, mean = 0.0, np.inf, 0.0
    for value in excesses:
        largest, least = max(largest, value), min(least, value)
    x = np.empty(n)
    for i in range(n):
        x[i] = excesses[i] / largest
        mean += x[i] / n
    least /= largest
    first, last = -math.log(n + 2.0), math.log1p(2.0 * (mean - least) / least / least)
    if not falling(x, first, SHAPE):
        first = crossing(x, first, 0.0, SHAPE)

    shape, scale, best = 0.0, 0.0, -np.inf
    was_falling = falling(x, first, SLOPE)
    if was_falling:
        theta = math.expm1(crossing(x, -math.log(n + 2.0), 0.0, AT_LEAST_SHAPE))
        shape, scale = LEAST_SHAPE, LEAST_SHAPE / theta
        best = -math.log(scale) + theta * averages(x, theta)[0]
    steps = int((last - first) / APART) + 2
    for step in range(1, steps + 1):
        s = first + APART * step
        now_falling = falling(x, s, SLOPE)
        if now_falling and not was_falling:
            theta = math.expm1(crossing(x, s - APART, s, SLOPE))
            beta = averages(x, theta)[0]
            value = -math.log(beta) - theta * beta - 1.0
            if value > best:
                shape, scale, best = theta * beta, beta, value
        was_falling = now_falling
    return shape, scale * largest, n * (best - math.log(largest))


@kernel("(f8[::1], f8, f8)")
def information(excesses: Vector, shape: float, scale: float) -> tuple[float, float, float]:
    """Return the observed information of (ξ, ln β): its elements (0, 0), (0, 1) and (1, 1), without cancellation.

    With z = x/β and t = ξz they are the sums of z³c − z²/(1+t)², z(z−1)/(1+t)² and (1+ξ)z/(1+t)², c as in
    `logarithms`.
    """
    of_shape, mixed, of_scale = 0.0, 0.0, 0.0
    for value in excesses:
        z = value / scale
        c = logarithms(shape * z)[2]
        u = z / (1.0 + shape * z) ** 2
        of_shape += z * z * z * c - z * u
        mixed += u * (z - 1.0)
        of_scale += (1.0 + shape) * u
    return of_shape, mixed, of_scale
