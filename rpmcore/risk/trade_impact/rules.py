"""What of the tail binds, and its limits: the rules by which the report and the gate judge the same book alike."""

from dataclasses import dataclass
from math import sqrt
from typing import Self

from rpmcore.risk import value_at_risk
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.student_t import normal_quantile_of_interval
from rpmcore.risk.tail_methods import bootstraps
from rpmcore.risk.value_at_risk import bounding_ranks, tail_places


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoricalRule:
    """How the historical measures are read from sorted losses; see `rpmcore.kernels.trade_tail`.

    Attributes
    ----------
    k, place, harsher, width
        As the kernels take them.
    scale
        √(1/return_days): rows of several days, brought to one.
    text
        What binds, in the words of a limit.
    value_at_risk_reason, expected_shortfall_reason
        Why the measure does not exist, where it does not.
    """

    k: float
    place: float
    harsher: int
    width: float
    scale: float
    text: str
    value_at_risk_reason: str | None = None
    expected_shortfall_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalRule:
    """VaR and ES of a normal law without a mean as multiples of the volatility per day.

    Attributes
    ----------
    value_at_risk, expected_shortfall
        z and φ(z)/(1 − confidence), or the upper ends of their intervals.
    text
        What binds, in the words of a limit.
    """

    value_at_risk: float
    expected_shortfall: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The limited measures of a whole book. Made from settings by `Rules.of`; single limits by ``dataclasses.replace``.

    Attributes
    ----------
    historical, normal
        The methods of VaR and ES that bind, the larger where both do; None for one that does not.
    value_at_risk, expected_shortfall
        Limits for one day, fractions of capital.
    volatility
        Limit per year.
    volatility_text
        How volatility is measured, in the words of a limit.
    periods_per_year
        For annualising.
    stress
        θ in [0, 1] of the adverse correlations behind the volatility; 0 for the report's measure.
    """

    historical: HistoricalRule | None
    normal: NormalRule | None
    value_at_risk: float
    expected_shortfall: float
    volatility: float
    volatility_text: str
    periods_per_year: float
    stress: float

    @classmethod
    def of(cls, settings: RiskSettings, n_obs: int, n_effective: float, stress: float = 0.0) -> Self:
        """Return the rules of `PortfolioRiskEngine`'s limits, with correlations stressed by `stress` on top.

        Parameters
        ----------
        settings
            Of which ``limits``, ``tail_risk``, ``covariance.method`` and ``data`` count.
        n_obs
            Rows of the tail window.
        n_effective
            Effective rows behind the exponentially weighted covariance.
        stress
            θ of the regime. The covariance method ``stressed`` has a θ of its own, under which the regime's is put:
            1 − (1−θ)(1−θ').
        """
        limits, chosen = settings.limits, settings.covariance
        upper = f", upper end of {settings.tail_risk.interval:.0%}" if limits.bind_on == "upper" else ""
        told = f"{limits.confidence:.4g}, one day{upper}"
        if chosen.method == "stressed":
            stress = 1.0 - (1.0 - stress) * (1.0 - chosen.correlation_stress)
        return cls(
            historical=None if limits.method == "ewma_normal" else _historical(settings, n_obs, told),
            normal=None if limits.method == "historical" else _normal(settings, n_effective, told),
            value_at_risk=limits.value_at_risk,
            expected_shortfall=limits.expected_shortfall,
            volatility=limits.maximum_volatility,
            volatility_text=f"{chosen.method}, per year"
            + (f", correlations stressed by {stress:.3g}" if stress > 0.0 and chosen.method != "stressed" else ""),
            periods_per_year=settings.data.periods_per_year,
            stress=stress,
        )


def _historical(settings: RiskSettings, n_obs: int, told: str) -> HistoricalRule:
    limits, chosen, days = settings.limits, settings.tail_risk, settings.data.return_days
    k, place = tail_places(n_obs, limits.confidence, chosen.quantile)
    scale, text = sqrt(1.0 / days), f"historical, {told}"
    point = HistoricalRule(k=k, place=place, harsher=0, width=0.0, scale=scale, text=text)
    if limits.bind_on == "point":
        return point
    if bootstraps(settings):
        rows, left_out = n_obs / days, 0.5 * (1.0 - chosen.interval)
        reason = None
        if limits.confidence**rows > left_out:
            reason = (
                f"{rows:.0f} independent losses are too few for a bound above their {limits.confidence:.4g} quantile"
            )
        # No resample holds a worse loss than the sample.
        return HistoricalRule(
            k=1.0, place=-1.0, harsher=0, width=0.0, scale=scale, text=f"{text} (bootstrap), at most the worst loss",
            value_at_risk_reason=reason, expected_shortfall_reason=reason,
        )  # fmt: skip
    harsher = bounding_ranks(n_obs, k / n_obs, chosen.interval)[1]
    return HistoricalRule(
        k=k, place=place, harsher=harsher, width=normal_quantile_of_interval(chosen.interval), scale=scale, text=text,
        value_at_risk_reason=None if harsher else (
            f"{n_obs} losses are too few for an upper bound at {chosen.interval:.0%} coverage"
        ),
        expected_shortfall_reason=None if k > 1.0 else (
            f"no more than one of {n_obs} losses lies in the tail, so its spread is not known"
        ),
    )  # fmt: skip


def _normal(settings: RiskSettings, n_effective: float, told: str) -> NormalRule:
    limits = settings.limits
    unit = value_at_risk.normal(1.0, limits.confidence, n_effective=n_effective, interval=settings.tail_risk.interval)
    multiples = [unit.value_at_risk, unit.expected_shortfall]
    if limits.bind_on == "upper":
        multiples = [unit.upper, unit.expected_shortfall_upper]
    return NormalRule(
        value_at_risk=multiples[0] or 0.0, expected_shortfall=multiples[1] or 0.0, text=f"EWMA-normal, {told}"
    )
