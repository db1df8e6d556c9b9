"""What a book can lose: from a book and its prices to every figure of ``rpm evaluate``."""

from dataclasses import dataclass
from datetime import date
from statistics import NormalDist
from typing import Any

import numpy as np

from rpmcore.domain.arrays import Vector
from rpmcore.domain.tail_risk import TailRisk
from rpmcore.risk.decomposition import effective_number_of_positions
from rpmcore.risk.limits import LimitCheck
from rpmcore.risk.notices import Notice, notices
from rpmcore.risk.portfolio_risk import PortfolioRiskEngine, RiskMetrics
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.valuation import BookInputs, ReturnPanel, Valuation, return_panel, value
from rpmcore.risk.volatility import covariance_times

HISTOGRAM_BINS = 41


@dataclass(frozen=True, slots=True, kw_only=True)
class BookSummary:
    """Whose risk this is."""

    source: str
    path: str | None
    capital: float | None
    base_currency: str
    as_of: date
    n_positions: int
    n_strategies: int
    gross_leverage: float
    net_leverage: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSummary:
    """Which prices it rests on. `first` and `last` are the dates of the first and last close used."""

    prices: str
    n_obs: int
    tail_n_obs: int
    n_assets: int
    first: date
    last: date
    dropped_rows: int
    periods_per_year: float
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CovarianceSummary:
    """How the covariance was estimated; `decay` is None for methods without one."""

    method: str
    n_obs: int
    decay: float | None
    shrinkage: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodSummary:
    """How the tail risk was made: `quantile` of the historical method, `mean` of the normal, the simulation."""

    quantile: str
    mean: str
    distribution: str
    dof: float | None
    dof_reason: str | None
    paths: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VolatilitySummary:
    """Volatility per period and per year, against its target and maximum."""

    daily: float
    annual: float
    target: float
    maximum: float
    utilisation: float
    effective_positions: float | None
    effective_positions_reason: str | None
    diversification_ratio: float | None
    diversification_ratio_reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Of the daily P&L and of the Student-t law fitted to it; `dof` is None where the fit is practically normal."""

    skewness: float | None
    skewness_reason: str | None
    excess_kurtosis: float | None
    excess_kurtosis_reason: str | None
    dof: float | None
    dof_reason: str | None
    log_likelihood: float | None
    log_likelihood_reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TailRiskRow:
    """One method at one confidence, as fractions of capital and in account currency."""

    method: str
    confidence: float
    horizon: int
    scaling: str
    value_at_risk: float | None
    value_at_risk_reason: str | None = None
    expected_shortfall: float | None
    expected_shortfall_reason: str | None = None
    value_at_risk_money: float | None
    value_at_risk_money_reason: str | None = None
    expected_shortfall_money: float | None
    expected_shortfall_money_reason: str | None = None
    lower: float | None
    lower_reason: str | None = None
    upper: float | None
    upper_reason: str | None = None
    value_at_risk_error: float | None = None
    expected_shortfall_error: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One book row and its part of the risk; volatilities are per period.

    The `component_volatility` sum to the daily volatility and the `component_var` to the one-day normal VaR at the
    limits' confidence.
    """

    symbol: str
    strategy_id: str | None
    sector: str | None
    weight: float
    market_value: float | None
    market_value_reason: str | None
    volatility: float
    marginal_volatility: float | None
    marginal_volatility_reason: str | None
    component_volatility: float | None
    component_volatility_reason: str | None
    component_var: float | None
    component_var_reason: str | None
    share: float | None
    share_reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """The advice for every position."""

    factor: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Counts of past daily P&L at today's weights; `edges` has one more element than `counts`."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Everything that ``rpm evaluate`` says; the field names are the keys of its JSON."""

    book: BookSummary
    data: DataSummary
    covariance: CovarianceSummary
    methods: MethodSummary
    volatility: VolatilitySummary
    moments: Moments
    tail_risk: tuple[TailRiskRow, ...]
    components: tuple[Component, ...]
    limits: tuple[LimitCheck, ...]
    scaling: Scaling
    histogram: Histogram
    warnings: tuple[Notice, ...]

    @property
    def breached(self) -> bool:
        """Whether any limit is breached."""
        return any(check.status == "breach" for check in self.limits)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Assessment:
    """A valued book and its risk: what every analysis of a book starts from."""

    panel: ReturnPanel
    valuation: Valuation
    metrics: RiskMetrics


def assess(inputs: BookInputs, settings: RiskSettings) -> Assessment:
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
    )
    valuation = value(inputs.book, inputs.instruments, panel, inputs.account)
    metrics = PortfolioRiskEngine(settings).calculate_comprehensive_risk(
        panel.returns, valuation.weights, capital=inputs.book.capital, symbols=panel.symbols
    )
    return Assessment(panel=panel, valuation=valuation, metrics=metrics)


