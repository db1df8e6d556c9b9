"""Today's risk limits: what the regime allows, less what volatility and stress take away."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from rpmcore.controls.adaptive_settings import AdaptiveSettings
from rpmcore.controls.command_time import Clock, day_of, days_between, later_day, not_before, time_of
from rpmcore.controls.market_readings import MarketReadings
from rpmcore.controls.regime import RegimeDetector, RegimePin, RegimeReading
from rpmcore.controls.regime_limits import REGIMES, STRESSED, RegimeAwareRiskLimits, RiskLimits
from rpmcore.controls.saved_state import field
from rpmcore.controls.stress_limits import StressAdjustedLimits, StressReading
from rpmcore.controls.volatility_thresholds import (
    CLASSES,
    CRISIS,
    AdaptiveVolatilityThresholds,
    VolatilityClass,
    VolatilityReading,
)
from rpmcore.domain.crises import Regime
from rpmcore.domain.plain import to_plain

NEVER = "nothing was recorded yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitStep:
    """One step from the regime's base to today's limits.

    Attributes
    ----------
    name
        ``regime``, ``volatility`` or ``stress``.
    verdict
        The regime, the class, or the score in words.
    observed, threshold
        What was measured and what it was held against: the rank of volatility and the one from which a market is
        volatile; volatility and the lowest value that is elevated; the stress score and the calm one, 0.
    multiplier
        Of the limits before the step, in [0, 1]; 1 for the regime, whose limits are the base.
    result
        The limits after it.
    source
        What says so: ``detected``, ``given``, ``pinned``, ``market``, or ``missing`` where the worst is assumed.
    day
        The UTC day of the reading.
    note
        Why it is tighter than the reading alone; empty for nothing.
    """

    name: str
    verdict: str
    observed: float | None
    observed_reason: str | None = None
    threshold: float | None
    threshold_reason: str | None = None
    multiplier: float
    result: RiskLimits
    source: str
    day: date | None
    day_reason: str | None = NEVER
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptiveLimits:
    """The limits in force, with their derivation.

    Attributes
    ----------
    at
        The time they are for, in UTC nanoseconds; None where nothing was ever recorded and no time was given.
    risk_per_trade, gross_exposure, leverage, correlation_stress
        As in `RiskLimits`.
    regime, volatility_class, stress_score
        What they rest on.
    multiplier
        Of the regime's base: that of volatility times that of stress.
    steps
        Regime, volatility, stress, in this order.
    pin
        The operator's order in force; None for none.
    """

    at: int | None
    at_reason: str | None = NEVER
    risk_per_trade: float
    gross_exposure: float
    leverage: float
    correlation_stress: float
    regime: Regime
    volatility_class: VolatilityClass
    stress_score: float
    multiplier: float
    steps: tuple[LimitStep, ...]
    pin: RegimePin | None
    pin_reason: str | None = "no regime is pinned"

    @property
    def complete(self) -> bool:
        """Whether nothing was missing."""
        return not any(step.source == "missing" for step in self.steps)

    @property
    def metadata(self) -> dict[str, Any]:
        """The whole derivation as plain values, for an audit trail."""
        found: dict[str, Any] = to_plain(self)
        return found


class AdaptiveRiskManager:
    """Derives today's limits from the regime, the volatility and the stress of the market.

    Without a reading, or with one that is too old, each step is taken at its worst: a manager that was told nothing
    allows the stressed profile × 0.2 × 0.2. No step ever loosens the regime's base.

    Parameters
    ----------
    settings
        The specification's numbers if None.
    clock
        Tells the time of a command that names none.
    """

    def __init__(self, settings: AdaptiveSettings | None = None, *, clock: Clock | None = None) -> None:
        self._settings = settings or AdaptiveSettings()
        self._clock = clock
        self._profiles = RegimeAwareRiskLimits(self._settings.regimes)
        self._regime = RegimeDetector(self._settings.regimes, clock=clock)
        self._volatility = AdaptiveVolatilityThresholds(self._settings.volatility, clock=clock)
        self._stress = StressAdjustedLimits(self._settings.stress, clock=clock)

    @property
    def regime_reading(self) -> RegimeReading | None:
        """The last one, without regard to a pin."""
        return self._regime.reading

    @property
    def volatility_reading(self) -> VolatilityReading | None:
        """The last one."""
        return self._volatility.reading

    @property
    def stress_reading(self) -> StressReading | None:
        """The last one."""
        return self._stress.reading

    @property
    def pins(self) -> tuple[RegimePin, ...]:
        """All orders of operators, oldest first."""
        return self._regime.pins

    def update_market(self, readings: MarketReadings, *, at: int | None = None) -> None:
        """Record a day of the market, for all three steps.

        Raises
        ------
        InvalidArgument
            If time does not move on; nothing is recorded then.
        """
        now = time_of(at, self._clock)
        for reading in (self._regime.reading, self._volatility.reading, self._stress.reading):
            later_day(now, None if reading is None else reading.at, "a market reading")
        self._regime.update(
            efficiency=readings.efficiency, volatility=readings.volatility, correlation=readings.correlation, at=now
        )
        self._volatility.update(readings.volatility, at=now)
        self._stress.update(
            clustering=readings.clustering, correlation=readings.correlation, liquidity=readings.liquidity, at=now
        )

    def update_regime(self, regime: str, *, at: int | None = None) -> RegimeReading:
        """Record the regime that another detector found; raises as `RegimeDetector.record`."""
        return self._regime.record(regime, at=at)

    def update_volatility(self, volatility: float | None, *, at: int | None = None) -> VolatilityReading:
        """Record the volatility of a day; raises as `AdaptiveVolatilityThresholds.update`."""
        return self._volatility.update(volatility, at=at)

    def update_stress(
        self,
        *,
        clustering: float | None = None,
        correlation: float | None = None,
        liquidity: float | None = None,
        at: int | None = None,
    ) -> StressReading:
        """Record the stress of a day; raises as `StressAdjustedLimits.update`."""
        return self._stress.update(clustering=clustering, correlation=correlation, liquidity=liquidity, at=at)

    def pin_regime(self, regime: str, *, operator: str, reason: str = "", at: int | None = None) -> RegimePin:
        """Hold a regime until it is released; see `RegimeDetector.pin_regime`."""
        return self._regime.pin_regime(regime, operator=operator, reason=reason, at=at)

    def release_pin(self, *, operator: str, reason: str = "", at: int | None = None) -> RegimePin:
        """Let the market decide again; see `RegimeDetector.release_pin`."""
        return self._regime.release_pin(operator=operator, reason=reason, at=at)

    def get_current_risk_limits(self, *, at: int | None = None) -> AdaptiveLimits:
        """Return the limits in force and how they came about; nothing is changed by asking.

        Parameters
        ----------
        at
            UTC nanoseconds; the clock's if None, and without a clock the time of the last command.

        Raises
        ------
        InvalidArgument
            If `at` lies before the last command.
        """
        now = self._asked(at)
        regime, regime_step = self._regime_step(now)
        volatility_class, volatility_step = self._volatility_step(regime_step.result, now)
        score, stress_step = self._stress_step(volatility_step.result, now)
        limits = stress_step.result
        return AdaptiveLimits(
            at=now,
            risk_per_trade=limits.risk_per_trade,
            gross_exposure=limits.gross_exposure,
            leverage=limits.leverage,
            correlation_stress=limits.correlation_stress,
            regime=regime,
            volatility_class=volatility_class,
            stress_score=score,
            multiplier=volatility_step.multiplier * stress_step.multiplier,
            steps=(regime_step, volatility_step, stress_step),
            pin=self._regime.pin,
        )

    def _asked(self, at: int | None) -> int | None:
        readings = (self._regime.reading, self._volatility.reading, self._stress.reading)
        known = [reading.at for reading in readings if reading is not None]
        if self._regime.last_order is not None:
            known.append(self._regime.last_order)
        last = max(known, default=None)
        if at is None and self._clock is None:
            return last
        now = time_of(at, self._clock)
        not_before(now, last, "limits are asked for")
        return now

    def _regime_step(self, now: int | None) -> tuple[Regime, LimitStep]:
        reading, pin, settings = self._regime.reading, self._regime.pin, self._settings.regimes
        missing = _missing(reading, now, settings.maximum_age_days)
        level = STRESSED if missing or reading is None else REGIMES.index(reading.regime)
        source = "missing" if missing or reading is None or reading.note else reading.source
        note = missing or ("" if reading is None else reading.note)
        if source == "missing":
            note += ", so it is taken for stressed"
        if pin is not None and pin.regime is not None:
            pinned = REGIMES.index(pin.regime)
            if pin.holds_against(level):
                if pinned != level or source == "missing":
                    note = (
                        f"pinned by {pin.operator}{': ' if pin.reason else ''}{pin.reason}; without it {REGIMES[level]}"
                    )
                level, source = pinned, "pinned"
        evidence = next((c for c in reading.conditions if c.name == "volatile"), None) if reading else None
        rank = None if evidence is None else evidence.rank
        regime = REGIMES[level]
        return regime, LimitStep(
            name="regime",
            verdict=regime,
            observed=rank,
            observed_reason="volatility has no rank" if rank is None else None,
            threshold=settings.volatile_from,
            multiplier=1.0,
            result=self._profiles.get_limits(regime),
            source=source,
            day=None if reading is None else day_of(reading.at),
            note=note,
        )

    def _volatility_step(self, before: RiskLimits, now: int | None) -> tuple[VolatilityClass, LimitStep]:
        reading = self._volatility.reading
        missing = _missing(reading, now, self._settings.volatility.maximum_age_days)
        if missing or reading is None:
            found, note = CLASSES[CRISIS], f"{missing}, so it is taken for a crisis"
        else:
            found, note = reading.volatility_class, reading.note
        multiplier = self._volatility.multiplier_of(found)
        threshold = None if reading is None else reading.binding_threshold
        observed = None if reading is None else reading.volatility
        return found, LimitStep(
            name="volatility",
            verdict=found,
            observed=observed,
            observed_reason=note or "no volatility was given",
            threshold=threshold,
            threshold_reason="too little history" if threshold is None else None,
            multiplier=multiplier,
            result=before.times(multiplier),
            source="missing" if note else "market",
            day=None if reading is None else day_of(reading.at),
            note=note,
        )

    def _stress_step(self, before: RiskLimits, now: int | None) -> tuple[float, LimitStep]:
        reading = self._stress.reading
        missing = _missing(reading, now, self._settings.stress.maximum_age_days)
        if missing or reading is None:
            score, note = 1.0, f"{missing}, so it is taken for the highest"
        else:
            score = reading.score
            note = "; ".join(f"{f.name}: {f.note}, so it scores 1" for f in reading.factors if f.note)
        multiplier = self._stress.multiplier_of(score)
        return score, LimitStep(
            name="stress",
            verdict=f"score {score:.2f}",
            observed=score,
            threshold=0.0,
            multiplier=multiplier,
            result=before.times(multiplier),
            source="missing" if note else "market",
            day=None if reading is None else day_of(reading.at),
            note=note,
        )

    def state(self) -> dict[str, Any]:
        """Return all that is remembered as plain JSON; `restore` on a manager of the same settings takes it back."""
        return {
            "regime": self._regime.state(),
            "volatility": self._volatility.state(),
            "stress": self._stress.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` gave, exactly.

        Raises
        ------
        InvalidArgument
            If it is no such state, or it lacks an order of an operator that this manager knows; nothing is changed
            then.
        """
        fresh = AdaptiveRiskManager(self._settings, clock=self._clock)
        fresh._regime.restore(field(state, "regime", dict))
        fresh._volatility.restore(field(state, "volatility", dict))
        fresh._stress.restore(field(state, "stress", dict))
        self._regime.check_orders_kept(fresh.pins)
        self._regime, self._volatility, self._stress = fresh._regime, fresh._volatility, fresh._stress


def _missing(
    reading: RegimeReading | VolatilityReading | StressReading | None, now: int | None, maximum_age: int
) -> str:
    """Return why a reading does not count; empty if it does."""
    if reading is None or now is None:
        return NEVER
    age = days_between(reading.at, now)
    return f"the last reading is {age} days old, more than {maximum_age}" if age > maximum_age else ""
