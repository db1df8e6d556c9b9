"""The numbers of the limits that adapt, each declared once with unit, range and default.

Every default that the specification gives is its own; the rest is chosen here, and `docs/adaptive.md` says why.
"""

import itertools
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from rpmcore.domain.settings import Section, setting

Rank = Annotated[float, Field(gt=0.5, lt=1.0)]
"""Share of the past at or below a value."""


def _risk(default: float) -> Any:
    return setting(default, "Loss that one trade may risk.", unit="fraction of equity", gt=0.0, le=1.0)


def _gross(default: float) -> Any:
    return setting(default, "Limit on gross exposure.", unit="fraction of equity", gt=0.0)


def _leverage(default: float) -> Any:
    return setting(default, "Limit on gross leverage.", unit="gross exposure / equity", gt=0.0)


def _correlation(default: float) -> Any:
    return setting(
        default, "θ of the stressed covariance: weight of the adverse ±1 correlation.", unit="fraction", ge=0.0, le=1.0
    )


class TrendingProfile(Section):
    """The limits of a trending market, before volatility and stress tighten them."""

    risk_per_trade: float = _risk(0.01)
    gross_exposure: float = _gross(2.0)
    leverage: float = _leverage(2.0)
    correlation_stress: float = _correlation(0.0)


class RangingProfile(Section):
    """The limits of a ranging market, before volatility and stress tighten them."""

    risk_per_trade: float = _risk(0.01)
    gross_exposure: float = _gross(1.5)
    leverage: float = _leverage(1.5)
    correlation_stress: float = _correlation(0.1)


class VolatileProfile(Section):
    """The limits of a volatile market, before volatility and stress tighten them."""

    risk_per_trade: float = _risk(0.005)
    gross_exposure: float = _gross(1.0)
    leverage: float = _leverage(1.0)
    correlation_stress: float = _correlation(0.3)


class StressedProfile(Section):
    """The limits of a stressed market, before volatility and stress tighten them."""

    risk_per_trade: float = _risk(0.002)
    gross_exposure: float = _gross(0.5)
    leverage: float = _leverage(0.5)
    correlation_stress: float = _correlation(0.5)


class RegimesSettings(Section):
    """The four regimes, what each allows, and how they are told apart."""

    trending: TrendingProfile = TrendingProfile()
    ranging: RangingProfile = RangingProfile()
    volatile: VolatileProfile = VolatileProfile()
    stressed: StressedProfile = StressedProfile()
    efficiency_days: int = setting(20, "Days of Kaufman's efficiency ratio.", unit="days", ge=2, le=500)
    trend_from: float = setting(0.35, "Efficiency from which a market trends.", unit="ratio", gt=0.0, lt=1.0)
    trend_until: float = setting(0.25, "Efficiency below which a trend has ended.", unit="ratio", gt=0.0, lt=1.0)
    volatile_from: Rank = setting(0.80, "Rank of volatility from which a market is volatile.", unit="rank")
    volatile_until: Rank = setting(0.75, "Rank below which it no longer is.", unit="rank")
    stressed_from: Rank = setting(
        0.90, "Rank of volatility from which a market is stressed if correlation is high too.", unit="rank"
    )
    stressed_until: Rank = setting(0.85, "Rank below which it no longer is.", unit="rank")
    correlated_from: Rank = setting(0.80, "Rank of average correlation from which it is high.", unit="rank")
    correlated_until: Rank = setting(0.70, "Rank below which it no longer is.", unit="rank")
    extreme_from: Rank = setting(
        0.98, "Rank of volatility from which a market is stressed whatever the correlation.", unit="rank"
    )
    extreme_until: Rank = setting(0.95, "Rank below which it no longer is.", unit="rank")
    dwell_days: int = setting(
        10, "A looser regime holds only after so many days in a row; a tighter one at once.", unit="days", ge=1, le=250
    )
    minimum_history: int = setting(500, "Earlier days that a rank needs.", unit="days", ge=30)
    maximum_age_days: int = setting(
        5, "A regime older than this is unknown, and taken for stressed.", unit="calendar days", ge=1, le=31
    )

    @model_validator(mode="after")
    def _tighter_is_tighter(self) -> Self:
        order = ("trending", "ranging", "volatile", "stressed")
        for looser, tighter in itertools.pairwise(order):
            one, other = getattr(self, looser), getattr(self, tighter)
            for name in ("risk_per_trade", "gross_exposure", "leverage"):
                if getattr(other, name) > getattr(one, name):
                    raise ValueError(f"{tighter}.{name} must not exceed {looser}.{name}")
            if other.correlation_stress < one.correlation_stress:
                raise ValueError(f"{tighter}.correlation_stress must not be below {looser}.correlation_stress")
        return self

    @model_validator(mode="after")
    def _ends_below_its_start(self) -> Self:
        for name in ("trend", "volatile", "stressed", "correlated", "extreme"):
            if getattr(self, f"{name}_until") > getattr(self, f"{name}_from"):
                raise ValueError(f"{name}_until must not exceed {name}_from, or the regime would flap")
        if not self.volatile_from <= self.stressed_from <= self.extreme_from:
            raise ValueError("volatile_from, stressed_from and extreme_from must not fall")
        if not self.volatile_until <= self.stressed_until <= self.extreme_until:
            raise ValueError("volatile_until, stressed_until and extreme_until must not fall")
        return self


