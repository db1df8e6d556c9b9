"""Secrets come from the environment or a private file, and are shown nowhere."""

import pickle

import pytest

from rpmcore.adapters.configuration.described import fields
from rpmcore.adapters.configuration.loading import Settings, load_settings
from rpmcore.adapters.secret_values import LARGEST_FILE, is_secret, read_secret
from rpmcore.domain.errors import ConfigurationError

HUSH = "correct horse battery"
CONTENT = HUSH.encode()


def file_of(tmp_path, content=CONTENT, mode=0o600):
    path = tmp_path / "token"
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_from_a_variable_or_a_private_file(tmp_path):
    path = file_of(tmp_path, f"{HUSH}\n".encode())
    assert read_secret("X", {}) is None
    for variables in ({"X": HUSH}, {"X_FILE": str(path)}):
        found = read_secret("X", variables)
        assert found is not None
        assert found.reveal() == HUSH


def test_it_shows_itself_nowhere():
    found = read_secret("X", {"X": HUSH})
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(found)
    assert HUSH not in f"{found!r} {found} {[found]}"


@pytest.mark.parametrize(
    ("content", "mode", "told"),
    [
        (HUSH.encode(), 0o644, "the secret file {path} is open to others (mode 0644). Close it by: chmod 600 {path}"),
        (b" \n", 0o600, "the file of X_FILE is empty. Give the secret, or unset it"),
        (b"\xff\xfe", 0o600, "the secret file {path} of X_FILE is no text in UTF-8"),
        (b"x" * (LARGEST_FILE + 1), 0o600, "the secret file {path} holds more than 65536 bytes: it is no secret"),
    ],
)
def test_a_file_that_will_not_do(tmp_path, content, mode, told):
    path = file_of(tmp_path, content, mode)
    with pytest.raises(ConfigurationError) as raised:
        read_secret("X", {"X_FILE": str(path)})
    assert str(raised.value) == told.format(path=path)
    assert HUSH not in str(raised.value)


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"X": "a", "X_FILE": "b"}, "X and X_FILE are both set. Unset one of them"),
        ({"X": " "}, "X is empty. Give the secret, or unset it"),
        ({"X_FILE": ""}, "X_FILE is set and names no file. Name one, or unset it"),
        ({"X_FILE": "/nowhere/at/all"}, "the secret file /nowhere/at/all cannot be read: No such file or directory"),
    ],
)
def test_variables_that_will_not_do(variables, told):
    with pytest.raises(ConfigurationError) as raised:
        read_secret("X", variables)
    assert str(raised.value) == told


def test_no_setting_is_a_secret():
    assert not [key for key, _ in fields(Settings) if any(is_secret(part) for part in key)]
    assert all(map(is_secret, ("api_key", "SLACK_WEBHOOK", "password", "pagerduty_routing_key", "token")))


def test_a_secret_that_is_put_among_the_settings_is_not_repeated(tmp_path):
    path = tmp_path / "rpm.yaml"
    path.write_text(f"limits:\n  api_key: {HUSH}\n")
    for given in ({"path": path}, {"assignments": [f"limits.api_key={HUSH}"]}):
        with pytest.raises(ConfigurationError) as raised:
            load_settings(**given)
        assert "there is no setting 'limits.api_key'" in str(raised.value)
        assert HUSH not in str(raised.value)
