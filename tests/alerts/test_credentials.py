"""Secrets: from the environment or a file that nobody else may read, and shown nowhere."""

import pickle

import pytest

from rpmcore.adapters.alerts.credentials import LARGEST_FILE, Secret, secret_named
from rpmcore.domain.errors import ConfigurationError

NAME = "RPM_SLACK_WEBHOOK_URL"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "webhook"
    path.write_text(" https://hooks.example/abc \n")
    path.chmod(0o600)
    return path


def test_from_the_environment_from_a_file_or_from_nowhere(file):
    assert secret_named(NAME, {NAME: " abc\n"}).reveal() == "abc"
    assert secret_named(NAME, {f"{NAME}_FILE": str(file)}).reveal() == "https://hooks.example/abc"
    assert secret_named(NAME, {}) is None


def test_it_is_shown_nowhere():
    secret = Secret("abc123")
    assert "abc123" not in f"{secret} {secret!r} {secret!s} {[secret]}"
    with pytest.raises(TypeError, match="not written"):
        pickle.dumps(secret)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o777])
def test_a_file_open_to_others_is_refused(file, mode):
    file.chmod(mode)
    with pytest.raises(ConfigurationError, match=f"mode {mode:04o}.*chmod 600"):
        secret_named(NAME, {f"{NAME}_FILE": str(file)})


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "holds no secret"),
        (b"  \n", "holds no secret"),
        (b"s3cr3t one\n", "holds no secret"),
        (b"s3cr3t\nother\n", "holds no secret"),
        (b"s3cr3t\x00", "holds no secret"),
        (b"\xffs3cr3t", "no plain text"),
        (b"s3cr3t" * LARGEST_FILE, "more than"),
    ],
)
def test_a_file_that_holds_none_is_refused_and_not_quoted(file, content, told):
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=told) as refused:
        secret_named(NAME, {f"{NAME}_FILE": str(file)})
    assert "s3cr3t" not in str(refused.value)
    assert "s3cr3t" not in repr(refused.value.__cause__)


def test_other_misuse(file, tmp_path):
    for environment, told in (
        ({NAME: "a", f"{NAME}_FILE": str(file)}, "both set"),
        ({NAME: " "}, "holds no secret"),
        ({f"{NAME}_FILE": ""}, "names no file"),
        ({f"{NAME}_FILE": str(tmp_path / "absent")}, "cannot be read"),
        ({f"{NAME}_FILE": str(tmp_path)}, "is no file|cannot be read"),
    ):
        with pytest.raises(ConfigurationError, match=told):
            secret_named(NAME, environment)
