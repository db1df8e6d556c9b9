"""What `docs/python.md` and the README say of Python: the snippets run, and every job is named."""

import re
from pathlib import Path

import pytest

import rpmcore
from tests.small_gate import write_key

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["docs/python.md", "README.md"])
def test_its_snippets_run_one_after_the_other(name, tmp_path, monkeypatch, capsys):
    (tmp_path / "desk").mkdir()
    (tmp_path / "desk" / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path / "desk")
    monkeypatch.setenv("RPM_LEDGER_KEY_FILE", str(write_key(tmp_path / "keys")))
    names: dict[str, object] = {}
    snippets = re.findall(r"```python\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)
    assert snippets
    for snippet in snippets:
        exec(compile(snippet, name, "exec"), names)  # noqa: S102 - our own page
    assert "a year" in capsys.readouterr().out


def test_every_job_is_on_the_page():
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", page))
    assert {name for name in rpmcore.__all__ if name.islower()} <= named


def test_the_page_tells_of_every_command():
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    commands = {line.split()[1] for line in re.findall(r"`(rpm [a-z]+)", page)}
    from typer.main import get_command

    from rpm_cli.main import app

    assert set(get_command(app).commands) == commands
