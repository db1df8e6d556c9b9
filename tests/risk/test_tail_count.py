from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.domain.errors import InvalidArgument
from rpmcore.risk.tail_count import tail_count


@given(st.integers(1, 1_000_000), st.integers(501, 999))
def test_the_count_is_the_exact_product_in_decimals(n_obs, per_mille):
    exact = (1 - Fraction(per_mille, 1000)) * n_obs
    assert tail_count(n_obs, per_mille / 1000) == pytest.approx(float(exact), abs=1e-9)
    if exact.denominator == 1:
        assert tail_count(n_obs, per_mille / 1000) == int(exact)


def test_binary_noise_does_not_move_a_row():
    assert (1 - 0.95) * 100 > 5.0
    assert tail_count(100, 0.95) == 5.0


@pytest.mark.parametrize("confidence", [0.5, 1.0, 0.0, -0.95, 1.5, float("nan")])
def test_confidence_out_of_range(confidence):
    with pytest.raises(InvalidArgument, match="confidence must lie in"):
        tail_count(100, confidence)


def test_no_observations():
    with pytest.raises(InvalidArgument, match="n_obs"):
        tail_count(0, 0.95)
