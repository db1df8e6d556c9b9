"""Run the command as a user does, in a process of its own, and books to run it on."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.small_gate import write_key, write_small_ledger

DATA = Path(__file__).parents[2] / "data"
SAMPLE = DATA / "portfolio.parquet"


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def rpm():
    def run(*arguments, cwd=None, **environment):
        settings = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
        done = subprocess.run(
            [sys.executable, "-m", "rpmcore", *map(str, arguments)],
            capture_output=True, text=True, cwd=cwd, env={**settings, **environment}, check=False, encoding="utf-8",
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def write_book(tmp_path):
    """Write a Parquet book of columns, and prices of its symbols beside it; returns the book's path."""

    def write(columns, *, metadata=None, n_days=120, prices=True, seed=0):
        table = pa.table(columns)
        if metadata:
            table = table.replace_schema_metadata(metadata)
        book = tmp_path / "book.parquet"
        pq.write_table(table, book)
        if prices:
            write_prices(tmp_path / "prices.parquet", list(dict.fromkeys(columns["symbol"])), n_days, seed)
        return book

    return write


def write_prices(path, symbols, n_days, seed=0):
    rng = np.random.default_rng(seed)
    closes = 100.0 * np.exp(np.cumsum(0.01 * rng.standard_normal((n_days, len(symbols))), axis=0))
    days = business_days(n_days)
    pq.write_table(pa.table({"date": days, **{s: closes[:, i] for i, s in enumerate(symbols)}}), path)


def business_days(n_days, last=date(2022, 12, 28)):
    days = []
    while len(days) < n_days:
        if last.weekday() < 5:
            days.append(last)
        last -= timedelta(days=1)
    return days[::-1]


@pytest.fixture(scope="session")
def written_ledger(tmp_path_factory):
    """A small ledger that is written once; `desk` copies it."""
    folder = tmp_path_factory.mktemp("written")
    return write_small_ledger(folder / "desk.ledger")


@dataclass(frozen=True)
class Desk:
    """A ledger of one's own, and the command that is run on it with its key."""

    ledger: Path
    environment: dict[str, str]
    rpm: Callable[..., Outcome]

    def __call__(self, *arguments, **environment):
        return self.rpm(*arguments, **{**self.environment, **environment})


@pytest.fixture
def desk(rpm, written_ledger, tmp_path):
    folder = tmp_path / "desk"
    shutil.copytree(written_ledger.parent, folder)
    key = write_key(tmp_path / "keys")
    return Desk(folder / "desk.ledger", {"RPM_LEDGER_KEY_FILE": str(key)}, rpm)


@pytest.fixture
def holder(desk):
    """Start a second process that holds the ledger, in the manner named; see `tests/holding_gate.py`."""
    started = []

    def hold(manner):
        root = Path(__file__).parents[2]
        process = subprocess.Popen(
            [sys.executable, root / "tests" / "holding_gate.py", desk.ledger, manner], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, cwd=root, env={**os.environ, **desk.environment},
        )  # fmt: skip
        started.append(process)
        assert process.stdout.readline() == "holding\n"
        return process

    yield hold
    for process in started:
        process.stdin.close()
        process.wait(timeout=60)
        process.stdout.close()
