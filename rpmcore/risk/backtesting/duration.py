"""Do violations come in clusters, whatever lies between them?"""

from math import isnan
from typing import Any

import numpy as np

from rpmcore.kernels import backtesting as kernels
from rpmcore.risk.backtesting.monte_carlo import (
    REPLICATIONS,
    NullStatistics,
    check_draws,
    monte_carlo_p_value,
    null_for,
)
from rpmcore.risk.backtesting.probabilities import chi_squared_tail
from rpmcore.risk.backtesting.result import SIGNIFICANCE, BacktestResult, check_significance, judged, untested
from rpmcore.risk.backtesting.violations import as_hits, tail_of


def duration(
    hits: Any,
    *,
    confidence: float,
    seed: int,
    replications: int = REPLICATIONS,
    significance: float = SIGNIFICANCE,
    null: NullStatistics | None = None,
) -> BacktestResult:
    """Test whether the days between violations have no memory.

    Durations of independent violations are (nearly) exponential. The alternative is a Weibull law with density
    aᵇ b D^(b−1) exp(−(aD)ᵇ): its shape b is 1 without memory, below 1 where violations cluster, above 1 where they come
    at regular intervals. The ratio compares the likelihood at the best b with that at 1, the scale a being free in
    both; asymptotically χ²(1). The verdict rests on simulated series.

    The days until the first violation and after the last are durations of which only the least length is known
    (censored), unless the series begins or ends with a violation.

    Nothing is tested with fewer than two violations, or where every duration between violations is the longest of all:
    then the likelihood grows with b without end. Simulated series of that kind count as the least evidence.

    Parameters
    ----------
    hits
        (n_obs,) of `violations`.
    confidence
        Of the value at risk, in (0.5, 1): simulated violations have probability 1 − confidence.
    seed, replications
        See `simulate_null`.
    null
        What `simulate_null` gave for this length, confidence and seed, where several tests share it.

    Returns
    -------
    BacktestResult
        ``detail``: ``durations`` (how many between violations), ``shape`` (b) where there is one.

    Raises
    ------
    InvalidArgument
        If an argument is out of its range.

    References
    ----------
    P. Christoffersen and D. Pelletier, "Backtesting value-at-risk: a duration-based approach", *Journal of Financial
    Econometrics* 2 (2004), sections 2.2 and 3.
    """
    days, level = as_hits(hits), check_significance(significance)
    tail_of(confidence)
    check_draws(seed, replications)
    rows = np.flatnonzero(days).astype(np.int64, copy=False)
    count = rows.shape[0]
    ratio, shape = kernels.duration_ratio(rows, count, days.shape[0], np.empty(count + 1))
    between = max(count - 1, 0)
    if isnan(ratio):
        reason = (
            "fewer than two violations leave no days between them"
            if between == 0
            else "every duration between violations is the longest of all, so that the Weibull shape has no estimate"
        )
        return untested("duration", reason, significance=level, detail={"durations": between})
    simulated = null_for(days.shape[0], confidence, seed, replications, null).duration
    p_value = monte_carlo_p_value(ratio, simulated, seed=seed)
    note = None
    if p_value <= level:
        note = "violations come in clusters" if shape < 1.0 else "violations come at too regular intervals"
    return judged(
        "duration",
        statistic=ratio,
        p_value=p_value,
        basis="Monte Carlo",
        asymptotic=chi_squared_tail(ratio, 1),
        significance=level,
        detail={"durations": between, "shape": shape, "replications": simulated.shape[0]},
        note=note,
    )
