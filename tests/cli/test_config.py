"""``rpm config`` as a user runs it; and a settings file that is found changes no command in silence."""

import csv
import io
import json
from pathlib import Path

import pytest

from rpmcore.adapters.configuration.described import fields, sections
from rpmcore.adapters.configuration.loading import Settings

SCHEMA = Path(__file__).parents[2] / "rpmcore" / "reference" / "rpm.schema.json"


@pytest.fixture
def desk(tmp_path):
    """Give a folder with settings, and tighter and looser ones for prod."""
    (tmp_path / "rpm.yaml").write_text("limits:\n  value_at_risk: 0.015\n")
    (tmp_path / "rpm.prod.yaml").write_text("limits:\n  value_at_risk: 0.01\n  beta: null\n  method: historical\n")
    return tmp_path


def settings_of(done):
    assert done.code == 0, done.err
    return {setting["key"]: setting for setting in json.loads(done.out)["settings"]}


def test_show_prints_every_setting_with_where_it_comes_from(rpm, desk):
    found = settings_of(rpm("--environment", "prod", "config", "show", "--json", "--set", "limits.sector=0.3", cwd=desk,
                            RPM__LIMITS__CURRENCY="0.2"))  # fmt: skip
    assert set(found) == {".".join(key) for key, _ in fields(Settings)}
    assert {key: s["origin"] for key, s in found.items() if s["origin"] != "default"} == {
        "limits.value_at_risk": "rpm.prod.yaml:2:3", "limits.beta": "rpm.prod.yaml:3:3",
        "limits.method": "rpm.prod.yaml:4:3", "limits.sector": "--set limits.sector=0.3",
        "limits.currency": "RPM__LIMITS__CURRENCY",
    }  # fmt: skip
    assert (found["limits.value_at_risk"]["value"], found["limits.value_at_risk"]["default"]) == (0.01, 0.02)


def test_show_as_text_and_csv(rpm, desk):
    shown = rpm("config", "show", "--section", "limits", "--origins", cwd=desk)
    assert shown.code == 0
    assert "* value_at_risk            0.015                              rpm.yaml:2:3" in shown.out
    assert "decay" not in shown.out
    assert "Settings from rpm.yaml." in shown.err
    rows = list(csv.DictReader(io.StringIO(rpm("config", "show", "--format", "csv", cwd=desk).out)))
    assert {"section": "environment", "row": "", "field": "", "value": ""} in rows
    assert any(row["field"] == "key" and row["value"] == "limits.beta" for row in rows)
    wrong = rpm("config", "show", "--section", "limit", cwd=desk)
    assert (wrong.code, wrong.err.splitlines()[-1]) == (
        2, "rpm: --section: there is no section 'limit'; did you mean 'limits'?",
    )  # fmt: skip


def test_explain_tells_value_origin_effect_unit_range_and_layers(rpm, desk):
    done = rpm("config", "explain", "limits.value_at_risk", cwd=desk, RPM_ENVIRONMENT="prod")
    assert done.code == 0
    for line in (
        "value     0.01", "from      rpm.prod.yaml:2:3", "does      Limit on one-day VaR.",
        "unit      fraction of capital", "range     a number above 0", "default   0.02", "tightens  a lower value",
        "variable  RPM__LIMITS__VALUE_AT_RISK",
        "layers    0.02 (default) < 0.015 (rpm.yaml:2:3) < 0.01 (rpm.prod.yaml:2:3)",
    ):  # fmt: skip
        assert f"  {line}\n" in done.out
    found = json.loads(rpm("config", "explain", "limits.value_at_risk", "--json", cwd=desk).out)
    assert found["layers"] == [{"origin": "default", "value": 0.02}, {"origin": "rpm.yaml:2:3", "value": 0.015}]
    assert "not known: which of two measures is larger" in rpm("config", "explain", "limits.method", cwd=desk).out
    for key, told in (
        ("limits.betta", "there is no setting 'limits.betta'; did you mean 'limits.beta'?"),
        ("beta", "there is no setting 'beta'; did you mean 'limits.beta'?"),
        ("flags", "flags is a section; its settings are flags.rollout.value, flags.rollout.owner, "
                  "flags.rollout.expires"),
    ):  # fmt: skip
        wrong = rpm("config", "explain", key, "--quiet", cwd=desk)
        assert (wrong.code, wrong.err) == (2, f"rpm: {told}\n")


def test_init_writes_every_section_and_never_overwrites(rpm, tmp_path):
    assert rpm("config", "init", cwd=tmp_path).code == 0
    path = tmp_path / "rpm.yaml"
    text = path.read_text()
    assert all(f"{key[-1]}:" in text for key, _ in (*sections(Settings), *fields(Settings)))
    done = rpm("config", "init", cwd=tmp_path)
    assert (done.code, done.err) == (
        2, "rpm: rpm.yaml: there is a file already, and it is not overwritten. Name another\n",
    )  # fmt: skip
    assert path.read_text() == text
    assert rpm("config", "init", "other.yaml", cwd=tmp_path).code == 0
    assert json.loads(rpm("config", "show", "--json", cwd=tmp_path).out)["config_digest"] == Settings().digest


