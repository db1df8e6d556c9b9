"""Paths against the oracle, and what a reader of the report relies on."""

from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.domain import reference
from rpmcore.domain.crises import Gap
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.plain import to_plain
from rpmcore.domain.portfolio import Holding
from rpmcore.risk.covariance import stressed_covariance
from rpmcore.risk.settings import CovarianceSettings, DataSettings, RiskSettings, SimulationSettings, StressSettings
from rpmcore.risk.stress.daily import days_of, simulate
from rpmcore.risk.stress.engine import run_parametric
from rpmcore.risk.stress.path import run_path
from rpmcore.risk.stress.synthetic import KINDS, SyntheticStressGenerator
from rpmcore.risk.stress.system import Action, Decisions, LimitSystem
from tests.oracles import stress_paths as oracle
from tests.stressed_books import book, inputs, mixed, pair, share

LIBRARY = reference.crises()
LEHMAN = LIBRARY["lehman2008"]
SEED, DOF = 11, 4.0
SETTINGS = RiskSettings(simulation=SimulationSettings(dof=DOF, seed=SEED))
Z = NormalDist().inv_cdf(0.99)
BOOK = book(mixed())
LEGS = [[], [(4, False)], [(2, True)], [(4, False)]]
CRISIS = replace(LEHMAN, duration_days=4, gap=Gap(size=0.11, victims="largest_equity"))


def expected(subject, crisis, paths, dof=DOF):
    """Moves and market of the oracle, one per path."""
    cov, n = subject.price_covariance, len(subject.prices)
    even = n + n % 2
    normals, scales = oracle.draws(paths, crisis.duration_days, even + 2, dof, SEED)
    theta = oracle.theta_of(cov, crisis.correlation, subject.sides)
    v, d = crisis.volatility_multiplier, subject.sides * np.sqrt(np.diag(cov))
    own = np.sqrt(1 - theta) * normals[:, :, :n] @ np.linalg.cholesky(cov).T
    shocks = scales[:, :, None] * v * (own + np.sqrt(theta) * normals[:, :, even, None] * d)
    stressed = oracle.stressed(cov, v, theta, subject.sides)
    gaps = np.zeros(n)
    if crisis.gap is not None:
        gaps[0] = crisis.gap.size
    log_shock = np.log(1 + crisis.market_shock)
    return [
        oracle.price_moves(x, s, [stressed] * len(x), subject.exposures, log_shock, gaps)
        for x, s in zip(shocks, scales, strict=True)
    ]


def run(subject, crisis, paths, dof=DOF):
    days = days_of(subject, [crisis] * len(paths))
    return days, simulate(subject, days, np.array(paths, np.uint64), seed=SEED, dof=dof)


