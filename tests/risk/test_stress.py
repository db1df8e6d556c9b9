from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from rpmcore.domain import reference
from rpmcore.domain.crises import Gap, with_parameters
from rpmcore.domain.factor_profiles import Loading, profile_of
from rpmcore.domain.instruments import Instrument
from rpmcore.domain.portfolio import Book, Holding
from rpmcore.domain.prices import PriceHistory
from rpmcore.risk.covariance import stressed_covariance
from rpmcore.risk.evaluation import assess
from rpmcore.risk.settings import CovarianceSettings, RiskSettings, StressSettings
from rpmcore.risk.stress.engine import calm_covariance, run_parametric
from rpmcore.risk.stress.liquidation import days_to_liquidate, liquidation_cost
from rpmcore.risk.stress.shocks import gap_victims, rate_moves, revalued
from rpmcore.risk.stress.study import StressInputs, run_stress
from rpmcore.risk.valuation import BookInputs, symbols_needed

LEHMAN = reference.crises()["lehman2008"]
PAIRS = {"USDJPY": ("USD", "JPY"), "GBPUSD": ("GBP", "USD")}


def share(symbol, beta=1.0):
    return Instrument(symbol=symbol, name=symbol, kind="equity", currency="USD", beta=beta)


def pair(symbol, beta=None):
    base, quote = PAIRS[symbol]
    return Instrument(symbol=symbol, name=symbol, kind="fx", currency=quote, base_currency=base, beta=beta)


def profile(instrument):
    beta = instrument.beta
    loadings = {} if beta is None else {"beta": Loading(value=beta, source="given")}
    return profile_of(instrument, loadings, "given")


def inputs(*held, instruments, capital=1e6):
    by_symbol = {i.symbol: i for i in instruments}
    names = tuple(by_symbol)
    closes = 100 * np.exp(np.cumsum(0.01 * np.random.default_rng(0).standard_normal((120, len(names))), axis=0))
    dates = np.arange("2022-01-01", 120, dtype="datetime64[D]")
    return BookInputs(
        book=Book(holdings=held, sizing="weight", source="memory", path=None, capital=capital, as_of=date(2022, 5, 1)),
        history=PriceHistory(dates=dates, symbols=names, closes=closes, path="p"),
        account="USD",
        account_assumed=False,
        profiles={s: profile(i) for s, i in by_symbol.items()},
        ways=symbols_needed(by_symbol, "USD", {s: PAIRS[s] for s in names if s in PAIRS}, "p"),
        pair_betas={i.symbol: i.beta for i in instruments},
    )


def run(*held, instruments, crisis=LEHMAN, **settings):
    (result,) = run_parametric(
        inputs(*held, instruments=instruments), [crisis], RiskSettings(stress=StressSettings(**settings))
    )
    return result


def test_a_fully_invested_book_of_beta_one_loses_the_market_shock_and_passes():
    gapless = with_parameters(LEHMAN, {})
    found = run(Holding(symbol="A", size=0.6), Holding(symbol="B", size=0.4), instruments=[share("A"), share("B")])
    gap = LEHMAN.gap.size if LEHMAN.gap else 0.0
    # The gap is a floor on the move of its victim, here the larger share.
    assert found.loss == pytest.approx(0.6 * max(0.10, gap) + 0.4 * 0.10, rel=1e-12)
    assert found.passed
    assert gapless == LEHMAN


def test_the_pass_criteria():
    held = (Holding(symbol="A", size=1.0), Holding(symbol="B", size=-1.0))
    found = run(*held, instruments=[share("A"), share("B")], propagation="adverse")
    assert found.loss >= 0.2
    assert not found.passed
    assert "exceeds 15.00% of capital" in found.failed_criteria[0]
    tight = run(Holding(symbol="A", size=1.0), instruments=[share("A")], maximum_var_ratio=0.01, maximum_loss=1.0)
    assert "× the stressed VaR" in tight.failed_criteria[0]


def test_the_three_propagations():
    held = (Holding(symbol="A", size=0.5), Holding(symbol="B", size=-0.5))
    instruments = [share("A", 1.5), share("B", 0.5)]
    crisis = with_parameters(LEHMAN, {"market_shock": "-0.3"})

    def moves(how):
        found = run(*held, instruments=instruments, crisis=crisis, propagation=how)
        return [p.price_move for p in found.positions]

    assert moves("beta") == pytest.approx([-0.45, -0.15])
    assert moves("uniform") == pytest.approx([-0.3, -0.3])
    assert moves("adverse") == pytest.approx([-0.3, 0.3])


