import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.domain.errors import InvalidArgument
from rpmcore.risk.nearest_correlation import nearest_correlation


def test_highams_example():
    """Higham (2002), section 4: the tridiagonal matrix of ones."""
    found = nearest_correlation([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
    np.testing.assert_allclose(
        found.matrix, [[1.0, 0.7607, 0.1573], [0.7607, 1.0, 0.7607], [0.1573, 0.7607, 1.0]], atol=5e-5
    )
    assert found.distance == pytest.approx(0.5278, abs=5e-5)
    assert found.smallest_eigenvalue == pytest.approx(1 - np.sqrt(2))


@given(st.integers(0, 10_000), st.integers(2, 7))
def test_the_result_is_a_correlation_matrix_and_none_is_nearer(seed, n):
    rng = np.random.default_rng(seed)
    raw = rng.uniform(-1, 1, (n, n))
    given_matrix = 0.5 * (raw + raw.T)
    np.fill_diagonal(given_matrix, 1.0)
    found = nearest_correlation(given_matrix).matrix
    np.testing.assert_array_equal(np.diag(found), np.ones(n))
    assert np.linalg.eigvalsh(found).min() >= -1e-7
    for _ in range(20):
        factor = rng.standard_normal((n, n))
        other = factor @ factor.T
        other /= np.sqrt(np.outer(np.diag(other), np.diag(other)))
        mixed = 0.9 * found + 0.1 * other
        assert np.linalg.norm(mixed - given_matrix) >= np.linalg.norm(found - given_matrix) - 1e-6


def test_a_correlation_matrix_stays():
    good = np.array([[1.0, 0.3], [0.3, 1.0]])
    found = nearest_correlation(good)
    np.testing.assert_allclose(found.matrix, good, atol=1e-14)
    assert found.distance == pytest.approx(0.0, abs=1e-14)


def test_misuse():
    with pytest.raises(InvalidArgument, match="symmetric"):
        nearest_correlation([[1.0, 0.5], [0.1, 1.0]])
    with pytest.raises(InvalidArgument, match="square"):
        nearest_correlation(np.ones((2, 3)))
