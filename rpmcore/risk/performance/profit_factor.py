"""The sum of the gains over the sum of the losses."""

from math import isfinite
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
    ratios,
    undefined,
)
from rpmcore.risk.performance.unit import unit_of


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
    x = x / unit_of(x)
    gains, losses = kernels.gains_and_losses(x)
    value = float(ratios(np.array([gains]), np.array([losses]))[0])
    if not isfinite(value):
        return undefined("there is no loss to divide by", x.shape[0])
    drawn = np.empty((resamples, 3))
    kernels.resampled_trades(x, np.uint64(seed), 1.0, drawn)
    bounds = percentile_bounds(ratios(drawn[:, 0], drawn[:, 1]), coverage)
    return between(value, *bounds, x.shape[0])
