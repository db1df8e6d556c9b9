"""The numbers of the risk analytics that a desk may change, each declared once with unit, range and default."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rpmcore.domain.settings import Section, setting
from rpmcore.risk.sizing.settings import SizingSettings

Confidence = Annotated[float, Field(gt=0.5, lt=1.0)]

TailMethod = Literal[
    "historical", "filtered_historical", "normal", "student_t", "cornish_fisher", "extreme_value", "monte_carlo"
]
"""A way to estimate value at risk and expected shortfall."""


class DataSettings(Section):
    """How prices become returns."""

    base_currency: str | None = setting(
        None, "Account currency of books that name none; without it USD is assumed, with a warning.",
        unit="ISO 4217 code", pattern="^[A-Z]{3}$",
    )  # fmt: skip
    periods_per_year: float = setting(252.0, "Periods in a year, for annualising.", unit="periods", gt=0.0)
    return_days: int = setting(
        1, "Periods that each return spans; 2 uses overlapping ones, where closes are fixed at different hours.",
        unit="periods", ge=1, le=10,
    )  # fmt: skip
    maximum_gap: int = setting(5, "A return across more business days than this warns.", unit="business days", ge=1)
    dropped_warning: float = setting(0.10, "Share of incomplete rows that warns.", unit="fraction", ge=0.0, le=1.0)
    dropped_error: float = setting(0.50, "Share of incomplete rows that is an error.", unit="fraction", ge=0.0, le=1.0)
    leverage_warning: float = setting(2.0, "Gross leverage that warns.", unit="gross exposure / capital", gt=0.0)


class CovarianceSettings(Section):
    """Which covariance matrix stands behind volatility, normal VaR and simulation."""

    method: Literal["sample", "ewma", "stressed", "ledoit_wolf", "oas", "nonlinear_shrinkage"] = setting(
        "ewma", "Estimator.", unit="name"
    )
    decay: float = setting(0.94, "λ of the exponential weights.", unit="fraction per period", gt=0.0, lt=1.0)
    shrinkage: Literal["ledoit_wolf"] | Annotated[float, Field(ge=0.0, le=1.0)] | None = setting(
        0.10, "Fixed intensity toward the scaled identity, 'ledoit_wolf' for the estimated one, or null for none.",
        unit="fraction",
    )  # fmt: skip
    target: Literal["scaled_identity", "constant_correlation"] = setting(
        "scaled_identity", "What the method ledoit_wolf shrinks toward.", unit="name"
    )
    lookback: int = setting(60, "Most recent returns that are used.", unit="periods", ge=2)
    minimum: int = setting(30, "Fewer returns than this are an error.", unit="periods", ge=2)
    volatility_multiplier: float = setting(1.0, "Factor on volatilities of the stressed method.", unit="factor", gt=0.0)
    correlation_stress: float = setting(
        0.30,
        "θ of the stressed method: weight of the adverse ±1 correlation.",
        unit="fraction",
        ge=0.0,
        le=1.0,
    )

    @model_validator(mode="after")
    def _minimum_fits(self) -> Self:
        if self.minimum > self.lookback:
            raise ValueError(f"minimum ({self.minimum}) must not exceed lookback ({self.lookback})")
        return self


class TailRiskSettings(Section):
    """Value at risk and expected shortfall."""

    methods: tuple[TailMethod, ...] = setting(
        ("historical", "normal", "student_t", "monte_carlo"), "Methods, in the order of the report.", unit="name",
        min_length=1, strict=False,
    )  # fmt: skip
    confidences: tuple[Confidence, ...] = setting(
        (0.95, 0.99), "Confidences.", unit="probability", min_length=1, max_length=20, strict=False
    )
    horizon: int = setting(1, "Horizon; above 10 days it is simulated.", unit="trading days", ge=1, le=2520)
    lookback: int = setting(500, "Most recent returns of the historical and fitted methods.", unit="periods", ge=30)
    minimum: int = setting(30, "Fewer returns than this are an error.", unit="periods", ge=30)
    mean: Literal["zero", "sample"] = setting("zero", "Mean of the normal and Cornish–Fisher methods.", unit="name")
    quantile: Literal["inverse_cdf", "type7"] = setting(
        "inverse_cdf", "Historical quantile: an observed loss, or interpolated as NumPy, R and pandas do.", unit="name"
    )
    tail_share: float = setting(
        0.10, "Share of the losses that the extreme-value fit takes for the tail.", unit="fraction", gt=0.0, le=0.5
    )
    interval: float = setting(0.90, "Level of the confidence intervals.", unit="probability", gt=0.0, lt=1.0)
    intervals: Literal["analytic", "bootstrap"] = setting(
        "analytic", "Intervals of the methods that rest on past P&L: each method's own, or resampled.", unit="name"
    )
    resamples: int = setting(1000, "Resamples of the bootstrap.", unit="resamples", ge=100, le=100_000)
    block: int | None = setting(
        None, "Rows that the bootstrap keeps together; null takes 1, or what overlapping returns need.",
        unit="periods", ge=1,
    )  # fmt: skip
    rolling_window: int = setting(250, "Returns behind each date of --rolling.", unit="periods", ge=30)

    @model_validator(mode="after")
    def _each_method_once(self) -> Self:
        for name in ("methods", "confidences"):
            if len(set(getattr(self, name))) < len(getattr(self, name)):
                raise ValueError(f"{name} names one twice")
        return self


class SimulationSettings(Section):
    """Monte Carlo."""

    paths: int = setting(100_000, "Number of paths.", unit="paths", ge=1, le=1_000_000_000)
    precision: float | None = setting(
        None, "Relative standard error of VaR and ES to reach, in place of a number of paths.", unit="fraction",
        ge=1e-5, lt=1.0,
    )  # fmt: skip
    seed: int = setting(20_080_915, "Seed; the same seed gives the same bits.", unit="integer", ge=0, lt=2**64)
    distribution: Literal["normal", "student_t"] = setting("student_t", "Law of the shocks.", unit="name")
    dof: float = setting(5.0, "Degrees of freedom of Student-t shocks.", unit="degrees of freedom", gt=2.0, le=1e6)
    shocks: Literal["book", "assets"] = setting(
        "book", "Draw the P&L of the book, whose law is known, or one shock for each instrument.", unit="name"
    )
    sampling: Literal["pseudo", "antithetic", "sobol"] = setting(
        "pseudo", "Independent paths, mirrored pairs (with shocks of assets), or scrambled Sobol points.", unit="name"
    )

    @model_validator(mode="after")
    def _mirrors_have_assets(self) -> Self:
        if self.sampling == "antithetic" and self.shocks == "book":
            raise ValueError("sampling 'antithetic' needs shocks 'assets': in one dimension it would only cost time")
        lot = {"pseudo": 1, "antithetic": 2, "sobol": 16}[self.sampling]
        if self.paths % lot:
            near = max(lot, round(self.paths / lot) * lot)
            raise ValueError(f"sampling {self.sampling!r} needs paths in multiples of {lot}, such as {near}")
        return self


class LimitsSettings(Section):
    """Limits on the risk of the whole book, and the volatility that it is steered to."""

    method: Literal["historical", "ewma_normal", "larger"] = setting(
        "larger", "Binding measure of VaR and ES: one method, or the larger of the two.", unit="name"
    )
    confidence: Confidence = setting(0.95, "Confidence of the limits on VaR and ES.", unit="probability")
    bind_on: Literal["point", "upper"] = setting(
        "point", "What must stay below the limit: the estimate, or the upper end of its interval.", unit="name"
    )
    value_at_risk: float = setting(0.02, "Limit on one-day VaR.", unit="fraction of capital", gt=0.0)
    expected_shortfall: float = setting(0.03, "Limit on one-day ES.", unit="fraction of capital", gt=0.0)
    target_volatility: float = setting(0.15, "Volatility that scaling aims at.", unit="per year", gt=0.0)
    maximum_volatility: float = setting(0.25, "Limit on volatility.", unit="per year", gt=0.0)
    beta: float | None = setting(
        2.0, "Limit on the absolute market beta of the book; null for none.", unit="beta", gt=0.0
    )
    factor_exposure: float | None = setting(
        3.0, "Limit on the sum of absolute exposures to the factors of the profiles; null for none.", unit="exposure",
        gt=0.0,
    )  # fmt: skip
    sector: float | None = setting(
        0.40, "Limit on the net exposure to one sector; null for none.", unit="fraction of capital", gt=0.0
    )
    currency: float | None = setting(
        0.40, "Limit on the net exposure to one currency other than the account's; null for none.",
        unit="fraction of capital", gt=0.0,
    )  # fmt: skip
    single_name: float | None = setting(
        0.30, "Limit on the net position in one share; null for none.", unit="fraction of capital", gt=0.0
    )
    rebalance_threshold: float = setting(
        0.10, "Relative distance from the target below which no scaling is advised.", unit="fraction", ge=0.0
    )
    warning_utilisation: float = setting(0.80, "Utilisation of a limit that warns.", unit="fraction", gt=0.0, le=1.0)

    @model_validator(mode="after")
    def _target_below_maximum(self) -> Self:
        if self.target_volatility > self.maximum_volatility:
            raise ValueError(
                f"target_volatility ({self.target_volatility}) must not exceed "
                f"maximum_volatility ({self.maximum_volatility})"
            )
        return self


class FactorsSettings(Section):
    """Exposures to factors, and what is asked of an instrument that nobody knows."""

    unknown: Literal["refuse", "estimate"] = setting(
        "refuse", "Instruments without a profile: name them, or estimate their beta from the prices.", unit="name"
    )
    market: str = setting("SP500", "Symbol whose return stands for the market.", unit="symbol", min_length=1)
    components: int | None = setting(
        None, "Principal components beside the market; null keeps those beyond the Marchenko–Pastur edge.",
        unit="factors", ge=0, le=50,
    )  # fmt: skip
    lookback: int = setting(500, "Most recent returns of the regressions.", unit="periods", ge=30)
    minimum: int = setting(60, "Fewer returns than this are an error.", unit="periods", ge=30)
    decay: float | None = setting(
        None, "λ of exponential weights; null weighs all returns alike.", unit="fraction per period", gt=0.0, lt=1.0
    )
    lags: int | None = setting(
        None, "Lags of the Newey–West errors; null takes 4 (n/100)^(2/9), and no fewer than overlapping returns need.",
        unit="periods", ge=0,
    )  # fmt: skip

    @model_validator(mode="after")
    def _minimum_fits(self) -> Self:
        if self.minimum > self.lookback:
            raise ValueError(f"minimum ({self.minimum}) must not exceed lookback ({self.lookback})")
        return self


class BacktestSettings(Section):
    """Tests of past forecasts of VaR and ES."""

    confidence: Confidence = setting(0.99, "Confidence of the forecasts.", unit="probability")
    window: int | None = setting(
        None, "Returns behind each forecast; null takes tail_risk.lookback.", unit="periods", ge=30
    )
    significance: float = setting(
        0.05, "How often each test may fail a model that is right.", unit="probability", gt=0.0, le=0.5
    )
    replications: int = setting(9_999, "Simulated series behind a p-value.", unit="series", ge=99, le=999_999)
    regime: Literal["basel_1996", "frtb"] = setting(
        "basel_1996", "Multiplier of the traffic light: 3 plus the add-on, or FRTB's 1.5.", unit="name"
    )


class StressSettings(Section):
    """Scenarios and what passes them."""

    propagation: Literal["beta", "uniform", "adverse"] = setting(
        "beta", "How the market shock reaches an asset.", unit="name"
    )
    confidence: Confidence = setting(0.99, "Confidence of the VaR that losses are held against.", unit="probability")
    maximum_loss: float = setting(0.15, "Loss that still passes.", unit="fraction of capital", gt=0.0)
    maximum_var_ratio: float = setting(2.0, "Loss / stressed VaR that still passes.", unit="ratio", gt=0.0)
    maximum_decision_ms: float = setting(
        100.0, "Slowest decision that still passes, where decisions are timed.", unit="milliseconds", gt=0.0
    )
    paths: int = setting(200, "Paths of a crisis in path mode.", unit="paths", ge=1, le=100_000)
    path_quantile: float = setting(
        0.95, "Share of the paths that lose no more than what is judged.", unit="fraction", gt=0.0, le=1.0
    )
    participation: float = setting(0.10, "Share of daily volume that can be traded.", unit="fraction", gt=0.0, le=1.0)
    impact: float = setting(
        1.0,
        "Square-root impact: cost = impact × daily volatility × √(size / daily volume).",
        unit="factor",
        ge=0.0,
    )


class RiskSettings(Section):
    """All sections of this floor."""

    data: DataSettings = DataSettings()
    covariance: CovarianceSettings = CovarianceSettings()
    tail_risk: TailRiskSettings = TailRiskSettings()
    simulation: SimulationSettings = SimulationSettings()
    limits: LimitsSettings = LimitsSettings()
    factors: FactorsSettings = FactorsSettings()
    backtest: BacktestSettings = BacktestSettings()
    stress: StressSettings = StressSettings()
    sizing: SizingSettings = SizingSettings()
