"""A stream of signals through the gate, on prices and signals small enough to follow by hand."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from rpmcore.domain.canonical import canonical_bytes
from rpmcore.domain.orders import Signal
from rpmcore.domain.prices import PriceHistory
from rpmcore.gate import RiskGate
from rpmcore.gate_run import run_signals
from rpmcore.gate_start import close_time, genesis_of
from tests.gate.conftest import SECOND, short_settings

HOUR = 3600 * SECOND
FIRST = date(2021, 1, 4)


def weekdays(n: int) -> list[date]:
    found, day = [], FIRST
    while len(found) < n:
        if day.weekday() < 5:
            found.append(day)
        day += timedelta(days=1)
    return found


def prices_of(after: dict[str, list[float]]) -> PriceHistory:
    """A calm past of 120 days that ends at 100 (EURUSD at 1.2), and then these closes."""
    rng, past, days = np.random.default_rng(5), 120, len(next(iter(after.values())))
    columns = []
    for symbol, closes in after.items():
        level = 1.2 if symbol == "EURUSD" else 100.0
        moves = np.exp(np.cumsum(rng.normal(0.0, 0.004, past)))
        columns.append(np.concatenate([level * moves / moves[-1], closes]))
    dates = np.array([str(d) for d in weekdays(past + days)], dtype="datetime64[D]")
    return PriceHistory(dates=dates, symbols=tuple(after), closes=np.column_stack(columns), path="made up")


BOOK = {
    "symbol": ["MSFT"], "quantity": [100.0], "price": [100.0], "strategy_id": ["core"], "currency": ["USD"],
    "spread_bps": [0.0],
}  # fmt: skip


def gate_on(prices: PriceHistory, days: int, capital: float = 500_000.0) -> tuple[RiskGate, list[date]]:
    ahead = [d.item() for d in prices.dates[-days:]]
    settings = short_settings(
        "gate.minimum_history=60", "gate.maximum_order_value=0.9", "kill_switches.exposure_velocity.max_growth=10.0",
        "kill_switches.exposure_velocity.max_leverage_growth=10.0", "sizing.risk_per_trade=0.2",
        "adaptive.regimes.trending.risk_per_trade=0.2", "adaptive.regimes.ranging.risk_per_trade=0.2",
        "adaptive.regimes.volatile.risk_per_trade=0.2", "adaptive.regimes.stressed.risk_per_trade=0.2",
        "strategies.probation_multiplier=1.0", "limits.sector=2.0", "limits.single_name=2.0",
    )  # fmt: skip
    genesis = genesis_of(
        pa.table(BOOK), prices, settings, as_of=prices.dates[-days - 1].item(), capital=1_000_000.0,
        base_currency="USD", strategies={"s": capital},
    )  # fmt: skip
    return RiskGate.in_memory(genesis), ahead


def at(day: date, hour: int = 7) -> int:
    return close_time(day) - (22 - hour) * HOUR


def ask(day: date, **changes: object) -> Signal:
    given = {
        "signal_id": f"{day}", "strategy_id": "s", "symbol": "MSFT", "side": "buy", "entry": 100.0, "at": at(day),
        "quantity": 500.0, **changes,
    }  # fmt: skip
    return Signal(**given)  # type: ignore[arg-type]


def test_a_signal_is_filled_at_the_next_close_and_its_stop_closes_it_at_the_one_after_it_was_seen():
    prices = prices_of({"MSFT": [101.0, 96.0, 95.0, 97.0], "KO": [100.0] * 4})
    gate, days = gate_on(prices, 4)
    run = run_signals(gate, [ask(days[0], stop=97.0)], prices)
    # Bought at Monday's close of 101; Tuesday's 96 is below the stop; sold at Wednesday's 95.
    assert run.pnl == pytest.approx({"s": 500.0 * (95.0 - 101.0)})
    assert (run.total.approved, run.trades) == (2, 1)
    assert float(gate.engine.account.held("MSFT")) == 100.0
    assert gate.engine.account.equity == pytest.approx(1_000_000.0 - 3_000.0 + 100.0 * (97.0 - 100.0))


def test_a_decision_does_not_see_the_close_of_its_own_day():
    calm = prices_of({"MSFT": [100.0, 100.0], "KO": [100.0, 100.0]})
    crash = prices_of({"MSFT": [60.0, 100.0], "KO": [60.0, 100.0]})
    seen = []
    for prices in (calm, crash):
        gate, days = gate_on(prices, 2)
        decisions = []
        gate.subscribe(lambda _c, decision, _e, kept=decisions: kept.append(decision) if decision else None)
        run_signals(gate, [ask(days[0]), ask(days[1], signal_id="later")], prices)
        seen.append(decisions)
    first, later = zip(*seen, strict=True)
    assert canonical_bytes(first[0].to_plain()) == canonical_bytes(first[1].to_plain())
    assert canonical_bytes(later[0].to_plain()) != canonical_bytes(later[1].to_plain())


def test_a_target_and_an_opposite_signal_close_a_trade():
    prices = prices_of({"MSFT": [100.0, 106.0, 106.0, 100.0, 100.0], "KO": [100.0, 100.0, 100.0, 100.0, 98.0]})
    gate, days = gate_on(prices, 5)
    signals = [
        ask(days[0], target=105.0),
        ask(days[2], signal_id="k1", symbol="KO", quantity=50.0),
        ask(days[3], signal_id="k2", symbol="KO", side="sell", quantity=50.0),
    ]
    run = run_signals(gate, signals, prices, spread_bps=10.0)
    assert run.pnl["s"] == pytest.approx(500.0 * 6.0 - 50.0 * 100.0 * 10e-4)
    assert run.trades == 2


def test_an_exit_is_of_what_the_strategy_holds_and_not_sent_twice():
    prices = prices_of({"MSFT": [100.0] * 4, "KO": [100.0] * 4})
    gate, days = gate_on(prices, 4)
    signals = [
        ask(days[0], signal_id="early", side="sell", reduce_only=True),
        ask(days[0]),
        ask(days[1], side="sell", quantity=9_000.0, reduce_only=True),
        ask(days[1], signal_id="again", side="sell", quantity=9_000.0, reduce_only=True, at=at(days[1], 8)),
    ]
    run = run_signals(gate, signals, prices)
    assert (run.not_sent, run.total.approved) == (2, 2)
    assert float(gate.engine.account.held("MSFT")) == 100.0


def test_a_day_without_a_close_of_a_symbol_fills_nothing_of_it():
    prices = prices_of({"MSFT": [np.nan, 103.0], "KO": [100.0, 100.0]})
    gate, days = gate_on(prices, 2)
    run_signals(gate, [ask(days[0])], prices)
    assert float(gate.engine.account.held("MSFT")) == 600.0
    assert gate.engine.account.equity == pytest.approx(1_000_000.0 + 100.0 * 3.0)


def test_a_halt_stays_without_an_operator_and_is_reset_in_the_name_of_one():
    crash = prices_of({"MSFT": [100.0, 40.0, 41.0, 41.0], "KO": [100.0] * 4})
    results = {}
    for name in (None, "A. Head"):
        gate, days = gate_on(crash, 4)
        signals = [ask(days[0]), ask(days[2], signal_id="k", symbol="KO", quantity=10.0)]
        results[name] = run_signals(gate, signals, crash, operator=name)
    # The loss of the day; and a price that fell by more than half is one that somebody must look at.
    assert {halt.switch for halt in results[None].halts} == {"account", "operator"}
    assert results[None].reasons["kill_switch"] == 1
    assert results["A. Head"].resets >= 1
    assert results["A. Head"].reasons["kill_switch"] == 0


def test_a_strategy_that_has_lost_all_its_capital_stays_halted_and_the_run_goes_on():
    prices = prices_of({"MSFT": [100.0, 90.0, 90.0, 91.0, 92.0], "KO": [100.0] * 5})
    gate, days = gate_on(prices, 5, capital=3_000.0)
    asks = [ask(days[0], stop=95.0), ask(days[3], signal_id="a"), ask(days[4], signal_id="b", entry=91.0)]
    run = run_signals(gate, asks, prices, operator="A. Person")
    assert run.pnl == {"s": -5_000.0}
    assert [(name, "lost its capital" in why) for _, name, why in run.not_reset] == [("s", True)]
    assert run.reasons["kill_switch"] == 2
    assert run.last == days[-1]


def test_a_singular_covariance_is_measured_like_any_other():
    prices = prices_of({"MSFT": [100.0], "KO": [100.0]})
    alike = PriceHistory(
        dates=prices.dates, symbols=prices.symbols, closes=np.column_stack([prices.closes[:, 0]] * 2), path="made up"
    )
    gate, days = gate_on(alike, 1)
    model = gate.engine.market.model
    assert np.linalg.matrix_rank(model.ewma - np.diag(np.diag(model.ewma - model.ewma[0, 1]))) == 1
    alone, hedge = (
        gate.what_if(ask(days[0], signal_id=name, symbol=name, side=side, quantity=100.0), at=at(days[0]))
        for name, side in (("MSFT", "buy"), ("KO", "sell"))
    )
    assert alone.verdict == hedge.verdict == "approved"
    # Nothing is inverted: the twin hedges what is held. Volatility is under adverse correlations, which trust no hedge.
    assert alone.incremental.value_at_risk > 0.0 > hedge.incremental.value_at_risk
