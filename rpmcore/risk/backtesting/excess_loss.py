"""How far losses went beyond value at risk."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rpmcore.risk.backtesting.violations import paired


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcessLoss:
    """Losses on days of violation, and the worst day of all.

    Attributes
    ----------
    mean_excess
        Mean of L − VaR over the violations, in the unit of the losses.
    mean_ratio
        Mean of L/VaR over the violations.
    mean_shortfall_ratio
        Mean of L/ES over the violations: above 1 where expected shortfall was too small.
    worst_ratio, worst_row
        The largest L/VaR over all days, and its row; below 1 without a violation.
    """

    mean_excess: float | None
    mean_excess_reason: str | None = None
    mean_ratio: float | None
    mean_ratio_reason: str | None = None
    mean_shortfall_ratio: float | None
    mean_shortfall_ratio_reason: str | None = None
    worst_ratio: float | None
    worst_ratio_reason: str | None = None
    worst_row: int | None
    worst_row_reason: str | None = None


def excess_loss(losses: Any, value_at_risk: Any, expected_shortfall: Any = None) -> ExcessLoss:
    """Return how far losses went beyond value at risk.

    Parameters
    ----------
    losses, value_at_risk, expected_shortfall
        (n_obs,), see `violations`; expected shortfall may be None. A ratio to a forecast that is not positive on a
        day that it needs is None.

    Raises
    ------
    InvalidArgument
        If the shapes differ, or a value is not finite.
    """
    lost, forecast = paired(losses, value_at_risk, "value_at_risk")
    hits = lost > forecast
    none = "there is no violation"
    mean_excess = mean_ratio = mean_shortfall = None
    ratio_reason = shortfall_reason = none
    if hits.any():
        mean_excess = float((lost[hits] - forecast[hits]).mean())
        mean_ratio = _mean_ratio(lost[hits], forecast[hits])
        ratio_reason = "value at risk is not positive on every day of violation"
        shortfall_reason = "no expected shortfall was given"
    if expected_shortfall is not None:
        shortfall = paired(losses, expected_shortfall, "expected_shortfall")[1]
        if hits.any():
            mean_shortfall = _mean_ratio(lost[hits], shortfall[hits])
            shortfall_reason = "expected shortfall is not positive on every day of violation"
    worst_ratio = worst_row = None
    if (forecast > 0.0).all():
        worst_row = int(np.argmax(lost / forecast))
        worst_ratio = float(lost[worst_row] / forecast[worst_row])
    worst_reason = "value at risk is not positive on every day"
    return ExcessLoss(
        mean_excess=mean_excess,
        mean_excess_reason=none,
        mean_ratio=mean_ratio,
        mean_ratio_reason=ratio_reason,
        mean_shortfall_ratio=mean_shortfall,
        mean_shortfall_ratio_reason=shortfall_reason,
        worst_ratio=worst_ratio,
        worst_ratio_reason=worst_reason,
        worst_row=worst_row,
        worst_row_reason=worst_reason,
    )


def _mean_ratio(lost: Any, forecast: Any) -> float | None:
    return float((lost / forecast).mean()) if (forecast > 0.0).all() else None
