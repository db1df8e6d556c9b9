import csv
import io
import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import SAMPLE, business_days


def test_the_sample_book_says_that_it_is_one(rpm, tmp_path):
    done = rpm("evaluate", "--json", cwd=tmp_path)
    assert done.code == 0
    found = json.loads(done.out)
    assert found["schema"] == "rpm.evaluate/1"
    assert found["book"]["source"] == "sample"
    assert "sample book" in done.err
    assert "sample book" not in rpm("evaluate", "--quiet", cwd=tmp_path).err


def test_a_verdict_on_the_sample_is_refused(rpm):
    done = rpm("evaluate", "--check")
    assert done.code == 2
    assert "--check needs a BOOK" in done.err


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_and_says_what_matters(rpm, width):
    done = rpm("evaluate", SAMPLE, COLUMNS=str(width))
    assert done.code == 0
    assert max(len(line) for line in done.out.splitlines()) <= width
    for word in (
        "10,000,000 USD",
        "2022-12-28",
        "VaR",
        "CVaR",
        "MSFT",
        "Monte Carlo",
        "Limits",
        "WARNING",
        "scale",
    ):
        assert word in done.out
    assert "\x1b" not in done.out


def test_every_key_of_the_interface_is_there(rpm):
    found = json.loads(rpm("evaluate", SAMPLE, "--json").out)
    assert {"source", "path", "capital", "base_currency", "as_of", "n_positions"} <= found["book"].keys()
    assert {"n_obs", "tail_n_obs", "first", "last", "dropped_rows"} <= found["data"].keys()
    assert {"daily", "annual", "target", "maximum", "utilisation"} <= found["volatility"].keys()
    assert {"skewness", "excess_kurtosis"} <= found["moments"].keys()
    for row in found["tail_risk"]:
        assert {
            "method", "confidence", "horizon", "value_at_risk", "expected_shortfall", "value_at_risk_money",
            "expected_shortfall_money", "lower", "upper",
        } <= row.keys()  # fmt: skip
    for row in found["components"]:
        assert {
            "symbol", "strategy_id", "weight", "volatility", "marginal_volatility", "component_volatility",
            "component_var", "share",
        } <= row.keys()  # fmt: skip
    assert {"name", "observed", "limit", "utilisation", "status"} <= found["limits"][0].keys()
    assert {"factor", "reason"} == found["scaling"].keys()
    assert {"code", "message"} == found["warnings"][0].keys()
    assert len(found["config_digest"]) == 64


def test_csv_holds_the_same_numbers_as_json(rpm):
    found = json.loads(rpm("evaluate", SAMPLE, "--json").out)
    rows = list(csv.DictReader(io.StringIO(rpm("evaluate", SAMPLE, "--format", "csv").out)))
    cells = {(r["section"], r["row"], r["field"]): r["value"] for r in rows}
    assert float(cells["volatility", "", "annual"]) == found["volatility"]["annual"]
    assert float(cells["components", "3", "share"]) == found["components"][3]["share"]


def test_check_fails_where_a_limit_is_broken_and_only_there(rpm):
    assert rpm("evaluate", SAMPLE, "--check", "--quiet").code == 0
    assert rpm("evaluate", SAMPLE, "--check", "--set", "limits.value_at_risk=0.001").code == 3
    assert rpm("evaluate", SAMPLE, "--set", "limits.value_at_risk=0.001").code == 0


def test_options_reach_the_estimate(rpm):
    found = json.loads(
        rpm("evaluate", SAMPLE, "--json", "--covariance", "ledoit_wolf", "--lookback", "120", "-c", "0.975",
            "--horizon", "5", "--paths", "5000", "--tail-lookback", "250").out
    )  # fmt: skip
    assert found["covariance"]["method"] == "ledoit_wolf"
    assert 0.0 < found["covariance"]["shrinkage"] < 1.0
    assert found["data"]["n_obs"] == 120
    assert found["data"]["tail_n_obs"] == 250
    assert {(r["confidence"], r["horizon"]) for r in found["tail_risk"]} == {(0.975, 5)}
    assert {r["scaling"] for r in found["tail_risk"] if r["method"] == "historical"} == {"square root of time"}


