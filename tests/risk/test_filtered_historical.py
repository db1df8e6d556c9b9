import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.domain.errors import InsufficientData, InvalidArgument, Undefined
from rpmcore.risk.filtered_historical import filtered_historical, filtered_returns, simulate_filtered
from rpmcore.risk.value_at_risk import historical
from tests.oracles import filtered_historical as oracle
from tests.samples import correlated_returns, returns_matrices

RETURNS = correlated_returns(400, 3, seed=9)
WEIGHTS = np.array([0.5, -0.25, 1.0])


def test_rows_are_scaled_to_the_volatility_of_tomorrow():
    z, variances = oracle.standardised(RETURNS.tolist(), 0.94, 30)
    np.testing.assert_allclose(filtered_returns(RETURNS), np.array(z) * np.sqrt(variances), rtol=1e-10)


def test_the_figures_are_the_historical_ones_of_those_rows():
    found = filtered_historical(RETURNS, WEIGHTS, 0.975, quantile="type7")
    expected = historical(filtered_returns(RETURNS) @ WEIGHTS, 0.975, quantile="type7")
    assert found.method == "filtered_historical"
    assert (found.value_at_risk, found.expected_shortfall) == (expected.value_at_risk, expected.expected_shortfall)


def test_it_follows_a_volatility_that_has_tripled():
    returns = RETURNS.copy()
    returns[-40:] *= 3.0
    calm, loud = (filtered_historical(r, WEIGHTS, 0.95).value_at_risk for r in (RETURNS, returns))
    plain = historical(returns @ WEIGHTS, 0.95).value_at_risk
    # Forty rows at λ = 0.94 hold 1 − 0.94⁴⁰ = 92 % of the weight.
    assert 2.3 * calm < loud < 3.5 * calm
    assert plain < 2.0 * calm


@given(returns_matrices(min_rows=35, max_assets=4), st.floats(0.5, 3.0))
def test_the_unit_of_the_returns_does_not_matter(returns, factor):
    try:
        base, scaled = filtered_returns(1e-3 * returns), filtered_returns(1e-3 * factor * returns)
    except Undefined:
        return
    np.testing.assert_allclose(scaled, factor * base, rtol=1e-9, atol=1e-15)


def test_one_simulated_day_is_the_history_redrawn():
    (simulated,) = simulate_filtered(RETURNS, WEIGHTS, [0.95], 400_000, horizon=1, seed=1)
    z, variances = (np.array(part) for part in oracle.standardised(RETURNS.tolist(), 0.94, 30))
    z -= z.mean(axis=0)
    plain = historical(z / np.sqrt(np.mean(z**2, axis=0)) * np.sqrt(variances) @ WEIGHTS, 0.95)
    # 370 rows leave gaps between losses; the resampled quantile may fall one row to either side.
    assert simulated.value_at_risk == pytest.approx(plain.value_at_risk, rel=0.03)
    assert simulated.expected_shortfall == pytest.approx(plain.expected_shortfall, rel=0.02)


def test_days_add_up_and_volatility_clusters():
    shocks = 0.01 * np.random.default_rng(2).standard_normal((2000, 1))
    one, ten = (simulate_filtered(shocks, [1.0], [0.99], 200_000, horizon=h, seed=3)[0] for h in (1, 10))
    ratio = ten.value_at_risk / one.value_at_risk
    # Close to √10 = 3.16; the volatility that moves along the path fattens the tail somewhat.
    assert 3.0 < ratio < 4.0


def test_the_variance_does_not_grow_by_itself_over_many_days():
    """Fat tails after a calm start make past shocks larger than the filter expected; that must not compound."""
    returns = 0.01 * np.random.default_rng(8).standard_t(3, (300, 1))
    one, many = (simulate_filtered(returns, [1.0], [0.95], 40_000, horizon=h, seed=2)[0] for h in (1, 200))
    assert many.value_at_risk < 1.3 * np.sqrt(200) * one.value_at_risk


def test_a_drift_of_the_past_is_left_out_unless_asked_for():
    returns = 0.01 * np.random.default_rng(9).standard_normal((300, 1)) + 0.004
    zero, sample = (
        simulate_filtered(returns, [1.0], [0.95], 40_000, horizon=20, seed=2, mean=m)[0] for m in ("zero", "sample")
    )
    assert zero.value_at_risk - sample.value_at_risk == pytest.approx(20 * 0.004, rel=0.25)


def test_neither_threads_nor_the_length_of_the_run_change_a_path():
    arguments = {"horizon": 4, "seed": 5}
    one = simulate_filtered(RETURNS, WEIGHTS, [0.95, 0.99], 50_000, **arguments)
    assert simulate_filtered(RETURNS, WEIGHTS, [0.95, 0.99], 50_000, threads=2, **arguments) == one
    assert simulate_filtered(RETURNS, WEIGHTS, [0.95, 0.99], 50_000, horizon=4, seed=6) != one


def test_the_standard_error_is_the_scatter_between_seeds():
    runs = [simulate_filtered(RETURNS, WEIGHTS, [0.95], 4000, horizon=3, seed=s)[0] for s in range(150)]
    for name in ("value_at_risk", "expected_shortfall"):
        scatter = np.std([getattr(r, name) for r in runs])
        told = np.mean([getattr(r, f"{name}_error") for r in runs])
        # The scatter of 150 runs is known to 6 %; Woodruff's error is itself a noisy difference of two losses.
        assert told == pytest.approx(scatter, rel=0.25)


def test_a_book_that_cannot_lose():
    (found,) = simulate_filtered(RETURNS, np.zeros(3), [0.95], 1000, horizon=5, seed=1)
    assert found.value_at_risk == found.expected_shortfall == 0.0


def test_what_cannot_be_filtered():
    woken = RETURNS.copy()
    woken[:100, 1] = 0.0
    with pytest.raises(Undefined, match="asset 1 moves after"):
        filtered_returns(woken)
    broken = RETURNS * 1e-3
    broken[395, 2] = -0.17
    with pytest.raises(Undefined, match="asset 2: a past move"):
        filtered_returns(broken)
    with pytest.raises(InsufficientData, match="371 days ahead are more than the 370"):
        simulate_filtered(RETURNS, WEIGHTS, [0.95], 100, horizon=371, seed=1)
    with pytest.raises(InsufficientData, match="burn-in of 30"):
        filtered_returns(RETURNS[:30])
    for call in (
        lambda: filtered_returns(RETURNS, decay=1.0),
        lambda: filtered_returns(RETURNS, burn_in=0),
        lambda: filtered_historical(RETURNS, np.ones(2), 0.95),
        lambda: simulate_filtered(RETURNS, WEIGHTS, [0.95], 0, horizon=1, seed=1),
        lambda: simulate_filtered(RETURNS, WEIGHTS, [], 10, horizon=1, seed=1),
    ):
        with pytest.raises(InvalidArgument):
            call()
