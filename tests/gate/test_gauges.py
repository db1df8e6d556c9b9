"""The gauges of a gate: the book as it stands whenever somebody reads them."""

from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse

from rpmcore import ObservabilityManager
from rpmcore.decision.engine import DecisionEngine
from rpmcore.decision.unrealised import Unrealised
from rpmcore.decision.utilisation import limit_utilisation
from tests.gate.conftest import SECOND


@pytest.fixture
def manager():
    with ObservabilityManager() as made:
        yield made


def value(manager, name, **labels):
    for family in parse(manager.export_metrics()):
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return sample.value
    return None


def test_gauges_are_the_book_whenever_they_are_read(gate, manager, genesis):
    clock_of = [genesis.at]
    manager.watch(gate, clock=lambda: clock_of[0])
    engine = gate.engine
    assert value(manager, "portfolio_exposure") == pytest.approx(engine.gross())
    assert value(manager, "portfolio_leverage") == pytest.approx(engine.gross() / engine.account.equity)
    assert value(manager, "portfolio_num_positions") == len(engine.account.net)
    assert value(manager, "rpm_equity") == pytest.approx(engine.account.equity)
    assert value(manager, "rpm_drawdown") == 0.0
    assert value(manager, "portfolio_unrealized_pnl") == 0.0
    assert value(manager, "rpm_regime", regime=engine.limits(engine.last_at).regime) == 1.0
    oldest = min(engine.market.price(symbol)[1] for symbol in engine.account.net)
    clock_of[0] = genesis.at + 90 * SECOND
    assert value(manager, "rpm_price_age_seconds") == pytest.approx((clock_of[0] - oldest) / 1e9)
    prices = {symbol: price * 0.9 for symbol, price, _ in genesis.last if symbol in engine.account.net}
    before = engine.account.equity
    gate.quotes(prices, at=genesis.at + SECOND)
    lost = before - engine.account.equity
    assert lost > 0.0
    assert value(manager, "portfolio_unrealized_pnl") == pytest.approx(-lost)
    assert value(manager, "rpm_drawdown") == pytest.approx(lost / before)


def test_unrealised_pnl_is_of_average_cost_and_at_the_new_rate(genesis):
    engine = DecisionEngine(replace(genesis, positions=()))
    market, held = engine.market, Unrealised(engine)
    assert held.total() == 0.0
    market.quote({"USDJPY": 100.0}, genesis.at)
    held.fill("USDJPY", 100_000.0, 100.0)
    market.quote({"USDJPY": 90.0}, genesis.at + 1)
    # 100,000 × (90 − 100) = −1,000,000 yen, at 90 a dollar: 11,111 dollars, not 10,000.
    assert held.total() == pytest.approx(-11_111.11, abs=0.01)
    held.fill("USDJPY", 100_000.0, 90.0)  # average price 95
    assert held.total() == pytest.approx(200_000 * -5.0 / 90.0)
    held.fill("USDJPY", -50_000.0, 91.0)  # what is left keeps its average
    assert held.total() == pytest.approx(150_000 * -5.0 / 90.0)
    held.fill("USDJPY", -200_000.0, 92.0)  # crosses zero: short 50,000 from 92
    assert held.total() == pytest.approx(-50_000 * -2.0 / 90.0)
    held.fill("USDJPY", 50_000.0, 90.0)
    assert held.total() == 0.0


def test_the_utilisation_of_limits_is_what_the_checks_say_of_a_tiny_order(gate, signal):
    decision = gate.what_if(signal(quantity=1000.0))
    used = limit_utilisation(gate.engine)
    told = {check.name: check.utilisation for check in decision.checks if check.utilisation is not None}
    compared = [name for name in told if used.get(name) is not None and name not in ("sector", "currency")]
    assert len(compared) >= 6
    for name in compared:
        assert used[name] == pytest.approx(told[name], abs=2e-3), name
    for name in ("sector", "currency"):
        assert used.get(name) is None or name not in told or used[name] >= told[name] - 2e-3


def test_the_utilisation_counts_working_orders_and_knows_what_it_does_not_know(gate, signal):
    before = limit_utilisation(gate.engine)["gross_exposure"]
    gate.decide(signal(quantity=500_000.0))
    assert limit_utilisation(gate.engine)["gross_exposure"] > before
    gate.engine.account.equity = -1.0
    gate.engine.changed()
    assert set(limit_utilisation(gate.engine).values()) == {None}


def test_strategies_without_series_of_their_own_share_one_that_shows_the_worst(gate, manager, monkeypatch):
    import rpmcore.adapters.metrics.prometheus as module

    monkeypatch.setattr(module, "MOST_STRATEGIES", 0)
    manager.watch(gate)
    scopes = [scope for scope in gate.engine.kill_switches.severities() if scope != "account"]
    assert len(scopes) > 1
    gate.operate("trip", operator="A. Name", reason="test", value="halt", scope=scopes[0])
    assert value(manager, "rpm_kill_switch_state", scope="other", severity="halt") == 1.0
    assert value(manager, "rpm_kill_switch_state", scope="other", severity="none") == 0.0
    assert value(manager, "rpm_kill_switch_state", scope="account", severity="none") == 1.0