@pytest.mark.parametrize("mean", ["zero", "sample"])
def test_component_var_sums_to_the_normal_var(rpm, mean):
    found = json.loads(rpm("evaluate", SAMPLE, "--json", "--mean", mean).out)
    row = next(r for r in found["tail_risk"] if r["method"] == "normal" and r["confidence"] == 0.95)
    assert sum(c["component_var"] for c in found["components"]) == pytest.approx(row["value_at_risk"], rel=1e-10)


def test_beyond_ten_days_what_is_not_scaled_says_why(rpm):
    done = rpm("evaluate", SAMPLE, "--json", "--horizon", "20", "--paths", "20000")
    rows = {r["method"]: r for r in json.loads(done.out)["tail_risk"]}
    assert rows["historical"]["value_at_risk"] is None
    assert "not scaled beyond 10 days" in rows["historical"]["value_at_risk_reason"]
    assert rows["normal"]["value_at_risk"] is None
    # Twenty daily Student-t draws are nearly normal: 1.645 σ √20 at 95 %.
    found = json.loads(done.out)
    simulated = next(r for r in found["tail_risk"] if r["method"] == "monte_carlo" and r["confidence"] == 0.95)
    assert simulated["value_at_risk"] == pytest.approx(1.645 * found["volatility"]["daily"] * 20**0.5, rel=0.05)
    assert rpm("evaluate", SAMPLE, "--horizon", "20", "--paths", "20000").code == 0


def test_the_seed_decides_the_simulation(rpm):
    def simulated(*extra):
        found = json.loads(rpm("evaluate", SAMPLE, "--json", "--paths", "2000", *extra).out)
        return [r["value_at_risk"] for r in found["tail_risk"] if r["method"] == "monte_carlo"]

    assert simulated("--seed", "1") == simulated("--seed", "1") != simulated("--seed", "2")


def test_an_earlier_day_uses_no_later_price(rpm):
    found = json.loads(rpm("evaluate", SAMPLE, "--json", "--as-of", "2020-03-16").out)
    assert found["book"]["as_of"] == "2020-03-16"
    assert found["data"]["last"] == "2020-03-16"


def test_a_weight_book_needs_no_capital_and_its_money_is_null(rpm, write_book):
    book = write_book({"symbol": ["AAA", "BBB"], "weight": [0.5, -0.25]}, metadata={"rpm.base_currency": "USD"})
    found = json.loads(rpm("evaluate", book, "--json").out)
    row = found["tail_risk"][0]
    assert row["value_at_risk_money"] is None
    assert "capital" in row["value_at_risk_money_reason"]
    assert found["data"]["prices"].endswith("prices.parquet")
    money = json.loads(rpm("evaluate", book, "--json", "--capital", "1000").out)["tail_risk"][0]
    assert money["value_at_risk_money"] == pytest.approx(1000 * money["value_at_risk"])


def warnings_of(done):
    assert done.code == 0, done.err
    return {w["code"]: w["message"] for w in json.loads(done.out)["warnings"]}


def test_assumptions_are_told(rpm, write_book):
    told = warnings_of(rpm("evaluate", write_book({"symbol": ["AAA"], "weight": [1.0]}), "--json"))
    assert "USD is assumed" in told["account_currency_assumed"]
    assert "AAA" in told["currency_assumed"]
    assert "119 returns where tail_risk.lookback asks for 500" in told["thin_history"]


def test_sample_prices_for_a_book_of_ones_own_are_told(rpm, write_book):
    book = write_book({"symbol": ["MSFT"], "weight": [1.0]}, prices=False)
    assert "sample prices" in warnings_of(rpm("evaluate", book, "--json"))["sample_prices"]


def test_the_sample_warns_of_its_clocks(rpm):
    told = warnings_of(rpm("evaluate", SAMPLE, "--json"))
    assert "biased toward zero" in told["unsynchronised_clocks"]


def with_prices(tmp_path, closes, book):
    days = business_days(len(next(iter(closes.values()))))
    pq.write_table(pa.table({"date": days, **closes}), tmp_path / "prices.parquet")
    path = tmp_path / "book.parquet"
    pq.write_table(pa.table(book), path)
    return path


