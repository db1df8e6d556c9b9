import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.adapters.configuration.loading import Settings, load_settings
from rpmcore.adapters.strict_yaml import parse
from rpmcore.domain.errors import ConfigurationError


def write(tmp_path, text):
    path = tmp_path / "rpm.yaml"
    path.write_text(text)
    return path


def test_file_then_assignment_then_option(tmp_path):
    path = write(tmp_path, "covariance:\n  decay: 0.90\n  lookback: 90\n  method: sample\n")
    settings = load_settings(path, ["covariance.decay=0.91", "covariance.lookback=91"], {"covariance.decay": 0.92})
    assert settings.covariance.method == "sample"
    assert settings.covariance.lookback == 91
    assert settings.covariance.decay == 0.92


def test_settings_by_section_stand_in_place_of_the_defaults_where_no_file_is_given(tmp_path):
    base = load_settings(None, ("covariance.decay=0.9", "limits.sector=0.3")).model_dump(mode="json")
    changed = load_settings(None, ("limits.sector=0.5",), base=base)
    assert (changed.covariance.decay, changed.limits.sector) == (0.9, 0.5)
    file = tmp_path / "rpm.yaml"
    file.write_text("limits:\n  sector: 0.6\n", encoding="utf-8")
    assert load_settings(file, base=base) == load_settings(file)


def test_an_option_that_was_not_given_leaves_the_setting(tmp_path):
    path = write(tmp_path, "covariance:\n  decay: 0.90\n")
    assert load_settings(path, (), {"covariance.decay": None}).covariance.decay == 0.90


def test_the_digest_tells_settings_apart_and_not_how_they_were_given(tmp_path):
    path = write(tmp_path, "covariance: {decay: 0.9}\n")
    assert load_settings(path).digest == load_settings(None, ["covariance.decay=9e-1"]).digest
    assert load_settings(path).digest != load_settings().digest
    assert load_settings().digest == Settings().digest


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("covariance:\n  decai: 0.9\n", ["rpm.yaml, line 2", "covariance.decai", "did you mean 'decay'?"]),
        ("covarience:\n  decay: 0.9\n", ["line 1", "did you mean 'covariance'?"]),
        ("covariance:\n  decay: 1.5\n", ["line 2", "covariance.decay is 1.5", "less than 1"]),
        ("covariance:\n  decay: .nan\n", ["line 2", "covariance.decay"]),
        ("tail_risk:\n  confidences: [95]\n", ["line 2", "95", "did you mean 0.95?"]),
        ("covariance:\n  decay: 0.9\n  decay: 0.8\n", ["line 3", "set twice", "first on line 2"]),
        ("covariance:\n  lookback: 010\n", ["line 2", "'010'", "valid integer"]),
        ("covariance:\n  method: [\n", ["not readable as YAML"]),
        ("- covariance\n", ["expected keys with values"]),
        ("covariance:\n  minimum: 100\n", ["minimum (100) must not exceed lookback (60)"]),
    ],
)
def test_a_wrong_file_names_line_key_and_remedy(tmp_path, text, told):
    with pytest.raises(ConfigurationError) as raised:
        load_settings(write(tmp_path, text))
    for part in told:
        assert part in str(raised.value)


@pytest.mark.parametrize("assignment", ["decay=0.9", "covariance.decay", "covariance.=1", "=1"])
def test_an_assignment_that_is_none(assignment):
    with pytest.raises(ConfigurationError, match=r"expected section\.key=value"):
        load_settings(None, [assignment])


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(ConfigurationError, match="no such settings file"):
        load_settings(tmp_path / "none.yaml")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_settings(tmp_path)


def test_scalars_mean_what_a_person_means():
    values = parse("a: 1e-3\nb: 12:30\nc: 010\nd: NO\ne: 1_000\nf: true\ng: null\nh: '5'\ni: 2022-01-02\n", "x").values
    assert values == {
        "a": 0.001, "b": "12:30", "c": "010", "d": "NO", "e": 1000, "f": True, "g": None, "h": "5", "i": "2022-01-02",
    }  # fmt: skip


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_reads_back_as_itself(number):
    assert parse(f"x: {number!r}", "x").values == {"x": number}


@given(st.text(max_size=60))
def test_no_text_breaks_the_parser(text):
    try:
        parse(text, "x")
    except ConfigurationError as error:
        assert str(error).startswith("x")  # noqa: PT017 - either outcome is right
