"""Crises that have not happened: drawn within the ranges that the specification gives, the same to the bit each time.

What the specification fixes is drawn uniformly from its range. What it leaves open is drawn uniformly from the range
that the crises of the library span (market shock, volatility, correlation, spreads, volume): a made-up crisis is then
no milder and no worse, in what nobody prescribed, than what has been seen. Durations are whole days: a flash crash
lasts exactly one, a freeze or a breakdown one to ten, and a transition 20 to 60, one to three months, because the
crises of the library (one to eleven days) are jumps, not shifts.

Each number is a function of (seed, number of the scenario, index of the number) through Philox4x32-10, so that
scenario i does not depend on how many are drawn, nor on the kinds of the others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from rpmcore.domain.arrays import Vector
from rpmcore.domain.crises import Crisis, Regime
from rpmcore.domain.errors import ConfigurationError, InvalidArgument, nearest
from rpmcore.kernels.random_numbers import random_words, uniforms
from rpmcore.risk.simulation_model import whole

SyntheticKind = Literal["liquidity_freeze", "correlation_breakdown", "flash_crash", "regime_transition"]
KINDS: tuple[SyntheticKind, ...] = get_args(SyntheticKind)

MOST_SCENARIOS = 1_000_000
SCENARIOS = np.uint64(3)
"""The purpose of these draws in the last word of the counter, beside those of `rpmcore.kernels.simulation`."""

Range = tuple[float, float]

SPECIFIED: Mapping[SyntheticKind, Mapping[str, Range]] = {
    "liquidity_freeze": {"spread_multiplier": (15.0, 30.0), "volume_reduction": (0.80, 0.90)},
    "correlation_breakdown": {"correlation": (0.95, 1.0)},
    "flash_crash": {
        "volatility_multiplier": (8.0, 12.0),
        "spread_multiplier": (20.0, 40.0),
        "volume_reduction": (0.90, 0.98),
    },
    "regime_transition": {},
}
"""The ranges of the specification; every other number is open."""

DURATIONS: Mapping[SyntheticKind, tuple[int, int]] = {
    "liquidity_freeze": (1, 10),
    "correlation_breakdown": (1, 10),
    "flash_crash": (1, 1),
    "regime_transition": (20, 60),
}
"""Shortest and longest, in trading days."""

NUMBERS = ("market_shock", "volatility_multiplier", "correlation", "spread_multiplier", "volume_reduction")
"""What is drawn, in the order of the index of each draw; the duration comes last."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SyntheticScenario:
    """One synthetic crisis, day by day.

    Attributes
    ----------
    kind, number
        What it is and which draw of the generator.
    duration_days
        Trading days over which the market shock is spread.
    market_shock
        Return of the market over the whole duration, in (-1, 0).
    correlation
        Mean correlation to be reached, in [0, 1]; None leaves correlations as they are.
    transition
        (duration_days,) how far the market has moved from calm (0) to stressed (1); 1 throughout but for a regime
        transition, which ends at 1.
    volatility_multiplier, spread_multiplier
        (duration_days,) stressed over calm, at least 1.
    volume_reduction
        (duration_days,) fraction of daily volume that is gone, in [0, 1).
    regime
        The state that the market ends in.
    """

    kind: SyntheticKind
    number: int
    duration_days: int
    market_shock: float
    correlation: float | None
    transition: Vector
    volatility_multiplier: Vector
    spread_multiplier: Vector
    volume_reduction: Vector
    regime: Regime

    @property
    def name(self) -> str:
        """Kind and number, as reports print it."""
        return f"{self.kind}-{self.number}"

    @property
    def title(self) -> str:
        """The same in words."""
        return f"{self.kind.replace('_', ' ')} {self.number}"


