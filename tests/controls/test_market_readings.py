import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.controls.adaptive_settings import AdaptiveSettings
from rpmcore.controls.market_readings import (
    WARM_UP,
    MarketReadings,
    correlation_path,
    efficiency_path,
    latest_readings,
    market_readings,
    roll_spread_path,
)
from rpmcore.domain.errors import InvalidArgument
from tests.oracles import adaptive as oracle
from tests.samples import correlated_returns


def test_each_path_is_the_slow_form():
    returns = correlated_returns(80, 4, seed=3)
    prices = np.concatenate(([1.0], np.cumprod(1.0 + returns[:, 0]))).tolist()
    efficiency = efficiency_path(returns[:, 0].copy(), 20)
    correlation, spread = correlation_path(returns, 0.97), roll_spread_path(returns, 0.97)
    for t in (19, 40, 79):
        assert efficiency[t] == pytest.approx(oracle.efficiency(prices[: t + 2], 20), abs=1e-12)
        rows = returns[: t + 1].tolist()
        assert correlation[t] == pytest.approx(oracle.average_correlation(rows, 0.97), abs=1e-12)
        assert spread[t] == pytest.approx(oracle.roll_spread(rows, 0.97), abs=1e-12)
    assert np.isnan(efficiency[:19]).all()


def test_a_straight_line_is_efficient_and_a_saw_is_not():
    assert efficiency_path(np.full(30, 0.01), 20)[-1] == pytest.approx(1.0)
    saw = np.where(np.arange(40) % 2 == 0, 0.01, -0.01 / 1.01)
    assert efficiency_path(saw, 20)[-1] == pytest.approx(0.0, abs=1e-9)


def test_roll_finds_the_spread_that_prices_bounce_across():
    rng = np.random.default_rng(0)
    side = rng.choice([-1.0, 1.0], size=(4000, 8))
    prices = 100.0 * (1.0 + 0.5 * 0.01 * side)  # bid and ask one per cent apart
    returns = np.ascontiguousarray(prices[1:] / prices[:-1] - 1.0)
    assert roll_spread_path(returns, 0.999)[-1] == pytest.approx(0.01, rel=0.05)


def test_correlation_counts_without_its_sign():
    returns = correlated_returns(60, 3, seed=1)
    turned = returns * np.array([1.0, -1.0, 1.0])
    assert correlation_path(returns, 0.97)[-1] == pytest.approx(correlation_path(turned, 0.97)[-1], abs=1e-12)
    twins = np.ascontiguousarray(np.column_stack([returns[:, 0], -returns[:, 0]]))
    assert correlation_path(twins, 0.97)[-1] == pytest.approx(1.0)


def test_a_day_rests_on_nothing_after_it():
    returns = correlated_returns(120, 3, seed=2)
    whole = market_readings(returns, returns[:, 0].copy(), AdaptiveSettings())
    part = market_readings(returns[:90].copy(), returns[:90, 0].copy(), AdaptiveSettings())
    assert whole[:90] == part
    changed = returns.copy()
    changed[90:] *= -3.0
    assert market_readings(changed, changed[:, 0].copy(), AdaptiveSettings())[:90] == part


def test_what_cannot_be_measured_is_missing_not_made_up():
    flat = np.zeros((60, 2))
    last = market_readings(flat, flat[:, 0].copy(), AdaptiveSettings())[-1]
    assert (last.efficiency, last.correlation, last.clustering, last.volatility) == (None, None, None, None)
    alone = correlated_returns(60, 1)
    assert market_readings(alone, alone[:, 0].copy(), AdaptiveSettings())[-1].correlation is None
    first = market_readings(alone, alone[:, 0].copy(), AdaptiveSettings())[WARM_UP - 2]
    assert (first.volatility, first.clustering, first.liquidity) == (None, None, None)


def test_a_market_whose_prices_have_stopped_is_not_calm():
    returns = correlated_returns(80, 3)
    returns[60:, 0] = 0.0
    found = market_readings(returns, returns[:, 0].copy(), AdaptiveSettings())
    assert None not in (found[63].volatility, found[63].clustering)  # four days may be holidays
    for reading in found[64:]:
        assert (reading.volatility, reading.clustering, reading.efficiency) == (None, None, None)
    returns[75, 0] = 0.01
    assert market_readings(returns, returns[:, 0].copy(), AdaptiveSettings())[75].volatility is not None


@pytest.mark.parametrize("bad", [float("nan"), -0.1, float("inf"), "0.1"])
def test_a_reading_that_is_none_is_refused(bad):
    for name in ("efficiency", "volatility", "correlation", "clustering", "liquidity"):
        with pytest.raises(InvalidArgument, match=name):
            MarketReadings(**{name: bad})


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(InvalidArgument, match="row"):
        market_readings(np.zeros((5, 2)), np.zeros(4), AdaptiveSettings())
    with pytest.raises(InvalidArgument, match="finite"):
        market_readings(np.full((5, 2), np.nan), np.zeros(5), AdaptiveSettings())


@given(n_obs=st.integers(1, 90), n_assets=st.integers(1, 4), seed=st.integers(0, 2**32 - 1), still=st.integers(0, 7))
def test_the_latest_readings_are_the_last_of_all_of_them(n_obs: int, n_assets: int, seed: int, still: int) -> None:
    x = np.random.default_rng(seed).normal(0.0, 0.01, (n_obs, n_assets))
    x[n_obs - min(still, n_obs) :] = 0.0
    of_all = market_readings(x, x[:, 0].copy(), AdaptiveSettings())[-1]
    alone = latest_readings(x, x[:, 0].copy(), AdaptiveSettings())
    for name in ("efficiency", "volatility", "correlation", "clustering", "liquidity"):
        one, other = getattr(of_all, name), getattr(alone, name)
        assert (one is None) == (other is None), name
        # The same sums in another order; a correlation loses digits to the square roots of tiny variances.
        assert one is None or one == pytest.approx(other, rel=1e-9, abs=1e-12), name
