import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.domain.errors import InsufficientData, InvalidArgument, Undefined
from rpmcore.risk.performance.drawdown import drawdowns, equity_curve
from rpmcore.risk.performance.edge import edge_test
from rpmcore.risk.performance.expectancy import expectancy
from rpmcore.risk.performance.losing_runs import losing_runs
from rpmcore.risk.performance.profit_factor import profit_factor
from rpmcore.risk.performance.sharpe import moments
from rpmcore.risk.performance.studentised import studentised_mean
from rpmcore.risk.performance.win_rate import wilson_interval, win_rate
from tests.oracles import performance as oracle

SERIES = st.lists(st.floats(-100, 100).map(lambda x: round(x, 2)), min_size=1, max_size=30)
PNL = np.random.default_rng(5).normal(1.0, 10.0, 60)


@pytest.mark.parametrize(
    ("wins", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_newcombe_1998_table_1_method_3(wins, n, low, high):
    assert wilson_interval(wins, n, coverage=0.95) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_is_scipys(count):
    assert wilson_interval(*count, coverage=0.9) == pytest.approx(oracle.wilson(*count, 0.9), abs=1e-12)


@given(SERIES, st.floats(0.01, 1e6))
def test_a_winning_trade_never_lowers_the_win_rate(pnl, win):
    before, after = win_rate(pnl), win_rate([*pnl, win])
    assert after.value >= before.value
    assert before.lower <= before.value <= before.upper


def test_a_trade_at_zero_does_not_win_and_ends_a_run():
    assert win_rate([0.0, 1.0]).value == 0.5
    assert losing_runs([-1.0, -1.0, 0.0, -1.0]) == (2, 1)


@given(SERIES)
def test_the_longest_run_of_losses(pnl):
    assert losing_runs(pnl).longest == oracle.longest_losing_run(pnl)


@given(SERIES)
def test_drawdowns_from_starting_wealth(pnl):
    found = drawdowns(pnl, 1000.0, seed=1, resamples=20)
    assert (found.maximum.value, found.current.value) == pytest.approx(oracle.drawdowns(pnl, 1000.0), abs=1e-12)
    assert found.maximum.value >= found.current.value >= 0.0


def test_a_drawdown_is_of_the_peak_and_never_a_sum_of_percentages():
    # Two losses of 10 % of what there is: 19 %, and from the start, before any peak was made.
    found = drawdowns([-10.0, -9.0], 100.0, seed=1)
    assert found.maximum.value == found.current.value == pytest.approx(0.19)
    assert found.current.lower is None
    assert "not an estimate" in found.current.lower_reason
    assert equity_curve([-10.0, -9.0], 100.0).tolist() == [100.0, 90.0, 81.0]
    assert drawdowns([-10.0], 100.0, peak=180.0, seed=1).current.value == 0.5


def test_profit_factor():
    found = profit_factor(PNL, seed=3)
    assert found.value == pytest.approx(oracle.profit_factor(PNL))
    assert found.lower < found.value < found.upper
    assert profit_factor([1.0, 0.0], seed=3).value is None
    assert "no loss" in profit_factor([1.0], seed=3).value_reason
    assert profit_factor([1.0, -1.0], seed=3).upper is None


def test_the_bootstrap_t_interval_is_that_of_its_definition():
    found = studentised_mean(PNL, coverage=0.9, resamples=200, seed=4)
    t = np.sort(oracle.studentised(PNL.tolist(), 4, 200))
    error = PNL.std(ddof=1) / np.sqrt(60)
    assert found.lower == pytest.approx(PNL.mean() - t[-10] * error)
    assert found.upper == pytest.approx(PNL.mean() - t[9] * error)
    assert found.p_value == pytest.approx((1 + (t >= PNL.mean() / error).sum()) / 201)


def test_expectancy_in_money_and_in_r():
    money, r = expectancy(PNL, seed=4), expectancy(PNL, np.full(60, 5.0), seed=4)
    assert money.value == pytest.approx(PNL.mean())
    assert (r.value, r.lower, r.upper) == pytest.approx((money.value / 5, money.lower / 5, money.upper / 5))
    assert "too large" in expectancy([1e300, 1.0], [1e-300, 1.0], seed=4).value_reason
    with pytest.raises(InvalidArgument, match="above 0"):
        expectancy(PNL, np.zeros(60), seed=4)


@pytest.mark.parametrize("scale", [2.0**-1000, 2.0**1000])
def test_figures_keep_every_bit_in_any_unit_of_money(scale):
    plain, scaled = expectancy(PNL, seed=4), expectancy(PNL * scale, seed=4)
    assert [scaled.value, scaled.lower, scaled.upper] == [scale * x for x in (plain.value, plain.lower, plain.upper)]
    assert profit_factor(PNL * scale, seed=4) == profit_factor(PNL, seed=4)
    assert drawdowns(PNL * scale, 100.0 * scale, seed=4) == drawdowns(PNL, 100.0, seed=4)
    assert edge_test(PNL * scale, seed=4) == edge_test(PNL, seed=4)
    assert moments(PNL * scale) == moments(PNL)


def test_one_trade_has_a_mean_and_no_interval():
    assert expectancy([2.0], seed=1).value == 2.0
    assert "needs 2 rows" in expectancy([2.0], seed=1).lower_reason
    with pytest.raises(InsufficientData):
        studentised_mean([2.0], seed=1)
    with pytest.raises(Undefined, match=r"all 3 rows are 0\.1"):
        studentised_mean([0.1, 0.1, 0.1], seed=1)


@pytest.mark.parametrize("change", [{"seed": -1}, {"resamples": 19}, {"coverage": 1.0}, {"rows": [1.0, np.inf]}])
def test_misuse(change):
    with pytest.raises(InvalidArgument):
        studentised_mean(**{"rows": PNL, "seed": 1, **change})
    with pytest.raises(InvalidArgument, match="capital"):
        drawdowns(PNL, 0.0, seed=1)
    with pytest.raises(InvalidArgument, match="wins"):
        wilson_interval(3, 2)
