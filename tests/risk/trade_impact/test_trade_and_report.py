"""What the gate is told of a trade is what the report says of the book after it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.domain.asset_factor_database import AssetFactorDatabase
from rpmcore.risk.exposure.limits import limit_checks, measures
from rpmcore.risk.exposure.positions import currency_exposures, profile_exposures, sector_exposures
from rpmcore.risk.limits import exceeds
from rpmcore.risk.portfolio_risk import PortfolioRiskEngine
from rpmcore.risk.settings import CovarianceSettings, LimitsSettings, RiskSettings, TailRiskSettings
from rpmcore.risk.trade_impact.linear import measure_impact
from rpmcore.risk.trade_impact.worst_case import WorstCase
from tests.samples import correlated_returns, returns_matrices, weights_for

RETURNS = correlated_returns(300, 5, seed=3)
WEIGHTS = np.array([0.4, -0.3, 0.2, 0.0, 0.3])


def limits_after(settings, returns, weights, asset, change):
    after = np.array(weights, dtype=float)
    after[asset] += change
    return PortfolioRiskEngine(settings).calculate_comprehensive_risk(returns, after).limits


@pytest.mark.parametrize("covariance", ["ewma", "sample", "stressed", "ledoit_wolf"])
@pytest.mark.parametrize("bind_on", ["point", "upper"])
@pytest.mark.parametrize("method", ["historical", "ewma_normal", "larger"])
@pytest.mark.parametrize("quantile", ["inverse_cdf", "type7"])
def test_measures_before_and_after_are_those_of_the_report(covariance, bind_on, method, quantile):
    settings = RiskSettings(
        covariance=CovarianceSettings(method=covariance, volatility_multiplier=1.5),
        limits=LimitsSettings(bind_on=bind_on, method=method),
        tail_risk=TailRiskSettings(methods=("historical",), quantile=quantile),
    )
    case = WorstCase.of_returns(RETURNS, WEIGHTS, settings)
    for asset, side, size in ((0, -1, 0.9), (3, 1, 0.25), (1, 1, 0.0)):
        now = limits_after(settings, RETURNS, WEIGHTS, asset, 0.0)
        after = limits_after(settings, RETURNS, WEIGHTS, asset, side * size)
        for impact, before, then in zip(case.impacts(asset, side, size), now, after, strict=True):
            assert impact.name == before.name
            assert impact.measure == then.measure
            assert impact.now == pytest.approx(before.observed, rel=1e-12)
            assert impact.after == pytest.approx(then.observed, rel=1e-12)
            assert impact.incremental == pytest.approx(then.observed - before.observed, abs=1e-14)


@given(
    returns_matrices(min_rows=30, max_rows=70, max_assets=4),
    st.data(),
    st.sampled_from([1, -1]),
    st.sampled_from([0.0, 0.01]),
    st.sampled_from([0.01, 0.1, 1.0]),
)
def test_the_report_on_the_book_after_the_largest_trade_finds_no_breach(returns, data, side, smallest, scale):
    """From the least rows that are allowed, with ties and assets that do not move; limits a little above and below."""
    n = returns.shape[1]
    asset, weights = data.draw(st.integers(0, n - 1)), data.draw(weights_for(n))
    limits = LimitsSettings(
        value_at_risk=0.3 * scale, expected_shortfall=0.4 * scale, maximum_volatility=5.0 * scale,
        target_volatility=1e-3,
    )  # fmt: skip
    settings = RiskSettings(limits=limits, tail_risk=TailRiskSettings(methods=("historical",)))
    for i, impact in enumerate(WorstCase.of_returns(returns, weights, settings).impacts(asset, side, 0.1, smallest)):
        top = impact.largest
        before = limits_after(settings, returns, weights, asset, 0.0)[i]
        assert impact.now == pytest.approx(before.observed, rel=1e-12, abs=1e-15)
        if 1e-5 < top < math.inf:
            for size in (max(smallest, 1e-2 * top), 0.5 * (smallest + top), top):
                then = limits_after(settings, returns, weights, asset, side * size)[i].observed
                assert not exceeds(then, impact.limit) or then < before.observed
        if top < math.inf and i > 0:  # VaR may touch its limit and turn
            then = limits_after(settings, returns, weights, asset, side * (max(top, smallest) + 1e-4))[i].observed
            assert then > impact.limit * (1 - 1e-9)
            assert not then < before.observed * (1 - 1e-8) or not exceeds(before.observed, impact.limit)


@pytest.mark.parametrize("symbol", ["MSFT", "AAPL", "EURUSD", "GBPUSD"])
@pytest.mark.parametrize("side", [1, -1])
def test_exposures_after_a_trade_are_those_of_the_report(symbol, side):
    known, limits = AssetFactorDatabase(), LimitsSettings()
    held = {"MSFT": 0.2, "AAPL": -0.1, "EURUSD": 0.3, "GBPUSD": -0.25}
    profiles = {name: known[name] for name in held}

    def found(weights):
        return {c.name: c.observed for c in limit_checks(weights, profiles, "USD", limits)}

    exposures = profile_exposures(held, profiles), sector_exposures(held, profiles), currency_exposures(held, profiles)
    asked = [
        m for m in measures(held, profiles, "USD", limits, *exposures) if symbol in m.slopes and m.name != "single_name"
    ]
    assert {m.name for m in asked} >= {"factor_exposure"}
    for measure in asked:
        impact = measure_impact(measure, symbol, side, 0.03)
        assert impact.now == pytest.approx(measure.observed, rel=1e-14)
        assert impact.after == pytest.approx(measure.after(symbol, side * 0.03), rel=1e-14, abs=1e-16)
        top = impact.largest
        assert measure.after(symbol, side * top) == pytest.approx(measure.limit, rel=1e-13)
        if measure.name in ("beta", "factor_exposure"):
            after = {**held, symbol: held[symbol] + side * top}
            assert found(after)[measure.name] == pytest.approx(measure.limit, rel=1e-12)
