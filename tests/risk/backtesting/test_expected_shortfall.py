import math

import numpy as np
import pytest
from scipy import stats

from rpmcore.domain.errors import InvalidArgument
from rpmcore.risk.backtesting.acerbi_szekely import acerbi_szekely
from rpmcore.risk.backtesting.excess_loss import excess_loss
from rpmcore.risk.backtesting.mcneil_frey import mcneil_frey


def forecasts(n_obs, dof=math.inf, confidence=0.975):
    """Value at risk and expected shortfall of returns of unit variance, by SciPy."""
    law = stats.norm() if dof == math.inf else stats.t(dof, scale=math.sqrt((dof - 2) / dof))
    q = law.ppf(confidence)
    shortfall = law.expect(lambda x: x, lb=q, conditional=True)
    return np.full(n_obs, q), np.full(n_obs, shortfall)


def test_the_statistics_by_hand():
    """Ten days at 80 %, two violations: losses of 3 and 5 against an expected shortfall of 2 and 4."""
    losses = [0, 3, 1, -2, 5, 0, 1, 2, -1, 0]
    var = [1, 1, 1, 1, 3, 1, 1, 2, 1, 1]
    shortfall = [2, 2, 2, 2, 4, 2, 2, 3, 2, 2]
    z1, z2 = acerbi_szekely(losses, var, shortfall, confidence=0.8, seed=1, replications=99)
    assert z1.statistic == pytest.approx(1 - (1.5 + 1.25) / 2)
    assert z2.statistic == pytest.approx(1 - (1.5 + 1.25) / (10 * 0.2))
    assert z1.detail["violations"] == 2
    assert z1.detail["mean_ratio"] == pytest.approx(1.375)


@pytest.mark.parametrize(
    ("dof", "critical"), [(3.0, -0.82), (5.0, -0.74), (10.0, -0.71), (100.0, -0.70), (math.inf, -0.70)]
)
def test_the_null_law_has_the_papers_critical_values(dof, critical):
    """Acerbi and Székely 2014, critical levels of Z2 at 5 % for 250 days at 97.5 %, two digits each."""
    var, shortfall = forecasts(250, dof)
    for z, beyond in ((critical + 0.03, False), (critical - 0.03, True)):
        # One loss on the first day brings Z2 to where it is wanted.
        losses = np.zeros(250)
        losses[0] = (1.0 - z) * 250 * 0.025 * shortfall[0]
        found = acerbi_szekely(losses, var, shortfall, confidence=0.975, dof=dof, seed=2).unconditional
        assert found.statistic == pytest.approx(z)
        assert (found.verdict == "fail") is beyond


def test_an_expected_shortfall_that_is_too_small_is_found_and_a_right_one_passes():
    losses = stats.t(4, scale=math.sqrt(0.5)).ppf((np.arange(2000) + 0.5) / 2000)
    var, shortfall = forecasts(2000, 4)
    right = acerbi_szekely(losses, var, shortfall, confidence=0.975, dof=4, seed=1, replications=999)
    assert right.conditional.verdict == right.unconditional.verdict == "pass"
    short = var + 0.5 * (shortfall - var)
    wrong = acerbi_szekely(losses, var, short, confidence=0.975, dof=4, seed=1, replications=999)
    assert wrong.conditional.verdict == "fail"
    assert wrong.conditional.note == "expected shortfall is too small"
    # With value at risk too low as well there are more violations, which Z2 alone counts.
    low = acerbi_szekely(losses, 0.8 * var, 0.8 * shortfall, confidence=0.975, dof=4, seed=1, replications=999)
    assert low.unconditional.verdict == "fail"
    assert "too many" in low.unconditional.note
    assert mcneil_frey(losses, var, shortfall, seed=1).verdict == "pass"
    assert mcneil_frey(losses, var, short, seed=1).verdict == "fail"


def test_right_models_fail_one_time_in_twenty():
    rng = np.random.default_rng(6)
    var, shortfall = forecasts(500)
    failed = np.zeros(3)
    for seed in range(400):
        losses = rng.standard_normal(500)
        z = acerbi_szekely(losses, var, shortfall, confidence=0.975, seed=seed, replications=199)
        excess = mcneil_frey(losses, var, shortfall, seed=seed, replications=199)
        failed += [test.verdict == "fail" for test in (*z, excess)]
    np.testing.assert_allclose(failed[:2] / 400, 0.05, atol=0.033)
    # The bootstrap of a dozen excess losses errs on the side of passing.
    assert failed[2] / 400 < 0.06


