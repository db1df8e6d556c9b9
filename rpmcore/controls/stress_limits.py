"""How stressed is the market as a whole, and how much of the limits does that take?"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from rpmcore.controls.adaptive_settings import StressLimitsSettings
from rpmcore.controls.command_time import Clock, later_day, time_of
from rpmcore.controls.ranked_history import RankedHistory
from rpmcore.controls.saved_state import field, measured, numbers, optional_time, plain_reading, saved_reading
from rpmcore.domain.errors import InvalidArgument

StressName = Literal["clustering", "correlation", "liquidity"]
"""A factor of stress."""

FACTORS: tuple[StressName, ...] = get_args(StressName)


@dataclass(frozen=True, slots=True, kw_only=True)
class StressFactor:
    """One factor of stress on a day.

    Attributes
    ----------
    name
        ``clustering`` of volatility, inflation of ``correlation``, or ``liquidity`` lost.
    value
        What was measured; None where it is missing.
    rank
        Share of the earlier days at or below it; None where it or the past is missing.
    score
        In [0, 1]: 0 up to the calm rank, 1 at the highest of all time, and where the factor is unknown.
    note
        Why it is unknown; empty where it is not.
    """

    name: StressName
    value: float | None
    value_reason: str | None = "no reading was given"
    rank: float | None
    rank_reason: str | None = "it is missing, or its past is too short"
    score: float
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StressReading:
    """The stress of the market on a day.

    Attributes
    ----------
    at
        When it was read, in UTC nanoseconds.
    factors
        In the order of `FACTORS`.
    score
        The mean of their scores, in [0, 1].
    multiplier
        What it leaves of the limits: 1 − reduction × score.
    """

    at: int
    factors: tuple[StressFactor, ...]
    score: float
    multiplier: float


class StressAdjustedLimits:
    """Scores the stress of a market from three factors, each against all of its own past.

    score = mean of max(0, (rank − calm) / (1 − calm)) over the factors, and the limits are multiplied by
    1 − 0.8 × score. A higher reading never lowers a rank, so worse stress never raises a limit. A factor that is
    missing, or has too short a past to be ranked, scores 1: what is not known is not calm.

    Parameters
    ----------
    settings
        The specification's numbers if None.
    clock
        Tells the time of a command that names none.

    References
    ----------
    Clustering: T. Bollerslev, "Generalized autoregressive conditional heteroskedasticity", *Journal of Econometrics*
    31 (1986); the variances are those of RiskMetrics (1996). Correlation: F. Longin and B. Solnik, "Extreme correlation
    of international equity markets", *Journal of Finance* 56 (2001). Liquidity: R. Roll, "A simple implicit measure of
    the effective bid-ask spread in an efficient market", *Journal of Finance* 39 (1984).
    """

    def __init__(self, settings: StressLimitsSettings | None = None, *, clock: Clock | None = None) -> None:
        self._settings = settings or StressLimitsSettings()
        self._clock = clock
        self._histories = {name: RankedHistory() for name in FACTORS}
        self._last: int | None = None
        self._reading: StressReading | None = None

    @property
    def reading(self) -> StressReading | None:
        """The last one; None before the first."""
        return self._reading

    def multiplier_of(self, score: float) -> float:
        """Return what a score in [0, 1] leaves of the limits.

        Raises
        ------
        InvalidArgument
            If the score is out of its range or NaN.
        """
        if not 0.0 <= score <= 1.0:
            raise InvalidArgument(f"a stress score must lie in [0, 1], but is {score!r}")
        return 1.0 - self._settings.reduction * score

    def update(
        self,
        *,
        clustering: float | None = None,
        correlation: float | None = None,
        liquidity: float | None = None,
        at: int | None = None,
    ) -> StressReading:
        """Score the stress of a day against the days before it, then remember it.

        Parameters
        ----------
        clustering
            Short over long variance of the market.
        correlation
            Average correlation of what is traded.
        liquidity
            What it costs to trade, such as a spread: higher is worse. For these three None says that it is missing,
            which scores 1 for that day. Units may be any that do not change.
        at
            UTC nanoseconds, on a later day than the last; the clock's if None.

        Raises
        ------
        InvalidArgument
            If a value is negative or not finite, or time does not move on; nothing is remembered then.
        """
        now = time_of(at, self._clock)
        given = {"clustering": clustering, "correlation": correlation, "liquidity": liquidity}
        values = {name: measured(given[name], name) for name in FACTORS}
        later_day(now, self._last, "a stress reading")
        factors = tuple(self._factor(name, values[name]) for name in FACTORS)
        score = min(sum(factor.score for factor in factors) / len(factors), 1.0)
        self._reading = StressReading(at=now, factors=factors, score=score, multiplier=self.multiplier_of(score))
        self._last = now
        for name, value in values.items():
            if value is not None:
                self._histories[name].add(value)
        return self._reading

    def _factor(self, name: StressName, value: float | None) -> StressFactor:
        history, calm = self._histories[name], self._settings.calm_rank
        if value is None:
            return StressFactor(name=name, value=None, rank=None, score=1.0, note="no reading was given")
        if len(history) < self._settings.minimum_history:
            note = f"{len(history)} earlier days, fewer than {self._settings.minimum_history}"
            return StressFactor(name=name, value=value, rank=None, score=1.0, note=note)
        rank = history.rank(value)
        return StressFactor(name=name, value=value, rank=rank, score=max(0.0, (rank - calm) / (1.0 - calm)))

    def state(self) -> dict[str, Any]:
        """Return all that is remembered as plain JSON."""
        return {
            "last": self._last,
            "histories": {name: list(history.ordered) for name, history in self._histories.items()},
            "reading": plain_reading(self._reading),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` gave, exactly.

        Raises
        ------
        InvalidArgument
            If it is no such state; nothing is changed then.
        """
        last = optional_time(state, "last")
        saved = field(state, "histories", dict)
        histories = {name: RankedHistory(numbers(saved, name)) for name in FACTORS}
        reading = saved_reading(state, StressReading, {"factors": StressFactor})
        if reading is not None:
            reading = replace(reading, multiplier=self.multiplier_of(reading.score))
        self._last, self._histories, self._reading = last, histories, reading
