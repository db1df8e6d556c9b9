"""One value, many places to give it: the highest counts, each is remembered, and what is wrong is told exactly."""

import json
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.adapters.configuration.commented import commented, in_yaml
from rpmcore.adapters.configuration.described import fields
from rpmcore.adapters.configuration.loading import Settings, load_configuration, load_settings
from rpmcore.adapters.strict_yaml import parse
from rpmcore.domain.errors import ConfigurationError, InvalidArgument

TODAY = date(2026, 6, 30)


def load(folder=None, *, environment=None, variables=None, assignments=(), options=None, path=None):
    return load_configuration(
        path, environment=environment, variables=variables or {}, assignments=assignments, options=options,
        folders=() if folder is None else (folder,), today=TODAY,
    )  # fmt: skip


def problem(**given):
    with pytest.raises(ConfigurationError) as raised:
        load(**given)
    return str(raised.value)


def test_each_layer_lies_above_the_one_before(tmp_path):
    (tmp_path / "rpm.yaml").write_text("covariance: {decay: 0.91, lookback: 91, minimum: 31}\nlimits: {beta: 1.1}\n")
    (tmp_path / "rpm.prod.yaml").write_text("covariance:\n  decay: 0.92\n  lookback: 92\nlimits:\n")
    (tmp_path / "rpm.dev.yaml").write_text("covariance: {decay: 0.5}\n")
    found = load(
        tmp_path, environment="prod", variables={"RPM__COVARIANCE__DECAY": "0.93", "rpm__limits__currency": "null"},
        assignments=["covariance.decay=0.95"], options={"covariance.decay": 0.96, "covariance.target": None},
    )  # fmt: skip
    assert found.settings == load_settings(
        None, ["covariance.decay=0.96", "covariance.lookback=92", "covariance.minimum=31", "limits.beta=1.1",
               "limits.currency=null"],
    )  # fmt: skip
    assert [file.name for file in found.files] == ["rpm.yaml", "rpm.prod.yaml"]
    assert [(origin.kind, value) for origin, value in found.history["covariance", "decay"]] == [
        ("file", 0.91), ("file", 0.92), ("variable", 0.93), ("assignment", 0.95), ("option", 0.96),
    ]  # fmt: skip
    where = {key: found.origins[tuple(key.split("."))].short for key in (
        "covariance.decay", "covariance.lookback", "covariance.minimum", "limits.currency")}  # fmt: skip
    assert where == {
        "covariance.decay": "--decay", "covariance.lookback": f"{tmp_path}/rpm.prod.yaml:3:3",
        "covariance.minimum": f"{tmp_path}/rpm.yaml:1:41", "limits.currency": "rpm__limits__currency",
    }  # fmt: skip
    assert ("limits", "sector") not in found.origins


def test_the_first_folder_that_has_a_file_counts_and_a_named_one_replaces_the_search(tmp_path):
    near, far = tmp_path / "near", tmp_path / "far"
    near.mkdir()
    far.mkdir()
    (far / "rpm.json").write_text(json.dumps({"limits": {"beta": 1.5}}))
    (far / "desk.yaml").write_text("limits: {beta: 1.6}\n")
    (far / "desk.staging.yaml").write_text("limits: {sector: 0.1}\n")

    def found(path=None, environment=None):
        return load_configuration(path, environment=environment, variables={}, folders=(near, far))

    assert found().settings.limits.beta == 1.5
    (near / "rpm.prod.yaml").write_text("limits: {beta: 1.2}\n")
    assert found().settings.limits.beta == 1.5
    assert found(environment="prod").settings.limits.beta == 1.2
    named = found(far / "desk.yaml", "staging")
    assert (named.settings.limits.beta, named.settings.limits.sector, named.found) == (1.6, 0.1, False)


def test_a_library_call_reads_no_file_and_no_variable_that_it_was_not_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("rpm.yaml").write_text("limits: {beta: 1.5}\n")
    monkeypatch.setenv("RPM__LIMITS__BETA", "1.4")
    assert load_settings() == Settings()
    assert load_configuration(today=TODAY).settings.limits.beta == 1.4


