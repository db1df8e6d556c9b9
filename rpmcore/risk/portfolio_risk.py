"""The estimators put together: the classes that a report, a gate or a notebook asks for the risk of a book."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import isfinite, sqrt
from typing import Any, TypeVar

from pydantic import ValidationError

from rpmcore.domain.arrays import Matrix, Vector, as_matrix, as_vector
from rpmcore.domain.errors import ConfigurationError, InsufficientData, InvalidArgument, Undefined
from rpmcore.domain.settings import Section
from rpmcore.domain.tail_risk import TailRisk
from rpmcore.risk import covariance as estimators
from rpmcore.risk import value_at_risk
from rpmcore.risk.limits import LimitCheck, check_limit
from rpmcore.risk.settings import (
    CovarianceSettings,
    LimitsSettings,
    RiskSettings,
    SimulationSettings,
    TailRiskSettings,
)
from rpmcore.risk.simulation import simulate_tail_risk
from rpmcore.risk.student_t import StudentTFit, fit_student_t
from rpmcore.risk.volatility import portfolio_volatility

LONGEST_SCALED_HORIZON = 10
"""Trading days up to which a one-day figure is scaled by √h; beyond, only the simulation answers."""

AnySection = TypeVar("AnySection", bound=Section)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CovarianceEstimate:
    """A covariance matrix and how it came about.

    Attributes
    ----------
    matrix
        (n_assets, n_assets), per period.
    method
        One of the methods of `CovarianceMatrixEstimator`.
    n_obs
        Rows used.
    n_effective
        1/Σ w² of the row weights: how many equal rows carry as much information.
    intensity
        Shrinkage toward the scaled identity, fixed or estimated.
    """

    matrix: Matrix
    method: str
    n_obs: int
    n_effective: float
    intensity: float


class CovarianceMatrixEstimator:
    """Rolling estimate of the covariance: ``sample``, ``ewma``, ``stressed`` or ``ledoit_wolf``.

    Parameters
    ----------
    settings
        The section ``covariance``; by default a lookback of 60, a minimum of 30, decay 0.94 and a fixed shrinkage of
        0.10.
    **changes
        Single settings by name, such as ``method="sample"``.

    Raises
    ------
    ConfigurationError
        If a change is unknown or out of its range.
    """

    def __init__(self, settings: CovarianceSettings | None = None, **changes: Any) -> None:
        self.settings = _changed(settings or CovarianceSettings(), changes)

    def estimate(self, returns: Any, weights: Any = None, symbols: Sequence[str] = ()) -> CovarianceEstimate:
        """Return the covariance of the last `lookback` rows.

        Parameters
        ----------
        returns
            (n_obs, n_assets) simple returns, oldest first.
        weights
            (n_assets,) for the adverse direction of the stressed method; without, all correlations rise.
        symbols
            Names for messages.

        Raises
        ------
        InsufficientData
            If there are fewer rows than the minimum.
        InvalidArgument
            If `returns` is not a finite matrix.
        """
        chosen = self.settings
        x = as_matrix(returns, "returns")
        if x.shape[0] < chosen.minimum:
            held = f" of {', '.join(symbols[:3])}{' …' if len(symbols) > 3 else ''}" if symbols else ""
            raise InsufficientData(
                f"covariance needs at least {chosen.minimum} returns{held}, but there are {x.shape[0]}"
            )
        x = x[-chosen.lookback :]
        n_effective = float(x.shape[0])
        if chosen.method == "ledoit_wolf" or (chosen.method == "sample" and chosen.shrinkage == "ledoit_wolf"):
            matrix, intensity = estimators.ledoit_wolf(x)
            return CovarianceEstimate(
                matrix=matrix,
                method="ledoit_wolf",
                n_obs=x.shape[0],
                n_effective=n_effective,
                intensity=intensity,
            )
        if chosen.method == "sample":
            matrix = estimators.sample_covariance(x)
        else:
            matrix = estimators.ewma_covariance(x, chosen.decay)
            row_weights = estimators.ewma_weights(x.shape[0], chosen.decay)
            n_effective = float(1.0 / (row_weights @ row_weights))
        intensity = self._fixed_intensity(x)
        if intensity:
            matrix = estimators.shrink(matrix, intensity)
        if chosen.method == "stressed":
            matrix = estimators.stressed_covariance(
                matrix, chosen.volatility_multiplier, chosen.correlation_stress, weights
            )
        return CovarianceEstimate(
            matrix=matrix,
            method=chosen.method,
            n_obs=x.shape[0],
            n_effective=n_effective,
            intensity=intensity,
        )

    def _fixed_intensity(self, x: Matrix) -> float:
        chosen = self.settings.shrinkage
        return estimators.ledoit_wolf(x).intensity if chosen == "ledoit_wolf" else chosen or 0.0


class PortfolioVarianceCalculator:
    """Portfolio variance wᵀΣw, held against a target volatility of 15 % and a maximum of 25 % a year.

    Parameters
    ----------
    settings
        The section ``limits``.
    periods_per_year
        For annualising, 252 by default.
    **changes
        Single settings by name, such as ``target_volatility=0.10``.

    Raises
    ------
    ConfigurationError
        If a change is unknown or out of its range.
    """

    def __init__(
        self, settings: LimitsSettings | None = None, *, periods_per_year: float = 252.0, **changes: Any
    ) -> None:
        self.settings = _changed(settings or LimitsSettings(), changes)
        self.periods_per_year = periods_per_year

    def volatility(self, weights: Any, cov: Any) -> float:
        """Return √(wᵀΣw) a year; arguments and errors as in `rpmcore.risk.volatility.portfolio_variance`."""
        return float(portfolio_volatility(weights, cov)) * sqrt(self.periods_per_year)

    def utilisation(self, annual_volatility: float) -> float:
        """Return volatility / target."""
        return annual_volatility / self.settings.target_volatility

    def scaling(self, annual_volatility: float) -> tuple[float, str]:
        """Return the factor in (0, 1] that brings the book to its target volatility, and the reason in words.

        A quiet book is never scaled *up*: a control does not add risk that nobody asked for.

        Raises
        ------
        InvalidArgument
            If the volatility is negative or not finite.
        """
        if not (isfinite(annual_volatility) and annual_volatility >= 0.0):
            raise InvalidArgument(f"annual_volatility must be finite and not negative, but is {annual_volatility!r}")
        target, maximum = self.settings.target_volatility, self.settings.maximum_volatility
        threshold = self.settings.rebalance_threshold
        if annual_volatility > maximum:
            return target / annual_volatility, (
                f"volatility {annual_volatility:.1%} is above the maximum of {maximum:.1%}: scale to the target"
            )
        if annual_volatility > target * (1.0 + threshold):
            return target / annual_volatility, (
                f"volatility {annual_volatility:.1%} is above the target of {target:.1%}: scale to the target"
            )
        if annual_volatility < target * (1.0 - threshold):
            return 1.0, (f"volatility {annual_volatility:.1%} is below the target of {target:.1%}: no need to scale")
        return (
            1.0,
            f"volatility {annual_volatility:.1%} is within {threshold:.0%} of the target of {target:.1%}",
        )


class VaRCalculator:
    """Value at risk and expected shortfall of a book by several methods, from its daily returns.

    Parameters
    ----------
    settings
        The section ``tail_risk``.
    **changes
        Single settings by name, such as ``lookback=250``.

    Raises
    ------
    ConfigurationError
        If a change is unknown or out of its range.
    """

    def __init__(self, settings: TailRiskSettings | None = None, **changes: Any) -> None:
        self.settings = _changed(settings or TailRiskSettings(), changes)

    def window(self, returns: Any) -> Vector:
        """Return the last `lookback` portfolio returns.

        Raises
        ------
        InsufficientData
            If there are fewer than the minimum.
        """
        pnl = as_vector(returns, "returns")
        if pnl.shape[0] < self.settings.minimum:
            raise InsufficientData(
                f"tail risk needs at least {self.settings.minimum} returns, but there are {pnl.shape[0]}"
            )
        return pnl[-self.settings.lookback :]

    def historical(self, returns: Any, confidence: float) -> TailRisk:
        """Return historical VaR and ES of portfolio returns (n_obs,), with its order-statistic interval."""
        return value_at_risk.historical(self.window(returns), confidence, interval=self.settings.interval)

    def normal(
        self, volatility: float, confidence: float, mean: float = 0.0, *, n_effective: float | None = None
    ) -> TailRisk:
        """Return normal VaR and ES from a volatility per period."""
        return value_at_risk.normal(
            volatility, confidence, mean, n_effective=n_effective, interval=self.settings.interval
        )

    def student_t(self, returns: Any, confidence: float) -> TailRisk:
        """Return VaR and ES of the Student-t law fitted to portfolio returns (n_obs,) by maximum likelihood."""
        return self.fit(returns).tail_risk(confidence, interval=self.settings.interval)

    def fit(self, returns: Any) -> StudentTFit:
        """Return the Student-t law fitted to portfolio returns (n_obs,)."""
        return fit_student_t(self.window(returns))

    def skewness(self, returns: Any) -> float:
        """Return the skewness of portfolio returns (n_obs,); 0 for a symmetric law."""
        return value_at_risk.skewness(self.window(returns))

    def excess_kurtosis(self, returns: Any) -> float:
        """Return the excess kurtosis of portfolio returns (n_obs,); 0 for the normal law."""
        return value_at_risk.excess_kurtosis(self.window(returns))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RiskMetrics:
    """The risk of one book, as fractions of capital; a loss is positive.

    Attributes
    ----------
    covariance
        What volatility, normal VaR and simulation rest on.
    daily_volatility, annual_volatility, utilisation
        √(wᵀΣw) per period and per year, and the latter over the target.
    pnl
        (n_obs,) returns of the book in the tail window: past returns at today's weights.
    skewness, excess_kurtosis
        Of `pnl`; None where it is constant.
    fit
        The Student-t law fitted to `pnl`; None with `fit_reason` where there is none.
    tail_risk
        VaR and ES by method, then by confidence.
    absent
        Methods without a row, and why.
    limits
        Every measure that has a limit.
    scaling
        Factor and reason of `PortfolioVarianceCalculator.scaling`.
    capital
        In account currency, where known.
    """

    covariance: CovarianceEstimate
    daily_volatility: float
    annual_volatility: float
    utilisation: float
    pnl: Vector
    skewness: float | None
    excess_kurtosis: float | None
    fit: StudentTFit | None
    fit_reason: str | None
    tail_risk: tuple[TailRisk, ...]
    absent: dict[str, str] = field(default_factory=dict)
    limits: tuple[LimitCheck, ...]
    scaling: tuple[float, str]
    capital: float | None


class PortfolioRiskEngine:
    """One call for the whole risk of a book, and the verdicts on it.

    Parameters
    ----------
    settings
        The sections of the risk floor; the defaults are the specification's.
    """

    def __init__(self, settings: RiskSettings | None = None) -> None:
        self.settings = settings or RiskSettings()
        self.covariance = CovarianceMatrixEstimator(self.settings.covariance)
        self.variance = PortfolioVarianceCalculator(
            self.settings.limits, periods_per_year=self.settings.data.periods_per_year
        )
        self.value_at_risk = VaRCalculator(self.settings.tail_risk)

    def calculate_comprehensive_risk(
        self, returns: Any, weights: Any, *, capital: float | None = None, symbols: Sequence[str] = ()
    ) -> RiskMetrics:
        """Return volatility, tail risk by every method, limits and scaling advice.

        Parameters
        ----------
        returns
            (n_obs, n_assets) simple returns per period in account currency, oldest first. Give the longer of the
            two lookbacks; each method takes the most recent rows that are its own.
        weights
            (n_assets,) signed market value / capital.
        capital
            In account currency, for money figures in messages.
        symbols
            Names for messages.

        Raises
        ------
        InsufficientData
            If there are fewer rows than a method's minimum.
        InvalidArgument
            If shapes do not fit or a value is not finite.
        """
        x, held = as_matrix(returns, "returns"), as_vector(weights, "weights")
        if held.shape[0] != x.shape[1]:
            raise InvalidArgument(f"weights has {held.shape[0]} element(s), but returns has {x.shape[1]} column(s)")
        covariance = self.covariance.estimate(x, held, symbols)
        daily = float(portfolio_volatility(held, covariance.matrix))
        annual = daily * sqrt(self.settings.data.periods_per_year)
        pnl = self.value_at_risk.window(x @ held)
        fit, fit_reason = _or_reason(lambda: fit_student_t(pnl))
        tail = _TailTable(self, held, covariance, daily, pnl, fit)
        return RiskMetrics(
            covariance=covariance,
            daily_volatility=daily,
            annual_volatility=annual,
            utilisation=self.variance.utilisation(annual),
            pnl=pnl,
            skewness=_or_reason(lambda: value_at_risk.skewness(pnl))[0],
            excess_kurtosis=_or_reason(lambda: value_at_risk.excess_kurtosis(pnl))[0],
            fit=fit,
            fit_reason=fit_reason,
            tail_risk=tail.rows(),
            absent=tail.absent(fit_reason),
            limits=self._limits(x, held, covariance, annual, pnl),
            scaling=self.variance.scaling(annual),
            capital=capital,
        )

    def check_risk_limits(self, metrics: RiskMetrics, capital: float) -> tuple[bool, str]:
        """Return whether every limit holds, and the reason in words: the worst breach, or what is closest.

        Parameters
        ----------
        metrics
            Of `calculate_comprehensive_risk`. Where they carry a capital of their own, the losses in money are held
            against limits that are fractions of `capital`.
        capital
            In account currency, > 0.

        Raises
        ------
        InvalidArgument
            If `capital` is not a positive number.
        """
        if not (isfinite(capital) and capital > 0.0):
            raise InvalidArgument(f"capital must be a positive number, but is {capital!r}")
        factor = (metrics.capital or capital) / capital
        worst: tuple[float, LimitCheck] | None = None
        for check in metrics.limits:
            if check.observed is None or check.utilisation is None:
                return False, f"{check.name} is undefined: {check.observed_reason}"
            utilisation = check.utilisation * (1.0 if check.name == "volatility" else factor)
            if worst is None or utilisation > worst[0]:
                worst = utilisation, check
        if worst is None:
            raise InvalidArgument("metrics carry no limits")
        utilisation, check = worst
        observed = utilisation * check.limit
        if utilisation > 1.0:
            return (
                False,
                f"{check.name} {observed:.2%} exceeds its limit of {check.limit:.2%} ({check.measure})",
            )
        return True, f"all limits hold; {check.name} uses {utilisation:.0%} of its limit of {check.limit:.2%}"

    def get_position_scaling_recommendation(self, metrics: RiskMetrics) -> tuple[float, str]:
        """Return the factor in (0, 1] for every position, and the reason in words."""
        return metrics.scaling

    def _limits(
        self, x: Matrix, held: Vector, covariance: CovarianceEstimate, annual: float, pnl: Vector
    ) -> tuple[LimitCheck, ...]:
        limits = self.settings.limits
        measured = []
        if limits.method in ("historical", "larger"):
            measured.append(("historical", value_at_risk.historical(pnl, limits.confidence)))
        if limits.method in ("ewma_normal", "larger"):
            ewma = covariance
            if ewma.method != "ewma":
                ewma = CovarianceMatrixEstimator(self.settings.covariance, method="ewma").estimate(x)
            volatility = float(portfolio_volatility(held, ewma.matrix))
            measured.append(("EWMA-normal", value_at_risk.normal(volatility, limits.confidence)))
        checks = []
        for name, limit in (
            ("value_at_risk", limits.value_at_risk),
            ("expected_shortfall", limits.expected_shortfall),
        ):
            method, observed = max(((m, getattr(r, name)) for m, r in measured), key=lambda pair: pair[1])
            checks.append(
                check_limit(
                    name, f"{method}, {limits.confidence:.4g}, one day", observed, limit,
                    warning_utilisation=limits.warning_utilisation,
                )
            )  # fmt: skip
        checks.append(
            check_limit(
                "volatility", f"{self.settings.covariance.method}, per year", annual, limits.maximum_volatility,
                warning_utilisation=limits.warning_utilisation,
            )
        )  # fmt: skip
        return tuple(checks)


@dataclass(frozen=True, slots=True, eq=False)
class _TailTable:
    """VaR and ES by every method at every confidence over the horizon."""

    engine: PortfolioRiskEngine
    weights: Vector
    covariance: CovarianceEstimate
    volatility: float
    pnl: Vector
    fit: StudentTFit | None

    def rows(self) -> tuple[TailRisk, ...]:
        chosen = self.engine.settings.tail_risk
        rows: list[TailRisk] = []
        if chosen.horizon <= LONGEST_SCALED_HORIZON:
            rows += [
                self.engine.value_at_risk.historical(self.pnl, c).scaled(chosen.horizon) for c in chosen.confidences
            ]
            rows += [self._normal(c) for c in chosen.confidences]
        if self.fit is not None and not self.absent(None).get("student_t"):
            rows += [self.fit.tail_risk(c, interval=chosen.interval).scaled(chosen.horizon) for c in chosen.confidences]
        return (*rows, *self._simulated(self.engine.settings.simulation))

    def absent(self, fit_reason: str | None) -> dict[str, str]:
        """Return the methods without a row, and why."""
        if self.engine.settings.tail_risk.horizon > LONGEST_SCALED_HORIZON:
            reason = f"one-day figures are not scaled beyond {LONGEST_SCALED_HORIZON} days; see monte_carlo"
            return {"historical": reason, "normal": reason, "student_t": reason}
        if self.fit is not None and self.engine.settings.tail_risk.horizon > 1 and self.fit.dof <= 2.0:
            return {"student_t": "the fitted law has no variance, so √days does not scale it"}
        return {"student_t": fit_reason} if fit_reason else {}

    def _normal(self, confidence: float) -> TailRisk:
        """Return the normal row: √h is exact for independent normal returns."""
        chosen = self.engine.settings.tail_risk
        h = chosen.horizon
        mean = float(self.pnl.mean()) if chosen.mean == "sample" else 0.0
        one_day = self.engine.value_at_risk.normal(
            self.volatility * sqrt(h), confidence, mean * h, n_effective=self.covariance.n_effective
        )
        return replace(one_day, horizon=h)

    def _simulated(self, chosen: SimulationSettings) -> tuple[TailRisk, ...]:
        return simulate_tail_risk(
            self.weights,
            self.covariance.matrix,
            self.engine.settings.tail_risk.confidences,
            chosen.paths,
            seed=chosen.seed,
            distribution=chosen.distribution,
            dof=chosen.dof if chosen.distribution == "student_t" else None,
            horizon=self.engine.settings.tail_risk.horizon,
            reduction=True,
        )


def _or_reason(compute: Any) -> tuple[Any, str | None]:
    """Return what `compute` gives, or None and the reason why the number does not exist."""
    try:
        return compute(), None
    except (Undefined, InsufficientData) as error:
        return None, str(error)


def _changed(settings: AnySection, changes: dict[str, Any]) -> AnySection:
    if not changes:
        return settings
    try:
        return type(settings).model_validate({**settings.model_dump(), **changes})
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigurationError(f"{'.'.join(str(p) for p in first['loc'])}: {first['msg']}") from error
