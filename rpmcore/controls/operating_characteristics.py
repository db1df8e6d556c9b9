"""What thresholds mean: how often they halt for nothing, and how soon they see a real runaway."""

from collections.abc import Callable
from dataclasses import dataclass
from math import floor, sqrt
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rpmcore.controls.kill_switch_settings import KillSwitchesSettings
from rpmcore.controls.scan_statistics import mean_trials_to_run, probability_of_cluster, probability_of_run
from rpmcore.domain.arrays import Matrix, Vector
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.report import ConfiguredReport, Shown, percent
from rpmcore.kernels import random_numbers

BLOCK = 2000
"""Simulated days at a time, which bounds the memory."""

HIGHEST = 10_000
"""A threshold beyond this is not searched for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How a desk trades on a good day, and what a bad one looks like.

    Parameters
    ----------
    trades_a_day
        Closed trades of one strategy.
    rejection_rate
        Share of all orders that are rejected and count, in [0, 1).
    win_rate
        Share of trades that gain.
    trade_size
        Gain or loss of a trade, as a fraction of the strategy's capital.
    session_minutes
        Length of the day, over which rejections come evenly, as a Poisson process.
    storm
        Rejections a minute of a runaway.
    broken_win_rate
        Share of trades that gain once a strategy is broken.
    runaway_growth
        Unapproved exposure growth/minute, as a fraction.
    """

    trades_a_day: int = 100
    rejection_rate: float = 0.15
    win_rate: float = 0.5
    trade_size: float = 0.005
    session_minutes: float = 390.0
    storm: float = 60.0
    broken_win_rate: float = 0.1
    runaway_growth: float = 0.2

    def __post_init__(self) -> None:
        fractions = (self.rejection_rate, self.win_rate, self.broken_win_rate)
        positive = (self.trade_size, self.session_minutes, self.storm, self.runaway_growth)
        if not 1 <= self.trades_a_day <= 100_000:
            raise InvalidArgument(f"trades_a_day is {self.trades_a_day!r}: from 1 to 100,000 are needed")
        if not all(0.0 <= x < 1.0 for x in fractions) or not all(0.0 < x < float("inf") for x in positive):
            raise InvalidArgument("rates must lie in [0, 1), and sizes, minutes, storm and growth be positive")

    @property
    def rejections_a_day(self) -> float:
        """Mean number, so that they are `rejection_rate` of all orders."""
        return self.trades_a_day * self.rejection_rate / (1.0 - self.rejection_rate)

    @property
    def orders_a_day(self) -> int:
        """Trades and rejections."""
        return round(self.trades_a_day + self.rejections_a_day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Characteristic:
    """One threshold against one behaviour.

    Parameters
    ----------
    switch, measure
        What is watched.
    threshold
        That halts.
    false_halt
        Probability that it halts on a good day, from a clean start; None where the behaviour does not say, and
        `false_halt_reason` why.
    standard_error
        Of `false_halt`, if it is simulated.
    basis
        ``exact``, ``approximation`` or ``simulation``.
    detection
        Mean time to halt in a runaway, in `detection_unit`, of drawdown and rejection rate along the mean path; None if
        it is not seen, and `detection_reason` why.
    wanted_threshold
        The smallest that halts for nothing with at most the wanted probability, of counts a whole number,
        of simulated shares rounded up to a thousandth.
    """

    switch: str
    measure: str
    threshold: float
    false_halt: float | None
    false_halt_reason: str | None = None
    standard_error: float | None = None
    standard_error_reason: str | None = "it is not simulated"
    basis: str
    detection: float | None
    detection_reason: str | None = None
    detection_unit: str
    wanted_threshold: float | None
    wanted_threshold_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class OperatingCharacteristics(ConfiguredReport):
    """All switches against one behaviour; `wanted` is the false-alarm rate a day that thresholds are asked for."""

    behaviour: Behaviour
    wanted: float
    days: int
    seed: int
    characteristics: tuple[Characteristic, ...]

    SCHEMA = "rpm.killswitch/1"
    MAIN = "simulation.characteristics"
    ROWS: ClassVar[dict[str, type]] = {"simulation.characteristics": Characteristic}
    SHOWN = (
        Shown(
            table="simulation.characteristics", title="Thresholds", rows=20,
            columns=(
                "switch", "measure", "threshold", "false_halt", "basis", "detection", "detection_unit",
                "wanted_threshold",
            ),
        ),
    )  # fmt: skip

    def to_plain(self) -> dict[str, Any]:
        """Return it in JSON's types, without its schema."""
        return {
            "simulation": self.figures(), "history": None, "history_reason": "none was given", **self.digest(),
        }  # fmt: skip

    def headline(self) -> str:
        """Return the answer in a sentence."""
        often = [c.switch for c in self.characteristics if c.false_halt is not None and c.false_halt > self.wanted]
        told = ", ".join(dict.fromkeys(often)) or "none"
        return (
            f"{self.behaviour.trades_a_day:,} trades a day, {percent(self.behaviour.rejection_rate, 0)} of orders "
            f"rejected: halting for nothing on more than {percent(self.wanted, 1)} of days: {told}"
        )


def operating_characteristics(
    behaviour: Behaviour,
    settings: KillSwitchesSettings | None = None,
    *,
    wanted: float = 0.01,
    days: int = 10_000,
    seed: int = 20_080_915,
) -> OperatingCharacteristics:
    """Return what the thresholds of the settings do to a behaviour.

    Clusters of rejections: Naus' approximation of the scan statistic. Losses in a row: exact. Rejection rate and
    drawdown of a strategy, and the time to see a storm: simulated, with counter-based random numbers, one path a day.
    Exposure: exact for snapshots in time and a runaway that begins at any moment between two.

    Parameters
    ----------
    behaviour
        Trades, wins, rejections; and the runaway.
    settings
        Thresholds; those of the specification by default.
    wanted
        Probability of a false halt a day that thresholds are asked for, in (0, 1).
    days, seed
        Of the simulation.

    Raises
    ------
    InvalidArgument
        If a number is out of its range.
    """
    if not 0.0 < wanted < 1.0:
        raise InvalidArgument(f"wanted is {wanted!r}: a probability above 0 and below 1 is needed")
    if not 100 <= days <= 1_000_000:
        raise InvalidArgument(f"days is {days!r}: from 100 to 1,000,000 are needed")
    if not 0 <= seed < 2**64:
        raise InvalidArgument(f"seed is {seed!r}: from 0 to 2**64 - 1 is needed")
    chosen = settings or KillSwitchesSettings()
    rates, falls = _strategy_days(behaviour, chosen, days, seed)
    return OperatingCharacteristics(
        behaviour=behaviour, wanted=wanted, days=days, seed=seed,
        characteristics=(
            _rejections(behaviour, chosen, wanted, days, seed), _exposure(behaviour, chosen),
            _losses(behaviour, chosen, wanted), _rejection_rate(behaviour, chosen, rates, wanted),
            _drawdown(behaviour, chosen, falls, wanted),
        ),
    )  # fmt: skip


def _rejections(
    behaviour: Behaviour, settings: KillSwitchesSettings, wanted: float, days: int, seed: int
) -> Characteristic:
    limit = settings.rejection_velocity
    windows = max(behaviour.session_minutes / limit.window_minutes, 2.0)
    per_window = behaviour.rejections_a_day / windows

    def probability(count: int) -> float:
        return probability_of_cluster(count, per_window, windows) if per_window > 0.0 else 0.0

    detection = _time_to_cluster(behaviour.storm, limit.max_rejections, limit.window_minutes, min(days, 1000), seed)
    return Characteristic(
        switch="rejection_velocity", measure=f"rejections in {limit.window_minutes:g} minutes",
        threshold=float(limit.max_rejections), false_halt=probability(limit.max_rejections), basis="approximation",
        detection=detection, detection_unit="minutes",
        detection_reason="rejections of this storm hardly ever cluster so",
        **_search(probability, wanted),
    )  # fmt: skip


def _time_to_cluster(rate: float, count: int, window: float, paths: int, seed: int) -> float | None:
    """Return the mean time, in minutes, until `count` events lie within a window; None if one path has not seen it."""
    n = 20 * count
    logs = _uniform(paths, n, seed, stream=1)
    random_numbers.logarithm(logs.reshape(-1))
    times = np.cumsum(-logs / rate, axis=1)
    spans = times[:, count - 1 :] - times[:, : n - count + 1]
    within = spans < window
    if not within.any(axis=1).all():
        return None
    return float(times[np.arange(paths), within.argmax(axis=1) + count - 1].mean())


def _losses(behaviour: Behaviour, settings: KillSwitchesSettings, wanted: float) -> Characteristic:
    limit, lost = settings.per_strategy.max_consecutive_losses, 1.0 - behaviour.win_rate
    return Characteristic(
        switch="per_strategy", measure="losses in a row", threshold=float(limit),
        false_halt=probability_of_run(behaviour.trades_a_day, lost, limit), basis="exact",
        detection=mean_trials_to_run(1.0 - behaviour.broken_win_rate, limit), detection_unit="trades",
        **_search(lambda count: probability_of_run(behaviour.trades_a_day, lost, count), wanted),
    )  # fmt: skip


def _search(probability: Callable[[int], float], wanted: float) -> dict[str, Any]:
    """Return the smallest count whose probability is at most `wanted`; the probability falls with the count."""
    low, high = 0, 1
    while probability(high) > wanted:
        low, high = high, 2 * high
        if high > HIGHEST:
            return {"wanted_threshold": None, "wanted_threshold_reason": f"none up to {HIGHEST:,}"}
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if probability(middle) > wanted else (low, middle)
    return {"wanted_threshold": float(high)}


def _rejection_rate(
    behaviour: Behaviour, settings: KillSwitchesSettings, rates: Vector, wanted: float
) -> Characteristic:
    limit = settings.per_strategy
    # All orders rejected after a long good day: the share of the last `decisions` reaches the limit linearly.
    needed = (limit.max_rejection_rate - behaviour.rejection_rate) / (1.0 - behaviour.rejection_rate) * limit.decisions
    return _simulated(
        "rejection rate", limit.max_rejection_rate, rates, wanted, detection=max(needed, 1.0), unit="orders"
    )


def _drawdown(behaviour: Behaviour, settings: KillSwitchesSettings, falls: Vector, wanted: float) -> Characteristic:
    limit, drift = settings.per_strategy.max_drawdown, (1.0 - 2.0 * behaviour.broken_win_rate) * behaviour.trade_size
    return _simulated("drawdown", limit, falls, wanted, detection=limit / drift if drift > 0.0 else None, unit="trades")


def _simulated(
    measure: str, threshold: float, worst: Vector, wanted: float, *, detection: float | None, unit: str
) -> Characteristic:
    probability = float(np.mean(worst >= threshold * (1.0 - 1e-12)))
    highest = np.sort(worst)[::-1]
    enough = (floor(1000.0 * float(highest[int(wanted * worst.size)])) + 1) / 1000.0
    return Characteristic(
        switch="per_strategy", measure=measure, threshold=threshold, false_halt=probability,
        standard_error=sqrt(probability * (1.0 - probability) / worst.size), basis="simulation",
        detection=detection, detection_reason="a strategy as good as this does not lose on average",
        detection_unit=unit, wanted_threshold=enough,
    )  # fmt: skip


def _exposure(behaviour: Behaviour, settings: KillSwitchesSettings) -> Characteristic:
    limit = settings.exposure_velocity
    growth, detection = behaviour.runaway_growth, None
    if growth >= limit.max_growth:
        # It begins u before a snapshot, u uniform: seen there if growth·u is the limit's for an interval, else at the
        # next, in a straight line.
        detection = limit.snapshot_minutes * (0.5 + limit.max_growth / growth)
    return Characteristic(
        switch="exposure_velocity", measure="exposure growth/minute", threshold=limit.max_growth, false_halt=None,
        false_halt_reason="approved growth does not halt, and there is no other on a good day", basis="exact",
        detection=detection, detection_reason="it grows slower than the limit", detection_unit="minutes",
        wanted_threshold=None, wanted_threshold_reason="no false halts to limit",
    )  # fmt: skip


def _strategy_days(behaviour: Behaviour, settings: KillSwitchesSettings, days: int, seed: int) -> tuple[Vector, Vector]:
    """Return the highest rejection rate and the deepest drawdown of one strategy on each simulated day."""
    rates, falls = np.zeros(days), np.zeros(days)
    for first in range(0, days, BLOCK):
        block = slice(first, min(first + BLOCK, days))
        n = block.stop - block.start
        rejected = _uniform(n, behaviour.orders_a_day, seed, stream=2, first=first) < behaviour.rejection_rate
        rates[block] = _highest_rate(rejected, settings)
        won = _uniform(n, behaviour.trades_a_day, seed, stream=3, first=first) < behaviour.win_rate
        equity = 1.0 + np.cumsum(np.where(won, behaviour.trade_size, -behaviour.trade_size), axis=1)
        peak = np.maximum(np.maximum.accumulate(equity, axis=1), 1.0)
        falls[block] = ((peak - equity) / peak).max(axis=1)
    return rates, falls


def _highest_rate(rejected: NDArray[np.bool_], settings: KillSwitchesSettings) -> Vector:
    limit = settings.per_strategy
    days, orders = rejected.shape
    if orders < limit.minimum_decisions:
        return np.zeros(days)
    total = np.concatenate([np.zeros((days, 1), dtype=np.int64), np.cumsum(rejected, axis=1)], axis=1)
    last = np.arange(limit.minimum_decisions, orders + 1)
    start = np.maximum(last - limit.decisions, 0)
    highest: Vector = ((total[:, last] - total[:, start]) / (last - start)).max(axis=1)
    return highest


def _uniform(paths: int, draws: int, seed: int, *, stream: int, first: int = 0) -> Matrix:
    """Return uniform numbers, `paths` × `draws`, that depend on (seed, path, draw, stream) alone."""
    numbers = np.arange(first, first + paths, dtype=np.uint64)
    low, high = np.empty(paths, dtype=np.uint64), np.empty(paths, dtype=np.uint64)
    out = np.empty((draws + draws % 2, paths))
    for i in range(0, draws, 2):
        random_numbers.random_words(numbers, np.uint64(i // 2), np.uint64(stream), np.uint64(seed), low, high)
        out[i], out[i + 1] = random_numbers.uniforms(low), random_numbers.uniforms(high)
    return np.ascontiguousarray(out[:draws].T)
