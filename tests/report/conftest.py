"""The report on the sample book with its trades, made once as a user makes it; and Chromium to look at it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.report.pages import read_page

DATA = Path(__file__).parents[2] / "data"
BOOK, TRADES = DATA / "portfolio.parquet", DATA / "trades.parquet"


def run_report(*arguments, cwd=None, **environment):
    """Run the command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "rpmcore", "report", *map(str, arguments)], capture_output=True, cwd=cwd,
        env={**os.environ, **environment}, check=False,
    )  # fmt: skip
    assert b"Traceback" not in done.stderr
    return done.returncode, done.stdout, " ".join(done.stderr.decode().split())


@pytest.fixture
def report():
    return run_report


@pytest.fixture(scope="session")
def sample_page(tmp_path_factory):
    """The path of the page."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    code, _, told = run_report(BOOK, "--trades", TRADES, "-o", path, "--quiet")
    assert code == 0, told
    return path


@pytest.fixture(scope="session")
def sample(sample_page):
    """The page as elements."""
    return read_page(sample_page.read_bytes())


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()
