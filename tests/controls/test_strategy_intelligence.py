import json
from datetime import UTC, datetime
from itertools import product
from typing import get_args

import numpy as np
import pytest

from rpmcore.controls.strategy_intelligence import TRANSITIONS, Judgement, Status, StrategyIntelligenceEngine
from rpmcore.controls.strategy_settings import StrategySettings
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.plain import to_plain
from rpmcore.domain.trades import ClosedTrade

DAY = 86_400 * 10**9
MONDAY = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()) * 10**9
QUICK = StrategySettings(resamples=100)
GOOD, POOR = np.random.default_rng(1).normal(4.0, 10.0, 60), np.random.default_rng(2).normal(-4.0, 10.0, 60)


def trade(strategy, i, pnl, **more):
    given = {"trade_id": f"{strategy}{i}", "strategy_id": strategy, "symbol": "EURUSD", "side": "buy",
             "opened_at": MONDAY + i * DAY, "closed_at": MONDAY + i * DAY, "pnl": float(pnl)}  # fmt: skip
    return ClosedTrade(**{**given, **more})


def engine_of(settings=QUICK, capital=1000.0, **series):
    engine = StrategyIntelligenceEngine(settings)
    for name in series:
        engine.register(name, capital)
    for i in range(max(map(len, series.values()))):
        for name, pnl in series.items():
            if i < len(pnl):
                engine.record(trade(name, i, pnl[i]))
    return engine


def fractions(engine, day=59):
    return {share.strategy_id: share.fraction for share in engine.allocations(MONDAY + day * DAY).strategies}


def test_every_state_and_judgement_has_a_transition_but_returns_of_what_is_not_disabled():
    wanted = set(product(get_args(Status), get_args(Judgement)))
    assert wanted - set(TRANSITIONS) == {("probation", "returned"), ("enabled", "returned")}


def test_a_poor_strategy_is_disabled_and_says_why_in_one_line():
    engine = engine_of(good=GOOD, poor=POOR)
    assert engine.is_strategy_enabled("good")
    assert not engine.is_strategy_enabled("poor")
    assert (engine.multiplier("good"), engine.multiplier("poor")) == (1.0, 0.0)
    reason = engine.state_of("poor").reason
    assert "is below 0.3 after" in reason
    assert "expectancy: -" in reason
    assert "\n" not in reason
    assert [rank.strategy_id for rank in engine.rankings(MONDAY + 59 * DAY)] == ["good", "poor"]


def test_fewer_than_thirty_trades_are_on_probation_however_poor():
    engine = engine_of(poor=POOR[:29])
    assert engine.is_strategy_enabled("poor")
    assert engine.multiplier("poor") == 0.25
    (rank,) = engine.rankings(MONDAY + 28 * DAY)
    assert rank.health.score is None


def test_an_operator_brings_a_strategy_back_and_old_trades_no_longer_count():
    engine = engine_of(poor=POOR[:40])
    at = MONDAY + 300 * DAY
    engine.review(at)
    assert not engine.is_strategy_enabled("poor")
    with pytest.raises(InvalidArgument, match="named operator"):
        engine.enable("poor", at=at, operator=" ", reason="new rules")
    state = engine.enable("poor", at=at, operator="ana", reason="new rules")
    assert (state.status, state.operator, state.reason) == ("probation", "ana", "new rules")
    assert engine.record(trade("poor", 301, -1.0)).status == "probation"
    with pytest.raises(InvalidArgument, match="not disabled"):
        engine.enable("poor", at=at, operator="ana", reason="again")


def test_a_suspension_ends_by_itself_on_probation_and_then_on_merit():
    engine = engine_of(poor=POOR[:40], settings=StrategySettings(resamples=100, suspension_days=30))
    since = engine.state_of("poor").since
    engine.review(since + 30 * DAY - 1)
    assert not engine.is_strategy_enabled("poor")
    engine.review(since + 30 * DAY)
    assert engine.state_of("poor").status == "probation"
    start = (since - MONDAY) // DAY + 31
    seen = [engine.record(trade("poor", start + i, x)).status for i, x in enumerate(GOOD[:30])]
    assert seen == ["probation"] * 29 + ["enabled"]


def test_a_strategy_that_lost_its_capital_comes_back_only_with_new_capital():
    engine = engine_of(poor=[-40.0, 1.0] * 30, settings=StrategySettings(resamples=100, suspension_days=30))
    at = MONDAY + 365 * DAY
    engine.review(at)
    assert not engine.is_strategy_enabled("poor")
    with pytest.raises(InvalidArgument, match="give it new capital"):
        engine.enable("poor", at=at, operator="ana", reason="another try")
    engine.enable("poor", at=at, operator="ana", reason="another try", capital=500.0)
    assert engine.is_strategy_enabled("poor")


