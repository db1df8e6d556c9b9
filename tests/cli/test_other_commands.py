import json
import re
import subprocess
import sys

import pytest

from tests.cli.conftest import SAMPLE

SCENARIOS = ["lehman2008", "flashcrash2010", "covid2020", "brexit2016", "archegos2021"]


def test_the_version(rpm):
    assert re.fullmatch(r"rpm \d+\.\d+\.\d+\S*\n", rpm("--version").out)


def test_every_command_has_help_that_says_what_it_does(rpm):
    commands = re.findall(
        r"^\W*(evaluate|exposure|stress|backtest|scenarios|warmup|doctor)\s+(\w.*)$",
        rpm("--help", COLUMNS="120").out,
        re.MULTILINE,
    )
    assert {name for name, _ in commands} == {
        "evaluate", "exposure", "stress", "backtest", "scenarios", "warmup", "doctor",
    }  # fmt: skip
    for name, _ in commands:
        assert rpm(name, "--help").code == 0


def test_stress_one_scenario(rpm, tmp_path):
    done = rpm("stress", "--scenario", "lehman2008", "--json", cwd=tmp_path)
    assert done.code == 0
    found = json.loads(done.out)
    assert found["schema"] == "rpm.stress/1"
    (scenario,) = found["scenarios"]
    assert {
        "name", "mode", "loss", "loss_money", "stressed_var", "var_breach_ratio", "liquidation_cost",
        "days_to_liquidate", "passed", "failed_criteria", "positions",
    } <= scenario.keys()  # fmt: skip
    assert sum(p["loss"] for p in scenario["positions"]) == pytest.approx(scenario["loss"], rel=1e-12)
    assert scenario["loss"] == pytest.approx(scenario["loss_money"] / found["book"]["capital"])
    assert scenario["var_breach_ratio"] == pytest.approx(scenario["loss"] / scenario["stressed_var"])


@pytest.mark.parametrize("width", [80, 120])
def test_stress_all_fits_the_terminal(rpm, width):
    done = rpm("stress", SAMPLE, "--all", COLUMNS=str(width))
    assert done.code == 0
    assert max(len(line) for line in done.out.splitlines()) <= width
    for name in SCENARIOS:
        assert name in done.out


def test_a_larger_shock_loses_more_and_fails_the_check(rpm):
    def loss(*extra):
        done = rpm("stress", SAMPLE, "-s", "lehman2008", "--json", "--check", *extra)
        return done.code, json.loads(done.out)["scenarios"][0]["loss"]

    calm, crash = loss(), loss("--set", "shock=-0.5")
    assert calm[0] == 0
    assert crash[0] == 3
    assert crash[1] > calm[1] > 0


def test_propagation(rpm):
    def losses(how):
        done = rpm("stress", SAMPLE, "-s", "lehman2008", "--json", "--propagation", how)
        return json.loads(done.out)["scenarios"][0]

    uniform, adverse = losses("uniform"), losses("adverse")
    assert all(p["loss"] > 0 for p in adverse["positions"])
    assert adverse["loss"] > uniform["loss"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--scenario", "lehmann2008"], "did you mean 'lehman2008'?"),
        (["--scenario", "lehman2008", "--all"], "--all"),
        ([], "--scenario NAME, --all"),
        (["--scenario", "lehman2008", "--set", "shok=-0.2"], "shok"),
        (["--scenario", "lehman2008", "--set", "shock=0.2"], "market_shock"),
        (["--scenario", "lehman2008", "--set", "shock=nan"], "market_shock"),
        (["--scenario", "lehman2008", "--propagation", "gamma"], "'beta', 'uniform' or 'adverse'"),
    ],
)
def test_stress_misused(rpm, arguments, told):
    done = rpm("stress", SAMPLE, *arguments)
    assert done.code == 2
    assert told in done.err.replace("\n", " ")


def test_the_library_lists_and_tells_each_crisis(rpm):
    assert [s["name"] for s in json.loads(rpm("scenarios", "--json").out)["scenarios"]] == SCENARIOS
    listed = rpm("scenarios", COLUMNS="80").out
    assert max(len(line) for line in listed.splitlines()) <= 80
    for name in SCENARIOS:
        assert name in listed
        shown = rpm("scenarios", "show", name)
        assert shown.code == 0
        assert "specification" in shown.out
    done = rpm("scenarios", "show", "lehman")
    assert done.code == 2
    assert "did you mean 'lehman2008'?" in done.err


def test_warmup_compiles_every_kernel_and_evaluate_then_has_nothing_to_say(rpm, tmp_path):
    first = rpm("evaluate", "--json", NUMBA_CACHE_DIR=str(tmp_path / "cold"))
    assert "compiling" in first.err
    warm = str(tmp_path / "warm")
    done = rpm("warmup", NUMBA_CACHE_DIR=warm)
    assert done.code == 0
    assert re.search(r"\d+ kernels are compiled", done.out)
    assert "compiling" not in rpm("evaluate", NUMBA_CACHE_DIR=warm).err


def test_a_command_is_found_behind_an_option_and_a_misspelt_one_names_the_nearest(rpm):
    assert rpm("--environment", "dev", "config", "show", "--section", "flags", "--quiet").code == 0
    done = rpm("evalute")
    assert done.code == 2
    assert "Did you mean 'evaluate'?" in done.err


def test_a_command_ends_without_a_last_look_for_garbage():
    code = (
        "import atexit, gc, sys\n"
        "atexit.register(lambda: print('frozen', gc.get_freeze_count() > 10_000))\n"
        "sys.argv = ['rpm', 'scenarios']\n"
        "from rpm_cli.main import run\n"
        "run()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("frozen True\n")
