"""What does this book lose in a crisis? From a book and its prices to everything that ``rpm stress`` says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

from rpmcore.domain.crises import Crisis
from rpmcore.domain.errors import InputError, InsufficientData, InvalidArgument, Undefined
from rpmcore.domain.prices import PriceHistory
from rpmcore.domain.report import ConfiguredReport, Shown, counted, percent
from rpmcore.risk.evaluation import Assessment, assess, summarise
from rpmcore.risk.exposure.factors import exposure_panel
from rpmcore.risk.factor_model import FactorModel
from rpmcore.risk.notices import Notice, listed, notices
from rpmcore.risk.report import BookSummary
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.stress.criteria import failed_ratio
from rpmcore.risk.stress.engine import ScenarioResult, parametric_stress
from rpmcore.risk.stress.factor_scenario import FactorScenarioResult, run_shocks
from rpmcore.risk.stress.path_study import CrisisPaths, run_paths
from rpmcore.risk.stress.replay import ReplayResult, replay_crisis
from rpmcore.risk.stress.stressed_book import StressedBook, stressed_book
from rpmcore.risk.stress.system import RiskSystem
from rpmcore.risk.valuation import BookInputs, ReturnPanel, Valuation, value

MODES = ("parametric", "replay", "factor", "path")
"""Ways to apply a crisis to a book."""

Result = ScenarioResult | ReplayResult | FactorScenarioResult | CrisisPaths


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StressReport(ConfiguredReport):
    """Everything that ``rpm stress`` says of crises; the field names are the keys of its JSON.

    `scenarios` has one entry per crisis and mode, in this order; each tells its ``mode``. Beyond ``name``, ``title``,
    ``mode``, ``loss``, ``loss_money``, ``stressed_var``, ``var_breach_ratio``, ``liquidation_cost``,
    ``days_to_liquidate``, ``passed``, ``failed_criteria`` and ``positions`` they differ by mode.
    """

    book: BookSummary
    scenarios: tuple[Result, ...]
    warnings: tuple[Notice, ...]
    notes: tuple[str, ...]

    SCHEMA = "rpm.stress/1"
    MAIN = "scenarios"
    SHOWN = (
        Shown(
            table="scenarios", title="Scenarios", rows=20,
            columns=("name", "mode", "loss", "loss_money", "var_breach_ratio", "passed", "failed_criteria"),
        ),
    )  # fmt: skip

    def headline(self) -> str:
        """Return the answer in a sentence."""
        worst = max(self.scenarios, key=lambda scenario: scenario.loss)
        failed = sum(not scenario.passed for scenario in self.scenarios)
        return (
            f"{self.book.called} on {self.book.as_of}: at worst {percent(worst.loss)} of capital lost "
            f"({worst.name}, {worst.mode}); {failed} of {counted(len(self.scenarios), 'scenario')} failed"
        )

    @property
    def passed(self) -> bool:
        """Whether the book passes every scenario in every mode that ran."""
        return all(scenario.passed for scenario in self.scenarios)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StressInputs:
    """What the modes need beyond a book.

    Attributes
    ----------
    inputs
        The book; beside it the market, and what is shocked without being held.
    alone
        The same without what is beside it: a day that only the market lacks must cost the book no row.
    replayed
        Reads the prices of a replay; they end later than the book may, and begin earlier.
    model
        Of given factors, for shocks of factors; None shocks prices.
    """

    inputs: BookInputs
    alone: BookInputs
    replayed: Callable[[], PriceHistory]
    model: FactorModel | None = None


def run_stress(
    given: StressInputs,
    crises: Sequence[Crisis],
    settings: RiskSettings,
    *,
    modes: Sequence[str] = ("parametric",),
    skip: bool = False,
    system: RiskSystem | None = None,
    threads: int = 1,
    shocks: Mapping[str, float] | None = None,
) -> StressReport:
    """Return what the book loses in each crisis and mode.

    Parameters
    ----------
    given
        The book, and what the modes need.
    crises
        May be empty if there are `shocks`.
    settings
        All sections of the risk floor.
    modes
        Of `MODES`.
    skip
        Leave out, with a warning, a mode that the data do not allow, in place of raising its error.
    system
        That may act on a path; nothing is held back if None.
    threads
        That share paths; the result does not depend on it.
    shocks
        Relative price moves by symbol, or returns by factor where there is a model, for a scenario of its own in
        factor mode. A crisis in factor mode shocks the market by its market shock.

    Raises
    ------
    InputError, InsufficientData, InvalidArgument
        See `rpmcore.risk.evaluation.assess` and the modes.
    """
    assessed = assess(given.alone, settings)
    results: list[Result] = []
    skipped: list[Notice] = []
    run = _Run(
        given=given,
        assessed=assessed,
        settings=settings,
        system=system,
        threads=threads,
        replayed=cache(given.replayed),
        wide=cache(partial(_wide, given.inputs, settings)),
        book=cache(partial(stressed_book, given.alone, settings)),
    )
    for crisis in crises:
        for mode in modes:
            try:
                results.append(_MODES[mode](run, crisis))
            except (InputError, InsufficientData, InvalidArgument, Undefined) as error:
                if not skip:
                    raise
                skipped.append(Notice(code="mode_skipped", message=f"{crisis.name}, {mode}: {error}"))
    if shocks:
        results.append(run.shocked(shocks, name="shocks", title="Shocks given"))
    if not results:
        raise InputError(
            "no mode could be run: " + "; ".join(n.message for n in skipped), source=given.inputs.history.path
        )
    return StressReport(
        book=summarise(given.alone, assessed.panel, assessed.valuation),
        scenarios=tuple(results),
        warnings=(
            *skipped,
            *_without_beta(given.alone, settings, modes),
            *_one_path(results),
            *notices(given.alone, assessed.panel, assessed.valuation, assessed.metrics, settings),
        ),
        notes=given.alone.history.notes,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Run:
    """What is shared by all crises of one run; what not every mode needs is made once, when the first asks for it."""

    given: StressInputs
    assessed: Assessment
    settings: RiskSettings
    system: RiskSystem | None
    threads: int
    replayed: Callable[[], PriceHistory]
    wide: Callable[[], tuple[ReturnPanel, Valuation]]
    book: Callable[[], StressedBook]

    def shocked(self, shocks: Mapping[str, float], *, name: str, title: str) -> FactorScenarioResult:
        """Return the book under shocks, over the lookback of factors."""
        panel, valuation = self.wide()
        return run_shocks(
            self.given.inputs, panel, valuation, shocks, self.settings, name=name, title=title, model=self.given.model
        )


def _wide(inputs: BookInputs, settings: RiskSettings) -> tuple[ReturnPanel, Valuation]:
    """Return returns and weights of what is held and what is beside it."""
    panel = exposure_panel(inputs, settings)
    return panel, value(inputs.book, inputs.instruments, panel, inputs.account)


def _parametric(run: _Run, crisis: Crisis) -> ScenarioResult:
    return parametric_stress(run.given.alone, run.assessed, crisis, run.settings)


def _replay(run: _Run, crisis: Crisis) -> ReplayResult:
    return replay_crisis(run.given.alone, run.assessed.valuation, run.replayed(), crisis, run.settings)


def _factor(run: _Run, crisis: Crisis) -> FactorScenarioResult:
    """Shock the market by the crisis, and hold the loss against the VaR that the crisis stresses."""
    market = run.settings.factors.market
    if market not in run.given.inputs.known:
        raise InputError(
            f"factor mode shocks the market, and there are no prices of {market}",
            source=run.given.inputs.history.path,
            remedy="add them, or name another with --set factors.market=SYMBOL",
        )
    prices = replace(run.given, model=None)
    found = replace(run, given=prices).shocked({market: crisis.market_shock}, name=crisis.name, title=crisis.title)
    stressed = _parametric(run, crisis).stressed_var
    ratio = found.loss / stressed if stressed > 0.0 else None
    failed = found.failed_criteria + failed_ratio(found.loss, ratio, run.settings.stress, daily=False)
    return replace(
        found, var_breach_ratio=ratio, var_breach_ratio_reason="the stressed VaR is zero", failed_criteria=failed,
        passed=not failed,
    )  # fmt: skip


def _path(run: _Run, crisis: Crisis) -> CrisisPaths:
    return run_paths(run.book(), crisis, run.settings, system=run.system, threads=run.threads)


_MODES: Mapping[str, Callable[[_Run, Crisis], Result]] = {
    "parametric": _parametric,
    "replay": _replay,
    "factor": _factor,
    "path": _path,
}


def _one_path(results: Sequence[Result]) -> tuple[Notice, ...]:
    """Return that a verdict rests on one path, where a system was run on no more."""
    found = next((r for r in results if isinstance(r, CrisisPaths) and r.paths_of == "unmanaged"), None)
    if found is None:
        return ()
    told = (
        f"the {found.path.system} ran on one path of each crisis, the one at the {found.quantile:.0%} quantile of the "
        f"book left alone: what it loses there is no quantile of what it may lose"
    )
    return (Notice(code="one_path", message=told),)


def _without_beta(inputs: BookInputs, settings: RiskSettings, modes: Sequence[str]) -> tuple[Notice, ...]:
    without = [i.symbol for i in inputs.instruments.values() if i.beta is None]
    if not without or settings.stress.propagation != "beta" or not {"parametric", "path"} & set(modes):
        return ()
    return (
        Notice(
            code="no_beta",
            message=f"{listed(without)}: no market beta is known, so the shock is taken against the position",
        ),
    )
