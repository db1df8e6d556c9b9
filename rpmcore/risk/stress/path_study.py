"""Path mode of a crisis: many paths, judged by a quantile of what they lose, and the path that stands there.

Under a system that no kernel knows, such as the gate, many paths would take minutes. There the paths are those of the
book left alone, and the one that stands at its quantile is carried through under the system, which is judged on that.
"""

from dataclasses import dataclass
from math import ceil, isfinite
from typing import Literal

import numpy as np

from rpmcore.domain.arrays import Vector
from rpmcore.domain.crises import Crisis
from rpmcore.risk.evaluation import money
from rpmcore.risk.report import NO_CAPITAL
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.stress.criteria import failed_loss, failed_ratio
from rpmcore.risk.stress.engine import SEE_PARAMETRIC
from rpmcore.risk.stress.path import NO_FORECAST, PathResult, run_path
from rpmcore.risk.stress.stressed_book import StressedBook
from rpmcore.risk.stress.suite import by_kernel, run_suite
from rpmcore.risk.stress.system import RiskSystem


@dataclass(frozen=True, slots=True, kw_only=True)
class CrisisPaths:
    """A book on many paths of one crisis, as fractions of initial equity; a loss is positive.

    Attributes
    ----------
    paths_of
        Whose paths `quantile`, `median_loss`, `worst_loss` and `share_passed` are about: ``system``, or ``unmanaged``
        where the system ran on one path alone.
    n_paths, quantile
        Paths, and the share of them that lose no more than the one that stands there: that is `path`.
    loss, var_breach_ratio
        What is judged. Of ``system``: that quantile of the largest fall below initial equity, and of the largest loss
        of a day over its VaR forecast. Of ``unmanaged``: both of `path` under the system.
    median_loss, worst_loss
        Over the paths.
    share_passed
        Of the paths that pass by themselves.
    path
        The one that stands at the quantile, day by day: its loss is `loss`. Of ``unmanaged`` it is its
        `unmanaged_loss` that stands there.
    failed_criteria
        Empty if what is judged passes.
    """

    name: str
    title: str
    mode: str
    paths_of: Literal["system", "unmanaged"]
    n_paths: int
    quantile: float
    loss: float
    loss_money: float | None
    loss_money_reason: str | None = NO_CAPITAL
    median_loss: float
    worst_loss: float
    share_passed: float
    var_breach_ratio: float | None
    var_breach_ratio_reason: str | None = NO_FORECAST
    stressed_var: float | None = None
    stressed_var_reason: str | None = SEE_PARAMETRIC
    liquidation_cost: float | None = None
    liquidation_cost_reason: str | None = SEE_PARAMETRIC
    days_to_liquidate: float | None = None
    days_to_liquidate_reason: str | None = SEE_PARAMETRIC
    passed: bool
    failed_criteria: tuple[str, ...]
    path: PathResult
    positions: tuple[()] = ()


def run_paths(
    book: StressedBook, crisis: Crisis, settings: RiskSettings, *, system: RiskSystem | None = None, threads: int = 1
) -> CrisisPaths:
    """Return what `stress.paths` paths of a crisis do to a book.

    One path is a draw: by another seed it may lose half of the book or nothing. The quantile `stress.path_quantile` of
    many is what a desk can hold against a limit. Which paths these are: see `CrisisPaths.paths_of`.

    Parameters
    ----------
    book, crisis, settings, system
        As in `rpmcore.risk.stress.path.run_path`.
    threads
        The result does not depend on it.

    Raises
    ------
    InvalidArgument
        See `rpmcore.risk.stress.path.run_path`.
    """
    chosen = settings.stress
    rules = system is None or by_kernel(system)
    suite = run_suite(book, [crisis] * chosen.paths, settings, system=system if rules else None, threads=threads)
    order = np.argsort(suite.loss, kind="stable")
    # Rounded as tail counts are: 0.95 · 200 is 190 and must not become 191.
    place = int(order[max(ceil(round(chosen.path_quantile * chosen.paths, 9)), 1) - 1])
    path = run_path(book, crisis, settings, system=system, path=place)
    loss, ratio = path.loss, path.var_breach_ratio
    failed, why = path.failed_criteria, path.var_breach_ratio_reason
    if rules:
        loss, ratio, why = float(suite.loss[place]), _ratio(suite.var_breach_ratio, chosen.path_quantile), NO_FORECAST
        failed = (*failed_loss(loss, chosen), *failed_ratio(loss, ratio, chosen, daily=True))
    return CrisisPaths(
        name=crisis.name,
        title=crisis.title,
        mode="path",
        paths_of="system" if rules else "unmanaged",
        n_paths=chosen.paths,
        quantile=chosen.path_quantile,
        loss=loss,
        loss_money=money(loss, book.inputs.book.capital),
        median_loss=float(np.median(suite.loss)),
        worst_loss=float(suite.loss.max()),
        share_passed=float(suite.passed.mean()),
        var_breach_ratio=ratio,
        var_breach_ratio_reason=why,
        passed=not failed,
        failed_criteria=failed,
        path=path,
    )


def _ratio(ratios: Vector, quantile: float) -> float | None:
    """Return the quantile of the ratios, or None where no forecast stands there, with a loss or without."""
    place = max(ceil(round(quantile * len(ratios), 9)), 1) - 1
    found = float(np.sort(ratios)[place])
    return found if isfinite(found) else None
