import re
from datetime import date
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rpmcore.adapters.scenario_files import LARGEST_FILE, read_scenario_file
from rpmcore.domain.crises import Gap
from rpmcore.domain.errors import RpmError
from rpmcore.domain.reference import crises

MINE = """\
name: rates2022
title: Rates, 2022
description: >-
  Bonds and shares fell together.
window: {start: 2022-01-03, end: 2022-10-12}

market_shock: -0.25
volatility_multiplier: 2
correlation: null
spread_multiplier: {value: 2.0, source: estimated}
volume_reduction: {value: 0.0, source: neutral}
gap_size: 0.05
gap_victims: "currency:GBP"
regime: stressed
duration_days: 195
"""


def listed(*texts):
    items = []
    for text in texts:
        first, *rest = text.splitlines()
        items += [f"  - {first}", *(f"    {line}" if line else "" for line in rest)]
    return "\n".join(["scenarios:", *items, ""])


@pytest.fixture
def told(text):
    def read(content):
        with pytest.raises(RpmError) as raised:
            read_scenario_file(text(content, "mine.yaml"))
        return str(raised.value)

    return read


def test_plain_values_are_given_and_others_say_so(text):
    (found,) = read_scenario_file(text(MINE, "mine.yaml"))
    assert (found.market_shock, found.volatility_multiplier, found.correlation) == (-0.25, 2.0, None)
    assert found.window.start == date(2022, 1, 3)
    assert found.gap == Gap(size=0.05, victims="currency:GBP")
    assert found.sources["market_shock"] == found.sources["correlation"] == "given"
    assert (found.sources["spread_multiplier"], found.sources["volume_reduction"]) == ("estimated", "neutral")


def test_the_example_of_the_manual_is_a_scenario_file(text):
    manual = (Path(__file__).parents[2] / "docs" / "crises.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", manual, flags=re.DOTALL)
    assert read_scenario_file(text(example, "mine.yaml"))[0].name == "rates2022"


def test_a_list_keeps_its_order(text):
    content = listed(MINE, MINE.replace("rates2022", "rates2023"))
    assert [crisis.name for crisis in read_scenario_file(text(content, "mine.yaml"))] == ["rates2022", "rates2023"]


