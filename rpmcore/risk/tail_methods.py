"""Value at risk and expected shortfall of a book by every method that the settings can name, in one table.

A method is a function of the same inputs, so that a report, a limit and the question "what if this position were
dropped?" all ask it in the same way.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil, inf, isfinite, sqrt

import numpy as np

from rpmcore.domain.arrays import Matrix, Vector
from rpmcore.domain.errors import InsufficientData, Undefined
from rpmcore.domain.tail_risk import TailRisk
from rpmcore.risk import value_at_risk
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.simulation import simulate_tail_risk, simulate_to_precision
from rpmcore.risk.simulation_model import Distribution, Sampling
from rpmcore.risk.tail_inputs import Absent, Effort, TailInputs

LONGEST_SCALED_HORIZON = 10
"""Trading days up to which a figure is scaled by √h; beyond, only what simulates day by day answers."""


Measure = Callable[[TailInputs, Sequence[float]], list[TailRisk | Absent]]
"""Answers for each confidence, over the horizon of the settings."""


def measure(method: str, inputs: TailInputs, confidences: Sequence[float]) -> list[TailRisk | Absent]:
    """Return what one method says at each confidence over `settings.tail_risk.horizon` days.

    A figure that does not exist is `Absent`. Nothing but the simulating methods answers beyond ten days.

    Raises
    ------
    InvalidArgument
        If the inputs do not fit each other.
    """
    horizon = inputs.settings.tail_risk.horizon
    if horizon > LONGEST_SCALED_HORIZON and method not in SIMULATING:
        reason = f"figures are not scaled beyond {LONGEST_SCALED_HORIZON} days; see {' or '.join(SIMULATING)}"
        return [Absent(method=method, confidence=c, reason=reason) for c in confidences]
    return METHODS[method](inputs, confidences)


def _each(method: str, one: Callable[[TailInputs, float], TailRisk]) -> Measure:
    """Return the measure that asks `one` for each confidence, and says why where there is no answer."""

    def every(inputs: TailInputs, confidences: Sequence[float]) -> list[TailRisk | Absent]:
        found: list[TailRisk | Absent] = []
        for confidence in confidences:
            try:
                found.append(one(inputs, confidence))
            except (Undefined, InsufficientData) as error:
                found.append(Absent(method=method, confidence=confidence, reason=str(error)))
        return found

    return every


def _scaled(inputs: TailInputs, risk: TailRisk, has_variance: bool = True) -> TailRisk:
    """Return a figure of rows of `return_days` periods over the horizon, by the square root of time."""
    days, horizon = inputs.settings.data.return_days, inputs.settings.tail_risk.horizon
    if days == horizon:
        return replace(risk, horizon=days)
    if not has_variance:
        raise Undefined("the fitted law has no variance, so √days does not scale it")
    return replace(risk, horizon=days).scaled(horizon)


Pair = tuple[float, float | None]
"""Value at risk and expected shortfall."""


def _pair(risk: TailRisk) -> Pair:
    return risk.value_at_risk, risk.expected_shortfall


def _resampled(inputs: TailInputs, risk: TailRisk, of: Callable[[Vector], Pair], *, always: bool = False) -> TailRisk:
    """Return the figure with bootstrap intervals in place of its own, where the settings or the rows ask for them.

    Rows that overlap are not independent, as the other intervals take them to be.

    Parameters
    ----------
    inputs, risk
        The book, and its figure.
    of
        Value at risk and expected shortfall of other P&L by the same method.
    always
        For methods without an interval of their own.
    """
    if not (inputs.resampled and (always or bootstraps(inputs.settings))):
        return risk
    from rpmcore.risk.bootstrap import bootstrap_intervals

    chosen, pnl = inputs.settings.tail_risk, inputs.pnl
    without_shortfall = risk.expected_shortfall is None

    def figures(resample: Vector) -> tuple[float, ...]:
        value_at_risk, shortfall = of(resample)
        # A fitted law without a mean loses without bound on average.
        return (value_at_risk,) if without_shortfall else (value_at_risk, inf if shortfall is None else shortfall)

    try:
        intervals = bootstrap_intervals(
            figures,
            pnl,
            coverage=chosen.interval,
            resamples=chosen.resamples,
            block=min(block_of(inputs.settings, len(pnl)), len(pnl)),
            seed=inputs.settings.simulation.seed,
        )
    except (Undefined, InsufficientData) as error:
        reason = f"not every resample has the figure: {error}"
        return replace(
            risk, lower=None, upper=None, lower_reason=reason, upper_reason=reason,
            expected_shortfall_lower=None, expected_shortfall_upper=None,
            expected_shortfall_lower_reason=reason, expected_shortfall_upper_reason=reason,
            value_at_risk_error=None, expected_shortfall_error=None,
        )  # fmt: skip
    found = replace(
        risk, lower=intervals[0][0], upper=intervals[0][1], value_at_risk_error=None, expected_shortfall_error=None
    )
    if without_shortfall:
        return found
    lower, upper = intervals[1]
    no_mean = "at this end of the interval the law of the resample has no mean"
    return replace(
        found,
        expected_shortfall_lower=lower if isfinite(lower) else None,
        expected_shortfall_lower_reason=no_mean,
        expected_shortfall_upper=upper if isfinite(upper) else None,
        expected_shortfall_upper_reason=no_mean,
    )


def bootstraps(settings: RiskSettings) -> bool:
    """Tell whether intervals come from resamples: where asked for, and wherever returns overlap."""
    return settings.tail_risk.intervals == "bootstrap" or settings.data.return_days > 1


def block_of(settings: RiskSettings, n_obs: int) -> int:
    """Return how many rows the bootstrap keeps together: never fewer than overlap."""
    days, asked = settings.data.return_days, settings.tail_risk.block
    if asked is None:
        asked = 1 if days == 1 else ceil(n_obs ** (1.0 / 3.0))
    return max(asked, days)


def _historical(inputs: TailInputs, confidence: float) -> TailRisk:
    chosen = inputs.settings.tail_risk
    risk = value_at_risk.historical(inputs.pnl, confidence, chosen.interval, chosen.quantile)
    risk = _resampled(
        inputs, risk, lambda pnl: value_at_risk.value_at_risk_and_shortfall(pnl, confidence, chosen.quantile)
    )
    return _scaled(inputs, _without_reach(inputs, risk))


def _without_reach(inputs: TailInputs, risk: TailRisk) -> TailRisk:
    """Return a historical figure without upper bounds where its sample need not hold a loss beyond the VaR.

    No resample holds a worse loss than the sample does. Order statistics know that; a bootstrap does not, and would
    call the worst loss seen an upper bound.
    """
    rows = len(inputs.pnl) / inputs.settings.data.return_days
    if not bootstraps(inputs.settings) or risk.confidence**rows <= 0.5 * (1.0 - inputs.settings.tail_risk.interval):
        return risk
    reason = f"{rows:.0f} independent losses are too few for a bound above their {risk.confidence:.4g} quantile"
    return replace(
        risk, upper=None, upper_reason=reason, expected_shortfall_upper=None, expected_shortfall_upper_reason=reason
    )


def _filtered_historical(inputs: TailInputs, confidences: Sequence[float]) -> list[TailRisk | Absent]:
    from rpmcore.risk.filtered_historical import BURN_IN

    try:
        if inputs.settings.data.return_days > 1:
            raise Undefined("returns that overlap hold each day's shock twice, so they cannot be filtered")
        left, least = len(inputs.pnl) - BURN_IN, inputs.settings.tail_risk.minimum
        if left < least:
            raise InsufficientData(
                f"{max(left, 0)} returns are left behind the {BURN_IN} that start the filter, but at least {least} are "
                "needed"
            )
        if inputs.settings.tail_risk.horizon > 1:
            return list(_filtered_paths(inputs, confidences))
        rows = filtered(inputs)
    except (Undefined, InsufficientData) as error:
        return [Absent(method="filtered_historical", confidence=c, reason=str(error)) for c in confidences]
    return [replace(_historical(rows, c), method="filtered_historical") for c in confidences]


def filtered(inputs: TailInputs) -> TailInputs:
    """Return the inputs with past returns rescaled to today's volatility."""
    from rpmcore.risk.filtered_historical import filtered_returns

    rows = filtered_returns(inputs.returns, inputs.settings.covariance.decay)
    return replace(inputs, returns=rows, pnl=rows @ inputs.weights)