def evaluate_book(inputs: BookInputs, settings: RiskSettings) -> Evaluation:
    """Return every figure of ``rpm evaluate``; raises as `assess` does."""
    assessed = assess(inputs, settings)
    panel, valuation, metrics = assessed.panel, assessed.valuation, assessed.metrics
    factor, reason = metrics.scaling
    counts, edges = np.histogram(metrics.pnl, bins=HISTOGRAM_BINS)
    return Evaluation(
        book=summarise_book(inputs, assessed),
        data=DataSummary(
            prices=inputs.history.path,
            n_obs=metrics.covariance.n_obs,
            tail_n_obs=len(metrics.pnl),
            n_assets=len(panel.symbols),
            first=_day(panel.dates[0]),
            last=_day(panel.dates[-1]),
            dropped_rows=panel.dropped_rows,
            periods_per_year=settings.data.periods_per_year,
            notes=inputs.history.notes,
        ),
        covariance=CovarianceSummary(
            method=metrics.covariance.method,
            n_obs=metrics.covariance.n_obs,
            decay=settings.covariance.decay if metrics.covariance.method in ("ewma", "stressed") else None,
            shrinkage=metrics.covariance.intensity,
        ),
        methods=MethodSummary(
            quantile="inverse empirical cdf",
            mean=settings.tail_risk.mean,
            distribution=settings.simulation.distribution,
            dof=settings.simulation.dof if settings.simulation.distribution == "student_t" else None,
            dof_reason="the normal law has none",
            paths=settings.simulation.paths,
            seed=settings.simulation.seed,
        ),
        volatility=_volatility(valuation, metrics, settings),
        moments=_moments(metrics),
        tail_risk=_tail_rows(metrics, settings, inputs.book.capital),
        components=_components(inputs, assessed, settings),
        limits=metrics.limits,
        scaling=Scaling(factor=factor, reason=reason),
        histogram=Histogram(edges=tuple(edges.tolist()), counts=tuple(counts.tolist())),
        warnings=notices(inputs, panel, valuation, metrics, settings),
    )


def summarise_book(inputs: BookInputs, assessed: Assessment) -> BookSummary:
    """Return the header of a report on a book."""
    book, rows = inputs.book, assessed.valuation.row_weights
    return BookSummary(
        source=book.source,
        path=book.path,
        capital=book.capital,
        base_currency=inputs.account,
        as_of=_day(assessed.panel.dates[-1]),
        n_positions=len(book.holdings),
        n_strategies=len({h.strategy_id for h in book.holdings if h.strategy_id is not None}),
        gross_leverage=float(np.abs(rows).sum()),
        net_leverage=abs(float(rows.sum())),
    )


def money(value: float | None, capital: float | None) -> float | None:
    """Return a fraction of capital in account currency, or None where either is not known."""
    return None if value is None or capital is None else value * capital


NO_CAPITAL = "the book names no capital; give --capital"
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


def _tail_rows(metrics: RiskMetrics, settings: RiskSettings, capital: float | None) -> tuple[TailRiskRow, ...]:
    rows = [_tail_row(measure, capital) for measure in metrics.tail_risk]
    for method, reason in metrics.absent.items():
        rows += [
            TailRiskRow(
                method=method, confidence=confidence, horizon=settings.tail_risk.horizon, scaling="none",
                value_at_risk=None, value_at_risk_reason=reason,
                expected_shortfall=None, expected_shortfall_reason=reason,
                value_at_risk_money=None, value_at_risk_money_reason=reason,
                expected_shortfall_money=None, expected_shortfall_money_reason=reason,
                lower=None, lower_reason=reason, upper=None, upper_reason=reason,
            )
            for confidence in settings.tail_risk.confidences
        ]  # fmt: skip
    order = {method: i for i, method in enumerate(("historical", "normal", "student_t", "monte_carlo"))}
    return tuple(sorted(rows, key=lambda row: order[row.method]))


def _tail_row(measure: TailRisk, capital: float | None) -> TailRiskRow:
    scaled = measure.horizon > 1 and measure.method != "monte_carlo"
    return TailRiskRow(
        method=measure.method,
        confidence=measure.confidence,
        horizon=measure.horizon,
        scaling="square root of time" if scaled else "none",
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
        value_at_risk_error=measure.value_at_risk_error,
        expected_shortfall_error=measure.expected_shortfall_error,
    )


def _components(inputs: BookInputs, assessed: Assessment, settings: RiskSettings) -> tuple[Component, ...]:
    valuation, metrics = assessed.valuation, assessed.metrics
    cov, sigma = metrics.covariance.matrix, metrics.daily_volatility
    alone = np.sqrt(np.diagonal(cov))
    marginal: Vector | None = covariance_times(valuation.weights, cov) / sigma if sigma > 0.0 else None
    z = NormalDist().inv_cdf(settings.limits.confidence)
    mean = np.zeros(len(alone))
    if settings.tail_risk.mean == "sample":
        mean = assessed.panel.returns[-len(metrics.pnl) :].mean(axis=0)
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


def _day(moment: Any) -> date:
    day: date = np.datetime64(moment, "D").item()
    return day