@pytest.mark.parametrize(
    ("shortfall", "reason", "statistic"),
    [
        (1.0, "not above value at risk on row 0", True),
        (0.5, "not above value at risk", True),
        (0.0, "not positive", False),
    ],
)
def test_impossible_expected_shortfalls_are_not_tested(shortfall, reason, statistic):
    for test in acerbi_szekely([0, 2, 0], [1, 1, 1], [shortfall] * 3, confidence=0.9, seed=1):
        assert test.verdict == "untested"
        assert reason in test.p_value_reason
        assert (test.statistic is not None) is statistic


def test_without_a_violation():
    z1, z2 = acerbi_szekely(np.zeros(50), np.ones(50), np.full(50, 1.2), confidence=0.99, seed=1, replications=99)
    assert (z1.verdict, z1.statistic, z1.p_value_reason) == ("untested", None, "there is no violation")
    assert (z2.verdict, z2.statistic, z2.p_value) == ("pass", 1.0, 1.0)
    assert mcneil_frey(np.zeros(50), np.ones(50), np.full(50, 1.2), seed=1).verdict == "untested"


def test_mcneil_frey_is_students_t():
    rng = np.random.default_rng(1)
    losses, sigma = rng.standard_t(5, 800), rng.uniform(0.5, 2.0, 800)
    losses *= sigma
    var, shortfall = 1.5 * sigma, 2.2 * sigma
    hits = losses > var
    for volatility, scale in ((None, np.ones(800)), (sigma, sigma)):
        found = mcneil_frey(losses, var, shortfall, volatility=volatility, seed=1)
        peer = stats.ttest_1samp(((losses - shortfall) / scale)[hits], 0.0, alternative="greater")
        assert found.statistic == pytest.approx(peer.statistic, rel=1e-9)
        assert found.p_value_asymptotic == pytest.approx(peer.pvalue, rel=1e-9)
        assert found.p_value == pytest.approx(peer.pvalue, abs=0.03)
        assert found.detail["violations"] == hits.sum()


def test_mcneil_freys_bootstrap_on_two_violations():
    """Of the four resamples of two residuals around their mean, one has a t statistic of +∞."""
    found = mcneil_frey([0, 2, 3], [1, 1, 1], [1.5, 1.5, 1.5], seed=3)
    assert found.statistic == pytest.approx(2.0)
    assert found.p_value == pytest.approx(0.25, abs=0.02)
    assert found.p_value_asymptotic == pytest.approx(stats.t.sf(2.0, 1), rel=1e-9)


@pytest.mark.parametrize(
    ("losses", "reason"),
    [([0, 0, 0], "fewer than two"), ([0, 0, 2], "fewer than two"), ([0, 2, 2], "equal"), ([2, 2, 2], "equal")],
)
def test_mcneil_frey_needs_two_excess_losses_that_differ(losses, reason):
    found = mcneil_frey(losses, [1, 1, 1], [1.5, 1.5, 1.5], seed=1)
    assert found.verdict == "untested"
    assert reason in found.p_value_reason


def test_excess_loss_by_hand():
    found = excess_loss([0, 3, 1, 5], [1, 2, 1, 2.5], [2, 2.5, 2, 4])
    assert found.mean_excess == pytest.approx(1.75)
    assert found.mean_ratio == pytest.approx((1.5 + 2.0) / 2)
    assert found.mean_shortfall_ratio == pytest.approx((1.2 + 1.25) / 2)
    assert (found.worst_ratio, found.worst_row) == (2.0, 3)
    calm = excess_loss([0.5, 0.2], [1, 1])
    assert (calm.mean_excess, calm.worst_ratio, calm.worst_row) == (None, 0.5, 0)
    assert excess_loss([0.5], [-1.0]).worst_ratio is None
    assert excess_loss([0.5], [-1.0]).mean_excess == 1.5
    assert excess_loss([0.5], [0.1]).mean_shortfall_ratio_reason == "no expected shortfall was given"


def test_misuse():
    with pytest.raises(InvalidArgument, match="expected_shortfall has 1"):
        acerbi_szekely([1, 2], [1, 1], [2], confidence=0.99, seed=1)
    with pytest.raises(InvalidArgument, match="dof must exceed 2"):
        acerbi_szekely([1, 2], [1, 1], [2, 2], confidence=0.99, dof=2.0, seed=1)
    with pytest.raises(InvalidArgument, match="volatility must be positive"):
        mcneil_frey([1, 2], [1, 1], [2, 2], volatility=[1.0, 0.0], seed=1)
    with pytest.raises(InvalidArgument, match="seed"):
        mcneil_frey([1, 2], [1, 1], [2, 2], seed=2**64)
