import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.kernels import checks
from tests.oracles import covariance as oracle
from tests.samples import correlated_returns

COV = oracle.sample(correlated_returns(40, 5))
LARGEST = np.abs(COV).max()


def changed(row, column, value):
    cov = 0.5 * (COV + COV.T)
    cov[row, column] = value
    return cov


@pytest.fixture(params=["compiled", "plain"])
def is_covariance(request, plain):
    return plain(checks.is_covariance) if request.param == "plain" else checks.is_covariance


@pytest.mark.parametrize(
    ("cov", "accepted"),
    [
        (COV, True),
        (np.zeros((3, 3)), True),
        (np.array([[0.0]]), True),
        (np.array([[-1e-300]]), False),
        (changed(0, 1, COV[1, 0] + 0.9e-8 * LARGEST), True),
        (changed(0, 1, COV[1, 0] + 1.1e-8 * LARGEST), False),
        (changed(1, 0, COV[1, 0] - 1.1e-8 * LARGEST), False),
        (changed(2, 2, -COV[2, 2]), False),
        (changed(4, 4, np.nan), False),
        (changed(4, 4, np.inf), False),
        (changed(0, 3, np.nan), False),
        (changed(3, 0, -np.inf), False),
        (np.full((2, 2), np.nan), False),
        (np.full((2, 2), np.inf), False),
        (np.array([[1.0, 1e308], [-1e308, 1.0]]), False),
    ],
)
def test_a_covariance_is_finite_symmetric_and_has_no_negative_variance(is_covariance, cov, accepted):
    with np.errstate(all="ignore"):  # the plain form warns where the compiled one is silent
        assert bool(is_covariance(cov)) is accepted


@given(
    st.integers(1, 9),
    st.lists(
        st.tuples(st.integers(0, 8), st.integers(0, 8), st.sampled_from([1e-12, 1e-9, 1e-7, -3.0, np.nan, np.inf]))
    ),
)
def test_it_is_numpys_definition(n, edits):
    cov = oracle.sample(correlated_returns(30, n))
    scale = cov[0, 0]
    with np.errstate(all="ignore"):
        for row, column, added in edits:
            cov[row % n, column % n] += added * scale
        assert bool(checks.is_covariance(cov)) is oracle.is_covariance(cov)
