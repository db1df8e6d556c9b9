"""How unusual is today's volatility, and what does that leave of the limits?"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from rpmcore.controls.adaptive_settings import VolatilityThresholdSettings
from rpmcore.controls.command_time import Clock, later_day, time_of
from rpmcore.controls.ranked_history import RankedHistory, upper_quantile
from rpmcore.controls.saved_state import (
    level_of,
    levels,
    measured,
    numbers,
    optional_time,
    plain_reading,
    saved_reading,
)
from rpmcore.controls.worst_of_last import WorstOfLast

VolatilityClass = Literal["normal", "elevated", "extreme", "crisis"]
"""How unusual volatility is."""

CLASSES: tuple[VolatilityClass, ...] = get_args(VolatilityClass)
ELEVATED, CRISIS = CLASSES.index("elevated"), CLASSES.index("crisis")


@dataclass(frozen=True, slots=True, kw_only=True)
class VolatilityReading:
    """The class of volatility on a day.

    Attributes
    ----------
    at
        When it was read, in UTC nanoseconds.
    volatility
        What was classified; None where it was missing.
    window_thresholds, history_thresholds
        The values above which it is elevated, extreme and a crisis, by the window that ended yesterday and by all of
        the past; None where there is too little of either, or the past is not asked for.
    n_window, n_history
        Earlier days that both rest on.
    of_the_day
        The class of this day alone.
    volatility_class
        The one that holds, after hysteresis.
    multiplier
        What it leaves of the limits.
    note
        What tightened it beside volatility; empty for nothing.
    """

    at: int
    volatility: float | None
    volatility_reason: str | None = "no volatility was given"
    window_thresholds: tuple[float, float, float] | None
    window_thresholds_reason: str | None = "the window is too short"
    history_thresholds: tuple[float, float, float] | None
    history_thresholds_reason: str | None = "the past is too short, or not asked for"
    n_window: int
    n_history: int
    of_the_day: VolatilityClass
    volatility_class: VolatilityClass
    multiplier: float
    note: str = ""

    @property
    def binding_threshold(self) -> float | None:
        """The lowest value above which volatility would be elevated; None where nothing is known."""
        known = [t[0] for t in (self.window_thresholds, self.history_thresholds) if t is not None]
        return min(known, default=None)


class AdaptiveVolatilityThresholds:
    """Classifies volatility against its own past, a day at a time.

    Today is held against the window that ended yesterday and, because in a long crisis a window calls everything
    normal, against all of the past: the worse class counts. A tighter class holds at once, a looser one after
    ``loosen_days`` days in a row.

    Too little history fails closed. With fewer than ``minimum`` days, or without a reading, nothing can be told from
    a crisis: the class is crisis. With fewer than ``minimum_history`` days a long crisis cannot be told from calm: the
    class is elevated at least.

    Parameters
    ----------
    settings
        The specification's numbers if None.
    clock
        Tells the time of a command that names none.
    """

    def __init__(self, settings: VolatilityThresholdSettings | None = None, *, clock: Clock | None = None) -> None:
        self._settings = settings or VolatilityThresholdSettings()
        self._clock = clock
        s = self._settings
        self._percentiles = (s.elevated_percentile, s.extreme_percentile, s.crisis_percentile)
        self._multipliers = (1.0, s.elevated_multiplier, s.extreme_multiplier, s.crisis_multiplier)
        self._window: deque[float] = deque(maxlen=s.window)
        self._history = RankedHistory()
        self._worst = WorstOfLast(s.loosen_days)
        self._last: int | None = None
        self._reading: VolatilityReading | None = None

    @property
    def reading(self) -> VolatilityReading | None:
        """The last one; None before the first."""
        return self._reading

    def multiplier_of(self, volatility_class: VolatilityClass) -> float:
        """Return what a class leaves of the limits."""
        return self._multipliers[CLASSES.index(volatility_class)]

    def update(self, volatility: float | None, *, at: int | None = None) -> VolatilityReading:
        """Classify the volatility of a day against the days before it, then remember it.

        Parameters
        ----------
        volatility
            At least 0, in any unit that does not change; None says that it is missing, which is a crisis for that day.
        at
            UTC nanoseconds, on a later day than the last; the clock's if None.

        Raises
        ------
        InvalidArgument
            If the volatility is negative or not finite, or time does not move on; nothing is remembered then.
        """
        now = time_of(at, self._clock)
        found = measured(volatility, "volatility")
        later_day(now, self._last, "a volatility")
        self._reading = self._read(found, now)
        self._last = now
        if found is not None:
            self._window.append(found)
            self._history.add(found)
        return self._reading

    def _read(self, volatility: float | None, now: int) -> VolatilityReading:
        s = self._settings
        window = self._thresholds(sorted(self._window), s.minimum)
        wanted = s.history == "worse_of_both"
        history = self._thresholds(self._history.ordered, s.minimum_history) if wanted else None
        note, observed = "", CRISIS
        if volatility is None:
            held, note = CRISIS, "no volatility was given, so it is taken for a crisis"
        elif window is None:
            held = CRISIS
            note = f"{len(self._window)} earlier days, fewer than {s.minimum}, so it is taken for a crisis"
        else:
            known = [t for t in (window, history) if t is not None]
            observed = max(sum(volatility > threshold for threshold in thresholds) for thresholds in known)
            # Only what was seen is remembered: a gap in the data tightens while it lasts and not beyond.
            held = self._worst.add(observed)
            if wanted and history is None and held < ELEVATED:
                held = ELEVATED
                note = f"{len(self._history)} earlier days, fewer than {s.minimum_history}: taken for elevated at least"
        return VolatilityReading(
            at=now, volatility=volatility, window_thresholds=window, history_thresholds=history,
            n_window=len(self._window), n_history=len(self._history), of_the_day=CLASSES[observed],
            volatility_class=CLASSES[held], multiplier=self._multipliers[held], note=note,
        )  # fmt: skip

    def _thresholds(self, ordered: Sequence[float], minimum: int) -> tuple[float, float, float] | None:
        if len(ordered) < minimum:
            return None
        elevated, extreme, crisis = (upper_quantile(ordered, p) for p in self._percentiles)
        return elevated, extreme, crisis

    def state(self) -> dict[str, Any]:
        """Return all that is remembered as plain JSON."""
        reading = self._reading
        return {
            "last": self._last,
            "window": list(self._window),
            "history": list(self._history.ordered),
            "levels": self._worst.levels,
            "reading": plain_reading(reading),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` gave, exactly.

        Raises
        ------
        InvalidArgument
            If it is no such state; nothing is changed then.
        """
        last = optional_time(state, "last")
        window, history = numbers(state, "window"), numbers(state, "history")
        held = levels(state, "levels", CRISIS)
        reading = saved_reading(state, VolatilityReading)
        if reading is not None:
            # What a class leaves is for the settings to say, not for the file.
            level = level_of(reading.volatility_class, CLASSES)
            reading = replace(reading, multiplier=self._multipliers[level])
        self._last, self._reading = last, reading
        self._window = deque(window, maxlen=self._settings.window)
        self._history = RankedHistory(history)
        self._worst = WorstOfLast(self._settings.loosen_days, held)
