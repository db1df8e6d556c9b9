"""Which state is the market in: trending, ranging, volatile or stressed?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rpmcore.controls.adaptive_settings import RegimesSettings
from rpmcore.controls.command_time import Clock, days_between, later_day, not_before, time_of
from rpmcore.controls.ranked_history import RankedHistory
from rpmcore.controls.regime_limits import REGIMES, STRESSED, regime_named
from rpmcore.controls.saved_state import (
    field,
    level_of,
    levels,
    measured,
    numbers,
    optional_time,
    plain_reading,
    rebuilt,
    saved_reading,
)
from rpmcore.controls.worst_of_last import WorstOfLast
from rpmcore.domain.crises import Regime
from rpmcore.domain.errors import InvalidArgument

TRENDING, RANGING, VOLATILE = (REGIMES.index(name) for name in ("trending", "ranging", "volatile"))

CONDITIONS = ("trend", "volatile", "stressed", "correlated", "extreme")
"""Each holds from ``<name>_from`` until its measure is below ``<name>_until`` of the settings."""

MEASURED_BY = {
    "trend": "efficiency",
    "volatile": "volatility",
    "stressed": "volatility",
    "correlated": "correlation",
    "extreme": "volatility",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition of a regime on a day.

    Attributes
    ----------
    name, measure
        One of `CONDITIONS`, and what it is about: ``efficiency``, ``volatility`` or ``correlation``.
    value
        The reading; None where it is missing.
    rank
        Share of earlier days at or below it; None where it is not ranked.
    begins, ends
        The rank (of a trend: the efficiency) from which it holds, and below which it has ended.
    holds
        Whether it does.
    note
        Why it is taken at its worst; empty where it is known.
    """

    name: str
    measure: str
    value: float | None
    value_reason: str | None = "no reading was given"
    rank: float | None
    rank_reason: str | None = "an efficiency is not ranked, and what is missing or has too short a past cannot be"
    begins: float
    ends: float
    holds: bool
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimeReading:
    """The regime on a day.

    Attributes
    ----------
    at
        When it was read, in UTC nanoseconds.
    of_the_day
        What the conditions of this day say alone.
    regime
        The one that holds, after the dwell time.
    conditions
        The evidence; empty where another gave the regime.
    source
        ``detected`` or ``given``.
    note
        Why it is unknown and taken for stressed; empty where it is not.
    """

    at: int
    of_the_day: Regime
    regime: Regime
    conditions: tuple[Condition, ...]
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimePin:
    """What an operator ordered.

    Attributes
    ----------
    at
        When, in UTC nanoseconds.
    operator, reason
        Who, and why; a pin without a reason only tightens.
    regime
        The one pinned; None where the pin was released.
    detected
        The one that held without it, beyond which it does not loosen; None where nothing was known, or what was is too
        old: that stands for stressed.
    """

    at: int
    operator: str
    reason: str
    regime: Regime | None
    regime_reason: str | None = "the pin was released"
    detected: Regime | None
    detected_reason: str | None = "no regime was known, which stands for stressed"

    def holds_against(self, level: int) -> bool:
        """Return whether it holds while the market alone is at a level of `REGIMES`.

        A tighter one always does. A looser one does with a reason, up to the regime that it overruled: the reason says
        nothing of a worse market that came later.
        """
        if self.regime is None:
            return False
        overruled = STRESSED if self.detected is None else REGIMES.index(self.detected)
        return REGIMES.index(self.regime) >= level or (bool(self.reason) and level <= overruled)


