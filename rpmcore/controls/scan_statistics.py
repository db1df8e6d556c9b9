"""How often chance alone looks like trouble: runs, and clusters in a window.

References
----------
J. Naus, "Approximations for distributions of scan statistics", *Journal of the American Statistical Association* 77
(1982), theorem 1 and equation 3.2.
J. Glaz, J. Naus and S. Wallenstein, *Scan Statistics*, Springer (2001), chapters 2 and 10.
W. Feller, *An Introduction to Probability Theory and Its Applications* I, 3rd ed. (1968), XIII.7.
"""

from math import exp, expm1, fsum, lgamma, log

from rpmcore.domain.errors import InvalidArgument


def probability_of_run(n_trials: int, probability: float, length: int) -> float:
    """Return the exact probability of `length` successes in a row somewhere within `n_trials` independent trials.

    A Markov chain on the present length of the row: 0 … length − 1, and done.

    Parameters
    ----------
    n_trials
        At least 0.
    probability
        Of a success, in [0, 1]; here a success is a loss.
    length
        At least 1.

    Raises
    ------
    InvalidArgument
        If a number is out of its range.
    """
    _check(
        n_trials >= 0 and length >= 1 and 0.0 <= probability <= 1.0, "n_trials ≥ 0, length ≥ 1, probability in [0, 1]"
    )
    at, done = [1.0] + [0.0] * (length - 1), 0.0
    for _ in range(n_trials):
        done += at[-1] * probability
        at = [(1.0 - probability) * fsum(at), *(mass * probability for mass in at[:-1])]
    return min(done, 1.0)


def mean_trials_to_run(probability: float, length: int) -> float:
    """Return the exact mean number of trials until `length` successes in a row: (p⁻ᵏ − 1)/(1 − p).

    Raises
    ------
    InvalidArgument
        If the probability is not in (0, 1], or the length is below 1.
    """
    _check(0.0 < probability <= 1.0 and length >= 1, "probability in (0, 1], length ≥ 1")
    if probability == 1.0:
        return float(length)
    return expm1(-length * log(probability)) / (1.0 - probability)


def probability_of_cluster(count: int, per_window: float, windows: float) -> float:
    """Return the probability that a window of a Poisson process holds `count` events or more, by Naus' approximation.

    1 − Q₂ (Q₃/Q₂)^(L−2) with Q₂ and Q₃, the probabilities of none in two and three windows, exact. Where it is below
    1e-9, which is lost in rounding, the union bound λL·P(N ≥ count − 1) stands in its place: never too low.

    Parameters
    ----------
    count
        Events that trip, at least 1.
    per_window
        Mean number in a window, positive.
    windows
        L, the length of time in windows, at least 2.

    Raises
    ------
    InvalidArgument
        If a number is out of its range.
    """
    _check(count >= 1 and per_window > 0.0 and windows >= 2.0, "count ≥ 1, per_window > 0, windows ≥ 2")
    total = per_window * windows
    if count == 1:
        return -expm1(-total)
    bound = total * _upper(count - 1, per_window)
    if bound < 1e-9:
        return bound
    two, three = _no_cluster(count, per_window)
    if two <= 0.0 or three <= 0.0:
        return 1.0
    return min(max(-expm1(log(two) + (windows - 2.0) * log(min(three / two, 1.0))), 0.0), 1.0, bound)


def _no_cluster(k: int, mean: float) -> tuple[float, float]:
    """Return Naus' Q₂ and Q₃: no window of length 1 holds k within a time of 2, and of 3."""
    p = [exp(j * log(mean) - mean - lgamma(j + 1)) for j in range(2 * k + 1)]
    cdf: list[float] = []
    for term in p:
        cdf.append((cdf[-1] if cdf else 0.0) + term)

    def f(j: int) -> float:
        return cdf[j] if j >= 0 else 0.0

    low = p[k - 2] if k >= 2 else 0.0
    two = f(k - 1) ** 2 - (k - 1) * p[k] * low - (k - 1 - mean) * p[k] * f(k - 3)
    a1 = 2 * p[k] * f(k - 1) * ((k - 1) * f(k - 2) - mean * f(k - 3))
    a2 = 0.5 * p[k] ** 2 * (
        (k - 1) * (k - 2) * f(k - 3) - 2 * (k - 2) * mean * f(k - 4) + mean**2 * f(k - 5)
    )  # fmt: skip
    a3 = fsum(p[2 * k - r] * f(r - 1) ** 2 for r in range(1, k))
    a4 = fsum(p[2 * k - r] * p[r] * ((r - 1) * f(r - 2) - mean * f(r - 3)) for r in range(2, k))
    return two, f(k - 1) ** 3 - a1 + a2 + a3 - a4


def _upper(k: int, mean: float) -> float:
    """Return P(N ≥ k) of a Poisson variable, summed from its own side so that small ones keep their digits."""
    term, total, j = exp(k * log(mean) - mean - lgamma(k + 1)), 0.0, k
    while term > 1e-18 * total or j <= mean:
        total += term
        j += 1
        term *= mean / j
        if not term:
            break
    return min(total, 1.0)


def _check(holds: bool, needed: str) -> None:
    if not holds:
        raise InvalidArgument(f"out of range: {needed} are needed")