@pytest.mark.parametrize("dof", [DOF, None])
def test_prices_move_as_the_oracle_says(dof):
    paths = [3, 2**40, 0]
    _, found = run(BOOK, CRISIS, paths, np.inf if dof is None else dof)
    for i, (moves, market) in enumerate(expected(BOOK, CRISIS, paths, dof)):
        np.testing.assert_allclose(found.moves[i], moves, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(found.market[i], market, rtol=1e-10, atol=1e-12)


def test_a_transition_moves_as_the_oracle_says():
    """Here volatility and correlation change from day to day, and with them each day's share of the shock."""
    whole = SyntheticStressGenerator(1).generate("regime_transition", 0)
    days = slice(0, None, whole.duration_days // 5)
    short = {
        name: getattr(whole, name)[days]
        for name in ("transition", "volatility_multiplier", "spread_multiplier", "volume_reduction")
    }
    n = len(short["transition"])
    scenario = replace(whole, duration_days=n, correlation=0.9, **short)
    cov, sides = BOOK.price_covariance, BOOK.sides
    thetas = oracle.theta_of(cov, 0.9, sides) * short["transition"]
    normals, scales = oracle.draws([4], n, 8, DOF, SEED)
    d = sides * np.sqrt(np.diag(cov))
    own = np.sqrt(1 - thetas)[:, None] * (normals[0, :, :5] @ np.linalg.cholesky(cov).T)
    common = np.sqrt(thetas)[:, None] * normals[0, :, 6, None] * d
    shocks = (scales[0] * short["volatility_multiplier"])[:, None] * (own + common)
    stressed = [oracle.stressed(cov, v, t, sides) for v, t in zip(short["volatility_multiplier"], thetas, strict=True)]
    log_shock = np.log(1 + scenario.market_shock)
    moves, market = oracle.price_moves(shocks, scales[0], stressed, BOOK.exposures, log_shock, np.zeros(5))
    found = simulate(BOOK, days_of(BOOK, [scenario]), np.array([4], np.uint64), seed=SEED, dof=DOF)
    np.testing.assert_allclose(found.moves[0], moves, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found.market[0], market, rtol=1e-10, atol=1e-12)


def test_the_adverse_direction_of_a_rate_is_that_of_what_it_converts():
    """A share in pounds rises with the pound and one in yen falls with the dollar in yen; a pair feels its own rate."""
    for weight in (0.5, -0.5):
        held = [("A", weight), ("B", weight), ("USDJPY", -weight)]
        instruments = [share("A", 1.0, "GBP"), share("B", 1.0, "JPY"), pair("USDJPY")]
        subject = book(inputs(held[:2], instruments[:2], extra=["GBPUSD", "USDJPY"]))
        assert subject.prices == ("A", "B", "GBPUSD", "USDJPY")
        np.testing.assert_array_equal(subject.sides, np.sign(weight) * np.array([1, 1, 1, -1]))
        both = book(inputs(held, instruments, extra=["GBPUSD"]))
        assert both.prices == ("A", "B", "USDJPY", "GBPUSD")
        np.testing.assert_array_equal(both.sides, np.sign(weight) * np.array([1, 1, -1, 1]))


def test_holdings_are_revalued_from_price_levels():
    _, found = run(BOOK, CRISIS, [3])
    levels = np.array([BOOK.inputs.history.closes[-1, BOOK.inputs.history.symbols.index(s)] for s in BOOK.prices])
    gains, growth = oracle.holding_values(
        found.moves[0], levels, range(4), LEGS, [False, False, True, True], np.ones(4)
    )
    np.testing.assert_allclose(found.returns[0], gains, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(found.growth[0], growth, rtol=1e-12)


def test_a_rate_that_falls_by_ten_per_cent_costs_eleven():
    subject = book(inputs([("USDJPY", 1.0)], [pair("USDJPY")], size=1e-9), stress=StressSettings(propagation="uniform"))
    crisis = replace(LEHMAN, duration_days=1, gap=None)
    assert run_path(subject, crisis, SETTINGS).loss == pytest.approx(1 / 9, rel=1e-6)


def test_the_unmanaged_loss_is_the_oracle_s():
    _, found = run(BOOK, CRISIS, [5])
    result = run_path(BOOK, CRISIS, SETTINGS, path=5)
    equity, breaches = oracle.carry(found.returns[0], found.growth[0], BOOK.weights, BOOK.covariance, 0.94, Z)
    assert result.loss == result.unmanaged_loss == pytest.approx(1 - equity.min(), rel=1e-12)
    assert result.var_breach_ratio == pytest.approx(breaches.max(), rel=1e-12)
    assert result.loss_avoided == 0.0
    assert result.control is None
    np.testing.assert_allclose([day.equity for day in result.days], equity, rtol=1e-12)
    np.testing.assert_allclose([day.var_breach_ratio for day in result.days], breaches, rtol=1e-11)


def limited(share_limit=0.10):
    """The oracle of the plain system: what it scales the book to, and trades without cost or bound."""
    state = {"stopped": False}
    z, year = NormalDist().inv_cdf(0.95), np.sqrt(252)
    es = NormalDist().pdf(z) / 0.05

    def share_of(equity, whole, cov):
        state["stopped"] |= equity <= 1 - share_limit
        if state["stopped"]:
            return 0.0
        sigma = np.sqrt(whole @ cov @ whole) / equity
        scale = min(1.0, 0.02 / (z * sigma), 0.03 / (es * sigma))
        return min(scale, 0.15 / (sigma * year)) if sigma * year > 0.165 else scale

    return share_of, lambda _day, _held, goal: (goal, 0.0)


@pytest.mark.parametrize("path", range(4))
def test_the_managed_loss_is_the_oracle_s(path):
    crisis = replace(LEHMAN, gap=None)
    _, found = run(BOOK, crisis, [path])
    result = run_path(BOOK, crisis, SETTINGS, system=LimitSystem(), path=path)
    equity, breaches = oracle.carry(
        found.returns[0], found.growth[0], BOOK.weights, BOOK.covariance, 0.94, Z, *limited()
    )
    np.testing.assert_allclose([day.equity for day in result.days], equity, rtol=1e-12)
    assert result.loss == pytest.approx(1 - equity.min(), rel=1e-12)
    assert result.var_breach_ratio == pytest.approx(breaches.max(), rel=1e-10)
    assert result.loss_avoided == pytest.approx(result.unmanaged_loss - result.loss)
    assert result.action_day is not None
    assert result.days[result.action_day - 1].actions[0].control == result.control


@given(st.integers(0, 2**64 - 1), st.sampled_from(sorted(LIBRARY)), st.integers(1, 30))
def test_the_market_totals_the_shock(seed, name, duration):
    crisis = replace(LIBRARY[name], duration_days=duration)
    result = run_path(BOOK, crisis, SETTINGS, seed=seed)
    assert np.prod([1 + day.market_return for day in result.days]) - 1 == pytest.approx(crisis.market_shock, abs=1e-12)
    assert result.market_return == pytest.approx(crisis.market_shock, abs=1e-12)


@given(st.integers(0, 2**64 - 1), st.sampled_from(KINDS), st.integers(0, 99))
def test_the_market_totals_the_shock_of_a_synthetic_crisis_and_its_prices_show_it(seed, kind, number):
    scenario = SyntheticStressGenerator(1).generate(kind, number)
    days = days_of(BOOK, [scenario])
    found = simulate(BOOK, days, np.array([number], np.uint64), seed=seed, dof=30.0)
    market = found.market[0]
    assert np.prod(1 + market) - 1 == pytest.approx(scenario.market_shock, abs=1e-12)
    if found.moves.min() > -0.99:
        np.testing.assert_allclose(found.moves[0] @ BOOK.direction, market, rtol=1e-9, atol=1e-13)


@given(st.floats(0.3, 1.0), st.lists(st.floats(-1, 1), min_size=4, max_size=4))
def test_the_target_correlation_is_reached_in_the_adverse_direction(target, weights):
    given_inputs = mixed()
    held = tuple(replace(h, size=w) for h, w in zip(given_inputs.book.holdings, weights, strict=True))
    subject = book(replace(given_inputs, book=replace(given_inputs.book, holdings=held)))
    days = days_of(subject, [replace(LEHMAN, correlation=target)])
    cov = stressed_covariance(subject.price_covariance, 5.0, float(days.correlation[0, 0]), subject.sides)
    deviations = subject.sides * np.sqrt(np.diag(cov))
    mean = (cov / np.outer(deviations, deviations))[np.triu_indices(5, 1)].mean()
    assert mean == pytest.approx(target, rel=1e-12) or (mean > target and not days.correlation.any())


def test_shocks_have_the_stressed_covariance():
    """20,000 normal draws: a covariance is known to 1 % of the deviations, here held to five times that."""
    blind = replace(BOOK, exposures=np.zeros(5))
    crisis = replace(LEHMAN, duration_days=1, gap=None, volatility_multiplier=2.0)
    days, found = run(blind, crisis, list(range(20_000)), np.inf)
    wanted = stressed_covariance(BOOK.price_covariance, 2.0, float(days.correlation[0, 0]), BOOK.sides)
    deviations = np.sqrt(np.diag(wanted))
    error = (np.cov(found.moves[:, 0].T) - wanted) / np.outer(deviations, deviations)
    assert np.abs(error).max() < 0.05


def test_the_market_is_a_bridge():
    """Given their total, four normals of one variance V vary by ¾V and covary by −¼V; 20,000 paths, five errors."""
    subject = book(inputs([("A", 1.0), ("B", 0.5)], [share("A"), share("B", 0.5)]))
    _, found = run(subject, replace(LEHMAN, duration_days=4, gap=None, correlation=None), list(range(20_000)), np.inf)
    logs = np.log1p(found.market)
    direction = subject.direction
    variance = 25.0 * float(direction @ subject.price_covariance @ direction)
    wanted = variance * (np.eye(4) - 0.25)
    np.testing.assert_allclose(logs.mean(axis=0), np.log(0.9) / 4, atol=5 * np.sqrt(0.75 * variance / 20_000))
    np.testing.assert_allclose(np.cov(logs.T), wanted, atol=5 * variance * np.sqrt(2 / 20_000))


def test_a_book_that_holds_nothing_loses_nothing():
    result = run_path(book(inputs([("A", 0.0)], [share("A")])), LEHMAN, SETTINGS, system=LimitSystem())
    assert result.loss == 0.0
    assert result.var_breach_ratio is None
    assert result.var_breach_ratio_reason.startswith("no VaR was forecast")
    assert result.passed


def test_a_loss_without_a_forecast_fails():
    given_inputs = inputs([("A", 1.0)], [share("A")])
    still = replace(given_inputs.history, closes=np.full_like(given_inputs.history.closes, 100.0))
    result = run_path(book(replace(given_inputs, history=still)), replace(LEHMAN, gap=None), SETTINGS)
    assert result.var_breach_ratio is None
    assert result.failed_criteria == ("there is a loss on a day for which the VaR forecast is zero",)
    assert result.loss == pytest.approx(0.1, rel=1e-12)


def test_a_result_has_its_json():
    plain = to_plain(run_path(BOOK, LEHMAN, SETTINGS, system=LimitSystem()))
    assert plain["action"]["reason"]
    assert len(plain["days"]) == LEHMAN.duration_days
    assert plain["dof"] == DOF
    normal = RiskSettings(simulation=SimulationSettings(distribution="normal"))
    assert to_plain(run_path(BOOK, LEHMAN, normal))["dof_reason"] == "the normal law has none"


def test_without_volatility_one_day_is_the_parametric_loss():
    instruments = [share("A", 1.5), share("B", 0.5), share("C", None)]
    given_inputs = inputs([("A", 0.5), ("B", -0.4), ("C", -0.2)], instruments, size=1e-9)
    crisis = replace(LEHMAN, duration_days=1)
    parametric = run_parametric(given_inputs, [crisis], RiskSettings())[0].loss
    result = run_path(book(given_inputs), crisis, SETTINGS)
    assert result.loss == pytest.approx(parametric, rel=1e-6)
    assert result.without_beta == ("C",)


@pytest.mark.parametrize("propagation", ["beta", "uniform", "adverse"])
def test_without_volatility_every_propagation_converts_as_the_parametric_mode_does(propagation):
    given_inputs, chosen = mixed(size=1e-9), RiskSettings(stress=StressSettings(propagation=propagation))
    crisis = replace(LEHMAN, duration_days=1)
    parametric = run_parametric(given_inputs, [crisis], chosen)[0].loss
    result = run_path(book(given_inputs, stress=chosen.stress), crisis, chosen)
    assert result.loss == pytest.approx(parametric, rel=1e-6)


@pytest.mark.parametrize("return_days", [1, 2])
def test_prices_that_need_no_rate_move_as_their_holdings_do(return_days):
    subject = book(
        inputs([("A", 1.0), ("B", -0.5)], [share("A"), share("B")]), data=DataSettings(return_days=return_days)
    )
    np.testing.assert_allclose(subject.price_covariance, subject.covariance, rtol=1e-12)


def test_a_stressed_report_does_not_stress_a_path_twice():
    twice = RiskSettings(covariance=CovarianceSettings(method="stressed", volatility_multiplier=3.0))
    assert run_path(book(mixed(), covariance=twice.covariance), LEHMAN, twice) == run_path(BOOK, LEHMAN, RiskSettings())


def test_strategies_of_one_instrument_are_one_position():
    rows = [Holding(symbol="A", size=0.3, strategy_id="a"), Holding(symbol="A", size=-0.2, strategy_id="b")]
    split, whole = (book(inputs(h, [share("A")])) for h in (rows, [("A", 0.3 - 0.2)]))
    assert run_path(split, LEHMAN, SETTINGS).loss == pytest.approx(run_path(whole, LEHMAN, SETTINGS).loss, rel=1e-12)


def test_the_gap_falls_on_the_first_day_against_the_position():
    archegos = LIBRARY["archegos2021"]
    for weight in (1.0, -1.0):
        subject = book(inputs([("A", weight), ("B", 0.1)], [share("A"), share("B")]))
        _, found = run(subject, archegos, [0, 1, 2])
        assert (-np.sign(weight) * found.moves[:, 0, 0] >= 0.2 - 1e-15).all()
        assert np.abs(found.moves[:, 1:, 0]).max() < 0.2


def test_a_market_that_no_price_knows_leaves_the_book_alone():
    subject = book(inputs([("A", 1.0)], [share("A", 0.0)]))
    result = run_path(subject, LEHMAN, SETTINGS)
    worse = run_path(subject, replace(LEHMAN, market_shock=-0.5), SETTINGS)
    assert result.loss == worse.loss
    assert worse.market_return == pytest.approx(-0.5, abs=1e-12)


def test_the_same_seed_gives_the_same_result_and_another_another():
    one, same, other = (run_path(BOOK, LEHMAN, SETTINGS, seed=seed) for seed in (1, 1, 2))
    assert one == same
    assert one.loss != other.loss


def test_leaving_costs_what_the_spread_says_and_takes_as_long_as_the_volume():
    plain = [Holding(symbol="A", size=1.5)]
    thin = [Holding(symbol="A", size=1.5, spread_bps=20.0, adv=5e6)]
    crisis = replace(LEHMAN, gap=None)
    free, dear = (
        run_path(book(inputs(h, [share("A")])), crisis, SETTINGS, system=LimitSystem()) for h in (plain, thin)
    )
    assert free.unmanaged_loss == dear.unmanaged_loss
    assert free.loss < dear.loss


class Opens:
    name = "opens"

    def start(self, start):  # noqa: ARG002
        return self

    def decide(self, marks, proposed):  # noqa: ARG002
        return Decisions(trades=proposed + 1.0)


class Meddles(Opens):
    name = "meddles"

    def decide(self, marks, proposed):
        marks.returns[0, 0] = 1.0
        return Decisions(trades=proposed)


class Wrong(Opens):
    name = "wrong"

    def decide(self, marks, proposed):  # noqa: ARG002
        return Decisions(trades=np.array([np.nan] * len(proposed)))


class Flattens(Opens):
    name = "flattens"

    def decide(self, marks, proposed):  # noqa: ARG002
        return Decisions(trades=-marks.market_values, actions=(Action(control="panic", reason=f"day {marks.day}"),))


def test_a_system_may_reduce_but_not_open():
    with pytest.raises(InvalidArgument, match=r"'opens', day 1: the trade of 1.0 in 'A' opens more than was proposed"):
        run_path(BOOK, LEHMAN, SETTINGS, system=Opens())
    with pytest.raises(InvalidArgument, match=r"'wrong', day 1: trades must be 4 finite number"):
        run_path(BOOK, LEHMAN, SETTINGS, system=Wrong())
    with pytest.raises(ValueError, match="read-only"):
        run_path(BOOK, LEHMAN, SETTINGS, system=Meddles())
    result = run_path(BOOK, LEHMAN, SETTINGS, system=Flattens())
    assert (result.action, result.action_day) == (Action(control="panic", reason="day 1"), 1)
    assert len({day.equity for day in result.days}) == 1
    assert result.days[5].var_breach_ratio is None


def test_a_day_of_one_decision_saves_nothing():
    flash = LIBRARY["flashcrash2010"]
    result = run_path(BOOK, flash, SETTINGS, system=Flattens())
    assert result.loss_avoided == 0.0
    assert result.action_day == 1


def test_decisions_are_timed_only_by_a_timer():
    ticks = iter(np.arange(0.0, 100.0, 0.25).tolist())
    timed = run_path(BOOK, LEHMAN, SETTINGS, system=LimitSystem(), timer=lambda: next(ticks))
    assert timed.slowest_decision == 0.25
    assert not timed.passed
    assert timed.failed_criteria[-1] == "the slowest decision took 250 ms, more than 100 ms"
    untimed = run_path(BOOK, LEHMAN, SETTINGS, system=LimitSystem())
    assert untimed.slowest_decision is None
    assert untimed.slowest_decision_reason.startswith("not measured")
    assert untimed.failed_criteria == timed.failed_criteria[:-1]


def test_a_failed_criterion_is_named():
    strict = RiskSettings(stress=StressSettings(maximum_loss=0.001, maximum_var_ratio=0.001))
    found = run_path(BOOK, LEHMAN, strict).failed_criteria
    assert "exceeds 0.10% of capital" in found[0]
    assert "× the VaR forecast for it" in found[1]


@pytest.mark.parametrize(
    ("key", "number"),
    [
        ("market_shock", 0.1),
        ("market_shock", -1.0),
        ("volatility_multiplier", 0.5),
        ("spread_multiplier", float("nan")),
        ("volume_reduction", 1.0),
        ("volume_reduction", -0.1),
        ("correlation", 1.5),
        ("duration_days", 0),
        ("duration_days", 2.5),
    ],
)
def test_impossible_numbers_are_named(key, number):
    with pytest.raises(InvalidArgument, match=f"lehman2008: {key} must be"):
        run_path(BOOK, replace(LEHMAN, **{key: number}), SETTINGS)