def test_an_unknown_strategy_is_refused_with_the_name_that_was_meant():
    engine = engine_of(trend=GOOD[:1])
    for ask in (engine.is_strategy_enabled, engine.multiplier, engine.state_of):
        with pytest.raises(InvalidArgument, match="did you mean 'trend'"):
            ask("trnd")
    with pytest.raises(InvalidArgument, match="'other' is unknown"):
        engine.record(trade("other", 0, 1.0))
    with pytest.raises(InvalidArgument, match="registered already"):
        engine.register("trend", 1.0)


def test_state_saves_and_restores_exactly_as_json():
    whole, part = engine_of(good=GOOD, poor=POOR), engine_of(good=GOOD[:35], poor=POOR[:35])
    part = StrategyIntelligenceEngine.from_state(json.loads(json.dumps(part.state(), allow_nan=False)), QUICK)
    for i in range(35, 60):
        part.record(trade("good", i, GOOD[i]))
        part.record(trade("poor", i, POOR[i]))
    assert json.dumps(part.state()) == json.dumps(whole.state())
    at = MONDAY + 60 * DAY
    for ask in ("rankings", "allocations", "suggestions", "performances", "review"):
        found = getattr(part, ask)(at)
        assert found == getattr(whole, ask)(at)
        json.dumps(to_plain(found), allow_nan=False)


def test_a_state_of_another_status_is_refused():
    state = engine_of(good=GOOD[:3]).state()
    state["good"]["state"]["status"] = "Disabled"
    with pytest.raises(InvalidArgument, match="'Disabled'"):
        StrategyIntelligenceEngine.from_state(state, QUICK)


def test_bringing_back_with_what_is_no_capital_changes_nothing():
    engine = engine_of(poor=POOR[:40])
    before = engine.state()
    for capital in (float("nan"), -1.0, 0.0):
        with pytest.raises(InvalidArgument, match="capital"):
            engine.enable("poor", at=MONDAY + 50 * DAY, operator="ana", reason="another try", capital=capital)
    assert engine.state() == before


def test_scaling_pnl_and_capital_changes_no_verdict_and_no_allocation():
    series = {"a": GOOD, "b": GOOD[::-1], "c": POOR}
    before = engine_of(**series)
    after = engine_of(**{name: 1024.0 * pnl for name, pnl in series.items()}, capital=1024_000.0)
    at = MONDAY + 59 * DAY
    assert [rank.health.score for rank in before.rankings(at)] == [rank.health.score for rank in after.rankings(at)]
    assert fractions(before) == pytest.approx(fractions(after), rel=1e-12)


def test_a_disabled_strategy_is_given_nothing_and_a_new_one_a_part():
    engine = engine_of(good=GOOD, poor=POOR, new=GOOD[::-1][:10])
    found = fractions(engine)
    assert found["poor"] == 0.0
    assert 0.0 < found["new"] < found["good"]


def test_the_sharpe_ratio_is_deflated_by_the_number_of_strategies():
    rng = np.random.default_rng(3)
    engine = engine_of(**{f"s{i}": rng.normal(1.0, 10.0, 40) for i in range(8)})
    for found in engine.performances(MONDAY + 39 * DAY):
        assert found.lookback.deflated_sharpe.value < found.lookback.probabilistic_sharpe.value


def test_suggestions_come_with_evidence_and_none_from_too_few_trades():
    rng = np.random.default_rng(5)
    engine = StrategyIntelligenceEngine(QUICK)
    engine.register("a", 10_000.0)
    for i in range(80):
        pnl = rng.normal(-8.0, 5.0) if i % 2 else rng.normal(3.0, 5.0)
        engine.record(trade("a", i, pnl, symbol="USDJPY" if i % 2 else "EURUSD", risk=2.0, fees=6.0))
        if i == 28:
            assert engine.suggestions(MONDAY + 28 * DAY) == ()
    found = {item.parameter: item for item in engine.suggestions(MONDAY + 79 * DAY)}
    assert found["symbol"].suggestion == "leave out symbol USDJPY"
    assert found["symbol"].n == 40
    assert "R on average" in found["stop"].evidence
    assert "before costs" in found["costs"].evidence
    assert "side" not in found


def test_a_symbol_must_lose_the_more_clearly_the_more_symbols_there_are():
    # Of 101 equal outcomes the least p-value is 1/101: times two symbols it is below 5 %, times six it is not.
    for names, told in (("ABB", 1), ("ABCDEF", 0)):
        engine = StrategyIntelligenceEngine(QUICK)
        engine.register("a", 10_000.0)
        for i in range(72):
            name, at = names[i % len(names)], MONDAY + i * DAY // 2
            pnl = -8.0 - i % 5 if name == "A" else 9.0 + i % 5
            engine.record(trade("a", i, pnl, symbol=name, opened_at=at, closed_at=at))
        assert len(engine.suggestions(MONDAY + 72 * DAY)) == told
