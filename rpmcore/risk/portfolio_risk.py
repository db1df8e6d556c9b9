"""The estimators put together: the classes that a report, a gate or a notebook asks for the risk of a book."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite, sqrt
from typing import Any

from rpmcore.domain.arrays import Matrix, Vector, as_matrix, as_vector
from rpmcore.domain.errors import InsufficientData, InvalidArgument, Undefined
from rpmcore.domain.settings import changed
from rpmcore.domain.tail_risk import TailRisk
from rpmcore.risk import value_at_risk
from rpmcore.risk.covariance_estimator import CovarianceEstimate, CovarianceMatrixEstimator, with_correlation
from rpmcore.risk.limits import LimitCheck, check_limit
from rpmcore.risk.settings import LimitsSettings, RiskSettings, TailRiskSettings
from rpmcore.risk.student_t import StudentTFit, fit_student_t
from rpmcore.risk.tail_inputs import Absent, Effort, TailInputs
from rpmcore.risk.tail_methods import measure
from rpmcore.risk.volatility import portfolio_volatility


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
        self.settings = changed(settings or LimitsSettings(), changes)
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
        self.settings = changed(settings or TailRiskSettings(), changes)

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
        return value_at_risk.historical(
            self.window(returns), confidence, self.settings.interval, self.settings.quantile
        )

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
        Figures that do not exist, and why.
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
    absent: tuple[Absent, ...]
    limits: tuple[LimitCheck, ...]
    scaling: tuple[float, str]
    capital: float | None


class PortfolioRiskEngine:
    """One call for the whole risk of a book, and the verdicts on it.

    Parameters
    ----------
    settings
        The sections of the risk floor; the defaults are the specification's.
    effort
        Threads and progress of simulations.
    """

    def __init__(self, settings: RiskSettings | None = None, effort: Effort | None = None) -> None:
        self.settings, self.effort = settings or RiskSettings(), effort or Effort()
        self.covariance = CovarianceMatrixEstimator(self.settings.covariance)
        self.variance = PortfolioVarianceCalculator(
            self.settings.limits, periods_per_year=self.settings.data.periods_per_year
        )
        self.value_at_risk = VaRCalculator(self.settings.tail_risk)

    def calculate_comprehensive_risk(
        self,
        returns: Any,
        weights: Any,
        *,
        capital: float | None = None,
        symbols: Sequence[str] = (),
        correlation: Any = None,
    ) -> RiskMetrics:
        """Return volatility, tail risk by every method, limits and scaling advice.

        Parameters
        ----------
        returns
            (n_obs, n_assets) simple returns in account currency, oldest first, each over `data.return_days` periods.
            Give the longer of the two lookbacks; each method takes the most recent rows that are its own.
        weights
            (n_assets,) signed market value / capital.
        capital
            In account currency, for money figures in messages.
        symbols
            Names for messages.
        correlation
            (n_assets, n_assets) in place of the estimated correlations, repaired where it is none. Limits and the
            scaling advice stay on the estimated ones: nobody's opinion loosens a limit.

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
        days = self.settings.data.return_days
        estimated = self.covariance.estimate(x, held, symbols, return_days=days)
        covariance = estimated if correlation is None else with_correlation(estimated, correlation)
        daily = float(portfolio_volatility(held, covariance.matrix))
        annual = daily * sqrt(self.settings.data.periods_per_year)
        pnl = self.value_at_risk.window(x @ held)
        inputs = TailInputs(
            returns=x[-len(pnl) :],
            weights=held,
            pnl=pnl,
            covariance=covariance,
            volatility=daily,
            settings=self.settings,
            effort=self.effort,
        )
        chosen = self.settings.tail_risk
        figures = [f for method in chosen.methods for f in measure(method, inputs, chosen.confidences)]
        fit, fit_reason = _or_reason(lambda: fit_student_t(pnl))
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
            tail_risk=tuple(f for f in figures if isinstance(f, TailRisk)),
            absent=tuple(f for f in figures if isinstance(f, Absent)),
            limits=self._limits(x, estimated, inputs),
            scaling=self.variance.scaling(annual if correlation is None else self._annual(held, estimated)),
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

    def _limits(self, x: Matrix, estimated: CovarianceEstimate, inputs: TailInputs) -> tuple[LimitCheck, ...]:
        limits, held = self.settings.limits, inputs.weights
        one_day = self.settings.model_copy(
            update={"tail_risk": self.settings.tail_risk.model_copy(update={"horizon": 1, "mean": "zero"})}
        )
        calm = estimated
        if estimated.method != "ewma":
            ewma = CovarianceMatrixEstimator(self.settings.covariance, method="ewma")
            calm = ewma.estimate(x, return_days=self.settings.data.return_days)
        volatility = float(portfolio_volatility(held, calm.matrix))
        asked = replace(inputs, settings=one_day, covariance=calm, volatility=volatility)
        measured = [
            (name, measure(method, asked, [limits.confidence])[0])
            for name, method, wanted in (
                ("historical", "historical", ("historical", "larger")),
                ("EWMA-normal", "normal", ("ewma_normal", "larger")),
            )
            if limits.method in wanted
        ]
        annual = self._annual(held, estimated)
        return (
            self._tail_limit("value_at_risk", limits.value_at_risk, measured),
            self._tail_limit("expected_shortfall", limits.expected_shortfall, measured),
            check_limit(
                "volatility", f"{self.settings.covariance.method}, per year", annual, limits.maximum_volatility,
                warning_utilisation=limits.warning_utilisation,
            ),
        )  # fmt: skip

    def _annual(self, held: Vector, covariance: CovarianceEstimate) -> float:
        return self.variance.volatility(held, covariance.matrix)

    def _tail_limit(self, name: str, limit: float, measured: Sequence[tuple[str, TailRisk | Absent]]) -> LimitCheck:
        """Return the check of one measure: the largest by the methods that bind, or a breach where one has none."""
        limits = self.settings.limits
        found = [(method, *_binding(figure, name, limits.bind_on)) for method, figure in measured]
        without = [(method, reason) for method, observed, reason in found if observed is None]
        method, observed, reason = max(found, key=lambda item: item[1] or 0.0)
        if without:
            method, reason = without[0]
            observed = None
        upper = f", upper end of {self.settings.tail_risk.interval:.0%}" if limits.bind_on == "upper" else ""
        return check_limit(
            name,
            f"{method}, {limits.confidence:.4g}, one day{upper}",
            observed,
            limit,
            warning_utilisation=limits.warning_utilisation,
            reason=reason,
        )


def _binding(figure: TailRisk | Absent, name: str, bind_on: str) -> tuple[float | None, str | None]:
    """Return what must stay below the limit, or None and why it is not known."""
    if isinstance(figure, Absent):
        return None, figure.reason
    if bind_on == "point":
        return getattr(figure, name), getattr(figure, f"{name}_reason", None)
    upper = "upper" if name == "value_at_risk" else "expected_shortfall_upper"
    bound, point = getattr(figure, upper), getattr(figure, name)
    if bound is None or point is None:
        return None, getattr(figure, f"{upper}_reason") or getattr(figure, f"{name}_reason")
    # A narrow interval of a skewed resample can end below the estimate; a limit must not.
    return max(bound, point), None


def _or_reason(compute: Any) -> tuple[Any, str | None]:
    """Return what `compute` gives, or None and the reason why the number does not exist."""
    try:
        return compute(), None
    except (Undefined, InsufficientData) as error:
        return None, str(error)
