import numpy as np
import pytest
from scipy import stats

from rpmcore.domain.errors import InvalidArgument
from rpmcore.risk.backtesting.coverage import kupiec, kupiec_size
from rpmcore.risk.backtesting.violations import violations


def days(count, n_obs):
    return np.arange(n_obs) < count


# P. Kupiec, "Techniques for verifying the accuracy of risk measurement models" (1995), as printed in P. Jorion, *Value
# at Risk*, 2nd ed. 2001, table 6-2: the counts N with low < N < high are not rejected at 5 %. For 255 days at 1 % the
# table says N < 7; the ratio at N = 0 is 5.13, beyond the critical 3.84, so that none is rejected too.
NOT_REJECTED = {
    (0.010, 255): (0, 7), (0.010, 510): (1, 11), (0.010, 1000): (4, 17),
    (0.025, 255): (2, 12), (0.025, 510): (6, 21), (0.025, 1000): (15, 36),
    (0.050, 255): (6, 21), (0.050, 510): (16, 36), (0.050, 1000): (37, 65),
    (0.075, 255): (11, 28), (0.075, 510): (27, 51), (0.075, 1000): (59, 92),
    (0.100, 255): (16, 36), (0.100, 510): (38, 65), (0.100, 1000): (81, 120),
}  # fmt: skip


@pytest.mark.parametrize(("rate", "n_obs"), NOT_REJECTED)
def test_the_regions_are_kupiecs(rate, n_obs):
    low, high = NOT_REJECTED[rate, n_obs]
    for count, verdict in ((low, "fail"), (low + 1, "pass"), (high - 1, "pass"), (high, "fail")):
        assert kupiec(days(count, n_obs), confidence=1.0 - rate).verdict == verdict


def test_a_published_example():
    """MathWorks, Risk Management Toolbox, `varbacktest.cc`: 57 failures in 1,043 days at 95 %."""
    result = kupiec(days(57, 1043), confidence=0.95)
    assert result.statistic == pytest.approx(0.46147, abs=5e-6)
    assert result.p_value == pytest.approx(0.49694, abs=5e-6)


@pytest.mark.parametrize(("n_obs", "confidence"), [(250, 0.99), (250, 0.95), (1000, 0.99), (1000, 0.975), (1, 0.99)])
def test_the_size_is_the_exact_binomial_sum(n_obs, confidence):
    rate = 1.0 - confidence
    rejected = [x for x in range(n_obs + 1) if kupiec(days(x, n_obs), confidence=confidence).verdict == "fail"]
    exact = stats.binom.pmf(rejected, n_obs, rate).sum()
    assert kupiec_size(n_obs, confidence=confidence) == pytest.approx(exact, rel=1e-9)
    assert kupiec(days(1, n_obs), confidence=confidence).detail["size"] == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("count", [0, 1, 4, 11, 250])
def test_exact_probabilities(count):
    detail = kupiec(days(count, 250), confidence=0.99).detail
    one_sided = stats.binomtest(count, 250, 0.01, alternative="greater").pvalue
    assert detail["p_value_one_sided"] == pytest.approx(one_sided, rel=1e-9)

    def ratio(x):
        return stats.binom.logpmf(x, 250, x / 250) - stats.binom.logpmf(x, 250, 0.01)

    as_extreme = [x for x in range(251) if ratio(x) >= ratio(count) - 1e-9]
    assert detail["p_value_exact"] == pytest.approx(stats.binom.pmf(as_extreme, 250, 0.01).sum(), rel=1e-9)
    assert detail["expected"] == 2.5
    assert detail["rate"] == count / 250


def test_no_violation_in_a_year_at_99_percent_is_rejected_and_says_which_way():
    result = kupiec(days(0, 250), confidence=0.99)
    assert result.verdict == "fail"
    assert "too high, not too low" in result.note
    assert result.detail["p_value_one_sided"] == 1.0
    assert "more violations" in kupiec(days(20, 250), confidence=0.99).note


def test_a_loss_equal_to_value_at_risk_is_no_violation():
    assert violations([1.0, 1.0 + 2**-52, -1.0], [1.0, 1.0, -2.0]).tolist() == [False, True, True]


def test_misuse():
    for losses, var, message in (
        ([1.0, 2.0], [1.0], "one forecast a day"),
        ([1.0, np.nan], [1.0, 1.0], "losses must be finite"),
        ([1.0, 1.0], [1.0, np.inf], "value_at_risk must be finite"),
    ):
        with pytest.raises(InvalidArgument, match=message):
            violations(losses, var)
    with pytest.raises(InvalidArgument, match="holds 2"):
        kupiec([0.0, 2.0], confidence=0.99)
    with pytest.raises(InvalidArgument, match="one or more days"):
        kupiec(np.zeros(0, bool), confidence=0.99)
    with pytest.raises(InvalidArgument, match="did you mean"):
        kupiec([0, 1], confidence=99)
    with pytest.raises(InvalidArgument, match="significance"):
        kupiec([0, 1], confidence=0.99, significance=5)
    with pytest.raises(InvalidArgument, match="n_obs"):
        kupiec_size(0, confidence=0.99)
