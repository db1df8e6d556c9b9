"""The Python of the manual runs as it stands."""

import re
from pathlib import Path

import pytest

from tests.small_gate import write_key, write_small_ledger

ROOT = Path(__file__).parents[2]
HERE = ("README.md", "docs/adaptive.md", "docs/api.md", "docs/controls.md", "docs/files.md", "docs/ledger.md")
"""Pages whose snippets run below; other tests run those of other pages."""


def snippets(page):
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("page", HERE)
def test_its_snippets_run(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.setenv("RPM_LEDGER_KEY_FILE", str(write_key(tmp_path / "keys")))
    if page == "docs/ledger.md":
        write_small_ledger(tmp_path / "gate.ledger")
    found = snippets(page)
    assert found
    names: dict[str, object] = {}
    for snippet in found:
        exec(compile(snippet, page, "exec"), names)  # noqa: S102 - our own page
    said = capsys.readouterr().out
    if page == "README.md":
        assert said.startswith("16.6% a year, volatility 16.6% is above the target")
    if page == "docs/ledger.md":
        assert said.startswith("True ")
    if page == "docs/files.md":
        assert (tmp_path / "portfolio.parquet").exists()


def test_no_snippet_is_left_out():
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    pages = [page for page in (ROOT / "docs").rglob("*.md") if "```python" in page.read_text(encoding="utf-8")]
    assert [page.name for page in pages if f'"{page.name}"' not in tests and f"/{page.name}" not in tests] == []
