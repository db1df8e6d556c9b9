"""Crises by the thousand: everything that ``rpm stress --synthetic`` says."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rpmcore.domain.report import ConfiguredReport, Shown
from rpmcore.risk.evaluation import assess, money, summarise
from rpmcore.risk.notices import Notice, notices
from rpmcore.risk.report import BookSummary
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.simulation_model import whole
from rpmcore.risk.stress.stress_report import stress_report
from rpmcore.risk.stress.stressed_book import stressed_book
from rpmcore.risk.stress.suite import Progress, run_suite
from rpmcore.risk.stress.synthetic import MOST_SCENARIOS, SyntheticStressGenerator
from rpmcore.risk.stress.system import RiskSystem
from rpmcore.risk.valuation import BookInputs

BINS = 41


@dataclass(frozen=True, slots=True, kw_only=True)
class LossQuantile:
    """The loss that a share of the simulations stays below, with and without the system, as fractions of capital."""

    share: float
    loss: float
    loss_money: float | None
    loss_money_reason: str | None = "the book names no capital; give --capital"
    unmanaged_loss: float


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SuiteReport(ConfiguredReport):
    """Synthetic crises on a book.

    Attributes
    ----------
    summary, criteria, kinds, controls, worst
        See `rpmcore.risk.stress.stress_report.stress_report`.
    quantiles
        Of the loss over all simulations.
    edges, counts
        Histogram of the loss; `edges` has one more element.
    """

    book: BookSummary
    summary: dict[str, Any]
    criteria: dict[str, float]
    kinds: list[dict[str, Any]]
    controls: list[dict[str, Any]]
    quantiles: tuple[LossQuantile, ...]
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    worst: list[dict[str, Any]]
    warnings: tuple[Notice, ...]
    notes: tuple[str, ...]

    SCHEMA = "rpm.stress.synthetic/1"
    MAIN = "kinds"
    SHOWN = (
        Shown(
            table="kinds", title="By kind",
            columns=("kind", "n", "pass_rate_pct", "mean_loss_pct", "worst_loss_pct", "mean_unmanaged_loss_pct"),
        ),
        Shown(table="quantiles", title="Losses", columns=("share", "loss", "loss_money", "unmanaged_loss")),
        Shown(
            table="worst", title="Worst simulations", rows=5,
            columns=("simulation", "name", "duration_days", "loss_pct", "unmanaged_loss_pct", "passed"),
        ),
    )  # fmt: skip

    def headline(self) -> str:
        """Return the answer in a sentence."""
        told = self.summary
        return (
            f"{self.book.called} on {self.book.as_of}: {told['n_failed']:,} of {told['n_simulations']:,} synthetic "
            f"crises failed, loss {told['mean_loss_pct']:.2f} % in the mean and {told['worst_loss_pct']:.2f} % at worst"
        )

    @property
    def passed(self) -> bool:
        """Whether the book passes every simulation."""
        return bool(self.summary["passed"])


def run_synthetic(
    inputs: BookInputs,
    n_simulations: int,
    settings: RiskSettings,
    *,
    system: RiskSystem | None = None,
    threads: int = 1,
    progress: Progress | None = None,
) -> SuiteReport:
    """Return what synthetic crises do to a book, each on a path of its own; the seed is the settings'.

    Parameters
    ----------
    inputs, settings
        The book, and all sections of the risk floor.
    n_simulations
        From 1 to 1e6.
    system
        That may act; nothing is held back if None.
    threads
        The result does not depend on it.
    progress
        Told how many simulations are done.

    Raises
    ------
    InvalidArgument
        If a number is out of its range.
    InsufficientData, InputError
        See `rpmcore.risk.evaluation.assess`.
    """
    n = whole("n_simulations", n_simulations, 1, MOST_SCENARIOS)
    scenarios = SyntheticStressGenerator(settings.simulation.seed).scenarios(n)
    assessed = assess(inputs, settings)
    suite = run_suite(
        stressed_book(inputs, settings), scenarios, settings, system=system, threads=threads, progress=progress
    )
    told = stress_report(suite, settings.stress)
    counts, edges = np.histogram(suite.loss, bins=BINS)
    capital = inputs.book.capital
    return SuiteReport(
        book=summarise(inputs, assessed.panel, assessed.valuation),
        summary=told["summary"],
        criteria=told["criteria"],
        kinds=told["kinds"],
        controls=told["controls"],
        quantiles=tuple(
            LossQuantile(
                share=share,
                loss=float(np.quantile(suite.loss, share)),
                loss_money=money(float(np.quantile(suite.loss, share)), capital),
                unmanaged_loss=float(np.quantile(suite.unmanaged_loss, share)),
            )
            for share in (0.5, 0.9, 0.95, 0.99, 1.0)
        ),
        edges=tuple(edges.tolist()),
        counts=tuple(counts.tolist()),
        worst=told["worst"],
        warnings=notices(inputs, assessed.panel, assessed.valuation, assessed.metrics, settings),
        notes=inputs.history.notes,
    )
