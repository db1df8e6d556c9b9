"""What ``rpm evaluate`` does on request, as a user asks for it."""

import csv
import json
import re

import pyarrow.parquet as pq
import pytest

from rpm_cli.rendering import progress
from rpmcore import api
from tests.cli.conftest import SAMPLE

QUICK = ("--set", "tail_risk.resamples=100", "--paths", "20000")


def evaluate(rpm, *arguments, **environment):
    done = rpm("evaluate", SAMPLE, "--json", *QUICK, *arguments, **environment)
    assert done.code == 0, done.err
    return json.loads(done.out)


def rows(found, method):
    return [row for row in found["tail_risk"] if row["method"] == method]


def test_every_method_at_once_and_in_the_order_asked_for(rpm):
    found = evaluate(rpm, "--method", "all")
    methods = list(dict.fromkeys(row["method"] for row in found["tail_risk"]))
    assert methods == [
        "historical", "filtered_historical", "normal", "student_t", "cornish_fisher", "extreme_value", "monte_carlo",
    ]  # fmt: skip
    for row in found["tail_risk"]:
        # The same book by seven methods: none is far from the others.
        low, high = {0.95: (0.012, 0.022), 0.99: (0.020, 0.036)}[row["confidence"]]
        assert low < row["value_at_risk"] < high, row
        assert row["value_at_risk"] < row["expected_shortfall"] < 1.8 * row["value_at_risk"]
        assert row["n_paths"] is not None or row["n_paths_reason"]
        assert row["lower"] is not None or row["lower_reason"]
    two = evaluate(rpm, "-m", "cornish_fisher", "-m", "historical")
    assert list(dict.fromkeys(row["method"] for row in two["tail_risk"])) == ["cornish_fisher", "historical"]
    assert two["methods"]["paths"] is None


@pytest.mark.parametrize("width", [80, 120])
def test_studies_fit_the_terminal(rpm, width):
    done = rpm(
        "evaluate", SAMPLE, *QUICK, "-m", "all", "--decompose", "all", "--compare-covariance", "--rolling",
        COLUMNS=str(width),
    )  # fmt: skip
    assert done.code == 0, done.err
    assert max(len(line) for line in done.out.splitlines()) <= width
    assert not re.search(r"\d…", done.out)  # no number is cut
    for words in (
        "Parts of historical VaR and CVaR, 0.95, one day",
        "Parts of extreme value VaR",
        "Covariance forecasts of this book over 500 days, best first",
        "(in use)",
        "Through time: 500 days",
        "Violations",
    ):
        assert words in done.out


def test_parts_of_a_method_sum_to_its_figures(rpm):
    found = evaluate(rpm, "--decompose", "historical", "--decompose", "student_t")
    assert [(d["method"], d["confidence"]) for d in found["decomposition"]] == [
        ("historical", 0.95), ("historical", 0.99), ("student_t", 0.95), ("student_t", 0.99),
    ]  # fmt: skip
    for decomposition in found["decomposition"]:
        row = next(r for r in rows(found, decomposition["method"]) if r["confidence"] == decomposition["confidence"])
        for name in ("value_at_risk", "expected_shortfall"):
            assert decomposition["total"][name] == row[name]
            parts = [c["component"][name] for c in decomposition["components"]]
            assert sum(parts) == pytest.approx(row[name], rel=1e-10)
        assert len(decomposition["components"]) == found["book"]["n_positions"]


def test_a_method_that_is_none_is_named_with_the_nearest(rpm):
    done = rpm("evaluate", SAMPLE, "--decompose", "historic")
    assert done.code == 2
    assert "did you mean 'historical'" in done.err
    assert rpm("evaluate", SAMPLE, "--method", "garch").code == 2


def test_covariances_are_scored_and_the_one_in_use_is_marked(rpm):
    found = evaluate(rpm, "--compare-covariance", "--covariance", "oas")
    scores = found["covariance_comparison"]
    assert len(scores) >= 9
    assert [s["name"] for s in scores if s["configured"]] == ["OAS"]
    assert scores[0]["qlike_excess"] == 0.0
    assert {s["n_forecasts"] for s in scores} == {500}
    assert evaluate(rpm)["covariance_comparison"] == []


