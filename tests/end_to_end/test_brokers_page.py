"""What `docs/brokers.md` says: its snippets run, it tells every method, and the tests that it names are there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from rpmcore.domain.broker import BrokerPort

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "brokers.md").read_text(encoding="utf-8")
MINE, SUITE = PAGE.split("<!-- conformance -->\n")
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)


def test_its_snippets_run_one_after_the_other(capsys):
    names: dict[str, object] = {}
    for snippet in PYTHON.findall(MINE):
        exec(compile(snippet, "docs/brokers.md", "exec"), names)  # noqa: S102 - our own page
    assert capsys.readouterr().out.splitlines() == [
        "()", "taken", "50000", "position of EURUSD: gate 50000, broker 0", "halted", "active",
    ]  # fmt: skip


def test_the_suite_runs_as_it_says(tmp_path):
    (snippet,) = PYTHON.findall(SUITE)
    file = tmp_path / "test_our_broker.py"
    file.write_text(snippet, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", str(file), "-q", "-p", "no:cacheprovider"], cwd=tmp_path,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert re.search(r"\d\d passed", done.stdout)


def test_every_method_of_the_port_is_told():
    told = set(re.findall(r"`(\w+)\(", PAGE.partition("## The port")[2].partition("## What may")[0]))
    assert told == {name for name in vars(BrokerPort) if not name.startswith("_")} - {"name"}


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(test_\w+)`", PAGE))))
def test_every_test_that_it_names_exists(name):
    assert any(f"def {name}(" in path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
