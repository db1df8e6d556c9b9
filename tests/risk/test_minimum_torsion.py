import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.risk.covariance import sample_covariance
from rpmcore.risk.diversification import effective_number_of_bets
from rpmcore.risk.minimum_torsion import minimum_torsion, torsion_shares
from tests.oracles.minimum_torsion import as_published
from tests.samples import correlated_returns, returns_matrices, weights_for

COV = sample_covariance(correlated_returns(200, 5))
EXPOSURES = np.array([1.0, -0.4, 0.2, 0.0, 0.7])


def distance(torsion, cov):
    """Σ_k Var((t f)_k − f_k)/Σ_kk."""
    apart = torsion - np.eye(len(cov))
    return float(np.sum(np.diagonal(apart @ cov @ apart.T) / np.diagonal(cov)))


def regular(returns):
    cov = sample_covariance(returns)
    assume(np.diagonal(cov).min() > 0.0)
    deviations = np.sqrt(np.diagonal(cov))
    assume(np.linalg.eigvalsh(cov / np.outer(deviations, deviations))[0] > 1e-6)
    return cov


@given(returns_matrices(min_rows=5, max_assets=6))
def test_torsion_factors_are_uncorrelated(returns):
    cov = regular(returns)
    torsion = minimum_torsion(cov)
    turned = torsion @ cov @ torsion.T
    deviations = np.sqrt(np.diagonal(turned))
    np.testing.assert_allclose(turned / np.outer(deviations, deviations), np.eye(len(cov)), atol=1e-8)


def test_the_torsion_is_that_of_the_published_iteration():
    np.testing.assert_allclose(minimum_torsion(COV), as_published(COV), atol=1e-9)


def test_two_factors_by_hand():
    """Both scales are equal by symmetry, so that t is a multiple of the inverse root of the correlations."""
    rho, sigma = 0.6, np.array([0.02, 0.05])
    cov = np.outer(sigma, sigma) * [[1.0, rho], [rho, 1.0]]
    up, down = np.sqrt(1.0 + rho), np.sqrt(1.0 - rho)
    scale = (up + down) / 2.0
    inverse_root = np.array([[1 / up + 1 / down, 1 / up - 1 / down], [1 / up - 1 / down, 1 / up + 1 / down]]) / 2.0
    expected = scale * inverse_root * sigma[:, None] / sigma
    np.testing.assert_allclose(minimum_torsion(cov), expected, rtol=1e-12)
    # A book of the first factor alone: C^(1/2) (1, 0) has the elements (√1.6 ± √0.4)/2, squared (1 ± √(1 − ρ²))/2.
    np.testing.assert_allclose(torsion_shares([1.0, 0.0], cov), [0.9, 0.1], rtol=1e-12)


def test_uncorrelated_factors_stay_as_they_are():
    cov = np.diag([0.01, 4.0, 1e-6])
    np.testing.assert_allclose(minimum_torsion(cov), np.eye(3), atol=1e-15)
    np.testing.assert_allclose(torsion_shares([1.0, 0.1, 0.0], cov), [0.2, 0.8, 0.0], rtol=1e-13)


def test_nothing_uncorrelated_is_nearer():
    """Any t with t Σ tᵀ diagonal is diag(d) q Σ^(−1/2) with q orthogonal; principal components are one of them."""
    deviations = np.sqrt(np.diagonal(COV))
    correlation = COV / np.outer(deviations, deviations)
    values, vectors = np.linalg.eigh(correlation)
    root, inverse = (vectors * values**0.5) @ vectors.T, (vectors * values**-0.5) @ vectors.T
    best = distance(minimum_torsion(COV), COV)
    rng = np.random.default_rng(8)
    rotations = [np.linalg.qr(rng.standard_normal((5, 5)))[0] for _ in range(500)]
    nearby = [np.linalg.qr(root + 0.1 * rng.standard_normal((5, 5)))[0] for _ in range(500)]
    for q in [vectors.T, np.eye(5), *rotations, *nearby]:
        scales = np.diagonal(q @ root)  # the best for this rotation
        other = (scales[:, None] * q @ inverse) * deviations[:, None] / deviations
        assert best <= distance(other, COV) + 1e-12


@given(returns_matrices(min_rows=5, max_assets=6), st.data())
def test_shares_are_those_of_the_torsion_factors(returns, data):
    cov = regular(returns)
    b = data.draw(weights_for(len(cov)))
    variance = b @ cov @ b
    assume(variance > 1e-8)
    torsion, shares = minimum_torsion(cov), torsion_shares(b, cov)
    assert shares.min() >= 0.0
    assert shares.sum() == pytest.approx(1.0, abs=1e-12)
    expected = np.linalg.solve(torsion.T, b) * (torsion @ cov @ b) / variance
    np.testing.assert_allclose(shares, expected, atol=1e-6)
    assert 1.0 <= effective_number_of_bets(shares) <= len(cov) * (1.0 + 1e-9)


@pytest.mark.parametrize("units", [[1e-3, 1.0, 1e4, 1.0, 7.0], [-1.0, 1.0, 1.0, 1.0, 1.0]])
def test_shares_do_not_depend_on_units_or_signs_of_factors(units):
    scaled = COV * np.outer(units, units)
    np.testing.assert_allclose(
        torsion_shares(EXPOSURES / units, scaled), torsion_shares(EXPOSURES, COV), rtol=1e-9, atol=1e-12
    )


def test_a_factor_that_does_not_vary_is_left_out():
    wider = np.zeros((6, 6))
    wider[np.ix_([0, 1, 3, 4, 5], [0, 1, 3, 4, 5])] = COV
    shares = torsion_shares(np.insert(EXPOSURES, 2, 9.0), wider)
    np.testing.assert_allclose(np.delete(shares, 2), torsion_shares(EXPOSURES, COV), rtol=1e-12)
    assert shares[2] == 0.0
    torsion = minimum_torsion(wider)
    np.testing.assert_array_equal(torsion[2], np.eye(6)[2])
    np.testing.assert_array_equal(torsion[:, 2], np.eye(6)[2])


def test_nearly_singular_correlations_are_still_uncorrelated():
    near = 1.0 - 1e-8
    cov = np.array([[1.0, near, 0.3], [near, 1.0, 0.3], [0.3, 0.3, 1.0]])
    torsion = minimum_torsion(cov)
    turned = torsion @ cov @ torsion.T
    assert np.abs(turned - np.diag(np.diagonal(turned))).max() < 1e-7


def test_misuse():
    for call in (minimum_torsion, lambda cov: torsion_shares(np.ones(len(cov)), cov)):
        with pytest.raises(Undefined, match=r"smallest eigenvalue is .*e-\d\d, below 1e-10"):
            call(np.full((3, 3), 0.04))
        with pytest.raises(InvalidArgument, match="cov must be symmetric"):
            call(np.array([[1.0, 0.5], [0.4, 1.0]]))
    with pytest.raises(Undefined, match="no variance"):
        torsion_shares([0.0, 0.0], np.eye(2))
    with pytest.raises(Undefined, match="no variance"):
        torsion_shares([1.0], np.zeros((1, 1)))
    with pytest.raises(InvalidArgument, match=r"exposures has 1 element\(s\), but cov has 2"):
        torsion_shares([1.0], np.eye(2))
    with pytest.raises(InvalidArgument, match="overflow"):
        torsion_shares([1e300, 1.0], 1e40 * np.eye(2))
