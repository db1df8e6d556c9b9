from math import log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.risk.sizing.kelly import continuous_kelly, fractional_kelly, kelly_fraction, wilson_lower_bound
from tests.oracles.sizing import best_stake, best_weights, growth

rates = st.integers(1, 99).map(lambda p: p / 100)
averages = st.integers(1, 300).map(lambda a: a / 100)


def test_thorps_coin():
    """Thorp (2006), section 2: p = .53 at even money gives f* = p - q = .06 and growth .001801 a toss."""
    stake = kelly_fraction(0.53, 1.0, 1.0)
    assert stake == pytest.approx(0.06, abs=1e-15)
    assert growth(stake, 0.53, 1.0, 1.0) == pytest.approx(0.001801, abs=5e-7)
    assert growth(2 * stake, 0.53, 1.0, 1.0) < 0.0  # near twice the stake all growth is gone


def test_thorps_continuous_example():
    """Thorp (2006), section 7.1: m = .11, s = .15, r = .06 gives f* = 2.22, growth .1156 and its deviation 1/3."""
    m, s, r = 0.11, 0.15, 0.06
    stake = float(continuous_kelly(m - r, s * s)[0])
    assert stake == pytest.approx(2.0 + 2.0 / 9.0)
    assert r + stake * (m - r) - (s * stake) ** 2 / 2 == pytest.approx(0.1155555, abs=1e-6)
    assert s * stake == pytest.approx(1 / 3)


def test_half_kelly_keeps_three_quarters_of_the_growth_at_half_the_deviation():
    """Thorp (2006), section 7.3."""
    full = float(continuous_kelly(0.05, 0.0225)[0])
    half = fractional_kelly(full, 0.5, 100.0)
    excess = [f * 0.05 - 0.0225 * f * f / 2 for f in (half, full)]
    assert excess[0] / excess[1] == pytest.approx(0.75)


@given(win_rate=rates, win=averages, loss=averages)
def test_the_stake_is_where_growth_is_largest(win_rate, win, loss):
    stake = kelly_fraction(win_rate, win, loss)
    if stake > -0.99 / win and stake < 0.99999 / loss:
        assert stake == pytest.approx(best_stake(win_rate, win, loss), abs=2e-6 / min(win, loss))
    for other in (stake - 0.01 / loss, stake + 0.01 / loss):
        if -1 / win < other < 1 / loss and -1 / win < stake < 1 / loss:
            assert growth(other, win_rate, win, loss) <= growth(stake, win_rate, win, loss) + 1e-12


@given(win_rate=rates, win=averages, loss=averages)
def test_the_other_side_of_a_bet_is_its_mirror(win_rate, win, loss):
    assert kelly_fraction(1 - win_rate, loss, win) == pytest.approx(-kelly_fraction(win_rate, win, loss), abs=1e-9)


@given(win_rate=rates, win=averages, loss=averages, scale=st.integers(2, 50))
def test_a_stake_in_larger_units_is_smaller_in_proportion(win_rate, win, loss, scale):
    assert kelly_fraction(win_rate, win * scale, loss * scale) * scale == pytest.approx(
        kelly_fraction(win_rate, win, loss), abs=1e-9
    )


def test_several_assets():
    cov = np.array([[0.04, 0.018, 0.0], [0.018, 0.09, 0.01], [0.0, 0.01, 0.02]])
    means = np.array([0.05, 0.06, -0.01])
    assert continuous_kelly(means, cov) == pytest.approx(best_weights(means, cov), rel=1e-9)


def test_a_riskless_position_has_no_best_size():
    with pytest.raises(Undefined, match="singular"):
        continuous_kelly([0.05, 0.05], [[0.04, 0.04], [0.04, 0.04]])
    with pytest.raises(Undefined):
        continuous_kelly(0.05, 0.0)
    # A small variance is none of these.
    assert continuous_kelly([1e-9, 0.05], [[1e-12, 0.0], [0.0, 0.04]]) == pytest.approx([1000.0, 1.25])


@pytest.mark.parametrize(
    ("wins", "trades", "low"),
    # Both ends as in Newcombe (1998), Statistics in Medicine 17, table I, method 3 (score, 95 % two-sided).
    [(81, 263, 0.2553), (15, 148, 0.0624), (0, 20, 0.0), (1, 29, 0.0061)],
)
def test_wilsons_lower_bound_as_published(wins, trades, low):
    assert wilson_lower_bound(wins / trades, trades, 1.959964) == pytest.approx(low, abs=5e-5)


@given(wins=st.integers(0, 400), more=st.integers(0, 400), z=st.floats(0.0, 4.0))
def test_wilsons_bound_solves_its_equation(wins, more, z):
    n = wins + more
    if n == 0:
        return
    rate = wins / n
    low = wilson_lower_bound(rate, n, z)
    assert 0.0 <= low <= rate + 1e-12
    assert rate - low == pytest.approx(z * sqrt(max(low * (1 - low), 0.0) / n), abs=1e-7)


def test_fractions_and_caps():
    assert fractional_kelly(0.4, 0.25, 1.0) == pytest.approx(0.1)
    assert fractional_kelly(8.0, 0.25, 1.0) == 1.0
    assert fractional_kelly(-0.2, 0.25, 1.0) == 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1.2, 1.0, 1.0), "win rate"),
        ((55.0, 1.0, 1.0), "did you mean 0.55"),
        ((-0.1, 1.0, 1.0), "win rate"),
        ((float("nan"), 1.0, 1.0), "win rate"),
        ((0.5, 0.0, 1.0), "average win"),
        ((0.5, 1.0, 0.0), "average loss"),
        ((0.5, 1.0, float("inf")), "average loss"),
        ((0.5, 1e-320, 1e-320), "too small"),
    ],
)
def test_what_is_no_bet_is_refused(arguments, message):
    with pytest.raises(InvalidArgument, match=message):
        kelly_fraction(*arguments)


def test_growth_of_a_certain_win_has_no_bound_within_the_stake():
    assert kelly_fraction(1.0, 1.0, 0.5) == pytest.approx(2.0)
    assert growth(1.9, 1.0, 1.0, 0.5) == pytest.approx(log(2.9))
