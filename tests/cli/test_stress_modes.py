"""``rpm stress`` beyond one parametric step: replays, shocks, paths, reverse stress, synthetic crises."""

import json
import re

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import DATA, SAMPLE
from tests.cli.test_other_commands import SCENARIOS

OWN = """
name: rates2022
title: Rise of interest rates, 2022
description: Bonds and shares fell together.
window: {start: 2022-01-04, end: 2022-10-12}
market_shock: -0.25
volatility_multiplier: 2.0
correlation: null
spread_multiplier: 1.5
volume_reduction: 0.0
gap_size: null
gap_victims: null
regime: stressed
duration_days: 195
"""


def stressed(rpm, *arguments, book=SAMPLE, code=0):
    done = rpm("stress", book, "--json", "--quiet", *arguments)
    assert done.code == code, done.err
    return json.loads(done.out)


def test_all_crises_run_on_the_sample_in_every_mode(rpm):
    found = stressed(rpm, "--all", "--mode", "all")["scenarios"]
    assert {(s["name"], s["mode"]) for s in found} == {
        (name, mode) for name in SCENARIOS for mode in ("parametric", "replay", "factor", "path")
    }
    common = {"name", "title", "mode", "loss", "loss_money", "var_breach_ratio", "passed", "failed_criteria"}
    for scenario in found:
        assert common <= set(scenario)
        assert scenario["loss_money"] == pytest.approx(scenario["loss"] * 1e7)


@pytest.mark.parametrize("width", [60, 80, 100, 120])
@pytest.mark.parametrize(
    "arguments",
    [
        ("--all", "--mode", "all"),
        ("-s", "covid2020", "--mode", "replay"),
        ("-s", "brexit2016", "--mode", "path", "--system", "limits"),
        ("-s", "covid2020", "--gate"),
        ("--all", "--gate"),
        ("--shock", "SP500=-0.1", "--shock", "EURUSD=0.02"),
        ("--reverse", "0.1"),
        ("--synthetic", "60", "--system", "limits"),
    ],
)
def test_the_tables_fit(rpm, width, arguments):
    done = rpm("stress", SAMPLE, "--quiet", *arguments, COLUMNS=str(width))
    assert done.code == 0, done.err
    assert max(map(len, done.out.splitlines())) <= width
    # The text of a criterion may be cut, a figure or a verdict never.
    assert not re.search(r"\d\.?…|\d\.\d+…|Verd\w*…", re.sub(r"(loss \d|a day).*…", "", done.out))


def test_a_replay_is_the_raw_closes(rpm, tmp_path):
    book = tmp_path / "book.csv"
    book.write_text("symbol,weight\nGBPUSD,-1.0\n", encoding="utf-8")
    (found,) = stressed(rpm, "-s", "brexit2016", "--mode", "replay", "--prices", DATA / "prices.parquet", book=book)[
        "scenarios"
    ]
    prices = pq.read_table(DATA / "prices.parquet", columns=["date", "GBPUSD"]).to_pydict()
    closes = {str(d): p for d, p in zip(prices["date"], prices["GBPUSD"], strict=True) if p is not None}
    fall = closes["2016-06-24"] / closes["2016-06-23"] - 1.0
    assert fall == pytest.approx(-0.078, abs=5e-4)
    day = found["dates"].index("2016-06-24")
    before = found["loss_path"][day - 1] if day else 0.0
    assert found["loss_path"][day] - before == pytest.approx(
        fall * closes["2016-06-23"] / closes["2016-06-23"], rel=0.02
    )


def test_shocks_are_taken_exactly_and_the_rest_follows(rpm):
    (found,) = stressed(rpm, "--shock", "MSFT=-0.1")["scenarios"]
    moved = {p["symbol"]: p for p in found["positions"]}
    assert moved["MSFT"]["holding_return"] == pytest.approx(-0.1, abs=1e-15)
    assert moved["MSFT"]["origin"] == "shock"
    assert moved["AAPL"]["holding_return"] < -0.03
    assert found["loss"] == pytest.approx(sum(p["loss"] for p in found["positions"]))
    assert found["residual_volatility"] < found["volatility"]


def test_shocks_of_given_factors(rpm):
    (found,) = stressed(rpm, "--shock", "usd=0.05", "--factors", DATA / "factors.parquet")["scenarios"]
    assert found["factor_returns"]["usd"] == 0.05
    assert {p["symbol"]: p["holding_return"] for p in found["positions"]}["EURUSD"] < -0.04


