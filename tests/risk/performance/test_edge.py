import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.risk.performance.edge import binomial_test, break_even_rate, edge_test
from rpmcore.risk.performance.monitor import EdgeMonitor, edge_monitor
from rpmcore.risk.performance.studentised import studentised_mean
from tests.oracles import performance as oracle


# 51 sixes in 235 rolls: the worked example of "Binomial test" in Wikipedia, binom.test(51, 235, 1/6,
# alternative = "greater"); 3 of 15 at 0.1: the one of scipy.stats.binomtest's page. Tea: Fisher's 8 of 8.
@pytest.mark.parametrize(
    ("wins", "n", "rate", "published"),
    [(51, 235, 1 / 6, 0.02654425), (3, 15, 0.1, 0.18406106910639114), (8, 8, 0.5, 0.00390625)],
)
def test_published_binomial_tests(wins, n, rate, published):
    assert binomial_test(wins, n, rate) == pytest.approx(published, abs=5e-9)


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.05, 0.95))
def test_the_binomial_test_is_scipys(count, rate):
    assert binomial_test(*count, rate) == pytest.approx(oracle.binomial_greater(*count, rate), rel=1e-9, abs=1e-300)


def test_a_declared_rate_is_judged_exactly_and_an_estimated_one_by_the_bootstrap():
    pnl = np.random.default_rng(3).normal(2.0, 10.0, 80)
    declared, estimated = edge_test(pnl, break_even=0.5, seed=1), edge_test(pnl, seed=1)
    wins = int((pnl > 0).sum())
    assert declared.basis == "binomial"
    assert declared.p_value == pytest.approx(oracle.binomial_greater(wins, 80, 0.5))
    assert estimated.basis == "bootstrap"
    assert estimated.p_value == studentised_mean(pnl, seed=1).p_value == declared.bootstrap_p_value
    assert estimated.binomial_p_value == pytest.approx(oracle.binomial_greater(wins, 80, break_even_rate(pnl)))
    assert estimated.confidence == 1.0 - estimated.p_value


def test_what_cannot_be_told_is_said():
    found = edge_test([1.0, 1.0], seed=1)
    assert found.p_value is None
    assert "all 2 rows are 1" in found.p_value_reason
    assert "no loss among 2" in found.break_even_reason
    with pytest.raises(Undefined, match="no win"):
        break_even_rate([-1.0])
    with pytest.raises(InvalidArgument, match="break_even"):
        binomial_test(1, 2, 1.0)


@given(st.lists(st.floats(-1, 3), min_size=1, max_size=40), st.sampled_from([0.05, 0.5]))
def test_the_monitor_is_the_product_of_its_bets(pnl, significance):
    path, alarm = oracle.monitor(pnl, 1.0, significance)
    found = edge_monitor(pnl, loss_bound=1.0, significance=significance)
    assert np.exp(found.log_evidence) == pytest.approx(path[-1], rel=1e-9)
    if all(abs(e * significance - 1) > 1e-9 for e in path):
        assert found.alarm_at == alarm


@given(st.lists(st.floats(-1, 30), max_size=40))
def test_a_bet_is_never_negative_and_never_one(pnl):
    state = EdgeMonitor(loss_bound=1.0)
    for x in pnl:
        assert 0.0 <= state.bet < 1.0
        state = state.after(x)


def test_a_loss_beyond_the_bound_voids_the_guarantee_and_withdraws_the_alarm():
    shown = edge_monitor([1.0] * 30, loss_bound=1.0)
    assert shown.alarm_at is not None
    void = shown.after(-1.5)
    assert (void.alarm_at, void.void_at, void.void_loss) == (None, 31, 1.5)
    assert void.after(1.0) == void
    assert shown.after(-1.0).void_at is None
    assert edge_monitor([-0.07], loss_bound=0.1 * 0.7).void_at is None


def test_the_largest_gain_leaves_the_monitor_in_numbers():
    found = edge_monitor([1e300, 1e308, -1.0], loss_bound=1.0)
    assert found == edge_monitor([1e6, 1e6, -1.0], loss_bound=1.0)
    assert np.isfinite([found.log_evidence, found.total, found.squares, found.bet]).all()


def test_an_edge_is_found():
    histories = np.where(np.random.default_rng(6).random((100, 300)) < 0.65, 1.0, -1.0)
    assert sum(edge_monitor(pnl, loss_bound=1.0).alarm_at is not None for pnl in histories) >= 90


HISTORIES, TRADES, MOST = 2000, 100, 130


def fair(kind):
    """Histories without an edge; 130 of 2,000 is the 99.9 % bound of a true 5 %."""
    rng = np.random.default_rng(20_080_915)
    if kind == "even":
        return np.where(rng.random((HISTORIES, TRADES)) < 0.5, 1.0, -1.0)
    if kind == "trend":  # three in ten win what seven in ten lose
        return np.where(rng.random((HISTORIES, TRADES)) < 0.3, 7.0 / 3.0, -1.0)
    return np.clip(rng.normal(0.0, 0.3, (HISTORIES, TRADES)), -1.0, 1.0)


@pytest.mark.parametrize("kind", ["even", "trend", "normal"])
def test_without_an_edge_the_monitor_looked_at_after_every_trade_rarely_alarms(kind):
    alarms = sum(edge_monitor(pnl, loss_bound=1.0).alarm_at is not None for pnl in fair(kind))
    assert alarms <= MOST


@pytest.mark.parametrize("kind", ["even", "trend", "normal"])
def test_without_an_edge_the_bootstrap_looked_at_once_rarely_alarms(kind):
    alarms = sum(studentised_mean(pnl, resamples=399, seed=i).p_value <= 0.05 for i, pnl in enumerate(fair(kind)))
    assert alarms <= MOST
