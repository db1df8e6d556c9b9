import numpy as np
import pytest

from rpmcore.risk.portfolio_risk import PortfolioRiskEngine
from rpmcore.risk.settings import CovarianceSettings, LimitsSettings, RiskSettings, TailRiskSettings
from rpmcore.risk.trade_impact.worst_case import WorstCase
from tests.samples import correlated_returns

RETURNS = correlated_returns(300, 5, seed=3)
WEIGHTS = np.array([0.4, -0.3, 0.2, 0.0, 0.3])


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
    engine = PortfolioRiskEngine(settings)
    case = WorstCase.of_returns(RETURNS, WEIGHTS, settings)
    for asset, side, size in ((0, -1, 0.9), (3, 1, 0.25), (1, 1, 0.0)):
        weights = WEIGHTS.copy()
        weights[asset] += side * size
        now = engine.calculate_comprehensive_risk(RETURNS, WEIGHTS).limits
        after = engine.calculate_comprehensive_risk(RETURNS, weights).limits
        for impact, before, then in zip(case.impacts(asset, side, size), now, after, strict=True):
            assert impact.name == before.name
            assert impact.measure == then.measure
            assert impact.now == pytest.approx(before.observed, rel=1e-12)
            assert impact.after == pytest.approx(then.observed, rel=1e-12)
            assert impact.incremental == pytest.approx(then.observed - before.observed, abs=1e-14)
