"""Settings of the wrong type are refused by every job in one sentence, and never taken for the defaults."""

import inspect
from pathlib import Path

import pytest

import rpmcore
from rpmcore.domain.errors import InvalidArgument

BUY = {"side": "buy", "entry": 1.1, "stop": 1.08, "capital": 1e5}
JOBS = {
    "backtest": rpmcore.backtest,
    "compare_policies": lambda settings: rpmcore.compare_policies("desk.ledger", settings),
    "evaluate": rpmcore.evaluate,
    "exposure": rpmcore.exposure,
    "gate_run": rpmcore.gate_run,
    "limits": rpmcore.limits,
    "new_gate": rpmcore.new_gate,
    "regime": rpmcore.regime,
    "reload_settings": lambda settings: rpmcore.reload_settings("desk.ledger", settings),
    "replay_kill_switches": lambda settings: rpmcore.replay_kill_switches("x.csv", capital=1e5, settings=settings),
    "reverse_stress": lambda settings: rpmcore.reverse_stress(loss=0.1, settings=settings),
    "simulate_kill_switches": lambda settings: rpmcore.simulate_kill_switches(days=100, settings=settings),
    "size": lambda settings: rpmcore.size("EURUSD", settings=settings, **BUY),
    "strategies": rpmcore.strategies,
    "stress": rpmcore.stress,
    "synthetic_stress": lambda settings: rpmcore.synthetic_stress(n_simulations=4, settings=settings),
    "what_if_of_book": lambda settings: rpmcore.what_if_of_book(None, print, settings),
}
OF_A_SECTION = {"send_test_alert"}
"""Takes the section ``alerts`` alone."""


@pytest.mark.parametrize("name", JOBS)
def test_a_mapping_or_a_path_is_no_settings(name):
    for given, what in (
        ({"limits": {"value_at_risk": 0.01}}, "of type dict"),
        ({}, "of type dict"),
        ("rpm.yaml", "the path 'rpm.yaml'"),
        (Path("rpm.yaml"), "the path 'rpm.yaml'"),
        (rpmcore.Settings, "the class Settings"),
        (rpmcore.Settings().limits, "of type LimitsSettings"),
    ):
        with pytest.raises(InvalidArgument, match=f"^settings must be what load_settings returns, but is {what}: "):
            JOBS[name](settings=given)


def test_the_engine_of_crises_refuses_them_too():
    with pytest.raises(InvalidArgument, match="load_settings"):
        rpmcore.StressTestEngine({})
    with pytest.raises(InvalidArgument, match="load_settings"):
        rpmcore.GateSystem(None, {})


def test_these_are_all_jobs_that_take_settings():
    public = {name: getattr(rpmcore, name) for name in rpmcore.__all__}
    taking = {
        name for name, job in public.items()
        if inspect.isfunction(job) and "settings" in inspect.signature(job).parameters
    }  # fmt: skip
    assert taking == {*JOBS, *OF_A_SECTION}
