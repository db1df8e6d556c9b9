"""What ``rpm evaluate`` says: the field names are the keys of its JSON.

A field ``x_reason`` says why ``x`` is None, where it is.
"""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from rpmcore.domain.report import ConfiguredReport, Shown, counted, percent
from rpmcore.risk.limits import LimitCheck
from rpmcore.risk.notices import Notice

if TYPE_CHECKING:  # studies load when they are asked for: most reports start without them
    from rpmcore.risk.covariance_comparison import CovarianceScore
    from rpmcore.risk.rolling_report import RollingReport
    from rpmcore.risk.tail_decomposition import TailDecomposition

NO_CAPITAL = "the book names no capital; give --capital"
NO_ERROR = "the method has an interval in place of a standard error"


@dataclass(frozen=True, slots=True, kw_only=True)
class BookSummary:
    """Whose risk this is."""

    source: str
    path: str | None
    path_reason: str = "the book is a table in memory"
    capital: float | None
    capital_reason: str = NO_CAPITAL
    base_currency: str
    as_of: date
    n_positions: int
    n_strategies: int
    gross_leverage: float
    net_leverage: float

    @property
    def called(self) -> str:
        """What a sentence calls it."""
        return "the sample book" if self.source == "sample" else self.path or "the book given"


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
    """How the covariance was estimated; `decay` is None for methods without one.

    `given_correlation` is where correlations came from that replaced the estimated ones, `repair_distance` how far they
    had to move to be a correlation matrix (Frobenius norm), `smallest_eigenvalue` of the matrix as given.
    """

    method: str
    n_obs: int
    decay: float | None
    decay_reason: str = "the method has none"
    shrinkage: float
    target: str | None
    target_reason: str = "the method shrinks toward the scaled identity, or not at all"
    given_correlation: str | None
    given_correlation_reason: str = "the correlations are estimated"
    repair_distance: float | None
    repair_distance_reason: str = "the correlations are estimated"
    smallest_eigenvalue: float | None
    smallest_eigenvalue_reason: str = "the correlations are estimated"


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodSummary:
    """How the tail risk was made: `quantile` of the historical method, `mean` of the normal, the simulation.

    `return_days` is how many periods each return spans, `intervals` how those of past P&L were made, `bind_on` what is
    held against the limits.
    """

    return_days: int
    quantile: str
    mean: str
    intervals: str
    bind_on: str
    distribution: str
    dof: float | None
    dof_reason: str | None
    shocks: str
    sampling: str
    precision: float | None
    precision_reason: str = "the number of paths is given"
    paths: int | None
    paths_reason: str = "monte_carlo is not among the methods"
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
    """Of past P&L and of the Student-t law fitted to it; `dof` is None where the fit is practically normal."""

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
    expected_shortfall_lower: float | None
    expected_shortfall_lower_reason: str | None = None
    expected_shortfall_upper: float | None
    expected_shortfall_upper_reason: str | None = None
    value_at_risk_error: float | None
    value_at_risk_error_reason: str = NO_ERROR
    expected_shortfall_error: float | None
    expected_shortfall_error_reason: str = NO_ERROR
    n_paths: int | None
    n_paths_reason: str = "the method draws none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One book row and its part of the risk; volatilities are per period.

    The `component_volatility` sum to the daily volatility and the `component_var` to the one-day normal VaR at the
    limits' confidence.
    """

    symbol: str
    strategy_id: str | None
    strategy_id_reason: str = "the book names none for this row"
    sector: str | None
    sector_reason: str = "neither the book nor the reference data names one"
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
    """Counts of past P&L at today's weights, over `methods.return_days` each.

    `edges` has one more element than `counts`.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Evaluation(ConfiguredReport):
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
    decomposition: "tuple[TailDecomposition, ...]"
    covariance_comparison: "tuple[CovarianceScore, ...]"
    rolling: "RollingReport | None"
    rolling_reason: str = "not asked for; see --rolling"
    warnings: tuple[Notice, ...]

    SCHEMA = "rpm.evaluate/1"
    MAIN = "tail_risk"
    SHOWN = (
        Shown(table="limits", title="Limits", columns=("name", "observed", "limit", "utilisation", "status"), rows=20),
        Shown(
            table="tail_risk", title="Tail risk",
            columns=(
                "method", "confidence", "horizon", "value_at_risk", "expected_shortfall", "value_at_risk_money",
                "expected_shortfall_money",
            ),
        ),
        Shown(
            table="components", title="Where the risk sits",
            columns=("symbol", "strategy_id", "weight", "volatility", "component_var", "share"),
        ),
    )  # fmt: skip

    def headline(self) -> str:
        """Return the answer in a sentence."""
        breaches = [check.name for check in self.limits if check.status == "breach"]
        held = f"{len(breaches) or 'none'} of {counted(len(self.limits), 'limit')} breached"
        named = f": {', '.join(breaches)}" if breaches else ""
        return (
            f"{self.book.called} on {self.book.as_of}: volatility {percent(self.volatility.annual)} a year, "
            f"{self._worst()}{held}{named}"
        )

    def _worst(self) -> str:
        rows = [row for row in self.tail_risk if row.value_at_risk is not None]
        if not rows:
            return ""
        highest = max(row.confidence for row in rows)
        row = max((r for r in rows if r.confidence == highest), key=lambda r: r.value_at_risk or 0.0)
        days = "one day" if row.horizon == 1 else f"{row.horizon} days"
        return (
            f"VaR {percent(highest, 0)} of {days} up to {percent(row.value_at_risk)} and CVaR "
            f"{percent(row.expected_shortfall)} of capital ({row.method}), "
        )

    @property
    def breached(self) -> bool:
        """Whether any limit is breached."""
        return any(check.status == "breach" for check in self.limits)
