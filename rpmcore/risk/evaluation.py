"""What a book can lose: from a book and its prices to every figure of ``rpm evaluate``."""

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from rpmcore.domain.arrays import Vector
from rpmcore.domain.tail_risk import TailRisk
from rpmcore.risk.covariance_estimator import EXPONENTIAL, CovarianceEstimate
from rpmcore.risk.diversification import effective_number_of_positions
from rpmcore.risk.exposure.limits import limit_checks
from rpmcore.risk.limits import LimitCheck
from rpmcore.risk.notices import notices
from rpmcore.risk.portfolio_risk import PortfolioRiskEngine, RiskMetrics
from rpmcore.risk.report import (
    NO_CAPITAL,
    BookSummary,
    Component,
    CovarianceSummary,
    DataSummary,
    Evaluation,
    Histogram,
    MethodSummary,
    Moments,
    Scaling,
    TailRiskRow,
    VolatilitySummary,
)
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.tail_inputs import Absent, Effort, TailInputs
from rpmcore.risk.tail_methods import intervals_of, scaling_of
from rpmcore.risk.valuation import BookInputs, ReturnPanel, Valuation, day, return_panel, value
from rpmcore.risk.volatility import covariance_times

if TYPE_CHECKING:  # studies load when they are asked for: most reports start without them
    from rpmcore.risk.covariance_comparison import CovarianceScore
    from rpmcore.risk.rolling_report import RollingReport
    from rpmcore.risk.tail_decomposition import TailDecomposition

HISTOGRAM_BINS = 41


@dataclass(frozen=True, slots=True, kw_only=True)
class Studies:
    """What a report shall hold beyond its figures.

    Attributes
    ----------
    decompose
        Methods whose value at risk and expected shortfall are taken apart by position.
    compare_covariance
        Score every covariance estimator on the past of this book.
    rolling
        Follow the figures through time.
    """

    decompose: tuple[str, ...] = ()
    compare_covariance: bool = False
    rolling: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Assessment:
    """A valued book and its risk: what every analysis of a book starts from."""

    panel: ReturnPanel
    valuation: Valuation
    metrics: RiskMetrics


def assess(inputs: BookInputs, settings: RiskSettings, effort: Effort | None = None) -> Assessment:
    """Return the returns, weights and risk metrics of a book.

    Raises
    ------
    InsufficientData, InputError
        See `return_panel` and `value`.
    """
    panel = return_panel(
        inputs.history,
        inputs.instruments,
        inputs.ways,
        lookback=max(settings.covariance.lookback, settings.tail_risk.lookback),
        minimum=max(settings.covariance.minimum, settings.tail_risk.minimum),
        return_days=settings.data.return_days,
    )
    valuation = value(inputs.book, inputs.instruments, panel, inputs.account)
    given = inputs.correlation
    metrics = PortfolioRiskEngine(settings, effort).calculate_comprehensive_risk(
        panel.returns,
        valuation.weights,
        capital=inputs.book.capital,
        symbols=panel.symbols,
        correlation=None if given is None else given.matrix,
    )
    return Assessment(panel=panel, valuation=valuation, metrics=metrics)


def evaluate_book(
    inputs: BookInputs, settings: RiskSettings, studies: Studies | None = None, effort: Effort | None = None
) -> Evaluation:
    """Return every figure of ``rpm evaluate``; raises as `assess` and the studies do."""
    return evaluation_of(assess(inputs, settings, effort), inputs, settings, studies, effort)


