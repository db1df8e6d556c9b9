import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.risk.backtesting.scores import diebold_mariano, fissler_ziegel_score, quantile_score
from tests.oracles import backtesting as oracle

money = st.floats(-5.0, 5.0).map(lambda x: round(x, 3))


@given(money, money, st.floats(0.01, 5.0), st.sampled_from([0.9, 0.975, 0.99]))
def test_the_joint_score_is_the_papers_with_signs_turned(loss, var, shortfall, confidence):
    found = fissler_ziegel_score([loss], [var], [shortfall], confidence=confidence)
    expected = oracle.fissler_ziegel(-loss, -var, -shortfall, 1.0 - confidence)
    assert found[0] == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(money, money, st.sampled_from([0.9, 0.975, 0.99]))
def test_the_quantile_score_is_koenker_and_bassetts(loss, var, confidence):
    found = quantile_score([loss], [var], confidence=confidence)[0]
    expected = max(confidence * (loss - var), (confidence - 1.0) * (loss - var))
    assert found == pytest.approx(expected, abs=1e-12)
    assert found >= 0.0


def test_the_true_forecast_has_the_least_score():
    losses = np.random.default_rng(1).standard_normal(200_000)
    ones, q = np.ones(200_000), stats.norm.ppf(0.975)
    shortfall = stats.norm.pdf(q) / 0.025

    def joint(var, es):
        return fissler_ziegel_score(losses, var * ones, es * ones, confidence=0.975).mean()

    right = joint(q, shortfall)
    for var, es in ((0.9, 1.0), (1.1, 1.0), (1.0, 0.9), (1.0, 1.1), (0.9, 0.9), (1.1, 1.1)):
        assert joint(var * q, es * shortfall) > right
    pinball = [quantile_score(losses, f * q * ones, confidence=0.975).mean() for f in (0.9, 1.0, 1.1)]
    assert pinball[1] == min(pinball)


@given(st.integers(0, 2**32), st.floats(0.001, 1000.0))
def test_differences_of_the_joint_score_have_no_unit(seed, unit):
    rng = np.random.default_rng(seed)
    losses, var = rng.standard_normal(50), rng.uniform(1.0, 2.0, 50)
    plain = fissler_ziegel_score(losses, var, 1.3 * var, confidence=0.95)
    scaled = fissler_ziegel_score(unit * losses, unit * var, unit * 1.3 * var, confidence=0.95)
    np.testing.assert_allclose(scaled - plain, np.log(unit), rtol=1e-9, atol=1e-9)


def test_diebold_mariano_is_a_regression_with_newey_west_errors():
    rng = np.random.default_rng(3)
    losses, sigma = rng.standard_normal(400), np.exp(0.4 * np.sin(np.arange(400) / 20.0))
    losses *= sigma
    first = quantile_score(losses, 1.645 * sigma, confidence=0.95)
    second = quantile_score(losses, np.full(400, 1.9), confidence=0.95)
    found = diebold_mariano(first, second)
    # ⌊4 (400/100)^(2/9)⌋ lags
    difference, error = oracle.diebold_mariano(first, second, 5)
    assert (found.difference, found.error) == pytest.approx((difference, error), rel=1e-10)
    assert found.p_value == pytest.approx(2.0 * stats.norm.sf(abs(difference / error)), rel=1e-9)
    assert found.difference < 0.0
    turned = diebold_mariano(second, first)
    assert turned.statistic == pytest.approx(-found.statistic)
    assert diebold_mariano(first, second, at_least=9).error == pytest.approx(
        oracle.diebold_mariano(first, second, 9)[1], rel=1e-10
    )


def test_equal_scores_have_no_statistic():
    scores = np.random.default_rng(1).uniform(size=50)
    for other in (scores, scores + 1.0):
        found = diebold_mariano(scores, other)
        assert (found.statistic, found.p_value) == (None, None)
        assert "no error to compare with" in found.statistic_reason
    assert diebold_mariano([1.0], [2.0]).statistic is None


def test_misuse():
    with pytest.raises(Undefined, match=r"is 0\.0 on row 1"):
        fissler_ziegel_score([1, 2], [1, 1], [2, 0], confidence=0.99)
    with pytest.raises(InvalidArgument, match="second has 1"):
        diebold_mariano([1.0, 2.0], [1.0])
