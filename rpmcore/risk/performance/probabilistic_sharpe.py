"""How probable it is that a Sharpe ratio is not luck: of one track record, and of the best among many trials.

References
----------
D. Bailey and M. López de Prado, "The Sharpe ratio efficient frontier", *Journal of Risk* 15 (2012): the
probabilistic ratio and the minimum track record length.
D. Bailey and M. López de Prado, "The deflated Sharpe ratio", *Journal of Portfolio Management* 40 (2014).
"""

from math import e, isfinite, sqrt
from statistics import NormalDist

from rpmcore.domain.errors import InsufficientData, InvalidArgument, Undefined
from rpmcore.risk.performance.sharpe import sharpe_variance

EULER = 0.5772156649015329
STANDARD_NORMAL = NormalDist()


def probabilistic_sharpe(
    sharpe: float, *, n_obs: int, skewness: float, raw_kurtosis: float, benchmark: float = 0.0
) -> float:
    """Return Φ((SR − SR*)·√(n − 1)/√(1 − γ₃·SR + (γ₄ − 1)/4·SR²)), the confidence that the true ratio exceeds SR*.

    Parameters
    ----------
    sharpe, benchmark
        Estimated ratio SR and the one to exceed, SR*, both **per period**: an annual ratio over √252 for daily returns.
    n_obs
        Returns behind the estimate, at least 2.
    skewness
        γ₃ of the returns.
    raw_kurtosis
        γ₄, **not** in excess of the normal law's 3.

    Raises
    ------
    InsufficientData
        If `n_obs` is below 2.
    InvalidArgument
        If a number is not finite, or the raw kurtosis below 1, which no law has.
    Undefined
        If the moments leave no variance.
    """
    _check(sharpe, benchmark, skewness, raw_kurtosis)
    if n_obs < 2:
        raise InsufficientData(f"n_obs must be at least 2, but is {n_obs}")
    spread = sqrt(sharpe_variance(sharpe, skewness, raw_kurtosis))
    return STANDARD_NORMAL.cdf((sharpe - benchmark) * sqrt(n_obs - 1) / spread)


def expected_maximum_sharpe(trials: int, trials_variance: float) -> float:
    """Return √V·((1 − γ)·Φ⁻¹(1 − 1/N) + γ·Φ⁻¹(1 − 1/(N·e))): the best ratio to expect of N trials without any edge.

    Parameters
    ----------
    trials
        N, how many independent trials the one was chosen from, at least 1; one trial is no choice, and gives 0.
    trials_variance
        V, variance of the per-period ratios across trials, not negative.

    Raises
    ------
    InvalidArgument
        If an argument is out of its range.
    """
    if trials < 1 or not (isfinite(trials_variance) and trials_variance >= 0.0):
        raise InvalidArgument(
            f"trials must be at least 1 and trials_variance not negative, but are {trials!r} and {trials_variance!r}"
        )
    if trials == 1:
        return 0.0
    quantile = STANDARD_NORMAL.inv_cdf
    return sqrt(trials_variance) * (
        (1.0 - EULER) * quantile(1.0 - 1.0 / trials) + EULER * quantile(1.0 - 1.0 / (trials * e))
    )


def deflated_sharpe(
    sharpe: float, *, n_obs: int, skewness: float, raw_kurtosis: float, trials: int, trials_variance: float
) -> float:
    """Return the probabilistic Sharpe ratio against the best to expect of that many trials without any edge.

    Parameters
    ----------
    sharpe, n_obs, skewness, raw_kurtosis
        As in `probabilistic_sharpe`.
    trials, trials_variance
        As in `expected_maximum_sharpe`.

    Raises
    ------
    InsufficientData, InvalidArgument, Undefined
        As both do.
    """
    benchmark = expected_maximum_sharpe(trials, trials_variance)
    return probabilistic_sharpe(sharpe, n_obs=n_obs, skewness=skewness, raw_kurtosis=raw_kurtosis, benchmark=benchmark)


def minimum_track_record(
    sharpe: float, *, skewness: float, raw_kurtosis: float, benchmark: float = 0.0, confidence: float = 0.95
) -> float:
    """Return how many returns it takes until the probabilistic Sharpe ratio reaches `confidence`.

    1 + (1 − γ₃·SR + (γ₄ − 1)/4·SR²)·(Φ⁻¹(confidence)/(SR − SR*))².

    Parameters
    ----------
    sharpe, skewness, raw_kurtosis, benchmark
        As in `probabilistic_sharpe`.
    confidence
        In (0.5, 1).

    Raises
    ------
    Undefined
        If SR does not exceed SR*: no record is long enough.
    InvalidArgument
        If an argument is out of its range.
    """
    _check(sharpe, benchmark, skewness, raw_kurtosis)
    if not 0.5 < confidence < 1.0:
        raise InvalidArgument(f"confidence must lie in (0.5, 1), but is {confidence!r}")
    if sharpe <= benchmark:
        raise Undefined(f"a Sharpe ratio of {sharpe:g} does not exceed {benchmark:g}: no track record is long enough")
    z = STANDARD_NORMAL.inv_cdf(confidence)
    return 1.0 + sharpe_variance(sharpe, skewness, raw_kurtosis) * (z / (sharpe - benchmark)) ** 2


def _check(sharpe: float, benchmark: float, skewness: float, raw_kurtosis: float) -> None:
    if not all(isfinite(number) for number in (sharpe, benchmark, skewness, raw_kurtosis)):
        raise InvalidArgument("sharpe, benchmark, skewness and raw_kurtosis must be finite")
    if raw_kurtosis < 1.0:
        raise InvalidArgument(f"raw_kurtosis must be at least 1, but is {raw_kurtosis!r}; add 3 to an excess kurtosis")