def test_validate_checks_each_environment_on_top_of_its_base(rpm, desk):
    done = rpm("config", "validate", "--json", cwd=desk)
    assert done.code == 0
    assert [(f["files"], f["environment"]) for f in json.loads(done.out)["files"]] == [
        (["rpm.yaml"], None), (["rpm.yaml", "rpm.prod.yaml"], "prod"),
    ]  # fmt: skip
    (desk / "rpm.staging.yaml").write_text("limits:\n  target_volatility: 0.2\n")
    (desk / "rpm.yaml").write_text("limits:\n  maximum_volatility: 0.18\n")
    wrong = rpm("config", "validate", cwd=desk)
    assert wrong.code == 2
    assert "rpm.yaml: sound" in wrong.out
    assert "rpm.yaml + rpm.staging.yaml: NOT SOUND" in wrong.out
    assert "limits: target_volatility (0.2) must not exceed maximum_volatility (0.18)" in wrong.out
    assert rpm("config", "validate", "rpm.prod.yaml", cwd=desk).code == 0
    assert rpm("config", "validate", "rpm.staging.yaml", cwd=desk).code == 2
    assert rpm("config", "validate", "none.yaml", cwd=desk).code == 2


def test_validate_without_any_file_says_how_to_begin(rpm, tmp_path):
    done = rpm("config", "validate", cwd=tmp_path, XDG_CONFIG_HOME=str(tmp_path))
    assert done.code == 2
    assert "Name one, or begin with: rpm config init" in done.err


def test_diff_tells_what_tightens_and_what_loosens(rpm, desk):
    done = rpm("config", "diff", "default", "prod", "--json", cwd=desk)
    assert done.code == 0
    found = json.loads(done.out)
    assert {d["key"]: (d["a"], d["b"], d["effect"]) for d in found["differences"]} == {
        "limits.value_at_risk": (0.02, 0.01, "tightens"), "limits.beta": (2.0, None, "loosens"),
        "limits.method": ("larger", "historical", "unknown"),
    }  # fmt: skip
    assert (
        "limits.beta           2.0      null        LOOSENS" in rpm("config", "diff", "default", "prod", cwd=desk).out
    )
    (desk / "rpm.dev.yaml").write_text("observability: {level: DEBUG}\n")
    found = json.loads(rpm("config", "diff", "rpm.yaml", "dev", "--json", cwd=desk).out)["differences"]
    assert [(d["key"], d["effect"]) for d in found] == [("observability.level", "none")]
    (desk / "rpm.dev.yaml").unlink()
    assert "No setting differs." in rpm("config", "diff", "rpm.yaml", "dev", cwd=desk).out
    assert rpm("config", "diff", "default", "none.yaml", cwd=desk).code == 2
    nothing = rpm("config", "diff", "dev", "prod", cwd=desk / "..", XDG_CONFIG_HOME=str(desk / "none"))
    assert nothing.code == 2
    assert "there is no settings file" in nothing.err


def test_the_schema_that_is_committed_is_that_of_the_program(rpm):
    assert json.loads(rpm("config", "schema").out) == json.loads(SCHEMA.read_text(encoding="utf-8"))


def test_a_file_that_is_found_is_told_by_every_command_that_uses_it(rpm, desk):
    for command in (
        ["size", "EURUSD", "--capital", "1000000", "--entry", "1.1", "--stop", "1.0", "--side", "buy"],
        ["limits"],
    ):
        done = rpm(*command, "--json", cwd=desk)
        assert "Settings from rpm.yaml." in done.err, command
        quiet = rpm(*command, "--json", "--quiet", cwd=desk)
        assert quiet.err == ""
        assert json.loads(done.out)["config_digest"] == json.loads(quiet.out)["config_digest"] != Settings().digest
    assert "Settings from" not in rpm("limits", "--config", "rpm.yaml", cwd=desk).err


def test_a_stray_variable_stops_every_command(rpm, tmp_path):
    done = rpm("limits", cwd=tmp_path, RPM__LIMITS__VALUE_AT_RIKS="0.01")
    assert (done.code, done.err) == (
        2, "rpm: RPM__LIMITS__VALUE_AT_RIKS: there is no such setting; did you mean RPM__LIMITS__VALUE_AT_RISK?\n",
    )  # fmt: skip


def test_a_flag_that_has_expired_is_told_and_stops_prod(rpm, tmp_path):
    (tmp_path / "rpm.yaml").write_text("flags: {rollout: {value: 0.1, owner: A. Head, expires: 2020-01-01}}\n")
    told = "flags.rollout expired on 2020-01-01: A. Head answers for it. Take it away, or set another day"
    assert told in rpm("config", "show", cwd=tmp_path).err
    done = rpm("--environment", "prod", "config", "show", cwd=tmp_path)
    assert (done.code, done.err) == (2, f"rpm: {told}\n")
