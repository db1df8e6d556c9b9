"""Stress tests of a risk system on positions: the crises of the library, and Monte Carlo over synthetic ones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

import numpy as np

from rpmcore.domain.crises import Crisis, CrisisScenario
from rpmcore.domain.errors import ConfigurationError, InputError, InvalidArgument, nearest
from rpmcore.domain.portfolio import Book, Holding
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.simulation_model import MOST_THREADS, whole
from rpmcore.risk.stress.engine import ScenarioResult, run_parametric
from rpmcore.risk.stress.path import PathResult, run_path
from rpmcore.risk.stress.stress_report import stress_report
from rpmcore.risk.stress.stressed_book import StressedBook, stressed_book
from rpmcore.risk.stress.suite import Progress, SuiteResult, run_suite
from rpmcore.risk.stress.synthetic import MOST_SCENARIOS, SyntheticStressGenerator
from rpmcore.risk.stress.system import RiskSystem, Timer
from rpmcore.risk.valuation import BookInputs

POSITIONS = "initial_positions"

Valuing = Callable[[Book], BookInputs]
"""Finds what is needed to value a book: prices, profiles, and the ways between currencies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrisisTestResult:
    """One crisis of the library in both modes.

    Attributes
    ----------
    parametric
        The book in one step; no system acts within a step.
    path
        The book day by day, under the system and without it.
    passed, failed_criteria
        Whether both modes pass; each criterion with the mode that failed it.
    """

    name: str
    title: str
    parametric: ScenarioResult
    path: PathResult
    passed: bool
    failed_criteria: tuple[str, ...]


class StressTestEngine:
    """Runs positions and a risk system through crises.

    Parameters
    ----------
    settings
        All sections of the risk floor; ``simulation.seed`` is the key of every draw.
    inputs
        What positions are valued with: a function from a book to its inputs, or the inputs of a book that holds the
        symbols (its rows then also tell spreads and volumes). This floor reads no files: without it nothing can be
        valued.
    library
        Crises by name; those that come with the package if None.
    threads, progress
        Of the Monte Carlo suite; see `rpmcore.risk.stress.suite.run_suite`.
    timer
        Gives seconds; without one, decisions are not timed and the criterion on them is not judged.

    Raises
    ------
    InvalidArgument
        If `threads` is out of its range.
    """

    def __init__(
        self,
        settings: RiskSettings | None = None,
        *,
        inputs: BookInputs | Valuing | None = None,
        library: Mapping[str, Crisis] | None = None,
        threads: int = 1,
        progress: Progress | None = None,
        timer: Timer | None = None,
    ) -> None:
        if library is None:
            from rpmcore.domain import reference

            library = reference.crises()
        self.settings, self.library = settings or RiskSettings(), library
        self.threads = whole("threads", threads, 1, MOST_THREADS)
        self.progress, self.timer, self._inputs = progress, timer, inputs

    def run_historical_crisis_test(
        self,
        scenario: CrisisScenario | Crisis | str,
        initial_portfolio_value: float,
        initial_positions: Mapping[str, float],
        rpm_system: RiskSystem,
    ) -> CrisisTestResult:
        """Return what a crisis does to positions under a risk system, in one step and day by day.

        Parameters
        ----------
        scenario
            Of the library, by name, or a crisis of the caller's own.
        initial_portfolio_value
            Equity in account currency, > 0.
        initial_positions
            Signed base units (currency pairs) or shares by symbol.
        rpm_system
            Under test; `rpmcore.risk.stress.system.LimitSystem` is a plain one.

        Raises
        ------
        ConfigurationError
            If the scenario is not known; names the nearest.
        InvalidArgument, InputError, InsufficientData
            If a number is impossible, or a symbol cannot be valued.
        """
        crisis = self._crisis(scenario)
        system = _checked_system(rpm_system)
        inputs = self._valued(initial_portfolio_value, initial_positions)
        (parametric,) = run_parametric(inputs, [crisis], self.settings)
        path = run_path(stressed_book(inputs, self.settings), crisis, self.settings, system=system, timer=self.timer)
        failed = [f"{one.mode}: {reason}" for one in (parametric, path) for reason in one.failed_criteria]
        return CrisisTestResult(
            name=crisis.name,
            title=crisis.title,
            parametric=parametric,
            path=path,
            passed=not failed,
            failed_criteria=tuple(failed),
        )

    def run_monte_carlo_stress_suite(
        self,
        n_simulations: int,
        initial_value: float,
        initial_positions: Mapping[str, float],
        rpm_system: RiskSystem,
    ) -> SuiteResult:
        """Return what synthetic crises do to positions under a risk system, each on a path of its own.

        Parameters
        ----------
        n_simulations
            From 1 to 1e6; the kinds of `rpmcore.risk.stress.synthetic` take turns.
        initial_value, initial_positions, rpm_system
            As in `run_historical_crisis_test`.

        Raises
        ------
        InvalidArgument, InputError, InsufficientData
            If a number is impossible, or a symbol cannot be valued.
        """
        n = whole("n_simulations", n_simulations, 1, MOST_SCENARIOS)
        system = _checked_system(rpm_system)
        book = self._stressed(initial_value, initial_positions)
        generator = SyntheticStressGenerator(self.settings.simulation.seed, self.library)
        return run_suite(
            book, generator.scenarios(n), self.settings, system=system, threads=self.threads, progress=self.progress,
            timer=self.timer,
        )  # fmt: skip

    def generate_stress_report(
        self, results: SuiteResult | Sequence[CrisisTestResult] | CrisisTestResult
    ) -> dict[str, Any]:
        """Return results as plain numbers and texts; see `rpmcore.risk.stress.stress_report.stress_report`.

        Raises
        ------
        InvalidArgument
            If there is no result.
        """
        if isinstance(results, CrisisTestResult):
            results = [results]
        return stress_report(results, self.settings.stress)

    def _crisis(self, scenario: CrisisScenario | Crisis | str) -> Crisis:
        if isinstance(scenario, Crisis):
            return scenario
        name = str(scenario)
        if name not in self.library:
            meant = nearest(name, list(self.library))
            hint = f"did you mean {meant!r}?" if meant else f"known are {', '.join(self.library)}"
            raise ConfigurationError(f"there is no scenario {name!r}; {hint}")
        return self.library[name]

    def _stressed(self, value: float, positions: Mapping[str, float]) -> StressedBook:
        return stressed_book(self._valued(value, positions), self.settings)

    def _valued(self, value: float, positions: Mapping[str, float]) -> BookInputs:
        """Return the inputs of a book of these positions, priced at the last closes that all of it has."""
        book = _book(value, positions)
        if self._inputs is None:
            raise InvalidArgument(
                "no prices to value positions with: construct StressTestEngine(inputs=...) with the inputs of a book, "
                "or with a function that finds them"
            )
        found = _narrowed(self._inputs, book) if isinstance(self._inputs, BookInputs) else self._inputs(book)
        history = found.history
        complete = history.closes[np.isfinite(history.closes).all(axis=1)]
        last = dict(zip(history.symbols, complete[-1].tolist() if len(complete) else [], strict=False))
        holdings = tuple(
            replace(h, size=h.size / found.instruments[h.symbol].contract_size, price=last.get(h.symbol))
            for h in found.book.holdings
        )
        return replace(found, book=replace(found.book, holdings=holdings))


