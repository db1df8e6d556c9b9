import numpy as np
import pytest

from rpmcore.risk.backtesting.duration import duration
from rpmcore.risk.backtesting.independence import conditional_coverage, independence
from tests.oracles import backtesting as oracle

YEAR = {"confidence": 0.99, "seed": 1, "replications": 999}


def day(*rows, n_obs=250):
    hits = np.zeros(n_obs, bool)
    hits[list(rows)] = True
    return hits


def test_a_published_example():
    """MathWorks, Risk Management Toolbox, `varbacktest.cc`: transitions 932, 53, 53 and 4 in 1,043 days at 95 %."""
    # Four pairs of violations, 49 alone, all with quiet days between them.
    hits = np.zeros(1043, bool)
    place = 1
    for length in [2] * 4 + [1] * 49:
        hits[place : place + length] = True
        place += length + 3
    found = independence(hits, confidence=0.95, seed=1)
    assert [found.detail[name] for name in ("n00", "n10", "n01", "n11")] == [932, 53, 53, 4]
    assert found.statistic == pytest.approx(0.25866, abs=5e-6)
    assert found.p_value_asymptotic == pytest.approx(0.61104, abs=5e-6)
    both = conditional_coverage(hits, confidence=0.95, seed=1)
    assert both.statistic == pytest.approx(0.72013, abs=5e-6)
    assert both.p_value_asymptotic == pytest.approx(0.69763, abs=5e-6)
    assert found.verdict == both.verdict == "pass"


@pytest.mark.parametrize(
    ("hits", "reason"),
    [
        (day(), "no violation has a day after it"),
        (day(249), "no violation has a day after it"),
        (day(0), "no violation has a day before it"),
        (~day(), "no quiet day has a day after it"),
        (~day(0), "no quiet day has a day before it"),
        (day(n_obs=1), "no violation has a day after it"),
        (day(0, n_obs=1), "no violation has a day after it"),
    ],
)
def test_where_nothing_follows_nothing_is_tested(hits, reason):
    found, both = independence(hits, **YEAR), conditional_coverage(hits, **YEAR)
    assert (found.verdict, found.statistic, found.p_value) == ("untested", 0.0, None)
    assert found.p_value_reason == reason
    assert both.statistic == pytest.approx(oracle.coverage(hits.tolist(), 0.01), abs=1e-9)
    # The rate alone can still tell that the model is wrong, but not that it is right.
    assert both.verdict == (
        "fail" if hits.sum() in (1, 249, 250) and (len(hits) == 1 or hits.sum() > 1) else "untested"
    )


def test_clusters_are_found():
    clustered = day(*range(40, 44), *range(140, 144))
    assert independence(clustered, **YEAR).verdict == "fail"
    assert conditional_coverage(clustered, **YEAR).verdict == "fail"
    assert duration(clustered, **YEAR).verdict == "fail"
    assert duration(clustered, **YEAR).note == "violations come in clusters"


def test_regular_violations_are_found():
    regular = np.arange(1000) % 20 == 7
    regular[[7, 8]] = False, True
    found = duration(regular, confidence=0.95, seed=1)
    assert found.verdict == "fail"
    assert found.note == "violations come at too regular intervals"
    assert found.detail["shape"] > 10


@pytest.mark.parametrize("hits", [day(), day(0), day(120), day(249), day(0, n_obs=1)])
def test_fewer_than_two_violations_have_no_duration(hits):
    found = duration(hits, **YEAR)
    assert (found.verdict, found.statistic) == ("untested", None)
    assert "fewer than two" in found.p_value_reason


@pytest.mark.parametrize("hits", [~day(), day(50, 200), day(0, 125), day(0, 249)])
def test_equal_durations_longer_than_the_censored_have_no_estimate(hits):
    found = duration(hits, **YEAR)
    assert found.verdict == "untested"
    assert "the longest of all" in found.p_value_reason


@pytest.mark.parametrize(
    ("rows", "statistic", "shape"),
    [
        ((12, 30, 31, 77, 140, 141, 143, 220), 1.1779312706501344, 0.723523),
        ((0, 7, 100, 104, 180), 0.12809527210360727, 0.859073),
    ],
)
def test_duration_agrees_with_a_peer(rows, statistic, shape):
    """Figures of `vartests.duration_test`, version 0.4.1, on the same days of 250."""
    found = duration(day(*rows), **YEAR)
    assert found.statistic == pytest.approx(statistic, rel=1e-7)
    assert found.detail["shape"] == pytest.approx(shape, abs=2e-5)


@pytest.mark.parametrize("rows", [(0, 7, 100), (3, 7, 249), (0, 40, 249), (30, 33, 90, 91)])
def test_durations_at_the_edges_are_censored_unless_a_violation_stands_there(rows):
    found = duration(day(*rows), **YEAR)
    ratio, shape = oracle.duration(day(*rows).tolist())
    assert found.statistic == pytest.approx(ratio, rel=1e-6, abs=1e-8)
    assert found.detail["shape"] == pytest.approx(shape, rel=1e-4)
