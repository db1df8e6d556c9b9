"""The Monte Carlo of crises: the same bits for any workers, and the same numbers as one path at a time."""

from dataclasses import replace

import numpy as np
import pytest

from rpmcore.domain import reference
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.portfolio import Holding
from rpmcore.kernels import _jit
from rpmcore.risk.settings import LimitsSettings, RiskSettings, StressSettings
from rpmcore.risk.stress import suite
from rpmcore.risk.stress.path import run_path
from rpmcore.risk.stress.suite import BLOCK, run_suite
from rpmcore.risk.stress.synthetic import SyntheticStressGenerator
from rpmcore.risk.stress.system import LimitSystem, Unmanaged
from tests.oracles import stress_paths as oracle
from tests.stressed_books import book, inputs, mixed, share

LEHMAN = reference.crises()["lehman2008"]
SETTINGS = RiskSettings()
BOOK = book(mixed())
# Three blocks, the last of them not full; the library's crises have gaps, the synthetic ones transitions.
SCENARIOS = (*SyntheticStressGenerator(1).scenarios(2 * BLOCK), *reference.crises().values())
COSTLY = book(
    inputs(
        [Holding(symbol="A", size=1.0, spread_bps=20.0, adv=3e6), Holding(symbol="B", size=-0.7, spread_bps=5.0)],
        [share("A"), share("B", 0.6)],
    )
)


class DayByDay(LimitSystem):
    """The same system, but none that a kernel knows."""


def bits(result):
    return (
        result.loss.tobytes(),
        result.unmanaged_loss.tobytes(),
        result.var_breach_ratio.tobytes(),
        result.unmanaged_var_breach_ratio.tobytes(),
        result.action_days.tobytes(),
        result.controls,
        result.failed_criteria,
    )


SERIAL = run_suite(BOOK, SCENARIOS, SETTINGS, system=LimitSystem(), seed=9)


@pytest.mark.parametrize("threads", [2, 3, 8])
def test_the_bits_do_not_depend_on_the_number_of_workers(threads):
    assert bits(run_suite(BOOK, SCENARIOS, SETTINGS, system=LimitSystem(), seed=9, threads=threads)) == bits(SERIAL)


def test_the_bits_do_not_depend_on_the_blocks(monkeypatch):
    monkeypatch.setattr(suite, "BLOCK", 7)
    assert bits(run_suite(BOOK, SCENARIOS, SETTINGS, system=LimitSystem(), seed=9, threads=2)) == bits(SERIAL)


def test_a_simulation_does_not_depend_on_those_after_it():
    few = run_suite(BOOK, SCENARIOS[:5], SETTINGS, system=LimitSystem(), seed=9)
    assert few.loss.tobytes() == SERIAL.loss[:5].tobytes()
    assert run_suite(BOOK, SCENARIOS[:5], SETTINGS, system=LimitSystem(), seed=8).loss[0] != few.loss[0]


@pytest.mark.parametrize("subject", [BOOK, COSTLY], ids=["free", "with spread and volume"])
def test_the_kernel_decides_as_the_system_does_day_by_day(subject):
    fast = run_suite(subject, SCENARIOS, SETTINGS, system=LimitSystem(), seed=9)
    slow = run_suite(subject, SCENARIOS, SETTINGS, system=DayByDay(), seed=9)
    for name in ("loss", "unmanaged_loss", "var_breach_ratio", "unmanaged_var_breach_ratio"):
        np.testing.assert_allclose(getattr(fast, name), getattr(slow, name), rtol=1e-9, atol=1e-12, err_msg=name)
    assert fast.controls == slow.controls
    np.testing.assert_array_equal(fast.action_days, slow.action_days)
    np.testing.assert_array_equal(fast.passed, slow.passed)
    assert len(set(fast.controls)) >= 2


@pytest.mark.parametrize(
    ("limit", "control"),
    [({"value_at_risk": 0.005}, "value_at_risk"), ({"expected_shortfall": 0.006}, "expected_shortfall")],
)
def test_the_limit_that_asks_for_the_least_is_named(limit, control):
    chosen = RiskSettings(limits=LimitsSettings(**limit))
    fast = run_suite(BOOK, SCENARIOS[:BLOCK], chosen, system=LimitSystem(chosen), seed=9)
    slow = run_suite(BOOK, SCENARIOS[:BLOCK], chosen, system=DayByDay(chosen), seed=9)
    assert fast.controls == slow.controls
    assert control in fast.controls
    np.testing.assert_allclose(fast.loss, slow.loss, rtol=1e-9, atol=1e-12)


def test_a_simulation_is_the_path_of_its_number():
    for i in (0, 3, 40, len(SCENARIOS) - 1):
        one = run_path(BOOK, SCENARIOS[i], SETTINGS, system=LimitSystem(), seed=9, path=i)
        assert SERIAL.loss[i] == pytest.approx(one.loss, rel=1e-12)
        assert SERIAL.unmanaged_loss[i] == pytest.approx(one.unmanaged_loss, rel=1e-12)
        assert (SERIAL.controls[i], SERIAL.action_days[i] or None) == (one.control, one.action_day)
        assert SERIAL.passed[i] == one.passed