@pytest.mark.parametrize("name", list(crises()))
def test_a_shipped_file_can_be_copied_and_extended(text, name):
    shipped = (resources.files("rpmcore") / "reference" / "crises" / f"{name}.yaml").read_text(encoding="utf-8")
    content = shipped.replace("source: specification", "source: given").replace(f"name: {name}", "name: mine")
    (found,) = read_scenario_file(text(content, "mine.yaml"))
    assert found.parameters == crises()[name].parameters
    assert found.window == crises()[name].window


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("market_shock: -0.25", "market_shock: 0.25", 7, ["'market_shock'", "a number in (-1, 0)", "found 0.25"]),
        ("market_shock: -0.25", "market_shock: -25%", 7, ["a number in (-1, 0)", "found '-25%'"]),
        ("market_shock: -0.25", "market_shok: -0.25", 7, ["'market_shok' is not known", "mean 'market_shock'"]),
        ("market_shock: -0.25\n", "", 1, ["'market_shock' is missing"]),
        ("end: 2022-10-12}", "}", 5, ["'window.end' is missing"]),
        ("volatility_multiplier: 2", "volatility_multiplier: .nan", 8, ["[1, 100]", "'.nan'"]),
        ("volatility_multiplier: 2", f"volatility_multiplier: {'9' * 5000}", 8, ["[1, 100]"]),
        ("correlation: null", "correlation: 95", 9, ["[0, 1] or null", "found 95"]),
        ("{value: 2.0, source: estimated}", "{value: 0.0, source: estimated}", 10, ["[1, 1000]", "found 0.0"]),
        ("{value: 2.0, source: estimated}", "{value: 2.0}", 10, ["'spread_multiplier.source' is missing"]),
        (
            "source: estimated",
            "source: specification",
            10,
            ["one of given, estimated, neutral", "the specification speaks only"],
        ),
        ("source: neutral", "sauce: neutral", 11, ["'volume_reduction.sauce'", "mean 'source'"]),
        ("value: 0.0, source: n", "value: 1.0, source: n", 11, ["[0, 1)"]),
        ("gap_size: 0.05", "gap_size: null", 12, ["'gap_size' and 'gap_victims' must both"]),
        ('"currency:GBP"', "null", 13, ["'gap_size' and 'gap_victims' must both"]),
        ('"currency:GBP"', "everybody", 13, ["equities, largest_equity", "'everybody'"]),
        ("regime: stressed", "regime: panic", 14, ["one of trending"]),
        ("duration_days: 195", "duration_days: 1.5", 15, ["a whole number in [1, 2520]"]),
        ("2022-10-12", "2021-10-12", 5, ["'window.end' must not be before", "2022-01-03", "2021-10-12"]),
        ("2022-10-12", "20221012", 5, ["'window.end' must be a date such as"]),
        ("2022-10-12", "2022-02-30", 5, ["'window.end' must be a date such as", "2022-02-30"]),
        ("window: {start: 2022-01-03, end: 2022-10-12}", "window: 2022", 5, ["must hold the keys start, end"]),
        ("regime: stressed", "regime: stressed\nregime: volatile", 15, ["regime is set twice", "line 14"]),
        ("regime: stressed", "regime: &x stressed", 14, ["an anchor"]),
        ("regime: stressed", "regime: !!str stressed", 14, ["a tag"]),
        ("regime: stressed", "regime: [stressed", 15, ["not readable as YAML"]),
        ("title: Rates, 2022", 'title: "\\e[31mRates"', 2, ["'title' must be a text"]),
        ("title: Rates, 2022", "title:", 2, ["'title' must be a text"]),
        ("name: rates2022", "name: rates 2022", 1, ["'name' must be letters"]),
        ("name: rates2022", "name: lehman2008", 1, ["comes with rpm", "override: true"]),
        ("name: rates2022", "name: rates2022\noverride: true", 2, ["no crisis 'rates2022' to take the place of"]),
        ("name: rates2022", "name: rates2022\noverride: yes", 2, ["must be true or false"]),
    ],
)
def test_what_is_wrong_is_told_with_its_line(told, old, new, line, words):
    assert old in MINE
    wrong = MINE.replace(old, new, 1)
    shifted = f"mine.yaml, line {line}"
    for content, where in ((wrong, shifted), (listed(MINE.replace("rates2022", "other"), wrong), None)):
        message = told(content)
        if where is not None:
            assert where in message
        else:
            # The second of a list begins below the 15 lines of the first and the line that opens the list.
            assert f"mine.yaml, line {line + 16}" in message
        for word in words:
            assert word in message or (where is None and word == "line 14")


def test_a_shipped_crisis_is_replaced_only_on_purpose(text):
    content = MINE.replace("name: rates2022", "name: lehman2008\noverride: true")
    (found,) = read_scenario_file(text(content, "mine.yaml"))
    assert (found.name, found.market_shock) == ("lehman2008", -0.25)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ["key 'name' is missing"]),
        ("just words", ["mine.yaml", "str"]),
        ("scenarios: []", ["line 1", "must be a list of crises"]),
        ("scenarios:\n  - 3\n", ["scenario 1", "must hold the keys"]),
        (listed(MINE) + "name: x\n", ["'name' stands beside 'scenarios'", "line 17"]),
        (listed(MINE, MINE), ["'rates2022' is given twice", "line 17"]),
        ("x" * (LARGEST_FILE + 1), ["larger than 256 kB"]),
        ("a: " + "[" * 5000, ["nested too deeply"]),
        (b"\xff\xfe\x00", ["cannot be read as a scenario file"]),
        ("a0: &a0 [x, x]\n" + "".join(f"a{i + 1}: &a{i + 1} [*a{i}, *a{i}]\n" for i in range(60)), ["an anchor"]),
    ],
)
def test_files_of_another_form_are_refused(told, content, words):
    message = told(content)
    for word in words:
        assert word in message


def test_a_missing_file_and_a_folder(tmp_path):
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(RpmError, match="scenario file"):
            read_scenario_file(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(MINE)), st.text(max_size=8), st.integers(0, 40))
def test_no_spoilt_file_ends_in_anything_but_an_error_of_ours(text, place, inserted, removed):
    spoilt = (MINE[:place] + inserted + MINE[place + removed :]).encode("utf-8", "surrogatepass")
    told, read = "mine.yaml", ()
    try:
        read = read_scenario_file(text(spoilt, "mine.yaml"))
    except RpmError as error:
        told = str(error)
    assert "mine.yaml" in told
    assert all(crisis.name and -1.0 < crisis.market_shock < 0.0 for crisis in read)