def _book(value: float, positions: Mapping[str, float]) -> Book:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0.0 < value < np.inf:
        raise InvalidArgument(f"the initial value must be a positive number in account currency, but is {value!r}")
    if not isinstance(positions, Mapping) or not positions:
        raise InvalidArgument(f"{POSITIONS} must map symbols to base units or shares, but is {positions!r}")
    for symbol, units in positions.items():
        if isinstance(units, bool) or not isinstance(units, int | float | np.number) or not isfinite(units):
            raise InvalidArgument(
                f"{POSITIONS}[{symbol!r}] must be a finite number of base units or shares, not {units!r}"
            )
    if not any(positions.values()):
        raise InvalidArgument(f"{POSITIONS} holds nothing: every position is zero")
    return Book(
        holdings=tuple(Holding(symbol=symbol, size=float(units)) for symbol, units in positions.items()),
        sizing="quantity",
        source="memory",
        path=None,
        capital=float(value),
    )


def _narrowed(known: BookInputs, book: Book) -> BookInputs:
    """Return the inputs of a book whose symbols another book holds, with what its rows tell of spread and volume."""
    rows = {holding.symbol: holding for holding in reversed(known.book.holdings)}
    for holding in book.holdings:
        if holding.symbol not in known.profiles:
            meant = nearest(holding.symbol, list(known.profiles))
            raise InputError(
                "this symbol cannot be valued: the inputs of the engine do not know it",
                source=POSITIONS,
                symbol=holding.symbol,
                remedy=f"did you mean {meant!r}?" if meant else f"known are {', '.join(known.profiles)}",
            )
    symbols = [holding.symbol for holding in book.holdings]
    ways = {symbol: known.ways[symbol] for symbol in symbols}
    wanted = dict.fromkeys((*symbols, *(leg.symbol for way in ways.values() for leg in way)))
    holdings = tuple(
        replace(h, spread_bps=rows[h.symbol].spread_bps, adv=rows[h.symbol].adv) if h.symbol in rows else h
        for h in book.holdings
    )
    return replace(
        known,
        book=replace(book, holdings=holdings, base_currency=known.account),
        history=known.history.read(wanted),
        profiles={symbol: known.profiles[symbol] for symbol in symbols},
        ways=ways,
        correlation=None,
    )


def _checked_system(system: RiskSystem) -> RiskSystem:
    if not isinstance(getattr(system, "name", None), str) or not callable(getattr(system, "start", None)):
        raise InvalidArgument(
            f"rpm_system must have a name and a method start(start), as rpmcore.risk.stress.system.RiskSystem says, "
            f"but is {system!r}"
        )
    return system
