"""``rpm limits`` and ``rpm regime``, as a user runs them."""

import json
import os
import subprocess
import sys

import pytest

from tests.cli.conftest import SAMPLE

QUIET = "--quiet"


def report(rpm, *arguments, code=0):
    done = rpm(*arguments, "--json", QUIET)
    assert done.code == code, done.err
    return json.loads(done.out)


@pytest.mark.parametrize("width", ["80", "120"])
def test_the_derivation_fits_and_says_what_matters(rpm, width):
    done = rpm("limits", SAMPLE, COLUMNS=width)
    assert done.code == 0, done.err
    assert max(map(len, done.out.splitlines())) <= int(width)
    for words in ("regime", "volatility", "stress", "volatile", "clustering", "correlation", "liquidity",
                  "all of the past", "BREACH", "Leverage", "█"):  # fmt: skip
        assert words in done.out


@pytest.mark.parametrize("command", ["limits", "regime"])
def test_a_narrow_terminal_drops_bars_before_it_cuts_figures(rpm, command):
    done = rpm(command, SAMPLE, QUIET, COLUMNS="60")
    assert max(map(len, done.out.splitlines())) <= 60
    head = done.out.split("Volatility of the market")[0]
    for figure in ("0.500%", "100.0%", "1.00×", "0.2139", "76.4%", "0.80", "0.75"):
        assert figure in head


def test_a_regime_that_is_too_old_is_taken_for_stressed_as_the_limits_take_it(rpm):
    found = report(rpm, "regime", SAMPLE, "--as-of", "2023-02-01")
    assert found["reading"]["regime"] == "stressed"
    assert "days old" in found["reading"]["note"]
    assert found["limits"]["gross_exposure"] == 0.5
    assert report(rpm, "limits", SAMPLE, "--as-of", "2023-02-01")["limits"]["regime"] == "stressed"


def test_limits_as_json(rpm):
    found = report(rpm, "limits", SAMPLE)
    assert found["schema"] == "rpm.limits/1"
    steps = found["limits"]["steps"]
    assert [step["name"] for step in steps] == ["regime", "volatility", "stress"]
    assert steps[-1]["result"]["gross_exposure"] == found["limits"]["gross_exposure"]
    assert found["limits"]["pin"] is None
    assert found["limits"]["pin_reason"]
    assert {c["name"] for c in found["checks"]} == {"gross_exposure", "leverage"}
    assert found["config_digest"]


def test_check_exits_with_three_beyond_the_limits_and_with_zero_within(rpm, tmp_path):
    assert rpm("limits", SAMPLE, "--check", QUIET).code == 3
    small = tmp_path / "book.csv"
    small.write_text("symbol,weight\nMSFT,0.2\nEURUSD,-0.1\n", encoding="utf-8")
    arguments = (small, "--prices", SAMPLE.parent / "prices.parquet", "--check", QUIET)
    assert rpm("limits", *arguments).code == 0
    assert rpm("limits", *arguments, "--as-of", "2008-10-15").code == 3
    assert rpm("limits", "--check").code == 2


def test_settings_reach_the_limits(rpm):
    wide = report(rpm, "limits", SAMPLE, "--set", "adaptive.regimes.volatile.gross_exposure=1.4")
    assert wide["limits"]["steps"][0]["result"]["gross_exposure"] == 1.4
    done = rpm("limits", SAMPLE, "--set", "adaptive.regimes.stressed.gross_exposure=3")
    assert done.code == 2
    assert "stressed.gross_exposure must not exceed volatile.gross_exposure" in done.err


@pytest.mark.parametrize("width", ["80", "120"])
def test_the_history_is_a_strip_with_years_and_a_table(rpm, width):
    done = rpm("regime", SAMPLE, "--history", COLUMNS=width)
    assert done.code == 0, done.err
    assert max(map(len, done.out.splitlines())) <= int(width)
    assert "\x1b" not in done.out
    lines = done.out.splitlines()
    rows = [i for i, line in enumerate(lines) if line and set(line.strip()) <= set(".-+#?")]
    assert sum(len(lines[i].strip()) for i in rows) == -(-5982 // 10)
    years = " ".join(lines[i + 1] for i in rows)
    assert all(str(year) in years for year in (1999, 2008, 2020))
    assert "# stressed" in done.out
    assert "2008-09-15 2009-06-22  191 stressed" in done.out


def test_a_crisis_stands_above_its_year(rpm):
    lines = rpm("regime", SAMPLE, "--history", QUIET, COLUMNS="120").out.splitlines()
    below = next(i for i, line in enumerate(lines) if "2009 " in line and set(lines[i - 1].strip()) <= set(".-+#?"))
    start = lines[below].index("2009")
    assert lines[below - 1][start : start + 10] == "##########"


def test_regime_as_json(rpm):
    found = report(rpm, "regime", SAMPLE, "--history")
    assert found["schema"] == "rpm.regime/1"
    assert found["reading"]["regime"] == "volatile"
    assert [c["name"] for c in found["reading"]["conditions"]] == [
        "trend", "volatile", "stressed", "correlated", "extreme",
    ]  # fmt: skip
    assert sum(span["n_days"] for span in found["spans"]) == found["data"]["n_obs"]
    assert report(rpm, "regime", SAMPLE)["spans"] == []


def test_regime_of_a_day_in_the_past(rpm):
    assert report(rpm, "regime", "--as-of", "2020-03-02")["reading"]["regime"] == "stressed"
    assert report(rpm, "regime", "--as-of", "2020-02-21")["reading"]["regime"] != "stressed"
    done = rpm("regime", "--as-of", "2020-02-30")
    assert done.code == 2


def test_an_unknown_market_is_named(rpm):
    done = rpm("limits", SAMPLE, "--market", "SP5O0")
    assert done.code == 2
    assert "SP500" in done.err


@pytest.mark.skipif(sys.platform == "win32", reason="there is no pseudo-terminal")
@pytest.mark.parametrize(("environment", "glyph", "coloured"), [({}, "█", True), ({"NO_COLOR": "1"}, "#", False)])
def test_a_terminal_shows_colours_unless_no_color_says_otherwise(environment, glyph, coloured):
    shown = in_a_terminal("regime", "--history", QUIET, **environment)
    strip = shown[shown.index("Regime by day") : shown.index("Spans by the close")]
    assert glyph * 5 in strip
    assert ("\x1b[1;31m█" in strip) is coloured
    assert "\x1b[31m" not in strip or coloured


def in_a_terminal(*arguments, **environment):
    import pty

    ours, theirs = pty.openpty()
    settings = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    command = [sys.executable, "-m", "rpmcore", *arguments]
    with subprocess.Popen(
        command,
        stdout=theirs,
        stderr=theirs,
        env={**settings, "TERM": "xterm-256color", "COLUMNS": "100", **environment},
    ):
        os.close(theirs)
        shown = b""
        while True:
            try:
                block = os.read(ours, 65536)
            except OSError:  # how Linux says that the other side has closed
                break
            if not block:
                break
            shown += block
    os.close(ours)
    return shown.decode()
