"""A small ledger, the command, and files of what a broker says."""

import json

import pytest

from tests.cli.conftest import desk as desk
from tests.cli.conftest import holder as holder
from tests.cli.conftest import rpm as rpm_process  # noqa: F401 - a fixture
from tests.cli.conftest import written_ledger as written_ledger
from tests.in_process import rpm_in_process


@pytest.fixture
def rpm(rpm_process):  # noqa: F811
    """Run the command; in a process of its own where it is to find modules that a test wrote."""

    def run(*arguments, **environment):
        runner = rpm_process if "PYTHONPATH" in environment else rpm_in_process
        return runner(*arguments, **environment)

    return run


@pytest.fixture
def held(desk):
    """What the gate of the small ledger holds by symbol, and its equity."""
    status = json.loads(desk("gate", "status", desk.ledger, "--json").out)
    net = {}
    for row in status["positions"]:
        net[row["symbol"]] = net.get(row["symbol"], 0.0) + row["quantity"]
    return {**net, "equity": status["equity"]}


@pytest.fixture
def write_positions(tmp_path):
    """Write a table of symbol and quantity, and return its path."""

    def write(rows, name="positions.csv"):
        path = tmp_path / name
        path.write_text("symbol,quantity\n" + "".join(f"{s},{q!r}\n" for s, q in rows.items()), encoding="utf-8")
        return path

    return write
