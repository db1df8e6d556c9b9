import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from rpmcore.domain.errors import InsufficientData, InvalidArgument, Undefined
from rpmcore.risk.covariance_paths import ewma_volatility_path
from rpmcore.risk.rolling import rolling_ewma, rolling_historical, rolling_normal, rolling_student_t
from rpmcore.risk.student_t import fit_student_t
from rpmcore.risk.value_at_risk import historical, normal
from tests.oracles import rolling_tail as oracle

pnl = hnp.arrays(np.float64, st.integers(8, 80), elements=st.integers(-5000, 5000).map(lambda t: t / 10_000))
confidences = st.sampled_from([0.75, 0.9, 0.95, 0.975, 0.99])
HEAVY = 0.01 * np.random.default_rng(3).standard_t(3, 320)


@given(pnl, confidences, st.integers(1, 8), st.sampled_from(["inverse_cdf", "type7"]))
def test_historical_is_that_of_every_window(returns, confidence, window, quantile):
    found = rolling_historical(returns, confidence, window, quantile)
    assert found.value_at_risk.shape == found.expected_shortfall.shape == (len(returns) - window + 1,)
    for t in range(len(returns) - window + 1):
        single = historical(returns[t : t + window], confidence, quantile=quantile)
        assert found.value_at_risk[t] == single.value_at_risk
        assert found.expected_shortfall[t] == single.expected_shortfall


@pytest.mark.parametrize(("window", "confidence"), [(250, 0.95), (1000, 0.95), (1000, 0.9), (999, 0.7)])
def test_historical_of_long_windows(window, confidence):
    returns = 0.01 * np.random.default_rng(window).standard_t(4, 2500)
    found = rolling_historical(returns, confidence, window)
    value_at_risk, shortfall = oracle.historical(returns, window, 1 - confidence)
    np.testing.assert_array_equal(found.value_at_risk, value_at_risk)
    # Sums of up to 300 numbers in another order.
    np.testing.assert_allclose(found.expected_shortfall, shortfall, rtol=1e-14)


@pytest.mark.parametrize("mean", ["zero", "sample"])
@pytest.mark.parametrize("window", [2, 60, 320])
def test_normal_is_that_of_every_window(mean, window):
    found = rolling_normal(HEAVY, 0.99, window, mean)
    value_at_risk, shortfall = oracle.normal(HEAVY, window, 0.99, mean == "sample")
    np.testing.assert_allclose(found.value_at_risk, value_at_risk, rtol=1e-12, atol=1e-16)
    np.testing.assert_allclose(found.expected_shortfall, shortfall, rtol=1e-12, atol=1e-16)
    last = HEAVY[-window:]
    single = normal(last.std(ddof=1), 0.99, last.mean() if mean == "sample" else 0.0)
    assert found.expected_shortfall[-1] == pytest.approx(single.expected_shortfall, rel=1e-12)


@given(pnl, confidences, st.floats(0.5, 0.99))
def test_ewma_is_that_of_every_date(returns, confidence, decay):
    found = rolling_ewma(returns, confidence, decay)
    value_at_risk, shortfall = oracle.ewma(returns, confidence, decay)
    assert found.window is None
    np.testing.assert_allclose(found.value_at_risk, value_at_risk, rtol=1e-10, atol=1e-16)
    np.testing.assert_allclose(found.expected_shortfall, shortfall, rtol=1e-10, atol=1e-16)
    single = normal(ewma_volatility_path(returns, decay)[-1], confidence)
    assert found.value_at_risk[-1] == pytest.approx(single.value_at_risk, rel=1e-15)


def test_student_t_is_the_fit_of_every_window():
    found = rolling_student_t(HEAVY, 0.99, 250)
    assert not found.undefined
    for t in range(0, 71, 5):
        fit = fit_student_t(HEAVY[t : t + 250])
        single = fit.tail_risk(0.99)
        # The same fit by the same code; the compiler may fuse its sums otherwise inside a loop.
        assert found.value_at_risk[t] == pytest.approx(single.value_at_risk, rel=1e-8)
        assert found.expected_shortfall[t] == pytest.approx(single.expected_shortfall, rel=1e-8)
        law = stats.t(fit.dof, loc=-fit.location, scale=fit.scale)
        assert found.value_at_risk[t] == pytest.approx(law.ppf(0.99), rel=1e-8)


