"""Is the loss beyond value at risk as large as expected shortfall says? Acerbi and Székely's first two tests."""

from collections.abc import Mapping
from math import inf, sqrt
from typing import Any, NamedTuple

import numpy as np

from rpmcore.domain.arrays import Vector
from rpmcore.domain.errors import InvalidArgument
from rpmcore.kernels import backtesting as kernels
from rpmcore.kernels import student_t as law
from rpmcore.risk.backtesting.monte_carlo import REPLICATIONS, check_draws
from rpmcore.risk.backtesting.result import SIGNIFICANCE, BacktestResult, check_significance, judged, untested
from rpmcore.risk.backtesting.violations import paired, tail_of

CONDITIONAL, UNCONDITIONAL = "expected shortfall, Z1", "expected shortfall, Z2"

NOTES = {
    CONDITIONAL: "expected shortfall is too small",
    UNCONDITIONAL: "losses beyond value at risk are too many, or too large for expected shortfall",
}

NO_ASYMPTOTIC = "no asymptotic law is used: the statistic's depends on that of the returns"


class AcerbiSzekely(NamedTuple):
    """The results of both tests: `conditional` on violations (Z1), and of size and number together (Z2)."""

    conditional: BacktestResult
    unconditional: BacktestResult


def acerbi_szekely(
    losses: Any,
    value_at_risk: Any,
    expected_shortfall: Any,
    *,
    confidence: float,
    dof: float = inf,
    seed: int,
    replications: int = REPLICATIONS,
    significance: float = SIGNIFICANCE,
) -> AcerbiSzekely:
    """Test expected shortfall by Z1 = 1 − mean(L/ES | L > VaR) and Z2 = 1 − Σ L·1[L > VaR]/(T p ES).

    Both are expected to be 0 (Z1 given a violation); negative means that expected shortfall is too small. Z2 also falls
    with the number of violations. The paper's signs are for returns, where the quotient is negative; here losses are
    positive, and the statistics the same.

    The p-value is the probability of a Z as low or lower when each day's loss is drawn from the forecast law: m_t + s_t
    X with X normal or Student-t, m_t and s_t such that its value at risk and expected shortfall are the two forecasts.
    Only the shape beyond them, `dof`, is assumed. Z1 is compared with the drawn series that have a violation.

    Parameters
    ----------
    losses, value_at_risk, expected_shortfall
        (n_obs,), see `violations`.
    confidence
        Of both forecasts, in (0.5, 1).
    dof
        ν > 2 of Student-t returns, infinite for normal ones. The smaller, the less a large loss says.
    seed, replications
        See `simulate_null`.

    Returns
    -------
    AcerbiSzekely
        ``detail``: ``violations``, ``dof``, ``replications``, and for Z1 ``mean_ratio``, mean(L/ES | L > VaR).
        Z1 is untested without a violation. Both are, with the statistic where it exists, if on a day expected
        shortfall is not positive or not above value at risk: there is no such law to draw from.

    Raises
    ------
    InvalidArgument
        If an argument is out of its range, or shapes differ.

    References
    ----------
    C. Acerbi and B. Székely, "Backtesting expected shortfall", *Risk*, December 2014, tests 1 and 2.
    """
    lost, forecast = paired(losses, value_at_risk, "value_at_risk")
    shortfall = paired(losses, expected_shortfall, "expected_shortfall")[1]
    tail, level = tail_of(confidence), check_significance(significance)
    check_draws(seed, replications)
    if not dof > 2.0:
        raise InvalidArgument(f"dof must exceed 2, but is {dof!r}; leave it out for normal returns")
    dof = float(dof)
    hits = lost > forecast
    count = int(np.count_nonzero(hits))
    detail: dict[str, Any] = {"violations": count, "dof": dof if dof < inf else None}
    if dof == inf:
        detail["dof_reason"] = "normal returns"
    if not (shortfall > 0.0).all():
        reason = f"expected shortfall is not positive on row {int(np.argmin(shortfall > 0.0))}"
        return AcerbiSzekely(*(untested(n, reason, significance=level, detail=detail) for n in NOTES))
    ratios = lost[hits] / shortfall[hits]
    z1 = 1.0 - float(ratios.mean()) if count else None
    z2 = 1.0 - float(ratios.sum()) / (lost.shape[0] * tail)
    if not (shortfall > forecast).all():
        row = int(np.argmin(shortfall > forecast))
        reason = f"expected shortfall is not above value at risk on row {row}, as it is in every law without a gap"
        return AcerbiSzekely(
            untested(CONDITIONAL, reason, statistic=z1, significance=level, detail=detail),
            untested(UNCONDITIONAL, reason, statistic=z2, significance=level, detail=detail),
        )
    null = _null(forecast, shortfall, tail, dof, seed, replications)
    unconditional = _judge(UNCONDITIONAL, z2, null[1], level, detail)
    if z1 is None:
        nothing = untested(CONDITIONAL, "there is no violation", significance=level, detail=detail)
        return AcerbiSzekely(nothing, unconditional)
    conditional = _judge(CONDITIONAL, z1, null[0][~np.isnan(null[0])], level, {**detail, "mean_ratio": 1.0 - z1})
    return AcerbiSzekely(conditional, unconditional)


def _null(
    forecast: Vector, shortfall: Vector, tail: float, dof: float, seed: int, replications: int
) -> tuple[Vector, Vector]:
    """Return Z1 and Z2 of series drawn from the forecast law."""
    unit = 1.0 if dof == inf else sqrt((dof - 2.0) / dof)
    quantile, beyond = unit * law.upper_quantile(tail, dof), unit * law.standard_shortfall(tail, dof)
    scale = (shortfall - forecast) / (beyond - quantile)
    location = forecast - quantile * scale
    found = np.empty((replications, 2))
    kernels.shortfall_statistics(location / shortfall, scale / shortfall, quantile, tail, dof, np.uint64(seed), found)
    return found[:, 0], found[:, 1]


def _judge(
    name: str, statistic: float, simulated: Vector, significance: float, detail: Mapping[str, Any]
) -> BacktestResult:
    n = simulated.shape[0]
    p_value = (int(np.count_nonzero(simulated <= statistic)) + 1.0) / (n + 1.0)
    return judged(
        name,
        statistic=statistic,
        p_value=p_value,
        basis="Monte Carlo",
        asymptotic=None,
        asymptotic_reason=NO_ASYMPTOTIC,
        significance=significance,
        detail={**detail, "replications": n},
        note=NOTES[name] if p_value <= significance else None,
    )
