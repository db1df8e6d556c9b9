from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import integrate, stats

from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.risk.value_at_risk import (
    excess_kurtosis,
    historical,
    normal,
    skewness,
    student_t,
    value_at_risk_and_shortfall,
)
from tests.oracles import tail as oracle

pnl = hnp.arrays(np.float64, st.integers(1, 300), elements=st.integers(-5000, 5000).map(lambda t: t / 10_000))
confidences = st.sampled_from([0.75, 0.9, 0.95, 0.975, 0.99, 0.995])


def test_the_losses_one_to_ten():
    found = historical([-float(loss) for loss in range(1, 11)], 0.75)
    assert found.value_at_risk == 8.0
    assert found.expected_shortfall == 9.2


@given(pnl, confidences)
def test_historical_is_the_exact_tail(returns, confidence):
    var, shortfall = oracle.value_at_risk_and_shortfall(returns, 1 - Fraction(str(confidence)))
    found = historical(returns, confidence)
    assert found.value_at_risk == float(var)
    assert found.expected_shortfall == pytest.approx(float(shortfall), rel=1e-12, abs=1e-15)


@given(pnl, confidences, st.floats(-0.5, 0.5), st.floats(0.1, 10.0))
def test_shifting_and_scaling_the_book(returns, confidence, shift, factor):
    base, moved = historical(returns, confidence), historical(factor * returns + shift, confidence)
    assert moved.value_at_risk == pytest.approx(factor * base.value_at_risk - shift, abs=1e-12)
    assert moved.expected_shortfall == pytest.approx(factor * base.expected_shortfall - shift, abs=1e-12)


@given(pnl, confidences, confidences)
def test_shortfall_exceeds_var_and_both_rise_with_confidence(returns, one, other):
    low, high = (historical(returns, c) for c in sorted((one, other)))
    assert low.expected_shortfall >= low.value_at_risk
    assert high.value_at_risk >= low.value_at_risk
    assert high.expected_shortfall >= low.expected_shortfall - 1e-15


@given(pnl, confidences, st.integers(0, 2**32 - 1))
def test_shortfall_is_subadditive(returns, confidence, seed):
    other = np.random.default_rng(seed).permutation(returns)
    together = historical(returns + other, confidence).expected_shortfall
    apart = historical(returns, confidence).expected_shortfall + historical(other, confidence).expected_shortfall
    assert together <= apart + 1e-12


@given(pnl, st.floats(0.5001, 0.9999))
def test_type_7_is_numpys_quantile_and_never_above_the_shortfall(returns, confidence):
    base, found = historical(returns, confidence), historical(returns, confidence, quantile="type7")
    # Both interpolate between the same two returns, in another order of operations: roundings of either.
    assert found.value_at_risk == pytest.approx(-np.quantile(returns, 1 - confidence), rel=1e-14, abs=1e-15)
    assert found.expected_shortfall >= found.value_at_risk
    # Raised to the VaR where rounding would leave it below; else the same number.
    assert found.expected_shortfall == pytest.approx(base.expected_shortfall, rel=1e-15, abs=1e-16)


@given(pnl, confidences, st.sampled_from(["inverse_cdf", "type7"]))
def test_the_short_form_gives_the_same_bits(returns, confidence, quantile):
    found = historical(returns, confidence, quantile=quantile)
    pair = (found.value_at_risk, found.expected_shortfall)
    assert value_at_risk_and_shortfall(returns, confidence, quantile) == pair
    assert value_at_risk_and_shortfall(list(returns), confidence, quantile) == pair
    assert value_at_risk_and_shortfall(np.repeat(returns, 2)[::2], confidence, quantile) == pair


