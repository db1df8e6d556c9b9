"""Monte Carlo of crises: many scenarios, each on a path of its own, with and without the risk system under test.

Path i is scenario i and draw i of the generator, a function of the seed and of i alone. Blocks of paths go to threads
(the kernels hold no lock), and no sum runs over paths, so that the bits depend neither on the number of workers nor
on the blocks.

`LimitSystem` and `Unmanaged` are rules that a kernel knows. Any other system is called day by day in Python, once for
each path and close, in the order of the paths and by the calling thread alone: twenty times slower, and thousands of
times for a gate. So is a `LimitSystem` when a timer is passed in, for what a kernel does cannot be timed decision by
decision.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from rpmcore.domain.arrays import Vector
from rpmcore.domain.errors import InvalidArgument
from rpmcore.kernels import stress_paths as kernels
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.simulated_tail import share
from rpmcore.risk.simulation_model import MOST_THREADS, whole
from rpmcore.risk.stress.carried import carry
from rpmcore.risk.stress.daily import Days, Scenario, Simulated, days_of, dof_of, simulate
from rpmcore.risk.stress.path import criteria, slow
from rpmcore.risk.stress.stressed_book import Places, StressedBook
from rpmcore.risk.stress.system import CONTROL_OF_LOSS, LimitSystem, RiskSystem, Timer, Unmanaged

BLOCK = 64
"""Paths of one task: at 60 days and 50 prices their returns take some megabytes."""

Progress = Callable[[int, int], None]
"""Told how many paths are done or begun, and of how many, by the calling thread."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SuiteResult:
    """One row per simulation, in their order; fractions of initial equity, a loss is positive.

    Attributes
    ----------
    seed, system
        Key of the generator, and the name of the system under test.
    names, kinds
        Of the scenarios; the kind of a crisis of the library is its name.
    durations
        (n,) days.
    loss, unmanaged_loss
        (n,) largest fall below initial equity, with and without the system; negative where equity never fell below,
        above one where a leveraged or short book ends up owing.
    var_breach_ratio, unmanaged_var_breach_ratio
        (n,) the largest over days of loss / VaR forecast: infinite for a loss without a forecast, −∞ where nothing was
        held.
    action_days, controls
        (n,) day, from 1, of the first reduction, 0 where there was none; and the control that made it.
    passed, failed_criteria
        (n,) whether the managed book passes, and what fails it, in words.
    slowest_decisions
        (n,) in seconds; None without a timer.
    """

    seed: int
    system: str
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    durations: Places
    loss: Vector
    unmanaged_loss: Vector
    var_breach_ratio: Vector
    unmanaged_var_breach_ratio: Vector
    action_days: Places
    controls: tuple[str | None, ...]
    passed: NDArray[np.bool_]
    failed_criteria: tuple[tuple[str, ...], ...]
    slowest_decisions: Vector | None

    @property
    def slowest_decision(self) -> float | None:
        """Over all simulations, in seconds; None without a timer."""
        return None if self.slowest_decisions is None else float(self.slowest_decisions.max())

    @property
    def loss_avoided(self) -> Vector:
        """unmanaged_loss − loss (n,): negative where the system sold too early, or paid more than it saved."""
        return self.unmanaged_loss - self.loss


def run_suite(
    book: StressedBook,
    scenarios: Sequence[Scenario],
    settings: RiskSettings,
    *,
    system: RiskSystem | None = None,
    seed: int | None = None,
    threads: int = 1,
    progress: Progress | None = None,
    timer: Timer | None = None,
) -> SuiteResult:
    """Return what each scenario does to a book, each on a path of its own.

    Parameters
    ----------
    book, scenarios
        Path i is scenario i; one scenario repeated n times gives n paths of it.
    settings
        The sections ``simulation`` (law of the shocks, and the seed), ``covariance.decay`` and ``stress``.
    system
        Under test; nothing is held back if None.
    seed
        In place of the settings'.
    threads
        That share the paths of rules; the result does not depend on it.
    progress
        Told how many simulations are done.
    timer
        Gives seconds; without one, decisions are not timed.

    Raises
    ------
    InvalidArgument
        If there is no scenario, a number is impossible, or the system does what it may not.
    """
    if not scenarios:
        raise InvalidArgument("there is no scenario to run: a suite needs at least one simulation")
    key = settings.simulation.seed if seed is None else whole("seed", seed, 0, 2**64 - 1)
    threads = whole("threads", threads, 1, MOST_THREADS)
    tested: RiskSystem = Unmanaged() if system is None else system
    runs = _Runs(book, settings, tested, len(scenarios), timer)
    batched = timer is None and by_kernel(tested)
    dof = dof_of(settings.simulation)
    blocks = range(0, len(scenarios), BLOCK)

    def work(number: int) -> None:
        start = blocks[number]
        days = days_of(book, scenarios[start : start + BLOCK])
        paths = np.arange(start, start + len(days.durations), dtype=np.uint64)
        simulated = simulate(book, days, paths, seed=key, dof=dof)
        runs.by_rules(simulated, days, start, tested if batched and isinstance(tested, LimitSystem) else None)
        if not batched:
            runs.day_by_day(simulated, days, start, progress)

    def tell(n_begun: int) -> None:
        if progress is not None and batched:
            progress(min(n_begun * BLOCK, len(scenarios)), len(scenarios))

    share(lambda: work, len(blocks), threads if batched else 1, tell)
    return runs.result(scenarios, key)


