"""Statements written by hand, and the command run on them as a user does."""

import pytest

from tests.cli.conftest import rpm as rpm
from tests.statements.samples import Sample

RULES = ("--time-zone", "Europe/Athens", "--strategy-rule", "trend*=trend", "--strategy", "other",
         "--contract-size", "XAUUSD=100", "--contract-size", "*=100000")  # fmt: skip


@pytest.fixture
def sample():
    return Sample()


@pytest.fixture
def imported(rpm, tmp_path):
    """Run `rpm import mt5` on a sample with the rules that it needs, and others."""

    def run(sample, *options, rules=RULES, encoding="utf-8", bom=b"", name="report.html"):
        return rpm("import", "mt5", sample.write(tmp_path / name, encoding, bom), *rules, *options)

    return run
