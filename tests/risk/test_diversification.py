import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.risk.covariance import sample_covariance
from rpmcore.risk.diversification import (
    diversification_ratio,
    diversification_score,
    effective_number_of_bets,
    effective_number_of_positions,
    entropy,
    herfindahl_index,
)
from tests.samples import returns_matrices, weights_for


def test_entropy_by_hand():
    # −(½ ln ½ + 2 · ¼ ln ¼) = 1½ ln 2.
    shares = [0.5, 0.25, 0.25, 0.0]
    assert entropy(shares) == pytest.approx(1.5 * np.log(2.0), rel=1e-15)
    assert diversification_score(shares) == pytest.approx(0.75, rel=1e-15)
    assert effective_number_of_bets(shares) == pytest.approx(2.0**1.5, rel=1e-15)


@pytest.mark.parametrize("n", [2, 3, 7, 500])
def test_equal_shares_are_fully_diversified_and_a_single_one_is_not(n):
    assert diversification_score(np.full(n, 1.0 / n)) == pytest.approx(1.0, rel=1e-14)
    assert effective_number_of_bets(np.full(n, 1.0 / n)) == pytest.approx(n, rel=1e-12)
    assert diversification_score(np.eye(n)[0]) == 0.0
    assert effective_number_of_bets(np.eye(n)[0]) == 1.0


def test_one_share_is_concentrated():
    assert diversification_score([1.0]) == 0.0
    assert effective_number_of_bets([1.0]) == 1.0


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=9), st.floats(0.0, 1.0))
def test_evening_out_never_lowers_the_score(counts, evenness):
    assume(sum(counts))
    shares = np.array(counts) / sum(counts)
    evened = (1.0 - evenness) * shares + evenness / len(shares)
    assert 0.0 <= diversification_score(shares) <= diversification_score(evened) + 1e-12
    assert diversification_score(evened) <= 1.0
    assert 1.0 <= effective_number_of_bets(shares) <= len(shares) * (1.0 + 1e-12)


@pytest.mark.parametrize(
    ("shares", "told"),
    [
        ([0.6, -0.1, 0.5], "must not be negative, but index 1 holds -0.1"),
        ([0.6, 0.3], "must sum to one, but sum to 0.89"),
        ([0.5, np.nan], "shares must be finite"),
        ([], "shares is empty"),
    ],
)
@pytest.mark.parametrize("measure", [entropy, diversification_score, effective_number_of_bets])
def test_what_are_no_shares_is_refused(measure, shares, told):
    with pytest.raises(InvalidArgument, match=told):
        measure(shares)


def test_positions():
    assert herfindahl_index([0.25, -0.25, 0.25, 0.25]) == pytest.approx(0.25)
    assert herfindahl_index([3.0, -1.0]) == pytest.approx(10 / 16)
    assert effective_number_of_positions([0.25, -0.25, 0.25, 0.25]) == pytest.approx(4.0)
    assert effective_number_of_positions([5.0, 0.0]) == pytest.approx(1.0)
    assert effective_number_of_positions([1e308, -1e308]) == pytest.approx(2.0)
    for measure in (herfindahl_index, effective_number_of_positions):
        with pytest.raises(Undefined, match="every weight is zero"):
            measure([0.0, 0.0])


def test_diversification_ratio():
    assert diversification_ratio([1.0, 1.0], np.eye(2)) == pytest.approx(np.sqrt(2.0))
    assert diversification_ratio([0.5, 0.5], np.ones((2, 2))) == pytest.approx(1.0)
    with pytest.raises(Undefined, match="no volatility"):
        diversification_ratio([1.0], np.zeros((1, 1)))


@given(returns_matrices(min_rows=5, max_assets=6), st.data())
def test_diversification_never_adds_risk(returns, data):
    cov = sample_covariance(returns)
    weights = data.draw(weights_for(cov.shape[0]))
    assume(weights @ cov @ weights > 1e-12)
    assert diversification_ratio(weights, cov) >= 1.0 - 1e-9
