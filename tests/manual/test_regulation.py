"""Each control, setting, command and test that `docs/regulation.md` names is there; each row says how far it goes."""

import ast
import importlib.util
import re
from pathlib import Path

import pytest

from rpmcore.adapters.configuration.described import fields
from rpmcore.adapters.configuration.loading import Settings
from rpmcore.adapters.metrics.catalogue import METRICS
from rpmcore.decision.checks.table import CHECKS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "regulation.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and "| in rpm |" not in line
]
"""Rule, how far, control, tests."""


def named(column, pattern):
    return sorted({found for row in ROWS for found in re.findall(pattern, row[column])})


def commands():
    spec = importlib.util.spec_from_file_location("cli_reference", ROOT / "docs" / "cli_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.commands()


def test_each_article_and_paragraph_has_its_section():
    for heading in ("Article 12", "Article 15", "Article 16", "Article 17", "Article 18", "SEC Rule 15c3-5"):
        assert re.search(rf"^## .*{re.escape(heading)}", PAGE, re.MULTILINE)
    assert len(ROWS) > 30
    assert "no legal advice" in PAGE


def test_each_row_says_how_far_it_goes_and_proves_what_it_claims():
    for rule, how_far, control, tests in ROWS:
        assert re.match(r"\*\*(yes|in part|no)\*\*", how_far), rule
        if how_far.startswith("**no**"):
            assert (control, tests) == ("", ""), rule
        else:
            assert control, rule
            assert "`tests/" in tests, rule


@pytest.mark.parametrize("proof", named(3, r"`(tests/[\w/]+\.py(?:::\w+)?)`"))
def test_each_test_is_there(proof):
    path, _, name = proof.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert not name or name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_each_check_is_one():
    checks = {check.reason.value for check in CHECKS}
    told = {
        name
        for row in ROWS
        for part in re.findall(r"checks? ((?:`\w+`(?:, )?)+)", row[2])
        for name in re.findall(r"`(\w+)`", part)
    }
    assert len(told) > 15
    assert not told - checks


def test_each_setting_is_one():
    settings = {".".join(key) for key, _ in fields(Settings)}
    told = named(2, r"`([a-z_]+(?:\.[a-z_]+)+)`")
    assert len(told) > 15
    assert not [name for name in told if name not in settings]


def test_each_command_and_its_options_are_there():
    known = commands()
    for words in named(2, r"`(rpm [^`]+)`"):
        parts = words.split()
        name = next(" ".join(parts[:n]) for n in (3, 2) if " ".join(parts[:n]) in known)
        for option in re.findall(r"--[\w-]+", words):
            assert option in known[name], words


def test_each_metric_is_one():
    assert set(named(2, r"metric `(\w+)`")) <= {metric.name for metric in METRICS}
    for path in named(2, r"`(deploy/[\w./]+)`"):
        assert (ROOT / path).exists()