@pytest.mark.parametrize(
    ("arguments", "method"),
    [
        (("--covariance", "oas"), "oas"),
        (("--covariance", "nonlinear_shrinkage"), "nonlinear_shrinkage"),
        (("--covariance", "ledoit_wolf", "--shrinkage-target", "constant_correlation"), "ledoit_wolf"),
    ],
)
def test_every_estimator_is_within_reach(rpm, arguments, method):
    found = evaluate(rpm, *arguments)
    assert found["covariance"]["method"] == method
    # All estimate the same book: within a third of each other.
    assert 0.12 < found["volatility"]["annual"] < 0.22


def test_two_day_returns_come_back_to_one_day_with_resampled_intervals(rpm):
    one, two = evaluate(rpm), evaluate(rpm, "--return-days", "2")
    assert two["methods"]["return_days"] == 2
    assert "bootstrap" in two["methods"]["intervals"]
    assert two["volatility"]["annual"] == pytest.approx(one["volatility"]["annual"], rel=0.15)
    for before, after in zip(rows(one, "historical"), rows(two, "historical"), strict=True):
        assert after["horizon"] == 1
        assert after["scaling"] == "square root of time"
        assert after["value_at_risk"] == pytest.approx(before["value_at_risk"], rel=0.2)
        assert after["lower"] < after["value_at_risk"]
    middle, far = rows(two, "historical")
    assert middle["upper"] > middle["value_at_risk"]
    # 250 independent rows need not hold a loss beyond the 99 % quantile.
    assert far["upper"] is None
    assert "too few" in far["upper_reason"]
    assert rows(evaluate(rpm, "--return-days", "2", "--horizon", "2"), "historical")[0]["scaling"] == "none"
    assert "lessen" in next(w["message"] for w in two["warnings"] if w["code"] == "unsynchronised_clocks")


def test_bootstrap_intervals_and_their_seed(rpm):
    one = evaluate(rpm, "--intervals", "bootstrap")
    assert rows(one, "historical") == rows(evaluate(rpm, "--intervals", "bootstrap"), "historical")
    assert rows(one, "historical") != rows(evaluate(rpm, "--intervals", "bootstrap", "--seed", "1"), "historical")
    assert rows(one, "historical")[0]["value_at_risk"] == rows(evaluate(rpm), "historical")[0]["value_at_risk"]


def test_the_interpolated_quantile(rpm):
    plain, interpolated = evaluate(rpm), evaluate(rpm, "--quantile", "type7")
    # 500 × 5 % = 25: type 7 reads between the 25th and the 26th worst loss.
    assert rows(interpolated, "historical")[0]["value_at_risk"] < rows(plain, "historical")[0]["value_at_risk"]
    assert "type 7" in interpolated["methods"]["quantile"]


def test_a_correlation_that_cannot_be_is_told_and_loosens_no_advice(rpm, tmp_path):
    symbols = list(dict.fromkeys(pq.read_table(SAMPLE)["symbol"].to_pylist()))
    file = tmp_path / "views.csv"
    with file.open("w", newline="") as out:
        table = csv.writer(out)
        table.writerow(["symbol", *symbols])
        table.writerows([s, *(1.0 if s == t else -0.5 for t in symbols)] for s in symbols)
    plain, given = evaluate(rpm), evaluate(rpm, "--correlation", file)
    assert "correlation_repaired" in {w["code"] for w in given["warnings"]}
    assert given["scaling"] == plain["scaling"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-c", "95"), ["--confidence", "did you mean 0.95"]),
        (("-m", "garch"), ["--method", "garch"]),
        (("--covariance", "ledoitwolf"), ["--covariance", "ledoitwolf"]),
        (("--tail-lookback", "10"), ["--tail-lookback", "10"]),
        (("--shrinkage-target", "constant"), ["--shrinkage-target", "constant"]),
        (("--sampling", "sobol", "--paths", "1000"), ["simulation", "multiples of 16", "992"]),
        (("-c", "0.99", "-c", "0.99"), ["confidences names one twice"]),
        (("--precision", "0.01", "--paths", "1000"), ["--precision", "--paths", "not both"]),
        (("--set", "limits.bind_on=lower"), ["limits.bind_on", "lower"]),
    ],
)
def test_messages_name_what_was_typed(rpm, arguments, words):
    done = rpm("evaluate", SAMPLE, *arguments)
    assert done.code == 2
    for word in words:
        assert word in done.err
    assert "at least 1 item" not in done.err