def _filtered_paths(inputs: TailInputs, confidences: Sequence[float]) -> tuple[TailRisk, ...]:
    from rpmcore.risk.filtered_historical import simulate_filtered

    chosen = inputs.settings
    return simulate_filtered(
        inputs.returns,
        inputs.weights,
        confidences,
        chosen.simulation.paths,
        horizon=chosen.tail_risk.horizon,
        seed=chosen.simulation.seed,
        decay=chosen.covariance.decay,
        mean=chosen.tail_risk.mean,
        threads=inputs.effort.threads,
        progress=inputs.effort.progress,
    )


def _normal(inputs: TailInputs, confidence: float) -> TailRisk:
    """Return the normal figure: √h is exact for independent normal returns."""
    chosen, h = inputs.settings.tail_risk, inputs.settings.tail_risk.horizon
    mean = float(inputs.pnl.mean()) / inputs.settings.data.return_days if chosen.mean == "sample" else 0.0
    risk = value_at_risk.normal(
        inputs.volatility * sqrt(h),
        confidence,
        mean * h,
        n_effective=inputs.covariance.n_effective,
        interval=chosen.interval,
    )
    return replace(risk, horizon=h)


def _student_t(inputs: TailInputs, confidence: float) -> TailRisk:
    interval = inputs.settings.tail_risk.interval
    fit = value_at_risk.fit_student_t(inputs.pnl)
    risk = _resampled(
        inputs,
        fit.tail_risk(confidence, interval),
        lambda pnl: _pair(value_at_risk.fit_student_t(pnl).tail_risk(confidence, interval)),
    )
    return _scaled(inputs, risk, has_variance=fit.dof > 2.0)


