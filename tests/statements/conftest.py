"""Statements written by hand, and the command run on them."""

import pytest

from tests.in_process import rpm_in_process
from tests.statements.samples import Sample

RULES = ("--time-zone", "Europe/Athens", "--strategy-rule", "trend*=trend", "--strategy", "other",
         "--contract-size", "XAUUSD=100", "--contract-size", "*=100000")  # fmt: skip


@pytest.fixture
def rpm():
    return rpm_in_process


@pytest.fixture
def sample():
    return Sample()


@pytest.fixture
def imported(rpm, tmp_path):
    """Run `rpm import mt5` on a sample with the rules that it needs, and others."""

    def run(sample, *options, rules=RULES, encoding="utf-8", bom=b"", name="report.html"):
        return rpm("import", "mt5", sample.write(tmp_path / name, encoding, bom), *rules, *options)

    return run
