"""The specification's example of stress testing, as it stands there."""

from time import perf_counter

import pytest

from rpmcore import CrisisScenario, StressTestEngine
from rpmcore.adapters.configuration.loading import Settings
from rpmcore.domain import reference
from rpmcore.gate import RiskGate
from rpmcore.gate_start import gate_prices, genesis_of
from rpmcore.risk.stress.system import LimitSystem

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
    stress_engine, positions = StressTestEngine(timer=perf_counter), POSITIONS
    settings = Settings()
    genesis = genesis_of(reference.sample_path("opening_book.parquet"), gate_prices(None), settings)
    with RiskGate.in_memory(genesis) as rpm_instance:
        for scenario in CrisisScenario:
            result = stress_engine.run_historical_crisis_test(
                scenario=scenario,
                initial_portfolio_value=1_000_000,
                initial_positions=positions,
                rpm_system=rpm_instance,
            )
            print(f"{scenario.value}: {'PASS' if result.passed else 'FAIL'}")
            assert result.path.system == "gate"
            assert result.path.slowest_decision is not None
        mc_results = stress_engine.run_monte_carlo_stress_suite(
            n_simulations=8, initial_value=1_000_000, initial_positions=positions, rpm_system=rpm_instance
        )
        report = stress_engine.generate_stress_report(mc_results)
        print(f"Pass rate: {report['summary']['pass_rate_pct']:.1f}%")
        assert rpm_instance.engine.sequence == 0  # the crises went through gates of their own
    assert [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()] == [
        *(scenario.value for scenario in CrisisScenario), "Pass rate",
    ]  # fmt: skip


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
