"""``rpm backtest``, as a user runs it."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import SAMPLE, business_days

FAST = ("--quiet", "--set", "backtest.replications=999")


@pytest.fixture
def calm(tmp_path):
    """A share whose returns are independent and normal, so that a right model exists."""
    rng = np.random.default_rng(7)
    closes = 100.0 * np.exp(np.cumsum(0.01 * rng.standard_normal(1500)))
    pq.write_table(pa.table({"date": business_days(1500), "A": closes}), tmp_path / "prices.parquet")
    book = tmp_path / "book.csv"
    book.write_text("symbol,weight\nA,1.0\n", encoding="utf-8")
    return book


def report(rpm, *arguments, code=0):
    done = rpm("backtest", *arguments, "--json", *FAST)
    assert done.code == code, done.err
    return json.loads(done.out)


def test_a_narrow_table_loses_no_figure(rpm):
    table = rpm("backtest", SAMPLE, *FAST, COLUMNS="60").out.partition("Tests:")[2].partition("Worst days")[0]
    assert "p-value" in table
    assert "…" not in table


@pytest.mark.parametrize("width", ["80", "120"])
def test_the_tables_fit_and_a_person_can_read_the_verdicts(rpm, width):
    done = rpm("backtest", SAMPLE, *FAST, COLUMNS=width)
    assert done.code == 0, done.err
    assert max(map(len, done.out.splitlines())) <= int(width)
    for words in (
        "Violations",
        "Kupiec",
        "as many violations as promised?",
        "Traffic light",
        "Worst days",
        "2008-09-29",
    ):
        assert words in done.out
    assert "─" in done.out


def test_json_has_the_keys_that_scripts_rely_on(rpm):
    found = report(rpm, SAMPLE, "--method", "historical")
    assert found["schema"] == "rpm.backtest/1"
    assert found["violations"] == len(found["worst"])
    assert found["rate"] == pytest.approx(found["violations"] / found["n"])
    for name in ("kupiec", "christoffersen", "duration", "dynamic_quantile", "traffic_light", "acerbi_szekely",
                 "mcneil_frey"):  # fmt: skip
        assert {"statistic", "p_value", "verdict"} <= set(found["tests"][name])
    assert len(found["series"]["dates"]) == found["n"] == len(found["series"]["value_at_risk"])


def test_violations_are_losses_strictly_beyond_the_forecast(rpm):
    found = report(rpm, SAMPLE, "--method", "normal", "--confidence", "0.95")
    pnl, limit = np.array(found["series"]["pnl"]), np.array(found["series"]["value_at_risk"])
    assert found["violations"] == int((-pnl > limit).sum())


def test_a_right_model_passes_and_check_says_so(rpm, calm):
    found = report(rpm, calm, "--method", "historical", "--confidence", "0.95", "--significance", "0.001", "--check")
    assert {t["verdict"] for t in found["tests"].values()} <= {"pass", "untested"}


def test_check_exits_with_three_where_a_test_fails(rpm):
    assert rpm("backtest", SAMPLE, "--check", *FAST).code == 3


def test_every_method_is_compared_on_the_same_days(rpm):
    found = report(rpm, SAMPLE, "--compare", "--window", "1000")
    methods = {row["method"] for row in found["comparison"]}
    assert {"limit", "historical", "normal", "student_t", "monte_carlo"} <= methods
    assert len({row["n"] for row in found["comparison"]}) == 1
    assert {row["zone"] for row in found["comparison"]} <= {"green", "yellow", "red"}
    scores = [row["joint_score"] for row in found["comparison"]]
    assert scores == sorted(scores)
    silent = [w["message"] for w in found["warnings"] if w["code"] == "not_compared"]
    assert all(name in methods or name in silent[0] for name in ("cornish_fisher", "extreme_value"))


def test_the_same_seed_gives_the_same_report(rpm, calm):
    assert report(rpm, calm, "--seed", "5") == report(rpm, calm, "--seed", "5")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--method", "historcal"], ["historcal", "did you mean 'historical'"]),
        (["--window", "5000"], ["5000", "--window"]),
        (["--window", "10"], ["--window", "30"]),
        (["--confidence", "0.4"], ["--confidence", "0.5"]),
        (["--set", "data.return_days=2"], ["overlap"]),
    ],
)
def test_what_cannot_be_tested_is_told(rpm, calm, arguments, words):
    done = rpm("backtest", calm, *arguments)
    assert done.code == 2
    for word in words:
        assert word in done.err


def test_check_needs_a_book(rpm):
    assert rpm("backtest", "--check").code == 2


def test_a_book_of_nothing_is_not_tested(rpm, write_book):
    done = rpm("backtest", write_book({"symbol": ["MSFT"], "weight": [0.0]}, n_days=700), "--check")
    assert done.code == 2
    assert "every weight is zero" in done.err


def test_violations_that_do_not_exist_do_not_cluster(rpm, calm):
    found = report(rpm, calm, "-m", "normal", "-c", "0.9999999")
    assert found["violations"] == 0
    assert "violations_cluster" not in {w["code"] for w in found["warnings"]}
