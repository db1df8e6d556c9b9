import hmac
import os
import pickle
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.adapters import signing_key
from rpmcore.adapters.signing_key import VARIABLE, default_key_file, load_signing_key
from rpmcore.domain.errors import ConfigurationError, InvalidArgument
from rpmcore.domain.signing_key import SigningKey, Subkey

SECRET = b"0123456789abcdef0123456789abcdef"

posix = os.name != "nt"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Give the folder that stands for the user's configuration folder."""
    monkeypatch.setattr(signing_key.platformdirs, "user_config_dir", lambda name, **_: str(tmp_path / "config" / name))
    monkeypatch.delenv(VARIABLE, raising=False)
    return tmp_path


def key_file(folder, content=SECRET, mode=0o600):
    path = folder / "my.key"
    path.write_bytes(content)
    path.chmod(mode)
    return path


@given(st.binary(min_size=1, max_size=200), st.binary(max_size=300))
def test_a_subkey_is_hmac_sha256(secret, message):
    mac = hmac.digest(secret, message, "sha256")
    assert Subkey(secret).mac(message) == mac
    assert Subkey(secret).matches(message, mac)
    assert not Subkey(secret).matches(message + b"\0", mac)
    assert not Subkey(secret).matches(message, mac[:-1])


def test_subkeys_of_purposes_sign_differently():
    key = SigningKey(SECRET)
    macs = {key.for_(purpose).mac(b"x") for purpose in ("chain", "head", "approval", "release")}
    assert len(macs) == 4
    assert key.for_("approval").mac(b"x") == SigningKey(SECRET).for_("approval").mac(b"x")
    assert key.id == SigningKey(SECRET).id != SigningKey(SECRET[::-1]).id


def test_a_key_never_shows_itself():
    key = SigningKey(SECRET)
    shown = [repr(key), str(key), f"{key}", repr(key.for_("head")), key.id]
    with pytest.raises(TypeError) as refused:
        pickle.dumps(key)
    shown.append(str(refused.value))
    assert not any(SECRET.decode() in text or SECRET.hex() in text for text in shown)


def test_a_short_secret_is_refused_without_showing_it():
    with pytest.raises(InvalidArgument, match="at least 32 bytes, found 31") as refused:
        SigningKey(SECRET[1:])
    assert SECRET[1:].decode() not in str(refused.value)


def test_the_first_use_creates_a_key_and_says_so_and_the_second_finds_it(home):
    first = load_signing_key(ledger=home / "gate.ledger")
    assert first.path == default_key_file() == home / "config" / "rpmcore" / "ledger.key"
    assert f"a signing key was created in {first.path}" in first.notice
    again = load_signing_key()
    assert (again.notice, again.path, again.key.id) == (None, first.path, first.key.id)
    assert [file.name for file in first.path.parent.iterdir()] == ["ledger.key"]
    if posix:
        assert first.path.stat().st_mode & 0o777 == 0o600
        assert first.path.parent.stat().st_mode & 0o777 == 0o700


def test_no_key_is_created_for_a_ledger_that_is_there_already(home):
    with pytest.raises(ConfigurationError, match=f"there is no signing key in .*{VARIABLE}"):
        load_signing_key(ledger=home / "gate.ledger", create=False)
    assert not default_key_file().exists()
    created = load_signing_key()
    assert load_signing_key(create=False).key.id == created.key.id


@pytest.mark.usefixtures("home")
def test_keys_created_are_not_alike():
    first = load_signing_key()
    first.path.unlink()
    assert load_signing_key().key.id != first.key.id


@pytest.mark.usefixtures("home")
def test_another_process_that_was_first_wins(monkeypatch):
    theirs = load_signing_key()
    real = type(theirs.path).exists
    monkeypatch.setattr(type(theirs.path), "exists", lambda self: self != theirs.path and real(self))
    mine = load_signing_key()
    assert (mine.key.id, mine.notice) == (theirs.key.id, None)
    assert [file.name for file in theirs.path.parent.iterdir()] == ["ledger.key"]


def test_the_environment_names_the_file(home, monkeypatch):
    path = key_file(home, SECRET + b"\n")
    monkeypatch.setenv(VARIABLE, str(path))
    loaded = load_signing_key(ledger=home / "elsewhere" / "gate.ledger")
    assert (loaded.path, loaded.notice, loaded.key.id) == (path, None, SigningKey(SECRET).id)
    assert not default_key_file().exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "holds 0 bytes, and a key needs at least 32"),
        (SECRET[1:] + b"\r\n ", "holds 31 bytes"),
        (SECRET * 200, "more than 4096 bytes"),
    ],
)
def test_what_is_no_key_is_refused_without_showing_it(home, content, told):
    path = key_file(home, content)
    with pytest.raises(ConfigurationError, match=told) as refused:
        load_signing_key(environment={VARIABLE: str(path)})
    text = "".join(traceback.format_exception(refused.value))
    assert str(path) in text
    assert SECRET[1:].decode() not in text


def test_a_file_that_is_named_and_missing_is_not_created(home):
    with pytest.raises(ConfigurationError, match=r"none\.key cannot be read: No such file"):
        load_signing_key(environment={VARIABLE: str(home / "none.key")})
    assert not (home / "none.key").exists()
    for empty in ("", " "):
        with pytest.raises(ConfigurationError, match="names no file"):
            load_signing_key(environment={VARIABLE: empty})


def test_a_folder_is_no_key(home):
    with pytest.raises(ConfigurationError, match=r"is no file|cannot be read"):
        load_signing_key(environment={VARIABLE: str(home)})


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o666])
def test_a_file_that_others_may_use_is_refused(home, mode):
    path = key_file(home, mode=mode)
    if posix:
        with pytest.raises(ConfigurationError, match=f"open to others .mode 0{mode:o}.. Close it by: chmod 600"):
            load_signing_key(environment={VARIABLE: str(path)})
    path.chmod(0o400)
    assert load_signing_key(environment={VARIABLE: str(path)}).key.id == SigningKey(SECRET).id


def test_a_key_beside_the_ledger_is_refused(home):
    path = key_file(home)
    (home / "link").mkdir()
    for ledger in (home / "gate.ledger", home / "link" / ".." / "gate.ledger"):
        with pytest.raises(ConfigurationError, match="lies beside the ledger"):
            load_signing_key(ledger=ledger, environment={VARIABLE: str(path)})
    with pytest.raises(ConfigurationError, match="lies beside the ledger"):
        load_signing_key(ledger=default_key_file().with_name("gate.ledger"))
    assert not default_key_file().exists()


def test_a_folder_where_no_key_can_be_created_is_told(home):
    (home / "config").write_bytes(b"a file where a folder should be")
    with pytest.raises(ConfigurationError, match=f"no signing key can be created .* Name a key file in {VARIABLE}"):
        load_signing_key()
