"""All tests of one series of forecasts."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np

from rpmcore.risk.backtesting.acerbi_szekely import CONDITIONAL, UNCONDITIONAL, acerbi_szekely
from rpmcore.risk.backtesting.coverage import kupiec
from rpmcore.risk.backtesting.duration import duration
from rpmcore.risk.backtesting.dynamic_quantile import dynamic_quantile
from rpmcore.risk.backtesting.excess_loss import ExcessLoss, excess_loss
from rpmcore.risk.backtesting.independence import conditional_coverage, independence
from rpmcore.risk.backtesting.mcneil_frey import NAME, mcneil_frey
from rpmcore.risk.backtesting.monte_carlo import REPLICATIONS, simulate_null
from rpmcore.risk.backtesting.result import SIGNIFICANCE, BacktestResult, check_significance, untested
from rpmcore.risk.backtesting.traffic_light import Regime, traffic_light
from rpmcore.risk.backtesting.violations import tail_of, violations

NO_SHORTFALL = "no expected shortfall was given"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """What became of a series of forecasts.

    Attributes
    ----------
    n_obs, confidence, significance
        Days, the confidence of the forecasts, and how often each test may fail a model that is right.
    violations, expected, rate
        Number of days on which the loss was strictly greater than value at risk, how many a right model expects, and
        the share of all days.
    rows
        The days of violation, counted from 0.
    excess
        How far losses went beyond value at risk.
    tests
        By name: ``kupiec``, ``christoffersen`` (independence), ``conditional_coverage``, ``duration``,
        ``dynamic_quantile``, ``traffic_light``, ``acerbi_szekely`` (Z2), ``acerbi_szekely_conditional`` (Z1) and
        ``mcneil_frey``.
    """

    n_obs: int
    confidence: float
    significance: float
    violations: int
    expected: float
    rate: float
    rows: tuple[int, ...]
    excess: ExcessLoss
    tests: Mapping[str, BacktestResult]

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the tests with the verdict ``fail``; of many tests of a right model one is likely to."""
        return tuple(name for name, test in self.tests.items() if test.verdict == "fail")


def backtest(
    losses: Any,
    value_at_risk: Any,
    expected_shortfall: Any = None,
    *,
    confidence: float,
    returns: Any = None,
    volatility: Any = None,
    dof: float = inf,
    regime: Regime = "basel_1996",
    seed: int,
    replications: int = REPLICATIONS,
    significance: float = SIGNIFICANCE,
) -> Backtest:
    """Return every test of these forecasts.

    A test that the series cannot feed (no violation, too few days, no expected shortfall) has the verdict ``untested``
    and says why.

    Parameters
    ----------
    losses, value_at_risk, expected_shortfall
        (n_obs,), see `violations`; expected shortfall may be None.
    confidence
        Of both forecasts, in (0.5, 1).
    returns
        (n_obs,) for `dynamic_quantile`; −`losses` where None.
    volatility
        (n_obs,) for `mcneil_frey`; None leaves the excess losses as they are.
    dof
        Of the law of `acerbi_szekely`.
    regime
        Of `traffic_light`.
    seed, replications
        Of all simulations; see `simulate_null`.
    significance
        In (0, 0.5].

    Raises
    ------
    InvalidArgument
        If an argument is out of its range, or shapes differ.
    """
    hits = violations(losses, value_at_risk)
    n, count, level = hits.shape[0], int(np.count_nonzero(hits)), check_significance(significance)
    null = simulate_null(n, confidence=confidence, seed=seed, replications=replications)
    simulated: dict[str, Any] = {"seed": seed, "replications": replications, "significance": level}
    shared = {"confidence": confidence, "null": null, **simulated}
    tests = {
        "kupiec": kupiec(hits, confidence=confidence, significance=level),
        "christoffersen": independence(hits, **shared),
        "conditional_coverage": conditional_coverage(hits, **shared),
        "duration": duration(hits, **shared),
        "dynamic_quantile": dynamic_quantile(
            losses, value_at_risk, confidence=confidence, returns=returns, **simulated
        ),
        "traffic_light": traffic_light(hits, confidence=confidence, regime=regime),
    }
    if expected_shortfall is None:
        for key, name in (
            ("acerbi_szekely", UNCONDITIONAL),
            ("acerbi_szekely_conditional", CONDITIONAL),
            ("mcneil_frey", NAME),
        ):
            tests[key] = untested(name, NO_SHORTFALL, significance=level)
    else:
        forecasts = (losses, value_at_risk, expected_shortfall)
        both = acerbi_szekely(*forecasts, confidence=confidence, dof=dof, **simulated)
        tests["acerbi_szekely"], tests["acerbi_szekely_conditional"] = both.unconditional, both.conditional
        tests["mcneil_frey"] = mcneil_frey(*forecasts, volatility=volatility, **simulated)
    return Backtest(
        n_obs=n,
        confidence=confidence,
        significance=level,
        violations=count,
        expected=n * tail_of(confidence),
        rate=count / n,
        rows=tuple(np.flatnonzero(hits).tolist()),
        excess=excess_loss(losses, value_at_risk, expected_shortfall),
        tests=tests,
    )
