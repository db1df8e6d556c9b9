"""Do violations come one after the other?"""

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
from rpmcore.risk.backtesting.violations import Hits, as_hits, tail_of


def independence(
    hits: Any,
    *,
    confidence: float,
    seed: int,
    replications: int = REPLICATIONS,
    significance: float = SIGNIFICANCE,
    null: NullStatistics | None = None,
) -> BacktestResult:
    """Test whether a violation is as likely after a violation as after a quiet day.

    LR_ind = 2 Σ n_ij ln(n_ij N/(n_i. n_.j)) over the N = T − 1 transitions from state i to state j. The χ²(1) law is
    far off at usual lengths (at T = 1,000 a right model fails 1.8 % of the time at 99 %, and 8.2 % at 95 %), so the
    verdict takes its p-value from simulated series; the asymptotic one stands beside.

    The simulated series have the nominal rate: of a model whose rate is far off, `conditional_coverage` says more.

    Where no violation has a successor, nor any day a violation for successor, nor a quiet day a successor, the
    statistic is 0 and nothing was tested.

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
        ``detail``: ``n00``, ``n01``, ``n10``, ``n11``.

    Raises
    ------
    InvalidArgument
        If an argument is out of its range.

    References
    ----------
    P. Christoffersen, "Evaluating interval forecasts", *International Economic Review* 39 (1998), section 4.2.
    """
    days, level = as_hits(hits), check_significance(significance)
    tail_of(confidence)
    check_draws(seed, replications)
    table, ratio, reason = _transitions(days)
    if reason is not None:
        return untested("independence", reason, statistic=ratio, significance=level, detail=table)
    simulated = null_for(days.shape[0], confidence, seed, replications, null).independence
    return judged(
        "independence",
        statistic=ratio,
        p_value=monte_carlo_p_value(ratio, simulated, seed=seed),
        basis="Monte Carlo",
        asymptotic=chi_squared_tail(ratio, 1),
        significance=level,
        detail={**table, "replications": simulated.shape[0]},
    )


def conditional_coverage(
    hits: Any,
    *,
    confidence: float,
    seed: int,
    replications: int = REPLICATIONS,
    significance: float = SIGNIFICANCE,
    null: NullStatistics | None = None,
) -> BacktestResult:
    """Test rate and independence of violations together: LR_cc = LR_uc + LR_ind, asymptotically χ²(2).

    LR_uc is taken from all T days, LR_ind from the T − 1 transitions. The verdict rests on simulated series.

    Where LR_ind tests nothing, LR_cc is LR_uc: the model still fails if its rate is wrong, but where it does not
    fail the verdict is ``untested``, as half of the question has no answer.

    Parameters, errors and reference are those of `independence`; ``detail`` adds ``coverage`` and ``independence``, the
    two terms.
    """
    days, level, tail = as_hits(hits), check_significance(significance), tail_of(confidence)
    check_draws(seed, replications)
    table, ratio, reason = _transitions(days)
    coverage = kernels.coverage_ratio(int(np.count_nonzero(days)), days.shape[0], tail)
    both = coverage + ratio
    simulated = null_for(days.shape[0], confidence, seed, replications, null).conditional_coverage
    p_value = monte_carlo_p_value(both, simulated, seed=seed)
    detail = {"coverage": coverage, "independence": ratio, **table, "replications": simulated.shape[0]}
    if reason is not None and p_value > level:
        return untested("conditional coverage", reason, statistic=both, significance=level, detail=detail)
    return judged(
        "conditional coverage",
        statistic=both,
        p_value=p_value,
        basis="Monte Carlo",
        asymptotic=chi_squared_tail(both, 2),
        significance=level,
        detail=detail,
        note=None if reason is None else f"of the rate alone: {reason}",
    )


def _transitions(days: Hits) -> tuple[dict[str, int], float, str | None]:
    """Return the table of transitions, its ratio, and why there is nothing to test."""
    rows = np.flatnonzero(days).astype(np.int64, copy=False)
    n00, n01, n10, n11 = kernels.transitions(rows, rows.shape[0], days.shape[0])
    table = {"n00": n00, "n01": n01, "n10": n10, "n11": n11}
    reason = None
    if n10 + n11 == 0:
        reason = "no violation has a day after it"
    elif n00 + n01 == 0:
        reason = "no quiet day has a day after it"
    elif n01 + n11 == 0:
        reason = "no violation has a day before it"
    elif n00 + n10 == 0:
        reason = "no quiet day has a day before it"
    return table, kernels.independence_ratio(n00, n01, n10, n11), reason
