"""Limits on exposures, breaches and their cures."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.domain.asset_factor_database import AssetFactorDatabase
from rpmcore.domain.factor_profiles import Loading, profile_of
from rpmcore.domain.instruments import Instrument
from rpmcore.risk.exposure.calculator import FactorExposureCalculator
from rpmcore.risk.exposure.cures import smallest_step, told
from rpmcore.risk.exposure.limits import limit_checks
from rpmcore.risk.settings import LimitsSettings

KNOWN = AssetFactorDatabase()
NO_LIMITS = {"sector": None, "beta": None, "factor_exposure": None, "currency": None, "single_name": None}
numbers = st.integers(-40, 40).map(lambda x: x / 10)


def calculator(**limits):
    return FactorExposureCalculator(settings=LimitsSettings(**{**NO_LIMITS, **limits}))


def share(symbol, sector=None, beta=1.0):
    instrument = Instrument(symbol=symbol, name=symbol, kind="equity", currency="USD", sector=sector)
    return profile_of(instrument, {"beta": Loading(value=beta, source="given")}, "given")


@given(
    terms=st.lists(st.tuples(numbers, numbers), min_size=1, max_size=6), limit=st.integers(0, 60).map(lambda x: x / 10)
)
def test_the_smallest_step_is_the_smallest(terms, limit):
    values, slopes = (tuple(side) for side in zip(*terms, strict=True))

    def height(step):
        return sum(abs(a + step * c) for a, c in zip(values, slopes, strict=True))

    found = smallest_step(values, slopes, limit)
    corners = [0.0, *(-a / c for a, c in terms if c)]
    if found is None:
        # A convex function that is linear between corners is smallest at one of them.
        assert min(map(height, corners)) > limit
        return
    assert height(found) <= limit + 1e-9
    for shorter in np.linspace(-1.0, 1.0, 41) * abs(found) * (1.0 - 1e-6):
        assert found == 0.0 or height(shorter) > limit - 1e-9 * (1.0 + abs(limit))


@given(
    net=st.lists(st.tuples(st.sampled_from(["Energy", "Utilities"]), numbers), max_size=4),
    unknown=st.lists(numbers, min_size=1, max_size=5),
)
def test_what_is_unclassified_is_taken_at_its_worst(net, unknown):
    known = {f"K{i}": share(f"K{i}", sector) for i, (sector, _) in enumerate(net)}
    held = {f"K{i}": w for i, (_, w) in enumerate(net) if w} | {f"U{i}": w for i, w in enumerate(unknown) if w}
    profiles = {**known, **{f"U{i}": share(f"U{i}") for i in range(len(unknown))}}
    settings = LimitsSettings(**{**NO_LIMITS, "sector": 0.4})
    sectors = ["Energy", "Utilities", "Materials"]
    worst = 0.0
    for choice in product(sectors, repeat=len(unknown)):
        for sector in sectors:
            known_net = sum(w for s, w in net if s == sector)
            worst = max(worst, abs(known_net + sum(w for s, w in zip(choice, unknown, strict=True) if s == sector)))
    found = limit_checks(held, profiles, "USD", settings)
    assert (found[0].observed if found else 0.0) == pytest.approx(worst, abs=1e-12)


def test_the_specification_s_limits_are_the_defaults():
    limits = FactorExposureCalculator().settings
    assert (limits.sector, limits.beta, limits.factor_exposure) == (0.40, 2.0, 3.0)


def test_each_breach_is_listed_with_its_overshoot_and_its_cure():
    engine = calculator(sector=0.40, currency=0.30)
    metrics = engine.calculate_portfolio_exposure({"MSFT": 0.35, "AAPL": 0.15, "EURUSD": 0.5, "GBPUSD": -0.1})
    ok, reason = engine.check_exposure_limits(metrics)
    assert not ok
    found = {(b.name, b.subject): b for b in metrics.breaches}
    assert set(found) == {("sector", "Information Technology"), ("currency", "EUR")}
    technology = found["sector", "Information Technology"]
    assert technology.overshoot == pytest.approx(0.10)
    assert (technology.cure.symbol, technology.cure.change) == ("MSFT", pytest.approx(-0.10))
    assert not technology.cure.crosses_zero
    assert found["currency", "EUR"].cure.symbol == "EURUSD"
    assert "sector Information Technology 50.00% exceeds its limit of 40.00% by 10.00%" in reason
    assert "sell 10.00% of capital of MSFT" in reason
    assert "sell 20.00% of capital of EURUSD" in reason


@given(
    held=st.dictionaries(st.sampled_from(sorted(KNOWN)), st.integers(-300, 300).map(lambda w: w / 100), max_size=8),
    limits=st.fixed_dictionaries(
        {"sector": numbers, "beta": numbers, "factor_exposure": numbers, "currency": numbers, "single_name": numbers}
    ),
)
def test_a_cured_book_keeps_the_limit(held, limits):
    engine = calculator(**{name: value for name, value in limits.items() if value > 0.0})
    for breach in engine.calculate_portfolio_exposure(held).breaches:
        if breach.cure is None:
            continue
        after = dict(held)
        after[breach.cure.symbol] += breach.cure.change
        again = engine.calculate_portfolio_exposure(after)
        left = {(b.name, b.subject): b.overshoot for b in again.breaches}
        assert left.get((breach.name, breach.subject), 0.0) <= 1e-9
        before = {(b.name, b.subject): b.overshoot for b in engine.calculate_portfolio_exposure(held).breaches}
        worse = {key for key, over in left.items() if over > before.get(key, 0.0) + 1e-9}
        assert bool(worse) == bool(breach.cure.breaks)


def test_no_larger_trade_than_needed():
    engine = calculator(beta=1.0)
    metrics = engine.calculate_portfolio_exposure({"KO": 1.0, "AAPL": 1.0})
    (breach,) = metrics.breaches
    assert breach.cure.symbol == "AAPL"  # the higher beta needs the smaller trade
    assert breach.cure.change == pytest.approx(-breach.overshoot / KNOWN["AAPL"].instrument.beta)


def test_a_trade_that_breaks_another_limit_is_no_cure_while_there_is_a_better_one():
    # Selling EURGBP would cure the euro and open sterling beyond its limit; EURUSD does not.
    engine = calculator(currency=0.40)
    metrics = engine.calculate_portfolio_exposure({"EURUSD": 0.2, "EURGBP": 0.35, "GBPUSD": 0.70})
    breach = next(b for b in metrics.breaches if b.subject == "EUR")
    assert breach.cure.symbol == "EURUSD"
    assert breach.cure.breaks == ()


def test_unknown_numbers_fail_closed():
    profiles = {"ABC": KNOWN.resolve("ABC", sector="Energy")}
    checks = {c.name: c for c in limit_checks({"ABC": 0.1}, profiles, "USD", LimitsSettings())}
    assert checks["beta"].status == checks["factor_exposure"].status == "breach"
    assert checks["beta"].observed is None
    assert "ABC" in str(checks["beta"].observed_reason)
    assert checks["sector"].status == "ok"


def test_a_limit_of_null_is_none():
    assert limit_checks({"MSFT": 5.0}, {"MSFT": KNOWN["MSFT"]}, "USD", LimitsSettings(**NO_LIMITS)) == ()


def test_the_account_currency_has_no_limit_and_an_index_is_no_single_name():
    engine = calculator(currency=0.1, single_name=0.1)
    assert engine.calculate_portfolio_exposure({"SP500": 3.0}).breaches == ()
    foreign = FactorExposureCalculator(settings=engine.settings, account_currency="EUR")
    (breach,) = foreign.calculate_portfolio_exposure({"SP500": 3.0}).breaches
    assert (breach.name, breach.subject) == ("currency", "USD")


def test_money_and_capital_give_the_same_as_weights():
    engine = FactorExposureCalculator()
    by_money = engine.calculate_portfolio_exposure({"MSFT": 3e6, "JPM": -1e6}, capital=1e7)
    by_weight = engine.calculate_portfolio_exposure({"MSFT": 0.3, "JPM": -0.1})
    assert by_money.weights == pytest.approx(by_weight.weights)
    assert engine.check_exposure_limits(by_weight) == (
        True,
        "all limits hold; single_name uses 100% of its limit",
    )


def test_a_breach_that_no_single_trade_cures_says_so():
    flat = {"A": share("A", beta=0.0), "B": share("B", beta=3.0)}
    engine = calculator(beta=1.0)
    metrics = engine.calculate_portfolio_exposure({"A": 1.0, "B": 1.0}, profiles=flat)
    (breach,) = metrics.breaches
    assert breach.cure.symbol == "B"
    hopeless = replace(breach, cure=None, cure_reason="no trade in a single instrument that is held brings it back")
    assert told(hopeless).endswith("no trade in a single instrument that is held brings it back")


@pytest.mark.parametrize("held", [{"AAPL": 1.5, "MSFT": 0.9, "JPM": -0.2, "EURUSD": 0.6}, {"KO": 0.7, "XOM": 1.1}])
def test_the_trade_that_is_named_as_the_cure_is_enough_to_the_last_bit(held):
    engine = FactorExposureCalculator()
    for breach in engine.calculate_portfolio_exposure(held).breaches:
        after = {**held, breach.cure.symbol: held[breach.cure.symbol] + breach.cure.change}
        left = {(b.name, b.subject) for b in engine.calculate_portfolio_exposure(after).breaches}
        assert (breach.name, breach.subject) not in left


def test_a_cure_that_turns_a_position_is_told_as_such():
    engine = calculator(beta=1.0)
    profiles = {"A": share("A", beta=2.0), "B": share("B", beta=1.5)}
    metrics = engine.calculate_portfolio_exposure({"A": 0.5, "B": 1.9}, profiles=profiles)
    assert "sell 142.50% of capital of A, which turns it short" in engine.check_exposure_limits(metrics)[1]
    unturned = engine.calculate_portfolio_exposure({"A": 0.9}, profiles=profiles)
    assert "turns" not in engine.check_exposure_limits(unturned)[1]
