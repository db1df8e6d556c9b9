"""Positions that neutralise a factor or a currency."""

import numpy as np
import pytest

from rpmcore.domain.asset_factor_database import AssetFactorDatabase
from rpmcore.risk.exposure.hedging import currency_hedges, factor_hedges
from rpmcore.risk.exposure.positions import currency_exposures
from rpmcore.risk.factor_model import estimate_factor_model, factor_contributions

SYMBOLS = ("MSFT", "JPM", "EURUSD", "EURGBP", "GBPUSD", "SP500")
WEIGHTS = np.array([0.3, 0.2, 0.4, 0.1, 0.0, 0.0])


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(3)
    factors = 0.01 * rng.standard_normal((400, 2))
    slopes = np.array([[1.2, 0.0], [1.0, 0.3], [0.1, -0.5], [0.0, -0.2], [0.1, -0.3], [1.0, 0.0]])
    noise = np.array([5.0, 5.0, 3.0, 5.0, 5.0, 1.0]) * 1e-3
    returns = factors @ slopes.T + noise * rng.standard_normal((400, 6))
    return estimate_factor_model(returns, factors, symbols=SYMBOLS, factor_names=("market", "dollar"))


def full_covariance(model):
    return model.exposures @ model.factor_covariance @ model.exposures.T + np.diag(model.specific_variances)


def test_a_hedge_neutralises_its_factor_and_tells_the_variance_it_leaves(model):
    held = factor_contributions(WEIGHTS, model)
    for k, hedge in enumerate(factor_hedges(model, held, SYMBOLS)):
        after = WEIGHTS.copy()
        after[SYMBOLS.index(hedge.instrument)] += hedge.change
        assert after @ model.exposures[:, k] == pytest.approx(0.0, abs=1e-12)
        variance = after @ full_covariance(model) @ after
        assert hedge.variance_left == pytest.approx(variance / held.variance, rel=1e-9)
        assert hedge.volatility == pytest.approx(np.sqrt(variance), rel=1e-9)


def test_the_purest_candidate_is_taken(model):
    # SP500 is nearly the market itself, and the dollar moves no instrument as much as it does EURUSD.
    market, dollar = factor_hedges(model, factor_contributions(WEIGHTS, model), SYMBOLS)
    assert (market.instrument, dollar.instrument) == ("SP500", "EURUSD")
    only = factor_hedges(model, factor_contributions(WEIGHTS, model), ["JPM"])
    assert [hedge.instrument for hedge in only] == ["JPM", "JPM"]


def test_a_currency_is_closed_by_a_pair_with_the_account_s(model):
    held = factor_contributions(WEIGHTS, model)
    profiles = {s: AssetFactorDatabase().resolve(s) for s in SYMBOLS}
    weights = dict(zip(SYMBOLS, WEIGHTS.tolist(), strict=True))
    currencies = currency_exposures(weights, profiles)
    found = {h.against: h for h in currency_hedges(currencies, "USD", profiles, model, held, SYMBOLS)}
    assert set(found) == {"EUR", "GBP"}
    assert (found["EUR"].instrument, found["EUR"].change) == ("EURUSD", pytest.approx(-0.5))
    assert (found["GBP"].instrument, found["GBP"].change) == ("GBPUSD", pytest.approx(0.1))
    after = {**weights, "EURUSD": weights["EURUSD"] + found["EUR"].change}
    assert {c.currency: c.net for c in currency_exposures(after, profiles)}["EUR"] == pytest.approx(0.0, abs=1e-15)


def test_without_a_candidate_it_says_what_to_do(model):
    held = factor_contributions(WEIGHTS, model)
    profiles = {s: AssetFactorDatabase().resolve(s) for s in SYMBOLS}
    currencies = currency_exposures({"EURUSD": 0.4}, profiles)
    (hedge,) = currency_hedges(currencies, "USD", profiles, model, held, ["MSFT"])
    assert hedge.instrument is None
    assert "--hedge-with" in str(hedge.instrument_reason)