class SyntheticStressGenerator:
    """Draws synthetic crises.

    Parameters
    ----------
    seed
        In [0, 2**64); the same seed gives the same bits.
    library
        The crises whose range is that of the open numbers; those that come with the package if None.

    Raises
    ------
    InvalidArgument
        If the seed is no such number, or the library is empty.
    """

    def __init__(self, seed: int, library: Mapping[str, Crisis] | None = None) -> None:
        self.seed = whole("seed", seed, 0, 2**64 - 1)
        if library is None:
            from rpmcore.domain import reference

            library = reference.crises()
        if not library:
            raise InvalidArgument("library holds no crisis, so that the open numbers have no range")
        self.open = {name: _span([getattr(crisis, name) for crisis in library.values()]) for name in NUMBERS}

    def generate(self, kind: SyntheticKind, number: int) -> SyntheticScenario:
        """Return scenario `number`, from 0 on, as one of `KINDS`.

        Raises
        ------
        ConfigurationError
            If the kind is not known; names the nearest.
        InvalidArgument
            If `number` is not a whole number in [0, 1e6).
        """
        if kind not in KINDS:
            meant = nearest(str(kind), list(KINDS))
            hint = f"did you mean {meant!r}?" if meant else f"known are {', '.join(KINDS)}"
            raise ConfigurationError(f"there is no synthetic scenario {kind!r}; {hint}")
        number = whole("number", number, 0, MOST_SCENARIOS - 1)
        shares = _uniforms(self.seed, number)
        drawn = {
            name: _within(SPECIFIED[kind].get(name, self.open[name]), share)
            for name, share in zip(NUMBERS, shares, strict=False)
        }
        shortest, longest = DURATIONS[kind]
        days = min(longest, shortest + int(shares[len(NUMBERS)] * (longest - shortest + 1)))
        transition = _smooth(days) if kind == "regime_transition" else np.ones(days)
        volatility, spread = drawn["volatility_multiplier"], drawn["spread_multiplier"]
        return SyntheticScenario(
            kind=kind,
            number=number,
            duration_days=days,
            market_shock=drawn["market_shock"],
            correlation=drawn["correlation"],
            transition=transition,
            volatility_multiplier=_between(volatility, transition),
            spread_multiplier=_between(spread, transition),
            volume_reduction=drawn["volume_reduction"] * transition,
            # As in the files of the library: five times the volatility, or ten times the spreads, is stressed.
            regime="stressed" if volatility >= 5.0 or spread >= 10.0 else "volatile",
        )

    def scenarios(self, n: int, kinds: Sequence[SyntheticKind] = KINDS) -> tuple[SyntheticScenario, ...]:
        """Return scenarios 0 … n − 1, the kinds taking turns, so that each has its share whatever the seed.

        Raises
        ------
        ConfigurationError, InvalidArgument
            As `generate`; or if `n` is not a whole number from 1 to 1e6, or there is no kind.
        """
        n = whole("n", n, 1, MOST_SCENARIOS)
        if not kinds:
            raise InvalidArgument(f"kinds is empty: give at least one of {', '.join(KINDS)}")
        return tuple(self.generate(kinds[number % len(kinds)], number) for number in range(n))


def _span(values: Sequence[Any]) -> Range:
    """Return the smallest and the largest; crises that leave a number open do not widen its range."""
    known = [float(value) for value in values if value is not None]
    return (min(known), max(known)) if known else (0.0, 0.0)


def _within(bounds: Range, share: float) -> float:
    low, high = bounds
    return min(max(low + share * (high - low), low), high)


def _between(stressed: float, transition: Vector) -> Vector:
    """Return 1 + p (stressed − 1), which is `stressed` itself where p is 1."""
    return np.where(transition == 1.0, stressed, 1.0 + transition * (stressed - 1.0))


def _smooth(days: int) -> Vector:
    """Return 3u² − 2u³ at u = 1/days … 1: it leaves calm and reaches stress with no kink."""
    u = np.arange(1, days + 1) / days
    return u * u * (3.0 - 2.0 * u)


def _uniforms(seed: int, number: int) -> list[float]:
    """Return one uniform on (0, 1) per number drawn, and one for the duration."""
    found: list[float] = []
    low, high = np.empty(1, np.uint64), np.empty(1, np.uint64)
    for index in range((len(NUMBERS) + 2) // 2):
        random_words(np.array([number], np.uint64), np.uint64(index), SCENARIOS, np.uint64(seed), low, high)
        found += [float(uniforms(low)[0]), float(uniforms(high)[0])]
    return found[: len(NUMBERS) + 1]
