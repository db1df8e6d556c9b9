import os

import numpy as np
import pytest
from scipy import stats

from rpmcore.domain.errors import InvalidArgument
from rpmcore.risk.backtesting.duration import duration
from rpmcore.risk.backtesting.independence import conditional_coverage, independence
from rpmcore.risk.backtesting.monte_carlo import monte_carlo_p_value, simulate_null

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"


@pytest.mark.parametrize(("n_obs", "confidence"), [(250, 0.99), (1000, 0.99), (1000, 0.95)])
def test_a_right_model_fails_one_time_in_twenty(n_obs, confidence):
    """2,000 series and 5 % ± 1.5 points, three standard errors of that many; at night 20,000 and ± 0.5."""
    runs, within = (20_000, 0.005) if NIGHTLY else (2_000, 0.015)
    rng = np.random.default_rng(20_080_915)
    failed = dict.fromkeys(("independence", "conditional coverage", "duration"), 0)
    for seed in range(runs):
        hits = rng.random(n_obs) < 1.0 - confidence
        null = simulate_null(n_obs, confidence=confidence, seed=seed, replications=199)
        for test in (independence, conditional_coverage, duration):
            found = test(hits, confidence=confidence, seed=seed, replications=199, null=null)
            failed[found.name] += found.verdict == "fail"
    assert all(abs(count / runs - 0.05) <= within for count in failed.values()), failed


def test_the_asymptotic_sizes_are_off():
    """The reason for simulating: at 1,000 days χ²(1) rejects independence 1.8 % of the time at 99 %, 8.2 % at 95 %."""
    critical = stats.chi2.isf(0.05, 1)
    for confidence, size in ((0.99, 0.018), (0.95, 0.082)):
        null = simulate_null(1000, confidence=confidence, seed=5, replications=20_000)
        assert np.mean(null.independence > critical) == pytest.approx(size, abs=0.004)
        assert np.mean(null.conditional_coverage >= null.independence) == 1.0


def test_p_values_are_uniform_however_coarse_the_statistic():
    """Coin tosses as statistics: without random ties a p-value would be 1 or one half."""
    rng = np.random.default_rng(1)
    found = []
    for seed in range(1500):
        tosses = rng.integers(0, 2, 100).astype(float)
        found.append(monte_carlo_p_value(tosses[0], tosses[1:], seed=seed))
    counts = np.bincount(np.ceil(10.0 * np.array(found)).astype(int), minlength=11)[1:]
    assert stats.chisquare(counts).pvalue > 0.001
    assert min(found) >= 0.01
    assert max(found) <= 1.0


def test_p_value_counts_what_is_larger_and_forgives_rounding():
    simulated = np.array([1.0, 2.0, 3.0, 4.0])
    assert monte_carlo_p_value(2.5, simulated, seed=1) == 3 / 5
    assert monte_carlo_p_value(9.0, simulated, seed=1) == 1 / 5
    assert monte_carlo_p_value(0.0, simulated, seed=1) == 1.0
    exactly = [monte_carlo_p_value(3.0, simulated, seed=s) for s in range(40)]
    assert set(exactly) == {2 / 5, 3 / 5}
    assert exactly == [monte_carlo_p_value(3.0 + 1e-13, simulated, seed=s) for s in range(40)]


def test_the_same_seed_gives_the_same_series_and_more_begin_with_them():
    few, many = (simulate_null(300, confidence=0.97, seed=4, replications=n) for n in (99, 500))
    np.testing.assert_array_equal(few.duration, many.duration[:99])
    other = simulate_null(300, confidence=0.97, seed=5, replications=99)
    assert not np.array_equal(few.conditional_coverage, other.conditional_coverage)


def test_misuse():
    with pytest.raises(InvalidArgument, match="seed"):
        simulate_null(10, confidence=0.99, seed=-1)
    with pytest.raises(InvalidArgument, match="replications"):
        simulate_null(10, confidence=0.99, seed=1, replications=50)
    with pytest.raises(InvalidArgument, match="n_obs"):
        simulate_null(0, confidence=0.99, seed=1)
    null = simulate_null(20, confidence=0.99, seed=1, replications=99)
    with pytest.raises(InvalidArgument, match="simulated for 20 days"):
        conditional_coverage(np.zeros(21), confidence=0.99, seed=1, null=null)
