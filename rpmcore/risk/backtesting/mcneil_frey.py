"""Is the loss beyond value at risk as large as expected shortfall says? McNeil and Frey's test of excess losses."""

from math import sqrt
from typing import Any

import numpy as np

from rpmcore.domain.errors import InvalidArgument
from rpmcore.kernels import backtesting as kernels
from rpmcore.kernels import student_t as law
from rpmcore.risk.backtesting.monte_carlo import REPLICATIONS, check_draws
from rpmcore.risk.backtesting.result import SIGNIFICANCE, BacktestResult, check_significance, judged, untested
from rpmcore.risk.backtesting.violations import paired

NAME = "excess loss"

ROUNDING = 1e-12
"""Residuals that differ by less, relative to the largest loss or forecast, are equal."""


def mcneil_frey(
    losses: Any,
    value_at_risk: Any,
    expected_shortfall: Any,
    *,
    volatility: Any = None,
    seed: int,
    replications: int = REPLICATIONS,
    significance: float = SIGNIFICANCE,
) -> BacktestResult:
    """Test whether losses beyond value at risk exceed expected shortfall on average.

    The residuals L_t − ES_t on days of violation have mean zero if the forecasts are right. The alternative is a mean
    above zero: expected shortfall too small. The statistic is that of Student, mean/(sd/√n) with divisor n − 1; the
    verdict rests on a bootstrap of the centred residuals, which are too few and too skewed for the t law beside it.

    Parameters
    ----------
    losses, value_at_risk, expected_shortfall
        (n_obs,), see `violations`.
    volatility
        (n_obs,) forecast standard deviation > 0, by which residuals are divided as in the paper, which makes them alike
        on calm and wild days; None leaves them as they are.
    seed, replications
        Of the bootstrap; see `simulate_null`.

    Returns
    -------
    BacktestResult
        ``detail``: ``violations``, ``mean_excess`` (mean of the residuals) and ``standardised``. Untested with fewer
        than two violations, or where all residuals are equal.

    Raises
    ------
    InvalidArgument
        If an argument is out of its range, or shapes differ.

    References
    ----------
    A. McNeil and R. Frey, "Estimation of tail-related risk measures for heteroscedastic financial time series",
    *Journal of Empirical Finance* 7 (2000), section 4.2. B. Efron and R. Tibshirani, *An Introduction to the
    Bootstrap*, 1993, section 16.4.
    """
    lost, forecast = paired(losses, value_at_risk, "value_at_risk")
    shortfall = paired(losses, expected_shortfall, "expected_shortfall")[1]
    level = check_significance(significance)
    check_draws(seed, replications)
    hits = lost > forecast
    residuals = lost[hits] - shortfall[hits]
    sizes = np.maximum(np.abs(lost[hits]), np.abs(shortfall[hits]))
    if volatility is not None:
        deviation = paired(losses, volatility, "volatility")[1]
        if not (deviation > 0.0).all():
            row = int(np.argmin(deviation > 0.0))
            raise InvalidArgument(f"volatility must be positive, but is {deviation[row]!r} on row {row}")
        residuals, sizes = residuals / deviation[hits], sizes / deviation[hits]
    n = residuals.shape[0]
    detail: dict[str, Any] = {"violations": n, "standardised": volatility is not None}
    if n:
        detail["mean_excess"] = float(residuals.mean())
    if n < 2:
        return untested(NAME, "there are fewer than two violations", significance=level, detail=detail)
    if residuals.max() - residuals.min() <= ROUNDING * sizes.max():
        return untested(NAME, "all excess losses are equal", significance=level, detail=detail)
    mean = float(residuals.mean())
    statistic = mean / (float(residuals.std(ddof=1)) / sqrt(n))
    drawn = np.empty(replications)
    kernels.bootstrap_t(residuals - mean, np.uint64(seed), drawn)
    p_value = (int(np.count_nonzero(drawn >= statistic)) + 1.0) / (replications + 1.0)
    beyond = law.tail_probability(abs(statistic), n - 1.0)
    return judged(
        NAME,
        statistic=statistic,
        p_value=p_value,
        basis="bootstrap",
        asymptotic=beyond if statistic >= 0.0 else 1.0 - beyond,
        significance=level,
        detail={**detail, "replications": replications},
        note="expected shortfall is too small" if p_value <= level else None,
    )