def test_an_unknown_beta_is_adverse_and_told():
    short = inputs(Holding(symbol="A", size=-1.0), instruments=[share("A", None)])
    given = StressInputs(inputs=short, alone=short, replayed=lambda: short.history)
    report = run_stress(given, [LEHMAN], RiskSettings())
    (position,) = report.scenarios[0].positions
    assert position.price_move > 0
    assert position.loss > 0
    assert report.warnings[0].code == "no_beta"


def test_a_pair_is_revalued_in_full():
    found = run(
        Holding(symbol="USDJPY", size=1.0), instruments=[pair("USDJPY")], propagation="uniform",
        crisis=with_parameters(LEHMAN, {"market_shock": "-0.1"}),
    )  # fmt: skip
    assert found.loss == pytest.approx(1 / 9, rel=1e-12)
    assert revalued(-0.1, pair("GBPUSD"), (), {}) == pytest.approx(-0.1)


@pytest.mark.parametrize("size", [1.0, -1.0])
def test_a_rate_that_its_beta_takes_below_zero_stops_above_it(size):
    crisis = with_parameters(LEHMAN, {"market_shock": "-0.6"})
    found = run(Holding(symbol="USDJPY", size=size), instruments=[pair("USDJPY", beta=5.0)], crisis=crisis)
    (position,) = found.positions
    assert position.price_move == pytest.approx(-0.99)
    assert found.loss == pytest.approx(size * 0.99 / 0.01)
    # A rate that only converts stops there as well.
    assert rate_moves(["USDJPY"], crisis, propagation="beta", betas={"USDJPY": 5.0}) == {"USDJPY": -0.99}


@pytest.mark.parametrize("how", ["uniform", "adverse", "beta"])
def test_a_pair_that_is_held_converts_at_the_rate_of_its_own_row(how):
    yen = Instrument(symbol="A", name="A", kind="equity", currency="JPY", beta=1.0)
    crisis = with_parameters(LEHMAN, {"market_shock": "-0.1"})
    held = (Holding(symbol="A", size=1.0), Holding(symbol="USDJPY", size=1.0))
    found = run(*held, instruments=[yen, pair("USDJPY", 0.5)], crisis=replace(crisis, gap=None), propagation=how)
    stock, rate = found.positions
    assert rate.price_move == pytest.approx(-0.05 if how == "beta" else -0.1)
    assert stock.loss == pytest.approx(1.0 - 0.9 / (1.0 + rate.price_move))


def test_the_gap_is_a_floor_and_finds_its_victims():
    rows = [Holding(symbol="A", size=0.3), Holding(symbol="B", size=-0.4), Holding(symbol="GBPUSD", size=0.5)]
    instruments = {i.symbol: i for i in (share("A"), share("B"), pair("GBPUSD", 0.1))}
    weights = [row.size for row in rows]
    assert gap_victims(Gap(size=0.2, victims="largest_equity"), rows, weights, instruments) == {"B"}
    assert gap_victims(Gap(size=0.2, victims="currency:GBP"), rows, weights, instruments) == {"GBPUSD"}
    assert gap_victims(Gap(size=0.2, victims="equities"), rows, weights, instruments) == {"A", "B"}
    assert gap_victims(None, rows, weights, instruments) == frozenset()
    brexit = reference.crises()["brexit2016"]
    found = run(rows[2], instruments=[pair("GBPUSD", 0.1)], crisis=brexit)
    assert found.positions[0].price_move == pytest.approx(-0.10)
    assert found.positions[0].origin == "gap"


def test_liquidation_by_hand():
    settings = StressSettings(participation=0.1, impact=1.0)
    crisis = with_parameters(
        LEHMAN, {"spread_multiplier": "10", "volume_reduction": "0.8", "volatility_multiplier": "5"}
    )
    row = Holding(symbol="A", size=0.1, spread_bps=4.0, adv=5e6)
    # 100,000 of 1,000,000 a day left: half of 40 bp, and 5 % stressed volatility × √0.1.
    assert liquidation_cost(row, 0.1, 0.1, 1e6, 0.01, crisis, settings) == pytest.approx(
        0.1 * (0.0020 + 0.05 * np.sqrt(0.1)), rel=1e-12
    )
    assert days_to_liquidate(row, -0.1, 1e6, crisis, settings) == pytest.approx(1.0)
    bare = Holding(symbol="A", size=0.1)
    assert liquidation_cost(bare, 0.1, 0.1, 1e6, 0.01, crisis, settings) is None
    assert days_to_liquidate(bare, 0.1, 1e6, crisis, settings) is None