def walk(n, seed=0):
    return 100 * np.exp(np.cumsum(0.01 * np.random.default_rng(seed).standard_normal(n)))


def test_suspicious_prices_warn_and_work(rpm, tmp_path):
    split, stale, late = walk(100), walk(100, 1), list(walk(100, 2))
    split[50:] *= 0.005
    stale[-8:] = stale[-9]
    late[90:] = [None] * 10
    late[40] = None
    book = {"symbol": ["SPLIT", "STALE", "LATE"], "weight": [0.5, 0.5, 2.0]}
    told = warnings_of(
        rpm("evaluate", with_prices(tmp_path, {"SPLIT": split, "STALE": stale, "LATE": late}, book), "--json")
    )
    assert "SPLIT" in told["extreme_return"]
    assert "LATE" in told["stale_price"]
    assert "LATE 11" in told["many_dropped_rows"]
    assert "3.00 times capital" in told["leverage"]


def test_more_than_half_the_rows_dropped_is_an_error(rpm, tmp_path):
    holes = [None if i % 3 else v for i, v in enumerate(walk(200))]
    done = rpm(
        "evaluate",
        with_prices(tmp_path, {"A": holes, "B": walk(200, 1)}, {"symbol": ["A", "B"], "weight": [1.0, 1.0]}),
    )
    assert done.code == 2
    assert "more than 50%" in done.err
    assert "A 13" in done.err


def test_too_few_rows_name_the_instrument(rpm, tmp_path):
    closes = {"OLD": walk(100), "NEW": [None] * 80 + list(walk(20, 1))}
    done = rpm("evaluate", with_prices(tmp_path, closes, {"symbol": ["OLD", "NEW"], "weight": [1.0, 1.0]}))
    assert done.code == 2
    assert "'NEW' has the fewest prices (20 on 100 dates)" in done.err