def test_limits_on_the_upper_bound_are_harder_to_meet(rpm):
    point, upper = evaluate(rpm), evaluate(rpm, "--bind-on", "upper")
    for before, after in zip(point["limits"][:2], upper["limits"][:2], strict=True):
        assert after["observed"] > before["observed"]
        assert "upper end of 90%" in after["measure"]
    done = rpm("evaluate", SAMPLE, *QUICK, "--bind-on", "upper", "--check", "--quiet")
    assert done.code == 3  # 1.73 % holds a limit of 2 %, the upper end of its interval does not


def test_an_upper_bound_that_is_not_known_fails_closed(rpm):
    """A hundred returns have no order statistic above their worst at 99 %: the limit is breached, and says why."""
    done = rpm(
        "evaluate", SAMPLE, *QUICK, "--json", "--bind-on", "upper", "--tail-lookback", "100", "--check",
        "--set", "limits.confidence=0.99", "--set", "limits.value_at_risk=0.5",
    )  # fmt: skip
    assert done.code == 3
    limit = json.loads(done.out)["limits"][0]
    assert limit["observed"] is None
    assert "too few" in limit["observed_reason"]


def test_given_correlations_replace_the_estimated_ones_and_loosen_no_limit(rpm, tmp_path):
    symbols = list(dict.fromkeys(pq.read_table(SAMPLE)["symbol"].to_pylist()))
    file = tmp_path / "views.csv"
    with file.open("w", newline="") as out:
        table = csv.writer(out)
        table.writerow(["symbol", *symbols])
        table.writerows([s, *(1.0 if s == t else 0.9 for t in symbols)] for s in symbols)
    plain, given = evaluate(rpm), evaluate(rpm, "--correlation", file)
    assert given["covariance"]["given_correlation"] == str(file)
    assert given["covariance"]["repair_distance"] < 1e-8
    assert given["volatility"]["annual"] != pytest.approx(plain["volatility"]["annual"], rel=0.01)
    assert given["limits"] == plain["limits"]
    for before, after in zip(plain["components"], given["components"], strict=True):
        assert after["volatility"] == pytest.approx(before["volatility"], rel=1e-9)
    done = rpm("evaluate", SAMPLE, "--correlation", tmp_path / "none.csv")
    assert done.code == 2
    assert "there is no such file" in done.err


def test_a_precision_in_place_of_paths(rpm):
    found = json.loads(rpm("evaluate", SAMPLE, "--json", "--precision", "0.004").out)
    for row in rows(found, "monte_carlo"):
        assert row["value_at_risk_error"] <= 0.004 * row["value_at_risk"]
        assert row["expected_shortfall_error"] <= 0.004 * row["expected_shortfall"]
        assert row["n_paths"] == found["methods"]["paths"] > 20_000
    again = evaluate(rpm, "--paths", str(found["methods"]["paths"]))
    for one, other in zip(rows(found, "monte_carlo"), rows(again, "monte_carlo"), strict=True):
        assert one["value_at_risk"] == other["value_at_risk"]


def test_sobol_points_take_the_error_down(rpm):
    pseudo, sobol = evaluate(rpm), evaluate(rpm, "--sampling", "sobol", "--distribution", "normal")
    for one, other in zip(rows(pseudo, "monte_carlo"), rows(sobol, "monte_carlo"), strict=True):
        assert other["value_at_risk_error"] < 0.2 * one["value_at_risk_error"]
    normal = rows(sobol, "normal")
    for one, other in zip(rows(sobol, "monte_carlo"), normal, strict=True):
        assert one["value_at_risk"] == pytest.approx(other["value_at_risk"], rel=2e-3)