def test_positions_without_a_spread_are_counted_not_free():
    found = run(
        Holding(symbol="A", size=0.5, spread_bps=2.0),
        Holding(symbol="B", size=0.5),
        instruments=[share("A"), share("B")],
    )
    assert found.unpriced == 1
    assert found.liquidation_cost == pytest.approx(0.5 * 0.5 * 2e-4 * LEHMAN.spread_multiplier)


def test_the_stressed_var_exceeds_the_calm_one_by_at_least_the_multiplier():
    found = run(Holding(symbol="A", size=1.0), Holding(symbol="B", size=-1.0), instruments=[share("A"), share("B")])
    assert found.stressed_var >= LEHMAN.volatility_multiplier * found.calm_var * (1 - 1e-12)
    assert found.var_breach_ratio == pytest.approx(found.loss / found.stressed_var)


def test_one_instrument_has_one_price_whatever_the_strategies():
    rows = (Holding(symbol="A", size=0.3, strategy_id="a"), Holding(symbol="A", size=-0.2, strategy_id="b"))
    archegos = reference.crises()["archegos2021"]
    found = run(*rows, instruments=[share("A")], crisis=archegos)
    assert [p.price_move for p in found.positions] == pytest.approx([-0.2, -0.2])
    assert found.loss == pytest.approx(0.1 * 0.2)


def test_splitting_a_position_does_not_make_its_exit_cheaper():
    whole = run(Holding(symbol="A", size=0.6, spread_bps=2.0, adv=1e6), instruments=[share("A")])
    halves = [Holding(symbol="A", size=0.3, spread_bps=2.0, adv=1e6, strategy_id=s) for s in "ab"]
    split = run(*halves, instruments=[share("A")])
    assert split.liquidation_cost == pytest.approx(whole.liquidation_cost)
    assert split.days_to_liquidate == pytest.approx(whole.days_to_liquidate)


def test_a_stressed_report_does_not_stress_a_scenario_twice():
    held = inputs(Holding(symbol="A", size=1.0), Holding(symbol="B", size=-1.0), instruments=[share("A"), share("B")])
    calm, stressed = (
        run_parametric(held, [LEHMAN], RiskSettings(covariance=chosen))[0]
        for chosen in (CovarianceSettings(), CovarianceSettings(method="stressed", volatility_multiplier=3.0))
    )
    assert stressed.stressed_var == calm.stressed_var
    assert stressed.calm_var == calm.calm_var


def test_a_scenario_tells_what_it_was_run_with():
    found = run(
        Holding(symbol="A", size=1.0),
        instruments=[share("A")],
        crisis=with_parameters(LEHMAN, {"market_shock": "-0.2"}),
    )
    assert found.parameters["market_shock"] == -0.2
    assert found.sources["market_shock"] == "given"
    assert found.sources["volatility_multiplier"] == "specification"


def test_a_hedged_book_is_riskier_under_adverse_correlations_and_less_risky_toward_one():
    rows = (Holding(symbol="A", size=1.0), Holding(symbol="B", size=-0.8))
    hedged = inputs(*rows, instruments=[share("A"), share("B")])
    calm = calm_covariance(assess(hedged, RiskSettings()), RiskSettings())
    weights = np.array([row.size for row in rows])
    volatility = np.sqrt(weights @ calm @ weights)
    rising, falling = [volatility], [volatility]
    for theta in (0.1, 0.3, 0.5, 0.95, 1.0):
        adverse, together = (stressed_covariance(calm, 1.0, theta, held) for held in (weights, None))
        rising.append(np.sqrt(weights @ adverse @ weights))
        falling.append(np.sqrt(weights @ together @ weights))
    assert rising == sorted(set(rising))
    assert falling == sorted(set(falling), reverse=True)
    alone = np.sqrt(np.diagonal(calm))
    assert rising[-1] == pytest.approx(np.abs(weights) @ alone)
    assert falling[-1] == pytest.approx(abs(weights @ alone))
    # And so in the engine, whose stressed covariance is the adverse one: beyond what volatility alone would do.
    for crisis in reference.crises().values():
        (found,) = run_parametric(hedged, [crisis], RiskSettings())
        assert found.stressed_var > crisis.volatility_multiplier * found.calm_var * (1.0 + 0.1 * crisis.correlation)
