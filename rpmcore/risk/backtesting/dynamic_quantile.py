"""Could violations have been foreseen from what was known the day before?"""

from typing import Any

import numpy as np

from rpmcore.domain.arrays import Matrix, Vector, as_vector
from rpmcore.domain.errors import InvalidArgument
from rpmcore.risk.backtesting.probabilities import chi_squared_tail
from rpmcore.risk.backtesting.result import SIGNIFICANCE, BacktestResult, check_significance, judged, untested
from rpmcore.risk.backtesting.violations import paired, tail_of

LAGS = 4
"""Days back to which violations are looked up."""

REGRESSORS = 3 + LAGS
"""Constant, value at risk, lagged violations, lagged squared return."""

COLLINEAR = 1e-10
"""A direction of the unit-length regressors this short, relative to the longest, is rounding noise."""


def dynamic_quantile(
    losses: Any,
    value_at_risk: Any,
    *,
    confidence: float,
    returns: Any = None,
    significance: float = SIGNIFICANCE,
) -> BacktestResult:
    """Regress Hit_t = 1[L_t > VaR_t] − p on a constant, VaR_t, Hit_{t−1…t−4} and the squared return of t−1.

    A right model leaves nothing to explain: DQ = Hit'X(X'X)⁻¹X'Hit/(p(1−p)) over the T − 4 days with all lags, against
    χ² with as many degrees of freedom as X has independent columns. A value at risk that never changes is a multiple of
    the constant, and without violations the lagged ones are too: such columns add nothing, and ``detail`` says that
    they were found.

    The χ² law is an approximation that rejects too often far in the tail: 250 days at 99 % hold two or three
    violations, on which six slopes rest.

    Parameters
    ----------
    losses, value_at_risk
        (n_obs,), see `violations`.
    confidence
        Of the value at risk, in (0.5, 1).
    returns
        (n_obs,) whose squares are used; −`losses` where None.

    Returns
    -------
    BacktestResult
        ``detail``: ``rows`` (days in the regression), ``regressors`` (columns), ``rank`` (independent ones, the degrees
        of freedom) and ``collinear``. Untested with no more rows than regressors.

    Raises
    ------
    InvalidArgument
        If an argument is out of its range, or shapes differ.

    References
    ----------
    R. Engle and S. Manganelli, "CAViaR: conditional autoregressive value at risk by regression quantiles", *Journal of
    Business & Economic Statistics* 22 (2004), section 4, theorem 4 (out of sample).
    """
    lost, forecast = paired(losses, value_at_risk, "value_at_risk")
    tail, level = tail_of(confidence), check_significance(significance)
    moved = lost if returns is None else as_vector(returns, "returns")
    if moved.shape != lost.shape:
        raise InvalidArgument(f"returns has {moved.shape[0]} element(s), but losses has {lost.shape[0]}")
    rows = lost.shape[0] - LAGS
    if rows <= REGRESSORS:
        return untested(
            "dynamic quantile",
            f"{max(rows, 0)} day(s) with {LAGS} days before them are too few for {REGRESSORS} regressors",
            significance=level,
            detail={"rows": max(rows, 0), "regressors": REGRESSORS},
        )
    hits: Vector = np.where(lost > forecast, 1.0, 0.0) - tail
    explained, rank = _explained(_regressors(hits, forecast, moved), hits[LAGS:])
    statistic = explained / (tail * (1.0 - tail))
    p_value = chi_squared_tail(statistic, rank)
    return judged(
        "dynamic quantile",
        statistic=statistic,
        p_value=p_value,
        basis="chi-squared",
        asymptotic=p_value,
        significance=level,
        detail={"rows": rows, "regressors": REGRESSORS, "rank": rank, "collinear": rank < REGRESSORS},
        note=None if rank == REGRESSORS else f"only {rank} of {REGRESSORS} regressors are independent",
    )


def _regressors(hits: Vector, forecast: Vector, moved: Vector) -> Matrix:
    n = hits.shape[0]
    # A return of 1e200 has no square; its size relative to the largest has, and a column's scale does not matter.
    largest = float(np.abs(moved).max())
    squares = (moved / largest) ** 2 if largest > 0.0 else np.zeros(n)
    lagged = [hits[LAGS - lag : n - lag] for lag in range(1, LAGS + 1)]
    return np.column_stack([np.ones(n - LAGS), forecast[LAGS:], *lagged, squares[LAGS - 1 : n - 1]])


def _explained(x: Matrix, y: Vector) -> tuple[float, int]:
    """Return the square of y's projection on the columns of x, and how many of these are independent."""
    largest = np.abs(x).max(axis=0)
    unit = x / np.where(largest > 0.0, largest, 1.0)
    lengths = np.sqrt((unit**2).sum(axis=0))
    left, singular, _ = np.linalg.svd(unit / np.where(lengths > 0.0, lengths, 1.0), full_matrices=False)
    rank = int(np.count_nonzero(singular > COLLINEAR * singular[0]))
    return float(((left[:, :rank].T @ y) ** 2).sum()), rank
