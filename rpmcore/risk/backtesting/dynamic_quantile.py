"""Could violations have been foreseen from what was known the day before?"""

from typing import Any

import numpy as np

from rpmcore.domain.arrays import Matrix, Vector, as_vector
from rpmcore.domain.errors import InvalidArgument
from rpmcore.kernels import backtesting as kernels
from rpmcore.risk.backtesting.monte_carlo import REPLICATIONS, check_draws, monte_carlo_p_value, threshold
from rpmcore.risk.backtesting.probabilities import chi_squared_tail
from rpmcore.risk.backtesting.result import SIGNIFICANCE, BacktestResult, check_significance, judged, untested
from rpmcore.risk.backtesting.violations import paired, tail_of

LAGS = kernels.LAGS
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
    seed: int,
    replications: int = REPLICATIONS,
    significance: float = SIGNIFICANCE,
) -> BacktestResult:
    """Regress Hit_t = 1[L_t > VaR_t] − p on a constant, VaR_t, Hit_{t−1…t−4} and the squared return of t−1.

    A right model leaves nothing to explain: DQ = Hit'X(X'X)⁻¹X'Hit/(p(1−p)) over the T − 4 days with all lags, against
    χ² with as many degrees of freedom as X has independent columns. A value at risk that never changes is a multiple of
    the constant, and without violations the lagged ones are too: such columns add nothing, and ``detail`` says that
    they were found.

    At 99 % the χ² law rejects a right model in 10 to 18 % of cases at 250 to 2,500 days, so the verdict rests on series
    of independent violations, simulated beside the value at risk and the squared returns as they were. That leaves out
    only that a day of violation is itself one of a large return; on GARCH returns 3 to 6 % of right models then fail at
    a significance of 5 %.

    Parameters
    ----------
    losses, value_at_risk
        (n_obs,), see `violations`.
    confidence
        Of the value at risk, in (0.5, 1).
    returns
        (n_obs,) whose squares are used; −`losses` where None.
    seed, replications
        See `simulate_null`.

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
    Business & Economic Statistics* 22 (2004), section 4, theorem 4 (out of sample). J. Berkowitz, P. Christoffersen and
    D. Pelletier, "Evaluating value-at-risk models with desk-level data", *Management Science* 57 (2011), section 4.
    """
    lost, forecast = paired(losses, value_at_risk, "value_at_risk")
    tail, level = tail_of(confidence), check_significance(significance)
    check_draws(seed, replications)
    moved = lost if returns is None else as_vector(returns, "returns")
    if moved.shape != lost.shape:
        raise InvalidArgument(f"returns has {moved.shape[0]} element(s), but losses has {lost.shape[0]}")
    n = lost.shape[0] - LAGS
    if n <= REGRESSORS:
        return untested(
            "dynamic quantile",
            f"{max(n, 0)} day(s) with {LAGS} days before them are too few for {REGRESSORS} regressors",
            significance=level,
            detail={"rows": max(n, 0), "regressors": REGRESSORS},
        )
    basis = _basis(forecast, moved)
    sums = basis.sum(axis=0)
    days = np.flatnonzero(lost > forecast).astype(np.int64, copy=False)
    room = np.empty((basis.shape[1], LAGS + 1)), np.empty((LAGS + 1, LAGS + 1))
    statistic, rank = kernels.dynamic_quantile(basis, sums, tail, days, days.shape[0], *room)
    simulated = np.empty(replications)
    kernels.dynamic_quantile_statistics(basis, sums, tail, threshold(tail), np.uint64(seed), simulated)
    return judged(
        "dynamic quantile",
        statistic=statistic,
        p_value=monte_carlo_p_value(statistic, simulated, seed=seed),
        basis="Monte Carlo",
        asymptotic=chi_squared_tail(statistic, rank),
        significance=level,
        detail={
            "rows": n,
            "regressors": REGRESSORS,
            "rank": rank,
            "collinear": rank < REGRESSORS,
            "replications": replications,
        },
        note=None if rank == REGRESSORS else f"only {rank} of {REGRESSORS} regressors are independent",
    )


def _basis(forecast: Vector, moved: Vector) -> Matrix:
    """Return orthonormal columns that span the constant, the value at risk and the lagged squared return."""
    # A return of 1e200 has no square; its size relative to the largest has, and a column's scale does not matter.
    largest = float(np.abs(moved).max())
    squares = (moved / largest) ** 2 if largest > 0.0 else moved
    x = np.column_stack([np.ones(forecast.shape[0] - LAGS), forecast[LAGS:], squares[LAGS - 1 : -1]])
    most = np.abs(x).max(axis=0)
    x /= np.where(most > 0.0, most, 1.0)
    lengths = np.sqrt((x**2).sum(axis=0))
    left, singular, _ = np.linalg.svd(x / np.where(lengths > 0.0, lengths, 1.0), full_matrices=False)
    basis: Matrix = np.ascontiguousarray(left[:, singular > COLLINEAR * singular[0]])
    return basis