@given(st.integers(0, 10_000), st.sampled_from([4, 12, 40]))
def test_student_t_where_there_is_none_says_so_and_why(seed, window):
    """Rounded returns with runs of one value, where many windows have no fit or no mean."""
    rng = np.random.default_rng(seed)
    returns = np.where(rng.random(60) < 0.3, 0.0, np.round(0.01 * rng.standard_t(1.0, 60), 3))
    returns[20:30] = 0.0
    found = rolling_student_t(returns, 0.95, window)
    for t in range(61 - window):
        try:
            single = fit_student_t(returns[t : t + window]).tail_risk(0.95)
        except Undefined:
            assert np.isnan(found.value_at_risk[t])
            assert np.isnan(found.expected_shortfall[t])
            assert found.undefined[t]
            continue
        assert found.value_at_risk[t] == pytest.approx(single.value_at_risk, rel=1e-6, abs=1e-12)
        if single.expected_shortfall is None:
            assert np.isnan(found.expected_shortfall[t])
            assert "no mean" in found.undefined[t]
        else:
            assert t not in found.undefined
            assert found.expected_shortfall[t] == pytest.approx(single.expected_shortfall, rel=1e-6, abs=1e-12)


def test_a_constant_window_has_no_student_t_but_the_next_may():
    returns = np.concatenate([np.zeros(10), HEAVY[:60]])
    found = rolling_student_t(returns, 0.95, 10)
    assert "all equal" in found.undefined[0]
    assert "more than a third" in found.undefined[3]
    assert not np.isnan(found.value_at_risk[10:]).any()
    assert set(found.undefined) >= set(range(6))


@pytest.mark.parametrize(
    "rolling",
    [
        lambda x: rolling_historical(x, 0.95, 30),
        lambda x: rolling_historical(x, 0.95, 30, "type7"),
        lambda x: rolling_normal(x, 0.95, 30, "sample"),
        lambda x: rolling_student_t(x, 0.95, 60),
    ],
    ids=["historical", "type 7", "normal", "Student-t"],
)
@given(shift=st.floats(-0.5, 0.5), factor=st.floats(0.1, 10.0))
def test_shifting_and_scaling_the_book(rolling, shift, factor):
    returns = HEAVY[:100]
    base, moved = rolling(returns), rolling(factor * returns + shift)
    for name in ("value_at_risk", "expected_shortfall"):
        # Rounding of the shifted returns; the fit of Student's t is held to its own tolerance.
        np.testing.assert_allclose(getattr(moved, name), factor * getattr(base, name) - shift, rtol=1e-6, atol=1e-9)


@given(pnl, st.floats(0.1, 10.0))
def test_scaling_the_book_under_ewma(returns, factor):
    base, moved = rolling_ewma(returns, 0.95), rolling_ewma(factor * returns, 0.95)
    np.testing.assert_allclose(moved.value_at_risk, factor * base.value_at_risk, rtol=1e-12)


@given(pnl, st.integers(2, 8), st.integers(0, 2**32 - 1))
def test_what_comes_later_changes_nothing(returns, window, seed):
    """A forecast rests on its window alone: the past of a longer history and its future leave no trace."""
    before, after = np.random.default_rng(seed).standard_normal((2, 30))
    longer = np.concatenate([100.0 * before, returns, after])
    for rolling in (rolling_historical, rolling_normal):
        alone, within = rolling(returns, 0.9, window), rolling(longer, 0.9, window)
        inside = slice(30, 30 + len(returns) - window + 1)
        np.testing.assert_allclose(within.value_at_risk[inside], alone.value_at_risk, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(within.expected_shortfall[inside], alone.expected_shortfall, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    "call",
    [
        lambda: rolling_historical([0.1, np.nan, 0.2], 0.95, 2),
        lambda: rolling_historical([0.1, 0.2], 0.95, 0),
        lambda: rolling_historical([0.1, 0.2], 0.95, True),
        lambda: rolling_historical([0.1, 0.2], 0.95, 2.0),
        lambda: rolling_historical([0.1, 0.2], 95, 2),
        lambda: rolling_historical([0.1, 0.2], 0.95, 2, "type6"),
        lambda: rolling_normal([0.1, 0.2], 0.95, 1),
        lambda: rolling_normal([0.1, 0.2], 0.4, 2),
        lambda: rolling_normal([0.1, 0.2], 0.95, 2, "median"),
        lambda: rolling_student_t(np.ones(9), 0.95, 3),
        lambda: rolling_student_t(np.ones(9), 1.0, 4),
        lambda: rolling_ewma([0.1, 0.2], 0.95, 1.0),
        lambda: rolling_ewma([0.1, 0.2], 0.3),
    ],
)
def test_misuse(call):
    with pytest.raises(InvalidArgument):
        call()


@pytest.mark.parametrize("rolling", [rolling_historical, rolling_normal, rolling_student_t])
def test_too_few_rows(rolling):
    with pytest.raises(InsufficientData, match="a window of 6 needs as many returns, but there are 5"):
        rolling(np.arange(5.0), 0.95, 6)
