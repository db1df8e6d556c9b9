import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from pypfopt.risk_models import CovarianceShrinkage
from sklearn.covariance import oas as sklearn_oas

from rpmcore.domain.errors import InsufficientData, InvalidArgument, Undefined
from rpmcore.risk.covariance import ledoit_wolf, nonlinear_shrinkage, oas, sample_covariance
from rpmcore.risk.shrinkage import _hilbert_kernel
from tests.oracles import covariance as oracle
from tests.samples import correlated_returns, returns_matrices

SHAPES = [(60, 3), (60, 6), (252, 20), (40, 55)]


@pytest.fixture(params=SHAPES, ids=lambda s: f"{s[0]}x{s[1]}")
def returns(request):
    return correlated_returns(*request.param)


def test_constant_correlation_follows_the_paper(returns):
    found, intensity = ledoit_wolf(returns, target="constant_correlation")
    expected, delta = oracle.constant_correlation(returns)
    assert intensity == pytest.approx(delta, abs=1e-10)
    np.testing.assert_allclose(found, expected, atol=1e-11 * expected.max(), rtol=0)


def test_constant_correlation_is_pyportfolioopts_but_for_its_divisor():
    returns = correlated_returns(252, 8)
    peer = CovarianceShrinkage(pd.DataFrame(returns), returns_data=True, frequency=1)
    theirs = peer.ledoit_wolf("constant_correlation").to_numpy()
    found, intensity = ledoit_wolf(returns, target="constant_correlation")
    # They mix moments with divisor n into a covariance with divisor n − 1: apart by the order of 1/n.
    assert intensity == pytest.approx(peer.delta, abs=1e-2)
    np.testing.assert_allclose(found, theirs, rtol=0.05, atol=0.02 * found.max())
    # Given the paper's divisor, n, in their place of the sample covariance, they give the same to rounding.
    peer.S = sample_covariance(returns, ddof=0)
    theirs = peer.ledoit_wolf("constant_correlation").to_numpy()
    assert intensity == pytest.approx(peer.delta, abs=1e-10)
    np.testing.assert_allclose(found, theirs, rtol=0, atol=1e-11 * found.max())


def test_oas_is_scikit_learns(returns):
    found, intensity = oas(returns)
    theirs, shrinkage = sklearn_oas(returns)
    assert intensity == pytest.approx(shrinkage, abs=1e-12)
    np.testing.assert_allclose(found, theirs, atol=1e-12 * theirs.max(), rtol=0)


def test_nonlinear_follows_the_paper(returns):
    # The oracle's principal values are numerical integrals good to 1e-10.
    expected = oracle.nonlinear(returns)
    np.testing.assert_allclose(nonlinear_shrinkage(returns), expected, atol=1e-8 * expected.max(), rtol=0)


@pytest.mark.parametrize("estimate", [lambda r: oas(r).covariance, nonlinear_shrinkage])
def test_shrinkage_helps_where_there_are_many_assets(estimate):
    """With 80 assets on 100 rows the shrunk estimate is nearer to the truth by a quarter than the sample's."""
    rng = np.random.default_rng(3)
    spectrum = np.concatenate([np.full(30, 1.0), np.full(30, 3.0), np.full(20, 10.0)])
    returns = rng.standard_normal((100, 80)) * np.sqrt(spectrum)

    def miss(cov):
        return np.linalg.norm(cov - np.diag(spectrum))

    assert miss(estimate(returns)) < 0.75 * miss(sample_covariance(returns))


@given(returns_matrices(min_rows=13, max_assets=8))
def test_estimates_are_positive_semidefinite_and_scale(returns):
    for estimate in (
        lambda r: oas(r).covariance,
        lambda r: ledoit_wolf(r, "constant_correlation").covariance,
        nonlinear_shrinkage,
    ):
        try:
            cov = estimate(returns)
        except Undefined:
            continue
        np.testing.assert_array_equal(cov, cov.T)
        assert np.linalg.eigvalsh(cov).min() >= -1e-12 * max(np.trace(cov), 1e-300)
        np.testing.assert_allclose(estimate(3.0 * returns), 9.0 * cov, rtol=1e-8, atol=1e-10 * max(cov.max(), 1e-300))


def test_nonlinear_shrinks_within_the_space_that_the_returns_span():
    """EURUSD, GBPUSD and EURGBP vary in two directions: a third eigenvalue would be a risk that nobody can take."""
    rng = np.random.default_rng(3)
    free = 0.01 * rng.standard_normal((60, 3)) * [1.0, 2.0, 0.5]
    axes, _ = np.linalg.qr(rng.standard_normal((5, 5)))
    embedded = nonlinear_shrinkage(free @ axes[:, :3].T)
    np.testing.assert_allclose(embedded, axes[:, :3] @ nonlinear_shrinkage(free) @ axes[:, :3].T, atol=1e-14)
    assert np.linalg.matrix_rank(embedded, tol=1e-10) == 3


@pytest.mark.parametrize("noise", [1e-4, 1e-5, 1e-6, 1e-7])
def test_nonlinear_keeps_the_risk_of_a_book_of_twins(noise):
    """A peg, or two share classes: the small eigenvalue must not drag the risk of the others down."""
    rng = np.random.default_rng(5)
    one = 0.01 * rng.standard_normal((60, 1))
    returns = np.hstack([one, one + noise * rng.standard_normal((60, 1)), 0.01 * rng.standard_normal((60, 3))])
    weights = np.array([1.5, 1.5, 1.0, 0.3, 0.3])
    found = weights @ nonlinear_shrinkage(returns) @ weights
    plain = weights @ sample_covariance(returns) @ weights
    assert 0.5 * plain < found < 2.0 * plain


def test_the_hilbert_transform_holds_far_out():
    z = np.array([[-1e10, -1e4, -100.5, -99.5, -3.0, 0.5, 2.0, 99.5, 100.5, 1e4, 1e8]])
    exact = z.astype(np.longdouble)
    root = np.sqrt(np.longdouble(5))
    closed = -0.3 * exact / np.pi + 0.75 / (root * np.pi) * (1 - exact**2 / 5) * np.log(
        np.abs((root - exact) / (root + exact))
    )
    found = _hilbert_kernel(z)
    near = np.abs(z) < 200
    # Sixty-four bits of mantissa leave eleven digits of the difference at z = 100.
    np.testing.assert_allclose(found[near], closed[near].astype(float), rtol=1e-9)
    np.testing.assert_allclose(found[~near], -1.0 / (np.pi * z[~near]), rtol=1e-7)


def test_misuse():
    with pytest.raises(InvalidArgument, match="target must be"):
        ledoit_wolf(np.eye(3), target="identity")
    with pytest.raises(Undefined, match="asset 1 is constant"):
        ledoit_wolf([[0.1, 0.2], [0.2, 0.2], [0.0, 0.2]], target="constant_correlation")
    with pytest.raises(InvalidArgument, match="overflow"):
        oas(np.array([[1e120, 0.0], [-1e120, 1.0], [0.0, 2.0]]))
    with pytest.raises(InsufficientData, match="at least 12"):
        nonlinear_shrinkage(np.ones((11, 2)))
    with pytest.raises(Undefined, match="do not vary"):
        nonlinear_shrinkage(np.ones((20, 2)))
    with pytest.raises(Undefined, match="leave out copies"):
        nonlinear_shrinkage(np.repeat(correlated_returns(20, 5), 5, axis=1))
