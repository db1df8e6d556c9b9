"""Files that only their owner may read, and credentials, whose access list shows as bits of their group."""

import os

import pytest

from rpmcore.adapters.private_files import read_private
from rpmcore.domain.errors import ConfigurationError

ROOT = os.name == "posix" and os.geteuid() == 0


def read(path):
    return read_private(path, what="key file", largest=100)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "key"
    path.write_bytes(b"a key\n")
    path.chmod(0o440)
    return path


def test_bits_of_the_group_are_refused(file, monkeypatch):
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(ConfigurationError, match=r"open to others \(mode 0440\)"):
        read(file)


def test_but_not_those_of_a_credential_of_root(file, monkeypatch):
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(file.parent))
    if ROOT:
        assert read(file) == b"a key"
    else:  # it is ours, and so none that the service manager laid out
        with pytest.raises(ConfigurationError, match="open to others"):
            read(file)


@pytest.mark.parametrize("mode", [0o444, 0o460, 0o441])
def test_nor_is_any_other_bit_let_pass(file, monkeypatch, mode):
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(file.parent))
    file.chmod(mode)
    with pytest.raises(ConfigurationError, match="open to others"):
        read(file)


def test_a_file_elsewhere_is_no_credential(file, monkeypatch, tmp_path):
    other = tmp_path / "credentials"
    other.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(other))
    with pytest.raises(ConfigurationError, match="open to others"):
        read(file)
    link = other / "key"
    link.symlink_to(file)
    with pytest.raises(ConfigurationError, match="open to others"):
        read(link)
