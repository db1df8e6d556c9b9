"""What a trade earns on average, in money or in units of its risk."""

from typing import Any

import numpy as np

from rpmcore.domain.arrays import as_vector
from rpmcore.domain.errors import InsufficientData, InvalidArgument, Undefined
from rpmcore.risk.performance.figure import COVERAGE, RESAMPLES, Figure, between, undefined
from rpmcore.risk.performance.studentised import studentised_mean


def expectancy(
    pnl: Any, risk: Any = None, *, coverage: float = COVERAGE, resamples: int = RESAMPLES, seed: int
) -> Figure:
    """Return the mean P&L per trade, with its bootstrap-t interval (see `studentised_mean`).

    Parameters
    ----------
    pnl
        (n_trades,) P&L after costs, in account currency, without NaN.
    risk
        (n_trades,) what each would have lost at its stop, above 0: the result is then the mean of pnl/risk, in R
        (Van Tharp, *Trade Your Way to Financial Freedom*, 2nd ed. 2007). None for money.
    coverage, resamples, seed
        Of the interval.

    Raises
    ------
    InvalidArgument
        If an argument is out of its range, or the two have different lengths.
    """
    x = as_vector(pnl, "pnl")
    if risk is not None:
        stake = as_vector(risk, "risk")
        if stake.shape != x.shape or stake.min() <= 0.0:
            raise InvalidArgument(
                f"risk must give each of the {x.shape[0]} trades a number above 0, but has {stake.shape[0]} from "
                f"{stake.min():g}"
            )
        with np.errstate(over="ignore"):
            x = x / stake
        if not np.isfinite(x).all():
            return undefined("a P&L over its risk is too large to be a number", x.shape[0])
    n = x.shape[0]
    try:
        found = studentised_mean(x, coverage=coverage, resamples=resamples, seed=seed)
    except (InsufficientData, Undefined) as error:
        return Figure(value=float(np.mean(x)), lower_reason=str(error), upper_reason=str(error), n=n)
    return between(found.mean, found.lower, found.upper, n)
