import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import norm
from scipy.stats import t as student

from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.domain.plain import to_plain
from rpmcore.risk.covariance import sample_covariance
from rpmcore.risk.factor_model import model_covariance
from rpmcore.risk.stress.conditional import conditional_stress
from rpmcore.risk.stress.reverse import reverse_factor_stress, reverse_stress
from tests.oracles.conditional import mahalanobis
from tests.risk.test_conditional_stress import model
from tests.samples import correlated_returns, weights_for

NAMES = ("A", "B", "C", "D", "E")
COV = sample_covariance(correlated_returns(300, 5))
WEIGHTS = np.array([0.5, -0.3, 0.8, 0.0, -1.1])


def reverse(weights=WEIGHTS, cov=COV, loss=0.1, **options):
    return reverse_stress(weights, cov, loss, **{"symbols": NAMES, "dof": 5.0, **options})


@given(weights_for(5), st.floats(0.001, 1.0), st.data())
def test_it_loses_the_amount_and_no_other_scenario_that_does_is_nearer(weights, loss, data):
    assume(np.any(weights))
    found = reverse(weights, loss=loss)
    assert -weights @ found.returns == pytest.approx(loss, rel=1e-10)
    assert found.losses.sum() == pytest.approx(loss, rel=1e-10)
    assert found.distance == pytest.approx(mahalanobis(found.returns, COV), rel=1e-8)
    assert found.distance == pytest.approx(loss / np.sqrt(weights @ COV @ weights), rel=1e-12)
    # Any direction, less what of it would change the loss.
    aside = data.draw(weights_for(5)) / 10
    aside = aside - weights * (weights @ aside) / (weights @ weights)
    other = found.returns + aside
    assert -weights @ other == pytest.approx(loss, rel=1e-9, abs=1e-12)
    assert mahalanobis(other, COV) >= found.distance * (1 - 1e-9)
    if np.abs(aside).max() > 1e-3:
        assert mahalanobis(other, COV) > found.distance


def test_it_is_the_conditional_mean_given_the_loss():
    """The book as one more instrument, shocked by its own loss."""
    joint = np.block([[COV, (COV @ WEIGHTS)[:, None]], [WEIGHTS @ COV, np.array([[WEIGHTS @ COV @ WEIGHTS]])]])
    given_loss = conditional_stress(np.append(WEIGHTS, 0.0), joint, {"book": -0.1}, (*NAMES, "book"))
    np.testing.assert_allclose(reverse().returns, given_loss.returns[:5], rtol=1e-10)


@pytest.mark.parametrize("dof", [2.1, 4.0, 5.0, 30.0, np.inf])
@pytest.mark.parametrize("loss", [0.001, 0.05, 0.5])
def test_probabilities_are_scipys(dof, loss):
    found = reverse(loss=loss, dof=dof)
    assert found.probability_normal == pytest.approx(norm.sf(loss, scale=found.volatility), rel=1e-12)
    scale = found.volatility * (np.sqrt((dof - 2) / dof) if np.isfinite(dof) else 1.0)
    law = student(dof, scale=scale) if np.isfinite(dof) else norm(scale=scale)
    assert found.probability_student_t == pytest.approx(law.sf(loss), rel=1e-10)


def test_one_asset_by_hand():
    found = reverse_stress([2.0], [[1e-4]], 0.06, symbols=("A",), dof=5.0)
    assert found.returns[0] == pytest.approx(-0.03)
    assert found.distance == pytest.approx(3.0)
    assert found.probability_normal == pytest.approx(0.00134990, rel=1e-5)
    assert reverse_stress([-2.0], [[1e-4]], 0.06, symbols=("A",), dof=5.0).returns[0] == pytest.approx(0.03)


def test_an_impossible_scenario_is_marked():
    found = reverse_stress([0.1, 0.0], np.eye(2) * 1e-4, 0.2, symbols=("A", "B"), dof=5.0)
    assert found.beyond_total == ("A",)
    assert reverse_stress([1.0, 0.0], np.eye(2) * 1e-4, 0.2, symbols=("A", "B"), dof=5.0).beyond_total == ()
    assert found.probability_normal == 0.0


