"""Exact p-values of tests on violations, by simulation of a model that is right.

The χ² laws of these tests hold for long series only. What a right model does is known exactly, whatever the length:
its violations are independent, each with the nominal probability. So the statistic of many such series is the
yardstick, and the p-value is exact for any number of them.

References
----------
J.-M. Dufour, "Monte Carlo tests with nuisance parameters: a general approach to finite-sample inference and nonstandard
asymptotics", *Journal of Econometrics* 133 (2006), section 2, proposition 2.2 (ties broken at random).
P. Christoffersen and D. Pelletier, "Backtesting value-at-risk: a duration-based approach", *Journal of Financial
Econometrics* 2 (2004), section 4.
"""

from dataclasses import dataclass

import numpy as np

from rpmcore.domain.arrays import Vector
from rpmcore.domain.errors import InvalidArgument
from rpmcore.kernels import backtesting as kernels
from rpmcore.kernels import random_numbers
from rpmcore.risk.backtesting.violations import tail_of

REPLICATIONS = 9_999
"""With one more than this a multiple of 100, the level is exact at every whole percent."""

FEWEST, MOST = 99, 999_999

TIES = np.uint64(0xBAC7E572)
"""The stream of the draws that break ties."""

TIED = 1e-9
"""Statistics this close, relative to them, are one value reached by another sum."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NullStatistics:
    """Statistics of series of independent violations with the nominal probability, (replications,) each."""

    n_obs: int
    confidence: float
    seed: int
    independence: Vector
    conditional_coverage: Vector
    duration: Vector


def simulate_null(n_obs: int, *, confidence: float, seed: int, replications: int = REPLICATIONS) -> NullStatistics:
    """Return the statistics of `replications` series of `n_obs` independent days.

    Parameters
    ----------
    n_obs
        At least 1.
    confidence
        In (0.5, 1): each day is a violation with probability 1 − confidence.
    seed
        In [0, 2**64). The same seed gives the same series, and more of them begin with the same ones.
    replications
        From 99 to 999,999.

    Raises
    ------
    InvalidArgument
        If an argument is out of its range.
    """
    tail = tail_of(confidence)
    check_draws(seed, replications)
    if isinstance(n_obs, bool) or not isinstance(n_obs, int) or n_obs < 1:
        raise InvalidArgument(f"n_obs must be a whole number of at least 1, but is {n_obs!r}")
    found = np.empty((replications, 3))
    kernels.null_statistics(n_obs, tail, threshold(tail), np.uint64(seed), found)
    columns = np.ascontiguousarray(found.T)
    return NullStatistics(
        n_obs=n_obs,
        confidence=confidence,
        seed=seed,
        independence=columns[0],
        conditional_coverage=columns[1],
        duration=columns[2],
    )


def threshold(rate: float) -> np.uint64:
    """Return the number below which a random word of 64 bits lies with probability `rate`."""
    return np.uint64(int(rate * 2.0**64))


def monte_carlo_p_value(statistic: float, simulated: Vector, *, seed: int) -> float:
    """Return (1 + how many simulated statistics are at least as large)/(1 + how many there are).

    A tie counts where its random number is not below that of the observed one. The p-value is then uniform over
    1/(N+1), …, 1 if the model is right, however coarse the law of the statistic.

    Parameters
    ----------
    statistic
        The observed one.
    simulated
        (replications,), without NaN.
    seed
        Of the numbers that break ties.
    """
    n = simulated.shape[0]
    low, high = np.empty(n + 1, np.uint64), np.empty(n + 1, np.uint64)
    random_numbers.random_words(np.arange(n + 1, dtype=np.uint64), np.uint64(0), TIES, np.uint64(seed), low, high)
    tied = np.abs(simulated - statistic) <= TIED * max(1.0, abs(statistic))
    beyond = int(np.count_nonzero((simulated > statistic) & ~tied))
    beyond += int(np.count_nonzero(tied & (low[:n] >= low[n])))
    return float((beyond + 1.0) / (n + 1.0))


def check_draws(seed: int, replications: int) -> None:
    """Refuse a seed or a number of replications that is out of its range.

    Raises
    ------
    InvalidArgument
        If `seed` is not in [0, 2**64), or `replications` not from 99 to 999,999.
    """
    for name, value, least, most in (("seed", seed, 0, 2**64 - 1), ("replications", replications, FEWEST, MOST)):
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise InvalidArgument(f"{name} must be a whole number from {least} to {most}, but is {value!r}")


def null_for(
    n_obs: int, confidence: float, seed: int, replications: int, given: NullStatistics | None
) -> NullStatistics:
    """Return the null law that was given, or draw it.

    Raises
    ------
    InvalidArgument
        If the one given is of another length, confidence or seed.
    """
    if given is None:
        return simulate_null(n_obs, confidence=confidence, seed=seed, replications=replications)
    if (given.n_obs, given.confidence, given.seed) != (n_obs, confidence, seed):
        raise InvalidArgument(
            f"null was simulated for {given.n_obs} days at {given.confidence} with seed {given.seed}, but is used for "
            f"{n_obs} days at {confidence} with seed {seed}"
        )
    return given
