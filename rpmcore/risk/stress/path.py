"""Path stress: one crisis day by day on today's book, with and without the risk system under test.

How prices move is told by `rpmcore.risk.stress.daily`; what a system may do by `rpmcore.risk.stress.system`. One seeded
path is one story; many are the suite (`rpmcore.risk.stress.suite`).
"""

from dataclasses import dataclass
from math import inf, isfinite
from statistics import NormalDist

import numpy as np

from rpmcore.domain.arrays import Vector
from rpmcore.domain.crises import Regime
from rpmcore.risk.evaluation import money
from rpmcore.risk.report import NO_CAPITAL
from rpmcore.risk.settings import RiskSettings, StressSettings
from rpmcore.risk.simulation_model import whole
from rpmcore.risk.stress.carried import Carried, carry
from rpmcore.risk.stress.criteria import failed_loss, failed_ratio
from rpmcore.risk.stress.daily import Scenario, days_of, dof_of, simulate
from rpmcore.risk.stress.stressed_book import StressedBook
from rpmcore.risk.stress.system import NOT_MEASURED, Action, RiskSystem, Timer, Unmanaged

NO_ACTION = "no control acted"
NO_FORECAST = "no VaR was forecast: the book held nothing, or nothing that moves"
LOSS_WITHOUT_FORECAST = "there is a loss on a day for which the VaR forecast is zero"


@dataclass(frozen=True, slots=True, kw_only=True)
class PathDay:
    """One day of a path; equities as fractions of the initial one.

    Attributes
    ----------
    market_return
        Of the market on this day.
    unmanaged_equity, equity
        After the close, without and with the risk system.
    var_breach_ratio
        Loss of the day (negative for a gain) / VaR forecast for it, of the managed book; None where there is no VaR.
    actions
        What the risk system's controls did at this close.
    """

    day: int
    market_return: float
    unmanaged_equity: float
    equity: float
    var_breach_ratio: float | None
    var_breach_ratio_reason: str | None = NO_FORECAST
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PathResult:
    """A book on one path of one scenario, as fractions of initial equity; a loss is positive.

    Attributes
    ----------
    seed, path
        Key of the generator and number of the path: together they give the same bits again.
    dof
        Of the shocks; None for normal ones.
    correlation_stress
        θ at which the stressed correlations reach the scenario's target.
    market_return
        Compounded over all days: the market shock.
    loss, unmanaged_loss
        Largest fall below initial equity with and without the system; negative where equity never fell below, above
        one where a leveraged or short book ends up owing.
    loss_avoided
        unmanaged_loss − loss: negative where the system sold too early, or paid more than it saved.
    var_breach_ratio
        The largest over days of loss / VaR forecast from the days before.
    system, action, action_day
        Name of the system, and the first of its controls that acted with the day; None where none did.
    slowest_decision
        In seconds.
    failed_criteria
        Empty if the managed book passes.
    without_beta
        Assets that the shock was taken against, because nobody knows their beta.
    """

    name: str
    title: str
    mode: str
    seed: int
    path: int
    dof: float | None
    dof_reason: str | None = "the normal law has none"
    duration_days: int
    regime: Regime
    correlation_stress: float
    market_return: float
    loss: float
    loss_money: float | None
    loss_money_reason: str | None = NO_CAPITAL
    unmanaged_loss: float
    loss_avoided: float
    var_breach_ratio: float | None
    var_breach_ratio_reason: str | None = NO_FORECAST
    unmanaged_var_breach_ratio: float | None
    unmanaged_var_breach_ratio_reason: str | None = NO_FORECAST
    system: str
    action: Action | None
    action_reason: str | None = NO_ACTION
    action_day: int | None
    action_day_reason: str | None = NO_ACTION
    slowest_decision: float | None
    slowest_decision_reason: str | None = NOT_MEASURED
    passed: bool
    failed_criteria: tuple[str, ...]
    without_beta: tuple[str, ...]
    days: tuple[PathDay, ...]

    @property
    def control(self) -> str | None:
        """Name of the control that acted first."""
        return None if self.action is None else self.action.control