def evaluation_of(
    assessed: Assessment,
    inputs: BookInputs,
    settings: RiskSettings,
    studies: Studies | None = None,
    effort: Effort | None = None,
) -> Evaluation:
    """Return the same of a book that `assess` has assessed with these inputs and settings."""
    wanted = studies or Studies()
    panel, valuation, metrics = assessed.panel, assessed.valuation, assessed.metrics
    factor, reason = metrics.scaling
    counts, edges = np.histogram(metrics.pnl, bins=HISTOGRAM_BINS)
    return Evaluation(
        book=summarise(inputs, panel, valuation),
        data=DataSummary(
            prices=inputs.history.path,
            n_obs=metrics.covariance.n_obs,
            tail_n_obs=len(metrics.pnl),
            n_assets=len(panel.symbols),
            first=day(panel.dates[0]),
            last=day(panel.dates[-1]),
            dropped_rows=panel.dropped_rows,
            periods_per_year=settings.data.periods_per_year,
            notes=inputs.history.notes,
        ),
        covariance=_covariance(inputs, metrics.covariance, settings),
        methods=MethodSummary(
            return_days=settings.data.return_days,
            quantile={"inverse_cdf": "inverse empirical cdf", "type7": "interpolated (type 7)"}[
                settings.tail_risk.quantile
            ],
            mean=settings.tail_risk.mean,
            intervals=intervals_of(settings, len(metrics.pnl)),
            bind_on=settings.limits.bind_on,
            distribution=settings.simulation.distribution,
            dof=settings.simulation.dof if settings.simulation.distribution == "student_t" else None,
            dof_reason="the normal law has none",
            shocks=settings.simulation.shocks,
            sampling=settings.simulation.sampling,
            precision=settings.simulation.precision,
            paths=next((r.n_paths for r in metrics.tail_risk if r.method == "monte_carlo"), None),
            seed=settings.simulation.seed,
        ),
        volatility=_volatility(valuation, metrics, settings),
        moments=_moments(metrics),
        tail_risk=_tail_rows(metrics, settings, inputs.book.capital),
        components=_components(inputs, assessed, settings),
        limits=(*metrics.limits, *_exposure_limits(inputs, assessed, settings)),
        scaling=Scaling(factor=factor, reason=reason),
        histogram=Histogram(edges=tuple(edges.tolist()), counts=tuple(counts.tolist())),
        decomposition=_decomposition(inputs, assessed, settings, wanted.decompose, effort),
        covariance_comparison=_comparison(inputs, assessed, settings, effort) if wanted.compare_covariance else (),
        rolling=_rolling(inputs, assessed, settings) if wanted.rolling else None,
        warnings=notices(inputs, panel, valuation, metrics, settings),
    )


def summarise(inputs: BookInputs, panel: ReturnPanel, valuation: Valuation) -> BookSummary:
    """Return the header of a report on a book."""
    book, rows = inputs.book, valuation.row_weights
    return BookSummary(
        source=book.source,
        path=book.path,
        capital=book.capital,
        base_currency=inputs.account,
        as_of=day(panel.dates[-1]),
        n_positions=len(book.holdings),
        n_strategies=len({h.strategy_id for h in book.holdings if h.strategy_id is not None}),
        gross_leverage=float(np.abs(rows).sum()),
        net_leverage=abs(float(rows.sum())),
    )


def money(value: float | None, capital: float | None) -> float | None:
    """Return a fraction of capital in account currency, or None where either is not known."""
    return None if value is None or capital is None else value * capital


NO_VOLATILITY = "the book has no volatility"


def _volatility(valuation: Valuation, metrics: RiskMetrics, settings: RiskSettings) -> VolatilitySummary:
    weights, cov = valuation.weights, metrics.covariance.matrix
    alone = float(np.abs(weights) @ np.sqrt(np.diagonal(cov)))
    held = bool(np.any(weights))
    return VolatilitySummary(
        daily=metrics.daily_volatility,
        annual=metrics.annual_volatility,
        target=settings.limits.target_volatility,
        maximum=settings.limits.maximum_volatility,
        utilisation=metrics.utilisation,
        effective_positions=effective_number_of_positions(weights) if held else None,
        effective_positions_reason=None if held else "every weight is zero",
        diversification_ratio=alone / metrics.daily_volatility if metrics.daily_volatility > 0.0 else None,
        diversification_ratio_reason=None if metrics.daily_volatility > 0.0 else NO_VOLATILITY,
    )