def test_the_unmanaged_losses_are_those_of_numpy():
    """Draws, moves, revaluation and equity, all by the oracle: shares in dollars, one crisis, three paths."""
    crisis = replace(LEHMAN, duration_days=3, gap=None)
    cov = COSTLY.price_covariance
    normals, scales = oracle.draws([0, 1, 2], 3, 4, 5.0, 9)
    theta = oracle.theta_of(cov, crisis.correlation, np.array([1.0, -1.0]))
    own = np.sqrt(1 - theta) * normals[:, :, :2] @ np.linalg.cholesky(cov).T
    common = np.sqrt(theta) * normals[:, :, 2, None] * np.sqrt(np.diag(cov)) * [1.0, -1.0]
    stressed = [oracle.stressed(cov, 5.0, theta, np.array([1.0, -1.0]))] * 3
    found = run_suite(COSTLY, [crisis] * 3, SETTINGS, seed=9)
    for i in range(3):
        shocks = scales[i][:, None] * 5.0 * (own[i] + common[i])
        moves, _ = oracle.price_moves(shocks, scales[i], stressed, np.array([1.0, 0.6]), np.log(0.9), [0, 0])
        equity = 1 + np.cumsum(
            ((np.cumprod(1 + moves, axis=0)) - np.vstack([[1, 1], np.cumprod(1 + moves, axis=0)[:-1]])) @ [1.0, -0.7]
        )
        assert found.unmanaged_loss[i] == pytest.approx(1 - equity.min(), rel=1e-9)


def test_without_a_system_nothing_is_avoided():
    for system in (None, Unmanaged()):
        found = run_suite(BOOK, SCENARIOS, SETTINGS, system=system, seed=9)
        assert found.loss.tobytes() == found.unmanaged_loss.tobytes() == SERIAL.unmanaged_loss.tobytes()
        assert not found.loss_avoided.any()
        assert set(found.controls) == {None}


def test_a_lower_loss_limit_acts_no_later():
    tight, loose = (
        run_suite(BOOK, [LEHMAN] * 60, SETTINGS, system=LimitSystem(maximum_loss=limit), seed=9)
        for limit in (0.01, 1.0)
    )
    assert "loss_limit" in tight.controls
    assert "loss_limit" not in loose.controls
    assert (tight.action_days <= np.where(loose.action_days > 0, loose.action_days, 99)).all()


def test_the_system_saves_most_of_a_long_crisis_and_nothing_of_a_day():
    """No theorem: a system can sell before a rebound. On average over 60 days at five times the volatility it saves."""
    long = run_suite(BOOK, [replace(LEHMAN, duration_days=60)] * 64, SETTINGS, system=LimitSystem(), seed=9)
    assert long.loss_avoided.mean() > 0.1
    day = run_suite(BOOK, [reference.crises()["flashcrash2010"]] * 64, SETTINGS, system=LimitSystem(), seed=9)
    assert not day.loss_avoided.any()
    assert (day.action_days == 1).any()


def test_verdicts_follow_the_criteria():
    chosen = RiskSettings(stress=StressSettings(maximum_loss=0.05, maximum_var_ratio=3.0))
    found = run_suite(BOOK, SCENARIOS, chosen, system=LimitSystem(), seed=9)
    np.testing.assert_array_equal(found.passed, (found.loss <= 0.05) & (found.var_breach_ratio <= 3.0))
    for passed, reasons in zip(found.passed, found.failed_criteria, strict=True):
        assert bool(passed) == (not reasons)


def test_progress_ends_with_all():
    told = []
    run_suite(BOOK, SCENARIOS, SETTINGS, progress=lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1] == (len(SCENARIOS), len(SCENARIOS))


def test_a_timer_times_every_decision():
    ticks = iter(np.cumsum([0.0, *([0.001, 0.001] * 10), *([0.2, 0.001] * 100)]).tolist())
    found = run_suite(
        BOOK, [replace(LEHMAN, duration_days=2)] * 6, SETTINGS, system=LimitSystem(), timer=lambda: next(ticks)
    )
    assert found.slowest_decision == pytest.approx(0.2)
    late = ["the slowest decision took" in " ".join(reasons) for reasons in found.failed_criteria]
    assert late == (found.slowest_decisions > 0.1).tolist()
    assert not late[0]
    assert late[-1]
    assert SERIAL.slowest_decision is None


def test_an_empty_suite_is_refused():
    with pytest.raises(InvalidArgument, match="at least one simulation"):
        run_suite(BOOK, [], SETTINGS)


def test_no_kernel_compiles_for_other_types_than_warmup_knows():
    for name, (kernel, declared) in _jit.declared().items():
        if name.startswith("stress_paths."):
            assert len(getattr(kernel, "signatures", declared)) == len(declared), name
