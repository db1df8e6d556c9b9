"""``rpm killswitch simulate``, as a user runs it."""

import json

import pytest


@pytest.mark.parametrize("width", ["80", "120"])
def test_the_table_fits_and_shows_what_the_thresholds_mean(rpm, width):
    done = rpm("killswitch", "simulate", "--days", "500", COLUMNS=width)
    assert done.code == 0, done.err
    assert max(map(len, done.out.splitlines())) <= int(width)
    for words in ("losses in a row", "81.01%", "rejections in 5 minutes", "Halts after"):
        assert words in done.out


def test_json_has_the_keys_that_scripts_rely_on(rpm):
    found = json.loads(rpm("killswitch", "simulate", "--days", "500", "--trades", "1000", "--json").out)
    assert found["schema"] == "rpm.killswitch/1"
    assert found["simulation"]["behaviour"]["trades_a_day"] == 1000
    rows = found["simulation"]["characteristics"]
    assert {"measure", "threshold", "false_halt", "detection", "wanted_threshold", "basis"} <= set(rows[0])
    exposure = next(row for row in rows if row["switch"] == "exposure_velocity")
    assert exposure["false_halt"] is None
    assert exposure["false_halt_reason"]


def test_what_is_null_has_a_reason(rpm):
    found = json.loads(rpm("killswitch", "simulate", "--days", "100", "--json").out)
    assert found["history_reason"]
    for row in found["simulation"]["characteristics"]:
        assert row["standard_error"] is not None or row["standard_error_reason"]


def test_a_seed_that_is_none_is_refused(rpm):
    done = rpm("killswitch", "simulate", "--days", "100", "--seed", "-1")
    assert done.code == 2
    assert "seed is -1" in done.err


def test_thresholds_come_from_the_settings(rpm):
    def probability(*assigned):
        done = rpm("killswitch", "simulate", "--days", "100", "--json", *assigned)
        return json.loads(done.out)["simulation"]["characteristics"][2]["false_halt"]

    key = "kill_switches.per_strategy.max_consecutive_losses=13"
    assert probability("--set", key) < 0.01 < probability()


def test_a_history(rpm, tmp_path):
    file = tmp_path / "events.csv"
    rows = ["at,kind,strategy_id,pnl,symbol,reason"]
    rows += [f"2024-03-0{day}T09:3{i}:00Z,trade,a,{pnl},X," for day, pnl in ((1, -1), (2, 1)) for i in range(5)]
    rows += ["2024-03-03T09:00:00+00:00,rejection,a,,X,bad price"]
    file.write_text("\n".join(rows), encoding="utf-8")
    command = ("killswitch", "simulate", "--history", file, "--capital", "1000")
    found = json.loads(rpm(*command, "--json").out)["history"]
    assert (found["days"], found["halted_days"]) == (3, 1)
    done = rpm(*command, COLUMNS="80")
    assert done.code == 0
    assert "per_strategy" in done.out


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("at,kind\n", "strategy_id"),
        ("at,kind,strategy_id,pnl\n2024-03-01T09:30:00,trade,a,1\n", "zone"),
        ("at,kind,strategy_id,pnl\n5,trade,a,1\n4,trade,a,1\n", "backwards"),
        ("at,kind,strategy_id,pnl\n5,trade,a,nan\n", "finite"),
        ("at,kind,strategy_id\n5,fill,a\n", "trade or rejection"),
        ("at,kind,strategy_id\n", "empty"),
    ],
)
def test_a_history_that_cannot_be_used_is_named(rpm, tmp_path, content, told):
    file = tmp_path / "events.csv"
    file.write_text(content, encoding="utf-8")
    done = rpm("killswitch", "simulate", "--history", file, "--capital", "1000")
    assert done.code == 2
    assert told in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--rejections", "1.5"],
        ["--trades", "0"],
        ["--false-alarms", "0"],
        ["--history", "x.csv"],
        ["--set", "kill_switches.rejection_velocity.max_rejections=0"],
        ["--set", "kill_switches.rejection_velocty.max_rejections=5"],
    ],
)
def test_misuse(rpm, arguments):
    assert rpm("killswitch", "simulate", *arguments).code == 2