def test_json_reads_as_yaml_does(tmp_path):
    values = {"covariance": {"decay": 0.9, "method": "sample"}, "tail_risk": {"confidences": [0.9, 0.99]}}
    one, other = tmp_path / "one.json", tmp_path / "other.yaml"
    one.write_text(json.dumps(values, indent="\t"))
    other.write_text(yaml.safe_dump(values))
    assert load(path=one).settings == load(path=other).settings
    assert load(path=one).origins["covariance", "method"].short == f"{one}:4:3"


def test_a_list_or_mapping_replaces_the_one_below(tmp_path):
    (tmp_path / "rpm.yaml").write_text("strategies: {capital: {a: 1, b: 2}}\ntail_risk: {confidences: [0.9, 0.95]}\n")
    (tmp_path / "rpm.dev.yaml").write_text("strategies: {capital: {c: 3}}\ntail_risk: {confidences: [0.99]}\n")
    found = load(tmp_path, environment="dev").settings
    assert (found.strategies.capital, found.tail_risk.confidences) == ({"c": 3.0}, (0.99,))
    more = load(tmp_path, environment="dev", assignments=["strategies.capital.d=4"]).settings
    assert more.strategies.capital == {"c": 3.0, "d": 4.0}


YAML_TRAPS = [
    ("covariance: {decay: 9e-1}", None),
    ("limits: {value_at_risk: 1e-3}", None),
    ("limits:\n  value_at_risk: 12:30\n",
     "line 2, column 3: limits.value_at_risk is '12:30': input should be a valid number (expected a number above 0)"),
    ("covariance:\n  lookback: 010\n",
     "line 2, column 3: covariance.lookback is '010': input should be a valid integer "
     "(expected a whole number at least 2)"),
    ("factors: {market: NO}", None),
    ("limits:\n  beta: NO\n",
     "line 2, column 3: limits.beta is 'NO': input should be a valid number (expected a number above 0 or null)"),
    ("limits:\n  value_at_risk: yes\n",
     "line 2, column 3: limits.value_at_risk is 'yes': input should be a valid number (expected a number above 0)"),
    ("limits:\n  value_at_risk: true\n",
     "line 2, column 3: limits.value_at_risk is true: input should be a valid number (expected a number above 0)"),
    ("limits:\n  value_at_risk: '0.01'\n",
     "line 2, column 3: limits.value_at_risk is '0.01': input should be a valid number (expected a number above 0)"),
    ("limits:\n  value_at_risk: .nan\n",
     "line 2, column 3: limits.value_at_risk is '.nan': input should be a valid number (expected a number above 0)"),
    ("limits:\n  value_at_risk: -.inf\n",
     "line 2, column 3: limits.value_at_risk is '-.inf': input should be a valid number (expected a number above 0)"),
    ("limits:\n  value_at_risk: 1e999\n",
     "line 2, column 3: limits.value_at_risk is inf: input should be a finite number (expected a number above 0)"),
    ("limits:\n  beta: 1\n  beta: 2\n",
     "line 3, column 3: limits.beta is set twice (first on line 2). Keep one of them"),
    ("limits:\n  beta: &x 1\n",
     "line 2, column 9: an anchor is not taken here. Write the value out, or put the text in quotes"),
    ("limits:\n  # none\n  sector:\n",
     "line 3, column 3: limits.sector is empty: give a value, or null where none is meant"),
    ("limits: {sector: }\n", "line 1, column 10: limits.sector is empty: give a value, or null where none is meant"),
    ("limits: {sector: null, currency: ~}\nstress:\n", None),
    ("limits:\n  value_at_risk: null\n",
     "line 2, column 3: limits.value_at_risk is null: input should be a valid number (expected a number above 0)"),
    ("tail_risk:\n  confidences: 0.95\n",
     "line 2, column 3: tail_risk.confidences is 0.95: input should be a valid list "
     "(expected a list, each a number above 0.5 and below 1)"),
    ("limits:\n  beta: \x07\n", "line 2, column 9: not readable as YAML: the character '\\x07' is not taken"),
    ("limits:\n\tbeta: 1\n",
     "line 2, column 1: not readable as YAML: found character '\\t' that cannot start any token"),
    ("limits:\n  beta: 1.5 1.6\n",
     "line 2, column 3: limits.beta is '1.5 1.6': input should be a valid number (expected a number above 0 or null)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "told"), YAML_TRAPS)
def test_traps_of_yaml(tmp_path, text, told):
    path = tmp_path / "rpm.yaml"
    path.write_text(text)
    if told is None:
        assert load(path=path).settings != Settings()
    else:
        assert problem(path=path) == f"{path}, {told}"


JSON_TRAPS = [
    ('{"limits": {"beta": NaN}}', ": NaN is no number of JSON"),
    ('{"limits": {"beta": -Infinity}}', ": -Infinity is no number of JSON"),
    ('{"limits": {"beta": 1,}}', ", line 1, column 23: not readable as JSON: "),
    ('{"limits":\n{"beta": 1, "beta": 2}}', ", line 2, column 13: limits.beta is set twice (first on line 2)."),
    ("[1]", ": expected keys with values, found list"),
    (f'{{"limits": {{"beta": {"9" * 5000}}}}}',
     ", line 1, column 13: limits.beta is inf: input should be a finite number (expected a number above 0 or null)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "told"), JSON_TRAPS)
def test_traps_of_json(tmp_path, text, told):
    path = tmp_path / "rpm.json"
    path.write_text(text)
    assert problem(path=path).startswith(f"{path}{told}")


FILE_ERRORS = [
    ("limits:\n  betta: 1\n", "line 2, column 3: there is no setting 'limits.betta'; did you mean 'beta'?"),
    ("limmits:\n  beta: 1\n", "line 1, column 1: there is no setting 'limmits'; did you mean 'limits'?"),
    ("covariance: {max_growth: 1}\n",
     "line 1, column 14: there is no setting 'covariance.max_growth'; "
     "did you mean 'kill_switches.exposure_velocity.max_growth'?"),
    ("limits: 3\n", "line 1, column 1: limits is 3: expected keys with values"),
    ("limits:\n  value_at_risk: -1\n",
     "line 2, column 3: limits.value_at_risk is -1: input should be greater than 0 (expected a number above 0)"),
    ("limits:\n  confidence: 95\n",
     "line 2, column 3: limits.confidence is 95: input should be less than 1 "
     "(expected a number above 0.5 and below 1); did you mean 0.95?"),
    ("covariance:\n  shrinkage: 2.0\n",
     "line 2, column 3: covariance.shrinkage is 2.0: "
     "expected 'ledoit_wolf' or a number at least 0 and at most 1 or null"),
    ("limits:\n  bind_on: uper\n",
     "line 2, column 3: limits.bind_on is 'uper': input should be 'point' or 'upper'"),
    ("tail_risk:\n  confidences: [0.95, 1.5]\n",
     "line 2, column 3: tail_risk.confidences is 1.5: input should be less than 1 "
     "(expected a list, each a number above 0.5 and below 1)"),
    ("limits:\n  target_volatility: 0.3\n",
     "line 2, column 3: limits: target_volatility (0.3) must not exceed maximum_volatility (0.25)"),
    ("flags:\n  rollout:\n    value: 0.1\n",
     "line 3, column 5: flags.rollout: a flag that is set (value 0.1) needs owner and expires"),
    ("flags: {rollout: {value: 0.1, owner: A. Head, expires: 31.12.2026}}\n",
     "line 1, column 47: flags.rollout.expires: '31.12.2026' is no day such as 2026-12-31"),
    ("flags:\n  rollout: {value: 0, owner: x, expires: 2027-01-01}\n",
     "line 2, column 13: flags.rollout.value is 0: input should be greater than 0 "
     "(expected a number above 0 and at most 1)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "told"), FILE_ERRORS)
def test_an_error_in_a_file_names_line_column_key_and_range(tmp_path, text, told):
    path = tmp_path / "rpm.yaml"
    path.write_text(text)
    assert problem(path=path) == f"{path}, {told}"


def test_every_problem_is_told_at_once(tmp_path):
    path = tmp_path / "rpm.yaml"
    path.write_text("limits:\n  betta: 1\n  beta: -1\ncovarianze: {}\n")
    assert len(problem(path=path).splitlines()) == 3


VARIABLE_ERRORS = [
    ({"RPM__LIMITS__BETTA": "1"}, "RPM__LIMITS__BETTA: there is no such setting; did you mean RPM__LIMITS__BETA?"),
    ({"RPM_LIMITS__BETA": "1"}, "RPM_LIMITS__BETA: there is no such setting; did you mean RPM__LIMITS__BETA?"),
    ({"RPM__LIMITS": "{}"}, "RPM__LIMITS: there is no such setting; did you mean RPM__LIMITS__BETA?"),
    ({"RPM__XQ__ZW": "1"}, "RPM__XQ__ZW: there is no such setting; `rpm config show` lists all"),
    ({"RPM__LIMITS__BETA": "1", "rpm__limits__beta": "2"},
     "RPM__LIMITS__BETA and rpm__limits__beta set the same. Keep one of them"),
    ({"RPM_LIMITS_BETA": "1"}, "RPM_LIMITS_BETA: there is no such setting; did you mean RPM__LIMITS__BETA?"),
    ({"rpm_limits_beta": "1"}, "rpm_limits_beta: there is no such setting; did you mean RPM__LIMITS__BETA?"),
    ({"RPM__LIMITS__SECTOR": " "},
     "RPM__LIMITS__SECTOR: limits.sector is empty: give a value, or null where none is meant"),
    ({"RPM__LIMITS__BETA": "nan"},
     "RPM__LIMITS__BETA: limits.beta is 'nan': input should be a valid number (expected a number above 0 or null)"),
    ({"RPM__TAIL_RISK__CONFIDENCES": "[0.9"},
     "RPM__TAIL_RISK__CONFIDENCES, line 1, column 8: not readable as YAML: "
     "expected ',' or ']', but got '<stream end>'"),
    ({"RPM_ENV": "prod"}, "RPM_ENV: there is no such variable; did you mean 'RPM_ENVIRONMENT'?"),
    ({"rpm_environment": "prod"}, "rpm_environment: there is no such variable; did you mean 'RPM_ENVIRONMENT'?"),
    ({"RPM_ENVIRONMENT": "production"},
     "RPM_ENVIRONMENT: there is no environment 'production'; known are dev, staging and prod; did you mean 'prod'?"),
    ({"RPM_ENVIRONMENT": ""}, "RPM_ENVIRONMENT: there is no environment ''; known are dev, staging and prod"),
]  # fmt: skip


@pytest.mark.parametrize(("variables", "told"), VARIABLE_ERRORS)
def test_a_misspelt_variable_is_an_error(variables, told):
    assert problem(variables=variables) == told


def test_variables_that_are_no_settings_are_left_alone():
    given = {"RPM_LEDGER_KEY_FILE": "x", "RPM_DEBUG": "1", "RPMX__LIMITS__BETA": "3", "HOME": "/"}
    assert load(variables=given).settings == Settings()


def test_the_option_that_names_an_environment_stands_above_the_variable():
    assert load(environment="dev", variables={"RPM_ENVIRONMENT": "prod"}).environment == "dev"
    assert problem(environment="prd") == (
        "--environment: there is no environment 'prd'; known are dev, staging and prod; did you mean 'prod'?"
    )


def test_assignments_take_lists_mappings_and_quoted_text():
    found = load(assignments=["tail_risk.confidences=[0.9, 0.99]", "strategies.capital={a: 1}", 'factors.market="010"'])
    assert found.settings.tail_risk.confidences == (0.9, 0.99)
    assert (found.settings.strategies.capital, found.settings.factors.market) == ({"a": 1.0}, "010")
    assert problem(assignments=["limits.beta.x=1", "limits.beta=-1"]).startswith("--set limits.beta=-1: limits.beta is")
    assert problem(assignments=["limits.beta=1", "limits.beta.x=1"]) == (
        "--set limits.beta.x=1: beta is a value, not a section"
    )


def test_an_assignment_that_is_wrong_is_named_wherever_it_points(tmp_path):
    path = tmp_path / "rpm.yaml"
    path.write_text("limits: {beta: 1}\n")
    number = "input should be a valid number (expected a number above 0)"
    for asked, told in (
        ("limits.sector=", "limits.sector is empty: give a value, or null where none is meant"),
        ("limits.value_at_risk.x=1", f"limits.value_at_risk is {{'x': 1}}: {number}"),
        ("Limits.beta=1", "there is no setting 'Limits'; did you mean 'limits'?"),
        ("flags.a.b.c=1", "there is no setting 'flags.a'; known are rollout"),
    ):
        assert problem(path=path, assignments=[asked]) == f"--set {asked}: {told}"


def test_what_is_no_path_and_no_list_of_assignments_is_told_what_would_be():
    for asked, told in (
        ({"path": {"limits": {}}}, r"^path must name a settings file, but is of type dict: load_settings\(base="),
        (
            {"assignments": "limits.beta=1"},
            r"^assignments must be a list of texts such as \['.*'\], but is of type str$",
        ),
        ({"assignments": {"limits.beta": 1}}, "but is of type dict$"),
        ({"assignments": [3]}, "^an assignment is a text such as 'limits.value_at_risk=0.015', and not 3$"),
    ):
        with pytest.raises(InvalidArgument, match=told):
            load_settings(**asked)
    assert problem(path="a\0b") == "a\0b: cannot be read as a settings file: embedded null byte"


def test_two_files_of_one_name_are_an_error(tmp_path):
    for name in ("rpm.yaml", "rpm.json"):
        (tmp_path / name).write_text("{}")
    assert problem(folder=tmp_path) == (
        f"{tmp_path}/rpm.yaml and {tmp_path}/rpm.json stand side by side. Keep one of them"
    )


def test_the_commented_file_holds_every_setting_and_default(tmp_path):
    text = commented(Settings)
    path = tmp_path / "rpm.yaml"
    path.write_text(text)
    assert load(path=path).settings == Settings()
    path.write_text("\n".join(line.replace("#", "", 1) if line.lstrip()[:1] == "#" and line.lstrip()[1:2] != " " else
                              line for line in text.splitlines()))  # fmt: skip
    whole = load(path=path)
    assert whole.settings == Settings()
    assert set(whole.history) == {key for key, _ in fields(Settings)}


@given(
    st.none() | st.booleans() | st.integers(-10**9, 10**9) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=20)
    | st.lists(st.floats(0, 1), max_size=3)
)  # fmt: skip
def test_a_value_that_is_printed_reads_back_as_itself(value):
    assert parse(f"x: {in_yaml(value)}", "x").values["x"] == value


ROLLOUT = ("flags.rollout.value=0.1", 'flags.rollout.owner="A. Head"')


def test_a_flag_that_has_expired_is_an_error_in_prod_and_a_warning_elsewhere():
    told = "flags.rollout expired on 2026-06-29: A. Head answers for it. Take it away, or set another day"
    expired = [*ROLLOUT, "flags.rollout.expires=2026-06-29"]
    assert load(assignments=expired).warnings == (told,)
    assert load(assignments=expired, environment="staging").warnings == (told,)
    assert problem(assignments=expired, environment="prod") == told
    last_day = [*ROLLOUT, "flags.rollout.expires=2026-06-30"]
    assert load(assignments=last_day, environment="prod").warnings == ()
    assert load(assignments=["flags.rollout.expires=2020-01-01"], environment="prod").warnings == ()


def test_in_prod_a_flag_can_only_tighten(monkeypatch):
    from rpmcore.decision.flags import FlagsSettings, RolloutFlag

    monkeypatch.setattr(RolloutFlag, "tightens", "higher")
    given = [*ROLLOUT, "flags.rollout.expires=2027-01-01"]
    assert load(assignments=given, environment="dev").settings.flags.rollout.loosens
    assert problem(assignments=given, environment="prod") == (
        "flags.rollout is 0.1, which loosens a control: in prod a flag can only tighten one"
    )
    assert all(type(flag).model_fields["value"].default == flag.neutral for flag in FlagsSettings().by_name().values())
