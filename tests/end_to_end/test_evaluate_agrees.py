"""The whole way from files to figures, against a computation that shares no code with it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.oracles.evaluation import evaluate as oracle

DATA = Path(__file__).parents[2] / "data"
BOOK, PRICES = DATA / "portfolio.parquet", DATA / "prices.parquet"


def run(*arguments, **environment):
    done = subprocess.run(
        [sys.executable, "-m", "rpmcore", *map(str, arguments)],
        capture_output=True, text=True, check=True, env={**os.environ, **environment},
    )  # fmt: skip
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def ours():
    return run("evaluate", BOOK, "--json")


@pytest.fixture(scope="module")
def theirs():
    return oracle(BOOK, PRICES)


def test_volatility(ours, theirs):
    assert ours["volatility"]["daily"] == pytest.approx(theirs["daily"], rel=1e-10)
    assert ours["volatility"]["annual"] == pytest.approx(theirs["annual"], rel=1e-10)


@pytest.mark.parametrize("method", ["historical", "normal"])
def test_tail_risk(ours, theirs, method):
    rows = {row["confidence"]: row for row in ours["tail_risk"] if row["method"] == method}
    assert set(rows) == {0.95, 0.99}
    for confidence, row in rows.items():
        var, shortfall = theirs[method][confidence]
        assert row["value_at_risk"] == pytest.approx(var, rel=1e-10)
        assert row["expected_shortfall"] == pytest.approx(shortfall, rel=1e-10)
        assert row["value_at_risk_money"] == pytest.approx(var * 1e7, rel=1e-10)


def test_components_and_their_sums(ours, theirs):
    parts = np.array([c["component_volatility"] for c in ours["components"]])
    np.testing.assert_allclose(parts, theirs["components"], rtol=1e-10, atol=1e-16)
    assert parts.sum() == pytest.approx(ours["volatility"]["daily"], rel=1e-10)
    assert sum(c["share"] for c in ours["components"]) == pytest.approx(1.0, abs=1e-10)
    normal = next(r for r in ours["tail_risk"] if r["method"] == "normal" and r["confidence"] == 0.95)
    assert sum(c["component_var"] for c in ours["components"]) == pytest.approx(normal["value_at_risk"], rel=1e-10)


def test_limits_take_the_larger_of_historical_and_ewma_normal(ours, theirs):
    limits = {limit["name"]: limit for limit in ours["limits"]}
    for name, place in (("value_at_risk", 0), ("expected_shortfall", 1)):
        expected = max(theirs["historical"][0.95][place], theirs["normal"][0.95][place])
        assert limits[name]["observed"] == pytest.approx(expected, rel=1e-10)
        assert limits[name]["utilisation"] == pytest.approx(expected / limits[name]["limit"], rel=1e-10)


def flat(value, path=""):
    if isinstance(value, dict):
        return {k: v for key, item in value.items() for k, v in flat(item, f"{path}.{key}").items()}
    if isinstance(value, list):
        return {k: v for i, item in enumerate(value) for k, v in flat(item, f"{path}[{i}]").items()}
    return {path: value}


def test_the_number_of_threads_changes_nothing():
    one = flat(run("evaluate", BOOK, "--json", NUMBA_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1"))
    two = flat(run("evaluate", BOOK, "--json", NUMBA_NUM_THREADS="2", OPENBLAS_NUM_THREADS="2"))
    assert one.keys() == two.keys()
    for path, value in one.items():
        if isinstance(value, float):
            assert two[path] == pytest.approx(value, rel=1e-13, abs=1e-300), path
        else:
            assert two[path] == value, path
    simulated = [p for p, v in one.items() if v == "monte_carlo"]
    assert simulated
    for path in simulated:
        row = path.removesuffix(".method")
        assert {p: v for p, v in one.items() if p.startswith(row)} == {
            p: v for p, v in two.items() if p.startswith(row)
        }
