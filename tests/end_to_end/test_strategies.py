"""Strategies judged from a file of trades, on the sample and on trades made for the purpose."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from rpmcore import api
from rpmcore.controls.strategy_intelligence import StrategyIntelligenceEngine
from rpmcore.controls.strategy_settings import StrategySettings
from rpmcore.domain.errors import InputError
from rpmcore.domain.trades import ClosedTrade

SAMPLE = Path(__file__).parents[2] / "data" / "trades.parquet"
QUICK = api.load_settings(assignments=["strategies.resamples=200"])
START = datetime(2024, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def sample() -> pa.Table:
    return pq.read_table(SAMPLE)


@pytest.fixture(scope="module")
def report():
    return api.strategies(SAMPLE)


def made(**strategies):
    """A trade a day for each strategy; a float is the P&L."""
    rows = [
        {"trade_id": f"{name}{i}", "strategy_id": name, "symbol": "EURUSD", "side": "buy",
         "opened_at": START + timedelta(days=i - 1), "closed_at": START + timedelta(days=i), "pnl": float(pnl)}
        for name, series in strategies.items()
        for i, pnl in enumerate(series)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows)


GOOD = np.random.default_rng(1).normal(4.0, 10.0, 60)
POOR = np.random.default_rng(2).normal(-4.0, 10.0, 60)


def codes(report):
    return [warning.code for warning in report.warnings]


def test_the_sample_disables_the_poor_one_and_says_why_in_one_line(report):
    assert report.disabled == ("crossover_fast",)
    assert [row.strategy_id for row in report.strategies] == ["breakout_equity", "reversal_equity", "crossover_fast"]
    poor = report.strategy("crossover_fast")
    assert (poor.health, poor.status, poor.multiplier) == ("CRITICAL", "disabled", 0.0)
    assert poor.score < 0.30
    assert "is below 0.3 after 176 trades; most is lost by maximum drawdown: 62.8 %" in poor.reason
    assert "\n" not in poor.reason
    assert all(row.enabled and row.n_trades >= 30 for row in report.strategies[:2])


def test_the_figures_are_those_of_the_last_ninety_days(sample, report):
    last = pc.max(sample["closed_at"]).as_py()
    for row in report.strategies:
        own = sample.filter(pc.equal(sample["strategy_id"], row.strategy_id))
        recent = own.filter(pc.greater(own["closed_at"], pa.scalar(last - timedelta(days=90), own["closed_at"].type)))
        pnl, risk = recent["pnl"].to_numpy(), recent["risk"].to_numpy()
        assert row.n_trades == row.lookback.win_rate.n == len(pnl)
        assert row.lookback.win_rate.value == pytest.approx((pnl > 0).mean(), rel=1e-12)
        assert row.lookback.expectancy.value == pytest.approx(pnl.mean(), rel=1e-9)
        assert row.lookback.expectancy_r.value == pytest.approx((pnl / risk).mean(), rel=1e-9)
        assert row.lookback.profit_factor.value == pytest.approx(pnl[pnl > 0].sum() / -pnl[pnl < 0].sum(), rel=1e-9)
        equity = 1e7 / 3 + np.cumsum(own["pnl"].to_numpy())
        peak = max(1e7 / 3, equity.max())
        assert row.equity == pytest.approx(equity[-1], rel=1e-12)
        assert row.equity_curve[-1] == pytest.approx(equity[-1], rel=1e-12)
        assert row.lookback.current_drawdown.value == pytest.approx(1.0 - equity[-1] / peak, rel=1e-9)
        assert row.score == pytest.approx(sum(part.weight * part.score for part in row.components), rel=1e-12)
        for name in ("win_rate", "expectancy", "profit_factor", "sharpe", "sortino", "maximum_drawdown"):
            figure = getattr(row.lookback, name)
            assert figure.lower < figure.upper


def test_scaling_pnl_and_capital_changes_no_score(sample, report):
    scaled = sample
    for name in ("pnl", "risk", "fees"):
        column = pc.multiply(sample[name], 137.5)
        scaled = scaled.set_column(scaled.column_names.index(name), name, column)
    other = api.strategies(scaled, capital=137.5e7)
    for one, two in zip(report.strategies, other.strategies, strict=True):
        assert two.strategy_id == one.strategy_id
        assert two.score == pytest.approx(one.score, rel=1e-9)
        assert [part.score for part in two.components] == pytest.approx(
            [part.score for part in one.components], abs=1e-9
        )
        assert (two.enabled, two.monitor.verdict) == (one.enabled, one.monitor.verdict)
    shares = [[share.fraction for share in found.allocation] for found in (report, other)]
    assert shares[0] == pytest.approx(shares[1], rel=1e-9)


def test_the_order_of_the_rows_says_nothing(sample):
    mixed = sample.take(np.random.default_rng(5).permutation(len(sample)))
    assert api.strategies(mixed, settings=QUICK).strategies == api.strategies(sample, settings=QUICK).strategies


def test_as_of_a_day_is_the_report_of_the_trades_until_then(sample):
    day = date(2019, 6, 28)
    night = datetime(2019, 6, 29, tzinfo=UTC)
    until = sample.filter(pc.less(sample["closed_at"], pa.scalar(night, sample["closed_at"].type)))
    one, two = (api.strategies(table, settings=QUICK, as_of=day) for table in (sample, until))
    assert one.as_of == "2019-06-28T23:59:59Z"
    assert one == two
    assert one.trades.n_trades < len(sample)


def test_a_verdict_is_todays_and_the_history_tells_of_the_days_before():
    table = made(turned=[*POOR, *np.random.default_rng(3).normal(6.0, 10.0, 100)])
    found = api.strategies(table, strategy="turned", settings=QUICK, capital=1000.0)
    (row,) = found.strategies
    assert row.enabled
    assert row.history.first_below is not None
    assert 0.0 < row.history.below < 1.0
    engine = StrategyIntelligenceEngine(QUICK.strategies)
    engine.register("turned", 1000.0)
    for i, trade in enumerate(table.to_pylist()):
        at = int(trade["closed_at"].timestamp()) * 10**9
        state = engine.record(
            ClosedTrade(trade_id=str(i), strategy_id="turned", symbol="X", side="buy", opened_at=at, closed_at=at,
                        pnl=trade["pnl"])
        )  # fmt: skip
    assert state.status == "disabled"
    assert row.history.first_below == f"{np.datetime64(state.since, 'ns').astype('M8[s]')}Z"


def test_too_few_trades_have_no_health_and_are_on_probation():
    found = api.strategies(made(young=POOR[:29], good=GOOD), settings=QUICK, capital=2000.0)
    young = found.strategy("young")
    assert (young.health, young.score, young.enabled, young.multiplier) == (None, None, True, 0.25)
    assert young.reason.startswith("insufficient: 29 of the 30 trades")
    assert young.lookback.evidence == "insufficient"
    assert [row.rank for row in found.strategies] == [1, 2]
    assert found.strategies[-1] == young
    plain = api.to_plain(found)["strategies"][1]
    assert plain["health"] is None
    assert plain["score_reason"].startswith("insufficient")


def test_capital_is_the_settings_or_an_equal_part_and_the_report_says_which():
    table = made(a=GOOD, b=GOOD * 0.5, c=POOR)
    equal = api.strategies(table, settings=QUICK, capital=3000.0)
    assert [row.capital for row in equal.strategies] == [1000.0] * 3
    assert "1/3 of the capital of 3,000 USD each, 1,000" in equal.warnings[-1].message
    mixed = api.load_settings(assignments=["strategies.capital.a=2000", "strategies.resamples=200"])
    found = api.strategies(table, settings=mixed, capital=3000.0)
    assert [found.strategy(name).capital for name in "abc"] == [2000.0, 500.0, 500.0]
    full = api.load_settings(assignments=["strategies.capital={a: 1e3, b: 1e3, c: 1e3}", "strategies.resamples=200"])
    own = api.strategies(table, settings=full)
    assert codes(own) == ["account_currency_assumed"]
    assert api.to_plain(own)["trades"]["capital_reason"] == "each strategy has its own"
    assert own.strategy("a").score == equal.strategy("a").score
    slip = api.load_settings(assignments=["strategies.capital={aa: 1e3}", "strategies.resamples=200"])
    warned = api.strategies(table, settings=slip, capital=3000.0, base_currency="USD")
    assert codes(warned) == ["capital_of_unknown_strategy", "capital_assumed"]


def test_a_strategy_that_lost_its_capital_is_disabled_and_told():
    found = api.strategies(made(gone=POOR - 5.0), settings=QUICK, capital=300.0, base_currency="USD")
    (row,) = found.strategies
    assert row.equity < 0.0
    assert not row.enabled
    assert "capital_lost" in codes(found)
    assert api.to_plain(found)["strategies"][0]["lookback"]["sharpe"]["value"] is None


def test_a_loss_beyond_the_bound_voids_the_monitor():
    found = api.strategies(made(jump=[*GOOD, -200.0]), settings=QUICK, capital=1000.0, base_currency="USD")
    assert found.strategies[0].monitor.verdict == "void"
    assert (found.strategies[0].monitor.void_at, found.strategies[0].monitor.void_loss) == (61, 200.0)
    assert "loss_bound_broken" in codes(found)


def test_what_cannot_be_judged():
    table = made(trend=GOOD)
    with pytest.raises(InputError, match="the capital of 'trend' is not known, and drawdowns are fractions of it"):
        api.strategies(table)
    with pytest.raises(InputError, match=r"no trade of this strategy.*Did you mean 'trend'"):
        api.strategies(table, strategy="tremd", capital=1e3)
    with pytest.raises(InputError, match="no trade closed until 2023-12-31; the first closed at 2024-01-01T12:00:00Z"):
        api.strategies(table, capital=1e3, as_of=date(2023, 12, 31))
    used_up = api.load_settings(assignments=["strategies.capital={a: 1e4}"])
    with pytest.raises(InputError, match="uses up the account's 1,000 USD, and nothing is left for 'b'"):
        api.strategies(made(a=GOOD, b=GOOD), settings=used_up, capital=1e3)


def test_suggestions_and_copies_come_with_their_evidence():
    table = made(one=GOOD, two=GOOD * 2.0)
    table = table.append_column("fees", pa.array([0.0] * 120))
    table = table.append_column("risk", pa.array([2.0] * 120))
    found = api.strategies(table, settings=QUICK, capital=1e4, base_currency="USD")
    assert {share.strategy_id: share.copies for share in found.allocation} == {"one": ("two",), "two": ("one",)}
    assert {item.parameter for item in found.suggestions} == {"stop"}
    assert all(item.p_value <= StrategySettings().significance and item.n >= 10 for item in found.suggestions)