@pytest.mark.parametrize(
    "book",
    [
        {"symbol": ["A"], "weight": [1.0]},
        {"symbol": ["A", "B"], "weight": [-1.0, -2.0]},
        {"symbol": ["A", "B"], "weight": [3.0, 2.0]},
        {"symbol": ["A", "B"], "weight": [1.0, -1.0]},
        {"symbol": ["A", "B"], "weight": [0.0, 0.0]},
        {"symbol": ["A", "B"], "weight": pa.array([1.0, -0.5], pa.float32())},
        {"symbol": ["A", "B"], "weight": pa.array([1, 2], pa.decimal128(10, 2))},
        {"symbol": ["A", "A"], "strategy_id": ["x", "y"], "weight": [1.0, -1.0]},
        {"symbol": ["[red]A[/red]", "[/]"], "weight": [1.0, 1.0], "strategy_id": ["[bold]", "[link=x]"]},
        {"symbol": ["CONSTANT"], "weight": [1.0]},
    ],
    ids=[
        "one",
        "short",
        "sum 5",
        "sum 0",
        "zero",
        "float32",
        "decimal",
        "two strategies",
        "markup",
        "constant",
    ],
)
def test_odd_books_work(rpm, tmp_path, book):
    closes = {s: walk(150, i) for i, s in enumerate(dict.fromkeys(book["symbol"]))}
    if "CONSTANT" in closes:
        closes["CONSTANT"] = np.full(150, 7.0)
    path = with_prices(tmp_path, closes, book)
    done = rpm("evaluate", path, "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert len(found["components"]) == len(book["symbol"])
    shares = [c["share"] for c in found["components"]]
    if found["volatility"]["daily"] > 1e-12:
        assert sum(shares) == pytest.approx(1.0, abs=1e-9)
    else:
        assert shares == [None] * len(shares)
        assert found["components"][0]["share_reason"] == "the book has no volatility"
    table = rpm("evaluate", path, COLUMNS="80")
    assert table.code == 0, table.err
    assert book["symbol"][0] in table.out


def test_names_cannot_command_the_terminal(rpm, write_book):
    book = write_book({"symbol": ["A\x1b[2J", "B\u202e"], "weight": [0.5, 0.5], "strategy_id": ["x\ny", "z"]})
    done = rpm("evaluate", book)
    assert done.code == 0, done.err
    assert not {"\x1b", "\u202e"} & set(done.out)


def test_two_thousand_instruments_on_five_hundred_rows(rpm, write_book):
    symbols = [f"S{i}" for i in range(2000)]
    book = write_book({"symbol": symbols, "weight": np.full(2000, 1 / 2000)}, n_days=501)
    done = rpm("evaluate", book, "--json", "--paths", "1000")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert sum(c["component_volatility"] for c in found["components"]) == pytest.approx(
        found["volatility"]["daily"], rel=1e-10
    )
    assert any(w["code"] == "more_assets_than_rows" for w in found["warnings"])
    assert "1975 more" in rpm("evaluate", book, "--paths", "1000").out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--confidence", "95"], "did you mean 0.95?"),
        (["--confidence", "nan"], "finite"),
        (["--confidence", "0.3"], "0.3"),
        (["--decay", "1"], "decay"),
        (["--decay", "nan"], "finite"),
        (["--horizon", "0"], "horizon"),
        (["--paths", "0"], "paths"),
        (["--paths", "10000000000"], "paths"),
        (["--dof", "2"], "dof"),
        (["--capital", "0"], "not a positive amount"),
        (["--capital", "nan"], "not a positive amount"),
        (["--capital", "-5"], "not a positive amount"),
        (["--as-of", "28.12.2022"], "YYYY-MM-DD"),
        (["--as-of", "1990-01-01"], "1990"),
        (["--covariance", "garch"], "ledoit_wolf"),
        (["--shrinkage", "a lot"], "neither a number"),
        (["--shrinkage", "nan"], "shrinkage"),
        (["--config", "nowhere.yaml"], "no such settings file"),
        (["--set", "covariance.dekay=0.9"], "did you mean 'decay'?"),
        (["--json", "--format", "csv"], "contradicts"),
        (["--base-currency", "dollars"], "dollars"),
        (["--base-currency", "BRL"], "no rate from"),
        (["--periods-per-year", "0"], "periods_per_year"),
        (["--lookback", "10"], "minimum (30) must not exceed lookback (10)"),
    ],
)
def test_an_option_out_of_range_is_one_clear_message(rpm, arguments, told):
    done = rpm("evaluate", SAMPLE, *arguments)
    assert done.code == 2
    assert not done.out
    assert told in done.err.replace("\n", " ").replace("│ │", "")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("portfolio.parqet", "portfolio.parquet"),
        (".", "folder"),
        ("README.md", "README.md"),
    ],
)
def test_a_book_that_is_none(rpm, name, told):
    done = rpm("evaluate", SAMPLE.parent / name)
    assert done.code == 2
    assert not done.out
    assert told in done.err


def test_a_misspelt_symbol_gets_the_nearest_name(rpm, write_book):
    book = write_book({"symbol": ["msft"], "weight": [1.0]}, prices=False)
    done = rpm("evaluate", book)
    assert done.code == 2
    assert "did you mean 'MSFT'?" in done.err.lower().replace("'msft'", "'MSFT'") or "'MSFT'" in done.err
    assert "row 1" in done.err


def test_rows_nearer_than_a_day_need_the_number_of_periods(rpm, tmp_path):
    stamps = pa.array(np.datetime64("2022-01-03T00:00", "us") + np.arange(200) * np.timedelta64(3600_000_000, "us"))
    pq.write_table(
        pa.table({"date": stamps.cast(pa.timestamp("us", "UTC")), "A": walk(200)}),
        tmp_path / "prices.parquet",
    )
    book = tmp_path / "book.parquet"
    pq.write_table(pa.table({"symbol": ["A"], "weight": [1.0]}), book)
    assert "--periods-per-year" in rpm("evaluate", book).err
    done = rpm("evaluate", book, "--periods-per-year", "1764", "--json")
    vol = json.loads(done.out)["volatility"]
    assert vol["annual"] == pytest.approx(vol["daily"] * 42.0)


def test_a_closed_pipe_is_no_error_message():
    producer = subprocess.Popen(
        [sys.executable, "-m", "rpmcore", "evaluate", "--quiet"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert producer.stdout is not None
    producer.stdout.close()
    _, complaint = producer.communicate()
    assert complaint == ""