def test_one_shock_an_instrument_is_the_same_law(rpm):
    book, assets = evaluate(rpm), evaluate(rpm, "--shocks", "assets", "--sampling", "antithetic", "--threads", "2")
    for one, other in zip(rows(book, "monte_carlo"), rows(assets, "monte_carlo"), strict=True):
        error = (one["value_at_risk_error"] ** 2 + other["value_at_risk_error"] ** 2) ** 0.5
        assert abs(one["value_at_risk"] - other["value_at_risk"]) < 4.0 * error
    single = evaluate(rpm, "--shocks", "assets", "--sampling", "antithetic", "--threads", "1")
    assert rows(single, "monte_carlo") == rows(assets, "monte_carlo")
    done = rpm("evaluate", SAMPLE, "--sampling", "antithetic")
    assert done.code == 2
    assert "needs shocks 'assets'" in done.err


def test_beyond_ten_days_the_filtered_history_answers_too(rpm):
    found = evaluate(rpm, "--horizon", "20", "-m", "filtered_historical", "-m", "historical")
    assert rows(found, "historical")[0]["value_at_risk"] is None
    assert "filtered_historical" in rows(found, "historical")[0]["value_at_risk_reason"]
    filtered = rows(found, "filtered_historical")[0]
    assert 0.03 < filtered["value_at_risk"] < 0.12
    assert filtered["value_at_risk_error"] > 0.0


def test_figures_through_time(rpm):
    found = evaluate(rpm, "--rolling", "--set", "tail_risk.rolling_window=100")["rolling"]
    n = len(found["dates"])
    assert n == 500
    assert found["dates"] == sorted(found["dates"])
    assert {len(f["value_at_risk"]) for f in found["figures"]} == {n}
    assert {f["method"] for f in found["figures"]} == {"historical", "normal", "student_t", "ewma"}
    for figure in found["figures"]:
        beyond = sum(-p > v for p, v in zip(found["pnl"], figure["value_at_risk"], strict=True) if v is not None)
        assert figure["violations"] == beyond
        assert figure["expected_violations"] == pytest.approx(n * (1.0 - figure["confidence"]))
    for name in ("ewma_volatility", "ledoit_wolf_volatility", "mean_correlation"):
        assert len(found[name]) == n
    done = rpm("evaluate", SAMPLE, "--rolling", "--as-of", "1999-06-30", "--set", "tail_risk.rolling_window=250")
    assert done.code == 2
    assert "--rolling needs more than 250 returns" in done.err


def test_long_work_shows_a_bar_on_stderr_only(monkeypatch, capsys):
    # How long work takes depends on the machine: here patience is over at once.
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress.work_done(False) as told:
        chosen = api.load_settings(options={"simulation.shocks": "assets", "simulation.paths": 1_000_000})
        api.evaluate(settings=chosen, progress=told)
    printed = capsys.readouterr()
    assert "Working" in printed.err
    assert "of 1,000,000" in printed.err
    assert printed.out == ""


def test_quick_work_shows_no_bar(rpm):
    done = rpm("evaluate", SAMPLE, "-m", "monte_carlo", "--paths", "1000", FORCE_COLOR="1")
    assert "Working" not in done.err + done.out


def test_a_figure_that_does_not_exist_is_a_reason_and_no_row_of_dashes(rpm):
    done = rpm("evaluate", SAMPLE, *QUICK, "-m", "historical", "-m", "normal", "-m", "monte_carlo", "--horizon", "20")
    assert "historical, normal: figures are not scaled beyond 10 days" in done.out.replace("\n", " ")
    lines = [line for line in done.out.splitlines() if line.startswith(("historical", "normal", "Monte Carlo"))]
    assert [line.split("0.9")[0].strip() for line in lines if "0.9" in line] == ["Monte Carlo", "Monte Carlo"]
