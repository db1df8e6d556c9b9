from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.risk.cornish_fisher import cornish_fisher, cornish_fisher_marginals
from rpmcore.risk.value_at_risk import normal
from tests.oracles import cornish_fisher as oracle
from tests.samples import correlated_returns

shapes = st.tuples(st.floats(-0.8, 0.8), st.floats(0.0, 4.0))
confidences = st.sampled_from([0.9, 0.95, 0.975, 0.99, 0.995])


@given(shapes, confidences, st.floats(-0.01, 0.01))
def test_the_expansion_and_its_mean_beyond(shape, confidence, mean):
    try:
        found = cornish_fisher(0.013, *shape, confidence, mean)
    except Undefined:
        return
    assert found.value_at_risk == pytest.approx(oracle.value_at_risk(0.013, *shape, confidence, mean), rel=1e-10)
    # The oracle integrates numerically up to a pole: good to 1e-8.
    assert found.expected_shortfall == pytest.approx(
        oracle.expected_shortfall(0.013, *shape, confidence, mean), rel=1e-7
    )


@given(st.tuples(st.floats(-3.0, 3.0), st.floats(-2.0, 12.0)))
def test_it_answers_exactly_where_it_is_a_quantile(shape):
    if shape[1] < shape[0] ** 2 - 2.0:
        return
    try:
        cornish_fisher(0.01, *shape, 0.99)
    except Undefined:
        assert not oracle.rises(shape[0], shape[1]) or not oracle.rises(shape[0] * 1.001, shape[1] * 1.001)
    else:
        assert oracle.rises(*shape)


def test_without_skewness_and_kurtosis_it_is_the_normal_law():
    found, expected = cornish_fisher(0.01, 0.0, 0.0, 0.99, 0.0005), normal(0.01, 0.99, 0.0005)
    assert found.value_at_risk == pytest.approx(expected.value_at_risk, rel=1e-12)
    assert found.expected_shortfall == pytest.approx(expected.expected_shortfall, rel=1e-12)


@given(shapes)
def test_more_confidence_is_never_less_risk(shape):
    try:
        rows = [cornish_fisher(0.01, *shape, c) for c in (0.9, 0.95, 0.99, 0.999, 0.9999)]
    except Undefined:
        return
    for low, high in pairwise(rows):
        assert high.value_at_risk > low.value_at_risk
        assert high.expected_shortfall > low.expected_shortfall
        assert low.expected_shortfall > low.value_at_risk


def test_losses_are_worse_where_returns_lean_left():
    assert cornish_fisher(0.01, -0.5, 1.0, 0.99).value_at_risk > cornish_fisher(0.01, 0.5, 1.0, 0.99).value_at_risk


def test_so_far_out_it_is_not_used():
    with pytest.raises(Undefined, match=r"not used beyond 0\.99999"):
        cornish_fisher(0.01, 0.0, -0.3, 0.9999999)


def test_beyond_its_range_it_says_where_it_turns():
    with pytest.raises(Undefined, match=r"skewness -1.5 with excess kurtosis 1 .* falls around z ="):
        cornish_fisher(0.01, -1.5, 1.0, 0.99)


@pytest.mark.parametrize("days", [1.0, 5.0])
def test_components_are_slopes_and_sum(days):
    returns = correlated_returns(400, 4, seed=1)
    weights = np.array([0.5, -0.3, 0.4, 0.2])

    def figures(held):
        pnl = returns @ held
        found = cornish_fisher(pnl.std() * days**0.5, stats.skew(pnl) / days**0.5, stats.kurtosis(pnl) / days, 0.975)
        return np.array([found.value_at_risk, found.expected_shortfall])

    slopes = np.array(cornish_fisher_marginals(returns, weights, 0.975, days=days))
    np.testing.assert_allclose(slopes @ weights, figures(weights), rtol=1e-12)
    for asset in range(4):
        step = np.eye(4)[asset] * 1e-6
        # A central difference of step 1e-6 keeps about nine digits.
        np.testing.assert_allclose(
            slopes[:, asset], (figures(weights + step) - figures(weights - step)) / 2e-6, atol=1e-8
        )


@pytest.mark.parametrize(
    "call",
    [
        lambda: cornish_fisher(-0.1, 0.0, 0.0, 0.95),
        lambda: cornish_fisher(np.nan, 0.0, 0.0, 0.95),
        lambda: cornish_fisher(0.1, 2.0, 0.0, 0.95),
        lambda: cornish_fisher(0.1, np.nan, 0.0, 0.95),
        lambda: cornish_fisher(0.1, 0.0, 0.0, 0.95, np.inf),
        lambda: cornish_fisher(0.1, 0.0, 0.0, 0.4),
        lambda: cornish_fisher_marginals(np.ones((9, 2)), np.ones(3), 0.95),
        lambda: cornish_fisher_marginals(np.ones((9, 2)), np.ones(2), 0.95, days=0.0),
    ],
)
def test_misuse(call):
    with pytest.raises(InvalidArgument):
        call()
    with pytest.raises(Undefined, match="does not vary"):
        cornish_fisher_marginals(np.ones((9, 2)), np.ones(2), 0.95)
