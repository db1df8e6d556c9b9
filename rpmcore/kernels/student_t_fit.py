"""The maximum-likelihood fit of location, scale and degrees of freedom of a Student-t law.

It works with κ = 1/ν: the log-likelihood is analytic in κ down to the normal law at κ = 0, where it is flat in ν.
"""

import math

import numpy as np
from numpy.typing import NDArray

from rpmcore.kernels._jit import kernel
from rpmcore.kernels.student_t import log_gamma_ratio

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

SMALLEST_KAPPA, LARGEST_KAPPA = 1e-5, 2.0
"""κ = 1/ν of the search. Below 1e-5 the gain over the normal law is less than κ², 1e-10 per observation."""

HANDFUL = 30
"""Below this many observations the likelihood has many maxima, and the fit climbs from every pair."""

MOST_STEPS = 200
"""Guard of Newton's method, which takes five to twelve steps on data of one mode."""


@kernel("(f8[::1], f8, f8, f8, f8[::1])", fastmath=frozenset({"reassoc", "contract"}))
def weighted_sums(x: Vector, location: float, scale: float, kappa: float, factors: Vector) -> tuple[float, ...]:
    """Write 1 + κz² into `factors` and return Σv, Σv², Σy, Σyv for y = z/(1 + κz²), v = zy, z = (x − location)/scale.

    Reassociation lets the sums vectorise: 2.7 times as fast.
    """
    inverse = 1.0 / scale
    sum_v, sum_vv, sum_y, sum_yv = 0.0, 0.0, 0.0, 0.0
    for i in range(x.shape[0]):
        z = (x[i] - location) * inverse
        factor = 1.0 + kappa * z * z
        factors[i] = factor
        y = z / factor
        v = z * y
        sum_v += v
        sum_vv += v * v
        sum_y += y
        sum_yv += y * v
    return sum_v, sum_vv, sum_y, sum_yv


@kernel("(f8[::1], f8)")
def sum_of_logs(factors: Vector, largest: float) -> float:
    """Return Σ ln(factors), destroying them; none is below 1 or above `largest`.

    One logarithm serves sixteen factors, unless their product could overflow.
    """
    n = factors.shape[0]
    columns = n // 16 if largest < 1e19 else 0
    for row in range(1, 16 if columns else 1):
        for i in range(columns):
            factors[i] *= factors[row * columns + i]
    total = 0.0
    for i in range(columns):
        total += math.log(factors[i])
    for i in range(16 * columns, n):
        total += math.log(factors[i])
    return total


@kernel("(f8[::1], f8, f8[::1], f8[::1], f8[::1], f8[:, ::1])")
def log_likelihood(
    x: Vector, reach: float, theta: Vector, factors: Vector, gradient: Vector, information: Matrix
) -> float:
    """Return the log-likelihood of x at theta = (location, ln scale, κ > 0) with |x| ≤ reach.

    Writes its gradient, and the observed information: the Hessian with its sign flipped.
    """
    n = x.shape[0]
    location, scale, k = theta[0], math.exp(theta[1]), theta[2]
    v, vv, y, yv = weighted_sums(x, location, scale, k, factors)
    logs = sum_of_logs(factors, 1.0 + k * ((reach + abs(location)) / scale) ** 2)
    z = 0.5 / k
    ratio, slope, curve = log_gamma_ratio(z)

    gradient[0] = (1.0 + k) / scale * y
    gradient[1] = (1.0 + k) * v - n
    gradient[2] = -2.0 * n * z * z * slope + 2.0 * z * z * logs - (z + 0.5) * v

    information[0, 0] = (1.0 + k) / (scale * scale) * (n - 3.0 * k * v + 2.0 * k * k * vv)
    information[0, 1] = 2.0 * (1.0 + k) / scale * (y - k * yv)
    information[0, 2] = ((1.0 + k) * yv - y) / scale
    information[1, 1] = 2.0 * (1.0 + k) * (v - k * vv)
    information[1, 2] = (1.0 + k) * vv - v
    information[2, 2] = (
        8.0 * z**3 * logs - 4.0 * z * z * v - (z + 0.5) * vv - n * (4.0 * z**4 * curve + 8.0 * z**3 * slope)
    )
    for i in range(3):
        for j in range(i):
            information[i, j] = information[j, i]
    value: float = n * (ratio - 0.5 * math.log(2.0 * math.pi) - theta[1]) - (z + 0.5) * logs
    return value


