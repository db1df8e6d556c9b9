"""The sum of the gains over the sum of the losses."""

from typing import Any

import numpy as np

from rpmcore.domain.arrays import as_vector
from rpmcore.kernels import performance as kernels
from rpmcore.risk.performance.figure import (
    COVERAGE,
    RESAMPLES,
    Figure,
    between,
    check_resampling,
    percentile_bounds,
    undefined,
)


def profit_factor(pnl: Any, *, coverage: float = COVERAGE, resamples: int = RESAMPLES, seed: int) -> Figure:
    """Return Σ gains / Σ losses with its percentile interval; above 1 the strategy earned.

    Without a loss it does not exist, where some libraries say infinity.

    Parameters
    ----------
    pnl
        (n_trades,) P&L after costs, in any one unit, without NaN.
    coverage, resamples, seed
        Of the interval. Resamples without a loss count as infinite, so that the upper bound can be missing.

    Raises
    ------
    InvalidArgument
        If an argument is out of its range.
    """
    x = as_vector(pnl, "pnl")
    check_resampling(coverage, resamples, seed)
    gains, losses = kernels.gains_and_losses(x)
    if losses == 0.0:
        return undefined("there is no loss to divide by", x.shape[0])
    drawn = np.empty((resamples, 3))
    kernels.resampled_trades(x, np.uint64(seed), 1.0, drawn)
    # 0/0 is a resample of trades at exactly 0: it says as little as one without a loss.
    ratios = np.where(drawn[:, 1] > 0.0, drawn[:, 0] / np.where(drawn[:, 1] > 0.0, drawn[:, 1], 1.0), np.inf)
    return between(gains / losses, *percentile_bounds(ratios, coverage), x.shape[0])
