import dataclasses
import math
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.plain import to_plain
from rpmcore.risk.backtesting.backtester import VaRBacktester
from rpmcore.risk.backtesting.coverage import kupiec
from rpmcore.risk.backtesting.independence import independence
from rpmcore.risk.backtesting.suite import backtest
from rpmcore.risk.backtesting.violations import violations

NAMES = [
    "kupiec", "christoffersen", "conditional_coverage", "duration", "dynamic_quantile", "traffic_light",
    "acerbi_szekely", "acerbi_szekely_conditional", "mcneil_frey",
]  # fmt: skip


def run(losses, var, shortfall=None, **more):
    return backtest(losses, var, shortfall, confidence=0.95, seed=1, **{"replications": 199, **more})


def model(n_obs=1000, seed=1):
    """Losses at the quantiles of the normal law, each once and in any order, and their true forecasts at 95 %."""
    rng = np.random.default_rng(seed)
    sigma = 0.01 * np.exp(0.3 * rng.standard_normal(n_obs))
    z = stats.norm.ppf(rng.permutation((np.arange(n_obs) + 0.5) / n_obs))
    return sigma * z, 1.6448536 * sigma, 2.0627128 * sigma


def verdicts(found):
    return {name: test.verdict for name, test in found.tests.items()}


def test_a_right_model_passes():
    losses, var, shortfall = model()
    found = run(losses, var, shortfall)
    assert list(found.tests) == NAMES
    assert set(verdicts(found).values()) == {"pass"}
    assert found.failed == ()
    assert found.violations == len(found.rows) == (losses > var).sum()
    assert found.rows == tuple(np.flatnonzero(losses > var))
    assert (found.n_obs, found.expected, found.rate) == (1000, 50.0, found.violations / 1000)


@pytest.mark.parametrize(
    ("wrong", "tests"),
    [
        (lambda v, e: (0.8 * v, 0.8 * e), {"kupiec", "conditional_coverage", "traffic_light", "acerbi_szekely"}),
        (lambda v, e: (1.5 * v, 1.5 * e), {"kupiec", "conditional_coverage"}),
        (lambda v, e: (v, v + 0.4 * (e - v)), {"acerbi_szekely_conditional", "mcneil_frey"}),
    ],
)
def test_a_wrong_model_fails_the_tests_that_look_for_it(wrong, tests):
    losses, var, shortfall = model(2000)
    assert tests <= set(run(losses, *wrong(var, shortfall)).failed)


def test_a_model_that_does_not_follow_volatility_has_clusters():
    wild = np.arange(2000) % 400 < 80
    losses = np.random.default_rng(3).standard_normal(2000) * np.where(wild, 2.0, 0.6)
    found = run(losses, np.full(2000, np.quantile(losses, 0.95)))
    assert {"christoffersen", "duration", "dynamic_quantile"} <= set(found.failed)
    assert found.tests["kupiec"].verdict == "pass"


def test_without_expected_shortfall_its_tests_are_untested():
    losses, var, _ = model(300)
    found = run(losses, var)
    for name in NAMES[-3:]:
        assert found.tests[name].verdict == "untested"
        assert found.tests[name].p_value_reason == "no expected shortfall was given"


patterns = st.one_of(
    st.integers(1, 30).flatmap(
        lambda n: st.sampled_from([0, 1, 1 << (n - 1), (1 << n) - 1]).map(lambda bits: (n, bits))
    ),
    st.integers(1, 30).flatmap(lambda n: st.integers(0, 2**n - 1).map(lambda bits: (n, bits))),
)


@given(patterns, st.sampled_from([None, -1.0, 0.0, 0.5, 1.0, 1.5]), st.booleans(), st.sampled_from([1e-9, 1.0, 1e9]))
def test_every_series_has_an_answer(pattern, shortfall, varied, unit):
    """No violation, all, one at an edge, a single day, an impossible expected shortfall: no error, and no NaN."""
    n, bits = pattern
    hits = np.array([bits >> day & 1 for day in range(n)])
    losses = unit * np.where(hits, 2.0 + varied * np.arange(n), 0.5)
    es = None if shortfall is None else np.full(n, unit * shortfall)
    found = run(losses, np.full(n, unit), es, replications=99)
    plain = to_plain(found)
    assert plain["violations"] == hits.sum()
    for test in found.tests.values():
        assert (test.p_value is None) == (test.verdict == "untested")
        if test.p_value is None:
            assert test.p_value_reason
        else:
            assert 0.0 <= test.p_value <= 1.0


