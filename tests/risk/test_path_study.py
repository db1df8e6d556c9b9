"""Path mode judges a quantile of many paths."""

import numpy as np
import pytest

from rpmcore.domain.reference import crises
from rpmcore.inputs import book_inputs
from rpmcore.risk.settings import RiskSettings, StressSettings
from rpmcore.risk.stress.path import run_path
from rpmcore.risk.stress.path_study import run_paths
from rpmcore.risk.stress.stressed_book import stressed_book
from rpmcore.risk.stress.system import Action, Decisions, LimitSystem, Unmanaged

BREXIT, LEHMAN = crises()["brexit2016"], crises()["lehman2008"]


def settings(paths=60, quantile=0.9, **changes):
    return RiskSettings(stress=StressSettings(paths=paths, path_quantile=quantile, **changes))


@pytest.fixture(scope="module")
def book():
    chosen = RiskSettings()
    return stressed_book(book_inputs(None, None, chosen), chosen)


def test_the_loss_is_the_quantile_of_single_paths(book):
    chosen = settings()
    found = run_paths(book, BREXIT, chosen)
    losses = np.sort([run_path(book, BREXIT, chosen, path=i).loss for i in range(60)])
    assert found.loss == losses[53]  # the 54th of 60: nine in ten lose no more
    assert (found.median_loss, found.worst_loss) == (pytest.approx(np.median(losses)), losses[-1])
    assert found.path.loss == found.loss
    passed = np.mean([run_path(book, BREXIT, chosen, path=i).passed for i in range(60)])
    assert found.share_passed == pytest.approx(passed)


def test_another_seed_moves_it_less_than_one_path(book):
    def spread(paths, quantile):
        found = [run_paths(book, BREXIT, replace_seed(settings(paths, quantile), seed)).loss for seed in range(8)]
        return max(found) - min(found)

    assert spread(400, 0.5) < 0.5 * spread(1, 1.0)


def test_threads_change_nothing(book):
    one, two = (run_paths(book, BREXIT, settings(), threads=n) for n in (1, 2))
    assert one == two


def test_a_higher_quantile_never_loses_less(book):
    losses = [run_paths(book, BREXIT, settings(quantile=q)).loss for q in (0.5, 0.9, 1.0)]
    assert losses == sorted(losses)


class Halved(Unmanaged):
    """No rule that a kernel knows: sells half of the book after the first day."""

    name = "halved"

    def decide(self, marks, proposed):
        sold = -0.5 * marks.market_values if marks.day == 1 else np.zeros_like(proposed)
        return Decisions(trades=sold, actions=(Action(control="halving", reason="day 1"),) if marks.day == 1 else ())


def test_a_system_that_no_kernel_knows_runs_on_the_path_that_the_book_alone_would_show(book):
    chosen = settings()
    free, found = run_paths(book, LEHMAN, chosen), run_paths(book, LEHMAN, chosen, system=Halved())
    assert (free.paths_of, found.paths_of) == ("system", "unmanaged")
    assert found.path.path == free.path.path
    assert found.path.unmanaged_loss == free.loss
    assert (found.median_loss, found.worst_loss, found.share_passed) == (
        free.median_loss, free.worst_loss, free.share_passed,
    )  # fmt: skip
    alone = run_path(book, LEHMAN, chosen, system=Halved(), path=free.path.path)
    assert found.path == alone
    assert (found.loss, found.var_breach_ratio) == (alone.loss, alone.var_breach_ratio)
    assert (found.passed, found.failed_criteria) == (alone.passed, alone.failed_criteria)
    assert found.loss < free.loss


def test_rules_are_judged_by_their_own_paths(book):
    found = run_paths(book, BREXIT, settings(), system=LimitSystem(settings()))
    assert found.paths_of == "system"
    assert found.path.loss == pytest.approx(found.loss, rel=1e-12)


def test_both_quantiles_are_judged(book):
    strict = run_paths(book, BREXIT, settings(maximum_loss=1e-6, maximum_var_ratio=1e-6))
    assert len(strict.failed_criteria) == 2
    assert not strict.passed
    assert run_paths(book, BREXIT, settings(maximum_loss=10.0, maximum_var_ratio=1e6)).passed


def replace_seed(chosen, seed):
    return chosen.model_copy(update={"simulation": chosen.simulation.model_copy(update={"seed": seed})})