class RegimeDetector:
    """Tells the regime from the market, a day at a time, by the first row of this table that fits.

    ========  ==============================================================================
    stressed  rank of volatility ≥ 0.98, or ≥ 0.90 with a rank of average correlation ≥ 0.80
    volatile  rank of volatility ≥ 0.80
    trending  efficiency ratio ≥ 0.35
    ranging   else
    ========  ==============================================================================

    A rank is the share of all earlier days at or below today. Each condition, once it holds, ends below a lower
    threshold than the one it begins from; a tighter regime holds at once, a looser one after ``dwell_days`` days in a
    row. A reading that is missing or cannot be ranked is taken at its worst: without volatility the regime is stressed,
    without correlation it counts as high, without efficiency nothing trends.

    Parameters
    ----------
    settings
        The defaults if None.
    clock
        Tells the time of a command that names none.

    References
    ----------
    Efficiency ratio: P. J. Kaufman, *Smarter Trading* (1995), chapter 7: |p_t − p_{t−n}| / Σ|p_s − p_{s−1}|.
    """

    def __init__(self, settings: RegimesSettings | None = None, *, clock: Clock | None = None) -> None:
        self._settings = settings or RegimesSettings()
        self._clock = clock
        self._histories = {name: RankedHistory() for name in ("volatility", "correlation")}
        self._holding = dict.fromkeys(CONDITIONS, False)
        self._worst = WorstOfLast(self._settings.dwell_days)
        self._last: int | None = None
        self._reading: RegimeReading | None = None
        self._pins: list[RegimePin] = []

    @property
    def reading(self) -> RegimeReading | None:
        """The last one, without regard to a pin; None before the first."""
        return self._reading

    @property
    def pins(self) -> tuple[RegimePin, ...]:
        """All that operators ordered, oldest first."""
        return tuple(self._pins)

    @property
    def pin(self) -> RegimePin | None:
        """The one in force; None for none."""
        return self._pins[-1] if self._pins and self._pins[-1].regime is not None else None

    def update(
        self,
        *,
        efficiency: float | None = None,
        volatility: float | None = None,
        correlation: float | None = None,
        at: int | None = None,
    ) -> RegimeReading:
        """Tell the regime of a day from its readings and the days before it, then remember them.

        Parameters
        ----------
        efficiency
            Kaufman's ratio of the market, in [0, 1].
        volatility, correlation
            Of the market, and on average of what is traded; at least 0, in any unit that does not change.
        at
            UTC nanoseconds, on a later day than the last; the clock's if None.

        Raises
        ------
        InvalidArgument
            If a reading is negative or not finite, an efficiency is above 1, or time does not move on; nothing is
            remembered then.
        """
        now = time_of(at, self._clock)
        values = {
            "efficiency": measured(efficiency, "efficiency"),
            "volatility": measured(volatility, "volatility"),
            "correlation": measured(correlation, "correlation"),
        }
        if values["efficiency"] is not None and values["efficiency"] > 1.0:
            raise InvalidArgument(f"efficiency must lie in [0, 1], but is {efficiency!r}: is it in per cent?")
        later_day(now, self._last, "a regime")
        conditions = {name: self._condition(name, values[MEASURED_BY[name]]) for name in CONDITIONS}
        note = conditions["volatile"].note
        if note:
            self._keep(now, STRESSED, STRESSED, tuple(conditions.values()), "detected", f"volatility: {note}")
        else:
            self._holding = {name: c.holds for name, c in conditions.items()}
            level = _level(self._holding)
            self._keep(now, level, self._worst.add(level), tuple(conditions.values()), "detected", "")
        for name, history in self._histories.items():
            found = values[name]
            if found is not None:
                history.add(found)
        return self._known()

    def record(self, regime: str, *, at: int | None = None) -> RegimeReading:
        """Take the regime of a day from another detector; the dwell time holds for it too.

        Raises
        ------
        InvalidArgument
            If there is no such regime, or time does not move on; nothing is remembered then.
        """
        now = time_of(at, self._clock)
        level = REGIMES.index(regime_named(regime))
        later_day(now, self._last, "a regime")
        self._keep(now, level, self._worst.add(level), (), "given", "")
        return self._known()

    def pin_regime(self, regime: str, *, operator: str, reason: str = "", at: int | None = None) -> RegimePin:
        """Hold a regime until it is released.

        A pin without a reason only tightens: the tighter of it and the market holds. One with a reason also loosens,
        up to the regime that the market is in now: a worse market that comes later holds, until it is pinned again.

        Raises
        ------
        InvalidArgument
            If there is no such regime, nobody is named, time runs backwards, or the regime is looser than the market's
            and no reason is given.
        """
        chosen, now = regime_named(regime), time_of(at, self._clock)
        detected = self._detected(now)
        holds = "stressed" if detected is None else detected
        if REGIMES.index(chosen) < REGIMES.index(holds) and not _written(reason):
            raise InvalidArgument(f"{chosen} is looser than {holds}, which holds now: give a reason")
        return self._order(chosen, operator, reason, now)

    def release_pin(self, *, operator: str, reason: str = "", at: int | None = None) -> RegimePin:
        """Let the market decide again.

        Raises
        ------
        InvalidArgument
            If there is no pin, nobody is named, time runs backwards, or the pin is tighter than the market and no
            reason is given.
        """
        pin = self.pin
        if pin is None or pin.regime is None:
            raise InvalidArgument("no regime is pinned")
        if REGIMES.index(pin.regime) > self._market_level() and not _written(reason):
            raise InvalidArgument(
                f"without the pin {REGIMES[self._market_level()]} would hold, which is looser than {pin.regime}: "
                "give a reason"
            )
        return self._order(None, operator, reason, time_of(at, self._clock))

    def _order(self, regime: Regime | None, operator: str, reason: str, now: int) -> RegimePin:
        if not _written(operator):
            raise InvalidArgument("an operator must be named")
        not_before(now, max((t for t in (self._last, self.last_order) if t is not None), default=None), "an order")
        order = RegimePin(
            at=now, operator=operator, reason=reason.strip(), regime=regime, detected=self._detected(now)
        )  # fmt: skip
        self._pins.append(order)
        return order

    def check_orders_kept(self, pins: Sequence[RegimePin]) -> None:
        """Refuse orders that do not begin with those of this detector: what an operator pinned only one releases.

        Raises
        ------
        InvalidArgument
            If one is missing.
        """
        if list(pins[: len(self._pins)]) != self._pins:
            raise InvalidArgument(
                "the saved state lacks an operator's order on the regime: restore into a new manager, or release it"
            )

    @property
    def last_order(self) -> int | None:
        """When an operator last ordered something; None for never."""
        return self._pins[-1].at if self._pins else None

    def _detected(self, now: int) -> Regime | None:
        """Return the regime of the market; None where it was never told, or too long ago."""
        reading = self._reading
        if reading is None or days_between(reading.at, now) > self._settings.maximum_age_days:
            return None
        return reading.regime

    def _market_level(self) -> int:
        return STRESSED if self._reading is None else REGIMES.index(self._reading.regime)

    def _known(self) -> RegimeReading:
        assert self._reading is not None  # noqa: S101 - it was made right before
        return self._reading

    def _keep(
        self, at: int, of_the_day: int, level: int, conditions: tuple[Condition, ...], source: str, note: str
    ) -> None:
        self._reading = RegimeReading(
            at=at,
            of_the_day=REGIMES[of_the_day],
            regime=REGIMES[level],
            conditions=conditions,
            source=source,
            note=note,
        )
        self._last = at

    def _condition(self, name: str, value: float | None) -> Condition:
        measure = MEASURED_BY[name]
        begins, ends = getattr(self._settings, f"{name}_from"), getattr(self._settings, f"{name}_until")
        history = self._histories.get(measure)
        rank, note = None, ""
        if value is None:
            note = "no reading was given"
        elif history is not None and len(history) < self._settings.minimum_history:
            note = f"{len(history)} earlier days, fewer than {self._settings.minimum_history}"
        elif history is not None:
            rank = history.rank(value)
        if note:
            holds = name != "trend"
        else:
            held_against = value if rank is None else rank
            assert held_against is not None  # noqa: S101 - one of both is known where there is no note
            holds = held_against >= (ends if self._holding[name] else begins)
        return Condition(
            name=name, measure=measure, value=value, rank=rank, begins=begins, ends=ends, holds=holds, note=note
        )

    def state(self) -> dict[str, Any]:
        """Return all that is remembered as plain JSON."""
        return {
            "last": self._last,
            "histories": {name: list(history.ordered) for name, history in self._histories.items()},
            "holding": dict(self._holding),
            "levels": self._worst.levels,
            "reading": plain_reading(self._reading),
            "pins": [plain_reading(pin) for pin in self._pins],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` gave, exactly.

        Raises
        ------
        InvalidArgument
            If it is no such state, or it lacks an order of an operator that this detector knows; nothing is changed
            then.
        """
        last = optional_time(state, "last")
        saved = field(state, "histories", dict)
        histories = {name: RankedHistory(numbers(saved, name)) for name in self._histories}
        flags = field(state, "holding", dict)
        holding = {name: bool(field(flags, name, bool)) for name in CONDITIONS}
        held = levels(state, "levels", STRESSED)
        reading = saved_reading(state, RegimeReading, {"conditions": Condition})
        if reading is not None:
            level_of(reading.regime, REGIMES)
        pins = [rebuilt(pin, RegimePin) for pin in field(state, "pins", list)]
        for pin in pins:
            if pin.regime is not None:
                level_of(pin.regime, REGIMES)
        self.check_orders_kept(pins)
        self._last, self._reading, self._holding, self._pins = last, reading, holding, pins
        self._histories = histories
        self._worst = WorstOfLast(self._settings.dwell_days, held)


def _level(holds: Mapping[str, bool]) -> int:
    if holds["extreme"] or (holds["stressed"] and holds["correlated"]):
        return STRESSED
    if holds["volatile"]:
        return VOLATILE
    return TRENDING if holds["trend"] else RANGING


def _written(text: str) -> bool:
    return isinstance(text, str) and bool(text.strip())