def _moments(metrics: RiskMetrics) -> Moments:
    fit = metrics.fit
    constant = "the daily P&L is constant"
    normal = "the fit is practically normal: its degrees of freedom have no finite estimate below 200"
    finite = fit is not None and not fit.practically_normal
    return Moments(
        skewness=metrics.skewness,
        skewness_reason=constant,
        excess_kurtosis=metrics.excess_kurtosis,
        excess_kurtosis_reason=constant,
        dof=fit.dof if fit is not None and finite else None,
        dof_reason=metrics.fit_reason or normal,
        log_likelihood=fit.log_likelihood if fit is not None else None,
        log_likelihood_reason=metrics.fit_reason,
    )


def _covariance(inputs: BookInputs, estimate: CovarianceEstimate, settings: RiskSettings) -> CovarianceSummary:
    repaired, given = estimate.given_correlation, inputs.correlation
    return CovarianceSummary(
        method=estimate.method,
        n_obs=estimate.n_obs,
        decay=settings.covariance.decay if estimate.method in EXPONENTIAL else None,
        shrinkage=estimate.intensity,
        target=settings.covariance.target if estimate.method == "ledoit_wolf" else None,
        given_correlation=None if given is None else given.source,
        repair_distance=None if repaired is None else repaired.distance,
        smallest_eigenvalue=None if repaired is None else repaired.smallest_eigenvalue,
    )


def _decomposition(
    inputs: BookInputs, assessed: Assessment, settings: RiskSettings, methods: tuple[str, ...], effort: Effort | None
) -> "tuple[TailDecomposition, ...]":
    if not methods:
        return ()
    from rpmcore.risk.tail_decomposition import decompose

    metrics, valuation = assessed.metrics, assessed.valuation
    asked = TailInputs.of(
        assessed.panel.returns[-len(metrics.pnl) :], valuation.weights, metrics.covariance, settings, effort
    )
    return tuple(
        one
        for method in methods
        for one in decompose(method, asked, inputs.book.holdings, valuation, settings.tail_risk.confidences)
    )


def _comparison(
    inputs: BookInputs, assessed: Assessment, settings: RiskSettings, effort: Effort | None
) -> "tuple[CovarianceScore, ...]":
    from rpmcore.risk.covariance_comparison import compare_covariances

    past = _past(inputs, settings, settings.covariance.lookback)
    return compare_covariances(
        past.returns,
        assessed.valuation.weights,
        settings.covariance,
        confidences=settings.tail_risk.confidences,
        return_days=past.return_days,
        progress=None if effort is None else effort.progress,
    )


def _rolling(inputs: BookInputs, assessed: Assessment, settings: RiskSettings) -> "RollingReport":
    from rpmcore.risk.rolling_report import roll

    past = _past(inputs, settings, settings.tail_risk.rolling_window)
    return roll(past, assessed.valuation.weights, settings)


def _past(inputs: BookInputs, settings: RiskSettings, before: int) -> ReturnPanel:
    """Return the returns of the tail window and of `before` rows ahead of it, as far as there are any."""
    return return_panel(
        inputs.history,
        inputs.instruments,
        inputs.ways,
        lookback=settings.tail_risk.lookback + before + settings.data.return_days - 1,
        minimum=settings.tail_risk.minimum,
        return_days=settings.data.return_days,
    )


def _exposure_limits(inputs: BookInputs, assessed: Assessment, settings: RiskSettings) -> tuple[LimitCheck, ...]:
    weights = dict(zip(assessed.panel.symbols, assessed.valuation.weights.tolist(), strict=True))
    held = {symbol: weight for symbol, weight in weights.items() if weight != 0.0}
    return limit_checks(held, inputs.profiles, inputs.account, settings.limits)


def _tail_rows(metrics: RiskMetrics, settings: RiskSettings, capital: float | None) -> tuple[TailRiskRow, ...]:
    """Return a row for each method and confidence, in the order of the settings."""
    order: dict[str, int] = {method: i for i, method in enumerate(settings.tail_risk.methods)}
    rows = [_tail_row(measure, capital, settings) for measure in metrics.tail_risk]
    rows += [_absent_row(absent, settings.tail_risk.horizon) for absent in metrics.absent]
    return tuple(sorted(rows, key=lambda row: (order[row.method], row.confidence)))