def _cornish_fisher(inputs: TailInputs, confidence: float) -> TailRisk:
    """Return the Cornish–Fisher figure of independent days, whose cumulants add up."""
    from rpmcore.risk.cornish_fisher import cornish_fisher

    chosen = inputs.settings.tail_risk
    rows = rows_added(inputs.settings)
    root = sqrt(chosen.horizon / (rows * inputs.settings.data.return_days))

    def of(pnl: Vector) -> TailRisk:
        return cornish_fisher(
            float(pnl.std()) * sqrt(rows),
            value_at_risk.skewness(pnl) / sqrt(rows),
            value_at_risk.excess_kurtosis(pnl) / rows,
            confidence,
            float(pnl.mean()) * rows * root if chosen.mean == "sample" else 0.0,
        )

    pnl = inputs.pnl
    risk = _resampled(inputs, of(pnl), lambda other: _pair(of(other)), always=True)
    # A mean grows with time, not with its root: it was given so that this factor leaves the right one.
    return replace(risk, horizon=chosen.horizon).times(root)


def rows_added(settings: RiskSettings) -> float:
    """Return how many rows make up the horizon; 1 where a row is longer, and is scaled down by the root of time.

    The skewness and kurtosis of a part of a row are not known from those of the row.
    """
    return max(1.0, settings.tail_risk.horizon / settings.data.return_days)


def _extreme_value(inputs: TailInputs, confidence: float) -> TailRisk:
    from rpmcore.risk.extreme_value import extreme_value, fit_generalised_pareto, threshold_excesses

    chosen = inputs.settings.tail_risk

    def of(pnl: Vector) -> TailRisk:
        return extreme_value(pnl, confidence, chosen.tail_share, chosen.interval)

    risk = of(inputs.pnl)
    risk = _resampled(inputs, risk, lambda pnl: _pair(of(pnl)))
    if chosen.horizon == inputs.settings.data.return_days:
        return _scaled(inputs, risk)
    shape = fit_generalised_pareto(threshold_excesses(-inputs.pnl, chosen.tail_share)[1]).shape
    return _scaled(inputs, risk, has_variance=shape < 0.5)