def test_limits_come_in_the_order_in_which_they_break():
    limits = {"drawdown": 0.2, "expected_shortfall": 0.03, "value_at_risk": 0.02, "loss": 0.1, "nil": 0.0}
    found = reverse(loss=0.1, limits=limits)
    assert [limit.name for limit in found.broken_limits] == ["nil", "value_at_risk", "expected_shortfall"]
    first = found.broken_limits[1]
    assert first.share == pytest.approx(0.2)
    assert reverse(loss=first.loss).distance == pytest.approx(first.distance)
    np.testing.assert_allclose(reverse(loss=first.loss).returns, found.returns * first.share, rtol=1e-12)
    assert reverse().broken_limits == ()


def test_a_singular_covariance_has_an_answer():
    cov = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]) * 1e-4
    found = reverse_stress([1.0, 1.0, 5.0], cov, 0.1, symbols=("A", "B", "C"), dof=5.0)
    np.testing.assert_allclose(found.returns, [-0.05, -0.05, 0.0], rtol=1e-12, atol=0)


@given(weights_for(6), st.floats(0.001, 0.5), st.data())
def test_in_factor_space_only_factors_move_and_no_other_factors_are_nearer(weights, loss, data):
    found = model()
    b, f = weights @ found.exposures, found.factor_covariance
    assume(np.abs(b).max() > 1e-6)
    factors = reverse_factor_stress(weights, found, loss, dof=5.0)
    np.testing.assert_allclose(factors.returns, found.exposures @ factors.factor_returns, rtol=1e-10, atol=1e-14)
    assert -weights @ factors.returns == pytest.approx(loss, rel=1e-8)
    assert factors.distance == pytest.approx(mahalanobis(factors.factor_returns, f), rel=1e-7)
    aside = data.draw(weights_for(3)) / 10
    other = factors.factor_returns + aside - b * (b @ aside) / (b @ b)
    assert mahalanobis(other, f) >= factors.distance * (1 - 1e-7)
    free = reverse_stress(weights, model_covariance(found), loss, symbols=found.symbols, dof=5.0)
    assert factors.distance >= free.distance * (1 - 1e-9)


def test_a_book_that_nothing_moves_has_no_such_scenario():
    with pytest.raises(Undefined, match=r"the book has no volatility, so no scenario makes it lose 10\.00%"):
        reverse(np.zeros(5))
    with pytest.raises(Undefined, match="the book has no volatility"):
        reverse_stress([2.0, -1.0], np.outer([1.0, 2.0], [1.0, 2.0]) * 1e-4, 0.1, symbols=("A", "B"), dof=5.0)
    neutral = np.linalg.svd(model().exposures.T)[2][-1]
    with pytest.raises(Undefined, match="the factors do not move the book"):
        reverse_factor_stress(neutral, model(), 0.1, dof=5.0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"loss": 0.0}, "loss must be positive and finite, but is 0.0"),
        ({"loss": -0.1}, "loss must be positive"),
        ({"loss": np.nan}, "loss must be positive"),
        ({"dof": 2.0}, "dof must be above 2"),
        ({"symbols": ("A",)}, "1 symbol(s) and 5 weight(s)"),
        ({"limits": {"x": -0.1}}, "the limit 'x' must be a loss that is not negative"),
        ({"weights": WEIGHTS * 1e200}, "overflow when multiplied"),
        ({"weights": [1.0, -1.0, 0, 0, 0], "cov": np.eye(5) + 2 * np.eye(5)[[1, 0, 2, 3, 4]]}, "not positive semidef"),
    ],
)
def test_misuse(options, words):
    with pytest.raises(InvalidArgument) as raised:
        reverse(**options)
    assert words in str(raised.value)


def test_the_result_is_plain():
    plain = to_plain(reverse(limits={"value_at_risk": 0.02}))
    assert plain["broken_limits"][0]["name"] == "value_at_risk"
    assert plain["factor_returns"] is None