def run_path(
    book: StressedBook,
    scenario: Scenario,
    settings: RiskSettings,
    *,
    system: RiskSystem | None = None,
    path: int = 0,
    seed: int | None = None,
    timer: Timer | None = None,
) -> PathResult:
    """Return what one path of a scenario does to a book.

    Parameters
    ----------
    book
        Of `rpmcore.risk.stress.stressed_book.stressed_book`.
    scenario
        Of the library, or synthetic.
    settings
        The sections ``simulation`` (law of the shocks, and the seed), ``covariance.decay`` and ``stress``.
    system
        Under test; nothing is held back if None.
    path
        Number of the path, in [0, 2**64).
    seed
        In place of the settings'.
    timer
        Gives seconds; without one, decisions are not timed.

    Raises
    ------
    InvalidArgument
        If a number is impossible, or the system does what it may not.
    """
    key = settings.simulation.seed if seed is None else whole("seed", seed, 0, 2**64 - 1)
    number = whole("path", path, 0, 2**64 - 1)
    tested = Unmanaged() if system is None else system
    dof, decay = dof_of(settings.simulation), settings.covariance.decay
    z = NormalDist().inv_cdf(settings.stress.confidence)
    days = days_of(book, [scenario])
    simulated = simulate(book, days, np.array([number], np.uint64), seed=key, dof=dof)
    free = carry(book, simulated, days, 0, Unmanaged(), settings.stress, decay=decay, z=z)
    managed = carry(book, simulated, days, 0, tested, settings.stress, decay=decay, z=z, timer=timer)
    market = simulated.market[0]
    loss, unmanaged = _loss(managed), _loss(free)
    ratio, failed = worst(managed.breaches), criteria(loss, worst(managed.breaches), settings.stress)
    failed += slow(managed.slowest_decision, settings.stress)
    acted = [(t + 1, action) for t, actions in enumerate(managed.actions) for action in actions]
    day, action = acted[0] if acted else (None, None)
    return PathResult(
        name=scenario.name,
        title=scenario.title,
        mode="path",
        seed=key,
        path=number,
        dof=None if dof == inf else dof,
        duration_days=scenario.duration_days,
        regime=scenario.regime,
        correlation_stress=float(days.correlation[0, -1]),
        market_return=float(np.expm1(np.log1p(market).sum())),
        loss=loss,
        loss_money=money(loss, book.inputs.book.capital),
        unmanaged_loss=unmanaged,
        loss_avoided=unmanaged - loss,
        var_breach_ratio=told(ratio),
        var_breach_ratio_reason=why(ratio),
        unmanaged_var_breach_ratio=told(worst(free.breaches)),
        unmanaged_var_breach_ratio_reason=why(worst(free.breaches)),
        system=tested.name,
        action=action,
        action_day=day,
        slowest_decision=managed.slowest_decision,
        passed=not failed,
        failed_criteria=failed,
        without_beta=book.without_beta,
        days=tuple(
            PathDay(
                day=t + 1,
                market_return=float(market[t]),
                unmanaged_equity=float(free.equity[t]),
                equity=float(managed.equity[t]),
                var_breach_ratio=told(float(managed.breaches[t])),
                var_breach_ratio_reason=why(float(managed.breaches[t])),
                actions=managed.actions[t],
            )
            for t in range(scenario.duration_days)
        ),
    )


def _loss(carried: Carried) -> float:
    return 1.0 - float(carried.equity.min())


def worst(breaches: Vector) -> float:
    """Return the largest ratio of a path: infinite for a loss without a forecast, −∞ where nothing was forecast."""
    return float(breaches.max())


def told(ratio: float) -> float | None:
    """Return the ratio, or None where there is none."""
    return ratio if isfinite(ratio) else None


def why(ratio: float) -> str | None:
    """Return why there is no ratio, or None where there is one."""
    if isfinite(ratio):
        return None
    return LOSS_WITHOUT_FORECAST if ratio > 0.0 else NO_FORECAST


def criteria(loss: float, ratio: float, settings: StressSettings) -> tuple[str, ...]:
    """Return the criteria that a path fails, in words; a loss without a forecast fails."""
    against = (LOSS_WITHOUT_FORECAST,) if ratio == inf else failed_ratio(loss, ratio, settings, daily=True)
    return failed_loss(loss, settings) + against


def slow(slowest: float | None, settings: StressSettings) -> tuple[str, ...]:
    """Return the criterion that decisions fail, in seconds; nothing where they were not timed."""
    if slowest is None or slowest * 1e3 <= settings.maximum_decision_ms:
        return ()
    return (f"the slowest decision took {slowest * 1e3:.0f} ms, more than {settings.maximum_decision_ms:g} ms",)