class VolatilityThresholdSettings(Section):
    """Classes of volatility, and what each leaves of the limits."""

    window: int = setting(60, "Days up to yesterday that today is held against.", unit="days", ge=2)
    minimum: int = setting(30, "Fewer days than this are no history: the class is crisis.", unit="days", ge=2)
    elevated_percentile: Rank = setting(0.90, "Above this percentile volatility is elevated.", unit="percentile")
    extreme_percentile: Rank = setting(0.95, "Above this percentile it is extreme.", unit="percentile")
    crisis_percentile: Rank = setting(0.99, "Above this percentile it is a crisis.", unit="percentile")
    elevated_multiplier: float = setting(0.8, "What is left of limits when elevated.", unit="factor", gt=0.0, le=1.0)
    extreme_multiplier: float = setting(0.5, "What is left of limits when extreme.", unit="factor", gt=0.0, le=1.0)
    crisis_multiplier: float = setting(0.2, "What is left of limits in a crisis.", unit="factor", gt=0.0, le=1.0)
    history: Literal["worse_of_both", "window"] = setting(
        "worse_of_both", "Hold today against the window and all of the past, or the window alone.", unit="name"
    )
    minimum_history: int = setting(
        500, "With fewer days than this the past is not known: the class is elevated at least.", unit="days", ge=30
    )
    loosen_days: int = setting(
        5, "A looser class holds only after so many days in a row; a tighter one at once.", unit="days", ge=1, le=250
    )
    decay: float = setting(0.94, "λ of the volatility that is classified.", unit="fraction per period", gt=0.0, lt=1.0)
    maximum_age_days: int = setting(
        5, "A class older than this is unknown, and taken for a crisis.", unit="calendar days", ge=1, le=31
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.minimum > self.window:
            raise ValueError(f"minimum ({self.minimum}) must not exceed window ({self.window})")
        if not self.elevated_percentile <= self.extreme_percentile <= self.crisis_percentile:
            raise ValueError("the percentiles of elevated, extreme and crisis must not fall")
        if not self.elevated_multiplier >= self.extreme_multiplier >= self.crisis_multiplier:
            raise ValueError("the multipliers of elevated, extreme and crisis must not rise")
        return self


class StressLimitsSettings(Section):
    """The stress score of the market, and how much of the limits it takes away."""

    reduction: float = setting(
        0.8, "Share of the limits that the highest score takes.", unit="fraction", ge=0.0, lt=1.0
    )
    calm_rank: Rank = setting(0.75, "Rank up to which a factor is calm and scores nothing.", unit="rank")
    long_decay: float = setting(
        0.99, "λ of the long variance, which clustering holds the short one against.", unit="fraction per period",
        gt=0.0, lt=1.0,
    )  # fmt: skip
    correlation_decay: float = setting(0.97, "λ of average correlation.", unit="fraction per period", gt=0.0, lt=1.0)
    liquidity_decay: float = setting(
        0.97, "λ of the autocovariance behind Roll's spread.", unit="fraction per period", gt=0.0, lt=1.0
    )
    minimum_history: int = setting(
        500, "With fewer earlier days a factor is unknown, and scores the most.", unit="days", ge=30
    )
    maximum_age_days: int = setting(
        5, "A score older than this is unknown, and taken for the highest.", unit="calendar days", ge=1, le=31
    )


class AdaptiveSettings(Section):
    """Limits that adapt to the market: regime, volatility, stress."""

    regimes: RegimesSettings = RegimesSettings()
    volatility: VolatilityThresholdSettings = VolatilityThresholdSettings()
    stress: StressLimitsSettings = StressLimitsSettings()
