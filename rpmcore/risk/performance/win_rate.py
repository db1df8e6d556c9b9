"""How often a trade wins."""

from math import sqrt
from typing import Any

from rpmcore.domain.arrays import as_vector
from rpmcore.domain.errors import InvalidArgument
from rpmcore.risk.performance.figure import COVERAGE, Figure
from rpmcore.risk.student_t import normal_quantile_of_interval


def win_rate(pnl: Any, *, coverage: float = COVERAGE) -> Figure:
    """Return the share of trades with a P&L above 0; a trade at exactly 0 does not win.

    Parameters
    ----------
    pnl
        (n_trades,) P&L after costs, in any one unit, without NaN.
    coverage
        Of the interval of Wilson, in (0, 1).

    Raises
    ------
    InvalidArgument
        If an argument is out of its range.
    """
    x = as_vector(pnl, "pnl")
    n, wins = x.shape[0], int((x > 0.0).sum())
    lower, upper = wilson_interval(wins, n, coverage=coverage)
    return Figure(value=wins / n, lower=lower, upper=upper, n=n)


def wilson_interval(wins: int, n: int, *, coverage: float = COVERAGE) -> tuple[float, float]:
    """Return the score interval of a binomial rate: the rates that a normal test of `wins` in `n` does not reject.

    Parameters
    ----------
    wins, n
        0 ≤ wins ≤ n, n ≥ 1.
    coverage
        In (0, 1).

    Raises
    ------
    InvalidArgument
        If an argument is out of its range.

    References
    ----------
    E. Wilson, "Probable inference, the law of succession, and statistical inference", *JASA* 22 (1927).
    R. Newcombe, "Two-sided confidence intervals for the single proportion", *Statistics in Medicine* 17 (1998),
    method 3.
    """
    check_count(wins, n)
    z = normal_quantile_of_interval(coverage)
    centre, spread = wins + 0.5 * z * z, z * sqrt(wins * (n - wins) / n + 0.25 * z * z)
    # At the ends the root is z/2 but for rounding, and the bound exactly 0 or 1.
    lower = 0.0 if wins == 0 else (centre - spread) / (n + z * z)
    upper = 1.0 if wins == n else (centre + spread) / (n + z * z)
    return lower, upper


def check_count(wins: int, n: int) -> None:
    """Check a number of wins against the number of trades.

    Raises
    ------
    InvalidArgument
        Unless 0 ≤ wins ≤ n and n ≥ 1.
    """
    if not 0 <= wins <= n or n < 1:
        raise InvalidArgument(f"wins must lie in 0…n with n ≥ 1, but are {wins!r} of {n!r}")