def by_kernel(system: RiskSystem) -> bool:
    """Return whether a system is a rule that a kernel knows."""
    return type(system) in (Unmanaged, LimitSystem)


class _Runs:
    """The numbers of a suite while it runs: every block writes rows of its own."""

    def __init__(
        self, book: StressedBook, settings: RiskSettings, system: RiskSystem, n: int, timer: Timer | None
    ) -> None:
        self.book, self.settings, self.system, self.timer = book, settings, system, timer
        self.z = NormalDist().inv_cdf(settings.stress.confidence)
        self.volatilities = np.sqrt(np.diagonal(book.covariance))
        self.losses, self.ratios = np.empty((2, n)), np.empty((2, n))
        self.days, self.controls = np.zeros(n, dtype=np.int64), list[str | None]([None] * n)
        self.slowest = None if timer is None else np.zeros(n)

    def by_rules(self, simulated: Simulated, days: Days, start: int, system: LimitSystem | None) -> None:
        """Carry a block through, alone and under rules; None for no rule."""
        rules = () if system is None else system.rules
        n, longest = days.volatility.shape
        equity, breaches = np.full((2, n, longest), inf), np.full((2, n, longest), -inf)
        acted = np.zeros((n, 2), dtype=np.int64)
        kernels.run_books(
            simulated.returns,
            simulated.growth,
            days.durations,
            self.book.weights,
            self.book.covariance,
            self.settings.covariance.decay,
            self.z,
            np.array([(rule.trigger, rule.goal) for rule in rules]).reshape(len(rules), 2),
            inf if system is None else system.maximum_loss,
            self.book.half_spreads,
            self.book.volumes,
            self.volatilities,
            days.spread,
            days.reduction,
            days.volatility,
            self.settings.stress.participation,
            self.settings.stress.impact,
            equity,
            breaches,
            acted,
        )
        rows = slice(start, start + n)
        self.losses[:, rows] = 1.0 - equity.min(axis=2)
        self.ratios[:, rows] = breaches.max(axis=2)
        names = (None, CONTROL_OF_LOSS, *(rule.control for rule in rules))
        self.days[rows] = acted[:, 0]
        self.controls[rows] = [names[code] for code in acted[:, 1]]

    def day_by_day(self, simulated: Simulated, days: Days, start: int, progress: Progress | None) -> None:
        """Carry a block through under any system, path after path."""
        for row in range(len(days.durations)):
            carried = carry(
                self.book, simulated, days, row, self.system, self.settings.stress,
                decay=self.settings.covariance.decay, z=self.z, timer=self.timer,
            )  # fmt: skip
            self.losses[1, start + row] = 1.0 - carried.equity.min()
            self.ratios[1, start + row] = carried.breaches.max()
            day = next((t for t, actions in enumerate(carried.actions) if actions), None)
            if day is not None:
                self.days[start + row], self.controls[start + row] = day + 1, carried.actions[day][0].control
            if self.slowest is not None and carried.slowest_decision is not None:
                self.slowest[start + row] = carried.slowest_decision
            if progress is not None:
                progress(start + row + 1, len(self.controls))

    def result(self, scenarios: Sequence[Scenario], seed: int) -> SuiteResult:
        """Return the rows with their verdicts."""
        times = [None] * len(scenarios) if self.slowest is None else self.slowest.tolist()
        failed = tuple(
            criteria(loss, ratio, self.settings.stress) + slow(seconds, self.settings.stress)
            for loss, ratio, seconds in zip(self.losses[1].tolist(), self.ratios[1].tolist(), times, strict=True)
        )
        return SuiteResult(
            seed=seed,
            system=self.system.name,
            names=tuple(scenario.name for scenario in scenarios),
            kinds=tuple(getattr(scenario, "kind", scenario.name) for scenario in scenarios),
            durations=np.array([scenario.duration_days for scenario in scenarios], dtype=np.int64),
            loss=self.losses[1],
            unmanaged_loss=self.losses[0],
            var_breach_ratio=self.ratios[1],
            unmanaged_var_breach_ratio=self.ratios[0],
            action_days=self.days,
            controls=tuple(self.controls),
            passed=np.array([not reasons for reasons in failed]),
            failed_criteria=failed,
            slowest_decisions=self.slowest,
        )
