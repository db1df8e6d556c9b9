"""The example of the specification, on prices in memory, and what cannot be asked."""

import json
from dataclasses import replace

import numpy as np
import pytest

from rpmcore.domain import reference
from rpmcore.domain.crises import CrisisScenario
from rpmcore.domain.errors import ConfigurationError, InputError, InvalidArgument
from rpmcore.domain.portfolio import Holding
from rpmcore.risk.settings import RiskSettings, StressSettings
from rpmcore.risk.stress.stress_test_engine import StressTestEngine
from rpmcore.risk.stress.system import LimitSystem, Unmanaged
from tests.stressed_books import inputs, mixed, pair, share

KNOWN = mixed()
POSITIONS = {"A": 4000, "USDJPY": -200_000.0, "EURGBP": 50_000}
ENGINE = StressTestEngine(inputs=KNOWN)


def test_the_example_of_the_specification(capsys):
    engine = StressTestEngine(inputs=mixed())
    for scenario in CrisisScenario:
        result = engine.run_historical_crisis_test(
            scenario=scenario,
            initial_portfolio_value=1_000_000,
            initial_positions=POSITIONS,
            rpm_system=LimitSystem(),
        )
        print(f"{scenario.value}: {'PASS' if result.passed else 'FAIL'}")
    results = engine.run_monte_carlo_stress_suite(
        n_simulations=100, initial_value=1_000_000, initial_positions=POSITIONS, rpm_system=LimitSystem()
    )
    report = engine.generate_stress_report(results)
    print(f"Pass rate: {report['summary']['pass_rate_pct']:.1f}%")
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == [*(s.value for s in CrisisScenario), "Pass rate"]
    assert report["summary"]["pass_rate_pct"] == pytest.approx(100 * results.passed.mean())


def test_positions_are_units_valued_at_the_last_closes():
    last = dict(zip(KNOWN.history.symbols, KNOWN.history.closes[-1].tolist(), strict=True))
    seen = {}

    class Looks(Unmanaged):
        def start(self, start):
            seen.update(zip(start.symbols, start.market_values.tolist(), strict=True))
            return self

    ENGINE.run_historical_crisis_test("lehman2008", 1e6, POSITIONS, Looks())
    assert seen["A"] == pytest.approx(4000 * last["A"])
    assert seen["USDJPY"] == pytest.approx(-200_000)  # base units are dollars, the account's own
    assert seen["EURGBP"] == pytest.approx(50_000 * last["EURGBP"] * last["GBPUSD"])


def test_a_lot_of_a_contract_is_counted_in_units():
    lots = replace(share("A"), contract_size=100.0)
    engine = StressTestEngine(inputs=inputs([("A", 1.0)], [lots]))
    plain = StressTestEngine(inputs=inputs([("A", 1.0)], [share("A")]))
    found, wanted = (e.run_historical_crisis_test("covid2020", 1e6, {"A": 5000}, Unmanaged()) for e in (engine, plain))
    assert found.path.loss == pytest.approx(wanted.path.loss)


def test_the_inputs_can_be_a_function_of_the_book():
    asked = []

    def find(book):
        asked.append(book)
        return replace(mixed(), book=replace(book, base_currency="USD"), profiles={"A": KNOWN.profiles["A"]})

    engine = StressTestEngine(inputs=find)
    found = engine.run_historical_crisis_test("lehman2008", 1e6, {"A": 4000}, LimitSystem())
    assert asked[0].holdings == (Holding(symbol="A", size=4000.0),)
    assert asked[0].capital == 1e6
    assert found.path.loss == ENGINE.run_historical_crisis_test("lehman2008", 1e6, {"A": 4000}, LimitSystem()).path.loss


def test_spreads_and_volumes_of_the_known_book_are_charged():
    rows = [Holding(symbol="A", size=1.0, spread_bps=30.0, adv=2e6)]
    dear = StressTestEngine(inputs=inputs(rows, [share("A")]))
    free = StressTestEngine(inputs=inputs([("A", 1.0)], [share("A")]))
    positions = {"A": 15_000}
    costly, cheap = (e.run_historical_crisis_test("lehman2008", 1e6, positions, LimitSystem()) for e in (dear, free))
    assert costly.path.unmanaged_loss == cheap.path.unmanaged_loss
    assert costly.path.loss != cheap.path.loss
    assert costly.parametric.liquidation_cost is not None


def test_both_modes_are_judged_and_named():
    strict = StressTestEngine(RiskSettings(stress=StressSettings(maximum_loss=1e-6)), inputs=mixed())
    result = strict.run_historical_crisis_test("lehman2008", 1e6, {"A": 9000}, LimitSystem())
    assert not result.passed
    assert [reason.partition(":")[0] for reason in result.failed_criteria if "loss" in reason][:2] == [
        "parametric",
        "path",
    ]
    assert result.path.control is not None
    calm = StressTestEngine(
        RiskSettings(stress=StressSettings(maximum_loss=1.0, maximum_var_ratio=100.0)), inputs=mixed()
    ).run_historical_crisis_test("lehman2008", 1e6, {"A": 9000}, LimitSystem())
    assert calm.passed