@given(st.integers(0, 2**32), st.integers(-20, 20), st.integers(12, 120))
def test_the_unit_of_money_changes_nothing(seed, exponent, n_obs):
    losses, var, shortfall = model(n_obs, seed)
    unit = 2.0**exponent
    one = run(losses, var, shortfall, replications=99)
    other = run(unit * losses, unit * var, unit * shortfall, replications=99)
    for name, test in one.tests.items():
        scaled = other.tests[name]
        assert scaled.verdict == test.verdict
        for figure, same in ((scaled.p_value, test.p_value), (scaled.statistic, test.statistic)):
            assert (figure is None) == (same is None)
            assert figure is None or figure == pytest.approx(same, rel=1e-7, abs=1e-7)


def test_the_same_seed_gives_the_same_bits_and_another_nearly_the_same_p_values():
    losses, var, shortfall = model(500)
    one, again = (run(losses, var, shortfall, replications=9_999) for _ in range(2))
    assert one == again
    other = backtest(losses, var, shortfall, confidence=0.95, seed=2)
    for name, test in one.tests.items():
        assert other.tests[name].statistic == test.statistic
        assert other.tests[name].p_value == pytest.approx(test.p_value, abs=0.03)


def test_the_backtester_gives_what_the_functions_give():
    losses, var, shortfall = model(400)
    tester = VaRBacktester(0.95, seed=1, replications=199)
    hits = violations(losses, var)
    assert tester.test_violation_rate(losses, var) == kupiec(hits, confidence=0.95)
    assert tester.test_independence(losses, var) == independence(hits, confidence=0.95, seed=1, replications=199)
    assert tester.run(losses, var, shortfall) == run(losses, var, shortfall)
    assert tester.measure_excess_loss(losses, var, shortfall) == run(losses, var, shortfall).excess
    heavy = VaRBacktester(0.95, seed=1, replications=199, dof=3.0).run(losses, var, shortfall)
    assert heavy.tests["acerbi_szekely"].detail["dof"] == 3.0
    assert VaRBacktester().seed == 20_080_915


COMPILED = """
import numpy as np
from rpmcore.kernels import _jit
from rpmcore.risk.backtesting.suite import backtest
losses = np.arange(30.0) % 7
for dof in (float("inf"), 4):
    backtest(losses, np.full(30, 4.5), np.full(30, 5.0), confidence=0.95, dof=dof, seed=1, replications=99)
backtest([2, 0, 2], [1, 1, 1], confidence=0.95, seed=1, replications=99)
more = {
    name: kernel.signatures for name, (kernel, declared) in _jit.declared().items()
    if len(kernel.signatures) > len(declared)
}
assert not more, more
"""


def test_kernels_are_called_with_the_types_that_they_declare():
    """Any other would compile anew in the middle of a run, after ``rpm warmup``."""
    compiled = {name: value for name, value in os.environ.items() if name != "NUMBA_DISABLE_JIT"}
    subprocess.run([sys.executable, "-c", COMPILED], check=True, env=compiled)


def test_results_are_frozen():
    found = run(*model(50))
    for thing, name in ((found, "rate"), (found.tests["kupiec"], "verdict"), (found.excess, "worst_ratio")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(thing, name, 0.0)


def test_misuse():
    for arguments, message in (
        ({"confidence": 99}, "did you mean 0.99"),
        ({"significance": 0.0}, "significance"),
        ({"seed": -1}, "seed"),
        ({"replications": 10}, "replications"),
    ):
        with pytest.raises(InvalidArgument, match=message):
            VaRBacktester(**arguments)
    with pytest.raises(InvalidArgument, match="losses must be finite"):
        run([math.nan], [1.0])
    with pytest.raises(InvalidArgument, match="regime"):
        run([0.0], [1.0], regime="basel")
