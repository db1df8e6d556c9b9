"""The supervisor's reading of the number of violations: green, yellow or red."""

from typing import Any, Literal

import numpy as np

from rpmcore.domain.errors import InvalidArgument
from rpmcore.risk.backtesting.probabilities import binomial_cdf, binomial_tail
from rpmcore.risk.backtesting.result import BacktestResult, Verdict
from rpmcore.risk.backtesting.violations import as_hits, tail_of

YELLOW_FROM, RED_FROM = 0.95, 0.9999
"""Probability of so many violations or fewer, from which on a zone begins."""

Regime = Literal["basel_1996", "frtb"]

ADD_ONS: dict[str, tuple[float, tuple[float, ...]]] = {
    "basel_1996": (3.0, (0.0, 0.40, 0.50, 0.65, 0.75, 0.85, 1.00)),
    "frtb": (1.5, (0.0, 0.20, 0.26, 0.33, 0.38, 0.42, 0.50)),
}
"""Base multiplier, and what 4 or fewer, 5, 6, 7, 8, 9, and 10 or more violations in 250 days at 99 % add to it."""

FREE = 4
"""Most violations without an add-on."""

DAYS, TAIL = 250, 0.01
"""The one setting for which the supervisors give add-ons."""

VERDICTS: dict[str, Verdict] = {"green": "pass", "yellow": "warn", "red": "fail"}


def traffic_light(hits: Any, *, confidence: float, regime: Regime = "basel_1996") -> BacktestResult:
    """Return the zone of the number of violations x by P(X ≤ x) of the binomial law.

    Green below 95 %, red from 99.99 %, yellow between: 0–4, 10 and more, and 5–9 violations in 250 days at 99 %. The
    boundaries are the supervisors', whatever the significance of other tests. A right model leaves the green zone with
    probability 10.8 % there.

    Parameters
    ----------
    hits
        (n_obs,) of `violations`.
    confidence
        Of the value at risk, in (0.5, 1).
    regime
        ``basel_1996`` (base multiplier 3) or ``frtb`` (1.5), for the add-on.

    Returns
    -------
    BacktestResult
        The statistic is x; ``p_value`` is P(X ≥ x). The verdict is ``pass`` (green), ``warn`` (yellow) or ``fail``
        (red). ``detail``: ``zone``, ``cumulative`` (P(X ≤ x)), ``regime``, ``base``, ``add_on`` and ``multiplier``, the
        last two None with a reason unless there are 250 days at 99 %.

    Raises
    ------
    InvalidArgument
        If an argument is out of its range.

    References
    ----------
    Basel Committee on Banking Supervision, *Supervisory framework for the use of "backtesting" in conjunction with the
    internal models approach to market risk capital requirements*, January 1996, section III, tables 1 and 2; *Minimum
    capital requirements for market risk*, January 2019, MAR32.9, table 1, for the add-ons under FRTB.
    """
    days, tail = as_hits(hits), tail_of(confidence)
    if regime not in ADD_ONS:
        raise InvalidArgument(f"regime must be one of {', '.join(ADD_ONS)}, but is {regime!r}")
    n, x = days.shape[0], int(np.count_nonzero(days))
    cumulative = binomial_cdf(x, n, tail)
    zone = "green" if cumulative < YELLOW_FROM else "yellow" if cumulative < RED_FROM else "red"
    base, add_ons = ADD_ONS[regime]
    detail: dict[str, Any] = {"zone": zone, "cumulative": cumulative, "regime": regime, "base": base}
    if n == DAYS and tail == TAIL:
        add_on = add_ons[min(max(x - FREE, 0), len(add_ons) - 1)]
        detail |= {"add_on": add_on, "multiplier": base + add_on}
    else:
        reason = f"supervisors give add-ons for {DAYS} days at 99 % only"
        detail |= {"add_on": None, "add_on_reason": reason, "multiplier": None, "multiplier_reason": reason}
    exact = binomial_tail(x, n, tail)
    return BacktestResult(
        name="traffic light",
        statistic=float(x),
        p_value=exact,
        p_value_basis="binomial",
        p_value_asymptotic=None,
        p_value_asymptotic_reason="the binomial law is exact",
        verdict=VERDICTS[zone],
        significance=1.0 - YELLOW_FROM,
        detail=detail,
        note=f"{zone} zone",
    )