@kernel("(f8[:, ::1], f8[::1], f8[::1], f8, i8, f8[::1])")
def damped_step(
    information: Matrix, gradient: Vector, floor: Vector, damping: float, n_free: int, step: Vector
) -> bool:
    """Write the solution of (information + damping (|diagonal| + floor)) step = gradient for the first `n_free`.

    Returns False where the damped matrix is not positive definite. The others stay (step 0).
    """
    lower = np.zeros((3, 3))
    for i in range(n_free):
        for j in range(i + 1):
            value = information[i, j]
            if i == j:
                value += damping * (abs(value) + floor[i])
            for m in range(j):
                value -= lower[i, m] * lower[j, m]
            if i > j:
                lower[i, j] = value / lower[j, j]
            elif value > 1e-12 * abs(information[i, i]):
                lower[i, i] = math.sqrt(value)
            else:
                return False
    step[2] = 0.0
    for i in range(n_free):
        value = gradient[i]
        for m in range(i):
            value -= lower[i, m] * step[m]
        step[i] = value / lower[i, i]
    for i in range(n_free - 1, -1, -1):
        value = step[i]
        for m in range(i + 1, n_free):
            value -= lower[m, i] * step[m]
        step[i] = value / lower[i, i]
    return True


@kernel("(f8[:, ::1], f8[:, ::1])")
def covariance(information: Matrix, out: Matrix) -> bool:
    """Write the inverse of the 3 × 3 information into `out`; return False where it is not positive definite."""
    none = triple(0.0, 0.0, 0.0)
    for i in range(3):
        column = triple(0.0, 0.0, 0.0)
        column[i] = 1.0
        if not damped_step(information, column, none, 0.0, 3, out[i]):
            return False
    return True


@kernel("(f8, f8, f8)")
def triple(first: float, second: float, third: float) -> Vector:
    """Return the three as a vector. Array expressions for three numbers more than double the time to compile."""
    out = np.empty(3)
    out[0], out[1], out[2] = first, second, third
    return out


@kernel("(f8[::1], f8[::1])")
def copy_triple(source: Vector, target: Vector) -> None:
    """Write the three elements of `source` into `target`."""
    for i in range(3):
        target[i] = source[i]


@kernel("(f8[::1], f8, f8[::1], f8[::1], f8[:, ::1])")
def climb(x: Vector, reach: float, normal: Vector, theta: Vector, information: Matrix) -> float:
    """Move theta = (location, ln scale, κ) to a maximum of the likelihood of x; return the log-likelihood there.

    Newton's method with Levenberg's damping where the Hessian is not negative definite or a step does not gain. κ
    is held at 2 where it presses against it. Where it presses against its smallest value, the other two are known:
    `normal` holds (mean, ln deviation, smallest κ). Writes the observed information at the end.
    """
    n = x.shape[0]
    factors, gradient, step = np.empty(n), np.empty(3), np.empty(3)
    trial, trial_gradient, trial_information = np.empty(3), np.empty(3), np.empty((3, 3))
    value = log_likelihood(x, reach, theta, factors, gradient, information)
    floor = triple(0.0, float(n), float(n))
    damping = 0.0
    for _ in range(MOST_STEPS):
        if theta[2] <= SMALLEST_KAPPA and gradient[2] <= 0.0:
            if theta[0] == normal[0] and theta[1] == normal[1]:
                break
            copy_triple(normal, theta)
            value = log_likelihood(x, reach, theta, factors, gradient, information)
            continue
        n_free = 2 if theta[2] >= LARGEST_KAPPA and gradient[2] > 0.0 else 3
        floor[0] = n * math.exp(-2.0 * theta[1])
        if not damped_step(information, gradient, floor, damping, n_free, step):
            damping = max(4.0 * damping, 0.01)
            continue
        gain = 0.5 * (gradient[0] * step[0] + gradient[1] * step[1] + gradient[2] * step[2])
        # A scale that moves by more than a factor of e^1.5 has left the region where the Hessian says anything.
        shrink = min(1.0, 1.5 / max(abs(step[1]), 1e-300))
        for i in range(3):
            trial[i] = theta[i] + shrink * step[i]
        trial[2] = min(max(trial[2], SMALLEST_KAPPA), LARGEST_KAPPA)
        trial_value = log_likelihood(x, reach, trial, factors, trial_gradient, trial_information)
        rounding = n * (1e-13 + 5e-17 / trial[2])
        if trial_value >= value - rounding:
            value = trial_value
            copy_triple(trial, theta)
            copy_triple(trial_gradient, gradient)
            for i in range(3):
                copy_triple(trial_information[i], information[i])
            if gain <= 1e-10 * n and damping < 1e-3:
                break
            damping = 0.1 * damping if damping > 1e-3 else 0.0
        elif damping > 1e12:
            break
        else:
            damping = max(4.0 * damping, 0.01)
    return value