def _monte_carlo(inputs: TailInputs, confidences: Sequence[float]) -> list[TailRisk | Absent]:
    chosen = inputs.settings.simulation
    run = _Run(
        confidences=tuple(confidences),
        n_paths=chosen.paths,
        precision=chosen.precision,
        seed=chosen.seed,
        distribution=chosen.distribution,
        dof=chosen.dof if chosen.distribution == "student_t" else None,
        horizon=inputs.settings.tail_risk.horizon,
        sampling=chosen.sampling,
    )
    if chosen.shocks == "assets":
        return list(_simulate(run, inputs.weights, inputs.covariance.matrix, inputs.effort, reduction=False))
    return [risk.times(inputs.volatility) for risk in _of_unit_volatility(run, inputs.effort)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """What decides the draws of a simulation: equal runs give equal bits."""

    confidences: tuple[float, ...]
    n_paths: int
    precision: float | None
    seed: int
    distribution: Distribution
    dof: float | None
    horizon: int
    sampling: Sampling


@lru_cache(maxsize=64)
def _of_unit_volatility(run: _Run, effort: Effort) -> tuple[TailRisk, ...]:
    """Return the tail risk of a book of unit volatility.

    Under elliptical shocks a linear book has the law of one variable times its volatility: what holds for unit
    volatility holds for every book, and a thousand books of the same settings need one simulation.
    """
    return _simulate(run, np.ones(1), np.ones((1, 1)), effort, reduction=True)


def _simulate(run: _Run, weights: Vector, cov: Matrix, effort: Effort, *, reduction: bool) -> tuple[TailRisk, ...]:
    if run.precision is not None:
        found = simulate_to_precision(
            weights, cov, run.confidences, run.precision, seed=run.seed, distribution=run.distribution, dof=run.dof,
            horizon=run.horizon, reduction=reduction, sampling=run.sampling, threads=effort.threads,
            progress=effort.progress,
        )  # fmt: skip
        return tuple(replace(risk, n_paths=found.n_paths) for risk in found.measures)
    risks = simulate_tail_risk(
        weights, cov, run.confidences, run.n_paths, seed=run.seed, distribution=run.distribution, dof=run.dof,
        horizon=run.horizon, reduction=reduction, sampling=run.sampling, threads=effort.threads,
        progress=effort.progress,
    )  # fmt: skip
    return tuple(replace(risk, n_paths=run.n_paths) for risk in risks)


METHODS: Mapping[str, Measure] = {
    "historical": _each("historical", _historical),
    "filtered_historical": _filtered_historical,
    "normal": _each("normal", _normal),
    "student_t": _each("student_t", _student_t),
    "cornish_fisher": _each("cornish_fisher", _cornish_fisher),
    "extreme_value": _each("extreme_value", _extreme_value),
    "monte_carlo": _monte_carlo,
}
"""How each name in the setting ``tail_risk.methods`` is computed."""

SIMULATING = ("filtered_historical", "monte_carlo")
"""Methods that go day by day, and so answer at any horizon."""


def scaling_of(method: str, settings: RiskSettings) -> str:
    """Return how a method comes from the periods of its rows to the horizon, in words."""
    horizon, days = settings.tail_risk.horizon, settings.data.return_days
    if horizon == days or method == "filtered_historical" or (method == "monte_carlo" and days == 1):
        return "none"
    if method == "cornish_fisher" and horizon > days:
        return "cumulants of independent days"
    return "square root of time"


def intervals_of(settings: RiskSettings, n_obs: int) -> str:
    """Return how the intervals of the methods that rest on past P&L are made, in words."""
    if not bootstraps(settings):
        return "each method's own"
    block = block_of(settings, n_obs)
    return f"bootstrap of {settings.tail_risk.resamples} resamples, {block} row{'s' * (block > 1)} at a time"
