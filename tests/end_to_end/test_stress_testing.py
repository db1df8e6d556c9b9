"""The specification's example of stress testing, as it stands there."""

import re
from itertools import count
from pathlib import Path

import pytest

from rpmcore import CrisisScenario, StressTestEngine, new_gate
from rpmcore.risk.stress.system import LimitSystem

ROOT = Path(__file__).parents[2]
POSITIONS = {"EURUSD": 100_000, "GBPUSD": 50_000}


def test_the_example_of_the_specification():
    stress_engine, rpm_instance = StressTestEngine(), LimitSystem()
    for scenario in CrisisScenario:
        result = stress_engine.run_historical_crisis_test(
            scenario=scenario,
            initial_portfolio_value=1_000_000,
            initial_positions=POSITIONS,
            rpm_system=rpm_instance,
        )
        assert result.name == scenario.value
        assert result.passed == (not result.failed_criteria)
    mc_results = stress_engine.run_monte_carlo_stress_suite(
        n_simulations=100, initial_value=1_000_000, initial_positions=POSITIONS, rpm_system=rpm_instance
    )
    report = stress_engine.generate_stress_report(mc_results)
    assert 0.0 <= report["summary"]["pass_rate_pct"] <= 100.0
    assert report["summary"]["n_simulations"] == 100


def test_the_example_of_the_specification_with_a_gate(capsys):
    """As `docs/crises.md` has it."""
    page = (ROOT / "docs" / "crises.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(snippet, "docs/crises.md", "exec"), names)  # noqa: S102 - our own page
    said = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in said] == [*(scenario.value for scenario in CrisisScenario), "Pass rate"]
    assert names["result"].path.system == names["report"]["summary"]["system"] == "gate"
    assert names["rpm_instance"].engine.sequence == 0  # the crises went through gates of their own


def test_decisions_of_a_gate_are_timed():
    ticks = count(step=0.03)
    engine = StressTestEngine(timer=lambda: next(ticks))
    found = engine.run_historical_crisis_test("flashcrash2010", 1_000_000, POSITIONS, new_gate()).path
    assert found.slowest_decision == pytest.approx(0.03)
    slow = StressTestEngine(timer=lambda: 5 * next(ticks))
    found = slow.run_historical_crisis_test("flashcrash2010", 1_000_000, POSITIONS, new_gate())
    assert any("150 ms" in reason for reason in found.failed_criteria)


def test_positions_are_base_units_at_the_last_price():
    engine = StressTestEngine()
    (eur,) = engine.run_historical_crisis_test(
        "lehman2008", 1_000_000, {"EURUSD": 100_000}, LimitSystem()
    ).parametric.positions
    assert eur.weight == pytest.approx(0.1 * 1.06, rel=0.02)  # EURUSD stood at 1.06 at the end of 2022


def test_in_another_account_currency():
    engine = StressTestEngine(base_currency="EUR")
    (eur,) = engine.run_historical_crisis_test(
        "lehman2008", 1_000_000, {"EURUSD": 100_000}, LimitSystem()
    ).parametric.positions
    assert eur.weight == pytest.approx(0.1)