@pytest.mark.parametrize("n", [5, 250, 3000])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_the_value_that_is_not_finite_is_named(n, bad):
    returns = np.zeros(n)
    returns[n // 2] = bad
    for function in (historical, value_at_risk_and_shortfall):
        with pytest.raises(
            InvalidArgument, match=rf"returns must be finite, but holds .*{bad}.* at index \({n // 2},\)"
        ):
            function(returns, 0.95)


@pytest.mark.parametrize(
    ("law", "lowest", "highest"), [(stats.norm(), 0.82, 0.88), (stats.t(5), 0.80, 0.86)], ids=["normal", "t5"]
)
def test_the_interval_of_the_historical_shortfall_covers_less_than_it_says(law, lowest, highest):
    """Thirteen losses of 250 know little of their own spread. Coverage falls short of 90 %, as the docstring says."""
    rng = np.random.default_rng(12)
    true = integrate.quad(law.ppf, 0.95, 1.0)[0] / 0.05
    rows = [historical(law.rvs(250, random_state=rng), 0.95) for _ in range(2000)]
    covered = np.mean([row.expected_shortfall_lower <= true <= row.expected_shortfall_upper for row in rows])
    assert lowest <= covered <= highest


def test_with_many_losses_the_interval_of_the_shortfall_covers_what_it_says():
    rng = np.random.default_rng(13)
    true = stats.norm.pdf(stats.norm.ppf(0.9)) / 0.1
    rows = [historical(rng.standard_normal(5000), 0.9) for _ in range(1000)]
    covered = np.mean([row.expected_shortfall_lower <= true <= row.expected_shortfall_upper for row in rows])
    # Three standard errors are 3 %.
    assert 0.87 <= covered <= 0.93


def test_the_normal_interval_covers_what_it_says():
    rng = np.random.default_rng(14)
    true = stats.norm.pdf(stats.norm.ppf(0.95)) / 0.05
    rows = [normal(rng.standard_normal(250).std(ddof=1), 0.95, n_effective=249) for _ in range(2000)]
    covered = np.mean([row.expected_shortfall_lower <= true <= row.expected_shortfall_upper for row in rows])
    assert 0.88 <= covered <= 0.92


def test_a_tail_of_one_loss_has_no_interval_of_its_mean():
    found = historical(np.random.default_rng(0).standard_normal(100), 0.99)
    assert found.expected_shortfall_lower is None
    assert found.expected_shortfall_upper is None
    assert "no more than one of 100 losses" in found.expected_shortfall_lower_reason


def test_intervals_scale_with_the_root_of_time():
    one = historical(np.random.default_rng(0).standard_normal(500), 0.95)
    ten = one.scaled(10)
    for name in ("value_at_risk", "lower", "upper", "expected_shortfall_lower", "expected_shortfall_upper"):
        assert getattr(ten, name) == pytest.approx(np.sqrt(10) * getattr(one, name), rel=1e-15)


def test_the_interval_covers_the_true_quantile_as_often_as_it_says():
    rng = np.random.default_rng(11)
    true = stats.norm.ppf(0.95)
    rows = [historical(rng.standard_normal(250), 0.95) for _ in range(2000)]
    covered = np.mean([row.lower <= true <= row.upper for row in rows])
    # At least 90 %; order statistics are discrete, so it may be more. Three standard errors are 2 %.
    assert 0.88 <= covered <= 0.97


def test_a_side_without_a_bound_is_none_and_says_why():
    found = historical(np.random.default_rng(0).standard_normal(100), 0.99)
    assert found.upper is None
    assert "too few" in found.upper_reason
    assert found.lower is not None
    assert found.lower <= found.value_at_risk


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.975, 0.99, 0.999])
@pytest.mark.parametrize("mean", [0.0, 0.001, -0.02])
def test_normal_by_integration(confidence, mean):
    found = normal(0.013, confidence, mean)
    law = stats.norm(-mean, 0.013)
    assert found.value_at_risk == pytest.approx(law.ppf(confidence), rel=1e-12)
    beyond, _ = integrate.quad(lambda loss: loss * law.pdf(loss), found.value_at_risk, np.inf, epsabs=1e-16)
    assert found.expected_shortfall == pytest.approx(beyond / (1 - confidence), rel=1e-8)


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.975, 0.99, 0.999])
@pytest.mark.parametrize("dof", [2.1, 3.0, 4.0, 7.5, 30.0, 1e4])
def test_student_t_by_integration(confidence, dof):
    found = student_t(0.013, dof, confidence, 0.001)
    law = stats.t(dof, loc=-0.001, scale=0.013 * np.sqrt((dof - 2) / dof))
    assert found.value_at_risk == pytest.approx(law.ppf(confidence), rel=1e-11)
    beyond, _ = integrate.quad(lambda c: law.ppf(c), confidence, 1.0, epsabs=1e-14, limit=500)
    assert found.expected_shortfall == pytest.approx(beyond / (1 - confidence), rel=1e-6)


def test_at_95_per_cent_a_matched_student_t_lies_below_the_normal():
    assert student_t(1.0, 4.0, 0.95).value_at_risk == pytest.approx(1.5074, abs=5e-5)
    assert normal(1.0, 0.95).value_at_risk == pytest.approx(1.6449, abs=5e-5)
    assert student_t(1.0, np.inf, 0.95).value_at_risk == pytest.approx(normal(1.0, 0.95).value_at_risk, rel=1e-12)


def test_the_normal_interval_narrows_with_the_sample():
    few, many = normal(0.01, 0.99, n_effective=30), normal(0.01, 0.99, n_effective=3000)
    assert few.upper - few.lower == pytest.approx(10 * (many.upper - many.lower))
    assert normal(0.01, 0.99).lower is None
    assert normal(0.01, 0.99).lower_reason
    assert normal(0.01, 0.99).expected_shortfall_upper_reason
    wide, point = few.expected_shortfall_upper - few.expected_shortfall_lower, few.expected_shortfall
    assert wide / point == pytest.approx((few.upper - few.lower) / few.value_at_risk)
    given = student_t(0.01, 5.0, 0.99)
    assert given.expected_shortfall_lower is None
    assert given.expected_shortfall_lower_reason


def test_the_shape_is_scipys():
    returns = np.random.default_rng(3).standard_t(4, size=400)
    assert skewness(returns) == pytest.approx(stats.skew(returns), rel=1e-12)
    assert excess_kurtosis(returns) == pytest.approx(stats.kurtosis(returns), rel=1e-12)
    assert excess_kurtosis(returns * 1e-200) == pytest.approx(stats.kurtosis(returns), rel=1e-12)
    with pytest.raises(Undefined):
        skewness([0.1, 0.1, 0.1])


@pytest.mark.parametrize(
    "call",
    [
        lambda: historical([], 0.95),
        lambda: historical([0.1, np.nan], 0.95),
        lambda: historical([0.1], 0.5),
        lambda: historical([0.1], 0.95, interval=1.0),
        lambda: historical([0.1], 0.95, quantile="type6"),
        lambda: value_at_risk_and_shortfall([0.1], 0.95, "type6"),
        lambda: value_at_risk_and_shortfall(np.array([]), 0.95),
        lambda: value_at_risk_and_shortfall(np.ones((3, 2)), 0.95),
        lambda: value_at_risk_and_shortfall([0.1], 95.0),
        lambda: normal(-0.1, 0.95),
        lambda: normal(np.nan, 0.95),
        lambda: normal(0.1, 0.95, np.inf),
        lambda: normal(0.1, 0.95, n_effective=0.0),
        lambda: student_t(0.1, 2.0, 0.95),
        lambda: student_t(0.1, np.nan, 0.95),
    ],
)
def test_misuse(call):
    with pytest.raises(InvalidArgument):
        call()