def test_reverse_loses_what_was_asked_for(rpm):
    found = stressed(rpm, "--reverse", "0.08")
    assert sum(p["loss"] for p in found["positions"]) == pytest.approx(0.08)
    assert found["distance"] == pytest.approx(0.08 / found["volatility"])
    assert [limit["name"] for limit in found["broken_limits"]] == ["value_at_risk", "expected_shortfall"]
    by_factors = stressed(rpm, "--reverse", "0.08", "--factors", DATA / "factors.parquet")
    assert sum(p["loss"] for p in by_factors["positions"]) == pytest.approx(0.08)
    assert set(by_factors["factors"]) >= {"market", "usd"}


def test_synthetic_crises_are_the_same_for_any_number_of_threads(rpm):
    one, two = (stressed(rpm, "--synthetic", "80", "--seed", "3", "--threads", n) for n in ("1", "2"))
    assert one == two
    other = stressed(rpm, "--synthetic", "80", "--seed", "4")
    assert other["quantiles"] != one["quantiles"]
    assert one["summary"]["n_simulations"] == 80
    assert np.isclose(one["summary"]["worst_loss_pct"], 100.0 * one["quantiles"][-1]["loss"])


def test_the_system_says_who_acted_and_what_it_saved(rpm):
    found = stressed(rpm, "--synthetic", "80", "--system", "limits")
    assert found["summary"]["system"] == "limits"
    assert sum(c["n_acted_first"] for c in found["controls"]) > 0
    assert found["summary"]["mean_loss_pct"] < found["summary"]["mean_unmanaged_loss_pct"]


def test_the_gate_says_which_control_fired_on_which_day(rpm):
    report = stressed(rpm, "-s", "covid2020", "--gate")
    (found,) = report["scenarios"]
    assert "one_path" in {warning["code"] for warning in report["warnings"]}
    path = found["path"]
    assert (found["mode"], found["paths_of"], path["system"]) == ("path", "unmanaged", "gate")
    acted = {a["control"]: day["day"] for day in reversed(path["days"]) for a in day["actions"]}
    assert acted["kill_switch:account"] == 1
    assert "gross_exposure" in acted
    halt = next(a for a in path["days"][0]["actions"] if a["control"] == "kill_switch:account")
    assert "halt of account" in halt["reason"]
    assert found["loss"] == path["loss"] < path["unmanaged_loss"]
    assert path["loss_avoided"] == pytest.approx(path["unmanaged_loss"] - path["loss"])
    (again,) = stressed(rpm, "-s", "covid2020", "--system", "gate", "--mode", "path", "--threads", "2")["scenarios"]
    assert again == found


def test_the_table_under_the_gate_tells_day_control_and_reason(rpm):
    done = rpm("stress", SAMPLE, "-s", "covid2020", "--gate", "--quiet")
    assert re.search(r"With gate [\d.]+%, without [\d.]+%: [\d.]+% avoided", done.out)
    assert re.search(r"^ +1 +[\d.]+% +[\d.]+% +-?[\d.]+% kill switch account: halt of account", done.out, re.MULTILINE)


def test_synthetic_crises_pass_the_gate(rpm):
    found = stressed(rpm, "--synthetic", "4", "--gate")
    assert found["summary"]["system"] == "gate"
    assert sum(c["n_acted_first"] for c in found["controls"]) == 4


def test_the_verdict_is_that_under_the_gate(rpm):
    assert rpm("stress", SAMPLE, "-s", "archegos2021", "--gate", "--check", "--quiet").code == 3
    done = rpm(
        "stress", SAMPLE, "-s", "archegos2021", "--gate", "--check", "--quiet", "--set", "stress.maximum_var_ratio=10"
    )
    assert done.code == 0


def test_check_fails_where_any_mode_fails(rpm):
    assert rpm("stress", SAMPLE, "-s", "lehman2008", "--check", "--quiet").code == 0
    assert rpm("stress", SAMPLE, "-s", "lehman2008", "--mode", "all", "--check", "--quiet").code == 3