@kernel("(f8[::1],)", fastmath=frozenset({"reassoc", "contract"}))
def normal_limit(x: Vector) -> tuple[float, float, float]:
    """Return the mean of x, its population standard deviation and its excess kurtosis."""
    n = x.shape[0]
    mean, square, fourth = 0.0, 0.0, 0.0
    for i in range(n):
        mean += x[i]
    mean /= n
    for i in range(n):
        apart = (x[i] - mean) * (x[i] - mean)
        square += apart
        fourth += apart * apart
    square /= n
    return mean, math.sqrt(square), fourth / n / (square * square) - 3.0


@kernel("(f8[::1],)")
def spread(x: Vector) -> float:
    """Return the largest less the smallest of x."""
    low, high = np.inf, -np.inf
    for value in x:
        low, high = min(low, value), max(high, value)
    width: float = high - low
    return width


@kernel("(f8[::1],)")
def sketch(x: Vector) -> Vector:
    """Return up to 64 evenly spaced elements of x, sorted."""
    size = min(64, x.shape[0])
    chosen = np.empty(size)
    for i in range(size):
        value = x[i * x.shape[0] // size]
        j = i
        while j > 0 and chosen[j - 1] > value:
            chosen[j] = chosen[j - 1]
            j -= 1
        chosen[j] = value
    return chosen


@kernel("(f8[::1],)")
def fit(returns: Vector) -> tuple[float, float, float, float, Matrix]:
    """Return location, scale, κ, log-likelihood and observed information of (location, ln scale, κ) at its maximum.

    κ = 0 is the normal law. The climbs run on centred and scaled data, so that units do not matter.
    """
    n = returns.shape[0]
    ordered = sketch(returns)
    size = ordered.shape[0]
    centre = ordered[size // 2]
    unit = 0.5 * (ordered[size * 5 // 6] - ordered[size // 6])
    if unit == 0.0:
        unit = spread(returns)
    x = np.empty(n)
    reach = 0.0
    for i in range(n):
        x[i] = (returns[i] - centre) / unit
        reach = max(reach, abs(x[i]))
    for i in range(size):
        ordered[i] = (ordered[i] - centre) / unit

    theta, information = np.empty(3), np.empty((3, 3))
    best = highest_maximum(x, reach, ordered, theta, information)

    information[0, 0] /= unit * unit
    for i in range(1, 3):
        information[0, i] /= unit
        information[i, 0] /= unit
    return centre + unit * theta[0], math.exp(theta[1]) * unit, theta[2], best - n * math.log(unit), information


@kernel("(f8[::1], f8, f8[::1], f8[::1], f8[:, ::1])")
def highest_maximum(x: Vector, reach: float, ordered: Vector, theta: Vector, information: Matrix) -> float:
    """Write theta = (location, ln scale, κ) of the highest maximum, and the information; return the log-likelihood.

    Besides the broad maximum there may be one on a tight cluster of about a third of the data or more, at ν near
    0.5, and the normal limit κ = 0. In a handful of observations any two make a cluster.
    """
    n, size = x.shape[0], ordered.shape[0]
    mean, deviation, excess_kurtosis = normal_limit(x)
    normal = triple(mean, math.log(deviation), SMALLEST_KAPPA)
    copy_triple(triple(0.0, -0.1, 0.3), theta)
    best = climb(x, reach, normal, theta, information)

    if n < HANDFUL:
        for i in range(n - 1):
            for kappa in (0.5, LARGEST_KAPPA):
                best = climb_cluster(x, reach, normal, ordered[i : i + 2], kappa, best, theta, information)
    else:
        span = size // 4
        first = 0
        for i in range(size - span + 1):
            if ordered[i + span - 1] - ordered[i] < ordered[first + span - 1] - ordered[first]:
                first = i
        quarter = ordered[first : first + span]
        # The middle quarter of a Student-t law is some 0.7 scales wide, whatever ν.
        if quarter[span - 1] - quarter[0] < 0.3 * math.exp(theta[1]):
            best = climb_cluster(x, reach, normal, quarter, LARGEST_KAPPA, best, theta, information)

    at_limit = -n * (0.5 * math.log(2.0 * math.pi) + 0.5 + normal[1])
    if at_limit > best and excess_kurtosis > 0.0:
        best = climb_if_better(x, reach, normal, triple(mean, normal[1], SMALLEST_KAPPA), best, theta, information)
    if at_limit >= best or theta[2] <= SMALLEST_KAPPA:
        best = at_limit
        copy_triple(normal, theta)
        theta[2] = 0.0
    return best


@kernel("(f8[::1], f8, f8[::1], f8[::1], f8, f8, f8[::1], f8[:, ::1])")
def climb_cluster(
    x: Vector,
    reach: float,
    normal: Vector,
    cluster: Vector,
    kappa: float,
    best: float,
    theta: Vector,
    information: Matrix,
) -> float:
    """Climb from the middle and the width of a few sorted values, as `climb_if_better`."""
    low, high = cluster[0], cluster[-1]
    start = triple(0.5 * (low + high), math.log(max(high - low, 0.05 * math.exp(theta[1]))), kappa)
    return climb_if_better(x, reach, normal, start, best, theta, information)


@kernel("(f8[::1], f8, f8[::1], f8[::1], f8, f8[::1], f8[:, ::1])")
def climb_if_better(
    x: Vector, reach: float, normal: Vector, start: Vector, best: float, theta: Vector, information: Matrix
) -> float:
    """Climb from `start`; where that ends above `best`, write theta and information and return the new best."""
    other_information = np.empty((3, 3))
    other = climb(x, reach, normal, start, other_information)
    if other > best:
        copy_triple(start, theta)
        for i in range(3):
            copy_triple(other_information[i], information[i])
        return other
    return best


@kernel("(f8[::1], f8)")
def resolved(x: Vector, scale: float) -> bool:
    """Tell whether `scale`, which may be NaN, is above four units in the last place of the largest of x."""
    largest = 0.0
    for value in x:
        largest = max(largest, abs(value))
    above: bool = scale > 4.0 * (np.nextafter(largest, np.inf) - largest)
    return above


@kernel("(f8[::1],)")
def commonest_above_a_third(x: Vector) -> int:
    """Return how often the commonest value of x occurs if that is more than a third of the time, else 0.

    Two candidates survive the pairing-off of Misra and Gries (1982); a second pass counts them.
    """
    first, second, first_votes, second_votes = 0.0, 0.0, 0, 0
    for value in x:
        if first_votes > 0 and value == first:
            first_votes += 1
        elif second_votes > 0 and value == second:
            second_votes += 1
        elif first_votes == 0:
            first, first_votes = value, 1
        elif second_votes == 0:
            second, second_votes = value, 1
        else:
            first_votes -= 1
            second_votes -= 1
    most = 0
    for candidate in (first, second):
        count = 0
        for value in x:
            count += value == candidate
        most = max(most, count)
    return most if 3 * most > x.shape[0] else 0