def _tail_row(measure: TailRisk, capital: float | None, settings: RiskSettings) -> TailRiskRow:
    return TailRiskRow(
        method=measure.method,
        confidence=measure.confidence,
        horizon=measure.horizon,
        scaling=scaling_of(measure.method, settings),
        value_at_risk=measure.value_at_risk,
        expected_shortfall=measure.expected_shortfall,
        expected_shortfall_reason=measure.expected_shortfall_reason,
        value_at_risk_money=money(measure.value_at_risk, capital),
        value_at_risk_money_reason=NO_CAPITAL,
        expected_shortfall_money=money(measure.expected_shortfall, capital),
        expected_shortfall_money_reason=measure.expected_shortfall_reason or NO_CAPITAL,
        lower=measure.lower,
        lower_reason=measure.lower_reason,
        upper=measure.upper,
        upper_reason=measure.upper_reason,
        expected_shortfall_lower=measure.expected_shortfall_lower,
        expected_shortfall_lower_reason=measure.expected_shortfall_lower_reason,
        expected_shortfall_upper=measure.expected_shortfall_upper,
        expected_shortfall_upper_reason=measure.expected_shortfall_upper_reason,
        value_at_risk_error=measure.value_at_risk_error,
        expected_shortfall_error=measure.expected_shortfall_error,
        n_paths=measure.n_paths,
    )


def _absent_row(absent: Absent, horizon: int) -> TailRiskRow:
    reason = absent.reason
    return TailRiskRow(
        method=absent.method, confidence=absent.confidence, horizon=horizon, scaling="none",
        value_at_risk=None, value_at_risk_reason=reason,
        expected_shortfall=None, expected_shortfall_reason=reason,
        value_at_risk_money=None, value_at_risk_money_reason=reason,
        expected_shortfall_money=None, expected_shortfall_money_reason=reason,
        lower=None, lower_reason=reason, upper=None, upper_reason=reason,
        expected_shortfall_lower=None, expected_shortfall_lower_reason=reason,
        expected_shortfall_upper=None, expected_shortfall_upper_reason=reason,
        value_at_risk_error=None, value_at_risk_error_reason=reason,
        expected_shortfall_error=None, expected_shortfall_error_reason=reason,
        n_paths=None, n_paths_reason=reason,
    )  # fmt: skip


def _components(inputs: BookInputs, assessed: Assessment, settings: RiskSettings) -> tuple[Component, ...]:
    valuation, metrics = assessed.valuation, assessed.metrics
    cov, sigma = metrics.covariance.matrix, metrics.daily_volatility
    alone = np.sqrt(np.diagonal(cov))
    marginal: Vector | None = covariance_times(valuation.weights, cov) / sigma if sigma > 0.0 else None
    z = NormalDist().inv_cdf(settings.limits.confidence)
    mean = np.zeros(len(alone))
    if settings.tail_risk.mean == "sample":
        mean = assessed.panel.returns[-len(metrics.pnl) :].mean(axis=0) / assessed.panel.return_days
    rows = []
    for holding, weight, asset in zip(
        inputs.book.holdings, valuation.row_weights.tolist(), valuation.row_assets.tolist(), strict=True
    ):
        slope = None if marginal is None else float(marginal[asset])
        part = None if slope is None else weight * slope
        rows.append(
            Component(
                symbol=holding.symbol,
                strategy_id=holding.strategy_id,
                sector=inputs.instruments[holding.symbol].sector,
                weight=weight,
                market_value=money(weight, inputs.book.capital),
                market_value_reason=NO_CAPITAL,
                volatility=float(alone[asset]),
                marginal_volatility=slope,
                marginal_volatility_reason=NO_VOLATILITY,
                component_volatility=part,
                component_volatility_reason=NO_VOLATILITY,
                component_var=None if part is None else z * part - weight * float(mean[asset]),
                component_var_reason=NO_VOLATILITY,
                share=None if part is None else part / sigma,
                share_reason=NO_VOLATILITY,
            )
        )
    return tuple(rows)