def test_a_scenario_of_a_desk(rpm, tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text(OWN, encoding="utf-8")
    found = stressed(rpm, "-s", "rates2022", "--scenario-file", file, "--mode", "replay", "--mode", "parametric")
    assert [s["name"] for s in found["scenarios"]] == ["rates2022", "rates2022"]
    assert found["scenarios"][0]["trough"].startswith("2022")
    listed = json.loads(rpm("scenarios", "--scenario-file", file, "--json").out)["scenarios"]
    assert listed[-1]["name"] == "rates2022"
    for arguments in (("show", "rates2022", "--scenario-file", file), ("--scenario-file", file, "show", "rates2022")):
        assert "2022-01-04 to 2022-10-12" in rpm("scenarios", *arguments).out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-s", "lehman2008", "--mode", "repaly"], ["repaly", "did you mean 'replay'"]),
        (["-s", "lehman2008", "--system", "limit"], ["limit", "did you mean 'limits'"]),
        (["--shock", "SP500"], ["SP500", "NAME=MOVE"]),
        (["--shock", "SP500=-1.5"], ["SP500=-1.5"]),
        (["--shock", "SP500=-0.1", "--shock", "SP500=-0.2"], ["twice"]),
        (["--shock", "SP50=-0.1"], ["SP50", "Did you mean 'SP500'"]),
        (["--shock", "dollar=0.1", "--factors", DATA / "factors.parquet"], ["dollar", "factor"]),
        (["--shock", "EURUSD=0.1", "--shock", "GBPUSD=0.1", "--shock", "EURGBP=0.1"], ["EURGBP"]),
        (["--synthetic", "0"], ["n_simulations", "0"]),
        (["--synthetic", "-5"], ["n_simulations", "-5"]),
        (["--reverse", "-0.1"], ["loss", "-0.1"]),
        (["--reverse", "nan"], ["loss"]),
        (["--reverse", "0.1", "--all"], ["--reverse"]),
        (["-s", "lehman2008", "--gate", "--system", "limits"], ["--gate", "not limits"]),
        (["--synthetic", "20000", "--gate"], ["10,000", "20,000"]),
    ],
)
def test_what_cannot_be_run_is_told(rpm, arguments, words):
    done = rpm("stress", SAMPLE, *arguments)
    assert done.code == 2
    for word in words:
        assert word in done.err


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["--reverse", "0.1", "--set", "shock=-0.9"], "--set"),
        (["--reverse", "0.1", "--system", "limits"], "--system"),
        (["--reverse", "0.1", "--check"], "--check"),
        (["--synthetic", "4", "--mode", "replay"], "--mode"),
        (["--synthetic", "4", "--scenario-file", "absent.yaml"], "--scenario-file"),
        (["--shock", "SP500=-0.1", "--propagation", "adverse"], "--propagation"),
        (["-s", "lehman2008", "--factors", DATA / "factors.parquet"], "--factors"),
        (["-s", "lehman2008", "--system", "limits"], "--system"),
        (["-s", "lehman2008", "--gate", "--mode", "replay"], "--gate"),
        (["-s", "lehman2008", "--system", "gate", "--mode", "replay"], "--system"),
        (["--reverse", "0.1", "--gate"], "--gate"),
        (["--shock", "SP500=-0.1", "--gate"], "--gate"),
    ],
)
def test_an_option_that_would_change_nothing_is_refused(rpm, arguments, option):
    done = rpm("stress", SAMPLE, *arguments)
    assert done.code == 2
    assert f"Invalid value for {option}" in done.err
    assert done.out == ""


def test_a_window_outside_the_prices_says_what_is_covered(rpm, write_book):
    book = write_book({"symbol": ["MSFT"], "weight": [0.5]})
    done = rpm("stress", book, "-s", "lehman2008", "--mode", "replay")
    assert done.code == 2
    assert "2008-09-15" in done.err
    assert "2022" in done.err
    rest = stressed(rpm, "-s", "lehman2008", "--mode", "all", book=book)
    assert {s["mode"] for s in rest["scenarios"]} >= {"parametric", "path"}
    assert "mode_skipped" in {w["code"] for w in rest["warnings"]}


def test_a_bad_scenario_file_is_told_by_line(rpm, tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text(OWN.replace("market_shock: -0.25", "market_shock: 0.25"), encoding="utf-8")
    done = rpm("stress", SAMPLE, "-s", "rates2022", "--scenario-file", file)
    assert done.code == 2
    for word in ("own.yaml", "line 6", "market_shock", "0.25"):
        assert word in done.err


def test_the_remedy_for_different_clocks_is_one_that_the_command_takes(rpm):
    found = stressed(rpm, "-s", "brexit2016")
    (told,) = [w["message"] for w in found["warnings"] if w["code"] == "unsynchronised_clocks"]
    option = re.search(r"\((--set \S+)\)", told)[1].split()
    assert "two days" not in json.dumps(stressed(rpm, "-s", "brexit2016", *option)["warnings"])
