"""``rpm strategies``, as a user runs it."""

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import DATA

TRADES = DATA / "trades.parquet"
QUIET = "--quiet"


def few(tmp_path, strategy="trend", pnl=(1.0, -2.0), name="trades.csv"):
    lines = ["trade_id,strategy_id,symbol,side,opened_at,closed_at,pnl"]
    lines += [f"{i},{strategy},EURUSD,buy,2024-03-01,2024-03-0{i + 1},{x}" for i, x in enumerate(pnl)]
    (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path / name


@pytest.mark.parametrize("width", ["80", "120"])
def test_the_ranking_fits_and_says_why_the_poor_one_is_disabled(rpm, width):
    done = rpm("strategies", TRADES, COLUMNS=width)
    assert done.code == 0, done.err
    assert max(map(len, done.out.splitlines())) <= int(width)
    lines = done.out.splitlines()
    poor = next(line for line in lines if line.startswith("3 crossover_fast"))
    assert "CRITICAL" in poor
    assert "DISABLED" in poor
    assert any(set("▁▂▃▄▅▆▇█") & set(line) for line in lines)
    assert "crossover_fast: health 0.12 is below 0.3 after 176 trades; most is lost by" in done.out
    for words in ("2 enabled; 1 disabled", "Capital", "Suggestions", "1/3 of the capital", "it is disabled"):
        assert words in " ".join(done.out.split())


@pytest.mark.parametrize("width", ["60", "80", "100", "118", "120"])
def test_no_name_is_crowded_out_by_figures(rpm, width):
    done = rpm("strategies", TRADES, "--as-of", "2030-01-01", COLUMNS=width)
    assert max(map(len, done.out.splitlines())) <= int(width)
    for name in ("breakout", "crossover", "reversal"):
        shown = done.out.split("insufficient: 0 of")[0]
        assert name in shown if int(width) >= 80 else name[:4] in shown
    assert done.out.split("insufficient: 0 of")[0].count("insufficient probation") == 3


def test_a_pipe_has_120_columns_and_no_colours(rpm):
    for environment in ({}, {"NO_COLOR": "1"}):
        done = rpm("strategies", TRADES, **environment)
        assert "\x1b" not in done.out
        assert 100 < max(map(len, done.out.splitlines())) <= 120


@pytest.mark.parametrize("width", ["80", "120"])
def test_one_strategy_in_depth(rpm, width):
    done = rpm("strategies", TRADES, "--strategy", "reversal_equity", COLUMNS=width)
    assert done.code == 0, done.err
    assert max(map(len, done.out.splitlines())) <= int(width)
    for words in (
        "Win rate", "Expectancy, R", "Profit factor", "Sharpe", "Sortino", "Calmar", "Max drawdown", "Min track",
        "Longest losing run", "P(Sharpe > 0)", "Deflated", "30 days: insufficient, 22 of 30 trades", "win rate",
        "edge confidence", "Monitor", "90 days", "Had it gone on trading",
    ):  # fmt: skip
        assert words in done.out
    row = next(line for line in done.out.splitlines() if line.startswith("Win rate"))
    assert "51.7% 41.1% … 62.2%" in " ".join(row.split())
    assert "breakout_equity:" not in done.out.split("Warnings")[0]


def test_json_has_the_schema_and_every_statistic_with_interval_and_number(rpm):
    found = json.loads(rpm("strategies", TRADES, "--json", QUIET).out)
    assert found["schema"] == "rpm.strategies/1"
    assert set(found) == {
        "schema", "trades", "as_of", "strategies", "allocation", "shrinkage", "unallocated", "suggestions", "asked",
        "asked_reason", "warnings", "config_digest",
    }  # fmt: skip
    best = found["strategies"][0]
    assert {"strategy_id", "health", "score", "enabled", "reason", "n_trades"} <= set(best)
    assert set(best["lookback"]["sharpe"]) == {"value", "lower", "upper", "n"}
    assert [row["enabled"] for row in found["strategies"]] == [True, True, False]
    assert sum(share["fraction"] for share in found["allocation"]) + found["unallocated"] == pytest.approx(1.0)
    assert found["trades"]["source"] == "file"
    assert found["warnings"][0]["code"] == "capital_assumed"
    rows = list(csv.DictReader(io.StringIO(rpm("strategies", TRADES, "--format", "csv", QUIET).out)))
    assert {"section": "strategies", "row": "2", "field": "enabled", "value": "False"} in rows


def test_check_exits_with_three_if_one_is_disabled(rpm, tmp_path):
    assert rpm("strategies", TRADES, "--check", QUIET).code == 3
    healthy = pq.read_table(TRADES).filter(pa.compute.not_equal(pq.read_table(TRADES)["strategy_id"], "crossover_fast"))
    pq.write_table(healthy, tmp_path / "healthy.parquet")
    assert rpm("strategies", tmp_path / "healthy.parquet", "--check", QUIET).code == 0
    lenient = rpm("strategies", TRADES, "--check", QUIET, "--set", "strategies.disable_below=0.1")
    assert lenient.code == 0


def test_the_sample_is_announced_and_no_verdict_on_it_is_given(rpm):
    done = rpm("strategies")
    assert "these are the sample trades that come with rpm" in done.err
    assert "Trades    sample trades · 7,691" in done.out
    assert rpm("strategies", QUIET).err == ""
    refused = rpm("strategies", "--check")
    assert refused.code == 2
    assert "--check needs TRADES" in " ".join(refused.err.split())


def test_settings_reach_the_verdict(rpm, tmp_path):
    (tmp_path / "settings.yaml").write_text("strategies:\n  lookback_days: 400\n  capital:\n    crossover_fast: 9e6\n")
    found = json.loads(rpm("strategies", TRADES, "--json", QUIET, "--config", tmp_path / "settings.yaml").out)
    rows = {row["strategy_id"]: row for row in found["strategies"]}
    assert rows["crossover_fast"]["capital"] == 9e6
    assert rows["breakout_equity"]["capital"] == 5e5
    assert rows["crossover_fast"]["n_trades"] > 500
    earlier = json.loads(rpm("strategies", TRADES, "--json", QUIET, "--as-of", "2018-03-01").out)
    assert earlier["as_of"] == "2018-03-01T23:59:59Z"


def test_names_from_a_file_are_shown_and_never_obeyed(rpm, tmp_path):
    done = rpm("strategies", few(tmp_path, "[red]x[/red]\x1b[2J"), "--capital", 1000)
    assert done.code == 0, done.err
    assert "[red]x[/red]�[2J" in done.out
    assert "\x1b" not in done.out
    deep = rpm("strategies", few(tmp_path, "[red]x[/red]"), "--capital", 1000, "--strategy", "[red]x[/red]")
    assert "Strategy  [red]x[/red] · 1 of 1" in deep.out
    assert "insufficient: 2 of the 30 trades" in deep.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--strategy", "tremd", "--capital", 1e3), "Did you mean 'trend'"),
        ((), "the capital of 'trend' is not known"),
        (("--capital", "nan"), "not a positive amount"),
        (("--capital", -5), "not a positive amount"),
        (("--capital", 1e3, "--as-of", "2020-01-01"), "no trade closed until 2020-01-01"),
        (("--capital", 1e3, "--as-of", "01/02/2024"), "not a day written as YYYY-MM-DD"),
        (("--capital", 1e3, "--set", "strategies.disable_below=0.6"), "strategies.disable_below is 0.6"),
        (("--capital", 1e3, "--set", "strategies.capital.trend=-1"), "strategies.capital.trend is -1"),
        (("--capital", 1e3, "--set", "strategies.weights.trend=0.2"), "the weights must sum to 1"),
        (("--capital", 1e3, "--base-currency", "usd"), "Write USD"),
        (("--json", "--format", "csv"), "--json contradicts"),
    ],
)
def test_bad_input_is_one_message_and_exit_code_2(rpm, tmp_path, arguments, words):
    done = rpm("strategies", few(tmp_path), *arguments)
    assert done.code == 2
    assert done.out == ""
    assert words in " ".join(done.err.split())


def test_a_bad_file_is_one_message(rpm, tmp_path):
    done = rpm("strategies", few(tmp_path, pnl=(1.0, float("inf"))), "--capital", 1e3)
    assert done.code == 2
    assert "column 'pnl', row 2 (trade '1'): it is not a finite number (found inf)" in done.err
    assert rpm("strategies", tmp_path / "nothing.parquet").code == 2