def test_reports_are_json_and_add_up():
    suite = ENGINE.run_monte_carlo_stress_suite(80, 1e6, POSITIONS, LimitSystem())
    report = json.loads(json.dumps(ENGINE.generate_stress_report(suite), allow_nan=False))
    summary = report["summary"]
    assert summary["n_passed"] + summary["n_failed"] == summary["n_simulations"] == 80
    assert sum(kind["n"] for kind in report["kinds"]) == 80
    assert sum(c["n_acted_first"] for c in report["controls"]) == sum(c is not None for c in suite.controls)
    assert report["worst"][0]["loss_pct"] == summary["worst_loss_pct"] == pytest.approx(100 * suite.loss.max())
    assert summary["mean_loss_avoided_pct"] == pytest.approx(
        summary["mean_unmanaged_loss_pct"] - summary["mean_loss_pct"]
    )
    assert summary["slowest_decision_ms"] is None
    assert summary["slowest_decision_ms_reason"].startswith("not measured")
    assert report["criteria"] == {"maximum_loss_pct": 15.0, "maximum_var_ratio": 2.0, "slowest_decision_ms": 100.0}
    crises = [ENGINE.run_historical_crisis_test(s, 1e6, POSITIONS, LimitSystem()) for s in CrisisScenario]
    report = json.loads(json.dumps(ENGINE.generate_stress_report(crises), allow_nan=False))
    assert report["summary"]["n_scenarios"] == 5
    assert [one["name"] for one in report["scenarios"]] == list(reference.crises())
    assert json.dumps(ENGINE.generate_stress_report(crises[0]))


def silent(report):
    """Every null of a report without a reason beside it."""
    if isinstance(report, dict):
        nulls = [k for k, v in report.items() if v is None and not report.get(f"{k}_reason")]
        return nulls + [k for v in report.values() for k in silent(v)]
    return [k for one in report for k in silent(one)] if isinstance(report, list) else []


def test_what_a_report_lacks_it_explains():
    suite = ENGINE.run_monte_carlo_stress_suite(4, 1e6, POSITIONS, Unmanaged())
    crisis = ENGINE.run_historical_crisis_test("archegos2021", 1e6, POSITIONS, Unmanaged())
    for results in (suite, crisis):
        report = ENGINE.generate_stress_report(results)
        assert silent(report) == []
        (one, *_) = report.get("worst") or report["scenarios"]
        assert one["control"] is None
        assert one["control_reason"] == "no control acted"


def test_the_same_settings_give_the_same_bits_and_threads_change_nothing():
    one, other = (
        StressTestEngine(inputs=mixed(), threads=threads).run_monte_carlo_stress_suite(
            100, 1e6, POSITIONS, LimitSystem()
        )
        for threads in (1, 4)
    )
    assert one.loss.tobytes() == other.loss.tobytes()


def test_a_timer_makes_decisions_measured():
    ticks = iter(np.arange(0, 1e4, 0.001).tolist())
    engine = StressTestEngine(inputs=mixed(), timer=lambda: next(ticks))
    result = engine.run_historical_crisis_test("brexit2016", 1e6, POSITIONS, LimitSystem())
    assert result.path.slowest_decision == pytest.approx(0.001)


@pytest.mark.parametrize("n", [0, -5, 2.5, True, "10"])
def test_a_number_of_simulations_that_is_none(n):
    with pytest.raises(InvalidArgument, match="n_simulations must be a whole number from 1"):
        ENGINE.run_monte_carlo_stress_suite(n, 1e6, POSITIONS, LimitSystem())


def test_an_unknown_scenario_names_the_nearest():
    with pytest.raises(ConfigurationError, match="did you mean 'lehman2008'"):
        ENGINE.run_historical_crisis_test("lehman08", 1e6, POSITIONS, LimitSystem())


@pytest.mark.parametrize("value", [0, -1e6, float("nan"), float("inf"), "1e6", None])
def test_an_impossible_value(value):
    with pytest.raises(InvalidArgument, match="the initial value must be a positive number"):
        ENGINE.run_historical_crisis_test("lehman2008", value, POSITIONS, LimitSystem())


@pytest.mark.parametrize(
    ("positions", "message"),
    [
        ({}, "must map symbols"),
        (None, "must map symbols"),
        ({"A": 0.0}, "every position is zero"),
        ({"A": float("nan")}, r"initial_positions\['A'\] must be a finite number"),
        ({"A": "ten"}, "must be a finite number"),
    ],
)
def test_impossible_positions(positions, message):
    with pytest.raises(InvalidArgument, match=message):
        ENGINE.run_monte_carlo_stress_suite(10, 1e6, positions, LimitSystem())


def test_a_symbol_that_cannot_be_valued_names_the_nearest():
    with pytest.raises(InputError, match="Did you mean 'USDJPY'"):
        ENGINE.run_historical_crisis_test("lehman2008", 1e6, {"USDJPI": 1.0}, LimitSystem())


def test_what_is_no_risk_system_is_refused():
    with pytest.raises(InvalidArgument, match="rpm_system must have a name and a method start"):
        ENGINE.run_historical_crisis_test("lehman2008", 1e6, POSITIONS, object())


def test_without_prices_the_engine_says_what_it_needs():
    with pytest.raises(InvalidArgument, match="no prices to value positions with"):
        StressTestEngine().run_historical_crisis_test("lehman2008", 1e6, POSITIONS, LimitSystem())


def test_no_result_is_no_report():
    with pytest.raises(InvalidArgument, match="no result"):
        ENGINE.generate_stress_report([])


def test_an_unmanaged_pair_loses_what_it_loses_in_full():
    engine = StressTestEngine(
        RiskSettings(stress=StressSettings(propagation="uniform")),
        inputs=inputs([("USDJPY", 1.0)], [pair("USDJPY")], size=1e-9),
    )
    crisis = replace(reference.crises()["lehman2008"], duration_days=1, gap=None)
    result = engine.run_historical_crisis_test(crisis, 100_000, {"USDJPY": 100_000}, Unmanaged())
    assert result.path.loss == pytest.approx(1 / 9, rel=1e-6)
    assert result.parametric.loss == pytest.approx(1 / 9, rel=1e-12)
