from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import integrate, stats

from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.risk.value_at_risk import excess_kurtosis, historical, normal, skewness, student_t
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
